"""Who saw the values of a data subject: answered from the record alone; no value is opened."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ledger.access.events import EvidenceFileSeen, PersonalDataSeen
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.record.envelope import opened
from ledger.record.reading import stream_events

FILE_PATH = "file"
"""What a file of evidence is called in a look."""


class Seen(NamedTuple):
    """One look. A file of evidence stands in it as the path `file`, by its id; it was seen whole."""

    position: int
    complaint_id: UUID
    paths: list[str]
    revealed: int
    purpose: str
    request_id: UUID | None
    seen_by: str
    seen_at: datetime
    file_id: UUID | None = None


def who_saw(ledger: Ledger, subject_id: UUID) -> list[Seen]:
    """The looks at a data subject, the earliest first. Costs one read of its stream."""
    with ledger.record.pool.connection() as connection:
        rows = list(stream_events(connection, ledger.book, subject_stream(ledger.id, subject_id)))
    told = [(row.position, opened(row).event) for row in rows]
    return [_seen(position, look) for position, look in told if isinstance(look, PersonalDataSeen | EvidenceFileSeen)]


def _seen(position: int, look: PersonalDataSeen | EvidenceFileSeen) -> Seen:
    values = look if isinstance(look, PersonalDataSeen) else None
    return Seen(
        position=position,
        complaint_id=look.complaint_id,
        paths=[FILE_PATH] if values is None else list(values.paths),
        revealed=1 if values is None else len(values.revealed),
        purpose=look.purpose,
        request_id=look.request_id,
        seen_by=look.seen_by,
        seen_at=look.seen_at,
        file_id=look.file_id if isinstance(look, EvidenceFileSeen) else None,
    )
