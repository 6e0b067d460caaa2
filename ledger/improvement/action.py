"""One corrective action: what is known of it, what may follow what, and what a command leads to. Pure.

The loop is closed only when somebody else than the owner has measured, after the work was done, that it helped.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never

from ledger.event import Event
from ledger.given import Given
from ledger.improvement import commands as ask
from ledger.improvement.events import (
    ActionClosed,
    ActionCompleted,
    ActionEffectMeasured,
    ActionEvent,
    ActionFactAnnulled,
    ActionHandedOver,
    ActionOpened,
    ActionPostponed,
    ActionProgressed,
    ActionReopened,
    Effect,
    known_action_event,
)
from ledger.improvement.refusals import (
    ActionIsClosed,
    ActionIsCompleted,
    ActionNotCompleted,
    DayNotLater,
    EffectNotMeasured,
    EffectNotReached,
    NothingToTakeUpAgain,
    OwnerMeasuresOwnAction,
)
from ledger.standing import Rules, Standing, not_before


@dataclass(frozen=True)
class Action(Standing):
    """One corrective action as the rules see it; `Action()` is one of which nothing is recorded."""

    title: str | None = None
    opened_at: datetime | None = None
    owner: str | None = None
    department: str | None = None
    due_on: date | None = None
    completed_at: datetime | None = None
    effect: Effect | None = None
    measured_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def waits_for(self) -> str | None:
        """What is to be done next: `work`, `measurement` of its effect, `closing` or `reopening`; None when closed."""
        if self.closed_at is not None or self.opened_at is None:
            return None
        if self.completed_at is None:
            return "work"
        if self.effect is None:
            return "measurement"
        return "reopening" if self.effect is Effect.NOT_REACHED else "closing"


def decide(action: Action, command: ask.ActionCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    if isinstance(command, ask.HandOverAction) and (action.owner, action.department) == (
        command.owner,
        command.department or action.department,
    ):
        return []
    return RULES.decide(action, command, given)


def evolve(action: Action, event: ActionEvent) -> Action:
    """The action after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(action, event)


def applied(action: Action, event: ActionEvent) -> Action:
    """The action with one fact that stands. Total: no fact is ever refused here."""
    fact = known_action_event(event)
    match fact:
        case ActionOpened():
            owned = replace(action, owner=fact.owner, department=fact.department, due_on=fact.due_on)
            return replace(owned, title=fact.title, opened_at=fact.opened_at)
        case ActionHandedOver():
            return replace(action, owner=fact.owner, department=fact.department or action.department)
        case ActionPostponed():
            return replace(action, due_on=fact.due_on)
        case ActionCompleted():
            return replace(action, completed_at=fact.completed_at)
        case ActionEffectMeasured():
            return replace(action, effect=fact.effect, measured_at=fact.measured_at)
        case ActionClosed():
            return replace(action, closed_at=fact.closed_at)
        case ActionReopened():
            again = replace(action, completed_at=None, effect=None, measured_at=None, closed_at=None)
            return replace(again, due_on=fact.due_on)
        case ActionProgressed() | ActionFactAnnulled():
            return action  # no rule reads them
        case _:
            assert_never(fact)


def may_follow(action: Action, event: ActionEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_action_event(event)
    not_before(fact, "the action was opened", action.opened_at)
    match fact:
        case ActionOpened() | ActionFactAnnulled():
            pass
        case ActionProgressed() | ActionHandedOver():
            _being_carried_out(action)
        case ActionPostponed():
            _being_carried_out(action)
            if action.due_on is not None and fact.due_on <= action.due_on:
                raise DayNotLater(fact.due_on, action.due_on)
        case ActionCompleted():
            _being_carried_out(action)
        case ActionEffectMeasured():
            _effect_measured(action, fact)
        case ActionClosed():
            _closed(action, fact)
        case ActionReopened():
            if action.completed_at is None:
                raise NothingToTakeUpAgain
            not_before(fact, "it was completed", action.closed_at or action.measured_at or action.completed_at)
        case _:
            assert_never(fact)


def _being_carried_out(action: Action) -> None:
    _not_closed(action)
    if action.completed_at is not None:
        raise ActionIsCompleted(action.completed_at)


def _not_closed(action: Action) -> None:
    if action.closed_at is not None:
        raise ActionIsClosed(action.closed_at)


def _effect_measured(action: Action, fact: ActionEffectMeasured) -> None:
    _not_closed(action)
    if action.completed_at is None:
        raise ActionNotCompleted
    if action.owner is not None and fact.measured_by.casefold() == action.owner.casefold():
        raise OwnerMeasuresOwnAction(action.owner)
    not_before(fact, "it was completed", action.completed_at)


def _closed(action: Action, fact: ActionClosed) -> None:
    _not_closed(action)
    if action.completed_at is None:
        raise ActionNotCompleted
    if action.effect is None:
        raise EffectNotMeasured
    if action.effect is Effect.NOT_REACHED:
        raise EffectNotReached
    not_before(fact, "its effect was measured", action.measured_at)


RULES: Rules[Action] = Rules(
    name="action",
    own_id="action_id",
    begins=ActionOpened,
    annulled=ActionFactAnnulled,
    facts={
        ask.OpenAction: ActionOpened,
        ask.NoteProgress: ActionProgressed,
        ask.HandOverAction: ActionHandedOver,
        ask.PostponeAction: ActionPostponed,
        ask.CompleteAction: ActionCompleted,
        ask.MeasureEffect: ActionEffectMeasured,
        ask.CloseAction: ActionClosed,
        ask.ReopenAction: ActionReopened,
        ask.AnnulActionFact: ActionFactAnnulled,
    },
    nothing=Action(),
    applied=applied,
    may_follow=may_follow,
)
