"""What the rules of policies do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from ledger.refusal import Refusal


@dataclass(eq=False)
class VersionNotNext(Refusal):
    name: str
    given: int
    next_version: int

    says: ClassVar[str] = "{name} is given as version {given}, and the next one is {next_version}."
    remedy: ClassVar[str] = "Give it that version; a published version is never changed."


@dataclass(eq=False)
class NothingNew(Refusal):
    name: str
    version: int

    says: ClassVar[str] = "{name} says nothing that its version {version} does not say."
    remedy: ClassVar[str] = "Change it, or put the published version in force."


@dataclass(eq=False)
class CalendarUnknown(Refusal):
    regime: str
    calendar: str
    known: tuple[str, ...]

    says: ClassVar[str] = "The regime {regime} goes by the calendar {calendar}, which is not published."
    remedy: ClassVar[str] = "Publish that calendar first, or name one of those in `known`."


@dataclass(eq=False)
class RegimeUnknown(Refusal):
    name: str
    known: tuple[str, ...]

    says: ClassVar[str] = "No regime {name} is published, or not in this version."
    remedy: ClassVar[str] = "Name one of those in `known`, or publish it."


@dataclass(eq=False)
class RegimeUnsound(Refusal):
    """Each of `faults` says where, why and what to do."""

    name: str
    faults: tuple[str, ...]

    says: ClassVar[str] = "The regime {name} says what no clock can do: {faults}."
    remedy: ClassVar[str] = "Correct what `faults` names; `complaint-ledger regime check FILE` tells the lines."


@dataclass(eq=False)
class CalendarUnpublished(Refusal):
    name: str
    known: tuple[str, ...]

    says: ClassVar[str] = "No calendar {name} is published, or not in this version."
    remedy: ClassVar[str] = "Name one of those in `known`, or publish it."


@dataclass(eq=False)
class InForceTooEarly(Refusal):
    name: str
    given: date
    earliest: date

    says: ClassVar[str] = "{name} cannot change from {given} on: deadlines of that day are issued already."
    remedy: ClassVar[str] = "Name the day in `earliest`, or a later one: what is issued is not issued anew."


@dataclass(eq=False)
class NotInForce(Refusal):
    name: str
    given: date

    says: ClassVar[str] = "The regime {name} would not be in force on {given}."
    remedy: ClassVar[str] = "There is nothing to retire; check the name and the day."


@dataclass(eq=False)
class SettledDaysLost(Refusal):
    name: str
    settled_from: date
    settled_through: date

    says: ClassVar[str] = (
        "The published {name} settles the days from {settled_from} through {settled_through}, and this one fewer."
    )
    remedy: ClassVar[str] = "State those days too: what was announced stays announced, corrected or not."
