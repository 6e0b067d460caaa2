"""The events of complaints' deadlines as they are stored, for what is handed out: the record is asked, and no projection."""

from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.record.reading import StoredRow, stored_rows
from ledger.timekeeping.streams import deadline_streams

COMPLAINTS_PER_QUESTION = 200
EVENTS_PER_COMPLAINT_MAX = 1_000

_QUERIES = queries(__file__)


def deadlines_of(
    connection: Connection, book: str, complaints: Sequence[UUID], upto: int
) -> Iterator[tuple[UUID, StoredRow]]:
    """What time brought about in these complaints up to a position, each with its complaint. Costs an index's look a complaint."""
    for start in range(0, len(complaints), COMPLAINTS_PER_QUESTION):
        asked = complaints[start : start + COMPLAINTS_PER_QUESTION]
        streams = [deadline_streams(each) for each in asked]
        parameters = {
            "book": book,
            "complaints": [str(each) for each in asked],
            "firsts": [str(each.first) for each in streams],
            "lasts": [str(each.last) for each in streams],
            "upto": upto,
            "events_max": EVENTS_PER_COMPLAINT_MAX + 1,
        }
        with connection.cursor() as cursor:
            cursor.execute(_QUERIES["deadlines"], parameters)
            rows = cursor.fetchall()
        most = max(Counter(row[0] for row in rows).values(), default=0)
        assert most <= EVENTS_PER_COMPLAINT_MAX, "no complaint has a thousand deadlines"
        yield from zip((row[0] for row in rows), stored_rows(row[1:] for row in rows), strict=True)
