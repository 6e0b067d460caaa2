"""Checkpoints, proofs and tiles over HTTP, checked with the tree's own arithmetic."""

import struct
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from ledger.application import BulkRequest, Ledger, Receipt
from ledger.complaint.events import FirstReplySent
from ledger.database.target import Database
from ledger.proof.checkpoint import Checkpoint, checkpoint_in
from ledger.proof.checkpoints import Checkpoints, Held
from ledger.proof.files import ConsistencyFile, InclusionFile
from ledger.proof.note import Note, VerifierKey
from ledger.record.tree import check_consistency, check_inclusion, leaf_hash, tree_root

REPLIED = FirstReplySent(
    customer_id=uuid4(), channel="letter", sent_by="li.wei", sent_at=datetime(2026, 3, 2, 4, tzinfo=UTC)
)


@pytest.fixture(scope="module")
def made(ledger: Ledger, database: Database, client: httpx.Client) -> list[Held]:
    """Two checkpoints with some 300 events under them."""
    assert client.get("/checkpoint").json()["type"] == "/problems/no-such-checkpoint"
    checkpoints = Checkpoints(ledger, database)
    found = []
    for count in (270, 30):
        requests = [
            BulkRequest(uuid4(), [REPLIED], "test", str(uuid4()), b"", "receive-complaint") for _ in range(count)
        ]
        assert all(isinstance(result, Receipt) for _, result in ledger.record_in_bulk(requests))
        held = checkpoints.make()
        assert held is not None
        found.append(held)
    return found


def test_a_checkpoint_is_served_as_it_was_signed(client: httpx.Client, made: list[Held]) -> None:
    newest = client.get("/checkpoint")
    assert newest.headers["content-type"] == "text/plain; charset=utf-8"
    assert newest.content == made[-1].written()
    (key,) = client.get("/keys").json()["keys"]
    note = Note.read(newest.content)
    assert checkpoint_in(note, [VerifierKey.read(key["verifier_key"])]) == made[-1].checkpoint
    sizes = [each["size"] for each in client.get("/checkpoints").json()["checkpoints"]]
    assert sizes == [each.checkpoint.size for each in made]
    assert client.get("/checkpoints", params={"after": sizes[0]}).json()["checkpoints"][0]["size"] == sizes[1]
    assert client.get(f"/checkpoints/{sizes[0]}").content == made[0].written()
    assert client.get("/checkpoints/1").status_code == 404


def test_proofs_lead_to_a_checkpoint(client: httpx.Client, made: list[Held]) -> None:
    first, second = (each.checkpoint for each in made)
    for position in (1, 256, 257, first.size, second.size):
        entry = client.get(f"/positions/{position}/entry").content
        file = InclusionFile.read(client.get(f"/positions/{position}/proof").content)
        led_to = Checkpoint.read(Note.read(file.checkpoint).text)
        check_inclusion(file.hashes, position - 1, leaf_hash(entry), led_to.size, led_to.root)
        assert led_to == (first if position <= first.size else second)
    newer = InclusionFile.read(client.get("/positions/1/proof", params={"size": second.size}).content)
    assert Checkpoint.read(Note.read(newer.checkpoint).text) == second
    consistency = ConsistencyFile.read(client.get("/consistency", params={"old": first.size}).content)
    check_consistency(consistency.hashes, first.size, first.root, second.size, second.root)
    for path, kind in (
        (f"/positions/{10**9}/proof", "no-such-position"),
        (f"/positions/{10**9}/entry", "no-such-position"),
        ("/positions/1/proof?size=2", "no-such-checkpoint"),
        (f"/consistency?old={second.size}&new={first.size}", "checkpoints-reversed"),
    ):
        assert client.get(path).json()["type"] == f"/problems/{kind}"


def test_tiles_make_up_the_tree_and_bundles_its_leaves(client: httpx.Client, made: list[Held]) -> None:
    checkpoint = made[-1].checkpoint
    width = checkpoint.size - 256
    leaves = client.get("/tile/0/000").content + client.get(f"/tile/0/001.p/{width}").content
    hashes = [leaves[i : i + 32] for i in range(0, len(leaves), 32)]
    assert len(hashes) == checkpoint.size
    assert tree_root(hashes) == checkpoint.root
    assert client.get("/tile/1/000.p/1").content == tree_root(hashes[:256])
    bundles = client.get("/tile/entries/000").content + client.get(f"/tile/entries/001.p/{width}").content
    entries = []
    while bundles:
        (length,) = struct.unpack(">H", bundles[:2])
        entries.append(bundles[2 : 2 + length])
        bundles = bundles[2 + length :]
    assert [leaf_hash(entry) for entry in entries] == hashes
    for path in (
        "/tile/0/001",
        "/tile/0/002.p/1",
        "/tile/0/1",
        "/tile/9/000",
        "/tile/entries/001",
        "/tile/0/000.p/300",
    ):
        response = client.get(path)
        assert (response.status_code, response.json()["type"]) == (404, "/problems/no-such-tile"), path
