"""A thread that does what nobody asks for, in one process of all that serve a book; in the others it stands by.

It knows no work. The lock only saves that two do the same: the work itself has to be right whoever does it.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Self

import structlog
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from projections.machine import take

STANDBY_SECONDS = 1.0
"""How often a standby tries to take over."""
FAULT_SECONDS = 2.0
"""How long it waits after the database went away, or a projection that it needs was stopped by an event."""
STOP_SECONDS_MAX = 15.0
"""How long it is waited for at the end: what is in hand is committed or not, and begun again by the next one."""

Stopped = Callable[[], bool]
Work = Callable[[Connection, Stopped], None]
"""One round of the work, on a connection that reads as the application; it looks now and then whether it is stopped."""


class Standby(threading.Thread):
    """Does a round of work every so many seconds, for as long as the process lives and no other does it."""

    def __init__(self, name: str, database: Database, book: str, work: Work, idle_seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._database = database
        self._book = book
        self._work = work
        self._idle_seconds = idle_seconds
        self._stopping = threading.Event()
        self._log = structlog.get_logger(name).bind(book=book)

    def stop(self) -> None:
        """Asks it to end, and waits for the round in hand."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_SECONDS_MAX)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Whatever happens, begins again. While it waits after a fault it holds no lock."""
        while not self._stopping.is_set():
            try:
                with closing(self._database.connect(Role.APPLICATION, autocommit=True)) as connection:
                    if self._stand_by(connection):
                        self._go_on(connection)
            except Exception as error:  # noqa: BLE001 - the outermost loop of a thread that nobody else watches
                self._log.warning(f"{self.name}.fault", error=type(error).__name__)
                self._stopping.wait(FAULT_SECONDS)

    def _stand_by(self, connection: Connection) -> bool:
        """Waits until the lock is ours; False when we are stopped first."""
        while not self._stopping.is_set():
            if take(connection, self._book, self.name, "work"):
                return True
            self._stopping.wait(STANDBY_SECONDS)
        return False

    def _go_on(self, connection: Connection) -> None:
        while not self._stopping.is_set():
            self._work(connection, self._stopping.is_set)
            self._stopping.wait(self._idle_seconds)
