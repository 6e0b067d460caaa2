"""What a caller may ask for about indicators, surveys, reviews, risks and corrective actions. Nothing here decides."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.command import Command, Day, Instant, NewId, StaffId, Term, Words
from ledger.event import Code, Sha256Hex
from ledger.improvement.events import Audience, Better, Causes, Degree, Effect, RiskLevel, Thousandths, WarningLevel

Version = Annotated[int, Field(ge=1)]


class IndicatorCommand(Command):
    """A request about one indicator."""

    indicator_id: UUID


class DefineIndicator(IndicatorCommand):
    """Begin to judge the institution, or a part of it, by a figure."""

    indicator_id: NewId
    indicator: Code
    scope: Term | None = None
    better: Better
    target_thousandths: Thousandths | None = None
    defined_by: StaffId
    defined_at: Instant


class SetThresholds(IndicatorCommand):
    """Set the next version of the values from which on warnings are raised."""

    thresholds_version: Version
    low_thousandths: Thousandths | None = None
    medium_thousandths: Thousandths | None = None
    high_thousandths: Thousandths | None = None
    set_by: StaffId
    approved_by: StaffId
    set_at: Instant


class MeasureIndicator(IndicatorCommand):
    """Record a value; a warning follows when it crosses a threshold of which none is raised yet."""

    measurement_id: NewId
    value_thousandths: Thousandths
    period_from: Day
    period_to: Day
    source: Term
    complaint_ids: Causes = ()
    measured_by: StaffId
    measured_at: Instant


class RaiseWarning(IndicatorCommand):
    """Raise a warning that no measurement raised."""

    warning_id: NewId
    level: WarningLevel
    reason: Words
    complaint_ids: Causes = ()
    raised_by: StaffId
    raised_at: Instant


class AcknowledgeWarning(IndicatorCommand):
    """Take charge of a warning."""

    warning_id: UUID
    acknowledged_by: StaffId
    acknowledged_at: Instant


class MitigateWarning(IndicatorCommand):
    """Record what was done about a warning."""

    warning_id: UUID
    measures: Words
    emergency_plan: Code | None = None
    action_ids: Causes = ()
    mitigated_by: StaffId
    mitigated_at: Instant


class LiftWarning(IndicatorCommand):
    """Record that the danger is over."""

    warning_id: UUID
    reason: Words
    lifted_by: StaffId
    lifted_at: Instant


class AnnulIndicatorFact(IndicatorCommand):
    """Declare that a recorded fact of the indicator never happened; two people are needed."""

    version: Version
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant


class SurveyCommand(Command):
    """A request about one survey."""

    survey_id: UUID


class OpenSurvey(SurveyCommand):
    """Ask customers from one day to another."""

    survey_id: NewId
    title: Term
    population: Term
    invited: Annotated[int, Field(ge=1, le=10**9)] | None = None
    opens_on: Day
    closes_on: Day
    opened_by: StaffId
    opened_at: Instant


class ConcludeSurvey(SurveyCommand):
    """Record what came out of a survey."""

    answered: Annotated[int, Field(ge=0, le=10**9)]
    mean_thousandths: Annotated[int, Field(ge=1000, le=5000)] | None = None
    conclusions: Words
    action_ids: Causes = ()
    concluded_by: StaffId
    concluded_at: Instant


class ReportSurvey(SurveyCommand):
    """Record that its report went to somebody."""

    audience: Audience
    in_part: bool
    sha256: Sha256Hex | None = None
    reported_by: StaffId
    reported_at: Instant


class AnnulSurveyFact(SurveyCommand):
    """Declare that a recorded fact of the survey never happened; two people are needed."""

    version: Version
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant


class ReviewCommand(Command):
    """A request about one periodic review."""

    review_id: UUID


class HoldReview(ReviewCommand):
    """Record that the complaints of a period were summed up and analysed."""

    review_id: NewId
    kind: Code
    period_from: Day
    period_to: Day
    breakdowns: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]
    findings: Words
    complaint_ids: Causes = ()
    action_ids: Causes = ()
    held_by: StaffId
    held_at: Instant


class ReportReview(ReviewCommand):
    """Record that its report went to somebody."""

    audience: Audience
    in_part: bool
    sha256: Sha256Hex | None = None
    reported_by: StaffId
    reported_at: Instant


class AnnulReviewFact(ReviewCommand):
    """Declare that a recorded fact of the review never happened; two people are needed."""

    version: Version
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant


class RiskCommand(Command):
    """A request about one risk."""

    risk_id: UUID


class ReportRisk(RiskCommand):
    """Record a risk, how likely it is, what it would do, and its level."""

    risk_id: NewId
    title: Term
    description: Words
    likelihood: Degree
    effect: Degree
    level: RiskLevel
    owner: StaffId
    complaint_ids: Causes = ()
    found_by: StaffId
    found_at: Instant


class ReassessRisk(RiskCommand):
    """Weigh a risk anew."""

    likelihood: Degree
    effect: Degree
    level: RiskLevel
    reason: Words
    reassessed_by: StaffId
    reassessed_at: Instant


class TreatRisk(RiskCommand):
    """Record what was done about a risk."""

    measures: Words
    action_ids: Causes = ()
    treated_by: StaffId
    treated_at: Instant


class CloseRisk(RiskCommand):
    """Record that it is gone, or that what is left of it is borne."""

    reason: Words
    closed_by: StaffId
    approved_by: StaffId
    closed_at: Instant


class AnnulRiskFact(RiskCommand):
    """Declare that a recorded fact of the risk never happened; two people are needed."""

    version: Version
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant


class ActionCommand(Command):
    """A request about one corrective action."""

    action_id: UUID


class OpenAction(ActionCommand):
    """Open a corrective action: by whom, by when, to what end, and how one will see that it helped."""

    action_id: NewId
    title: Term
    goal: Words
    acceptance_test: Words
    owner: StaffId
    department: Term | None = None
    due_on: Day
    complaint_ids: Causes = ()
    cause_ids: Causes = ()
    opened_by: StaffId
    opened_at: Instant


class NoteProgress(ActionCommand):
    """Record how far an action has come."""

    progress: Words
    percent_done: Annotated[int, Field(ge=0, le=100)] | None = None
    noted_by: StaffId
    noted_at: Instant


class HandOverAction(ActionCommand):
    """Give an action to another owner."""

    owner: StaffId
    department: Term | None = None
    reason: Words | None = None
    handed_by: StaffId
    handed_at: Instant


class PostponeAction(ActionCommand):
    """Give an action a later day."""

    due_on: Day
    reason: Words
    postponed_by: StaffId
    approved_by: StaffId
    postponed_at: Instant


class CompleteAction(ActionCommand):
    """Record that what was to be done is done."""

    result: Words
    completed_by: StaffId
    completed_at: Instant


class MeasureEffect(ActionCommand):
    """Record whether an action helped."""

    effect: Effect
    indicator_id: UUID | None = None
    value_before_thousandths: Thousandths | None = None
    value_after_thousandths: Thousandths | None = None
    findings: Words
    measured_by: StaffId
    measured_at: Instant


class CloseAction(ActionCommand):
    """Close an action that did what it was for."""

    closed_by: StaffId
    closed_at: Instant


class ReopenAction(ActionCommand):
    """Take up again an action that did not do what it was for."""

    reason: Words
    due_on: Day
    reopened_by: StaffId
    reopened_at: Instant


class AnnulActionFact(ActionCommand):
    """Declare that a recorded fact of the action never happened; two people are needed."""

    version: Version
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant
