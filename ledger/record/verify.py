"""Verifies a book against itself: every entry and the whole tree from the stored bytes, streams, answers, and the vault.

It reads only, page by page in short statements, in constant memory, while appends may go on: it verifies up to the
size that the book has when it begins. What it cannot see is a database rewritten as a whole, with every hash made
anew: only a checkpoint kept elsewhere shows that.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.names import UnknownStoredName
from ledger.record.entry import written
from ledger.record.problems import Found, Kind, Verification
from ledger.record.raw import RawEvent, RawEvents
from ledger.record.reading import NoSuchBook
from ledger.record.requests import Answers
from ledger.record.tree import HASH_BYTES, Edge, leaf_hash
from ledger.record.values import PageOfDigests, check_values, check_values_outside
from ledger.vault.keys import SubjectKeys, mark_of

EVENTS_PER_PAGE = 5_000
STREAMS_PER_PAGE = 5_000

ALL_STREAMS = 2**128

Progress = Callable[[int, int], None]
"""Called after each page with the events verified so far and those there are."""

_QUERIES = queries(__file__)


class EndOfBook(NamedTuple):
    """The book's row, and where its events and leaf hashes end, all of one moment."""

    origin: str
    size: int | None
    root: bytes | None
    edge: tuple[bytes | None, ...] | None
    recorded_us: int | None
    heads: int
    first_event: int | None
    last_event: int | None
    last_leaf: int | None


def verify(
    database: Database,
    book: str,
    keys: SubjectKeys | None = None,
    progress: Progress | None = None,
    *,
    events_per_page: int = EVENTS_PER_PAGE,
) -> Verification:
    """Recomputes a whole book as the auditor and says what does not agree; raises NoSuchBook.

    With the keys it also opens every personal value that is not erased. Costs one reading of the book, two hashes
    an event for the entry and one for the tree.
    """
    connection = database.connect(Role.AUDITOR, autocommit=True)
    try:
        return _Book(connection, book, keys, events_per_page).verified(progress or _unwatched)
    finally:
        connection.close()


class _Book:
    """One run over one book: how far it is, and what it has found."""

    def __init__(self, connection: Connection, book: str, keys: SubjectKeys | None, events_per_page: int) -> None:
        self._connection = connection
        self._book = book
        self._keys = keys
        self._events_per_page = events_per_page
        self._found = Found()
        self._answers = Answers(connection, book, self._found)
        self._edge = Edge()
        self._origin = ""
        self._events = 0
        self._position = 0
        self._recorded_us: int | None = None
        self._leaves: list[tuple[int, bytes]] = []
        self._digests = PageOfDigests()

    def verified(self, progress: Progress) -> Verification:
        end = self._end()
        self._origin = end.origin
        size = end.size or 0
        self._check_ends(end)
        self._answers.check_end(size)
        while self._verify_page(size):
            progress(self._position, size)
        if self._position < size:
            self._found.add(self._position + 1, Kind.POSITION, _missing(self._position + 1, size))
        self._answers.finish(size)
        self._check_tree(end)
        self._check_streams()
        self._check_opening()
        check_values_outside(self._connection, self._book, self._found)
        return Verification(
            self._book, self._events, self._edge.root().hex(), tuple(self._found.kept), self._found.total
        )

    def _end(self) -> EndOfBook:
        rows = self._rows("end_of_book")
        if not rows:
            raise NoSuchBook(self._book)
        origin, size, root, edge, recorded_at, *rest = rows[0]
        return EndOfBook(
            origin,
            size,
            None if root is None else bytes(root),
            None if edge is None else tuple(None if each is None else bytes(each) for each in edge),
            None if recorded_at is None else int.from_bytes(recorded_at, "big", signed=True),
            *rest,
        )

    def _check_ends(self, end: EndOfBook) -> None:
        """The book's row, the last event and the last leaf hash are written in one transaction."""
        if end.heads != 1:
            self._found.add(None, Kind.HEAD, f"the book has {end.heads} rows that say where it ends, and must have one")
        if end.first_event is not None and end.first_event < 1:
            self._found.add(
                end.first_event, Kind.POSITION, f"an event stands at position {end.first_event}, before the first"
            )
        size = end.size or 0
        last_event, last_leaf = end.last_event or 0, end.last_leaf or 0
        if last_event > size:
            self._found.add(
                last_event, Kind.HEAD, f"the events go on to position {last_event}, the book's row says {size}"
            )
        if last_leaf != size:
            self._found.add(None, Kind.HEAD, f"the leaf hashes end at position {last_leaf}, the book's row says {size}")

    def _verify_page(self, size: int) -> bool:
        """The next page of events, its leaf hashes and its personal values; False when there is none."""
        after = self._position
        page = RawEvents(self._take)
        parameters = {"book": self._book, "after": after, "last": size, "events_max": self._events_per_page}
        with self._connection.cursor() as cursor:
            select = cursor.mogrify(_QUERIES["events"], parameters).decode()
            cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", page)
        if page.rows == 0 or self._position == after:
            return False
        self._answers.fold(self._edge, self._leaves, self._position)
        self._compare_leaves(after)
        check_values(self._connection, self._book, after, self._position, self._digests, self._keys, self._found)
        self._leaves = []
        self._digests = PageOfDigests()
        return True

    def _take(self, event: RawEvent | None) -> None:
        """One event as it comes from the database: its place, its time, its entry and its digests."""
        self._events += 1
        if event is None:
            # its place is not known, so the next event shows the gap
            self._found.add(self._position + 1, Kind.ENTRY, "a row in this place has a field that is null")
            return
        self._check_place(event)
        self._check_time(event)
        try:
            entry = written(
                self._origin,
                event.position,
                event.stream_id(),
                event.version,
                event.name,
                event.recorded_at(),
                hashlib.sha256(event.state).hexdigest(),
            )
            self._leaves.append((event.position, leaf_hash(entry)))
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
            self._found.add(due, Kind.POSITION, _missing(due, event.position - 1))
        elif event.position < due:
            self._found.add(event.position, Kind.POSITION, f"position {event.position} stands more than once")
        self._position = event.position

    def _check_time(self, event: RawEvent) -> None:
        if self._recorded_us is not None and event.recorded_us <= self._recorded_us:
            self._found.add(event.position, Kind.TIME, "recorded_at is not later than that of the event before")
        self._recorded_us = event.recorded_us

    def _compare_leaves(self, after: int) -> None:
        """Names the events whose entries have another hash than was stored with them."""
        stored = self._stored_leaves(after)
        for position, leaf in self._leaves:
            kept = stored.pop(position, None)
            if kept is None:
                self._found.add(position, Kind.LEAF, "no leaf hash was stored for this event")
            elif kept != leaf:
                self._found.add(position, Kind.LEAF, "the event's entry does not have the hash that was stored with it")

    def _stored_leaves(self, after: int) -> dict[int, bytes]:
        chunks = self._rows("leaves", after=after, last=self._position, chunks_max=self._events_per_page)
        stored: dict[int, bytes] = {}
        for first, last, hashes in chunks:
            for start in range(0, len(hashes), HASH_BYTES):
                position = first + start // HASH_BYTES
                if after < position <= self._position:
                    if position in stored or position > last:
                        self._found.add(position, Kind.LEAF, "more than one leaf hash was stored for this event")
                    stored[position] = bytes(hashes[start : start + HASH_BYTES])
        return stored

    def _check_tree(self, end: EndOfBook) -> None:
        if end.size is None:
            self._found.add(None, Kind.HEAD, "the row that says where the book ends is missing")
            return
        if self._edge.root() != end.root:
            self._found.add(
                None,
                Kind.ROOT,
                f"the tree of the stored events has the root {self._edge.root().hex()}, the book's row another",
            )
        if self._edge.levels != end.edge:
            self._found.add(None, Kind.ROOT, "the tree's edge in the book's row is not that of the stored events")
        if self._recorded_us != end.recorded_us:
            self._found.add(end.size or None, Kind.HEAD, "the book's row says another recorded_at than its last event")

    def _check_opening(self) -> None:
        """The book's creation against its first event, and its key store against the keys that were given."""
        ((created_late, keys_mark),) = self._rows("opening")
        if created_late:
            self._found.add(None, Kind.HEAD, "the book's row says that it was opened after its first event")
        if self._keys is not None and keys_mark not in (None, mark_of(self._keys, self._book)):
            self._found.add(None, Kind.HEAD, "the book's row names another key store than the one given")

    def _check_streams(self) -> None:
        """Heads against events, both ways; versions without a gap. Streams may have grown since: both sides have."""
        start = 0
        while start < ALL_STREAMS and (
            page := self._rows("streams", start=UUID(int=start), streams_max=STREAMS_PER_PAGE)
        ):
            for stream_id, head, first, last, count in page:
                if last is None:
                    self._found.add(None, Kind.STREAM, f"stream {stream_id} has a head at version {head} and no event")
                elif head is None:
                    self._found.add(None, Kind.STREAM, f"stream {stream_id} has {count} events and no head")
                elif head != last:
                    self._found.add(
                        None, Kind.STREAM, f"stream {stream_id} ends with version {last}, its head says {head}"
                    )
                if last is not None and (first not in {0, 1} or last - first + 1 != count):
                    says = f"stream {stream_id} has {count} events with versions {first} to {last}: some are missing"
                    self._found.add(None, Kind.STREAM, says)
            start = page[-1][0].int + 1

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return cursor.fetchall()


def _unwatched(done: int, size: int) -> None:
    """Nobody asked how far it is."""
    del done, size


def _missing(first: int, last: int) -> str:
    return f"position {first} is missing" if first == last else f"positions {first} to {last} are missing"
