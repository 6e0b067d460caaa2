"""Sealing: puts salted digests in place of an event's personal values, and encrypts the values for the vault.

It stores nothing and decides nobody's right to see; the keys come in, and randomness is an argument.

A disclosure is that of an SD-JWT (RFC 9901, section 4.2): base64url of the JSON `[salt, path, value]`.
Its digest is what the event keeps: SHA-256 of the disclosure's ASCII bytes, in base64url. So a value
shown with its salt proves by itself what was recorded, and nobody guesses the value behind a digest.
"""

import binascii
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.event import Event, Personal, Tier, personal_fields
from ledger.vault.keys import SubjectKeys
from ledger.vault.master import NONCE_BYTES, Randomness

SALT_BYTES = 16
"""128 bits, as RFC 9901 (section 9.3) asks for."""


_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


class Disclosure(NamedTuple):
    """One personal value on its way to the vault; `event_index` is the place of its event among those sealed together."""

    digest: str
    subject_id: UUID
    path: str
    tier: Tier
    ciphertext: bytes
    event_index: int = 0


class Opened(NamedTuple):
    """What a disclosure says."""

    salt: str
    path: str
    value: Any


class DisclosureBroken(Exception):
    """A value of the vault is not what the event's digest stands for; the message never holds the value."""


class KeyMissing(LookupError):
    """There is no key for this subject: erased, or kept in another store."""


def seal(event: Event, keys: SubjectKeys, *, randomness: Randomness = os.urandom) -> tuple[Event, list[Disclosure]]:
    """The recorded form of one event, and what goes to the vault with it."""
    (sealed,), disclosures = seal_all([event], keys, randomness=randomness)
    return sealed, disclosures


def seal_all(
    events: Sequence[Event], keys: SubjectKeys, *, randomness: Randomness = os.urandom
) -> tuple[list[Event], list[Disclosure]]:
    """The recorded forms in order, and all disclosures; the keys are asked for once.

    Values that are recorded already (carried over into a correction) keep their digest and need no key.
    Raises SubjectErased, and seals nothing, when a value belongs to a subject that was erased.
    """
    subject_keys = keys.keys_for(subject for event in events for subject in _subjects(event))
    sealed: list[Event] = []
    disclosures: list[Disclosure] = []
    for index, event in enumerate(events):
        sealed.append(_sealed(event, "", index, subject_keys, randomness, disclosures))
    return sealed, disclosures


def open_disclosure(ciphertext: bytes, digest: str, subject_id: UUID, keys: SubjectKeys) -> Opened:
    """The salt, path and value behind a digest; raises KeyMissing, or DisclosureBroken where they do not agree."""
    key = keys.held([subject_id]).get(subject_id)
    if key is None:
        raise KeyMissing(f"there is no key for data subject {subject_id}")
    return opened_with(key, ciphertext, digest, subject_id)


def opened_with(key: bytes, ciphertext: bytes, digest: str, subject_id: UUID) -> Opened:
    """The same with the subject's key in hand. Costs one decryption and one SHA-256."""
    try:
        disclosure = AESGCM(key).decrypt(
            ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], _bound_to(digest, subject_id)
        )
    except (InvalidTag, ValueError):
        raise DisclosureBroken(f"the value behind {digest} does not open with its subject's key") from None
    if digest_of(disclosure) != digest:
        raise DisclosureBroken(f"the value behind {digest} has another digest")
    return said_by(disclosure)


def digest_of(disclosure: bytes) -> str:
    """base64url(SHA-256(disclosure)) without padding: RFC 9901, section 4.2.3."""
    return _base64url(hashlib.sha256(disclosure).digest()).decode("ascii")


def said_by(disclosure: bytes) -> Opened:
    """Reads `[salt, path, value]`; raises DisclosureBroken for anything else."""
    try:
        padded = disclosure + b"=" * (-len(disclosure) % 4)
        said = orjson.loads(binascii.a2b_base64(padded.translate(_FROM_URL), strict_mode=True))
    except (binascii.Error, orjson.JSONDecodeError):
        said = None
    if not (isinstance(said, list) and len(said) == 3 and isinstance(said[0], str) and isinstance(said[1], str)):
        raise DisclosureBroken("a disclosure is base64url of [salt, path, value]")
    return Opened(*said)


def disclosure_of(opened: Opened, digest: str) -> str:
    """The disclosure as it was recorded, for whoever may have it; raises DisclosureBroken where it has another digest."""
    written = _base64url(orjson.dumps(list(opened)))
    if digest_of(written) != digest:
        raise DisclosureBroken(f"the value behind {digest} cannot be written as it was recorded")
    return written.decode("ascii")


def digests_of(event: Event) -> Iterator[tuple[str, UUID, Tier, str]]:
    """Path, data subject, tier and digest of every recorded personal value of an event, nested facts included."""
    for held in _held_in(event, ""):
        assert held.value.digest is not None, "an event that was read from the record holds digests only"
        yield held.path, held.subject_id, held.tier, held.value.digest


class _Held(NamedTuple):
    path: str
    subject_id: UUID
    tier: Tier
    value: Personal[Any]


def _held_in(event: Event, prefix: str) -> Iterator[_Held]:
    for name, held in personal_fields(type(event)):
        value = getattr(event, name)
        if value is not None:
            yield _Held(prefix + name, getattr(event, held.subject), held.tier, value)
    for name, nested in _nested(event):
        yield from _held_in(nested, f"{prefix}{name}.")


def _nested(event: Event) -> Iterable[tuple[str, Event]]:
    """The facts that an event states in a field of its own, as a correction does."""
    return [(name, value) for name in type(event).model_fields if isinstance(value := getattr(event, name), Event)]


def _subjects(event: Event) -> Iterator[UUID]:
    return (held.subject_id for held in _held_in(event, "") if held.value.is_clear)


def _sealed(
    event: Event,
    prefix: str,
    index: int,
    keys: Mapping[UUID, bytes],
    randomness: Randomness,
    disclosures: list[Disclosure],
) -> Event:
    """The event with digests for clear values; what they stand for is added to `disclosures`."""
    recorded: dict[str, object] = {}
    for name, held in personal_fields(type(event)):
        value = getattr(event, name)
        if value is not None and value.is_clear:
            subject_id = getattr(event, held.subject)
            disclosure = _disclosure(prefix + name, value.value, randomness)
            digest = digest_of(disclosure)
            ciphertext = _encrypted(keys[subject_id], disclosure, digest, subject_id, randomness)
            disclosures.append(Disclosure(digest, subject_id, prefix + name, held.tier, ciphertext, index))
            recorded[name] = Personal.recorded(digest)
    for name, nested in _nested(event):
        recorded[name] = _sealed(nested, f"{prefix}{name}.", index, keys, randomness, disclosures)
    return event.model_copy(update=recorded) if recorded else event


def _disclosure(path: str, value: object, randomness: Randomness) -> bytes:
    salt = _base64url(randomness(SALT_BYTES)).decode("ascii")
    return _base64url(orjson.dumps([salt, path, value]))


def _encrypted(key: bytes, disclosure: bytes, digest: str, subject_id: UUID, randomness: Randomness) -> bytes:
    """Nonce and ciphertext, bound to the digest and the subject, so that no value can be put in another's place."""
    nonce = randomness(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, disclosure, _bound_to(digest, subject_id))


def _bound_to(digest: str, subject_id: UUID) -> bytes:
    return f"{digest}{subject_id}".encode("ascii")


def _base64url(raw: bytes) -> bytes:
    """As `base64` writes it, in half of its time."""
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=")
