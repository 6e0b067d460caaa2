"""What a caller may ask for while a complaint is handled, beside `ledger.complaint.commands`. Nothing here decides."""

from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from ledger.command import Assigned, Day, Instant, Name, NewId, StaffId, Term, Words
from ledger.complaint.asked import ComplaintCommand
from ledger.complaint.emergency import EmergencyStep
from ledger.event import Code, SubjectId


class NameRepresentative(ComplaintCommand):
    """Record who complains on the customer's behalf, and by which authorisation."""

    representative_id: Annotated[SubjectId, Assigned()]
    relation: Code
    representative_name: Name
    representative_contact: Name | None = None
    representative_identity_number: Name | None = None
    authorisation: Code
    authorisation_evidence_id: UUID | None = None
    valid_through_on: Day | None = None
    named_by: StaffId
    named_at: Instant


class EndRepresentation(ComplaintCommand):
    """Record that somebody speaks for the customer no more."""

    representative_id: SubjectId
    reason: Words | None = None
    noted_by: StaffId
    ended_at: Instant


class NamePersonComplainedAbout(ComplaintCommand):
    """Record whom the complaint is about; he is given nothing of it to handle."""

    person_id: Annotated[SubjectId, Assigned()]
    staff: StaffId | None = None
    person_name: Name | None = None
    department: Term | None = None
    branch: Code | None = None
    noted_by: StaffId
    noted_at: Instant


class DeclareInterest(ComplaintCommand):
    """Record that a member of staff has a direct interest, and so stands aside."""

    staff: StaffId
    interest: Code
    explanation: Words | None = None
    declared_by: StaffId
    declared_at: Instant


class FormInvestigationTeam(ComplaintCommand):
    """Form the special team that investigates."""

    lead: StaffId
    members: Annotated[tuple[StaffId, ...], Field(max_length=50)]
    investigation_id: UUID | None = None
    reason: Words | None = None
    formed_by: StaffId
    formed_at: Instant


class StartEmergency(ComplaintCommand):
    """Begin the emergency procedure of an urgent complaint, by a plan of the library."""

    emergency_id: NewId
    plan: Code
    reason: Words | None = None
    started_by: StaffId
    started_at: Instant


class TakeEmergencyStep(ComplaintCommand):
    """Record a step of the emergency procedure; each stands on the one before."""

    emergency_id: UUID
    step: EmergencyStep
    content: Words
    taken_by: StaffId
    taken_at: Instant


class EndEmergency(ComplaintCommand):
    """Record that the danger is over."""

    emergency_id: UUID
    result: Words
    ended_by: StaffId
    ended_at: Instant


class ReviewEmergency(ComplaintCommand):
    """Record what was learnt from the emergency procedure."""

    emergency_id: UUID
    findings: Words
    plan_to_be_changed: bool
    reviewed_by: StaffId
    reviewed_at: Instant


class MakePreliminaryCheck(ComplaintCommand):
    """Record what the preliminary check of the facts and the nature found."""

    borne_out: bool
    finding: Words
    checked_by: StaffId
    checked_at: Instant


class RequestEvidence(ComplaintCommand):
    """Ask somebody for evidence."""

    evidence_request_id: NewId
    asked_of: Code
    department: Term | None = None
    wanted: Words
    answer_by_on: Day | None = None
    requested_by: StaffId
    requested_at: Instant


class RequestAssistance(ComplaintCommand):
    """Ask another department, perhaps a person in it, to help."""

    assistance_id: NewId
    department: Term
    assistant: StaffId | None = None
    question: Words
    answer_by_on: Day | None = None
    requested_by: StaffId
    requested_at: Instant


class GiveAssistance(ComplaintCommand):
    """Answer a request for help, perhaps with evidence that is on file."""

    assistance_id: UUID
    answer: Words
    evidence_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)] | None = None
    given_by: StaffId
    given_at: Instant


class FindRootCause(ComplaintCommand):
    """Record why the cause could be."""

    root_cause: Code
    cause: Code | None = None
    department: Term | None = None
    explanation: Words | None = None
    found_by: StaffId
    found_at: Instant


HandlingCommand: TypeAlias = (
    NameRepresentative
    | EndRepresentation
    | NamePersonComplainedAbout
    | DeclareInterest
    | FormInvestigationTeam
    | StartEmergency
    | TakeEmergencyStep
    | EndEmergency
    | ReviewEmergency
    | MakePreliminaryCheck
    | RequestEvidence
    | RequestAssistance
    | GiveAssistance
    | FindRootCause
)
"""Every command of this module: what a `match` over it must cover."""
