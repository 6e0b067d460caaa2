"""Brings receivers' doors up, seals them, and does so every day while a service lives. Computes no row and no digest of its own."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from psycopg2.extensions import connection as Connection

from api.standby import Standby, Stopped
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import Calendar
from ledger.proof.asking import prove
from ledger.proof.checkpoints import Checkpoints
from ledger.record.reading import events_after
from ledger.seal.events import ProjectionSealed
from ledger.seal.recording import last_seal, record_seal
from projections.regulator import door, reading
from projections.returns.asking import Pseudonyms, key_name

NAME = "publisher"

IDLE_SECONDS = 60.0
AGAIN_AFTER = timedelta(hours=1)
"""When a door that could not be brought up is tried again."""


class Published(NamedTuple):
    """Where a door stands, how many rows were added and ended, and whether that was sealed now: not, where nothing had changed."""

    position: int
    added: int
    ended: int
    sealed: bool


def publish(ledger: Ledger, database: Database, checkpoints: Checkpoints, receiver: str) -> Published:
    """Brings a door up to where the projection stands, seals its rows by an event, and puts the seal's proof beside them.

    Where no row changed since the last seal nothing is recorded. Killed at any point, the next time goes on. Raises NotBuilt.
    """
    names = Pseudonyms(ledger.keys.secret(key_name(ledger.book, receiver)))
    done = door.bring_up(database, ledger.book, receiver, names)
    with (
        closing(database.connect(Role.APPLICATION, autocommit=True)) as connection,
        closing(database.beside(door.database_of(receiver)).connect(Role.PROJECTOR)) as copy,
    ):
        at, sealed = door.reached(copy, ledger.book), door.last_seal(copy, ledger.book)
        if at is None or (sealed is not None and sealed[0] == at[0]):
            copy.rollback()
            return Published(*done, sealed=False)
        digest = door.digest_at(copy, ledger.book, done.position)
        copy.rollback()
        seal = ProjectionSealed(
            projection=door.projection_of(receiver),
            code_version=door.CODE_VERSION,
            position=done.position,
            root=at[1],
            rows=digest.rows,
            rows_digest=digest.sha256,
            sealed_at=datetime.now(UTC),
        )
        record_seal(ledger, connection, seal)
        checkpoints.make()
        found = last_seal(connection, ledger.book, seal.projection)
        assert found is not None, "a seal was recorded"
        recorded, row = found
        (stored,) = events_after(connection, ledger.book, row.position - 1, 1)
        proven = prove(connection, ledger.book, row.position)
        door.keep_seal(copy, ledger.book, recorded.position, stored.state, proven.entry, proven.proof.written())
    return Published(*done, sealed=True)


def is_due(done_at: datetime | None, failed_at: datetime | None, now: datetime, calendar: Calendar, hour: int) -> bool:
    """Whether a door waits to be brought up: it was not since today's hour, in the days of the calendar, nor tried just now."""
    begins_at = calendar.day_begins_at(calendar.local_day(now)) + timedelta(hours=hour)
    if now < begins_at or (done_at is not None and done_at >= begins_at):
        return False
    return failed_at is None or now - failed_at >= AGAIN_AFTER


class Publisher:
    """Publishes the doors of one book, one after the other: those that were published by hand once, so that none is by mistake."""

    def __init__(
        self,
        ledger: Ledger,
        database: Database,
        checkpoints: Checkpoints,
        calendar: Calendar,
        hour: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger, self._database, self._checkpoints = ledger, database, checkpoints
        self._calendar, self._hour, self._clock = calendar, hour, clock
        self._done: dict[str, datetime] = {}
        self._failed: dict[str, datetime] = {}
        self._log = structlog.get_logger(NAME).bind(book=ledger.book)

    def round(self, connection: Connection, stopped: Stopped) -> None:
        """Each door that is due. One that fails is named and keeps no other waiting."""
        for receiver in reading.receivers(connection):
            now = self._clock()
            if stopped():
                return
            if is_due(self._done.get(receiver), self._failed.get(receiver), now, self._calendar, self._hour):
                try:
                    self._one(receiver, now)
                    self._failed.pop(receiver, None)
                except Exception as error:  # noqa: BLE001 - the outermost of what is done for one door: the others are brought up
                    self._failed[receiver] = now
                    self._log.error("publisher.failed", receiver=receiver, error=type(error).__name__)

    def _one(self, receiver: str, now: datetime) -> None:
        with closing(self._database.beside(door.database_of(receiver)).connect(Role.PROJECTOR)) as copy:
            at = door.brought_up_at(copy, self._ledger.book)
        if at is not None and is_due(at, None, now, self._calendar, self._hour):
            done = publish(self._ledger, self._database, self._checkpoints, receiver)
            self._log.info("publisher.published", receiver=receiver, **done._asdict())
        self._done[receiver] = now


def publisher_of(
    ledger: Ledger,
    database: Database,
    checkpoints: Checkpoints,
    calendar: Calendar,
    hour: int,
    *,
    idle_seconds: float = IDLE_SECONDS,
) -> Standby:
    """Publishes the doors of one book daily for as long as a process lives; in a second process it stands by."""
    publisher = Publisher(ledger, database, checkpoints, calendar, hour)
    return Standby(NAME, database, ledger.book, publisher.round, idle_seconds)
