"""What the rules of indicators, surveys, reviews, risks and actions allow, refuse, and when they stay quiet."""

from datetime import date
from typing import Any

import pytest

from ledger.complaint.codes import code_tables
from ledger.complaint.refusals import ApproverIsAuthor, IdTaken, LaterFactsStandOnIt, OutOfOrder
from ledger.improvement import commands as c
from ledger.improvement import events as e
from ledger.improvement import refusals as r
from ledger.improvement.events import Audience, Effect, RiskLevel, WarningLevel
from ledger.standing import SubjectNotFound
from ledger.tables.refusals import UnknownCode
from tests.parties.telling import ANOTHER, FIXED, ask, at, given, nothing

DEFINED, SET = c.DefineIndicator, c.SetThresholds
WARNING = FIXED["warning_id"]
MEASURED = FIXED["measurement_id"]


def value(thousandths: int, **more: Any) -> Any:
    return ask(c.MeasureIndicator, value_thousandths=thousandths, **more)


def test_an_indicator_is_one_of_the_table() -> None:
    nothing(DEFINED).when(ask(DEFINED)).then(e.IndicatorDefined, indicator="satisfaction")
    nothing(DEFINED).when(ask(DEFINED, indicator="mood")).refused(UnknownCode, table="indicator")
    given(DEFINED).when(ask(DEFINED)).quiet()
    nothing(DEFINED).when(ask(SET)).refused(SubjectNotFound, subject="indicator")


def test_thresholds_are_versions_that_get_worse() -> None:
    given(DEFINED).when(ask(SET)).then(e.ThresholdsSet, thresholds_version=1)
    given(DEFINED, SET).when(ask(SET)).quiet()
    given(DEFINED, SET).when(ask(SET, low_thousandths=91000)).refused(r.ThresholdsVersionNotNext, next_version=2)
    given(DEFINED, SET).when(ask(SET, thresholds_version=2, low_thousandths=91000)).then(e.ThresholdsSet)
    given(DEFINED).when(ask(SET, medium_thousandths=95000)).refused(r.ThresholdsOutOfOrder)
    none = {"low_thousandths": None, "medium_thousandths": None, "high_thousandths": None}
    given(DEFINED).when(ask(SET, **none)).refused(r.ThresholdsOutOfOrder, better="higher")
    given(ask(DEFINED, better="lower")).when(ask(SET)).refused(r.ThresholdsOutOfOrder, better="lower")
    rising = {"low_thousandths": 1, "medium_thousandths": 2, "high_thousandths": 3}
    given(ask(DEFINED, better="lower")).when(ask(SET, **rising)).then(e.ThresholdsSet)
    given(DEFINED).when(ask(SET, approved_by="quality.wu")).refused(ApproverIsAuthor)


@pytest.mark.parametrize(
    ("thousandths", "level"),
    [(90001, None), (90000, "low"), (85001, "low"), (85000, "medium"), (75001, "medium"), (75000, "high"), (0, "high")],
)
def test_a_value_at_or_past_a_threshold_raises_its_warning(thousandths: int, level: str | None) -> None:
    measured = given(DEFINED, SET).when(value(thousandths))
    if level is None:
        measured.then(e.IndicatorMeasured)
    else:
        facts = measured.then(e.IndicatorMeasured, e.WarningRaised, level=level, warning_id=MEASURED)
        assert facts[1].thresholds_version == 1
        assert facts[1].complaint_ids == facts[0].complaint_ids


def test_lower_is_better_for_some() -> None:
    rising = ask(SET, low_thousandths=500, medium_thousandths=1000, high_thousandths=2000)
    errors = given(ask(DEFINED, indicator="service-error-rate", better="lower"), rising)
    errors.when(value(499)).then(e.IndicatorMeasured)
    errors.when(value(1999)).then(e.IndicatorMeasured, e.WarningRaised, level="medium", crossed_thousandths=1000)


def test_who_is_warned_already_is_not_warned_again_unless_it_gets_worse() -> None:
    warned = given(DEFINED, SET, value(84000))
    warned.when(value(84000)).quiet()
    warned.when(value(83000, measurement_id=ANOTHER)).then(e.IndicatorMeasured)
    warned.when(value(70000, measurement_id=ANOTHER)).then(e.IndicatorMeasured, e.WarningRaised, level="high")
    warned.when(value(83000)).refused(IdTaken, field="measurement_id")
    given(DEFINED).when(value(1)).then(e.IndicatorMeasured)
    given(DEFINED).when(value(1, period_to="2025-06-01")).refused(r.PeriodBackwards)
    lifted = given(
        DEFINED,
        SET,
        value(84000),
        ask(c.AcknowledgeWarning, warning_id=MEASURED),
        ask(c.MitigateWarning, warning_id=MEASURED),
        ask(c.LiftWarning, warning_id=MEASURED),
    )
    lifted.when(value(84000, measurement_id=ANOTHER, measured_at=at(20))).then(e.IndicatorMeasured, e.WarningRaised)


def test_somebody_may_warn_of_what_no_figure_shows() -> None:
    given(DEFINED).when(ask(c.RaiseWarning)).then(e.WarningRaised, thresholds_version=None)
    given(DEFINED, c.RaiseWarning).when(ask(c.RaiseWarning)).refused(IdTaken)


def test_a_warning_is_acknowledged_met_and_lifted() -> None:
    raised = given(DEFINED, c.RaiseWarning)
    raised.when(ask(c.AcknowledgeWarning)).then(e.WarningAcknowledged)
    raised.when(ask(c.AcknowledgeWarning, warning_id=ANOTHER)).refused(r.WarningUnknown, known=(WARNING,))
    raised.when(ask(c.AcknowledgeWarning, acknowledged_at=at(13, 9))).refused(OutOfOrder)
    raised.when(ask(c.LiftWarning)).refused(r.WarningNotActedUpon, missing="acknowledgement")
    taken = given(DEFINED, c.RaiseWarning, c.AcknowledgeWarning)
    taken.when(ask(c.AcknowledgeWarning)).quiet()
    taken.when(ask(c.AcknowledgeWarning, acknowledged_by="somebody")).refused(r.WarningAlreadyAcknowledged)
    taken.when(ask(c.LiftWarning)).refused(r.WarningNotActedUpon, missing="mitigation")
    no_plan = given(DEFINED, c.RaiseWarning, c.AcknowledgeWarning, ask(c.MitigateWarning, emergency_plan=None))
    no_plan.when(ask(c.LiftWarning)).refused(r.WarningNotActedUpon, missing="emergency plan", level="high")
    met = given(DEFINED, c.RaiseWarning, c.AcknowledgeWarning, c.MitigateWarning)
    met.when(ask(c.LiftWarning)).then(e.WarningLifted)
    over = given(DEFINED, c.RaiseWarning, c.AcknowledgeWarning, c.MitigateWarning, c.LiftWarning)
    over.when(ask(c.MitigateWarning)).refused(r.WarningIsLifted)


@pytest.mark.parametrize(("level", "before"), [("low", ()), ("medium", (c.MitigateWarning,))])
def test_a_lower_warning_asks_for_less(level: str, before: tuple[type[c.IndicatorCommand], ...]) -> None:
    steps = [ask(step, **({"emergency_plan": None} if step is c.MitigateWarning else {})) for step in before]
    met = given(DEFINED, ask(c.RaiseWarning, level=level), c.AcknowledgeWarning, *steps)
    met.when(ask(c.LiftWarning)).then(e.WarningLifted)


def test_a_survey_is_opened_concluded_and_reported() -> None:
    nothing(c.OpenSurvey).when(ask(c.OpenSurvey)).then(e.SurveyOpened)
    nothing(c.OpenSurvey).when(ask(c.OpenSurvey, closes_on="2025-10-01")).refused(r.PeriodBackwards)
    opened = given(c.OpenSurvey)
    opened.when(ask(c.OpenSurvey)).quiet()
    opened.when(ask(c.ConcludeSurvey)).then(e.SurveyConcluded)
    opened.when(ask(c.ConcludeSurvey, answered=2001)).refused(r.MoreAnsweredThanInvited, invited=2000)
    opened.when(ask(c.ReportSurvey)).refused(r.NothingToReport)
    done = given(c.OpenSurvey, c.ConcludeSurvey)
    done.when(ask(c.ConcludeSurvey)).refused(r.SurveyIsConcluded)
    done.when(ask(c.ReportSurvey)).then(e.SurveyReported)
    done.when(ask(c.ReportSurvey, reported_at=at(17))).refused(OutOfOrder)
    given(c.OpenSurvey, c.ConcludeSurvey, c.ReportSurvey).when(ask(c.ReportSurvey)).quiet()
    again = given(c.OpenSurvey, c.ConcludeSurvey, c.AnnulSurveyFact)
    again.when(ask(c.ConcludeSurvey)).then(e.SurveyConcluded)


def test_a_review_is_held_over_a_period_and_reported() -> None:
    nothing(c.HoldReview).when(ask(c.HoldReview)).then(e.ReviewHeld, kind="quarterly")
    nothing(c.HoldReview).when(ask(c.HoldReview, period_to="2025-01-01")).refused(r.PeriodBackwards)
    nothing(c.HoldReview).when(ask(c.HoldReview, breakdowns=["weather"])).refused(UnknownCode, table="breakdown")
    nothing(c.HoldReview).when(ask(c.ReportReview)).refused(SubjectNotFound)
    given(c.HoldReview).when(ask(c.ReportReview)).then(e.ReviewReported)
    given(c.HoldReview, c.ReportReview).when(ask(c.ReportReview)).quiet()
    given(c.HoldReview).when(ask(c.ReportReview, reported_at=at(1))).refused(OutOfOrder)


def test_a_risk_is_weighed_treated_and_closed() -> None:
    nothing(c.ReportRisk).when(ask(c.ReportRisk)).then(e.RiskFound, level="high")
    nothing(c.ReportRisk).when(ask(c.ReportRisk, level="residual")).refused(r.ResidualBeforeTreatment)
    found = given(c.ReportRisk)
    found.when(ask(c.ReassessRisk)).refused(r.ResidualBeforeTreatment)
    found.when(ask(c.ReassessRisk, level="medium")).then(e.RiskReassessed)
    found.when(ask(c.ReassessRisk, level="low", reassessed_at=at(12))).refused(OutOfOrder)
    found.when(ask(c.CloseRisk)).refused(r.RiskTooHigh, level="high")
    found.when(ask(c.TreatRisk)).then(e.RiskTreated)
    treated = given(c.ReportRisk, c.TreatRisk)
    treated.when(ask(c.ReassessRisk)).then(e.RiskReassessed, level="residual")
    treated.when(ask(c.CloseRisk)).then(e.RiskClosed)
    treated.when(ask(c.CloseRisk, approved_by="head.qian")).refused(ApproverIsAuthor)
    given(ask(c.ReportRisk, level="acceptable")).when(ask(c.CloseRisk)).then(e.RiskClosed)
    given(c.ReportRisk, c.TreatRisk, c.CloseRisk).when(ask(c.TreatRisk)).refused(r.RiskIsClosed)
    given(c.ReportRisk, c.TreatRisk, c.CloseRisk).when(ask(c.AnnulRiskFact)).refused(LaterFactsStandOnIt, later=(3,))


OPENED, DONE = c.OpenAction, c.CompleteAction


def test_an_action_is_carried_out() -> None:
    nothing(OPENED).when(ask(OPENED)).then(e.ActionOpened, owner="handler.zhao")
    opened = given(OPENED)
    assert opened.state.waits_for == "work"
    opened.when(ask(c.NoteProgress)).then(e.ActionProgressed, percent_done=60)
    opened.when(ask(c.HandOverAction)).then(e.ActionHandedOver, owner="handler.zhou")
    opened.when(ask(c.HandOverAction, owner="handler.zhao")).quiet()
    opened.when(ask(c.PostponeAction, postponed_by="handler.zhao")).then(e.ActionPostponed)
    opened.when(ask(c.PostponeAction, due_on="2025-10-31")).refused(r.DayNotLater, due_on=date(2025, 10, 31))
    opened.when(ask(c.PostponeAction, approved_by="handler.zhou")).refused(ApproverIsAuthor)
    opened.when(ask(DONE)).then(e.ActionCompleted)
    opened.when(ask(DONE, completed_at=at(12))).refused(OutOfOrder)
    done = given(OPENED, DONE)
    assert done.state.waits_for == "measurement"
    for command in (c.NoteProgress, c.HandOverAction, c.PostponeAction, DONE):
        done.when(ask(command)).refused(r.ActionIsCompleted)


def test_an_action_is_closed_when_somebody_else_found_that_it_helped() -> None:
    given(OPENED).when(ask(c.CloseAction)).refused(r.ActionNotCompleted)
    given(OPENED).when(ask(c.MeasureEffect)).refused(r.ActionNotCompleted)
    done = given(OPENED, DONE)
    done.when(ask(c.CloseAction)).refused(r.EffectNotMeasured)
    done.when(ask(c.MeasureEffect, measured_by="Handler.Zhao")).refused(r.OwnerMeasuresOwnAction)
    done.when(ask(c.MeasureEffect, measured_at=at(15))).refused(OutOfOrder)
    done.when(ask(c.MeasureEffect)).then(e.ActionEffectMeasured, effect="reached")
    helped = given(OPENED, DONE, c.MeasureEffect)
    assert helped.state.waits_for == "closing"
    helped.when(ask(c.CloseAction)).then(e.ActionClosed)
    helped.when(ask(c.CloseAction, closed_at=at(17))).refused(OutOfOrder)
    failed = given(OPENED, DONE, ask(c.MeasureEffect, effect="not-reached"))
    assert failed.state.waits_for == "reopening"
    failed.when(ask(c.CloseAction)).refused(r.EffectNotReached)
    failed.when(ask(c.ReopenAction)).then(e.ActionReopened)
    closed = given(OPENED, DONE, c.MeasureEffect, c.CloseAction)
    assert closed.state.waits_for is None
    closed.when(ask(c.CloseAction)).quiet()
    closed.when(ask(c.NoteProgress)).refused(r.ActionIsClosed)
    closed.when(ask(c.MeasureEffect)).refused(r.ActionIsClosed)


def test_an_action_is_taken_up_again_and_needs_a_new_measurement() -> None:
    given(OPENED).when(ask(c.ReopenAction)).refused(r.NothingToTakeUpAgain)
    again = given(OPENED, DONE, c.MeasureEffect, c.CloseAction, c.ReopenAction)
    assert again.state.waits_for == "work"
    assert again.state.due_on == date(2025, 11, 30)
    twice = given(OPENED, DONE, c.MeasureEffect, c.CloseAction, c.ReopenAction, ask(DONE, completed_at=at(22)))
    twice.when(ask(c.CloseAction, closed_at=at(23))).refused(r.EffectNotMeasured)
    given(OPENED, DONE, c.MeasureEffect, c.CloseAction).when(ask(c.ReopenAction, reopened_at=at(17))).refused(
        OutOfOrder
    )


@pytest.mark.parametrize(
    ("table", "kinds"),
    [("warning-level", WarningLevel), ("risk-level", RiskLevel), ("effect", Effect), ("audience", Audience)],
)
def test_every_value_has_a_label(table: str, kinds: Any) -> None:
    assert set(code_tables()[table]) == set(kinds)
