"""Holds the database's catalogue against the migrations before anything is read: what stands under our names is what they made.

Whoever owns the database can put a view in the place of a table, a policy that hides rows or another body into a function,
and have it answer an auditor with an untouched copy; also for a moment, in the midst of a verification, so what stands there is
held still and compared once more at the end. What he can still do is change the server itself, or its own catalogue and
functions: no question to a server finds that (docs/proof.md, "Who answers verify").
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.written import PRIVATE, Policy, WrittenFunction, WrittenTable, alike, typed, written_schema
from ledger.record.problems import Found, Kind

ORDINARY = ("r", "p", "heap")
"""An ordinary table, kept for ever, in the server's own way of storing."""

WHAT_TO_DO = (
    "the migrations of this version make it otherwise. If another version migrated this database last, verify with that version, "
    "or run `complaint-ledger migrate` with this one; otherwise find out who changed it, and verify a restored backup of it on a "
    "server of your own"
)

VERIFY_AGAIN = (
    "it was changed while it was verified, if only to be what it was before: verify again when nobody works on it, and find out "
    "who did"
)

_QUERIES = queries(__file__)


class _Table(NamedTuple):
    name: str
    kind: str
    persistence: str
    method: str | None
    owner: str
    by_policies: bool
    columns: list[str]
    rules: list[str]
    relatives: list[str]
    had_heirs: bool
    policies: list[list[str | None]]
    triggers: list[list[Any]]


class _Function(NamedTuple):
    name: str
    arguments: str
    result: str
    language: str
    volatility: str
    of_owner: bool
    settings: list[str]
    body: str
    owner: str
    as_written: bool


class StillCatalogue:
    """What a verification reads by, held still from its beginning to its end by a transaction of this connection's own.

    Tables that the auditor may read are locked in ACCESS SHARE: appends, VACUUM and ANALYZE go on, what makes something else of
    a table waits. The transaction has neither an id nor a snapshot between its statements, so it keeps no row from VACUUM.
    What no lock of his holds still (functions, the schema, the vault's tables) is compared by the rows of the catalogue.
    """

    def __init__(self, connection: Connection, found: Found) -> None:
        """Takes a connection of its own that is not in autocommit; raises psycopg2.Error where nothing explains the error."""
        self._connection = connection
        self._found = found
        self._rows: dict[str, str] = {}
        try:
            self._lock()
            self._rows = self._rows_of_catalogue()
        except psycopg2.Error:
            connection.rollback()
            check_catalogue(
                connection, found
            )  # a view whose tables are not ours to lock, or a table that just went away
            if not found.has(Kind.CATALOGUE):
                raise
        else:
            check_catalogue(connection, found)

    def check_end(self) -> None:
        """Once more, in the same transaction: were its connection ended and with it the locks, this raises psycopg2.Error."""
        if self._found.has(Kind.CATALOGUE):
            return
        check_catalogue(self._connection, self._found)
        rows = self._rows_of_catalogue()
        for name in sorted(name for name in self._rows.keys() | rows if self._rows.get(name) != rows.get(name)):
            self._found.add(None, Kind.CATALOGUE, f"{name}: {VERIFY_AGAIN}")

    def _lock(self) -> None:
        with self._connection.cursor() as cursor:
            # between its two checks it is idle as long as the verification takes
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            self._connection.commit()
            names = [name for (name,) in _rows(self._connection, "to_be_held", list(written_schema().tables))]
            if names:
                tables = sql.SQL(", ".join(names))  # quoted by the server
                cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(tables))

    def _rows_of_catalogue(self) -> dict[str, str]:
        written = written_schema()
        return dict(_rows(self._connection, "rows_of_catalogue", [*written.tables, *written.functions]))


def check_catalogue(connection: Connection, found: Found) -> None:
    """Names each table and function of the schema `ledger` that is not as the migrations make it. Two statements, some ms."""
    written = written_schema()
    tables = [_Table(*row) for row in _rows(connection, "tables", list(written.tables))]
    functions = [_Function(*row) for row in _rows(connection, "functions", list(written.functions))]
    there = Counter(each.name for each in functions)
    says = [
        *(f"the table {name} is missing" for name in written.tables.keys() - {each.name for each in tables}),
        *(f"the function {name} is missing" for name in written.functions.keys() - there.keys()),
        *(f"there are {many} functions {name}, and must be one" for name, many in there.items() if many > 1),
        *(f"{each.name} {wrong}" for each in tables for wrong in _wrong_with(each, written.tables[each.name])),
        *(
            f"the function {each.name} has another {wrong}"
            for each in functions
            if there[each.name] == 1
            for wrong in _other(each, written.functions[each.name])
        ),
    ]
    for each in sorted(says):
        found.add(None, Kind.CATALOGUE, f"{each}: {WHAT_TO_DO}")


def _wrong_with(table: _Table, written: WrittenTable) -> Iterator[str]:
    if (table.kind, table.persistence, table.method) != ORDINARY:
        yield "is no ordinary table"
    if table.owner != Role.OWNER:
        yield f"is owned by {table.owner}"
    if tuple(typed(each) for each in table.columns) != written.columns:
        yield "has other columns, or types of them"
    if table.rules:
        yield f"has the rule {_listed(table.rules)}, which rewrites statements"
    if table.relatives:
        yield f"inherits, or is inherited by {_listed(table.relatives)}, whose rows count as its own"
    elif table.had_heirs:
        yield "was inherited by another table, and would not tell if it were again: ANALYZE it, and verify again"
    policies = {Policy(str(name), role, alike(shows or "")) for name, role, shows in table.policies}
    if not table.by_policies or policies != written.policies:
        yield "shows rows by other policies"
    triggers = {(name, alike(said)) for name, said, fires in table.triggers if fires}
    if triggers != written.triggers or len(triggers) != len(table.triggers):
        yield "has other triggers, or one that is switched off"


def _other(function: _Function, written: WrittenFunction) -> Iterator[str]:
    """Which parts of it differ, each in a word."""
    if function.body != written.body or not function.as_written:
        yield "body"
    if (typed(function.arguments), typed(function.result)) != (written.arguments, written.result):
        yield "signature"
    if (function.language, function.volatility) != (written.language, written.volatility):
        yield "language or volatility"
    if tuple(function.settings) != written.settings:
        yield "search_path or setting"
    if (function.owner, function.of_owner) != (Role.OWNER, written.of_owner):
        yield "owner, or the rights of another"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5])


def _rows(connection: Connection, query: str, names: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], {"schema": PRIVATE, "names": names})
        return cursor.fetchall()
