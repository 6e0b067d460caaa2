"""Working calendars: versioned data, and the questions a deadline asks of them.

Nothing here reads a clock, a time-zone database or the public-holiday library: a day's kind and its
boundaries in UTC are stated in the data, so that a deadline is the same in ten years.

A day ends with its last instant, one microsecond before the next local day begins (instants are kept
to the microsecond). "Met" therefore reads `stopped_at <= last instant`, which is the same as
`stopped_at < beginning of the next day`.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ledger.deadlines.quoting import quoted

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]

INSTANT = timedelta(microseconds=1)
"""The smallest difference between two instants, in Python and in PostgreSQL."""


YEARS = range(1900, 3000)
"""Within them a calendar may count: whoever asks for every day of it gets an answer, and a day has one before and after."""

Status = Literal["announced", "estimated"]


class DayKind(StrEnum):
    """A half day is a working day: it counts whole and ends like any other, because no rule read says otherwise."""

    HOLIDAY = "holiday"
    MAKE_UP_WORKING_DAY = "make-up-working-day"
    HALF_DAY = "half-day"


class Data(BaseModel):
    """Data that an institution can write: frozen, and nothing in it is ignored."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


class Day(Data):
    """A day that is not what its weekday says, or a holiday on a weekend; `notice` names its source."""

    on: date
    kind: DayKind
    zh: str
    en: str
    notice: str


class DayStart(Data):
    """From this local day on, days begin at 00:00 of this offset east of UTC."""

    since: date
    utc_offset_minutes: Annotated[int, Field(ge=-18 * 60, le=18 * 60)]


class Calendar(Data):
    """The working days of one country or institution, Saturday and Sunday being the weekend.

    Days from `settled_from` through `settled_through` are announced. Those after it through
    `estimated_through` are estimated, and beyond that the weekday alone speaks: a deadline that touches
    any such day is provisional. Every answer is O(1) but `local_day`, which is O(log number of offset
    changes).
    """

    name: Name
    version: Annotated[int, Field(ge=1)]
    title: str
    zone: str
    settled_from: date
    settled_through: date
    estimated_through: date | None = None
    remarks: str = ""
    day_starts: Annotated[tuple[DayStart, ...], Field(min_length=1)]
    notices: Mapping[str, str]
    days: tuple[Day, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not all(each.year in YEARS for each in (*self._ends(), *(start.since for start in self.day_starts))):
            raise ValueError(
                f"a day lies outside the years {YEARS[0]} to {YEARS[-1]}: a calendar is of days that are counted"
            )
        if self.settled_through < self.settled_from:
            raise ValueError("settled_through lies before settled_from: exchange them")
        if self.listed_through < self.settled_through:
            raise ValueError("estimated_through lies before settled_through: leave it out, or move it")
        since = [start.since for start in self.day_starts]
        if any(later <= earlier for earlier, later in pairwise(since)):
            raise ValueError("day_starts: state each `since` once, in ascending order")
        previous = self.settled_from - timedelta(days=1)
        for day in self.days:
            _check_day(day, previous, self)
            previous = day.on
        return self

    def _ends(self) -> tuple[date, ...]:
        return (self.settled_from, self.settled_through, self.estimated_through or self.settled_through)

    @cached_property
    def exceptions(self) -> dict[date, Day]:
        """The days that the data names."""
        return {day.on: day for day in self.days}

    @cached_property
    def only_offset(self) -> timedelta | None:
        """The one offset at which all days begin, where there is but one."""
        return timedelta(minutes=self.day_starts[0].utc_offset_minutes) if len(self.day_starts) == 1 else None

    @cached_property
    def listed_through(self) -> date:
        """The last day of which the data say more than its weekday, announced or estimated."""
        return self.estimated_through or self.settled_through

    @cached_property
    def counted(self) -> "Counted":
        """The listed working days, counted once so that no deadline has to count them again."""
        return Counted.of(self)

    @cached_property
    def day_starts_utc(self) -> list[datetime]:
        """The first instant at which each offset of `day_starts` holds."""
        return [_midnight(start.since, start.utc_offset_minutes) for start in self.day_starts]

    def is_settled(self, on: date) -> bool:
        return self.settled_from <= on <= self.settled_through

    def status_of(self, on: date) -> Status:
        """Whether what the calendar says of a day was announced by who decides it, or is an estimate."""
        return "announced" if self.is_settled(on) else "estimated"

    def is_working_day(self, on: date) -> bool:
        day = self.exceptions.get(on)
        return on.weekday() < 5 if day is None else day.kind is not DayKind.HOLIDAY

    def working_day(self, after: date, number: int) -> date:
        """The `number`-th working day after a day that is itself never counted."""
        assert number >= 1, "working days after a day are counted from 1"
        counted = self.counted
        return date.fromordinal(counted.ordinal_of(counted.until(after.toordinal()) + number))

    def local_day(self, instant: datetime) -> date:
        """The day of the institution's zone in which an instant lies, by the day's stated boundaries."""
        if self.only_offset is not None:
            return (instant.astimezone(UTC) + self.only_offset).date()
        on = self.local(instant).date()
        if instant < self.day_begins_at(on):
            return on - timedelta(days=1)  # the last hour of a day of 25
        return on

    def local(self, instant: datetime) -> datetime:
        """The same instant, at the offset with which its day began: all that the data state."""
        offset_minutes = self.day_starts[0].utc_offset_minutes
        if len(self.day_starts) > 1:
            place = max(bisect_right(self.day_starts_utc, instant) - 1, 0)
            offset_minutes = self.day_starts[place].utc_offset_minutes
        return instant.astimezone(_zone(offset_minutes))

    def day_begins_at(self, on: date) -> datetime:
        """The first instant of a local day, in UTC."""
        if self.only_offset is not None:
            return datetime(on.year, on.month, on.day, tzinfo=UTC) - self.only_offset
        place = max(bisect_right(self.day_starts, on, key=_since) - 1, 0)
        return _midnight(on, self.day_starts[place].utc_offset_minutes)

    def day_ends_at(self, on: date) -> datetime:
        """The last instant of a local day, in UTC: one microsecond before the next day begins."""
        return self.day_begins_at(on + timedelta(days=1)) - INSTANT


class Counted:
    """Every listed working day by number, 1 being the first; beyond them the weekdays go on counting.

    Days are proleptic Gregorian ordinals; ordinal 1 is a Monday, which the weekday arithmetic uses.
    """

    __slots__ = ("first", "last", "nth", "running", "weekdays_before", "weekdays_through")

    def __init__(self, first: int, last: int, working: Iterator[bool]) -> None:
        self.first, self.last = first, last
        self.nth: list[int] = []
        self.running: list[int] = []
        for ordinal, works in enumerate(working, first):
            if works:
                self.nth.append(ordinal)
            self.running.append(len(self.nth))
        self.weekdays_before = weekdays_until(first - 1)
        self.weekdays_through = weekdays_until(last)

    @classmethod
    def of(cls, calendar: Calendar) -> "Counted":
        first, last = calendar.settled_from.toordinal(), calendar.listed_through.toordinal()
        days = range(first, last + 1)
        return cls(first, last, (calendar.is_working_day(date.fromordinal(day)) for day in days))

    def until(self, ordinal: int) -> int:
        """How many working days have been counted when that day is over; negative before the first."""
        if ordinal < self.first:
            return weekdays_until(ordinal) - self.weekdays_before
        if ordinal > self.last:
            return len(self.nth) + weekdays_until(ordinal) - self.weekdays_through
        return self.running[ordinal - self.first]

    def ordinal_of(self, number: int) -> int:
        """The day that carries this number."""
        if number < 1:
            return weekday_numbered(self.weekdays_before + number)
        if number > len(self.nth):
            return weekday_numbered(self.weekdays_through + number - len(self.nth))
        return self.nth[number - 1]


def weekdays_until(ordinal: int) -> int:
    """Mondays to Fridays from ordinal 1, a Monday, through this one: five a week and the rest of this week."""
    weeks, days = divmod(ordinal, 7)
    return weeks * 5 + min(days, 5)


def weekday_numbered(number: int) -> int:
    """The ordinal of the `number`-th Monday-to-Friday: the inverse of `weekdays_until`."""
    weeks, days = divmod(number - 1, 5)
    return weeks * 7 + days + 1


class CalendarInvalid(ValueError):
    """Calendar data that can't be read; its message says where and why."""


def read_calendar(text: str) -> Calendar:
    """A calendar from its TOML; raises CalendarInvalid."""
    try:
        return Calendar.model_validate(tomllib.loads(text))
    except ValueError as error:  # of TOML and of pydantic alike
        raise CalendarInvalid(f"this calendar cannot be read: {error}") from error


@cache
def built_in_calendars() -> Mapping[str, Calendar]:
    """The calendars that the program brings along, by name; read once, when first asked for."""
    written = (files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in _BUILT_IN)
    return {calendar.name: calendar for calendar in map(read_calendar, written)}


_BUILT_IN = ("china", "gb-eng", "us")


def _check_day(day: Day, previous: date, calendar: Calendar) -> None:
    if not calendar.settled_from <= day.on <= calendar.listed_through:
        raise ValueError(f"{day.on} lies outside settled_from … settled_through: move them, or leave it out")
    if day.on <= previous:
        raise ValueError(f"{day.on} stands after {previous}: state each day once, in ascending order")
    if day.notice not in calendar.notices:
        raise ValueError(f"{day.on} names the notice {quoted(day.notice)}: add it to [notices]")
    if day.kind is DayKind.MAKE_UP_WORKING_DAY and day.on.weekday() < 5:
        raise ValueError(f"{day.on} is a weekday, a working day without making up for anything: leave it out")
    if day.kind is DayKind.HALF_DAY and day.on.weekday() >= 5:
        raise ValueError(f"{day.on} is a weekend day, and only a working day is halved: leave it out")


def _since(start: DayStart) -> date:
    return start.since


@cache
def _zone(offset_minutes: int) -> timezone:
    return timezone(timedelta(minutes=offset_minutes))


def _midnight(on: date, offset_minutes: int) -> datetime:
    return datetime.combine(on, time.min, UTC) - timedelta(minutes=offset_minutes)
