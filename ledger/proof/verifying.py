"""What a verified tree has to agree with: the checkpoints that the book keeps, and one that an auditor brings. Reads only."""

from collections.abc import Iterator, Sequence
from functools import partial
from heapq import merge
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate
from psycopg2.extensions import connection as Connection

from ledger.attesting.keys import KeyInForce
from ledger.database.sql import queries
from ledger.names import UnknownStoredName
from ledger.proof.checkpoint import Checkpoint, check_cosignature, checkpoint_in
from ledger.proof.checkpoints import trusted_by_book, verifier_keys
from ledger.proof.keeping import SigningFolder
from ledger.proof.note import Note, NoteMalformed, SignatureWrong, VerifierKey, signature_lines
from ledger.proof.time_stamp import TimeStampWrong, check_time_stamp
from ledger.record.growing import Signed
from ledger.record.problems import Found, Kind
from ledger.record.reading import NoSuchBook
from ledger.record.verify import SignedOf

CHECKPOINTS_PER_PAGE = 500
TIME_STAMPS_PER_PAGE = 100

BROUGHT = "the checkpoint that was brought"
LAST = "the last signed checkpoint, beside the key"

_QUERIES = queries(__file__)


def signed_checkpoints(
    brought: Checkpoint | None = None, keys_folder: Path | None = None, authorities: Sequence[Certificate] = ()
) -> SignedOf:
    """The checkpoints that are kept, by size, and among them the one brought; for `ledger.record.verify.verify`.

    With the folder of the keys also the last that was signed, which lies beside the signing key. The signature of the one
    brought was checked by whoever read it: its key must come from outside. Time stamps are held against their checkpoints, and
    where authorities are named have to be theirs. Raises SigningKeyUnusable.
    """
    return partial(_signed, brought, keys_folder, authorities)


def _signed(
    brought: Checkpoint | None,
    keys_folder: Path | None,
    authorities: Sequence[Certificate],
    connection: Connection,
    book: str,
    found: Found,
) -> Iterator[Signed]:
    """What lies outside is read at once, before the book's size is: appends may go on, and sign for more."""
    outside = []
    if brought is not None:
        _compare_origin(connection, book, brought, found)
        outside.append(Signed(brought.size, brought.root, BROUGHT))
    rows = _rows(connection, "origin", book) if keys_folder is not None else []
    last = SigningFolder(keys_folder, book, rows[0][0]).last() if keys_folder is not None and rows else None
    kept = _kept(connection, book, authorities, found)
    if last is None:
        return merge(outside, kept, key=_size)
    return merge(outside, _once(Signed(last[0].size, last[0].root, LAST), kept), key=_size)


def _once(last: Signed, kept: Iterator[Signed]) -> Iterator[Signed]:
    """The last that was signed in its place among those kept, where it is not one of them: each counts once."""
    waits = True
    for each in kept:
        if waits and each.size >= last.size:
            waits = False
            if (each.size, each.root) != (last.size, last.root):
                yield last
        yield each
    if waits:
        yield last


def _size(signed: Signed) -> int:
    return signed.size


def _compare_origin(connection: Connection, book: str, brought: Checkpoint, found: Found) -> None:
    rows = _rows(connection, "origin", book)
    if rows and rows[0][0] != brought.origin:
        found.add(None, Kind.CHECKPOINT, f"{BROUGHT} is of the origin {brought.origin}, and the book's is {rows[0][0]}")


def _kept(connection: Connection, book: str, authorities: Sequence[Certificate], found: Found) -> Iterator[Signed]:
    """Each with its signature and its cosignatures checked; then all time stamps."""
    keys = _keys(connection, book, found)
    after = 0
    while page := _rows(connection, "kept", book, after=after, checkpoints_max=CHECKPOINTS_PER_PAGE):
        for size, root, note, cosignatures in page:
            _check_signature(size, bytes(root), note, keys, found)
            _check_cosignatures(size, note, cosignatures, found)
            yield Signed(size, bytes(root), f"the checkpoint of size {size}")
            after = size
    _check_time_stamps(connection, book, authorities, found)


def _keys(connection: Connection, book: str, found: Found) -> tuple[KeyInForce, ...]:
    """The keys that the book names; a changed event may be no key at all."""
    try:
        return verifier_keys(connection, book)
    except NoSuchBook:
        return ()  # a book whose end is lost; the verification says so itself
    except (UnknownStoredName, ValueError, AssertionError) as unread:
        found.add(None, Kind.CHECKPOINT, f"the book's verifier keys cannot be read: {str(unread).splitlines()[0]}")
        return ()


def _check_signature(size: int, root: bytes, note: str, keys: tuple[KeyInForce, ...], found: Found) -> None:
    try:
        checkpoint = checkpoint_in(Note.read(note.encode()), trusted_by_book(keys, size))
    except (NoteMalformed, SignatureWrong) as wrong:
        found.add(None, Kind.CHECKPOINT, f"the checkpoint of size {size} is not one: {wrong}")
        return
    if (checkpoint.size, checkpoint.root) != (size, root):
        found.add(None, Kind.CHECKPOINT, f"the checkpoint of size {size} is kept beside another size or root")


def _check_cosignatures(size: int, note: str, cosignatures: list[tuple[str, str, object]], found: Found) -> None:
    """Each line under its text, and the time that is kept beside it, in seconds since 1970."""
    text = note.rpartition("\n\n")[0] + "\n"
    for written, line, kept_at in cosignatures:
        wrong: object = None
        try:
            (signature,) = signature_lines(line)
            if check_cosignature(text, signature, VerifierKey.read(written)) != kept_at:
                wrong = "it is kept beside another time than it states"
        except (NoteMalformed, SignatureWrong, ValueError) as refused:
            wrong = refused
        if wrong is not None:
            found.add(None, Kind.COSIGNATURE, f"a cosignature under the checkpoint of size {size}: {wrong}")


def _check_time_stamps(connection: Connection, book: str, authorities: Sequence[Certificate], found: Found) -> None:
    size, authority = -(2**63), ""
    while page := _rows(
        connection, "time_stamps", book, after=size, authority=authority, time_stamps_max=TIME_STAMPS_PER_PAGE
    ):
        for size, authority, token, note in page:
            found.time_stamps += 1
            wrong = "the checkpoint is not there" if note is None else _wrong_with(bytes(token), note, authorities)
            if wrong is not None:
                says = f"the time stamp of {authority} for the checkpoint of size {size}: {wrong}"
                found.add(None, Kind.TIME_STAMP, says)


def _wrong_with(token: bytes, note: str, authorities: Sequence[Certificate]) -> str | None:
    try:
        check_time_stamp(token, (note.rpartition("\n\n")[0] + "\n").encode(), authorities)
    except TimeStampWrong as wrong:
        return str(wrong)
    return None


def _rows(connection: Connection, query: str, book: str, **parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"book": book, **parameters})
        return cursor.fetchall()
