"""The returns that there are: each one file of `forms/` with its rows, columns, counting rule and query. Asks no database."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ledger.refusal import Refusal
from ledger.tables.table import Table
from projections.indicators.definitions import Written
from projections.indicators.periods import PeriodName

ColumnKind = Literal["count", "sum", "share", "median", "text"]


class RowKey(Written):
    """What rows are told apart by; `table` names the code tables with its labels, the first that has a code.

    `own` are codes of the form itself, in their order, each with its label.
    """

    name: str
    zh: str
    en: str
    table: str = ""
    own: Annotated[dict[str, str], Field(default_factory=dict)]

    def label(self, code: str, codes: Mapping[str, Table]) -> str | None:
        """A code as both languages say it, by the tables of the book; None where none has it."""
        coded = next((table[code] for table in self._tables(codes) if code in table), None)
        return self.own.get(code) if coded is None else f"{coded.zh} {coded.en}"

    def place(self, code: str | None, codes: Mapping[str, Table]) -> tuple[bool, int, str]:
        """Where a code stands among the rows: in the order of its tables, then by itself, last what is not known."""
        order = [*self.own, *(each for table in self._tables(codes) for each in table)]
        return code is None, order.index(code) if code in order else len(order), code or ""

    def _tables(self, codes: Mapping[str, Table]) -> list[Table]:
        return [codes[name] for name in self.table.split(",") if name in codes]


class Column(Written):
    """A column and how its figure is made of the rows behind it."""

    name: str
    zh: str
    en: str
    kind: ColumnKind


class Form(Written):
    """A return. `counting` is its counting rule; a `list` has a row for each complaint, a `table` counts them."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    version: int
    zh: str
    en: str
    says: str
    counting: str
    every: PeriodName
    due_days: int
    due_source: str
    receiver: str
    kind: Literal["table", "list"]
    calendar: str | None = None
    has_totals: bool = True
    """Whether the rows part the complaints, so that their sum means something."""
    rows: tuple[RowKey, ...]
    columns: tuple[Column, ...]
    query: str

    @property
    def title(self) -> str:
        return f"{self.en} {self.zh}"


@dataclass(eq=False)
class NoSuchReturn(Refusal):
    """There is no return of this name."""

    name: str
    known: tuple[str, ...]

    says: ClassVar[str] = "There is no return {name}."
    remedy: ClassVar[str] = "Name one of those in `known`."


@cache
def forms() -> Mapping[str, Form]:
    """Every return by name. Reads the files once."""
    folder = sorted(files("projections.returns").joinpath("forms").iterdir(), key=lambda file: file.name)
    read = {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in folder}
    return MappingProxyType({name: Form(name=name, **content) for name, content in read.items()})


def form_named(name: str) -> Form:
    """The return of a name; raises NoSuchReturn."""
    try:
        return forms()[name]
    except KeyError:
        raise NoSuchReturn(name, tuple(forms())) from None
