"""What is known of one leak, what may follow what, and what a command leads to. No clock, no database, no ids made.

The steps: found, isolated, investigated, responsible named, customers told and protected, regulator told (or not, by
leave), reviewed, closed. Isolating comes before all that is said afterwards; closing asks for every step.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from ledger.event import Event
from ledger.given import Given
from ledger.leak import commands as ask
from ledger.leak.events import (
    AffectedCustomersProtected,
    AffectedCustomersTold,
    LeakClosed,
    LeakEvent,
    LeakFactAnnulled,
    LeakFound,
    LeakInvestigated,
    LeakIsolated,
    LeakReviewed,
    RegulatorNotToBeTold,
    RegulatorTold,
    ResponsibleNamed,
    known_leak_event,
)
from ledger.leak.refusals import AlreadyIsolated, LeakIsClosed, LeakStepsMissing
from ledger.standing import Rules, Standing, not_before


@dataclass(frozen=True)
class Leak(Standing):
    """One leak as the rules see it; `Leak()` is one of which nothing is recorded."""

    title: str | None = None
    found_at: datetime | None = None
    isolated_at: datetime | None = None
    investigated_at: datetime | None = None
    customers_affected: int | None = None
    responsible: str | None = None
    told_customer_ids: frozenset[UUID] = frozenset()
    protected_customer_ids: frozenset[UUID] = frozenset()
    regulator_settled_at: datetime | None = None
    reviewed_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The steps that were not taken yet, in their order; nobody is told or protected where nobody is affected."""
        affects = self.customers_affected != 0
        steps = {
            "isolated": self.isolated_at is not None,
            "investigated": self.investigated_at is not None,
            "responsible named": self.responsible is not None,
            "customers told": not affects or bool(self.told_customer_ids),
            "customers protected": not affects or bool(self.protected_customer_ids),
            "regulator told": self.regulator_settled_at is not None,
            "reviewed": self.reviewed_at is not None,
        }
        return tuple(step for step, taken in steps.items() if not taken)


def decide(leak: Leak, command: ask.LeakCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    return RULES.decide(leak, command, given)


def evolve(leak: Leak, event: LeakEvent) -> Leak:
    """The leak after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(leak, event)


def applied(leak: Leak, event: LeakEvent) -> Leak:
    """The leak with one fact that stands. Total: no fact is ever refused here."""
    fact = known_leak_event(event)
    match fact:
        case LeakFound():
            return replace(leak, title=fact.title, found_at=fact.found_at)
        case LeakIsolated():
            return replace(leak, isolated_at=fact.isolated_at)
        case LeakInvestigated():
            return replace(leak, investigated_at=fact.investigated_at, customers_affected=fact.customers_affected)
        case ResponsibleNamed():
            return replace(leak, responsible=fact.responsible)
        case AffectedCustomersTold():
            return replace(leak, told_customer_ids=leak.told_customer_ids | set(fact.customer_ids))
        case AffectedCustomersProtected():
            return replace(leak, protected_customer_ids=leak.protected_customer_ids | set(fact.customer_ids))
        case RegulatorTold():
            return replace(leak, regulator_settled_at=leak.regulator_settled_at or fact.told_at)
        case RegulatorNotToBeTold():
            return replace(leak, regulator_settled_at=leak.regulator_settled_at or fact.decided_at)
        case LeakReviewed():
            return replace(leak, reviewed_at=fact.reviewed_at)
        case LeakClosed():
            return replace(leak, closed_at=fact.closed_at)
        case LeakFactAnnulled():
            return leak  # the fold has taken it into account
        case _:
            assert_never(fact)


def may_follow(leak: Leak, event: LeakEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_leak_event(event)
    not_before(fact, "the leak was found", leak.found_at)
    if leak.closed_at is not None and not isinstance(fact, LeakFactAnnulled):
        raise LeakIsClosed(leak.closed_at)
    match fact:
        case LeakIsolated():
            if leak.isolated_at is not None:
                raise AlreadyIsolated(leak.isolated_at)
        case LeakReviewed():
            _taken(leak, "reviewed", {"isolated", "investigated"})
            not_before(fact, "it was investigated", leak.investigated_at)
        case LeakClosed():
            _taken(leak, "closed", set(leak.missing))
            not_before(fact, "it was reviewed", leak.reviewed_at)
        case LeakFound() | LeakInvestigated() | ResponsibleNamed() | RegulatorTold() | RegulatorNotToBeTold():
            pass  # each is taken whenever it comes; the regulator may have to hear before anything else is known
        case AffectedCustomersTold() | AffectedCustomersProtected() | LeakFactAnnulled():
            pass
        case _:
            assert_never(fact)


def _taken(leak: Leak, step: str, wanted: set[str]) -> None:
    missing = tuple(each for each in leak.missing if each in wanted)
    if missing:
        raise LeakStepsMissing(step, missing)


RULES: Rules[Leak] = Rules(
    name="leak",
    own_id="leak_id",
    begins=LeakFound,
    annulled=LeakFactAnnulled,
    facts={
        ask.ReportLeak: LeakFound,
        ask.IsolateLeak: LeakIsolated,
        ask.InvestigateLeak: LeakInvestigated,
        ask.NameResponsible: ResponsibleNamed,
        ask.TellAffectedCustomers: AffectedCustomersTold,
        ask.ProtectAffectedCustomers: AffectedCustomersProtected,
        ask.TellRegulator: RegulatorTold,
        ask.DecideNotToTellRegulator: RegulatorNotToBeTold,
        ask.ReviewLeak: LeakReviewed,
        ask.CloseLeak: LeakClosed,
        ask.AnnulLeakFact: LeakFactAnnulled,
    },
    nothing=Leak(),
    applied=applied,
    may_follow=may_follow,
    tables={
        LeakFound: {"data_kinds": "data-kind"},
        LeakInvestigated: {"cause": "leak-cause"},
        AffectedCustomersTold: {"channel": "channel"},
        AffectedCustomersProtected: {"measure": "protection"},
        RegulatorTold: {"body": "body"},
    },
)
