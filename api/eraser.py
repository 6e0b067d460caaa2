"""The eraser at work: approved erasures are carried out as soon as no retention, hold or open complaint keeps the values.

It decides nothing: a second person approved each before, and the rules of access are asked again at the deed.
"""

from datetime import UTC, datetime

import structlog
from psycopg2.extensions import connection as Connection

from api.standby import Standby, Stopped
from ledger.application import Ledger
from ledger.database.target import Database
from ledger.vault.due import Approved, erase_due
from ledger.vault.erasing import carry_out_begun
from ledger.vault.service import Vault

NAME = "eraser"
PRINCIPAL = "eraser"

IDLE_SECONDS = 60.0


def eraser_of(ledger: Ledger, database: Database, vault: Vault, *, idle_seconds: float = IDLE_SECONDS) -> Standby:
    """Carries out what is due in one book for as long as a process lives; in a second process it stands by."""
    log = structlog.get_logger(NAME).bind(book=ledger.book)
    approved = Approved()
    finished = False

    def carry_out(_connection: Connection, stopped: Stopped) -> None:
        nonlocal finished
        if not finished:  # it begins, or the last round was cut off, perhaps between an event and its deed
            carry_out_begun(ledger, vault)
        finished = False
        for looked in erase_due(ledger, vault, approved, PRINCIPAL, datetime.now(UTC)):
            if looked.erased is not None:
                log.info("eraser.erased", position=looked.erased.position, values=looked.erased.values)
            if looked.refused is not None:
                log.warning("eraser.refused", refusal=looked.refused.kind())
            if stopped():
                break
        finished = True

    return Standby(NAME, database, ledger.book, carry_out, idle_seconds)
