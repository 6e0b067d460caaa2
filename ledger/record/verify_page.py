"""One stretch of a book, verified from the stored bytes: entries, leaf hashes, personal values. Knows no tree.

Stretches are independent of one another, so several processes can each take some. Each is a few short statements.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.names import UnknownStoredName
from ledger.record.entry import FORMAT, is_name, is_origin, written
from ledger.record.problems import Found, Kind, Problem, Values
from ledger.record.raw import RawEvent, RawEvents
from ledger.record.tree import HASH_BYTES, leaf_hash, perfect_root
from ledger.record.values import PageOfDigests, Where, check_values
from ledger.vault.keys import SubjectKeys

TILE_HASHES = 256
TILE_BYTES = TILE_HASHES * HASH_BYTES

_QUERIES = queries(__file__)


class Stretch(NamedTuple):
    """Positions behind `after` up to `last`."""

    after: int
    last: int


class Verified(NamedTuple):
    """What a stretch holds. `leaves` are the computed leaf hashes, 32 bytes each, in order.

    `tile_roots` are those over each 256 of them, where the stretch begins at a tile's border and nothing is missing.
    Instants are microseconds since 2000-01-01 UTC, as PostgreSQL counts; None where there was no event.
    """

    stretch: Stretch
    events: int
    last_position: int
    leaves: bytes
    tile_roots: list[bytes]
    first_recorded_us: int | None
    last_recorded_us: int | None
    problems: list[Problem]
    problems_total: int
    values: Values


def verify_stretch(
    connection: Connection, book: str, origin: str, stretch: Stretch, keys: SubjectKeys | None
) -> Verified:
    """Recomputes a stretch. Two hashes an event for the entry and one for the tree, one opening a value with keys."""
    return _Page(connection, book, origin, stretch, keys).verified()


class _Page:
    def __init__(
        self, connection: Connection, book: str, origin: str, stretch: Stretch, keys: SubjectKeys | None
    ) -> None:
        self._connection = connection
        self._book = book
        self._origin = origin
        self._stretch = stretch
        self._keys = keys
        self._found = Found()
        self._events = 0
        self._position = stretch.after
        self._first_us: int | None = None
        self._last_us: int | None = None
        self._leaves: list[tuple[int, bytes]] = []
        self._digests = PageOfDigests()
        self._writer = EntryWriter(origin)

    def verified(self) -> Verified:
        after, last = self._stretch
        page = RawEvents(self._take)
        with self._connection.cursor() as cursor:
            select = cursor.mogrify(_QUERIES["events"], {"book": self._book, "after": after, "last": last}).decode()
            cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", page)
        if self._events > 0 and self._position < last:
            self._found.add(self._position + 1, Kind.POSITION, missing(self._position + 1, last))
        values = Values()
        self._joined = b"".join([leaf for _, leaf in self._leaves])
        if self._events:
            self._compare_leaves()
            where = Where(self._connection, self._book, self._origin)
            values = check_values(where, after, last, self._digests, self._keys, self._found)
        leaves = self._joined
        whole = after % TILE_HASHES == 0 and len(self._leaves) == last - after
        full = len(leaves) - len(leaves) % TILE_BYTES if whole else 0
        return Verified(
            stretch=self._stretch,
            events=self._events,
            last_position=self._position,
            leaves=leaves,
            tile_roots=[perfect_root(leaves[start : start + TILE_BYTES]) for start in range(0, full, TILE_BYTES)],
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
            self._leaves.append((event.position, leaf_hash(self._writer.entry(event))))
        except ValueError as error:
            self._found.add(event.position, Kind.ENTRY, str(error))
        try:
            self._digests.read(event.position, event.name, event.state)
        except UnknownStoredName:
            self._found.add(
                event.position, Kind.NAME, f"the stored name {event.name[:200]!r} is not known to this program"
            )
        except ValueError as error:
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

    def _compare_leaves(self) -> None:
        """Names the events whose entries have another hash than was stored with them."""
        after, last = self._stretch
        chunks = self._rows("leaves", after=after, last=last, chunks_max=last - after)
        if (
            self._position == last
            and len(self._leaves) == last - after
            and _in_one(chunks, after, last) == self._joined
        ):
            return  # every position once, and all of it in one comparison
        stored = self._stored_leaves(chunks)
        for position, leaf in self._leaves:
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

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return cursor.fetchall()


class EntryWriter:
    """Writes the entries of one book's events as `ledger.record.entry.written` does, in a third of its time.

    What a field cannot be is seen by what it is made of: numbers, a UUID's bytes, a hash; a name is looked at once. Whatever
    is out of the ordinary is given to `written`, which names the field.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._head = f"{FORMAT}\n{origin}\n"
        self._fits = is_origin(origin)
        self._names: dict[str, bool] = {}
        self._streams: dict[bytes, str] = {}
        self._second = -1
        self._at = ""

    def entry(self, event: RawEvent) -> bytes:
        """The entry; raises ValueError naming the field that is outside its alphabet."""
        state = hashlib.sha256(event.state).hexdigest()
        stream = self._streams.get(event.stream)
        if stream is None:
            stream = self._streams[event.stream] = event.stream_id()
        second, microsecond = divmod(event.recorded_us, 1_000_000)
        if second != self._second:
            self._at, self._second = event.recorded_at()[: -len("000000Z")], second
        name, position, version = event.name, event.position, event.version
        if self._fits and position > 0 and version >= 0 and self._names.get(name):
            at = f"{self._at}{microsecond:06}Z"
            return f"{self._head}{position}\n{stream}\n{version}\n{name}\n{at}\n{state}\n".encode("ascii")
        entry = written(self._origin, position, stream, version, name, event.recorded_at(), state)
        self._names[name] = is_name(name)
        return entry


def _in_one(chunks: Sequence[tuple[Any, ...]], after: int, last: int) -> bytes | None:
    """The stored leaf hashes of a stretch one behind the other; None where they do not follow one another."""
    pieces: list[bytes] = []
    due = after + 1
    for first, end, hashes in chunks:
        if first > due or end < due or (first < due and pieces) or len(hashes) != (end - first + 1) * HASH_BYTES:
            return None
        pieces.append(bytes(hashes)[(due - first) * HASH_BYTES : (min(end, last) - first + 1) * HASH_BYTES])
        due = end + 1
    return b"".join(pieces) if due > last else None


NOT_LATER = "recorded_at is not later than that of the event before"


def missing(first: int, last: int) -> str:
    """How a gap is named."""
    return f"position {first} is missing" if first == last else f"positions {first} to {last} are missing"


class Work(NamedTuple):
    """What another process needs to verify stretches: how to connect, which book, and how to open the keys."""

    dsn: str
    book: str
    origin: str
    open_keys: Callable[[], SubjectKeys] | None


class _Mine(NamedTuple):
    connection: Connection
    work: Work
    keys: SubjectKeys | None


_mine: list[_Mine] = []


def begin(work: Work) -> None:
    """Makes this process ready; called once in each that is started for it."""
    import psycopg2  # noqa: PLC0415 - this process connects by itself, the other one is handed a connection
    from psycopg2.extras import register_uuid  # noqa: PLC0415 - as above

    connection = psycopg2.connect(work.dsn)
    connection.autocommit = True
    register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    _mine.append(_Mine(connection, work, None if work.open_keys is None else work.open_keys()))


def verify_in_this_process(stretch: Stretch) -> Verified:
    """The same for one stretch, in a process that `begin` has made ready."""
    (mine,) = _mine
    return verify_stretch(mine.connection, mine.work.book, mine.work.origin, stretch, mine.keys)
