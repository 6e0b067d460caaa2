"""What a command does to a return: the facts it leads to, `[]`, or a refusal. No clock, no ids made, no figure computed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, assert_never
from uuid import UUID

from ledger.complaint.refusals import InTheFuture
from ledger.complaint.stated import FUTURE_SKEW
from ledger.returns.commands import (
    AcknowledgeReturn,
    AnswerQuestion,
    QuestionReturn,
    RestateReturn,
    ReturnCommand,
    SendReturn,
    SetReturnDue,
    known_return_command,
)
from ledger.returns.events import (
    QuestionAnswered,
    ReturnAcknowledged,
    ReturnDueSet,
    ReturnEvent,
    ReturnQuestioned,
    ReturnRestated,
    ReturnSent,
    known_return_event,
)
from ledger.returns.refusals import (
    DigestDiffers,
    DueTooEarly,
    NothingRestated,
    PeriodReversed,
    PeriodUnfinished,
    QuestionUnknown,
    ReturnAlreadySent,
    SentBeforeJudged,
    SubmissionAlreadyAcknowledged,
    SubmissionSuperseded,
    SubmissionUnknown,
)

FIRST_ZONE = timezone(timedelta(hours=14))
"""Where a day ends before it ends anywhere else. Whoever knows the calendar of the return judges to the hour."""


@dataclass(frozen=True)
class Return:
    """One return as the rules see it: the digest of each submission, the latest last, and what was asked."""

    submissions: Mapping[UUID, str] = field(default_factory=dict)
    questions: frozenset[UUID] = frozenset()
    due_on: date | None = None
    recorded: tuple[ReturnEvent, ...] = ()

    @property
    def latest(self) -> UUID | None:
        """The submission that stands."""
        return list(self.submissions)[-1] if self.submissions else None


def evolve(state: Return, event: ReturnEvent) -> Return:
    """The return after one more fact. Total."""
    fact = known_return_event(event)
    after = replace(state, recorded=(*state.recorded, event))
    match fact:
        case ReturnSent():  # and ReturnRestated, which is one
            return replace(after, submissions={**state.submissions, fact.submission_id: fact.digest})
        case ReturnQuestioned():
            return replace(after, questions=state.questions | {fact.question_id})
        case ReturnDueSet():
            return replace(after, due_on=fact.due_on)
        case ReturnAcknowledged() | QuestionAnswered():
            return after
        case _:
            assert_never(fact)


def decide(state: Return, command: ReturnCommand, now: datetime) -> list[ReturnEvent]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    asked = known_return_command(command)
    if asked.ends_on < asked.begins_on:
        raise PeriodReversed
    match asked:
        case RestateReturn():
            return _restate(state, asked, now)
        case SendReturn():
            return _send(state, asked, now)
        case AcknowledgeReturn():
            _not_from_the_future("acknowledged_at", asked.acknowledged_at, now)
            _sent(state, asked.submission_id)
            return _acknowledge(state, ReturnAcknowledged(**_about(asked)))
        case QuestionReturn():
            _not_from_the_future("questioned_at", asked.questioned_at, now)
            _sent(state, asked.submission_id)
            return _new(state, ReturnQuestioned(**_about(asked)))
        case SetReturnDue():
            return _set_due(state, asked, now)
        case AnswerQuestion():
            _not_from_the_future("answered_at", asked.answered_at, now)
            if asked.question_id not in state.questions:
                raise QuestionUnknown(asked.question_id)
            return _new(state, QuestionAnswered(**_about(asked)))
        case _:
            assert_never(asked)


def _send(state: Return, command: SendReturn, now: datetime) -> list[ReturnEvent]:
    _not_from_the_future("sent_at", command.sent_at, now)
    sent = ReturnSent(**dict(command))
    if sent in state.recorded:
        return []
    if state.latest is not None:
        raise ReturnAlreadySent(command.name, state.latest)
    _in_time_order(command)
    _of_the_document(command)
    return [sent]


def _restate(state: Return, command: RestateReturn, now: datetime) -> list[ReturnEvent]:
    _not_from_the_future("sent_at", command.sent_at, now)
    restated = ReturnRestated(**dict(command))
    if restated in state.recorded:
        return []
    _sent(state, command.restates)
    if state.latest is not None and command.restates != state.latest:
        raise SubmissionSuperseded(command.restates, state.latest)
    if state.submissions[command.restates] == command.digest:
        raise NothingRestated(command.digest)
    _in_time_order(command)
    _of_the_document(command)
    return [restated]


def _acknowledge(state: Return, fact: ReturnAcknowledged) -> list[ReturnEvent]:
    """A submission is confirmed once; the same confirmation again is a retry."""
    if fact in state.recorded:
        return []
    for known in state.recorded:
        if isinstance(known, ReturnAcknowledged) and known.submission_id == fact.submission_id:
            raise SubmissionAlreadyAcknowledged(fact.submission_id, known.acknowledged_at)
    return [fact]


def _set_due(state: Return, command: SetReturnDue, now: datetime) -> list[ReturnEvent]:
    _not_from_the_future("set_at", command.set_at, now)
    if command.due_on < command.ends_on:
        raise DueTooEarly(command.ends_on)
    return [] if state.due_on == command.due_on else [ReturnDueSet(**dict(command))]


def _in_time_order(command: SendReturn) -> None:
    """A return is judged once its period is over, and sent once it was judged."""
    over_at = datetime.combine(command.ends_on, time.max, FIRST_ZONE)
    if min(command.judged_at, command.sent_at) <= over_at:
        raise PeriodUnfinished(command.ends_on)
    if command.sent_at < command.judged_at:
        raise SentBeforeJudged(command.sent_at, command.judged_at)


def _of_the_document(command: SendReturn) -> None:
    if command.document is None:
        return
    computed = hashlib.sha256(command.document.encode()).hexdigest()
    if computed != command.digest:
        raise DigestDiffers(command.digest, computed)


def _sent(state: Return, submission_id: UUID) -> None:
    if submission_id not in state.submissions:
        raise SubmissionUnknown(submission_id)


def _new(state: Return, fact: ReturnEvent) -> list[ReturnEvent]:
    return [] if fact in state.recorded else [fact]


def _about(command: ReturnCommand) -> dict[str, Any]:
    """The fields of a command that its fact has: which return it is about, its stream says."""
    return {name: value for name, value in command if name not in ReturnCommand.model_fields}


def _not_from_the_future(field_name: str, at: datetime, now: datetime) -> None:
    if at > now + FUTURE_SKEW:
        raise InTheFuture(field_name, at, now)
