"""Policies to tell stories with."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ledger.deadlines.calendar import Calendar, Day, DayKind, built_in_calendars
from ledger.deadlines.regime import ClockRule, Limit, Regime, default_regimes
from ledger.policy.built_in import built_in_policies
from ledger.policy.events import CalendarPublished, PolicyEvent, RegimePublished
from ledger.policy.state import Policies, policies

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon of a Monday in Shanghai."""

TOMORROW = date(2026, 3, 3)
CHINA = built_in_calendars()["china"]
(HOUSE,) = default_regimes()
FOUNDED = built_in_policies("setup", datetime(2026, 1, 1, tzinfo=UTC))


def founded(*later: PolicyEvent) -> Policies:
    """A new book, and what was published in it since."""
    return policies([*FOUNDED, *later])


def house(version: int, **days: int) -> Regime:
    """The house's regime with other limits, in working days, for general and for major complaints."""
    first, resolution = HOUSE.clocks
    limits = tuple(
        Limit(amount=amount, unit=limit.unit, grades=limit.grades)
        for amount, limit in zip((days.get("general", 5), days.get("major", 10)), resolution.limits, strict=True)
    )
    clocks = (first, ClockRule.model_validate(resolution.model_dump() | {"limits": limits}))
    return Regime.model_validate(HOUSE.model_dump() | {"version": version, "clocks": clocks})


def china(version: int, settled_through: date, *holidays: date, **more: Any) -> Calendar:
    """China's calendar with further days off, settled further."""
    days = {day.on: day for day in CHINA.days if day.on <= settled_through}
    for on in holidays:
        days[on] = Day(on=on, kind=DayKind.HOLIDAY, zh="放假", en="Day off", notice="2026")
    in_order = tuple(day.model_dump() for _, day in sorted(days.items()))
    said = CHINA.model_dump() | {"version": version, "settled_through": settled_through, "days": in_order} | more
    return Calendar.model_validate(said)


def regime_published(regime: Regime, since: date | None, at: datetime = NOW) -> RegimePublished:
    return RegimePublished(regime=regime, in_force_from=since, published_by="chen", published_at=at)


def calendar_published(calendar: Calendar, at: datetime = NOW) -> CalendarPublished:
    return CalendarPublished(calendar=calendar, published_by="chen", published_at=at)


LATER = NOW + timedelta(days=400)
