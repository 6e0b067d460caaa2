#!/usr/bin/env python3
"""Writes the calendars of other countries that the built-in regimes go by, beside China's.

    python scripts/country_calendars.py

It needs the library `holidays` and is run by hand, once a year. A changed file is a new calendar: raise its VERSION.
"""

from datetime import date
from pathlib import Path

from ledger.deadlines.country import calendar_of_country
from ledger.deadlines.writing import calendar_as_toml

YEARS = range(2004, 2028)
ANNOUNCED_THROUGH = date(2026, 12, 31)
VERSION = 1

CALENDARS = {
    "gb-eng": {"country": "GB", "subdivision": "ENG", "zone": "Europe/London"},
    "us": {"country": "US", "zone": "America/New_York"},
}
"""England and Wales for the FCA; the United States, in Washington's zone, for the CFPB."""


def written(name: str) -> str:
    """The whole file."""
    made = calendar_of_country(
        years=YEARS, announced_through=ANNOUNCED_THROUGH, version=VERSION, name=name, **CALENDARS[name]
    )
    return f"# Written by scripts/country_calendars.py; do not edit.\n{calendar_as_toml(made)}"


if __name__ == "__main__":
    for name in CALENDARS:
        folder = Path(__file__).parents[1] / "ledger" / "deadlines"
        (folder / f"{name}.toml").write_text(written(name), encoding="utf-8")
