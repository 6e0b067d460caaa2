"""Checks a regulator's copy by itself: its rows against the last seal, the seal against a checkpoint. Trusts nobody's word.

It needs the copy and, from the regulator's own drawer, the verifier key of the book; it asks the ledger nothing.
"""

import hashlib
from typing import NamedTuple

import orjson
from psycopg2.extensions import connection as Connection

from ledger.proof.checkpoint import Checkpoint
from ledger.proof.files import InclusionFile
from ledger.proof.note import Note, NoteMalformed, SignatureWrong, VerifierKey
from ledger.record.tree import ProofFailed, check_inclusion, leaf_hash
from projections.regulator.door import digest_at, last_seal, reached


class Verdict(NamedTuple):
    """One thing to look at, whether it holds (None: it was not looked at), and what that shows, in plain words."""

    holds: bool | None
    says: str


class Checked(NamedTuple):
    """What was found of a copy; `sealed_at_position` is None where it holds no seal yet."""

    reached: int | None
    sealed_at_position: int | None
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        return all(verdict.holds is not False for verdict in self.verdicts)


def check(copy: Connection, book: str, key: VerifierKey | None) -> Checked:
    """Checks the copy of a book. Without a key the signature is not checked, and it says so."""
    at = reached(copy, book)
    found = last_seal(copy, book)
    position = None if at is None else at[0]
    if found is None:
        return Checked(
            position, None, (Verdict(False, "the copy holds no seal of this book yet: nothing can be shown"),)
        )
    sealed_at, state, entry, proof = found
    verdicts = (
        _rows(copy, book, sealed_at, state),
        _event(state, entry),
        _inclusion(entry, proof),
        _signature(proof, key),
    )
    return Checked(position, sealed_at, verdicts)


def _rows(copy: Connection, book: str, position: int, state: bytes) -> Verdict:
    sealed = orjson.loads(state)["event"]
    digest = digest_at(copy, book, position)
    if sealed["position"] != position:
        return Verdict(False, f"the seal is about position {sealed['position']}, and it is kept as that of {position}")
    if (digest.rows, digest.sha256) != (sealed["rows"], sealed["rows_digest"]):
        return Verdict(
            False,
            f"the {digest.rows:,} rows of this copy at position {position:,} are NOT those that the institution sealed "
            f"({sealed['rows']:,} rows, {sealed['rows_digest']}): ask which was changed",
        )
    return Verdict(
        True,
        f"the {digest.rows:,} rows of this copy at position {position:,} are exactly those that the institution sealed",
    )


def _event(state: bytes, entry: bytes) -> Verdict:
    lines = entry.decode("ascii", "replace").split("\n")
    if len(lines) < 8 or lines[5] != "projection-sealed" or lines[7] != hashlib.sha256(state).hexdigest():
        return Verdict(False, "the entry is NOT that of the seal: its hash of the event's content differs")
    return Verdict(
        True, f"the seal is the event at position {int(lines[2]):,} of the book {lines[1]}, recorded at {lines[6]}"
    )


def _inclusion(entry: bytes, proof: bytes) -> Verdict:
    try:
        file = InclusionFile.read(proof)
        checkpoint = Checkpoint.read(Note.read(file.checkpoint).text)
        check_inclusion(file.hashes, file.leaf_index, leaf_hash(entry), checkpoint.size, checkpoint.root)
    except (NoteMalformed, ProofFailed) as failed:
        return Verdict(False, f"the seal is NOT shown to be in the checkpoint's tree: {failed}")
    return Verdict(
        True,
        f"the seal is in the tree of {checkpoint.size:,} events with the root {checkpoint.root.hex()}: compare that root with "
        "the checkpoint that you, or a witness, hold",
    )


def _signature(proof: bytes, key: VerifierKey | None) -> Verdict:
    if key is None:
        return Verdict(None, "the signature of the checkpoint was NOT checked: give the book's verifier key with --key")
    try:
        Note.read(InclusionFile.read(proof).checkpoint).check([key])
    except (NoteMalformed, SignatureWrong) as wrong:
        return Verdict(False, f"the checkpoint is NOT signed by that key: {wrong}")
    return Verdict(True, "the checkpoint is signed by the key that you gave")
