"""Every role of the database on every table and function, tried as that role: each cell is as the one table says.

The list comes from the catalogue, so nothing is untested; a right counts as refused only by `insufficient_privilege`.
"""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.rights import RIGHTS, SCHEMAS
from ledger.database.roles import Role
from ledger.database.target import Database
from tests.database.acting import acting_as

ROLES = [role for role in Role if role is not Role.OWNER]
TRIED = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


@pytest.fixture(scope="module")
def owner(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.OWNER, autocommit=True)) as connection:
        yield connection


def rows(connection: Connection, query: str, *parameters: object) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def may(connection: Connection, statement: str) -> bool:
    """Whether a statement is refused for want of the right to it; any other error comes after that check."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege as refused:
            return "row-level security" in str(refused)  # the right is there, and the row is of no book of the role's
        except psycopg2.Error:
            return True
        finally:
            connection.rollback()
            cursor.execute("ROLLBACK")
    return True


@pytest.mark.parametrize("role", ROLES)
def test_each_table_as_each_role(role: Role, owner: Connection, database: Database) -> None:
    tables = rows(
        owner,
        "SELECT n.nspname || '.' || c.relname, min(a.attname::text) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm') GROUP BY 1",
        list(SCHEMAS),
    )
    assert len(tables) > 10
    with acting_as(database, role) as connection:
        for table, column in tables:
            statements = {
                "SELECT": f"SELECT 1 FROM {table} LIMIT 1",
                "INSERT": f"INSERT INTO {table} DEFAULT VALUES",
                "UPDATE": f"UPDATE {table} SET {column} = {column} WHERE false",
                "DELETE": f"DELETE FROM {table} WHERE false",
                "TRUNCATE": f"TRUNCATE {table}",
            }
            granted = RIGHTS[table].get(role, "")
            for right in TRIED:
                assert may(connection, statements[right]) is (right in granted), f"{role}: {right} on {table}"


@pytest.mark.parametrize("role", ROLES)
def test_each_function_as_each_role(role: Role, owner: Connection, database: Database) -> None:
    functions = rows(
        owner,
        "SELECT n.nspname || '.' || p.proname, coalesce((SELECT string_agg('NULL::' || format_type(t, NULL), ', '"
        " ORDER BY o) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, o)), '') FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%s) AND p.prorettype <> 'trigger'::regtype",
        list(SCHEMAS),
    )
    assert len(functions) > 10
    with acting_as(database, role) as connection:
        for function, arguments in functions:
            granted = "EXECUTE" in RIGHTS[function].get(role, "")
            assert may(connection, f"SELECT * FROM {function}({arguments})") is granted, f"{role}: {function}"


@pytest.mark.parametrize("role", ROLES)
def test_no_variable_makes_a_session_somebody_else(role: Role, database: Database) -> None:
    """Neither another role, nor the owner's rights, nor an unfiltered look at other books."""
    for attempt in ("SET ROLE ledger_owner", "SET SESSION AUTHORIZATION ledger_owner", "SET ROLE ledger_superuser"):
        with acting_as(database, role) as connection:
            assert not may(connection, attempt), attempt
            assert not may(connection, "CREATE TABLE ledger.mine ()")
            assert not may(connection, "COPY (SELECT 1) TO PROGRAM 'true'")
