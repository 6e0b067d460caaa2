"""An evidence bundle, checked by the program that lies in it, alone and outside the checkout; what was changed is refused."""

import base64
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from api.command.upkeep import catch_up
from ledger.access import commands as access
from ledger.attesting.keys import keys_stream
from ledger.complaint import commands as ask
from ledger.event import Tier
from ledger.evidence.refusals import NoSuchFile
from ledger.evidence.store import FileBroken
from ledger.proof import asking
from ledger.proof.bundle import Attached, Disclosures, Shown, Told, none_shown, write_bundle
from ledger.proof.checkpoint import cosigned
from ledger.proof.checkpoints import Held, verifier_keys
from ledger.proof.deadlines import deadlines_of
from ledger.proof.keeping import SigningFolder
from ledger.proof.note import COSIGNATURE, Note, Signature, Signer
from ledger.proof.shown import Receiver, shown_to
from ledger.proof.verifier import UNWITNESSED, leaf_hash, node_hash
from ledger.record.reading import StoredRow, head
from ledger.vault.service import Vault
from ledger.vault.watching import who_saw
from projections import history
from tests.proof.conftest import RECEIVED_AT, Story


class Packed(NamedTuple):
    """A bundle, what is needed to check it, and a folder for both."""

    raw: bytes
    key: str
    folder: Path
    complaint: UUID
    entries: Path

    def check(self, raw: bytes | None = None, *more: str) -> subprocess.CompletedProcess[str]:
        """Unpacks verify.py and runs it as a stranger would: elsewhere, and with no module of ours in reach."""
        content = self.raw if raw is None else raw
        (self.folder / "bundle.zip").write_bytes(content)
        (self.folder / "verify.py").write_bytes(zipfile.ZipFile(io.BytesIO(self.raw)).read("verify.py"))
        return subprocess.run(
            [sys.executable, "-I", "verify.py", "bundle.zip", "--key", self.key, *more],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def tell(complaint: UUID, rows: Sequence[StoredRow]) -> Told:
    assert {row.stream_id for row in rows if row.name.startswith("complaint")} == {complaint}
    return Told(f"<p>投诉历史 {complaint}</p>", {"lines": []})


def bundle(
    connection: Connection, story: Story, complaint: UUID, made: Held, receiver: str, shown: Disclosures
) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        size = made.checkpoint.size
        write_bundle(path, connection, story.book, [complaint], tell, size, made, receiver, shown)
        assert list(path.parent.iterdir()) == [path]
        assert path.stat().st_mode & 0o777 == 0o600
        return path.read_bytes()


def pack(story: Story, complaint: UUID, disclosures: Disclosures = none_shown) -> tuple[bytes, str]:
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        packed = bundle(connection, story, complaint, made, "auditor", disclosures)
        return packed, verifier_keys(connection, story.book)[0].verifier_key


@pytest.fixture
def packed(story: Story, tmp_path: Path) -> Packed:
    complaint = story.complaint()
    raw, key = pack(story, complaint)
    entries = tmp_path / "entries.txt"
    with story.connect() as connection:
        size = head(connection, story.book).size
        entries.write_bytes(b"".join(each for _, each in asking.entries(connection, story.book, 0, size)))
    return Packed(raw, key, tmp_path, complaint, entries)


def changed(raw: bytes, name: str, change: Callable[[bytes], bytes | None], *, listed: bool = True) -> bytes:
    """The zip with one file changed or left out, and the manifest made to fit."""
    content = {
        each: zipfile.ZipFile(io.BytesIO(raw)).read(each) for each in zipfile.ZipFile(io.BytesIO(raw)).namelist()
    }
    new = change(content.pop(name))
    if new is not None:
        content[name] = new
    if listed and name != "manifest.json":
        manifest = json.loads(content["manifest.json"])
        manifest["files"] = {
            each: hashlib.sha256(inside).hexdigest() for each, inside in content.items() if each != "manifest.json"
        }
        content["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for each, inside in content.items():
            archive.writestr(each, inside)
    return out.getvalue()


def test_a_bundle_is_accepted_by_the_program_in_it(packed: Packed) -> None:
    answer = packed.check()
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.startswith("VERIFIED")
    assert "without a hole" in answer.stdout
    assert "That there is no further event" in answer.stdout
    with_entries = packed.check(None, "--entries", str(packed.entries))
    assert with_entries.returncode == 0, with_entries.stdout
    assert "there is no other event of these streams" in with_entries.stdout
    assert "That there is no further event" not in with_entries.stdout


def test_the_program_in_it_imports_nothing_of_ours(packed: Packed) -> None:
    source = zipfile.ZipFile(io.BytesIO(packed.raw)).read("verify.py").decode()
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_same_bundle_has_the_same_bytes(story: Story) -> None:
    complaint = story.complaint()
    first, _ = pack(story, complaint)
    again, _ = pack(story, complaint)
    assert first == again


def test_another_key_is_refused(packed: Packed, story: Story) -> None:
    del story
    other = packed.key[:-5] + ("AAAAA" if packed.key[-5:] != "AAAAA" else "BBBBB")
    assert packed._replace(key=other).check().returncode == 1


@pytest.mark.parametrize("kind", ["entry", "state", "tlog-proof", "checkpoint"])
def test_a_changed_bit_is_refused_although_the_manifest_fits(packed: Packed, kind: str) -> None:
    chance = random.Random(kind)
    names = [name for name in zipfile.ZipFile(io.BytesIO(packed.raw)).namelist() if name.endswith(kind)]
    for _ in range(8):
        name = chance.choice(names)

        def flip(content: bytes) -> bytes:
            spoiled = bytearray(content)
            spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
            return bytes(spoiled)

        answer = packed.check(changed(packed.raw, name, flip))
        assert (answer.returncode, answer.stderr) == (1, ""), f"{name}: {answer.stdout}{answer.stderr}"
        assert answer.stdout.startswith("NOT VERIFIED")


def test_a_file_that_the_manifest_does_not_fit_is_refused(packed: Packed) -> None:
    answer = packed.check(changed(packed.raw, "readme.txt", lambda content: content + b"x", listed=False))
    assert answer.returncode == 1
    assert "manifest" in answer.stdout


def test_entries_that_are_not_the_trees_are_refused(packed: Packed) -> None:
    whole = packed.entries.read_bytes()
    for spoiled in (
        whole[:-1],
        whole[: len(whole) // 2],
        whole.replace(b"complaint-received", b"complaint-recalled", 1),
        b"",
    ):
        packed.entries.write_bytes(spoiled)
        assert packed.check(None, "--entries", str(packed.entries)).returncode == 1
    lines = whole.splitlines(keepends=True)
    packed.entries.write_bytes(b"".join(lines[:-8]))
    assert "were it fetched later" in packed.check(None, "--entries", str(packed.entries)).stdout


IDENTITY, WORDS, LETTER = "320106199001011234", "家住南京路八十八号", b"%PDF-1.7 a letter"


def full_complaint(story: Story) -> tuple[UUID, UUID]:
    """A complaint with core, important and ordinary values and a file on record; its customer."""
    one, customer = uuid4(), uuid4()
    received = ask.ReceiveComplaint(
        complaint_id=one,
        customer_id=customer,
        received_at=RECEIVED_AT,
        received_by="li.na",
        channel="letter",
        content=WORDS,
        customer_name="欧阳若兰",
        customer_identity_number=IDENTITY,
    )
    story.ledger.handle(received, principal="li.na")
    story.file(one, customer, LETTER, "application/pdf")
    return one, customer


def granted(story: Story, one: UUID, to: str) -> UUID:
    request = uuid4()
    asked = access.RequestAccess(
        request_id=request,
        complaint_id=one,
        tiers=(Tier.CORE, Tier.IMPORTANT),
        purpose="audit",
        reason="年度审计抽查",
        until=datetime.now(UTC) + timedelta(days=1),
        requested_by=to,
    )
    story.ledger.handle(asked, principal=to)
    story.ledger.handle(access.ApproveAccess(request_id=request, approved_by="chen.jing"), principal="chen.jing")
    return request


def pack_for(story: Story, one: UUID, receiver: Receiver, made: Held) -> bytes:
    size = made.checkpoint.size
    with (
        story.connect() as connection,
        closing(Vault(story.ledger, story.database)) as vault,
        closing(story.ledger.evidence_store()) as store,
    ):

        def shown(rows: Sequence[StoredRow]) -> Shown:
            return shown_to(story.ledger, vault, store, receiver, rows, size)

        return bundle(connection, story, one, made, receiver.name, shown)


def values_in(raw: bytes) -> dict[str, str]:
    """What the receiver reads: path to value."""
    shown = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read("disclosures.json"))
    said = [json.loads(base64.urlsafe_b64decode(each + "==")) for listed in shown.values() for each in listed]
    return {path: value for _, path, value in said}


def test_a_receiver_gets_what_he_may_see_and_no_more(story: Story, tmp_path: Path) -> None:
    """Ordinary values for the stated purpose; core and important ones, and files, by a granted request; each look recorded."""
    one, customer = full_complaint(story)
    request = granted(story, one, "sun.li")
    made = story.checkpoints.make()
    assert made is not None
    key = made_key(story)
    for receiver in (
        Receiver("zhou.wei", "audit"),
        Receiver("zhou.wei", "audit", (request,)),
    ):  # the grant is another's
        raw = pack_for(story, one, receiver, made)
        assert values_in(raw)["content"] == WORDS
        assert "customer_identity_number" not in values_in(raw)
        assert IDENTITY.encode() not in raw
        assert LETTER not in raw
    raw = pack_for(story, one, Receiver("sun.li", "audit", (request,)), made)
    assert values_in(raw)["customer_identity_number"] == IDENTITY
    packed = Packed(raw, key, tmp_path, one, tmp_path / "none")
    answer = packed.check()
    assert answer.returncode == 0, answer.stdout
    assert f"{len(values_in(raw))} personal values are shown" in answer.stdout
    assert "1 files are attached" in answer.stdout
    seen = [look for look in who_saw(story.ledger, customer) if look.seen_by == "sun.li"]
    assert {path for look in seen for path in look.paths} == {*values_in(raw), "file"}
    assert pack_for(story, one, Receiver("sun.li", "audit", (request,)), made) == raw


def test_a_file_that_is_gone_without_an_erasure_is_no_erased_file(story: Story) -> None:
    one, _ = full_complaint(story)
    request = granted(story, one, "sun.li")
    made = story.checkpoints.make()
    assert made is not None
    for table in ("piece", "file"):
        story.as_superuser(f"DELETE FROM ledger.evidence_{table} WHERE book = %(book)s")
    with pytest.raises(NoSuchFile):
        pack_for(story, one, Receiver("sun.li", "audit", (request,)), made)


def test_a_value_or_a_file_that_is_another_one_is_refused(story: Story, tmp_path: Path) -> None:
    one, _ = full_complaint(story)
    request = granted(story, one, "sun.li")
    made = story.checkpoints.make()
    assert made is not None
    raw = pack_for(story, one, Receiver("sun.li", "audit", (request,)), made)
    packed = Packed(raw, made_key(story), tmp_path, one, tmp_path / "none")

    def another_value(content: bytes) -> bytes:
        shown = json.loads(content)
        position, listed = next(iter(shown.items()))
        salt, path, _ = json.loads(base64.urlsafe_b64decode(listed[0] + "=="))
        told = base64.urlsafe_b64encode(json.dumps([salt, path, "something else"]).encode()).rstrip(b"=").decode()
        return json.dumps({position: [told]}).encode()

    def another_salt(content: bytes) -> bytes:
        listed = json.loads(content)
        (said,) = listed.values()
        said["salt"] = "00" * 16
        return json.dumps(listed).encode()

    (letter,) = [name for name in zipfile.ZipFile(io.BytesIO(raw)).namelist() if name.startswith("attachments/")]
    for name, change in (
        ("disclosures.json", another_value),
        ("attachments.json", another_salt),
        (letter, lambda content: content + b"x"),
        (letter, lambda _: None),
    ):
        answer = packed.check(changed(raw, name, change))
        assert (answer.returncode, answer.stderr) == (1, ""), f"{name}: {answer.stdout}"


def test_what_was_erased_is_not_in_a_bundle(story: Story) -> None:
    one, customer = full_complaint(story)
    request = granted(story, one, "sun.li")
    made = story.checkpoints.make()
    assert made is not None
    story.ledger.handle(
        access.RequestErasure(subject_id=customer, ground="customer-request", requested_by="li.wei"), principal="li.wei"
    )
    fact = access.EraseSubject(subject_id=customer, ground="customer-request", erased_by="archivist.he")
    story.ledger.handle(fact, principal="archivist.he")
    story.keys.destroy(customer, datetime.now(UTC))
    raw = pack_for(story, one, Receiver("sun.li", "audit", (request,)), made)
    assert "customer_identity_number" not in values_in(raw)
    assert not any(name.startswith("attachments/") for name in zipfile.ZipFile(io.BytesIO(raw)).namelist())


def test_a_bundle_takes_no_memory_for_its_files_and_stands_there_only_when_it_is_whole(
    story: Story, tmp_path: Path
) -> None:
    one = story.complaint()
    made = story.checkpoints.make()
    assert made is not None
    piece, pieces, held = b"x" * 2**20, 96, []

    def content(*, breaks: bool) -> Iterator[bytes]:
        for _ in range(pieces):
            yield piece
            held.append(tracemalloc.get_traced_memory()[0])
        if breaks:
            raise FileBroken("the last piece")

    def attached(rows: Sequence[StoredRow], *, breaks: bool) -> Shown:
        return Shown({}, [Attached(rows[0].position, one, b"salt", len(piece) * pieces, content(breaks=breaks))])

    path = tmp_path / "handed over" / "bundle.zip"
    path.parent.mkdir()
    for breaks in (True, False):
        tracemalloc.start()
        with story.connect() as connection, pytest.raises(FileBroken) if breaks else nullcontext():
            shown = partial(attached, breaks=breaks)
            packed = write_bundle(path, connection, story.book, [one], tell, made.checkpoint.size, made, "x", shown)
            assert (packed.files, path.stat().st_size > len(piece) * pieces) == (1, True)
        tracemalloc.stop()
        assert max(held) - held[0] < 4 * len(piece)
        assert list(path.parent.iterdir()) == ([] if breaks else [path])


def made_key(story: Story) -> str:
    with story.connect() as connection:
        return verifier_keys(connection, story.book)[0].verifier_key


def test_policies_and_keys_go_with_it(packed: Packed, story: Story) -> None:
    with zipfile.ZipFile(io.BytesIO(packed.raw)) as archive:
        streams = {each["stream_id"] for each in json.loads(archive.read("events.json"))}
        assert archive.read("keys.txt").decode().split() == [packed.key]
        assert {"verify.py", "readme.txt", "manifest.json", f"history/{packed.complaint}.html"} <= set(
            archive.namelist()
        )
    assert str(keys_stream(story.ledger.id)) in streams


def test_the_keys_in_it_are_those_of_its_checkpoint(story: Story) -> None:
    """A key that came later changes no byte of a bundle that is made again."""
    one, made = story.complaint(), story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        first = bundle(connection, story, one, made, "auditor", none_shown)
        story.checkpoints.rotate("he.archivist", "yearly")
        assert bundle(connection, story, one, made, "auditor", none_shown) == first


def signer_of(story: Story) -> Signer:
    with story.connect() as connection:
        folder = SigningFolder(story.keys.folder, story.book, head(connection, story.book).origin)
    return Signer.read(folder.key_file.read_text(encoding="utf-8").strip())


def signed_again(raw: bytes, *signers: Signer) -> bytes:
    """The bundle with its checkpoint, and that of each proof, signed by these, a witness among them."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    old = files["checkpoint"]
    text = old.decode().rpartition("\n\n")[0] + "\n"
    lines = tuple(
        cosigned(text, each, 1_700_000_000)
        if each.verifier.algorithm == COSIGNATURE
        else Signature(each.verifier.name, each.verifier.key_id, each.sign(text.encode()))
        for each in signers
    )
    files = {name: content.replace(old, Note(text, lines).written()) for name, content in files.items()}
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    files["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_key_that_the_bundle_itself_says_is_retired_signs_none_that_covers_it(story: Story, tmp_path: Path) -> None:
    one = story.complaint()
    before = pack(story, one)
    retired = signer_of(story)
    story.checkpoints.rotate("he.archivist", "stolen")
    raw, _ = pack(story, one)
    old = Packed(raw, before[1], tmp_path, one, tmp_path / "none")
    forged = old.check(signed_again(raw, retired))
    assert forged.returncode == 1
    assert "was retired at position" in forged.stdout
    assert old.check(before[0]).returncode == 0, "what it signed before stays valid"
    with story.connect() as connection:
        new = verifier_keys(connection, story.book)[-1].verifier_key
    assert old._replace(key=new).check().returncode == 0


def test_each_witness_that_is_named_has_to_have_cosigned(packed: Packed, story: Story) -> None:
    own = signer_of(story)
    first, silent = (Signer(f"audit.example/{name}", COSIGNATURE, name.encode() * 32) for name in "ws")
    raw = signed_again(packed.raw, own, first)
    named = ("--witness", str(first.verifier)), ("--witness", str(silent.verifier))
    assert packed.check(raw, *named[0]).returncode == 0
    refused = packed.check(raw, *named[0], *named[1])
    assert (refused.returncode, "not by audit.example/s" in refused.stdout) == (1, True)
    assert packed.check(raw, *named[1]).returncode == 1
    by_one = packed.check(raw, *named[0], *named[1], "--quorum", "1")
    assert by_one.returncode == 0
    assert "audit.example/s" in by_one.stdout.partition("Not shown:")[2]
    assert UNWITNESSED not in by_one.stdout
    by_none = packed.check(raw, *named[1], "--quorum", "0")
    assert (by_none.returncode, UNWITNESSED in by_none.stdout) == (0, True)


def test_a_missed_deadline_goes_with_its_complaint(story: Story, tmp_path: Path) -> None:
    """Its event is in a stream of its own; another complaint's stays where it is. The history is made of these events."""
    one, other = story.complaint(), story.complaint()
    story.missed(one)
    story.missed(other)
    told: list[history.History] = []

    def tell_events(complaint: UUID, rows: Sequence[StoredRow]) -> Told:
        told.append(history.of_events(story.book, complaint, 0, rows))
        return tell(complaint, rows)

    made, path = story.checkpoints.make(), tmp_path / "one.zip"
    assert made is not None
    with story.connect() as connection:
        write_bundle(path, connection, story.book, [one], tell_events, made.checkpoint.size, made, "x")
    answer = Packed(path.read_bytes(), made_key(story), tmp_path, one, tmp_path / "none").check()
    assert "1 of their deadlines" in answer.stdout, answer.stdout
    assert [line.name for line in told[0].lines][-1] == "deadline-missed"
    assert told[0].lines[-1].details["complaint_id"] == str(one)
    catch_up(story.database, story.book, history.PROJECTION.name, silent=True)
    with story.connect() as connection:
        assert history.of(connection, story.book, one).lines == told[0].lines


def test_a_deadline_that_was_left_out_is_missed_in_the_list_of_entries(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stream's id begins as the complaint's id says: whoever has the entries knows which there are."""
    one = story.complaint()
    for days in (2, 15, 60):
        story.missed(one, days)
    story.missed(story.complaint())
    whole, key = pack(story, one)
    entries = tmp_path / "entries.txt"
    with story.connect() as connection:
        size = head(connection, story.book).size
        entries.write_bytes(b"".join(each for _, each in asking.entries(connection, story.book, 0, size)))
        all_of_them = list(deadlines_of(connection, story.book, [one], size))
    assert [complaint for complaint, _ in all_of_them] == [one] * 3
    answer = Packed(whole, key, tmp_path, one, entries).check(None, "--entries", str(entries))
    assert "none of a deadline of these complaints" in answer.stdout, answer.stdout
    monkeypatch.setattr("ledger.proof.bundle.deadlines_of", lambda *_: all_of_them[:2])
    left_out = Packed(pack(story, one)[0], key, tmp_path, one, entries)
    alone, held_against = left_out.check(), left_out.check(None, "--entries", str(entries))
    assert alone.returncode == 0
    assert "none of another deadline of these complaints: for that give --entries" in alone.stdout
    assert held_against.returncode == 1
    assert f"positions [{all_of_them[2][1].position}]" in held_against.stdout


def test_the_shell_recipe_of_the_documentation_works_as_it_is_typed(packed: Packed) -> None:
    page = (Path(__file__).parents[2] / "docs" / "proof.md").read_text(encoding="utf-8")
    part = page.partition("### With a shell alone")[2].partition("###")[0]
    typed = "".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))
    with zipfile.ZipFile(io.BytesIO(packed.raw)) as archive:
        archive.extractall(packed.folder)
        first = min(json.loads(archive.read("manifest.json"))["positions"])
    said = subprocess.run(
        ["bash", "-eu"], input=typed, cwd=packed.folder, capture_output=True, text=True, check=True, timeout=60
    )
    state, last, leaf, node = (line.split()[0] for line in said.stdout.splitlines())
    entry = (packed.folder / f"events/{first}.entry").read_bytes()
    proof = (packed.folder / f"events/{first}.tlog-proof").read_text().splitlines()
    other = base64.b64decode(proof[2])
    pair = (leaf_hash(entry), other) if first % 2 else (other, leaf_hash(entry))
    assert state == last
    assert (leaf, node) == (leaf_hash(entry).hex(), node_hash(*pair).hex())
