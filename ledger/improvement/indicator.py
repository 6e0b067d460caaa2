"""One indicator: what is known of it, what may follow what, and when a warning follows from a measurement. Pure.

The three levels 三级预警: low is watched, medium is mitigated, high is met with an emergency plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import assert_never
from uuid import UUID

from ledger.complaint.refusals import IdTaken
from ledger.event import Event
from ledger.given import Given
from ledger.improvement import commands as ask
from ledger.improvement.events import (
    Better,
    IndicatorDefined,
    IndicatorEvent,
    IndicatorFactAnnulled,
    IndicatorMeasured,
    ThresholdsSet,
    WarningAcknowledged,
    WarningLevel,
    WarningLifted,
    WarningMitigated,
    WarningRaised,
    known_indicator_event,
)
from ledger.improvement.refusals import (
    PeriodBackwards,
    ThresholdsOutOfOrder,
    ThresholdsVersionNotNext,
    WarningAlreadyAcknowledged,
    WarningIsLifted,
    WarningNotActedUpon,
    WarningUnknown,
)
from ledger.standing import Rules, Standing, not_before


@dataclass(frozen=True)
class Warned:
    """A warning as it stands."""

    level: WarningLevel
    raised_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    mitigated: bool = False
    emergency_plan: str | None = None
    lifted_at: datetime | None = None

    @property
    def missing(self) -> str | None:
        """What its level asks for before it may be lifted, and was not done."""
        if self.acknowledged_at is None:
            return "acknowledgement"
        if self.level is not WarningLevel.LOW and not self.mitigated:
            return "mitigation"
        if self.level is WarningLevel.HIGH and self.emergency_plan is None:
            return "emergency plan"
        return None


@dataclass(frozen=True)
class Indicator(Standing):
    """One indicator as the rules see it; `Indicator()` is one of which nothing is recorded."""

    indicator: str | None = None
    scope: str | None = None
    better: Better = Better.HIGHER
    defined_at: datetime | None = None
    thresholds_version: int = 0
    thresholds: Mapping[WarningLevel, int] = field(default_factory=dict)
    measurement_ids: frozenset[UUID] = frozenset()
    warnings: Mapping[UUID, Warned] = field(default_factory=dict)

    def crossed(self, value_thousandths: int) -> WarningLevel | None:
        """The highest level whose threshold a value has reached; a value at the threshold has reached it."""
        sign = 1 if self.better is Better.LOWER else -1
        reached = [
            level for level, threshold in self.thresholds.items() if sign * value_thousandths >= sign * threshold
        ]
        return max(reached, key=lambda level: level.rank, default=None)

    def warned_of(self, level: WarningLevel) -> bool:
        """Whether a warning as high as this, or higher, stands."""
        return any(each.lifted_at is None and each.level.rank >= level.rank for each in self.warnings.values())


def decide(indicator: Indicator, command: ask.IndicatorCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now: a measurement brings its warning along; `[]` when it is already so."""
    facts = RULES.decide(indicator, command, given)
    for fact in facts:
        if isinstance(fact, IndicatorMeasured):
            return [fact, *_warnings(indicator, fact)]
    return facts


def _warnings(indicator: Indicator, fact: IndicatorMeasured) -> list[Event]:
    level = indicator.crossed(fact.value_thousandths)
    if level is None or indicator.warned_of(level) or fact.measurement_id in indicator.warnings:
        return []
    raised = WarningRaised(
        indicator_id=fact.indicator_id,
        warning_id=fact.measurement_id,
        level=level,
        thresholds_version=indicator.thresholds_version,
        value_thousandths=fact.value_thousandths,
        crossed_thousandths=indicator.thresholds[level],
        complaint_ids=fact.complaint_ids,
        raised_by=fact.measured_by,
        raised_at=fact.measured_at,
    )
    return [raised]


def evolve(indicator: Indicator, event: IndicatorEvent) -> Indicator:
    """The indicator after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(indicator, event)


def applied(indicator: Indicator, event: IndicatorEvent) -> Indicator:
    """The indicator with one fact that stands. Total: no fact is ever refused here."""
    fact = known_indicator_event(event)
    match fact:
        case IndicatorDefined():
            named = replace(indicator, indicator=fact.indicator, scope=fact.scope)
            return replace(named, better=fact.better, defined_at=fact.defined_at)
        case ThresholdsSet():
            version = max(indicator.thresholds_version, fact.thresholds_version)
            return replace(indicator, thresholds_version=version, thresholds=_thresholds(fact))
        case IndicatorMeasured():
            return replace(indicator, measurement_ids=indicator.measurement_ids | {fact.measurement_id})
        case WarningRaised():
            return _with(indicator, fact.warning_id, Warned(fact.level, fact.raised_at))
        case WarningAcknowledged() | WarningMitigated() | WarningLifted():
            known = indicator.warnings.get(fact.warning_id)
            return indicator if known is None else _with(indicator, fact.warning_id, _changed(known, fact))
        case IndicatorFactAnnulled():
            return indicator  # the fold has taken it into account
        case _:
            assert_never(fact)


def _thresholds(fact: ThresholdsSet) -> Mapping[WarningLevel, int]:
    given = {
        WarningLevel.LOW: fact.low_thousandths,
        WarningLevel.MEDIUM: fact.medium_thousandths,
        WarningLevel.HIGH: fact.high_thousandths,
    }
    return {level: value for level, value in given.items() if value is not None}


def _with(indicator: Indicator, warning_id: UUID, warned: Warned) -> Indicator:
    return replace(indicator, warnings={**indicator.warnings, warning_id: warned})


def _changed(known: Warned, fact: WarningAcknowledged | WarningMitigated | WarningLifted) -> Warned:
    match fact:
        case WarningAcknowledged():
            return replace(known, acknowledged_by=fact.acknowledged_by, acknowledged_at=fact.acknowledged_at)
        case WarningMitigated():
            return replace(known, mitigated=True, emergency_plan=fact.emergency_plan or known.emergency_plan)
        case WarningLifted():
            return replace(known, lifted_at=fact.lifted_at)
        case _:
            assert_never(fact)


def may_follow(indicator: Indicator, event: IndicatorEvent) -> None:  # noqa: C901, PLR0912 - one case a fact
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_indicator_event(event)
    match fact:
        case IndicatorDefined() | IndicatorFactAnnulled():
            pass
        case ThresholdsSet():
            _may_be_set(indicator, fact)
        case IndicatorMeasured():
            if fact.measurement_id in indicator.measurement_ids:
                raise IdTaken("measurement_id", fact.measurement_id)
            if fact.period_to < fact.period_from:
                raise PeriodBackwards(fact.period_from, fact.period_to)
        case WarningRaised():
            if fact.warning_id in indicator.warnings:
                raise IdTaken("warning_id", fact.warning_id)
        case WarningAcknowledged():
            warned = _open(indicator, fact)
            if warned.acknowledged_by is not None:
                raise WarningAlreadyAcknowledged(fact.warning_id, warned.acknowledged_by)
        case WarningMitigated():
            _open(indicator, fact)
        case WarningLifted():
            warned = _open(indicator, fact)
            if warned.missing is not None:
                raise WarningNotActedUpon(fact.warning_id, warned.level, warned.missing)
        case _:
            assert_never(fact)


def _may_be_set(indicator: Indicator, fact: ThresholdsSet) -> None:
    if fact.thresholds_version != indicator.thresholds_version + 1:
        raise ThresholdsVersionNotNext(fact.thresholds_version, indicator.thresholds_version + 1)
    not_before(fact, "the indicator was defined", indicator.defined_at)
    sign = 1 if indicator.better is Better.LOWER else -1
    values = [sign * value for value in _thresholds(fact).values()]
    if not values or any(lower >= higher for lower, higher in pairwise(values)):
        raise ThresholdsOutOfOrder(indicator.better)


def _open(indicator: Indicator, fact: WarningAcknowledged | WarningMitigated | WarningLifted) -> Warned:
    warned = indicator.warnings.get(fact.warning_id)
    if warned is None:
        raise WarningUnknown(fact.warning_id, tuple(sorted(indicator.warnings)))
    if warned.lifted_at is not None:
        raise WarningIsLifted(fact.warning_id, warned.lifted_at)
    not_before(fact, "the warning was raised", warned.raised_at)
    return warned


RULES: Rules[Indicator] = Rules(
    name="indicator",
    own_id="indicator_id",
    begins=IndicatorDefined,
    annulled=IndicatorFactAnnulled,
    facts={
        ask.DefineIndicator: IndicatorDefined,
        ask.SetThresholds: ThresholdsSet,
        ask.MeasureIndicator: IndicatorMeasured,
        ask.RaiseWarning: WarningRaised,
        ask.AcknowledgeWarning: WarningAcknowledged,
        ask.MitigateWarning: WarningMitigated,
        ask.LiftWarning: WarningLifted,
        ask.AnnulIndicatorFact: IndicatorFactAnnulled,
    },
    nothing=Indicator(),
    applied=applied,
    may_follow=may_follow,
    tables={IndicatorDefined: {"indicator": "indicator"}, WarningMitigated: {"emergency_plan": "emergency-plan"}},
)
