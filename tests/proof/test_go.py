"""Checkpoints and proofs of a real book, put before Go's own `sumdb/note` and `sumdb/tlog`, each bit changed once.

They are Debian's packages `golang-go` and `golang-golang-x-mod-dev`; where they are not installed, this is skipped.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger.proof import asking
from ledger.proof.checkpoints import Held, verifier_keys
from ledger.proof.files import ConsistencyFile
from ledger.record.tree import leaf_hash
from tests.proof.conftest import Story

GOPATH = Path("/usr/share/gocode")
GO = shutil.which("go")

pytestmark = pytest.mark.skipif(
    GO is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
    reason="Go's own implementation is checked against: apt install golang-go golang-golang-x-mod-dev",
)

Question = tuple[str, ...]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The little Go program beside this test, built without a network."""
    folder = tmp_path_factory.mktemp("go")
    assert GO is not None
    subprocess.run(
        [GO, "build", "-o", folder / "check", Path(__file__).with_name("check.go")],
        check=True,
        env={
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(GOPATH),
            "GOCACHE": str(folder / "cache"),
            "GOFLAGS": "",
        },
        timeout=300,
    )
    return folder / "check"


def answers(go: Path, questions: Iterable[Question]) -> list[bool]:
    asked = "".join(" ".join(each) + "\n" for each in questions)
    done = subprocess.run([go], input=asked, capture_output=True, text=True, check=True, timeout=300)
    return [line == "1" for line in done.stdout.split()]


def flipped(raw: bytes) -> Iterable[bytes]:
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def joined(hashes: Iterable[bytes]) -> str:
    return ",".join(each.hex() for each in hashes) or "-"


def same_meaning(note: bytes, changed: bytes) -> bool:
    """Go's base64 does not look at the unused bits of a last character: such a note reads as the same signature."""

    def signature(raw: bytes) -> bytes | None:
        head, _, last = raw.rpartition(b" ")
        try:
            return head + base64.b64decode(last.rstrip(b"\n"), validate=True)
        except ValueError:
            return None

    return signature(note) == signature(changed) and changed.endswith(b"\n")


@pytest.fixture
def made(story: Story) -> list[Held]:
    """Two checkpoints."""
    found = []
    for _ in range(2):
        story.complaint()
        held = story.checkpoints.make()
        assert held is not None
        found.append(held)
    return found


def test_go_accepts_our_checkpoints_and_none_with_a_bit_changed(story: Story, made: list[Held], go: Path) -> None:
    with story.connect() as connection:
        (key,) = verifier_keys(connection, story.book)
    note = made[1].written()
    changed = [each for each in flipped(note) if not same_meaning(note, each)]
    assert len(changed) >= 8 * len(note) - 2, (
        "two bits of the signature's base64 mean nothing to Go; ours refuses them too"
    )
    assert answers(go, [("note", key.verifier_key, note.hex())]) == [True]
    assert not any(answers(go, [("note", key.verifier_key, each.hex()) for each in changed]))


def test_go_accepts_our_inclusion_proofs_and_none_with_a_bit_changed(story: Story, made: list[Held], go: Path) -> None:
    size, root = made[1].checkpoint.size, made[1].checkpoint.root
    right: list[Question] = []
    wrong: list[Question] = []
    for position in range(1, size + 1):
        with story.connect() as connection:
            found = asking.prove(connection, story.book, position, size)
        leaf, hashes = leaf_hash(found.entry), found.proof.hashes
        ask = ("record", str(size), root.hex(), str(position - 1))
        right.append((*ask, leaf.hex(), joined(hashes)))
        if position in {1, 4, size}:
            wrong += [(*ask, each.hex(), joined(hashes)) for each in flipped(leaf)]
            whole = b"".join(hashes)
            for each in flipped(whole):
                wrong.append((*ask, leaf.hex(), joined(each[i : i + 32] for i in range(0, len(each), 32))))
    assert all(answers(go, right))
    assert len(wrong) > 3_000
    assert not any(answers(go, wrong))


def test_go_accepts_our_consistency_proofs_and_none_with_a_bit_changed(
    story: Story, made: list[Held], go: Path
) -> None:
    first, second = (each.checkpoint for each in made)
    with story.connect() as connection:
        file = ConsistencyFile.read(asking.prove_consistency(connection, story.book, first.size).written())
    ask = ("tree", str(second.size), second.root.hex(), str(first.size))
    assert answers(go, [(*ask, first.root.hex(), joined(file.hashes))]) == [True]
    whole = b"".join(file.hashes)
    wrong = [(*ask, each.hex(), joined(file.hashes)) for each in flipped(first.root)]
    wrong += [
        (*ask, first.root.hex(), joined(each[i : i + 32] for i in range(0, len(each), 32))) for each in flipped(whole)
    ]
    assert not any(answers(go, wrong))
