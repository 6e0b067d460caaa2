"""What the rules know of one customer, folded from the facts. Nothing here refuses or decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from ledger.customer.events import (
    ConsentGiven,
    ConsentWithdrawn,
    CustomerDetailsChanged,
    CustomerEvent,
    CustomerFactAnnulled,
    CustomerMerged,
    CustomerRegistered,
    CustomerSplit,
    CustomerTier,
    CustomerTiered,
    DataShared,
    DuplicateRuledOut,
    VulnerabilityEnded,
    VulnerabilityNoted,
    known_customer_event,
)
from ledger.standing import Standing


@dataclass(frozen=True)
class Consent:
    """A consent; it holds through `until_on`, in UTC days, and until it is withdrawn."""

    purpose: str
    data_kinds: frozenset[str]
    recipient: str | None
    until_on: date | None
    given_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Customer(Standing):
    """One customer as the rules see it; `Customer()` is one of whom nothing is recorded."""

    registered_at: datetime | None = None
    tier: CustomerTier | None = None
    tiered_at: datetime | None = None
    vulnerabilities: Mapping[str, datetime] = field(default_factory=dict)
    merged_into: UUID | None = None
    merged_at: datetime | None = None
    ruled_out: frozenset[UUID] = frozenset()
    consents: Mapping[UUID, Consent] = field(default_factory=dict)
    share_ids: frozenset[UUID] = frozenset()


def applied(customer: Customer, event: CustomerEvent) -> Customer:
    """The customer with one fact that stands. Total: no fact is ever refused here."""
    fact = known_customer_event(event)
    match fact:
        case CustomerRegistered():
            tiered_at = None if fact.tier is None else fact.registered_at
            return replace(customer, registered_at=fact.registered_at, tier=fact.tier, tiered_at=tiered_at)
        case CustomerTiered():
            return replace(customer, tier=fact.tier, tiered_at=fact.tiered_at)
        case VulnerabilityNoted():
            return replace(customer, vulnerabilities={**customer.vulnerabilities, fact.kind: fact.noted_at})
        case VulnerabilityEnded():
            left = {kind: at for kind, at in customer.vulnerabilities.items() if kind != fact.kind}
            return replace(customer, vulnerabilities=left)
        case CustomerMerged():
            return replace(customer, merged_into=fact.into_customer_id, merged_at=fact.merged_at)
        case CustomerSplit():
            return replace(customer, merged_into=None, merged_at=None)
        case DuplicateRuledOut():
            return replace(customer, ruled_out=customer.ruled_out | {fact.other_customer_id})
        case ConsentGiven() | ConsentWithdrawn():
            return replace(customer, consents=_consents(customer, fact))
        case DataShared():
            return replace(customer, share_ids=customer.share_ids | {fact.share_id})
        case CustomerDetailsChanged() | CustomerFactAnnulled():
            return customer  # no rule reads them
        case _:
            assert_never(fact)


def _consents(customer: Customer, fact: ConsentGiven | ConsentWithdrawn) -> Mapping[UUID, Consent]:
    known = customer.consents.get(fact.consent_id)
    if isinstance(fact, ConsentGiven):
        now = Consent(fact.purpose, frozenset(fact.data_kinds), fact.recipient, fact.until_on, fact.given_at)
    elif known is None:
        return customer.consents
    else:
        now = replace(known, withdrawn_at=fact.withdrawn_at)
    return {**customer.consents, fact.consent_id: now}
