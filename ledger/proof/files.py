"""The files in which proofs travel: an inclusion proof (C2SP tlog-proof), a consistency proof. Pure.

An inclusion proof carries the checkpoint that it leads to. A consistency proof has the form in which a witness is asked
(C2SP tlog-witness, add-checkpoint): the old size, the hashes, an empty line, and the new checkpoint.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.proof.note import NoteMalformed, base64_read
from ledger.record.tree import HASH_BYTES, PROOF_HASHES_MAX

HEADER = "c2sp.org/tlog-proof@v1"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class InclusionFile(NamedTuple):
    """`leaf_index` counts from 0; `checkpoint` is the signed note, verbatim; `extra` is not covered by anything."""

    leaf_index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def written(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        return _written([HEADER, *extra, f"index {self.leaf_index}"], self.hashes, self.checkpoint)

    @classmethod
    def read(cls, raw: bytes) -> "InclusionFile":
        """Takes a file apart; raises NoteMalformed. What it says is not checked yet."""
        lines, checkpoint = _taken_apart(raw)
        if not lines or lines[0] != HEADER:
            raise NoteMalformed(f"the first line of a proof is {HEADER}")
        extra = (
            base64_read(lines.pop(1).removeprefix("extra ")) if lines[1:2] and lines[1].startswith("extra ") else None
        )
        return cls(_number(lines[1:2], "index "), _hashes(lines[2:]), checkpoint, extra)


class ConsistencyFile(NamedTuple):
    """That the tree of `old_size` is the beginning of the checkpoint's."""

    old_size: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def written(self) -> bytes:
        return _written([f"old {self.old_size}"], self.hashes, self.checkpoint)

    @classmethod
    def read(cls, raw: bytes) -> "ConsistencyFile":
        """Takes a file apart; raises NoteMalformed. What it says is not checked yet."""
        lines, checkpoint = _taken_apart(raw)
        return cls(_number(lines[:1], "old "), _hashes(lines[1:]), checkpoint)


def _written(lines: Iterable[str], hashes: Iterable[bytes], checkpoint: bytes) -> bytes:
    proof = [base64.b64encode(each).decode() for each in hashes]
    return "".join(f"{line}\n" for line in (*lines, *proof, "")).encode() + checkpoint


def _taken_apart(raw: bytes) -> tuple[list[str], bytes]:
    head, gap, checkpoint = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteMalformed("a proof is ASCII up to its checkpoint") from None
    if not gap:
        raise NoteMalformed("a proof ends with an empty line and its checkpoint")
    return lines, checkpoint


def _number(lines: Sequence[str], label: str) -> int:
    if not lines or not lines[0].startswith(label) or _NUMBER.fullmatch(lines[0].removeprefix(label)) is None:
        raise NoteMalformed(f"a proof has a line {label!r} with a number")
    return int(lines[0].removeprefix(label))


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > PROOF_HASHES_MAX:
        raise NoteMalformed(f"no proof has more than {PROOF_HASHES_MAX} hashes")
    return tuple(base64_read(line, (HASH_BYTES,)) for line in lines)
