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
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn
from uuid import NAMESPACE_URL, UUID, uuid5

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
WHOLE_BYTES_MAX = 256 * 1024 * 1024
UUIDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
ALWAYS = ("manifest.json", "readme.txt", "verify.py", "checkpoint", "keys.txt", "events.json")
PERSONAL = ("disclosures.json", "attachments.json")
KINDS = ("entry", "state", "tlog-proof")
LATER_MAX = 20

ENTRY_FORM = re.compile(
    ENTRY + r"\n(?P<origin>[A-Za-z0-9._/-]{1,200})\n(?P<position>[1-9][0-9]{0,18})\n(?P<stream_id>[0-9a-f-]{36})\n"
    r"(?P<version>0|[1-9][0-9]{0,18})\n(?P<name>[A-Za-z0-9_.:<>-]{1,200})\n"
    r"(?P<recorded_at>[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z)\n(?P<state>[0-9a-f]{64})\n"
)


class Wrong(Exception):
    """The bundle does not show what it says."""


def plain(text: str) -> str:
    """The text with every character escaped that a terminal obeys, hides or turns round: controls, bidi, separators."""
    return "".join(each if each.isprintable() else f"\\u{{{ord(each):04x}}}" for each in text)


def say(text: str) -> None:
    """Prints one line, whatever a file brought into it."""
    sys.stdout.write(plain(text) + "\n")


def only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names all differ: of two alike, one reader would take the first and another the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("a JSON text says something twice")
    return found


def from_json(raw: bytes | str, what: str) -> Any:
    """What a JSON text says. Refused are duplicate names, NaN and nesting without end."""
    try:
        return json.loads(raw, object_pairs_hook=only_once, parse_constant=lambda _: not_a_number())
    except (ValueError, RecursionError):
        raise Wrong(f"{what} is not JSON, or nested beyond reading") from None


def not_a_number() -> NoReturn:
    """JSON has no NaN and no Infinity."""
    raise ValueError


def place(value: object) -> int:
    """A position: a whole number from 1 on, and neither 19.0 nor true, which are equal to some and written otherwise."""
    if type(value) is not int or value < 1:
        raise Wrong(f"a position is a whole number from 1 on, not {value!r}")
    return value


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
    """The files of a bundle: no other name than the manifest's promise gives, each checked against it once."""

    def __init__(self, path: str) -> None:
        self._zip = zipfile.ZipFile(path)
        found = self._zip.infolist()
        if len(found) > FILES_MAX or sum(each.file_size for each in found) > BYTES_MAX:
            raise Wrong("the bundle is larger than any that this program reads")
        self.names = {each.orig_filename for each in found}
        if len(self.names) != len(found) or any(each.filename != each.orig_filename for each in found):
            raise Wrong("the bundle names a file twice, or one by two names")
        if not found or min(each.header_offset for each in found):
            raise Wrong("something stands in front of the first file of the zip")
        self.manifest: dict[str, Any] = self.json("manifest.json")
        if self.manifest.get("format") != FORMAT or set(self.manifest["files"]) != self.names - {"manifest.json"}:
            raise Wrong("the manifest is of another format, or does not list the files that are there")
        self.as_of = place(self.manifest["as_of"])
        self.positions = [place(each) for each in self.manifest["positions"]]
        if self.positions != sorted(set(self.positions)):
            raise Wrong("the manifest does not give each position once and in order")
        self.complaints: list[str] = self.manifest["complaints"]
        if not self.complaints or len(set(self.complaints)) != len(self.complaints):
            raise Wrong("the manifest names no complaint, or one twice")
        if not all(type(each) is str and UUIDS.fullmatch(each) for each in self.complaints):
            raise Wrong("the manifest names a complaint by something that is no id")
        self._check_names()
        for name, digest in self.manifest["files"].items():
            if self.hashed(name).hexdigest() != digest:
                raise Wrong(f"the file {name} is not the one that the manifest lists")

    def _check_names(self) -> None:
        known = {*ALWAYS, *PERSONAL}
        known |= {f"history/{each}.{kind}" for each in self.complaints for kind in ("html", "json")}
        known |= {f"events/{position}.{kind}" for position in self.positions for kind in KINDS}
        if missing := known - self.names:
            raise Wrong(f"the file {min(missing)} is missing: the manifest promises it")
        for name in sorted(self.names - known):
            folder, _, file_id = name.partition("/")
            if folder != "attachments" or not UUIDS.fullmatch(file_id):
                raise Wrong(f"the file {name!r} is none that this bundle can hold")

    def _pieces(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
            raise Wrong(f"the file {name} is missing or damaged") from None

    def read(self, name: str) -> bytes:
        """A file whole, in memory."""
        if name in self.names and self.size(name) > WHOLE_BYTES_MAX:
            raise Wrong(f"the file {name} is larger than any that is read whole")
        return b"".join(self._pieces(name))

    def hashed(self, name: str, salt: bytes = b"") -> Any:
        """SHA-256 over a salt and a file, which may be large."""
        digest = hashlib.sha256(salt)
        for piece in self._pieces(name):
            digest.update(piece)
        return digest

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def json(self, name: str) -> Any:
        return from_json(self.read(name), f"the file {name}")


class Streams(NamedTuple):
    """The streams whose events a bundle holds: positions by stream, from version 1 on; which are of deadlines."""

    positions: dict[str, list[int]]
    policies: str
    keys: str
    deadlines: list[str]


def check_manifest(bundle: Bundle, checkpoint: Checkpoint) -> None:
    """What the manifest says of the tree is what the signed checkpoint says."""
    said = (bundle.manifest["origin"], bundle.manifest["size"], bundle.manifest["root"])
    if said != (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) or type(said[1]) is not int:
        raise Wrong("the manifest gives another origin, size or root than the checkpoint")
    if bundle.as_of > checkpoint.size:
        raise Wrong("the bundle is said to be as of a position that the checkpoint does not cover")


def check_events(bundle: Bundle, checkpoint: Checkpoint) -> Streams:
    """Every event against its entry, every entry against the tree, every stream against what the manifest promises."""
    streams: dict[str, list[tuple[int, int]]] = {}
    listed: list[dict[str, Any]] = []
    about: dict[str, object] = {}
    for position in bundle.positions:
        entry, state, proof = (bundle.read(f"events/{position}.{kind}") for kind in KINDS)
        fields = check_event(position, entry, state, proof, checkpoint)
        stream, version, name = fields["stream_id"], int(fields["version"]), fields["name"]
        streams.setdefault(stream, []).append((version, position))
        listed.append(
            {
                "position": position,
                "stream_id": stream,
                "version": version,
                "name": name,
                "recorded_at": fields["recorded_at"],
            }
        )
        if version == 1:
            deadline = name.startswith("deadline-")
            about[stream] = (
                digest_at(from_json(state, f"the event {position}"), "event.complaint_id") if deadline else name
            )
    if bundle.json("events.json") != listed:
        raise Wrong("events.json lists other events than those that are here")
    found: dict[str, list[int]] = {}
    for stream, events in streams.items():
        ordered = sorted(events)
        if [version for version, _ in ordered] != list(range(1, len(ordered) + 1)):
            raise Wrong(
                f"the stream {stream} has versions {[v for v, _ in ordered]}: not 1 to {len(ordered)} without a hole"
            )
        found[stream] = [position for _, position in ordered]
        if found[stream] != sorted(found[stream]) or found[stream][-1] > bundle.as_of:
            raise Wrong(f"the versions of the stream {stream} do not follow one another, or lie behind {bundle.as_of}")
    if bundle.manifest["streams"] != {stream: len(events) for stream, events in found.items()}:
        raise Wrong("the manifest promises other streams, or other versions of them, than those that are here")
    for complaint in bundle.complaints:
        if about.get(complaint) != "complaint-received":
            raise Wrong(f"the bundle is said to hold the complaint {complaint} and has not its receipt")
    own = uuid5(NAMESPACE_URL, checkpoint.origin)
    policies, keys = str(uuid5(own, "policies")), str(uuid5(own, "verifier-keys"))
    others = [stream for stream in found if stream not in {*bundle.complaints, policies, keys}]
    for stream in others:
        if about[stream] not in bundle.complaints or stream[:18] != deadlines_begin(str(about[stream])):
            raise Wrong(f"the stream {stream} is of none of the complaints, and none of the book's policies or keys")
    return Streams(found, policies, keys, others)


def deadlines_begin(complaint: str) -> str:
    """How the ids of all streams begin that hold a complaint's deadlines: the first half of a UUID (RFC 9562, version 5)."""
    return str(uuid5(UUID(complaint), "deadlines"))[:18]


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
    raw = base64.b64decode(disclosure + "=" * (-len(disclosure) % 4), altchars=b"-_", validate=True)
    said = from_json(raw, "a value")
    digest = base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).rstrip(b"=").decode()
    if len(said) != 3 or digest_at(event, said[1]) != digest:
        return None
    return said[1], said[2]


def check_disclosures(bundle: Bundle) -> int:
    """Each value shown is the one whose digest stands in its event (RFC 9901, section 4.2)."""
    count = 0
    positions = {str(position) for position in bundle.positions}
    for position, disclosures in bundle.json("disclosures.json").items():
        if position not in positions:
            raise Wrong(f"a value is shown of position {position}, which the bundle does not hold")
        event = bundle.json(f"events/{position}.state")["event"]
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
    for file_id, said in listed.items():
        position = place(said["position"])
        if position not in bundle.positions:
            raise Wrong(f"the file {file_id} is said to be of position {position}, which the bundle does not hold")
        event = bundle.json(f"events/{position}.state")["event"]
        name = f"attachments/{file_id}"
        digest = bundle.hashed(name, bytes.fromhex(said["salt"])).hexdigest()
        if (event["file_id"], event["file_digest"], event["size_bytes"]) != (file_id, digest, bundle.size(name)):
            raise Wrong(f"the file {file_id} is not the one that was recorded at position {position}")
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


def check_entries(
    path: str, checkpoint: Checkpoint, streams: Streams, complaints: Iterable[str], as_of: int
) -> list[str]:
    """All entries make up the checkpoint's tree, and up to `as_of` the bundle leaves out none of these streams' events.

    Later ones up to the checkpoint's size, which the bundle is not about, are answered by name.
    """
    edge: list[bytes | None] = []
    held = {stream: streams.positions.get(stream, []) for stream in (*complaints, streams.policies, streams.keys)}
    held |= {stream: streams.positions[stream] for stream in streams.deadlines}
    begins = {deadlines_begin(complaint) for complaint in complaints}
    seen: dict[str, list[int]] = {}
    later: list[str] = []
    position = 0
    for entry, fields in entries_in(path):
        position += 1
        if position > checkpoint.size:
            break
        if int(fields["position"]) != position or fields["origin"] != checkpoint.origin:
            raise Wrong(f"the file of entries has another entry where position {position} should be")
        stream = fields["stream_id"]
        if (stream in held or stream[:18] in begins) and position <= as_of:
            seen.setdefault(stream, []).append(position)
        elif stream in held or stream[:18] in begins:
            later.append(f"{fields['name']} at position {position} of the stream {stream}")
        grow(edge, leaf_hash(entry))
    root = root_of(edge)
    if position < checkpoint.size:
        raise Wrong(
            f"the file holds {position} entries and the checkpoint covers {checkpoint.size}: were it fetched later, it would "
            "hold all of them"
        )
    if root != checkpoint.root:
        raise Wrong("the file of entries does not make up the tree of the checkpoint")
    for stream in sorted(held | seen):
        left_out = sorted(set(seen.get(stream, [])) ^ set(held.get(stream, [])))
        if left_out:
            raise Wrong(f"the book has other events of the stream {stream} than the bundle: positions {left_out[:10]}")
    return later


def check_not_retired(bundle: Bundle, key: Key, of_keys: list[int]) -> None:
    """No event of the book's keys retires this one: it signs no checkpoint that covers its retirement, as this one would."""
    names = {each["position"]: each["name"] for each in bundle.json("events.json")}
    for position in of_keys:
        event = bundle.json(f"events/{position}.state")["event"]
        if names[position] == "verifier-key-retired" and read_key(event["verifier_key"], 1) == key:
            raise Wrong(f"the key that you gave was retired at position {position}, and signs nothing that covers it")


def seen_by_witnesses(checkpoint: Checkpoint, arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Who of the witnesses named has cosigned, and what is not shown; Wrong where fewer than were asked for: else all."""
    times = {key: cosigned_at(checkpoint, key) for key in (read_key(each, 4) for each in arguments.witness)}
    agreed = [f"{key.name} at {at}" for key, at in times.items() if at is not None]
    silent = [key.name for key, at in times.items() if at is None]
    wanted = len(times) if arguments.quorum is None else arguments.quorum
    if len(agreed) < wanted:
        raise Wrong("; not by ".join([f"{len(agreed)} of {wanted} witnesses have cosigned", *silent]))
    left = [f"That {name} saw this tree: this witness has not cosigned." for name in silent]
    if not agreed:
        return [], [UNWITNESSED, *left]
    return [f"Witnesses saw the same tree (seconds since 1970): {', '.join(agreed)}."], left


def checked_disclosure(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """What the disclosure of one field has shown and what not, in sentences; raises Wrong."""
    with open(arguments.bundle, "rb") as file:  # noqa: PTH123 - one file, and no more names than needed
        raw = file.read(DISCLOSURE_BYTES_MAX + 1)
    if len(raw) > DISCLOSURE_BYTES_MAX:
        raise Wrong("the file is neither a bundle nor the disclosure of one field")
    said = from_json(raw, "the file")
    if said["format"] != ONE_FIELD:
        raise Wrong("the file is neither a bundle nor the disclosure of one field")
    position, proof = place(said["position"]), said["proof"].encode()
    checkpoint = read_checkpoint(proof.partition(b"\n\n")[2])
    check_signature(checkpoint, read_key(arguments.key, 1))
    fields = check_event(position, said["entry"].encode(), said["state"].encode(), proof, checkpoint)
    told = said_in(from_json(said["state"], "the event")["event"], said["disclosure"])
    if told is None or told[0] != said["path"]:
        raise Wrong("the value is not the one that was recorded there")
    value = json.dumps(told[1], ensure_ascii=False)
    event = f"the event {fields['name']}, version {fields['version']} of the stream {fields['stream_id']}"
    witnessed, unwitnessed = seen_by_witnesses(checkpoint, arguments)
    shown = [
        SIGNED.format(checkpoint),
        f"At position {position} of them stands {event}, recorded at {fields['recorded_at']}, every byte as recorded.",
        f"Its field {told[0]} was recorded as {value}.",
        *witnessed,
    ]
    return shown, [*unwitnessed, RETIRED_BEFORE, LATER]


def checked(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """What has been shown and what of this bundle has not, in sentences; raises Wrong."""
    bundle = Bundle(arguments.bundle)
    checkpoint = read_checkpoint(bundle.read("checkpoint"))
    key = read_key(arguments.key, 1)
    check_signature(checkpoint, key)
    check_manifest(bundle, checkpoint)
    as_of = bundle.as_of
    streams = check_events(bundle, checkpoint)
    held = streams.positions
    check_not_retired(bundle, key, held.get(streams.keys, []))
    witnessed, left = seen_by_witnesses(checkpoint, arguments)
    disclosed, attached = check_disclosures(bundle), check_attachments(bundle)
    shown = [
        SIGNED.format(checkpoint),
        *(
            f"The complaint {each} has versions 1 to {len(held[each])}, the last at position {held[each][-1]}."
            for each in bundle.complaints
        ),
        (
            f"{len(bundle.positions)} events in {len(held)} streams are in that tree, each at its position, with every byte as "
            f"recorded: of the complaints above, {len(streams.deadlines)} of their deadlines, "
            f"{len(held.get(streams.policies, []))} of the book's policies, {len(held.get(streams.keys, []))} of its keys."
        ),
        f"Each stream has its versions from 1 without a hole, as of position {as_of}.",
        f"{disclosed} personal values are shown, and each is the one that was recorded.",
        f"{attached} files are attached, and each is the one that was recorded, byte for byte.",
        *witnessed,
    ]
    if as_of < checkpoint.size:
        left.append(f"That the key was not retired after position {as_of}: the events of the keys end there.")
    left += [
        (
            "That every limit that ran out was recorded as missed: the events here and the regimes among the policies say when "
            "each ended."
        ),
        "That history.html and history.json tell the events rightly, and keys.txt the keys: the events decide.",
        "That the manifest's name of the receiver is right, and that no value and no file was held back from him.",
    ]
    if arguments.entries:
        later = check_entries(arguments.entries, checkpoint, streams, bundle.complaints, as_of)
        shown.append(
            f"The file of entries makes up that tree: up to position {as_of} there is no other event of these streams, and "
            "none of a deadline of these complaints."
        )
        if later:
            more = f" and {len(later) - LATER_MAX} more" if len(later) > LATER_MAX else ""
            left.insert(
                0,
                f"What was recorded after position {as_of}, which this bundle does not hold: "
                f"{'; '.join(later[:LATER_MAX])}{more}.",
            )
        return shown, left
    left.insert(
        0,
        "That there is no further event of these streams, and none of another deadline of these complaints: for that give "
        "--entries FILE.",
    )
    if streams.policies not in held:
        left.insert(0, "The book's policies: no event of theirs is here; whether there is one --entries FILE tells.")
    if streams.keys not in held:
        left.insert(0, f"{RETIRED_BEFORE} Whether there is one --entries FILE tells.")
    return shown, left


NEVER_SHOWN = "That what was recorded is true: the ledger shows what was recorded and when, not that it happened so."
LATER = "That nothing was recorded later that corrects it: for that ask for a bundle of the complaint."
SIGNED = "The key that you gave signed a checkpoint over the first {0.size} entries of {0.origin}."
RETIRED_BEFORE = "The book's keys: no event of theirs is here, so the key may have been retired before it signed this."
UNWITNESSED = "That the institution showed everybody the same tree: for that name its witnesses with --witness."


def refused(sentence: str) -> NoReturn:
    """Ends with exit code 1."""
    say(f"NOT VERIFIED: {sentence}.")
    sys.exit(1)


def main() -> None:
    """Reads the command line, checks, and says what has been shown and what has not."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of a complaint ledger, or one disclosure.")
    parser.add_argument("bundle", help="the bundle, a zip file, or the disclosure of one field, a JSON file")
    parser.add_argument("--key", required=True, help="the book's verifier key, from elsewhere than the bundle")
    parser.add_argument("--witness", action="append", default=[], help="the key of a witness; may come several times")
    parser.add_argument("--quorum", type=int, help="how many of them must have cosigned; left out: all")
    parser.add_argument("--entries", help="all entries of the book, as `complaint-ledger entries` writes them")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # it is a text file
    one_field = not zipfile.is_zipfile(arguments.bundle)
    if one_field and arguments.entries:
        parser.error("--entries is for bundles: it shows that no event of a stream is missing")
    try:
        shown, left = (checked_disclosure if one_field else checked)(arguments)
    except Wrong as wrong:
        refused(str(wrong))
    except (OSError, zipfile.BadZipFile) as error:
        refused(f"the file cannot be read: {error}")
    except Exception as error:  # noqa: BLE001 - outermost: whatever a hostile file brings about
        refused(f"the file has not the form of a bundle or a disclosure ({type(error).__name__})")
    say("VERIFIED. Shown:")
    for each in shown:
        say(f"  + {each}")
    say("Not shown:")
    for each in (NEVER_SHOWN, *left):
        say(f"  - {each}")


if __name__ == "__main__":
    main()
