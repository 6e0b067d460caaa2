"""One stretch of a book, verified from the stored bytes: entries, leaf hashes, tiles, personal values. Knows no tree.

Stretches are independent of one another, so several processes can each take some. Each is a few short statements.
What is as it has to be is compared as a whole, thousands of events at once; where a whole differs, its events and values
are gone over one by one, and what differs is named.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.record.digests import Digest, Plans, UnknownName, digests_of
from ledger.record.entry import written
from ledger.record.problems import Found, Kind, Problem, Values
from ledger.record.raw import RawEvent, RawRows, instant_at, taken_apart
from ledger.record.tree import HASH_BYTES, leaf_hash, perfect_levels
from ledger.record.values import Where, check_carried, check_values
from ledger.record.verify_rows import RowsInOrder

if TYPE_CHECKING:
    from ledger.vault.keys import SubjectKeys

TILE_LEVEL = 8
TILE_HASHES = 2**TILE_LEVEL
TILE_BYTES = TILE_HASHES * HASH_BYTES

_QUERIES = queries(__file__)


class Stretch(NamedTuple):
    """Positions behind `after` up to `last`."""

    after: int
    last: int


class Verified(NamedTuple):
    """What a stretch holds: the computed leaf hashes, 32 bytes each, one behind the other.

    `levels` are those of the whole tiles with which it begins, where it begins at a tile's border and nothing is missing:
    leaf hashes, and what is over them up to the tiles' roots. `leaves` are the leaf hashes behind them. `tiles_agree` says that the stored tiles over them are
    either the same or not built yet. Instants are microseconds since 2000-01-01 UTC, as PostgreSQL counts; None where
    there was no event.
    """

    stretch: Stretch
    events: int
    last_position: int
    leaves: bytes
    levels: list[bytes]
    tiles_agree: bool
    first_recorded_us: int | None
    last_recorded_us: int | None
    problems: list[Problem]
    problems_total: int
    values: Values


def fix_search_path(connection: Connection) -> None:
    """From here on a name without its schema is one of the server's own, whatever is set for the role or the database."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["search_path"])


class Verifier:
    """Verifies stretches of one book by one connection, and opens values where it has the keys."""

    def __init__(
        self, connection: Connection, book: str, origin: str, plans: Plans, keys: "SubjectKeys | None" = None
    ) -> None:
        self._connection = connection
        self._book = book
        self._origin = origin
        self._plans = plans
        self._keys = keys
        self._in_order = RowsInOrder(origin, plans)

    def stretch(self, stretch: Stretch) -> Verified:
        """Recomputes a stretch. Two hashes an event for the entry and one for the tree, one opening a value with keys."""
        return _Page(self._connection, self._book, self._origin, stretch, self._plans, self._keys).verified(
            self._in_order
        )

    def streams_agree(self, streams: "Streams") -> bool:
        """Whether the heads and the events of these streams agree, all of them."""
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES["streams_agree"], {"book": self._book, **streams._asdict()})
            ((agree,),) = cursor.fetchall()
        return bool(agree)


class Streams(NamedTuple):
    """The streams from one id up to another, both included; ids as text."""

    first: str
    last: str


class _Page:
    def __init__(
        self,
        connection: Connection,
        book: str,
        origin: str,
        stretch: Stretch,
        plans: Plans,
        keys: "SubjectKeys | None",
    ) -> None:
        self._connection = connection
        self._book = book
        self._origin = origin
        self._stretch = stretch
        self._plans = plans
        self._keys = keys
        self._found = Found()
        self._events = 0
        self._position = stretch.after
        self._first_us: int | None = None
        self._last_us: int | None = None
        self._leaves: list[bytes] = []
        self._places: list[int] = []
        self._lines: list[str] = []
        self._unread: set[int] = set()

    def verified(self, in_order: RowsInOrder) -> Verified:
        after, last = self._stretch

        def take(rows: list[bytes]) -> None:
            read = in_order.read(rows, self._position, self._last_us)
            if read is None:
                for row in rows:
                    self._take(taken_apart(row))
                return
            self._events += len(rows)
            self._places += range(self._position + 1, self._position + len(rows) + 1)
            self._position += len(rows)
            self._leaves += read.leaves
            self._lines += read.lines
            self._first_us = read.first_us if self._first_us is None else self._first_us
            self._last_us = read.last_us

        page = RawRows(take)
        with self._connection.cursor() as cursor:
            select = cursor.mogrify(_QUERIES["events"], {"book": self._book, "after": after, "last": last}).decode()
            cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", page)
        page.close()
        if self._events > 0 and self._position < last:
            self._found.add(self._position + 1, Kind.POSITION, missing(self._position + 1, last))
        values = Values()
        leaves = b"".join(self._leaves)
        whole = len(self._leaves) == last - after and self._position == last
        if self._events:
            if not (whole and self._stored_as(leaves)):
                self._compare_leaves()
            values = self._check_values()
        full = len(leaves) - len(leaves) % TILE_BYTES if whole and after % TILE_HASHES == 0 else 0
        levels = perfect_levels(leaves[:full], TILE_LEVEL)
        return Verified(
            stretch=self._stretch,
            events=self._events,
            last_position=self._position,
            leaves=leaves[full:],
            levels=levels,
            tiles_agree=self._tiles_agree(levels[0], levels[-1]),
            first_recorded_us=self._first_us,
            last_recorded_us=self._last_us,
            problems=self._found.kept,
            problems_total=self._found.total,
            values=values,
        )

    def _take(self, event: RawEvent | None) -> None:
        """One event as it comes from the database: its place, its time, its entry and its digests."""
        self._events += 1
        if event is None:
            # its place is not known, so the next event shows the gap
            self._found.add(self._position + 1, Kind.ENTRY, "a row in this place has a field that is null")
            return
        if event.position == self._position + 1:
            self._position = event.position
        else:
            self._check_place(event)
        if self._last_us is not None and event.recorded_us > self._last_us:
            self._last_us = event.recorded_us
        else:
            self._check_time(event)
        try:
            self._leaves.append(leaf_hash(entry_written(self._origin, event)))
            self._places.append(event.position)
        except ValueError as error:
            self._found.add(event.position, Kind.ENTRY, str(error))
        try:
            self._lines += [each.line() for each in digests_of(self._plans, event.position, event.name, event.state)]
        except UnknownName:
            self._unread.add(event.position)
            self._found.add(
                event.position, Kind.NAME, f"the stored name {event.name[:200]!r} is not known to this program"
            )
        except ValueError as error:
            self._unread.add(event.position)
            self._found.add(event.position, Kind.STATE, f"the state cannot be read as {event.name[:200]}: {error}")

    def _check_place(self, event: RawEvent) -> None:
        due = self._position + 1
        if event.position > due:
            self._found.add(due, Kind.POSITION, missing(due, event.position - 1))
        elif event.position < due:
            self._found.add(event.position, Kind.POSITION, f"position {event.position} stands more than once")
        self._position = event.position

    def _check_time(self, event: RawEvent) -> None:
        if self._last_us is None:
            self._first_us = event.recorded_us
        elif event.recorded_us <= self._last_us:
            self._found.add(event.position, Kind.TIME, NOT_LATER)
        self._last_us = event.recorded_us

    def _stored_as(self, leaves: bytes) -> bool:
        """Whether exactly these leaf hashes were stored with the stretch's events, every position once."""
        after, last = self._stretch
        ((first, upto, follow, joined),) = self._rows("leaves_joined", after=after, last=last)
        if not follow or first > after + 1 or upto < last:
            return False
        begins = (after + 1 - first) * HASH_BYTES
        return bytes(joined)[begins : begins + len(leaves)] == leaves

    def _compare_leaves(self) -> None:
        """Names the events whose entries have another hash than was stored with them."""
        after, last = self._stretch
        stored = self._stored_leaves(self._rows("leaves", after=after, last=last, chunks_max=last - after))
        for position, leaf in zip(self._places, self._leaves, strict=True):
            kept = stored.pop(position, None)
            if kept is None:
                self._found.add(position, Kind.LEAF, "no leaf hash was stored for this event")
            elif kept != leaf:
                self._found.add(position, Kind.LEAF, "the event's entry does not have the hash that was stored with it")

    def _stored_leaves(self, chunks: Sequence[tuple[Any, ...]]) -> dict[int, bytes]:
        after, last = self._stretch
        stored: dict[int, bytes] = {}
        for first, end, hashes in chunks:
            held = bytes(hashes)
            for start in range(max(after + 1 - first, 0) * HASH_BYTES, len(held), HASH_BYTES):
                position = first + start // HASH_BYTES
                if position > last:
                    break
                if position in stored or position > end:
                    self._found.add(position, Kind.LEAF, "more than one leaf hash was stored for this event")
                stored[position] = held[start : start + HASH_BYTES]
        return stored

    def _tiles_agree(self, leaves: bytes, roots: bytes) -> bool:
        """Whether the stored tiles over these leaf hashes are these. None need be built yet; what is between is not told."""
        if not roots:
            return False
        first, whole = self._stretch.after // TILE_HASHES, len(roots) // HASH_BYTES
        ((tiles, hashes, stored_roots),) = self._rows("tiles_joined", first=first, last=first + whole - 1)
        if tiles == 0:
            return True
        return tiles == whole and bytes(hashes) == leaves and bytes(stored_roots) == roots

    def _check_values(self) -> Values:
        """Every digest against the vault: all at once, else in any order, and one by one those that have no value there."""
        after, last = self._stretch
        where = Where(self._connection, self._book, self._origin)
        if self._keys is None and not self._unread:
            ((values_stored, told),) = self._rows("values_told", after=after, last=last)
            if values_stored == len(self._lines) and (told or "") == "\n".join(self._lines):
                return Values(unopened=values_stored)
            stored, expected = set(told.split("\n") if told else ()), set(self._lines)
            if len(stored) == values_stored and len(expected) == len(self._lines) and stored <= expected:
                gone = [Digest.told(line) for line in self._lines if line not in stored] if stored < expected else []
                return Values(unopened=values_stored, erased=check_carried(where, gone, self._found))
        digests = [Digest.told(line) for line in self._lines]
        return check_values(where, after, last, digests, self._unread, self._keys, self._found)

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return cursor.fetchall()


def entry_written(origin: str, event: RawEvent) -> bytes:
    """The entry of one event; raises ValueError naming the field that is outside its alphabet."""
    at, state = instant_at(event.recorded_us), hashlib.sha256(event.state).hexdigest()
    return written(origin, event.position, event.stream_id, event.version, event.name, at, state)


NOT_LATER = "recorded_at is not later than that of the event before"


def missing(first: int, last: int) -> str:
    """How a gap is named."""
    return f"position {first} is missing" if first == last else f"positions {first} to {last} are missing"
