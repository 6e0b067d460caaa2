"""What an institution goes by, folded from its policies, as known at any position. Nothing here refuses or decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple, TypeAlias, assert_never

from ledger.deadlines.calendar import Calendar, built_in_calendars
from ledger.deadlines.clock import Rulebook
from ledger.deadlines.regime import InForce, Regime, default_regimes
from ledger.policy.events import (
    CalendarPublished,
    PolicyEvent,
    RegimePublished,
    RegimePutInForce,
    RegimeRetired,
    known_policy,
)
from ledger.policy.refusals import CalendarUnpublished, RegimeUnknown

Since = tuple[date, Regime | None]
"""From this day on a regime applies in this version, or not at all."""


class ClockLabel(NamedTuple):
    """What a person reads for a clock."""

    zh: str
    en: str


ClockLabels: TypeAlias = Mapping[tuple[str, str], ClockLabel]
"""By the names of regime and clock."""


@dataclass(frozen=True)
class Policies:
    """Regimes by name, each with its versions and the decisions on their force in the order of recording; calendars.

    `recorded` holds every policy event. Until a regime of its name is published, a book goes by the built-in default;
    until a calendar is published, by the built-in one of its name.
    """

    recorded: tuple[PolicyEvent, ...] = field(default=(), repr=False)
    regimes: Mapping[str, tuple[Regime, ...]] = field(default_factory=dict)
    decisions: Mapping[str, tuple[Since, ...]] = field(default_factory=dict)
    calendars: Mapping[str, tuple[Calendar, ...]] = field(default_factory=dict)

    def newest_calendars(self) -> Mapping[str, Calendar]:
        """The newest version of each calendar."""
        return {**built_in_calendars(), **self.published_calendars()}

    def published_calendars(self) -> dict[str, Calendar]:
        """The newest published version of each calendar."""
        return {name: versions[-1] for name, versions in self.calendars.items()}

    def in_force(self) -> tuple[InForce, ...]:
        """The regimes that apply, in the order of their first publication, each with the day from which a version does.

        The built-in default applies as long as no regime of its name is published.
        """
        unsaid = [regime for regime in default_regimes() if regime.name not in self.regimes]
        return (
            *(InForce(regime.name, ((date.min, regime),)) for regime in unsaid),
            *(InForce(name, _steps(self.decisions[name])) for name in self.regimes if self.decisions.get(name)),
        )

    def regime_on(self, name: str, on: date) -> Regime | None:
        """The version of a regime that applies to a clock which starts on that day; None if none does."""
        return _applying(self.decisions.get(name, ()), on)

    def regime_named(self, name: str, version: int | None = None) -> Regime:
        """A published regime, in its newest version unless another is named; raises RegimeUnknown."""
        versions = self.regimes.get(name, ())
        wanted = len(versions) if version is None else version
        if not 1 <= wanted <= len(versions):
            raise RegimeUnknown(name, tuple(self.regimes))
        return versions[wanted - 1]

    def calendar_named(self, name: str, version: int | None = None) -> Calendar:
        """A published calendar, in its newest version unless another is named; raises CalendarUnpublished."""
        versions = self.calendars.get(name, ())
        wanted = len(versions) if version is None else version
        if not 1 <= wanted <= len(versions):
            raise CalendarUnpublished(name, tuple(self.calendars))
        return versions[wanted - 1]

    @cached_property
    def calendar(self) -> Calendar:
        """The one in whose days questions are asked: of the first regime that is in force, in its newest version.

        A regime that was retired counts as long as no other is in force.
        """
        newest = self.newest_calendars()
        stepped = [version for regime in self.in_force() for _, version in reversed(regime.versions)]
        last = [regime.versions[-1][1] for regime in self.in_force()]
        return next(newest[regime.calendar] for regime in (*last, *stepped, *default_regimes()) if regime is not None)

    @cached_property
    def clock_labels(self) -> "ClockLabels":
        """What a clock of a published regime is called: as its newest version that has the clock says."""
        return {
            (name, rule.name): ClockLabel(rule.zh, rule.en)
            for name, versions in self.regimes.items()
            for regime in versions
            for rule in regime.clocks
        }

    @cached_property
    def rulebook(self) -> Rulebook:
        """What the deadlines of a complaint go by: each clock by the version in force on the day it starts."""
        return Rulebook(self.in_force(), self.newest_calendars())


def policies(events: Iterable[PolicyEvent], known: Policies = Policies()) -> Policies:
    """What an institution goes by after further policy events, in the order of their positions."""
    for event in events:
        known = evolve(known, event)
    return known


def evolve(known: Policies, event: PolicyEvent) -> Policies:
    """What an institution goes by after one more policy event. Total: no event is refused here."""
    known = replace(known, recorded=(*known.recorded, event))
    fact = known_policy(event)
    match fact:
        case RegimePublished():
            name = fact.regime.name
            versions = {**known.regimes, name: (*known.regimes.get(name, ()), fact.regime)}
            known = replace(known, regimes=versions)
            return known if fact.in_force_from is None else _decided(known, name, fact.in_force_from, fact.regime)
        case RegimePutInForce():
            version = next((each for each in known.regimes.get(fact.name, ()) if each.version == fact.version), None)
            return known if version is None else _decided(known, fact.name, fact.in_force_from, version)
        case RegimeRetired():
            return _decided(known, fact.name, fact.retired_from, None)
        case CalendarPublished():
            name = fact.calendar.name
            return replace(known, calendars={**known.calendars, name: (*known.calendars.get(name, ()), fact.calendar)})
        case _:
            assert_never(fact)


def _decided(known: Policies, name: str, since: date, regime: Regime | None) -> Policies:
    return replace(known, decisions={**known.decisions, name: (*known.decisions.get(name, ()), (since, regime))})


def _applying(decisions: tuple[Since, ...], on: date) -> Regime | None:
    """The decision recorded last of those that hold on a day."""
    holding = [regime for since, regime in decisions if since <= on]
    return holding[-1] if holding else None


def _steps(decisions: tuple[Since, ...]) -> tuple[Since, ...]:
    """The decisions as steps, ascending: a later one overrides the earlier ones from its day on."""
    return tuple((since, _applying(decisions, since)) for since in sorted({since for since, _ in decisions}))
