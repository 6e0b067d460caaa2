"""Who saw the values of a data subject: answered from the record alone; no value is opened."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access.events import EvidenceFileSeen, PersonalDataSeen
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.record.digests import digests_of
from ledger.record.envelope import opened
from ledger.record.plans import plans
from ledger.record.reading import stream_events

FILE_PATH = "file"
"""What a file of evidence is called in a look."""


class Seen(NamedTuple):
    """One look. A file of evidence stands in it as the path `file`, by its id; it was seen whole."""

    position: int
    complaint_id: UUID
    paths: list[str]
    revealed: int
    revealed_paths: list[str]
    purpose: str
    request_id: UUID | None
    seen_by: str
    seen_at: datetime
    file_id: UUID | None = None


def who_saw(ledger: Ledger, subject_id: UUID) -> list[Seen]:
    """The looks at a data subject, the earliest first.

    Costs one read of its stream, and one of each complaint whose values were seen in clear: a look holds what was in
    clear by digest, and only the event that holds the value says which field a digest is of.
    """
    with ledger.record.pool.connection() as connection:
        rows = list(stream_events(connection, ledger.book, subject_stream(ledger.id, subject_id)))
        told = [(row.position, opened(row).event) for row in rows]
        looks = [(at, look) for at, look in told if isinstance(look, PersonalDataSeen | EvidenceFileSeen)]
        revealing = {look.complaint_id for _, look in looks if isinstance(look, PersonalDataSeen) and look.revealed}
        paths: dict[str, str] = {}
        for complaint_id in revealing:
            paths |= _paths_of(connection, ledger.book, complaint_id)
    return [_seen(position, look, paths) for position, look in looks]


def _paths_of(connection: Connection, book: str, stream_id: UUID) -> dict[str, str]:
    """The field of each digest in a stream; an erasure leaves both in the events."""
    rows = stream_events(connection, book, stream_id)
    return {each.digest: each.path for row in rows for each in digests_of(plans(), row.position, row.name, row.state)}


def _seen(position: int, look: PersonalDataSeen | EvidenceFileSeen, path_of: Mapping[str, str]) -> Seen:
    values = look if isinstance(look, PersonalDataSeen) else None
    return Seen(
        position=position,
        complaint_id=look.complaint_id,
        paths=[FILE_PATH] if values is None else list(values.paths),
        revealed=1 if values is None else len(values.revealed),
        revealed_paths=[FILE_PATH]
        if values is None
        else _each_once(path_of.get(each, each) for each in values.revealed),
        purpose=look.purpose,
        request_id=look.request_id,
        seen_by=look.seen_by,
        seen_at=look.seen_at,
        file_id=look.file_id if isinstance(look, EvidenceFileSeen) else None,
    )


def _each_once(paths: Iterable[str]) -> list[str]:
    """A field may hold several values, of a correction for one."""
    return list(dict.fromkeys(paths))
