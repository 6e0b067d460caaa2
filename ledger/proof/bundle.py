"""An evidence bundle: some complaints' events with everything by which a stranger checks them, in one zip file.

It gathers and packs. What a person reads of it (the histories) is handed in; who may see a personal value is decided by
whoever hands in `disclosures`. The same receiver, checkpoint and disclosures give the same bytes.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import ClassVar, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.attesting.keys import keys_stream
from ledger.policy.built_in import policies_stream
from ledger.proof.asking import entry_of
from ledger.proof.checkpoints import Held, verifier_keys
from ledger.proof.files import InclusionFile
from ledger.proof.stored import StoredTree
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

ATTACHED_BYTES_MAX = 512 * 1024 * 1024
"""All files of a bundle together: it is made in memory."""


class Attached(NamedTuple):
    """A file of evidence: the event at `position` holds SHA-256 over salt and content."""

    position: int
    file_id: UUID
    salt: bytes
    content: bytes


class Shown(NamedTuple):
    """What a receiver may see: disclosures by position, base64url of `[salt, path, value]` (RFC 9901), and files."""

    values: Mapping[int, Sequence[str]]
    attached: Sequence[Attached] = ()


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
    """A bundle is made in memory."""

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


def bundle(
    connection: Connection,
    book: str,
    told: Mapping[UUID, Told],
    as_of: int,
    checkpoint: Held,
    receiver: str,
    disclosures: Disclosures = none_shown,
) -> bytes:
    """The zip. `told` names the complaints; the checkpoint covers `as_of`. Costs one proof for each event.

    The book's policies and verifier keys, as known there, go with it: the regime and the calendar of each deadline.
    """
    if len(told) > COMPLAINTS_MAX:
        raise TooManyComplaints
    own = book_id(checkpoint.checkpoint.origin)
    streams = [*told, policies_stream(own), keys_stream(own)]
    rows = sorted(
        (row for stream in streams for row in _stream(connection, book, stream, as_of)), key=lambda row: row.position
    )
    shown = disclosures([row for row in rows if row.stream_id in told])
    content = {
        "readme.txt": _text("bundle_readme.txt"),
        "verify.py": _text("verifier.py"),
        "checkpoint": checkpoint.written(),
        "keys.txt": "".join(f"{key.verifier_key}\n" for key in verifier_keys(connection, book)).encode(),
        "disclosures.json": _json({str(position): list(each) for position, each in shown.values.items()}),
        "attachments.json": _json(
            {str(each.file_id): {"position": each.position, "salt": each.salt.hex()} for each in shown.attached}
        ),
        "events.json": _json([_listed(row) for row in rows]),
    }
    for each in shown.attached:
        content[f"attachments/{each.file_id}"] = each.content
    for complaint, history in told.items():
        content[f"history/{complaint}.html"] = history.html.encode()
        content[f"history/{complaint}.json"] = _json(history.document)
    tree = StoredTree(connection, book, checkpoint.checkpoint.size)
    for row in rows:
        entry = entry_of(checkpoint.checkpoint.origin, row)
        hashes = tree.inclusion(row.position - 1, leaf_hash(entry), checkpoint.checkpoint.root)
        proof = InclusionFile(row.position - 1, hashes, checkpoint.written())
        content[f"events/{row.position}.entry"] = entry
        content[f"events/{row.position}.state"] = row.state
        content[f"events/{row.position}.tlog-proof"] = proof.written()
    content["manifest.json"] = _json(
        {
            "format": FORMAT,
            "origin": checkpoint.checkpoint.origin,
            "receiver": receiver,
            "complaints": [str(complaint) for complaint in told],
            "as_of": as_of,
            "size": checkpoint.checkpoint.size,
            "root": checkpoint.checkpoint.root.hex(),
            "positions": [row.position for row in rows],
            "files": {name: hashlib.sha256(each).hexdigest() for name, each in sorted(content.items())},
        }
    )
    return _packed(content)


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


def _packed(content: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: what a compressor makes of a file depends on its version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, each in sorted(content.items()):
            place = zipfile.ZipInfo(name, AT)
            place.external_attr = 0o644 << 16
            place.create_system = 3
            archive.writestr(place, each)
    return packed.getvalue()


def _text(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _json(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"
