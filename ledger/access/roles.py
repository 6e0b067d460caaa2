"""Reads the one table of roles, and answers who may do what. Pure: it knows no route and no token."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

FILE = "ledger/access/roles.toml"
PARTS = ("commands", "ranks", "questions")


class Scope(StrEnum):
    """What a caller of a role reaches within a book."""

    BOOK = "book"
    DEPARTMENTS = "departments"
    RECEIVERS = "receivers"


@dataclass(frozen=True, slots=True)
class RoleOfPerson:
    """A role that a person or a service account has; not one of the database's roles."""

    name: str
    zh: str
    en: str
    scope: Scope


class RolesUnreadable(Exception):
    """`roles.toml` names a role, group or scope that it does not have; the message says where."""


@dataclass(frozen=True)
class Roles:
    """The table: every role, and for each command and question the roles that may.

    `ranks` has for each rank of an approver the roles that carry it.
    """

    roles: Mapping[str, RoleOfPerson]
    commands: Mapping[str, frozenset[str]]
    ranks: Mapping[str, frozenset[str]]
    questions: Mapping[str, frozenset[str]]

    def of_action(self, action: str) -> frozenset[str] | None:
        """The roles that may do an action, a command's or a question's name; None where it has no line."""
        return self.commands.get(action, self.questions.get(action))


@cache
def roles() -> Roles:
    """The table as it is installed with the program; raises RolesUnreadable."""
    return read(files(__package__).joinpath("roles.toml").read_text(encoding="utf-8"))


def read(text: str) -> Roles:
    """The table that a TOML text states; raises RolesUnreadable."""
    stated = tomllib.loads(text)
    named = {name: RoleOfPerson(name, **{**row, "scope": Scope(row["scope"])}) for name, row in stated["roles"].items()}
    groups = stated["groups"]
    lines = {
        part: {
            action: frozenset(_members(action, listed, named, groups))
            for action, listed in stated.get(part, {}).items()
        }
        for part in PARTS
    }
    twice = lines["commands"].keys() & lines["questions"].keys()
    if twice:
        raise RolesUnreadable(f"{FILE}: {', '.join(sorted(twice))} stands under [commands] and under [questions]")
    return Roles(MappingProxyType(named), *(MappingProxyType(lines[part]) for part in PARTS))


def _members(
    line: str, listed: list[str], named: Mapping[str, RoleOfPerson], groups: Mapping[str, list[str]], depth: int = 0
) -> Iterator[str]:
    for each in listed:
        if each in named:
            yield each
        elif each in groups and depth < len(groups):
            yield from _members(line, groups[each], named, groups, depth + 1)
        else:
            raise RolesUnreadable(f"{FILE}: {line} names {each}, which is no role and no group (or a group of itself)")


def as_markdown(table: Roles | None = None) -> Iterator[str]:
    """The page of the documentation, line by line."""
    table = table or roles()
    yield "# Who may give which command and ask which question"
    yield ""
    yield f"Made from `{FILE}` with `python -m ledger.access.roles > docs/roles.md`. The service refuses what a line leaves"
    yield "out, and does not start with a route that has no line. A person's roles come from the token."
    yield ""
    yield "| role | 角色 | reaches |"
    yield "| --- | --- | --- |"
    reaches = {
        Scope.BOOK: "the book",
        Scope.DEPARTMENTS: "own departments, and what no department has yet",
        Scope.RECEIVERS: "figures, and what was sent to the receivers that its token names",
    }
    for role in table.roles.values():
        yield f"| `{role.name}` {role.en} | {role.zh} | {reaches[role.scope]} |"
    parts = (
        ("command", table.commands),
        ("approval by the rank", table.ranks),
        ("question", table.questions),
    )
    for title, lines in parts:
        yield ""
        yield f"| {title} | roles that may |"
        yield "| --- | --- |"
        for action, may in lines.items():
            named = [f"`{name}`" for name in table.roles if name in may]
            yield f"| `{action}` | {'all' if len(named) == len(table.roles) else ', '.join(named)} |"


if __name__ == "__main__":
    print("\n".join(as_markdown()))
