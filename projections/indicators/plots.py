"""Asks for what the drawn report shows: compliance over time, age, causes, weekday and hour, stages. It draws nothing.

Every number is a figure of an indicator, so that each has an address, and the first complaints behind each come with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.tables.table import label
from projections.indicators import asking
from projections.indicators.address import Address
from projections.indicators.asking import AGES, Case, Ground, Part, RecordedEvent
from projections.indicators.periods import Period, PeriodName, period_before, period_of

MONTHS = 12
CAUSES_MAX = 12

OPENED_DEFAULT = 5
OPENED_MAX = 50
"""Complaints that the page lists behind each number; the address opens all of them."""

STAGES = {
    "received": "received",
    "first-replied": "received-first-replied",
    "assigned": "received-assigned",
    "resolved": "received-resolved",
    "replied": "received-replied",
    "ended": "received-ended",
}
"""How far a complaint may get, and the indicator that counts those that did."""

WEEKDAYS = range(1, 8)
HOURS = range(24)
COMPLAINTS_READ_AT_ONCE = 500

_Place = tuple[Period, str | None]
"""Where a figure stands among those of an indicator: period and part."""


class Number(NamedTuple):
    """A number, where it opens, of how many complaints it is made, and the first of them. `value` is None where none was judged."""

    value: float | None
    cases: int
    address: str
    first: tuple[Case, ...] = ()


class Drawn(NamedTuple):
    """What is drawn. `heat` is by (weekday from 1, hour), `ages` in the order of `AGES`, `stages` in that of `STAGES`.

    `causes` are told in Chinese and English, by the tables of the book. `events` are those of every complaint behind a number.
    """

    book: str
    position: int
    now: datetime
    zone: str
    period: Period
    months: tuple[Period, ...]
    timeliness: tuple[Number, ...]
    first_reply: tuple[Number, ...]
    received: tuple[Number, ...]
    ages: tuple[Number, ...]
    causes: tuple[tuple[str, str, Number], ...]
    heat: Mapping[tuple[int, int], Number]
    stages: tuple[Number, ...]
    events: Mapping[UUID, Sequence[RecordedEvent]]


def drawn(connection: Connection, on: Ground, opened_max: int = OPENED_DEFAULT) -> Drawn:
    """The last twelve whole months and the running one, as known at the ground's position.

    Costs two readings of each indicator that is shown: of its figures, and of the first complaints behind each.
    """
    months = [period_of("month", on.calendar.local_day(on.at.now))]
    while len(months) <= MONTHS:
        months.insert(0, period_before("month", months[0]))
    whole = Period(months[0].begins_on, months[-1].ends_on)
    opened_max = max(0, min(opened_max, OPENED_MAX))

    def asked(name: str, span: PeriodName, over: Sequence[Period], by: Part | None = None) -> dict[_Place, Number]:
        return _numbers(connection, on, name, span, over, by, opened_max)

    def monthly(name: str) -> tuple[Number, ...]:
        found = asked(name, "month", months)
        return tuple(found[month, None] for month in months)

    now = months[-1]
    ages = asked("backlog", "month", [now], "age")
    hours = asked("received", "year", [whole], "hour")
    timeliness, first_reply, received = map(monthly, ("timeliness", "first-reply-24h", "received"))
    causes = _causes(on, asked("root-causes", "year", [whole], "cause"))
    stages = tuple(asked(name, "year", [whole])[whole, None] for name in STAGES.values())
    heat = {
        (weekday, hour): hours.get((whole, part), _nothing(on, "received", whole, "hour", part))
        for weekday in WEEKDAYS
        for hour in HOURS
        for part in [f"{weekday}-{hour:02}"]
    }
    found = Drawn(
        book=on.at.book,
        position=on.at.position,
        now=on.at.now,
        zone=on.calendar.zone,
        period=whole,
        months=tuple(months),
        timeliness=timeliness,
        first_reply=first_reply,
        received=received,
        ages=tuple(ages.get((now, age), _nothing(on, "backlog", now, "age", age)) for age in AGES),
        causes=causes,
        heat=heat,
        stages=stages,
        events={},
    )
    return found._replace(events=_events(connection, on, numbers(found)))


def numbers(drawn: Drawn) -> list[Number]:
    """Every number of the page, in its order."""
    series = (drawn.timeliness, drawn.first_reply, drawn.received, drawn.ages, drawn.stages)
    return [
        *(number for row in series for number in row),
        *(number for *_, number in drawn.causes),
        *drawn.heat.values(),
    ]


def _numbers(
    connection: Connection,
    on: Ground,
    name: str,
    span: PeriodName,
    over: Sequence[Period],
    by: Part | None,
    opened_max: int,
) -> dict[_Place, Number]:
    first = asking.first_cases(connection, on, name, over, by, each_max=opened_max) if opened_max else {}
    return {
        (each.period, each.part): Number(
            each.value,
            each.cases,
            _address(on, name, each.period, by, each.part),
            tuple(first.get((each.period, each.part), ())),
        )
        for each in asking.figures(connection, on, [name], span, over, by)
    }


def _nothing(on: Ground, name: str, period: Period, by: Part, part: str) -> Number:
    return Number(0.0, 0, _address(on, name, period, by, part))


def _address(on: Ground, name: str, period: Period, by: Part | None, part: str | None) -> str:
    return str(Address(name, period, by, part, on.at.position, on.at.now))


def _causes(on: Ground, found: Mapping[_Place, Number]) -> tuple[tuple[str, str, Number], ...]:
    codes = {"cause": on.tables.codes.get("cause", {})}
    most = sorted(((code, number) for (_, code), number in found.items()), key=lambda each: -each[1].cases)
    return tuple(
        (label("cause", code or "–", "zh", codes), label("cause", code or "–", "en", codes), number)
        for code, number in most[:CAUSES_MAX]
    )


def _events(connection: Connection, on: Ground, shown: Iterable[Number]) -> dict[UUID, Sequence[RecordedEvent]]:
    wanted = list(dict.fromkeys(case.complaint_id for number in shown for case in number.first))
    found: dict[UUID, Sequence[RecordedEvent]] = {}
    for first in range(0, len(wanted), COMPLAINTS_READ_AT_ONCE):
        found |= asking.events_of(connection, on.at, wanted[first : first + COMPLAINTS_READ_AT_ONCE])
    return found
