"""Carries one build of one projection forward: events in, rows and position out, in one transaction.

It knows no projection by name, starts no thread, and never moves a position past an event that failed.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ledger.database.sql import queries
from ledger.record.entry import entry_bytes
from ledger.record.reading import StoredRow, events_after, head
from ledger.record.tree import Edge, leaf_hash

LIVE = "live"
EVENTS_MAX = 500
"""Events of one step of a live projection: what a crash repeats, and for how long its row is locked."""

FAULTS = (psycopg2.OperationalError, psycopg2.InterfaceError)
"""The world is away, or a lock or a time limit was hit: no event is to blame."""

_SQL = queries(__file__)
_IDENTIFIER_BYTES_MAX = 63

Row = Sequence[object]
Progress = Callable[[int, int], None]
"""Told how many events are behind, and how many there are to be."""


class Fold(Protocol):
    """What a projection makes of events. It may remember between batches; a new one takes over after a failure."""

    def apply(self, batch: "Batch") -> None:
        """Writes the rows that follow from the events of a batch, into the transaction of the batch."""


@dataclass(frozen=True)
class Projection:
    """A fold with its tables. `version` rises whenever the rows or tables would come out otherwise than before.

    `tables` gives the columns that identify a row, by table, the book first; the query `tables` makes them.
    """

    name: str
    version: int
    tables: Mapping[str, tuple[str, ...]]
    fold: Callable[[], Fold]
    queries: Mapping[str, str]


def remedy_of(book: str, name: str, error: str) -> str:
    """What stopped a projection, by the name of the error, and what to do about it."""
    if error in {TreeDiffers.__name__, PositionsMissing.__name__}:
        return (
            "the stored bytes do not give the root that the book states, so something was changed past the program. "
            f"Run `complaint-ledger verify --book {book}`, which names it"
        )
    return (
        f"{error}. Install a program that knows this event, then run "
        f"`complaint-ledger projections catch-up {name} --book {book}`"
    )


class ProjectionStopped(Exception):
    """An event could not be applied; the projection stands before it and others go on."""

    def __init__(self, book: str, name: str, position: int, event: str, error: str) -> None:
        super().__init__(
            f"projection {name} of book {book} stopped at position {position} ({event}): {remedy_of(book, name, error)}"
        )
        self.book, self.name, self.position, self.event, self.error = book, name, position, event, error


class BuiltByOtherVersion(Exception):
    """The rows were made by another version of the projection: they are not continued, but rebuilt."""

    def __init__(self, name: str, built: int, ours: int) -> None:
        super().__init__(
            f"projection {name} was built by its version {built}, this program has version {ours}: "
            + (f"run complaint-ledger projections rebuild {name}" if built < ours else "install the newer program")
        )
        self.name, self.built, self.ours = name, built, ours


class TreeDiffers(Exception):
    """The events read do not give the root that the book states: run `complaint-ledger verify`."""


class PositionsMissing(Exception):
    """The events read do not follow one another without a gap: run `complaint-ledger verify`."""


class Page(NamedTuple):
    """A stretch of a book as it was read, and the leaf hashes of its events: read once, for one build or for several."""

    rows: Sequence[StoredRow]
    leaves: Sequence[bytes]

    @property
    def last(self) -> int:
        """Its last position; 0 where nothing was read."""
        return self.rows[-1].position if self.rows else 0


def read_page(connection: Connection, book: str, origin: str, after: int, events_max: int) -> Page:
    """The next events behind a position. Costs two hashes an event beside the reading."""
    rows = events_after(connection, book, after, events_max) if events_max > 0 else []
    return Page(rows, [leaf_hash(entry_bytes(origin, *_entry_fields(row))) for row in rows])


class Batch:
    """The next events of a book, and the open transaction that their rows are written in."""

    def __init__(self, connection: Connection, book: str, schema: str, rows: Sequence[StoredRow]) -> None:
        self.connection = connection
        self.book = book
        self.schema = schema
        self.rows = rows

    def fetch(self, query: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows that a query of the projection gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(in_schema(query, self.schema), parameters)
            return cursor.fetchall()

    def execute_values(self, query: str, rows: Sequence[Row], template: str | None = None) -> None:
        """Runs a query with `VALUES %s` over all rows; one statement for a thousand of them."""
        if rows:
            with self.connection.cursor() as cursor:
                execute_values(cursor, in_schema(query, self.schema).as_string(cursor), rows, template, page_size=1000)

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Adds rows in one statement. Values are None, bool, int, str, UUID, datetime, and JSON for a jsonb column."""
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        if named:
            statement = sql.SQL(_SQL["add"]).format(
                schema=sql.Identifier(self.schema),
                table=sql.Identifier(table),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            )
            with self.connection.cursor() as cursor:
                cursor.execute(statement, {"rows": orjson.dumps(named).decode()})


class Builder:
    """One build of one projection of one book, on a connection of its own.

    What the fold remembers holds only as long as every step is committed, so a step that fails forgets it.
    """

    def __init__(self, connection: Connection, book: str, projection: Projection, build: str = LIVE) -> None:
        self.connection = connection
        self.book = book
        self.projection = projection
        self.build = build
        self._key: dict[str, object] = {"book": book, "name": projection.name, "build": build}
        self._origin = ""
        self.forget()

    def forget(self) -> None:
        """Lets go of what was remembered; the next step reads it again."""
        self._fold = self.projection.fold()
        self._edge = Edge()
        self._schema = ""

    @property
    def position(self) -> int:
        """Where the last step ended; 0 before the first."""
        return self._edge.size

    @property
    def root(self) -> bytes:
        """The root of the tree of the events read so far."""
        return self._edge.root()

    @property
    def schema(self) -> str:
        """Where its rows lie; empty before the first step."""
        return self._schema

    def step(self, events_max: int = EVENTS_MAX, until: int | None = None, page: Page | None = None) -> int:
        """Applies the next events and commits; returns how many, 0 when there are none. A page that begins with the next
        event is taken in the place of reading one.

        Raises ProjectionStopped when one of them can't be applied, with all before it committed.
        """
        try:
            applied = self.advance(events_max, until, page)
            self.connection.commit()
        except (*FAULTS, BuiltByOtherVersion):
            self._roll_back()
            raise
        except Exception:  # noqa: BLE001 - whatever a fold or a constraint raises: this is the outermost loop over events
            self._roll_back()
            applied = self._one_by_one(events_max, until)
        return applied

    def advance(self, events_max: int, until: int | None = None, page: Page | None = None) -> int:
        """Applies the next events in the open transaction, which the caller commits or rolls back (and forgets)."""
        if not self._schema:
            self.lock()
        rows, leaves = self._next(events_max, until, page)
        if not rows:
            return 0
        if self.lock():
            rows, leaves = self._next(events_max, until)  # another one has moved it meanwhile
            if not rows:
                return 0
        if [row.position for row in rows] != list(range(self.position + 1, self.position + 1 + len(rows))):
            raise PositionsMissing
        self._fold.apply(Batch(self.connection, self.book, self._schema, rows))
        self._edge.extend(leaves)
        self._check_root()
        self._execute(
            "advance",
            position=self.position,
            edge=list(self._edge.levels),
            root=self.root,
            recorded_at=rows[-1].recorded_at,
        )
        return len(rows)

    def lock(self) -> bool:
        """Locks the build's row until the transaction ends, making the build where there is none.

        Returns whether it stood elsewhere than remembered. Raises BuiltByOtherVersion.
        """
        with self.connection.cursor() as cursor:
            cursor.execute(_SQL["standing"], self._key)
            found = cursor.fetchone()
            if found is None:
                self._begin(cursor)
                cursor.execute(_SQL["standing"], self._key)
                found = cursor.fetchone()
            assert found is not None, "a build that was begun has a row"
        schema, code, position, edge = found
        if code != self.projection.version:
            raise BuiltByOtherVersion(self.projection.name, code, self.projection.version)
        if (schema, position) == (self._schema, self.position):
            return False
        self.forget()
        self._schema, self._edge = schema, Edge(position, [each and bytes(each) for each in edge])
        self._origin = head(self.connection, self.book).origin
        return True

    def tell_planner(self) -> None:
        """Has the planner told what the build holds now, and commits; for one that was just filled. Reads a sample of each table."""
        self._execute("analyze")
        self.connection.commit()

    def _begin(self, cursor: Cursor) -> None:
        schema = schema_of(self.book, self.projection.name, self.build)
        cursor.execute(_SQL["begin"], {**self._key, "schema": schema, "code": self.projection.version})
        if cursor.fetchone() is None:
            return  # another one began it while we waited for the row
        cursor.execute(_SQL["open_schema"], self._key)
        cursor.execute(in_schema(self.projection.queries["tables"], schema))
        for table in self.projection.tables:
            cursor.execute(in_schema(_SQL["hand_over"], schema, table))
        cursor.execute(_SQL["seal_schema"], {**self._key, "tables": list(self.projection.tables)})

    def _next(self, events_max: int, until: int | None, page: Page | None = None) -> Page:
        if page is not None and page.rows and page.rows[0].position == self.position + 1:
            return page
        if until is not None:
            events_max = min(events_max, until - self.position)
        return read_page(self.connection, self.book, self._origin, self.position, events_max)

    def _check_root(self) -> None:
        """At the end of the book, the events read give the very root that the book states."""
        stated = head(self.connection, self.book)
        if stated.size == self.position and stated.root != self.root:
            raise TreeDiffers

    def _one_by_one(self, events_max: int, until: int | None) -> int:
        """After a batch failed: every event in a transaction of its own, up to the one that is to blame."""
        for applied in range(events_max):
            try:
                if not self.advance(1, until):
                    return applied
                self.connection.commit()
            except (*FAULTS, BuiltByOtherVersion):
                self._roll_back()
                raise
            except Exception as error:  # the outermost loop, as above: the culprit is named, and the cause kept
                raise self._stopped(error) from error
        return events_max

    def _stopped(self, error: Exception) -> ProjectionStopped:
        self._roll_back()
        self.lock()
        culprit, *_ = self._next(1, None).rows
        kind = type(error).__name__
        self._execute("fail", position=culprit.position, event=culprit.name, error=kind)
        self.connection.commit()
        return ProjectionStopped(self.book, self.projection.name, culprit.position, culprit.name, kind)

    def _roll_back(self) -> None:
        self.forget()
        if not self.connection.closed:
            self.connection.rollback()

    def _execute(self, query: str, **parameters: object) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(_SQL[query], {**self._key, **parameters})


def take(connection: Connection, book: str, name: str, build: str = LIVE) -> bool:
    """Whether this session is now the one that works on a build; until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["take"], {"key": lock_key(book, name, build)})
        taken = cursor.fetchone()
    connection.commit()
    return taken == (True,)


def drop(connection: Connection, book: str, name: str, build: str) -> None:
    """Takes a build away, in the open transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["drop_schema"], {"book": book, "name": name, "build": build})


def lock_key(book: str, name: str, build: str) -> int:
    """The advisory lock of a build: 64 bits, signed as PostgreSQL wants them."""
    return int.from_bytes(hashlib.sha256(f"projection/{book}/{name}/{build}".encode()).digest()[:8], signed=True)


def schema_of(book: str, name: str, build: str = LIVE) -> str:
    """The schema that a build lies in: `sla_main`, `sla_main_next`. No book has an underscore in its name."""
    ending = "" if build == LIVE else f"_{build}"
    schema = f"{name}_{book}{ending}"
    if len(schema) > _IDENTIFIER_BYTES_MAX:
        schema = f"{name}_{hashlib.sha256(book.encode()).hexdigest()[:16]}{ending}"
    return schema


def in_schema(query: str, schema: str, table: str = "") -> sql.Composed:
    """A query with its `{schema}`, and `{table}`, filled in."""
    return sql.SQL(query).format(schema=sql.Identifier(schema), table=sql.Identifier(table or schema))


def _entry_fields(row: StoredRow) -> tuple[Any, ...]:
    return (row.position, row.stream_id, row.version, row.name, row.recorded_at, row.state)
