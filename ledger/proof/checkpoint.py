"""Checkpoints (C2SP tlog-checkpoint) and a witness's signatures on them (C2SP tlog-cosignature). Pure.

<origin of the book>
<size>
<root, base64>
"""

import base64
import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from ledger.proof.note import (
    COSIGNATURE,
    SIGNATURE_BYTES,
    Note,
    NoteMalformed,
    Signature,
    SignatureWrong,
    Signer,
    VerifierKey,
    base64_read,
)
from ledger.record.tree import HASH_BYTES

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME = struct.Struct(">Q")
TIME_MAX = 2**63 - 1


class Checkpoint(NamedTuple):
    """What a book commits to: its first `size` entries have the tree with this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Reads the text of a note; raises NoteMalformed. Further lines are allowed and have no meaning here."""
        origin, *rest = text.removesuffix("\n").split("\n")
        if len(rest) < 2 or not origin or not all(rest) or _SIZE.fullmatch(rest[0]) is None:
            raise NoteMalformed("a checkpoint is an origin, a size and a root, each on a line of its own")
        return cls(origin, int(rest[0]), base64_read(rest[1], (HASH_BYTES,)))


def checkpoint_in(note: Note, keys: Iterable[VerifierKey]) -> Checkpoint:
    """What a note says once one of the keys has signed it; raises SignatureWrong or NoteMalformed.

    The key's name must be the origin, so that the key of one book signs for no other.
    """
    checkpoint = Checkpoint.read(note.text)
    note.check(key for key in keys if key.name == checkpoint.origin)
    return checkpoint


def cosigned(text: str, signer: Signer, at: int) -> Signature:
    """A witness's line: as of `at`, seconds since 1970, the largest consistent tree that it saw had this root."""
    return Signature(
        signer.verifier.name, signer.verifier.key_id, _TIME.pack(at) + signer.sign(_cosigned_message(text, at))
    )


def check_cosignature(text: str, line: Signature, key: VerifierKey) -> int:
    """The time that a witness's line states, in seconds since 1970; raises SignatureWrong where it does not fit."""
    if key.algorithm != COSIGNATURE or not line.is_of(key) or len(line.signature) != _TIME.size + SIGNATURE_BYTES:
        raise SignatureWrong(f"this is no cosignature of {key.name}")
    (at,) = _TIME.unpack(line.signature[: _TIME.size])
    if at > TIME_MAX or not key.fits(line.signature[_TIME.size :], _cosigned_message(text, at)):
        raise SignatureWrong(f"the cosignature of {key.name} does not fit the text above it")
    return int(at)


def _cosigned_message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
