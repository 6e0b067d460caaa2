"""Calendars of other countries: data that stand by themselves once they are made."""

import runpy
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest

from ledger.deadlines.calendar import CalendarInvalid, DayKind, built_in_calendars, read_calendar
from ledger.deadlines.country import CountryUnsupported, calendar_of_country
from ledger.deadlines.writing import calendar_as_toml

CHECKOUT = Path(__file__).parents[2]
LONDON = built_in_calendars()["gb-eng"]
YEARS = range(2024, 2028)


@pytest.mark.parametrize("name", ["gb-eng", "us"])
def test_the_built_in_files_are_what_the_script_writes(name: str) -> None:
    script = runpy.run_path(str(CHECKOUT / "scripts" / "country_calendars.py"))
    written = (CHECKOUT / "ledger" / "deadlines" / f"{name}.toml").read_text(encoding="utf-8")
    assert script["written"](name) == written


@pytest.mark.parametrize(
    ("country", "subdivision"), [("GB", "ENG"), ("GB", "SCT"), ("DE", "BY"), ("SG", None), ("FR", None)]
)
def test_its_working_days_are_the_library_s(country: str, subdivision: str | None) -> None:
    made = calendar_of_country(country, YEARS, subdivision=subdivision, announced_through=date(2026, 12, 31))
    theirs = holidays.country_holidays(country, subdiv=subdivision, years=YEARS)
    on = date(2024, 1, 1)
    while on.year < 2028:
        assert made.is_working_day(on) == theirs.is_working_day(on), on
        on += timedelta(days=1)
    assert made.status_of(date(2026, 12, 31)) == "announced"
    assert made.status_of(date(2027, 1, 1)) == "estimated"
    assert read_calendar(calendar_as_toml(made)) == made


def test_estimated_days_count_and_are_not_settled() -> None:
    good_friday = date(2027, 3, 26)
    assert not LONDON.is_working_day(good_friday)
    assert not LONDON.is_settled(good_friday)
    assert LONDON.working_day(date(2027, 3, 25), 1) == date(2027, 3, 30)


@pytest.mark.parametrize("name", ["gb-eng", "us"])
def test_days_begin_when_the_zone_says(name: str) -> None:
    calendar = built_in_calendars()[name]
    zone, on = ZoneInfo(calendar.zone), date(2004, 1, 1)
    while on.year < 2038:
        begins = calendar.day_begins_at(on).astimezone(zone)
        assert (begins.date(), begins.hour, begins.minute) == (on, 0, 0)
        on += timedelta(days=1)


@pytest.mark.parametrize(
    ("country", "more", "says"),
    [
        ("XX", {}, "name a country"),
        ("HK", {}, "weekend of HK"),
        ("US", {}, "time zones: say which one"),
        ("FR", {"announced_through": date(2030, 1, 1)}, "announced_through must lie in"),
    ],
)
def test_what_cannot_be_made_is_told_why(country: str, more: dict[str, date], says: str) -> None:
    with pytest.raises(CountryUnsupported, match=says):
        calendar_of_country(country, YEARS, **{"announced_through": date(2026, 12, 31), **more})


def test_a_half_day_is_a_working_day() -> None:
    text = calendar_as_toml(LONDON).replace(
        "days = [",
        'days = [\n    { on = 2004-01-01, kind = "half-day", zh = "半天", en = "Half day", notice = "holidays" },',
        1,
    )
    halved = read_calendar("\n".join(line for line in text.splitlines() if '2004-01-01, kind = "holiday' not in line))
    assert halved.exceptions[date(2004, 1, 1)].kind is DayKind.HALF_DAY
    assert halved.is_working_day(date(2004, 1, 1))
    with pytest.raises(CalendarInvalid, match="only a working day is halved"):
        read_calendar(
            calendar_as_toml(LONDON).replace('on = 2026-12-26, kind = "holiday"', 'on = 2026-12-26, kind = "half-day"')
        )


def test_what_is_estimated_lies_after_what_is_announced() -> None:
    with pytest.raises(CalendarInvalid, match="estimated_through lies before"):
        read_calendar(
            calendar_as_toml(LONDON).replace("estimated_through = 2027-12-31", "estimated_through = 2020-12-31")
        )
