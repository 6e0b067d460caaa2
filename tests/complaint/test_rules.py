"""Each rule of one complaint: it allows, it refuses, it stays quiet."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.complaint import refusals as no
from ledger.complaint.codes import code_tables
from ledger.complaint.commands import COMPLAINT_COMMANDS
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.stated import FUTURE_SKEW
from ledger.tables.refusals import UnknownCode
from tests.complaint import story
from tests.complaint.story import (
    ACCEPTED,
    ANOTHER,
    APPRAISING,
    ASSIGNED,
    CLASSIFIED,
    CLOSED,
    COMPLAINT_ID,
    CONTACT,
    EVIDENCE,
    FINDING,
    FIRST_REPLY,
    GRADED,
    INVESTIGATED,
    INVESTIGATING,
    INVESTIGATION,
    NOW,
    PROPOSAL,
    PROPOSED,
    RATED,
    RECEIVED,
    RECEIVED_AT,
    REGISTERED,
    REOPENED,
    REPLIED,
    REPLY,
    RESOLUTION,
    RESOLVED,
    WITHDRAWN,
    ask,
    at,
    fact,
    fact_annulled,
    fact_corrected,
    given,
)

TOLD = (RECEIVED, RESOLVED, REPLIED)
ENDED = (*TOLD, CLOSED)


# one row a fact: what must stand, the command, and what it leads to
ALLOWED: list[tuple[tuple[ComplaintEvent, ...], str, str]] = [
    ((), "receive-complaint", "complaint-received"),
    ((RECEIVED,), "register-complaint", "complaint-registered"),
    ((RECEIVED,), "note-automatic-reply", "automatic-reply-sent"),
    ((RECEIVED,), "note-contact", "contact-noted"),
    ((RECEIVED,), "send-first-reply", "first-reply-sent"),
    ((RECEIVED,), "classify-complaint", "complaint-classified"),
    ((RECEIVED,), "grade-complaint", "complaint-graded"),
    ((RECEIVED,), "assign-complaint", "complaint-assigned"),
    ((RECEIVED,), "start-investigation", "investigation-started"),
    ((RECEIVED,), "provide-evidence", "evidence-provided"),
    ((RECEIVED, INVESTIGATING), "make-finding", "finding-made"),
    ((RECEIVED, INVESTIGATING, FINDING), "close-investigation", "investigation-closed"),
    ((RECEIVED,), "propose-solution", "solution-proposed"),
    ((RECEIVED, PROPOSED), "accept-proposal", "proposal-accepted"),
    ((RECEIVED, PROPOSED), "decline-proposal", "proposal-declined"),
    ((RECEIVED,), "resolve-complaint", "complaint-resolved"),
    ((RECEIVED, RESOLVED), "send-reply", "reply-sent"),
    (TOLD, "rate-satisfaction", "satisfaction-rated"),
    (TOLD, "close-complaint", "complaint-closed"),
    (TOLD, "reopen-complaint", "complaint-reopened"),
    ((RECEIVED,), "withdraw-complaint", "complaint-withdrawn"),
    ((RECEIVED,), "state-outcome", "outcome-stated"),
    (TOLD, "dispute-outcome", "outcome-disputed"),
    ((RECEIVED,), "receive-transfer", "complaint-transferred"),
    ((RECEIVED,), "extend-deadline", "deadline-extended"),
    ((RECEIVED,), "start-appraisal", "appraisal-started"),
    ((RECEIVED, APPRAISING), "end-appraisal", "appraisal-ended"),
    ((RECEIVED,), "receive-new-facts", "new-facts-received"),
    ((RECEIVED,), "send-holding-response", "holding-response-sent"),
    ((RECEIVED,), "rule-out-complaint", "complaint-ruled-out"),
    ((RECEIVED,), "merge-complaint", "complaint-merged"),
    ((RECEIVED,), "recognise-group", "group-recognised"),
    ((RECEIVED,), "name-representative", "representative-named"),
    ((RECEIVED, story.SPOKEN_FOR), "end-representation", "representation-ended"),
    ((RECEIVED,), "name-person-complained-about", "person-complained-about"),
    ((RECEIVED,), "declare-interest", "interest-declared"),
    ((RECEIVED,), "form-investigation-team", "investigation-team-formed"),
    ((RECEIVED, story.URGENT), "start-emergency", "emergency-started"),
    ((RECEIVED, story.URGENT, story.EMERGENCY_STARTED), "take-emergency-step", "emergency-step-taken"),
    ((RECEIVED, *story.EMERGENCY_OVER[:-1]), "end-emergency", "emergency-ended"),
    ((RECEIVED, *story.EMERGENCY_OVER), "review-emergency", "emergency-reviewed"),
    ((RECEIVED,), "make-preliminary-check", "preliminary-check-made"),
    ((RECEIVED,), "request-evidence", "evidence-requested"),
    ((RECEIVED,), "request-assistance", "assistance-requested"),
    ((RECEIVED, story.ASKED_FOR_HELP), "give-assistance", "assistance-given"),
    ((RECEIVED,), "find-root-cause", "root-cause-found"),
    ((RECEIVED, PROPOSED), "hold-negotiation", "negotiation-held"),
    ((RECEIVED, PROPOSED), "approve-compensation", "compensation-approved"),
    ((RECEIVED, PROPOSED, story.APPROVED), "provide-compensation", "compensation-provided"),
    ((RECEIVED,), "escalate-complaint", "complaint-escalated"),
    ((RECEIVED, story.ESCALATED), "decide-escalation", "escalation-decided"),
    (TOLD, "send-written-notice", "written-notice-sent"),
    (TOLD, "make-follow-up-call", "follow-up-call-made"),
    (TOLD, "review-handling", "handling-reviewed"),
    ((RECEIVED,), "open-proceedings", "proceedings-opened"),
    ((RECEIVED, story.PROCEEDING), "end-proceedings", "proceedings-ended"),
    ((RECEIVED,), "take-in-repeat", "repeat-taken-in"),
    ((RECEIVED,), "repair-relationship", "relationship-repaired"),
    ((RECEIVED, REGISTERED, WITHDRAWN), "check-completeness", "completeness-checked"),
    ((RECEIVED, WITHDRAWN, CLOSED, story.CHECKED), "archive-complaint", "complaint-archived"),
]


@pytest.mark.parametrize(("facts", "command", "event"), ALLOWED, ids=[row[1] for row in ALLOWED])
def test_a_command_leads_to_its_fact(facts: tuple[ComplaintEvent, ...], command: str, event: str) -> None:
    given(*facts).when(ask(command)).then(fact(event))


RECORDED_AGAIN = ["note-contact", "make-finding", "extend-deadline", "receive-new-facts", "send-holding-response"]
RECORDED_AGAIN += ["declare-interest", "form-investigation-team", "take-emergency-step", "review-emergency"]
RECORDED_AGAIN += [
    "make-preliminary-check",
    "find-root-cause",
    "hold-negotiation",
    "make-follow-up-call",
    "review-handling",
]
RECORDED_AGAIN += ["repair-relationship"]
"""What carries words and has no id of its own: the same a second time may be another one, and no word is lost."""

REFUSED_AGAIN: dict[str, type[no.ComplaintRefusal]] = {
    "receive-complaint": no.AlreadyReceived,
    "send-first-reply": no.FirstReplyAlreadySent,
    "provide-evidence": no.IdTaken,
    "close-investigation": no.InvestigationIsClosed,
    "propose-solution": no.IdTaken,
    "decline-proposal": no.ProposalAnswered,
    "resolve-complaint": no.IdTaken,
    "send-reply": no.IdTaken,
    "rate-satisfaction": no.AlreadyRated,
    "reopen-complaint": no.NothingToReopen,
    "withdraw-complaint": no.ComplaintIsWithdrawn,
    "start-appraisal": no.IdTaken,
    "end-appraisal": no.AppraisalHasEnded,
    "rule-out-complaint": no.AlreadyRuledOut,
    "merge-complaint": no.AlreadyMerged,
    "name-representative": no.IdTaken,
    "end-representation": no.NothingOpen,
    "name-person-complained-about": no.IdTaken,
    "start-emergency": no.IdTaken,
    "end-emergency": no.NothingOpen,
    "request-evidence": no.IdTaken,
    "request-assistance": no.IdTaken,
    "give-assistance": no.NothingOpen,
    "approve-compensation": no.IdTaken,
    "escalate-complaint": no.IdTaken,
    "decide-escalation": no.NothingOpen,
    "send-written-notice": no.IdTaken,
    "open-proceedings": no.IdTaken,
    "end-proceedings": no.NothingOpen,
    "take-in-repeat": no.IdTaken,
}
"""What carries words and happens once, or has an id of its own."""

WORDS = {"content", "reason", "reasons", "measures", "description", "finding", "conclusion", "comment", "result"}
WORDS |= {"customer_name", "customer_account", "subject", "representative_name", "representative_contact", "claim"}
WORDS |= {"person_name", "explanation", "findings", "wanted", "question", "answer", "customer_position", "notes"}
WORDS |= {"terms", "remarks", "improvement"}
SILENT = {
    command: without
    for command in REFUSED_AGAIN
    if not any(field.is_required() for name, field in COMPLAINT_COMMANDS[command].model_fields.items() if name in WORDS)
    for without in [dict.fromkeys(WORDS & story.USUAL[command].keys())]
}
"""Commands whose words are all optional, and which they are."""


@pytest.mark.parametrize(("facts", "command", "event"), ALLOWED, ids=[row[1] for row in ALLOWED])
def test_words_are_never_taken_for_a_retry(facts: tuple[ComplaintEvent, ...], command: str, event: str) -> None:
    again = given(*facts, fact(event)).when(ask(command))
    if command in REFUSED_AGAIN:
        again.refused(REFUSED_AGAIN[command])
    else:
        again.then(*([fact(event)] if command in RECORDED_AGAIN else []))


@pytest.mark.parametrize("command", SILENT)
def test_a_retry_without_words_records_nothing(command: str) -> None:
    facts, event = next((row[0], row[2]) for row in ALLOWED if row[1] == command)
    given(*facts, fact(event, **SILENT[command])).when(ask(command, **SILENT[command])).then()


def test_two_conversations_of_one_minute_are_two() -> None:
    other = {"content": "客户又来电，补充了卡号。"}
    given(RECEIVED, CONTACT).when(ask("note-contact", **other)).then(fact("contact-noted", **other))


def test_another_text_under_the_id_of_a_letter_is_refused() -> None:
    other = given(*TOLD).when(ask("send-reply", content="另一封信。"))
    other.refused(no.IdTaken, field="reply_id", taken=REPLY)
    assert "recorded already" in str(other.refusal)
    assert "Idempotency-Key" in str(other.refusal)
    given(*ENDED, REOPENED).when(ask("send-reply")).refused(no.IdTaken, field="reply_id", taken=REPLY)


@pytest.mark.parametrize("command", [row[1] for row in ALLOWED[1:]])
def test_nothing_is_recorded_before_the_receipt(command: str) -> None:
    given().when(ask(command)).refused(no.ComplaintNotFound, complaint_id=COMPLAINT_ID)


def test_a_retry_after_the_closing_still_records_nothing() -> None:
    given(RECEIVED, REGISTERED, RESOLVED, REPLIED, CLOSED).when(ask("register-complaint")).then()
    given(*ENDED).when(ask("send-reply")).refused(no.IdTaken, field="reply_id")


def test_a_retry_of_what_was_corrected_since_records_nothing() -> None:
    corrected = fact_corrected(2, fact("complaint-registered", registered_at=at(1.5)))
    given(RECEIVED, REGISTERED, corrected).when(ask("register-complaint")).then()
    given(RECEIVED, REGISTERED, corrected).when(ask("register-complaint", registered_at=at(1.5))).then()


def test_what_was_annulled_may_be_recorded_again() -> None:
    given(RECEIVED, CONTACT, fact_annulled(2)).when(ask("note-contact")).then(CONTACT)


# receipt


def test_a_complaint_is_received_once() -> None:
    given(RECEIVED).when(ask("receive-complaint", channel="letter")).refused(no.AlreadyReceived)


def test_an_amount_has_a_currency() -> None:
    given().when(ask("receive-complaint", currency=None)).refused(
        no.AmountIncomplete, field="amount_in_dispute_minor", missing="currency"
    )
    given().when(ask("receive-complaint", amount_in_dispute_minor=None)).refused(
        no.AmountIncomplete, field="currency", missing="amount_in_dispute_minor"
    )
    bare = ask("receive-complaint", amount_in_dispute_minor=None, currency=None)
    given().when(bare).then(fact("complaint-received", amount_in_dispute_minor=None, currency=None))


# times


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (command, field)
        for command, said in story.USUAL.items()
        for field in said
        if field.endswith("_at")
        if command not in ("annul-fact", "correct-fact", "approve-amendment", "decline-amendment")
    ],
)
def test_nothing_comes_from_the_future(command: str, field: str) -> None:
    facts = next(row[0] for row in ALLOWED if row[1] == command)
    now = at(50)
    late = {field: now + FUTURE_SKEW + timedelta(microseconds=1)}
    given(*facts).when(ask(command, **late), now).refused(no.InTheFuture, field=field, now=now)


def test_a_clock_may_be_a_little_ahead() -> None:
    ahead = {"received_at": NOW + FUTURE_SKEW}
    given().when(ask("receive-complaint", **ahead)).then(fact("complaint-received", **ahead))


def test_a_receipt_ahead_of_the_clock_does_not_keep_its_handlers_out() -> None:
    """The next fact, by a right clock, would otherwise lie before the receipt for as long as the skew."""
    given().when(ask("receive-complaint", received_at=NOW + timedelta(minutes=4)), NOW).refused(no.InTheFuture)


def test_a_fact_may_come_late() -> None:
    given(RECEIVED).when(ask("register-complaint"), datetime(2035, 1, 1, tzinfo=UTC)).then(REGISTERED)


HANDLING = {
    "register-complaint": "registered_at",
    "note-automatic-reply": "sent_at",
    "send-first-reply": "sent_at",
    "classify-complaint": "classified_at",
    "grade-complaint": "graded_at",
    "assign-complaint": "assigned_at",
    "start-investigation": "started_at",
    "provide-evidence": "provided_at",
    "propose-solution": "proposed_at",
    "resolve-complaint": "resolved_at",
    "withdraw-complaint": "withdrawn_at",
}


@pytest.mark.parametrize(("command", "field"), HANDLING.items())
def test_handling_does_not_come_before_the_receipt(command: str, field: str) -> None:
    early = {field: RECEIVED_AT - timedelta(microseconds=1)}
    given(RECEIVED).when(ask(command, **early)).refused(no.BeforeTheReceipt, field=field, received_at=RECEIVED_AT)
    same_moment = given(RECEIVED).when(ask(command, **{field: RECEIVED_AT}))
    assert same_moment.facts is not None
    assert len(same_moment.facts) == 1


def test_an_earlier_contact_may_precede_the_receipt() -> None:
    early = {"occurred_at": at(-48)}
    given(RECEIVED).when(ask("note-contact", **early)).then(fact("contact-noted", **early))


# codes


@pytest.mark.parametrize(
    ("facts", "command", "field", "table"),
    [
        ((), "receive-complaint", "channel", "channel"),
        ((), "receive-complaint", "product", "product"),
        ((RECEIVED,), "send-first-reply", "channel", "channel"),
        ((RECEIVED,), "classify-complaint", "scheme", "scheme"),
        ((RECEIVED,), "classify-complaint", "category", "category"),
        ((RECEIVED,), "classify-complaint", "product", "product"),
        ((RECEIVED,), "classify-complaint", "issue", "issue"),
        ((RECEIVED,), "classify-complaint", "cause", "cause"),
        ((RECEIVED,), "provide-evidence", "kind", "evidence-kind"),
        ((RECEIVED, INVESTIGATING), "make-finding", "cause", "cause"),
        ((RECEIVED,), "propose-solution", "compensation_kind", "compensation-kind"),
        (TOLD, "rate-satisfaction", "channel", "channel"),
    ],
)
def test_a_code_stands_in_its_table(facts: tuple[ComplaintEvent, ...], command: str, field: str, table: str) -> None:
    given(*facts).when(ask(command, **{field: "no-such-code"})).refused(
        UnknownCode, field=field, table=table, known=tuple(code_tables()[table])
    )


def test_another_bodys_terms_are_kept_as_given() -> None:
    terms = {"scheme": "cfpb", "category": "Credit reporting", "product": "Other (i.e. phone)", "issue": None}
    given(RECEIVED).when(ask("classify-complaint", **terms)).then(fact("complaint-classified", **terms))


def test_the_terms_of_the_standard_are_checked_in_its_own_tables() -> None:
    terms = {"scheme": "jrt-0169-2018", "category": "pricing-and-charges", "product": "bank-card-credit", "issue": None}
    given(RECEIVED).when(ask("classify-complaint", **terms)).then(fact("complaint-classified", **terms))
    given(RECEIVED).when(ask("classify-complaint", **terms | {"category": "price"})).refused(
        UnknownCode, table="jrt-reason"
    )


# registration and first reply


def test_a_complaint_has_one_reference() -> None:
    given(RECEIVED, REGISTERED).when(ask("register-complaint", reference="2025-0002-BBBB")).refused(
        no.AlreadyRegistered, reference="2025-0001-AAAA"
    )


def test_there_is_one_first_reply() -> None:
    given(RECEIVED, FIRST_REPLY).when(ask("send-first-reply", sent_at=at(3))).refused(
        no.FirstReplyAlreadySent, sent_at=at(2)
    )


def test_an_automatic_reply_is_no_first_reply() -> None:
    given(RECEIVED, fact("automatic-reply-sent")).when(ask("send-first-reply")).then(FIRST_REPLY)


# classification, grade, assignment


def test_a_classification_is_changed_with_a_reason() -> None:
    change = {"category": "service", "classified_at": at(30)}
    given(RECEIVED, CLASSIFIED).when(ask("classify-complaint", reason="看错了", **change)).then(
        fact("complaint-reclassified", reason="看错了", **change)
    )
    given(RECEIVED, CLASSIFIED).when(ask("classify-complaint", **change)).refused(
        no.ReasonMissing, what="classification"
    )


def test_the_same_classification_again_changes_nothing() -> None:
    given(RECEIVED, CLASSIFIED).when(ask("classify-complaint", classified_by="li.na", classified_at=at(30))).then()


def test_a_reason_needs_a_classification_to_change() -> None:
    given(RECEIVED).when(ask("classify-complaint", reason="看错了")).refused(
        no.NothingToChange, what="classification", field="reason"
    )


REGRADE: dict[str, Any] = {"grade": "major", "graded_at": at(30), "reason": "涉及二十人"}


def test_a_grade_is_changed_with_a_reason_by_leave_of_a_supervisor() -> None:
    given(RECEIVED, GRADED).amended(ask("grade-complaint", **REGRADE)).then(fact("complaint-regraded", **REGRADE))
    given(RECEIVED, GRADED).when(ask("grade-complaint", **REGRADE | {"reason": None})).refused(
        no.ReasonMissing, what="grade"
    )
    for named in ("chen.jing", "Chen.JING"):  # by whose leave it shall be is not who is said to ask for it
        given(RECEIVED, GRADED).amended(ask("grade-complaint", **REGRADE | {"graded_by": named})).refused(
            no.ApproverProposedIt, proposed_by=named
        )


def test_a_reason_for_no_change_is_not_lost_in_silence() -> None:
    given(RECEIVED, GRADED).when(ask("grade-complaint", **REGRADE | {"grade": "general"})).refused(
        no.NothingToChange, what="grade", field="reason"
    )
    given(RECEIVED, CLASSIFIED).when(ask("classify-complaint", reason="看错了")).refused(
        no.NothingToChange, what="classification", field="reason"
    )
    given(RECEIVED, ASSIGNED).when(ask("assign-complaint", reason="合同问题")).refused(
        no.NothingToChange, what="assignment", field="reason"
    )


def test_a_grade_may_be_changed_after_the_due_time() -> None:
    late = REGRADE | {"graded_at": at(24 * 20)}
    given(RECEIVED, GRADED).amended(ask("grade-complaint", **late)).then(fact("complaint-regraded", **late))


def test_the_same_grade_again_changes_nothing() -> None:
    given(RECEIVED, GRADED).when(ask("grade-complaint", graded_at=at(30))).then()


def test_the_urgent_flag_alone_is_a_change() -> None:
    urgent = REGRADE | {"grade": "general", "urgent": True}
    given(RECEIVED, GRADED).amended(ask("grade-complaint", **urgent)).then(fact("complaint-regraded", **urgent))


def test_a_complaint_is_moved_with_a_reason() -> None:
    move = {"department": "legal", "assignee": None, "assigned_at": at(30)}
    given(RECEIVED, ASSIGNED).when(ask("assign-complaint", reason="合同问题", **move)).then(
        fact("complaint-reassigned", reason="合同问题", **move)
    )
    given(RECEIVED, ASSIGNED).when(ask("assign-complaint", **move)).refused(no.ReasonMissing, what="assignment")
    given(RECEIVED).when(ask("assign-complaint", reason="合同问题")).refused(no.NothingToChange, what="assignment")


def test_a_move_to_where_it_is_changes_nothing() -> None:
    given(RECEIVED, ASSIGNED).when(ask("assign-complaint", assigned_at=at(30))).then()


# investigation and evidence


def test_an_investigation_has_an_id_of_its_own() -> None:
    given(RECEIVED, INVESTIGATING).when(ask("start-investigation", lead="li.na")).refused(
        no.IdTaken, field="investigation_id", taken=INVESTIGATION
    )
    second = {"investigation_id": ANOTHER, "started_at": at(8)}
    given(RECEIVED, INVESTIGATING).when(ask("start-investigation", **second)).then(
        fact("investigation-started", **second)
    )


def test_evidence_has_an_id_of_its_own() -> None:
    given(RECEIVED, fact("evidence-provided")).when(ask("provide-evidence", kind="document")).refused(
        no.IdTaken, field="evidence_id", taken=EVIDENCE
    )


@pytest.mark.parametrize("command", ["make-finding", "close-investigation"])
def test_only_an_open_investigation_finds_and_ends(command: str) -> None:
    given(RECEIVED, INVESTIGATING).when(ask(command, investigation_id=ANOTHER)).refused(
        no.InvestigationUnknown, investigation_id=ANOTHER, known=(INVESTIGATION,)
    )
    later = {"make-finding": {"made_at": at(9.5)}, "close-investigation": {"closed_at": at(9.5)}}[command]
    given(RECEIVED, INVESTIGATING, INVESTIGATED).when(ask(command, **later)).refused(
        no.InvestigationIsClosed, investigation_id=INVESTIGATION
    )


def test_an_investigation_does_not_end_before_its_findings() -> None:
    given(RECEIVED, INVESTIGATING).when(ask("make-finding", made_at=at(5.9))).refused(
        no.OutOfOrder, field="made_at", before_at=at(6)
    )
    given(RECEIVED, INVESTIGATING, FINDING).when(ask("close-investigation", closed_at=at(7.9))).refused(
        no.OutOfOrder, field="closed_at", before_at=at(8)
    )
    given(RECEIVED, INVESTIGATING, FINDING).when(ask("close-investigation", closed_at=at(8))).then(
        fact("investigation-closed", closed_at=at(8))
    )


# proposals


def test_a_proposal_is_answered_once() -> None:
    given(RECEIVED, PROPOSED, ACCEPTED).when(ask("decline-proposal")).refused(no.ProposalAnswered, proposal_id=PROPOSAL)
    given(RECEIVED).when(ask("accept-proposal")).refused(no.ProposalUnknown, proposal_id=PROPOSAL, known=())
    given(RECEIVED, PROPOSED).when(ask("accept-proposal", accepted_at=at(9))).refused(no.OutOfOrder, before_at=at(10))


def test_a_second_proposal_may_be_put() -> None:
    second = {"proposal_id": ANOTHER, "proposed_at": at(11.5)}
    declined = fact("proposal-declined")
    given(RECEIVED, PROPOSED, declined).when(ask("propose-solution", **second)).then(
        fact("solution-proposed", **second)
    )
    given(RECEIVED, PROPOSED).when(ask("propose-solution", compensation_minor=1)).refused(no.IdTaken)


def test_a_compensation_in_money_has_a_kind_and_a_currency() -> None:
    given(RECEIVED).when(ask("propose-solution", currency=None)).refused(no.AmountIncomplete, missing="currency")
    given(RECEIVED).when(ask("propose-solution", compensation_kind=None)).refused(
        no.AmountIncomplete, missing="compensation_kind"
    )
    apology = {"compensation_kind": "apology-only", "compensation_minor": None, "currency": None}
    given(RECEIVED).when(ask("propose-solution", **apology)).then(fact("solution-proposed", **apology))


# resolution, reply, rating


def test_a_resolution_stands_until_the_complaint_is_reopened() -> None:
    second = {"resolution_id": ANOTHER, "resolved_at": at(25)}
    given(RECEIVED, RESOLVED).when(ask("resolve-complaint", **second)).refused(
        no.AlreadyResolved, resolution_id=RESOLUTION
    )
    given(*ENDED, REOPENED).when(ask("resolve-complaint", **second)).then(fact("complaint-resolved", **second))


def test_a_new_resolution_has_a_new_id_and_comes_after_the_reopening() -> None:
    given(*ENDED, REOPENED).when(ask("resolve-complaint", resolved_at=at(25))).refused(
        no.IdTaken, field="resolution_id", taken=RESOLUTION
    )
    given(*ENDED, REOPENED).when(ask("resolve-complaint", resolution_id=ANOTHER, resolved_at=at(19))).refused(
        no.OutOfOrder, before_at=at(20)
    )


def test_only_a_resolution_is_replied() -> None:
    given(RECEIVED).when(ask("send-reply")).refused(no.NothingToReply)
    given(*ENDED, REOPENED).when(ask("send-reply", reply_id=ANOTHER, sent_at=at(21))).refused(no.NothingToReply)


def test_a_reply_does_not_come_before_its_resolution() -> None:
    given(RECEIVED, RESOLVED).when(ask("send-reply", sent_at=at(11.9))).refused(
        no.OutOfOrder, field="sent_at", before_at=at(12)
    )


def test_a_reply_tells_the_resolution_that_stands() -> None:
    second = fact("complaint-resolved", resolution_id=ANOTHER, resolved_at=at(25))
    letter = {"reply_id": ANOTHER, "sent_at": at(26)}
    given(*ENDED, REOPENED, second).when(ask("send-reply", **letter)).then(
        fact("reply-sent", resolution_id=ANOTHER, **letter)
    )


def test_a_second_letter_has_an_id_of_its_own() -> None:
    given(*TOLD).when(ask("send-reply", sent_at=at(14))).refused(no.IdTaken, field="reply_id", taken=REPLY)
    given(*TOLD).when(ask("send-reply", reply_id=ANOTHER, sent_at=at(14))).then(
        fact("reply-sent", reply_id=ANOTHER, sent_at=at(14))
    )


def test_a_resolution_is_rated_once_and_after_the_reply() -> None:
    given(RECEIVED, RESOLVED).when(ask("rate-satisfaction")).refused(no.NotRepliedYet, resolution_id=RESOLUTION)
    given(*TOLD, RATED).when(ask("rate-satisfaction", overall=1)).refused(no.AlreadyRated, resolution_id=RESOLUTION)
    given(*TOLD).when(ask("rate-satisfaction", resolution_id=ANOTHER)).refused(
        no.ResolutionUnknown, known=(RESOLUTION,)
    )
    given(*TOLD).when(ask("rate-satisfaction", rated_at=at(12.5))).refused(no.OutOfOrder, before_at=at(13))


def test_a_closed_complaint_may_be_rated() -> None:
    given(*ENDED).when(ask("rate-satisfaction", rated_at=at(99))).then(fact("satisfaction-rated", rated_at=at(99)))


# closing, reopening, withdrawal, dispute


def test_a_complaint_is_closed_once_the_customer_was_told() -> None:
    given(RECEIVED, RESOLVED).when(ask("close-complaint")).refused(no.NothingToClose)
    given(*ENDED, REOPENED).when(ask("close-complaint", closed_at=at(21))).refused(no.NothingToClose)
    given(*ENDED).when(ask("close-complaint", closed_at=at(16))).refused(no.ComplaintIsClosed, closed_at=at(15))
    given(*TOLD).when(ask("close-complaint", closed_at=at(12.5))).refused(no.OutOfOrder, before_at=at(13))


def test_a_withdrawn_complaint_is_closed_without_a_reply() -> None:
    given(RECEIVED, WITHDRAWN).when(ask("close-complaint")).then(CLOSED)
    given(RECEIVED, WITHDRAWN).when(ask("close-complaint", closed_at=at(11))).refused(no.OutOfOrder, before_at=at(12))


def test_only_a_complaint_whose_handling_ended_is_reopened() -> None:
    given(RECEIVED, RESOLVED).when(ask("reopen-complaint")).refused(no.NothingToReopen)
    given(*ENDED, REOPENED).when(ask("reopen-complaint", reopened_at=at(21))).refused(no.NothingToReopen)
    given(*ENDED).when(ask("reopen-complaint")).then(REOPENED)
    given(*ENDED).when(ask("reopen-complaint", reopened_at=at(12.5))).refused(no.OutOfOrder, before_at=at(13))


def test_a_reopening_that_was_before_the_closing_does_not_open_the_file_again() -> None:
    given(*ENDED).when(ask("reopen-complaint", reopened_at=at(14))).refused(no.OutOfOrder, before_at=at(15))


AFTER_CLOSING = {**HANDLING, "make-finding": "made_at", "accept-proposal": "accepted_at", "send-reply": "sent_at"}


@pytest.mark.parametrize(("command", "field"), AFTER_CLOSING.items())
def test_nothing_is_handled_after_the_closing_or_the_withdrawal(command: str, field: str) -> None:
    ids: dict[str, UUID] = {"send-reply": ANOTHER}
    changed = {field: at(50), **({"reply_id": ids[command]} if command in ids else {})}
    given(*ENDED).when(ask(command, **changed)).refused(no.ComplaintIsClosed, closed_at=at(15))
    given(RECEIVED, RESOLVED, WITHDRAWN).when(ask(command, **changed)).refused(
        no.ComplaintIsWithdrawn, withdrawn_at=at(12)
    )


def test_what_was_done_before_the_end_may_be_recorded_after_it() -> None:
    given(*ENDED).when(ask("send-first-reply")).then(FIRST_REPLY)
    given(RECEIVED, WITHDRAWN).when(ask("send-first-reply")).then(FIRST_REPLY)


@pytest.mark.parametrize("facts", [ENDED, (RECEIVED, WITHDRAWN), (RECEIVED, WITHDRAWN, CLOSED)])
def test_contacts_and_stated_outcomes_are_taken_whenever_they_come(facts: tuple[ComplaintEvent, ...]) -> None:
    given(*facts).when(ask("note-contact", occurred_at=at(50))).then(fact("contact-noted", occurred_at=at(50)))
    given(*facts).when(ask("state-outcome")).then(fact("outcome-stated"))


@pytest.mark.parametrize("command", ["rate-satisfaction", "reopen-complaint", "dispute-outcome", "withdraw-complaint"])
def test_a_withdrawal_is_the_end(command: str) -> None:
    given(*TOLD, WITHDRAWN).when(ask(command, **({"withdrawn_at": at(30)} if command[0] == "w" else {}))).refused(
        no.ComplaintIsWithdrawn
    )


def test_a_closed_complaint_is_not_withdrawn() -> None:
    given(*ENDED).when(ask("withdraw-complaint")).refused(no.ComplaintIsClosed)


def test_a_source_may_come_back_to_an_earlier_word() -> None:
    progress = {"outcome": "In progress", "final": False}
    story = (RECEIVED, fact("outcome-stated", **progress), fact("outcome-stated"))
    given(*story).when(ask("state-outcome")).then()
    given(*story).when(ask("state-outcome", **progress)).then(fact("outcome-stated", **progress))
    given(*story).when(ask("state-outcome", source="ombudsman", **progress)).then(
        fact("outcome-stated", source="ombudsman", **progress)
    )


def test_only_an_outcome_is_disputed() -> None:
    given(RECEIVED).when(ask("dispute-outcome")).refused(no.NothingToDispute)
    given(RECEIVED, fact("outcome-stated")).when(ask("dispute-outcome", disputed_at=None)).then(
        fact("outcome-disputed", disputed_at=None)
    )
    given(*ENDED).when(ask("dispute-outcome")).then(fact("outcome-disputed"))
    given(*ENDED).when(ask("dispute-outcome", disputed_at=at(-1))).refused(no.BeforeTheReceipt)
