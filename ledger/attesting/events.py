"""The facts by which a book can be held to its word: its verifier keys, and that it follows a lost one. Nothing decides here.

None of them holds a personal value, and none starts or stops a clock.
"""

from typing import Annotated, TypeAlias, cast

from pydantic import AwareDatetime, StringConstraints

from ledger.event import Event, Label, Sha256Hex, StaffId

VerifierKeyText = Annotated[str, StringConstraints(pattern=r"^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44,48}$")]
"""A public key as a signed note names it: name, key id, algorithm and 32 bytes (C2SP signed-note)."""

SignedNote = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
"""A checkpoint with its signatures, verbatim."""


class AttestingEvent(Event):
    """A fact about a book as a whole."""


class VerifierKeyIntroduced(AttestingEvent):
    """From here on the book's checkpoints may be signed by this key."""

    verifier_key: VerifierKeyText
    introduced_by: StaffId
    introduced_at: AwareDatetime


class VerifierKeyRetired(AttestingEvent):
    """The key signs no checkpoint that covers this event; those that it signed before stay valid."""

    verifier_key: VerifierKeyText
    reason: Label
    retired_by: StaffId
    retired_at: AwareDatetime


class BookSucceeded(AttestingEvent):
    """This book goes on where another ends that lost events it had signed for: the first event of a successor.

    The other was found with `kept_size` events; what it had signed for beyond, `checkpoint` proves to have been there.
    """

    predecessor_origin: Label
    kept_size: int
    kept_root: Sha256Hex
    signed_size: int
    signed_root: Sha256Hex
    checkpoint: SignedNote
    reason: Label
    decided_by: StaffId
    decided_at: AwareDatetime


ATTESTING_NAMES: dict[str, type[AttestingEvent]] = {
    "verifier-key-introduced": VerifierKeyIntroduced,
    "verifier-key-retired": VerifierKeyRetired,
    "book-succeeded": BookSucceeded,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyAttestingEvent: TypeAlias = VerifierKeyIntroduced | VerifierKeyRetired | BookSucceeded


def known_attesting(event: AttestingEvent) -> AnyAttestingEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in ATTESTING_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyAttestingEvent", event)
