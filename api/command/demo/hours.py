"""When people of the made-up bank are at work, by a working calendar; no clock is read here."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from ledger.deadlines.calendar import Calendar

OPENS, SHUTS = time(9, 0), time(17, 45)


class OfficeHours:
    """Moves moments into the hours of work of an institution's calendar."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def at_work(self, moment: datetime, chance: Random) -> datetime:
        """The moment itself when people are at work, else some time in the first hour that they are again."""
        local = self.calendar.local(moment)
        if self.calendar.is_working_day(local.date()) and OPENS <= local.time() <= SHUTS:
            return moment
        day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
        while not self.calendar.is_working_day(day):
            day += timedelta(days=1)
        return self.on(day, OPENS, chance.uniform(0, 60))

    def share_of_the_way(self, begin: datetime, end: datetime, share: float) -> datetime:
        """The moment at that share of the office hours between two moments; of the time itself where there are none."""
        spans = list(self._open_between(begin, end))
        left = share * sum((shuts - opens for opens, shuts in spans), timedelta(0))
        for opens, shuts in spans:
            if left <= shuts - opens:
                return (opens + left).replace(microsecond=0)
            left -= shuts - opens
        return (begin + (end - begin) * share).replace(microsecond=0)

    def _open_between(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        day, last = self.calendar.local_day(begin), self.calendar.local_day(end)
        while day <= last:
            opens, shuts = max(begin, self.on(day, OPENS, 0)), min(end, self.on(day, SHUTS, 0))
            if self.calendar.is_working_day(day) and opens < shuts:
                yield opens, shuts
            day += timedelta(days=1)

    def working_days_after(self, moment: datetime, days: int, chance: Random) -> datetime:
        """Some time in the hours of the n-th working day after the moment's own day, which is not counted."""
        day = self.calendar.working_day(self.calendar.local_day(moment), days)
        return self.on(day, OPENS, chance.uniform(20, 515))

    def on(self, day: date, begins: time, minutes: float) -> datetime:
        """So many minutes after a time of a day, in UTC; whole seconds."""
        moment = self.calendar.day_begins_at(day) + timedelta(hours=begins.hour, minutes=begins.minute + minutes)
        return moment.replace(microsecond=0)
