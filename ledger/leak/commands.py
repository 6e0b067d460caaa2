"""What a caller may ask for about one leak: one command for each fact. Nothing here decides."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.command import Command, Instant, NewId, StaffId, Term, Words
from ledger.event import Code, Reference
from ledger.leak.events import Customers


class LeakCommand(Command):
    """A request about one leak."""

    leak_id: UUID


class ReportLeak(LeakCommand):
    """Record that personal information got out."""

    leak_id: NewId
    title: Term
    description: Words
    data_kinds: Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)]
    complaint_ids: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    found_by: StaffId
    found_at: Instant


class IsolateLeak(LeakCommand):
    """Record that the way out is shut."""

    measures: Words
    isolated_by: StaffId
    isolated_at: Instant


class InvestigateLeak(LeakCommand):
    """Record how it came about, and how many it touches; again, when more is known."""

    cause: Code
    findings: Words
    customers_affected: Annotated[int, Field(ge=0, le=10**9)]
    investigated_by: StaffId
    investigated_at: Instant


class NameResponsible(LeakCommand):
    """Say who answers for it."""

    responsible: StaffId
    department: Term
    reason: Words | None = None
    named_by: StaffId
    named_at: Instant


class TellAffectedCustomers(LeakCommand):
    """Record that customers were told of it."""

    customer_ids: Customers
    channel: Code
    content: Words
    told_by: StaffId
    told_at: Instant


class ProtectAffectedCustomers(LeakCommand):
    """Record what was done to keep harm from customers."""

    customer_ids: Customers
    measure: Code
    remark: Words | None = None
    protected_by: StaffId
    protected_at: Instant


class TellRegulator(LeakCommand):
    """Record that a regulator was told."""

    body: Code
    body_reference: Reference | None = None
    content: Words
    told_by: StaffId
    told_at: Instant


class DecideNotToTellRegulator(LeakCommand):
    """Record why, and by whose leave, no regulator is told."""

    reason: Words
    decided_by: StaffId
    approved_by: StaffId
    decided_at: Instant


class ReviewLeak(LeakCommand):
    """Record what was learned from it."""

    lessons: Words
    action_ids: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    reviewed_by: StaffId
    reviewed_at: Instant


class CloseLeak(LeakCommand):
    """Close it, when every step was taken."""

    closed_by: StaffId
    closed_at: Instant


class AnnulLeakFact(LeakCommand):
    """Declare that a recorded fact of the leak never happened; two people are needed."""

    version: Annotated[int, Field(ge=1)]
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant
