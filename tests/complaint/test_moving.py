"""The facts by which a deadline begins, moves or ends: recorded as they were, whatever a regime makes of them."""

import pytest

from ledger.complaint import refusals as no
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.moving import DeadlineExtended
from tests.complaint.story import (
    APPRAISING,
    CLOSED,
    MERGED,
    NEW_FACTS,
    RECEIVED,
    REOPENED,
    REPLIED,
    RESOLVED,
    RULED_OUT,
    TRANSFERRED,
    ask,
    at,
    fact,
    given,
)


class TestFactsThatMoveADeadline:
    @pytest.mark.parametrize(
        ("command", "field"),
        [
            ("receive-transfer", "received_at"),
            ("extend-deadline", "extended_at"),
            ("extend-deadline", "complainant_told_at"),
            ("start-appraisal", "complainant_told_at"),
            ("receive-new-facts", "received_at"),
            ("recognise-group", "recognised_at"),
        ],
    )
    def test_none_lies_before_the_receipt_or_in_the_future(self, command: str, field: str) -> None:
        given(RECEIVED).when(ask(command, **{field: at(-1)})).refused(no.BeforeTheReceipt, field=field)
        given(RECEIVED).when(ask(command, **{field: at(9000)})).refused(no.InTheFuture, field=field)

    def test_a_body_may_pass_on_what_is_closed_and_each_transfer_has_its_reference(self) -> None:
        done = (RECEIVED, RESOLVED, REPLIED, CLOSED)
        given(*done).when(ask("receive-transfer", received_at=at(30))).then(
            fact("complaint-transferred", received_at=at(30))
        )
        again = fact("complaint-transferred", body_reference="PBC-2025-99", received_at=at(30))
        given(*done, TRANSFERRED).when(ask("receive-transfer", body_reference="PBC-2025-99", received_at=at(30))).then(
            again
        )

    def test_nobody_approves_his_own_extension(self) -> None:
        wanted = ask("extend-deadline", to_be_approved=True)
        leave = {"approved_by": "chen.jing", "extended_at": at(10)}
        given(RECEIVED).amended(wanted).then(fact("deadline-extended", **leave))
        for himself in ("chen.jing", "CHEN.jing"):
            own = ask("extend-deadline", to_be_approved=True, extended_by=himself)
            given(RECEIVED).amended(own).refused(no.ApproverProposedIt, proposed_by=himself)

    def test_an_extension_is_recorded_without_what_some_regime_asks_for(self) -> None:
        bare = {"complainant_told_at": None}
        extended = fact("deadline-extended", **bare)
        given(RECEIVED).when(ask("extend-deadline", **bare)).then(extended)
        assert isinstance(extended, DeadlineExtended)
        assert extended.approved_by is None

    def test_an_appraisal_does_not_end_before_it_began(self) -> None:
        given(RECEIVED, APPRAISING).when(ask("end-appraisal", ended_at=at(5))).refused(no.OutOfOrder)

    def test_the_id_of_an_appraisal_is_its_own(self) -> None:
        given(RECEIVED, APPRAISING).when(ask("start-appraisal", appraiser="另一家")).refused(no.IdTaken)

    def test_new_facts_that_came_before_the_reply_are_taken_after_it(self) -> None:
        given(RECEIVED, RESOLVED, REPLIED).when(ask("receive-new-facts")).then(NEW_FACTS)

    def test_after_a_reopening_there_is_again_a_result_to_wait_for(self) -> None:
        again = (RECEIVED, RESOLVED, REPLIED, REOPENED)
        later = fact("holding-response-sent", sent_at=at(21))
        given(*again).when(ask("send-holding-response", sent_at=at(21))).then(later)

    @pytest.mark.parametrize("end", [RULED_OUT, MERGED])
    def test_what_is_ruled_out_or_merged_can_be_closed_but_not_before(self, end: ComplaintEvent) -> None:
        given(RECEIVED, end).when(ask("close-complaint")).then(CLOSED)
        given(RECEIVED, end).when(ask("close-complaint", closed_at=at(4))).refused(no.OutOfOrder)

    def test_a_reopening_makes_it_a_complaint_of_its_own_again(self) -> None:
        again = (RECEIVED, RULED_OUT, MERGED, CLOSED, REOPENED)
        given(*again).when(ask("rule-out-complaint", ruled_out_at=at(21))).then(
            fact("complaint-ruled-out", ruled_out_at=at(21))
        )
        given(*again).when(ask("close-complaint", closed_at=at(22))).refused(no.NothingToClose)
