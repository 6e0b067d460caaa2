"""What the rules of a leak do not allow, each with what to do instead. No rule is decided here."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ledger.refusal import Refusal


@dataclass(eq=False)
class LeakIsClosed(Refusal):
    closed_at: datetime

    says: ClassVar[str] = "The leak was closed at {closed_at}."
    remedy: ClassVar[str] = "Annul the closing if a step was left out; report what leaks anew as a leak of its own."


@dataclass(eq=False)
class AlreadyIsolated(Refusal):
    isolated_at: datetime

    says: ClassVar[str] = "The leak was isolated at {isolated_at}."
    remedy: ClassVar[str] = "Annul that fact if it is wrong."


@dataclass(eq=False)
class LeakStepsMissing(Refusal):
    """The procedure asks for every step before the end, each with its time."""

    step: str
    missing: tuple[str, ...]

    says: ClassVar[str] = "The leak cannot be {step} yet; what is missing: {missing}."
    remedy: ClassVar[str] = "Record the steps in `missing` first, with the times at which they were taken."
