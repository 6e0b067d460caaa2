"""Keeps files of evidence beside the vault, encrypted under their data subject's key, piece by piece.

It takes and gives out one MiB at a time, so a recording of hours costs the memory of one piece. Who may see a file is
decided by the vault's service, which records the look first: a piece is read by the position of that event and in no
other way.

Each file has a key of its own, derived from the subject's (HKDF-SHA-256) and the file's id: so the number of a piece is
its nonce, and destroying the subject's key erases the file. A piece is bound to its place and to whether it is the last.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg2.extensions import connection as Connection

from ledger.database.pool import Pool
from ledger.database.sql import queries
from ledger.evidence.kinds import BEGINNINGS, FILE_BYTES_MAX, HEAD_BYTES, begins_as
from ledger.evidence.refusals import (
    ContentIsOfAnotherType,
    ContentTypeNotTaken,
    FileEmpty,
    FileErased,
    FileTooLarge,
    NoSuchFile,
)
from ledger.given import StoredFile
from ledger.vault.keys import SubjectKeys

PIECE_BYTES = 1024 * 1024
SALT_BYTES = 16
TAG_BYTES = 16
SWEEP_SECONDS = 3600.0
"""How often a running service looks for files that were broken off."""

_SQL = queries(__file__)


class FileBroken(Exception):
    """What is stored is not the file that its digest stands for; the message holds none of it."""


class Whole(NamedTuple):
    """A stored file and the number of its pieces."""

    file: StoredFile
    pieces: int


class Intake:
    """One file on its way in. `add` as often as there is content, then `end`; what is not ended can never be cited."""

    def __init__(self, pool: Pool, book: str, file: tuple[UUID, UUID, UUID, str], key: bytes, bytes_max: int) -> None:
        self._pool, self._book, self._bytes_max = pool, book, bytes_max
        self._file_id, self._complaint_id, self._subject_id, self._content_type = file
        self._cipher = piece_cipher(key, self._file_id)
        self._waiting = bytearray(os.urandom(SALT_BYTES))  # the salt leads the first piece
        self._digest = hashlib.sha256(self._waiting)
        self._size = self._pieces = 0
        self._looked_at = False

    def add(self, content: bytes) -> None:
        """More of the file; raises FileTooLarge or ContentIsOfAnotherType."""
        self._size += len(content)
        if self._size > self._bytes_max:
            raise FileTooLarge(self._bytes_max)
        self._digest.update(content)
        self._waiting += content
        if self._size >= HEAD_BYTES:
            self._look()
        while len(self._waiting) > PIECE_BYTES:  # the last piece waits for the end, which it is bound to
            self._put(bytes(self._waiting[:PIECE_BYTES]), last=False)
            del self._waiting[:PIECE_BYTES]

    def end(self) -> StoredFile:
        """Declares the file whole; durable on return. Raises FileEmpty or ContentIsOfAnotherType."""
        if self._size == 0:
            raise FileEmpty
        self._look()
        self._put(bytes(self._waiting), last=True)
        stored = StoredFile(
            self._file_id,
            self._complaint_id,
            self._subject_id,
            self._digest.hexdigest(),
            self._size,
            self._content_type,
        )
        _ask(
            self._pool,
            "close_file",
            book=self._book,
            file_id=str(stored.file_id),
            complaint_id=str(stored.complaint_id),
            subject_id=str(stored.subject_id),
            digest=stored.digest,
            size_bytes=stored.size_bytes,
            content_type=stored.content_type,
            pieces=self._pieces,
        )
        return stored

    def _look(self) -> None:
        """Once, at the first bytes, which are all still waiting then or have been looked at."""
        if self._looked_at:
            return
        self._looked_at = True
        if not begins_as(self._content_type, bytes(self._waiting[SALT_BYTES : SALT_BYTES + HEAD_BYTES])):
            raise ContentIsOfAnotherType(self._content_type)

    def _put(self, piece: bytes, *, last: bool) -> None:
        ciphertext = self._cipher.encrypt(_nonce(self._pieces), piece, _place(self._pieces, last=last))
        _ask(
            self._pool,
            "add_piece",
            book=self._book,
            file_id=str(self._file_id),
            number=self._pieces,
            ciphertext=ciphertext,
        )
        self._pieces += 1


class EvidenceStore:
    """The files of one book. Safe for threads. `writing` lends connections of the application, `reading` of the vault."""

    def __init__(
        self,
        book: str,
        keys: SubjectKeys,
        writing: Pool,
        reading: Pool,
        *,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self._book, self._keys, self._writing, self._reading = book, keys, writing, reading
        self._bytes_max = bytes_max
        self._swept_at = -SWEEP_SECONDS

    def close(self) -> None:
        """Closes both pools."""
        self._writing.close()
        self._reading.close()

    def begin(self, complaint_id: UUID, subject_id: UUID, content_type: str) -> Intake:
        """Begins to take in a file; raises ContentTypeNotTaken, or SubjectErased where the subject was."""
        self.sweep_now_and_then()
        if content_type not in BEGINNINGS:
            raise ContentTypeNotTaken(tuple(BEGINNINGS))
        key = self._keys.keys_for([subject_id])[subject_id]
        file = (uuid4(), complaint_id, subject_id, content_type)
        return Intake(self._writing, self._book, file, key, self._bytes_max)

    def sweep_now_and_then(self) -> None:
        """Takes away what was never ended, as long as that was not done within the hour: whoever brings a file pays for it."""
        now = time.monotonic()
        if now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            self.sweep()

    def sweep(self) -> int:
        """Takes away the pieces of files that were broken off a day ago or more; how many pieces went."""
        (pieces,) = _ask(self._writing, "sweep", book=self._book)
        return int(pieces)

    def find(self, complaint_id: UUID, file_id: UUID) -> Whole:
        """The file of that complaint; raises NoSuchFile."""
        with self._writing.connection() as connection:
            found = stored_file(connection, self._book, file_id)
        if found is None or found.file.complaint_id != complaint_id:
            raise NoSuchFile(file_id)
        return found

    def open(self, whole: Whole, look_position: int) -> tuple[bytes, Iterator[bytes]]:
        """The salt of a file and its content, piece by piece; raises FileErased, and FileBroken on the way.

        `look_position` is that of the event by which the look was recorded, an hour ago at most.

        Costs one read and one decryption a piece, and the memory of one.
        """
        file = whole.file
        key = self._keys.held([file.subject_id]).get(file.subject_id)
        if key is None:
            raise FileErased(file.file_id)
        cipher = piece_cipher(key, file.file_id)
        first = self._piece(cipher, whole, 0, look_position)
        return first[:SALT_BYTES], self._content(cipher, whole, first, look_position)

    def _content(self, cipher: AESGCM, whole: Whole, first: bytes, look_position: int) -> Iterator[bytes]:
        digest = hashlib.sha256(first)
        yield first[SALT_BYTES:]
        for number in range(1, whole.pieces):
            piece = self._piece(cipher, whole, number, look_position)
            digest.update(piece)
            yield piece
        if digest.hexdigest() != whole.file.digest:
            raise FileBroken(f"the file {whole.file.file_id} has another digest than the record says")

    def _piece(self, cipher: AESGCM, whole: Whole, number: int, look_position: int) -> bytes:
        row = _ask(self._reading, "piece", book=self._book, position=look_position, number=number)
        return opened_piece(cipher, number, whole.pieces, row[0], whole.file.file_id)


def stored_file(connection: Connection, book: str, file_id: UUID) -> Whole | None:
    """What is known of a file; None where it was not taken in whole."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["file"], {"book": book, "file_id": str(file_id)})
        row = cursor.fetchone()
    if row is None:
        return None
    complaint_id, subject_id, digest, size_bytes, content_type, pieces = row
    file = StoredFile(file_id, UUID(str(complaint_id)), UUID(str(subject_id)), digest, size_bytes, content_type)
    return Whole(file, pieces)


def piece_cipher(subject_key: bytes, file_id: UUID) -> AESGCM:
    """What the pieces of a file are encrypted with."""
    return AESGCM(_file_key(subject_key, file_id))


def opened_piece(cipher: AESGCM, number: int, pieces: int, ciphertext: bytes | None, file_id: UUID) -> bytes:
    """A piece of a file that has so many, the first with the salt before it; raises FileBroken."""
    try:
        return cipher.decrypt(_nonce(number), bytes(ciphertext or b""), _place(number, last=number == pieces - 1))
    except (InvalidTag, ValueError):
        raise FileBroken(f"piece {number} of the file {file_id} does not open where it stands") from None


def stored_bytes(size_bytes: int) -> tuple[int, int]:
    """How many pieces a file of this size has, and how many bytes they have together, salt and tags included."""
    pieces = -(-(SALT_BYTES + size_bytes) // PIECE_BYTES)
    return pieces, SALT_BYTES + size_bytes + TAG_BYTES * pieces


def _ask(pool: Pool, query: str, **values: object) -> tuple[Any, ...]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL[query], values)
        row = cursor.fetchone()
    assert row is not None, "a function of the database gives one row"
    return row


def _file_key(subject_key: bytes, file_id: UUID) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"complaint-ledger/evidence/v1" + file_id.bytes).derive(
        subject_key
    )


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _place(number: int, *, last: bool) -> bytes:
    return f"{number}{'.' if last else '+'}".encode("ascii")
