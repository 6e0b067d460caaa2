"""Days, months, quarters and years of an institution's calendar, as periods. Reads no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, NamedTuple, get_args

from ledger.deadlines.calendar import Calendar
from ledger.refusal import Refusal

PeriodName = Literal["day", "month", "quarter", "half-year", "year"]
PERIODS: tuple[PeriodName, ...] = get_args(PeriodName)

PERIODS_MAX = 400
"""A year of days, and a month more."""

_MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}


@dataclass(eq=False)
class TooManyPeriods(Refusal):
    """The days asked about make more periods than one answer holds."""

    period: str
    periods_max: int

    says: ClassVar[str] = "Those days make more than {periods_max} periods of the length {period}."
    remedy: ClassVar[str] = "Ask for longer periods, or fewer days."


DAY_MIN, DAY_MAX = date(1900, 1, 1), date(8999, 12, 31)
"""Nothing in a complaint happened near the first; after the last, instants cannot be moved between zones."""


@dataclass(eq=False)
class DayOutOfRange(Refusal):
    """A day that no complaint can lie on."""

    day: date

    says: ClassVar[str] = "The day {day} is before 1900 or after 8999."
    remedy: ClassVar[str] = "Name days on which complaints can have been received."


def within_range(*days: date) -> None:
    """Raises DayOutOfRange."""
    for day in days:
        if not DAY_MIN <= day <= DAY_MAX:
            raise DayOutOfRange(day)


class Period(NamedTuple):
    """Local days from `begins_on` to `ends_on`, both in it."""

    begins_on: date
    ends_on: date

    def instants(self, calendar: Calendar) -> tuple[datetime, datetime]:
        """The first instant of it, and the first one after it. Raises DayOutOfRange."""
        within_range(self.begins_on, self.ends_on)
        return calendar.day_begins_at(self.begins_on), calendar.day_begins_at(self.ends_on + timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.begins_on}..{self.ends_on}"


def periods(name: PeriodName, first: date, last: date) -> list[Period]:
    """The whole periods that the days from `first` to `last` lie in, in order. Raises TooManyPeriods, DayOutOfRange."""
    within_range(first, last)
    found: list[Period] = []
    for period in _from(name, period_of(name, first).begins_on):
        if period.begins_on > last:
            return found
        found.append(period)
        if len(found) > PERIODS_MAX:
            raise TooManyPeriods(name, PERIODS_MAX)
    return found


def period_of(name: PeriodName, day: date) -> Period:
    """The period that a day lies in."""
    if name == "day":
        return Period(day, day)
    months = _MONTHS[name]
    begins_on = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(begins_on, _months_later(begins_on, months) - timedelta(days=1))


def period_before(name: PeriodName, period: Period) -> Period:
    """The one right before."""
    return period_of(name, period.begins_on - timedelta(days=1))


def year_before(name: PeriodName, period: Period) -> Period:
    """The same one of the year before: by day the same calendar day, of 29 February the 28th."""
    day = period.begins_on
    if (day.month, day.day) == (2, 29):  # the year before has none
        day = day.replace(day=28)
    return period_of(name, day.replace(year=day.year - 1))


def _from(name: PeriodName, begins_on: date) -> Iterator[Period]:
    while True:
        period = period_of(name, begins_on)
        yield period
        begins_on = period.ends_on + timedelta(days=1)


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, 1)
