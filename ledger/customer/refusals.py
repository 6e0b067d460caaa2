"""What the rules of a customer do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class NoDetailGiven(Refusal):
    says: ClassVar[str] = "No name, contact, identity number or account is given."
    remedy: ClassVar[str] = "Give what changed."


@dataclass(eq=False)
class CustomerIsMerged(Refusal):
    into_customer_id: UUID

    says: ClassVar[str] = "This record was merged into customer {into_customer_id}."
    remedy: ClassVar[str] = "Record it under that customer; or split the two, if they are two people."


@dataclass(eq=False)
class CustomerMergedIntoItself(Refusal):
    customer_id: UUID

    says: ClassVar[str] = "Customer {customer_id} cannot be merged into itself."
    remedy: ClassVar[str] = "Name the other record of the same person."


@dataclass(eq=False)
class NothingToSplit(Refusal):
    says: ClassVar[str] = "This record is not merged into another one."
    remedy: ClassVar[str] = "Split the record that was merged, not the one it was merged into."


@dataclass(eq=False)
class VulnerabilityNotNoted(Refusal):
    vulnerability: str
    noted: tuple[str, ...]

    says: ClassVar[str] = "No vulnerability {vulnerability} stands."
    remedy: ClassVar[str] = "Name one of those in `noted`."


@dataclass(eq=False)
class ConsentUnknown(Refusal):
    consent_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The customer has given no consent {consent_id}."
    remedy: ClassVar[str] = "Name one of those in `known`, or record the consent first."


@dataclass(eq=False)
class ConsentIsWithdrawn(Refusal):
    consent_id: UUID
    withdrawn_at: datetime

    says: ClassVar[str] = "Consent {consent_id} was withdrawn at {withdrawn_at}."
    remedy: ClassVar[str] = "Ask the customer anew, or share on another ground."


@dataclass(eq=False)
class ConsentHasEnded(Refusal):
    consent_id: UUID
    until_on: date

    says: ClassVar[str] = "Consent {consent_id} held through {until_on}."
    remedy: ClassVar[str] = "Ask the customer anew, or share on another ground."


@dataclass(eq=False)
class ConsentDoesNotCover(Refusal):
    consent_id: UUID
    fields: tuple[str, ...]

    says: ClassVar[str] = "Consent {consent_id} does not cover this sharing in: {fields}."
    remedy: ClassVar[str] = "Share what was agreed to and with whom, or ask the customer for more."


@dataclass(eq=False)
class GroundIncomplete(Refusal):
    ground: str
    missing: str

    says: ClassVar[str] = "The ground {ground} is given without {missing}."
    remedy: ClassVar[str] = "Name the consent where the ground is one, else the legal basis."
