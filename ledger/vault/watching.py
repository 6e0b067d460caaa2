"""Who saw the values of a data subject: answered from the record alone; no value is opened."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access.events import EvidenceFileSeen, PersonalDataSeen
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.record.digests import Digest, digests_of
from ledger.record.envelope import opened
from ledger.record.plans import plans
from ledger.record.reading import stream_events

FILE_PATH = "file"
"""What a file of evidence is called in a look."""


class Seen(NamedTuple):
    """One look. A file of evidence stands in it as the path `file`, by its id; it was seen whole.

    A field of which one value was in clear and another masked, as after a correction, is in `revealed_paths` and in
    `masked_paths`.
    """

    position: int
    complaint_id: UUID
    paths: list[str]
    revealed: int
    revealed_paths: list[str]
    masked_paths: list[str]
    purpose: str
    request_id: UUID | None
    seen_by: str
    seen_at: datetime
    file_id: UUID | None = None


def who_saw(ledger: Ledger, subject_id: UUID) -> list[Seen]:
    """The looks at a data subject, the earliest first, each told for ever as it was: what was recorded after it counts not.

    Costs one read of its stream, and one of each complaint whose values were seen in clear: a look holds what was in
    clear by digest, and only the event that holds the value says which field a digest is of.
    """
    with ledger.record.pool.connection() as connection:
        rows = list(stream_events(connection, ledger.book, subject_stream(ledger.id, subject_id)))
        told = [(row.position, opened(row).event) for row in rows]
        looks = [(at, look) for at, look in told if isinstance(look, PersonalDataSeen | EvidenceFileSeen)]
        revealing = {look.complaint_id for _, look in looks if isinstance(look, PersonalDataSeen) and look.revealed}
        held = {complaint_id: _held(connection, ledger.book, complaint_id) for complaint_id in revealing}
    return [
        _file_seen(position, look)
        if isinstance(look, EvidenceFileSeen)
        else _values_seen(position, look, _paths_at(position, look, held.get(look.complaint_id, ())))
        for position, look in looks
    ]


def _held(connection: Connection, book: str, stream_id: UUID) -> list[Digest]:
    """The digests in a stream, the earliest first; an erasure leaves them in the events."""
    rows = stream_events(connection, book, stream_id)
    return [each for row in rows for each in digests_of(plans(), row.position, row.name, row.state)]


def _paths_at(position: int, look: PersonalDataSeen, held: Sequence[Digest]) -> dict[str, str]:
    """The field of each digest of a look, as it was called there.

    A proposal and a correction carry a digest along under another path (`fact.customer_name`). A look at one event alone may
    be at that one: it is told by the paths that the look itself states, and among them the earliest names the value.
    """
    before = [each for each in held if each.position < position and each.path in look.paths]
    return {each.digest: each.path for each in reversed(before)}


def _values_seen(position: int, look: PersonalDataSeen, path_of: Mapping[str, str]) -> Seen:
    masked = set(look.digests) - set(look.revealed)
    return Seen(
        position=position,
        complaint_id=look.complaint_id,
        paths=list(look.paths),
        revealed=len(look.revealed),
        revealed_paths=_each_once(path_of.get(each, each) for each in look.revealed),
        masked_paths=_each_once(path_of.get(each, each) for each in look.digests if each in masked)
        if look.revealed
        else list(look.paths),
        purpose=look.purpose,
        request_id=look.request_id,
        seen_by=look.seen_by,
        seen_at=look.seen_at,
    )


def _file_seen(position: int, look: EvidenceFileSeen) -> Seen:
    return Seen(
        position=position,
        complaint_id=look.complaint_id,
        paths=[FILE_PATH],
        revealed=1,
        revealed_paths=[FILE_PATH],
        masked_paths=[],
        purpose=look.purpose,
        request_id=look.request_id,
        seen_by=look.seen_by,
        seen_at=look.seen_at,
        file_id=look.file_id,
    )


def _each_once(paths: Iterable[str]) -> list[str]:
    """A field may hold several values, of a correction for one."""
    return list(dict.fromkeys(paths))
