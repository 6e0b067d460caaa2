"""Deadlines in two times: each state of each clock of each complaint, and from which position to which it was known.

It holds no verdict, because a verdict needs a now: the questions judge. It computes no deadline of its own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.deadlines.clock import Verdict, judged
from ledger.deadlines.regime import Purpose
from ledger.deadlines.running import UNENDED, Ended
from ledger.policy.events import CalendarPublished
from projections.asking import Asked, AsOf, Cursor, asked, page_as_known, page_of
from projections.complaints import BREAKDOWN, FACTS_MAX, Complaints, Known, Situation
from projections.complaints import Part as ComplaintsPart
from projections.machine import Batch, Projection
from projections.policies import Standing

_SQL = queries(__file__)

Part = Literal["category", "cause", "grade", "channel", "product", "department", "handler"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What a report can be broken down by; the grade is the severity."""

FIRST_SET = frozenset({"category", "grade"})
"""The parts that a report can count as they were set first."""

Classified = AsOf | Literal["first"]
"""As of when a complaint is classified: as it was set first, or as known at a place; None: as the verdicts are."""

Period = Literal["day", "month", "quarter", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)
SPANS: Mapping[Period, str] = {"day": "1 day", "month": "1 month", "quarter": "3 months", "year": "1 year"}
"""By what days a report can be broken down: those on which clocks started, of each clock's own calendar."""

ROWS_MAX = 500
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
ALL_DAYS = date.min
"""Under which the tally counts the clocks of all days together."""

_CLOCK = (
    *("regime_version", "calendar", "calendar_version", "starts_at", "started_on", "within", "due_at", "first_within"),
    *(
        "first_due_at",
        "stopped_at",
        "suspended_at",
        "ended",
        "provisional",
        "regrades_on_last_day",
        "is_duty",
        "is_open",
        "used_us",
    ),
)
_TALLY = ("regime", "clock", "started_on", "ended", "is_late", "is_duty")
_COMPLAINT = (
    *("reference", "channel", "product", "category", "grade", "cause", "department", "handler"),
    *("first_category", "first_grade"),
)
_KEYS = {"clock": ("regime", "clock", "run"), "complaint": ()}
_CONTENTS = {"clock": _CLOCK, "complaint": _COMPLAINT}

Key = tuple[str, tuple[object, ...]]
"""The table, and what identifies a row of a complaint in it."""
Content = tuple[object, ...]
"""The columns behind the key and the positions."""

_AFTER = ("after_due_at", "after_complaint_id", "after_regime", "after_clock", "after_run")


class SlaFold:
    """Compares the clocks of a complaint before and after each event, and keeps what came to be known otherwise."""

    def __init__(self, facts_max: int = FACTS_MAX) -> None:
        self._complaints = Complaints(facts_max, BREAKDOWN)

    def apply(self, batch: Batch) -> None:
        for part in self._complaints.parts(batch):
            states = _States()
            if part.policy is None:
                self._follow(part.batch, states)
            elif isinstance(part.policy.event, CalendarPublished):
                self._issue_anew(part, part.policy, part.policy.event.calendar.name, states)
            states.write(part.batch)

    def _follow(self, batch: Batch, states: "_States") -> None:
        self._complaints.load(batch)
        for row in batch.rows:
            if self._complaints.matters(row):
                known = self._complaints.before(row)
                before, stood = _remembered(known), (known.runs, known.situation)
                known = self._complaints.after(row)
                if (known.runs, known.situation) == stood:  # mostly the very same objects
                    known.rows = before
                else:
                    states.see(row.stream_id, row.position, before, _kept(known))

    def _issue_anew(self, part: ComplaintsPart, policy: Standing, calendar: str, states: "_States") -> None:
        found = part.batch.fetch(_SQL["provisional"], {"book": part.batch.book, "calendar": calendar})
        for complaint_id, known in self._complaints.touched(part, [each for (each,) in found]):
            before = _remembered(known)
            known.ask(policy.policies.rulebook, policy.recorded_at)
            states.see(complaint_id, policy.position, before, _kept(known))


class _States:
    """What came to be known otherwise: rows that are over, and new ones; and how many clocks have ended how, now."""

    def __init__(self) -> None:
        self._tally: Counter[tuple[Any, ...]] = Counter()
        self._regrades: Counter[tuple[Any, ...]] = Counter()
        self._spent: Counter[tuple[Any, ...]] = Counter()
        self._begun: dict[tuple[UUID, Key], tuple[int, Content]] = {}
        self._ended: dict[str, list[Sequence[object]]] = {table: [] for table in _KEYS}
        self._superseded: dict[str, list[Sequence[object]]] = {table: [] for table in _KEYS}

    def see(
        self, complaint_id: UUID, position: int, before: Mapping[Key, Content], after: Mapping[Key, Content]
    ) -> None:
        """The rows of a complaint as they were known before a position, and from it on."""
        for key, content in before.items():
            if after.get(key) == content:
                continue
            table, named = key
            self._count(key, content, -1)
            new = self._begun.pop((complaint_id, key), None)
            if new is None:
                self._superseded[table].append((str(complaint_id), *named, position))
            else:
                self._ended[table].append((complaint_id, *named, new[0], position, *new[1]))
        for key, content in after.items():
            if before.get(key) != content:
                self._count(key, content, 1)
                self._begun[complaint_id, key] = (position, content)

    def _count(self, key: Key, content: Content, clocks: int) -> None:
        """Counts a clock that has ended: what is said of it depends on no now. What runs, a question counts itself."""
        table, named = key
        if table != "clock":
            return
        state: dict[str, Any] = dict(zip(_CLOCK, content, strict=True))
        if state["ended"] in UNENDED:
            return
        is_late = state["stopped_at"] is not None and state["stopped_at"] > state["due_at"]
        for day in (state["started_on"], ALL_DAYS):
            counted = (*named[:2], day, state["ended"], is_late, state["is_duty"])
            self._tally[counted] += clocks
            self._regrades[counted] += clocks * state["regrades_on_last_day"]
        if state["used_us"] is not None:
            self._spent[*named[:2], state["used_us"] // HOUR_US] += clocks

    def write(self, batch: Batch) -> None:
        for (complaint_id, (table, named)), (begin, content) in self._begun.items():
            self._ended[table].append((complaint_id, *named, begin, None, *content))
        for table, names in _KEYS.items():
            batch.execute_values(_SQL[f"supersede_{table}"], [(batch.book, *row) for row in self._superseded[table]])
            columns = ("book", "complaint_id", *names, "known_from", "known_to", *_CONTENTS[table])
            batch.add(table, columns, [(batch.book, *row) for row in self._ended[table]])
        counted = sorted(key for key, clocks in self._tally.items() if clocks or self._regrades[key])
        more = [(batch.book, *key, self._tally[key], self._regrades[key]) for key in counted]
        batch.execute_values(_SQL["tally"], more)
        fewer = [(batch.book, *key) for key in counted if self._tally[key] < 0]
        batch.execute_values(_SQL["forget_tally"], fewer)
        spent = sorted((key, clocks) for key, clocks in self._spent.items() if clocks)
        batch.execute_values(_SQL["spend"], [(batch.book, *key, clocks) for key, clocks in spent])
        batch.execute_values(_SQL["forget_spent"], [(batch.book, *key) for key, clocks in spent if clocks < 0])


PROJECTION = Projection(
    name="sla",
    version=5,
    tables={
        "tally": ("book", *_TALLY),
        "spent": ("book", "regime", "clock", "hours"),
        "clock": ("book", "complaint_id", "regime", "clock", "run", "known_from"),
        "complaint": ("book", "complaint_id", "known_from"),
    },
    fold=SlaFold,
    queries=_SQL,
)


class Line(NamedTuple):
    """The counts of one clock, or of one part of it. `overdue` of the missed are of complaints that are still open.

    `period` is the first day of the day, month, quarter or year in which the clocks started.
    `regrades_on_last_day` counts regrades that changed a limit on the day on which the one before it ended.
    A suspended clock counts as running. What is no duty of the institution is not missed: it lapses.
    """

    regime: str
    clock: str
    period: date | None
    part: str | None
    met: int
    missed: int
    running: int
    unknown: int
    void: int
    overdue: int
    provisional: int
    lapsed: int = 0
    regrades_on_last_day: int = 0
    used_seconds: tuple[float, float, float] | None = None
    """From start to stop, of the clocks that were stopped: half of them took no longer, nine in ten, 99 in a hundred."""

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
    """Compliance of the clocks that started in a period, as known at `position`, judged at `now`.

    `classified` is the position whose classification the parts are of; None: that which was set first.
    """

    book: str
    position: int
    now: datetime
    starts_from: datetime | None
    starts_before: datetime | None
    part: Part | None
    period: Period | None
    classified: int | None
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
    within: str
    first_within: str
    first_due_at: datetime
    suspended_at: datetime | None
    regrades_on_last_day: int
    is_duty: bool

    def verdict(self, now: datetime) -> Verdict:
        """What this state says at an instant, as `ledger.deadlines.clock.verdict` does."""
        return judged(self.ended, self.stopped_at, self.due_at, now, is_duty=self.is_duty)


def report(
    connection: Connection,
    book: str,
    *,
    starts_from: datetime | None = None,
    starts_before: datetime | None = None,
    as_of: AsOf = None,
    now: datetime | None = None,
    part: Part | None = None,
    period: Period | None = None,
    classified: Classified = None,
    schema: str | None = None,
) -> Report:
    """How the clocks that started in [starts_from, starts_before) were kept.

    Parts are by the classification as known at `as_of`, or as it was at another place, or as it was set first.

    `as_of` is a position or an instant. An instant is also the `now` that running clocks are judged at;
    at a position that is when its event was recorded, and as of now it has to be given. Raises NotReached.
    """
    whole = part is None and starts_from is starts_before is None and classified in {None, "first"}
    if whole and as_of is None and now is not None:
        return _report_now(connection, book, now, period, classified, schema)
    at = _judged(connection, book, as_of, now, schema)
    place = at.position if classified is None or classified == "first" else _place(connection, at, classified)
    column = f"first_{part}" if classified == "first" and part in FIRST_SET else part
    found = at.fetch(
        connection,
        _SQL["report"],
        {
            "now": at.now,
            "part": column,
            "period": period,
            "classified": place,
            "starts_from": starts_from,
            "starts_before": starts_before,
        },
    )
    of = None if classified == "first" else place
    return Report(book, at.position, at.now, starts_from, starts_before, part, period, of, tuple(map(_line, found)))


def _report_now(
    connection: Connection, book: str, now: datetime, period: Period | None, classified: Classified, schema: str | None
) -> Report:
    """All that is known now, unparted: from the tally, as of the position that stands in the same snapshot."""
    asked_for = {"now": now, "period": period, "span": None if period is None else SPANS[period]}
    position, found = page_as_known(connection, book, PROJECTION.name, _SQL["report_now"], asked_for, schema=schema)
    of = None if classified == "first" else position
    return Report(book, position, now, None, None, None, period, of, tuple(map(_line, found)))


def _line(row: Sequence[Any]) -> Line:
    """A line from its columns; the percentiles are in microseconds there."""
    used_us = row[-1]
    return Line._make((*row[:-1], used_us and tuple(each / 1e6 for each in used_us)))


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


def complaints(
    connection: Connection, book: str, *, after: UUID | None = None, rows_max: int = ROWS_MAX, schema: str | None = None
) -> list[UUID]:
    """The next complaints by their ids, for who goes through all of them."""
    at = asked(connection, book, PROJECTION.name, None, None, schema)
    found = at.fetch(connection, _SQL["complaints"], {"after": after and str(after), "rows_max": rows_max})
    return [complaint_id for (complaint_id,) in found]


def _judged(connection: Connection, book: str, as_of: AsOf, now: datetime | None, schema: str | None) -> Asked:
    if as_of is None and now is None:
        raise ValueError("a report as of now says what now is: running clocks are judged at it")
    return asked(connection, book, PROJECTION.name, as_of, now, schema)


def _place(connection: Connection, at: Asked, classified: AsOf) -> int:
    """The position of another place than that of the verdicts; raises NotReached."""
    return asked(connection, at.book, PROJECTION.name, classified, None, at.schema).position


def _remembered(known: Known) -> Mapping[Key, Content]:
    """The rows of a complaint as they were written last, by their key."""
    return dict(_rows(known)) if known.rows is None else known.rows


def _kept(known: Known) -> Mapping[Key, Content]:
    """The rows of a complaint as they are now, which is remembered."""
    known.rows = rows = dict(_rows(known))
    return rows


def _rows(known: Known) -> Iterator[tuple[Key, Content]]:
    if not known.runs and known.situation == Situation():
        return
    s = known.situation
    situation = (s.reference, s.channel, s.product, s.category, s.grade, s.cause, s.department, s.handler)
    yield ("complaint", ()), (*situation, s.first_category, s.first_grade)
    numbers: dict[tuple[str, str], int] = {}
    for run in known.runs:
        c = run.clock
        numbers[c.regime, c.clock] = number = numbers.get((c.regime, c.clock), 0) + 1
        # of a clock that has ended nothing is open, so closing the complaint does not change its row
        is_open = s.is_open and c.ended in UNENDED
        yield (
            ("clock", (c.regime, c.clock, number)),
            (
                *(c.regime_version, run.calendar.name, c.calendar_version),
                *(c.starts_at, run.calendar.local_day(c.starts_at), str(c.limit), c.due_at),
                *(str(c.first_limit), c.first_due_at, c.stopped_at, c.suspended_at, c.ended, c.provisional),
                *(c.regrades_on_last_day, c.purpose is Purpose.DUTY, is_open),
                None if c.stopped_at is None else (c.stopped_at - c.starts_at) // MICROSECOND,
            ),
        )
