"""The feed for other systems: events from a position on, as CloudEvents in JSON, by page and as server-sent events.

What is personal is left out, its digests too. A reader resumes behind the last position that it has kept; one that kept a
position that the book does not have is told so: it reads another book, or one that was restored from a backup.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from psycopg2.extensions import connection as Connection

from api.asking import Asker, only_known_parameters
from api.description import question_description
from api.feed_answers import Feed
from ledger.event import Event, personal_fields
from ledger.moment import written
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, events_after, head
from projections.asking import BeyondTheBook, within_the_book

BATCH = "application/cloudevents-batch+json"
EVENTS_MAX = 1_000
POLL_SECONDS = 0.25
BEAT_SECONDS = 10.0
STREAM_SECONDS_MAX = 300.0
"""A stream ends after so long, and its reader comes back with the id of the last event, as the standard asks."""

After = Annotated[int, Query(ge=0, lt=2**62, description="Events behind this position.")]


def router(asker: Asker) -> APIRouter:
    """The feed of a book."""
    routes = APIRouter(default_response_class=Response, dependencies=[Depends(only_known_parameters)])
    described = question_description(Feed, BeyondTheBook)
    described["responses"][200]["content"] = {BATCH: described["responses"][200]["content"]["application/json"]}

    @routes.get("/feed", **described)
    async def feed(after: After = 0, limit: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = 100) -> Response:
        """A batch of events as CloudEvents; ask again behind the last `ledgerposition`. An empty batch: nothing new yet."""
        found = await asker.ask(_page, after, limit)
        last = after + len(found)
        return Response(orjson.dumps(found), 200, {"Ledger-Position": str(last)}, BATCH)

    @routes.get("/feed/stream", include_in_schema=False)
    async def feed_stream(
        request: Request,
        after: After = 0,
        last_event_id: Annotated[int | None, Header(ge=0, lt=2**62, alias="Last-Event-ID")] = None,
    ) -> Response:
        """The same as server-sent events, as they come; `Last-Event-ID` resumes."""
        begin = after if last_event_id is None else last_event_id
        await asker.ask(within_the_book, begin)
        return StreamingResponse(_stream(asker, request, begin), media_type="text/event-stream")

    return routes


async def _stream(asker: Asker, request: Request, after: int) -> AsyncIterator[bytes]:
    until = time.monotonic() + STREAM_SECONDS_MAX
    beat = time.monotonic()
    yield b": the feed of a book\n\n"
    while time.monotonic() < until and not await request.is_disconnected():
        found = await asker.ask(_page, after, EVENTS_MAX)
        for event in found:
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (
                event["ledgerposition"],
                event["type"].encode(),
                orjson.dumps(event),
            )
        after += len(found)
        if found:
            beat = time.monotonic()
            continue
        if time.monotonic() - beat > BEAT_SECONDS:
            beat = time.monotonic()
            yield b": still here\n\n"
        await asyncio.sleep(POLL_SECONDS)


def _page(connection: Connection, book: str, after: int, events_max: int) -> list[dict[str, Any]]:
    at = head(connection, book)
    if after > at.size:
        raise BeyondTheBook(book, after, at.size)
    return [cloud_event(row, at.origin) for row in events_after(connection, book, after, events_max)]


def cloud_event(row: StoredRow, origin: str) -> dict[str, Any]:
    """An event in the JSON form of CloudEvents 1.0; positions have no gaps, so its id is its position."""
    event = opened(row).event
    return {
        "specversion": "1.0",
        "id": str(row.position),
        "source": f"/{origin}",
        "type": f"complaint-ledger.{row.name}",
        "subject": str(row.stream_id),
        "time": written(row.recorded_at),
        "datacontenttype": "application/json",
        "ledgerposition": row.position,
        "ledgerversion": row.version,
        "data": _without_personal(event),
    }


def _without_personal(event: Event) -> dict[str, Any]:
    shown = event.model_dump(mode="json", exclude=set(_personal(type(event))), exclude_none=True)
    fact = getattr(event, "fact", None)
    if isinstance(fact, Event):
        shown["fact"] = _without_personal(fact)
    return shown


@cache
def _personal(event: type[Event]) -> Sequence[str]:
    return tuple(name for name, _ in personal_fields(event))
