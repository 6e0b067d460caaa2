"""The entry: the bytes of an event's envelope that are hashed into the tree. It reads no database and no clock.

An entry is eight lines, each ended by LF, every field in an alphabet so narrow that a shell script
can rebuild it with `printf` (architecture, section 4):

    complaint-ledger/entry/v1
    <origin of the book>
    <position>
    <stream id>
    <version>
    <stored name>
    <recorded at, UTC, microseconds, Z>
    <sha256 of state, hex>

It carries no content, so the list of all entries can be shown to anybody.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

FORMAT = "complaint-ledger/entry/v1"

ALPHABETS: dict[str, str] = {
    "origin": r"[A-Za-z0-9._/-]{1,200}",
    "position": r"[1-9][0-9]{0,18}",
    "stream_id": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "version": r"0|[1-9][0-9]{0,18}",
    "name": r"[A-Za-z0-9_.:<>-]{1,200}",
    "recorded_at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",
    "state_sha256": r"[0-9a-f]{64}",
}
"""What each field of an entry may be, in the order of its lines. The database holds the same by CHECK."""

_FIELDS = {field: re.compile(alphabet) for field, alphabet in ALPHABETS.items()}

# No alphabet has an LF, so one match of the whole says the same as seven of the parts, and sooner.
_ENTRY = re.compile(re.escape(FORMAT) + "\n" + "".join(f"(?P<{f}>{a})\n" for f, a in ALPHABETS.items()))


def is_name(text: str) -> bool:
    """Whether an entry can have this stored name."""
    return _FIELDS["name"].fullmatch(text) is not None


def is_origin(text: str) -> bool:
    """Whether an entry can have this origin."""
    return _FIELDS["origin"].fullmatch(text) is not None


class Entry(NamedTuple):
    """The fields of an entry, as its lines say them."""

    origin: str
    position: int
    stream_id: UUID
    version: int
    name: str
    recorded_at: datetime
    state_sha256: str


def entry_bytes(
    origin: str, position: int, stream_id: UUID, version: int, name: str, recorded_at: datetime, state: bytes
) -> bytes:
    """The entry of one event, ready to be hashed as a leaf.

    `recorded_at` is offset-aware, in any offset. Raises ValueError naming the field that is outside
    its alphabet. Costs one SHA-256 of `state`.
    """
    state_sha256 = hashlib.sha256(state).hexdigest()
    return written(origin, position, str(stream_id), version, name, instant(recorded_at), state_sha256)


def written(
    origin: str, position: int, stream_id: str, version: int, name: str, recorded_at: str, state_sha256: str
) -> bytes:
    """The entry whose fields are written already; raises ValueError naming the field outside its alphabet."""
    entry = f"{FORMAT}\n{origin}\n{position}\n{stream_id}\n{version}\n{name}\n{recorded_at}\n{state_sha256}\n"
    if _ENTRY.fullmatch(entry) is None:
        raise _first_outside(origin, position, stream_id, version, name, recorded_at, state_sha256)
    return entry.encode("ascii")


def read(entry: bytes) -> Entry:
    """The fields of an entry; raises ValueError when these are not exactly the bytes of one."""
    lines = _ENTRY.fullmatch(entry.decode("ascii", errors="replace"))
    if lines is None:
        raise ValueError(f"this is no {FORMAT}: eight lines, each ended by LF, each field in its alphabet")
    return Entry(
        origin=lines["origin"],
        position=int(lines["position"]),
        stream_id=UUID(lines["stream_id"]),
        version=int(lines["version"]),
        name=lines["name"],
        recorded_at=datetime.fromisoformat(lines["recorded_at"]),
        state_sha256=lines["state_sha256"],
    )


def instant(at: datetime) -> str:
    """An instant as an entry writes it, `2026-11-22T07:30:00.000001Z`; raises ValueError when it has no offset."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError(f"recorded_at: {at.isoformat()} has no offset from UTC")
    if offset:
        at = at.astimezone(UTC)
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _first_outside(*fields: object) -> ValueError:
    for (field, alphabet), value in zip(_FIELDS.items(), fields, strict=True):
        if alphabet.fullmatch(str(value)) is None:
            return ValueError(f"{field}: {str(value)[:200]!r} is not {alphabet.pattern}")
    raise AssertionError("fields that fit one by one make an entry that fits")
