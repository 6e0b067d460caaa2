"""Holds the files that events name against what is stored of them, as part of a verification. Shows no content.

A file's row and pieces are no part of the tree; its digest and its data subject are, in the event by which it was provided.
An erasure takes row and pieces away, and is an event too: a file that is gone without one is a difference.
"""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson

from ledger.database.sql import queries
from ledger.record.problems import Files, Found, Kind
from ledger.record.values import Where, erased_by_record
from ledger.record.vault_row import uuids

if TYPE_CHECKING:
    from ledger.vault.keys import SubjectKeys

EVENTS_PER_PAGE = 5_000

_QUERIES = queries(__file__)


class _Provided(NamedTuple):
    """A file as its event names it; ids as text."""

    position: int
    complaint_id: str
    subject_id: str
    file_id: str
    digest: str
    size_bytes: int
    content_type: str


class _Stored(NamedTuple):
    """What is stored of a file, without its content; ids as text."""

    file_id: str
    complaint_id: str
    subject_id: str
    digest: str
    size_bytes: int
    content_type: str
    pieces: int
    pieces_stored: int
    bytes_stored: int
    in_order: bool


def check_files(where: Where, size: int, keys: "SubjectKeys | None", found: Found) -> Files:
    """Every recorded file has its row and its pieces, whole in number and size; with keys, its content has its digest.

    One pass over the book's events, an index's look a file, and with keys the reading of all content, in the memory of
    one piece. Without keys a byte that was changed and not added or taken away is not seen.
    """
    opened = unopened = erased = 0
    for after in range(0, size, EVENTS_PER_PAGE):
        provided = list(_provided(where, after, min(after + EVENTS_PER_PAGE, size)))
        stored = _stored(where, provided)
        gone = _erased(where, [file.subject_id for file in provided if file.file_id not in stored])
        for file in provided:
            held = stored.get(file.file_id)
            wrong = "is not stored, and no erasure is known" if held is None else _difference(file, held)
            if held is None and file.subject_id in gone:
                erased += 1
            elif held is None or wrong is not None:
                found.add(file.position, Kind.FILE, f"the file {file.file_id} {wrong}")
            elif keys is None:
                unopened += 1
            else:
                opened += 1
                _check_content(where, file, held, keys, found)
    return Files(opened, unopened, erased)


def _erased(where: Where, subjects: list[str]) -> set[str]:
    """Those of these data subjects of which the record says that they were erased."""
    return {str(each) for each in erased_by_record(where, uuids(subjects).values())} if subjects else set()


def _provided(where: Where, after: int, last: int) -> Iterator[_Provided]:
    """The files that the events of a stretch name; an event that cannot be read is told of where entries are compared."""
    for position, stream_id, state in _rows(where, "files_provided", after=after, last=last):
        try:
            event = orjson.loads(bytes(state))["event"]
            if event.get("file_id") is None:
                continue  # a file that is kept elsewhere
            yield _Provided(
                position,
                stream_id,
                str(UUID(event["customer_id"])),
                str(UUID(event["file_id"])),
                event["file_digest"],
                event["size_bytes"],
                event["content_type"],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _stored(where: Where, provided: list[_Provided]) -> dict[str, _Stored]:
    if not provided:
        return {}
    rows = _rows(where, "files_told", file_ids=[file.file_id for file in provided])
    return {row[0]: _Stored(*row) for row in rows}


def _difference(file: _Provided, held: _Stored) -> str | None:
    """What does not agree with the event; None where all does."""
    from ledger.evidence.store import stored_bytes  # noqa: PLC0415 - it brings the ciphers: only where there are files

    if (held.complaint_id, held.subject_id, held.digest, held.size_bytes, held.content_type) != (
        file.complaint_id,
        file.subject_id,
        file.digest,
        file.size_bytes,
        file.content_type,
    ):
        return "is noted with another complaint, data subject, digest, size or type than its event states"
    pieces, all_bytes = stored_bytes(file.size_bytes)
    if (held.pieces, held.pieces_stored) != (pieces, pieces) or not held.in_order:
        return f"has {held.pieces_stored} pieces stored and needs {pieces}, each of its length"
    if held.bytes_stored != all_bytes:
        return f"has {held.bytes_stored:,} bytes stored and needs {all_bytes:,}"
    return None


def _check_content(where: Where, file: _Provided, held: _Stored, keys: "SubjectKeys", found: Found) -> None:
    from ledger.evidence.store import FileBroken, opened_piece, piece_cipher  # noqa: PLC0415 - as above

    subject_id, file_id = UUID(file.subject_id), UUID(file.file_id)
    key = keys.held([subject_id]).get(subject_id)
    if key is None:
        found.add(file.position, Kind.FILE, f"the file {file_id} is stored, and there is no key for its data subject")
        return
    cipher = piece_cipher(key, file_id)
    digest = hashlib.sha256()
    try:
        for number in range(held.pieces):
            ((piece,),) = _rows(where, "piece", file_id=file.file_id, number=number)
            digest.update(opened_piece(cipher, number, held.pieces, piece, file_id))
    except FileBroken as broken:
        found.add(file.position, Kind.FILE, str(broken))
        return
    if digest.hexdigest() != file.digest:
        found.add(file.position, Kind.FILE, f"the file {file_id} has another digest than its event states")


def _rows(where: Where, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    with where.connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"book": where.book, **parameters})
        return cursor.fetchall()
