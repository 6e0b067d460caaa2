"""Keeps projections up with their book: once and to the end (`catch_up`), or for as long as a process lives (`Worker`).

It applies no event itself, and no two of it ever do the same work: one holds the lock of a projection, others stand by.
"""

import time
from collections.abc import Iterable
from contextlib import closing
from threading import Event, Thread
from typing import Self

import structlog
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.reading import head
from projections import asking
from projections.catalogue import PROJECTIONS, projection_named
from projections.machine import (
    EVENTS_MAX,
    Builder,
    BuiltByOtherVersion,
    Progress,
    Projection,
    ProjectionStopped,
    take,
)
from projections.rebuild import rebuild

IDLE_SECONDS = 0.2
"""How often a worker that has come to the end looks for new events when nobody wakes it.

While events come in it so takes them many at a time: a transaction for each few would slow those who record.
"""
RESTS = 10
"""A worker that has come to the end rests so many times as long as its work took, unless it is woken..."""
IDLE_TIMES_MAX = 5
"""...but no longer than so many times the above: on a busy machine it takes more at a time, and leaves more to the others."""
STANDBY_SECONDS = 1.0
"""How often a standby tries to take over."""
TOLD_FROM = 5_000
"""After so many events at once the planner is told what the tables hold now; the server finds out later by itself."""
RETRY_SECONDS = 30.0
"""How often a stopped projection tries the event that stopped it again."""
FAULT_SECONDS = 2.0
"""How long a worker waits after the database went away, or something else that no event is to blame for."""


def status(database: Database, book: str) -> list[asking.Status]:
    """How far every projection of a book has come."""
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as connection:
        return asking.status(connection, book, PROJECTIONS)


def catch_up(
    database: Database,
    book: str,
    name: str,
    *,
    batch: int = EVENTS_MAX,
    until: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Brings a projection to the end of its book as it is now, or to `until`; returns the position it then has.

    Where another worker holds the projection, it waits for that one to get there, or takes over from it; it does not
    wait where that one has stopped. Raises ProjectionStopped and BuiltByOtherVersion.
    """
    projection = projection_named(name)
    with closing(database.connect(Role.PROJECTOR)) as connection:
        size = head(connection, book).size
        connection.rollback()
        goal = size if until is None else min(size, until)
        while not take(connection, book, name):
            reached = asking.standing(connection, book, name)
            failed = None if reached is None or reached >= goal else _failed(connection, book, name)
            connection.rollback()
            if failed is not None:
                raise ProjectionStopped(book, name, failed.position, failed.event, failed.error)
            if reached is not None and reached >= goal:
                return reached
            _tell(progress, reached or 0, goal)
            time.sleep(IDLE_SECONDS / 4)
        builder = Builder(connection, book, projection)
        applied = 0
        while events := builder.step(batch, goal):
            applied += events
            _tell(progress, builder.position, goal)
        if applied >= TOLD_FROM:
            builder.tell_planner()
        _tell(progress, builder.position, goal)
        return builder.position


class Worker:
    """Follows a book with one thread for each projection, until it is stopped."""

    def __init__(
        self,
        database: Database,
        book: str,
        names: Iterable[str] | None = None,
        *,
        batch: int = EVENTS_MAX,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._followers = [
            Follower(database, book, projection_named(name), batch, idle_seconds)
            for name in (PROJECTIONS if names is None else names)
        ]

    def start(self) -> None:
        """Begins to follow; returns at once."""
        for follower in self._followers:
            follower.start()

    def stop(self) -> None:
        """Ends after the batches in hand, each of which is committed whole or not at all."""
        for follower in self._followers:
            follower.stop()
        for follower in self._followers:
            if follower.is_alive():
                follower.join()

    def wake(self) -> None:
        """A hint that there are new events; losing one costs a second at the most."""
        for follower in self._followers:
            follower.wake()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Follower(Thread):
    """One projection of one book, for as long as its worker lives."""

    def __init__(self, database: Database, book: str, projection: Projection, batch: int, idle_seconds: float) -> None:
        super().__init__(name=f"projection-{projection.name}", daemon=True)
        self._database = database
        self._book = book
        self._projection = projection
        self._batch = batch
        self._idle_seconds = idle_seconds
        self._stopping = Event()
        self._awake = Event()
        self._log = structlog.get_logger("projections").bind(projection=projection.name, book=book)

    def stop(self) -> None:
        self._stopping.set()
        self._awake.set()

    def wake(self) -> None:
        self._awake.set()

    def run(self) -> None:
        """Whatever happens, begins again from the position that was committed last.

        While it waits it holds no lock, so that another program, perhaps a newer one, can take over.
        """
        while not self._stopping.is_set():
            try:
                with closing(self._database.connect(Role.PROJECTOR)) as connection:
                    if self._stand_by(connection):
                        self._follow(Builder(connection, self._book, self._projection))
            except ProjectionStopped as stop:
                self._log.error("projection.stopped", position=stop.position, event_name=stop.event, error=stop.error)
                self._stopping.wait(RETRY_SECONDS)
            except BuiltByOtherVersion as other:
                self._log.error("projection.newer", built_by_version=other.built, version=other.ours)
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - the outermost loop of a thread that nobody else watches
                self._log.warning("projection.fault", error=type(error).__name__)
                self._stopping.wait(FAULT_SECONDS)

    def _stand_by(self, connection: Connection) -> bool:
        """Waits until the lock is ours; False when the worker is stopped first."""
        while not self._stopping.is_set():
            if take(connection, self._book, self._projection.name):
                return True
            self._stopping.wait(STANDBY_SECONDS)
        return False

    def _follow(self, builder: Builder) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            began = time.monotonic()
            try:
                while builder.step(self._batch) == self._batch and not self._stopping.is_set():
                    pass  # what is less than a batch was all there was: what comes now is gathered for a while
            except BuiltByOtherVersion as other:
                if other.built > other.ours:
                    raise
                self._log.warning("projection.outdated", built_by_version=other.built, version=other.ours)
                rebuild(self._database, self._book, self._projection.name)  # reads are served meanwhile
            rest = max(self._idle_seconds, RESTS * (time.monotonic() - began))
            self._awake.wait(min(rest, IDLE_TIMES_MAX * self._idle_seconds))


def _failed(connection: Connection, book: str, name: str) -> asking.Failure | None:
    """The event that has stopped a projection, if one has."""
    (standing,) = asking.status(connection, book, [name])
    return standing.failed


def _tell(progress: Progress | None, position: int, goal: int) -> None:
    if progress is not None:
        progress(position, goal)
