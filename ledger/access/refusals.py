"""What the rules of access do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class AccessRequestUnknown(Refusal):
    says: ClassVar[str] = "There is no request for access {request_id}."
    remedy: ClassVar[str] = "Ask for access first, and use the id of that request."

    request_id: UUID


@dataclass(eq=False)
class AccessRequestAnswered(Refusal):
    says: ClassVar[str] = "The request for access {request_id} was answered already, or has ended."
    remedy: ClassVar[str] = "Make a new request."

    request_id: UUID


@dataclass(eq=False)
class ApproverIsRequester(Refusal):
    """Nobody approves his own request for access."""

    says: ClassVar[str] = "The request was made by {requested_by}, who cannot answer it too."
    remedy: ClassVar[str] = "Let somebody else decide."

    requested_by: str


@dataclass(eq=False)
class NotInAnothersName(Refusal):
    """Who approves or reviews is who asks, by the token; only a service account states it of others."""

    says: ClassVar[str] = "The field {field} names somebody else than the token."
    remedy: ClassVar[str] = "Let the person who is named there send it, with a token of their own."

    field: str


@dataclass(eq=False)
class NotTheRequester(Refusal):
    says: ClassVar[str] = "The request was made by {requested_by}; the report is theirs."
    remedy: ClassVar[str] = "Let them report what they did."

    requested_by: str


@dataclass(eq=False)
class AccessTooLong(Refusal):
    says: ClassVar[str] = "Access is asked for until {until}, which is past, or more than {days_max} days ahead."
    remedy: ClassVar[str] = "Ask for a shorter time; another request may follow."

    until: datetime
    days_max: int


@dataclass(eq=False)
class LookNotAllowed(Refusal):
    """Core and important values are shown to whom the complaint is assigned to, or under a granted request."""

    says: ClassVar[str] = "Values of the tiers {tiers} are not the caller's to see."
    remedy: ClassVar[str] = (
        "Have somebody else assign the complaint to you, or ask with POST /access-requests and name the granted request as `request_id`."
    )

    tiers: list[str]


@dataclass(eq=False)
class RequestNotOfThisLook(Refusal):
    """A look counts as the use of a grant, so nobody states one that the look does not need or is not theirs."""

    says: ClassVar[str] = "The request for access {request_id} does not cover this look."
    remedy: ClassVar[str] = (
        "Leave `request_id` out; or state one that was granted to you for this complaint and purpose, and reveal values of its tiers."
    )

    request_id: UUID


@dataclass(eq=False)
class NoSuchValue(Refusal):
    says: ClassVar[str] = "The complaint holds no personal value that stands as {paths}."
    remedy: ClassVar[str] = (
        "Look without `reveal` first: it tells which there are. What was superseded is asked for with its `position`."
    )

    paths: list[str]


@dataclass(eq=False)
class ProcessingRestricted(Refusal):
    """An erasure was asked for and cannot be carried out yet: until then the values are stored and secured, no more."""

    says: ClassVar[str] = (
        "Processing for the data subject {subject_id} is restricted to storage and security since {since}."
    )
    remedy: ClassVar[str] = (
        "Show them masked; for a legal claim, look under a request that was granted for the purpose legal-claim."
    )

    subject_id: UUID
    since: datetime


@dataclass(eq=False)
class NoSuchPerson(Refusal):
    """Only of whom the book keeps values can be asked to forget or to hold, within departments only of their own persons."""

    says: ClassVar[str] = "There is no person {subject_id} that the caller may know of."
    remedy: ClassVar[str] = "Take the `subject_id` from a look at the complaint, or from a look-up."

    subject_id: UUID


@dataclass(eq=False)
class NoPerson(Refusal):
    """What the institution wrote about itself (a finding, a leak, a risk) is nobody's to have erased."""

    says: ClassVar[str] = "{subject_id} is a {subject} of the institution and no person: its texts are kept."
    remedy: ClassVar[str] = "Name a customer, or a person held under an id of their own; a wrong text is annulled."

    subject_id: UUID
    subject: str


@dataclass(eq=False)
class ErasureNotRequested(Refusal):
    """Nobody is erased of whom it was not asked for on record, on a ground."""

    says: ClassVar[str] = "No request for the erasure of the data subject {subject_id} stands."
    remedy: ClassVar[str] = (
        "Record it with its ground (`request-erasure`), and let somebody else carry it out once nothing keeps the values."
    )

    subject_id: UUID


@dataclass(eq=False)
class ErasureOnAnotherGround(Refusal):
    """An erasure has one ground, that of its request: it is what the person, and later an auditor, is told."""

    says: ClassVar[str] = (
        "The erasure of the data subject {subject_id} was asked for on the ground {requested}, not {given}."
    )
    remedy: ClassVar[str] = (
        "State the ground of the request; or have compliance end the request (`end-erasure-request`), and ask on the other ground."
    )

    subject_id: UUID
    requested: str
    given: str


@dataclass(eq=False)
class ErasureNotApproved(Refusal):
    """What nobody decides at that moment, somebody else than the requester has approved before."""

    says: ClassVar[str] = "Nobody approved the erasure of the data subject {subject_id}."
    remedy: ClassVar[str] = "Let somebody else than the requester approve it (`approve-erasure`)."

    subject_id: UUID


@dataclass(eq=False)
class UnderLegalHold(Refusal):
    says: ClassVar[str] = "The data subject {subject_id} is under {holds} legal holds."
    remedy: ClassVar[str] = "Lift them first, if the reason is gone."

    subject_id: UUID
    holds: int


@dataclass(eq=False)
class StillRetained(Refusal):
    """The longest of the retention clocks has not run out, or a complaint is still open."""

    says: ClassVar[str] = "The values of the data subject {subject_id} must be kept until {kept_until}."
    remedy: ClassVar[str] = (
        "Have the erasure approved (`approve-erasure`): it is carried out then by itself. Processing is restricted meanwhile."
    )

    subject_id: UUID
    kept_until: str


@dataclass(eq=False)
class DeputyNamesHimself(Refusal):
    """Nobody makes himself another's deputy, or names his own: a third person does."""

    says: ClassVar[str] = "{deputy} cannot stand in for himself or by his own word, nor say who stands in for him."
    remedy: ClassVar[str] = "Let somebody else name the deputy, or name another."

    deputy: str


@dataclass(eq=False)
class PeriodNotOver(Refusal):
    says: ClassVar[str] = "The period ends before it begins, or is not over yet."
    remedy: ClassVar[str] = "Ask for the report of a period that is over, and sign that."


@dataclass(eq=False)
class TooFewCharacters(Refusal):
    says: ClassVar[str] = "There are less than {characters_min} letters or digits to search for."
    remedy: ClassVar[str] = "Give more of the name, or of what was written."

    characters_min: int


@dataclass(eq=False)
class LegalHoldUnknown(Refusal):
    says: ClassVar[str] = "The hold {hold_id} does not stand."
    remedy: ClassVar[str] = "Name one that stands."

    hold_id: UUID


@dataclass(eq=False)
class ErasedAlready(Refusal):
    says: ClassVar[str] = "The values of the data subject {subject_id} were erased at {erased_at}."
    remedy: ClassVar[str] = "Nothing is left to do."

    subject_id: UUID
    erased_at: datetime
