"""The stored tree as proofs read it: tiles of 256 hashes (C2SP tlog-tiles), and leaf hashes where no tile is full yet.

It reads only, but for `build_tiles`. What it hands out is checked by whoever makes a proof of it: a proof from wrong
tiles leads to another root than the book's, and is never given out.
"""

from collections.abc import Sequence
from typing import Any

from psycopg2.errors import CheckViolation, NotNullViolation
from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.record import reading
from ledger.record.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    Proof,
    ProofFailed,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    node_hash,
)

TILE_LEVELS = 8
"""A tile spans so many levels of the tree."""
TILE_HASHES = 256
TILES_PER_CALL_MAX = 256
"""Tiles that are built in one transaction: some 65,000 leaves."""

_QUERIES = queries(__file__)


class TreeDamaged(ProofFailed):
    """Stored tiles or leaf hashes do not lead to the book's root: run `complaint-ledger verify`."""


class StoredTree:
    """The tree of a book's first `size` entries. One of these for each question: it remembers the tiles that it read.

    A proof reads at most three tiles a level, so its cost grows with the logarithm of the book.
    """

    def __init__(self, connection: Connection, book: str, size: int) -> None:
        self._connection = connection
        self._book = book
        self.size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, index: int) -> bytes:
        """MTH of the 2**level leaves from index * 2**level on; see `ledger.record.tree.Subtrees`."""
        tile_level, within = divmod(level, TILE_LEVELS)
        first, count = index << within, 1 << within
        hashes = self.tile(tile_level, first // TILE_HASHES)
        start = first % TILE_HASHES * HASH_BYTES
        found = hashes[start : start + count * HASH_BYTES]
        if len(found) != count * HASH_BYTES:
            raise TreeDamaged(f"the tile {tile_level}/{first // TILE_HASHES} of the book {self._book} is too short")
        return _root([found[i : i + HASH_BYTES] for i in range(0, len(found), HASH_BYTES)])

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, 32 bytes each: 256 of a full one, those that there are of the last one of a level."""
        if (level, number) not in self._tiles:
            self._tiles[level, number] = self._read(level, number)
        return self._tiles[level, number]

    def width(self, level: int, number: int) -> int:
        """How many hashes this tile of a tree of this size has, from 0 to 256."""
        return max(0, min(TILE_HASHES, (self.size >> TILE_LEVELS * level) - number * TILE_HASHES))

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` entries, of all by default."""
        size = self.size if size is None else size
        return EMPTY_ROOT if size == 0 else _mth(0, size, self)

    def inclusion(self, leaf_index: int, leaf: bytes, root: bytes) -> Proof:
        """The proof that the leaf is in this tree, checked; raises TreeDamaged. At most log2(size) hashes."""
        proof = inclusion_proof(leaf_index, self.size, self.subtree)
        try:
            check_inclusion(proof, leaf_index, leaf, self.size, root)
        except ProofFailed as failed:
            raise TreeDamaged(str(failed)) from None
        return proof

    def consistency(self, old_size: int, old_root: bytes, root: bytes) -> Proof:
        """The proof that the old tree is the beginning of this one, checked; raises ProofFailed where it is not."""
        proof = consistency_proof(old_size, self.size, self.subtree)
        check_consistency(proof, old_size, old_root, self.size, root)
        return proof

    def _read(self, level: int, number: int) -> bytes:
        width = self.width(level, number)
        if width == TILE_HASHES:
            stored = self._rows("tile", level=level, number=number)
            if stored:
                return bytes(stored[0][0])
        return self._leaves(number, width) if level == 0 else self._roots(level - 1, number * TILE_HASHES, width)

    def _leaves(self, number: int, width: int) -> bytes:
        """Leaf hashes where the tile is not full, or not built yet."""
        first, last = number * TILE_HASHES + 1, number * TILE_HASHES + width
        found = bytearray()
        for start, end, hashes in self._rows("leaves", first=first, last=last, chunks_max=TILE_HASHES):
            from_byte = max(first - start, 0) * HASH_BYTES
            found += bytes(hashes)[from_byte : (min(end, last) - start + 1) * HASH_BYTES]
        return bytes(found)

    def _roots(self, level: int, first: int, width: int) -> bytes:
        """The roots of the full tiles of the level below; those not built yet are computed."""
        stored = {n: bytes(root) for n, root in self._rows("roots", level=level, first=first, last=first + width - 1)}
        found = bytearray()
        for number in range(first, first + width):
            root = stored.get(number)
            if root is None:
                hashes = self._read(level, number)
                root = _root([hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)])
            found += root
        return bytes(found)

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return cursor.fetchall()


def build_tiles(connection: Connection, book: str) -> int:
    """Builds what tiles are missing and holds the whole tree against the book's root; the number built.

    For the application's role. Raises TreeDamaged. Costs one hash for each new leaf, and a few tiles to check.
    """
    built = 0
    more = TILES_PER_CALL_MAX
    while more == TILES_PER_CALL_MAX:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_QUERIES["build_tiles"], {"book": book, "tiles_max": TILES_PER_CALL_MAX})
                ((more,),) = cursor.fetchall()
        except (CheckViolation, NotNullViolation):
            raise TreeDamaged(f"leaf hashes of the book {book} are missing: run `complaint-ledger verify`") from None
        built += int(more)
    end = reading.head(connection, book)
    if StoredTree(connection, book, end.size).root() != end.root:
        raise TreeDamaged(
            f"the stored hashes of the book {book} do not lead to its root: run `complaint-ledger verify`"
        )
    return built


def tile_path(number: int) -> str:
    """A tile's number as C2SP writes it: 1234067 is x001/x234/067."""
    path = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        path = f"x{number % 1000:03}/{path}"
    return path


def _mth(low: int, high: int, tree: StoredTree) -> bytes:
    """MTH(D[low:high]) by RFC 6962, section 2.1."""
    level = (high - low).bit_length() - 1
    if high - low == 1 << level:
        return tree.subtree(level, low >> level)
    middle = low + (1 << (high - low - 1).bit_length() - 1)
    return node_hash(_mth(low, middle, tree), _mth(middle, high, tree))


def _root(nodes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    level = list(nodes)
    while len(level) > 1:
        if len(level) % 2:
            raise TreeDamaged("a stored tile is not as long as it has to be: run `complaint-ledger verify`")
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    if not level:
        raise TreeDamaged("a stored tile is empty: run `complaint-ledger verify`")
    return level[0]
