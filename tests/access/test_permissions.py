"""The report of a permission review: every role, grant and use of a period, and its signature as a fact."""

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.access import commands as ask
from ledger.access.events import PersonalDataSearched, PersonalDataSeen
from ledger.access.refusals import PeriodNotOver
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Tier
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, events_after
from ledger.vault.searching import Searcher, search
from ledger.vault.service import Look, Vault
from projections import permissions as module
from projections.permissions import Permissions, permissions
from projections.rebuild import compare
from projections.worker import catch_up
from tests.access.conftest import receive


def report(ledger: Ledger, database: Database, since: datetime, until: datetime) -> Permissions:
    """The report, when all is worked in."""
    catch_up(database, ledger.book, "permissions")
    with closing(database.connect(Role.APPLICATION)) as reader:
        return permissions(reader, ledger.book, since, until)


def test_roles_grants_and_uses_are_counted_and_signed_for(ledger: Ledger, vault: Vault, database: Database) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    one, _ = receive(ledger)
    used, unused, declined, waiting = uuid4(), uuid4(), uuid4(), uuid4()
    until = datetime.now(UTC) + timedelta(days=1)
    for request in (used, unused, declined, waiting):
        asked = ask.RequestAccess(
            request_id=request,
            complaint_id=one,
            tiers=(Tier.CORE,),
            purpose="audit",
            reason="抽查",
            until=until,
            requested_by="auditor.sun",
        )
        ledger.handle(asked, principal="auditor.sun")
    for request in (used, unused):
        ledger.handle(ask.ApproveAccess(request_id=request, approved_by="chen.jing"), principal="chen.jing")
    refusal = ask.DeclineAccess(request_id=declined, reason="过宽", declined_by="chen.jing")
    ledger.handle(refusal, principal="chen.jing")
    vault.look(Look(one, "audit", ("customer_account",), used), "auditor.sun")
    search(ledger, vault, ask.SearchFiles(words="收益", purpose="audit"), Searcher("auditor.sun", None))
    now = datetime.now(UTC)

    catch_up(database, ledger.book, "permissions", batch=2)
    assert compare(database, ledger.book, "permissions") == [], "in other batches the same rows"
    told = report(ledger, database, began, now)
    standing = {grant.request_id: (grant.standing, grant.looks, grant.unused) for grant in told.grants}
    assert standing == {
        used: ("granted", 1, False),
        unused: ("granted", 0, True),
        declined: ("declined", 0, False),
        waiting: ("asked", 0, False),
    }
    later = report(ledger, database, began, until + timedelta(days=1))
    assert {grant.request_id for grant in later.grants if grant.standing == "expired"} == {used, unused, waiting}
    assert report(ledger, database, until + timedelta(days=1), until + timedelta(days=2)).grants == []

    sun = next(each for each in told.people if each.person == "auditor.sun")
    assert sun.commands == {"request-access": 4, "see-personal-data": 1, "record-search": 1}
    assert (sun.looks, sun.values_in_clear, sun.searches) == (1, 1, 1)
    assert {each.role for each in told.roles} == set(roles().roles)
    assert {each.role: each.unused for each in told.roles}["registrar"] is False
    assert {each.role: each.unused for each in told.roles}["regulator"] is True

    receive(ledger)
    assert report(ledger, database, began, now) == told, "what is recorded later changes nothing in it"
    assert report(ledger, database, began, datetime.now(UTC)).digest != told.digest
    sign = ask.SignPermissionReview(
        review_id=uuid4(),
        since=began,
        until=now,
        position=told.position,
        digest=told.digest,
        finding="一项授权未使用",
        reviewed_by="compliance.he",
    )
    assert ledger.handle(sign, principal="compliance.he").last_position
    assert ledger.handle(sign, principal="compliance.he").last_position is None, "signed once"
    early = sign.model_copy(update={"review_id": uuid4(), "until": until})
    with pytest.raises(PeriodNotOver):
        ledger.handle(early, principal="compliance.he")


class ShortDays:
    """A calendar whose days are of 20 milliseconds, so that a test has many of them."""

    def __init__(self, began: datetime) -> None:
        self._began = began

    def local_day(self, instant: datetime) -> date:
        return date.fromordinal(1 + max(0, (instant - self._began) // timedelta(milliseconds=20)))


def test_the_counts_of_days_and_those_at_the_edges_are_those_of_the_events(
    ledger: Ledger, vault: Vault, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHINA", ShortDays(datetime.now(UTC)))
    for number in range(8):
        one, _ = receive(ledger)
        vault.look(Look(one, "audit", (), None), f"auditor.{number % 3}")
        search(ledger, vault, ask.SearchFiles(words="收益", purpose="audit"), Searcher("auditor.sun", None))
    catch_up(database, ledger.book, "permissions", batch=3)
    reader = database.connect(Role.APPLICATION, autocommit=True)
    rows = events_after(reader, ledger.book, 0, 1_000)

    @settings(max_examples=25)
    @given(st.tuples(st.sampled_from(rows), st.sampled_from(rows)), st.integers(-1, 1))
    def told_as_recorded(ends: tuple[StoredRow, StoredRow], microseconds: int) -> None:
        since, until = sorted(row.recorded_at for row in ends)
        since += timedelta(microseconds=microseconds)
        expected: dict[str, Counter[str]] = {}
        for row in rows:
            if since < row.recorded_at <= until:
                recorded = opened(row)
                expected.setdefault(recorded.recorded_by, Counter())[recorded.command] += 1
        told = permissions(reader, ledger.book, since, until)
        assert {each.person: each.commands for each in told.people} == expected
        within = [opened(row).event for row in rows if since < row.recorded_at <= until]
        assert sum(each.searches for each in told.people) == sum(isinstance(e, PersonalDataSearched) for e in within)
        assert sum(each.looks for each in told.people) == sum(isinstance(e, PersonalDataSeen) for e in within)

    with closing(reader):
        told_as_recorded()
