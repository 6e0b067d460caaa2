"""Asks for what the drawn report shows: compliance over time, age, causes, weekday and hour, stages. It draws nothing."""

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.tables.table import label
from projections.indicators import asking
from projections.indicators.asking import Ground
from projections.indicators.periods import Period, period_before, period_of

_SQL = queries(__file__)

MONTHS = 12
CAUSES_MAX = 12

AGES = ("0–2", "3–5", "6–10", "11–15", "16–30", "31–60", "> 60")
"""Days since the receipt, in the buckets of the query."""

STAGES = ("received", "first-replied", "assigned", "resolved", "replied", "ended")


class Drawn(NamedTuple):
    """What is drawn. Shares are None where nothing was judged; `heat` counts by (weekday from 1, hour).

    `causes` are told in Chinese and English, by the tables of the book.
    """

    book: str
    position: int
    now: datetime
    zone: str
    period: Period
    months: tuple[Period, ...]
    timeliness: tuple[float | None, ...]
    first_reply: tuple[float | None, ...]
    received: tuple[int, ...]
    ages: tuple[int, ...]
    causes: tuple[tuple[str, str, int], ...]
    heat: dict[tuple[int, int], int]
    stages: tuple[int, ...]


def drawn(connection: Connection, on: Ground) -> Drawn:
    """The last twelve whole months and the running one, as known at the ground's position."""
    months = [period_of("month", on.calendar.local_day(on.at.now))]
    while len(months) <= MONTHS:
        months.insert(0, period_before("month", months[0]))
    whole = Period(months[0].begins_on, months[-1].ends_on)
    begins_at, ends_at = whole.instants(on.calendar)
    place = {"begins_at": begins_at, "ends_at": ends_at, "zone": on.calendar.zone, "now": on.at.now}
    ages = dict(on.at.fetch(connection, _SQL["ages"], place))
    (stages,) = on.at.fetch(connection, _SQL["funnel"], place)
    return Drawn(
        book=on.at.book,
        position=on.at.position,
        now=on.at.now,
        zone=on.calendar.zone,
        period=whole,
        months=tuple(months),
        timeliness=_over(connection, on, "timeliness", months),
        first_reply=_over(connection, on, "first-reply-24h", months),
        received=tuple(int(value or 0) for value in _over(connection, on, "received", months)),
        ages=tuple(ages.get(bucket, 0) for bucket in range(1, len(AGES) + 1)),
        causes=_causes(connection, on, whole),
        heat={(weekday, hour): count for weekday, hour, count in on.at.fetch(connection, _SQL["heat"], place)},
        stages=stages,
    )


def _over(connection: Connection, on: Ground, name: str, months: list[Period]) -> tuple[float | None, ...]:
    return tuple(figure.value for figure in asking.figures(connection, on, [name], "month", months))


def _causes(connection: Connection, on: Ground, whole: Period) -> tuple[tuple[str, str, int], ...]:
    parts = asking.figures(connection, on, ["root-causes"], "year", [whole], "cause")
    found = sorted(((figure.part, figure.cases) for figure in parts), key=lambda each: -each[1])
    codes = {"cause": on.tables.codes.get("cause", {})}
    return tuple(
        (label("cause", code or "–", "zh", codes), label("cause", code or "–", "en", codes), cases)
        for code, cases in found[:CAUSES_MAX]
    )
