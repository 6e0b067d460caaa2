"""What a rule is given besides the state and the command: the time, and what the book goes by. A value, no reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ledger.tables.state import Tables


@dataclass(frozen=True)
class StoredFile:
    """A file that was taken in and is kept beside the vault, as a fact may cite it.

    `digest` is SHA-256, in hex, over a salt of 16 bytes and the content: nobody can guess a form letter behind it.
    """

    file_id: UUID
    complaint_id: UUID
    subject_id: UUID
    digest: str
    size_bytes: int
    content_type: str


@dataclass(frozen=True)
class NamedAction:
    """A corrective action that stands in the book: who owns it, and the complaints and other causes that it says it came from."""

    owner: str
    came_from: frozenset[UUID]


@dataclass(frozen=True)
class HeldUnder:
    """What the vault keeps under an id: whether values of a person, or texts of the institution and of which subject."""

    values: bool = False
    of_institution: str | None = None


@dataclass(frozen=True)
class Given:
    """The circumstances of one decision.

    `tables` are those in force, `files` the stored ones that the command cites, `actions` the corrective ones that the
    command, or the finding that it is about, names; `held` is what the vault keeps of whom a command about an erasure or a hold names.
    `principal` is whom the request speaks for, by its token; empty where nobody is known, and then nothing is proposed or
    approved that takes two people.
    """

    now: datetime
    tables: Tables = field(default_factory=Tables)
    files: Mapping[UUID, StoredFile] = field(default_factory=dict)
    actions: Mapping[UUID, NamedAction] = field(default_factory=dict)
    held: HeldUnder = HeldUnder()
    principal: str = ""
