"""How far a limit reaches: the last instant in time. Pure arithmetic of days; no fact is looked at here."""

from calendar import monthrange
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import assert_never

from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Span

Pauses = Sequence[tuple[datetime, datetime]]
"""Spans of time that do not count, each from its beginning to its end; they may overlap."""


def due(span: Span, starts_at: datetime, calendar: Calendar, pauses: Pauses = ()) -> tuple[datetime, bool]:
    """The last instant in time, and whether it is provisional.

    The day on which the clock starts is never counted: the first (working) day after it is day 1,
    and the limit ends with the end of its last day in the calendar's zone. Months and years end on
    the same day of the month, or on the month's last. Elapsed units know no days.
    """
    amount = span.amount
    if span.unit is Unit.HOURS:
        return starts_at + timedelta(hours=amount) + _paused(pauses, starts_at), False
    if span.unit is Unit.MINUTES:
        return starts_at + timedelta(minutes=amount) + _paused(pauses, starts_at), False
    first = calendar.local_day(starts_at)
    works = span.unit is Unit.WORKING_DAYS
    if pauses:
        days = amount if works else (later(first, amount, span.unit) - first).days
        last = _counted(first, days, paused_days(pauses, calendar), calendar if works else None)
    else:
        last = calendar.working_day(first, amount) if works else later(first, amount, span.unit)
    provisional = works and not (calendar.is_settled(first) and calendar.is_settled(last))
    return calendar.day_ends_at(last), provisional


def warned_at(span: Span, due_at: datetime, starts_at: datetime, calendar: Calendar) -> datetime:
    """When no more than `span` is left before a limit that ends at `due_at`; never before the start.

    One working day before is the beginning of the last working day, which is then all that is left.
    """
    if span.unit is Unit.HOURS:
        return max(starts_at, due_at - timedelta(hours=span.amount))
    if span.unit is Unit.MINUTES:
        return max(starts_at, due_at - timedelta(minutes=span.amount))
    on = calendar.local_day(due_at)
    left = span.amount if span.unit is Unit.WORKING_DAYS else (on - later(on, -span.amount, span.unit)).days
    if span.unit is not Unit.WORKING_DAYS:
        return max(starts_at, calendar.day_begins_at(on - timedelta(days=left - 1)))
    first = calendar.local_day(starts_at)
    while on > first and (left > 1 or not calendar.is_working_day(on)):
        left -= calendar.is_working_day(on)
        on -= timedelta(days=1)
    return max(starts_at, calendar.day_begins_at(on))


FIRST_DAY, LAST_DAY = date(2, 1, 1), date(8999, 12, 31)
"""No limit reaches beyond these days, whatever somebody published: a recorded policy never stops a projection."""


def later(on: date, amount: int, unit: Unit) -> date:
    """The day so many calendar days, weeks, months or years later; earlier, where the amount is negative."""
    match unit:
        case Unit.CALENDAR_DAYS:
            return on + timedelta(days=amount)
        case Unit.WEEKS:
            return on + timedelta(weeks=amount)
        case Unit.MONTHS:
            return _months_later(on, amount)
        case Unit.YEARS:
            return _months_later(on, 12 * amount)
        case Unit.WORKING_DAYS | Unit.HOURS | Unit.MINUTES:
            raise AssertionError(f"{unit} are not counted by the calendar alone")
        case _:
            assert_never(unit)


def paused_days(pauses: Pauses, calendar: Calendar) -> frozenset[date]:
    """The local days that do not count: from the day on which a pause begins to the day before it ends."""
    days: set[date] = set()
    for begins_at, ends_at in pauses:
        on, end = calendar.local_day(begins_at), calendar.local_day(ends_at)
        while on < end:
            days.add(on)
            on += timedelta(days=1)
    return frozenset(days)


def _paused(pauses: Pauses, starts_at: datetime) -> timedelta:
    """How long pauses last together from the start on, overlapping time once."""
    paused, reached = timedelta(0), starts_at
    for begins_at, ends_at in sorted(pauses):
        if ends_at > reached:
            paused += ends_at - max(begins_at, reached)
            reached = ends_at
    return paused


def _counted(first: date, days: int, excluded: Collection[date], works: Calendar | None) -> date:
    """The day that is counted as the last, walking one by one; days are working days of `works`, if given."""
    on = first
    while days:
        on += timedelta(days=1)
        if on not in excluded and (works is None or works.is_working_day(on)):
            days -= 1
    return on


def _months_later(on: date, months: int) -> date:
    years, month = divmod(on.month - 1 + months, 12)
    year, month = on.year + years, month + 1
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        return FIRST_DAY if year < FIRST_DAY.year else LAST_DAY
    return date(year, month, min(on.day, monthrange(year, month)[1]))
