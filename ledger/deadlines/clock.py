"""Clocks: when a complaint was due, when it was answered, and whether that was in time.

Pure: facts, regimes and calendars in, clocks out. Nothing here reads the time, and no verdict is
kept: whoever asks says as of when.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Literal, NamedTuple, assert_never

from ledger.complaint.events import ComplaintEvent, time_field
from ledger.complaint.moving import AppraisalStarted, DeadlineExtended
from ledger.deadlines.calendar import Calendar, built_in_calendars
from ledger.deadlines.issued import Begun, Issued
from ledger.deadlines.regime import ALWAYS, ClockRule, Deed, InForce, Purpose, Regime, Span, default_regimes
from ledger.deadlines.running import Applied, Ended, Running, Step, Timed, Traits
from ledger.deadlines.span import Pauses

Verdict = Literal["met", "missed", "running", "unknown", "void", "lapsed"]
Facts = Sequence[tuple[int, ComplaintEvent]]
"""The effective facts of one complaint with their versions: annulled ones gone, corrected ones replaced."""


class Clock(NamedTuple):
    """One deadline on one complaint. All instants are UTC.

    `due_at` is the last instant in time: what happens at it is in time, what happens a microsecond
    later is late. `calendar_version` is None where the limit elapses and needs no calendar.
    `provisional`: the limit runs over days that are not announced yet. `suspended_at`: since then time
    does not count, and `due_at` is what it would be if it counted again at once. `first_limit` and
    `first_due_at` are those before any other limit was put in place; `regrades_on_last_day` counts the
    regrades that changed the limit on the day on which the limit before it ended.
    """

    regime: str
    clock: str
    regime_version: int
    calendar_version: int | None
    starts_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    ended: Ended
    provisional: bool
    purpose: Purpose
    limit: Span
    first_limit: Span
    first_due_at: datetime
    suspended_at: datetime | None
    regrades_on_last_day: int


class Run(NamedTuple):
    """A clock with its derivation: its rule, the limit that applied and the facts that moved it.

    `ended_at` is when it stopped or became void; None while it runs, and where no time is known.
    """

    clock: Clock
    limit: Span
    calendar: Calendar
    steps: tuple[Step, ...]
    rule: ClockRule
    pauses: Pauses
    ended_at: datetime | None
    begun: Begun


Regimes = Sequence[Regime | InForce]


def clocks(
    facts: Facts, regimes: Regimes | None = None, calendars: Mapping[str, Calendar] | None = None
) -> list[Clock]:
    """The clocks of one complaint, in the order of the regimes; none before it was received.

    None stands for what holds where an institution has published nothing. Of a regime with several versions,
    the one in force on the local day on which a clock starts applies. Raises KeyError when a regime's calendar
    is not among `calendars`.
    """
    return [run.clock for run in runs(facts, regimes, calendars)]


def verdict(clock: Clock, now: datetime) -> Verdict:
    """What can be said of a clock at `now`. A running clock past its due time is missed, noticed or not."""
    return judged(clock.ended, clock.stopped_at, clock.due_at, now, is_duty=clock.purpose is Purpose.DUTY)


def judged(ended: Ended, stopped_at: datetime | None, due_at: datetime, now: datetime, *, is_duty: bool) -> Verdict:
    """The verdict of a clock by what it rests on. What is no duty of the institution is not missed: it lapses."""
    late: Verdict = "missed" if is_duty else "lapsed"
    match ended:
        case "void":
            return "void"
        case "stopped-at-unknown-time":
            return "unknown"
        case "stopped":
            assert stopped_at is not None, "a clock stopped at no time"
            return "met" if stopped_at <= due_at else late
        case "running":
            return late if now > due_at else "running"
        case "suspended":
            return "running"
        case _:
            assert_never(ended)


def runs(facts: Facts, regimes: Regimes | None = None, calendars: Mapping[str, Calendar] | None = None) -> list[Run]:
    """As `clocks`, each with its derivation."""
    if regimes is None and calendars is None:
        return runs_by(facts, _default_rulebook())
    return runs_by(
        facts,
        Rulebook(
            default_regimes() if regimes is None else regimes, built_in_calendars() if calendars is None else calendars
        ),
    )


def runs_by(facts: Facts, rulebook: "Rulebook", issued: "Issued[Rulebook] | None" = None) -> list[Run]:
    """As `runs`, by rules that were looked up once. `issued` holds what was computed before, and is filled."""
    return [run for found in runs_by_rule(facts, rulebook, issued) for run in found]


def runs_by_rule(
    facts: Facts,
    rulebook: "Rulebook",
    issued: "Issued[Rulebook] | None" = None,
    *,
    before: Sequence[list[Run]] = (),
    since: int = 0,
) -> list[list[Run]]:
    """The runs of each rule of the book, in its order.

    `before` is what this gave of the same facts when there were only the first `since` of them: a rule that watches none
    of those that came in after has the runs that it had.
    """
    history = _History.of(facts)
    if issued is not None:
        for at, version, _, told in history.timed:
            if not told:
                issued.first_known(version, at, rulebook)
    if not before:
        return [list(_runs_of(history, rules, issued)) for rules in rulebook.rules]
    news = {type(fact) for _, fact in facts[since:]}
    return [
        had if rules.watched.isdisjoint(news) else list(_runs_of(history, rules, issued))
        for had, rules in zip(before, rulebook.rules, strict=True)
    ]


class Rulebook:
    """The rules of some regimes, each with the calendar that it goes by, ready to be applied to many complaints."""

    def __init__(self, regimes: Regimes, calendars: Mapping[str, Calendar]) -> None:
        self.calendars = calendars
        self.rules = [rules for regime in regimes for rules in _rules_of(regime, calendars)]
        self._by_name = {(rules.regime, rules.clock): rules for rules in self.rules}
        watched = [rules.watched for rules in self.rules]
        self.watched: frozenset[type[ComplaintEvent]] = frozenset().union(*watched)
        """Every fact that may matter to some clock; without all others the clocks are the same."""

    def at(self, regime: str, clock: str, instant: datetime) -> Applied | None:
        """The rule of a clock that is in force on the local day of an instant; None where there is none."""
        rules = self._by_name.get((regime, clock))
        return None if rules is None else rules.at(instant)


@cache
def _default_rulebook() -> Rulebook:
    return Rulebook(default_regimes(), built_in_calendars())


Kinds = frozenset[type[ComplaintEvent]]


class _Rules:
    """The versions of one clock's rule, and which of them is in force when."""

    __slots__ = ("_calendars", "_only", "_since", "characterising", "clock", "regime", "watched")

    def __init__(
        self,
        regime: str,
        clock: str,
        since: Sequence[tuple[date, Applied | None]],
        calendars: Mapping[str, Calendar],
    ) -> None:
        self.regime, self.clock, self._since, self._calendars = regime, clock, since, calendars
        self._only = since[0][1] if len(since) == 1 and since[0][0] <= ALWAYS else None
        rules = [applied.rule for _, applied in since if applied is not None]
        self.watched: Kinds = frozenset().union(*(rule.watched for rule in rules))
        self.characterising: Kinds = frozenset().union(*(rule.characterising for rule in rules))

    def at(self, instant: datetime) -> Applied | None:
        """The rule in force on the local day of an instant; None where there is none."""
        if self._only is not None:
            return self._only
        in_force: Applied | None = None
        calendar = next(applied.calendar for _, applied in self._since if applied is not None)
        on = calendar.local_day(instant)
        for since, applied in self._since:
            if since <= on:
                in_force = applied
        return in_force

    def with_newest_calendar(self, applied: Applied | None) -> Applied | None:
        """A rule that was in force when a run began, with the calendar by which its next due time is issued."""
        if applied is None:
            return None
        newest = self._calendars.get(applied.calendar.name, applied.calendar)
        return applied if newest is applied.calendar else applied._replace(calendar=newest)


def _rules_of(regime: Regime | InForce, calendars: Mapping[str, Calendar]) -> Iterator[_Rules]:
    """The clocks of a regime with its versions, in the order in which they first appeared."""
    versions = ((ALWAYS, regime),) if isinstance(regime, Regime) else regime.versions
    names = dict.fromkeys(rule.name for _, version in versions if version for rule in version.clocks)
    for name in names:
        since: list[tuple[date, Applied | None]] = []
        for day, version in versions:
            rule = None if version is None else next((each for each in version.clocks if each.name == name), None)
            if version is None or rule is None:
                since.append((day, None))
            else:
                since.append((day, Applied(version, rule, calendars[rule.calendar or version.calendar])))
        yield _Rules(regime.name, name, since, calendars)


_TOLD = (AppraisalStarted, DeadlineExtended)


class _History(NamedTuple):
    """A complaint's facts in the order in which they happened, and those whose time nobody states.

    A fact of which the complainant was told later stands there twice: when it happened, and when he was told.
    """

    timed: list[Timed]
    untimed: list[tuple[int, ComplaintEvent]]

    @classmethod
    def of(cls, facts: Facts) -> "_History":
        timed, untimed = [], []
        for version, fact in facts:
            kind = type(fact)
            field = time_field(kind)
            at = None if field is None else getattr(fact, field)
            if at is None:
                untimed.append((version, fact))
                continue
            timed.append(Timed(at, version, fact))
            if kind is AppraisalStarted or kind is DeadlineExtended:
                assert isinstance(fact, _TOLD)
                told_at = fact.complainant_told_at
                if told_at is not None and told_at > at:
                    timed.append(Timed(told_at, version, fact, told=True))
        timed.sort(key=_when)
        return cls(timed, untimed)


def _runs_of(history: _History, rules: _Rules, issued: Issued[Rulebook] | None) -> Iterator[Run]:
    """A clock's runs, oldest first: one, and one more for each restart. What precedes the start only grades."""
    read: list[Running] = []
    traits = Traits()
    watched, characterising = rules.watched, rules.characterising
    for timed in history.timed:
        kind = type(timed.fact)
        if kind not in watched:
            continue
        if kind in characterising and not timed.told:
            traits.take(timed)
        last = read[-1] if read else None
        restarts = last is not None and last.see(timed, traits)
        if timed.told or not (restarts or _may_begin(last)):
            continue
        begun = Begun(rules.regime, rules.clock, timed.version, timed.at.astimezone(UTC))
        if issued is None:
            applied = rules.at(timed.at)
        else:
            known_then = issued.rules(timed.version, timed.at)
            applied = rules.with_newest_calendar(known_then.at(rules.regime, rules.clock, timed.at))
        if applied is None or not (restarts or applied.rule.begins(timed.fact)):
            continue
        read.append(Running(timed, begun, applied, traits, issued))
    for version, fact in history.untimed:
        last = read[-1] if read else None
        effect = None if last is None else last.rule.effects.get(type(fact))
        if last is not None and effect is not None and effect.of(fact, in_time=True) is Deed.STOP:
            last.stop_at_unknown_time(version, fact)
    for running in read:
        run = _run(running)
        if run is not None:
            yield run


def _may_begin(last: Running | None) -> bool:
    return last is None or (last.rule.starts_again and last.ended != "running")


def _run(running: Running) -> Run | None:
    limit = running.span
    if limit is None:
        return None
    assert running.first_span is not None
    clock = Clock(
        running.regime.name,
        running.rule.name,
        running.regime.version,
        None if limit.elapses else running.calendar.version,
        running.starts_at,
        running.due_at,
        running.stopped_at,
        "suspended" if running.open and running.ended == "running" else running.ended,
        running.provisional,
        running.rule.purpose,
        limit,
        running.first_span,
        running.first_due_at,
        min(running.open.values()) if running.open and running.ended == "running" else None,
        running.regrades_on_last_day,
    )
    return Run(
        clock,
        limit,
        running.calendar,
        tuple(running.steps),
        running.rule,
        running.pauses,
        running.ended_at,
        running.begun,
    )


def _when(timed: Timed) -> tuple[datetime, int]:
    return timed.at, timed.version
