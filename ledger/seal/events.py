"""The seal of a projection: which rows it had at a position, as one digest. Nothing here computes or decides.

A row by itself proves nothing. A seal is an event, so its inclusion proof shows what the institution committed to;
that the rows follow from the events, anybody shows who builds them again and takes the digest of what he got.
"""

from typing import TypeAlias, cast
from uuid import UUID, uuid5

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Sha256Hex


class SealEvent(Event):
    """A fact in the stream of one projection's seals."""


class ProjectionSealed(SealEvent):
    """A projection had these rows when it had worked in the events up to `position`.

    `code_version` is the version of the projection that made the rows. `root` is that of the tree of those events.
    `rows_digest` is the SHA-256 of the rows in the form that `projections/sealing.py` writes down; `rows` counts them.
    """

    projection: Code
    code_version: int = Field(ge=1)
    position: int = Field(ge=1)
    root: Sha256Hex
    rows: int = Field(ge=0)
    rows_digest: Sha256Hex
    sealed_at: AwareDatetime


SEAL_NAMES: dict[str, type[SealEvent]] = {"projection-sealed": ProjectionSealed}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnySealEvent: TypeAlias = ProjectionSealed


def known_seal(event: SealEvent) -> AnySealEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in SEAL_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnySealEvent", event)


def seal_stream(projection: str, book: UUID) -> UUID:
    """The stream of a projection's seals, oldest first; `book` is an id of the book's own."""
    return uuid5(book, f"seal/{projection}")
