"""Everything that happened with a customer in one line of time, complaints included; and the history of every other subject.

It computes nothing: a row is an event. Personal values stand in it as their digests only. What was known at a position
stays answerable: a merging of customers, or a complaint that turned out to be another's, holds from where it was recorded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.audit.events import AuditFindingEvent
from ledger.complaint import events as complaint
from ledger.customer.events import CustomerEvent, CustomerFactAnnulled, CustomerMerged, CustomerSplit
from ledger.database.sql import queries
from ledger.event import Event
from ledger.improvement.events import ActionEvent, IndicatorEvent, ReviewEvent, RiskEvent, SurveyEvent
from ledger.interaction.events import InteractionEvent, InteractionRecorded, SurveyAnswered
from ledger.leak.events import AffectedCustomersProtected, AffectedCustomersTold, LeakEvent
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import StoredRow
from ledger.standing import done_by, happened_at
from projections.asking import AsOf, Cursor, page_as_known, page_of
from projections.machine import Batch, Projection

_SQL = queries(__file__)

ROWS_MAX = 500

SUBJECT_OF: Mapping[type[Event], str] = {
    complaint.ComplaintEvent: "complaint",
    CustomerEvent: "customer",
    InteractionEvent: "interaction",
    IndicatorEvent: "indicator",
    SurveyEvent: "survey",
    ReviewEvent: "review",
    RiskEvent: "risk",
    ActionEvent: "action",
    LeakEvent: "leak",
    AuditFindingEvent: "finding",
}
"""The subjects whose events are told here; a policy, a table or a seal is nobody's."""

_EVENT = (
    *("book", "subject", "subject_id", "version", "position", "name", "at", "happened_at", "recorded_at"),
    *("done_by", "recorded_by", "command", "target_version", "details"),
)
_CONCERN = ("book", "customer_id", "subject_id", "version", "known_from")
_LINK = ("book", "complaint_id", "subject_id", "version", "position")
_DIMENSIONS = ("overall", "attitude", "efficiency", "ability", "openness")
_ANSWER = ("book", "survey_id", "subject_id", "version", "position", *_DIMENSIONS)
_MERGER = ("book", "customer_id", "into_customer_id", "known_from", "known_to")


class TimelineFold:
    """Writes each event, whom it concerns, and which complaints it names."""

    def apply(self, batch: Batch) -> None:
        told = [(row, subject, recorded) for row, subject, recorded in map(_told, batch.rows) if subject is not None]
        batch.add("event", _EVENT, [_event(batch.book, row, subject, recorded) for row, subject, recorded in told])
        first: list[Sequence[object]] = []
        later: list[tuple[StoredRow, UUID]] = []
        for row, _, recorded in told:
            for customer_id, version in _concerns(row, recorded.event):
                if row.version == 1 or version:
                    first.append((batch.book, customer_id, row.stream_id, version, row.position))
                else:
                    later.append((row, customer_id))
        batch.add("concern", _CONCERN, first)
        for row, customer_id in later:  # few: a complaint or interaction that was another customer's
            batch.execute_values(_SQL["close_concern"], [(batch.book, str(row.stream_id), row.position)])
            batch.add("concern", _CONCERN, [(batch.book, customer_id, row.stream_id, 0, row.position)])
        batch.add(
            "link",
            _LINK,
            [
                (batch.book, complaint_id, row.stream_id, row.version, row.position)
                for row, subject, recorded in told
                if subject != "complaint"
                for complaint_id in _complaints(recorded.event)
            ],
        )
        batch.add(
            "answer",
            _ANSWER,
            [
                (batch.book, event.survey_id, row.stream_id, row.version, row.position, *_scores(event))
                for row, event in ((row, recorded.event) for row, _, recorded in told)
                if isinstance(event, SurveyAnswered)
            ],
        )
        self._merge(batch, {row.stream_id for row, _, recorded in told if isinstance(recorded.event, _MERGING)})

    def _merge(self, batch: Batch, customers: Iterable[UUID]) -> None:
        """Writes the mergings of these customers anew, from all that was ever said of them."""
        for customer_id in sorted(customers):
            said = batch.fetch(_SQL["mergings"], {"book": batch.book, "customer_id": str(customer_id)})
            batch.execute_values(_SQL["forget_mergings"], [(batch.book, str(customer_id))])
            batch.add("merger", _MERGER, [(batch.book, customer_id, *each) for each in _intervals(said)])


_MERGING = (CustomerMerged, CustomerSplit, CustomerFactAnnulled)

PROJECTION = Projection(
    name="timeline",
    version=2,
    tables={
        "event": ("book", "subject_id", "version"),
        "concern": ("book", "customer_id", "subject_id", "version", "known_from"),
        "merger": ("book", "customer_id", "known_from"),
        "link": ("book", "complaint_id", "subject_id", "version"),
        "answer": ("book", "survey_id", "subject_id", "version"),
    },
    fold=TimelineFold,
    queries=_SQL,
)


class Line(NamedTuple):
    """One event of one subject. `at` is when it happened, or when it was recorded where its source does not say."""

    subject: str
    subject_id: UUID
    version: int
    position: int
    name: str
    at: datetime
    happened_at: datetime | None
    recorded_at: datetime
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any]
    annulled_by_version: int | None
    corrected_by_version: int | None


class Timeline(NamedTuple):
    """A page of what concerns a person as known at `position`; `same_person` are the other records merged with this one."""

    book: str
    customer_id: UUID
    position: int
    same_person: tuple[UUID, ...]
    lines: tuple[Line, ...]
    next_cursor: str | None


class SubjectHistory(NamedTuple):
    """A page of a subject's history as known at `position`; no lines: no such subject was known then."""

    book: str
    subject: str
    subject_id: UUID
    position: int
    lines: tuple[Line, ...]
    next_cursor: str | None


class Links(NamedTuple):
    """A page of the facts that name a complaint."""

    book: str
    complaint_id: UUID
    position: int
    lines: tuple[Line, ...]
    next_cursor: str | None


class Scores(NamedTuple):
    """What a survey's answers come to as of `position`: how many, and the mean of each dimension in thousandths of a point.

    A dimension that nobody rated is None.
    """

    book: str
    survey_id: UUID
    position: int
    answers: int
    overall_thousandths: int | None
    attitude_thousandths: int | None
    efficiency_thousandths: int | None
    ability_thousandths: int | None
    openness_thousandths: int | None


def of_customer(
    connection: Connection,
    book: str,
    customer_id: UUID,
    *,
    as_of: AsOf = None,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
    schema: str | None = None,
) -> Timeline:
    """All that concerns a person, in the order in which it happened, as known at `as_of`. Raises NotReached, BadCursor.

    Costs what the person's whole history is long.
    """
    page = f"timeline/{customer_id}"
    after_at, after_position = Cursor.read(cursor, page, (datetime, int))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    after = {"after_at": after_at, "after_position": after_position or 0}
    named = {"customer_id": str(customer_id), "rows_max": rows_max + 1, **after}
    position, found = page_as_known(
        connection, book, PROJECTION.name, _SQL["of_customer"], named, as_of=as_of, schema=schema
    )
    same = tuple(found[0][0] or ()) if found else ()
    lines, more = page_of([Line(*row) for _, *row in found if row[0] is not None], rows_max)
    following = Cursor.write(page, [lines[-1].at, lines[-1].position]) if more else None
    return Timeline(book, customer_id, position, same, lines, following)


def of_subject(
    connection: Connection,
    book: str,
    subject: str,
    subject_id: UUID,
    *,
    as_of: AsOf = None,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
    schema: str | None = None,
) -> SubjectHistory:
    """A subject's events in the order of their versions, as known at `as_of`. Raises NotReached, BadCursor."""
    page = f"{subject}/{subject_id}"
    (after_version,) = Cursor.read(cursor, page, (int,))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    after = {"after_version": after_version or 0}
    named = {"subject": subject, "subject_id": str(subject_id), "rows_max": rows_max + 1, **after}
    position, found = page_as_known(
        connection, book, PROJECTION.name, _SQL["of_subject"], named, as_of=as_of, schema=schema
    )
    lines, more = page_of([Line(*row) for row in found], rows_max)
    following = Cursor.write(page, [lines[-1].version]) if more else None
    return SubjectHistory(book, subject, subject_id, position, lines, following)


def of_complaint(
    connection: Connection,
    book: str,
    complaint_id: UUID,
    *,
    as_of: AsOf = None,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
    schema: str | None = None,
) -> Links:
    """The facts of other subjects that name a complaint, in the order of their positions. Raises NotReached, BadCursor."""
    page = f"links/{complaint_id}"
    (after_position,) = Cursor.read(cursor, page, (int,))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    named = {"complaint_id": str(complaint_id), "rows_max": rows_max + 1, "after_position": after_position or 0}
    position, found = page_as_known(
        connection, book, PROJECTION.name, _SQL["of_complaint"], named, as_of=as_of, schema=schema
    )
    lines, more = page_of([Line(*row) for row in found], rows_max)
    return Links(book, complaint_id, position, lines, Cursor.write(page, [lines[-1].position]) if more else None)


def of_survey(
    connection: Connection, book: str, survey_id: UUID, *, as_of: AsOf = None, schema: str | None = None
) -> Scores:
    """The scores of a survey, counted from its answers as known at `as_of`. Raises NotReached. Costs its answers."""
    named = {"survey_id": str(survey_id)}
    position, found = page_as_known(
        connection, book, PROJECTION.name, _SQL["scores"], named, as_of=as_of, schema=schema
    )
    ((answers, *means),) = found
    return Scores(book, survey_id, position, answers, *means)


def _told(row: StoredRow) -> tuple[StoredRow, str | None, Recorded]:
    recorded = opened(row)
    subject = next((name for kind, name in SUBJECT_OF.items() if isinstance(recorded.event, kind)), None)
    return row, subject, recorded


def _event(book: str, row: StoredRow, subject: str, recorded: Recorded) -> Sequence[object]:
    event = recorded.event
    if isinstance(event, complaint.ComplaintEvent):
        happened, by = complaint.happened_at(event), complaint.done_by(event)
    else:
        happened, by = happened_at(event), done_by(event)
    target = getattr(event, "annulled_version", None) or getattr(event, "corrected_version", None)
    return (
        *(book, subject, row.stream_id, row.version, row.position, row.name, happened or row.recorded_at),
        *(happened, row.recorded_at, by, recorded.recorded_by, recorded.command, target),
        event.model_dump(mode="json", exclude_none=True),
    )


def _concerns(row: StoredRow, event: Event) -> Iterator[tuple[UUID, int]]:
    """The customers whom an event makes its subject concern (0), or who are concerned by this one fact of it."""
    fact = event.fact if isinstance(event, complaint.FactCorrected) else event
    if isinstance(fact, complaint.ComplaintReceived | InteractionRecorded) or (
        isinstance(fact, CustomerEvent) and row.version == 1
    ):
        yield fact.customer_id, 0
    elif isinstance(fact, AffectedCustomersTold | AffectedCustomersProtected):
        for customer_id in dict.fromkeys(fact.customer_ids):
            yield customer_id, row.version


def _scores(event: SurveyAnswered) -> list[int | None]:
    return [getattr(event, dimension) for dimension in _DIMENSIONS]


def _complaints(event: Event) -> list[UUID]:
    """The complaints that an event of another subject names."""
    one = getattr(event, "complaint_id", None)
    return list(dict.fromkeys([*((one,) if one else ()), *getattr(event, "complaint_ids", ())]))


def _intervals(said: Sequence[Sequence[Any]]) -> list[tuple[UUID, int, int | None]]:
    """Into whom a customer was known to be merged, and from which position to which, by all that was said of it."""
    intervals: list[tuple[UUID, int, int | None]] = []
    for seen, (_, position, *_) in enumerate(said, start=1):
        taken_back = {target for _, _, name, target, _ in said[:seen] if name == "customer-fact-annulled"}
        standing = [(name, into) for version, _, name, _, into in said[:seen] if version not in taken_back]
        steps = [(name, into) for name, into in standing if name != "customer-fact-annulled"]
        into = UUID(steps[-1][1]) if steps and steps[-1][0] == "customer-merged" else None
        known = intervals[-1][0] if intervals and intervals[-1][2] is None else None
        if into == known:
            continue
        if known is not None:
            intervals[-1] = (*intervals[-1][:2], position)
        if into is not None:
            intervals.append((into, position, None))
    return intervals
