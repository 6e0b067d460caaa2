"""What the rules of customers, interactions, improvements and leaks have in common: stating, guarding, annulling a fact.

A subject gives its own guards and its own folding; this module knows none by name. Pure. A complaint has richer rules of
amendment (`ledger.complaint.amendments`), because its facts can be corrected in place; here a mistake is annulled, by
two people, and the right fact recorded in its stead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from ledger.command import Command
from ledger.complaint.refusals import (
    AmendmentIsFinal,
    ApproverIsAuthor,
    FactIsAnnulled,
    InTheFuture,
    LaterFactsStandOnIt,
    OutOfOrder,
)
from ledger.complaint.stated import FUTURE_SKEW
from ledger.event import Event, Personal, personal_fields
from ledger.given import Given
from ledger.refusal import Refusal
from ledger.tables.refusals import UnknownCode
from ledger.tables.state import Tables


@dataclass(eq=False)
class SubjectNotFound(Refusal):
    """Nothing stands of this subject: it was never recorded, or its first fact was annulled."""

    subject: str
    subject_id: UUID

    says: ClassVar[str] = "No {subject} {subject_id} is recorded."
    remedy: ClassVar[str] = "Check the id, or record it first."


@dataclass(eq=False)
class AlreadyBegun(Refusal):
    """The first fact of this subject stands already, with other words."""

    subject: str
    subject_id: UUID

    says: ClassVar[str] = "The {subject} {subject_id} is recorded already."
    remedy: ClassVar[str] = (
        "Repeat a request with the same Idempotency-Key; annul what is wrong; give another one an id of its own."
    )


@dataclass(eq=False)
class IdOfAnother(Refusal):
    """The id names something of another kind: two kinds of facts in one stream would make both unreadable for ever."""

    subject: str
    subject_id: UUID

    says: ClassVar[str] = "{subject_id} cannot be the id of a {subject}: something of another kind has it, or may have."
    remedy: ClassVar[str] = "Leave the id out, and the program makes one; or send a random UUID (version 4)."


@dataclass(eq=False)
class VersionUnknown(Refusal):
    subject: str
    version: int
    last_version: int

    says: ClassVar[str] = "The {subject} has no fact of version {version}; its last is {last_version}."
    remedy: ClassVar[str] = "Name a version that its history lists."


@dataclass(frozen=True)
class Standing:
    """A subject as its rules see it; `recorded` holds every fact as it was recorded, version 1 first, annulled ones too."""

    recorded: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def version(self) -> int:
        """The version of the latest fact; 0 when there is none."""
        return len(self.recorded)


State = TypeVar("State", bound=Standing)
Facts = list[tuple[int, Event]]
"""Version and fact, as they stand after annulments."""


@dataclass(frozen=True)
class Rules(Generic[State]):
    """The rules of one kind of subject.

    `begins` is the fact that comes first, `facts` the fact that each command states, `annulled` the fact that takes one
    back. `own_id` names the id of the subject in its commands. `applied` is total. `may_follow` raises the refusal that
    keeps a fact from following what stands; it reads the state and the fact, never the command or the clock, because
    it is asked again when an annulment changes what later facts stand on. `carried` gives the fields that later facts
    take over from the state. `tables` names the code table of each field that holds a code, by the class of the fact.
    """

    name: str
    own_id: str
    begins: type[Event]
    annulled: type[Event]
    facts: Mapping[type[Command], type[Event]]
    nothing: State
    applied: Callable[[State, Any], State]
    may_follow: Callable[[State, Any], None]
    carried: Callable[[State], Mapping[str, Any]] = lambda _: {}
    tables: Mapping[type[Event], Mapping[str, str]] = field(default_factory=dict)

    def evolve(self, state: State, event: Event) -> State:
        """The subject after one more recorded fact. Total. Cost: one step; a refold for an annulment."""
        recorded = (*state.recorded, event)
        if not isinstance(event, self.annulled):
            return replace(self.applied(state, event), recorded=recorded)
        return replace(self._folded(fact for _, fact in self.effective(recorded)), recorded=recorded)

    def fold(self, events: Sequence[Event]) -> State:
        """The subject after these facts."""
        state = self.nothing
        for event in events:
            state = self.evolve(state, event)
        return state

    def effective(self, recorded: Sequence[Event]) -> Facts:
        """What stands: (version, fact), annulled facts and annulments left out."""
        taken_back = {_annuls(event) for event in recorded if isinstance(event, self.annulled)}
        return [
            (version, event)
            for version, event in enumerate(recorded, start=1)
            if version not in taken_back and not isinstance(event, self.annulled)
        ]

    def decide(self, state: State, command: Command, given: Given) -> list[Event]:
        """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise.

        Cost: proportional to the number of facts of this subject.
        """
        kind = self.facts[type(command)]
        standing = self.effective(state.recorded)
        if not standing and kind is not self.begins:
            raise SubjectNotFound(self.name, getattr(command, self.own_id))
        if kind is self.annulled:
            return [self._annulment(state, standing, command, given)]
        if any(type(fact) is kind and self._states_the_same(fact, command) for _, fact in standing):
            return []
        if standing and kind is self.begins:
            raise AlreadyBegun(self.name, getattr(command, self.own_id))
        fact = self.stated(kind, state, command)
        self.admit(state, fact, given)
        return [fact]

    def admit(self, state: State, fact: Event, given: Given) -> None:
        """Refuses a new fact from the future, with an unknown code, approved by its author, or that may not follow."""
        for name, at in times(fact):
            if at > given.now + FUTURE_SKEW:
                raise InTheFuture(name, at, given.now)
        for name, table in self.tables.get(type(fact), {}).items():
            _known_code(name, table, getattr(fact, name), given.tables)
        two_people(fact)
        self.may_follow(state, fact)

    def stated(self, kind: type[Event], state: State, command: Command, **more: Any) -> Event:
        """The fact that a command states: fields of the same name, personal ones clear until they are sealed."""
        personal = {name for name, _ in personal_fields(kind)}
        given: dict[str, Any] = {**self.carried(state), **more}
        for name in kind.model_fields:
            if name in type(command).model_fields:
                value = getattr(command, name)
                given[name] = Personal.clear(value) if name in personal and value is not None else value
        return kind(**given)

    def _states_the_same(self, fact: Event, command: Command) -> bool:
        """Whether a command certainly states this fact; words given anew never do, for only their digest is known."""
        names = [name for name in type(command).model_fields if name != self.own_id]
        return all(getattr(command, name) == getattr(fact, name, None) for name in names)

    def _annulment(self, state: State, standing: Facts, command: Any, given: Given) -> Event:
        version = command.version
        if version > state.version:
            raise VersionUnknown(self.name, version, state.version)
        if isinstance(state.recorded[version - 1], self.annulled):
            raise AmendmentIsFinal(version)
        fact = dict(standing).get(version)
        if fact is None:
            raise FactIsAnnulled(version)
        annulment = self.stated(self.annulled, state, command, annulled_version=version)
        self.admit(state, annulment, given)
        not_before(annulment, "the fact that it annuls happened", happened_at(fact))
        broken = self._broken(standing)
        later = [each for each in self._broken([kept for kept in standing if kept[0] != version]) if each not in broken]
        if later:
            raise LaterFactsStandOnIt(version, tuple(later))
        return annulment

    def _broken(self, facts: Facts) -> list[int]:
        """The versions that their guards refuse where they stand; what stands on one is judged as if it were there."""
        state, found, begun = self.nothing, list[int](), False
        for version, fact in facts:
            try:
                self.may_follow(state, fact)
                if not begun and not isinstance(fact, self.begins):
                    found.append(version)
            except Refusal:
                found.append(version)
            state, begun = self.applied(state, fact), True
        return found

    def _folded(self, facts: Any) -> State:
        state = self.nothing
        for fact in facts:
            state = self.applied(state, fact)
        return state


_ASIDE = frozenset({"approved_by"})
"""Who agreed to it: not who did it."""


def happened_at(event: Event) -> datetime | None:
    """When the thing happened."""
    name = field_ending(type(event), "_at")
    return None if name is None else getattr(event, name)


def done_by(event: Event) -> str | None:
    """Who did it: a member of staff or a service."""
    name = field_ending(type(event), "_by")
    return None if name is None else getattr(event, name)


def times(event: Event) -> list[tuple[str, datetime]]:
    """Every instant that an event states, by its field."""
    stated = ((name, getattr(event, name)) for name in type(event).model_fields if name.endswith("_at"))
    return [(name, at) for name, at in stated if at is not None]


@cache
def field_ending(event: type[Event], ending: str) -> str | None:
    """The field of an event class that says who (`_by`) or when (`_at`); None where it says neither."""
    fields = [name for name in event.model_fields if name.endswith(ending) and name not in _ASIDE]
    assert len(fields) <= 1, f"{event.__name__} states {ending} more than once"
    return fields[0] if fields else None


def not_before(fact: Event, what: str, at: datetime | None) -> None:
    """Refuses a fact that happened before another thing did."""
    name = field_ending(type(fact), "_at")
    given = happened_at(fact)
    if name is not None and given is not None and at is not None and given < at:
        raise OutOfOrder(name, given, what, at)


def two_people(fact: Event) -> None:
    """Refuses a fact that its author approved himself, whatever the letters' case."""
    author, approver = field_ending(type(fact), "_by"), getattr(fact, "approved_by", None)
    if author is not None and approver is not None and getattr(fact, author).casefold() == approver.casefold():
        raise ApproverIsAuthor(author)


def _annuls(event: Event) -> int:
    version: int = getattr(event, "annulled_version")  # noqa: B009 - every annulment has it, and no common class
    return version


def _known_code(name: str, table: str, stated: str | Sequence[str] | None, tables: Tables) -> None:
    codes = [] if stated is None else [stated] if isinstance(stated, str) else stated
    known = tables.current.get(table, ())
    if any(code not in known for code in codes):
        raise UnknownCode(name, table, known)
