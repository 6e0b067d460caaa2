"""One risk: what is known of it, what may follow what, and what a command leads to. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from ledger.event import Event
from ledger.given import Given
from ledger.improvement import commands as ask
from ledger.improvement.events import (
    RiskClosed,
    RiskEvent,
    RiskFactAnnulled,
    RiskFound,
    RiskLevel,
    RiskReassessed,
    RiskTreated,
    known_risk_event,
)
from ledger.improvement.refusals import ResidualBeforeTreatment, RiskIsClosed, RiskTooHigh
from ledger.standing import Rules, Standing, not_before


@dataclass(frozen=True)
class Risk(Standing):
    """One risk as the rules see it; `Risk()` is one of which nothing is recorded."""

    title: str | None = None
    found_at: datetime | None = None
    level: RiskLevel | None = None
    assessed_at: datetime | None = None
    owner: str | None = None
    treated_at: datetime | None = None
    closed_at: datetime | None = None


def decide(risk: Risk, command: ask.RiskCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    return RULES.decide(risk, command, given)


def evolve(risk: Risk, event: RiskEvent) -> Risk:
    """The risk after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(risk, event)


def applied(risk: Risk, event: RiskEvent) -> Risk:
    """The risk with one fact that stands. Total: no fact is ever refused here."""
    fact = known_risk_event(event)
    match fact:
        case RiskFound():
            begun = replace(risk, title=fact.title, found_at=fact.found_at, owner=fact.owner)
            return replace(begun, level=fact.level, assessed_at=fact.found_at)
        case RiskReassessed():
            return replace(risk, level=fact.level, assessed_at=fact.reassessed_at)
        case RiskTreated():
            return replace(risk, treated_at=fact.treated_at)
        case RiskClosed():
            return replace(risk, closed_at=fact.closed_at)
        case RiskFactAnnulled():
            return risk  # the fold has taken it into account
        case _:
            assert_never(fact)


def may_follow(risk: Risk, event: RiskEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_risk_event(event)
    not_before(fact, "the risk was found", risk.found_at)
    if risk.closed_at is not None and not isinstance(fact, RiskFactAnnulled):
        raise RiskIsClosed(risk.closed_at)
    match fact:
        case RiskFound() | RiskReassessed():
            if fact.level is RiskLevel.RESIDUAL and risk.treated_at is None:
                raise ResidualBeforeTreatment
            not_before(fact, "it was weighed before", risk.assessed_at)
        case RiskTreated() | RiskFactAnnulled():
            pass
        case RiskClosed():
            if risk.level in (RiskLevel.HIGH, RiskLevel.MEDIUM) and risk.treated_at is None:
                raise RiskTooHigh(risk.level)
            not_before(fact, "it was treated", risk.treated_at)
        case _:
            assert_never(fact)


RULES: Rules[Risk] = Rules(
    name="risk",
    own_id="risk_id",
    begins=RiskFound,
    annulled=RiskFactAnnulled,
    facts={
        ask.ReportRisk: RiskFound,
        ask.ReassessRisk: RiskReassessed,
        ask.TreatRisk: RiskTreated,
        ask.CloseRisk: RiskClosed,
        ask.AnnulRiskFact: RiskFactAnnulled,
    },
    nothing=Risk(),
    applied=applied,
    may_follow=may_follow,
)
