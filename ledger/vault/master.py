"""The master key: where it comes from and how it wraps other keys. It holds no key of a data subject.

32 bytes, in base64 or hex, from the environment or from a file that its owner alone can read. Whoever has
it and the store of subject keys can read every value that is not erased: back both up apart from
the database and apart from each other.
"""

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Randomness = Callable[[int], bytes]

KEY_BYTES = 32
NONCE_BYTES = 12
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + 16
"""Nonce, key and the tag of AES-GCM."""

HEX = re.compile(r"[0-9A-Fa-f]{64}")
HOW_TO_MAKE = "`openssl rand -base64 32`"

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysUnusable(Exception):
    """The vault's keys can't be used as they are; the message says what to do. No key is in it."""


class MasterKeyMalformed(KeysUnusable):
    """What was given as the master key is not 32 bytes in base64."""


class MasterKeyMissing(KeysUnusable):
    """There are wrapped keys, but the master key that opens them is not there."""


class WrongMasterKey(KeysUnusable):
    """A wrapped key does not open: another master key wrapped it, or its bytes were changed."""


class KeysExposed(KeysUnusable):
    """A key file, or its folder, can be read by other accounts of the machine."""


class MasterKey:
    """Wraps keys with AES-256-GCM; each is bound to its purpose and name, so none can stand in for another."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise MasterKeyMalformed(f"the master key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, purpose: str, name: str, randomness: Randomness) -> bytes:
        """Nonce and ciphertext, 60 bytes for a key of 32."""
        nonce = randomness(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, _bound_to(purpose, name))

    def unwrap(self, wrapped: bytes, purpose: str, name: str) -> bytes:
        """The key; raises WrongMasterKey when it was not wrapped by this master for this purpose and name."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound_to(purpose, name))
        except InvalidTag:
            raise WrongMasterKey(
                f"the master key does not open the {purpose} {name}: give the one under which the keys were made "
                "(LEDGER_MASTER_KEY, or keys/master.key in the data folder)"
            ) from None


def _bound_to(purpose: str, name: str) -> bytes:
    return f"complaint-ledger/{purpose}/v1\n{name}\n".encode()


def key_from_text(text: str) -> bytes:
    """The 32 bytes of a base64 text (44 characters) or of 64 hex digits; a refusal does not repeat what was given."""
    try:
        key = bytes.fromhex(text) if HEX.fullmatch(text.strip()) else base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise MasterKeyMalformed(f"a master key is {KEY_BYTES} random bytes in base64: make one with {HOW_TO_MAKE}")
    return key


def key_from_file(path: Path) -> bytes:
    """The key in a file of its owner alone; raises KeysExposed, or MasterKeyMissing where there is none."""
    if not path.exists():
        raise MasterKeyMissing(f"the master key is not at {path}: put it back, or set LEDGER_MASTER_KEY")
    refuse_exposed(path)
    return key_from_text(path.read_text(encoding="utf-8", errors="replace"))


def make_key_file(path: Path, randomness: Randomness) -> None:
    """Writes a new key, durably and for the owner alone, unless another process was first.

    The file appears whole or not at all: it is written beside and linked to its name.
    """
    beside = path.with_name(f".{path.name}.{randomness(8).hex()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
        new.write(base64.b64encode(randomness(KEY_BYTES)).decode("ascii") + "\n")
        new.flush()
        os.fsync(new.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another process made it first, and its key is the one to use
    finally:
        beside.unlink()
    _keep_names(path.parent)


def refuse_exposed(path: Path) -> None:
    """Raises KeysExposed when another account may read, change or enter the file or folder."""
    mode = path.stat().st_mode
    if mode & OTHERS:
        wanted = "700" if stat.S_ISDIR(mode) else "600"
        raise KeysExposed(f"{path} is open to other accounts: run `chmod {wanted} {path}` after asking who has read it")


def _keep_names(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
