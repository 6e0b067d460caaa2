"""What an append reads does not grow with the book, even where its one plan was made while the tables were empty."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.migrate import migrate
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.book import create_book
from ledger.settings import Settings

READ_BY_ONE_MAX = 8
"""Rows of all tables that one append of one event may read: the book, its access, its end, its own request."""


@pytest.fixture
def empty(folder: Path) -> Iterator[Database]:
    """A database in which nothing was ever recorded."""
    with open_database(Settings(data=folder / "data")) as database:
        migrate(database)
        with closing(database.connect(Role.OWNER)) as owner:
            create_book(owner, "main")
        yield database


def test_one_append_reads_a_few_rows_in_a_book_of_thousands(empty: Database) -> None:
    with closing(empty.connect(Role.APPLICATION)) as connection:
        appender = Appender(lambda: connection, "main")
        for _ in range(8):  # the plan is made by the first of them
            appender.append([one() for _ in range(256)])
            connection.commit()
        before = rows_read(connection)
        appender.append([one()])
        read = rows_read(connection) - before
        connection.rollback()
    assert 0 < read <= READ_BY_ONE_MAX


def one() -> Request:
    stream = uuid4()
    return Request(events=[NewEvent(stream, 1, "contact-noted", b"{}")], stream_id=stream, version=1)


def rows_read(connection: Connection) -> int:
    """By the transaction that is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE schemaname = 'ledger'"
        )
        return int(cursor.fetchone()[0])
