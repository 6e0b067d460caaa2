"""What questions have in common: as of when they are asked, pages, cursors, and how far a projection has come.

It reads positions only; the rows are asked for in the file of their projection. It writes nothing.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

import orjson
from psycopg2.errors import UndefinedTable
from psycopg2.extensions import connection as Connection

from ledger.database.prepared import execute_prepared
from ledger.database.sql import queries
from ledger.record.reading import events_after, head, position_at
from ledger.record.tree import EMPTY_ROOT
from ledger.refusal import Refusal
from projections.machine import in_schema, lock_key, schema_of

_SQL = queries(__file__)

AsOf: TypeAlias = int | datetime | None
"""A position, an instant (the last position recorded at or before it), or None: as far as the projection has come."""

R = TypeVar("R")


@dataclass(eq=False)
class NotReached(Refusal):
    """The question is about a position that its projection has not worked in yet."""

    says: ClassVar[str] = "The projection {name} of book {book} stands at position {reached}, before position {asked}."
    remedy: ClassVar[str] = "Ask again in a second; if it stays so, see `complaint-ledger projections status`."

    book: str
    name: str
    asked: int
    reached: int


@dataclass(eq=False)
class BeyondTheBook(Refusal):
    """The question is about a position that the book does not have."""

    says: ClassVar[str] = "The book {book} ends at position {end}; position {asked} is not there."
    remedy: ClassVar[str] = "Name a position that an answer of this book gave, or none for what is known now."

    book: str
    asked: int
    end: int


@dataclass(eq=False)
class NotBuilt(Refusal):
    """Nothing has worked on this projection of this book yet."""

    says: ClassVar[str] = "The projection {name} of book {book} has not been built yet."
    remedy: ClassVar[str] = "Start the server, or run `complaint-ledger projections catch-up`."

    book: str
    name: str


@dataclass(eq=False)
class BadCursor(Refusal):
    """A page was asked for with something that is no cursor of this list."""

    says: ClassVar[str] = "This is no cursor of the list {page}."
    remedy: ClassVar[str] = "Send `next_cursor` as it was given, to the list that gave it; or none, for the first page."

    page: str


@dataclass(frozen=True)
class Asked:
    """A question's place: which rows, as known at which position, judged at which instant."""

    book: str
    schema: str
    position: int
    now: datetime

    def fetch(self, connection: Connection, query: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Runs a question with its book and position filled in."""
        with connection.cursor() as cursor:
            place = {"book": self.book, "schema": self.schema, "position": self.position}
            cursor.execute(in_schema(query, self.schema), {**place, **parameters})
            return cursor.fetchall()


@dataclass(frozen=True)
class Failure:
    """The event that stopped a projection, by its place and stored name, and the class of the error."""

    position: int
    event: str
    error: str
    at: datetime


@dataclass(frozen=True)
class Status:
    """How far a projection has come. `tree_size` and `root` (hex) are those of the events its rows were built from."""

    name: str
    book: str
    position: int
    lag_events: int
    lag_seconds: float
    """How long the first event that waits has waited; 0 where none does."""
    advanced_at: datetime | None
    age_seconds: float | None
    """Since the last advance; None before the first."""
    tree_size: int
    root: str
    version: int | None
    """Of the projection that built the rows; other than the program's: a rebuild is due."""
    worked_on: bool
    """Whether a worker holds this projection now."""
    failed: Failure | None


def reached(connection: Connection, book: str, name: str, schema: str | None = None) -> int:
    """The position that a projection has worked in; 0 before it was begun."""
    return standing(connection, book, name, schema) or 0


def standing(connection: Connection, book: str, name: str, schema: str | None = None) -> int | None:
    """The same, but None before it was begun: an empty book is worked in as soon as its tables are there."""
    return _reached(connection, book, schema or schema_of(book, name))


def asked(
    connection: Connection, book: str, name: str, as_of: AsOf, now: datetime | None, schema: str | None = None
) -> Asked:
    """Resolves as of when a question is asked; raises NotBuilt, NotReached, and ValueError for a negative position.

    Where no `now` is given, it is the instant asked about, else when the last event up to the position was recorded.
    """
    schema = schema or schema_of(book, name)
    standing = _reached(connection, book, schema)
    if standing is None:
        raise NotBuilt(book, name)
    if as_of is None:
        position = standing
    elif isinstance(as_of, datetime):
        position, now = position_at(connection, book, as_of), now or as_of
    elif as_of < 0:
        raise ValueError("positions count from 1; 0 is before the first event")
    else:
        position = as_of
    if position > standing:
        within_the_book(connection, book, position)
        raise NotReached(book, name, position, standing)
    return Asked(book, schema, position, now or _recorded_at(connection, book, position))


def page_as_known(
    connection: Connection,
    book: str,
    name: str,
    query: str,
    parameters: Mapping[str, object],
    *,
    as_of: AsOf = None,
    schema: str | None = None,
) -> tuple[int, list[tuple[Any, ...]]]:
    """The position that a question is answered as of, and its rows: one round trip, and no instant that it is judged at.

    The query says in its first column how far the projection has come, and gives a row without anything else where the
    page is empty. Raises NotBuilt, NotReached, and ValueError for a negative position.
    """
    schema = schema or schema_of(book, name)
    position = position_at(connection, book, as_of) if isinstance(as_of, datetime) else as_of
    if position is not None and position < 0:
        raise ValueError("positions count from 1; 0 is before the first event")
    with connection.cursor() as cursor:
        place = {"book": book, "schema": schema, "position": position}
        try:
            execute_prepared(cursor, in_schema(query, schema).as_string(cursor), {**place, **parameters})
        except UndefinedTable:
            raise NotBuilt(book, name) from None
        rows = cursor.fetchall()
    if not rows:
        raise NotBuilt(book, name)
    standing = int(rows[0][0])
    if position is not None and position > standing:
        within_the_book(connection, book, position)
        raise NotReached(book, name, position, standing)
    empty = len(rows) == 1 and all(value is None for value in rows[0][1:])
    return standing if position is None else position, [] if empty else [row[1:] for row in rows]


def within_the_book(connection: Connection, book: str, position: int) -> None:
    """Raises BeyondTheBook for a position that is not recorded: to wait for it would be in vain."""
    end = head(connection, book).size
    if position > end:
        raise BeyondTheBook(book, position, end)


def status(connection: Connection, book: str, names: Iterable[str]) -> list[Status]:
    """How far each of the named projections of a book has come; those never begun stand at 0."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["status"], {"book": book})
        found = {row[0]: row for row in cursor.fetchall()}
        working = {}
        for name in names:
            cursor.execute(_SQL["worked_on"], {"key": lock_key(book, name, "live")})
            row = cursor.fetchone()
            working[name] = row == (True,)
    size = head(connection, book).size
    return [
        _status(book, found[name], worked_on=worked)
        if name in found
        else _not_begun(book, name, size, worked_on=worked)
        for name, worked in working.items()
    ]


class Cursor:
    """Where a page ended, as text that callers hand back unread: base64url over the last row's sort key."""

    @staticmethod
    def write(page: str, key: Sequence[object]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([page, *key])).rstrip(b"=").decode("ascii")

    @staticmethod
    def read(cursor: str | None, page: str, kinds: Sequence[type]) -> tuple[Any, ...]:
        """The sort key behind which the page begins; Nones for the first page. Raises BadCursor."""
        if cursor is None:
            return (None,) * len(kinds)
        try:
            named, *key = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
            if named != page:
                raise BadCursor(page)
            return tuple(_read(value, kind) for value, kind in zip(key, kinds, strict=True))
        except (ValueError, TypeError, binascii.Error):
            raise BadCursor(page) from None


def page_of(rows: Sequence[R], rows_max: int) -> tuple[tuple[R, ...], bool]:
    """The rows of a page, where one more was asked for to see whether there are more."""
    return tuple(rows[:rows_max]), len(rows) > rows_max


def _read(value: object, kind: type) -> object:
    if value is None:
        return None
    if kind is datetime:
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            raise ValueError("an instant without offset")
        return at
    if kind is UUID:
        return str(UUID(str(value)))
    if type(value) is not kind:
        raise TypeError(f"not a {kind.__name__}")
    return value


def _reached(connection: Connection, book: str, schema: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["reached"], {"book": book, "schema": schema})
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _recorded_at(connection: Connection, book: str, position: int) -> datetime:
    rows = events_after(connection, book, position - 1, 1) if position > 0 else []
    return rows[0].recorded_at if rows else datetime(1970, 1, 1, tzinfo=UTC)


def _status(book: str, row: Sequence[Any], *, worked_on: bool) -> Status:
    name, position, size, root, version, advanced_at, age, lag, *failed = row
    return Status(
        name=name,
        book=book,
        position=position,
        lag_events=size - position,
        lag_seconds=lag,
        advanced_at=advanced_at,
        age_seconds=age,
        tree_size=position,
        root=bytes(root).hex(),
        version=version,
        worked_on=worked_on,
        failed=Failure(*failed) if failed[0] is not None else None,
    )


def _not_begun(book: str, name: str, size: int, *, worked_on: bool) -> Status:
    return Status(name, book, 0, size, 0.0, None, None, 0, EMPTY_ROOT.hex(), None, worked_on, None)
