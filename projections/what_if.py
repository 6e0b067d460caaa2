"""What would be, had another regime or calendar held from the beginning: every complaint replayed, and nothing recorded.

It is compared with what is known of the deadlines, issued as they were issued. Memory is that of one page of complaints.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.clock import Clock, Rulebook, Run, Verdict, runs_by, verdict
from ledger.deadlines.regime import ALWAYS, InForce, Regime
from ledger.policy.state import Policies
from projections import sla
from projections.asking import asked
from projections.complaints import effective_facts, replayed, streams
from projections.policies import Followed

PAGE = 500
"""Complaints that are read at once."""

DIFFERENCES_MAX = 10_000


class Difference(NamedTuple):
    """A deadline of which another thing would be said; None: there is none, or there would be none."""

    complaint_id: UUID
    regime: str
    clock: str
    run: int
    known: Verdict | None
    due_at: datetime | None
    would_be: Verdict | None
    would_be_due_at: datetime | None


@dataclass
class Tally:
    """The deadlines of one clock: those with a verdict now, and those that would have one."""

    met: int = 0
    missed: int = 0
    would_be_met: int = 0
    would_be_missed: int = 0
    differ: int = 0

    @property
    def rate(self) -> float | None:
        return self.met / (self.met + self.missed) if self.met + self.missed else None

    @property
    def would_be_rate(self) -> float | None:
        total = self.would_be_met + self.would_be_missed
        return self.would_be_met / total if total else None

    def count(self, known: Verdict | None, would_be: Verdict | None) -> None:
        self.met += known == "met"
        self.missed += known == "missed"
        self.would_be_met += would_be == "met"
        self.would_be_missed += would_be == "missed"
        self.differ += known != would_be


@dataclass
class WhatIf:
    """The comparison as known at `position`, judged at `now`; `differences` are the first ones, by complaint id."""

    book: str
    position: int
    now: datetime
    complaints: int = 0
    clocks: dict[tuple[str, str], Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def what_if(
    connection: Connection,
    book: str,
    *,
    regimes: Sequence[Regime] = (),
    calendars: Sequence[Calendar] = (),
    now: datetime,
    differences_max: int = DIFFERENCES_MAX,
    progress: Callable[[int], None] = lambda _: None,
) -> WhatIf:
    """Replays every complaint as if these regimes and calendars had held from the beginning, in place of those of their names.

    Only what they bear on is compared: the regimes that are given, and those that go by a calendar that is. Raises
    NotBuilt. Costs one read of every complaint.
    """
    position = asked(connection, book, sla.PROJECTION.name, None, now).position
    followed = Followed.up_to(connection, book, position)
    other = _other(followed.now, regimes, calendars)
    compared = _compared(followed.now, regimes, calendars)
    found = WhatIf(book, position, now)
    after: UUID | None = None
    while page := sla.complaints(connection, book, after=after, rows_max=PAGE):
        after = page[-1]
        for complaint_id, rows in streams(connection, book, page, position):
            known = [run for run in replayed(rows, followed, position).runs if run.clock.regime in compared]
            would_be = [run for run in runs_by(effective_facts(rows), other) if run.clock.regime in compared]
            _compare(found, complaint_id, known, would_be, differences_max)
        found.complaints += len(page)
        progress(found.complaints)
    return found


def _other(known: Policies, regimes: Sequence[Regime], calendars: Sequence[Calendar]) -> Rulebook:
    """The rules of the book, with the given ones in the place of those of their names, from the beginning."""
    given = {regime.name: InForce(regime.name, ((ALWAYS, regime),)) for regime in regimes}
    kept = [each for each in known.in_force() if each.name not in given]
    return Rulebook(
        [*kept, *given.values()],
        {**known.newest_calendars(), **{calendar.name: calendar for calendar in calendars}},
    )


def _compared(known: Policies, regimes: Sequence[Regime], calendars: Sequence[Calendar]) -> frozenset[str]:
    names = {calendar.name for calendar in calendars}
    by_calendar = {
        each.name
        for each in known.in_force()
        for _, regime in each.versions
        if regime is not None and regime.calendars & names
    }
    return frozenset({*(regime.name for regime in regimes), *by_calendar})


def _compare(
    found: WhatIf, complaint_id: UUID, known: Sequence[Run], would_be: Sequence[Run], differences_max: int
) -> None:
    before, after = dict(_numbered(known)), dict(_numbered(would_be))
    for key in sorted({*before, *after}):
        regime, clock, run = key
        was, then = before.get(key), after.get(key)
        said, would_be_said = _said(was, found.now), _said(then, found.now)
        found.clocks.setdefault((regime, clock), Tally()).count(said, would_be_said)
        if said != would_be_said and len(found.differences) < differences_max:
            due_at, would_be_due_at = (each and each.due_at for each in (was, then))
            found.differences.append(
                Difference(complaint_id, regime, clock, run, said, due_at, would_be_said, would_be_due_at)
            )


def _numbered(runs: Sequence[Run]) -> Iterator[tuple[tuple[str, str, int], Clock]]:
    numbers: dict[tuple[str, str], int] = {}
    for run in runs:
        name = (run.clock.regime, run.clock.clock)
        numbers[name] = number = numbers.get(name, 0) + 1
        yield (*name, number), run.clock


def _said(clock: Clock | None, now: datetime) -> Verdict | None:
    return None if clock is None else verdict(clock, now)
