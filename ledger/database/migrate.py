"""Applies the migrations, each in one transaction together with the note that it was applied; writes no SQL of the schema."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from yoyo.backends import PostgresqlBackend
from yoyo.migrations import Migration, MigrationList, MigrationStep

import migrations
from ledger.database.faults import DatabaseNewerThanProgram
from ledger.database.roles import Role
from ledger.database.target import Database

SCHEMA = "ledger_migration"
_ONE_AT_A_TIME = 0x6C65_6467_6572  # "ledger": the key of the lock that migrating holds
_LOCK_SECONDS_MAX = 60


def migrate(database: Database) -> list[str]:
    """Brings the schema up to date as the owner; returns the names applied now, oldest first.

    Safe when several processes do it at once: one migrates, the others wait and find nothing to do.
    Raises DatabaseNewerThanProgram when the database knows migrations that the program does not.
    """
    database.prepare()
    connection = database.connect(Role.OWNER, autocommit=True)
    try:
        _make_ready(connection)
        return _apply(_Backend(connection), _written())
    finally:
        connection.close()  # gives the lock back


def written() -> list[str]:
    """The names of the migrations that this program brings, in their order."""
    return [migration.id for migration in _written()]


class _Backend(PostgresqlBackend):  # type: ignore[misc]  # the library is not typed
    """The library's bookkeeping on our connection, in a schema of its own.

    Its own lock is a row that outlives a crash; ours is the session's. It marks a migration in a second
    transaction, so that a crash between the two leaves one applied and unmarked; here it is one.
    """

    _is_locked = True

    def __init__(self, connection: Connection) -> None:
        self._given = connection
        super().__init__("given", "_yoyo_migration")

    def connect(self, dburi: str) -> Connection:  # noqa: ARG002 - the library's signature
        return self._given

    def list_tables(self, **kwargs: object) -> list[str]:  # noqa: ARG002 - the library's signature
        with self._given.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s", (SCHEMA,))
            return [name for (name,) in cursor.fetchall()]

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:  # noqa: ARG002 - as above
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            self.mark_one(migration, log=False)
            self.log_migration(migration, "apply")

    def get_log_data(self, migration: Migration | None = None, operation: str = "apply") -> dict[str, object]:
        # the library asks the name server for this machine's name: slow, and nobody's business
        data: dict[str, object] = {**super().get_log_data(migration, operation), "username": Role.OWNER, "hostname": ""}
        return data


class _Whole(Migration):  # type: ignore[misc]  # the library is not typed
    """A migration whose file is sent as it stands: the library's splitter does not understand every function body."""

    def __init__(self, file: Traversable) -> None:
        super().__init__(file.name.removesuffix(".sql"), str(file), str(SCHEMA))
        self.source = file.read_text(encoding="utf-8")
        self.steps = [MigrationStep(0, self.source, None)]
        self._depends: set[Migration] = set()


def _written() -> list[Migration]:
    found = [file for file in files(migrations).iterdir() if file.name.endswith(".sql")]
    return [_Whole(file) for file in sorted(found, key=lambda file: file.name)]


def _make_ready(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = %s; SET statement_timeout = 0", (f"{_LOCK_SECONDS_MAX}s",))
        cursor.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
        name = sql.Identifier(SCHEMA)
        cursor.execute(sql.SQL("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s"), (SCHEMA,))
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        # a migration that forgets to name a schema finds no table of the ledger
        cursor.execute(sql.SQL("SET search_path = {}").format(name))


def _apply(backend: _Backend, known: list[Migration]) -> list[str]:
    applied = backend.get_applied_migration_hashes()
    unknown = len(set(applied) - {migration.hash for migration in known})
    if unknown:
        raise DatabaseNewerThanProgram(
            f"the database has {unknown} migration(s) that this version of the program does not know: "
            "run the version that applied them, or a newer one"
        )
    waiting = MigrationList([migration for migration in known if migration.hash not in applied])
    backend.apply_migrations(waiting)
    return [migration.id for migration in waiting]
