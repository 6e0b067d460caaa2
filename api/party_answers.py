"""The answers to questions about customers, interactions, improvement and leaks, as OpenAPI describes them.

A personal value stands in an answer as its digest, as in the record. Nothing is asked or decided here.
"""

import dataclasses
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.answers import Answer, Position
from ledger.standing import Standing


class TimelineLine(Answer):
    """One event of one subject."""

    subject: str
    subject_id: UUID
    version: int
    position: int
    name: str
    at: datetime = Field(description="When it happened; when it was recorded, where its source does not say.")
    happened_at: datetime | None
    recorded_at: datetime
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any] = Field(description="The event's fields; personal values as digests.")
    annulled_by_version: int | None
    corrected_by_version: int | None


class Timeline(Answer):
    """A page of all that concerns a customer, complaints included, as known at `position`."""

    book: str
    customer_id: UUID
    position: int
    same_person: list[UUID] = Field(description="Other records that were merged with this one, told here too.")
    lines: list[TimelineLine]
    next_cursor: str | None


class SubjectHistory(Answer):
    """A page of a subject's history as known at `position`."""

    book: str
    subject: str
    subject_id: UUID
    position: int
    lines: list[TimelineLine]
    next_cursor: str | None


class Links(Answer):
    """A page of the facts of other subjects that name a complaint: what it grew from, and what came of it."""

    book: str
    complaint_id: UUID
    position: int
    lines: list[TimelineLine]
    next_cursor: str | None


class SurveyScores(Answer):
    """What a survey's answers come to: each mean in thousandths of a point of 5; null where nobody rated it."""

    book: str
    survey_id: UUID
    position: Position
    answers: int
    overall_thousandths: int | None
    attitude_thousandths: int | None
    efficiency_thousandths: int | None
    ability_thousandths: int | None
    openness_thousandths: int | None


class Duplicate(Answer):
    """Another customer with something the same."""

    subject_id: UUID = Field(description="The other customer's id, or that of a complaint's customer not registered.")
    kinds: list[str] = Field(description="What they share: codes of the table `match-kind`.")


class Duplicates(Answer):
    """The customers who may be the same person, those who share most first; those ruled out are not among them."""

    customer_id: UUID
    duplicates: list[Duplicate]


class Duty(Answer):
    """One thing that somebody has to do."""

    kind: str
    subject_id: UUID
    item_id: UUID = Field(description="The subject itself, or the warning of an indicator.")
    title: str | None
    waits_for: str
    who: str | None
    department: str | None
    level: str | None
    urgent: bool
    since_at: datetime
    due_on: date | None
    position: int = Field(description="The event that last changed its subject.")


class Duties(Answer):
    """A page of what is to be done besides complaints, the soonest due first."""

    book: str
    position: int
    duties: list[Duty]
    next_cursor: str | None


class SubjectNow(Answer):
    """A subject as it stands, after annulments: what its rules know of it."""

    subject: str
    subject_id: UUID
    version: int
    stands: dict[str, Any]

    @classmethod
    def of(cls, subject: str, subject_id: UUID, state: Standing) -> "SubjectNow":
        """The state that the rules hold; what was recorded is asked for as the history."""
        return cls(subject=subject, subject_id=subject_id, version=state.version, stands=_stands(state))


PARTY_ANSWERS: tuple[type[Answer], ...] = (
    Timeline,
    SubjectHistory,
    Links,
    SurveyScores,
    Duplicates,
    Duties,
    SubjectNow,
)


def _stands(value: Any) -> Any:
    """A state as JSON has it: records and mappings as objects, sets as sorted lists, ids as text."""
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if field.name != "recorded"]
        return {name: _stands(getattr(value, name)) for name in fields}
    if isinstance(value, dict):
        return {str(key): _stands(each) for key, each in value.items()}
    if isinstance(value, frozenset | tuple):
        return sorted(map(str, value))
    return value
