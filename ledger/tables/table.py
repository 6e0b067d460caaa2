"""Code tables: codes with labels in Chinese and English, and the tables that the program has built in.

Nothing here knows a complaint, and nothing is decided.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ledger.event import Code

LabelText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""What a person reads for a code: on one line."""


class Coded(BaseModel):
    """One code: its labels, and what else its table says of it by slug (`jrt`, `number`, `category`).

    A retired code may be read for ever and stated no more.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    code: Code
    zh: LabelText
    en: LabelText
    retired: bool = False
    more: Annotated[dict[Code, Annotated[str, StringConstraints(max_length=200)]], Field(max_length=20)] = {}


Table: TypeAlias = Mapping[str, Coded]
"""A table by its codes, in its own order."""

MAPPED: Mapping[str, tuple[str, str]] = {
    "channel": ("jrt", "jrt-channel"),
    "product": ("jrt", "jrt-business"),
    "category": ("jrt", "jrt-reason"),
    "issue": ("jrt", "jrt-reason"),
    "cause": ("category", "category"),
    "branch": ("region", "region"),
}
"""What a row may say of itself that is a code of another table: the place of a house's code in JR/T 0169-2018, or the
region of a branch. The table `branch` is the institution's: the program brings none along.
"""


def mapping_of(name: str) -> tuple[str, str] | None:
    """What MAPPED says of a table; one of an institution's own scheme (`<scheme>-product`) may say what the house's may."""
    return MAPPED.get(name) or next(
        (MAPPED[f] for f in ("product", "category", "issue") if name.endswith(f"-{f}")), None
    )


FIXED = frozenset(
    {
        *("grade", "outcome", "customer-tier", "match-kind", "sharing-ground", "interaction-kind", "warning-level"),
        *("risk-level", "effect", "audience"),
    }
)
"""Tables whose codes the rules themselves know: an institution may word them anew, and not add or retire one."""


@cache
def built_in_tables() -> Mapping[str, Table]:
    """Every built-in table by its name, each in the order of the file. Reads the file once."""
    given = tomllib.loads(Path(__file__).with_name("built_in.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: MappingProxyType(_table(rows)) for name, rows in given.items()})


def _table(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Coded]:
    return {
        code: Coded(
            code=code,
            zh=row["zh"],
            en=row["en"],
            retired=row.get("retired", False),
            more={key: row[key] for key in row if key not in {"zh", "en", "retired"}},
        )
        for code, row in rows.items()
    }


def label(table: str, code: str, language: Literal["zh", "en"], tables: Mapping[str, Table] | None = None) -> str:
    """What a person reads for a code; the code itself where no table has it (another body's term)."""
    coded = (built_in_tables() if tables is None else tables).get(table, {}).get(code)
    if coded is None:
        return code
    return coded.zh if language == "zh" else coded.en
