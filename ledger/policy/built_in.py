"""The policies that a new book begins with, published in full. Nothing is recorded here."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import ALWAYS, built_in_regimes
from ledger.policy.events import CalendarPublished, PolicyEvent, RegimePublished

IN_FORCE = ("house",)
"""The regimes that a new book goes by unless it is told otherwise; the others are published, and not in force."""


def built_in_policies(
    published_by: str, published_at: datetime, in_force: Collection[str] = IN_FORCE
) -> list[PolicyEvent]:
    """Every built-in calendar and regime; those in force apply to whatever is received, however long ago."""
    calendars = [
        CalendarPublished(calendar=calendar, published_by=published_by, published_at=published_at)
        for calendar in built_in_calendars().values()
    ]
    regimes = [
        RegimePublished(
            regime=regime,
            in_force_from=ALWAYS if regime.name in in_force else None,
            published_by=published_by,
            published_at=published_at,
        )
        for regime in built_in_regimes()
    ]
    return [*calendars, *regimes]


def policies_stream(book: UUID) -> UUID:
    """The one stream of a book's policies; `book` is an id of the book's own, and public: the stream's need not hide it."""
    return uuid5(book, "policies")
