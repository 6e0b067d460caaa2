"""The envelope of an event: what the `eventsourcing` library sees, and the bytes that are stored and hashed.

When a thing happened and who did it stand in the event itself; the envelope adds who recorded it and by which command.
"""

import secrets
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Self
from uuid import UUID

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import BaseModel, ConfigDict, create_model

from ledger.event import Event
from ledger.names import NAME_OF, class_of
from ledger.record.reading import StoredRow

OPENED_MAX = 8_000
"""Events that are kept open, at some 3 kB each with their stored bytes; more than a rebuild reads at once."""

NONCE_BYTES = 16
"""128 random bits in every state, so that nobody can guess a state behind its hash."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place: stream, version, and who recorded it by which command."""

    originator_id: UUID
    originator_version: int
    event: Event
    recorded_by: str
    command: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(NONCE_BYTES))

    def state(self) -> bytes:
        """The bytes that are stored and hashed: JSON in UTF-8, keys sorted at every depth."""
        content = {
            "command": self.command,
            "event": self.event.model_dump(mode="json", exclude_none=True),
            "nonce": self.nonce,
            "recorded_by": self.recorded_by,
        }
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def of_state(cls, stream_id: UUID, version: int, name: str, state: bytes) -> Self:
        """Reads stored bytes; raises UnknownStoredName, or ValueError for bytes that are no such event."""
        content: Any = _form(class_of(name)).model_validate_json(state)
        return cls(stream_id, version, content.event, content.recorded_by, content.command, content.nonce)


@cache
def _form(event: type[Event]) -> type[BaseModel]:
    """The stored form of one class of events: read in one pass, and nothing else is let through."""
    return create_model(
        f"Stored{event.__name__}",
        __config__=ConfigDict(extra="forbid"),
        command=(str, ...),
        event=(event, ...),
        nonce=(str, ...),
        recorded_by=(str, ...),
    )


@lru_cache(maxsize=OPENED_MAX)
def opened(row: StoredRow) -> Recorded:
    """The envelope that a stored row holds; raises as `Recorded.of_state` does.

    Rows that came in lately are remembered, by all of their bytes: several projections, and commands, open the same.
    """
    return Recorded.of_state(row.stream_id, row.version, row.name, row.state)


class RecordedMapper(Mapper[UUID]):
    """Between `Recorded` and the stored form, by the table of stored names and never by a class path."""

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Recorded), "only envelopes are recorded"
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=NAME_OF[type(domain_event.event)],
            state=domain_event.state(),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        stream_id = stored_event.originator_id
        assert isinstance(stream_id, UUID)
        return Recorded.of_state(stream_id, stored_event.originator_version, stored_event.topic, stored_event.state)
