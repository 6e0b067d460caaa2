"""China's working days against a second source, and the arithmetic of any calendar against counting by hand."""

import runpy
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT, Calendar, CalendarInvalid, DayKind, built_in_calendars, read_calendar
from ledger.deadlines.regime import Span
from ledger.deadlines.span import due

CHINA = built_in_calendars()["china"]
CHECKOUT = Path(__file__).parents[2]
FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)
EVERY_DAY = [FIRST + timedelta(days=days) for days in range((LAST - FIRST).days + 1)]
DEVIATION = date(2005, 12, 31)
"""The notice for 2006 makes this Saturday a working day, in exchange for 2006-01-03; `chinesecalendar` lacks it."""

LONDON = ZoneInfo("Europe/London")


def counted_by_hand(working: list[date], after: date, number: int) -> date | None:
    """The day that is counted as `number` among working days in order; None when the list is too short."""
    place = bisect_right(working, after) + number - 1
    return working[place] if place < len(working) else None


def test_one_day_of_twenty_three_years_is_not_what_the_second_source_says() -> None:
    different = [on for on in EVERY_DAY if CHINA.is_working_day(on) != chinese_calendar.is_workday(on)]
    assert different == [DEVIATION]
    assert CHINA.exceptions[DEVIATION].kind is DayKind.MAKE_UP_WORKING_DAY
    assert CHINA.exceptions[DEVIATION].notice == "2006"
    assert not CHINA.is_working_day(date(2006, 1, 3))  # what it makes up for


def test_one_to_twenty_working_days_from_every_day_agree_with_the_second_source() -> None:
    theirs = [on for on in EVERY_DAY if chinese_calendar.is_workday(on)]
    with_the_day = sorted({*theirs, DEVIATION})
    ours, expected, explained = set(), set(), set()
    shanghai = ZoneInfo("Asia/Shanghai")
    spans = [Span(amount=number, unit=Unit.WORKING_DAYS) for number in range(1, 21)]
    for on in EVERY_DAY:
        noon = datetime(on.year, on.month, on.day, 12, tzinfo=shanghai)
        for span in spans:
            last = counted_by_hand(theirs, on, span.amount)
            due_at, provisional = due(span, noon, CHINA)
            if last is None:  # it runs into 2027, where the second source raises
                assert provisional
                continue
            if counted_by_hand(with_the_day, on, span.amount) != last:
                explained.add((on, span.amount))
            tomorrow = last + timedelta(days=1)
            expected.add((on, span.amount, datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=shanghai)))
            ours.add((on, span.amount, due_at + INSTANT))
    assert len(ours) > 167_000
    assert {(on, number) for on, number, _ in ours - expected} == explained
    assert all(on < DEVIATION for on, _ in explained)
    assert 0 < len(explained) <= 20 * 32


def test_the_file_is_what_the_script_writes() -> None:
    written = runpy.run_path(str(CHECKOUT / "scripts" / "china_calendar.py"))["calendar"]()
    assert (CHECKOUT / "ledger" / "deadlines" / "china.toml").read_text(encoding="utf-8") == written


def test_every_make_up_day_is_a_weekend_day_and_names_a_notice() -> None:
    made_up = [day for day in CHINA.days if day.kind is DayKind.MAKE_UP_WORKING_DAY]
    assert len(made_up) == 151
    assert all(day.on.weekday() >= 5 and CHINA.is_working_day(day.on) for day in made_up)
    assert all(day.notice[:4] in {str(day.on.year), str(day.on.year + 1)} for day in CHINA.days)


@given(st.dates(date(1995, 1, 1), date(2040, 12, 31)), st.integers(1, 80))
def test_a_looked_up_working_day_is_the_one_that_counting_finds(after: date, number: int) -> None:
    on, left = after, number
    while left:
        on += timedelta(days=1)
        left -= CHINA.is_working_day(on)
    assert CHINA.working_day(after, number) == on


@given(st.integers(1_072_900_800, 1_893_456_000), st.integers(0, 999_999))
def test_an_instant_lies_in_the_day_that_shanghai_says(seconds: int, microseconds: int) -> None:
    instant = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    on = CHINA.local_day(instant)
    assert on == instant.astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert CHINA.day_begins_at(on) <= instant <= CHINA.day_ends_at(on)


def london(**changed: object) -> dict[str, object]:
    """A calendar of 2025 with both changes of the clock: days are of 23, 24 and 25 hours."""
    return {
        "name": "london",
        "version": 1,
        "title": "London",
        "zone": "Europe/London",
        "settled_from": date(2025, 1, 1),
        "settled_through": date(2025, 12, 31),
        "day_starts": [
            {"since": date(2024, 10, 28), "utc_offset_minutes": 0},
            {"since": date(2025, 3, 31), "utc_offset_minutes": 60},
            {"since": date(2025, 10, 27), "utc_offset_minutes": 0},
        ],
        "notices": {"bank": "the bank holidays"},
        "days": [{"on": date(2025, 12, 25), "kind": "holiday", "zh": "圣诞节", "en": "Christmas", "notice": "bank"}],
        **changed,
    }


def test_days_of_23_and_25_hours_begin_and_end_at_midnight_of_the_wall_clock() -> None:
    calendar = Calendar.model_validate(london())
    for days in range(365):
        on = date(2025, 1, 1) + timedelta(days=days)
        begins = datetime(on.year, on.month, on.day, tzinfo=LONDON).astimezone(UTC)
        assert calendar.day_begins_at(on) == begins
        assert calendar.local_day(begins) == on
        assert calendar.local_day(begins - INSTANT) == on - timedelta(days=1)
        assert calendar.day_ends_at(on - timedelta(days=1)) == begins - INSTANT
    assert (
        calendar.day_ends_at(date(2025, 3, 30)) - calendar.day_begins_at(date(2025, 3, 30))
        == timedelta(hours=23) - INSTANT
    )


def day(on: date, kind: str = "holiday", notice: str = "bank") -> dict[str, object]:
    return {"on": on, "kind": kind, "zh": "假", "en": "off", "notice": notice}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"settled_through": date(2024, 1, 1)}, "settled_through lies before settled_from"),
        ({"days": [day(date(2026, 1, 1))]}, "2026-01-01 lies outside"),
        ({"days": [day(date(2025, 5, 1)), day(date(2025, 5, 1))]}, "state each day once"),
        ({"days": [day(date(2025, 5, 1), notice="rumour")]}, "names the notice 'rumour'"),
        ({"days": [day(date(2025, 5, 1), "make-up-working-day")]}, "2025-05-01 is a weekday"),
        ({"days": [day(date(2025, 5, 1), "half-holiday")]}, "kind"),
        ({"day_starts": []}, "day_starts"),
        (
            {"day_starts": [{"since": date(2025, 1, 1), "utc_offset_minutes": 0}] * 2},
            "state each `since` once",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Calendar.model_validate(london(**changed))


def test_a_calendar_that_cannot_be_read_says_so() -> None:
    with pytest.raises(CalendarInvalid, match="cannot be read"):
        read_calendar("name = ")
