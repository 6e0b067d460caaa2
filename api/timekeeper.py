"""The timekeeper at work: what the passing of time has brought about becomes facts, exactly once each.

It joins the index of what is owed (`projections.timekeeper`) to the record. It decides nothing. Whatever is owed is
recorded as the first event of a stream that only it can have, so whoever does it twice, or at the same time as another,
finds it there; and what was recorded is owed no more. So nothing has to be remembered, and nothing is lost by a crash.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import structlog
from psycopg2.extensions import connection as Connection

from api.standby import Standby, Stopped
from ledger.application import BulkRequest, Ledger, Receipt
from ledger.database.target import Database
from ledger.names import NAME_OF
from ledger.record.reading import head
from ledger.recorder import VersionConflict
from ledger.timekeeping.owed import Owed
from projections import asking, timekeeper
from projections.machine import Progress
from projections.worker import catch_up

NAME = timekeeper.PROJECTION.name
PRINCIPAL = "timekeeper"
COMMAND = "keep-time"

IDLE_SECONDS = 1.0
"""How often it looks whether something is owed: what a warning may come late."""


class Kept(NamedTuple):
    """One round: facts recorded, by their stored name, and those that somebody else had recorded meanwhile.

    `position` is where the book had been read up to before the round.
    """

    recorded: Counter[str]
    already_there: int
    position: int


def keep_time(
    ledger: Ledger,
    database: Database,
    connection: Connection,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Iterator[Kept]:
    """Records whatever is owed by now, round by round until nothing is; safe wherever it is interrupted.

    `connection` reads as the application, each statement by itself. Raises as `projections.worker.catch_up` does.
    Costs three small reads where nothing is owed.
    """
    while True:
        _bring_forward(database, connection, ledger.book, progress)
        due = timekeeper.due(connection, ledger.book, now)
        if not due.owed:
            return
        recorded: Counter[str] = Counter()
        already_there = 0
        for request, result in ledger.record_in_bulk(_request(owed, due.position) for owed in due.owed):
            if isinstance(result, VersionConflict) or (isinstance(result, Receipt) and result.replayed):
                already_there += 1
            elif isinstance(result, Exception):
                raise result
            else:
                recorded[NAME_OF[type(request.events[0])]] += 1
        yield Kept(recorded, already_there, due.position)


def _request(owed: Owed, position: int) -> BulkRequest:
    """The same request whoever makes it, but for the position that it was known at: the first one stands."""
    return BulkRequest(
        stream_id=owed.stream_id,
        events=[owed.event.model_copy(update={"known_at_position": position})],
        principal=PRINCIPAL,
        key=f"owed/{owed.stream_id}",
        given=owed.stream_id.bytes,
        command=COMMAND,
    )


def _bring_forward(database: Database, connection: Connection, book: str, progress: Progress | None) -> None:
    """Sees that the index knows everything that is recorded by now: an answer just given must not be overlooked."""
    reached = asking.standing(connection, book, NAME)
    if reached is None or reached < head(connection, book).size:
        catch_up(database, book, NAME, progress=progress)


def timekeeper_of(ledger: Ledger, database: Database, *, idle_seconds: float = IDLE_SECONDS) -> Standby:
    """Keeps the time of one book for as long as a process lives; in a second process it stands by."""
    log = structlog.get_logger(NAME).bind(book=ledger.book)

    def keep(connection: Connection, stopped: Stopped) -> None:
        for kept in keep_time(ledger, database, connection):
            if kept.recorded:
                log.info("timekeeper.recorded", **kept.recorded, position=kept.position)
            if stopped():
                return

    return Standby(NAME, database, ledger.book, keep, idle_seconds)
