"""The projection `returns`: each submission of each return, and what became of it. The documents stay in the record."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, assert_never
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.names import class_of
from ledger.record.envelope import opened
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
from projections.asking import Asked, AsOf, Cursor, asked, page_of
from projections.machine import Batch, Projection

_SQL = queries(__file__)

ROWS_MAX = 1_000

_SUBMISSION = (
    *("book", "submission_id", "return_id", "name", "receiver", "begins_on", "ends_on", "known_at", "digest"),
    *("restates", "sent_at", "position"),
)

_DUE = ("book", "return_id", "position", "name", "receiver", "begins_on", "ends_on", "due_on", "source")


class ReturnsFold:
    """Adds a row for each submission and each due day, and notes on it what the receiver said."""

    def apply(self, batch: Batch) -> None:
        for row in batch.rows:
            if not issubclass(class_of(row.name), ReturnEvent):
                continue
            event = opened(row).event
            assert isinstance(event, ReturnEvent)
            self._one(batch, row.stream_id, row.position, event)

    def _one(self, batch: Batch, stream_id: UUID, position: int, event: ReturnEvent) -> None:
        fact = known_return_event(event)
        match fact:
            case ReturnSent():
                restates = fact.restates if isinstance(fact, ReturnRestated) else None
                what = (fact.name, fact.receiver, fact.begins_on, fact.ends_on, fact.position, fact.digest)
                values = (batch.book, fact.submission_id, stream_id, *what, restates, fact.sent_at, position)
                batch.add("submission", _SUBMISSION, [values])
            case ReturnAcknowledged():
                rows: Sequence[Sequence[object]] = [(batch.book, str(fact.submission_id), fact.acknowledged_at)]
                batch.execute_values(_SQL["acknowledge"], rows)
            case ReturnQuestioned():
                question = (
                    batch.book,
                    fact.question_id,
                    fact.submission_id,
                    fact.question,
                    fact.questioned_at,
                    position,
                )
                columns = ("book", "question_id", "submission_id", "question", "questioned_at", "position")
                batch.add("question", columns, [question])
            case ReturnDueSet():
                due = (fact.name, fact.receiver, fact.begins_on, fact.ends_on, fact.due_on, fact.source)
                batch.add("due", _DUE, [(batch.book, stream_id, position, *due)])
            case QuestionAnswered():
                batch.execute_values(
                    _SQL["answer"], [(batch.book, str(fact.question_id), fact.answer, fact.answered_at)]
                )
            case _:
                assert_never(fact)


PROJECTION = Projection(
    name="returns",
    version=2,
    tables={
        "submission": ("book", "submission_id"),
        "question": ("book", "question_id"),
        "due": ("book", "return_id", "position"),
    },
    fold=ReturnsFold,
    queries=_SQL,
)


class Submission(NamedTuple):
    """A return as it was sent. `known_at` is the position it was computed at, `position` that of the fact of sending."""

    submission_id: UUID
    return_id: UUID
    name: str
    receiver: str
    begins_on: date
    ends_on: date
    known_at: int
    digest: str
    restates: UUID | None
    restated_by: UUID | None
    sent_at: datetime
    acknowledged_at: datetime | None
    questions_open: int
    position: int


class Question(NamedTuple):
    """What the receiver asked about a submission; `answer` is None while it waits."""

    question_id: UUID
    submission_id: UUID
    question: str
    questioned_at: datetime
    answer: str | None
    answered_at: datetime | None
    position: int


class DueDay(NamedTuple):
    """By when a return has to be with its receiver, as the last fact about it says; `position` is that of the fact."""

    name: str
    receiver: str
    begins_on: date
    ends_on: date
    due_on: date
    source: str
    position: int


class SubmissionsPage(NamedTuple):
    """A page of submissions, the latest first, as known at `position`; `next_cursor` asks for the earlier ones."""

    position: int
    submissions: tuple[Submission, ...]
    next_cursor: str | None


def submissions(
    connection: Connection,
    book: str,
    *,
    name: str | None = None,
    return_id: UUID | None = None,
    as_of: AsOf = None,
    schema: str | None = None,
) -> list[Submission]:
    """What was sent, the latest first; at most 1,000. Raises NotBuilt, NotReached."""
    at = asked(connection, book, PROJECTION.name, as_of, None, schema)
    return _submissions(connection, at, name=name, return_id=return_id)


def page(
    connection: Connection,
    book: str,
    name: str | None = None,
    receiver: str | None = None,
    *,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
) -> SubmissionsPage:
    """The same by pages; a cursor names the last submission, and no position. Raises NotBuilt, BadCursor."""
    (before,) = Cursor.read(cursor, "returns", (UUID,))
    at = asked(connection, book, PROJECTION.name, None, None, None)
    found = _submissions(connection, at, name=name, receiver=receiver, before=before, rows_max=rows_max + 1)
    rows, more = page_of(found, rows_max)
    return SubmissionsPage(
        at.position, tuple(rows), Cursor.write("returns", [rows[-1].submission_id]) if more else None
    )


def questions(connection: Connection, book: str, return_id: UUID) -> list[Question]:
    """What was asked about a return, and what was answered; at most 1,000. Raises NotBuilt."""
    at = asked(connection, book, PROJECTION.name, None, None, None)
    found = at.fetch(connection, _SQL["questions"], {"return_id": str(return_id), "rows_max": ROWS_MAX})
    return [Question(*row) for row in found]


def due_days(connection: Connection, book: str, ends_from: date) -> list[DueDay]:
    """The due days that were set of returns whose periods end on a day or later; at most 1,000. Raises NotBuilt."""
    at = asked(connection, book, PROJECTION.name, None, None, None)
    found = at.fetch(connection, _SQL["due"], {"ends_from": ends_from, "rows_max": ROWS_MAX})
    return [DueDay(*row) for row in found]


def _submissions(connection: Connection, at: Asked, **wanted: object) -> list[Submission]:
    given = {"name": None, "receiver": None, "before": None, "rows_max": ROWS_MAX, **wanted}
    given["return_id"] = None if given.get("return_id") is None else str(given["return_id"])
    return [Submission(*row) for row in at.fetch(connection, _SQL["submissions"], given)]
