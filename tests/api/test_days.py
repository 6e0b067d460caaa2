"""A day that a question names begins and ends as the calendar says that the book has published."""

from datetime import UTC, datetime

import httpx

from ledger.application import Ledger
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.policy.commands import PublishCalendar
from projections.worker import catch_up


def test_days_are_those_of_the_published_calendar(client: httpx.Client, ledger: Ledger, database: Database) -> None:
    """The boundaries are facts: another offset in the published data moves the day, whatever a time-zone database says."""
    asked = {"from": "2026-07-01", "to": "2026-07-01"}
    catch_up(database, ledger.book, "sla")
    before = client.get("/sla", params=asked).json()
    assert (before["starts_from"], before["starts_before"]) == ("2026-06-30T16:00:00Z", "2026-07-01T16:00:00Z")
    (start,) = built_in_calendars()["china"].day_starts
    moved = built_in_calendars()["china"].model_copy(
        update={"day_starts": (start.model_copy(update={"utc_offset_minutes": 7 * 60}),)}
    )
    ledger.handle(PublishCalendar(calendar=moved, published_by="sun", published_at=datetime.now(UTC)), principal="test")
    after = client.get("/sla", params=asked).json()
    assert (after["starts_from"], after["starts_before"]) == ("2026-06-30T17:00:00Z", "2026-07-01T17:00:00Z")
    instant = client.get("/sla", params={"from": "2026-07-01T00:00:00+08:00"}).json()
    assert instant["starts_from"] == "2026-06-30T16:00:00Z", "an instant is one wherever it is read"
