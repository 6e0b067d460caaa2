"""The facts of an institution's policies: regimes and calendars, published in full. Nothing here decides.

A policy is stated as data in its event, so that a replay gives the same deadline in ten years,
whatever the program has built in by then. No policy holds a personal value.
"""

from datetime import date
from typing import TypeAlias, cast

from pydantic import AwareDatetime

from ledger.deadlines.calendar import Calendar, Name
from ledger.deadlines.regime import Regime
from ledger.event import Event, Label, StaffId


class PolicyEvent(Event):
    """A fact in the stream of a book's policies; a book has one for all of them."""


class RegimePublished(PolicyEvent):
    """A version of a regime was published, every clock of it in full.

    It applies to clocks that start on `in_force_from` (a day of the regime's calendar) or later; where that
    is missing, it is published and not in force.
    """

    regime: Regime
    in_force_from: date | None = None
    published_by: StaffId
    published_at: AwareDatetime


class RegimePutInForce(PolicyEvent):
    """The latest version of a regime applies to clocks that start on `in_force_from` or later."""

    name: Name
    version: int
    in_force_from: date
    decided_by: StaffId
    decided_at: AwareDatetime


class RegimeRetired(PolicyEvent):
    """A regime applies to no clock that would start on `retired_from` or later; what runs goes on."""

    name: Name
    retired_from: date
    reason: Label
    decided_by: StaffId
    decided_at: AwareDatetime


class CalendarPublished(PolicyEvent):
    """A version of a calendar was published, with every day of it that is not what its weekday says."""

    calendar: Calendar
    published_by: StaffId
    published_at: AwareDatetime


POLICY_NAMES: dict[str, type[PolicyEvent]] = {
    "regime-published": RegimePublished,
    "regime-put-in-force": RegimePutInForce,
    "regime-retired": RegimeRetired,
    "calendar-published": CalendarPublished,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyPolicyEvent: TypeAlias = RegimePublished | RegimePutInForce | RegimeRetired | CalendarPublished


def known_policy(event: PolicyEvent) -> AnyPolicyEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in POLICY_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyPolicyEvent", event)
