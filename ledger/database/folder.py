"""The data folder: what lies where, whose it is, and whether the server's account can reach it.

Changes neither owner nor mode of a folder that this program did not make, and starts nothing but a
shell that looks whether a folder can be entered.
"""

import fcntl
import json
import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.database.faults import DatabaseUnavailable, DataFolderNotOurs, FolderOutOfReach, ServerAccountMissing

MARKER = "complaint-ledger.json"
_LOCKS = ("start.lock", "in-use.lock")
_MADE_BEFORE_THE_MARKER = {*_LOCKS, "keys"}
_ACCOUNTS = ("postgres", "nobody")
_LOCK_WAIT_SECONDS_MAX = 90


@dataclass(frozen=True)
class Account:
    """An account of the operating system that the server runs under."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of_uid(cls, uid: int) -> "Account":
        """The account with this number; raises ServerAccountMissing when the system knows none."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise ServerAccountMissing(
                f"the system has no account with the number {uid}, and PostgreSQL needs a named one: "
                "run the program under an account that is listed in the system's accounts"
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def process(self) -> dict[str, Any]:
        """How `subprocess` is told to run something as this account, detached from the terminal."""
        become = {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return {
            **become,
            "umask": 0o077,
            "cwd": "/",
            "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
        }


def server_account(wanted: str | None, owner_of_data: int | None) -> Account:
    """The account to run the server under: ourselves, or as root an unprivileged one.

    Data that are there already decide: they stay with their owner.
    """
    if os.geteuid() != 0:
        return Account.of_uid(os.geteuid())
    if owner_of_data:
        return Account.of_uid(owner_of_data)
    for name in (wanted,) if wanted else _ACCOUNTS:
        try:
            account = Account.of_uid(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
        if account.uid != 0:
            return account
    raise ServerAccountMissing(
        f"PostgreSQL does not run as root, and there is no unprivileged account {wanted or ' or '.join(_ACCOUNTS)}: "
        "name one with LEDGER_SERVER_ACCOUNT, or run the program as an ordinary user"
    )


@dataclass(frozen=True)
class DataFolder:
    """The paths below one data folder."""

    path: Path

    @property
    def postgres(self) -> Path:
        """The server's own files; they belong to the server's account."""
        return self.path / "postgres"

    @property
    def config(self) -> Path:
        """The server's configuration; it belongs to us, so that the server's account cannot rewrite who may log in."""
        return self.path / "config"

    @property
    def socket(self) -> Path:
        """Where the server listens, when the path is short enough."""
        return self.path / "socket"

    @property
    def log(self) -> Path:
        """What the server writes to, readable by its account only."""
        return self.path / "log"

    def make_or_adopt(self) -> None:
        """Makes the folder, or sees that it is ours; raises DataFolderNotOurs for a folder of something else."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.path.mkdir(mode=0o700)
            except FileExistsError:
                self._check()
            else:
                if os.geteuid() == 0:
                    self.path.chmod(0o711)  # so that the server's account can pass through, and see nothing
        except OSError as error:
            raise DataFolderNotOurs(
                f"the data folder {self.path} cannot be used ({error.strerror}): "
                "name one that this account may write to with --data"
            ) from error

    def mark(self) -> None:
        """Writes down that this folder is ours; to be called under the start lock."""
        self._check()
        marker = self.path / MARKER
        if not marker.exists():
            write_whole(marker, json.dumps({"program": "complaint-ledger", "layout": 1}) + "\n", mode=0o644)

    def owner(self) -> int:
        """The number of the account that made the folder ours."""
        return (self.path / MARKER).stat().st_uid

    def _check(self) -> None:
        names = {entry.name for entry in self.path.iterdir()}
        if MARKER not in names:
            if names - _MADE_BEFORE_THE_MARKER:
                raise DataFolderNotOurs(
                    f"{self.path} is not empty and is not a data folder of complaint-ledger: "
                    "name another one with --data"
                )
            if self.path.stat().st_mode & stat.S_IWOTH:
                raise DataFolderNotOurs(
                    f"every account may write to {self.path}: name another folder with --data, or chmod o-w this one"
                )
        elif os.geteuid() == 0 and self.owner() != 0:
            # what lies in it, programs among them, was put there by that account: root does not run it
            raise DataFolderNotOurs(
                f"{self.path} belongs to another account (number {self.owner()}): run the program as that account, "
                "or name another folder with --data"
            )
        elif os.geteuid() not in (0, self.owner()):
            raise DataFolderNotOurs(
                f"{self.path} belongs to the account {Account.of_uid(self.owner()).name}: "
                "run the program under it, or name another folder with --data"
            )

    def give(self, folder: Path, account: Account) -> None:
        """Makes one of the folders of the server, of mode 0700; leaves alone one that is there."""
        if not folder.exists():
            folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(folder, account.uid, account.gid)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        descriptor = _open_lock(self.path / "start.lock")
        try:
            _lock_within(descriptor, _LOCK_WAIT_SECONDS_MAX, self.path)
            yield
        finally:
            os.close(descriptor)

    def use(self) -> int:
        """Counts us among the users until the returned descriptor is closed, also by a crash."""
        descriptor = _open_lock(self.path / "in-use.lock")
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def in_use(self) -> bool:
        """Whether any process, this one included, counts as a user; to be called under the start lock."""
        descriptor = _open_lock(self.path / "in-use.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def check_reach(account: Account, folders: Iterable[Path]) -> None:
    """Raises FolderOutOfReach, naming the folder that shuts the account out and what to do."""
    if os.geteuid() != 0:
        return
    for folder in folders:
        way = [str(step) for step in (*reversed(folder.parents), folder)]
        # a shell of that account tries it: modes alone do not tell, there may be access lists
        tried = subprocess.run(
            ["/bin/sh", "-c", 'for step do cd "$step" 2>/dev/null || { echo "$step"; exit 1; }; done', "sh", *way],
            capture_output=True,
            text=True,
            check=False,
            **account.process(),
        )
        if tried.returncode != 0:
            raise FolderOutOfReach(
                f"root runs the program, so the database server runs under the account {account.name}, which cannot "
                f"enter {tried.stdout.strip()} and so does not reach {folder}. No mode was changed. Either put the "
                "data (--data DIR) and the program where every account may pass, for example under /srv or /opt; or "
                "run the program as an ordinary user; or name another account with LEDGER_SERVER_ACCOUNT"
            )


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Writes a file so that it is there either as before or whole."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)  # whatever the umask says
    new.rename(path)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _lock_within(descriptor: int, seconds_max: int, folder: Path) -> None:
    until = time.monotonic() + seconds_max
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    f"another process has been starting or stopping the server in {folder} for {seconds_max} "
                    "seconds: look whether it hangs, end it, and try again"
                ) from None
            time.sleep(0.02)
        else:
            return
