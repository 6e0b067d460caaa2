"""A row of the vault as a verification reads it. Needs no ciphers, so that a process that only compares starts at once."""

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID


class Value(NamedTuple):
    """A row of the vault."""

    position: int
    digest: str
    subject_id: str
    path: str
    tier: str
    ciphertext: bytes


def uuids(texts: Iterable[str]) -> dict[str, UUID]:
    """Those texts that are UUIDs; a changed event may state anything as its data subject."""
    found: dict[str, UUID] = {}
    for text in set(texts):
        with suppress(ValueError):
            found[text] = UUID(text)
    return found
