"""Drives eventsource-py's PostgreSQL store: one event a call, each call in a stream of its own."""

import asyncio
import json
import sys
import time
from uuid import uuid4

from eventsource.adapters.postgresql import PostgreSQLEventStore
from eventsource.domain import StreamId
from eventsource.domain.event import DomainEvent
from eventsource.ports import ExpectedVersion
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine

given = json.loads(sys.argv[1])


class ContactNoted(DomainEvent):
    """About as long as ours."""

    aggregate_type: str = "complaint"
    content: str


async def main() -> None:
    url = URL.create(
        "postgresql+asyncpg",
        username=given["user"],
        database=given["dbname"],
        query={"host": given["host"], "port": given["port"]},
    )
    engine = create_async_engine(url, pool_size=given["callers"], max_overflow=8)
    store = PostgreSQLEventStore(engine, create_schema=True)
    content = "a" * (given["bytes"] - 20)
    done = 0
    began = time.perf_counter()
    until = began + given["seconds"]

    async def call() -> None:
        nonlocal done
        while time.perf_counter() < until:
            stream = uuid4()
            await store.append(
                StreamId(aggregate_id=stream, category="complaint"),
                [ContactNoted(aggregate_id=stream, aggregate_version=1, content=content)],
                ExpectedVersion.no_stream(),
            )
            done += 1

    await asyncio.gather(*(call() for _ in range(given["callers"])))
    print(json.dumps({"events_per_second": done / (time.perf_counter() - began)}))
    await engine.dispose()


asyncio.run(main())
