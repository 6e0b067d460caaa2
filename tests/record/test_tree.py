"""The tree is RFC 6962's: published vectors, another library's roots, and no changed bit goes unseen."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pymerkle
import pytest

from ledger.record.tree import (
    EMPTY_ROOT,
    Edge,
    Proof,
    ProofFailed,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    subtrees_of,
    tree_root,
)

# The vectors that Certificate Transparency publishes for RFC 6962 (google/certificate-transparency,
# merkletree/merkle_tree_test; the same in transparency-dev/merkle, testonly).
INPUTS = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [  # leaf (from 0), size, path
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [  # old size, new size, proof
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

SIZES = range(1, 201)
SAMPLE = random.Random(6962)


def hashes(texts: Sequence[str]) -> Proof:
    return tuple(bytes.fromhex(each) for each in texts)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(f"leaf {index}".encode()) for index in range(size)]


LEAVES = leaves_of(SIZES[-1])
TREE_ROOTS = [tree_root(LEAVES[:size]) for size in range(SIZES[-1] + 1)]
SUBTREES = subtrees_of(LEAVES)


def test_the_empty_tree() -> None:
    assert tree_root([]) == EMPTY_ROOT == Edge().root()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert tree_root(map(leaf_hash, INPUTS[:size])).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("leaf", "size", "path"), INCLUSION)
def test_published_inclusion_proofs(leaf: int, size: int, path: list[str]) -> None:
    leaves = [leaf_hash(each) for each in INPUTS[:size]]
    assert inclusion_proof(leaf, size, subtrees_of(leaves)) == hashes(path)
    check_inclusion(hashes(path), leaf, leaves[leaf], size, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    leaves = [leaf_hash(each) for each in INPUTS[:new]]
    assert consistency_proof(old, new, subtrees_of(leaves)) == hashes(proof)
    check_consistency(hashes(proof), old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]))


def test_the_example_of_the_rfc() -> None:
    """RFC 6962, section 2.1.3: the tree of seven leaves, its paths and its consistency proofs by name."""
    a, b, c, d, e, f, j = leaves = leaves_of(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741 - the RFC's letters
    subtrees = subtrees_of(leaves)
    assert tree_root(leaves) == node_hash(k, l)
    assert inclusion_proof(0, 7, subtrees) == (b, h, l)
    assert inclusion_proof(3, 7, subtrees) == (c, g, l)
    assert inclusion_proof(4, 7, subtrees) == (f, j, k)
    assert inclusion_proof(6, 7, subtrees) == (i, k)
    assert consistency_proof(3, 7, subtrees) == (c, d, g, l)
    assert consistency_proof(4, 7, subtrees) == (l,)
    assert consistency_proof(6, 7, subtrees) == (i, j, k)


def test_another_library_gives_the_same_roots_and_proofs() -> None:
    peer = pymerkle.InmemoryTree(algorithm="sha256")
    for size in SIZES:
        peer.append_entry(f"leaf {size - 1}".encode())
        assert peer.get_root() == TREE_ROOTS[size]
    for leaf in range(0, 200, 7):
        theirs = {bytes.fromhex(each) for each in peer.prove_inclusion(leaf + 1, 200).serialize()["path"]}
        assert {LEAVES[leaf], *inclusion_proof(leaf, 200, SUBTREES)} == theirs


def test_an_edge_taken_up_again_goes_on_as_if_never_put_down() -> None:
    for cut in SIZES:
        edge = Edge()
        edge.extend(LEAVES[:cut])
        again = Edge(edge.size, edge.levels)
        again.extend(LEAVES[cut:])
        assert (edge.root(), again.root()) == (TREE_ROOTS[cut], TREE_ROOTS[-1])
        assert (edge.size, again.size) == (cut, len(LEAVES))


def test_an_edge_grows_alike_by_one_and_by_many() -> None:
    for step in (1, 2, 3, 7, 64, 200):
        edge = Edge()
        for start in range(0, len(LEAVES), step):
            edge.extend(LEAVES[start : start + step])
            assert edge.root() == TREE_ROOTS[edge.size]
            assert edge.levels[-1] is not None


def test_an_edge_is_one_subtree_for_each_bit_of_its_size() -> None:
    edge = Edge()
    edge.extend(LEAVES[:6])
    assert edge.levels == (None, tree_root(LEAVES[4:6]), tree_root(LEAVES[:4]))


@pytest.mark.parametrize(
    ("size", "levels"),
    [
        (0, [LEAVES[0]]),
        (1, []),
        (1, [None]),
        (2, [LEAVES[0]]),
        (3, LEAVES[:1]),
        (1, [LEAVES[0], None]),
        (1, [b"short"]),
        (-1, [LEAVES[0]]),
    ],
)
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, levels: list[bytes | None]) -> None:
    with pytest.raises(ValueError, match="edge"):
        Edge(size, levels)


def test_a_leaf_is_never_mistaken_for_a_node() -> None:
    a, b = LEAVES[:2]
    assert leaf_hash(a + b) != node_hash(a, b)


class Part(NamedTuple):
    """How much of a campaign is run: at every size so many proofs, and so many bits of every hash."""

    proofs: int
    bits: int

    def of_proofs(self, numbers: range) -> list[int]:
        return self._of(numbers, self.proofs)

    def changed(self, value: bytes) -> Iterator[bytes]:
        for bit in self._of(range(len(value) * 8), self.bits):
            changed = bytearray(value)
            changed[bit // 8] ^= 1 << bit % 8
            yield bytes(changed)

    @staticmethod
    def _of(numbers: range, at_most: int) -> list[int]:
        if len(numbers) <= at_most:
            return list(numbers)
        return sorted({numbers[0], numbers[-1], *SAMPLE.sample(numbers, at_most)})


A_PART = Part(proofs=3, bits=6)
MANY = Part(proofs=4, bits=256)
"""Minutes: every bit of the first, the last and four other proofs of every size."""


def changed_proofs(proof: Proof, part: Part) -> Iterator[Proof]:
    for place, each in enumerate(proof):
        for changed in part.changed(each):
            yield (*proof[:place], changed, *proof[place + 1 :])
        yield (*proof[:place], *proof[place + 1 :])
        yield (*proof[:place], each[:-1], *proof[place + 1 :])
    yield (*proof, LEAVES[0])
    yield (LEAVES[0], *proof)
    if len(set(proof)) > 1:
        yield proof[::-1]


def inclusion_campaign(size: int, part: Part) -> None:
    for index in part.of_proofs(range(size)):
        proof, leaf, root = inclusion_proof(index, size, SUBTREES), LEAVES[index], TREE_ROOTS[size]
        check_inclusion(proof, index, leaf, size, root)
        for changed in changed_proofs(proof, part):
            refuses_inclusion(changed, index, leaf, size, root)
        for changed_hash in part.changed(leaf):
            refuses_inclusion(proof, index, changed_hash, size, root)
        for changed_hash in part.changed(root):
            refuses_inclusion(proof, index, leaf, size, changed_hash)
        for other in {*part.of_proofs(range(size)), -1, size} - {index}:
            refuses_inclusion(proof, other, leaf, size, root)


def consistency_campaign(new: int, part: Part) -> None:
    for old in part.of_proofs(range(1, new + 1)):
        proof, old_root, new_root = consistency_proof(old, new, SUBTREES), TREE_ROOTS[old], TREE_ROOTS[new]
        check_consistency(proof, old, old_root, new, new_root)
        for changed in changed_proofs(proof, part):
            refuses_consistency(changed, old, old_root, new, new_root)
        for changed_hash in part.changed(old_root):
            refuses_consistency(proof, old, changed_hash, new, new_root)
        for changed_hash in part.changed(new_root):
            refuses_consistency(proof, old, old_root, new, changed_hash)
        for other in {*part.of_proofs(range(1, new + 1)), 0, new + 1} - {old}:
            refuses_consistency(proof, other, old_root, new, new_root)


@pytest.mark.parametrize("size", SIZES)
def test_no_changed_bit_of_an_inclusion_proof_is_accepted(size: int) -> None:
    inclusion_campaign(size, A_PART)


@pytest.mark.parametrize("new", SIZES)
def test_no_changed_bit_of_a_consistency_proof_is_accepted(new: int) -> None:
    consistency_campaign(new, A_PART)


@pytest.mark.long
def test_not_one_bit_can_be_changed() -> None:
    for size in SIZES:
        inclusion_campaign(size, MANY)
        consistency_campaign(size, MANY)


def refuses_inclusion(proof: Proof, index: int, leaf: bytes, size: int, root: bytes) -> None:
    with pytest.raises(ProofFailed):
        check_inclusion(proof, index, leaf, size, root)


def refuses_consistency(proof: Proof, old: int, old_root: bytes, new: int, new_root: bytes) -> None:
    with pytest.raises(ProofFailed):
        check_consistency(proof, old, old_root, new, new_root)


def test_a_proof_is_not_asked_for_outside_the_tree() -> None:
    for index, size in [(-1, 5), (5, 5), (0, 0)]:
        with pytest.raises(ValueError, match="has no leaf"):
            inclusion_proof(index, size, SUBTREES)
    for old, new in [(0, 5), (6, 5), (-1, 5)]:
        with pytest.raises(ValueError, match="beginning"):
            consistency_proof(old, new, SUBTREES)


@pytest.mark.parametrize("size", [2**63, 10**300])
def test_a_claimed_size_costs_nothing(size: int) -> None:
    with pytest.raises(ProofFailed):
        check_inclusion(LEAVES[:64], size - 1, LEAVES[0], size, LEAVES[0])
    with pytest.raises(ProofFailed, match="no proof has more"):
        check_inclusion(LEAVES[:65], size - 1, LEAVES[0], size, LEAVES[0])
    with pytest.raises(ProofFailed):
        check_consistency(LEAVES[:64], size // 3, LEAVES[0], size, LEAVES[0])


def test_costs_are_as_documented() -> None:
    asked: list[tuple[int, int]] = []

    def counted(level: int, index: int) -> bytes:
        asked.append((level, index))
        return SUBTREES(level, index)

    for size in SIZES:
        for index in (0, size // 2, size - 1):
            asked.clear()
            proof = inclusion_proof(index, size, counted)
            assert len(proof) <= size.bit_length()
            assert len(asked) <= size.bit_length() ** 2 / 2 + 1
            assert all((place + 1) << level <= size for level, place in asked)
