"""Complaints' events for exports and audit samples, in constant memory and in short statements; reads only.

A row tells an event as the history does: personal values are digests. Nothing is written here.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintEvent, done_by, happened_at
from ledger.complaint.stages import stage_of
from ledger.database.sql import queries
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow

STREAMS_PER_PAGE = 200
SAMPLE_MAX = 10_000

_QUERIES = queries(__file__)


class Fact(NamedTuple):
    """One event of a complaint. `happened_at` is stated in it, `recorded_at` is the book's; `details` are its fields.

    `stage` is the stage of the manuals' process that the event is of, in English and Chinese.
    """

    position: int
    recorded_at: datetime
    complaint_id: UUID
    version: int
    name: str
    stage: str
    happened_at: datetime | None
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any]


def complaints_facts(connection: Connection, book: str, upto: int) -> Iterator[list[Fact]]:
    """Each complaint's facts up to a position, one complaint after the other, in the order of their random ids."""
    after = UUID(int=0)
    while page := _rows(connection, "complaints", book, after=after, upto=upto, streams_max=STREAMS_PER_PAGE):
        streams = [stream for (stream,) in page]
        facts: list[Fact] = []
        for row in _rows(connection, "facts", book, streams=streams, upto=upto):
            fact = _fact(StoredRow(row[0], row[1], row[2], row[3], bytes(row[4]), row[5]))
            if fact is None:
                continue
            if facts and facts[-1].complaint_id != fact.complaint_id:
                yield facts
                facts = []
            facts.append(fact)
        if facts:
            yield facts
        after = streams[-1]


def sample(connection: Connection, book: str, upto: int, seed: str, complaints_max: int) -> list[UUID]:
    """Complaints received up to a position, drawn by a seed: those whose SHA-256 of `seed id` are the smallest.

    Whoever has the list of entries draws the same with `sha256sum`; a larger sample holds the smaller one.
    """
    asked = {"seed": seed, "upto": upto, "complaints_max": min(complaints_max, SAMPLE_MAX)}
    return [stream for (stream,) in _rows(connection, "sample", book, **asked)]


@cache
def stage_label(name: str) -> str:
    """The stage of a complaint's stored name, as an export calls it."""
    stage = stage_of(name)
    return f"{stage.en} {stage.zh}"


def _fact(row: StoredRow) -> Fact | None:
    """None for an event of another subject, which may share a page of streams."""
    recorded = opened(row)
    if not isinstance(recorded.event, ComplaintEvent):
        return None
    return Fact(
        row.position,
        row.recorded_at,
        row.stream_id,
        row.version,
        row.name,
        stage_label(row.name),
        happened_at(recorded.event),
        done_by(recorded.event),
        recorded.recorded_by,
        recorded.command,
        orjson.loads(row.state)["event"],
    )


def _rows(connection: Connection, query: str, book: str, **parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"book": book, **parameters})
        return cursor.fetchall()
