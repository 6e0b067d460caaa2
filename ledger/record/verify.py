"""Verifies a book against itself and against what was signed: entries, tree, streams, answers and vault, from stored bytes.

It reads only, stretch by stretch in short statements, in constant memory and in several processes, while appends may go
on: it verifies up to the size that the book has when it begins. What it cannot see by itself is a database rewritten as
a whole, with every hash made anew: only a checkpoint kept elsewhere shows that, and one can be brought.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg2
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.record.files import check_files
from ledger.record.growing import GrowingTree, Signed
from ledger.record.plans import plans
from ledger.record.problems import Found, Kind, Values, Verification
from ledger.record.reading import NoSuchBook
from ledger.record.requests import Answers
from ledger.record.tree import Edge
from ledger.record.values import Where, check_values_outside
from ledger.record.verify_catalogue import StillCatalogue
from ledger.record.verify_page import (
    NOT_LATER,
    Streams,
    Stretch,
    Verified,
    Verifier,
    fix_search_path,
    missing,
)
from ledger.record.verify_process import Processes
from ledger.record.verify_serving import Work
from ledger.vault.keys import SubjectKeys, mark_of

EVENTS_PER_PAGE = 20 * 256
"""Whole tiles, so that a process that verifies a stretch can hash up to their roots."""
STREAMS_PER_PAGE = 5_000
EVENTS_FOR_SEVERAL_PROCESSES = 40_000
"""A smaller book is verified before another process has begun."""

STREAMS_PER_COMPARISON = 5_000
STRETCHES_AHEAD = 8
"""Asked of other processes before they are wanted: each holds its 160 KB of leaf hashes until its turn."""
FIRST_STREAM, LAST_STREAM = UUID(int=0), UUID(int=2**128 - 1)

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called after each stretch with the events verified so far and those there are."""

SignedOf = Callable[[Connection, str, Found], Iterator[Signed]]
"""The checkpoints that a book's tree has to have gone through, by size; what is wrong with one itself goes to Found."""

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
    signed: SignedOf | None = None,
    processes: int = 1,
    open_keys: Callable[[], SubjectKeys] | None = None,
) -> Verification:
    """Recomputes a whole book as the auditor and says what does not agree; raises NoSuchBook.

    First, and once more at the end, it holds what it reads against the migrations: a view in the place of a table would answer
    as it likes. Between the two a second connection holds it still. Where it differs and nothing can be read, the difference is
    the answer.

    With the keys it also opens every personal value and every file of evidence that is not erased; other processes open them by `open_keys`, which
    has to be picklable. Costs one reading of the book, two hashes an event for the entry and one for the tree.
    """
    found = Found()
    with (
        closing(database.connect(Role.AUDITOR, autocommit=True)) as connection,
        closing(database.connect(Role.AUDITOR)) as holding,
    ):
        try:
            fix_search_path(connection)
            fix_search_path(holding)
            catalogue = StillCatalogue(holding, found)
            run = _Book(connection, book, keys, events_per_page, signed or _nothing_signed, found)
            work = Work(database.dsn(Role.AUDITOR), book, "", plans(), open_keys if keys is not None else None)
            return run.verified(progress or _unwatched, processes if keys is None or open_keys else 1, work, catalogue)
        except (psycopg2.Error, NoSuchBook):
            if not found.has(Kind.CATALOGUE):
                raise
            return Verification(book, 0, Edge().root().hex(), tuple(found.kept), found.total)


class _Book:
    """One run over one book: how far it is, and what it has found."""

    def __init__(
        self,
        connection: Connection,
        book: str,
        keys: SubjectKeys | None,
        events_per_page: int,
        signed: SignedOf,
        found: Found,
    ) -> None:
        self._connection = connection
        self._book = book
        self._keys = keys
        self._events_per_page = events_per_page
        self._found = found
        self._answers = Answers(connection, book, self._found)
        self._tree = GrowingTree(self._tile, signed(connection, book, self._found), self._found)
        self._origin = ""
        self._events = 0
        self._values = Values()
        self._position = 0
        self._recorded_us: int | None = None
        self._processes: Processes | None = None

    def verified(self, progress: Progress, processes: int, work: Work, catalogue: StillCatalogue) -> Verification:
        end = self._end()
        self._origin = end.origin
        size = end.size or 0
        self._check_ends(end)
        self._answers.check_end(size)
        last = min(size, end.last_event or 0)
        with ExitStack() as running:
            if processes > 1 and last >= EVENTS_FOR_SEVERAL_PROCESSES:
                started = Processes(processes, work._replace(origin=end.origin))
                self._processes = running.enter_context(closing(started))
            for result in self._verified(self._stretches(last)):
                self._take(result)
                progress(self._position, size)
            self._check_streams()
        if self._position < size:
            self._found.add(self._position + 1, Kind.POSITION, missing(self._position + 1, size))
        self._answers.finish(size)
        self._check_tree(end)
        self._check_opening()
        check_values_outside(self._connection, self._book, self._found)
        files = check_files(Where(self._connection, self._book, end.origin), last, self._keys, self._found)
        self._tree.finish()
        catalogue.check_end()
        return Verification(
            self._book,
            self._events,
            self._tree.end().root().hex(),
            tuple(self._found.kept),
            self._found.total,
            self._tree.compared,
            self._values,
            files,
            self._found.time_stamps,
        )

    def _stretches(self, last: int) -> Iterator[Stretch]:
        """The book in stretches; a hole that is longer than one is stepped over, and told by what comes behind it."""
        after = 0
        while after < last:
            ((begins,),) = self._rows("next_position", after=after)
            if begins is None:
                return
            if begins > after + self._events_per_page:
                after = (begins - 1) // self._events_per_page * self._events_per_page
            yield Stretch(after, min(after + self._events_per_page, last))
            after += self._events_per_page

    def _verified(self, stretches: Iterator[Stretch]) -> Iterator[Verified]:
        """In the order of the book."""
        if self._processes is None:
            return map(self._verifier().stretch, stretches)
        return _ahead(map(self._processes.stretch, stretches), STRETCHES_AHEAD)

    def _agree(self, ranges: Iterator[Streams]) -> Iterator[bool]:
        if self._processes is None:
            return map(self._verifier().streams_agree, ranges)
        return _ahead(map(self._processes.streams_agree, ranges), STRETCHES_AHEAD)

    def _verifier(self) -> Verifier:
        return Verifier(self._connection, self._book, self._origin, plans(), self._keys)

    def _take(self, result: Verified) -> None:
        """A stretch in its place: what lies between it and the one before, and its part of the tree."""
        after = result.stretch.after
        if after > self._position:
            self._found.add(self._position + 1, Kind.POSITION, missing(self._position + 1, after))
        if (
            self._recorded_us is not None
            and result.first_recorded_us is not None
            and result.first_recorded_us <= self._recorded_us
        ):
            self._found.add(after + 1, Kind.TIME, NOT_LATER)
        self._found.take(result.problems, result.problems_total)
        self._events += result.events
        self._values = self._values.with_more(result.values)
        due = self._answers.due(result.stretch.last)
        self._tree.add(result.levels, result.leaves, due, tiles_agree=result.tiles_agree)
        if result.last_recorded_us is not None:
            self._recorded_us = result.last_recorded_us
        self._position = result.stretch.last if result.events else max(after, self._position)

    def _tile(self, level: int, number: int) -> tuple[bytes, bytes] | None:
        rows = self._rows("tile", level=level, number=number)
        return (bytes(rows[0][0]), bytes(rows[0][1])) if rows else None

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

    def _check_tree(self, end: EndOfBook) -> None:
        if end.size is None:
            self._found.add(None, Kind.HEAD, "the row that says where the book ends is missing")
            return
        edge = self._tree.end()
        if edge.root() != end.root:
            self._found.add(
                None,
                Kind.ROOT,
                f"the tree of the stored events has the root {edge.root().hex()}, the book's row another",
            )
        if edge.levels != end.edge:
            self._found.add(None, Kind.ROOT, "the tree's edge in the book's row is not that of the stored events")
        if self._recorded_us != end.recorded_us:
            self._found.add(end.size or None, Kind.HEAD, "the book's row says another recorded_at than its last event")
        for level, number in self._rows("tiles_outside", size=end.size):
            self._found.add(None, Kind.TILE, f"the tile {level}/{number} lies outside the tree")

    def _check_opening(self) -> None:
        """The book's creation against its first event, and its key store against the keys that were given."""
        ((created_late, keys_mark),) = self._rows("opening")
        if created_late:
            self._found.add(None, Kind.HEAD, "the book's row says that it was opened after its first event")
        if self._keys is not None and keys_mark not in (None, mark_of(self._keys, self._book)):
            self._found.add(None, Kind.HEAD, "the book's row names another key store than the one given")

    def _check_streams(self) -> None:
        """Heads against events, both ways; versions without a gap. Streams may have grown since: both sides have."""
        ranges = list(self._ranges_of_streams())
        for streams, agree in zip(ranges, self._agree(iter(ranges)), strict=True):
            if not agree:
                self._name_streams(streams)

    def _ranges_of_streams(self) -> Iterator[Streams]:
        """All ids that a stream can have, in ranges of some thousand heads."""
        first = FIRST_STREAM
        while border := self._rows("stream_border", start=first, streams_max=STREAMS_PER_COMPARISON):
            ((after,),) = border
            yield Streams(str(first), str(UUID(int=after.int - 1)))
            first = after
        yield Streams(str(first), str(LAST_STREAM))

    def _name_streams(self, streams: Streams) -> None:
        """Says of each stream in a range what is wrong with it."""
        start, last = UUID(streams.first), UUID(streams.last)
        while start <= last and (page := self._rows("streams", start=start, last=last, streams_max=STREAMS_PER_PAGE)):
            for stream_id, head, first, last_version, count in page:
                if last_version is None:
                    self._found.add(None, Kind.STREAM, f"stream {stream_id} has a head at version {head} and no event")
                elif head is None:
                    self._found.add(None, Kind.STREAM, f"stream {stream_id} has {count} events and no head")
                elif head != last_version:
                    says = f"stream {stream_id} ends with version {last_version}, its head says {head}"
                    self._found.add(None, Kind.STREAM, says)
                if last_version is not None and (first not in {0, 1} or last_version - first + 1 != count):
                    says = f"stream {stream_id} has {count} events with versions {first} to {last_version}: some are missing"
                    self._found.add(None, Kind.STREAM, says)
            if page[-1][0] >= last:
                return
            start = UUID(int=page[-1][0].int + 1)

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return cursor.fetchall()


def _ahead(futures: Iterator[Future[T]], many: int) -> Iterator[T]:
    """The results in their order, so many of them asked for before they are wanted."""
    waiting: deque[Future[T]] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) > many:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _nothing_signed(connection: Connection, book: str, found: Found) -> Iterator[Signed]:
    """A verification of the book against itself alone."""
    del connection, book, found
    return iter(())


def _unwatched(done: int, size: int) -> None:
    """Nobody asked how far it is."""
    del done, size
