"""A tree that grows as a verification goes through a book, held on its way against stored tiles and signed checkpoints."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.record.problems import Found, Kind
from ledger.record.tree import HASH_BYTES, Edge, node_hash, tree_root
from ledger.record.verify_page import TILE_BYTES, TILE_HASHES, TILE_LEVEL


class Signed(NamedTuple):
    """A checkpoint that somebody signed, and what to say of it where the tree is another."""

    size: int
    root: bytes
    says: str


Due = tuple[int, Callable[[bytes | None], None]]
"""A size, and who wants to know the root of the tree of that size; None where it never had that size."""

Tiles = Callable[[int, int], tuple[bytes, bytes] | None]
"""`(level, number)` to hashes and root of a stored full tile; None where there is none."""


class GrowingTree:
    """Takes leaf hashes in order, by whole tiles where it can. Holds less than a tile of each level."""

    def __init__(self, tiles: Tiles, signed: Iterator[Signed], found: Found) -> None:
        self._tiles = tiles
        self._signed = signed
        self._due = next(signed, None)
        self._found = found
        self._edge = Edge()
        self._pending: list[bytes] = []
        self._levels: list[list[bytes]] = []
        self._numbers: list[int] = []
        self._asked: deque[Due] = deque()
        self._tiles_agree = False
        self.compared = 0

    @property
    def size(self) -> int:
        return self._edge.size + len(self._pending)

    def end(self) -> Edge:
        """The edge of the whole tree so far."""
        edge = self._edge.copy()
        edge.extend(self._pending)
        return edge

    def add(
        self, levels: Sequence[bytes], leaves: bytes, due: Iterable[Due] = (), *, tiles_agree: bool = False
    ) -> None:
        """The leaf hashes of a stretch: first whole tiles, with all that is over each, where somebody has computed that.

        `tiles_agree` says that the stored tiles over them were compared already. `due` are the sizes, ascending, at which
        somebody wants to know the root; some 20 hashes each.
        """
        self._asked = deque(due)
        self._tiles_agree = tiles_agree
        if self._pending:
            leaves = levels[0] + leaves
        else:
            self._add_whole(levels)
        self._tiles_agree = False
        hashes = [leaves[start : start + HASH_BYTES] for start in range(0, len(leaves), HASH_BYTES)]
        place = 0
        while place < len(hashes):
            taken = hashes[place : place + TILE_HASHES - len(self._pending)]
            self._pending += taken
            place += len(taken)
            self._compare_within(self._root_of_pending)
            if len(self._pending) == TILE_HASHES:
                root = tree_root(self._pending)
                self._compare_tile(0, b"".join(self._pending), root)
                self._pending = []
                self._edge.extend_perfect(TILE_LEVEL, [root])
                self._climb(0, root)
        self._compare_within(self._root_of_pending)
        for _, check in self._asked:
            check(None)  # the tree is not so large here

    def _add_whole(self, levels: Sequence[bytes]) -> None:
        """Whole tiles; a root that is wanted within one is made of what is over its leaves, without hashing them again."""
        for number in range(len(levels[-1]) // HASH_BYTES):

            def within(size: int, first: int = number * TILE_HASHES) -> bytes:
                root = None
                for level in range(TILE_LEVEL):
                    if size >> level & 1:
                        place = ((first + size % TILE_HASHES) >> level) - 1
                        left = levels[level][place * HASH_BYTES : (place + 1) * HASH_BYTES]
                        root = left if root is None else node_hash(left, root)
                return self._edge.root(root)

            self._compare_within(within, self._edge.size + TILE_HASHES - 1)
            root = levels[-1][number * HASH_BYTES : (number + 1) * HASH_BYTES]
            self._compare_tile(0, levels[0][number * TILE_BYTES : (number + 1) * TILE_BYTES], root)
            self._edge.extend_perfect(TILE_LEVEL, [root])
            self._climb(0, root)

    def finish(self) -> None:
        """Says which checkpoints cover more than there is."""
        while self._due is not None:
            self.compared += 1
            self._found.add(
                None,
                Kind.CHECKPOINT,
                f"{self._due.says} covers {self._due.size} events, and the book holds {self.size}",
            )
            self._due = next(self._signed, None)

    def _compare_within(self, root_at: Callable[[int], bytes], upto: int | None = None) -> None:
        """The roots that are wanted in the tile that grows: by those who asked, and by checkpoints."""
        upto = self.size if upto is None else upto
        known: tuple[int, bytes | None] = (-1, None)
        while self._asked and self._asked[0][0] <= upto:
            size, check = self._asked.popleft()
            if size != known[0]:
                # nobody asked while the tree had a smaller size
                known = size, root_at(size) if size >= self._edge.size else None
            check(known[1])
        while self._due is not None and self._due.size <= upto:
            self.compared += 1
            if self._due.size < self._edge.size or root_at(self._due.size) != self._due.root:
                says = f"{self._due.says} was signed over other events than the first {self._due.size} that are stored"
                self._found.add(None, Kind.CHECKPOINT, says)
            self._due = next(self._signed, None)

    def _root_of_pending(self, size: int) -> bytes:
        """Costs a hash for each leaf in the tile up to there: only a book's last tile is not whole."""
        edge = self._edge.copy()
        edge.extend(self._pending[: size - edge.size])
        return edge.root()

    def _climb(self, level: int, root: bytes) -> None:
        """A full tile is one hash of the level above."""
        if level == len(self._levels):
            self._levels.append([])
            self._numbers.append(0)
        self._numbers[level] += 1
        row = self._levels[level]
        row.append(root)
        if len(row) == TILE_HASHES:
            above = tree_root(row)
            self._compare_tile(level + 1, b"".join(row), above)
            self._levels[level] = []
            self._climb(level + 1, above)

    def _compare_tile(self, level: int, hashes: bytes, root: bytes) -> None:
        if level == 0 and self._tiles_agree:
            return  # all of the stretch in one comparison
        number = self._numbers[level] if level < len(self._numbers) else 0
        stored = self._tiles(level, number)
        if stored is not None and stored != (hashes, root):
            first = number * TILE_HASHES ** (level + 1) + 1
            self._found.add(first, Kind.TILE, f"the tile {level}/{number} is not made of the leaf hashes below it")
