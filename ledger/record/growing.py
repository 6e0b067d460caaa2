"""A tree that grows as a verification goes through a book, held on its way against stored tiles and signed checkpoints."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.record.problems import Found, Kind
from ledger.record.tree import HASH_BYTES, Edge, tree_root
from ledger.record.verify_page import TILE_BYTES, TILE_HASHES

TILE_LEVEL = 8


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
        self._within: Edge | None = None
        self.compared = 0

    @property
    def size(self) -> int:
        return self._edge.size + len(self._pending)

    def end(self) -> Edge:
        """The edge of the whole tree so far."""
        edge = self._edge.copy()
        edge.extend(self._pending)
        return edge

    def add(self, leaves: bytes, tile_roots: Sequence[bytes], due: Iterable[Due] = ()) -> None:
        """The leaf hashes of a stretch, with the roots over each 256 of them where somebody has computed those.

        `due` are the sizes, ascending, at which somebody wants to know the root; some 20 hashes each.
        """
        self._asked = deque(due)
        if not self._pending:
            leaves, tile_roots = self._add_whole(leaves, tile_roots)
        hashes = [leaves[start : start + HASH_BYTES] for start in range(0, len(leaves), HASH_BYTES)]
        known = list(tile_roots) if not self._pending else []
        place = 0
        while place < len(hashes):
            taken = hashes[place : place + TILE_HASHES - len(self._pending)]
            self._pending += taken
            place += len(taken)
            self._compare_signed()
            self._answer_asked()
            if len(self._pending) == TILE_HASHES:
                root = known.pop(0) if known else tree_root(self._pending)
                self._compare_tile(0, b"".join(self._pending), root)
                self._pending = []
                self._edge.extend_perfect(TILE_LEVEL, [root])
                self._within = None
                self._climb(0, root)
        self._answer_asked()
        for _, check in self._asked:
            check(None)  # the tree is not so large here

    def _add_whole(self, leaves: bytes, tile_roots: Sequence[bytes]) -> tuple[bytes, Sequence[bytes]]:
        """Takes whole tiles at the beginning while nobody wants a root within one; gives back the rest."""
        taken = 0
        for taken, root in enumerate(tile_roots):
            end = self._edge.size + TILE_HASHES
            if (self._due is not None and self._due.size <= end) or (self._asked and self._asked[0][0] <= end):
                break
            self._compare_tile(0, leaves[taken * TILE_BYTES : (taken + 1) * TILE_BYTES], root)
            self._edge.extend_perfect(TILE_LEVEL, [root])
            self._climb(0, root)
        else:
            taken = len(tile_roots)
        if taken:
            self._within = None
        return leaves[taken * TILE_BYTES :], tile_roots[taken:]

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

    def _answer_asked(self) -> None:
        """The roots that are wanted in the tile that grows; an edge goes along with them."""
        while self._asked and self._asked[0][0] <= self.size:
            size, check = self._asked.popleft()
            if self._within is None or self._within.size > size:
                self._within = self._edge.copy()
            if size < self._within.size:
                check(None)  # nobody asked while the tree had this size
                continue
            self._within.extend(self._pending[self._within.size - self._edge.size : size - self._edge.size])
            check(self._within.root())

    def _compare_signed(self) -> None:
        """A checkpoint whose size lies in the tile that grows."""
        while self._due is not None and self._due.size <= self.size:
            edge = self._edge.copy()
            edge.extend(self._pending[: self._due.size - edge.size])
            self.compared += 1
            if edge.root() != self._due.root:
                says = f"{self._due.says} was signed over other events than the first {self._due.size} that are stored"
                self._found.add(None, Kind.CHECKPOINT, says)
            self._due = next(self._signed, None)

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
        number = self._numbers[level] if level < len(self._numbers) else 0
        stored = self._tiles(level, number)
        if stored is not None and stored != (hashes, root):
            first = number * TILE_HASHES ** (level + 1) + 1
            self._found.add(first, Kind.TILE, f"the tile {level}/{number} is not made of the leaf hashes below it")
