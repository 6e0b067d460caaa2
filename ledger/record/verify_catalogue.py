"""Holds the database's catalogue against the migrations before anything is read: what stands under our names is what they made.

Whoever owns the database can put a view in the place of a table, a policy that hides rows or another body into a function,
and have it answer an auditor with an untouched copy. What he can still do is change the server itself, or its own catalogue
and functions: no question to a server finds that (docs/proof.md, "Who answers verify").
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

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
