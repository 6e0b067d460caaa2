"""Signed notes and their keys (C2SP signed-note, Ed25519), as Go's `sumdb/note` reads them. It opens no file.

A note is a text, an empty line, and signature lines. A key is known by its name and by four bytes of a hash over name,
algorithm and public key; whoever checks ignores the lines of keys that he does not know. Reading is strict, base64
included: one meaning has one form, so that any changed bit is seen.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
"""The algorithm byte of a plain signature over the text."""
COSIGNATURE = 0x04
"""The algorithm byte of a witness's signature, which carries a time (C2SP tlog-cosignature)."""

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
"""The limits of Go's reader."""

DASH = "\N{EM DASH} "
PRIVATE = "PRIVATE+KEY+"

_NAME = re.compile(r"[^\s+]{1,255}")
_KEY = re.compile(r"(?P<name>[^\s+]{1,255})\+(?P<key_id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]{44,48})")


class NoteMalformed(ValueError):
    """These bytes are no signed note, or no key, in the one form that there is."""


class SignatureWrong(Exception):
    """A note is not signed by a key that is trusted, or a signature does not fit its text."""


class VerifierKey(NamedTuple):
    """A public key with its name. Written `name+12345678+base64`, in Go a *verifier key*."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name, LF, algorithm, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """Reads the written form; raises NoteMalformed."""
        name, algorithm, public = _key(text, "a verifier key is written name+12345678+base64")
        made = cls(name, algorithm, public)
        if _key_id_in(text) != made.key_id:
            raise NoteMalformed(f"the verifier key of {name} was not copied whole: its hash is another")
        return made

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.algorithm]) + self.public).decode()}"

    def fits(self, signature: bytes, message: bytes) -> bool:
        """Whether the 64 bytes are this key's signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key with its name. Its written form is a secret; its repr is not."""

    __slots__ = ("_key", "_seed", "verifier")

    def __init__(self, name: str, algorithm: int, seed: bytes) -> None:
        if _NAME.fullmatch(name) is None or len(seed) != SEED_BYTES:
            raise NoteMalformed("a signing key has a name without spaces or plus, and 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verifier = VerifierKey(name, algorithm, self._key.public_key().public_bytes_raw())

    @classmethod
    def read(cls, text: str) -> "Signer":
        """Reads `PRIVATE+KEY+name+12345678+base64`; raises NoteMalformed, which does not repeat what was given."""
        what = "a signing key is written PRIVATE+KEY+name+12345678+base64"
        if not text.startswith(PRIVATE):
            raise NoteMalformed(what)
        name, algorithm, seed = _key(text.removeprefix(PRIVATE), what)
        made = cls(name, algorithm, seed)
        if _key_id_in(text.removeprefix(PRIVATE)) != made.verifier.key_id:
            raise NoteMalformed("the signing key was not copied whole: its hash is another")
        return made

    def written(self) -> str:
        """The secret form, as Go's `note.GenerateKey` writes one."""
        key = base64.b64encode(bytes([self.verifier.algorithm]) + self._seed).decode()
        return f"{PRIVATE}{self.verifier.name}+{self.verifier.key_id.hex()}+{key}"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of Ed25519."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"Signer({self.verifier})"


class Signature(NamedTuple):
    """A signature line, taken apart."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """As it stands in a note, its LF included."""
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"

    def is_of(self, key: VerifierKey) -> bool:
        """Whether this line says that it is the key's; not whether it is true."""
        return (self.name, self.key_id) == (key.name, key.key_id)


class Note(NamedTuple):
    """A text (it ends in LF) and the signatures under it; none of them is checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def read(cls, raw: bytes) -> "Note":
        """Takes a note apart; raises NoteMalformed."""
        if len(raw) > NOTE_BYTES_MAX:
            raise NoteMalformed(f"a note has at most {NOTE_BYTES_MAX} bytes")
        try:
            whole = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise NoteMalformed("a note is UTF-8") from None
        if re.search(r"[\x00-\x09\x0b-\x1f]", whole):
            raise NoteMalformed("a note has no control characters but LF")
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise NoteMalformed("a note is a text, an empty line, and signature lines, each ended by LF")
        return cls(text + "\n", signature_lines(lines))

    def written(self) -> bytes:
        """The bytes that are exchanged."""
        return (self.text + "\n" + "".join(each.line() for each in self.signatures)).encode()

    def by(self, key: VerifierKey) -> Signature | None:
        """The first line that says it is the key's."""
        return next((each for each in self.signatures if each.is_of(key)), None)

    def check(self, keys: Iterable[VerifierKey]) -> VerifierKey:
        """The first of the keys that signed the text; raises SignatureWrong where none did, or one wrongly.

        A line of a known key that does not fit is refused even where another key's does, as in Go.
        """
        signed: VerifierKey | None = None
        for key in keys:
            line = self.by(key)
            if line is None:
                continue
            if key.algorithm != ED25519 or not key.fits(line.signature, self.text.encode()):
                raise SignatureWrong(f"the signature of {key.name} does not fit the text above it")
            signed = signed or key
        if signed is None:
            raise SignatureWrong("no key that is trusted has signed this note")
        return signed


def signature_lines(lines: str) -> tuple[Signature, ...]:
    """Signature lines taken apart, as under a note or in a witness's answer; raises NoteMalformed."""
    found = lines.removesuffix("\n").split("\n")
    if len(found) > SIGNATURES_MAX:
        raise NoteMalformed(f"a note has at most {SIGNATURES_MAX} signatures")
    return tuple(_signature(line) for line in found)


def signed(text: str, *signers: Signer) -> Note:
    """The text with a plain signature of each."""
    return Note(
        text,
        tuple(Signature(each.verifier.name, each.verifier.key_id, each.sign(text.encode())) for each in signers),
    )


def base64_read(text: str, lengths: Sequence[int] | None = None) -> bytes:
    """Standard base64 in its one form, padding and unused bits included; raises NoteMalformed."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed("this is not base64") from None
    if base64.b64encode(raw).decode() != text or (lengths is not None and len(raw) not in lengths):
        raise NoteMalformed("this is not base64 in its one form, or not as long as it has to be")
    return raw


def _signature(line: str) -> Signature:
    name, gap, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not gap or _NAME.fullmatch(name) is None:
        raise NoteMalformed("a signature line is an em dash, a name and base64, with one space between")
    raw = base64_read(encoded)
    if len(raw) < 5:
        raise NoteMalformed("a signature has four bytes that name its key, and more")
    return Signature(name, raw[:4], raw[4:])


def _key(text: str, what: str) -> tuple[str, int, bytes]:
    found = _KEY.fullmatch(text)
    if found is None:
        raise NoteMalformed(what)
    key = base64_read(found["key"], (1 + PUBLIC_BYTES,))
    if key[0] not in {ED25519, COSIGNATURE}:
        raise NoteMalformed(
            "this key is of an algorithm that is not known here: Ed25519 is (0x01, and 0x04 of a witness)"
        )
    return found["name"], key[0], key[1:]


def _key_id_in(text: str) -> bytes:
    return bytes.fromhex(text.split("+")[1])
