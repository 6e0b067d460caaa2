"""The policies of a book as known at any position, read from the record; and as a fold follows them. Writes no row."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.deadlines.clock import Rulebook
from ledger.policy.built_in import policies_stream
from ledger.policy.events import PolicyEvent
from ledger.policy.state import Policies, evolve, policies
from ledger.record.book import book_id
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, head, stream_events


class Standing(NamedTuple):
    """What a book went by from a position on, and the event that made it so."""

    position: int
    recorded_at: datetime
    event: PolicyEvent
    policies: Policies


class Followed:
    """The policies of a book up to where somebody has come, with every state before: what was issued went by those."""

    def __init__(self, stream_id: UUID, rows: Sequence[StoredRow] = ()) -> None:
        self.stream_id = stream_id
        self._standings: list[Standing] = []
        for row in rows:
            self.take(row)

    @classmethod
    def up_to(cls, connection: Connection, book: str, position: int | None = None) -> "Followed":
        """The policies as known at a position; all of them where none is given. Costs one read of their stream."""
        stream_id = policies_stream(book_id(head(connection, book).origin))
        return cls(stream_id, stream_events(connection, book, stream_id, up_to_position=position))

    def followed_by(self, rows: Iterable[StoredRow]) -> "Followed":
        """The same with later policies; this one stays as it is."""
        later = Followed(self.stream_id)
        later._standings = [*self._standings]
        for row in rows:
            later.take(row)
        return later

    def take(self, row: StoredRow) -> Standing:
        """One more policy, the latest."""
        event = opened(row).event
        assert isinstance(event, PolicyEvent), f"{row.name} is no policy"
        self._standings.append(Standing(row.position, row.recorded_at, event, evolve(self.now, event)))
        return self._standings[-1]

    @property
    def now(self) -> Policies:
        """What the book goes by."""
        return self._standings[-1].policies if self._standings else _NONE

    @property
    def rulebook(self) -> Rulebook:
        """What a deadline goes by now."""
        return self.now.rulebook

    @property
    def standings(self) -> Sequence[Standing]:
        """Every state, in the order of positions."""
        return self._standings

    def at(self, position: int) -> Policies:
        """What the book went by at a position."""
        place = bisect_right(self._standings, position, key=_position)
        return self._standings[place - 1].policies if place else _NONE


class Remembered:
    """The policies of a book as they are now, of which only what was published since is read. Safe for threads."""

    def __init__(self, book: str) -> None:
        self._book = book
        self._lock = Lock()
        self._followed: Followed | None = None

    def now(self, connection: Connection) -> Followed:
        """All that is published. Costs one indexed read, of no row where nothing was published since."""
        with self._lock:
            known = self._followed or Followed.up_to(connection, self._book, 0)
            rows = stream_events(connection, self._book, known.stream_id, after_version=len(known.standings))
            if rows or self._followed is None:
                self._followed = known = known.followed_by(rows)
            return known


def policies_at(connection: Connection, book: str, position: int | None = None) -> Policies:
    """What a book goes by, as known at a position; now where none is given. Costs one read of its policies' stream."""
    return Followed.up_to(connection, book, position).now


_NONE = policies(())
"""Of a book without policies of its own: one object, so that its rules are looked up once."""


def _position(standing: Standing) -> int:
    return standing.position
