"""The answers about returns and the regulator's door, as OpenAPI describes them; nothing is asked or decided here."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.answers import Answer, OfTheBook, Position
from projections.indicators.periods import PeriodName
from projections.returns.calendar import State


class SubmissionLine(Answer):
    """A return as it was sent, and what became of it. What tells where in the book it stands is null for a receiver."""

    submission_id: UUID
    return_id: Annotated[UUID | None, OfTheBook()]
    name: str
    receiver: str
    begins_on: date
    ends_on: date
    known_at: Position = Field(description="The position that its figures were computed at.")
    digest: str = Field(description="SHA-256 of the document, in hex.")
    restates: UUID | None
    restated_by: UUID | None
    sent_at: datetime
    acknowledged_at: datetime | None
    questions_open: int
    position: Position = Field(description="Where the fact of its sending stands.")


class ReturnsSent(Answer):
    """A page of submissions, the latest first; `next_cursor` asks for the earlier ones."""

    position: Position
    submissions: list[SubmissionLine]
    next_cursor: str | None


class QuestionLine(Answer):
    """What the receiver asked, and what was answered."""

    question_id: UUID
    submission_id: UUID
    question: str
    questioned_at: datetime
    answer: str | None
    answered_at: datetime | None
    position: Position


class ReturnNow(Answer):
    """One return: its submissions, the latest first, and what was asked about them."""

    submissions: list[SubmissionLine]
    questions: list[QuestionLine]


class ColumnLine(Answer):
    """A column of a return."""

    name: str
    zh: str
    en: str


class FormLine(Answer):
    """A return that can be made: what it says, how it counts, how often it is due."""

    name: str
    version: int
    zh: str
    en: str
    says: str
    counting: str
    every: PeriodName
    receiver: str
    columns: list[ColumnLine]
    query: str


class ReturnForms(Answer):
    """The returns that there are."""

    forms: list[FormLine]


class DueLine(Answer):
    """A return that is due."""

    due_on: date
    name: str
    receiver: str
    begins_on: date
    ends_on: date
    state: State
    source: str
    position: int | None = Field(description="Of the fact that set the day; null: the form's own rule.")


class ReturnsDue(Answer):
    """The submission calendar, the earliest day first."""

    returns: list[DueLine]


class NamedCase(Answer):
    """A complaint behind a cell under the name that it has for this receiver alone, as in the door."""

    complaint: str
    value: float | None
    events: list[str] = Field(description="The names of its events; a time of recording would lead to their entries.")


class ReturnCell(Answer):
    """The complaints behind a cell of a submission, some at a time; no stream and no position can be told from them."""

    submission_id: UUID
    column: str
    keys: list[str | None] | None
    complaints: int = Field(description="How many there are in all.")
    cases: list[NamedCase]
    next_cursor: str | None


class DoorRow(Answer):
    """What was known of a complaint from one bringing up of the door to another."""

    reference: str
    from_position: int
    to_position: int | None
    customer: str | None
    received_at: datetime | None
    channel: str | None
    business: str | None
    reason: str | None
    product: str | None
    category: str | None
    issue: str | None
    cause: str | None
    grade: str | None
    region: str | None
    transferred_by: str | None
    first_replied_at: datetime | None
    resolved_at: datetime | None
    replied_at: datetime | None
    outcome: str | None
    reopenings: int
    disputed: bool
    ended_at: datetime | None
    ended_how: str | None


class DoorRows(Answer):
    """A page of the rows of a receiver's door as it stood at `position`."""

    book: str
    receiver: str
    position: int
    root: str | None = Field(description="Of the book at that position; null for an earlier one than the door's own.")
    rows: list[DoorRow]
    next_cursor: str | None


class DoorSealed(Answer):
    """The newest seal of a door: what its rows at `position` are checked with."""

    book: str
    receiver: str
    position: int
    rows: int
    rows_digest: str
    state: str = Field(description="The content of the event that sealed them.")
    entry: str = Field(description="Its entry in the tree.")
    proof: str = Field(
        description="Its proof of inclusion, with the signed checkpoint that it leads to (C2SP tlog-proof)."
    )


RETURN_ANSWERS: tuple[type[Answer], ...] = (
    ReturnsSent,
    ReturnNow,
    ReturnForms,
    ReturnsDue,
    ReturnCell,
    DoorRows,
    DoorSealed,
)
