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
    ReturnEvent,
    ReturnQuestioned,
    ReturnRestated,
    ReturnSent,
    known_return_event,
)
from projections.asking import AsOf, asked
from projections.machine import Batch, Projection

_SQL = queries(__file__)

ROWS_MAX = 1_000

_SUBMISSION = (
    *("book", "submission_id", "return_id", "name", "receiver", "begins_on", "ends_on", "known_at", "digest"),
    *("restates", "sent_at", "position"),
)


class ReturnsFold:
    """Adds a row for each submission, and notes on it what the receiver said."""

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
            case QuestionAnswered():
                batch.execute_values(
                    _SQL["answer"], [(batch.book, str(fact.question_id), fact.answer, fact.answered_at)]
                )
            case _:
                assert_never(fact)


PROJECTION = Projection(
    name="returns",
    version=1,
    tables={"submission": ("book", "submission_id"), "question": ("book", "question_id")},
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


def submissions(
    connection: Connection, book: str, *, name: str | None = None, as_of: AsOf = None, schema: str | None = None
) -> list[Submission]:
    """What was sent, the latest first; at most 1,000. Raises NotBuilt, NotReached."""
    at = asked(connection, book, PROJECTION.name, as_of, None, schema)
    return [Submission(*row) for row in at.fetch(connection, _SQL["submissions"], {"name": name, "rows_max": ROWS_MAX})]
