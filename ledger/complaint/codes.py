"""Where each fact of a complaint states a code, and which of them no table has. Nothing here knows a complaint's state.

The tables themselves are the institution's (`ledger.tables`), with labels in Chinese and English.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from ledger.complaint.events import ComplaintClassified, ComplaintEvent
from ledger.complaint.fact import InTable
from ledger.tables.state import Tables
from ledger.tables.table import built_in_tables as code_tables
from ledger.tables.table import label

__all__ = ["code_tables", "label"]  # what is asked for here and made there


class UsedCode(NamedTuple):
    """A code that a fact states, and the table in which it must stand."""

    field: str
    table: str
    code: str


TERMS_OF_SCHEME: Mapping[str, Mapping[str, str]] = {
    "house": {"category": "category", "product": "product", "issue": "issue", "cause": "cause"},
    "jrt-0169-2018": {"category": "jrt-reason", "product": "jrt-business"},
}
"""For each built-in scheme of classification: field to table. A scheme of an institution's own has `<scheme>-<field>`."""


def unknown_codes(fact: ComplaintEvent, tables: Tables) -> list[UsedCode]:
    """The codes of a fact that its tables do not have, or have no more, in the order of its fields."""
    return [used for used in used_codes(fact, tables) if used.code not in tables.current.get(used.table, ())]


def used_codes(fact: ComplaintEvent, tables: Tables) -> list[UsedCode]:
    """The codes that a fact states; another body's own terms are none."""
    named = dict(coded_fields(type(fact)))
    if isinstance(fact, ComplaintClassified):
        named |= terms_of(fact.scheme, tables)
    used: list[UsedCode] = []
    for field, table in named.items():
        stated = getattr(fact, field)
        codes = stated if isinstance(stated, tuple) else (stated,)
        used += [UsedCode(field, table, code) for code in codes if code is not None]
    return used


def terms_of(scheme: str, tables: Tables) -> Mapping[str, str]:
    """In which tables the terms of a scheme stand, by field; a field that is not among them is free."""
    own = {field: f"{scheme}-{field}" for field in ("category", "product", "issue", "cause")}
    return TERMS_OF_SCHEME.get(scheme) or {field: table for field, table in own.items() if table in tables.codes}


@cache
def coded_fields(event: type[ComplaintEvent]) -> tuple[tuple[str, str], ...]:
    """The fields of an event class that state a code, with their table."""
    return tuple(
        (name, mark.table)
        for name, field in event.model_fields.items()
        for mark in (*field.metadata, *_marks(field.annotation))
        if isinstance(mark, InTable)
    )


def _marks(annotation: Any) -> list[Any]:
    """What stands in the `Annotated` parts within an annotation, such as the one of `Channel | None`."""
    inner = [mark for part in get_args(annotation) for mark in _marks(part)]
    return [*getattr(annotation, "__metadata__", ()), *inner]
