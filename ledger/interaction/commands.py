"""What a caller may ask for about one interaction: one command for each fact. Nothing here decides."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ledger.command import Assigned, Command, Day, Instant, NewId, StaffId, Term, Words
from ledger.event import Code, SubjectId
from ledger.interaction.events import InteractionKind, Score, Seconds


class InteractionCommand(Command):
    """A request about one interaction."""

    interaction_id: UUID


class RecordInteraction(InteractionCommand):
    """Record a contact with a customer, or take a request, suggestion or feedback."""

    interaction_id: NewId
    customer_id: Annotated[SubjectId, Assigned()]
    kind: InteractionKind
    channel: Code
    direction: Literal["inbound", "outbound"]
    content: Words | None = None
    length_seconds: Seconds | None = None
    product: Code | None = None
    branch: Code | None = None
    complaint_id: UUID | None = None
    survey_id: UUID | None = None
    taken_by: StaffId
    asked_at: Instant


class AssignInteraction(InteractionCommand):
    """Give it to a department and a person."""

    department: Term
    assignee: StaffId | None = None
    assigned_by: StaffId
    assigned_at: Instant


class LookInto(InteractionCommand):
    """Record what was found when it was looked into."""

    finding: Words
    looked_into_by: StaffId
    looked_into_at: Instant


class DealWith(InteractionCommand):
    """Record what was done about it."""

    measures: Words
    action_id: UUID | None = None
    dealt_with_by: StaffId
    dealt_with_at: Instant


class AnswerInteraction(InteractionCommand):
    """Record that the customer got the answer."""

    channel: Code
    outcome: Code
    content: Words | None = None
    length_seconds: Seconds | None = None
    answered_by: StaffId
    answered_at: Instant


class ReviewInteraction(InteractionCommand):
    """Record that its handling was looked at again."""

    satisfactory: bool
    findings: Words | None = None
    reviewed_by: StaffId
    reviewed_at: Instant


class RateInteraction(InteractionCommand):
    """Record how the customer rates the service."""

    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: Words | None = None
    channel: Code
    asked_by: StaffId
    rated_at: Instant


class AnswerSurvey(InteractionCommand):
    """Record a customer's answer to a survey."""

    survey_id: UUID
    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: Words | None = None
    noted_by: StaffId
    answered_at: Instant


class PromiseCallBack(InteractionCommand):
    """Record that the customer will be called, by a day and by whom."""

    due_on: Day
    assignee: StaffId
    promised_by: StaffId
    promised_at: Instant


class MakeCallBack(InteractionCommand):
    """Record that the promised call was made."""

    reached: bool
    satisfied: bool | None = None
    content: Words | None = None
    length_seconds: Seconds | None = None
    called_by: StaffId
    called_at: Instant


class TurnIntoComplaint(InteractionCommand):
    """Record that a complaint grew from it."""

    complaint_id: UUID
    turned_by: StaffId
    turned_at: Instant


class AnnulInteractionFact(InteractionCommand):
    """Declare that a recorded fact of the interaction never happened; two people are needed."""

    version: Annotated[int, Field(ge=1)]
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant
