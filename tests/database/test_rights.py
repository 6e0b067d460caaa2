"""The catalogue of a migrated database against the one table of rights, and what each role then really can do."""

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.faults import RoleNotGranted
from ledger.database.rights import RIGHTS, SCHEMAS, granted
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.append import NewEvent, Request
from ledger.recorder import BookRecorder, BookUnavailable
from tests.database.acting import acting_as

pytestmark = pytest.mark.every_postgres

RECORD = [name for name in RIGHTS if name.startswith("ledger.")]
NEVER = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.OWNER, autocommit=True)) as connection:
        yield connection


def fetched(connection: Connection, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def test_the_catalogue_says_what_the_table_says(owner: Connection) -> None:
    assert granted(owner) == {thing: dict(rights) for thing, rights in RIGHTS.items()}


def test_nobody_may_write_events_and_nobody_may_read_the_vault(database: Database) -> None:
    """Tried as each role, not only looked up."""
    for role in Role:
        if role is Role.OWNER:
            continue
        with acting_as(database, role) as connection, connection.cursor() as cursor:
            for statement in (
                "INSERT INTO ledger.event SELECT * FROM ledger.event",
                "UPDATE ledger.event SET version = version",
                "DELETE FROM ledger.event",
                "TRUNCATE ledger.event",
                "SELECT ciphertext FROM ledger.disclosure",
                "UPDATE ledger.head SET size = size",
                "SELECT ledger.create_book('mine', 'mine', '{}')",
                "SELECT ledger.claim_keys('main', repeat('a', 64))",
                "SELECT lo_create(0)",
            ):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(statement)


def test_the_publisher_is_not_let_into_the_ledgers_database(database: Database) -> None:
    with pytest.raises(RoleNotGranted):
        database.connect(Role.PUBLISHER)


def test_a_role_that_changes_its_own_default_does_not_stop_the_book(database: Database, book: str) -> None:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER ROLE ledger_application SET synchronous_commit = off")
        try:
            with closing(BookRecorder(database, book)) as recorder:
                recorder.record(Request([NewEvent(uuid4(), 1, "noted", b"{}")]))
        finally:
            cursor.execute("ALTER ROLE ledger_application RESET ALL")


def test_owner_rights_functions_cannot_be_led_astray(owner: Connection) -> None:
    """Each sets its search path, none is open to PUBLIC, and row-level security is forced on every table with a book."""
    functions = fetched(
        owner,
        "SELECT p.proname, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = ANY (%s) AND p.prosecdef",
        list(SCHEMAS),
    )
    assert functions, "there are owner-rights functions to look at"
    for name, settings in functions:
        assert "search_path=pg_catalog, pg_temp" in (settings or ()), name  # type: ignore[operator] # rows are untyped
    tables = fetched(
        owner,
        "SELECT c.relname, c.relforcerowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'book'"
        " WHERE n.nspname = ANY (%s) AND c.relkind = 'r' AND c.relname <> 'book_access'",
        list(SCHEMAS),
    )
    assert ("event", True) in tables
    assert [name for name, forced in tables if not forced] == []


def test_a_session_sees_the_books_of_its_role_and_no_variable_widens_them(
    database: Database, owner: Connection, new_book: Callable[[], str]
) -> None:
    """One of two books is taken from the application's role: it is gone for it, whatever the session says of itself."""
    kept, taken = new_book(), new_book()
    with owner.cursor() as cursor:
        cursor.execute("DELETE FROM ledger.book_access WHERE book = %s AND role = %s", (taken, Role.APPLICATION))

    def books(connection: Connection) -> set[object]:
        return {name for (name,) in fetched(connection, "SELECT book FROM ledger.head")}

    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        for attempt in (
            "SELECT 1",
            "SET row_security = off",
            "SELECT set_config('role', 'ledger_owner', false)",
            "SET ROLE ledger_auditor",
            "SET SESSION AUTHORIZATION ledger_owner",
            "RESET SESSION AUTHORIZATION",
        ):
            try:
                fetched(connection, attempt + ("" if attempt.startswith("SELECT") else "; SELECT 1"))
            except psycopg2.errors.InsufficientPrivilege:
                continue
            try:
                seen = books(connection)
            except (
                psycopg2.errors.InsufficientPrivilege
            ):  # the query would be filtered, and this session asked for an error
                assert attempt == "SET row_security = off"
                fetched(connection, "RESET row_security; SELECT 1")
                continue
            assert kept in seen, attempt
            assert taken not in seen, attempt
        recorder = BookRecorder(database, taken)
        with pytest.raises(BookUnavailable):
            recorder.record(Request([NewEvent(uuid4(), 1, "noted", b"{}")]))
        recorder.close()
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        assert {kept, taken} <= books(connection)
