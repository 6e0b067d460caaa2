"""Complaints' events for exports and audit samples, in constant memory and in short statements; reads only.

A row tells an event as the history does: personal values are digests, and what time brought about in a complaint stands among
its events. Nothing is written here.
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
from ledger.proof.deadlines import deadlines_of
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stored_rows
from ledger.timekeeping.events import TimekeeperEvent, came_about_at

STREAMS_PER_PAGE = 200
SAMPLE_MAX = 10_000

TIME_LABEL = "Time limits 时效"
"""Beside the stages of the manuals' process: what nobody did."""

_QUERIES = queries(__file__)


class Fact(NamedTuple):
    """One event of a complaint. `happened_at` is stated in it, `recorded_at` is the book's; `details` are its fields.

    `stage` is the stage of the manuals' process that the event is of, in English and Chinese. An event that time brought about
    has no version among the complaint's, and nobody did it.
    """

    position: int
    recorded_at: datetime
    complaint_id: UUID
    version: int | None
    name: str
    stage: str
    happened_at: datetime | None
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any]


def complaints_facts(connection: Connection, book: str, upto: int) -> Iterator[list[Fact]]:
    """Each complaint's facts up to a position, one complaint after the other, in the order of their ids."""
    after = UUID(int=0)
    while page := _rows(connection, "complaints", book, after=after, upto=upto, streams_max=STREAMS_PER_PAGE):
        streams = [stream for (stream,) in page]
        facts: dict[UUID, list[Fact]] = {stream: [] for stream in streams}
        for stored in stored_rows(_rows(connection, "facts", book, streams=streams, upto=upto)):
            facts[stored.stream_id].append(_fact(stored.stream_id, stored))
        for complaint, stored in deadlines_of(connection, book, streams, upto):
            facts[complaint].append(_fact(complaint, stored))
        for each in facts.values():
            yield sorted(each)
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


def _fact(complaint_id: UUID, row: StoredRow) -> Fact:
    recorded = opened(row)
    event = recorded.event
    version: int | None = None
    stage, happened, by = TIME_LABEL, None, None
    if isinstance(event, TimekeeperEvent):
        happened = came_about_at(event)
    else:
        assert isinstance(event, ComplaintEvent), f"{row.name} stands in a stream of a complaint"
        version, stage, happened, by = row.version, stage_label(row.name), happened_at(event), done_by(event)
    return Fact(
        row.position,
        row.recorded_at,
        complaint_id,
        version,
        row.name,
        stage,
        happened,
        by,
        recorded.recorded_by,
        recorded.command,
        orjson.loads(row.state)["event"],
    )


def _rows(connection: Connection, query: str, book: str, **parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"book": book, **parameters})
        return cursor.fetchall()
