"""The passing of time as facts: a deadline approaches, is missed, is issued anew. Nothing here decides.

Each stands in a stream of its own, so that no handler ever gets a conflict from one. It states the true time;
when it was recorded, the record says. It starts and stops no clock.
"""

from datetime import datetime
from typing import TypeAlias, assert_never, cast
from uuid import UUID

from pydantic import AwareDatetime

from ledger.deadlines.calendar import INSTANT, Name
from ledger.deadlines.regime import Span
from ledger.event import Event


class TimekeeperEvent(Event):
    """A fact about one clock of one complaint, as known at `known_at_position`, which its recording adds.

    So what somebody recorded in between, or records later of an earlier time, makes it no lie.
    """

    complaint_id: UUID
    regime: Name
    regime_version: int
    calendar_version: int | None = None
    clock: Name
    starts_at: AwareDatetime
    limit: Span
    due_at: AwareDatetime
    provisional: bool = False
    known_at_position: int | None = None


class DeadlineApproaching(TimekeeperEvent):
    """No more than `before` was left of the limit, from `approached_at` on."""

    before: Span
    approached_at: AwareDatetime


class DeadlineMissed(TimekeeperEvent):
    """The limit ended at `due_at`, and nothing had stopped the clock."""


class DeadlineIssuedAnew(TimekeeperEvent):
    """A provisional due time gave way to the one by the published calendar."""

    calendar_version_before: int | None = None
    due_before_at: AwareDatetime


TIMEKEEPING_NAMES: dict[str, type[TimekeeperEvent]] = {
    "deadline-approaching": DeadlineApproaching,
    "deadline-missed": DeadlineMissed,
    "deadline-issued-anew": DeadlineIssuedAnew,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyTimekeeperEvent: TypeAlias = DeadlineApproaching | DeadlineMissed | DeadlineIssuedAnew


def known_timekeeping(event: TimekeeperEvent) -> AnyTimekeeperEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in TIMEKEEPING_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyTimekeeperEvent", event)


def came_about_at(event: TimekeeperEvent) -> datetime | None:
    """When time brought it about; None where a publication did, and not time."""
    fact = known_timekeeping(event)
    match fact:
        case DeadlineApproaching():
            return fact.approached_at
        case DeadlineMissed():
            return fact.due_at + INSTANT
        case DeadlineIssuedAnew():
            return None
        case _:
            assert_never(fact)
