"""A witness (C2SP tlog-witness): remembers the last checkpoint that it saw of each book, refuses a fork, and cosigns.

It is run by audit on a machine of its own, and knows no database. It opens no port: `api.command.witnessing` does.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ledger.proof.checkpoint import Checkpoint, cosigned
from ledger.proof.files import ConsistencyFile
from ledger.proof.note import COSIGNATURE, SEED_BYTES, Note, NoteMalformed, SignatureWrong, Signer, VerifierKey
from ledger.record.tree import ProofFailed, check_consistency
from ledger.vault.master import refuse_exposed

REQUEST_BYTES_MAX = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
KEY_FILE = "witness.key"


class Said(NamedTuple):
    """A witness's answer: a status of HTTP, a content type and a body."""

    status: int
    content_type: str
    body: bytes


class Witness:
    """A folder with the witness's key and, for each book, the last checkpoint that it cosigned. Safe for processes."""

    def __init__(self, folder: Path, name: str, logs: Sequence[VerifierKey], now: Callable[[], float]) -> None:
        self._folder = folder
        self._logs = list(logs)
        self._now = now
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_exposed(folder)
        with self._locked():
            self._signer = self._key(name)

    @property
    def verifier(self) -> VerifierKey:
        """What the ledger's owner and whoever checks a bundle are given."""
        return self._signer.verifier

    def add_checkpoint(self, request: bytes) -> Said:
        """Answers one request; the state is on disk before the cosignature leaves."""
        try:
            asked = ConsistencyFile.read(request)
            note = Note.read(asked.checkpoint)
            new = Checkpoint.read(note.text)
        except NoteMalformed as malformed:
            return _said(400, str(malformed))
        keys = [key for key in self._logs if key.name == new.origin]
        if not keys:
            return _said(404, f"this witness does not watch {new.origin}")
        try:
            note.check(keys)
        except SignatureWrong as wrong:
            return _said(403, str(wrong))
        if asked.old_size > new.size:
            return _said(400, "the old size is larger than the checkpoint's")
        with self._locked():
            return self._compared(asked, note, new)

    def _compared(self, asked: ConsistencyFile, note: Note, new: Checkpoint) -> Said:
        last = self.last(new.origin)
        size = 0 if last is None else last.size
        if asked.old_size != size:
            return Said(409, SIZE_TYPE, f"{size}\n".encode())
        if last is not None and last.size == new.size and last.root != new.root:
            return Said(409, SIZE_TYPE, f"{size}\n".encode())
        if last is None and asked.hashes:
            return _said(422, "there is nothing to prove of an empty tree")
        if last is not None:
            try:
                check_consistency(asked.hashes, last.size, last.root, new.size, new.root)
            except ProofFailed as failed:
                return _said(422, str(failed))
        self._write(self._file(new.origin), note.written())
        line = cosigned(note.text, self._signer, int(self._now()))
        return Said(200, TEXT_TYPE, line.line().encode())

    def last(self, origin: str) -> Checkpoint | None:
        """The largest tree of a book that this witness has cosigned."""
        file = self._file(origin)
        return Checkpoint.read(Note.read(file.read_bytes()).text) if file.exists() else None

    def _key(self, name: str) -> Signer:
        file = self._folder / KEY_FILE
        if file.exists():
            refuse_exposed(file)
            signer = Signer.read(file.read_text(encoding="utf-8").strip())
            if signer.verifier.name != name or signer.verifier.algorithm != COSIGNATURE:
                raise NoteMalformed(f"the witness in {self._folder} is called {signer.verifier.name}, not {name}")
            return signer
        signer = Signer(name, COSIGNATURE, secrets.token_bytes(SEED_BYTES))
        self._write(file, (signer.written() + "\n").encode())
        return signer

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, file: Path, content: bytes) -> None:
        beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
        held = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def _said(status: int, why: str) -> Said:
    return Said(status, TEXT_TYPE, f"{why}\n".encode())
