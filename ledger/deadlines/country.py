"""Calendars of other countries, made from the library `holidays`, to be published as data.

Only who makes a calendar needs this module: a deadline never asks the library, nor the time-zone database,
because what they say of a day may change with their next version.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version as version_of
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays

from ledger.deadlines.calendar import Calendar, Day, DayKind, DayStart

OFFSET_YEARS_AHEAD = 10
"""Days begin by today's time-zone rules for so long after the last year: limits of months and years reach there."""

NOTICE = "holidays"


class CountryUnsupported(ValueError):
    """No calendar can be made of this country; the message says why and what to do."""


def calendar_of_country(
    country: str,
    years: range,
    *,
    announced_through: date,
    version: int = 1,
    subdivision: str | None = None,
    zone: str | None = None,
    name: str | None = None,
) -> Calendar:
    """The working days of a country (ISO 3166, with a subdivision of the library's) in some years.

    Days after `announced_through` are estimates of the library: it computes holidays by rule and answers for years
    that nobody has announced. Raises CountryUnsupported.
    """
    country = country.upper()
    days = tuple(_days(country, subdivision, years))
    last = date(years[-1], 12, 31)
    if not date(years[0], 1, 1) <= announced_through <= last:
        raise CountryUnsupported(
            f"announced_through must lie in {years[0]} to {years[-1]}: {announced_through} does not"
        )
    zone = zone or _zone_of(country)
    library = f"the library holidays {version_of('holidays')}, which computes them by rule"
    return Calendar(
        name=name or "-".join(filter(None, (country, subdivision))).lower(),
        version=version,
        title=f"Working days of {country}" + (f", {subdivision}" if subdivision else ""),
        zone=zone,
        settled_from=date(years[0], 1, 1),
        settled_through=announced_through,
        estimated_through=None if announced_through == last else last,
        remarks="",
        day_starts=tuple(_day_starts(zone, years)),
        notices={NOTICE: library},
        days=days,
    )


def _days(country: str, subdivision: str | None, years: range) -> Iterator[Day]:
    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError as error:
        raise CountryUnsupported(f"{error}: name a country and subdivision that the library `holidays` has") from error
    if set(found.weekend) != {5, 6}:
        raise CountryUnsupported(
            f"the weekend of {country} is not Saturday and Sunday: write its calendar as a file of your own"
        )
    named = {on: (DayKind.HOLIDAY, words) for on, words in found.items()}
    for on, words in _half_days(country, subdivision, years):
        named.setdefault(on, (DayKind.HALF_DAY, words))
    for on in found.weekend_workdays:
        named[on] = (DayKind.MAKE_UP_WORKING_DAY, "Works for another day")
    for on, (kind, words) in sorted(named.items()):
        yield Day(on=on, kind=kind, zh=words, en=words, notice=NOTICE)


def _half_days(country: str, subdivision: str | None, years: range) -> Iterator[tuple[date, str]]:
    kind = getattr(holidays, country, None)
    if kind is None or "half_day" not in kind.supported_categories:
        return
    halved = holidays.country_holidays(country, subdiv=subdivision, years=years, categories=("half_day",))
    yield from ((on, words) for on, words in halved.items() if on.weekday() < 5)


def _zone_of(country: str) -> str:
    """The zone of a country that has only one of its own; zones that it shares are listed under another country."""
    listed = files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in listed.splitlines() if not line.startswith("#")]
    zones = [row[2] for row in rows if row[0].split(",")[0] == country]
    if len(zones) != 1:
        raise CountryUnsupported(f"{country} has {len(zones)} time zones: say which one, like America/New_York")
    return zones[0]


def _day_starts(zone_name: str, years: range) -> Iterator[DayStart]:
    """The offset at which local days begin, and each day from which another one holds."""
    zone, known = ZoneInfo(zone_name), None
    on, last = date(years[0], 1, 1), date(years[-1] + OFFSET_YEARS_AHEAD, 12, 31)
    while on <= last:
        begins = datetime(on.year, on.month, on.day, tzinfo=zone)
        offset_minutes = round((begins.replace(tzinfo=UTC) - begins.astimezone(UTC)) / timedelta(minutes=1))
        if offset_minutes != known:
            yield DayStart(since=on, utc_offset_minutes=offset_minutes)
        known, on = offset_minutes, on + timedelta(days=1)
