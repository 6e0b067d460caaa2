"""What the rules of an interaction do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class NothingWasAsked(Refusal):
    interaction_kind: str

    says: ClassVar[str] = (
        "Nothing was asked in an interaction of the kind {interaction_kind}, so nothing is looked into or dealt with."
    )
    remedy: ClassVar[str] = (
        "Record the enquiry, service request, suggestion or feedback that came of it as an interaction of its own."
    )


@dataclass(eq=False)
class AlreadyAnswered(Refusal):
    answered_at: datetime

    says: ClassVar[str] = "The customer was answered at {answered_at}."
    remedy: ClassVar[str] = (
        "Record what the customer says next as an interaction of its own; annul the answer if it is a mistake."
    )


@dataclass(eq=False)
class StepMissing(Refusal):
    step: str
    before: str

    says: ClassVar[str] = "It cannot be {step}: it was not {before} yet."
    remedy: ClassVar[str] = "Record that step first, with the time at which it was taken."


@dataclass(eq=False)
class InteractionAlreadyRated(Refusal):
    says: ClassVar[str] = "The customer has rated this interaction."
    remedy: ClassVar[str] = "Annul that rating if it is wrong."


@dataclass(eq=False)
class NoSurvey(Refusal):
    survey_id: UUID

    says: ClassVar[str] = "This interaction is no part of survey {survey_id}."
    remedy: ClassVar[str] = "Record an interaction of the kind survey that names it, and answer there."


@dataclass(eq=False)
class SurveyAlreadyAnswered(Refusal):
    says: ClassVar[str] = "The customer has answered this survey here."
    remedy: ClassVar[str] = "Annul that answer if it is wrong."


@dataclass(eq=False)
class CallBackAlreadyPromised(Refusal):
    due_on: date

    says: ClassVar[str] = "The customer was promised a call by {due_on}, and it was not made yet."
    remedy: ClassVar[str] = "Make that call first, or annul the promise."


@dataclass(eq=False)
class NoCallBackPromised(Refusal):
    says: ClassVar[str] = "No call was promised that was not made."
    remedy: ClassVar[str] = "Record the call as an interaction of the kind call-back."


@dataclass(eq=False)
class DueBeforePromise(Refusal):
    due_on: date

    says: ClassVar[str] = "due_on is {due_on}, before the day on which it is said."
    remedy: ClassVar[str] = "Name that day or a later one."


@dataclass(eq=False)
class IsAComplaint(Refusal):
    complaint_id: UUID

    says: ClassVar[str] = "Complaint {complaint_id} grew from it."
    remedy: ClassVar[str] = "Record the rest there; annul the link if it is wrong."
