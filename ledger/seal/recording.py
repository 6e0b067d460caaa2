"""Records seals and finds them again. It computes no digest and knows no projection's rows.

Two who seal the same projection at once meet in its stream: one of them records, the other finds that it is done.
"""

from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import connection as Connection

from ledger.application import BulkRequest, Ledger, Receipt
from ledger.record.envelope import opened
from ledger.record.reading import BookHead, StoredRow, head, stream_events
from ledger.recorder import VersionConflict
from ledger.seal.events import ProjectionSealed, seal_stream

PRINCIPAL = "sealer"
COMMAND = "seal-projection"


def last_seal(connection: Connection, book: str, projection: str) -> tuple[ProjectionSealed, StoredRow] | None:
    """The newest seal of a projection, with its place in the book; None where it was never sealed. Costs one row."""
    found = stream_events(
        connection, book, _stream(head(connection, book), projection), newest_first=True, events_max=1
    )
    return (_seal(found[0]), found[0]) if found else None


def seal_at(connection: Connection, book: str, projection: str, position: int) -> ProjectionSealed | None:
    """The newest seal of a projection that is of a position or an earlier one; None where there is none."""
    found = stream_events(connection, book, _stream(head(connection, book), projection), newest_first=True)
    return next((seal for seal in map(_seal, found) if seal.position <= position), None)


def record_seal(ledger: Ledger, connection: Connection, seal: ProjectionSealed) -> Receipt | None:
    """Records a seal behind those there are; None where somebody else has sealed meanwhile, at this position or later.

    The same state sealed again is answered from the record. Raises what the database says.
    """
    last = last_seal(connection, ledger.book, seal.projection)
    if last is not None and last[0].position >= seal.position and last[0].code_version == seal.code_version:
        return None
    content = f"{seal.projection}/{seal.code_version}/{seal.position}"
    request = BulkRequest(
        stream_id=seal_stream(seal.projection, ledger.id),
        events=[seal],
        principal=PRINCIPAL,
        key=f"seal/{content}",
        given=f"{content}/{seal.rows_digest}".encode(),
        command=COMMAND,
        after_version=0 if last is None else last[1].version,
    )
    [(_, result)] = ledger.record_in_bulk([request])
    if isinstance(result, VersionConflict):
        return None
    if isinstance(result, Exception):
        raise result
    return result


def _stream(at: BookHead, projection: str) -> UUID:
    return seal_stream(projection, uuid5(NAMESPACE_URL, at.origin))


def _seal(row: StoredRow) -> ProjectionSealed:
    event = opened(row).event
    assert isinstance(event, ProjectionSealed), f"{row.name} is no seal"
    return event
