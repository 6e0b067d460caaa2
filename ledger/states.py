"""Keeps the states that were folded last, so that the next command on the same subject reads only what came since.

What is recorded never changes, so a state can be old and never wrong: whoever takes one reads what follows it. It holds
no personal value in clear, and reads no database.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any
from uuid import UUID

from ledger.subject import Subject

EVENTS_MAX = 20_000
"""How many events the kept states may have been folded from, some 40 MB of them."""

Key = tuple[str, UUID]


class States:
    """States with their versions, the longest unused forgotten first. Safe for threads: a state is never changed."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._events_max = events_max
        self._events = 0
        self._kept: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, subject: Subject[Any], stream_id: UUID) -> tuple[Any, int]:
        """A state and its version, perhaps not the newest; nothing and 0 where none is kept."""
        key = (subject.name, stream_id)
        with self._lock:
            if key not in self._kept:
                return subject.nothing, 0
            self._kept.move_to_end(key)
            return self._kept[key]

    def keep(self, subject: Subject[Any], stream_id: UUID, state: Any, version: int) -> None:
        """Keeps a state in the place of an earlier one of the same subject."""
        key = (subject.name, stream_id)
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = (state, version)
            self._events += version - before
            while self._events > self._events_max:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._events -= forgotten

    def forget(self, subject: Subject[Any], stream_id: UUID) -> None:
        """Lets go of a state that the record did not bear out: a database that was set back, for one."""
        with self._lock:
            _, version = self._kept.pop((subject.name, stream_id), (None, 0))
            self._events -= version
