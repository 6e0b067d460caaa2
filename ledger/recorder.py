"""The record as a persistence module of the `eventsourcing` library: `PERSISTENCE_MODULE=ledger.recorder`.

The environment gives `LEDGER_DATABASE_URL` and `LEDGER_BOOK` (default `main`); the book must be there already.
What is particular to us (keys, disclosures, outcomes) is handed down as `request`; see `ledger.record.append`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Signal
from typing import Any
from uuid import UUID

import eventsourcing.persistence as library
import psycopg2
from eventsourcing.utils import Environment, EnvType, resolve_topic
from psycopg2.extensions import connection as Connection

from ledger.database.faults import DatabaseUnavailable
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database, database_at
from ledger.record import reading
from ledger.record.append import Appender, GroupCommit, NewEvent, Outcome, Request, UnfitRequest, is_connection_lost

POLL_SECONDS = 0.25
"""How long a subscription waits without a hint: other processes give none."""

_QUERIES = queries(__file__)

_NAMESAKES: tuple[tuple[type[psycopg2.Error], type[library.PersistenceError]], ...] = (
    (psycopg2.InterfaceError, library.InterfaceError),
    (psycopg2.DataError, library.DataError),
    (psycopg2.OperationalError, library.OperationalError),
    (psycopg2.IntegrityError, library.IntegrityError),
    (psycopg2.InternalError, library.InternalError),
    (psycopg2.ProgrammingError, library.ProgrammingError),
    (psycopg2.NotSupportedError, library.NotSupportedError),
    (psycopg2.DatabaseError, library.DatabaseError),
    (psycopg2.Error, library.PersistenceError),
)


class VersionConflict(library.IntegrityError):
    """Somebody else recorded in this stream first, or the versions leave a hole: read again and decide again."""


class TrackingConflict(library.IntegrityError):
    """This notification, or a later one, of the followed application was already tracked."""


class KeyReused(library.IntegrityError):
    """The idempotency key was used for another request: use a new key for each request."""


class BookUnavailable(library.OperationalError):
    """The database holds no such book, or this role was not granted it."""


class NotDurable(library.OperationalError):
    """The session would answer before its commit is safe: nothing is recorded so."""


class ClockUnfit(library.OperationalError):
    """The clock of the database is behind the book, or apart from the program's: nothing is recorded until it's right."""


@contextmanager
def as_the_library_says() -> Iterator[None]:
    """Raises the library's namesake of a driver's error, as its interface asks."""
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode == "CL001":
            raise BookUnavailable(
                f"{error.diag.message_primary}: make it with `complaint-ledger book create`"
            ) from error
        if error.pgcode == "CL006":
            raise NotDurable(f"{error.diag.message_primary}: mend the settings of the database") from error
        if error.pgcode in {"CL002", "CL003"}:
            raise ClockUnfit(f"{error.diag.message_primary}: set the clocks right, then ask again") from error
        if is_connection_lost(error):
            raise library.OperationalError(str(error)) from error
        for ours, theirs in _NAMESAKES:
            if isinstance(error, ours):
                raise theirs(str(error)) from error
        raise
    except UnfitRequest as error:
        raise library.DataError(str(error)) from error
    except DatabaseUnavailable as error:
        raise library.OperationalError(str(error)) from error


class BookRecorder(library.ProcessRecorder):
    """The events, notifications and tracking of one book."""

    def __init__(self, database: Database, book: str) -> None:
        self.book = book
        self.pool = Pool(lambda: database.connect(Role.APPLICATION, autocommit=True))
        self._database = database
        self._check: Callable[[Connection], None] | None = None
        self._commits = GroupCommit(Appender(self._connect_to_record, book))
        self._listeners: set[Signal] = set()

    def check_first(self, check: Callable[[Connection], None]) -> None:
        """Has each connection that is to record checked before its first use; what `check` raises, recording raises."""
        self._check = check

    def _connect_to_record(self) -> Connection:
        connection = self._database.connect(Role.APPLICATION, autocommit=True)
        if self._check is not None:
            try:
                self._check(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def insert_events(self, stored_events: Sequence[library.StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Stores the events in one durable commit; returns their positions, none when it was stored before.

        `request` (a `Request` without events) carries key, principal, fingerprint, disclosures; without one, a request
        is made. Raises VersionConflict, TrackingConflict, KeyReused, or the library's namesake of a driver's error.
        """
        tracking: library.Tracking | None = kwargs.get("tracking")
        given: Request | None = kwargs.get("request")
        if not stored_events and tracking is None and given is None:
            return []
        request = given or Request(events=())
        request.events = [
            NewEvent(_stream_id(event), event.originator_version, event.topic, event.state) for event in stored_events
        ]
        if tracking is not None:
            request.tracking = (tracking.application_name, tracking.notification_id)
        outcome = self.record(request)
        # what was stored before under the same key may be other events than these: the outcome tells, not the list
        if outcome.kind == "replayed" or outcome.first_position is None or outcome.last_position is None:
            return []
        return list(range(outcome.first_position, outcome.last_position + 1))

    def record(self, request: Request) -> Outcome:
        """Stores a request; its outcome is `stored` or `replayed`. Raises as `insert_events` does."""
        with as_the_library_says():
            outcome = self._commits.append(request)
        match outcome.kind:
            case "version-conflict":
                raise VersionConflict("the stream has moved on, or the versions leave a hole")
            case "tracking-conflict":
                raise TrackingConflict("this notification of the followed application was already tracked")
            case "key-reused":
                raise KeyReused("the idempotency key was used for another request")
            case "stored" | "replayed":
                for listener in list(self._listeners):
                    listener.set()
        request.outcome = outcome
        return outcome

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[library.StoredEvent]:
        with as_the_library_says(), self.pool.connection() as connection:
            rows = reading.stream_events(
                connection,
                self.book,
                _as_uuid(originator_id),
                after_version=gt,
                up_to_version=lte,
                newest_first=desc,
                events_max=limit,
            )
        return [library.StoredEvent(row.stream_id, row.version, row.name, row.state) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[library.Notification]:
        first = 1 if start is None else start if inclusive_of_start else start + 1
        with as_the_library_says(), self.pool.connection() as connection:
            rows = reading.events_named(connection, self.book, topics, first, stop, limit)
        return [
            library.Notification(
                originator_id=row.stream_id,
                originator_version=row.version,
                topic=row.name,
                state=row.state,
                id=row.position,
            )
            for row in rows
        ]

    def max_notification_id(self) -> int | None:
        with as_the_library_says(), self.pool.connection() as connection:
            return reading.head(connection, self.book).size or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> library.Subscription[library.ApplicationRecorder]:
        return BookSubscription(self, gt, topics)

    def insert_tracking(self, tracking: library.Tracking) -> None:
        self.insert_events([], tracking=tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        with as_the_library_says(), self.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_QUERIES["max_tracking"], {"book": self.book, "application": application_name})
            row = cursor.fetchone()
        return None if row is None else int(row[0])

    def listen(self, signal: Signal) -> None:
        self._listeners.add(signal)

    def unlisten(self, signal: Signal) -> None:
        self._listeners.discard(signal)

    def close(self) -> None:
        self._commits.close()
        self.pool.close()


class BookAggregateRecorder(BookRecorder):
    """The same book for callers that want no positions."""

    def insert_events(self, stored_events: Sequence[library.StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class SnapshotRecorder(library.AggregateRecorder):
    """The library's snapshots: a cache beside the record, never part of it."""

    def __init__(self, database: Database, book: str) -> None:
        self.book = book
        self.pool = Pool(lambda: database.connect(Role.APPLICATION, autocommit=True))

    def insert_events(self, stored_events: Sequence[library.StoredEvent], **_: Any) -> None:
        with as_the_library_says(), self.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(
                _QUERIES["insert_snapshots"],
                {
                    "book": self.book,
                    "stream_ids": [_stream_id(event) for event in stored_events],
                    "versions": [event.originator_version for event in stored_events],
                    "names": [event.topic for event in stored_events],
                    "states": [psycopg2.Binary(event.state) for event in stored_events],
                },
            )

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[library.StoredEvent]:
        parameters = {"book": self.book, "stream_id": _as_uuid(originator_id), "after": gt, "up_to": lte, "most": limit}
        with as_the_library_says(), self.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_QUERIES["snapshots_newest_first" if desc else "snapshots"], parameters)
            rows = cursor.fetchall()
        return [library.StoredEvent(stream, version, name, bytes(state)) for stream, version, name, state in rows]

    def close(self) -> None:
        self.pool.close()


class BookSubscription(library.ListenNotifySubscription[BookRecorder]):
    """Follows a book. Hints come from this process only, so it polls as well."""

    def __init__(self, recorder: BookRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        recorder.listen(self._has_been_notified)

    def stop(self) -> None:
        self._recorder.unlisten(self._has_been_notified)
        super().stop()

    def _loop_on_pull(self) -> None:
        try:
            self._pull()
            while not self._has_been_stopped:
                self._has_been_notified.wait(timeout=POLL_SECONDS)
                self._pull()
        except library.PersistenceError as error:
            self._thread_error = error
            self.stop()


class Factory(library.InfrastructureFactory[BookRecorder]):
    """Makes recorders for the book that the environment names."""

    DATABASE_URL = "LEDGER_DATABASE_URL"
    BOOK = "LEDGER_BOOK"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        url = self.env.get(self.DATABASE_URL)
        if not url:
            raise library.InfrastructureFactoryError(
                f"{self.DATABASE_URL} is not set: give the address of the ledger's database, such as "
                "postgresql://login@host:5432/ledger"
            )
        self.book = self.env.get(self.BOOK) or "main"
        self._database = database_at(url)
        self._made: list[BookRecorder | SnapshotRecorder] = []

    def aggregate_recorder(self, purpose: str = "events") -> library.AggregateRecorder:
        if purpose == "events":
            return self._keep(BookAggregateRecorder(self._database, self.book))
        recorder = SnapshotRecorder(self._database, self.book)
        self._made.append(recorder)
        return recorder

    def application_recorder(self) -> library.ApplicationRecorder:
        return self._keep(BookRecorder(self._database, self.book))

    def tracking_recorder(self, tracking_recorder_class: type[BookRecorder] | None = None) -> BookRecorder:
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else BookRecorder)
        return self._keep(chosen(self._database, self.book))

    def process_recorder(self) -> library.ProcessRecorder:
        return self._keep(BookRecorder(self._database, self.book))

    def close(self) -> None:
        with suppress(AttributeError):  # a factory that could not be made is closed all the same
            while self._made:
                self._made.pop().close()

    def _keep(self, recorder: BookRecorder) -> BookRecorder:
        self._made.append(recorder)
        return recorder


def _stream_id(event: library.StoredEvent) -> UUID:
    return _as_uuid(event.originator_id)


def _as_uuid(stream_id: UUID | str) -> UUID:
    try:
        return stream_id if isinstance(stream_id, UUID) else UUID(stream_id)
    except ValueError:
        raise library.DataError("a stream's id is a UUID") from None
