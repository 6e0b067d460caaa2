"""What a caller may ask for about one customer: one command for each fact. Nothing here decides."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.command import Assigned, Command, Day, Instant, Name, NewId, StaffId, Term, Words
from ledger.customer.events import Codes, CustomerTier, SharingGround
from ledger.event import Code, SubjectId


class CustomerCommand(Command):
    """A request about one customer."""

    customer_id: SubjectId


class RegisterCustomer(CustomerCommand):
    """Register a customer, by a random id; one who complained already keeps the id of the complaint's customer."""

    customer_id: Annotated[SubjectId, Assigned()]
    name: Name | None = None
    contact: Name | None = None
    identity_number: Name | None = None
    account: Name | None = None
    tier: CustomerTier | None = None
    branch: Code | None = None
    registered_by: StaffId
    registered_at: Instant


class ChangeDetails(CustomerCommand):
    """Record a new name, contact, identity number or account; what is left out stays."""

    name: Name | None = None
    contact: Name | None = None
    identity_number: Name | None = None
    account: Name | None = None
    changed_by: StaffId
    changed_at: Instant


class SetTier(CustomerCommand):
    """Give the customer a tier."""

    tier: CustomerTier
    reason: Words | None = None
    tiered_by: StaffId
    tiered_at: Instant


class NoteVulnerability(CustomerCommand):
    """Record that the customer needs particular care, and why."""

    kind: Code
    remark: Words | None = None
    noted_by: StaffId
    noted_at: Instant


class EndVulnerability(CustomerCommand):
    """Record that a particular care is needed no longer."""

    kind: Code
    reason: Words | None = None
    ended_by: StaffId
    ended_at: Instant


class MergeCustomer(CustomerCommand):
    """Say that this record is of the same person as another one."""

    into_customer_id: UUID
    matched: Annotated[tuple[Code, ...], Field(max_length=10)] = ()
    reason: Words | None = None
    merged_by: StaffId
    approved_by: StaffId
    merged_at: Instant


class SplitCustomer(CustomerCommand):
    """Take a merging back: the records are of two people."""

    reason: Words
    split_by: StaffId
    approved_by: StaffId
    split_at: Instant


class RuleOutDuplicate(CustomerCommand):
    """Record that another customer with something the same is another person."""

    other_customer_id: UUID
    reason: Words | None = None
    ruled_out_by: StaffId
    ruled_out_at: Instant


class GiveConsent(CustomerCommand):
    """Record that the customer agreed to a use of personal data, or to its being passed on to a recipient."""

    consent_id: NewId
    purpose: Code
    data_kinds: Codes
    recipient: Term | None = None
    until_on: Day | None = None
    channel: Code
    noted_by: StaffId
    given_at: Instant


class WithdrawConsent(CustomerCommand):
    """Record that the customer took a consent back."""

    consent_id: UUID
    channel: Code
    noted_by: StaffId
    withdrawn_at: Instant


class ShareData(CustomerCommand):
    """Record that personal data went to a third party, and on which ground."""

    share_id: NewId
    recipient: Term
    purpose: Code
    data_kinds: Codes
    ground: SharingGround
    consent_id: UUID | None = None
    legal_basis: Term | None = None
    shared_by: StaffId
    shared_at: Instant


class AnnulCustomerFact(CustomerCommand):
    """Declare that a recorded fact of the customer never happened; two people are needed."""

    version: Annotated[int, Field(ge=1)]
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant
