"""Statements that a connection plans once: they give what the plain ones give, after the tables changed too."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.prepared import execute_prepared
from ledger.database.roles import Role
from ledger.database.target import Database

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


def asked(connection: Connection, query: str, **parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        execute_prepared(cursor, query, parameters)
        return cursor.fetchall()


def test_parameters_stand_where_they_are_named_however_often(connection: Connection) -> None:
    query = "SELECT %(a)s::int - %(b)s::int, %(a)s::int %% 7, %(text)s::text"
    for n in range(10):  # past the calls that are planned each for itself
        assert asked(connection, query, a=n, b=2, text="王's \\ %s", unused=1) == [(n - 2, n % 7, "王's \\ %s")]
    assert asked(connection, query, a=None, b=2, text=None) == [(None, None, None)]
    assert asked(connection, "SELECT 1") == [(1,)]


def test_it_is_planned_once_a_connection(connection: Connection, database: Database) -> None:
    query = "SELECT %(a)s::int AS planned_once"
    for n in range(3):
        asked(connection, query, a=n)
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%planned_once'"
    with connection.cursor() as cursor:
        cursor.execute(kept)
        assert cursor.fetchall() == [(1,)]
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as other:
        assert asked(other, query, a=7) == [(7,)]


def test_a_statement_that_cannot_be_planned_is_tried_anew(database: Database) -> None:
    """The table may come later, and go again."""
    query = "SELECT n FROM pg_temp.later WHERE n = %(n)s"
    with closing(database.connect(Role.OWNER, autocommit=True)) as connection, connection.cursor() as cursor:
        for _ in range(2):
            with pytest.raises(psycopg2.errors.UndefinedTable):
                asked(connection, query, n=1)
            cursor.execute("CREATE TEMPORARY TABLE later (n int); INSERT INTO later VALUES (1)")
            assert asked(connection, query, n=1) == [(1,)]
            cursor.execute("DROP TABLE later")
