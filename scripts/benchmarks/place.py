"""The server that both sides are measured on: the embedded PostgreSQL as the program sets it up, in a folder that goes away."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn

from ledger.application import Ledger
from ledger.database.migrate import migrate
from ledger.database.programs import wheel_binaries
from ledger.database.roles import SUPERUSER, Role
from ledger.database.target import Database, open_database
from ledger.record.book import create_book
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys

HOME = Path(__file__).resolve().parents[2] / "data" / "bench"
"""Where peers are installed; git ignores it."""


@dataclass
class Place:
    """A running server, and how long one measurement may take."""

    settings: Settings
    database: Database
    seconds: float
    quick: bool
    filled: str | None = None
    """The book with a made-up year in it, once it was made."""

    def __post_init__(self) -> None:
        self._numbers = count(1)

    @cached_property
    def keys(self) -> SubjectKeys:
        return SubjectKeys.open(self.settings.keys, self.settings.master_key)

    def new_book(self) -> str:
        name = f"bench-{next(self._numbers)}"
        with closing(self.database.connect(Role.OWNER)) as owner:
            create_book(owner, name)
        return name

    @contextmanager
    def ledger(self, book: str) -> Iterator[Ledger]:
        with closing(Ledger(self.database, book, self.keys)) as ledger:
            yield ledger

    def superuser(self, database: str = "ledger") -> dict[str, str]:
        """How to reach the server as its superuser: peers bring their own schemas and roles."""
        target = parse_dsn(self.database.dsn(Role.APPLICATION))
        return {"host": target["host"], "port": target["port"], "user": SUPERUSER, "dbname": database}

    def connect(self, database: str) -> Connection:
        connection: Connection = psycopg2.connect(make_dsn(**self.superuser(database)))
        connection.autocommit = True
        return connection

    @contextmanager
    def peer_database(self, name: str) -> Iterator[dict[str, str]]:
        """An empty database of a peer's own, on the same server and so on the same disk and settings."""
        with closing(self.connect("postgres")) as administrator, administrator.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield self.superuser(name)
        finally:
            with closing(self.connect("postgres")) as administrator, administrator.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def pgbench(self, script: str, database: str, clients: int, *more: str) -> str:
        """What pgbench prints of a script run by so many clients; raises CalledProcessError."""
        target = self.superuser(database)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            command = [
                str(wheel_binaries() / "pgbench"),
                *("-n", "-f", file.name, "-c", str(clients), "-j", str(min(clients, 2)), "-M", "prepared"),
                *("-T", str(max(1, round(self.seconds))), *more),
                *("-h", target["host"], "-p", target["port"], "-U", target["user"], database),
            ]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def checkpoint(self) -> None:
        """Writes what earlier runs left dirty, so that no measurement pays for another."""
        with closing(self.connect("postgres")) as administrator, administrator.cursor() as cursor:
            cursor.execute("CHECKPOINT")


@contextmanager
def opened(seconds: float, *, quick: bool) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="ledger-bench-"))
    folder.chmod(0o711)  # as root the server runs under an account of its own
    try:
        settings = Settings(data=folder / "data")
        with open_database(settings) as database:
            migrate(database)
            yield Place(settings, database, seconds, quick)
    finally:
        shutil.rmtree(folder)
