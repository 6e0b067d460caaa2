"""Stories about customers, interactions, improvement and leaks: given some facts, when a command comes, then these or a refusal.

The usual words of each command are those of the API's example.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson

from api.party_examples import ACTION, COMPLAINT, OTHER_CUSTOMER, PARTY_EXAMPLES, SURVEY
from ledger.command import Command, assigned_fields
from ledger.event import Event, Personal, personal_fields
from ledger.given import Given as Circumstances
from ledger.given import NamedAction
from ledger.refusal import Refusal
from ledger.subjects import subject_of

NOW = datetime(2025, 12, 1, tzinfo=UTC)
ONE = UUID("00000000-0000-4000-8000-000000000001")
ANOTHER = UUID("00000000-0000-4000-8000-0000000000ff")
ID = UUID("00000000-0000-4000-8000-000000000011")
FIXED = {
    "customer_id": UUID("00000000-0000-4000-8000-000000000002"),
    "consent_id": ID,
    "share_id": UUID("00000000-0000-4000-8000-000000000012"),
    "warning_id": UUID("00000000-0000-4000-8000-000000000013"),
    "measurement_id": UUID("00000000-0000-4000-8000-000000000014"),
}
ACTIONS = {UUID(ACTION): NamedAction(owner="handler.zhao", came_from=frozenset({UUID(COMPLAINT)}))}
"""The corrective action of the examples, as it stands in the book."""
__all__ = ["COMPLAINT", "OTHER_CUSTOMER", "SURVEY"]


def at(day: int, hour: int = 12, month: int = 10) -> str:
    """An instant of autumn 2025, in the bank's time."""
    return f"2025-{month:02d}-{day:02d}T{hour:02d}:00:00+08:00"


def ask(command: type[Command], **changed: Any) -> Command:
    """The usual command with some fields changed; ids that a caller may leave out are given."""
    said: dict[str, Any] = {**PARTY_EXAMPLES[command], **changed}
    for name in command.model_fields:
        if name.endswith("_id") and name not in said and command.model_fields[name].is_required():
            said[name] = FIXED.get(name, ONE)
    for name in assigned_fields(command):
        said.setdefault(name, FIXED.get(name, ONE))
    return command.model_validate_json(orjson.dumps(said, default=str))


def recorded(event: Event) -> Event:
    """The fact as it stands in the record: each clear personal value by a digest."""
    sealed: dict[str, Any] = {}
    for name, _ in personal_fields(type(event)):
        value = getattr(event, name)
        if value is not None and value.is_clear:
            digest = hashlib.sha256(f"{name}:{value.value}".encode()).digest()
            sealed[name] = Personal.recorded(base64.urlsafe_b64encode(digest).decode().rstrip("="))
    return event.model_copy(update=sealed)


@dataclass(frozen=True)
class Given:
    """A subject of which some facts are recorded."""

    state: Any

    def when(
        self, command: Command, now: datetime = NOW, actions: Mapping[UUID, NamedAction] = MappingProxyType(ACTIONS)
    ) -> "Outcome":
        circumstances = Circumstances(now, actions=actions)
        try:
            return Outcome(self, list(subject_of(type(command)).decide(self.state, command, circumstances)), None)
        except Refusal as refusal:
            return Outcome(self, None, refusal)


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    given: Given
    facts: list[Event] | None
    refusal: Refusal | None

    def then(self, *kinds: type[Event], **stated: Any) -> list[Event]:
        """Facts of these kinds and no other, the last of which states this."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert self.facts is not None
        assert [type(fact) for fact in self.facts] == list(kinds)
        assert {name: getattr(self.facts[-1], name) for name in stated} == stated
        return self.facts

    def quiet(self) -> None:
        """It was already so."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert self.facts == []

    def refused(self, kind: type[Refusal], **facts: Any) -> None:
        """This refusal, with these of its facts; its sentence can be read."""
        assert type(self.refusal) is kind, f"got {self.refusal!r}, {self.facts}"
        told = self.refusal.facts()
        assert {name: told[name] for name in facts} == facts
        assert "{" not in str(self.refusal)


def given(*commands: Command | type[Command]) -> Given:
    """A subject with what these commands led to; each must lead to something."""
    asked = [ask(each) if isinstance(each, type) else each for each in commands]
    subject = subject_of(type(asked[0]))
    state = subject.nothing
    for each in asked:
        facts = subject.decide(state, each, Circumstances(NOW, actions=ACTIONS))
        assert facts, f"{each!r} led to nothing"
        for fact in facts:
            state = subject.evolve(state, recorded(fact))
    return Given(state)


def nothing(command: type[Command]) -> Given:
    """A subject of which nothing is recorded."""
    return Given(subject_of(command).nothing)


LATER = NOW + timedelta(days=2)
