"""Makes checkpoints while a process lives, so that the newest is never older than a minute while events come in."""

import threading
from typing import Self

import psycopg2
import structlog
from eventsourcing.persistence import PersistenceError

from ledger.database.faults import DatabaseUnavailable
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.cosigning import NOBODY_ASKED, Policy, WitnessDisagrees, make_and_collect
from ledger.record.tree import ProofFailed
from ledger.refusal import Refusal
from ledger.vault.master import KeysUnusable

EVERY_SECONDS = 20.0
"""A third of what is promised: one that fails is tried twice again before the minute is over."""

log = structlog.get_logger("checkpoints")


class Schedule:
    """A thread that makes a checkpoint where events have come since the last. `with` starts and ends it."""

    def __init__(
        self, checkpoints: Checkpoints, policy: Policy = NOBODY_ASKED, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._checkpoints = checkpoints
        self._policy = policy
        self._every_seconds = every_seconds
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._make()
            except (Refusal, ProofFailed, KeysUnusable, WitnessDisagrees) as stopped:
                # said again each time: nobody can prove anything of what is recorded from here on
                log.critical("no checkpoint", book=self._checkpoints.book, reason=str(stopped))
            except (psycopg2.Error, PersistenceError, DatabaseUnavailable, OSError) as fault:
                log.warning("no checkpoint", book=self._checkpoints.book, exc_info=fault)
            if self._ends.wait(self._every_seconds):
                return

    def _make(self) -> None:
        made, collected = make_and_collect(self._checkpoints, self._policy)
        if made is not None and not collected.ok:
            log.warning(
                "quorum missed",
                book=self._checkpoints.book,
                size=made.checkpoint.size,
                cosigned=collected.cosigned,
                quorum=collected.quorum,
                failures=collected.failures,
            )
