"""What a caller may ask for about a return. Nothing here decides."""

from typing import Annotated, TypeAlias, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints

from ledger.command import Command, Day, Instant, Name, NewId, StaffId, Term
from ledger.event import Code, Sha256Hex
from ledger.returns.events import DOCUMENT_CHARACTERS_MAX

Document = Annotated[str, StringConstraints(min_length=2, max_length=DOCUMENT_CHARACTERS_MAX)]


class ReturnCommand(Command):
    """A request about the return of one name to one receiver for one period."""

    name: Code
    receiver: Code
    begins_on: Day
    ends_on: Day

    @property
    def return_id(self) -> UUID:
        """One for each name, receiver and period, so that nobody sends a return twice without saying so."""
        return uuid5(NAMESPACE_URL, f"return/{self.name}/{self.receiver}/{self.begins_on}/{self.ends_on}")


class SendReturn(ReturnCommand):
    """Record that a return was sent. `document` is its text as sent; of a long one its digest is enough."""

    submission_id: NewId
    position: Annotated[int, Field(ge=0, lt=2**62)]
    root: Sha256Hex
    judged_at: Instant
    digest: Sha256Hex
    document: Document | None = None
    sent_by: StaffId
    sent_at: Instant


class RestateReturn(SendReturn):
    """Record that a corrected return was sent, naming the submission that it corrects."""

    restates: UUID
    reason: Term


class AcknowledgeReturn(ReturnCommand):
    """Record that the receiver confirmed a submission."""

    submission_id: UUID
    receiver_reference: Name | None = None
    noted_by: StaffId
    acknowledged_at: Instant


class QuestionReturn(ReturnCommand):
    """Record what the receiver asked about a submission."""

    submission_id: UUID
    question_id: NewId
    question: Term
    noted_by: StaffId
    questioned_at: Instant


class AnswerQuestion(ReturnCommand):
    """Record what was answered to a question of the receiver."""

    question_id: UUID
    answer: Term
    answered_by: StaffId
    answered_at: Instant


class SetReturnDue(ReturnCommand):
    """Record by which day a return has to be with its receiver, and where that is said."""

    due_on: Day
    source: Term
    set_by: StaffId
    set_at: Instant


AnyReturnCommand: TypeAlias = (
    SendReturn | RestateReturn | AcknowledgeReturn | QuestionReturn | AnswerQuestion | SetReturnDue
)


def known_return_command(command: ReturnCommand) -> AnyReturnCommand:
    """The same command, as the union that the type checker can exhaust."""
    return cast("AnyReturnCommand", command)
