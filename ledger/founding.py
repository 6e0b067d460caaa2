"""What a book begins with: the policies and code tables that the program brings along, published in full. It opens no book.

No key of the vault is asked for, because neither holds a personal value: whoever opens a book may have none.
"""

import hashlib
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Event
from ledger.names import NAME_OF
from ledger.policy.built_in import IN_FORCE, built_in_policies, policies_stream
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.book import book_id
from ledger.record.envelope import Recorded
from ledger.record.reading import head, stream_events
from ledger.tables.built_in import built_in_codes, tables_stream

FOUNDER = "complaint-ledger"
"""Who publishes what is built in: the program itself."""

KEY = "founding"
TABLES_KEY = "founding-tables"
COMMAND = "found-book"


def is_founded(connection: Connection, book: str) -> bool:
    """Whether the book has policies and tables of its own; raises NoSuchBook. Costs one look into each of two streams."""
    return all(_begun(connection, book, stream) for stream in _streams(connection, book))


def found(database: Database, book: str, now: datetime, in_force: Collection[str] = IN_FORCE) -> None:
    """Publishes every built-in calendar, regime and code table, the regimes `in_force` as always in force.

    Once, whoever else does it too; what the book has published already stays as it is. In a book that has complaints
    already, it changes no deadline and no label as long as `in_force` is the default: by that the book went before.
    """
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        policies, tables = _streams(connection, book)
        missing = {stream for stream in (policies, tables) if not _begun(connection, book, stream)}
    wanted: list[tuple[UUID, str, Sequence[Event]]] = [
        (policies, KEY, built_in_policies(FOUNDER, now, in_force)),
        (tables, TABLES_KEY, [built_in_codes(FOUNDER, now)]),
    ]
    requests = [_request(stream, key, events) for stream, key, events in wanted if stream in missing]
    with closing(Appender(lambda: database.connect(Role.APPLICATION, autocommit=True), book)) as appender:
        for _, outcome in appender.append_all(requests):
            if isinstance(outcome, Exception):
                raise outcome


def _streams(connection: Connection, book: str) -> tuple[UUID, UUID]:
    of_book = book_id(head(connection, book).origin)
    return policies_stream(of_book), tables_stream(of_book)


def _begun(connection: Connection, book: str, stream_id: UUID) -> bool:
    return bool(stream_events(connection, book, stream_id, events_max=1))


def _request(stream_id: UUID, key: str, events: Sequence[Event]) -> Request:
    envelopes = [Recorded(stream_id, version, event, FOUNDER, COMMAND) for version, event in enumerate(events, start=1)]
    return Request(
        [NewEvent(stream_id, each.originator_version, NAME_OF[type(each.event)], each.state()) for each in envelopes],
        principal=FOUNDER,
        key=key,
        fingerprint=hashlib.sha256(COMMAND.encode()).digest(),
        stream_id=stream_id,
        version=len(envelopes),
    )
