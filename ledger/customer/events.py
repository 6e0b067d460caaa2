"""The facts of one customer. Nothing here decides or computes.

What is personal is held under the customer; a customer's number at the bank is an account, and core.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Held, Indexed, Label, Personal, StaffId, SubjectId, Tier

Text = Annotated[Personal[str], Held(Tier.ORDINARY, "customer_id")]
OptionalText = Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id")]

Codes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)]


class CustomerTier(StrEnum):
    """Customer tier 客户分级."""

    HIGH_NET_WORTH = "high-net-worth"
    MIDDLE = "middle"
    ORDINARY = "ordinary"


class SharingGround(StrEnum):
    """Why personal data may go to a third party: the customer's consent, or a legal ground (PIPL, Art. 13)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_DUTY = "legal-duty"
    EMERGENCY = "emergency"


class CustomerEvent(Event):
    """A fact in a customer's stream."""

    customer_id: SubjectId


class CustomerRegistered(CustomerEvent):
    """A customer was registered, by a random id."""

    name: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("name")] = None
    contact: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("contact")] = None
    identity_number: Annotated[Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("identity-number")] = None
    account: Annotated[Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("account")] = None
    tier: CustomerTier | None = None
    branch: Code | None = None
    registered_by: StaffId
    registered_at: AwareDatetime


class CustomerDetailsChanged(CustomerEvent):
    """What is known of who the customer is changed: what is left out stays as it was."""

    name: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("name")] = None
    contact: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("contact")] = None
    identity_number: Annotated[Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("identity-number")] = None
    account: Annotated[Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("account")] = None
    changed_by: StaffId
    changed_at: AwareDatetime


class CustomerTiered(CustomerEvent):
    """The customer was given a tier 客户分级."""

    tier: CustomerTier
    reason: OptionalText = None
    tiered_by: StaffId
    tiered_at: AwareDatetime


class VulnerabilityNoted(CustomerEvent):
    """The customer belongs to a group that needs particular care 特殊群体."""

    kind: Code
    remark: OptionalText = None
    noted_by: StaffId
    noted_at: AwareDatetime


class VulnerabilityEnded(CustomerEvent):
    """The customer needs that particular care no longer."""

    kind: Code
    reason: OptionalText = None
    ended_by: StaffId
    ended_at: AwareDatetime


class CustomerMerged(CustomerEvent):
    """This record is of the same person as another one, under which that person is served from now on.

    Nothing moves: both streams stay, and a timeline of the other reads this one too until they are split.
    """

    into_customer_id: UUID
    matched: Annotated[tuple[Code, ...], Field(max_length=10)] = ()
    reason: OptionalText = None
    merged_by: StaffId
    approved_by: StaffId
    merged_at: AwareDatetime


class CustomerSplit(CustomerEvent):
    """The merging was a mistake: this record is of a person of its own again."""

    reason: Text
    split_by: StaffId
    approved_by: StaffId
    split_at: AwareDatetime


class DuplicateRuledOut(CustomerEvent):
    """Looked at and found to be two people, although something of theirs is the same."""

    other_customer_id: UUID
    reason: OptionalText = None
    ruled_out_by: StaffId
    ruled_out_at: AwareDatetime


class ConsentGiven(CustomerEvent):
    """The customer agreed to a use of personal data, for a purpose; with a recipient, to its being passed on to that one.

    It holds through `until_on`, where that is given.
    """

    consent_id: UUID
    purpose: Code
    data_kinds: Codes
    recipient: Label | None = None
    until_on: date | None = None
    channel: Code
    noted_by: StaffId
    given_at: AwareDatetime


class ConsentWithdrawn(CustomerEvent):
    """The customer took a consent back; what was done on its ground before stays lawful (PIPL, Art. 15)."""

    consent_id: UUID
    channel: Code
    noted_by: StaffId
    withdrawn_at: AwareDatetime


class DataShared(CustomerEvent):
    """Personal data went to a third party: what, to whom, why, and on which ground (PIPL, Art. 23)."""

    share_id: UUID
    recipient: Label
    purpose: Code
    data_kinds: Codes
    ground: SharingGround
    consent_id: UUID | None = None
    legal_basis: Label | None = None
    shared_by: StaffId
    shared_at: AwareDatetime


class CustomerFactAnnulled(CustomerEvent):
    """An earlier fact of this customer is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: Text
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


CUSTOMER_NAMES: dict[str, type[CustomerEvent]] = {
    "customer-registered": CustomerRegistered,
    "customer-details-changed": CustomerDetailsChanged,
    "customer-tiered": CustomerTiered,
    "vulnerability-noted": VulnerabilityNoted,
    "vulnerability-ended": VulnerabilityEnded,
    "customer-merged": CustomerMerged,
    "customer-split": CustomerSplit,
    "duplicate-ruled-out": DuplicateRuledOut,
    "consent-given": ConsentGiven,
    "consent-withdrawn": ConsentWithdrawn,
    "data-shared": DataShared,
    "customer-fact-annulled": CustomerFactAnnulled,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyCustomerEvent: TypeAlias = (
    CustomerRegistered
    | CustomerDetailsChanged
    | CustomerTiered
    | VulnerabilityNoted
    | VulnerabilityEnded
    | CustomerMerged
    | CustomerSplit
    | DuplicateRuledOut
    | ConsentGiven
    | ConsentWithdrawn
    | DataShared
    | CustomerFactAnnulled
)


def known_customer_event(event: CustomerEvent) -> AnyCustomerEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in CUSTOMER_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyCustomerEvent", event)
