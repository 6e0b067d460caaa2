"""One run of a clock while the facts of a complaint are read in the order in which they happened.

Nothing here chooses a regime or reads the time; what is due, `span.py` computes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from ledger.complaint.events import (
    ComplaintClassified,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReceived,
    ComplaintRegraded,
    Grade,
)
from ledger.complaint.moving import AppraisalEnded, AppraisalStarted, ComplaintTransferred, DeadlineExtended
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.issued import Begun, Issued
from ledger.deadlines.regime import ClockRule, Deed, Extension, Limit, Regime, Span
from ledger.deadlines.span import due

Ended = Literal["running", "suspended", "stopped", "stopped-at-unknown-time", "void"]
Did = Literal[
    "start",
    "limit",
    "too-late-for-limit",
    "extend",
    "too-late-to-extend",
    "not-extended",
    "suspend",
    "not-suspended",
    "resume",
    "stop",
    "stop-at-unknown-time",
    "void",
]

UNENDED: frozenset[Ended] = frozenset({"running", "suspended"})
"""What time still counts against, or will again."""

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""Due where no limit applies."""


class Timed(NamedTuple):
    """A fact and when it happened; `told`: and when the complainant was told of it, which was later."""

    at: datetime
    version: int
    fact: ComplaintEvent
    told: bool = False


class Step(NamedTuple):
    """What one fact did to a clock, and what was due before and after it; `at` is None where no time is known."""

    version: int
    fact: ComplaintEvent
    at: datetime | None
    did: Did
    due_at: datetime
    due_before: datetime | None = None


_GRADES = (ComplaintGraded, ComplaintRegraded)


class Traits:
    """What decides whether a clock applies to a complaint, as far as the facts read so far say."""

    __slots__ = ("appraisals", "category", "channel", "grade", "product", "transferred_by", "urgent")

    def __init__(self) -> None:
        self.grade: Grade | None = None
        self.urgent = "no"
        self.channel: str | None = None
        self.product: str | None = None
        self.category: str | None = None
        self.transferred_by: frozenset[str] = frozenset()
        self.appraisals: dict[object, Timed] = {}

    def take(self, timed: Timed) -> None:
        fact = timed.fact
        if isinstance(fact, _GRADES):
            self.grade, self.urgent = fact.grade, "yes" if fact.urgent else "no"
        elif isinstance(fact, ComplaintReceived):
            self.channel, self.product = fact.channel, self.product or fact.product
        elif isinstance(fact, ComplaintClassified):
            self.category, self.product = fact.category, fact.product or self.product
        elif isinstance(fact, ComplaintTransferred):
            self.transferred_by |= {fact.body}
        elif isinstance(fact, AppraisalStarted):
            self.appraisals[fact.appraisal_id] = timed
        elif isinstance(fact, AppraisalEnded):
            self.appraisals.pop(fact.appraisal_id, None)

    def limit(self, rule: ClockRule) -> Limit | None:
        """The limit that a rule sets for such a complaint; None: its clock does not apply."""
        for trait, values in rule.applies_to.items():
            if not self._one_of(trait, values):
                return None
        for trait, values in rule.except_for.items():
            if self._one_of(trait, values):
                return None
        return rule.limit_of.get(self.grade)

    def _one_of(self, trait: str, values: tuple[str, ...]) -> bool:
        if trait == "transferred-by":
            return not self.transferred_by.isdisjoint(values)
        return getattr(self, trait) in values


class Applied(NamedTuple):
    """A rule of one version of a regime, with the newest calendar for it."""

    regime: Regime
    rule: ClockRule
    calendar: Calendar


class Running:
    """One run. `span` is the limit that applies, None while there is none for such a complaint."""

    __slots__ = (
        *("_base", "_extended", "_issued", "_judged", "_newest", "begun", "calendar", "due_at", "ended", "ended_at"),
        *("first_due_at", "first_span", "open", "pauses", "provisional", "regime", "regrades_on_last_day", "rule"),
        *("span", "starts_at", "steps", "stopped_at"),
    )

    def __init__(
        self, start: Timed, begun: Begun, applied: Applied, traits: Traits, issued: Issued[Any] | None
    ) -> None:
        self.regime, self.rule, self._newest = applied
        self.calendar, self._issued = self._newest, issued
        self.begun, self.starts_at = begun, begun.starts_at
        self.ended: Ended = "running"
        self.stopped_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.steps: list[Step] = []
        self.pauses: tuple[tuple[datetime, datetime], ...] = ()
        self.open: dict[object, datetime] = {}
        self.regrades_on_last_day = 0
        self._extended: Span | None = None
        self._judged: frozenset[int] = frozenset()
        self.due_at = NEVER
        self._put(traits.limit(self.rule))
        self.first_span, self.first_due_at = self.span, self.due_at
        self._note("start", start, None)
        if traits.appraisals:
            for appraisal in traits.appraisals.values():
                self._suspend(appraisal._replace(at=start.at))

    def see(self, timed: Timed, traits: Traits) -> bool:
        """Lets a fact do what it does; true if a new run begins with it."""
        kind, rule = type(timed.fact), self.rule
        if kind in rule.chosen_by:
            self._choose(timed, traits.limit(rule))
        if kind in rule.extended_by and self.ended == "running":
            self._extend(timed)
        if rule.suspensions and self.ended == "running":
            if isinstance(timed.fact, AppraisalStarted) and timed.fact.appraisal_id in traits.appraisals:
                self._suspend(timed)
            elif kind is AppraisalEnded:
                self._resume(timed)
        effect = None if timed.told else rule.effects.get(kind)
        if effect is None:
            return False
        return self._take(timed, effect.of(timed.fact, in_time=self._in_time(timed.at)))

    def stop_at_unknown_time(self, version: int, fact: ComplaintEvent) -> None:
        if self.ended == "running":
            self.ended = "stopped-at-unknown-time"
            self.steps.append(Step(version, fact, None, "stop-at-unknown-time", self.due_at, self.due_at))

    def _in_time(self, at: datetime) -> bool:
        """A suspended clock is always in time: it was when it was suspended, and no time has counted since."""
        return bool(self.open) or at <= self.due_at

    def _choose(self, timed: Timed, limit: Limit | None) -> None:
        """Puts another limit in place, if the one that it replaces is not over: else the miss stands."""
        if self.ended != "running" or limit is self._base:
            return
        before = self.due_at
        if not self._in_time(timed.at):
            self._note("too-late-for-limit", timed, before)
            return
        self._put(limit)
        if self.first_span is None:
            self.first_span, self.first_due_at = self.span, self.due_at
        if type(timed.fact) is ComplaintRegraded and before != NEVER:
            local_day = self.calendar.local_day
            self.regrades_on_last_day += local_day(timed.at) == local_day(before)
        self._note("limit", timed, before)

    def _extend(self, timed: Timed) -> None:
        fact, before = timed.fact, self.due_at
        addressed = not isinstance(fact, DeadlineExtended) or (fact.regime, fact.clock) == (
            self.regime.name,
            self.rule.name,
        )
        if not addressed or timed.version in self._judged or self.span is None:
            return
        to = next(self._admitted(timed), None)
        told_at = getattr(fact, "complainant_told_at", None)
        if to is None and told_at is not None and told_at > timed.at:
            return  # judged again when the complainant was told
        self._judged |= {timed.version}
        if to is None:
            self._note("not-extended", timed, before)
        elif not self._in_time(timed.at):
            self._note("too-late-to-extend", timed, before)
        else:
            granted, self._extended = self._extended, to
            self._put(self._base)
            if granted is not None and self.due_at < before:  # a longer one was granted already
                self._extended = granted
                self._put(self._base)
            self._note("extend", timed, before)

    def _admitted(self, timed: Timed) -> Iterator[Span]:
        """The limits to which the regime lets this fact lead."""
        fact = timed.fact
        for extension in self.rule.extensions:
            if not _allows(extension, timed):
                continue
            if not isinstance(fact, DeadlineExtended):
                yield extension.to
            elif fact.limit_unit is extension.to.unit and fact.limit_amount <= extension.to.amount:
                yield Span(amount=fact.limit_amount, unit=fact.limit_unit)

    def _suspend(self, timed: Timed) -> None:
        fact = timed.fact
        assert isinstance(fact, AppraisalStarted)
        if fact.appraisal_id in self.open or timed.version in self._judged:
            return
        lawful = any(_given(each.needs, timed) for each in self.rule.suspensions)
        told_at = fact.complainant_told_at
        if not lawful and told_at is not None and told_at > timed.at:
            return  # judged again when the complainant was told
        self._judged |= {timed.version}
        if lawful and self._in_time(timed.at):
            self.open[fact.appraisal_id] = timed.at
            self._note("suspend", timed, self.due_at)
        else:
            self._note("not-suspended", timed, self.due_at)

    def _resume(self, timed: Timed) -> None:
        fact, before = timed.fact, self.due_at
        assert isinstance(fact, AppraisalEnded)
        begins_at = self.open.pop(fact.appraisal_id, None)
        if begins_at is not None:
            self.pauses = (*self.pauses, (begins_at, timed.at))
            self._put(self._base)
            self._note("resume", timed, before)

    def _take(self, timed: Timed, deed: Deed) -> bool:
        """An ended run is moved by nothing."""
        if deed is Deed.LEAVE or (deed is not Deed.RESTART and self.ended != "running"):
            return False
        if self.ended == "running":
            in_time, before = self._in_time(timed.at), self.due_at
            if self.open:
                self.pauses = (*self.pauses, *((begins_at, timed.at) for begins_at in self.open.values()))
                self.open = {}
                self._put(self._base)
            self.ended_at = timed.at.astimezone(UTC)
            if deed is Deed.VOID or (deed is Deed.RESTART and in_time):
                self.ended = "void"
                self._note("void", timed, before)
            else:  # a stop, or a restart that comes after the miss
                self.ended, self.stopped_at = "stopped", self.ended_at
                self._note("stop", timed, before)
        return deed is Deed.RESTART

    def _put(self, limit: Limit | None) -> None:
        """Puts a limit in place; a longer one to which it was extended stays."""
        self._base = limit
        self.span: Span | None = limit
        self.due_at, self.provisional = NEVER, False
        if limit is None:
            return
        self._issue(limit)
        if self._extended is not None:
            base = (self.due_at, self.provisional, self.calendar)
            self._issue(self._extended)
            if self.due_at > base[0]:
                self.span = self._extended
            else:
                self.due_at, self.provisional, self.calendar = base

    def _issue(self, span: Span) -> None:
        if self._issued is None:
            self.due_at, self.provisional = due(span, self.starts_at, self.calendar, self.pauses)
        else:
            found = self._issued.due(self.begun, span, self.pauses, self._newest)
            self.due_at, self.provisional, self.calendar = found

    def _note(self, did: Did, timed: Timed, before: datetime | None) -> None:
        self.steps.append(Step(timed.version, timed.fact, timed.at, did, self.due_at, before))


def _allows(extension: Extension, timed: Timed) -> bool:
    """Whether a fact fulfils the preconditions of an extension."""
    fact = timed.fact
    by = "deadline-extended" if isinstance(fact, DeadlineExtended) else "holding-response-sent"
    ranked = not extension.ranks or getattr(fact, "approver_rank", None) in extension.ranks
    return extension.by == by and ranked and _given(extension.needs, timed)


def _given(needs: tuple[str, ...], timed: Timed) -> bool:
    """Whether the fields are given; an instant, whether it had come when the fact is judged."""
    values = [getattr(timed.fact, field, None) for field in needs]
    return all(value is not None and (not isinstance(value, datetime) or value <= timed.at) for value in values)
