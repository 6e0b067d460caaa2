"""The quick way over rows that are in order: entries, leaf hashes and digests of thousands at once. Names nothing.

Where anything is out of the ordinary it takes nothing of the rows and says so, and `verify_page` goes over them one by
one, which tells what and where. Three quarters of the time are four functions written in C: SHA-256 (three times an
event: state, entry, tree) and the JSON of the state.
"""

import hashlib
import struct
from binascii import hexlify
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from ledger.record.digests import DIGEST_ALPHABET, DIGEST_CHARACTERS, Plans, UnknownName, digests_of
from ledger.record.entry import FORMAT, is_name, is_origin
from ledger.record.raw import FIELDS, FIXED, LENGTH, LONG_BYTES, STREAM_BYTES, instant_at

_BEFORE_ALL = -(2**63)
_SECOND = 1_000_000


class InOrder(NamedTuple):
    """What rows held that follow the position before them, each recorded later than the one before it.

    `lines` tell the digests, as `Digest.line` does. Instants are microseconds since 2000-01-01 UTC.
    """

    leaves: list[bytes]
    lines: list[str]
    first_us: int
    last_us: int


class _Shape(NamedTuple):
    """What is known of a stored name: its personal fields, each with its subject's and the middle of its line."""

    personal: tuple[tuple[str, str, str], ...]
    nested: bool


class RowsInOrder:
    """Reads rows of one book. Keeps what it knows of each stored name."""

    def __init__(self, origin: str, plans: Plans) -> None:
        self._fits = is_origin(origin)
        self._head = f"\0{FORMAT}\n{origin}".encode()
        self._plans = plans
        self._shapes: dict[bytes, _Shape] = {}

    def read(self, rows: Sequence[bytes], after: int, after_us: int | None) -> InOrder | None:
        """The rows, which must go on behind position `after` and instant `after_us`; None where one is not as it has to be."""
        if not self._fits:
            return None
        try:
            return self._read(rows, after, _BEFORE_ALL if after_us is None else after_us)
        except (struct.error, ValueError, KeyError, TypeError, AttributeError, UnknownName):
            return None

    def _read(self, rows: Sequence[bytes], position: int, last_us: int) -> InOrder | None:
        """One loop without a call of ours in it: it runs for every event there is."""
        # bound to names of this function, which are found sooner than attributes
        unpack, fixed, length, sha256, loads = FIXED.unpack_from, FIXED.size, LENGTH.size, hashlib.sha256, orjson.loads
        head, shapes = self._head, self._shapes
        leaves: list[bytes] = []
        lines: list[str] = []
        digests: list[str] = []
        before_us, second_us, at = last_us, _BEFORE_ALL, b""
        first_us: int | None = None
        for row in rows:
            many, a, place, b, version, c, recorded_us, d, stream, name_bytes = unpack(row)
            position += 1
            if (
                place != position
                or recorded_us <= before_us
                or not a == b == c == LONG_BYTES
                or d != STREAM_BYTES
                or many != FIELDS
                or version < 0
            ):
                return None
            before_us = recorded_us
            name_ends = fixed + name_bytes
            name = row[fixed:name_ends]
            shape = shapes.get(name) or self._shape(name)
            state = row[name_ends + length :]
            microsecond = recorded_us - second_us
            if not 0 <= microsecond < _SECOND:
                microsecond = recorded_us % _SECOND
                second_us = recorded_us - microsecond
                at = instant_at(second_us)[: -len("000000Z")].encode()
            if first_us is None:
                first_us = recorded_us
            hashed = hexlify(sha256(state).digest())
            fields = (head, b"%d" % place, stream, b"%d" % version, name, at + b"%06dZ" % microsecond, hashed, b"")
            leaves.append(sha256(b"\n".join(fields)).digest())
            event = loads(state)["event"]
            for field, subject, middle in shape.personal:
                digest = event.get(field)
                if digest is not None:
                    digests.append(digest)
                    lines.append(f"{place}\t{digest}{middle}{event[subject]}")
            if shape.nested:
                lines += self._nested(place, name, state)
        if first_us is None or not _are_digests(digests):
            return None
        return InOrder(leaves, lines, first_us, before_us)

    def _nested(self, position: int, name: bytes, state: bytes) -> list[str]:
        """The lines of facts within an event; its own are there already."""
        own = {field for field, _, _ in self._shapes[name].personal}
        return [d.line() for d in digests_of(self._plans, position, name.decode(), state) if d.path not in own]

    def _shape(self, name: bytes) -> _Shape:
        """Raises UnknownName, or ValueError for a name that no entry can have."""
        text = name.decode()
        plan = self._plans.get(text)
        if plan is None or not is_name(text):
            raise UnknownName(text)
        personal = tuple((field, subject, f"\t{field}\t{tier}\t") for field, subject, tier in plan.personal)
        shape = self._shapes[name] = _Shape(personal, bool(plan.nested))
        return shape


def _are_digests(digests: Sequence[str]) -> bool:
    """Whether each is a text of 43 characters of base64url; TypeError where one is no text."""
    whole = "".join(digests).encode()
    return set(map(len, digests)) <= {DIGEST_CHARACTERS} and not whole.translate(None, DIGEST_ALPHABET)
