"""Migrations: whose they are, that two at once do no harm, and that a failed one leaves nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from ledger.database import migrate as module
from ledger.database.faults import DatabaseNewerThanProgram
from ledger.database.migrate import SCHEMA, migrate, written
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.settings import Settings

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def empty(settings: Settings, make_folder: Callable[[], Path]) -> Settings:
    """A database without any migration, on the version under test."""
    return Settings(data=make_folder() / "data", server_binaries=settings.server_binaries)


def names_applied(database: Database) -> list[str]:
    with database.connect(Role.OWNER) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT migration_id FROM {SCHEMA}._yoyo_migration ORDER BY applied_at_utc, migration_id")
        return [name for (name,) in cursor.fetchall()]


def test_all_are_applied_in_their_order_and_once(empty: Settings) -> None:
    with open_database(empty) as database:
        assert migrate(database) == written() == sorted(written())
        assert names_applied(database) == written()
        assert migrate(database) == []


def test_two_at_once_apply_each_once(empty: Settings) -> None:
    with open_database(empty) as database, ThreadPoolExecutor(3) as threads:
        applied = list(threads.map(lambda _: migrate(database), range(3)))
        assert sorted(applied) == [[], [], written()]
        assert names_applied(database) == written()


def test_the_record_belongs_to_the_owner_and_to_nobody_who_records(database: Database) -> None:
    with database.connect(Role.AUDITOR) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN ('ledger', %s)", (SCHEMA,)
        )
        assert dict(cursor.fetchall()) == {"ledger": Role.OWNER, SCHEMA: Role.OWNER}
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname IN ('ledger', %(schema)s) AND relowner <> %(owner)s::regrole"
            " UNION ALL SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace"
            " WHERE nspname IN ('ledger', %(schema)s) AND proowner <> %(owner)s::regrole",
            {"schema": SCHEMA, "owner": Role.OWNER},
        )
        assert cursor.fetchall() == []
    connection.close()


def test_a_failed_migration_leaves_nothing_and_can_be_repeated(
    empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(empty) as database:
        migrate(database)
        whole = migration("9998_whole", "CREATE TABLE ledger.whole (x int);")
        broken = migration("9999_broken", "CREATE TABLE ledger.half (x int); SELECT 1 / 0;")
        found = module._written()
        monkeypatch.setattr(module, "_written", lambda: [*found, whole, broken])
        with pytest.raises(psycopg2.errors.DivisionByZero):
            migrate(database)
        assert names_applied(database) == [*written()[:-1]]
        with database.connect(Role.OWNER) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('ledger.whole') IS NULL, to_regclass('ledger.half') IS NULL")
            assert cursor.fetchone() == (False, True)
        mended = migration("9999_broken", "CREATE TABLE ledger.half (x int); SELECT 1;")
        monkeypatch.setattr(module, "_written", lambda: [*found, whole, mended])
        assert migrate(database) == ["9999_broken"]


def test_a_body_with_semicolons_is_sent_as_it_stands(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        -- a body as they are: dollar quotes, semicolons, CASE, a percent sign
        CREATE FUNCTION ledger.try_me(n int) RETURNS text LANGUAGE plpgsql AS $body$
        DECLARE said text;
        BEGIN
            IF n > 0 THEN said := CASE WHEN n % 2 = 0 THEN 'even; 100%' ELSE 'odd' END; END IF;
            RETURN said;
        END;
        $body$;
    """
    with open_database(empty) as database:
        migrate(database)
        found = module._written()
        monkeypatch.setattr(module, "_written", lambda: [*found, migration("9999_body", body)])
        assert migrate(database) == ["9999_body"]
        with database.connect(Role.OWNER) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT ledger.try_me(2)")
            assert cursor.fetchone() == ("even; 100%",)


def test_an_older_program_does_not_touch_a_newer_database(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_database(empty) as database:
        migrate(database)
        older = module._written()[:-1]
        monkeypatch.setattr(module, "_written", lambda: older)
        with pytest.raises(DatabaseNewerThanProgram, match="1 migration"):
            migrate(database)


def test_a_migration_names_its_schema(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = migration("9999_forgetful", "SELECT book FROM book;")
    with open_database(empty) as database:
        migrate(database)
        found = module._written()
        monkeypatch.setattr(module, "_written", lambda: [*found, forgetful])
        with pytest.raises(psycopg2.errors.UndefinedTable):
            migrate(database)


def migration(name: str, text: str) -> module._Whole:
    class File:
        """As much of a file in a package as is read of it."""

        def __init__(self) -> None:
            self.name = name + ".sql"

        def read_text(self, encoding: str) -> str:
            assert encoding == "utf-8"
            return text

    return module._Whole(File())  # type: ignore[arg-type]  # what is not read of a file is left out
