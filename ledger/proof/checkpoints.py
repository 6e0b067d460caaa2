"""Checkpoints of one book: made, kept, found again. The only place that signs.

A checkpoint is signed only by a key that the book itself knows, and only when it continues the one that was signed
last. What is signed is noted beside the key before it is given out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.application import BulkRequest, Ledger
from ledger.attesting.events import AttestingEvent, VerifierKeyIntroduced, VerifierKeyRetired
from ledger.attesting.keys import KeyInForce, keys_in_force, keys_stream
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.proof.checkpoint import Checkpoint, checkpoint_in
from ledger.proof.guard import check_against_last
from ledger.proof.keeping import SigningFolder, SigningKeyUnusable
from ledger.proof.note import Note, Signer, VerifierKey, signature_lines, signed
from ledger.proof.stored import StoredTree, build_tiles
from ledger.record.book import book_id
from ledger.record.envelope import opened
from ledger.record.reading import head, stream_events
from ledger.refusal import Refusal

KEYS_OF_A_BOOK_MAX = 1_000
CHECKPOINTS_PER_PAGE_MAX = 1_000
PRINCIPAL = "checkpoints"

_QUERIES = queries(__file__)


@dataclass(eq=False)
class NoSuchCheckpoint(Refusal):
    """No checkpoint of this size, or from this size on, was made yet."""

    says: ClassVar[str] = "The book {book} has no checkpoint {asked}."
    remedy: ClassVar[str] = "`GET /checkpoints` lists those there are; `complaint-ledger checkpoint` makes one now."

    book: str
    asked: str


class Held(NamedTuple):
    """A kept checkpoint: its note with the cosignatures that have come since."""

    checkpoint: Checkpoint
    note: Note
    kept_at: datetime

    def written(self) -> bytes:
        return self.note.written()


class Checkpoints:
    """Makes checkpoints of a ledger's book. Safe for several threads and processes: one signs at a time."""

    def __init__(self, ledger: Ledger, database: Database, given_key: str | None = None) -> None:
        self._ledger = ledger
        self._database = database
        self._given_key = given_key
        self.book = ledger.book

    def make(self) -> Held | None:
        """The checkpoint of the book as it is now, made unless it is there already; None for an empty book.

        On the first use it makes the signing key and records its public half, which is an event of the book. Raises
        BookForked, TreeDamaged, SigningKeyUnusable. Costs the new tiles and a consistency proof.
        """
        with self.connection() as connection:
            origin = head(connection, self.book).origin
            folder = self._folder(origin)
            with folder.locked():
                check_against_last(connection, self.book, self._ledger.keys_folder)
                if head(connection, self.book).size == 0:
                    return None
                signer = self._signer(connection, folder)
                build_tiles(connection, self.book)
                return self._signed(connection, folder, signer)

    def rotate(self, by: str, reason: str) -> VerifierKey:
        """Gives the book a new signing key and retires the present one; what that signed stays valid.

        May be repeated after a crash at any point. Raises as `make` does.
        """
        with self.connection() as connection:
            folder = self._folder(head(connection, self.book).origin)
            with folder.locked():
                check_against_last(connection, self.book, self._ledger.keys_folder)
                old = self._signer(connection, folder)
                new = folder.make_successor()
                now = datetime.now(UTC)
                self._record(
                    connection,
                    VerifierKeyIntroduced(verifier_key=str(new.verifier), introduced_by=by, introduced_at=now),
                    VerifierKeyRetired(verifier_key=str(old.verifier), reason=reason, retired_by=by, retired_at=now),
                )
                folder.adopt_successor()
                return new.verifier

    def _signed(self, connection: Connection, folder: SigningFolder, signer: Signer) -> Held:
        end = head(connection, self.book)
        last = folder.last()
        if last is not None:
            StoredTree(connection, self.book, end.size).consistency(last[0].size, last[0].root, end.root)
        checkpoint = Checkpoint(end.origin, end.size, end.root)
        note = last[1] if last is not None and last[0] == checkpoint else signed(checkpoint.text(), signer)
        folder.keep_last(note)
        if not _kept(connection, self.book, checkpoint, note):
            # somebody else who has the key signed the same tree: two signatures on one truth
            return held(connection, self.book, end.size)
        return Held(checkpoint, note, datetime.now(UTC))

    def _signer(self, connection: Connection, folder: SigningFolder) -> Signer:
        """The key that may sign now. A book that knows none gets one; a process with another key signs nothing."""
        known = verifier_keys(connection, self.book)
        in_force = {key.verifier_key for key in known if key.end_size is None}
        successor = folder.successor()
        if successor is not None and str(successor.verifier) in in_force:
            folder.adopt_successor()  # a rotation was interrupted after it was recorded
        signer = folder.signer()
        if not known:
            signer = signer or folder.make_signer()
            now = datetime.now(UTC)
            key = str(signer.verifier)
            self._record(
                connection, VerifierKeyIntroduced(verifier_key=key, introduced_by=PRINCIPAL, introduced_at=now)
            )
            return signer
        if signer is None:
            raise SigningKeyUnusable(
                f"the book {self.book} is signed with a key that is not at {folder.key_file}: put it back from its "
                "backup, or set LEDGER_SIGNING_KEY"
            )
        if str(signer.verifier) not in in_force:
            raise SigningKeyUnusable(
                f"the book {self.book} does not know the signing key {signer.verifier}: nothing is signed with it. "
                "Put the right key back from its backup"
            )
        return signer

    def _record(self, connection: Connection, *events: AttestingEvent) -> None:
        version = len(_key_events(connection, self.book))
        stream = keys_stream(self._ledger.id)
        given = "\n".join(event.model_dump_json() for event in events).encode()
        key = f"verifier-keys:{version}:{events[0].model_dump()['verifier_key'][-40:]}"
        request = BulkRequest(stream, events, PRINCIPAL, key, given, "keep-verifier-keys", after_version=version)
        for _, result in self._ledger.record_in_bulk([request]):
            if isinstance(result, Exception):
                raise result

    def _folder(self, origin: str) -> SigningFolder:
        return SigningFolder(self._ledger.keys_folder, self.book, origin, self._given_key)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the application's role, for as long as the block lasts."""
        connection = self._database.connect(Role.APPLICATION, autocommit=True)
        try:
            yield connection
        finally:
            connection.close()


def verifier_keys(connection: Connection, book: str, upto: int | None = None) -> tuple[KeyInForce, ...]:
    """The keys that the book itself names, up to a position or all, in the order of their introduction."""
    return keys_in_force(_key_events(connection, book, upto))


def trusted_by_book(keys: tuple[KeyInForce, ...], size: int) -> list[VerifierKey]:
    """Those that may sign a checkpoint of this size."""
    return [VerifierKey.read(key.verifier_key) for key in keys if key.signs(size)]


def held(connection: Connection, book: str, size: int) -> Held:
    """The checkpoint of exactly this size; raises NoSuchCheckpoint."""
    return _found(connection, book, "of_size", f"of size {size}", size=size)


def latest(connection: Connection, book: str) -> Held:
    """The newest checkpoint; raises NoSuchCheckpoint."""
    return _found(connection, book, "latest", "yet")


def first_covering(connection: Connection, book: str, position: int) -> Held:
    """The oldest checkpoint that covers a position; raises NoSuchCheckpoint."""
    return _found(connection, book, "first_covering", f"that covers position {position}", size=position)


def listed(connection: Connection, book: str, after_size: int, checkpoints_max: int) -> list[Held]:
    """Checkpoints larger than a size, in order, with their cosignatures; a page of at most 1,000."""
    most = min(checkpoints_max, CHECKPOINTS_PER_PAGE_MAX)
    return [_held(row) for row in _rows(connection, "page", book, after=after_size, checkpoints_max=most)]


def _found(connection: Connection, book: str, query: str, asked: str, **parameters: object) -> Held:
    rows = _rows(connection, query, book, **parameters)
    if not rows:
        raise NoSuchCheckpoint(book, asked)
    return _held(rows[0])


def _held(row: tuple[Any, ...]) -> Held:
    text, kept_at, lines = row
    note = Note.read(text.encode())
    cosigned = signature_lines("".join(lines)) if lines else ()
    return Held(Checkpoint.read(note.text), Note(note.text, (*note.signatures, *cosigned)), kept_at)


def check_held(found: Held, keys: tuple[KeyInForce, ...]) -> Checkpoint:
    """Raises SignatureWrong where no key that the book knows for this size has signed."""
    return checkpoint_in(found.note, trusted_by_book(keys, found.checkpoint.size))


def _kept(connection: Connection, book: str, checkpoint: Checkpoint, note: Note) -> bool:
    rows = _rows(connection, "keep", book, size=checkpoint.size, root=checkpoint.root, note=note.written().decode())
    return bool(rows[0][0])


def _key_events(connection: Connection, book: str, upto: int | None = None) -> list[tuple[int, AttestingEvent]]:
    stream = keys_stream(book_id(head(connection, book).origin))
    found: list[tuple[int, AttestingEvent]] = []
    for row in stream_events(connection, book, stream, up_to_position=upto, events_max=KEYS_OF_A_BOOK_MAX):
        event = opened(row).event
        assert isinstance(event, AttestingEvent), "the stream of the verifier keys holds nothing else"
        found.append((row.position, event))
    return found


def _rows(connection: Connection, query: str, book: str, **parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"book": book, **parameters})
        return cursor.fetchall()
