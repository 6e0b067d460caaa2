"""Which of the vault's data subjects are persons, and whose affair they are. It opens no value and records nothing.

The vault keeps texts of the institution too (of an audit finding, a leak, a risk), each under the id of its own stream.
Those are nobody's to have erased.
"""

from functools import cache
from uuid import UUID

from ledger.access.refusals import NoPerson, NoSuchPerson
from ledger.access.rules import DataSubject, subject_stream
from ledger.application import Ledger
from ledger.database.sql import queries
from ledger.event import personal_fields
from ledger.names import STORED_NAMES, class_of
from ledger.record.reading import stream_events
from ledger.subjects import SUBJECTS
from ledger.vault.service import Vault

STREAMS_MAX = 10_000
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


def refuse_no_person(ledger: Ledger, vault: Vault, subject_id: UUID) -> None:
    """Raises NoPerson for an id under which the institution keeps texts, and NoSuchPerson for one of whom nothing was kept.

    Costs two reads. Who was erased is known still.
    """
    with ledger.record.pool.connection() as connection:
        first = stream_events(connection, ledger.book, subject_id, events_max=1)
    for subject in SUBJECTS:
        if first and subject.name in institutional() and issubclass(class_of(first[0].name), subject.events):
            raise NoPerson(subject_id, subject.name)
    state: DataSubject = ledger.state("data-subject", subject_stream(ledger.id, subject_id))[0]
    if state.erased_at is None and not streams_of(ledger, vault, subject_id):
        raise NoSuchPerson(subject_id)


def streams_of(ledger: Ledger, vault: Vault, subject_id: UUID) -> list[UUID]:
    """The streams in which a data subject has values."""
    asked = {"book": ledger.book, "subject_id": str(subject_id), "most": STREAMS_MAX}
    with vault.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL["streams_of_subject"], asked)
        return [each for (each,) in cursor.fetchall()]
