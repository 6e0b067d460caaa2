"""Deadlines in two times: the clocks of one complaint as they came to be known, position by position.

A clock goes by the version of its regime that was in force on the day it started, as known when the fact with which
it starts was first recorded; a due time stays as it was issued, by the newest calendar then. A due time that is provisional is
issued anew when a newer calendar is known, if its clock still runs and had not been missed by then. So neither
a calendar nor a regime published later changes a verdict that was known. Pure; nothing is stored here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.complaint.events import ComplaintEvent
from ledger.complaint.state import effective
from ledger.deadlines.clock import Clock, Facts, Rulebook, Run, Verdict, runs_by_rule, verdict
from ledger.deadlines.issued import Issued
from ledger.deadlines.running import UNENDED
from ledger.policy.events import PolicyEvent
from ledger.policy.state import Policies, evolve


class Entry(NamedTuple):
    """An event of the complaint, or a policy, with its place and time in the book."""

    position: int
    recorded_at: datetime
    event: ComplaintEvent | PolicyEvent


class Known(NamedTuple):
    """The clocks as known from one position up to and without another; `known_to` None: still."""

    known_from: int
    known_to: int | None
    runs: tuple[Run, ...]

    @property
    def clocks(self) -> tuple[Clock, ...]:
        return tuple(run.clock for run in self.runs)


class IssuedAnew(NamedTuple):
    """A provisional due time and the one that took its place."""

    before: Run
    after: Run


class _Asked(NamedTuple):
    """What was found when a complaint was asked last: of so many facts of a list, by each rule of a rulebook."""

    facts: Facts
    size: int
    rulebook: Rulebook
    found: list[list[Run]]


class Deadlines:
    """The deadlines of one complaint while events come in; remembers what was issued.

    Asking it at the same positions gives the same answers: it may be forgotten, and made again by asking it
    once for each event of the complaint and each policy, in the order of their positions.
    """

    def __init__(self) -> None:
        self._issued: Issued[Rulebook] = Issued()
        self._asked: _Asked | None = None

    def runs(self, facts: Facts, rulebook: Rulebook, recorded_at: datetime) -> list[Run]:
        """The runs as known by an event that was recorded at an instant, by what was published up to it.

        Where the very list of facts is asked about again and has only grown, clocks that none of the new ones concerns
        are not computed again.
        """
        last = self._asked
        if last is not None and last.facts is facts and last.rulebook is rulebook and last.size <= len(facts):
            found = runs_by_rule(facts, rulebook, self._issued, before=last.found, since=last.size)
        else:
            found = runs_by_rule(facts, rulebook, self._issued)
        stale = [run for each in found for run in each if _is_stale(run, rulebook, recorded_at)]
        for run in stale:
            self._issued.forget_due(run.begun, run.limit, run.pauses)
        if stale:
            found = runs_by_rule(facts, rulebook, self._issued)
        self._asked = _Asked(facts, len(facts), rulebook, found)
        return [run for each in found for run in each]


def timeline(entries: Iterable[Entry]) -> list[Known]:
    """What was known of a complaint's deadlines, and from which position to which.

    `entries` are its events and all policies of the book, in the order of their positions.
    Cost: each entry computes the clocks of the complaint once.
    """
    deadlines, known, events = Deadlines(), Policies(), list[ComplaintEvent]()
    told: list[Known] = []
    for position, recorded_at, event in entries:
        if isinstance(event, ComplaintEvent):
            events.append(event)
        else:
            known = evolve(known, event)
        if not events:
            continue
        found = tuple(deadlines.runs(effective(events), known.rulebook, recorded_at))
        if told and told[-1].runs == found:
            continue
        if told:
            told[-1] = told[-1]._replace(known_to=position)
        told.append(Known(position, None, found))
    return told


def known_at(told: Sequence[Known], position: int) -> tuple[Run, ...]:
    """What a timeline says was known at a position."""
    return next((each.runs for each in reversed(told) if each.known_from <= position), ())


def verdicts(told: Sequence[Known], position: int, now: datetime) -> list[tuple[Clock, Verdict]]:
    """The clocks as known at a position, judged at an instant."""
    return [(run.clock, verdict(run.clock, now)) for run in known_at(told, position)]


def issued_anew(before: Iterable[Run], after: Iterable[Run]) -> list[IssuedAnew]:
    """The provisional due times of the first that the second has by another version of the calendar."""
    later = {run.begun: run for run in after}
    return [
        IssuedAnew(run, later[run.begun])
        for run in before
        if run.clock.provisional
        and run.begun in later
        and (run.limit, run.pauses) == (later[run.begun].limit, later[run.begun].pauses)
        and run.calendar.version != later[run.begun].calendar.version
    ]


def _is_stale(run: Run, rulebook: Rulebook, recorded_at: datetime) -> bool:
    """Whether a due time is to be issued anew: provisional, not over, and a newer calendar is known."""
    clock = run.clock
    if not clock.provisional or clock.ended not in UNENDED:
        return False
    newest = rulebook.calendars.get(run.calendar.name, run.calendar)
    return newest.version > run.calendar.version and verdict(clock, recorded_at) == "running"
