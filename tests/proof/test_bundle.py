"""An evidence bundle, checked by the program that lies in it, alone and outside the checkout; what was changed is refused."""

import base64
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from ledger.attesting.keys import keys_stream
from ledger.event import Event
from ledger.proof import asking
from ledger.proof.bundle import Disclosures, Told, bundle, none_shown
from ledger.proof.checkpoints import verifier_keys
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, head
from ledger.vault.sealing import digests_of, opened_with
from tests.proof.conftest import Story


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


def pack(story: Story, complaint: UUID, disclosures: Disclosures = none_shown) -> tuple[bytes, str]:
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        told = {complaint: Told("<p>投诉历史</p>", {"lines": []})}
        size = made.checkpoint.size
        packed = bundle(connection, story.book, told, size, made, "auditor", disclosures)
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


def without(positions: Sequence[int]) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        manifest = json.loads(content)
        manifest["positions"] = [each for each in manifest["positions"] if each not in positions]
        for position in positions:
            for kind in ("entry", "state", "tlog-proof"):
                manifest["files"].pop(f"events/{position}.{kind}")
        return json.dumps(manifest).encode()

    return change


def test_an_event_held_back_is_found(packed: Packed) -> None:
    """One in the middle leaves a hole; the last one is seen with all entries only."""
    with zipfile.ZipFile(io.BytesIO(packed.raw)) as archive:
        listed = json.loads(archive.read("events.json"))
    own = [each["position"] for each in listed if each["stream_id"] == str(packed.complaint)]
    for position, plain, with_entries in ((own[1], 1, 1), (own[-1], 0, 1)):
        less = packed.raw
        for kind in ("entry", "state", "tlog-proof"):
            less = changed(less, f"events/{position}.{kind}", lambda _: None, listed=False)
        less = changed(less, "manifest.json", without([position]))
        assert packed.check(less).returncode == plain
        answer = packed.check(less, "--entries", str(packed.entries))
        assert answer.returncode == with_entries
        assert "hole" in answer.stdout if plain else "other events of the stream" in answer.stdout


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


def test_a_value_is_shown_with_its_salt_or_not_at_all(story: Story, tmp_path: Path) -> None:
    complaint = story.complaint()

    def content_only(rows: Sequence[StoredRow]) -> Mapping[int, Sequence[str]]:
        return {row.position: shown for row in rows if (shown := _content_of(story, row))}

    raw, key = pack(story, complaint, content_only)
    packed = Packed(raw, key, tmp_path, complaint, tmp_path / "none")
    answer = packed.check()
    assert answer.returncode == 0, answer.stdout
    assert "1 personal values are shown" in answer.stdout

    def another_value(content: bytes) -> bytes:
        shown = json.loads(content)
        ((position, (disclosure,)),) = shown.items()
        salt, path, _ = json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
        told = base64.urlsafe_b64encode(json.dumps([salt, path, "something else"]).encode()).rstrip(b"=").decode()
        return json.dumps({position: [told]}).encode()

    assert packed.check(changed(raw, "disclosures.json", another_value)).returncode == 1


def _content_of(story: Story, row: StoredRow) -> list[str]:
    """What access will do with a receiver's right: here, the words of the complaint and nothing else."""
    event: Event = opened(row).event
    shown = []
    for path, subject_id, _, digest in digests_of(event):
        if path == "content":
            ((ciphertext,),) = story.as_superuser(
                "SELECT ciphertext FROM ledger.disclosure WHERE book = %(book)s AND digest = %(v0)s", digest
            )
            (key,) = story.keys.held([subject_id]).values()
            salt, said, value = opened_with(key, bytes(ciphertext), digest, subject_id)
            written = json.dumps([salt, said, value], ensure_ascii=False, separators=(",", ":")).encode()
            shown.append(base64.urlsafe_b64encode(written).rstrip(b"=").decode())
    return shown


def test_policies_and_keys_go_with_it(packed: Packed, story: Story) -> None:
    with zipfile.ZipFile(io.BytesIO(packed.raw)) as archive:
        streams = {each["stream_id"] for each in json.loads(archive.read("events.json"))}
        assert archive.read("keys.txt").decode().split() == [packed.key]
        assert {"verify.py", "readme.txt", "manifest.json", f"history/{packed.complaint}.html"} <= set(
            archive.namelist()
        )
    assert str(keys_stream(story.ledger.id)) in streams
