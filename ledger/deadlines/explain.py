"""The derivation of a deadline, day by day and fact by fact, for somebody who does not believe it.

Pure and deterministic: the same facts, regime and calendar give the same lines in ten years. The
days are walked one by one here, not looked up in the table that the deadline was computed with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ledger.complaint.events import COMPLAINT_NAMES
from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.clock import Clock, Facts, Regimes, Run, runs
from ledger.deadlines.regime import Span
from ledger.deadlines.running import Did, Step
from ledger.deadlines.span import paused_days

Why = Literal[
    "day-of-start",
    "working-day",
    "make-up-working-day",
    "half-day",
    "holiday",
    "weekend",
    "calendar-day",
    "suspended",
]


@dataclass(frozen=True, slots=True)
class DayLine:
    """One local day. `number` is None for a day that is skipped; `settled` is false where only the
    weekday speaks, because the day is not announced; `remark` and `notice` are the calendar's own."""

    on: date
    number: int | None
    why: Why
    settled: bool = True
    remark: str = ""
    notice: str = ""

    def __str__(self) -> str:
        place = "skipped" if self.number is None else f"day {self.number}"
        told = [REASONS[self.why], self.remark, f"notice {self.notice}" if self.notice else ""]
        told.append("" if self.settled else "not announced yet: by the weekday alone")
        return f"{self.on} {WEEKDAYS[self.on.weekday()]}  {place:>8}  {', '.join(part for part in told if part)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock, the limit that applied, the facts that moved it and the days that were counted."""

    clock: Clock
    limit: Span
    calendar: Calendar
    steps: tuple[Step, ...]
    days: tuple[DayLine, ...]

    def lines(self) -> list[str]:
        """The explanation as text, times in the institution's zone."""
        clock = self.clock
        versions = f"regime {clock.regime} version {clock.regime_version}"
        if clock.calendar_version is not None:
            versions += f", calendar {self.calendar.name} version {clock.calendar_version}"
        due = f"due {self._local(clock.due_at)}" + (", provisional" if clock.provisional else "")
        if clock.suspended_at is not None:
            due = f"suspended since {self._local(clock.suspended_at)}; {due} if it went on at once"
        return [
            f"{clock.clock}: {self.limit} from {self._local(clock.starts_at)}, {due} ({versions})",
            *(f"  {self._told(step)}" for step in self.steps),
            *(f"  {day}" for day in self.days),
        ]

    def past_limit(self, now: datetime) -> str | None:
        """By how much a clock that still runs is past its limit at an instant, in what its limit counts; None if it is not.

        Days are those that would have counted after the last one of the limit, the day of the instant included.
        """
        clock = self.clock
        if clock.ended != "running" or now <= clock.due_at:
            return None
        judged = f"past its limit, judged at {self.calendar.local(now).isoformat(timespec='seconds')}"
        if self.limit.elapses:
            return f"and {(now - clock.due_at) / timedelta(hours=1):,.1f} hours {judged}"
        last, today = (self.calendar.local_day(at).toordinal() for at in (clock.due_at, now))
        if self.limit.unit is Unit.WORKING_DAYS:
            days, kind = self.calendar.counted.until(today) - self.calendar.counted.until(last), "working day"
        else:
            days, kind = today - last, "calendar day"
        return f"and {days:,} {kind}{'' if days == 1 else 's'} {judged}"

    def _told(self, step: Step) -> str:
        when = "at a time not stated" if step.at is None else self._local(step.at)
        return f"version {step.version} {NAMES[type(step.fact)]} {when}: {SAYS[step.did]}"

    def _local(self, instant: datetime) -> str:
        return self.calendar.local(instant).isoformat(timespec="microseconds" if instant.microsecond else "seconds")


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Stated here, because `strftime` speaks the language of the machine."""

REASONS: dict[Why, str] = {
    "day-of-start": "the day of the start is never counted",
    "working-day": "working day",
    "make-up-working-day": "make-up working day",
    "holiday": "holiday",
    "half-day": "half day, counted like a whole one",
    "weekend": "weekend",
    "calendar-day": "calendar day",
    "suspended": "does not count: outside appraisal, as the complainant was told",
}

NAMES = {fact: name for name, fact in COMPLAINT_NAMES.items()}

SAYS: dict[Did, str] = {
    "start": "the clock starts",
    "limit": "in time, so the limit of this grade applies, from the start",
    "too-late-for-limit": "after the due time, so the limit and the miss stand",
    "extend": "in time and as the regime asks, so the longer limit applies, from the start",
    "too-late-to-extend": "after the due time, so the limit and the miss stand",
    "not-extended": "not as the regime asks, so the limit stands",
    "suspend": "the clock is suspended, as the regime allows",
    "not-suspended": "not as the regime asks, so the clock goes on",
    "resume": "the clock goes on",
    "stop": "the clock stops",
    "stop-at-unknown-time": "the clock stopped at an unknown time, so nothing can be said",
    "void": "in time, so the clock is void and out of the rate",
}


def explain(
    facts: Facts, regimes: Regimes | None = None, calendars: Mapping[str, Calendar] | None = None
) -> list[Explanation]:
    """The derivation of each clock that `clocks` gives for the same arguments, in its order."""
    return [explained(run) for run in runs(facts, regimes, calendars)]


def explained(run: Run) -> Explanation:
    """The derivation of one clock."""
    return Explanation(run.clock, run.limit, run.calendar, run.steps, tuple(_days(run)))


def _days(run: Run) -> Iterator[DayLine]:
    """From the day of the start, which is never counted, to the last day of the limit."""
    if run.limit.elapses:
        return
    working = run.limit.unit is Unit.WORKING_DAYS
    on = run.calendar.local_day(run.clock.starts_at)
    last = run.calendar.local_day(run.clock.due_at)
    suspended = paused_days(run.pauses, run.calendar)
    yield _line(run.calendar, on, None, "day-of-start") if working else DayLine(on, None, "day-of-start")
    number = 0
    while on < last:
        on += timedelta(days=1)
        why: Why = _why(run.calendar, on) if working else "calendar-day"
        if on in suspended and why not in ("holiday", "weekend"):
            why = "suspended"
        counted = why not in ("holiday", "weekend", "suspended")
        number += counted
        place = number if counted else None
        yield _line(run.calendar, on, place, why) if working else DayLine(on, place, why)


def _why(calendar: Calendar, on: date) -> Why:
    day = calendar.exceptions.get(on)
    if day is None:
        return "working-day" if calendar.is_working_day(on) else "weekend"
    return day.kind.value


def _line(calendar: Calendar, on: date, number: int | None, why: Why) -> DayLine:
    day = calendar.exceptions.get(on)
    remark, notice = ("", "") if day is None else (f"{day.zh} {day.en}", day.notice)
    return DayLine(on, number, why, calendar.is_settled(on), remark, notice)
