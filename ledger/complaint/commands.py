"""What a caller may ask for about one complaint: one command for each fact. Nothing here decides."""

from typing import Annotated, Literal, TypeAlias, cast, get_args
from uuid import UUID

from pydantic import Field, JsonValue

from ledger.command import Assigned, Day, Instant, Name, NewId, StaffId, Term, Words
from ledger.complaint.asked import ComplaintCommand
from ledger.complaint.ending_commands import EndingCommand
from ledger.complaint.events import Grade, Minor, Outcome, Score, Version
from ledger.complaint.handling_commands import HandlingCommand
from ledger.complaint.moving import Amount, Unit
from ledger.event import Code, Currency, Reference, Sha256Hex, SubjectId

__all__ = ["ComplaintCommand"]  # what stands here and is made elsewhere

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without the letters that are mistaken for a digit or each other on the telephone."""


class ReceiveComplaint(ComplaintCommand):
    """Record that a complaint reached the institution; the first command of every complaint."""

    complaint_id: NewId
    customer_id: Annotated[SubjectId, Assigned()]
    received_at: Instant
    date_only: bool = False
    received_by: StaffId
    channel: Code
    customer_name: Name | None = None
    customer_contact: Name | None = None
    customer_identity_number: Name | None = None
    customer_account: Name | None = None
    content: Words | None = None
    remedy_wanted: Words | None = None
    amount_in_dispute_minor: Minor | None = None
    currency: Currency | None = None
    product: Code | None = None
    branch: Code | None = None
    external_reference: Reference | None = None
    earlier_complaint_ids: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    interaction_id: UUID | None = None


class RegisterComplaint(ComplaintCommand):
    """Give the complaint its reference number."""

    reference: Annotated[Reference, Assigned()]
    registered_at: Instant
    registered_by: StaffId


class NoteAutomaticReply(ComplaintCommand):
    """Record that a machine acknowledged the receipt; it stops no clock."""

    channel: Code
    sent_at: Instant


class NoteContact(ComplaintCommand):
    """Record a conversation with the customer; it may have been before the receipt."""

    channel: Code
    direction: Literal["inbound", "outbound"]
    content: Words
    noted_by: StaffId
    occurred_at: Instant


class SendFirstReply(ComplaintCommand):
    """Record that a person of the institution answered the customer for the first time."""

    channel: Code
    content: Words | None = None
    sent_by: StaffId
    sent_at: Instant


class ClassifyComplaint(ComplaintCommand):
    """Say what the complaint is about; again, with a reason, to correct that."""

    scheme: Code
    category: Term
    product: Term | None = None
    sub_product: Term | None = None
    issue: Term | None = None
    sub_issue: Term | None = None
    cause: Term | None = None
    reason: Words | None = None
    classified_by: StaffId
    classified_at: Instant


class GradeComplaint(ComplaintCommand):
    """Set the severity; again, with a reason, to propose a change, which somebody else approves (approve-amendment)."""

    grade: Grade
    urgent: bool = False
    seriousness: Code | None = None
    extent: Code | None = None
    customer_state: Code | None = None
    reason: Words | None = None
    graded_by: StaffId
    graded_at: Instant


class AssignComplaint(ComplaintCommand):
    """Give the complaint to a department and a person; again, with a reason, to move it.

    Without a department, it goes to the one that the routing names for its category.
    """

    department: Term | None = None
    assignee: StaffId | None = None
    reason: Words | None = None
    assigned_by: StaffId
    assigned_at: Instant


class StartInvestigation(ComplaintCommand):
    """Begin an investigation."""

    investigation_id: NewId
    lead: StaffId
    started_by: StaffId
    started_at: Instant


class ProvideEvidence(ComplaintCommand):
    """Put a document, recording or statement on file."""

    evidence_id: NewId
    kind: Code
    description: Words
    sha256: Sha256Hex | None = None
    origin: Code | None = None
    evidence_request_id: UUID | None = None
    file_id: UUID | None = None
    provided_by: StaffId
    provided_at: Instant


class MakeFinding(ComplaintCommand):
    """Record what an open investigation found."""

    investigation_id: UUID
    finding: Words
    cause: Term | None = None
    made_by: StaffId
    made_at: Instant


class CloseInvestigation(ComplaintCommand):
    """End an open investigation with its conclusion."""

    investigation_id: UUID
    conclusion: Words
    closed_by: StaffId
    closed_at: Instant


class ProposeSolution(ComplaintCommand):
    """Put a solution to the customer."""

    proposal_id: NewId
    content: Words
    compensation_kind: Code | None = None
    compensation_minor: Minor | None = None
    currency: Currency | None = None
    proposed_by: StaffId
    proposed_at: Instant


class AcceptProposal(ComplaintCommand):
    """Record that the customer agreed to a proposal."""

    proposal_id: UUID
    accepted_at: Instant
    noted_by: StaffId


class DeclineProposal(ComplaintCommand):
    """Record that the customer did not agree to a proposal."""

    proposal_id: UUID
    reason: Words | None = None
    declined_at: Instant
    noted_by: StaffId


class ResolveComplaint(ComplaintCommand):
    """Record the institution's decision."""

    resolution_id: NewId
    outcome: Outcome
    reasons: Words
    measures: Words | None = None
    improvement: Words | None = None
    resolved_by: StaffId
    resolved_at: Instant


class SendReply(ComplaintCommand):
    """Record that the customer was told the latest resolution."""

    reply_id: NewId
    channel: Code
    content: Words
    remedies: Annotated[tuple[Code, ...], Field(max_length=50)] | None = None
    sent_by: StaffId
    sent_at: Instant


class RateSatisfaction(ComplaintCommand):
    """Record the customer's rating of the handling, for one resolution."""

    resolution_id: UUID
    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: Words | None = None
    channel: Code
    asked_by: StaffId
    rated_at: Instant


class CloseComplaint(ComplaintCommand):
    """Record that nothing is left to do."""

    closed_by: StaffId
    closed_at: Instant


class ReopenComplaint(ComplaintCommand):
    """Record that the customer came back after the reply."""

    reason: Words
    new_facts: bool
    reopened_by: StaffId
    reopened_at: Instant


class WithdrawComplaint(ComplaintCommand):
    """Record that the customer withdrew."""

    reason: Words | None = None
    received_by: StaffId
    withdrawn_at: Instant


class StateOutcome(ComplaintCommand):
    """Record how another body's file says that the complaint ended."""

    source: Code
    outcome: Term
    final: bool
    timely: bool | None = None
    stated_by: StaffId


class DisputeOutcome(ComplaintCommand):
    """Record that the customer disputed the outcome."""

    source: Code
    disputed_at: Instant | None = None
    noted_by: StaffId


class ReceiveTransfer(ComplaintCommand):
    """Record that a regulator or another body passed the complaint on to us."""

    body: Code
    body_reference: Reference | None = None
    received_by: StaffId
    received_at: Instant


class ExtendDeadline(ComplaintCommand):
    """Make the limit of one clock longer, or propose it, where it is `to_be_approved` (approve-amendment).

    The regime says what it asks for, such as an approver's rank or notice.
    """

    regime: Code
    clock: Code
    limit_amount: Amount
    limit_unit: Unit
    reason: Words
    extended_by: StaffId
    complainant_told_at: Instant | None = None
    extended_at: Instant
    to_be_approved: bool = False


class StartAppraisal(ComplaintCommand):
    """Record that an outside appraisal began, and when the complainant was told of it."""

    appraisal_id: NewId
    appraiser: Term
    subject: Words
    complainant_told_at: Instant | None = None
    started_by: StaffId
    started_at: Instant


class EndAppraisal(ComplaintCommand):
    """Record that an outside appraisal came to its end."""

    appraisal_id: UUID
    result: Words | None = None
    ended_by: StaffId
    ended_at: Instant


class ReceiveNewFacts(ComplaintCommand):
    """Record that the complainant brought new facts and reasons before the result was told."""

    content: Words
    received_by: StaffId
    received_at: Instant


class SendHoldingResponse(ComplaintCommand):
    """Record that the complainant was told in writing that the answer needs longer, and why."""

    channel: Code
    reasons: Words
    final_response_by_on: Day | None = None
    sent_by: StaffId
    sent_at: Instant


class RuleOutComplaint(ComplaintCommand):
    """Record, with the reason, that this is no complaint."""

    nature: Code
    reason: Words
    ruled_out_by: StaffId
    ruled_out_at: Instant


class MergeComplaint(ComplaintCommand):
    """Have a repeat without new facts handled with another complaint, which is recorded to have taken it in."""

    into_complaint_id: UUID
    reason: Words | None = None
    merged_by: StaffId
    merged_at: Instant


class RecogniseGroup(ComplaintCommand):
    """Record that several people complain together, and how many."""

    complainants: Annotated[int, Field(ge=2, le=10_000_000)]
    recognised_by: StaffId
    recognised_at: Instant


class AnnulFact(ComplaintCommand):
    """Propose to declare that a recorded fact never happened; `version` is its version in the complaint."""

    version: Version
    reason: Words
    proposed_at: Instant


class CorrectFact(ComplaintCommand):
    """Propose to replace fields of a recorded fact; `changes` gives the new value of each field to change."""

    version: Version
    changes: Annotated[dict[str, JsonValue], Field(min_length=1, max_length=40)]
    reason: Words
    proposed_at: Instant


class ApproveAmendment(ComplaintCommand):
    """Carry out what somebody else proposed: an annulment, a correction, another grade or an extension.

    `proposed_version` is the version of the proposal. Of an extension, the approver's rank and when the complainant was
    told are said here.
    """

    proposed_version: Version
    approver_rank: Code | None = None
    complainant_told_at: Instant | None = None
    approved_at: Instant


class DeclineAmendment(ComplaintCommand):
    """Leave undone what was proposed, or take back one's own proposal; `proposed_version` is its version."""

    proposed_version: Version
    reason: Words
    declined_at: Instant


AnyComplaintCommand: TypeAlias = (
    ReceiveComplaint
    | RegisterComplaint
    | NoteAutomaticReply
    | NoteContact
    | SendFirstReply
    | ClassifyComplaint
    | GradeComplaint
    | AssignComplaint
    | StartInvestigation
    | ProvideEvidence
    | MakeFinding
    | CloseInvestigation
    | ProposeSolution
    | AcceptProposal
    | DeclineProposal
    | ResolveComplaint
    | SendReply
    | RateSatisfaction
    | CloseComplaint
    | ReopenComplaint
    | WithdrawComplaint
    | StateOutcome
    | DisputeOutcome
    | ReceiveTransfer
    | ExtendDeadline
    | StartAppraisal
    | EndAppraisal
    | ReceiveNewFacts
    | SendHoldingResponse
    | RuleOutComplaint
    | MergeComplaint
    | RecogniseGroup
    | HandlingCommand
    | EndingCommand
    | AnnulFact
    | CorrectFact
    | ApproveAmendment
    | DeclineAmendment
)
"""Every command: what a `match` must cover to end in `assert_never`."""

COMPLAINT_COMMANDS: dict[str, type[ComplaintCommand]] = {
    command.command_name(): command for command in get_args(AnyComplaintCommand)
}
"""Name to class, as the envelope and the API write it."""


def known_command(command: ComplaintCommand) -> AnyComplaintCommand:
    """The same command, as the union that the type checker can exhaust."""
    assert type(command) in COMPLAINT_COMMANDS.values(), f"{type(command).__name__} is missing in AnyComplaintCommand"
    return cast("AnyComplaintCommand", command)


def reference_number(year: int, bits: int) -> str:
    """A reference such as `2025-7KQ2-M0XZ`, from the lowest 40 of the given random bits."""
    letters = "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(35, -1, -5))
    return f"{year:04d}-{letters[:4]}-{letters[4:]}"
