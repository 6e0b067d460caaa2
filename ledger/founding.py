"""What a book begins with: the policies that the program brings along, published in full. It opens no book.

No key of the vault is asked for, because no policy holds a personal value: whoever opens a book may have none.
"""

import hashlib
from collections.abc import Collection
from contextlib import closing
from datetime import datetime

from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.names import NAME_OF
from ledger.policy.built_in import IN_FORCE, built_in_policies, policies_stream
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.book import book_id
from ledger.record.envelope import Recorded
from ledger.record.reading import head, stream_events

FOUNDER = "complaint-ledger"
"""Who publishes what is built in: the program itself."""

KEY = "founding"
COMMAND = "found-book"


def is_founded(connection: Connection, book: str) -> bool:
    """Whether the book has policies of its own; raises NoSuchBook. Costs one look into one stream."""
    stream_id = policies_stream(book_id(head(connection, book).origin))
    return bool(stream_events(connection, book, stream_id, events_max=1))


def found(database: Database, book: str, now: datetime, in_force: Collection[str] = IN_FORCE) -> None:
    """Publishes every built-in calendar and regime, those `in_force` as always in force; once, whoever else does it too.

    In a book that has complaints already, it changes no deadline as long as `in_force` is the default: by that the
    book went before.
    """
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        stream_id = policies_stream(book_id(head(connection, book).origin))
    envelopes = [
        Recorded(stream_id, version, event, FOUNDER, COMMAND)
        for version, event in enumerate(built_in_policies(FOUNDER, now, in_force), start=1)
    ]
    request = Request(
        [NewEvent(stream_id, each.originator_version, NAME_OF[type(each.event)], each.state()) for each in envelopes],
        principal=FOUNDER,
        key=KEY,
        fingerprint=hashlib.sha256(COMMAND.encode()).digest(),
        stream_id=stream_id,
        version=len(envelopes),
    )
    with closing(Appender(lambda: database.connect(Role.APPLICATION, autocommit=True), book)) as appender:
        ((_, outcome),) = appender.append_all([request])
    if isinstance(outcome, Exception):
        raise outcome
