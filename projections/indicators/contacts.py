"""Contacts that are no complaints, and customers' tiers and mergings, as reports read them: pure folds of what stands. Writes no row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ledger.customer.events import (
    CustomerEvent,
    CustomerFactAnnulled,
    CustomerMerged,
    CustomerRegistered,
    CustomerSplit,
    CustomerTiered,
)
from ledger.customer.state import Customer, applied
from ledger.event import Event
from ledger.interaction.events import (
    InteractionAnswered,
    InteractionAssigned,
    InteractionBecameComplaint,
    InteractionFactAnnulled,
    InteractionRated,
    InteractionRecorded,
    InteractionReviewed,
)

KNOWING = (CustomerRegistered, CustomerTiered, CustomerMerged, CustomerSplit, CustomerFactAnnulled)
"""The facts that a customer's tier, or the person that the record is of, may hang on."""


class Known(NamedTuple):
    """A customer's tier 客户分级, and the record that this one was merged into; None where there is none."""

    tier: str | None = None
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of a contact. `score` and `satisfactory` are of the last rating and review, the answer of the first."""

    customer_id: UUID | None = None
    kind: str | None = None
    channel: str | None = None
    direction: str | None = None
    product: str | None = None
    branch: str | None = None
    department: str | None = None
    handler: str | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    score: int | None = None
    rated_at: datetime | None = None
    satisfactory: bool | None = None
    reviewed_at: datetime | None = None
    became_complaint: bool = False


def contact_of(events: Sequence[Event]) -> Contact:
    """A contact from its whole stream up to some version, version 1 first; nothing of it where its first fact was annulled."""
    contact = Contact()
    for event in _standing(events):
        contact = _after(contact, event)
    return contact if contact.asked_at is not None else Contact()


def known_of(events: Sequence[Event]) -> Known:
    """What reports read of a customer's whole stream up to some version: an annulled merging never was, and a split ends one."""
    customer = Customer()
    for event in _standing(events):
        assert isinstance(event, CustomerEvent), "a customer's stream holds nothing else"
        customer = applied(customer, event)
    return Known(None if customer.tier is None else customer.tier.value, customer.merged_into)


def _standing(events: Sequence[Event]) -> Iterable[Event]:
    annulments = [each for each in events if isinstance(each, InteractionFactAnnulled | CustomerFactAnnulled)]
    taken_back = {each.annulled_version for each in annulments}
    return (event for version, event in enumerate(events, start=1) if version not in taken_back)


def _after(contact: Contact, event: Event) -> Contact:
    """The contact after one more fact that stands; the same where it reads nothing of it."""
    match event:
        case InteractionRecorded():
            return replace(
                contact,
                customer_id=event.customer_id,
                kind=event.kind.value,
                channel=event.channel,
                direction=event.direction,
                product=event.product,
                branch=event.branch,
                handler=event.taken_by,
                asked_at=event.asked_at,
            )
        case InteractionAssigned():
            return replace(contact, department=event.department, handler=event.assignee or contact.handler)
        case InteractionAnswered():
            first = contact.answered_at is None
            return replace(contact, answered_at=event.answered_at, outcome=event.outcome) if first else contact
        case InteractionRated():
            return replace(contact, score=event.overall, rated_at=event.rated_at)
        case InteractionReviewed():
            return replace(contact, satisfactory=event.satisfactory, reviewed_at=event.reviewed_at)
        case InteractionBecameComplaint():
            return replace(contact, became_complaint=True)
        case _:  # what else happens to a contact no indicator reads
            return contact
