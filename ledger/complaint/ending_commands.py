"""What a caller may ask for about terms, the result and what follows it, beside `commands`. Nothing here decides."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field

from ledger.command import Instant, NewId, StaffId, Term, Words
from ledger.complaint.asked import ComplaintCommand
from ledger.complaint.fact import Minor
from ledger.event import Code, Currency, Reference

Codes = Annotated[tuple[Code, ...], Field(max_length=50)]


class HoldNegotiation(ComplaintCommand):
    """Record a round of negotiation with the customer."""

    proposal_id: UUID | None = None
    manner: Code
    content: Words
    customer_position: Words | None = None
    agreed: bool
    held_by: StaffId
    held_at: Instant


class ApproveCompensation(ComplaintCommand):
    """Approve a compensation that somebody else asked for, within the limit of the approver's rank."""

    compensation_id: NewId
    proposal_id: UUID | None = None
    kind: Code
    amount_minor: Minor | None = None
    currency: Currency | None = None
    reason: Words | None = None
    requested_by: StaffId
    approved_by: StaffId
    approver_rank: Code | None = None
    approved_at: Instant


class ProvideCompensation(ComplaintCommand):
    """Record that an approved compensation reached the customer."""

    compensation_id: UUID
    payment_reference: Reference | None = None
    provided_by: StaffId
    provided_at: Instant


class EscalateComplaint(ComplaintCommand):
    """Submit the complaint to management or another department."""

    escalation_id: NewId
    to: Code
    department: Term | None = None
    reason: Words
    escalated_by: StaffId
    escalated_at: Instant


class DecideEscalation(ComplaintCommand):
    """Record what those to whom it was submitted decided."""

    escalation_id: UUID
    decision: Code
    reasons: Words | None = None
    decided_by: StaffId
    decided_at: Instant


class SendWrittenNotice(ComplaintCommand):
    """Record that the result was set out in writing, with the remedies that are open to the customer."""

    notice_id: NewId
    resolution_id: UUID
    channel: Code
    content: Words
    remedies: Codes | None = None
    sent_by: StaffId
    sent_at: Instant


class MakeFollowUpCall(ComplaintCommand):
    """Record that the customer was asked whether he is content with one resolution."""

    resolution_id: UUID
    channel: Code
    reached: bool
    content_with_result: bool | None = None
    notes: Words | None = None
    called_by: StaffId
    called_at: Instant


class ReviewHandling(ComplaintCommand):
    """Record the review of the handling, by somebody who had no part in it."""

    defects: Codes = ()
    findings: Words
    improvement: Words | None = None
    reviewed_by: StaffId
    reviewed_at: Instant


class OpenProceedings(ComplaintCommand):
    """Record that the dispute went to negotiation, mediation, an association, arbitration or a court."""

    proceedings_id: NewId
    route: Code
    body: Term | None = None
    body_reference: Reference | None = None
    initiator: Literal["customer", "institution", "body"]
    claim: Words | None = None
    claimed_minor: Minor | None = None
    currency: Currency | None = None
    noted_by: StaffId
    opened_at: Instant


class EndProceedings(ComplaintCommand):
    """Record how such proceedings ended."""

    proceedings_id: UUID
    outcome: Code
    terms: Words | None = None
    awarded_minor: Minor | None = None
    currency: Currency | None = None
    noted_by: StaffId
    ended_at: Instant


class TakeInRepeat(ComplaintCommand):
    """Handle a repeat without new facts with this complaint; on the repeat it is recorded as merged, with it or not at all."""

    repeat_complaint_id: UUID
    reason: Words | None = None
    taken_in_by: StaffId
    taken_in_at: Instant


class RepairRelationship(ComplaintCommand):
    """Record what was done to win the customer back."""

    kind: Code
    content: Words | None = None
    repaired_by: StaffId
    repaired_at: Instant


class CheckCompleteness(ComplaintCommand):
    """Check whether the file is complete; the program adds what the record itself lacks."""

    missing: Codes = ()
    remarks: Words | None = None
    checked_by: StaffId
    checked_at: Instant


class ArchiveComplaint(ComplaintCommand):
    """Put the closed and complete file into the archive."""

    archive_reference: Reference | None = None
    archived_by: StaffId
    archived_at: Instant


EndingCommand: TypeAlias = (
    HoldNegotiation
    | ApproveCompensation
    | ProvideCompensation
    | EscalateComplaint
    | DecideEscalation
    | SendWrittenNotice
    | MakeFollowUpCall
    | ReviewHandling
    | OpenProceedings
    | EndProceedings
    | TakeInRepeat
    | RepairRelationship
    | CheckCompleteness
    | ArchiveComplaint
)
"""Every command of this module: what a `match` over it must cover."""
