"""The indicators that there are: each a definition and a query in one file of `measures/`. Asks nothing of a database.

A query gives rows of (begins_at, complaint_id, value): what is counted in which period. How rows become a figure, `kind`
says; what it may select from, `asking.sql` says.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.refusal import Refusal

Kind = Literal["count", "share", "mean", "sum", "spread"]
"""count: rows. share: the mean of values 0 and 1. spread: the median, and the 90th and 95th percentile."""

Unit = Literal["complaints", "percent", "points", "days", "hours", "minor", "events", "contacts"]


class Written(BaseModel):
    """What a file states, each key known and none twice."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


class Target(Written):
    """What the house wants of a figure, and where it says so.

    The limits of a rise or fall are shares of the figure of a year before.
    """

    at_least: float | None = None
    at_most: float | None = None
    rises_a_year: float | None = None
    falls_a_year: float | None = None
    source: str

    @model_validator(mode="after")
    def _one(self) -> Self:
        limits = (self.at_least, self.at_most, self.rises_a_year, self.falls_a_year)
        if sum(limit is not None for limit in limits) != 1:
            raise ValueError("a target is one limit: at_least, at_most, rises_a_year or falls_a_year")
        return self

    def met(self, value: float | None, a_year_before: float | None) -> bool | None:
        """Whether a figure meets it; None where there is no figure to judge, or none to compare with."""
        if value is None:
            return None
        if self.at_least is not None:
            return value >= self.at_least
        if self.at_most is not None:
            return value <= self.at_most
        if not a_year_before:
            return None
        if self.rises_a_year is not None:
            return value >= a_year_before * (1 + self.rises_a_year)
        return value <= a_year_before * (1 - (self.falls_a_year or 0))

    def __str__(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return (
            f"+{self.rises_a_year:.0%} a year" if self.rises_a_year is not None else f"-{self.falls_a_year:.0%} a year"
        )


class Definition(Written):
    """One indicator. `says` is printed by `indicators explain`; `period` says which moment puts a row into a period."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    zh: str
    en: str
    says: str
    period: str
    kind: Kind
    unit: Unit
    about: Literal["complaint", "contact"] = "complaint"
    """What its rows name."""
    target: Target | None = None
    query: str

    @property
    def title(self) -> str:
        return f"{self.en} {self.zh}"


class NotComputable(Written):
    """A target for which no fact is recorded, and what would have to be."""

    zh: str
    en: str
    target: str
    needs: str


@dataclass(eq=False)
class NoSuchIndicator(Refusal):
    """There is no indicator of this name."""

    name: str
    known: tuple[str, ...]

    says: ClassVar[str] = "There is no indicator {name}."
    remedy: ClassVar[str] = "Name one of those in `known`; `complaint-ledger indicators explain` lists them."


@cache
def definitions() -> Mapping[str, Definition]:
    """Every indicator by name, in the order of their files. Reads the files once."""
    folder = sorted(files("projections.indicators").joinpath("measures").iterdir(), key=lambda file: file.name)
    read = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
        for file in folder
        if file.name.endswith(".toml")
    }
    return MappingProxyType({name: Definition(name=name, **content) for name, content in read.items()})


def definition(name: str) -> Definition:
    """The indicator of a name; raises NoSuchIndicator."""
    try:
        return definitions()[name]
    except KeyError:
        raise NoSuchIndicator(name, tuple(definitions())) from None


@cache
def not_computable() -> tuple[NotComputable, ...]:
    """The house's targets that no recorded fact answers."""
    file = files("projections.indicators").joinpath("not_computable.toml")
    return tuple(NotComputable(**each) for each in tomllib.loads(file.read_text(encoding="utf-8"))["target"])
