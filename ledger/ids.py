"""Ids that the program gives out: in the order of time, and not to be guessed. Knows no subject."""

import secrets
import time
from uuid import UUID

RANDOM_BITS = 74


def new_id() -> UUID:
    """An id that nobody has yet."""
    return time_ordered(time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))


def time_ordered(milliseconds: int, chance: int) -> UUID:
    """A version 7 id (RFC 9562, section 5.7) of an instant, in milliseconds since 1970, and 74 random bits.

    Ids of about the same time lie side by side in every index, so that what is recorded together touches the same few
    pages, however large the book is. They tell when they were given out, which an entry tells too.
    """
    first, last = chance >> 62, chance & (1 << 62) - 1
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (first & 0xFFF) << 64 | 2 << 62 | last)
