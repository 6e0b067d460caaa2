"""Reaching a database: as each role, on a server of somebody else, and what is said when it does not work."""

import os
from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from ledger.database.faults import DatabaseUnavailable, RoleNotGranted, ServerUnsuitable
from ledger.database.migrate import migrate, written
from ledger.database.roles import SUPERUSER, Role, ensure_roles
from ledger.database.target import Database, open_database
from ledger.settings import Settings

CLERK = "somebodys_login"


@pytest.fixture
def foreign(database: Database) -> Iterator[str]:
    """The address of an empty database, as an administrator of a server that we did not start would know it."""
    within = parse_dsn(database.dsn(Role.OWNER))
    address = {"host": within["host"], "port": within["port"], "user": SUPERUSER}
    administrator = psycopg2.connect(make_dsn(**address, dbname="postgres"))
    administrator.autocommit = True
    with administrator.cursor() as cursor:
        cursor.execute("CREATE DATABASE foreign_one TEMPLATE template0")
        yield make_dsn(**address, dbname="foreign_one")
        cursor.execute("DROP DATABASE foreign_one WITH (FORCE)")
    administrator.close()


def as_user(address: str, user: str) -> Settings:
    return Settings(database_url=make_dsn(address, user=user))


@pytest.mark.every_postgres
def test_a_server_by_url_is_migrated_and_each_role_is_assumed(foreign: str) -> None:
    with open_database(as_user(foreign, SUPERUSER)) as database:
        assert not database.is_embedded
        assert migrate(database) == written()
        for role in Role:
            with database.connect(role) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT session_user, current_user, current_setting('TimeZone')")
                assert cursor.fetchone() == (SUPERUSER, role, "UTC")
            connection.close()
    with pytest.raises(psycopg2.OperationalError), open_database(as_user(foreign, SUPERUSER)) as database:
        raise psycopg2.OperationalError  # a fault of the block is not changed on its way


@pytest.mark.every_postgres
def test_a_url_keeps_the_options_it_came_with(foreign: str) -> None:
    with open_database(Settings(database_url=make_dsn(foreign, options="-c geqo=off"))) as database:
        migrate(database)
        with database.connect(Role.AUDITOR) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('geqo'), current_user")
            assert cursor.fetchone() == ("off", Role.AUDITOR)
        connection.close()


@pytest.mark.every_postgres
def test_a_login_that_may_not_act_as_a_role_is_told_what_to_run(foreign: str) -> None:
    with (
        open_database(as_user(foreign, Role.APPLICATION)) as database,
        pytest.raises(RoleNotGranted, match=rf"may not act as {Role.OWNER}(?s:.*)GRANT {Role.OWNER} TO"),
    ):
        database.connect(Role.OWNER)


@pytest.mark.every_postgres
def test_a_login_that_may_not_prepare_the_database_is_told_what_to_run(foreign: str) -> None:
    with (
        open_database(as_user(foreign, Role.APPLICATION)) as database,
        pytest.raises(RoleNotGranted, match="GRANT CREATE ON DATABASE foreign_one"),
    ):
        migrate(database)


@pytest.mark.every_postgres
def test_a_login_with_createrole_makes_the_roles_for_itself(foreign: str) -> None:
    """What a managed server gives its customer: no superuser, CREATEROLE, and a database of his own."""
    administrator = psycopg2.connect(foreign)
    with administrator.cursor() as cursor:
        # in one transaction that is given up: the roles of the server stay as they are
        for role in Role:
            cursor.execute(f"ALTER ROLE {role} RENAME TO {role}_aside")
        cursor.execute(f"CREATE ROLE {CLERK} CREATEROLE; SET ROLE {CLERK}; SAVEPOINT before")
        with pytest.raises(RoleNotGranted, match="let ledger_owner make schemas"):
            ensure_roles(administrator, may_log_in=False)  # that right is the database owner's to give
        cursor.execute(f"ROLLBACK TO before; RESET ROLE; ALTER DATABASE foreign_one OWNER TO {CLERK}")
        cursor.execute(f"SET ROLE {CLERK}")
        assert ensure_roles(administrator, may_log_in=False) == list(Role)
        assert ensure_roles(administrator, may_log_in=False) == []
        for role in Role:
            cursor.execute(
                "SELECT pg_has_role(%s, %s, 'MEMBER'), rolcanlogin FROM pg_roles WHERE rolname = %s",
                (CLERK, role, role),
            )
            assert cursor.fetchone() == (True, False)
    administrator.rollback()
    administrator.close()


def test_a_server_that_is_away_is_named_without_the_password() -> None:
    away = Settings(database_url="postgresql://clerk:open-sesame@127.0.0.1:1/ledger?connect_timeout=2")
    with open_database(away) as database, pytest.raises(DatabaseUnavailable, match="127.0.0.1") as found:
        database.connect(Role.APPLICATION)
    assert "open-sesame" not in str(found.value)
    assert "open-sesame" not in repr(away)


def test_an_address_that_is_none_is_not_repeated() -> None:
    wrong = Settings(database_url="postgresql:/clerk:open-sesame@nowhere bad")
    with pytest.raises(DatabaseUnavailable, match="is not an address") as found, open_database(wrong):
        pass
    assert "open-sesame" not in str(found.value)
    assert found.value.__cause__ is None


def test_an_old_server_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.database.target.VERSION_MIN", 990000)  # as no server that old is at hand
    with pytest.raises(ServerUnsuitable, match="needs PostgreSQL 15 or newer"):
        database.prepare()


def test_settings_come_from_the_environment_and_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LEDGER_")]:
        monkeypatch.delenv(name)
    assert Settings.from_environment() == Settings()
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://there/ledger")
    monkeypatch.setenv("LEDGER_BOOK", "branch")
    monkeypatch.setenv("LEDGER_DATA", "/srv/ledger")
    settings = Settings.from_environment(book="main")
    assert (settings.database_url, settings.book, str(settings.data)) == (
        "postgresql://there/ledger",
        "main",
        "/srv/ledger",
    )
    assert str(settings.keys) == "/srv/ledger/keys"
