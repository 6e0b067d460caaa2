"""An evidence bundle: some complaints' events with everything by which a stranger checks them, in one zip file.

It gathers and packs. What a person reads of it (the histories) is handed in; who may see a personal value is decided by
whoever hands in `disclosures`. The same receiver, checkpoint and disclosures give the same bytes. It is written as it is
made: memory for the events and one piece of a file, however many files are attached.
"""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.attesting.keys import keys_stream
from ledger.policy.built_in import policies_stream
from ledger.proof.asking import entry_of
from ledger.proof.checkpoints import Held, verifier_keys
from ledger.proof.deadlines import deadlines_of
from ledger.proof.files import InclusionFile
from ledger.proof.stored import StoredTree
from ledger.proof.writing import private_file
from ledger.record.book import book_id
from ledger.record.entry import instant
from ledger.record.reading import StoredRow, stream_events
from ledger.record.tree import leaf_hash
from ledger.refusal import Refusal

FORMAT = "complaint-ledger/bundle/v1"
EVENTS_PER_STREAM_MAX = 20_000
COMPLAINTS_MAX = 1_000

AT = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the zip: the earliest that the format has, so that it says nothing."""

ATTACHED_BYTES_MAX = 32 * 1024**3
"""All files of a bundle together: what the program in it reads, and what somebody carries."""


class Attached(NamedTuple):
    """A file of evidence: the event at `position` holds SHA-256 over salt and content, which comes piece by piece."""

    position: int
    file_id: UUID
    salt: bytes
    size_bytes: int
    content: Iterable[bytes]


class Shown(NamedTuple):
    """What a receiver may see: disclosures by position, base64url of `[salt, path, value]` (RFC 9901), and files.

    A file is opened, and its look recorded, when it is its turn.
    """

    values: Mapping[int, Sequence[str]]
    attached: Iterable[Attached] = ()


Disclosures = Callable[[Sequence[StoredRow]], Shown]
"""From the complaints' events to what the receiver may see of them.

Whoever gives it has checked the right to see, and has recorded the look before.
"""


@dataclass(eq=False)
class TooManyComplaints(Refusal):
    """A bundle is for somebody to read; a whole book is handed over in another way."""

    says: ClassVar[str] = f"A bundle holds at most {COMPLAINTS_MAX} complaints."
    remedy: ClassVar[str] = "Ask for fewer, or hand over the book's entries and events as an export."


@dataclass(eq=False)
class TooMuchAttached(Refusal):
    """A bundle is carried to somebody in one piece."""

    says: ClassVar[str] = f"The files of these complaints are more than {ATTACHED_BYTES_MAX} bytes."
    remedy: ClassVar[str] = "Make a bundle of fewer complaints, or one without values and files."


class Told(NamedTuple):
    """The history of one complaint for people: a page in Chinese and English, and its facts as JSON."""

    html: str
    document: object


def none_shown(rows: Sequence[StoredRow]) -> Shown:
    """No personal value leaves the vault."""
    del rows
    return Shown({})


class Packed(NamedTuple):
    """How much of what is personal went into a bundle."""

    values: int
    files: int


def write_bundle(
    path: Path,
    connection: Connection,
    book: str,
    complaints: Sequence[UUID],
    tell: Callable[[UUID, Sequence[StoredRow]], Told],
    as_of: int,
    checkpoint: Held,
    receiver: str,
    disclosures: Disclosures = none_shown,
) -> Packed:
    """Writes the zip, for the owner's eyes only, and puts it in its place when it is whole.

    The checkpoint covers `as_of`. The book's policies and verifier keys, as known there, go with it: the regime and the
    calendar of each deadline. `tell` is given a complaint's events and those of its deadlines, so that a history is made of
    what stands in the bundle. Costs one proof for each event.
    """
    if len(complaints) > COMPLAINTS_MAX:
        raise TooManyComplaints
    own = book_id(checkpoint.checkpoint.origin)
    streams = [*complaints, policies_stream(own), keys_stream(own)]
    own_rows = [row for stream in streams for row in _stream(connection, book, stream, as_of)]
    passed = list(deadlines_of(connection, book, complaints, as_of))
    about = {row.stream_id: complaint for complaint, row in passed}
    rows = sorted([*own_rows, *(row for _, row in passed)], key=lambda row: row.position)
    shown = disclosures([row for row in rows if row.stream_id in set(complaints)])
    with private_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
        archive = _Archive(whole)
        archive.add("readme.txt", _text("bundle_readme.txt"))
        archive.add("verify.py", _text("verifier.py"))
        archive.add("checkpoint", checkpoint.written())
        known = verifier_keys(connection, book, checkpoint.checkpoint.size)
        archive.add("keys.txt", "".join(f"{key.verifier_key}\n" for key in known).encode())
        for complaint in complaints:
            history = tell(complaint, [row for row in rows if complaint in (row.stream_id, about.get(row.stream_id))])
            archive.add(f"history/{complaint}.html", history.html.encode())
            archive.add(f"history/{complaint}.json", _json(history.document))
        archive.add("events.json", _json([_listed(row) for row in rows]))
        tree = StoredTree(connection, book, checkpoint.checkpoint.size)
        for row in rows:
            entry = entry_of(checkpoint.checkpoint.origin, row)
            hashes = tree.inclusion(row.position - 1, leaf_hash(entry), checkpoint.checkpoint.root)
            proof = InclusionFile(row.position - 1, hashes, checkpoint.written())
            archive.add(f"events/{row.position}.entry", entry)
            archive.add(f"events/{row.position}.state", row.state)
            archive.add(f"events/{row.position}.tlog-proof", proof.written())
        archive.add("disclosures.json", _json({str(position): list(each) for position, each in shown.values.items()}))
        attached: dict[str, object] = {}
        for each in shown.attached:
            archive.add_in_pieces(f"attachments/{each.file_id}", each.content, each.size_bytes)
            attached[str(each.file_id)] = {"position": each.position, "salt": each.salt.hex()}
        archive.add("attachments.json", _json(attached))
        manifest = {
            "format": FORMAT,
            "origin": checkpoint.checkpoint.origin,
            "receiver": receiver,
            "complaints": [str(complaint) for complaint in complaints],
            "as_of": as_of,
            "size": checkpoint.checkpoint.size,
            "root": checkpoint.checkpoint.root.hex(),
            "positions": [row.position for row in rows],
            "streams": {str(stream): versions for stream, versions in Counter(row.stream_id for row in rows).items()},
            "files": archive.digests,
        }
        archive.add("manifest.json", _json(manifest))
    return Packed(sum(map(len, shown.values.values())), len(attached))


def _stream(connection: Connection, book: str, stream: UUID, as_of: int) -> list[StoredRow]:
    rows = stream_events(connection, book, stream, up_to_position=as_of, events_max=EVENTS_PER_STREAM_MAX + 1)
    assert len(rows) <= EVENTS_PER_STREAM_MAX, "no subject has so many events"
    return rows


def _listed(row: StoredRow) -> dict[str, object]:
    return {
        "position": row.position,
        "stream_id": row.stream_id,
        "version": row.version,
        "name": row.name,
        "recorded_at": instant(row.recorded_at),
    }


class _Archive:
    """A zip that is written file by file, and the SHA-256 of each file in hex.

    Stored, not deflated: what a compressor makes of a file depends on its version.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        self.add_in_pieces(name, (content,), len(content))

    def add_in_pieces(self, name: str, pieces: Iterable[bytes], size_bytes: int) -> None:
        place = zipfile.ZipInfo(name, AT)
        place.external_attr = 0o644 << 16
        place.create_system = 3
        place.file_size = size_bytes
        digest = hashlib.sha256()
        with self._zip.open(place, "w") as inside:
            for piece in pieces:
                digest.update(piece)
                inside.write(piece)
        self.digests[name] = digest.hexdigest()


def _text(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _json(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"
