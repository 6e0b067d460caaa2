"""What may follow what in an interaction, and what a command leads to. No clock, no database, no ids made.

A suggestion or feedback is taken, looked into, dealt with, answered and reviewed, in this order; it may be answered
without being acted upon, and then is not dealt with. An enquiry or service request may be answered at once.
"""

from typing import assert_never

from ledger.event import Event
from ledger.given import Given
from ledger.interaction import commands as ask
from ledger.interaction.events import (
    CallBackMade,
    CallBackPromised,
    InteractionAnswered,
    InteractionAssigned,
    InteractionBecameComplaint,
    InteractionDealtWith,
    InteractionEvent,
    InteractionFactAnnulled,
    InteractionKind,
    InteractionLookedInto,
    InteractionRated,
    InteractionRecorded,
    InteractionReviewed,
    SurveyAnswered,
    known_interaction_event,
)
from ledger.interaction.refusals import (
    AlreadyAnswered,
    CallBackAlreadyPromised,
    DueBeforePromise,
    InteractionAlreadyRated,
    IsAComplaint,
    NoCallBackPromised,
    NoSurvey,
    NothingWasAsked,
    StepMissing,
    SurveyAlreadyAnswered,
)
from ledger.interaction.state import ASKING, IN_STEPS, Interaction, applied
from ledger.standing import Rules, not_before


def decide(interaction: Interaction, command: ask.InteractionCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    if isinstance(command, ask.AssignInteraction) and (interaction.department, interaction.assignee) == (
        command.department,
        command.assignee,
    ):
        return []
    return RULES.decide(interaction, command, given)


def evolve(interaction: Interaction, event: InteractionEvent) -> Interaction:
    """The interaction after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(interaction, event)


def may_follow(interaction: Interaction, event: InteractionEvent) -> None:  # noqa: C901, PLR0912 - one case a fact
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_interaction_event(event)
    not_before(fact, "it was asked", interaction.asked_at)
    match fact:
        case InteractionRecorded() | InteractionFactAnnulled():
            pass
        case InteractionAssigned():
            _still_open(interaction)
            not_before(fact, "it was assigned before", interaction.assigned_at)
        case InteractionLookedInto():
            _still_open(interaction)
        case InteractionDealtWith():
            _something_asked(interaction)
            if interaction.looked_into_at is None:
                raise StepMissing("dealt with", "looked into")
            not_before(fact, "it was looked into", interaction.looked_into_at)
        case InteractionAnswered():
            _still_open(interaction)
            if interaction.kind in IN_STEPS and interaction.looked_into_at is None:
                raise StepMissing("answered", "looked into")
            not_before(fact, "it was looked into", interaction.looked_into_at)
            not_before(fact, "it was dealt with", interaction.dealt_with_at)
        case InteractionReviewed():
            _answered(interaction, "reviewed")
            not_before(fact, "it was answered", interaction.answered_at)
        case InteractionRated():
            _answered(interaction, "rated")
            if interaction.rated_at is not None:
                raise InteractionAlreadyRated
        case SurveyAnswered():
            _survey_answered(interaction, fact)
        case CallBackPromised():
            if interaction.call_back_due_on is not None:
                raise CallBackAlreadyPromised(interaction.call_back_due_on)
            if fact.due_on < fact.promised_at.date():
                raise DueBeforePromise(fact.due_on)
        case CallBackMade():
            if interaction.call_back_due_on is None:
                raise NoCallBackPromised
            not_before(fact, "it was promised", interaction.call_back_promised_at)
        case InteractionBecameComplaint():
            _no_complaint(interaction)
        case _:
            assert_never(fact)


def _survey_answered(interaction: Interaction, fact: SurveyAnswered) -> None:
    if interaction.kind is not InteractionKind.SURVEY or interaction.survey_id != fact.survey_id:
        raise NoSurvey(fact.survey_id)
    if interaction.survey_answered_at is not None:
        raise SurveyAlreadyAnswered


def _something_asked(interaction: Interaction) -> None:
    if interaction.kind not in ASKING:
        raise NothingWasAsked(str(interaction.kind))


def _still_open(interaction: Interaction) -> None:
    _something_asked(interaction)
    _no_complaint(interaction)
    if interaction.answered_at is not None:
        raise AlreadyAnswered(interaction.answered_at)


def _answered(interaction: Interaction, step: str) -> None:
    if interaction.kind in ASKING and interaction.answered_at is None:
        raise StepMissing(step, "answered")


def _no_complaint(interaction: Interaction) -> None:
    if interaction.became_complaint_at is not None:
        assert interaction.complaint_id is not None, "a link to a complaint names it"
        raise IsAComplaint(interaction.complaint_id)


RULES: Rules[Interaction] = Rules(
    name="interaction",
    own_id="interaction_id",
    begins=InteractionRecorded,
    annulled=InteractionFactAnnulled,
    facts={
        ask.RecordInteraction: InteractionRecorded,
        ask.AssignInteraction: InteractionAssigned,
        ask.LookInto: InteractionLookedInto,
        ask.DealWith: InteractionDealtWith,
        ask.AnswerInteraction: InteractionAnswered,
        ask.ReviewInteraction: InteractionReviewed,
        ask.RateInteraction: InteractionRated,
        ask.AnswerSurvey: SurveyAnswered,
        ask.PromiseCallBack: CallBackPromised,
        ask.MakeCallBack: CallBackMade,
        ask.TurnIntoComplaint: InteractionBecameComplaint,
        ask.AnnulInteractionFact: InteractionFactAnnulled,
    },
    nothing=Interaction(),
    applied=applied,
    may_follow=may_follow,
    carried=lambda interaction: {} if interaction.customer_id is None else {"customer_id": interaction.customer_id},
    tables={
        InteractionRecorded: {"channel": "channel", "product": "product"},
        InteractionAnswered: {"channel": "channel", "outcome": "interaction-outcome"},
        InteractionRated: {"channel": "channel"},
    },
)
