"""What the streams of one kind of subject have in common: how they are folded, and what decides on their ground.

Pure: a subject is a name and four functions. `ledger.subjects` lists them; `ledger.application` runs them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from ledger.command import Command
from ledger.event import Event

State = TypeVar("State")


@dataclass(frozen=True)
class Subject(Generic[State]):
    """A kind of subject: a complaint, a customer, the policies of a book.

    `commands` is the class that all its commands derive from. `stream` tells the stream that a command is about; it is
    given an id of the book's own, for a subject of which a book has one. `nothing` is the state before the first event.
    `decide` gives the facts that a command leads to now, `[]` where it is already so, and raises a Refusal otherwise;
    `evolve` is total.
    """

    name: str
    commands: type[Command]
    stream: Callable[[Any, UUID], UUID]
    nothing: State
    evolve: Callable[[State, Any], State]
    decide: Callable[[State, Any, datetime], Sequence[Event]]
