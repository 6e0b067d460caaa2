"""Proofs from the stored tiles against the tree of the leaf hashes held in memory, at sizes around the tiles' borders."""

import random
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.proof import asking
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.checkpoints import NoSuchCheckpoint
from ledger.proof.files import ConsistencyFile, InclusionFile
from ledger.proof.note import Note
from ledger.proof.stored import StoredTree, TreeDamaged, build_tiles, tile_path
from ledger.record.book import create_book
from ledger.record.tree import (
    Edge,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    subtrees_of,
    tree_root,
)
from tests.proof.conftest import Story, superuser

SIZE = 66_000
"""More than one tile of the second level."""


class Grown:
    """A book of which only the leaf hashes and the end are there, in chunks of many lengths: what the tree is read from."""

    def __init__(self, database: Database, book: str) -> None:
        self.book = book
        self.leaves = [leaf_hash(b"%d" % n) for n in range(SIZE)]
        self.subtrees = subtrees_of(self.leaves)
        edge = Edge()
        edge.extend(self.leaves)
        first, chance = 1, random.Random(2_026)
        with closing(superuser(database)) as connection, connection, connection.cursor() as cursor:
            while first <= SIZE:
                last = min(first + chance.choice([0, 0, 3, 200, 255, 256, 999, 9_999]), SIZE)
                cursor.execute(
                    "INSERT INTO ledger.leaves (first_position, last_position, book, hashes) VALUES (%s, %s, %s, %s)",
                    (first, last, book, b"".join(self.leaves[first - 1 : last])),
                )
                first = last + 1
            cursor.execute(
                "UPDATE ledger.head SET size = %s, root = %s, edge = %s WHERE book = %s",
                (SIZE, edge.root(), list(edge.levels), book),
            )


@pytest.fixture(scope="module")
def grown(database: Database) -> Grown:
    book = f"test-{uuid4().hex[:12]}"
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, book)
    return Grown(database, book)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as made:
        yield made


SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, SIZE - 1, SIZE]


@pytest.mark.parametrize("built", [False, True], ids=["leaves only", "tiles"])
def test_proofs_are_those_of_the_tree_in_memory(grown: Grown, connection: Connection, built: bool) -> None:
    if built:
        build_tiles(connection, grown.book)
        assert build_tiles(connection, grown.book) == 0
    for size in SIZES if built else SIZES[:8]:
        tree = StoredTree(connection, grown.book, size)
        root = tree_root(grown.leaves[:size])
        assert tree.root() == root
        for leaf in {0, size // 3, max(size - 2, 0), size - 1}:
            proof = tree.inclusion(leaf, grown.leaves[leaf], root)
            assert proof == inclusion_proof(leaf, size, grown.subtrees)
            check_inclusion(proof, leaf, grown.leaves[leaf], size, root)
        for old in {1, (size + 1) // 2, max(size - 1, 1), size}:
            old_root = tree_root(grown.leaves[:old])
            assert tree.root(old) == old_root
            assert tree.consistency(old, old_root, root) == consistency_proof(old, size, grown.subtrees)


def test_tiles_are_laid_out_as_c2sp_says(grown: Grown, connection: Connection) -> None:
    build_tiles(connection, grown.book)
    tree = StoredTree(connection, grown.book, SIZE)
    assert [tree.width(0, 257), tree.width(1, 0), tree.width(1, 1), tree.width(2, 0)] == [208, 256, 1, 1]
    assert tree.tile(0, 3) == b"".join(grown.leaves[768:1024])
    assert tree.tile(0, 257) == b"".join(grown.leaves[65_792:])
    assert tree.tile(1, 0)[32:64] == tree_root(grown.leaves[256:512])
    assert tree.tile(2, 0) == tree_root(grown.leaves[:65_536])
    assert tile_path(1_234_067) == "x001/x234/067"
    assert [tile_path(5), tile_path(1_000)] == ["005", "x001/000"]


def test_a_proof_reads_few_tiles_however_large_the_book(grown: Grown, connection: Connection) -> None:
    build_tiles(connection, grown.book)
    tree = StoredTree(connection, grown.book, SIZE)
    root = tree_root(grown.leaves)
    read: list[tuple[int, int]] = []
    inner = tree._read
    tree._read = lambda level, number: read.append((level, number)) or inner(level, number)  # type: ignore[method-assign,func-returns-value] # counts what is read
    tree.inclusion(40_000, grown.leaves[40_000], root)
    assert len(read) <= 3 * 3, "three levels of tiles, three of each at most"


DAMAGED = {
    "changed": "UPDATE ledger.leaves SET hashes = sha256('x') WHERE book = %(book)s AND first_position = last_position AND first_position = 3",
    "lost": "DELETE FROM ledger.leaves WHERE book = %(book)s AND first_position = 3",
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("complaints", [2, 90], ids=["no tile", "a tile"])
def test_damaged_hashes_make_no_checkpoint(story: Story, damage: str, complaints: int) -> None:
    for _ in range(complaints - 2):
        story.complaint()
    story.as_superuser(DAMAGED[damage])
    with pytest.raises(TreeDamaged):
        story.checkpoints.make()


def test_a_position_is_proven_in_the_oldest_and_in_any_later_checkpoint(story: Story) -> None:
    first = story.checkpoints.make()
    story.complaint()
    second = story.checkpoints.make()
    assert first is not None
    assert second is not None
    with story.connect() as connection:
        for size, made in ((None, first), (second.checkpoint.size, second)):
            found = asking.prove(connection, story.book, 2, size)
            file = InclusionFile.read(found.proof.written())
            led_to = Checkpoint.read(Note.read(file.checkpoint).text)
            assert led_to == made.checkpoint
            check_inclusion(file.hashes, file.leaf_index, leaf_hash(found.entry), led_to.size, led_to.root)
        file = ConsistencyFile.read(asking.prove_consistency(connection, story.book, first.checkpoint.size).written())
        check_consistency(
            file.hashes, file.old_size, first.checkpoint.root, second.checkpoint.size, second.checkpoint.root
        )
        for position in (0, -1, 10**9):
            with pytest.raises(asking.NoSuchPosition):
                asking.prove(connection, story.book, position)
        with pytest.raises(asking.NoSuchPosition):
            asking.prove(connection, story.book, second.checkpoint.size, first.checkpoint.size)
        with pytest.raises(NoSuchCheckpoint):
            asking.prove(connection, story.book, 2, 1)
        with pytest.raises(asking.CheckpointsReversed):
            asking.prove_consistency(connection, story.book, second.checkpoint.size, first.checkpoint.size)


def test_all_entries_come_in_pieces_that_fit_together(story: Story) -> None:
    made = story.checkpoints.make()
    assert made is not None
    size = made.checkpoint.size
    with story.connect() as connection:
        whole = [entry for _, entry in asking.entries(connection, story.book, 0, size)]
        pieces = [
            entry
            for after in range(0, size, 2)
            for _, entry in asking.entries(connection, story.book, after, min(after + 2, size))
        ]
    assert whole == pieces
    assert tree_root(map(leaf_hash, whole)) == made.checkpoint.root
