"""Whose the vault's values are: a person's, or the institution's own texts. It opens no value and records nothing.

The vault keeps texts of the institution too (of an audit finding, a leak, a risk), each under the id of its own stream.
Those are nobody's to have erased.
"""

from functools import cache
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.event import personal_fields
from ledger.given import HeldUnder
from ledger.names import STORED_NAMES, class_of
from ledger.record.reading import stream_events
from ledger.subjects import SUBJECTS

PERSONS = frozenset({"customer_id", "representative_id", "person_id"})
"""The fields of events that name a person; a personal value that is held under another is a text of the institution's."""

_SQL = queries(__file__)


@cache
def institutional() -> frozenset[str]:
    """The subjects whose texts are held under their own id, and not under that of a person."""
    keeping = [
        event
        for event in STORED_NAMES.values()
        if any(held.subject not in PERSONS for _, held in personal_fields(event))
    ]
    return frozenset(each.name for each in SUBJECTS if any(issubclass(event, each.events) for event in keeping))


def held_under(connection: Connection, book: str, subject_id: UUID) -> HeldUnder:
    """What is kept under an id, as the application reads it. Costs two reads."""
    first = stream_events(connection, book, subject_id, events_max=1)
    for subject in SUBJECTS:
        if first and subject.name in institutional() and issubclass(class_of(first[0].name), subject.events):
            return HeldUnder(of_institution=subject.name)
    with connection.cursor() as cursor:
        cursor.execute(_SQL["keeps_values_of"], {"book": book, "subject_id": str(subject_id)})
        ((values,),) = cursor.fetchall()
    return HeldUnder(values=values)
