"""The code tables of a complaint and where each fact uses them. Nothing here knows a complaint's state.

The tables stand in `codes.toml`, with labels in Chinese and English.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from ledger.complaint.events import (
    ComplaintClassified,
    ComplaintEvent,
    ComplaintReceived,
    EvidenceProvided,
    FindingMade,
    SolutionProposed,
)
from ledger.complaint.moving import ComplaintRuledOut, ComplaintTransferred, DeadlineExtended


class Coded(NamedTuple):
    """One code: its labels and what else its table says of it (`jrt`, `number`, `category`)."""

    code: str
    zh: str
    en: str
    more: Mapping[str, str]


class UsedCode(NamedTuple):
    """A code that a fact states, and the table in which it must stand."""

    field: str
    table: str
    code: str


TERMS_OF_SCHEME: Mapping[str, Mapping[str, str]] = {
    "house": {"category": "category", "product": "product", "issue": "issue", "cause": "cause"},
    "jrt-0169-2018": {"category": "jrt-reason", "product": "jrt-business"},
}
"""For each scheme of classification with tables of ours: field to table. Other terms are free."""


@cache
def code_tables() -> Mapping[str, Mapping[str, Coded]]:
    """Every table by its name, each in the order of the file. Reads the file once."""
    given = tomllib.loads(Path(__file__).with_name("codes.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: MappingProxyType(_table(rows)) for name, rows in given.items()})


def _table(rows: dict[str, dict[str, str]]) -> dict[str, Coded]:
    return {
        code: Coded(code, row["zh"], row["en"], {key: row[key] for key in row if key not in ("zh", "en")})
        for code, row in rows.items()
    }


def label(table: str, code: str, language: Literal["zh", "en"]) -> str:
    """What a person reads for a code; the code itself where no table has it (another body's term)."""
    coded = code_tables().get(table, {}).get(code)
    if coded is None:
        return code
    return coded.zh if language == "zh" else coded.en


def unknown_codes(fact: ComplaintEvent) -> list[UsedCode]:
    """The codes of a fact that its tables do not have, in the order of its fields."""
    return [used for used in _used_codes(fact) if used.code not in code_tables()[used.table]]


def _used_codes(fact: ComplaintEvent) -> list[UsedCode]:
    tables: dict[str, str] = {}
    if "channel" in type(fact).model_fields:
        tables["channel"] = "channel"
    if isinstance(fact, ComplaintReceived):
        tables["product"] = "product"
    if isinstance(fact, ComplaintClassified):
        tables["scheme"] = "scheme"
        tables.update(TERMS_OF_SCHEME.get(fact.scheme, {}))
    if isinstance(fact, EvidenceProvided):
        tables["kind"] = "evidence-kind"
    if isinstance(fact, FindingMade):
        tables["cause"] = "cause"
    if isinstance(fact, SolutionProposed):
        tables["compensation_kind"] = "compensation-kind"
    if isinstance(fact, ComplaintTransferred):
        tables["body"] = "body"
    if isinstance(fact, DeadlineExtended):
        tables["approver_rank"] = "approver-rank"
    if isinstance(fact, ComplaintRuledOut):
        tables["nature"] = "nature"
    stated = ((field, table, getattr(fact, field)) for field, table in tables.items())
    return [UsedCode(field, table, code) for field, table, code in stated if code is not None]
