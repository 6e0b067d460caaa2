#!/usr/bin/env python3
"""Prints China's working calendar as the TOML kept in `ledger/deadlines/china.toml`.

    python scripts/china_calendar.py > ledger/deadlines/china.toml

It needs the library `holidays` and is run by hand when the State Council has announced another
year. The program itself reads only the file. A changed file is a new calendar: raise VERSION.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
from holidays.countries.china import China

VERSION = 1
ZONE = "Asia/Shanghai"
FIRST_YEAR, LAST_YEAR = 2004, 2026

SETTLED_THROUGH = date(LAST_YEAR, 12, 28)
"""The notice of the next year may still move the last days of this one: it did so for
2005-12-31, 2006-12-30, 2006-12-31, 2007-12-29, 2007-12-31, 2011-12-31, 2018-12-29 and 2018-12-31,
and never earlier than 29 December."""

REMARKS = """\
Settled through 28 December: the notice of the next year has moved days after that one (2005, 2006, 2007, 2011, 2018).
2005-12-31, a Saturday, is a make-up working day: the notice for 2006 gives 1 to 3 January off, of which one is the
statutory day and 3 January is exchanged for 31 December. `holidays` has it so; `chinesecalendar`, which starts each
year with that year's notice, lacks it and calls the day a free Saturday. It is the only day of 2004 to 2026 on which
the two differ.
"""

AMENDED = {
    "2019 Extensions": {date(2019, 4, 28), date(2019, 5, 2), date(2019, 5, 3), date(2019, 5, 5)},
    "2020 Extensions": {date(2020, 1, 31), date(2020, 2, 1), date(2020, 2, 2)},
}
"""Days that an amending notice moved after the year's own."""


def notice_of(on: date) -> str:
    for notice, days in AMENDED.items():
        if on in days:
            return notice
    return str(on.year + 1 if (on.month, on.day) >= (12, 29) else on.year)


def notices() -> dict[str, str]:
    """The State Council's notices that moved a day, by the addresses under which the library cites them."""
    used = {notice_of(on) for on, *_ in days()}
    cited = re.findall(r"\* \[(\d{4}[^\]]*)\]\((\S+)\)", China.__doc__ or "")
    return {name: address for name, address in cited if name in used}


def days() -> Iterator[tuple[date, str, str, str]]:
    """Each named day with its kind and its names in Chinese and English, in order."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    chinese = holidays.CN(years=years, language="zh_CN")
    english = holidays.CN(years=years, language="en_US")
    swapped = {made_up: free for free, name in chinese.items() for made_up in _dates(name)}
    named = {on: ("holiday", name, _iso(english[on])) for on, name in chinese.items()}
    for on in chinese.weekend_workdays & swapped.keys():
        named[on] = ("make-up-working-day", f"补班（{swapped[on]} 调休）", f"Works for {swapped[on]}")
    for on in sorted(named):
        if date(FIRST_YEAR, 1, 1) <= on <= SETTLED_THROUGH:
            yield (on, *named[on])


def _dates(name: str) -> list[date]:
    return [date.fromisoformat(found) for found in re.findall(r"\d{4}-\d\d-\d\d", name)]


def _iso(name: str) -> str:
    return re.sub(r"(\d\d)/(\d\d)/(\d{4})", r"\3-\1-\2", name)


def day_starts() -> Iterator[tuple[date, int]]:
    """The offset at which local days begin, and each day from which another one holds."""
    zone, known = ZoneInfo(ZONE), None
    on = date(FIRST_YEAR, 1, 1)
    while on <= SETTLED_THROUGH:
        begins = datetime(on.year, on.month, on.day, tzinfo=zone)
        offset_minutes = round((begins.replace(tzinfo=UTC) - begins.astimezone(UTC)) / timedelta(minutes=1))
        if offset_minutes != known:
            yield on, offset_minutes
        known, on = offset_minutes, on + timedelta(days=1)


def calendar() -> str:
    """The whole file."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    yield f"# Written by scripts/china_calendar.py from `holidays` {holidays.__version__}; do not edit."
    yield 'name = "china"'
    yield f"version = {VERSION}"
    yield 'title = "Working days of the People\'s Republic of China, by the notices of the State Council"'
    yield f'zone = "{ZONE}"'
    yield f"settled_from = {FIRST_YEAR}-01-01"
    yield f"settled_through = {SETTLED_THROUGH}"
    yield f'remarks = """\n{REMARKS}"""'
    yield "day_starts = ["
    for since, offset_minutes in day_starts():
        yield f"    {{ since = {since}, utc_offset_minutes = {offset_minutes} }},"
    yield "]"
    yield "days = ["
    for on, kind, zh, en in days():
        yield f'    {{ on = {on}, kind = "{kind}", zh = "{zh}", en = "{en}", notice = "{notice_of(on)}" }},'
    yield "]"
    yield ""
    yield "[notices]"
    for name, address in notices().items():
        yield f'"{name}" = "{address}"'


if __name__ == "__main__":
    sys.stdout.write(calendar())
