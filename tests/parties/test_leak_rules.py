"""What the rules of a leak allow, what they refuse, and when they stay quiet."""

import pytest

from ledger.complaint.refusals import ApproverIsAuthor, LaterFactsStandOnIt, OutOfOrder
from ledger.leak import commands as c
from ledger.leak import events as e
from ledger.leak import refusals as r
from ledger.standing import SubjectNotFound
from ledger.tables.refusals import UnknownCode
from tests.parties.telling import ask, at, given, nothing

FOUND = c.ReportLeak
STEPS = (
    c.IsolateLeak,
    c.InvestigateLeak,
    c.NameResponsible,
    c.TellAffectedCustomers,
    c.ProtectAffectedCustomers,
    c.TellRegulator,
    c.ReviewLeak,
)
MISSING = (
    *("isolated", "investigated", "responsible named", "customers told"),
    *("customers protected", "regulator told", "reviewed"),
)


def test_a_leak_is_found() -> None:
    nothing(FOUND).when(ask(FOUND)).then(e.LeakFound)
    nothing(FOUND).when(ask(FOUND, data_kinds=["shoes"])).refused(UnknownCode, table="data-kind")
    nothing(FOUND).when(ask(c.IsolateLeak)).refused(SubjectNotFound)
    assert given(FOUND).state.missing == MISSING


def test_a_leak_is_closed_when_every_step_was_taken() -> None:
    given(FOUND, *STEPS).when(ask(c.CloseLeak)).then(e.LeakClosed)
    given(FOUND, *STEPS, c.CloseLeak).when(ask(c.CloseLeak)).quiet()
    given(FOUND).when(ask(c.CloseLeak)).refused(r.LeakStepsMissing, missing=MISSING)
    given(FOUND, *STEPS).when(ask(c.CloseLeak, closed_at=at(16))).refused(OutOfOrder)
    given(FOUND, *STEPS, c.CloseLeak).when(ask(c.TellRegulator)).refused(r.LeakIsClosed)


@pytest.mark.parametrize(("step", "missing"), list(zip(STEPS[:-1], MISSING[:-1], strict=True)))
def test_no_step_can_be_left_out(step: type[c.LeakCommand], missing: str) -> None:
    others = [each for each in STEPS[:-1] if each is not step]
    state = given(FOUND, *others)
    state.when(ask(c.CloseLeak)).refused(r.LeakStepsMissing, missing=(missing, "reviewed"))


def test_where_nobody_is_affected_nobody_is_told() -> None:
    nobody = ask(c.InvestigateLeak, customers_affected=0)
    state = given(FOUND, c.IsolateLeak, nobody, c.NameResponsible, c.DecideNotToTellRegulator, c.ReviewLeak)
    state.when(ask(c.CloseLeak)).then(e.LeakClosed)


def test_the_regulator_may_be_told_first_of_all_and_not_only_by_one_persons_word_not() -> None:
    given(FOUND).when(ask(c.TellRegulator)).then(e.RegulatorTold)
    given(FOUND).when(ask(c.TellRegulator, body="cinema")).refused(UnknownCode, table="body")
    given(FOUND).when(ask(c.DecideNotToTellRegulator)).then(e.RegulatorNotToBeTold)
    given(FOUND).when(ask(c.DecideNotToTellRegulator, approved_by="security.lin")).refused(ApproverIsAuthor)


def test_a_leak_is_isolated_once_and_reviewed_afterwards() -> None:
    given(FOUND).when(ask(c.IsolateLeak)).then(e.LeakIsolated)
    given(FOUND).when(ask(c.IsolateLeak, isolated_at=at(9, 8))).refused(OutOfOrder)
    given(FOUND, c.IsolateLeak).when(ask(c.IsolateLeak)).refused(r.AlreadyIsolated)
    given(FOUND).when(ask(c.ReviewLeak)).refused(r.LeakStepsMissing, missing=("isolated", "investigated"))
    given(FOUND, c.IsolateLeak, c.InvestigateLeak).when(ask(c.ReviewLeak)).then(e.LeakReviewed)


def test_what_was_found_out_later_adds_to_what_is_known() -> None:
    more = ask(c.InvestigateLeak, customers_affected=40, investigated_at=at(11))
    assert given(FOUND, c.InvestigateLeak, more).state.customers_affected == 40
    silent = ask(c.ProtectAffectedCustomers, remark=None)
    given(FOUND, silent).when(silent).quiet()
    given(FOUND).when(ask(c.ProtectAffectedCustomers, measure="prayer")).refused(UnknownCode, table="protection")


def test_a_step_on_which_the_end_stands_is_not_annulled() -> None:
    closed = given(FOUND, *STEPS, c.CloseLeak)
    closed.when(ask(c.AnnulLeakFact)).refused(LaterFactsStandOnIt)
    open_again = given(FOUND, *STEPS, c.CloseLeak, ask(c.AnnulLeakFact, version=9))
    assert open_again.state.closed_at is None
    open_again.when(ask(c.CloseLeak)).then(e.LeakClosed)
