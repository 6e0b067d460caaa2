"""Events as the database stores them, byte for byte: takes apart the rows of a binary COPY. Judges nothing.

A driver's own types would refuse what a tampered row can hold (an infinite instant, a null); here it is a value
like any other, or a row that says it cannot be read.
"""

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

BYTES_SMALL = 16 * 1024
"""Rows are held until somebody wants them where they are smaller than this; one row can have a mebibyte."""
BYTES_LARGE_HELD_MAX = 8 * 1024 * 1024
"""Rows are handed on as soon as the larger ones among them have so many bytes."""

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"

FIXED = struct.Struct(">hiqiqiqi36si")
"""Number of fields; then length and value of position, version, recorded_at and stream id as text; then the name's length."""
FIELDS, LONG_BYTES, STREAM_BYTES = 6, 8, 36
LENGTH = struct.Struct(">i")

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - PostgreSQL's; UTC, and written with a Z below


class RawEvent(NamedTuple):
    """One row of `ledger.event`. `recorded_us` is microseconds since 2000-01-01 UTC, as PostgreSQL counts."""

    position: int
    version: int
    recorded_us: int
    stream_id: str
    name: str
    state: bytes


def instant_at(recorded_us: int) -> str:
    """An instant as an entry writes it; raises ValueError for one outside the years 1 to 9999."""
    try:
        at = _EPOCH + timedelta(microseconds=recorded_us)
    except OverflowError:
        raise ValueError("recorded_at: the instant is outside the years 1 to 9999") from None
    return at.isoformat(timespec="microseconds") + "Z"


class RawRows:
    """A file for COPY to write into: hands the rows on as the server sent them, some thousands at a time.

    The server sends a row in one piece. `close` hands on the last of them.
    """

    def __init__(self, take: Callable[[list[bytes]], None]) -> None:
        self._take = take
        self._held: list[bytes] = []
        self._large_bytes = 0

    def write(self, piece: bytes) -> None:
        """Called for every row there is, so it counts the large ones only."""
        self._held.append(piece)
        if len(piece) > BYTES_SMALL:
            self._large_bytes += len(piece)
            if self._large_bytes > BYTES_LARGE_HELD_MAX:
                self.close()

    def close(self) -> None:
        rows, self._held, self._large_bytes = self._held, [], 0
        if rows and rows[0].startswith(_SIGNATURE):
            rows[0] = rows[0][_HEADER_BYTES:]
            if not rows[0]:
                del rows[0]
        if rows and rows[-1] == _TRAILER:
            del rows[-1]
        if rows:
            self._take(rows)


def taken_apart(row: bytes) -> RawEvent | None:
    """The row's fields; None where a field is null or of another type than the table's."""
    if len(row) < FIXED.size:
        return None
    fields, a, position, b, version, c, recorded_us, d, stream, name_bytes = FIXED.unpack_from(row)
    if (fields, a, b, c, d) != (FIELDS, LONG_BYTES, LONG_BYTES, LONG_BYTES, STREAM_BYTES) or name_bytes < 0:
        return None
    state_at = FIXED.size + name_bytes + LENGTH.size
    if state_at > len(row):
        return None
    (state_bytes,) = LENGTH.unpack_from(row, state_at - LENGTH.size)
    if state_bytes != len(row) - state_at:
        return None
    name = row[FIXED.size : FIXED.size + name_bytes].decode("utf-8", errors="replace")
    return RawEvent(position, version, recorded_us, stream.decode("ascii", errors="replace"), name, row[state_at:])
