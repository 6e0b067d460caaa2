"""A backup of the database in one file, and its way back into an empty place, by PostgreSQL's own programs.

The keys are not in it: they are backed up apart, so that a backup of one is not a backup of both. No secret stands on a
command line.
"""

import os
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from ledger.database.programs import wheel_binaries
from ledger.database.roles import Role
from ledger.database.target import Database

DUMP = "database.dump"
HOURS_MAX = 24


class BackupFailed(Exception):
    """A backup was not made, or not brought back; the message says what to do."""


def dump(database: Database, folder: Path) -> Path:
    """Writes everything that the database holds into `database.dump` of a folder, as one snapshot; for its owner alone.

    Others may record meanwhile. Raises BackupFailed, and leaves no half of one.
    """
    whole, part = folder / DUMP, folder / f".{DUMP}.part"
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        ours = [
            f"--schema={name}" for name in _schemas(database)
        ]  # what the server's own schemas allow is the server's affair
        _run(database, "pg_dump", ["--format=custom", "--enable-row-security", *ours, f"--file={part}"])
        _keep(part)
        part.rename(whole)
    finally:
        part.unlink(missing_ok=True)
    return whole


def load(database: Database, file: Path) -> None:
    """Brings a backup back into a database that has no ledger yet; raises BackupFailed where there is one."""
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'ledger'")
        if cursor.fetchone() is not None:
            raise BackupFailed("there is a ledger in this place already: restore into an empty one")
    _run(database, "pg_restore", ["--exit-on-error", "--no-owner", "--single-transaction", str(file)])


def _schemas(database: Database) -> list[str]:
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspowner = %s::regrole", (Role.OWNER,))
        return [name for (name,) in cursor.fetchall()]


def _run(database: Database, program: str, words: Sequence[str]) -> None:
    target = parse_dsn(database.dsn(Role.OWNER))
    secret = {"PGPASSWORD": target.pop("password")} if "password" in target else {}
    # long statements are the nature of both programs
    target["options"] = f"{target.get('options', '')} -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    done = subprocess.run(
        [str(wheel_binaries() / program), "--dbname", str(make_dsn(**target)), *words],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
        timeout=HOURS_MAX * 3600,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise BackupFailed(f"{program} could not do it: {said}")


def _keep(file: Path) -> None:
    held = os.open(file, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
