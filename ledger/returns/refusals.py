"""What the rules of returns do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class ReturnAlreadySent(Refusal):
    name: str
    submission_id: UUID

    says: ClassVar[str] = "The return {name} was sent to this receiver for this period, as submission {submission_id}."
    remedy: ClassVar[str] = "What was sent stays. Restate it, with the reason, if it was wrong."


@dataclass(eq=False)
class SubmissionUnknown(Refusal):
    submission_id: UUID

    says: ClassVar[str] = "No submission {submission_id} of this return was sent to this receiver for this period."
    remedy: ClassVar[str] = "Name one that was sent: `complaint-ledger returns list`."


@dataclass(eq=False)
class SubmissionAlreadyAcknowledged(Refusal):
    submission_id: UUID
    acknowledged_at: datetime

    says: ClassVar[str] = "The receiver confirmed the submission {submission_id} already, at {acknowledged_at}."
    remedy: ClassVar[str] = "Nothing is left to confirm. What else the receiver says is recorded as a question."


@dataclass(eq=False)
class SubmissionSuperseded(Refusal):
    submission_id: UUID
    latest: UUID

    says: ClassVar[str] = "The submission {submission_id} was restated already; the latest is {latest}."
    remedy: ClassVar[str] = "Restate the latest one."


@dataclass(eq=False)
class NothingRestated(Refusal):
    digest: str

    says: ClassVar[str] = "The restatement has the same digest {digest} as what it corrects."
    remedy: ClassVar[str] = "There is nothing to correct; prepare the return anew if facts have changed."


@dataclass(eq=False)
class DigestDiffers(Refusal):
    given: str
    computed: str

    says: ClassVar[str] = "The document has the digest {computed}, and {given} is stated."
    remedy: ClassVar[str] = "Send the document as it was prepared, byte by byte."


@dataclass(eq=False)
class QuestionUnknown(Refusal):
    question_id: UUID

    says: ClassVar[str] = "The receiver asked no question {question_id} about this return."
    remedy: ClassVar[str] = "Name a question that was recorded."


@dataclass(eq=False)
class DueTooEarly(Refusal):
    ends_on: date

    says: ClassVar[str] = "The return would be due before its period ends, on {ends_on}."
    remedy: ClassVar[str] = "Name a day on or after that one."


@dataclass(eq=False)
class PeriodUnfinished(Refusal):
    ends_on: date

    says: ClassVar[str] = "The period ends on {ends_on}, and the return is judged or sent before that day is over."
    remedy: ClassVar[str] = "Prepare the return once its period is over, and send that."


@dataclass(eq=False)
class SentBeforeJudged(Refusal):
    sent_at: datetime
    judged_at: datetime

    says: ClassVar[str] = "The return is said to have been sent at {sent_at}, and was computed only at {judged_at}."
    remedy: ClassVar[str] = "State when this very document went out."


@dataclass(eq=False)
class PeriodReversed(Refusal):
    says: ClassVar[str] = "The period ends before it begins."
    remedy: ClassVar[str] = "Exchange the two days."
