"""How a question writes its moments: a position, an instant with its offset, or a day of the institution's calendar."""

import re
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, WithJsonSchema

from ledger.deadlines.calendar import Calendar, built_in_calendars
from ledger.deadlines.regime import built_in_regimes
from ledger.policy.state import Policies

YEAR_MIN, YEAR_MAX = 1970, 2999

CLOCKS_APART_MAX = timedelta(seconds=1)
"""What the database's clock, which a caller read in an answer, may be ahead of ours."""

INSTANT = {"type": "string", "format": "date-time", "examples": ["2025-09-30T18:00:00+08:00"]}
DAY = {"type": "string", "format": "date", "examples": ["2025-09-30"]}
POSITION = {"type": "integer", "minimum": 0, "examples": [120]}


_OF_THE_BOOK: ContextVar[Calendar | None] = ContextVar("_OF_THE_BOOK", default=None)


def take_days_of(known: Policies) -> None:
    """From here on, in this request or this run of the command, days begin and end as the book's published calendar says."""
    _OF_THE_BOOK.set(known.calendar)


def house_calendar() -> Calendar:
    """The calendar in whose days questions are asked: the book's; the built-in one of the house where no book was asked."""
    of_the_book = _OF_THE_BOOK.get()
    if of_the_book is not None:
        return of_the_book
    house = next(regime for regime in built_in_regimes() if regime.name == "house")
    return built_in_calendars()[house.calendar]


def institution_zone() -> ZoneInfo:
    """The time zone in which people here read instants."""
    return ZoneInfo(house_calendar().zone)


def _instant(text: str) -> datetime:
    """Raises ValueError with a sentence that does not repeat what was given."""
    # a plus that was not percent-encoded arrives as a space
    written = re.sub(r"(?<=\d) (?=\d{2}:?\d{2}\Z)", "+", text)
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    if instant is None or "T" not in written or instant.tzinfo is None:
        raise ValueError("must be a date and time with its offset, like 2025-09-30T18:00:00%2B08:00")
    return _believable(instant)


def _believable(moment: datetime) -> datetime:
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise ValueError(f"must lie in the years {YEAR_MIN} to {YEAR_MAX}")
    return moment.astimezone(UTC)


def _day(text: str) -> date | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day that the calendar has") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"must lie in the years {YEAR_MIN} to {YEAR_MAX}")
    return day


def is_month_begun(text: str) -> bool:
    """Whether a text names the first day of a month, and no instant."""
    return _day_or_none(text, 0) == 1


def is_month_ended(text: str) -> bool:
    """Whether a text names the last day of a month, and no instant."""
    return _day_or_none(text, 1) == 1


def _day_or_none(text: str, days_later: int) -> int | None:
    """The day of the month, so many days later; None for what names no day that can be asked for."""
    try:
        day = _day(text)
    except ValueError:
        return None
    return None if day is None else (day + timedelta(days=days_later)).day


def read_place(given: Any) -> int | datetime:
    """A position or an instant that has come, from the text of a query: of a later one another answer would be given later."""
    text = str(given)
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        return int(text)
    day, now = _day(text), datetime.now(UTC)
    if day is not None and day == house_calendar().local_day(now):
        return now
    try:
        instant = _instant(text) if day is None else read_ending(text) - timedelta(microseconds=1)
    except ValueError as error:
        raise ValueError(f"{error}, or a day like 2025-09-30 (its end is meant), or a position like 120") from None
    if instant > now + CLOCKS_APART_MAX:
        raise ValueError(
            f"that moment has not come yet: it is only {house_calendar().local(now).isoformat(timespec='seconds')}"
        )
    return instant


def read_beginning(given: Any) -> datetime:
    """An instant, or the beginning of a day in the institution's time zone."""
    day = _day(str(given))
    return _instant(str(given)) if day is None else house_calendar().day_begins_at(day)


def read_ending(given: Any) -> datetime:
    """An instant, or the end of a day: the first instant that is no longer part of the period."""
    day = _day(str(given))
    return _instant(str(given)) if day is None else house_calendar().day_begins_at(day + timedelta(days=1))


Place = Annotated[int | datetime, BeforeValidator(read_place), WithJsonSchema({"anyOf": [POSITION, DAY, INSTANT]})]
ClassifiedPlace = Annotated[
    Literal["first"] | int | datetime,
    BeforeValidator(lambda given: "first" if given == "first" else read_place(given)),
    WithJsonSchema({"anyOf": [{"const": "first"}, POSITION, DAY, INSTANT]}),
]
"""As of when a complaint is classified: as it was first, or as known at a place."""

Instant = Annotated[datetime, BeforeValidator(lambda given: _instant(str(given))), WithJsonSchema(INSTANT)]
Beginning = Annotated[datetime, BeforeValidator(read_beginning), WithJsonSchema({"anyOf": [DAY, INSTANT]})]
Ending = Annotated[datetime, BeforeValidator(read_ending), WithJsonSchema({"anyOf": [DAY, INSTANT]})]
