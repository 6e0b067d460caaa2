"""What may follow what in the life of a customer, and what a command leads to. No clock, no database, no ids made."""

from collections.abc import Mapping
from typing import assert_never

from ledger.complaint.refusals import IdTaken
from ledger.customer import commands as ask
from ledger.customer.events import (
    ConsentGiven,
    ConsentWithdrawn,
    CustomerDetailsChanged,
    CustomerEvent,
    CustomerFactAnnulled,
    CustomerMerged,
    CustomerRegistered,
    CustomerSplit,
    CustomerTiered,
    DataShared,
    DuplicateRuledOut,
    SharingGround,
    VulnerabilityEnded,
    VulnerabilityNoted,
    known_customer_event,
)
from ledger.customer.refusals import (
    ConsentDoesNotCover,
    ConsentHasEnded,
    ConsentIsWithdrawn,
    ConsentUnknown,
    CustomerIsMerged,
    CustomerMergedIntoItself,
    GroundIncomplete,
    NoDetailGiven,
    NothingToSplit,
    VulnerabilityNotNoted,
)
from ledger.customer.state import Consent, Customer, applied
from ledger.event import Event
from ledger.given import Given
from ledger.standing import Rules, not_before

DETAILS = ("name", "contact", "identity_number", "account")


def decide(customer: Customer, command: ask.CustomerCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    if isinstance(command, ask.SetTier) and customer.tier is command.tier:
        return []
    if isinstance(command, ask.NoteVulnerability) and command.kind in customer.vulnerabilities:
        return []
    if isinstance(command, ask.RuleOutDuplicate) and command.other_customer_id in customer.ruled_out:
        return []
    return RULES.decide(customer, command, given)


def evolve(customer: Customer, event: CustomerEvent) -> Customer:
    """The customer after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(customer, event)


def may_follow(customer: Customer, event: CustomerEvent) -> None:  # noqa: C901, PLR0912 - one case a fact
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_customer_event(event)
    match fact:
        case CustomerRegistered() | CustomerFactAnnulled():
            pass
        case CustomerDetailsChanged():
            _served_here(customer)
            if all(getattr(fact, name) is None for name in DETAILS):
                raise NoDetailGiven
        case CustomerTiered():
            _served_here(customer)
            not_before(fact, "the tier that it replaces was set", customer.tiered_at)
        case VulnerabilityNoted():
            _served_here(customer)
        case VulnerabilityEnded():
            if fact.kind not in customer.vulnerabilities:
                raise VulnerabilityNotNoted(fact.kind, tuple(sorted(customer.vulnerabilities)))
            not_before(fact, "it was noted", customer.vulnerabilities[fact.kind])
        case CustomerMerged():
            _served_here(customer)
            if fact.into_customer_id == fact.customer_id:
                raise CustomerMergedIntoItself(fact.customer_id)
        case CustomerSplit():
            if customer.merged_into is None:
                raise NothingToSplit
            not_before(fact, "they were merged", customer.merged_at)
        case DuplicateRuledOut():
            if fact.other_customer_id == fact.customer_id:
                raise CustomerMergedIntoItself(fact.customer_id)
        case ConsentGiven():
            if fact.consent_id in customer.consents:
                raise IdTaken("consent_id", fact.consent_id)
        case ConsentWithdrawn():
            consent = _consent(customer, fact)
            if consent.withdrawn_at is not None:
                raise ConsentIsWithdrawn(fact.consent_id, consent.withdrawn_at)
            not_before(fact, "the consent was given", consent.given_at)
        case DataShared():
            _shared(customer, fact)
        case _:
            assert_never(fact)


def _shared(customer: Customer, fact: DataShared) -> None:
    if fact.share_id in customer.share_ids:
        raise IdTaken("share_id", fact.share_id)
    if fact.ground is not SharingGround.CONSENT:
        if fact.legal_basis is None:
            raise GroundIncomplete(fact.ground, "legal_basis")
        return
    if fact.consent_id is None:
        raise GroundIncomplete(fact.ground, "consent_id")
    consent = _consent(customer, fact)
    not_before(fact, "the consent was given", consent.given_at)
    if consent.withdrawn_at is not None and fact.shared_at >= consent.withdrawn_at:
        raise ConsentIsWithdrawn(fact.consent_id, consent.withdrawn_at)
    if consent.until_on is not None and fact.shared_at.date() > consent.until_on:
        raise ConsentHasEnded(fact.consent_id, consent.until_on)
    beyond = [
        name
        for name, covered in (
            ("purpose", fact.purpose == consent.purpose),
            ("recipient", consent.recipient == fact.recipient),
            ("data_kinds", consent.data_kinds >= set(fact.data_kinds)),
        )
        if not covered
    ]
    if beyond:
        raise ConsentDoesNotCover(fact.consent_id, tuple(beyond))


def _consent(customer: Customer, fact: ConsentWithdrawn | DataShared) -> Consent:
    assert fact.consent_id is not None, "a sharing on the ground of consent names it"
    consent = customer.consents.get(fact.consent_id)
    if consent is None:
        raise ConsentUnknown(fact.consent_id, tuple(sorted(customer.consents)))
    return consent


def _served_here(customer: Customer) -> None:
    if customer.merged_into is not None:
        raise CustomerIsMerged(customer.merged_into)


_SHARED: Mapping[str, str] = {"purpose": "data-purpose", "data_kinds": "data-kind"}

RULES: Rules[Customer] = Rules(
    name="customer",
    own_id="customer_id",
    begins=CustomerRegistered,
    annulled=CustomerFactAnnulled,
    facts={
        ask.RegisterCustomer: CustomerRegistered,
        ask.ChangeDetails: CustomerDetailsChanged,
        ask.SetTier: CustomerTiered,
        ask.NoteVulnerability: VulnerabilityNoted,
        ask.EndVulnerability: VulnerabilityEnded,
        ask.MergeCustomer: CustomerMerged,
        ask.SplitCustomer: CustomerSplit,
        ask.RuleOutDuplicate: DuplicateRuledOut,
        ask.GiveConsent: ConsentGiven,
        ask.WithdrawConsent: ConsentWithdrawn,
        ask.ShareData: DataShared,
        ask.AnnulCustomerFact: CustomerFactAnnulled,
    },
    nothing=Customer(),
    applied=applied,
    may_follow=may_follow,
    tables={
        VulnerabilityNoted: {"kind": "vulnerability"},
        VulnerabilityEnded: {"kind": "vulnerability"},
        CustomerMerged: {"matched": "match-kind"},
        ConsentGiven: {**_SHARED, "channel": "channel"},
        ConsentWithdrawn: {"channel": "channel"},
        DataShared: _SHARED,
    },
)
