"""Deadlines in two times: each state of each clock of each complaint, and from which position to which it was known.

It holds no verdict, because a verdict needs a now: the questions judge. It computes no deadline of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.deadlines.regime import Purpose
from ledger.deadlines.running import Ended
from projections.asking import Asked, AsOf, Cursor, asked, page_of
from projections.complaints import FACTS_MAX, Complaints, Known, matters
from projections.machine import Batch, Projection

_SQL = queries(__file__)

Part = Literal["department", "handler", "category", "grade", "channel", "product"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What a report can be broken down by."""

ROWS_MAX = 500

Key = tuple[str, str, int]
"""Regime, clock, run."""
Content = tuple[object, ...]
"""The columns behind the key and the positions."""

_COLUMNS = (
    *("book", "complaint_id", "regime", "clock", "run", "known_from", "known_to"),
    *("regime_version", "calendar_version", "starts_at", "due_at", "stopped_at", "ended", "provisional"),
    *("is_duty", "is_open"),
    *("department", "handler", "category", "grade", "channel", "product", "reference"),
)
_UNENDED: frozenset[Ended] = frozenset({"running", "suspended"})
_AFTER = ("after_due_at", "after_complaint_id", "after_regime", "after_clock", "after_run")


class SlaFold:
    """Compares the clocks of a complaint before and after each event, and keeps what came to be known otherwise."""

    def __init__(self, facts_max: int = FACTS_MAX) -> None:
        self._complaints = Complaints(facts_max)

    def apply(self, batch: Batch) -> None:
        self._complaints.load(batch)
        begun: dict[tuple[UUID, Key], tuple[int, Content]] = {}
        rows: list[Sequence[object]] = []
        superseded: list[Sequence[object]] = []
        for row in batch.rows:
            if not matters(row):
                continue
            before = _remembered(self._complaints.before(row))
            known = self._complaints.after(row)
            known.rows = after = dict(_rows(known))
            for key, content in before.items():
                if after.get(key) == content:
                    continue
                new = begun.pop((row.stream_id, key), None)
                if new is None:
                    superseded.append((batch.book, str(row.stream_id), *key, row.position))
                else:
                    rows.append((batch.book, row.stream_id, *key, new[0], row.position, *new[1]))
            for key, content in after.items():
                if before.get(key) != content:
                    begun[row.stream_id, key] = (row.position, content)
        rows += [
            (batch.book, stream_id, *key, begin, None, *content) for (stream_id, key), (begin, content) in begun.items()
        ]
        batch.execute_values(_SQL["supersede"], superseded)
        batch.add("clock", _COLUMNS, rows)


PROJECTION = Projection(
    name="sla",
    version=2,
    tables={"clock": ("book", "complaint_id", "regime", "clock", "run", "known_from")},
    fold=SlaFold,
    queries=_SQL,
)


class Line(NamedTuple):
    """The counts of one clock, or of one part of it. `overdue` of the missed are of complaints that are still open.

    A suspended clock counts as running. What is no duty of the institution is not missed: it lapses.
    """

    regime: str
    clock: str
    part: str | None
    met: int
    missed: int
    running: int
    unknown: int
    void: int
    overdue: int
    provisional: int
    lapsed: int = 0

    @property
    def numerator(self) -> int:
        return self.met

    @property
    def denominator(self) -> int:
        """What a verdict is known of; running, unknown and void are counted apart."""
        return self.met + self.missed

    @property
    def rate(self) -> float | None:
        """Met of all that a verdict is known of; None where there is none."""
        return self.met / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Report:
    """Compliance of the clocks that started in a period, as known at `position`, judged at `now`."""

    book: str
    position: int
    now: datetime
    starts_from: datetime | None
    starts_before: datetime | None
    part: Part | None
    lines: tuple[Line, ...]


class Overdue(NamedTuple):
    """A clock of an open complaint that still runs and is past its due time.

    `known_from` is the position that last changed the row.
    """

    complaint_id: UUID
    reference: str | None
    regime: str
    clock: str
    run: int
    starts_at: datetime
    due_at: datetime
    provisional: bool
    department: str | None
    handler: str | None
    category: str | None
    grade: str | None
    channel: str | None
    product: str | None
    known_from: int


class OverduePage(NamedTuple):
    """Some of the overdue; `next_cursor` asks for the following ones, None when there are none."""

    position: int
    now: datetime
    rows: tuple[Overdue, ...]
    next_cursor: str | None


class KnownClock(NamedTuple):
    """A state of a clock, known from one position up to and without another; `known_to` None: still."""

    regime: str
    clock: str
    run: int
    starts_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    ended: Ended
    provisional: bool
    regime_version: int
    calendar_version: int | None
    known_from: int
    known_to: int | None


def report(
    connection: Connection,
    book: str,
    *,
    starts_from: datetime | None = None,
    starts_before: datetime | None = None,
    as_of: AsOf = None,
    now: datetime | None = None,
    part: Part | None = None,
    schema: str | None = None,
) -> Report:
    """How the clocks that started in [starts_from, starts_before) were kept.

    `as_of` is a position or an instant. An instant is also the `now` that running clocks are judged at;
    at a position that is when its event was recorded, and as of now it has to be given. Raises NotReached.
    """
    at = _judged(connection, book, as_of, now, schema)
    found = at.fetch(
        connection,
        _SQL["report"],
        {"now": at.now, "part": part, "starts_from": starts_from, "starts_before": starts_before},
    )
    lines = tuple(Line(*row) for row in found)
    return Report(book, at.position, at.now, starts_from, starts_before, part, lines)


def overdue(
    connection: Connection,
    book: str,
    *,
    starts_from: datetime | None = None,
    starts_before: datetime | None = None,
    as_of: AsOf = None,
    now: datetime | None = None,
    rows_max: int = 50,
    cursor: str | None = None,
    schema: str | None = None,
) -> OverduePage:
    """What is still open and past its due time, the longest overdue first; `now` as for a report.

    What was ended otherwise (ruled out, merged, withdrawn) stays missed in the report and is not listed here.
    Raises NotReached, BadCursor.
    """
    after = Cursor.read(cursor, "overdue", (datetime, UUID, str, str, int))
    at = _judged(connection, book, as_of, now, schema)
    rows_max = max(1, min(rows_max, ROWS_MAX))
    found = at.fetch(
        connection,
        _SQL["overdue"],
        {
            "now": at.now,
            "starts_from": starts_from,
            "starts_before": starts_before,
            **dict(zip(_AFTER, after, strict=True)),
            "rows_max": rows_max + 1,
        },
    )
    rows, more = page_of([Overdue(*row) for row in found], rows_max)
    last = rows[-1] if more else None
    key = last and (last.due_at, last.complaint_id, last.regime, last.clock, last.run)
    return OverduePage(at.position, at.now, rows, Cursor.write("overdue", key) if key else None)


def of(
    connection: Connection, book: str, complaint_id: UUID, *, as_of: AsOf = None, schema: str | None = None
) -> tuple[KnownClock, ...]:
    """Every state of a complaint's clocks known up to a position: a verdict once known is never overwritten."""
    at = asked(connection, book, PROJECTION.name, as_of, None, schema)
    found = at.fetch(connection, _SQL["of_complaint"], {"complaint_id": str(complaint_id)})
    return tuple(KnownClock(*row) for row in found)


def _judged(connection: Connection, book: str, as_of: AsOf, now: datetime | None, schema: str | None) -> Asked:
    if as_of is None and now is None:
        raise ValueError("a report as of now says what now is: running clocks are judged at it")
    return asked(connection, book, PROJECTION.name, as_of, now, schema)


def _remembered(known: Known) -> Mapping[Key, Content]:
    """The rows of a complaint as they were written last, by their key."""
    return dict(_rows(known)) if known.rows is None else known.rows


def _rows(known: Known) -> Iterator[tuple[Key, Content]]:
    s = known.situation
    situation = (s.department, s.handler, s.category, s.grade, s.channel, s.product, s.reference)
    runs: dict[tuple[str, str], int] = {}
    for c in known.clocks:
        runs[c.regime, c.clock] = run = runs.get((c.regime, c.clock), 0) + 1
        clock = (c.regime_version, c.calendar_version, c.starts_at, c.due_at, c.stopped_at, c.ended, c.provisional)
        # of a clock that has ended nothing is open, so closing the complaint does not change its row
        is_open = s.is_open and c.ended in _UNENDED
        yield (c.regime, c.clock, run), (*clock, c.purpose is Purpose.DUTY, is_open, *situation)
