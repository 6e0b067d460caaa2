"""The full, ordered, structured history of each complaint, as it was known at any position, and the way to find one.

It computes nothing: a row is an event, of the complaint's stream or of the timekeeper's about it. Personal values stand
in it as their digests only.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.complaint.events import (
    ComplaintEvent,
    ComplaintReceived,
    ComplaintRegistered,
    FactAnnulled,
    FactCorrected,
    done_by,
    happened_at,
)
from ledger.database.sql import queries
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import StoredRow
from ledger.timekeeping.events import TimekeeperEvent, came_about_at
from projections.asking import AsOf, Cursor, page_as_known, page_of
from projections.machine import Batch, Projection

_SQL = queries(__file__)

ROWS_MAX = 500
FOUND_MAX = 100

_EVENT = (
    *("book", "complaint_id", "version", "position", "name", "happened_at", "recorded_at"),
    *("done_by", "recorded_by", "command", "target_version", "details"),
)
_LINE = (
    *("position", "version", "name", "happened_at", "recorded_at", "done_by", "recorded_by", "command", "details"),
)
"""What a line is made of, in the order of the query `of`."""
_REFERENCE = ("book", "reference", "kind", "complaint_id", "position")


class HistoryFold:
    """Writes each event of a complaint as it stands, and what time brought about in it; no other subject is its matter."""

    def apply(self, batch: Batch) -> None:
        events: list[Sequence[object]] = []
        references: list[Sequence[object]] = []
        for row in batch.rows:
            recorded = opened(row)
            event = recorded.event
            if (told := _told(batch.book, row, recorded)) is not None:
                events.append(told)
            if not isinstance(event, ComplaintEvent):
                continue
            references += (
                (batch.book, reference, kind, row.stream_id, row.position) for kind, reference in _references(event)
            )
        batch.add("event", _EVENT, events)
        batch.add("reference", _REFERENCE, references)


def _told(book: str, row: StoredRow, recorded: Recorded) -> tuple[Any, ...] | None:
    """The row of an event, None where it is of no complaint."""
    event = recorded.event
    if isinstance(event, TimekeeperEvent):
        return (
            *(book, event.complaint_id, None, row.position, row.name),
            *(came_about_at(event), row.recorded_at, None),
            *(recorded.recorded_by, recorded.command, None, _details(recorded)),
        )
    if not isinstance(event, ComplaintEvent):
        return None
    return (
        *(book, row.stream_id, row.version, row.position, row.name),
        *(happened_at(event), row.recorded_at, done_by(event)),
        *(recorded.recorded_by, recorded.command, _target_version(event), _details(recorded)),
    )


PROJECTION = Projection(
    name="history",
    version=2,
    tables={
        "event": ("book", "complaint_id", "position"),
        "reference": ("book", "reference", "kind", "complaint_id", "position"),
    },
    fold=HistoryFold,
    queries=_SQL,
)


class Line(NamedTuple):
    """One event of a complaint. `details` are its fields; what was annulled or corrected says by which version.

    `version` is None where the event is about the complaint and in another stream: what time brought about.
    """

    version: int | None
    position: int
    name: str
    happened_at: datetime | None
    recorded_at: datetime
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any]
    annulled_by_version: int | None
    corrected_by_version: int | None


class History(NamedTuple):
    """A page of a complaint's history as known at `position`; no lines: no such complaint was known then."""

    book: str
    complaint_id: UUID
    position: int
    lines: tuple[Line, ...]
    next_cursor: str | None


def of(
    connection: Connection,
    book: str,
    complaint_id: UUID,
    *,
    as_of: AsOf = None,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
    schema: str | None = None,
) -> History:
    """A complaint's events in the order in which they were recorded, as known at `as_of`. Raises NotReached, BadCursor."""
    page = f"history/{complaint_id}"
    (after,) = Cursor.read(cursor, page, (int,))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    asked_for = {"complaint_id": str(complaint_id), "after": after or 0, "rows_max": rows_max + 1}
    position, found = page_as_known(
        connection, book, PROJECTION.name, _SQL["of"], asked_for, as_of=as_of, schema=schema
    )
    lines, more = page_of([_line(*row) for row in found], rows_max)
    return History(book, complaint_id, position, lines, Cursor.write(page, [lines[-1].position]) if more else None)


def of_events(book: str, complaint_id: UUID, position: int, rows: Sequence[StoredRow]) -> History:
    """A complaint's whole history made of its events themselves, in order; equal to what `of` asks the projection for."""
    told = [dict(zip(_EVENT, each, strict=True)) for row in rows if (each := _told(book, row, opened(row))) is not None]
    mended = [
        [str(each["version"]), str(each["target_version"]), each["name"]]
        for each in told
        if each["target_version"] is not None
    ]
    lines = tuple(_line(mended, *(each[name] for name in _LINE)) for each in told)
    return History(book, complaint_id, position, lines, None)


def _line(mended: list[list[str]] | None, position: int, version: int | None, *rest: Any) -> Line:
    """A fact is annulled by the first annulment that speaks of it, and corrected by the last correction before that: what
    comes after an annulment does nothing (ledger.complaint.state).
    """
    annulled_by = corrected_by = None
    for by, target, name in mended or ():
        if int(target) == version and annulled_by is None:
            if name == "fact-annulled":
                annulled_by = int(by)
            else:
                corrected_by = int(by)
    return Line._make((version, position, *rest, annulled_by, corrected_by))


def find(
    connection: Connection, book: str, named: str, *, as_of: AsOf = None, schema: str | None = None
) -> tuple[UUID, ...]:
    """The complaints that `named` may mean: an id, a reference, or somebody else's reference (which several may share)."""
    try:
        complaint_id = UUID(named)
    except ValueError:
        reference = {"reference": named, "rows_max": FOUND_MAX}
        _, found = page_as_known(connection, book, PROJECTION.name, _SQL["find"], reference, as_of=as_of, schema=schema)
        return tuple(each for (each,) in found)
    known = of(connection, book, complaint_id, as_of=as_of, rows_max=1, schema=schema)
    return (complaint_id,) if known.lines else ()


def _details(recorded: Recorded) -> dict[str, object]:
    """The fields of an event as JSON, personal values as digests."""
    return recorded.event.model_dump(mode="json", exclude_none=True)


def _target_version(event: ComplaintEvent) -> int | None:
    if isinstance(event, FactAnnulled):
        return event.annulled_version
    return event.corrected_version if isinstance(event, FactCorrected) else None


def _references(event: ComplaintEvent) -> Iterator[tuple[str, str]]:
    fact = event.fact if isinstance(event, FactCorrected) else event
    if isinstance(fact, ComplaintRegistered):
        yield "reference", fact.reference
    elif isinstance(fact, ComplaintReceived) and fact.external_reference is not None:
        yield "external", fact.external_reference
