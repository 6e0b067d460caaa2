"""The facts of one return: what was sent to a receiver for a period, and what became of it. Nothing here computes a figure.

What was sent is frozen: its numbers, definitions, code versions and the position they were computed at stand in the
document, and the digest of that in the fact. Later facts never change it; a restatement is a further fact.
"""

from datetime import date
from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Label, Sha256Hex, StaffId

DOCUMENT_CHARACTERS_MAX = 300_000
"""What an event holds of a document, at the most 900,000 bytes; of a longer one it holds the digest."""


class ReturnEvent(Event):
    """A fact about the return of one name to one receiver for one period."""


class ReturnSent(ReturnEvent):
    """A return went to its receiver 报送. `digest` is the SHA-256 of the document as it was sent.

    `position` and `root` are of the tree that it was computed at, and `judged_at` is the instant that running deadlines
    were judged at: the same program gives the same document again.
    """

    submission_id: UUID
    name: Code
    receiver: Code
    begins_on: date
    ends_on: date
    position: Annotated[int, Field(ge=0)]
    root: Sha256Hex
    judged_at: AwareDatetime
    digest: Sha256Hex
    document: Annotated[str, Field(max_length=DOCUMENT_CHARACTERS_MAX)] | None = None
    sent_by: StaffId
    sent_at: AwareDatetime


class ReturnRestated(ReturnSent):
    """A corrected return went to the same receiver for the same period 更正报送; it names the one that it corrects."""

    restates: UUID
    reason: Label


class ReturnDueSet(ReturnEvent):
    """By which day a return has to be with its receiver 报送期限, as the receiver's text or letter says; a later one counts."""

    name: Code
    receiver: Code
    begins_on: date
    ends_on: date
    due_on: date
    source: Label
    set_by: StaffId
    set_at: AwareDatetime


class ReturnAcknowledged(ReturnEvent):
    """The receiver confirmed that a submission arrived."""

    submission_id: UUID
    receiver_reference: Label | None = None
    noted_by: StaffId
    acknowledged_at: AwareDatetime


class ReturnQuestioned(ReturnEvent):
    """The receiver asked about a submission."""

    submission_id: UUID
    question_id: UUID
    question: Label
    noted_by: StaffId
    questioned_at: AwareDatetime


class QuestionAnswered(ReturnEvent):
    """The institution answered what the receiver had asked."""

    question_id: UUID
    answer: Label
    answered_by: StaffId
    answered_at: AwareDatetime


RETURN_NAMES: dict[str, type[ReturnEvent]] = {
    "return-sent": ReturnSent,
    "return-restated": ReturnRestated,
    "return-acknowledged": ReturnAcknowledged,
    "return-questioned": ReturnQuestioned,
    "return-question-answered": QuestionAnswered,
    "return-due-set": ReturnDueSet,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyReturnEvent: TypeAlias = (
    ReturnSent | ReturnRestated | ReturnAcknowledged | ReturnQuestioned | QuestionAnswered | ReturnDueSet
)


def known_return_event(event: ReturnEvent) -> AnyReturnEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in RETURN_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyReturnEvent", event)
