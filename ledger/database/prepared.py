"""Statements that a connection plans once: for questions that cost less than their planning. Knows no query."""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from weakref import WeakKeyDictionary

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

_PARAMETER = re.compile(r"%(?:\((\w+)\)s|%)")

_prepared: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()


class _Statement(NamedTuple):
    name: str
    prepare: str
    execute: str


def execute_prepared(cursor: Cursor, query: str, parameters: Mapping[str, object]) -> None:
    """Runs a query with `%(name)s` parameters as `cursor.execute` does, but lets the connection keep its plan.

    For queries that read by key: after some calls the plan is made for any parameters, so a condition that a parameter
    switches off has to be left out of the text instead. The database infers each parameter's type from its place.
    """
    statement = _statement(query)
    kept = _prepared.setdefault(cursor.connection, set())
    if statement.name not in kept:
        cursor.execute(statement.prepare)
        kept.add(statement.name)
    cursor.execute(statement.execute, parameters)


@lru_cache(maxsize=1024)
def _statement(query: str) -> _Statement:
    name = f"ledger_{sha256(query.encode()).hexdigest()[:32]}"
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    body = _PARAMETER.sub(numbered, query)
    arguments = ", ".join(f"%({each})s" for each in names)
    return _Statement(name, f"PREPARE {name} AS {body}", f"EXECUTE {name}({arguments})" if names else f"EXECUTE {name}")
