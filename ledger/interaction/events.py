"""The facts of one contact with a customer that is not itself a complaint 客户互动. Nothing here decides or computes.

The response time 响应速度 is the time from `asked_at` to `answered_at`. What is personal is held under the customer.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Held, Label, Personal, StaffId, SubjectId, Tier

Text = Annotated[Personal[str], Held(Tier.ORDINARY, "customer_id")]
OptionalText = Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id")]

Seconds = Annotated[int, Field(ge=0, le=7 * 24 * 3600)]

Score = Annotated[int, Field(ge=1, le=5)]
"""1 (very dissatisfied 非常不满意) to 5 (very satisfied 非常满意)."""


class InteractionKind(StrEnum):
    """What the contact was; the code table `interaction-kind` has the labels."""

    ENQUIRY = "enquiry"
    SERVICE_REQUEST = "service-request"
    SUGGESTION = "suggestion"
    FEEDBACK = "feedback"
    COMPLAINT_CONTACT = "complaint-contact"
    SURVEY = "survey"
    CALL_BACK = "call-back"
    OUTREACH = "outreach"


class InteractionEvent(Event):
    """A fact in the stream of one interaction; `customer_id` is whose contact it was."""

    customer_id: SubjectId


class InteractionRecorded(InteractionEvent):
    """A contact took place, or a request, suggestion or feedback was taken 服务记录.

    `complaint_id` names the complaint that a contact, call-back or survey is about; `survey_id` the survey it is part of.
    """

    kind: InteractionKind
    channel: Code
    direction: Literal["inbound", "outbound"]
    content: OptionalText = None
    length_seconds: Seconds | None = None
    product: Code | None = None
    branch: Code | None = None
    complaint_id: UUID | None = None
    survey_id: UUID | None = None
    taken_by: StaffId
    asked_at: AwareDatetime


class InteractionAssigned(InteractionEvent):
    """Given to a department, and perhaps to a person in it."""

    department: Label
    assignee: StaffId | None = None
    assigned_by: StaffId
    assigned_at: AwareDatetime


class InteractionLookedInto(InteractionEvent):
    """A request, suggestion or feedback was looked into, and something found."""

    finding: Text
    looked_into_by: StaffId
    looked_into_at: AwareDatetime


class InteractionDealtWith(InteractionEvent):
    """What was found was acted upon: the service improvement record 服务改进记录 of this contact.

    `action_id` names the corrective action that came of it.
    """

    measures: Text
    action_id: UUID | None = None
    dealt_with_by: StaffId
    dealt_with_at: AwareDatetime


class InteractionAnswered(InteractionEvent):
    """The customer got the answer. Ends the response time."""

    channel: Code
    outcome: Code
    content: OptionalText = None
    length_seconds: Seconds | None = None
    answered_by: StaffId
    answered_at: AwareDatetime


class InteractionReviewed(InteractionEvent):
    """How it was handled was looked at again."""

    satisfactory: bool
    findings: OptionalText = None
    reviewed_by: StaffId
    reviewed_at: AwareDatetime


class InteractionRated(InteractionEvent):
    """The customer rated the service 服务评价记录, overall and by dimension."""

    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: OptionalText = None
    channel: Code
    asked_by: StaffId
    rated_at: AwareDatetime


class SurveyAnswered(InteractionEvent):
    """The customer answered a survey 满意度调查."""

    survey_id: UUID
    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: OptionalText = None
    noted_by: StaffId
    answered_at: AwareDatetime


class CallBackPromised(InteractionEvent):
    """The customer was promised a call on a day, at the latest."""

    due_on: date
    assignee: StaffId
    promised_by: StaffId
    promised_at: AwareDatetime


class CallBackMade(InteractionEvent):
    """The promised call was made; `reached` says whether the customer answered it."""

    reached: bool
    satisfied: bool | None = None
    content: OptionalText = None
    length_seconds: Seconds | None = None
    called_by: StaffId
    called_at: AwareDatetime


class InteractionBecameComplaint(InteractionEvent):
    """A complaint grew from it; the complaint's receipt names this interaction in turn."""

    complaint_id: UUID
    turned_by: StaffId
    turned_at: AwareDatetime


class InteractionFactAnnulled(InteractionEvent):
    """An earlier fact of this interaction is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: Text
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


INTERACTION_NAMES: dict[str, type[InteractionEvent]] = {
    "interaction-recorded": InteractionRecorded,
    "interaction-assigned": InteractionAssigned,
    "interaction-looked-into": InteractionLookedInto,
    "interaction-dealt-with": InteractionDealtWith,
    "interaction-answered": InteractionAnswered,
    "interaction-reviewed": InteractionReviewed,
    "interaction-rated": InteractionRated,
    "survey-answered": SurveyAnswered,
    "call-back-promised": CallBackPromised,
    "call-back-made": CallBackMade,
    "interaction-became-complaint": InteractionBecameComplaint,
    "interaction-fact-annulled": InteractionFactAnnulled,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyInteractionEvent: TypeAlias = (
    InteractionRecorded
    | InteractionAssigned
    | InteractionLookedInto
    | InteractionDealtWith
    | InteractionAnswered
    | InteractionReviewed
    | InteractionRated
    | SurveyAnswered
    | CallBackPromised
    | CallBackMade
    | InteractionBecameComplaint
    | InteractionFactAnnulled
)


def known_interaction_event(event: InteractionEvent) -> AnyInteractionEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in INTERACTION_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyInteractionEvent", event)
