"""Checks an evidence bundle of a complaint ledger, or the disclosure of one field. It needs Python 3.11 and `cryptography`.

    python verify.py bundle.zip --key KEY [--witness KEY]... [--quorum N] [--entries FILE]
    python verify.py disclosure.json --key KEY [--witness KEY]... [--quorum N]

KEY is the book's verifier key, and it has to come from somewhere else than this bundle: a letter, a web page of the
supervisor, an earlier audit. The formats are those of RFC 6962, RFC 9901 and C2SP (signed-note, tlog-checkpoint,
tlog-proof, tlog-cosignature); docs/proof.md of the ledger tells them byte by byte. Read this file before you trust it:
it imports nothing that would hide a step. Exit code 0: all that was checked holds; 1: something does not; 2: wrong use.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "complaint-ledger/bundle/v1"
ONE_FIELD = "complaint-ledger/disclosure/v1"
ENTRY = "complaint-ledger/entry/v1"
PROOF = "c2sp.org/tlog-proof@v1"
DASH = "\N{EM DASH} "

FILES_MAX = 200_000
BYTES_MAX = 33 * 1024**3
PIECE_BYTES = 1024 * 1024
DISCLOSURE_BYTES_MAX = 8 * 1024 * 1024
PATHS = re.compile(r"[a-z0-9][a-z0-9/._-]{0,199}")

ENTRY_FORM = re.compile(
    ENTRY + r"\n(?P<origin>[A-Za-z0-9._/-]{1,200})\n(?P<position>[1-9][0-9]{0,18})\n(?P<stream_id>[0-9a-f-]{36})\n"
    r"(?P<version>0|[1-9][0-9]{0,18})\n(?P<name>[A-Za-z0-9_.:<>-]{1,200})\n"
    r"(?P<recorded_at>[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z)\n(?P<state>[0-9a-f]{64})\n"
)


class Wrong(Exception):
    """The bundle does not show what it says."""


class Key(NamedTuple):
    """A verifier key: name, algorithm (1 a signature, 4 a witness's) and 32 bytes."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    def signed(self, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Checkpoint(NamedTuple):
    """A checkpoint's bytes, the signed text among them, what it says, and the lines below it."""

    raw: bytes
    text: bytes
    origin: str
    size: int
    root: bytes
    signatures: list[tuple[str, bytes]]


def unbase64(text: str) -> bytes:
    """Standard base64 in its one form."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("something that should be base64 is not") from None
    if base64.b64encode(raw).decode() != text:
        raise Wrong("base64 that is not in its one form")
    return raw


def read_key(text: str, algorithm: int) -> Key:
    """`name+12345678+base64`; the hash in the middle guards against a slip of the pen."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise Wrong(f"a key is written name+12345678+base64, not {text!r}")
    raw = unbase64(parts[2])
    if len(raw) != 33 or raw[0] != algorithm:
        raise Wrong(f"the key of {parts[0]} is not of the kind that is wanted here ({algorithm})")
    key = Key(parts[0], raw[0], raw[1:])
    if key.key_id.hex() != parts[1]:
        raise Wrong(f"the key of {parts[0]} was not copied whole")
    return key


def read_checkpoint(raw: bytes) -> Checkpoint:
    """A signed note whose text is origin, size and root, each on a line."""
    text, gap, lines = raw.rpartition(b"\n\n")
    try:
        body = text.decode().split("\n")
        below = lines.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise Wrong("the checkpoint is not text") from None
    if (
        not gap
        or len(body) != 3
        or not lines.endswith(b"\n")
        or not re.fullmatch(r"[1-9][0-9]{0,18}", body[1], re.ASCII)
    ):
        raise Wrong("the checkpoint is not origin, size, root, an empty line and signatures")
    signatures = []
    for line in below:
        name, space, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space:
            raise Wrong("a line below the checkpoint is no signature")
        signatures.append((name, unbase64(encoded)))
    root = unbase64(body[2])
    if len(root) != 32:
        raise Wrong("the root of the checkpoint has not 32 bytes")
    return Checkpoint(raw, text + b"\n", body[0], int(body[1]), root, signatures)


def check_signature(checkpoint: Checkpoint, key: Key) -> None:
    """The book's own key, named like the origin, has signed the text."""
    if key.name != checkpoint.origin:
        raise Wrong(f"the key is of {key.name}, the checkpoint of {checkpoint.origin}")
    ours = [raw[4:] for name, raw in checkpoint.signatures if (name, raw[:4]) == (key.name, key.key_id)]
    if not ours:
        raise Wrong("the key that was given has not signed the checkpoint")
    if not all(len(each) == 64 and key.signed(each, checkpoint.text) for each in ours):
        raise Wrong("the signature does not fit the checkpoint")


def cosigned_at(checkpoint: Checkpoint, witness: Key) -> int | None:
    """When a witness says it saw this tree, in seconds since 1970; None where it has not signed, Wrong where wrongly."""
    for name, raw in checkpoint.signatures:
        if (name, raw[:4]) != (witness.name, witness.key_id):
            continue
        at = int.from_bytes(raw[4:12], "big")
        if len(raw) != 4 + 8 + 64 or not witness.signed(
            raw[12:], f"cosignature/v1\ntime {at}\n".encode() + checkpoint.text
        ):
            raise Wrong(f"the cosignature of {name} does not fit the checkpoint")
        return at
    return None


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, hashes: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        raise Wrong("a proof is of a leaf outside the tree")
    node, last = index, size - 1
    root = leaf
    for each in hashes:
        if last == 0:
            raise Wrong("a proof is too long")
        if node % 2 or node == last:
            root = node_hash(each, root)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, each)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("a proof is too short")
    return root


def check_proof(raw: bytes, entry: bytes, position: int, checkpoint: Checkpoint) -> None:
    """The proof is of this entry at this position, and leads to the checkpoint's root."""
    head, gap, under = raw.partition(b"\n\n")
    lines = head.decode("ascii", errors="replace").split("\n")
    if not gap or lines[:2] != [PROOF, f"index {position - 1}"]:
        raise Wrong(f"the proof of position {position} is not of that position")
    if under != checkpoint.raw:
        raise Wrong(f"the proof of position {position} is of another checkpoint")
    hashes = [unbase64(line) for line in lines[2:]]
    if len(hashes) > 64 or any(len(each) != 32 for each in hashes):
        raise Wrong(f"the proof of position {position} has hashes of another length, or too many")
    if root_from(leaf_hash(entry), position - 1, checkpoint.size, hashes) != checkpoint.root:
        raise Wrong(f"the proof of position {position} does not lead to the checkpoint's root")


class Bundle:
    """The files of a bundle, each checked against the manifest once, all names known."""

    def __init__(self, path: str) -> None:
        self._zip = zipfile.ZipFile(path)
        found = self._zip.infolist()
        if len(found) > FILES_MAX or sum(each.file_size for each in found) > BYTES_MAX:
            raise Wrong("the bundle is larger than any that this program reads")
        self.names = {each.filename for each in found}
        if len(self.names) != len(found) or not all(PATHS.fullmatch(name) for name in self.names):
            raise Wrong("the bundle names a file twice, or one that cannot be")
        self.manifest: dict[str, Any] = self.json("manifest.json")
        if self.manifest.get("format") != FORMAT or set(self.manifest["files"]) != self.names - {"manifest.json"}:
            raise Wrong("the manifest is of another format, or does not list the files that are there")
        for name, digest in self.manifest["files"].items():
            if self.hashed(name).hexdigest() != digest:
                raise Wrong(f"the file {name} is not the one that the manifest lists")

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
            raise Wrong(f"the file {name} is missing or damaged") from None

    def hashed(self, name: str, salt: bytes = b"") -> Any:
        """SHA-256 over a salt and a file, which may be large."""
        digest = hashlib.sha256(salt)
        try:
            with self._zip.open(name) as file:
                while piece := file.read(PIECE_BYTES):
                    digest.update(piece)
        except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
            raise Wrong(f"the file {name} is missing or damaged") from None
        return digest

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def json(self, name: str) -> Any:
        try:
            return json.loads(self.read(name))
        except ValueError:
            raise Wrong(f"the file {name} is not JSON") from None


def check_events(bundle: Bundle, checkpoint: Checkpoint) -> dict[str, list[int]]:
    """Every event against its entry, every entry against the tree; positions by stream."""
    streams: dict[str, list[tuple[int, int]]] = {}
    as_of = bundle.manifest["as_of"]
    for position in bundle.manifest["positions"]:
        entry, state, proof = (bundle.read(f"events/{position}.{kind}") for kind in ("entry", "state", "tlog-proof"))
        fields = check_event(position, entry, state, proof, checkpoint)
        streams.setdefault(fields["stream_id"], []).append((int(fields["version"]), position))
    found: dict[str, list[int]] = {}
    for stream, events in streams.items():
        ordered = sorted(events)
        if [version for version, _ in ordered] != list(range(1, len(ordered) + 1)):
            raise Wrong(
                f"the stream {stream} has versions {[v for v, _ in ordered]}: not 1 to {len(ordered)} without a hole"
            )
        found[stream] = [position for _, position in ordered]
        if found[stream] != sorted(found[stream]) or found[stream][-1] > as_of:
            raise Wrong(f"the versions of the stream {stream} do not follow one another, or lie behind {as_of}")
    for complaint in bundle.manifest["complaints"]:
        if complaint not in found:
            raise Wrong(f"the bundle is said to hold the complaint {complaint} and has no event of it")
    if {n.split("/")[1].split(".")[0] for n in bundle.names if n.startswith("events/")} != {
        str(position) for position in bundle.manifest["positions"]
    }:
        raise Wrong("there are files of events that the manifest does not give as positions")
    return found


def check_event(position: int, entry: bytes, state: bytes, proof: bytes, checkpoint: Checkpoint) -> re.Match[str]:
    """The event is the one that its entry names, and the entry is in the tree at its position; the entry's fields."""
    fields = ENTRY_FORM.fullmatch(entry.decode("ascii", errors="replace"))
    if fields is None or fields["origin"] != checkpoint.origin or int(fields["position"]) != position:
        raise Wrong(f"the entry of position {position} is no entry of this book and place")
    if hashlib.sha256(state).hexdigest() != fields["state"]:
        raise Wrong(f"the event at position {position} is not the one that its entry names")
    check_proof(proof, entry, position, checkpoint)
    return fields


def digest_at(state: Any, path: str) -> object:
    """What stands in an event under a path such as `fact.content`."""
    for step in path.split("."):
        state = state.get(step) if isinstance(state, dict) else None
    return state


def said_in(event: Any, disclosure: str) -> tuple[str, object] | None:
    """Path and value of a disclosure, `[salt, path, value]`, whose digest stands in the event there; else None."""
    said = json.loads(base64.b64decode(disclosure + "=" * (-len(disclosure) % 4), altchars=b"-_", validate=True))
    digest = base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).rstrip(b"=").decode()
    if len(said) != 3 or digest_at(event, said[1]) != digest:
        return None
    return said[1], said[2]


def check_disclosures(bundle: Bundle) -> int:
    """Each value shown is the one whose digest stands in its event (RFC 9901, section 4.2)."""
    count = 0
    positions = {str(position) for position in bundle.manifest["positions"]}
    for position, disclosures in bundle.json("disclosures.json").items():
        if position not in positions:
            raise Wrong(f"a value is shown of position {position}, which the bundle does not hold")
        event = json.loads(bundle.read(f"events/{position}.state"))["event"]
        for disclosure in disclosures:
            if said_in(event, disclosure) is None:
                raise Wrong(f"a value shown at position {position} is not the one that was recorded")
            count += 1
    return count


def check_attachments(bundle: Bundle) -> int:
    """Each file is the one whose digest, over its salt and content, stands in its event."""
    listed = bundle.json("attachments.json")
    if {f"attachments/{file_id}" for file_id in listed} != {n for n in bundle.names if n.startswith("attachments/")}:
        raise Wrong("the files that are attached are not those that are listed")
    positions = set(bundle.manifest["positions"])
    for file_id, said in listed.items():
        if said["position"] not in positions:
            raise Wrong(
                f"the file {file_id} is said to be of position {said['position']}, which the bundle does not hold"
            )
        event = json.loads(bundle.read(f"events/{said['position']}.state"))["event"]
        name = f"attachments/{file_id}"
        digest = bundle.hashed(name, bytes.fromhex(said["salt"])).hexdigest()
        if (event["file_id"], event["file_digest"], event["size_bytes"]) != (file_id, digest, bundle.size(name)):
            raise Wrong(f"the file {file_id} is not the one that was recorded at position {said['position']}")
    return len(listed)


def entries_in(path: str) -> Iterator[tuple[bytes, re.Match[str]]]:
    """The entries of a file, eight lines each, in constant memory."""
    with open(path, "rb") as file:  # noqa: PTH123 - one file, and no more names than needed
        while lines := [line for line in (file.readline(1_000) for _ in range(8)) if line]:
            entry = b"".join(lines)
            fields = ENTRY_FORM.fullmatch(entry.decode("ascii", errors="replace"))
            if fields is None:
                raise Wrong("the file of entries holds something that is no entry")
            yield entry, fields


def grow(edge: list[bytes | None], node: bytes) -> None:
    """One more leaf: `edge` holds the root of a perfect subtree for each 1 bit of the size (RFC 6962, section 2.1)."""
    level = 0
    while level < len(edge) and (left := edge[level]) is not None:
        node, edge[level] = node_hash(left, node), None
        level += 1
    if level == len(edge):
        edge.append(None)
    edge[level] = node


def root_of(edge: list[bytes | None]) -> bytes | None:
    """The root over an edge; None for an empty tree."""
    root: bytes | None = None
    for each in edge:
        if each is not None:
            root = each if root is None else node_hash(each, root)
    return root


def check_entries(path: str, checkpoint: Checkpoint, streams: dict[str, list[int]], as_of: int) -> None:
    """All entries make up the checkpoint's tree, and none of these streams' is missing from the bundle."""
    edge: list[bytes | None] = []
    seen: dict[str, list[int]] = {stream: [] for stream in streams}
    position = 0
    for entry, fields in entries_in(path):
        position += 1
        if position > checkpoint.size:
            break
        if int(fields["position"]) != position or fields["origin"] != checkpoint.origin:
            raise Wrong(f"the file of entries has another entry where position {position} should be")
        if fields["stream_id"] in seen and position <= as_of:
            seen[fields["stream_id"]].append(position)
        grow(edge, leaf_hash(entry))
    root = root_of(edge)
    if position < checkpoint.size:
        raise Wrong(
            f"the file holds {position} entries and the checkpoint covers {checkpoint.size}: were it fetched later, it would "
            "hold all of them"
        )
    if root != checkpoint.root:
        raise Wrong("the file of entries does not make up the tree of the checkpoint")
    for stream, held in streams.items():
        if seen[stream] != held:
            left_out = sorted(set(seen[stream]) ^ set(held))
            raise Wrong(f"the book has other events of the stream {stream} than the bundle: positions {left_out[:10]}")


def seen_by_witnesses(checkpoint: Checkpoint, arguments: argparse.Namespace) -> list[str]:
    """Who of the witnesses named has cosigned, in a sentence; Wrong where fewer than were asked for."""
    times = {key: cosigned_at(checkpoint, read_key(key, 4)) for key in arguments.witness}
    agreed = [f"{key.split('+')[0]} at {at}" for key, at in times.items() if at is not None]
    if len(agreed) < arguments.quorum:
        raise Wrong(f"{len(agreed)} of the witnesses named have cosigned, and {arguments.quorum} were asked for")
    return [f"Witnesses saw the same tree (seconds since 1970): {', '.join(agreed)}."] if agreed else []


def checked_disclosure(arguments: argparse.Namespace) -> list[str]:
    """What the disclosure of one field has shown, in sentences; raises Wrong."""
    with open(arguments.bundle, "rb") as file:  # noqa: PTH123 - one file, and no more names than needed
        raw = file.read(DISCLOSURE_BYTES_MAX + 1)
    said = json.loads(raw)
    if len(raw) > DISCLOSURE_BYTES_MAX or said["format"] != ONE_FIELD:
        raise Wrong("the file is neither a bundle nor the disclosure of one field")
    position, proof = said["position"], said["proof"].encode()
    checkpoint = read_checkpoint(proof.partition(b"\n\n")[2])
    check_signature(checkpoint, read_key(arguments.key, 1))
    fields = check_event(position, said["entry"].encode(), said["state"].encode(), proof, checkpoint)
    told = said_in(json.loads(said["state"])["event"], said["disclosure"])
    if told is None or told[0] != said["path"]:
        raise Wrong("the value is not the one that was recorded there")
    value = json.dumps(told[1], ensure_ascii=False)
    event = f"the event {fields['name']}, version {fields['version']} of the stream {fields['stream_id']}"
    return [
        f"The key that you gave signed a checkpoint over the first {checkpoint.size} entries of {checkpoint.origin}.",
        f"At position {position} of them stands {event}, recorded at {fields['recorded_at']}, every byte as recorded.",
        f"Its field {told[0]} was recorded as {value}.",
        *seen_by_witnesses(checkpoint, arguments),
    ]


def checked(arguments: argparse.Namespace) -> list[str]:
    """What has been shown, in sentences; raises Wrong."""
    bundle = Bundle(arguments.bundle)
    checkpoint = read_checkpoint(bundle.read("checkpoint"))
    check_signature(checkpoint, read_key(arguments.key, 1))
    as_of = bundle.manifest["as_of"]
    if not isinstance(as_of, int) or not 1 <= as_of <= checkpoint.size:
        raise Wrong("the bundle is said to be as of a position that the checkpoint does not cover")
    streams = check_events(bundle, checkpoint)
    events = sum(map(len, streams.values()))
    disclosed, attached = check_disclosures(bundle), check_attachments(bundle)
    shown = [
        f"The key that you gave signed a checkpoint over the first {checkpoint.size} entries of {checkpoint.origin}.",
        f"{events} events in {len(streams)} streams are in that tree, each at its position, with every byte as recorded.",
        f"Each stream has its versions from 1 without a hole, as of position {as_of}.",
        f"{disclosed} personal values are shown, and each is the one that was recorded.",
        f"{attached} files are attached, and each is the one that was recorded, byte for byte.",
    ]
    shown += seen_by_witnesses(checkpoint, arguments)
    if arguments.entries:
        check_entries(arguments.entries, checkpoint, streams, as_of)
        shown.append(
            f"The file of entries makes up that tree: up to position {as_of} there is no other event of these streams."
        )
    return shown


def not_shown(arguments: argparse.Namespace) -> list[str]:
    """What this check leaves open, in sentences."""
    if not zipfile.is_zipfile(arguments.bundle):
        left = [
            "That what was recorded is true: the ledger shows what was recorded and when, not that it happened so.",
            "That nothing was recorded later that corrects it: for that ask for a bundle of the complaint.",
        ]
        if not arguments.witness:
            left.append(
                "That the institution showed everybody the same tree: for that name its witnesses with --witness."
            )
        return left
    left = [
        "That what was recorded is true: the ledger shows what was recorded and when, not that it happened so.",
        "That history.html and history.json tell the events rightly: they are there to be read; the events decide.",
        "That the manifest's name of the receiver is right, and that no value and no file was held back from him.",
    ]
    if not arguments.entries:
        left.insert(0, "That there is no further event of these streams: for that give --entries FILE.")
    if not arguments.witness:
        left.insert(
            0, "That the institution showed everybody the same tree: for that name its witnesses with --witness."
        )
    return left


def refused(sentence: str) -> NoReturn:
    """Ends with exit code 1."""
    sys.stdout.write(f"NOT VERIFIED: {sentence}.\n")
    sys.exit(1)


def main() -> None:
    """Reads the command line, checks, and says what has been shown and what has not."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of a complaint ledger, or one disclosure.")
    parser.add_argument("bundle", help="the bundle, a zip file, or the disclosure of one field, a JSON file")
    parser.add_argument("--key", required=True, help="the book's verifier key, from elsewhere than the bundle")
    parser.add_argument(
        "--witness", action="append", default=[], help="the key of a witness; may be given several times"
    )
    parser.add_argument("--quorum", type=int, default=0, help="how many of those witnesses must have cosigned")
    parser.add_argument("--entries", help="all entries of the book, as `complaint-ledger entries` writes them")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # it is a text file
    one_field = not zipfile.is_zipfile(arguments.bundle)
    if one_field and arguments.entries:
        parser.error("--entries is for bundles: it shows that no event of a stream is missing")
    try:
        shown = checked_disclosure(arguments) if one_field else checked(arguments)
    except Wrong as wrong:
        refused(str(wrong))
    except (OSError, zipfile.BadZipFile) as error:
        refused(f"the file cannot be read: {error}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        refused(f"the file has not the form of a bundle or a disclosure ({type(error).__name__})")
    sys.stdout.write("VERIFIED. Shown:\n" + "".join(f"  + {each}\n" for each in shown))
    sys.stdout.write("Not shown:\n" + "".join(f"  - {each}\n" for each in not_shown(arguments)))


if __name__ == "__main__":
    main()
