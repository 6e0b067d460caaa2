"""The answers about figures, as OpenAPI describes them; nothing is asked or decided here."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from api.answers import Answer, OfTheBook, Position
from projections.indicators.asking import Part
from projections.indicators.definitions import Kind, Target, Unit


class TargetOfTheHouse(Answer):
    """What the house wants of a figure; one of the limits is given."""

    at_least: float | None
    at_most: float | None
    rises_a_year: float | None
    falls_a_year: float | None
    source: str


class Indicator(Answer):
    """What an indicator is: its definition, and the query that computes it."""

    name: str
    zh: str
    en: str
    says: str
    period: str = Field(description="Which moment puts a complaint into a period.")
    kind: Kind
    unit: Unit
    target: TargetOfTheHouse | None
    query: str


class TargetWithoutFacts(Answer):
    """A target for which no fact is recorded."""

    zh: str
    en: str
    target: str
    needs: str


class Indicators(Answer):
    """Every indicator, and the targets that cannot be computed."""

    indicators: list[Indicator]
    not_computable: list[TargetWithoutFacts]


class Days(Answer):
    """Local days, both in it."""

    begins_on: date
    ends_on: date


def _target(given: Any) -> str | None:
    return str(given) if isinstance(given, Target) else given


class FigureLine(Answer):
    """One number, beside that of the period before and of the year before."""

    period: Days
    part: str | None
    cases: int = Field(description="How many rows the number is made of.")
    value: float | None = Field(description="The count, share, mean, sum or median.")
    p90: float | None
    p95: float | None
    before: float | None
    year_before: float | None
    target: Annotated[str | None, BeforeValidator(_target)]
    met: bool | None
    cases_at: Annotated[str | None, OfTheBook()] = Field(
        description="Opens the number: its complaints and their events. Null for a receiver."
    )


class Figures(Answer):
    """The figures of an indicator, as known at `position`, judged at `now`."""

    book: str
    position: Position
    now: datetime
    indicator: str
    unit: Unit
    by: Part | None
    figures: list[FigureLine]


class EventOfCase(Answer):
    """An event of a complaint, by its place in the book."""

    version: int
    position: int
    name: str
    recorded_at: datetime


class CaseLine(Answer):
    """A complaint behind a number, with what it adds to it."""

    complaint_id: UUID
    reference: str | None
    value: float | None
    known_from: int = Field(description="The position that last changed what is read of the complaint.")
    events: list[EventOfCase]


class CasesPage(Answer):
    """A page of the complaints behind a number; `next_cursor` asks for the following ones."""

    position: int
    now: datetime
    cases: list[CaseLine]
    next_cursor: str | None


FIGURE_ANSWERS: tuple[type[Answer], ...] = (Indicators, Figures, CasesPage)
