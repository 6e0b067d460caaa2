"""The verifier keys of a book, folded from their events: which there are, and for which sizes each may sign. Pure."""

from collections.abc import Iterable
from typing import NamedTuple, assert_never
from uuid import UUID, uuid5

from ledger.attesting.events import (
    AttestingEvent,
    BookSucceeded,
    VerifierKeyIntroduced,
    VerifierKeyRetired,
    known_attesting,
)


class KeyInForce(NamedTuple):
    """A verifier key and the sizes of the checkpoints that it may sign: from `first_size` up to and without `end_size`.

    A checkpoint covers the event that introduced its key, and not the one that retired it.
    """

    verifier_key: str
    first_size: int
    end_size: int | None

    def signs(self, size: int) -> bool:
        return self.first_size <= size and (self.end_size is None or size < self.end_size)


def keys_stream(book_id: UUID) -> UUID:
    """The one stream of a book that holds its verifier keys."""
    return uuid5(book_id, "verifier-keys")


def succession_stream(book_id: UUID) -> UUID:
    """The stream of a successor's first event."""
    return uuid5(book_id, "succession")


def keys_in_force(facts: Iterable[tuple[int, AttestingEvent]]) -> tuple[KeyInForce, ...]:
    """The keys in the order of their introduction, from (position, event)."""
    keys: dict[str, KeyInForce] = {}
    for position, event in facts:
        fact = known_attesting(event)
        match fact:
            case VerifierKeyIntroduced():
                keys.setdefault(fact.verifier_key, KeyInForce(fact.verifier_key, position, None))
            case VerifierKeyRetired():
                key = keys.get(fact.verifier_key)
                if key is not None and key.end_size is None:
                    keys[fact.verifier_key] = key._replace(end_size=position)
            case BookSucceeded():
                pass  # says nothing about keys
            case _:
                assert_never(fact)
    return tuple(keys.values())
