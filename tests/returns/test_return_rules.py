"""What may happen to a return: each rule allows, refuses and stays quiet; and what was sent is listed."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.application import Ledger
from ledger.complaint.refusals import InTheFuture
from ledger.database.target import Database
from ledger.names import STORED_NAMES
from ledger.returns.commands import (
    AcknowledgeReturn,
    AnswerQuestion,
    QuestionReturn,
    RestateReturn,
    ReturnCommand,
    SendReturn,
    SetReturnDue,
)
from ledger.returns.events import RETURN_NAMES, ReturnSent
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
from ledger.returns.rules import Return, decide, evolve
from ledger.vault.keys import SubjectKeys
from projections.returns import sent
from projections.returns.calendar import PERIODS_MAX, calendar
from tests.indicators.books import CHINA, caught_up
from tests.projections.stories import received, record, shanghai

NOW = datetime.fromisoformat("2026-11-19T12:00+08:00")
ABOUT: dict[str, Any] = {
    "name": "jrt-0169",
    "receiver": "pboc",
    "begins_on": date(2026, 7, 1),
    "ends_on": date(2026, 9, 30),
}
FIRST, SECOND, QUESTION = uuid4(), uuid4(), uuid4()


def submission(submission_id: UUID, text: str, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = {"position": 5, "root": "0" * 64, "judged_at": NOW, "digest": digest, "document": text}
    return {**ABOUT, "submission_id": submission_id, **known, "sent_by": "li", "sent_at": NOW, **more}


SEND = SendReturn(**submission(FIRST, '{"a":1}'))
RESTATE = RestateReturn(**submission(SECOND, '{"a":2}'), restates=FIRST, reason="a branch was missing")
ACKNOWLEDGE = AcknowledgeReturn(**ABOUT, submission_id=FIRST, noted_by="li", acknowledged_at=NOW)
CONFIRMED_LATER = ACKNOWLEDGE.model_copy(update={"acknowledged_at": NOW + timedelta(seconds=1)})
CONFIRMED_OTHERWISE = ACKNOWLEDGE.model_copy(update={"receiver_reference": "PBC-2"})
ASK = QuestionReturn(
    **ABOUT, submission_id=FIRST, question_id=QUESTION, question="why", noted_by="li", questioned_at=NOW
)
DUE = SetReturnDue(**ABOUT, due_on=date(2026, 10, 20), source="letter 31", set_by="li", set_at=NOW)
ANSWER = AnswerQuestion(**ABOUT, question_id=QUESTION, answer="so", answered_by="li", answered_at=NOW)


def after(*commands: ReturnCommand) -> Return:
    state = Return()
    for command in commands:
        for event in decide(state, command, NOW):
            state = evolve(state, event)
    return state


def test_a_return_is_sent_once_and_restated_by_name() -> None:
    (fact,) = decide(Return(), SEND, NOW)
    assert isinstance(fact, ReturnSent)
    assert decide(after(SEND), SEND, NOW) == [], "the same again: a retry"
    with pytest.raises(ReturnAlreadySent):
        decide(after(SEND), SendReturn(**submission(SECOND, "{}")), NOW)
    assert after(SEND, RESTATE).latest == SECOND
    assert decide(after(SEND, RESTATE), RESTATE, NOW) == []


@pytest.mark.parametrize(
    ("told", "command", "refusal"),
    [
        ([], RESTATE, SubmissionUnknown),
        ([], ACKNOWLEDGE, SubmissionUnknown),
        ([], ASK, SubmissionUnknown),
        ([SEND], ANSWER, QuestionUnknown),
        ([SEND, ACKNOWLEDGE], CONFIRMED_LATER, SubmissionAlreadyAcknowledged),
        ([SEND, ACKNOWLEDGE], CONFIRMED_OTHERWISE, SubmissionAlreadyAcknowledged),
        ([SEND, RESTATE], RESTATE.model_copy(update={"submission_id": uuid4()}), SubmissionSuperseded),
        ([SEND], RestateReturn(**submission(SECOND, '{"a":1}'), restates=FIRST, reason="x"), NothingRestated),
        ([], SEND.model_copy(update={"digest": "1" * 64}), DigestDiffers),
        ([], DUE.model_copy(update={"due_on": date(2026, 9, 29)}), DueTooEarly),
        ([], DUE.model_copy(update={"set_at": datetime.fromisoformat("2026-11-20T12:00+08:00")}), InTheFuture),
        ([], SEND.model_copy(update={"ends_on": date(2026, 6, 30)}), PeriodReversed),
        ([], SEND.model_copy(update={"ends_on": NOW.date()}), PeriodUnfinished),
        ([], SEND.model_copy(update={"sent_at": NOW - timedelta(days=60)}), PeriodUnfinished),
        ([], SEND.model_copy(update={"sent_at": NOW - timedelta(seconds=1)}), SentBeforeJudged),
        ([SEND], RESTATE.model_copy(update={"sent_at": NOW - timedelta(seconds=1)}), SentBeforeJudged),
        ([], SEND.model_copy(update={"sent_at": datetime.fromisoformat("2026-11-20T12:00+08:00")}), InTheFuture),
    ],
)
def test_what_is_refused(told: list[ReturnCommand], command: ReturnCommand, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        decide(after(*told), command, NOW)


@pytest.mark.parametrize("command", [ACKNOWLEDGE, ASK, ANSWER])
def test_what_the_receiver_said_is_noted_once(command: ReturnCommand) -> None:
    told = (SEND, ASK) if command is ANSWER else (SEND,)
    assert len(decide(after(*told), command, NOW)) == 1
    assert decide(after(*told, command), command, NOW) == []
    restated = ACKNOWLEDGE.model_copy(update={"submission_id": SECOND})
    assert decide(after(SEND, ACKNOWLEDGE, RESTATE), restated, NOW), "each submission is confirmed for itself"


def test_a_due_day_is_set_once_and_may_be_moved() -> None:
    assert after(DUE).due_on == DUE.due_on
    assert decide(after(DUE), DUE, NOW) == [], "already so"
    moved = DUE.model_copy(update={"due_on": date(2026, 10, 31)})
    assert after(DUE, SEND, moved).due_on == date(2026, 10, 31)
    assert decide(after(DUE), SEND, NOW), "a day that is set stands in nobody's way"


def test_the_stored_names_are_these_for_ever() -> None:
    assert set(RETURN_NAMES) == {
        *("return-sent", "return-restated", "return-acknowledged", "return-questioned", "return-question-answered"),
        "return-due-set",
    }
    assert all(STORED_NAMES[name] is event for name, event in RETURN_NAMES.items())


@pytest.fixture
def ledger(database: Database, book: str, keys: SubjectKeys) -> Iterator[Ledger]:
    with closing(Ledger(database, book, keys)) as opened:
        yield opened


def test_what_was_sent_is_listed_with_what_became_of_it(database: Database, ledger: Ledger, reader: Connection) -> None:
    for command in (SEND, ACKNOWLEDGE, ASK, RESTATE):
        ledger.handle(command, principal="li")
    caught_up(database, ledger.book)
    latest, first = sent.submissions(reader, ledger.book)
    assert (latest.submission_id, latest.restates, latest.digest) == (SECOND, FIRST, RESTATE.digest)
    assert (first.restated_by, first.acknowledged_at, first.questions_open) == (SECOND, NOW, 1)
    ledger.handle(ANSWER, principal="li")
    caught_up(database, ledger.book)
    assert sent.submissions(reader, ledger.book)[1].questions_open == 0
    assert sent.submissions(reader, ledger.book, name="nonsense") == []


def test_the_calendar_goes_by_the_day_that_was_set_last(database: Database, ledger: Ledger, reader: Connection) -> None:
    for command in (DUE, DUE.model_copy(update={"due_on": date(2026, 10, 31), "source": "letter 40"})):
        ledger.handle(command, principal="li")
    caught_up(database, ledger.book)

    def ours(today: date) -> tuple[date, str, str]:
        (due,) = [
            each
            for each in calendar(reader, ledger.book, today, CHINA)
            if (each.name, each.receiver, each.begins_on) == ("jrt-0169", "pboc", DUE.begins_on)
        ]
        return due.due_on, due.source, due.state

    day = date(2026, 10, 31)
    assert ours(date(2026, 9, 1)) == (day, "letter 40", "running")
    assert ours(date(2026, 10, 31)) == (day, "letter 40", "due")
    assert ours(date(2026, 11, 1)) == (day, "letter 40", "LATE")
    ledger.handle(SEND, principal="li")
    caught_up(database, ledger.book)
    assert ours(date(2027, 2, 1)) == (day, "letter 40", "sent late"), "what was set is listed for two years"


def test_what_was_never_sent_stays_in_the_calendar(database: Database, ledger: Ledger, reader: Connection) -> None:
    ledger.handle(DUE, principal="li")
    caught_up(database, ledger.book)
    began_on = CHINA.local_day(datetime.now(UTC))
    today = began_on + timedelta(days=365)
    due = calendar(reader, ledger.book, today, CHINA)
    months = [each for each in due if each.name == "public-file" and each.begins_on >= began_on]
    assert len(months) >= 11
    assert {each.state for each in months} == {"LATE", "due", "running"}
    assert [each.due_on for each in due] == sorted(each.due_on for each in due)
    later = calendar(reader, ledger.book, today + timedelta(days=3_650), CHINA)
    assert sum(each.name == "public-file" for each in later) == PERIODS_MAX + 1


def test_the_calendar_begins_with_the_first_complaint(database: Database, book: str, reader: Connection) -> None:
    one = uuid4()
    record(database, book, [(one, received(one, shanghai("2026-07-20T10:00")))])
    caught_up(database, book)
    due = calendar(reader, book, date(2026, 11, 25), CHINA)
    files = [(each.state, each.begins_on) for each in due if each.name == "public-file"]
    assert files == [
        ("LATE", date(2026, 8, 1)),
        ("due", date(2026, 9, 1)),
        ("due", date(2026, 10, 1)),
        ("running", date(2026, 11, 1)),
    ]
