"""The year that the demo makes up besides complaints, and who works in it. Draws from a seed; reads no clock."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from api.command.demo.drawn import complaint_id, drawing, made_up_id
from api.command.demo.hours import OfficeHours
from ledger.command import Command

REGISTERED_EVERY = 20
"""Of so many complaints, the customer of one is registered."""

AGENTS = ("kf0012", "kf0017", "kf0023", "kf0045")
QUALITY, CHIEF, RISK_HEAD, SECURITY = "zg0003", "gl0001", "fx0002", "aq0004"


class Told(NamedTuple):
    """A command, and when it was."""

    at: datetime
    command: Command


class Year:
    """The year before `end`, in which everything happens."""

    def __init__(self, seed: int, end: datetime, complaints: int, hours: OfficeHours) -> None:
        self.seed, self.end, self.complaints, self.hours = seed, end, complaints, hours
        self.chance = drawing(seed, "parties")

    def id(self, what: str) -> UUID:
        return made_up_id(self.seed, f"party:{what}")

    def at(self, days_before_end: float, hour: int = 10) -> datetime:
        """About that hour of the working day so many days before the end; whole seconds."""
        day = self.hours.calendar.local_day(self.end - timedelta(days=days_before_end))
        while not self.hours.calendar.is_working_day(day):
            day -= timedelta(days=1)
        return self.hours.on(day, time(hour), self.chance.uniform(0, 50))

    def day(self, days_before_end: float) -> date:
        return self.hours.calendar.local_day(self.end - timedelta(days=days_before_end))

    def complaint(self) -> UUID:
        """Any complaint of the year."""
        return complaint_id(self.seed, self.chance.randint(1, self.complaints))
