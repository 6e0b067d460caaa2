"""Four eyes over amendments: to approve that an approval, a decision or a review be changed or taken away is to give it."""

import pytest

from ledger.access.four_eyes import refuse_own_work
from ledger.access.refusals import ApproverIsRequester
from ledger.complaint.commands import ApproveAmendment
from ledger.complaint.refusals import DeciderIsEscalator, ReviewerHandledIt
from ledger.event import Event
from ledger.refusal import Refusal
from tests.complaint.story import (
    APPROVED,
    COMPLAINT_ID,
    DECIDED,
    ESCALATED,
    FINDING,
    PROPOSED,
    RECEIVED,
    REVIEWED,
    ComplaintEvent,
    amendment_proposed,
    ask,
    at,
    fact_corrected,
)

FIRST, SECOND, THIRD, FOURTH = "sun.hao", "He.Ying", "zhou.an", "wu.di"
STORIES = {
    "compensation": (PROPOSED, APPROVED, "compensation-approved", ApproverIsRequester),
    "decision": (ESCALATED, DECIDED, "escalation-decided", DeciderIsEscalator),
    "review": (FINDING, REVIEWED, "handling-reviewed", ReviewerHandledIt),
}
"""What somebody does first, what a second person says to it, its stored name, and how it is refused to the first."""


def approval() -> ApproveAmendment:
    return ApproveAmendment(complaint_id=COMPLAINT_ID, proposed_version=4, approved_at=at(50))


@pytest.mark.parametrize("amendment", ["correction", "annulment"])
@pytest.mark.parametrize("story", STORIES)
def test_who_was_first_approves_no_change_of_what_the_second_said(story: str, amendment: str) -> None:
    own, answered, name, refusal = STORIES[story]
    change = amendment_proposed(proposed_version=4, amendment=amendment, amended_version=3, name=name, fact=answered)
    recorded: list[tuple[Event, str]] = [(RECEIVED, FOURTH), (own, FIRST), (answered, SECOND), (change, THIRD)]
    with pytest.raises(refusal):
        refuse_own_work(approval(), FIRST.upper(), recorded)
    refuse_own_work(approval(), FOURTH, recorded)


def test_a_correction_leads_nobody_away_from_what_he_proposed_himself() -> None:
    """The corrected approval names another proposal; the one that stands still rests on his."""
    elsewhere = APPROVED.model_copy(update={"proposal_id": COMPLAINT_ID})
    change = amendment_proposed(
        proposed_version=4, amendment="correction", amended_version=3, name="compensation-approved", fact=elsewhere
    )
    recorded: list[tuple[Event, str]] = [(RECEIVED, FOURTH), (PROPOSED, FIRST), (APPROVED, SECOND), (change, THIRD)]
    with pytest.raises(ApproverIsRequester):
        refuse_own_work(approval(), FIRST, recorded)


@pytest.mark.parametrize(
    ("first", "command", "refusal"),
    [
        (PROPOSED, "approve-compensation", ApproverIsRequester),
        (ESCALATED, "decide-escalation", DeciderIsEscalator),
        (FINDING, "review-handling", ReviewerHandledIt),
    ],
    ids=["compensation", "decision", "review"],
)
def test_what_was_corrected_is_of_who_wrote_the_correction_and_of_who_approved_it(
    first: ComplaintEvent, command: str, refusal: type[Refusal]
) -> None:
    corrected = fact_corrected(2, first, corrected_by=SECOND, approved_by=THIRD)
    recorded: list[tuple[Event, str]] = [(RECEIVED, FOURTH), (first, FIRST), (corrected, THIRD)]
    for one in (FIRST, SECOND.casefold(), THIRD):
        with pytest.raises(refusal):
            refuse_own_work(ask(command), one, recorded)
    refuse_own_work(ask(command), FOURTH, recorded)
