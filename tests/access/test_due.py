"""Approved erasures are carried out when nothing keeps the values any more, and nothing else is; what waits is told."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.eraser import eraser_of
from ledger.access import commands as ask
from ledger.access.events import ErasureApproved, SubjectErased
from ledger.access.refusals import (
    ApproverIsRequester,
    ErasedAlready,
    ErasureNotApproved,
    ErasureNotRequested,
    ErasureOnAnotherGround,
    StillRetained,
    UnderLegalHold,
)
from ledger.access.rules import Keeps, subject_stream
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.customer.commands import MergeCustomer, RegisterCustomer, SplitCustomer
from ledger.database.target import Database
from ledger.vault import due
from ledger.vault.due import LOOK_AGAIN, Approved, LookedAt, erase_due, retention_ended, waiting
from ledger.vault.erasing import carry_out_again, carry_out_begun, erase, erase_as_approved
from ledger.vault.keys import SubjectKeys
from ledger.vault.merged import SamePerson
from ledger.vault.retaining import Retention
from ledger.vault.service import Look, Vault
from tests.access.conftest import PERSONAL, approve, ask_to_erase, receive
from tests.access.test_erasure import LONG_AGO, old_and_closed
from tests.parties.telling import ask as telling

NOW = datetime.now(UTC)


class Clock:
    """The time of the machine, until it is set."""

    def __init__(self) -> None:
        self.now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(database: Database, book: str, keys: SubjectKeys, clock: Clock) -> Iterator[Ledger]:
    with closing(Ledger(database, book, keys, clock=clock)) as opened:
        yield opened


def withdrawn(ledger: Ledger, received_at: datetime) -> tuple[UUID, UUID]:
    one, customer = receive(ledger, received_at)
    over = complaint.WithdrawComplaint(complaint_id=one, withdrawn_at=received_at, received_by="li.wei")
    ledger.handle(over, principal="li.wei")
    return one, customer


def looked_at(ledger: Ledger, vault: Vault, now: datetime, approved: Approved | None = None) -> list[LookedAt]:
    return list(erase_due(ledger, vault, approved or Approved(), "eraser", now))


def facts(ledger: Ledger, customer: UUID) -> list[object]:
    return [each.event for each in ledger.events.get(subject_stream(ledger.id, customer))]


def held(vault: Vault, one: UUID) -> bool:
    return any(each.value for each in vault.look(Look(one, "handling"), "wang.fang"))


def test_an_approved_erasure_is_carried_out_when_retention_ends(ledger: Ledger, vault: Vault, clock: Clock) -> None:
    """Three years from the receipt (DISP 1.9.1R)."""
    one, customer = withdrawn(ledger, NOW - timedelta(days=400))
    ask_to_erase(ledger, customer, ground="consent-withdrawn")
    approve(ledger, customer)
    approved = Approved()
    (early,) = looked_at(ledger, vault, NOW, approved)
    assert early.kept_by == (Keeps.RETENTION,)
    (listed,) = waiting(ledger, vault, NOW).waiting
    ends = listed.kept_until
    assert ends is not None
    assert ends.year == (NOW - timedelta(days=400)).year + 3
    assert (listed.ground, listed.approved_by, listed.waits_for) == ("consent-withdrawn", "archivist.he", ["retention"])
    assert looked_at(ledger, vault, NOW + LOOK_AGAIN / 2, approved) == [], "it is left alone"
    clock.now = ends - timedelta(seconds=1)
    assert looked_at(ledger, vault, clock.now, approved)[0].kept_by == (Keeps.RETENTION,)
    assert held(vault, one)
    clock.now = ends
    (due_now,) = looked_at(ledger, vault, ends, approved)
    assert due_now.erased is not None
    assert due_now.erased.values >= len(PERSONAL)
    assert not held(vault, one)
    recorded = [each for each in facts(ledger, customer) if isinstance(each, ErasureApproved | SubjectErased)]
    assert [type(each) for each in recorded] == [ErasureApproved, SubjectErased]
    assert recorded[1] == SubjectErased(
        subject_id=customer,
        ground="consent-withdrawn",
        kept_until=ends,
        approved_by="archivist.he",
        erased_by="eraser",
        erased_at=ends,
    )
    assert looked_at(ledger, vault, ends, approved) == []
    assert waiting(ledger, vault, ends).waiting == []


def test_nothing_is_erased_that_nobody_else_approved(ledger: Ledger, vault: Vault) -> None:
    one, customer = old_and_closed(ledger)
    with pytest.raises(ErasureNotRequested):
        approve(ledger, customer)
    ask_to_erase(ledger, customer, requested_by="compliance.he")
    with pytest.raises(ApproverIsRequester):
        approve(ledger, customer, "Compliance.He")
    assert looked_at(ledger, vault, NOW) == []
    (listed,) = waiting(ledger, vault, NOW).waiting
    assert listed.waits_for == [Keeps.APPROVAL]
    with pytest.raises(ErasureNotApproved):
        erase_as_approved(ledger, vault, customer, "customer-request", "eraser", Retention(None, is_open=False))
    approve(ledger, customer)
    assert approve(ledger, customer) is None, "it is so already"
    taken_back = ask.EndErasureRequest(subject_id=customer, reason="客户撤回", ended_by="compliance.he")
    ledger.handle(taken_back, principal="compliance.he")
    assert looked_at(ledger, vault, NOW) == [LookedAt(customer)], "the approval ended with the request"
    assert waiting(ledger, vault, NOW).waiting == []
    ask_to_erase(ledger, customer)
    assert looked_at(ledger, vault, NOW) == [LookedAt(customer)], "another request is approved anew"
    assert held(vault, one)


def test_an_erasure_has_the_ground_of_its_request(ledger: Ledger, vault: Vault) -> None:
    one, customer = old_and_closed(ledger)
    ask_to_erase(ledger, customer, ground="consent-withdrawn")
    with pytest.raises(ErasureOnAnotherGround) as refused:
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert (refused.value.requested, refused.value.given) == ("consent-withdrawn", "customer-request")
    with pytest.raises(ErasureOnAnotherGround):
        ask_to_erase(ledger, customer)
    assert held(vault, one)


def test_a_hold_and_an_open_complaint_stop_it_until_they_are_gone(ledger: Ledger, vault: Vault, clock: Clock) -> None:
    one, customer = old_and_closed(ledger)
    hold = uuid4()
    place = ask.PlaceLegalHold(subject_id=customer, hold_id=hold, reason="诉讼进行中", placed_by="risk.wu")
    ledger.handle(place, principal="risk.wu")
    ask_to_erase(ledger, customer)
    approve(ledger, customer)
    other, _ = receive(ledger, LONG_AGO, customer)
    approved = Approved()
    assert [each.kept_by for each in looked_at(ledger, vault, NOW, approved)] == [(Keeps.HOLD, Keeps.OPEN)]
    (listed,) = waiting(ledger, vault, NOW).waiting
    assert (listed.waits_for, listed.holds) == ([Keeps.HOLD, Keeps.OPEN], 1)
    lift = ask.LiftLegalHold(subject_id=customer, hold_id=hold, reason="已结案", lifted_by="compliance.he")
    ledger.handle(lift, principal="compliance.he")
    over = complaint.WithdrawComplaint(complaint_id=other, withdrawn_at=LONG_AGO, received_by="li.wei")
    ledger.handle(over, principal="li.wei")
    (listed,) = waiting(ledger, vault, NOW).waiting
    assert listed.waits_for == [], "the next round carries it out"
    clock.now = NOW + LOOK_AGAIN
    assert [each.erased is not None for each in looked_at(ledger, vault, clock.now, approved)] == [True]
    assert not held(vault, one)
    assert not held(vault, other)


def test_a_hold_keeps_a_person_under_every_id(ledger: Ledger, vault: Vault) -> None:
    """Whichever of two merged records the hold names, and after they are split again: one token ends no hold."""
    _, customer = old_and_closed(ledger)
    _, other = old_and_closed(ledger)
    for each in (customer, other):
        ledger.handle(telling(RegisterCustomer, customer_id=each), principal="test")
        ask_to_erase(ledger, each)
        approve(ledger, each)
    merge = telling(MergeCustomer, customer_id=other, into_customer_id=customer)
    ledger.handle(merge, principal="test")
    hold = uuid4()
    for held_one in (customer, other):
        place = ask.PlaceLegalHold(subject_id=held_one, hold_id=hold, reason="诉讼进行中", placed_by="risk.wu")
        ledger.handle(place, principal="risk.wu")
        listed = waiting(ledger, vault, NOW).waiting
        assert [(each.waits_for, each.holds) for each in listed] == [([Keeps.HOLD], 1)] * 2
        assert [each.same_person for each in listed] == [[other], [customer]]
        assert [each.kept_by for each in looked_at(ledger, vault, NOW)] == [(Keeps.HOLD,)] * 2
        with pytest.raises(UnderLegalHold):
            erase(ledger, vault, ({customer, other} - {held_one}).pop(), "customer-request", "archivist.he")
        lift = ask.LiftLegalHold(subject_id=held_one, hold_id=hold, reason="已结案", lifted_by="compliance.he")
        ledger.handle(lift, principal="compliance.he")
    place = ask.PlaceLegalHold(subject_id=customer, hold_id=uuid4(), reason="诉讼进行中", placed_by="risk.wu")
    ledger.handle(place, principal="risk.wu")
    ledger.handle(telling(SplitCustomer, customer_id=other), principal="test")
    assert [each.holds for each in waiting(ledger, vault, NOW).waiting] == [1, 1]
    assert [each.kept_by for each in looked_at(ledger, vault, NOW)] == [(Keeps.HOLD,)] * 2
    with pytest.raises(UnderLegalHold):
        erase(ledger, vault, other, "customer-request", "archivist.he")
    lift = ask.LiftLegalHold(subject_id=customer, hold_id=place.hold_id, reason="已结案", lifted_by="compliance.he")
    ledger.handle(lift, principal="compliance.he")
    assert [each.erased is not None for each in looked_at(ledger, vault, NOW)] == [True, True]


def test_an_open_complaint_and_its_retention_keep_a_person_under_every_id(ledger: Ledger, vault: Vault) -> None:
    """Until the two are split again: then each stands in complaints of its own."""
    one, customer = old_and_closed(ledger)
    _, other = old_and_closed(ledger)
    for each in (customer, other):
        ledger.handle(telling(RegisterCustomer, customer_id=each), principal="test")
    ledger.handle(telling(MergeCustomer, customer_id=other, into_customer_id=customer), principal="test")
    complained, _ = receive(ledger, customer_id=other)
    ask_to_erase(ledger, customer)
    approve(ledger, customer)
    (listed,) = waiting(ledger, vault, NOW).waiting
    assert listed.waits_for == [Keeps.OPEN, Keeps.RETENTION]
    assert [each.kept_by for each in looked_at(ledger, vault, NOW)] == [(Keeps.OPEN, Keeps.RETENTION)]
    with pytest.raises(StillRetained):
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    over = complaint.WithdrawComplaint(complaint_id=complained, withdrawn_at=datetime.now(UTC), received_by="li.wei")
    ledger.handle(over, principal="li.wei")
    assert [each.kept_by for each in looked_at(ledger, vault, NOW)] == [(Keeps.RETENTION,)]
    assert retention_ended(ledger, vault, NOW, SamePerson(ledger)).ended == []
    ledger.handle(telling(SplitCustomer, customer_id=other), principal="test")
    assert [each.erased is not None for each in looked_at(ledger, vault, NOW)] == [True]
    assert not held(vault, one)


def test_what_is_cut_off_between_the_event_and_the_deed_is_ended(ledger: Ledger, vault: Vault) -> None:
    """Neither the key store nor the database's table knows of it yet: only the event does."""
    one, customer = old_and_closed(ledger)
    ask_to_erase(ledger, customer)
    command = ask.EraseSubject(subject_id=customer, ground="customer-request", erased_by="archivist.he")
    ledger.handle(command, principal="archivist.he")
    assert ledger.keys.held([customer])
    assert carry_out_again(ledger, vault).keys == 1
    assert not ledger.keys.held([customer])
    assert not held(vault, one)
    assert carry_out_begun(ledger, vault) == 0


def test_two_at_once_erase_nobody_twice(ledger: Ledger, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    _, customer = old_and_closed(ledger)
    ask_to_erase(ledger, customer)
    approve(ledger, customer)
    retention = due.retention_of

    def another_is_faster(ledger: Ledger, vault: Vault, subject_id: UUID, same: SamePerson) -> Retention:
        monkeypatch.setattr(due, "retention_of", retention)
        assert [each.erased is not None for each in looked_at(ledger, vault, NOW)] == [True]
        return retention(ledger, vault, subject_id, same)

    monkeypatch.setattr(due, "retention_of", another_is_faster)
    (looked,) = looked_at(ledger, vault, NOW)
    assert isinstance(looked.refused, ErasedAlready)
    assert len([each for each in facts(ledger, customer) if isinstance(each, SubjectErased)]) == 1


def test_a_service_carries_out_what_is_due(ledger: Ledger, vault: Vault, database: Database) -> None:
    one, customer = old_and_closed(ledger)
    ask_to_erase(ledger, customer)
    with (
        eraser_of(ledger, database, vault, idle_seconds=0.05),
        eraser_of(ledger, database, vault, idle_seconds=0.05),
    ):
        approve(ledger, customer)
        until = time.monotonic() + 30
        while ledger.keys.held([customer]):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert not held(vault, one)
    assert len([each for each in facts(ledger, customer) if isinstance(each, SubjectErased)]) == 1


def test_who_is_erased_during_a_look_is_shown_as_erased(
    ledger: Ledger, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the look, or the bundle that it is for, does not fail."""
    one, customer = old_and_closed(ledger)
    ask_to_erase(ledger, customer)
    approve(ledger, customer)
    check = vault._refuse_restricted  # comes after the state was read

    def erased_meanwhile(*given: Any) -> None:
        check(*given)
        assert [each.erased is not None for each in looked_at(ledger, vault, NOW)] == [True]

    monkeypatch.setattr(vault, "_refuse_restricted", erased_meanwhile)
    shown = vault.look(Look(one, "handling"), "wang.fang")
    assert len(shown) == len(PERSONAL)
    assert all(each.value is None for each in shown)


def test_pages_of_what_waits_hold_each_request_once(ledger: Ledger, vault: Vault) -> None:
    customers = [receive(ledger)[1] for _ in range(3)]
    for each in customers:
        ask_to_erase(ledger, each)
    first = waiting(ledger, vault, NOW, limit=2)
    assert first.next_after is not None
    rest = waiting(ledger, vault, NOW, after=first.next_after, limit=2)
    assert [each.subject_id for each in (*first.waiting, *rest.waiting)] == customers
    assert rest.next_after is None
    assert {tuple(each.waits_for) for each in first.waiting} == {(Keeps.APPROVAL, Keeps.OPEN, Keeps.RETENTION)}


def test_whose_retention_is_over_though_nobody_asked(ledger: Ledger, vault: Vault) -> None:
    over = sorted(old_and_closed(ledger)[1] for _ in range(3))
    _, asked = old_and_closed(ledger)
    ask_to_erase(ledger, asked)
    _, under_hold = old_and_closed(ledger)
    place = ask.PlaceLegalHold(subject_id=under_hold, hold_id=uuid4(), reason="诉讼进行中", placed_by="risk.wu")
    ledger.handle(place, principal="risk.wu")
    receive(ledger)
    found: list[UUID] = []
    after, pages = None, 0
    while True:
        page = retention_ended(ledger, vault, NOW, SamePerson(ledger), after=after, most=4)
        found += [each.subject_id for each in page.ended]
        assert all(each.kept_until.year == LONG_AGO.year + 3 for each in page.ended)
        after, pages = page.next_after, pages + 1
        if after is None:
            break
    assert (found, pages) == (over, 2)
