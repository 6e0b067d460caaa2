"""Bundles that somebody forged with a manifest made to fit: verify.py refuses each, in plain words and no control character."""

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ledger.proof import asking, verifier
from ledger.proof.verifier import ONE_FIELD
from ledger.record.reading import head
from tests.proof.conftest import Story
from tests.proof.test_bundle import Packed, pack

KINDS = ("entry", "state", "tlog-proof")
OTHER = "d9003117-0acd-4b3a-8b00-843ceeeba2b8"


class Forgery:
    """A bundle's files and manifest, to be changed; what is written fits the manifest again."""

    def __init__(self, packed: Packed) -> None:
        with zipfile.ZipFile(io.BytesIO(packed.raw)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.manifest: dict[str, Any] = json.loads(self.files["manifest.json"])
        self.complaint = str(packed.complaint)
        self.listed: list[dict[str, Any]] = json.loads(self.files["events.json"])
        self.own = [each["position"] for each in self.listed if each["stream_id"] == self.complaint]

    def drop(self, *positions: int) -> None:
        """Leaves events out, as somebody would who forgets nothing that names them."""
        for position in positions:
            for kind in KINDS:
                del self.files[f"events/{position}.{kind}"]
        self.listed = [each for each in self.listed if each["position"] not in positions]
        self.files["events.json"] = json.dumps(self.listed).encode()
        streams = [each["stream_id"] for each in self.listed]
        self.manifest["positions"] = [each["position"] for each in self.listed]
        self.manifest["streams"] = {stream: streams.count(stream) for stream in streams}

    def attach(self, position: object) -> None:
        """A file that nobody recorded, and an invented event beside the true ones that would hold its digest."""
        file_id, content = str(uuid4()), b"a forged contract"
        event = {
            "file_id": file_id,
            "file_digest": hashlib.sha256(b"\0" * 16 + content).hexdigest(),
            "size_bytes": len(content),
        }
        self.files[f"events/{position}.state"] = json.dumps({"event": event}).encode()
        self.files[f"attachments/{file_id}"] = content
        self.files["attachments.json"] = json.dumps({file_id: {"position": position, "salt": "00" * 16}}).encode()

    def rename_history(self) -> None:
        for kind in ("html", "json"):
            self.files[f"history/{OTHER}.{kind}"] = self.files.pop(f"history/{self.complaint}.{kind}")

    def written(self, method: int = zipfile.ZIP_STORED) -> bytes:
        self.files.pop("manifest.json", None)
        self.manifest["files"] = {name: hashlib.sha256(raw).hexdigest() for name, raw in self.files.items()}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, raw in {**self.files, "manifest.json": json.dumps(self.manifest).encode()}.items():
                archive.writestr(name, raw)
        return out.getvalue()


def says(**manifest: object) -> Callable[[Forgery], None]:
    return lambda forged: forged.manifest.update(manifest)


def adds(name: str, content: bytes = b"forged") -> Callable[[Forgery], None]:
    return lambda forged: forged.files.update({name: content})


def without_complaint(forged: Forgery) -> None:
    """Its stream is dropped, and its history stays."""
    forged.drop(*forged.own)


def none_named(forged: Forgery) -> None:
    without_complaint(forged)
    forged.manifest["complaints"] = []
    for kind in ("html", "json"):
        del forged.files[f"history/{forged.complaint}.{kind}"]


def of_another(forged: Forgery) -> None:
    forged.rename_history()
    forged.manifest["complaints"] = [OTHER]


def keys_without_promise_kept(forged: Forgery) -> None:
    """The stream of the keys is dropped, which the manifest still promises."""
    promised = forged.manifest["streams"]
    forged.drop(*(each["position"] for each in forged.listed if each["stream_id"] != forged.complaint))
    forged.manifest["streams"] = promised


def twice(forged: Forgery) -> None:
    forged.files["disclosures.json"] = b'{"1": ["forged"], "1": []}'


FORGERIES: dict[str, tuple[Callable[[Forgery], None], str]] = {
    "a file attached at 2.0": (lambda forged: forged.attach(float(forged.own[0])), "none that this bundle can hold"),
    "a file attached at true": (lambda forged: forged.attach(True), "none that this bundle can hold"),
    "a position 1.0": (lambda forged: forged.manifest.update(positions=[1.0]), "whole number"),
    "a position true": (lambda forged: forged.manifest.update(positions=[True]), "whole number"),
    "as of true": (says(as_of=True), "whole number"),
    "positions that are none": (says(positions=[]), "none that this bundle can hold"),
    "no complaint": (none_named, "names no complaint"),
    "no complaint, and all of its events": (says(complaints=[]), "names no complaint"),
    "a complaint without events": (without_complaint, "has not its receipt"),
    "a history under another name": (Forgery.rename_history, "is missing"),
    "another complaint over the events of this one": (of_another, "has not its receipt"),
    "no keys although they are promised": (keys_without_promise_kept, "promises other streams"),
    "no promise": (says(streams={}), "promises other streams"),
    "an event held back": (lambda forged: forged.drop(forged.own[1]), "hole"),
    "another size": (says(size=999), "than the checkpoint"),
    "another root": (says(root="00" * 32), "than the checkpoint"),
    "another origin": (says(origin="x"), "than the checkpoint"),
    "a position that is not covered": (says(as_of=10**6), "does not cover"),
    "another list of events": (adds("events.json", b"[]"), "events.json"),
    "a name that climbs": (adds("history/../../evil.html"), "none that this bundle can hold"),
    "a name that climbs to an event": (adds("history/../events/1.state"), "none that this bundle can hold"),
    "a name from the root": (adds("/etc/passwd"), "none that this bundle can hold"),
    "a name with a backslash": (adds("events\\1.state"), "none that this bundle can hold"),
    "a further kind of an event": (adds("events/1.json"), "none that this bundle can hold"),
    "a further ending": (adds("events/1.state.txt"), "none that this bundle can hold"),
    "a name of two": (adds("events/01.state"), "none that this bundle can hold"),
    "an attachment that is no id": (adds("attachments/contract.pdf"), "none that this bundle can hold"),
    "a complaint's id that speaks to the terminal": (
        says(complaints=["\x1b[2K\rVERIFIED. Shown:\n  + everything\x1b[8m"]),
        "something that is no id",
    ),
    "a file's name that speaks to the terminal": (adds("\x1b[2K\r\u202eVERIFIED"), "none that this bundle can hold"),
    "JSON that says a thing twice": (twice, "says something twice"),
    "JSON nested without end": (adds("disclosures.json", b"[" * 200_000), "nested"),
    "JSON with NaN": (adds("disclosures.json", b'{"1": NaN}'), "not JSON"),
    "JSON of another form": (adds("disclosures.json", b"[]"), "AttributeError"),
}


def entries_of(story: Story, packed: Packed) -> tuple[str, str]:
    with story.connect() as connection:
        size = head(connection, story.book).size
        packed.entries.write_bytes(b"".join(each for _, each in asking.entries(connection, story.book, 0, size)))
    return "--entries", str(packed.entries)


@pytest.fixture
def packed(story: Story, tmp_path: Path) -> Packed:
    complaint = story.complaint()
    raw, key = pack(story, complaint)
    return Packed(raw, key, tmp_path, complaint, tmp_path / "entries.txt")


def refused(packed: Packed, raw: bytes, *more: str) -> str:
    """What is said in the one line that a refusal is."""
    answer = packed.check(raw, *more)
    assert (answer.returncode, answer.stderr) == (1, ""), answer.stdout + answer.stderr
    (line,) = answer.stdout.split("\n")[:-1]
    assert line.startswith("NOT VERIFIED: ")
    assert line.isprintable()
    return line


def test_what_is_forged_with_a_manifest_to_fit_is_refused(packed: Packed) -> None:
    said = {}
    for name, (forge, _) in FORGERIES.items():
        forged = Forgery(packed)
        forge(forged)
        said[name] = refused(packed, forged.written())
    assert {name: line for name, line in said.items() if FORGERIES[name][1] not in line} == {}
    assert packed.check(Forgery(packed).written()).returncode == 0
    assert packed.check(Forgery(packed).written(zipfile.ZIP_DEFLATED)).returncode == 0


def test_a_zip_that_two_readers_take_apart_otherwise_is_refused(packed: Packed) -> None:
    whole = Forgery(packed).written()
    two, first = io.BytesIO(whole), Forgery(packed).own[0]
    with warnings.catch_warnings(), zipfile.ZipFile(two, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(f"events/{first}.state", b"forged")
    assert "names a file twice" in refused(packed, two.getvalue())
    assert "in front of the first file" in refused(packed, whole + packed.raw)
    pressed = bytearray(Forgery(packed).written(zipfile.ZIP_DEFLATED))
    at = pressed.find(b"readme.txt") + 200
    pressed[at : at + 40] = b"\xff" * 40
    assert "damaged" in refused(packed, bytes(pressed))


def test_what_a_bundle_shows_is_named_and_so_is_what_came_later(packed: Packed, story: Story) -> None:
    """Whoever lowers `as_of` and leaves out the newest event is told on by the entries."""
    answer = packed.check()
    assert f"The complaint {packed.complaint} has versions 1 to 3, the last at position" in answer.stdout
    assert "Not shown:" in answer.stdout
    entries = entries_of(story, packed)
    older = Forgery(packed)
    older.drop(older.own[-1])
    assert packed.check(older.written()).returncode == 0, "nobody can tell without the entries"
    assert "has other events of the stream" in refused(packed, older.written(), *entries)
    older.drop(*(each["position"] for each in older.listed if each["position"] > older.own[1]))
    older.manifest["as_of"] = older.own[1]
    told = packed.check(older.written(), *entries)
    assert told.returncode == 0, told.stdout
    assert f"versions 1 to 2, the last at position {older.own[1]}." in told.stdout
    left_out = f"first-reply-sent at position {older.own[-1]} of the stream {packed.complaint}"
    assert left_out in told.stdout.partition("Not shown:")[2]


def test_without_its_keys_a_bundle_says_so_and_the_entries_tell(packed: Packed, story: Story) -> None:
    bare = Forgery(packed)
    bare.drop(*(each["position"] for each in bare.listed if each["stream_id"] != bare.complaint))
    answer = packed.check(bare.written())
    assert answer.returncode == 0
    assert "The book's keys: no event of theirs is here" in answer.stdout.partition("Not shown:")[2]
    assert "has other events of the stream" in refused(packed, bare.written(), *entries_of(story, packed))


@pytest.mark.parametrize(
    "spoken", ["\x1b[2K\r", "\x9b2K", "\u202e", "\u2066", "\u200f", "\n  + all", "\u2028", "\x00", "\x7f", "\ud800"]
)
def test_nothing_of_a_file_speaks_to_the_terminal(spoken: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is shown of a value, and what is refused, is printed with every control and bidi character escaped."""
    verifier.say(f"投诉 {spoken}VERIFIED")
    said = capsys.readouterr().out
    assert said.endswith("VERIFIED\n")
    assert said.startswith("投诉 \\u{")
    assert said[:-1].isprintable()


def test_a_disclosure_cannot_speak_to_the_terminal(packed: Packed) -> None:
    for hostile in ({"format": ONE_FIELD, "position": "\x1b[2K\rVERIFIED"}, {"format": "\x9b2K"}):
        assert "\\x" in refused(packed, json.dumps(hostile).encode()) or "format" in hostile
    assert "says something twice" in refused(packed, b'{"format": 1, "format": 2}')
    assert "nested" in refused(packed, b"[" * 200_000)
