"""Makes checkpoints while a process lives, so that the newest is never older than a minute while events come in."""

import threading
from collections.abc import Callable
from typing import Self

import psycopg2
import structlog
from eventsourcing.persistence import PersistenceError

from ledger.database.faults import DatabaseUnavailable
from ledger.proof.checkpoints import Checkpoints, held
from ledger.proof.cosigning import NOBODY_ASKED, Policy, WitnessDisagrees, collect
from ledger.record.tree import ProofFailed
from ledger.refusal import Refusal
from ledger.vault.master import KeysUnusable

EVERY_SECONDS = 20.0
"""A third of what is promised: one that fails is tried twice again before the minute is over."""
END_SECONDS_MAX = 5.0
"""How long each thread is waited for at the end; what it was about is done with the next checkpoint."""

log = structlog.get_logger("checkpoints")


class Schedule:
    """Makes a checkpoint where events have come since the last, and has it cosigned. `with` starts and ends it.

    One thread signs and another asks the witnesses: a witness that is slow or away delays its own cosignature, and neither
    the next checkpoint nor the end of the program.
    """

    def __init__(
        self, checkpoints: Checkpoints, policy: Policy = NOBODY_ASKED, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._checkpoints = checkpoints
        self._policy = policy
        self._every_seconds = every_seconds
        self._ends = threading.Event()
        self._signed = threading.Event()
        self._newest_size = 0
        self._threads = [threading.Thread(target=self._sign_on, name="checkpoints", daemon=True)]
        if policy.witnesses:
            self._threads.append(threading.Thread(target=self._collect_on, name="cosignatures", daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._signed.set()
        for thread in self._threads:
            thread.join(END_SECONDS_MAX)
            if thread.is_alive():
                log.warning("left behind", book=self._checkpoints.book, thread=thread.name)

    def _sign_on(self) -> None:
        while True:
            self._tried(self._sign)
            if self._ends.wait(self._every_seconds):
                return

    def _collect_on(self) -> None:
        """Asks for the newest checkpoint, each time that one was signed or looked at again."""
        while True:
            self._signed.wait()
            self._signed.clear()
            if self._ends.is_set():
                return
            self._tried(self._collect)

    def _tried(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (Refusal, ProofFailed, KeysUnusable, WitnessDisagrees) as stopped:
            # said again each time: nobody can prove anything of what is recorded from here on
            log.critical("no checkpoint", book=self._checkpoints.book, reason=str(stopped))
        except (psycopg2.Error, PersistenceError, DatabaseUnavailable, OSError) as fault:
            log.warning("no checkpoint", book=self._checkpoints.book, exc_info=fault)

    def _sign(self) -> None:
        made = self._checkpoints.make()
        if made is not None:
            self._newest_size = made.checkpoint.size
            self._signed.set()

    def _collect(self) -> None:
        size, book = self._newest_size, self._checkpoints.book
        with self._checkpoints.connection() as connection:
            collected = collect(connection, book, held(connection, book, size), self._policy)
        for failure in collected.failures:
            log.warning("no cosignature", book=book, size=size, failure=failure)
        if not collected.ok:
            log.warning("quorum missed", book=book, size=size, cosigned=collected.cosigned, quorum=collected.quorum)
