"""What the migrations say of the schema `ledger`: its tables with columns, policies and triggers, its functions with bodies.

It is read from the migration files themselves, so that whoever compares a database with it holds no second copy that could
go stale. Pure text: no database is asked, and SQL that is written in another manner than the migrations are is not
understood; a test holds what is read here against a migrated database.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import migrations

PRIVATE = "ledger"

_COMMENT = re.compile(r"--[^\n]*")
_FUNCTION = re.compile(
    rf"CREATE (?:OR REPLACE )?FUNCTION ({PRIVATE}\.\w+)\((.*?)\)\s+RETURNS (.*?)\s+LANGUAGE (\w+)(.*?)\sAS \$(\w+)\$(.*?)\$\6\$;",
    re.DOTALL,
)
_TABLE = re.compile(rf"^CREATE TABLE ({PRIVATE}\.\w+) \(\n(.*?)^\)", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"^    ([a-z_]+) ([a-z]+(?:\[\])?)(?=[ ,\n])", re.MULTILINE)
_POLICY = re.compile(rf"^CREATE POLICY (\w+) ON ({PRIVATE}\.\w+)(?: TO (\w+))? USING \((.*)\);$", re.MULTILINE)
_POLICY_OF_EACH = re.compile(r"'CREATE POLICY (\w+) ON %s(?: TO (\w+))? USING \((.*)\)'")
_SHOWN = re.compile(rf"SELECT {PRIVATE}\.show_granted_books_only\(.*?;", re.DOTALL)
_NAMED = re.compile(rf"'({PRIVATE}\.\w+)'")
_TRIGGER = re.compile(rf"^CREATE TRIGGER (\w+)\s.*?ON ({PRIVATE}\.\w+)\s.*?;", re.DOTALL | re.MULTILINE)
_SETTING = re.compile(r"^SET (\w+) = (.*?)\s*$", re.MULTILINE)
_FULL_NAMES = {"timestamptz": "timestamp with time zone", "int": "integer", "bool": "boolean"}
_VOLATILITY = {"IMMUTABLE": "i", "STABLE": "s"}


class Policy(NamedTuple):
    """Which rows a role sees; no role: everybody. `shows` as `alike` writes it."""

    name: str
    role: str | None
    shows: str


class WrittenTable(NamedTuple):
    """A table: `column type` each, its policies by name, its triggers by name, each as `alike` writes it."""

    columns: tuple[str, ...]
    policies: frozenset[Policy]
    triggers: frozenset[tuple[str, str]]


class WrittenFunction(NamedTuple):
    """A function. Types by their full names; `settings` as `name=value`; `body` byte for byte as the server keeps it."""

    arguments: str
    result: str
    language: str
    volatility: str
    of_owner: bool
    settings: tuple[str, ...]
    body: str


class Written(NamedTuple):
    """The schema `ledger` by the names of what is in it, each with its schema's."""

    tables: dict[str, WrittenTable]
    functions: dict[str, WrittenFunction]


@cache
def written_schema() -> Written:
    """As all migrations of this program together leave it. Costs some milliseconds, once a process."""
    found = sorted((f for f in files(migrations).iterdir() if f.name.endswith(".sql")), key=lambda file: file.name)
    text = "\n".join(file.read_text(encoding="utf-8") for file in found)
    functions = {name: _function(*rest) for name, *rest in _FUNCTION.findall(text)}
    policies = [*_policies(text, functions)]
    triggers = [(m[2], m[1], alike(_COMMENT.sub("", m[0]))) for m in _TRIGGER.finditer(text)]
    tables = {
        name: WrittenTable(
            tuple(f"{column} {typed(kind)}" for column, kind in _COLUMN.findall(inside)),
            frozenset(policy for table, policy in policies if table == name),
            frozenset((trigger, said) for table, trigger, said in triggers if table == name),
        )
        for name, inside in _TABLE.findall(text)
    }
    return Written(tables, functions)


def typed(text: str) -> str:
    """Types by the names that the server gives them, in one manner of spacing, without quotes."""
    full = re.sub(r"\b\w+\b", lambda word: _FULL_NAMES.get(word[0], word[0]), text.replace('"', ""))
    return re.sub(r"\s*([(,)])\s*", r"\1", " ".join(full.split()))


def alike(text: str) -> str:
    """An expression or a definition without what the server writes in another way: casts, brackets, spaces, order of words.

    Whoever adds, takes away or changes a word of it changes this.
    """
    words = re.sub(r"::\w+|[();]", " ", text).replace(",", " ").split()
    return " ".join(sorted(word for word in words if word != "AS"))


def _function(arguments: str, result: str, language: str, attributes: str, tag: str, body: str) -> WrittenFunction:
    del tag
    said = _COMMENT.sub("", attributes)
    words = said.split()
    volatility = next((letter for word, letter in _VOLATILITY.items() if word in words), "v")
    settings = tuple(f"{name}={value}" for name, value in _SETTING.findall(said))
    return WrittenFunction(typed(arguments), typed(result), language, volatility, "DEFINER" in words, settings, body)


def _policies(text: str, functions: dict[str, WrittenFunction]) -> Iterator[tuple[str, Policy]]:
    """Those of each table: written out, or made by the function that makes the same ones for many tables."""
    for name, table, role, shows in _POLICY.findall(text):
        yield table, Policy(name, role or None, alike(shows))
    each = _POLICY_OF_EACH.findall(functions[f"{PRIVATE}.show_granted_books_only"].body)
    for table in (table for call in _SHOWN.findall(text) for table in _NAMED.findall(call)):
        for name, role, shows in each:
            yield table, Policy(name, role or None, alike(shows))
