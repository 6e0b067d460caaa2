"""The Merkle tree of RFC 6962, section 2: hashes, edge, roots and proofs. It knows no event, no book and no database.

Leaves are counted from 0, so the event at position p is leaf p - 1. A size is a number of leaves.
A hash is 32 bytes. D[a:b] stands for the leaves from a up to and without b, as in the RFC.

A failed proof is an error (ProofFailed). A question that no caller may ask (a leaf outside the tree)
is a ValueError. The recursions follow the RFC's definitions, and golang.org/x/mod/sumdb/tlog.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
PROOF_HASHES_MAX = 64
"""A tree of 2**63 leaves needs no longer proof; it bounds what a proof from outside can cost."""

_PAIR = struct.Struct(f"{2 * HASH_BYTES}s")

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""MTH({}) = SHA-256()."""

Proof = tuple[bytes, ...]

Subtrees = Callable[[int, int], bytes]
"""All the storage that proofs need: `(level, index)` to MTH(D[index * 2**level : (index + 1) * 2**level]).

Only perfect subtrees inside the tree are asked for, so an answer once right is right for ever.
"""


class ProofFailed(Exception):
    """The proof does not show what it was said to show."""


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d(0)}) = SHA-256(0x00 || d(0)). One hash."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right). One hash of 65 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """The roots of the perfect subtrees that make up a tree, by level: one for each 1 bit of its size.

    `levels[i]` is the root of a subtree of 2**i leaves, or None where the size has no such bit; the
    larger subtree is the one further left. A million leaves fit in twenty hashes, and no more is
    needed to go on appending. `ledger.head.edge` holds the same list.
    """

    __slots__ = ("_levels", "size")

    def __init__(self, size: int = 0, levels: Sequence[bytes | None] = ()) -> None:
        self.size = size
        self._levels = list(levels)
        bits = [size >> level & 1 == 1 for level in range(size.bit_length())]
        held = [each is not None and len(each) == HASH_BYTES for each in self._levels]
        if size < 0 or bits != held:
            raise ValueError(f"the edge of a tree of {size} leaves has one hash for each 1 bit of its size")

    @property
    def levels(self) -> tuple[bytes | None, ...]:
        return tuple(self._levels)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Adds leaf hashes, in order. One node hash for each on average; memory for those of one call."""
        self.extend_perfect(0, list(leaves))

    def extend_perfect(self, level: int, roots: Sequence[bytes]) -> None:
        """Adds perfect subtrees of 2**level leaves by their roots; the size must be a multiple of that.

        Costs one node hash for each: who has the roots from elsewhere need not hash their leaves again.
        """
        if self.size % (1 << level):
            raise ValueError(f"a subtree of {1 << level} leaves does not fit behind {self.size}")
        self._levels += [None] * (level - len(self._levels))
        nodes = list(roots)
        self.size += len(nodes) << level
        while nodes:
            if level == len(self._levels):
                self._levels.append(None)
            left = self._levels[level]
            if left is not None:
                nodes.insert(0, left)
            self._levels[level] = nodes[-1] if len(nodes) % 2 else None
            nodes = _joined(nodes)
            level += 1

    def copy(self) -> "Edge":
        """Another edge of the same tree."""
        return Edge(self.size, self._levels)

    def root(self, beyond: bytes | None = None) -> bytes:
        """MTH of all leaves so far: the smaller subtrees are joined first. At most log2(size) node hashes.

        `beyond` is the root over further leaves, fewer than the smallest subtree here has.
        """
        root = beyond
        for left in self._levels:
            if left is not None:
                root = left if root is None else node_hash(left, root)
        return EMPTY_ROOT if root is None else root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """MTH of leaf hashes. One node hash for each leaf; who has many pages through an Edge instead."""
    edge = Edge()
    edge.extend(leaves)
    return edge.root()


def perfect_levels(hashes: bytes, levels: int) -> list[bytes]:
    """The leaf hashes and so many levels over them, the hashes of each one behind the other.

    Takes a multiple of 2**levels leaves. One node hash for each, in less time than by an Edge.
    """
    found = [hashes]
    for _ in range(levels):
        hashes = b"".join([hashlib.sha256(b"\x01" + pair).digest() for (pair,) in _PAIR.iter_unpack(hashes)])
        found.append(hashes)
    return found


def _joined(nodes: Sequence[bytes]) -> list[bytes]:
    """The nodes one level up; an odd last one is left out."""
    return [node_hash(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]


def subtrees_of(leaves: Sequence[bytes]) -> Subtrees:
    """The perfect subtrees over leaf hashes held in memory. One node hash and 64 bytes for each leaf."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        levels.append(_joined(levels[-1]))
    return lambda level, index: levels[level][index]


def inclusion_proof(leaf_index: int, size: int, subtrees: Subtrees) -> Proof:
    """PATH(leaf_index, D[0:size]) of RFC 6962, section 2.1.1: that the leaf is in the tree of that size.

    At most log2(size) hashes. Reads at most log2(size)**2 / 2 subtrees, as only the right rim of the
    tree is not perfect.
    """
    if not 0 <= leaf_index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {leaf_index}")
    return _path(0, size, leaf_index, subtrees)


def consistency_proof(old_size: int, new_size: int, subtrees: Subtrees) -> Proof:
    """PROOF(old_size, D[0:new_size]) of RFC 6962, section 2.1.2: that the old tree is the beginning of the new.

    At most log2(new_size) + 1 hashes; reads as for an inclusion proof. There is nothing to prove of
    the empty tree, which begins every other: `old_size` is at least 1.
    """
    if not 1 <= old_size <= new_size:
        raise ValueError(f"no tree of {old_size} leaves is the beginning of one of {new_size}")
    return _subproof(0, new_size, old_size, subtrees)


def check_inclusion(proof: Sequence[bytes], leaf_index: int, leaf: bytes, size: int, root: bytes) -> None:
    """Raises ProofFailed unless `leaf` is leaf number `leaf_index` of the tree of that size and root.

    At most 64 hashes, whatever the proof. Every argument may come from an enemy.
    """
    _check_shape(proof, leaf, root)
    if not 0 <= leaf_index < size:
        raise ProofFailed(f"a tree of {size} leaves has no leaf {leaf_index}")
    if _run_path(proof, 0, size, leaf_index, leaf) != root:
        raise ProofFailed(f"leaf {leaf_index} is not in the tree of {size} leaves with this root")


def check_consistency(proof: Sequence[bytes], old_size: int, old_root: bytes, new_size: int, new_root: bytes) -> None:
    """Raises ProofFailed unless the tree of `old_size` and `old_root` is the beginning of the new one.

    At most 128 hashes, whatever the proof. Every argument may come from an enemy.
    """
    _check_shape(proof, old_root, new_root)
    if not 1 <= old_size <= new_size:
        raise ProofFailed(f"no tree of {old_size} leaves is the beginning of one of {new_size}")
    if _run_subproof(proof, 0, new_size, old_size, old_root) != (old_root, new_root):
        raise ProofFailed(f"the tree of {old_size} leaves is not the beginning of the one of {new_size}")


def _split(size: int) -> int:
    """k of RFC 6962, section 2.1: the largest power of two smaller than `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _mth(low: int, high: int, subtrees: Subtrees) -> bytes:
    """MTH(D[low:high]), where `low` is a multiple of a power of two not smaller than the length."""
    size = high - low
    level = size.bit_length() - 1
    if size == 1 << level:
        return subtrees(level, low >> level)
    middle = low + _split(size)
    return node_hash(_mth(low, middle, subtrees), _mth(middle, high, subtrees))


def _path(low: int, high: int, leaf: int, subtrees: Subtrees) -> Proof:
    """PATH(m, D[n]) = PATH(m, D[0:k]) : MTH(D[k:n]) for m < k, else PATH(m - k, D[k:n]) : MTH(D[0:k])."""
    if high - low == 1:
        return ()
    middle = low + _split(high - low)
    if leaf < middle:
        return (*_path(low, middle, leaf, subtrees), _mth(middle, high, subtrees))
    return (*_path(middle, high, leaf, subtrees), _mth(low, middle, subtrees))


def _subproof(low: int, high: int, old: int, subtrees: Subtrees) -> Proof:
    """SUBPROOF(m, D[n], b), where b says that D[low:high] begins at the first leaf: its old root is known."""
    if old == high:
        return () if low == 0 else (_mth(low, high, subtrees),)
    middle = low + _split(high - low)
    if old <= middle:
        return (*_subproof(low, middle, old, subtrees), _mth(middle, high, subtrees))
    return (*_subproof(middle, high, old, subtrees), _mth(low, middle, subtrees))


def _run_path(proof: Sequence[bytes], low: int, high: int, leaf_index: int, leaf: bytes) -> bytes:
    """The root that an inclusion proof leads to; the proof's last hash is the one nearest to the root."""
    if high - low == 1:
        _check_used_up(proof)
        return leaf
    rest, sibling = _last(proof)
    middle = low + _split(high - low)
    if leaf_index < middle:
        return node_hash(_run_path(rest, low, middle, leaf_index, leaf), sibling)
    return node_hash(sibling, _run_path(rest, middle, high, leaf_index, leaf))


def _run_subproof(proof: Sequence[bytes], low: int, high: int, old: int, old_root: bytes) -> tuple[bytes, bytes]:
    """The old and the new root that a consistency proof leads to."""
    if old == high:
        if low == 0:
            _check_used_up(proof)
            return old_root, old_root
        rest, whole = _last(proof)
        _check_used_up(rest)
        return whole, whole
    rest, sibling = _last(proof)
    middle = low + _split(high - low)
    if old <= middle:
        before, after = _run_subproof(rest, low, middle, old, old_root)
        return before, node_hash(after, sibling)
    before, after = _run_subproof(rest, middle, high, old, old_root)
    return node_hash(sibling, before), node_hash(sibling, after)


def _last(proof: Sequence[bytes]) -> tuple[Sequence[bytes], bytes]:
    if not proof:
        raise ProofFailed("the proof is too short for these sizes")
    return proof[:-1], proof[-1]


def _check_used_up(proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofFailed("the proof is too long for these sizes")


def _check_shape(proof: Sequence[bytes], *ends: bytes) -> None:
    # A hash of another length could move the border between left and right inside a node.
    if any(len(each) != HASH_BYTES for each in (*proof, *ends)):
        raise ProofFailed(f"every hash of a proof has {HASH_BYTES} bytes")
    if len(proof) > PROOF_HASHES_MAX:
        raise ProofFailed(f"no proof has more than {PROOF_HASHES_MAX} hashes")
