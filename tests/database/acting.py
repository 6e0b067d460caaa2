"""Sessions as each role of the database, also as one that is not let into it; knows no test."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn

from ledger.database.roles import SUPERUSER, Role
from ledger.database.target import Database


@contextmanager
def acting_as(database: Database, role: Role) -> Iterator[Connection]:
    """A session of the role; the publisher is let in for the moment of its login: what he then may do is the question."""
    if role is Role.PUBLISHER:
        _as_superuser(database, f"GRANT CONNECT ON DATABASE ledger TO {role}")
    try:
        connection = database.connect(role, autocommit=True)
    finally:
        if role is Role.PUBLISHER:
            _as_superuser(database, f"REVOKE CONNECT ON DATABASE ledger FROM {role}")
    with closing(connection):
        yield connection


def _as_superuser(database: Database, statement: str) -> None:
    target = parse_dsn(database.dsn(Role.OWNER))
    place = {"host": target["host"], "port": target["port"], "dbname": target["dbname"], "user": SUPERUSER}
    with closing(psycopg2.connect(make_dsn(**place))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
