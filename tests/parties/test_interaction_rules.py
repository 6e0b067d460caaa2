"""What the rules of an interaction allow, what they refuse, and when they stay quiet."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from ledger.complaint.codes import code_tables
from ledger.complaint.refusals import LaterFactsStandOnIt, OutOfOrder
from ledger.interaction import commands as i
from ledger.interaction import events as e
from ledger.interaction import refusals as r
from ledger.interaction.events import InteractionKind
from ledger.interaction.state import ASKING
from ledger.standing import AlreadyBegun, SubjectNotFound
from ledger.tables.refusals import UnknownCode
from tests.parties.telling import ANOTHER, COMPLAINT, FIXED, SURVEY, ask, at, given, nothing

TAKEN = i.RecordInteraction
ENQUIRED = ask(TAKEN, kind="enquiry")
SURVEYED = ask(TAKEN, kind="survey", direction="outbound", survey_id=SURVEY)
REACHED_OUT = ask(TAKEN, kind="outreach", direction="outbound")


def test_an_interaction_is_recorded_once() -> None:
    nothing(TAKEN).when(ask(TAKEN)).then(e.InteractionRecorded, kind="suggestion")
    given(TAKEN).when(ask(TAKEN)).refused(AlreadyBegun)
    given(ask(TAKEN, content=None)).when(ask(TAKEN, content=None)).quiet()
    nothing(TAKEN).when(ask(TAKEN, channel="pigeon")).refused(UnknownCode, table="channel")
    nothing(TAKEN).when(ask(i.AnswerInteraction)).refused(SubjectNotFound, subject="interaction")


def test_a_suggestion_goes_through_its_steps_in_order() -> None:
    whole = given(TAKEN, i.AssignInteraction, i.LookInto, i.DealWith, i.AnswerInteraction, i.ReviewInteraction)
    assert whole.state.response_seconds == 30.5 * 3600
    assert not whole.state.waits
    given(TAKEN).when(ask(i.DealWith)).refused(r.StepMissing, before="looked into")
    given(TAKEN).when(ask(i.AnswerInteraction)).refused(r.StepMissing, step="answered")
    given(TAKEN, i.LookInto).when(ask(i.AnswerInteraction)).then(e.InteractionAnswered)
    given(TAKEN, i.LookInto).when(ask(i.ReviewInteraction)).refused(r.StepMissing, before="answered")
    given(TAKEN, i.LookInto).when(ask(i.DealWith, dealt_with_at=at(10, 9))).refused(OutOfOrder)
    given(TAKEN, i.LookInto, i.DealWith).when(ask(i.AnswerInteraction, answered_at=at(10, 11))).refused(OutOfOrder)
    whole.when(ask(i.LookInto)).refused(r.AlreadyAnswered)


def test_the_customer_of_a_fact_is_the_one_of_the_interaction() -> None:
    (fact,) = given(TAKEN).when(ask(i.LookInto)).then(e.InteractionLookedInto)
    assert fact.customer_id == FIXED["customer_id"]


def test_an_enquiry_is_answered_at_once_and_once() -> None:
    given(ENQUIRED).when(ask(i.AnswerInteraction)).then(e.InteractionAnswered)
    given(ENQUIRED).when(ask(i.AnswerInteraction, answered_at=at(9, 9))).refused(OutOfOrder)
    given(ENQUIRED).when(ask(i.AnswerInteraction, outcome="shrug")).refused(UnknownCode, table="interaction-outcome")
    answered = given(ENQUIRED, ask(i.AnswerInteraction, content=None))
    answered.when(ask(i.AnswerInteraction, content=None)).quiet()
    answered.when(ask(i.AnswerInteraction)).refused(r.AlreadyAnswered)


@pytest.mark.parametrize("kind", InteractionKind)
def test_only_who_asked_waits_for_an_answer(kind: InteractionKind) -> None:
    taken = given(ask(TAKEN, kind=kind))
    assert taken.state.waits is (kind in ASKING)
    if kind not in ASKING:
        for step in (i.LookInto, i.DealWith, i.AnswerInteraction, i.AssignInteraction):
            taken.when(ask(step)).refused(r.NothingWasAsked, interaction_kind=kind)
    assert kind in code_tables()["interaction-kind"]


def test_it_is_assigned_while_it_waits() -> None:
    given(TAKEN).when(ask(i.AssignInteraction)).then(e.InteractionAssigned)
    given(TAKEN, i.AssignInteraction).when(ask(i.AssignInteraction, assigned_at=at(11))).quiet()
    moved = ask(i.AssignInteraction, assignee="handler.zhou", assigned_at=at(9, 9))
    given(TAKEN, i.AssignInteraction).when(moved).refused(OutOfOrder)


def test_the_service_is_rated_once_when_it_was_given() -> None:
    given(ENQUIRED, i.AnswerInteraction).when(ask(i.RateInteraction)).then(e.InteractionRated, overall=5)
    given(ENQUIRED).when(ask(i.RateInteraction)).refused(r.StepMissing, step="rated")
    given(REACHED_OUT).when(ask(i.RateInteraction)).then(e.InteractionRated)
    given(REACHED_OUT, i.RateInteraction).when(ask(i.RateInteraction)).refused(r.InteractionAlreadyRated)
    silent = ask(i.RateInteraction, comment=None)
    given(REACHED_OUT, silent).when(silent).quiet()


def test_a_survey_is_answered_where_it_was_asked() -> None:
    given(SURVEYED).when(ask(i.AnswerSurvey)).then(e.SurveyAnswered, survey_id=UUID(SURVEY))
    given(SURVEYED).when(ask(i.AnswerSurvey, survey_id=ANOTHER)).refused(r.NoSurvey, survey_id=ANOTHER)
    given(TAKEN).when(ask(i.AnswerSurvey)).refused(r.NoSurvey)
    given(SURVEYED, i.AnswerSurvey).when(ask(i.AnswerSurvey)).refused(r.SurveyAlreadyAnswered)
    silent = ask(i.AnswerSurvey, comment=None)
    given(SURVEYED, silent).when(silent).quiet()


def test_a_call_is_promised_and_made() -> None:
    given(TAKEN).when(ask(i.PromiseCallBack)).then(e.CallBackPromised, due_on=date(2025, 10, 12))
    given(TAKEN).when(ask(i.PromiseCallBack, due_on="2025-10-08")).refused(r.DueBeforePromise)
    promised = given(TAKEN, i.PromiseCallBack)
    promised.when(ask(i.PromiseCallBack)).quiet()
    promised.when(ask(i.PromiseCallBack, due_on="2025-10-13")).refused(r.CallBackAlreadyPromised)
    promised.when(ask(i.MakeCallBack)).then(e.CallBackMade)
    promised.when(ask(i.MakeCallBack, called_at=at(9, 9))).refused(OutOfOrder)
    given(TAKEN).when(ask(i.MakeCallBack)).refused(r.NoCallBackPromised)
    made = given(TAKEN, i.PromiseCallBack, i.MakeCallBack)
    made.when(ask(i.PromiseCallBack, due_on="2025-10-20", promised_at=at(13))).then(e.CallBackPromised)


def test_a_complaint_grows_from_it_once() -> None:
    given(TAKEN).when(ask(i.TurnIntoComplaint)).then(e.InteractionBecameComplaint, complaint_id=UUID(COMPLAINT))
    turned = given(TAKEN, i.TurnIntoComplaint)
    turned.when(ask(i.TurnIntoComplaint)).quiet()
    turned.when(ask(i.TurnIntoComplaint, complaint_id=ANOTHER)).refused(r.IsAComplaint, complaint_id=UUID(COMPLAINT))
    turned.when(ask(i.AnswerInteraction)).refused(r.IsAComplaint)
    assert not turned.state.waits


def test_what_others_stand_on_is_not_annulled() -> None:
    looked = given(TAKEN, i.LookInto, i.DealWith)
    looked.when(ask(i.AnnulInteractionFact)).refused(LaterFactsStandOnIt, later=(3,))
    looked.when(ask(i.AnnulInteractionFact, version=3)).then(e.InteractionFactAnnulled)
    again = given(ENQUIRED, i.AnswerInteraction, i.AnnulInteractionFact)
    assert again.state.waits
    again.when(ask(i.AnswerInteraction)).then(e.InteractionAnswered)


def test_a_time_is_kept_in_utc() -> None:
    (fact,) = nothing(TAKEN).when(ask(TAKEN)).then(e.InteractionRecorded)
    assert fact.asked_at == datetime(2025, 10, 9, 1, 30, tzinfo=UTC)
