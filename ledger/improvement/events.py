"""The facts by which an institution judges and improves itself 评估—分析—改进—反馈. Nothing here decides or computes.

Five kinds of subject: an indicator with its thresholds, measurements and warnings; a survey; a periodic review; a risk; a
corrective action. Labels never hold a personal value; longer text may, and is held under the subject's own id. Values of
indicators are whole numbers of thousandths of the indicator's unit: 95.2 % is 95200.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Held, Label, Personal, Sha256Hex, StaffId, Tier

Thousandths = Annotated[int, Field(ge=-(10**15), le=10**15)]

Causes = Annotated[tuple[UUID, ...], Field(max_length=100)]
"""Ids of what something came from."""

Degree = Annotated[int, Field(ge=1, le=5)]
"""1 (least) to 5 (most)."""


class WarningLevel(StrEnum):
    """Three-level warning 三级预警: routine watch; warning and mitigation; emergency plan."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """1 for the lowest."""
        return list(WarningLevel).index(self) + 1


class Better(StrEnum):
    """Which way an indicator should go."""

    HIGHER = "higher"
    LOWER = "lower"


class RiskLevel(StrEnum):
    """High, medium, low, acceptable; residual is what is left of a risk that was treated."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    ACCEPTABLE = "acceptable"
    RESIDUAL = "residual"


class Effect(StrEnum):
    """Whether a corrective action did what it was for."""

    REACHED = "reached"
    PARTLY_REACHED = "partly-reached"
    NOT_REACHED = "not-reached"


class Audience(StrEnum):
    """To whom a report goes; customers get it in part."""

    MANAGEMENT = "management"
    CUSTOMERS = "customers"
    REGULATOR = "regulator"


IndicatorText = Annotated[Personal[str], Held(Tier.ORDINARY, "indicator_id")]
SurveyText = Annotated[Personal[str], Held(Tier.ORDINARY, "survey_id")]
ReviewText = Annotated[Personal[str], Held(Tier.ORDINARY, "review_id")]
RiskText = Annotated[Personal[str], Held(Tier.ORDINARY, "risk_id")]
ActionText = Annotated[Personal[str], Held(Tier.ORDINARY, "action_id")]
OptionalActionText = Annotated[Personal[str] | None, Held(Tier.ORDINARY, "action_id")]


class IndicatorEvent(Event):
    """A fact in the stream of one indicator."""

    indicator_id: UUID


class IndicatorDefined(IndicatorEvent):
    """The institution judges itself by this figure, for the whole or for a part of it (`scope`)."""

    indicator: Code
    scope: Label | None = None
    better: Better
    target_thousandths: Thousandths | None = None
    defined_by: StaffId
    defined_at: AwareDatetime


class ThresholdsSet(IndicatorEvent):
    """A version of the thresholds: the value from which on a warning of each level is raised.

    What was measured before is judged by the version that stood then. A level that is left out is never raised.
    """

    thresholds_version: Annotated[int, Field(ge=1)]
    low_thousandths: Thousandths | None = None
    medium_thousandths: Thousandths | None = None
    high_thousandths: Thousandths | None = None
    set_by: StaffId
    approved_by: StaffId
    set_at: AwareDatetime


class IndicatorMeasured(IndicatorEvent):
    """The indicator was measured over the days of a period. `source` says by what: a report, a survey."""

    measurement_id: UUID
    value_thousandths: Thousandths
    period_from: date
    period_to: date
    source: Label
    complaint_ids: Causes = ()
    measured_by: StaffId
    measured_at: AwareDatetime


class WarningRaised(IndicatorEvent):
    """The value crossed a threshold, or somebody saw a danger: a warning 预警.

    One that follows from a measurement has its id, and names the version of the thresholds.
    """

    warning_id: UUID
    level: WarningLevel
    reason: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "indicator_id")] = None
    thresholds_version: int | None = None
    value_thousandths: Thousandths | None = None
    crossed_thousandths: Thousandths | None = None
    complaint_ids: Causes = ()
    raised_by: StaffId
    raised_at: AwareDatetime


class WarningAcknowledged(IndicatorEvent):
    """Somebody took charge of a warning."""

    warning_id: UUID
    acknowledged_by: StaffId
    acknowledged_at: AwareDatetime


class WarningMitigated(IndicatorEvent):
    """Something was done about it; for the highest level, by an emergency plan 应急预案 from the library of plans."""

    warning_id: UUID
    measures: IndicatorText
    emergency_plan: Code | None = None
    action_ids: Causes = ()
    mitigated_by: StaffId
    mitigated_at: AwareDatetime


class WarningLifted(IndicatorEvent):
    """The danger is over."""

    warning_id: UUID
    reason: IndicatorText
    lifted_by: StaffId
    lifted_at: AwareDatetime


class IndicatorFactAnnulled(IndicatorEvent):
    """An earlier fact of this indicator is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: IndicatorText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


class SurveyEvent(Event):
    """A fact in the stream of one survey. Its answers are facts of interactions (`SurveyAnswered`)."""

    survey_id: UUID


class SurveyOpened(SurveyEvent):
    """Customers are asked from one day to another 满意度调查."""

    title: Label
    population: Label
    invited: Annotated[int, Field(ge=1, le=10**9)] | None = None
    opens_on: date
    closes_on: date
    opened_by: StaffId
    opened_at: AwareDatetime


class SurveyConcluded(SurveyEvent):
    """What came out: how many answered, the mean score, and what follows from it."""

    answered: Annotated[int, Field(ge=0, le=10**9)]
    mean_thousandths: Annotated[int, Field(ge=1000, le=5000)] | None = None
    conclusions: SurveyText
    action_ids: Causes = ()
    concluded_by: StaffId
    concluded_at: AwareDatetime


class SurveyReported(SurveyEvent):
    """The satisfaction report went to somebody 满意度报告; the file by its digest."""

    audience: Audience
    in_part: bool
    sha256: Sha256Hex | None = None
    reported_by: StaffId
    reported_at: AwareDatetime


class SurveyFactAnnulled(SurveyEvent):
    """An earlier fact of this survey is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: SurveyText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


class ReviewEvent(Event):
    """A fact in the stream of one periodic review."""

    review_id: UUID


class ReviewHeld(ReviewEvent):
    """The complaints of a period were summed up and analysed 定期汇总分析, broken down by what `breakdowns` names."""

    kind: Code
    period_from: date
    period_to: date
    breakdowns: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]
    findings: ReviewText
    complaint_ids: Causes = ()
    action_ids: Causes = ()
    held_by: StaffId
    held_at: AwareDatetime


class ReviewReported(ReviewEvent):
    """Its report went to somebody; the file by its digest."""

    audience: Audience
    in_part: bool
    sha256: Sha256Hex | None = None
    reported_by: StaffId
    reported_at: AwareDatetime


class ReviewFactAnnulled(ReviewEvent):
    """An earlier fact of this review is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: ReviewText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


class RiskEvent(Event):
    """A fact in the stream of one risk."""

    risk_id: UUID


class RiskFound(RiskEvent):
    """A risk showed itself, in complaints or elsewhere 风险识别: how likely it is, what it would do, and its level."""

    title: Label
    description: RiskText
    likelihood: Degree
    effect: Degree
    level: RiskLevel
    owner: StaffId
    complaint_ids: Causes = ()
    found_by: StaffId
    found_at: AwareDatetime


class RiskReassessed(RiskEvent):
    """The risk was weighed anew 风险评估."""

    likelihood: Degree
    effect: Degree
    level: RiskLevel
    reason: RiskText
    reassessed_by: StaffId
    reassessed_at: AwareDatetime


class RiskTreated(RiskEvent):
    """Something was done to make it less likely or less harmful 风险应对."""

    measures: RiskText
    action_ids: Causes = ()
    treated_by: StaffId
    treated_at: AwareDatetime


class RiskClosed(RiskEvent):
    """The risk is gone, or what is left of it is borne, by leave of a second person."""

    reason: RiskText
    closed_by: StaffId
    approved_by: StaffId
    closed_at: AwareDatetime


class RiskFactAnnulled(RiskEvent):
    """An earlier fact of this risk is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: RiskText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


class ActionEvent(Event):
    """A fact in the stream of one corrective action."""

    action_id: UUID


class ActionOpened(ActionEvent):
    """Something shall be put right 整改: by whom, by when, to what end, and how one will see that it was.

    It names what it came from: complaints, and warnings, risks, reviews, surveys, leaks, interactions or audit findings
    (`cause_ids`).
    """

    title: Label
    goal: ActionText
    acceptance_test: ActionText
    owner: StaffId
    department: Label | None = None
    due_on: date
    complaint_ids: Causes = ()
    cause_ids: Causes = ()
    opened_by: StaffId
    opened_at: AwareDatetime


class ActionProgressed(ActionEvent):
    """How far it has come."""

    progress: ActionText
    percent_done: Annotated[int, Field(ge=0, le=100)] | None = None
    noted_by: StaffId
    noted_at: AwareDatetime


class ActionHandedOver(ActionEvent):
    """Another person owns it now."""

    owner: StaffId
    department: Label | None = None
    reason: OptionalActionText = None
    handed_by: StaffId
    handed_at: AwareDatetime


class ActionPostponed(ActionEvent):
    """It has until a later day, by leave of a second person."""

    due_on: date
    reason: ActionText
    postponed_by: StaffId
    approved_by: StaffId
    postponed_at: AwareDatetime


class ActionCompleted(ActionEvent):
    """What was to be done is done; whether it helped is not known yet."""

    result: ActionText
    completed_by: StaffId
    completed_at: AwareDatetime


class ActionEffectMeasured(ActionEvent):
    """Its effect was checked later against the acceptance test, by somebody else than its owner."""

    effect: Effect
    indicator_id: UUID | None = None
    value_before_thousandths: Thousandths | None = None
    value_after_thousandths: Thousandths | None = None
    findings: ActionText
    measured_by: StaffId
    measured_at: AwareDatetime


class ActionClosed(ActionEvent):
    """It did what it was for."""

    closed_by: StaffId
    closed_at: AwareDatetime


class ActionReopened(ActionEvent):
    """It did not do what it was for, or not for long: it goes on, with a new day."""

    reason: ActionText
    due_on: date
    reopened_by: StaffId
    reopened_at: AwareDatetime


class ActionFactAnnulled(ActionEvent):
    """An earlier fact of this action is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: ActionText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


ImprovementEvent: TypeAlias = IndicatorEvent | SurveyEvent | ReviewEvent | RiskEvent | ActionEvent

IMPROVEMENT_NAMES: dict[str, type[Event]] = {
    "indicator-defined": IndicatorDefined,
    "thresholds-set": ThresholdsSet,
    "indicator-measured": IndicatorMeasured,
    "warning-raised": WarningRaised,
    "warning-acknowledged": WarningAcknowledged,
    "warning-mitigated": WarningMitigated,
    "warning-lifted": WarningLifted,
    "indicator-fact-annulled": IndicatorFactAnnulled,
    "survey-opened": SurveyOpened,
    "survey-concluded": SurveyConcluded,
    "survey-reported": SurveyReported,
    "survey-fact-annulled": SurveyFactAnnulled,
    "review-held": ReviewHeld,
    "review-reported": ReviewReported,
    "review-fact-annulled": ReviewFactAnnulled,
    "risk-found": RiskFound,
    "risk-reassessed": RiskReassessed,
    "risk-treated": RiskTreated,
    "risk-closed": RiskClosed,
    "risk-fact-annulled": RiskFactAnnulled,
    "action-opened": ActionOpened,
    "action-progressed": ActionProgressed,
    "action-handed-over": ActionHandedOver,
    "action-postponed": ActionPostponed,
    "action-completed": ActionCompleted,
    "action-effect-measured": ActionEffectMeasured,
    "action-closed": ActionClosed,
    "action-reopened": ActionReopened,
    "action-fact-annulled": ActionFactAnnulled,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyIndicatorEvent: TypeAlias = (
    IndicatorDefined
    | ThresholdsSet
    | IndicatorMeasured
    | WarningRaised
    | WarningAcknowledged
    | WarningMitigated
    | WarningLifted
    | IndicatorFactAnnulled
)
AnySurveyEvent: TypeAlias = SurveyOpened | SurveyConcluded | SurveyReported | SurveyFactAnnulled
AnyReviewEvent: TypeAlias = ReviewHeld | ReviewReported | ReviewFactAnnulled
AnyRiskEvent: TypeAlias = RiskFound | RiskReassessed | RiskTreated | RiskClosed | RiskFactAnnulled
AnyActionEvent: TypeAlias = (
    ActionOpened
    | ActionProgressed
    | ActionHandedOver
    | ActionPostponed
    | ActionCompleted
    | ActionEffectMeasured
    | ActionClosed
    | ActionReopened
    | ActionFactAnnulled
)


def known_indicator_event(event: IndicatorEvent) -> AnyIndicatorEvent:
    """The same event, as the union that the type checker can exhaust; so with the four below."""
    return cast("AnyIndicatorEvent", event)


def known_survey_event(event: SurveyEvent) -> AnySurveyEvent:
    return cast("AnySurveyEvent", event)


def known_review_event(event: ReviewEvent) -> AnyReviewEvent:
    return cast("AnyReviewEvent", event)


def known_risk_event(event: RiskEvent) -> AnyRiskEvent:
    return cast("AnyRiskEvent", event)


def known_action_event(event: ActionEvent) -> AnyActionEvent:
    return cast("AnyActionEvent", event)
