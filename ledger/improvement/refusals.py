"""What the rules of improvement do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class ThresholdsVersionNotNext(Refusal):
    given: int
    next_version: int

    says: ClassVar[str] = "The thresholds are given as version {given}, and the next one is {next_version}."
    remedy: ClassVar[str] = "Give them that version; a version that was set is never changed."


@dataclass(eq=False)
class ThresholdsOutOfOrder(Refusal):
    better: str

    says: ClassVar[str] = "The thresholds do not get worse from low to high, with {better} values being better."
    remedy: ClassVar[str] = "Give at least one, each higher level at a worse value than the one below it."


@dataclass(eq=False)
class PeriodBackwards(Refusal):
    begins: date
    ends: date

    says: ClassVar[str] = "The period begins on {begins} and ends on {ends}."
    remedy: ClassVar[str] = "Exchange the days."


@dataclass(eq=False)
class WarningUnknown(Refusal):
    warning_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The indicator has no warning {warning_id}."
    remedy: ClassVar[str] = "Name one of those in `known`."


@dataclass(eq=False)
class WarningIsLifted(Refusal):
    warning_id: UUID
    lifted_at: datetime

    says: ClassVar[str] = "Warning {warning_id} was lifted at {lifted_at}."
    remedy: ClassVar[str] = "Raise another, or annul the lifting."


@dataclass(eq=False)
class WarningAlreadyAcknowledged(Refusal):
    warning_id: UUID
    acknowledged_by: str

    says: ClassVar[str] = "{acknowledged_by} has taken charge of warning {warning_id}."
    remedy: ClassVar[str] = "Record what was done about it; annul the acknowledgement if it is a mistake."


@dataclass(eq=False)
class WarningNotActedUpon(Refusal):
    """A low warning is watched, a medium one mitigated, a high one met with an emergency plan, before it is lifted."""

    warning_id: UUID
    level: str
    missing: str

    says: ClassVar[str] = "Warning {warning_id} of level {level} lacks this: {missing}."
    remedy: ClassVar[str] = "Record that first."


@dataclass(eq=False)
class SurveyIsConcluded(Refusal):
    concluded_at: datetime

    says: ClassVar[str] = "The survey was concluded at {concluded_at}."
    remedy: ClassVar[str] = "Annul the conclusion if it is wrong."


@dataclass(eq=False)
class NothingToReport(Refusal):
    says: ClassVar[str] = "The survey is not concluded."
    remedy: ClassVar[str] = "Conclude it first, then report."


@dataclass(eq=False)
class MoreAnsweredThanInvited(Refusal):
    answered: int
    invited: int

    says: ClassVar[str] = "{answered} answered, and only {invited} were invited."
    remedy: ClassVar[str] = "Correct the number."


@dataclass(eq=False)
class RiskIsClosed(Refusal):
    closed_at: datetime

    says: ClassVar[str] = "The risk was closed at {closed_at}."
    remedy: ClassVar[str] = "Report it anew as a risk of its own, or annul the closing."


@dataclass(eq=False)
class ResidualBeforeTreatment(Refusal):
    says: ClassVar[str] = "A residual risk is what a treatment has left, and nothing was done about this one."
    remedy: ClassVar[str] = "Record the treatment first, or give another level."


@dataclass(eq=False)
class RiskTooHigh(Refusal):
    level: str

    says: ClassVar[str] = "A risk of level {level} that was not treated is not closed."
    remedy: ClassVar[str] = "Treat it, or weigh it anew with the reason."


@dataclass(eq=False)
class ActionIsClosed(Refusal):
    closed_at: datetime

    says: ClassVar[str] = "The action was closed at {closed_at}."
    remedy: ClassVar[str] = "Reopen it first."


@dataclass(eq=False)
class ActionIsCompleted(Refusal):
    completed_at: datetime

    says: ClassVar[str] = "The action was completed at {completed_at}."
    remedy: ClassVar[str] = "Measure its effect; then close or reopen it."


@dataclass(eq=False)
class ActionNotCompleted(Refusal):
    says: ClassVar[str] = "The action is not completed."
    remedy: ClassVar[str] = "Record that it is done first."


@dataclass(eq=False)
class EffectNotMeasured(Refusal):
    says: ClassVar[str] = "Whether the action helped was not measured since it was completed."
    remedy: ClassVar[str] = "Have somebody else than its owner measure the effect."


@dataclass(eq=False)
class EffectNotReached(Refusal):
    says: ClassVar[str] = "The action did not do what it was for."
    remedy: ClassVar[str] = "Reopen it with another day, or measure again if that was a mistake."


@dataclass(eq=False)
class OwnerMeasuresOwnAction(Refusal):
    owner: str

    says: ClassVar[str] = "{owner} owns the action and cannot be the one who says that it helped."
    remedy: ClassVar[str] = "Have somebody else measure the effect."


@dataclass(eq=False)
class NothingToTakeUpAgain(Refusal):
    says: ClassVar[str] = "The action is still being carried out."
    remedy: ClassVar[str] = "Go on with it; postpone it for another day."


@dataclass(eq=False)
class DayNotLater(Refusal):
    given: date
    due_on: date

    says: ClassVar[str] = "The action is due on {due_on}, and {given} is not later."
    remedy: ClassVar[str] = "Name a later day."
