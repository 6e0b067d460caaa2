"""What an outsider asks of a book: a proof with the exact entry, a consistency proof, all entries. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.proof.checkpoints import Held, first_covering, held, latest
from ledger.proof.files import ConsistencyFile, InclusionFile
from ledger.proof.stored import StoredTree
from ledger.record.entry import entry_bytes
from ledger.record.reading import StoredRow, events_after, head
from ledger.record.tree import leaf_hash
from ledger.refusal import Refusal

ENTRIES_PER_PAGE_MAX = 5_000


@dataclass(eq=False)
class NoSuchPosition(Refusal):
    """The book has not come so far, or the position is no number from 1 on."""

    says: ClassVar[str] = "The book {book} has no position {position}."
    remedy: ClassVar[str] = "Ask for one from 1 to the size that `GET /book` gives."

    book: str
    position: int


@dataclass(eq=False)
class CheckpointsReversed(Refusal):
    """A consistency proof leads from a smaller tree to a larger one."""

    says: ClassVar[str] = "A tree of {old_size} entries is not the beginning of one of {new_size}."
    remedy: ClassVar[str] = "Name the smaller size first; it is at least 1."

    old_size: int
    new_size: int


class ProvenEntry(NamedTuple):
    """The entry's bytes as they are hashed, its proof, and the checkpoint that the proof leads to."""

    entry: bytes
    proof: InclusionFile
    checkpoint: Held


def prove(connection: Connection, book: str, position: int, size: int | None = None) -> ProvenEntry:
    """The entry at a position and its proof in a checkpoint: the one of `size`, else the oldest that covers it.

    Raises NoSuchPosition or NoSuchCheckpoint. Reads three tiles a level; log2(size) hashes.
    """
    rows = events_after(connection, book, position - 1, 1) if position >= 1 else []
    if not rows or rows[0].position != position:
        raise NoSuchPosition(book, position)
    found = first_covering(connection, book, position) if size is None else held(connection, book, size)
    if found.checkpoint.size < position:
        raise NoSuchPosition(book, position)
    entry = entry_of(found.checkpoint.origin, rows[0])
    tree = StoredTree(connection, book, found.checkpoint.size)
    hashes = tree.inclusion(position - 1, leaf_hash(entry), found.checkpoint.root)
    return ProvenEntry(entry, InclusionFile(position - 1, hashes, found.written()), found)


def prove_consistency(connection: Connection, book: str, old_size: int, new_size: int | None = None) -> ConsistencyFile:
    """That the tree of `old_size` is the beginning of a later checkpoint, the newest unless one is named.

    The old size need be of no checkpoint that we hold: an auditor may have it from elsewhere, and compares its root.
    """
    new = latest(connection, book) if new_size is None else held(connection, book, new_size)
    size = new.checkpoint.size
    if not 1 <= old_size <= size:
        raise CheckpointsReversed(old_size, size)
    tree = StoredTree(connection, book, size)
    hashes = tree.consistency(old_size, tree.root(old_size), new.checkpoint.root)
    return ConsistencyFile(old_size, hashes, new.written())


def entries(connection: Connection, book: str, after: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Positions and entries from behind `after` up to `last`, page by page, in constant memory."""
    origin = head(connection, book).origin
    while after < last:
        rows = events_after(connection, book, after, min(ENTRIES_PER_PAGE_MAX, last - after))
        if not rows:
            return
        for row in rows:
            yield row.position, entry_of(origin, row)
        after = rows[-1].position


def entry_of(origin: str, row: StoredRow) -> bytes:
    """The entry of a stored row."""
    return entry_bytes(origin, row.position, row.stream_id, row.version, row.name, row.recorded_at, row.state)
