"""What lies outside the database: a book's signing key, and beside it the last checkpoint that was signed with it.

Both are files that only their owner can read, in a folder of mode 0700. They are named after the book's origin, so that
two books of one name never share a key.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.proof.checkpoint import Checkpoint
from ledger.proof.note import ED25519, SEED_BYTES, Note, NoteMalformed, Signer
from ledger.vault.master import KeysUnusable, refuse_exposed

FOLDER = "checkpoints"
"""Below the folder of the vault's keys."""


class SigningKeyUnusable(KeysUnusable):
    """The key at hand cannot sign for this book; the message says what to do."""


class SigningFolder:
    """The files of one book. `given` is a signing key from the environment, which goes before the file."""

    def __init__(self, keys_folder: Path, book: str, origin: str, given: str | None = None) -> None:
        self._folder = keys_folder / FOLDER
        self._stem = f"{book}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}"
        self._origin = origin
        self._given = given

    @property
    def key_file(self) -> Path:
        return self._folder / f"{self._stem}.key"

    @property
    def last_file(self) -> Path:
        return self._folder / f"{self._stem}.last"

    @property
    def _new_file(self) -> Path:
        return self._folder / f"{self._stem}.key.new"

    def signer(self) -> Signer | None:
        """The key of this book, None where there is none yet; raises SigningKeyUnusable or KeysExposed."""
        if self._given is not None:
            return self._read(self._given, "LEDGER_SIGNING_KEY")
        if not self.key_file.exists():
            return None
        refuse_exposed(self.key_file)
        return self._read(self.key_file.read_text(encoding="utf-8"), str(self.key_file))

    def make_signer(self) -> Signer:
        """A new key, durably kept, for a book that has none; under `locked`."""
        return self._made(self.key_file)

    def make_successor(self) -> Signer:
        """A new key beside the present one, which `adopt_successor` then puts in its place; the one begun before, if any."""
        if self._given is not None:
            raise SigningKeyUnusable(
                "the signing key comes from LEDGER_SIGNING_KEY: leave that out, and the program makes and changes its own"
            )
        return self.successor() or self._made(self._new_file)

    def successor(self) -> Signer | None:
        """A key that was made to follow and is not adopted yet."""
        if self._given is not None or not self._new_file.exists():
            return None
        return self._read(self._new_file.read_text(encoding="utf-8"), str(self._new_file))

    def adopt_successor(self) -> None:
        """Puts the new key in the place of the old, which is gone then: it has nothing left to sign."""
        self._new_file.replace(self.key_file)
        self._sync()

    def last(self) -> tuple[Checkpoint, Note] | None:
        """The last checkpoint that was signed here; raises SigningKeyUnusable where the file is not one."""
        if not self.last_file.exists():
            return None
        try:
            note = Note.read(self.last_file.read_bytes())
            return Checkpoint.read(note.text), note
        except NoteMalformed as malformed:
            raise SigningKeyUnusable(
                f"{self.last_file} is not the last signed checkpoint any more ({malformed}): put it back from its "
                "backup, or from a copy that an auditor or witness holds"
            ) from None

    def keep_last(self, note: Note) -> None:
        """Notes durably what is about to be given out."""
        self._write(self.last_file, note.written())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else on this machine signs for the book meanwhile."""
        self._make_folder()
        descriptor = os.open(self._folder / f"{self._stem}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _made(self, path: Path) -> Signer:
        made = Signer(self._origin, ED25519, secrets.token_bytes(SEED_BYTES))
        self._write(path, (made.written() + "\n").encode())
        return made

    def _read(self, text: str, where: str) -> Signer:
        try:
            signer = Signer.read(text.strip())
        except NoteMalformed as malformed:
            raise SigningKeyUnusable(f"{where}: {malformed}; put the key back from its backup") from None
        if signer.verifier.name != self._origin or signer.verifier.algorithm != ED25519:
            raise SigningKeyUnusable(
                f"{where}: this key signs for {signer.verifier.name} and not for the book of origin {self._origin}"
            )
        return signer

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_exposed(self._folder)

    def _write(self, path: Path, content: bytes) -> None:
        """A file of its owner alone that is there as before or whole, also after a power cut."""
        self._make_folder()
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(path)
        self._sync()

    def _sync(self) -> None:
        held = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)
