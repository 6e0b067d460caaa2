"""Four eyes: what one person proposed another approves, the same content, once, while it still fits; who they are, tokens say."""

from typing import Any

import pytest
from pydantic import ValidationError

from ledger.complaint import refusals as no
from ledger.complaint.commands import ApproveAmendment
from ledger.complaint.events import AmendmentProposed, ComplaintEvent, ComplaintRegraded, FactAnnulled, FactCorrected
from ledger.complaint.moving import DeadlineExtended
from ledger.complaint.state import effective
from tests.complaint.story import (
    COMPLAINT_ID,
    CONTACT,
    GRADED,
    HANDLER,
    OTHER_CUSTOMER,
    RECEIVED,
    SUPERVISOR,
    Given,
    amendment_proposed,
    ask,
    at,
    fact,
    fact_annulled,
    fact_corrected,
    given,
    recorded,
)

STORY = (RECEIVED, CONTACT, GRADED)
REGRADE = {"grade": "major", "urgent": True, "reason": "涉及二十人", "graded_by": "zhao.min", "graded_at": at(30)}
WANTED: dict[str, tuple[str, dict[str, Any], type[ComplaintEvent]]] = {
    "annulment": ("annul-fact", {"version": 2, "proposed_at": at(30)}, FactAnnulled),
    "correction": ("correct-fact", {"version": 1, "proposed_at": at(30)}, FactCorrected),
    "regrade": ("grade-complaint", REGRADE, ComplaintRegraded),
    "extension": ("extend-deadline", {"to_be_approved": True, "extended_at": at(30)}, DeadlineExtended),
}
"""What takes two people, how it is asked for, and what it leads to."""


def proposed(what: str, *facts: ComplaintEvent, **changed: Any) -> tuple[ComplaintEvent, ...]:
    """The facts, and a proposal of that kind by the handler after them."""
    command, said, _ = WANTED[what]
    outcome = given(*facts).when(ask(command, **{**said, **changed}))
    assert outcome.facts is not None, outcome.refusal
    (proposal,) = outcome.facts
    assert isinstance(proposal, AmendmentProposed)
    assert (proposal.proposed_by, proposal.proposed_version, proposal.proposed_at) == (HANDLER, len(facts) + 1, at(30))
    return (*facts, recorded(proposal))


def approve(version: int = 4, **said: Any) -> Any:
    return ask("approve-amendment", **{"proposed_version": version, "approved_at": at(40), **said})


@pytest.mark.parametrize("what", WANTED)
def test_one_person_alone_changes_nothing(what: str) -> None:
    facts = proposed(what, *STORY)
    before, after = given(*STORY).complaint, given(*facts).complaint
    assert effective(after.recorded)[:-1] == effective(before.recorded)
    assert (after.grade, after.received_at) == (before.grade, before.received_at)
    for himself in (HANDLER, "Wang.Li", "WANG.LI"):
        given(*facts).when(approve(), by=himself).refused(no.ApproverProposedIt, proposed_by=HANDLER)


@pytest.mark.parametrize("what", WANTED)
def test_another_approves_what_was_proposed_when_he_does(what: str) -> None:
    facts = proposed(what, *STORY)
    outcome = given(*facts).when(approve(), by=SUPERVISOR)
    assert outcome.facts is not None, outcome.refusal
    (done,) = outcome.facts
    proposal = facts[-1]
    assert isinstance(proposal, AmendmentProposed)
    assert isinstance(done, WANTED[what][2])
    assert isinstance(done, FactAnnulled | FactCorrected | ComplaintRegraded | DeadlineExtended)
    assert (done.approved_by, done.proposed_version) == (SUPERVISOR, 4)
    assert recorded(done) == done, "its words are those of the proposal, under the same digests"
    match done:
        case FactAnnulled():
            told = (done.annulled_version, done.annulled_by, done.annulled_at, done.reason)
            assert told == (2, HANDLER, at(40), proposal.reason)
        case FactCorrected():
            told = (done.corrected_version, done.corrected_by, done.corrected_at, done.reason, done.fact)
            assert told == (1, HANDLER, at(40), proposal.reason, proposal.fact)
        case _:
            time = "graded_at" if isinstance(done, ComplaintRegraded) else "extended_at"
            same = set(type(proposal.fact).model_fields) - {"approved_by", "proposed_version", time}
            assert {name: getattr(done, name) for name in same} == {name: getattr(proposal.fact, name) for name in same}
            assert getattr(done, time) == at(40)


@pytest.mark.parametrize("what", ["regrade", "extension"])
def test_who_is_said_to_ask_for_it_does_not_approve_it_either(what: str) -> None:
    given(*proposed(what, *STORY)).when(approve(), by="Zhao.Min").refused(no.ApproverProposedIt, proposed_by="zhao.min")


@pytest.mark.parametrize("what", WANTED)
def test_a_proposal_is_carried_out_once(what: str) -> None:
    facts = proposed(what, *STORY)
    done = given(*facts).when(approve(), by=SUPERVISOR).facts
    assert done is not None
    for again in (approve(), ask("decline-amendment", proposed_version=4)):
        given(*facts, *done).when(again, by=SUPERVISOR).refused(no.AmendmentSettled, by_version=5)


def test_what_was_declined_or_taken_back_is_not_carried_out() -> None:
    facts = proposed("annulment", *STORY)
    for by in (SUPERVISOR, HANDLER):
        outcome = given(*facts).when(ask("decline-amendment", proposed_version=4), by=by)
        outcome.then(fact("amendment-declined", proposed_version=4).model_copy(update={"declined_by": by}))
        assert outcome.facts is not None
        given(*facts, *outcome.facts).when(approve(), by=SUPERVISOR).refused(no.AmendmentSettled, by_version=5)


def test_only_a_proposal_of_this_complaint_is_approved() -> None:
    facts = proposed("annulment", *STORY)
    for version in (1, 3, 5, 40):
        given(*facts).when(approve(version), by=SUPERVISOR).refused(no.AmendmentUnknown, open=(4,))
    given(*STORY).when(approve(), by=SUPERVISOR).refused(no.AmendmentUnknown, open=())


def test_what_the_proposal_rests_on_is_still_so() -> None:
    other = fact_corrected(2, recorded(fact("contact-noted", channel="email")))
    for what in ("annulment", "correction"):
        facts = proposed(what, *STORY, **({} if what == "annulment" else {"version": 2, "changes": {"channel": "sms"}}))
        for since in (other, fact_annulled(2)):
            given(*facts, since).when(approve(), by=SUPERVISOR).refused(no.AmendmentOutdated, proposed_version=4)
    regraded = fact("complaint-regraded", grade="complex", graded_at=at(31))
    given(*proposed("regrade", *STORY), regraded).when(approve(), by=SUPERVISOR).refused(no.AmendmentOutdated)
    words = {"customer_name": "李四", "customer_account": None, "content": "年费多收了一次。"}
    right = fact_corrected(1, fact("complaint-received", customer_id=OTHER_CUSTOMER, **words))
    given(*proposed("extension", *STORY), right).when(approve(), by=SUPERVISOR).refused(no.AmendmentOutdated)


def test_what_could_not_stand_any_more_is_not_carried_out() -> None:
    resolved = (RECEIVED, fact("complaint-resolved"))
    facts = proposed("annulment", *resolved, version=2)
    given(*facts, fact("reply-sent")).when(approve(3), by=SUPERVISOR).refused(no.LaterFactsStandOnIt, later=(4,))
    closed = (fact("complaint-withdrawn"), fact("complaint-closed"))
    given(*proposed("regrade", *STORY), *closed).when(approve(), by=SUPERVISOR).refused(no.ComplaintIsWithdrawn)


def test_it_is_approved_after_it_was_proposed_and_not_tomorrow() -> None:
    facts = proposed("annulment", *STORY)
    early = given(*facts).when(approve(approved_at=at(29)), by=SUPERVISOR)
    early.refused(no.OutOfOrder, field="approved_at", before_at=at(30))
    given(*facts).when(approve(approved_at=at(9000)), by=SUPERVISOR).refused(no.InTheFuture, field="approved_at")
    declined = ask("decline-amendment", proposed_version=4, declined_at=at(29))
    given(*facts).when(declined, by=SUPERVISOR).refused(no.OutOfOrder, field="declined_at")


def test_the_rank_and_the_notice_are_said_with_the_approval_of_an_extension_only() -> None:
    leave = {"approver_rank": "head-office-senior-management", "complainant_told_at": at(41)}
    outcome = given(*proposed("extension", *STORY)).when(approve(**leave), by=SUPERVISOR)
    assert outcome.facts is not None
    (extended,) = outcome.facts
    assert isinstance(extended, DeadlineExtended)
    assert (extended.approver_rank, extended.complainant_told_at) == tuple(leave.values())
    for field, said in leave.items():
        for what in ("annulment", "correction", "regrade"):
            refused = given(*proposed(what, *STORY)).when(approve(**{field: said}), by=SUPERVISOR)
            refused.refused(no.OnlyOfExtension, field=field)


def test_whom_the_complaint_is_about_approves_and_declines_nothing_in_it() -> None:
    facts = proposed("correction", *STORY, fact("person-complained-about", noted_at=at(4)))
    given(*facts).when(approve(5), by="Qian.Wei").refused(no.ConflictOfInterest, field="approved_by")
    declined = ask("decline-amendment", proposed_version=5)
    given(*facts).when(declined, by="Qian.Wei").refused(no.ConflictOfInterest, field="declined_by")
    himself = given(*facts, fact("person-complained-about", person_id=COMPLAINT_ID, staff=HANDLER, noted_at=at(41)))
    taken_back = himself.when(declined, by=HANDLER.upper())
    assert taken_back.facts is not None, "who proposed it may take it back, whoever is complained about since"


def test_a_proposal_and_an_answer_are_neither_annulled_nor_corrected() -> None:
    facts = (*proposed("annulment", *STORY), fact("amendment-declined", proposed_version=4))
    for version in (4, 5):
        given(*facts).when(ask("annul-fact", version=version)).refused(no.AmendmentIsFinal)
        forged = ask("correct-fact", version=version, changes={"proposed_by": "li.na"})
        given(*facts).when(forged).refused(no.AmendmentIsFinal)


def test_nobody_states_who_proposed_or_approved() -> None:
    for field in ("approved_by", "proposed_by", "annulled_by"):
        for command in ("annul-fact", "correct-fact", "approve-amendment", "decline-amendment"):
            with pytest.raises(ValidationError):
                ask(command, **{field: "li.na"})
    assert "approved_by" not in ApproveAmendment.model_fields


def test_where_nobody_is_known_nothing_is_proposed_or_approved() -> None:
    for what, (command, said, _) in WANTED.items():
        with pytest.raises(AssertionError):
            given(*STORY).when(ask(command, **said), by="")
        with pytest.raises(AssertionError):
            given(*proposed(what, *STORY)).when(approve(), by="")


def test_what_was_recorded_by_one_command_before_still_stands() -> None:
    """An annulment without a proposal, as older books have it."""
    old = (RECEIVED, CONTACT, fact_annulled(2))
    assert effective([recorded(each) for each in old]) == [(1, recorded(RECEIVED))]
    Given(given(*old).complaint).when(ask("annul-fact")).refused(no.FactIsAnnulled)


def test_the_usual_proposal_is_what_the_rules_make() -> None:
    given(RECEIVED, CONTACT).when(ask("annul-fact")).then(amendment_proposed())
