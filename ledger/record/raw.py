"""Events as the database stores them, byte for byte: takes apart the rows of a binary COPY. Judges nothing.

A driver's own types would refuse what a tampered row can hold (an infinite instant, a null); here it is a value
like any other, or a row that says it cannot be read.
"""

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"

# Number of fields; then length and value of position, version, recorded_at and stream id; then the name's length.
_FIXED = struct.Struct(">hiqiqiqi16si")
_LENGTH = struct.Struct(">i")

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - PostgreSQL's; UTC, and written with a Z below


class RawEvent(NamedTuple):
    """One row of `ledger.event`. `recorded_us` is microseconds since 2000-01-01 UTC, as PostgreSQL counts."""

    position: int
    version: int
    recorded_us: int
    stream: bytes
    name: str
    state: bytes

    def stream_id(self) -> str:
        """The canonical form of a UUID."""
        h = self.stream.hex()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def recorded_at(self) -> str:
        """As an entry writes it; raises ValueError for an instant outside the years 1 to 9999."""
        try:
            at = _EPOCH + timedelta(microseconds=self.recorded_us)
        except OverflowError:
            raise ValueError("recorded_at: the instant is outside the years 1 to 9999") from None
        return at.isoformat(timespec="microseconds") + "Z"


class RawEvents:
    """A file for COPY to write into: hands each event on as it arrives, None for a row that cannot be read.

    The server sends a row in one piece, so no more than one row is ever held.
    """

    def __init__(self, take: Callable[[RawEvent | None], None]) -> None:
        self._take = take
        self.rows = 0

    def write(self, piece: bytes) -> int:
        row = piece[_HEADER_BYTES:] if piece.startswith(_SIGNATURE) else piece
        if row and row != _TRAILER:
            self.rows += 1
            self._take(_taken_apart(row))
        return len(piece)


def _taken_apart(row: bytes) -> RawEvent | None:
    """The row's fields; None where a field is null or of another type than the table's."""
    if len(row) < _FIXED.size:
        return None
    fields, a, position, b, version, c, recorded_us, d, stream, name_bytes = _FIXED.unpack_from(row)
    if fields != 6 or a != 8 or b != 8 or c != 8 or d != 16 or name_bytes < 0:
        return None
    state_at = _FIXED.size + name_bytes + _LENGTH.size
    (state_bytes,) = _LENGTH.unpack_from(row, state_at - _LENGTH.size)
    if state_bytes != len(row) - state_at:
        return None
    name = row[_FIXED.size : _FIXED.size + name_bytes].decode("utf-8", errors="replace")
    return RawEvent(position, version, recorded_us, stream, name, row[state_at:])
