"""What the streams of one kind of subject have in common: how they are folded, and what decides on their ground.

Pure: a subject is a name and four functions. `ledger.subjects` lists them; `ledger.application` runs them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Generic, TypeVar
from uuid import UUID

from ledger.command import Command
from ledger.event import Event
from ledger.given import Given

State = TypeVar("State")


@dataclass(frozen=True)
class Subject(Generic[State]):
    """A kind of subject: a complaint, a customer, the policies of a book.

    `commands` is the class that all its commands derive from, `events` the one of all its facts. `stream` tells the stream that a command is about; it is
    given an id of the book's own, for a subject of which a book has one; such an id is `derived` (UUID version 5), and no
    caller may choose one. `nothing` is the state before the first event.
    `decide` gives the facts that a command leads to in the circumstances it is given, `[]` where it is already so, and
    raises a Refusal otherwise; rules that read the time only are wrapped by `by_time`. `evolve` is total.
    `counterpart` names the other stream of the same kind in which a command is recorded too, and what is decided there on
    the ground of its state: both are recorded, or neither.
    """

    name: str
    commands: type[Command]
    events: type[Event]
    stream: Callable[[Any, UUID], UUID]
    nothing: State
    evolve: Callable[[State, Any], State]
    decide: Callable[[State, Any, Given], Sequence[Event]]
    derived: bool = False
    fold: Callable[[Sequence[Any], State], State] | None = None
    counterpart: Callable[[Any], "tuple[UUID, Callable[[State], Command | None]] | None"] = lambda _: None

    def folded(self, state: State, events: Sequence[Event]) -> State:
        """The state after further events; by `fold`, where a subject folds many at once with less work."""
        return reduce(self.evolve, events, state) if self.fold is None else self.fold(events, state)


def by_time(
    decide: Callable[[State, Any, datetime], Sequence[Event]],
) -> Callable[[State, Any, Given], Sequence[Event]]:
    """The rules of a subject that need to know the time, and no table or file."""
    return lambda state, command, given: decide(state, command, given.now)
