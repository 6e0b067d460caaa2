"""The keys of the vault: one for each data subject, and named secrets, all wrapped by the master key.

They lie in a SQLite file of their own and never in the ledger's database, so an old backup of the
database cannot give back what was erased. No personal value is here, and no rule about who may see one.
A subject's id is random and belongs to one book, so the id alone names the key.
"""

import hashlib
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from ledger.database.sql import queries
from ledger.refusal import Refusal
from ledger.vault.master import (
    KEY_BYTES,
    KeysUnusable,
    MasterKey,
    Randomness,
    WrongMasterKey,
    key_from_file,
    key_from_text,
    make_key_file,
    refuse_exposed,
)

MASTER_FILE = "master.key"
STORE_FILE = "subjects.sqlite"

KEYS_IN_MEMORY_MAX = 10_000
WAIT_FOR_LOCK_SECONDS = 10.0
REWRAP_PAGE_KEYS = 1_000

SUBJECT_KEY = "subject-key"
SECRET = "secret"  # noqa: S105 - what a key is for, not a key
CHECK = "master-check"
"""The named secret that shows at opening whether the master key is the right one."""


@dataclass(eq=False)
class SubjectErased(Refusal):
    """The subject's key was destroyed; nothing more can be kept under it."""

    says: ClassVar[str] = "The personal values of data subject {subject_id} were erased."
    remedy: ClassVar[str] = "Record what is new under a new data subject."

    subject_id: UUID


class ErasureUnfinished(KeysUnusable):
    """The key is destroyed, but the write-ahead log still holds its wrapped bytes: destroy it once more."""


class SubjectKeys:
    """The open store. Safe for threads; each process opens its own (after a fork too), and all may write.

    Up to 10,000 keys are kept in memory. A key destroyed by another process is forgotten here before
    the next one is given out.
    """

    def __init__(self, store: Path, master: MasterKey, *, randomness: Randomness = os.urandom) -> None:
        self._sql = queries(__file__)
        self.folder = store.parent
        self._master = master
        self._randomness = randomness
        self._lock = threading.Lock()
        self._held: OrderedDict[UUID, bytes] = OrderedDict()
        self._seen_change = -1
        self._seen_erasure = 0
        self._check: bytes | None = None
        self._connection = _connect(store)
        for table in ("make_subject_key", "make_erased", "make_secret"):
            self._connection.execute(self._sql[table])
        try:
            self.secret(CHECK)
            self._check = self._wrapped_secret(CHECK)
        except WrongMasterKey:
            self._connection.close()
            raise

    @classmethod
    def open(
        cls,
        folder: Path,
        master: str | None = None,
        master_file: Path | None = None,
        *,
        randomness: Randomness = os.urandom,
    ) -> "SubjectKeys":
        """The store in a folder, made on first use.

        The master key is `master` (base64 or hex), else in `master_file`, else in `master.key` of the
        folder, which is made with the store. Raises MasterKeyMissing, WrongMasterKey, MasterKeyMalformed
        or KeysExposed: each says what to do.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_exposed(folder)
        store = folder / STORE_FILE
        if master is None:
            ours = folder / MASTER_FILE
            if master_file is None and not store.exists() and not ours.exists():
                make_key_file(ours, randomness)
            key = key_from_file(master_file or ours)
        else:
            key = key_from_text(master)
        return cls(store, MasterKey(key), randomness=randomness)

    def close(self) -> None:
        with self._lock:
            self._held.clear()
            self._connection.close()

    def keys_for(self, subject_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The key of each subject; those missing are made, all in one transaction, durable on return.

        Raises SubjectErased when one of them was erased, and makes none. Costs nothing on disk where
        all are in memory, one fsync where any is made.
        """
        wanted = dict.fromkeys(subject_ids)
        with self._lock:
            found = self._find(wanted, erased_is_refused=True)
            if len(found) < len(wanted):
                found |= self._make([each for each in wanted if each not in found])
            self._keep(found)
            return found

    def held(self, subject_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys that there are, for reading: a subject that was erased, or never had one, is left out."""
        with self._lock:
            found = self._find(dict.fromkeys(subject_ids), erased_is_refused=False)
            self._keep(found)
            return found

    def erased(self, subject_ids: Iterable[UUID]) -> dict[UUID, datetime]:
        """Which of these subjects were erased, and when."""
        with self._lock:
            rows = {each: self._row(each) for each in dict.fromkeys(subject_ids)}
        return {each: datetime.fromisoformat(at) for each, (_, at) in rows.items() if at is not None}

    def tombstones(self) -> list[UUID]:
        """Every subject whose key was destroyed, the earliest first."""
        with self._lock:
            rows = self._connection.execute(self._sql["erased_after"], {"number": 0}).fetchall()
        return [UUID(subject_id) for _, subject_id in rows]

    def destroy(self, subject_id: UUID, at: datetime) -> None:
        """Destroys a subject's key for ever and leaves a tombstone with the time; again changes nothing.

        On return the wrapped key is overwritten in the store and gone from its write-ahead log. What a
        disk keeps of overwritten blocks, and copies of the store made before, are outside our reach:
        the latter must be destroyed by whoever keeps them. Raises ErasureUnfinished when a reader
        held the log for longer than 10 seconds.
        """
        named = {"subject_id": str(subject_id), "erased_at": at.astimezone(UTC).isoformat()}
        with self._lock:
            with self._writing():
                self._connection.execute(self._sql["add_tombstone"], named)
                self._connection.execute(self._sql["overwrite_key"], {"subject_id": str(subject_id)})
            self._held.pop(subject_id, None)
            self._empty_log()

    def secret(self, name: str) -> bytes:
        """A random secret of 32 bytes by its name, the same for ever; made on first use, durable on return.

        Wrapped like a subject's key, so a new master key leaves it as it is.
        """
        with self._lock:
            wrapped = self._wrapped_secret(name)
            if wrapped is None:
                with self._writing():
                    wrapped = self._wrapped_secret(name)
                    if wrapped is None:
                        wrapped = self._master.wrap(self._randomness(KEY_BYTES), SECRET, name, self._randomness)
                        self._connection.execute(self._sql["add_secret"], {"name": name, "wrapped": wrapped})
            return self._master.unwrap(wrapped, SECRET, name)

    def rewrap(self, master: MasterKey) -> int:
        """Wraps every key anew under another master key, in one transaction; the number of subject keys.

        Have the new key safely stored before: from the commit on, the old one opens nothing. Every other
        process gets WrongMasterKey at its next use of the store and is to be started with the new one.
        """
        with self._lock:
            with self._writing():
                count = self._rewrap_keys(master)
                for name, wrapped in self._connection.execute(self._sql["secrets"]).fetchall():
                    again = master.wrap(self._master.unwrap(wrapped, SECRET, name), SECRET, name, self._randomness)
                    self._connection.execute(self._sql["replace_secret"], {"name": name, "wrapped": again})
            self._master = master
            self._check = self._wrapped_secret(CHECK)
            self._empty_log()
            return count

    def _rewrap_keys(self, master: MasterKey) -> int:
        count = number = 0
        while True:
            page = self._connection.execute(
                self._sql["keys_after"], {"number": number, "keys_max": REWRAP_PAGE_KEYS}
            ).fetchall()
            for number, subject_id, wrapped in page:
                key = self._master.unwrap(wrapped, SUBJECT_KEY, subject_id)
                again = master.wrap(key, SUBJECT_KEY, subject_id, self._randomness)
                self._connection.execute(self._sql["replace_key"], {"number": number, "wrapped": again})
            count += len(page)
            if len(page) < REWRAP_PAGE_KEYS:
                return count

    def _find(self, wanted: Iterable[UUID], *, erased_is_refused: bool) -> dict[UUID, bytes]:
        self._forget_erased()
        found: dict[UUID, bytes] = {}
        for subject_id in wanted:
            key = self._held.get(subject_id)
            if key is None:
                wrapped, erased_at = self._row(subject_id)
                if erased_at is not None and erased_is_refused:
                    raise SubjectErased(subject_id)
                if wrapped is None or erased_at is not None:
                    continue
                key = self._master.unwrap(wrapped, SUBJECT_KEY, str(subject_id))
            found[subject_id] = key
        return found

    def _make(self, missing: Iterable[UUID]) -> dict[UUID, bytes]:
        with self._writing():
            found = self._find(missing, erased_is_refused=True)  # another process may have been first
            for subject_id in missing:
                if subject_id not in found:
                    key = self._randomness(KEY_BYTES)
                    wrapped = self._master.wrap(key, SUBJECT_KEY, str(subject_id), self._randomness)
                    named = {"subject_id": str(subject_id), "wrapped": wrapped}
                    self._connection.execute(self._sql["add_key"], named)
                    found[subject_id] = key
            return found

    def _keep(self, found: dict[UUID, bytes]) -> None:
        for subject_id, key in found.items():
            self._held[subject_id] = key
            self._held.move_to_end(subject_id)
        while len(self._held) > KEYS_IN_MEMORY_MAX:
            self._held.popitem(last=False)

    def _forget_erased(self) -> None:
        """Drops from memory what another process erased. Without a change elsewhere it costs one pragma."""
        (change,) = self._connection.execute("PRAGMA data_version").fetchone()
        if change == self._seen_change:
            return
        self._seen_change = change
        after = {"number": self._seen_erasure}
        for number, subject_id in self._connection.execute(self._sql["erased_after"], after):
            self._held.pop(UUID(subject_id), None)
            self._seen_erasure = number

    def _row(self, subject_id: UUID) -> tuple[bytes | None, str | None]:
        wrapped, erased_at = self._connection.execute(self._sql["key_of"], {"subject_id": str(subject_id)}).fetchone()
        return wrapped, erased_at

    def _wrapped_secret(self, name: str) -> bytes | None:
        row = self._connection.execute(self._sql["secret_named"], {"name": name}).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One write transaction, durable at its end; refused when somebody changed the master key meanwhile."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._refuse_new_master()
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _refuse_new_master(self) -> None:
        if self._check is not None and self._check != self._wrapped_secret(CHECK):
            raise WrongMasterKey("the keys were wrapped under a new master key: start again with that one")

    def _empty_log(self) -> None:
        (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise ErasureUnfinished("another process is reading the store of keys: destroy the key once more")


def fingerprint_secret(book: str) -> str:
    """The name of the secret under which a book's requests are fingerprinted."""
    return f"request-fingerprint/{book}"


def mark_of(keys: SubjectKeys, book: str) -> str:
    """What tells the key store that a book was written with: a hash of a secret in it, in hex."""
    return hashlib.sha256(b"complaint-ledger/keys/v1" + keys.secret(fingerprint_secret(book))).hexdigest()


def _connect(store: Path) -> sqlite3.Connection:
    """The store's file, its owner's alone; SQLite gives its log the same mode.

    A file that is there is never opened beside SQLite: closing it would give up the locks that another connection of
    this process has on it (POSIX locks are the process's), and the log under that connection would be taken away.
    """
    with suppress(FileExistsError):
        os.close(os.open(store, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    refuse_exposed(store)
    connection = sqlite3.connect(store, timeout=WAIT_FOR_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection
