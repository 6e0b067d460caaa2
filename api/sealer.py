"""Seals on a schedule: no event stays longer than a day without a seal of each projection over it. Computes no digest."""

from datetime import UTC, datetime, timedelta

import structlog
from psycopg2.extensions import connection as Connection

from api.standby import Standby, Stopped
from ledger.application import Ledger
from ledger.database.target import Database
from ledger.record.reading import events_after
from ledger.seal.events import SEAL_NAMES
from ledger.seal.recording import last_seal, record_seal
from projections import asking
from projections.catalogue import PROJECTIONS
from projections.sealing import sealed

NAME = "sealer"

SEALED_WITHIN = timedelta(days=1)
"""How old an event may be before each projection is sealed behind it."""
LOOKED_AT_MAX = 200
"""Events behind the last seal that are looked at for one that is no seal itself."""
IDLE_SECONDS = 60.0


def is_due(connection: Connection, book: str, projection: str, now: datetime) -> bool:
    """Whether the first event behind a projection's last seal is old enough, and worked in. Seals themselves wait.

    Costs two small reads.
    """
    last = last_seal(connection, book, projection)
    behind = 0 if last is None else last[0].position
    waiting = events_after(connection, book, behind, LOOKED_AT_MAX)
    oldest = next((row for row in waiting if row.name not in SEAL_NAMES), None)
    if oldest is None and len(waiting) == LOOKED_AT_MAX:
        oldest = waiting[-1]  # what stands behind so many seals is not looked for
    if oldest is None or oldest.recorded_at > now - SEALED_WITHIN:
        return False
    reached = asking.standing(connection, book, projection)
    return reached is not None and reached >= oldest.position


def sealer_of(ledger: Ledger, database: Database, *, idle_seconds: float = IDLE_SECONDS) -> Standby:
    """Seals the projections of one book for as long as a process lives; in a second process it stands by."""
    log = structlog.get_logger(NAME).bind(book=ledger.book)

    def seal(connection: Connection, stopped: Stopped) -> None:
        for name in PROJECTIONS:
            if stopped():
                return
            if is_due(connection, ledger.book, name, datetime.now(UTC)):
                made = sealed(database, ledger.book, name, datetime.now(UTC))
                if record_seal(ledger, connection, made) is not None:
                    log.info("sealer.sealed", projection=name, position=made.position, rows=made.rows)

    return Standby(NAME, database, ledger.book, seal, idle_seconds)
