"""Every refusal is raised by some command, says what to do, and shows nothing personal."""

import orjson
import pytest

from ledger.complaint import refusals as no
from ledger.complaint.commands import ComplaintCommand
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.refusals import ComplaintRefusal
from ledger.refusal import Refusal
from ledger.tables.refusals import UnknownCode
from ledger.tables.state import Tables
from tests.complaint import story
from tests.complaint.story import (
    ACCEPTED,
    ANOTHER,
    APPRAISED,
    APPRAISING,
    CLASSIFIED,
    CLOSED,
    COMPLAINT_ID,
    CONTACT,
    FIRST_REPLY,
    GRADED,
    INVESTIGATED,
    INVESTIGATING,
    INVESTIGATION,
    MERGED,
    NOW,
    PROPOSED,
    RATED,
    RECEIVED,
    REGISTERED,
    REPLIED,
    RESOLVED,
    RULED_OUT,
    TRANSFERRED,
    USUAL,
    WITHDRAWN,
    amendment_proposed,
    ask,
    at,
    fact,
    fact_annulled,
    given,
)

LATER = at(29 * 24)

OWN_TABLES = Tables(version=3, routes={"fees-and-charges": "fees"}, limits={("supervisor", "CNY"): 100_000})
"""What an institution published, so that its routing and its limits can be offended."""

WANTED = (RECEIVED, CONTACT, amendment_proposed(proposed_by="li.na"))
"""An annulment that somebody else wants than gives the command."""

RAISED_BY: dict[type[Refusal], tuple[tuple[ComplaintEvent, ...], ComplaintCommand]] = {
    no.ComplaintNotFound: ((), ask("register-complaint")),
    no.AlreadyReceived: ((RECEIVED,), ask("receive-complaint", channel="letter")),
    no.InTheFuture: ((RECEIVED,), ask("register-complaint", registered_at=at(24 * 365))),
    no.BeforeTheReceipt: ((RECEIVED,), ask("register-complaint", registered_at=at(-1))),
    no.OutOfOrder: ((RECEIVED, RESOLVED), ask("send-reply", sent_at=at(1))),
    UnknownCode: ((), ask("receive-complaint", channel="pigeon")),
    no.AmountIncomplete: ((), ask("receive-complaint", currency=None)),
    no.ComplaintIsClosed: ((RECEIVED, WITHDRAWN, CLOSED), ask("close-complaint", closed_at=LATER)),
    no.ComplaintIsWithdrawn: ((RECEIVED, WITHDRAWN), ask("send-first-reply", sent_at=LATER)),
    no.AlreadyRegistered: ((RECEIVED, REGISTERED), ask("register-complaint", registered_at=LATER)),
    no.FirstReplyAlreadySent: ((RECEIVED, FIRST_REPLY), ask("send-first-reply", sent_at=LATER)),
    no.ReasonMissing: ((RECEIVED, GRADED), ask("grade-complaint", grade="major")),
    no.NothingToChange: ((RECEIVED,), ask("assign-complaint", reason="合同问题")),
    no.ApproverIsAuthor: ((RECEIVED, PROPOSED), ask("approve-compensation", approved_by="zhao.min")),
    no.IdTaken: ((RECEIVED, PROPOSED), ask("propose-solution", compensation_minor=1)),
    no.InvestigationUnknown: ((RECEIVED, INVESTIGATING), ask("make-finding", investigation_id=ANOTHER)),
    no.InvestigationIsClosed: ((RECEIVED, INVESTIGATING, INVESTIGATED), ask("make-finding")),
    no.ProposalUnknown: ((RECEIVED,), ask("accept-proposal")),
    no.ProposalAnswered: ((RECEIVED, PROPOSED, ACCEPTED), ask("decline-proposal")),
    no.AlreadyResolved: ((RECEIVED, RESOLVED), ask("resolve-complaint", resolution_id=ANOTHER)),
    no.NothingToReply: ((RECEIVED,), ask("send-reply")),
    no.ResolutionUnknown: ((RECEIVED, RESOLVED), ask("rate-satisfaction", resolution_id=ANOTHER)),
    no.NotRepliedYet: ((RECEIVED, RESOLVED), ask("rate-satisfaction")),
    no.AlreadyRated: ((RECEIVED, RESOLVED, REPLIED, RATED), ask("rate-satisfaction", overall=1)),
    no.NothingToClose: ((RECEIVED,), ask("close-complaint")),
    no.NothingToReopen: ((RECEIVED,), ask("reopen-complaint")),
    no.NothingToDispute: ((RECEIVED,), ask("dispute-outcome")),
    no.TransferAlreadyReceived: ((RECEIVED, TRANSFERRED), ask("receive-transfer", received_at=at(3))),
    no.AppraisalUnknown: ((RECEIVED,), ask("end-appraisal")),
    no.AppraisalHasEnded: ((RECEIVED, APPRAISING, APPRAISED), ask("end-appraisal", ended_at=at(10))),
    no.ResultWasTold: ((RECEIVED, RESOLVED, REPLIED), ask("receive-new-facts", received_at=at(14))),
    no.AlreadyRuledOut: ((RECEIVED, RULED_OUT), ask("rule-out-complaint", nature="malicious")),
    no.AlreadyMerged: ((RECEIVED, MERGED), ask("merge-complaint", into_complaint_id=INVESTIGATION)),
    no.MergedIntoItself: ((RECEIVED,), ask("merge-complaint", into_complaint_id=COMPLAINT_ID)),
    no.ConflictOfInterest: ((RECEIVED, story.ABOUT_A_PERSON), ask("assign-complaint", assignee="Qian.Wei")),
    no.NothingOpen: ((RECEIVED,), ask("give-assistance")),
    no.EvidenceUnknown: ((RECEIVED,), ask("name-representative", authorisation_evidence_id=ANOTHER)),
    no.FileUnknown: ((RECEIVED,), ask("provide-evidence", file_id=ANOTHER)),
    no.NotUrgent: ((RECEIVED, GRADED), ask("start-emergency")),
    no.EmergencyRuns: (
        (RECEIVED, story.URGENT, story.EMERGENCY_STARTED),
        ask("start-emergency", emergency_id=ANOTHER),
    ),
    no.EmergencyStepMissing: (
        (RECEIVED, story.URGENT, story.EMERGENCY_STARTED),
        ask("take-emergency-step", step="decided"),
    ),
    no.EmergencyNotEnded: ((RECEIVED, story.URGENT, story.EMERGENCY_STARTED), ask("review-emergency")),
    no.DepartmentMissing: ((RECEIVED,), ask("assign-complaint", department=None)),
    no.DeciderIsEscalator: (
        (RECEIVED, fact("complaint-escalated")),
        ask("decide-escalation", decided_by="ZHAO.min"),
    ),
    no.ReviewerHandledIt: (
        (RECEIVED, RESOLVED, REPLIED),
        ask("review-handling", reviewed_by="ZHAO.min"),
    ),
    no.NothingToReview: ((RECEIVED, RESOLVED), ask("review-handling")),
    no.NotClosedYet: ((RECEIVED, RESOLVED, REPLIED), ask("archive-complaint")),
    no.FileNotChecked: ((RECEIVED, RESOLVED, REPLIED, CLOSED), ask("archive-complaint")),
    no.FileIncomplete: (
        (RECEIVED, RESOLVED, REPLIED, CLOSED, fact("completeness-checked", lacking=("grade",))),
        ask("archive-complaint"),
    ),
    no.AlreadyArchived: (
        (RECEIVED, WITHDRAWN, CLOSED, story.CHECKED, story.ARCHIVED),
        ask("archive-complaint", archive_reference="A-2"),
    ),
    no.RepeatOfItself: ((RECEIVED,), ask("take-in-repeat", repeat_complaint_id=COMPLAINT_ID)),
    no.RoutedElsewhere: ((RECEIVED, CLASSIFIED), ask("assign-complaint")),
    no.BeyondTheLimit: ((RECEIVED, PROPOSED), ask("approve-compensation", amount_minor=100_001)),
    no.AmendmentUnknown: ((RECEIVED,), ask("approve-amendment", proposed_version=1)),
    no.AmendmentSettled: ((*WANTED, fact_annulled(2, proposed_version=3)), ask("approve-amendment")),
    no.AmendmentOutdated: ((*WANTED, fact_annulled(2)), ask("approve-amendment")),
    no.ApproverProposedIt: ((RECEIVED, CONTACT, amendment_proposed()), ask("approve-amendment")),
    no.OnlyOfExtension: (WANTED, ask("approve-amendment", approver_rank="supervisor")),
    no.NoSuchFact: ((RECEIVED,), ask("annul-fact", version=9)),
    no.AmendmentIsFinal: ((RECEIVED, CONTACT, fact_annulled(2)), ask("annul-fact", version=3)),
    no.FactIsAnnulled: ((RECEIVED, CONTACT, fact_annulled(2)), ask("correct-fact", version=2)),
    no.ReceiptStays: ((RECEIVED,), ask("annul-fact", version=1)),
    no.LaterFactsStandOnIt: ((RECEIVED, RESOLVED, REPLIED, RATED), ask("annul-fact", version=2)),
    no.FieldUnknown: ((RECEIVED,), ask("correct-fact", changes={"wrong": 1})),
    no.FieldFixed: ((RECEIVED, CONTACT), ask("correct-fact", version=2, changes={"customer_id": str(ANOTHER)})),
    no.ValueNotUnderstood: ((RECEIVED,), ask("correct-fact", changes={"content": ["年费多收了一次。"]})),
    no.ValuesToGiveAgain: ((RECEIVED,), ask("correct-fact", changes={"customer_id": str(ANOTHER)})),
}


def test_every_refusal_has_its_case() -> None:
    defined = {each for each in vars(no).values() if isinstance(each, type) and issubclass(each, ComplaintRefusal)}
    assert (defined | {UnknownCode}) - {ComplaintRefusal} == set(RAISED_BY)


@pytest.mark.parametrize("kind", RAISED_BY, ids=lambda kind: kind.kind())
def test_a_refusal_says_what_to_do_and_nothing_personal(kind: type[Refusal]) -> None:
    facts, command = RAISED_BY[kind]
    outcome = given(*facts).when(command, NOW, tables=OWN_TABLES)
    outcome.refused(kind)
    assert outcome.refusal is not None
    shown = f"{outcome.refusal} {outcome.refusal!r} {orjson.dumps(outcome.refusal.facts(), default=str).decode()}"
    assert str(outcome.refusal).endswith(kind.remedy)
    assert "{" not in str(outcome.refusal)
    personal = ("content", "reason", "reasons", "measures", "finding", "conclusion", "description", "comment")
    written = [
        said[name]
        for said in USUAL.values()
        for name in (*personal, "customer_name", "customer_account")
        if name in said
    ]
    assert written
    assert not [words for words in written if words in shown]


def test_lists_are_written_as_a_person_would() -> None:
    assert str(no.LaterFactsStandOnIt(2, (3, 5))) == (
        "Without version 2 as it is, these later versions could not stand: 3, 5. "
        "Annul or correct those first, the newest before the older ones."
    )
