"""What the rules of code tables do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from ledger.refusal import Refusal


@dataclass(eq=False)
class UnknownCode(Refusal):
    field: str
    table: str
    known: tuple[str, ...]

    says: ClassVar[str] = "{field} gives a code that the table {table} does not have, or has no more."
    remedy: ClassVar[str] = "Use one of the codes in `known`."


@dataclass(eq=False)
class CodesLost(Refusal):
    table: str
    lost: tuple[str, ...]

    says: ClassVar[str] = "The table {table} would lose codes that facts may state: see `lost`."
    remedy: ClassVar[str] = "State them too, with `retired` true where they are to be used no more."


@dataclass(eq=False)
class CodeTwice(Refusal):
    table: str
    code: str

    says: ClassVar[str] = "The table {table} states the code {code} twice."
    remedy: ClassVar[str] = "State it once."


@dataclass(eq=False)
class CodesFixed(Refusal):
    table: str
    known: tuple[str, ...]

    says: ClassVar[str] = "The rules know the codes of the table {table}: it cannot have others, or retire one."
    remedy: ClassVar[str] = "Publish the codes in `known`, with labels of your own."


@dataclass(eq=False)
class PublishedInTheFuture(Refusal):
    field: str
    given: datetime | date
    now: datetime

    says: ClassVar[str] = "{field} is {given}, and it is only {now}."
    remedy: ClassVar[str] = "Record what has happened, when it has happened; check the offset of the time."


@dataclass(eq=False)
class LimitTwice(Refusal):
    approver_rank: str
    currency: str

    says: ClassVar[str] = "The rank {approver_rank} is given two limits in {currency}."
    remedy: ClassVar[str] = "Give it one."
