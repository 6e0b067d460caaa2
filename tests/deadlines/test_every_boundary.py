"""Every built-in clock from every kind of day, against an oracle that shares no code and no data with ours.

Working days come from `chinesecalendar` and from the library `holidays`, months and years from `dateutil`, the ends of
days from the time-zone database. What is worked out by hand stands in `test_boundaries.py`.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import holidays
import pytest
from dateutil.relativedelta import relativedelta

from ledger.complaint.events import ComplaintEvent
from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import clocks, verdict
from ledger.deadlines.regime import ClockRule, Purpose, Regime, Span, built_in_regimes
from tests.deadlines.facts import ONE_OF_EACH, graded, numbered, received, transferred

YEARS = range(2019, 2030)
LONDON = holidays.country_holidays("GB", subdiv="ENG", years=YEARS)
ZONES = {"china": "Asia/Shanghai", "gb-eng": "Europe/London", "us": "America/New_York"}

SITUATIONS = {
    "before midnight": "2026-03-10T23:59:59.999999",
    "at midnight": "2026-03-11T00:00",
    "before a weekend": "2026-03-13T18:00",
    "on a Saturday": "2026-03-14T09:00",
    "on a Sunday": "2026-03-15T23:30",
    "before Spring Festival 2020": "2020-01-23T17:00",
    "in Spring Festival 2020, which was prolonged": "2020-01-29T10:00",
    "before Spring Festival 2026": "2026-02-13T10:00",
    "on a Saturday that is worked before it": "2026-02-14T10:00",
    "in Spring Festival 2026": "2026-02-18T10:00",
    "before summer time in London": "2026-03-28T23:59:59.999999",
    "when summer time begins in London": "2026-03-29T00:30",
    "before winter time in London": "2025-10-25T23:59:59.999999",
    "when winter time begins in London": "2025-10-26T00:30",
    "over Christmas and New Year": "2025-12-24T10:00",
    "at the end of a month of 31 days": "2026-01-31T12:00",
    "at the end of a month before a shorter one": "2025-08-31T12:00",
    "before a leap day": "2024-02-28T12:00",
    "on a leap day": "2024-02-29T12:00",
    "at the end of a year": "2025-12-31T23:59:59.999999",
}

GRADED = [None, "general", "complex", "major"]
CLOCKS = [(regime, rule) for regime in built_in_regimes() for rule in regime.clocks]


def works(calendar: str, on: date) -> bool:
    if calendar == "china":
        return chinese_calendar.is_workday(on)
    assert calendar == "gb-eng", "no built-in clock counts working days by another calendar"
    return on.weekday() < 5 and on not in LONDON


def last_instant(span: Span, starts: datetime, calendar: str) -> datetime:
    """The last instant in time, worked out anew; `starts` is by the clock on the wall."""
    if span.unit is Unit.HOURS:
        return starts.astimezone(UTC) + timedelta(hours=span.amount)
    on = starts.date()
    if span.unit is Unit.WORKING_DAYS:
        left = span.amount
        while left:
            on += timedelta(days=1)
            left -= works(calendar, on)
    else:
        on += {
            Unit.CALENDAR_DAYS: relativedelta(days=span.amount),
            Unit.WEEKS: relativedelta(weeks=span.amount),
            Unit.MONTHS: relativedelta(months=span.amount),
            Unit.YEARS: relativedelta(years=span.amount),
        }[span.unit]
    tomorrow = on + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=starts.tzinfo).astimezone(UTC) - INSTANT


def started(regime: Regime, rule: ClockRule, at: datetime) -> list[ComplaintEvent]:
    first = received(at).model_copy(update={"product": dict(rule.applies_to).get("product", (None,))[0]})
    if rule.starts == "complaint-received":
        return [first]
    if rule.starts == "complaint-transferred":
        return [first, transferred(regime.name.partition("-")[0], at)]
    return [first, ONE_OF_EACH[rule.starts](at)]


@pytest.mark.parametrize(("regime", "rule"), CLOCKS, ids=lambda each: each.name)
def test_the_last_instant_in_time_and_the_first_one_late(regime: Regime, rule: ClockRule) -> None:
    calendar = rule.calendar or regime.calendar
    for situation, text in SITUATIONS.items():
        starts = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONES[calendar]))
        for grade in GRADED:
            facts = started(regime, rule, starts) + ([] if grade is None else [graded(grade, starts)])
            (found,) = (each for each in clocks(numbered(*facts), [regime]) if each.clock == rule.name)
            limit = next(each for each in rule.limits if not each.grades or (grade or "ungraded") in each.grades)
            expected = last_instant(limit, starts, calendar)
            assert found.due_at == expected, (situation, grade)
            late = "missed" if rule.purpose is Purpose.DUTY else "lapsed"
            assert [verdict(found, at) for at in (expected, expected + INSTANT)] == ["running", late], situation
