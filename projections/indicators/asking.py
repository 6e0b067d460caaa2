"""Asks the indicators: their figures by period and part, and for any figure the complaints and events behind it.

Every figure is as known at one position and judged at one instant, so that it and its cases stay what they are for ever.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from ledger.circumstances import tables_at
from ledger.database.sql import queries
from ledger.deadlines.calendar import Calendar
from ledger.tables.state import Tables
from projections import sla
from projections.asking import Asked, AsOf, Cursor, NotBuilt, asked, page_of, standing
from projections.indicators.definitions import Definition, definition, definitions
from projections.indicators.periods import Period, PeriodName, period_before, year_before
from projections.indicators.places import places
from projections.indicators.tables import PROJECTION
from projections.machine import schema_of

_SQL = queries(__file__)

Part = Literal[
    "category",
    "cause",
    "product",
    "channel",
    "branch",
    "region",
    "department",
    "handler",
    "tier",
    "grade",
    "issue",
    "outcome",
    "hour",
    "age",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""What a figure can be broken down by: how the complaint stands as known at the position, not as it stood in the period.

`hour` is the weekday (1 is Monday) and hour of its receipt in the institution's day, as in 1-09; not known where no hour was
stated. `age` are the days since its receipt at the end of the period, or now where that comes first (`AGES`).
"""

AGES = ("0-2", "3-5", "6-10", "11-15", "16-30", "31-60", "over-60")
"""The ages, in the order of the query `age`."""

CASES_MAX = 500

READ = (PROJECTION.name, sla.PROJECTION.name)
"""The projections that a figure is computed from."""


@dataclass(frozen=True)
class Ground:
    """What figures stand on: what was known at which position, judged when, in whose calendar, with the tables of then."""

    at: Asked
    calendar: Calendar
    tables: Tables

    @property
    def sla_schema(self) -> str:
        return schema_of(self.at.book, sla.PROJECTION.name)


class Figure(NamedTuple):
    """One number. `value` is the count, share, mean, sum or median; `p90` and `p95` are of a spread.

    `cases` is how many rows it is made of, `total` the sum of their values. `part` is None for all together, and where
    the thing it is broken down by is not known of a complaint.
    """

    indicator: str
    period: Period
    by: Part | None
    part: str | None
    cases: int
    value: float | None
    p90: float | None
    p95: float | None
    total: float | None
    before: float | None
    year_before: float | None
    met: bool | None


class Case(NamedTuple):
    """A complaint behind a figure, with what it adds; `known_from` is the position that last changed what is read of it."""

    complaint_id: UUID
    reference: str | None
    value: float | None
    known_from: int


class RecordedEvent(NamedTuple):
    """An event behind a figure, by its place in the book."""

    version: int
    position: int
    name: str
    recorded_at: datetime


class Cases(NamedTuple):
    """A page of what is behind a figure; `next_cursor` asks for the following ones."""

    position: int
    now: datetime
    cases: tuple[Case, ...]
    next_cursor: str | None


def ground(connection: Connection, book: str, calendar: Calendar, *, as_of: AsOf, now: datetime | None) -> Ground:
    """Resolves as of when figures are asked for; as of now is as far as every projection that they read has come.

    Raises NotBuilt, NotReached.
    """
    if as_of is None:
        come = {name: standing(connection, book, name) for name in READ}
        for name, position in come.items():
            if position is None:
                raise NotBuilt(book, name)
        as_of = min(position for position in come.values() if position is not None)
    for name in READ[1:]:
        asked(connection, book, name, as_of, now)
    at = asked(connection, book, READ[0], as_of, now)
    return Ground(at, calendar, tables_at(connection, book, as_of=at.position))


def figures(
    connection: Connection,
    on: Ground,
    wanted: Iterable[str] | None,
    name: PeriodName,
    asked_about: Sequence[Period],
    by: Part | None = None,
) -> list[Figure]:
    """The figures of indicators (None: all of them) in periods, each beside that of the period and of the year before.

    Raises NoSuchIndicator.
    """
    read = {
        *asked_about,
        *(period_before(name, each) for each in asked_about),
        *(year_before(name, each) for each in asked_about),
    }
    found: list[Figure] = []
    for each in wanted if wanted is not None else definitions():
        indicator = definition(each)
        rows = _figures(connection, on, indicator, sorted(read), by)
        for period in asked_about:
            before, a_year_before = rows[period_before(name, period)], rows[year_before(name, period)]
            found += [
                _figure(indicator, period, by, part, row, before.get(part), a_year_before.get(part))
                for part, row in sorted(rows[period].items(), key=lambda found: place_of(on.tables, by, found[0]))
            ]
    return found


def cases(
    connection: Connection,
    on: Ground,
    indicator: str,
    period: Period,
    *,
    by: Part | None = None,
    part: str | None = None,
    rows_max: int = CASES_MAX,
    cursor: str | None = None,
) -> Cases:
    """The complaints that a figure is made of, in the order of their ids. Raises NoSuchIndicator, BadCursor."""
    (after,) = Cursor.read(cursor, f"cases/{indicator}", (int,))
    rows_max = max(1, min(rows_max, CASES_MAX))
    rows = _fetch(
        connection,
        on,
        definition(indicator).query,
        "cases",
        [period],
        by,
        {"value_of_part": part, "after": after or 0, "rows_max": rows_max + 1},
    )
    kept, more = page_of(rows, rows_max)
    found = tuple(Case(*row[1:]) for row in kept)
    return Cases(on.at.position, on.at.now, found, Cursor.write(f"cases/{indicator}", [kept[-1][0]]) if more else None)


def first_cases(
    connection: Connection,
    on: Ground,
    indicator: str,
    asked_about: Sequence[Period],
    by: Part | None = None,
    *,
    each_max: int,
) -> Mapping[tuple[Period, str | None], list[Case]]:
    """Of every figure at once the first complaints, in the order of their ids. Costs what the figures cost.

    Raises NoSuchIndicator.
    """
    query = definition(indicator).query
    beginnings = {period.instants(on.calendar)[0]: period for period in asked_about}
    found: dict[tuple[Period, str | None], list[Case]] = defaultdict(list)
    rows = _fetch(connection, on, query, "first_cases", list(asked_about), by, {"each_max": min(each_max, CASES_MAX)})
    for begins_at, part, *case in rows:
        found[beginnings[begins_at], part].append(Case(*case))
    return found


def events_of(connection: Connection, at: Asked, complaint_ids: Iterable[UUID]) -> Mapping[UUID, list[RecordedEvent]]:
    """What was recorded of complaints up to the position, with the place of each event."""
    found: dict[UUID, list[RecordedEvent]] = defaultdict(list)
    wanted = [str(each) for each in complaint_ids]
    for stream_id, *event in at.fetch(connection, _SQL["events"], {"complaint_ids": wanted}):
        found[stream_id].append(RecordedEvent(*event))
    return found


TABLES_OF: Mapping[str, tuple[str, ...]] = {
    "channel": ("channel",),
    "grade": ("grade",),
    "category": ("category", "jrt-reason"),
    "product": ("product", "jrt-business"),
    "cause": ("cause",),
    "issue": ("issue",),
    "outcome": ("outcome",),
    "branch": ("branch",),
    "region": ("region",),
    "tier": ("customer-tier",),
}
"""In which of the book's tables the codes of a part stand."""


def place_of(tables: Tables, by: str | None, code: str | None) -> tuple[bool, int, str]:
    """Where a part stands among the others: in the order of its table, then what no table has, then what is not known."""
    if by == "age" and code in AGES:
        return False, AGES.index(code), code
    order = [each for name in TABLES_OF.get(by or "", ()) for each in tables.codes.get(name, {})]
    return code is None, len(order) if code is None or code not in order else order.index(code), code or ""


def _figures(
    connection: Connection, on: Ground, indicator: Definition, read: Sequence[Period], by: Part | None
) -> Mapping[Period, dict[str | None, tuple[Any, ...]]]:
    """The rows of each period by part; without a part, one row that is there even where nothing was counted."""
    found: dict[Period, dict[str | None, tuple[Any, ...]]] = {period: {} for period in read}
    beginnings = {period.instants(on.calendar)[0]: period for period in read}
    for begins_at, part, *row in _fetch(connection, on, indicator.query, "figures", read, by, {}):
        found[beginnings[begins_at]][part] = tuple(row)
    if by is None:
        for rows in found.values():
            rows.setdefault(None, (0, 0, None, None, None))
    return found


def _figure(
    indicator: Definition,
    period: Period,
    by: Part | None,
    part: str | None,
    row: tuple[Any, ...],
    before: tuple[Any, ...] | None,
    a_year_before: tuple[Any, ...] | None,
) -> Figure:
    value, before_value = _value(indicator, row), _value(indicator, before)
    year = _value(indicator, a_year_before)
    cases, _, total, _, spread = row
    _, p90, p95 = spread if indicator.kind == "spread" and spread else (None, None, None)
    met = indicator.target.met(value, year) if indicator.target else None
    return Figure(indicator.name, period, by, part, cases, value, p90, p95, total, before_value, year, met)


def _value(indicator: Definition, row: tuple[Any, ...] | None) -> float | None:
    if row is None:
        return None
    cases, _, total, mean, spread = row
    match indicator.kind:
        case "count":
            return float(cases)
        case "sum":
            return float(total or 0)
        case "spread":
            return spread[0] if spread else None
        case "share" | "mean":
            return None if mean is None else float(mean)


def _fetch(
    connection: Connection,
    on: Ground,
    measure: str,
    query: str,
    read: Sequence[Period],
    by: Part | None,
    more: Mapping[str, object],
) -> list[tuple[Any, ...]]:
    columns = ("begins_at", "complaint_id", "value")
    part = sql.SQL(_SQL["age"]) if by == "age" else sql.Identifier("m", by or "everything")
    statement, parameters = grounded(on, measure, _SQL[query], read, columns, part)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, **more})
        return cursor.fetchall()


NO_PART = sql.Identifier("m", "everything")


def grounded(
    on: Ground,
    measure: str,
    query: str,
    read: Sequence[Period],
    columns: Sequence[str],
    part: sql.Composable = NO_PART,
) -> tuple[sql.Composed, dict[str, object]]:
    """A query over what a measure counts in some periods, with the ground under it, and its parameters."""
    instants = [period.instants(on.calendar) for period in read]
    branches = on.tables.codes.get("branch", {}).values()
    statement = sql.SQL(_SQL["ground"] + "\n" + query).format(
        schema=sql.Identifier(on.at.schema),
        sla=sql.Identifier(on.sla_schema),
        measure=sql.SQL(measure),
        part=part,
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    return statement, {
        "book": on.at.book,
        "position": on.at.position,
        "now": on.at.now,
        "zone": on.calendar.zone,
        "begins": [begins_at for begins_at, _ in instants],
        "ends": [ends_at for _, ends_at in instants],
        "working_begin": [],
        "working_end": [],
        "branches": [row.code for row in branches],
        "jrt": places(on.tables),
        "regions": [row.more.get("region") for row in branches],
    }
