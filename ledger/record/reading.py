"""Reading the record: by position, by stream, by moment. Reads only, each in one short statement.

Every function takes an open psycopg2 connection of a role that may read (application, projector, auditor) and costs
what its page or stream is long, however large the book is.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.prepared import execute_prepared
from ledger.database.sql import queries

_QUERIES = queries(__file__)

EVENTS_PER_PAGE_MAX = 20_000

PLANNED_ONCE = {"events_after", "stream", "stream_newest_first"}
"""What is read by a key alone, so that one plan is right for all parameters."""

BEFORE_ALL, AFTER_ALL = -1, 2**63 - 1
"""Versions and positions where no bound is asked for."""


class StoredRow(NamedTuple):
    """An event as it is stored. `recorded_at` is UTC; `state` is the bytes that were hashed."""

    position: int
    stream_id: UUID
    version: int
    name: str
    state: bytes
    recorded_at: datetime


class BookHead(NamedTuple):
    """Where a book ends: `size` is the last position and the tree's size, `root` the tree's root."""

    book: str
    origin: str
    size: int
    root: bytes
    edge: list[bytes | None]
    recorded_at: datetime | None


class NoSuchBook(LookupError):
    """The database holds no such book, or this role may not see it."""

    def __init__(self, book: str) -> None:
        super().__init__(
            f"there is no book {book!r} here: make it with `complaint-ledger book create {book}`, or name another with --book"
        )
        self.book = book


def events_after(connection: Connection, book: str, position: int, events_max: int) -> list[StoredRow]:
    """The next events behind a position, in order. Positions have no gaps: nothing can appear in front of the last."""
    return _rows(
        connection,
        "events_after",
        {"book": book, "position": position, "events_max": min(events_max, EVENTS_PER_PAGE_MAX)},
    )


def events_named(
    connection: Connection, book: str, names: Iterable[str], first: int, last: int | None, events_max: int
) -> list[StoredRow]:
    """Events from `first` to `last` inclusive, only those of the stored names given; all names when there are none."""
    return _rows(
        connection,
        "events_between",
        {"book": book, "first": first, "last": last, "names": list(names) or None, "events_max": events_max},
    )


def stream_events(
    connection: Connection,
    book: str,
    stream_id: UUID,
    *,
    after_version: int | None = None,
    up_to_version: int | None = None,
    up_to_position: int | None = None,
    newest_first: bool = False,
    events_max: int | None = None,
) -> list[StoredRow]:
    """The events of one stream by version; `up_to_position` gives it as it was known there."""
    return _rows(
        connection,
        "stream_newest_first" if newest_first else "stream",
        {
            "book": book,
            "stream_id": stream_id,
            "after_version": BEFORE_ALL if after_version is None else after_version,
            "up_to_version": AFTER_ALL if up_to_version is None else up_to_version,
            "up_to_position": AFTER_ALL if up_to_position is None else up_to_position,
            "events_max": events_max,
        },
    )


def head(connection: Connection, book: str) -> BookHead:
    """Where the book ends now; raises NoSuchBook."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["head"], {"book": book})
        row = cursor.fetchone()
    if row is None:
        raise NoSuchBook(book)
    edge = [None if node is None else bytes(node) for node in row[4]]
    return BookHead(row[0], row[1], row[2], bytes(row[3]), edge, row[5])


def position_at(connection: Connection, book: str, instant: datetime) -> int:
    """The last position recorded at or before the instant; 0 where nothing was. Costs log2 of the book's size."""
    if instant.tzinfo is None:
        raise ValueError("a moment needs its offset, for example 2026-01-31T18:00:00+08:00")
    low, high = 0, head(connection, book).size
    with connection.cursor() as cursor:
        while low < high:
            middle = (low + high + 1) // 2
            cursor.execute(_QUERIES["recorded_at"], {"book": book, "position": middle})
            row = cursor.fetchone()
            assert row is not None, "positions have no gaps"
            low, high = (middle, high) if row[0] <= instant else (low, middle - 1)
    return low


def stored_rows(found: Iterable[Sequence[Any]]) -> list[StoredRow]:
    """The events of rows that a query gave: position, stream, version, name, state, recorded_at."""
    return [StoredRow(p, s, v, n, bytes(state), at) for p, s, v, n, state, at in found]


def _rows(connection: Connection, query: str, parameters: dict[str, object]) -> list[StoredRow]:
    with connection.cursor() as cursor:
        if query in PLANNED_ONCE:
            execute_prepared(cursor, _QUERIES[query], parameters)
        else:
            cursor.execute(_QUERIES[query], parameters)
        return stored_rows(cursor.fetchall())
