"""The facts of coming to terms: negotiation, compensation, escalation, the result in writing. Nothing here decides."""

from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime

from ledger.complaint.fact import Channel, ComplaintEvent, InTable, Minor, OptionalText, Text
from ledger.event import Code, Currency, Label, Reference, StaffId


class NegotiationHeld(ComplaintEvent):
    """A round of negotiation with the customer 协商, spoken or written; its number is its place among them."""

    proposal_id: UUID | None = None
    manner: Annotated[Code, InTable("negotiation-manner")]
    content: Text
    customer_position: OptionalText = None
    agreed: bool
    held_by: StaffId
    held_at: AwareDatetime


class CompensationApproved(ComplaintEvent):
    """A compensation was approved 补偿审批, within the limit of the approver's rank, by somebody else than asked for it.

    `tables_version` is that of the limits by which it was judged.
    """

    compensation_id: UUID
    proposal_id: UUID | None = None
    kind: Annotated[Code, InTable("compensation-kind")]
    amount_minor: Minor | None = None
    currency: Currency | None = None
    reason: OptionalText = None
    requested_by: StaffId
    approved_by: StaffId
    approver_rank: Annotated[Code | None, InTable("approver-rank")] = None
    approved_at: AwareDatetime
    tables_version: int | None = None


class CompensationProvided(ComplaintEvent):
    """What was approved reached the customer 补偿到账."""

    compensation_id: UUID
    payment_reference: Reference | None = None
    provided_by: StaffId
    provided_at: AwareDatetime


class ComplaintEscalated(ComplaintEvent):
    """Submitted to management or another department 上报, because there is no agreement or the grade asks for it."""

    escalation_id: UUID
    to: Annotated[Code, InTable("escalated-to")]
    department: Label | None = None
    reason: Text
    escalated_by: StaffId
    escalated_at: AwareDatetime


class EscalationDecided(ComplaintEvent):
    """What those to whom it was submitted decided 领导批示."""

    escalation_id: UUID
    decision: Annotated[Code, InTable("escalation-decision")]
    reasons: OptionalText = None
    decided_by: StaffId
    decided_at: AwareDatetime


class WrittenNoticeSent(ComplaintEvent):
    """The result, which the customer was told, was set out in writing 书面告知, with the remedies that are open to him."""

    notice_id: UUID
    resolution_id: UUID
    channel: Channel
    content: Text
    remedies: Annotated[tuple[Code, ...] | None, InTable("remedy")] = None
    sent_by: StaffId
    sent_at: AwareDatetime


SETTLEMENT_NAMES: dict[str, type[ComplaintEvent]] = {
    "negotiation-held": NegotiationHeld,
    "compensation-approved": CompensationApproved,
    "compensation-provided": CompensationProvided,
    "complaint-escalated": ComplaintEscalated,
    "escalation-decided": EscalationDecided,
    "written-notice-sent": WrittenNoticeSent,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

SettlementEvent: TypeAlias = (
    NegotiationHeld
    | CompensationApproved
    | CompensationProvided
    | ComplaintEscalated
    | EscalationDecided
    | WrittenNoticeSent
)
"""Every fact of this module: what a `match` over it must cover."""
