"""Indexing again gives the very rows that recording gave, but for whom nothing may be indexed any more."""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ledger.access import commands as ask
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Event
from ledger.vault import reindexing
from ledger.vault.erasing import erase
from ledger.vault.reindexing import reindex
from ledger.vault.service import Vault
from tests.access.conftest import NAME, ask_to_erase, receive
from tests.access.test_erasure import old_and_closed
from tests.access.test_searching import found

TABLES = ("blind_index", "searchable")


@pytest.fixture
def auditor(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def owner(database: Database) -> Iterator[Cursor]:
    with closing(database.connect(Role.OWNER, autocommit=True)) as connection, connection.cursor() as cursor:
        yield cursor


def rows(owner: Cursor, book: str, *without: UUID) -> list[tuple[str, str]]:
    """Every row of both indexes but those of some data subjects."""
    told = []
    for table in TABLES:
        owner.execute(
            f"SELECT t::text FROM ledger.{table} AS t WHERE book = %s AND subject_id <> ALL (%s::uuid[])",
            (book, list(map(str, without))),
        )
        told += [(table, row) for (row,) in owner.fetchall()]
    return sorted(told)


def forget(owner: Cursor, book: str) -> None:
    for table in TABLES:
        owner.execute(f"DELETE FROM ledger.{table} WHERE book = %s", (book,))


def test_the_rows_come_back_but_for_the_erased_and_the_restricted(
    ledger: Ledger, vault: Vault, auditor: Connection, owner: Cursor, book: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = receive(ledger)
    _, erased = old_and_closed(ledger)
    _, restricted = receive(ledger)
    wanted = ask.RequestErasure(subject_id=restricted, ground="customer-request", requested_by="li.wei")
    ledger.handle(wanted, principal="li.wei")
    expected = rows(owner, book, erased, restricted)
    assert len({table for table, _ in expected}) == 2
    ask_to_erase(ledger, erased)
    erase(ledger, vault, erased, "customer-request", "archivist.he")
    forget(owner, book)
    assert found(ledger, vault, NAME[:3]) == set()

    monkeypatch.setattr(reindexing, "EVENTS_PER_PAGE", 2)
    pages = reindex(ledger, vault, auditor)
    first = next(pages)
    pages.close()  # cut off
    told = [first, *reindex(ledger, vault, auditor, first.position)]
    assert rows(owner, book) == expected
    assert found(ledger, vault, NAME[:3]) == {one}
    assert (sum(each.indexed for each in told), sum(each.left_out for each in told)) == (5, 5)
    assert sum(each.events for each in told) == told[-1].position

    list(reindex(ledger, vault, auditor))
    assert rows(owner, book) == expected, "again changes nothing"


def test_whoever_is_erased_meanwhile_is_not_left_in_the_index(
    ledger: Ledger, vault: Vault, auditor: Connection, owner: Cursor, book: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, customer = old_and_closed(ledger)
    forget(owner, book)
    index = Ledger.index_again

    def erase_first(self: Ledger, facts: list[tuple[UUID, Event]]) -> None:
        ask_to_erase(ledger, customer)
        erase(ledger, vault, customer, "customer-request", "archivist.he")
        index(self, facts)
        assert rows(owner, book), "the values were opened before the erasure"

    monkeypatch.setattr(Ledger, "index_again", erase_first)
    next(reindex(ledger, vault, auditor))
    assert rows(owner, book) == []
