"""Builds a projection beside the live one: to take its place, to be compared with it, or as it was known at a position.

The live build is read all the while, and only the swap, one short transaction, makes its worker wait.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2 import sql
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.record.reading import head, position_at
from projections.catalogue import projection_named
from projections.machine import (
    Builder,
    Progress,
    Projection,
    drop,
    in_schema,
    read_page,
    schema_of,
    take,
)

EVENTS_MAX = 2_000
"""Events of one step of a rebuild: nobody waits for its row, and what a later event of a step changes is written once.

A step holds its events and the rows of each projection in memory; more at a time are hardly faster.
"""
AT_ONCE = 1 + (os.cpu_count() or 1)
"""Builds that are folded at once: more would wait for one another, and each thread keeps memory of its own."""
SWAP_ATTEMPTS_MAX = 30
DIFFERENCES_MAX = 1000

_SQL = queries(__file__)


class AlreadyBuilding(Exception):
    """Somebody else rebuilds or compares this projection: wait until that has ended."""

    def __init__(self, name: str, build: str) -> None:
        super().__init__(f"projection {name} is being built as {build!r} by somebody else: wait until that has ended")


class NothingToCompare(Exception):
    """The projection was never built: catch it up first."""

    def __init__(self, name: str) -> None:
        super().__init__(f"projection {name} was never built: run complaint-ledger projections catch-up {name} first")


class ReadersInTheWay(Exception):
    """Long questions kept the old tables in use."""

    def __init__(self, name: str, what: str = "was rebuilt and could not be swapped in") -> None:
        super().__init__(f"projection {name} {what}: let long questions end, then again")


@dataclass(frozen=True)
class Rebuilt:
    """A swap: where the new build stands, and the rows of each table before and after it."""

    name: str
    position: int
    root: str
    rows_before: Mapping[str, int]
    rows_after: Mapping[str, int]


@dataclass(frozen=True)
class BuiltUntil:
    """A projection as it was known at a position, in a schema of its own, until it is dropped."""

    name: str
    position: int
    schema: str


class Difference(NamedTuple):
    """A row that the live build and a fresh replay do not agree on; None where one of them does not have it."""

    table: str
    key: dict[str, Any]
    live: dict[str, Any] | None
    fresh: dict[str, Any] | None


def rebuild(database: Database, book: str, name: str, progress: Progress | None = None) -> Rebuilt:
    """Builds a projection anew from the first event, catches up, and puts it in the place of the live one.

    Rows of before and after are counted and given back; they may rightly differ where the rows were wrong or the
    program has changed. Raises ProjectionStopped, AlreadyBuilding and ReadersInTheWay, and the live one stays as it is.
    """
    (done,) = rebuild_together(database, book, [name], progress)
    if isinstance(done, BaseException):
        raise done
    return done


def rebuild_together(
    database: Database, book: str, names: Sequence[str], progress: Progress | None = None
) -> list[Rebuilt | BaseException]:
    """Rebuilds several projections in one pass: each event is read, hashed and opened once for all of them, and while the
    server writes the rows of one the next is folded.

    Gives for each, in the order of the names, what was rebuilt; or the error for which its live one stays as it was,
    while the others go on. Progress is of the slowest. Memory is that of their sum.
    """
    projections = {name: projection_named(name) for name in names}
    done: dict[str, Rebuilt | BaseException] = {}
    with ExitStack() as stack:
        builders: dict[str, Builder] = {}
        for name, projection in projections.items():
            try:
                builders[name] = stack.enter_context(_beside(database, book, projection, "next"))
            except Exception as error:  # noqa: BLE001 - the outermost loop over projections: the caller is told
                done[name] = error
        done |= _advance_together(database, book, builders, progress)
        done |= _swap_together({name: builder for name, builder in builders.items() if name not in done})
    return [done[name] for name in names]


def _advance_together(
    database: Database, book: str, builders: Mapping[str, Builder], progress: Progress | None
) -> dict[str, BaseException]:
    """Brings builds up to the end of the book, page by page; gives the errors of those that did not get there."""
    failed: dict[str, BaseException] = {}
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as reader, ThreadPoolExecutor(AT_ONCE) as pool:
        end = head(reader, book)
        page = read_page(reader, book, end.origin, 0, min(EVENTS_MAX, end.size))
        while page.rows and len(failed) < len(builders):
            steps = {
                name: pool.submit(builder.step, EVENTS_MAX, end.size, page)
                for name, builder in builders.items()
                if name not in failed
            }
            following = read_page(reader, book, end.origin, page.last, min(EVENTS_MAX, end.size - page.last))
            failed |= {name: error for name, step in steps.items() if (error := step.exception()) is not None}
            if progress is not None:
                progress(page.last, end.size)
            page = following
    if progress is not None and not end.size:
        progress(0, 0)
    return failed


def _swap_together(builders: Mapping[str, Builder]) -> dict[str, Rebuilt | BaseException]:
    """Puts builds in the places of the live ones, in rounds: who reads one of them holds up no other."""
    done: dict[str, Rebuilt | BaseException] = {}
    for name, builder in builders.items():
        try:
            builder.tell_planner()
        except Exception as error:  # noqa: BLE001 - the outermost loop over projections: the caller is told
            done[name] = error
    for _ in range(SWAP_ATTEMPTS_MAX):
        for name, builder in builders.items():
            if name not in done:
                try:
                    while builder.step(EVENTS_MAX):
                        pass  # here, and not while the live one waits
                    rebuilt = _swap(builder)
                except Exception as error:  # noqa: BLE001 - the outermost loop over projections: the caller is told
                    done[name] = error
                else:
                    done |= {} if rebuilt is None else {name: rebuilt}
        if len(done) == len(builders):
            break
        time.sleep(0.1)
    return {name: done.get(name) or ReadersInTheWay(name) for name in builders}


def compare(database: Database, book: str, name: str, progress: Progress | None = None) -> list[Difference]:
    """Replays all events that the live build has read into tables of its own, and compares row by row.

    Gives the first 1,000 differences of each table, none where all is well. The live build goes on meanwhile; the
    comparison is of one moment. Raises ProjectionStopped, AlreadyBuilding and NothingToCompare.
    """
    projection = projection_named(name)
    with _beside(database, book, projection, "compare") as builder:
        live = _live(builder)
        builder.connection.rollback()
        _advance_to(builder, live[0], progress)
        # One snapshot from here: the live rows, their position, and what this transaction itself adds.
        builder.connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
        try:
            return _differences(builder)
        finally:
            builder.connection.rollback()
            builder.connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)


def build_until(
    database: Database, book: str, name: str, until: int | datetime, progress: Progress | None = None
) -> BuiltUntil:
    """Builds a projection as it was known at a position, or at an instant, into a schema of its own.

    Its questions are asked of it with `schema=`. What is there already is finished, not begun again; `drop_until`
    takes it away. An `until` behind the end of the book is its end.
    """
    projection = projection_named(name)
    with closing(database.connect(Role.PROJECTOR)) as connection:
        size = head(connection, book).size
        position = position_at(connection, book, until) if isinstance(until, datetime) else min(until, size)
        connection.rollback()
        build = f"until_{position}"
        _take(connection, book, name, build)
        builder = Builder(connection, book, projection, build)
        _begin(builder)
        _advance_to(builder, position, progress)
    return BuiltUntil(name, position, schema_of(book, name, build))


@contextmanager
def replayed(
    database: Database, book: str, projection: Projection, position: int, progress: Progress | None = None
) -> Iterator[Builder]:
    """A fresh replay of all events up to a position, in tables of its own, for as long as the block lasts.

    Raises ProjectionStopped and AlreadyBuilding.
    """
    with _beside(database, book, projection, "compare") as builder:
        _advance_to(builder, position, progress)
        yield builder


def drop_until(database: Database, book: str, name: str, position: int) -> bool:
    """Takes away what `build_until` made; says whether there was anything. Raises ReadersInTheWay."""
    build = f"until_{position}"
    with closing(database.connect(Role.PROJECTOR)) as connection:
        _take(connection, book, name, build)
        there = build in _builds(connection, book, name)
        if not _drop_left_over(connection, book, name, build):
            raise ReadersInTheWay(name, f"could not be dropped at position {position}")
    return there


@contextmanager
def _beside(database: Database, book: str, projection: Projection, build: str) -> Iterator[Builder]:
    """An empty build beside the live one, ours alone; gone afterwards unless it was swapped in."""
    with closing(database.connect(Role.PROJECTOR)) as connection:
        _take(connection, book, projection.name, build)
        if not _drop_left_over(connection, book, projection.name, build):
            raise ReadersInTheWay(projection.name, f"has a build {build!r} left over that could not be dropped")
        builder = Builder(connection, book, projection, build)
        _begin(builder)
        try:
            yield builder
        finally:
            if not connection.closed:
                connection.rollback()
                _drop_left_over(connection, book, projection.name, build)


def _begin(builder: Builder) -> None:
    builder.lock()
    builder.connection.commit()


def _take(connection: Connection, book: str, name: str, build: str) -> None:
    if not take(connection, book, name, build):
        raise AlreadyBuilding(name, build)


def _size(builder: Builder) -> int:
    size = head(builder.connection, builder.book).size
    builder.connection.rollback()
    return size


def _advance_to(builder: Builder, goal: int, progress: Progress | None) -> None:
    while builder.step(EVENTS_MAX, goal):
        if progress is not None:
            progress(builder.position, goal)
    builder.tell_planner()
    if progress is not None:
        progress(builder.position, goal)


def _swap(builder: Builder) -> Rebuilt | None:
    """Puts the build in the place of the live one; None when somebody who reads or writes was in the way."""
    connection, book, name = builder.connection, builder.book, builder.projection.name
    if not _drop_left_over(connection, book, name, "old"):
        return None
    _begin_live(builder)
    try:
        before, after = _renamed(builder)
        connection.commit()
    except LockNotAvailable:
        connection.rollback()
        builder.forget()
        return None
    except BaseException:
        builder.forget()
        if not connection.closed:
            connection.rollback()  # the live one waits for its row
        raise
    _drop_left_over(connection, book, name, "old")
    return Rebuilt(name, builder.position, builder.root.hex(), before, after)


def _renamed(builder: Builder) -> tuple[dict[str, int], dict[str, int]]:
    """Catches up with the live build while that one waits, then renames; the rows of before and after."""
    connection, book, projection = builder.connection, builder.book, builder.projection
    old = schema_of(book, projection.name, "old")
    parameters = {"book": book, "name": projection.name, "schema": old, "code": projection.version}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["briefly"])
        cursor.execute(_SQL["hold"], parameters)
        (position,) = cursor.fetchone() or (0,)
        builder.lock()
        while builder.position < position:  # readers never see a projection go back
            builder.advance(EVENTS_MAX, position)
        before = _counts(connection, projection, schema_of(book, projection.name))
        after = _counts(connection, projection, builder.schema)
        cursor.execute(_SQL["begin_old"], parameters)
        cursor.execute(_SQL["swap"], parameters)
    return before, after


def _begin_live(builder: Builder) -> None:
    """Where nothing was built before, an empty build is what is swapped out."""
    with builder.connection.cursor() as cursor:
        cursor.execute(_SQL["live"], {"book": builder.book, "name": builder.projection.name})
        there = cursor.fetchone() is not None
    builder.connection.rollback()
    if not there:
        _begin(Builder(builder.connection, builder.book, builder.projection))


def _counts(connection: Connection, projection: Projection, schema: str) -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in projection.tables:
            cursor.execute(in_schema(_SQL["count"], schema, table))
            (counts[table],) = cursor.fetchone() or (0,)
    return counts


def _live(builder: Builder) -> tuple[int, bytes, str]:
    with builder.connection.cursor() as cursor:
        cursor.execute(_SQL["live"], {"book": builder.book, "name": builder.projection.name})
        row = cursor.fetchone()
    if row is None:
        raise NothingToCompare(builder.projection.name)
    return row[0], bytes(row[1]), row[2]


def _differences(builder: Builder) -> list[Difference]:
    position, root, schema = _live(builder)
    while builder.position < position:
        builder.advance(EVENTS_MAX, position)
    found: list[Difference] = []
    if builder.root != root:
        found.append(Difference("progress", {}, {"root": root.hex()}, {"root": builder.root.hex()}))
    with builder.connection.cursor() as cursor:
        cursor.execute(_SQL["patiently"])
        for table, key in builder.projection.tables.items():
            statement = sql.SQL(_SQL["differences"]).format(
                schema=sql.Identifier(schema),
                fresh=sql.Identifier(builder.schema),
                table=sql.Identifier(table),
                key=sql.SQL(", ").join(map(sql.Identifier, key)),
            )
            cursor.execute(statement, {"rows_max": DIFFERENCES_MAX})
            for live, fresh in cursor.fetchall():
                either: dict[str, Any] = live or fresh
                found.append(Difference(table, {column: either[column] for column in key}, live, fresh))
    return found


def _drop_left_over(connection: Connection, book: str, name: str, build: str) -> bool:
    """Drops a build where there is one; False when readers are still in it, which leaves it to the next run."""
    try:
        if build in _builds(connection, book, name):
            with connection.cursor() as cursor:
                cursor.execute(_SQL["briefly"])
            drop(connection, book, name, build)
        connection.commit()
    except LockNotAvailable:
        connection.rollback()
        return False
    return True


def _builds(connection: Connection, book: str, name: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["builds"], {"book": book, "name": name})
        return {build for (build,) in cursor.fetchall()}
