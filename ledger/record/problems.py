"""What a verification finds: kinds of problem, their places, and how many are kept. Nothing is checked here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

PROBLEMS_KEPT_MAX = 1_000
"""More are counted and not kept: a whole book of another origin would be one for each event."""


class Kind(StrEnum):
    """What does not agree with what."""

    CATALOGUE = "catalogue"
    """What answers under the name of a table or function is not what the migrations of this version make."""
    HEAD = "head"
    """The book's row disagrees with its events."""
    POSITION = "position"
    """Positions are not 1, 2, 3 … without a gap."""
    TIME = "time"
    """`recorded_at` does not rise."""
    ENTRY = "entry"
    """An event has a field that no entry can have."""
    LEAF = "leaf"
    """An event's entry has another hash than was stored when it was recorded."""
    ROOT = "root"
    """The tree over all entries is not that of the book's row."""
    STREAM = "stream"
    """Versions of a stream have a gap, or its head is another."""
    REQUEST = "request"
    """What was answered under an idempotency key disagrees with the events, or is gone."""
    NAME = "name"
    """A stored name is not known to this version of the program."""
    STATE = "state"
    """A state cannot be read as the event that its name says."""
    VALUE = "value"
    """A personal value and the digest in its event do not belong together."""
    FILE = "file"
    """A file of evidence is not stored as its event states."""
    TILE = "tile"
    """A stored tile is not made of the leaf hashes below it."""
    CHECKPOINT = "checkpoint"
    """A signed checkpoint is not of this tree, or no key signed it that the book knows."""
    COSIGNATURE = "cosignature"
    """A witness's signature does not fit its checkpoint."""
    TIME_STAMP = "time-stamp"
    """A time stamp is not over its checkpoint, or by no authority that was named."""


class Problem(NamedTuple):
    """One thing that is not as it must be; `position` is None where it lies at no single event."""

    position: int | None
    kind: Kind
    says: str


class Values(NamedTuple):
    """How the personal values stand: a value that was not opened was held against its event by digest, place and tier."""

    opened: int = 0
    unopened: int = 0
    erased: int = 0
    """Digests whose value is gone, by an erasure that is recorded."""

    def with_more(self, more: "Values") -> "Values":
        return Values(self.opened + more.opened, self.unopened + more.unopened, self.erased + more.erased)


class Files(NamedTuple):
    """How the files of evidence stand: one that was not opened was held against its event by number and size of its pieces."""

    opened: int = 0
    unopened: int = 0
    erased: int = 0
    """Gone, by an erasure that is recorded."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `root` is the root recomputed from the stored bytes, in hex."""

    book: str
    events: int
    root: str
    problems: tuple[Problem, ...]
    problems_total: int
    checkpoints: int = 0
    """How many checkpoints the tree was held against, the auditor's own included."""
    values: Values = field(default_factory=Values)
    files: Files = field(default_factory=Files)
    time_stamps: int = 0
    """How many were held against their checkpoints."""

    @property
    def ok(self) -> bool:
        return self.problems_total == 0


class Found:
    """Collects problems while a verification runs; keeps the first thousand."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.total = 0
        self.time_stamps = 0

    def add(self, position: int | None, kind: Kind, says: str) -> None:
        self.total += 1
        if len(self.kept) < PROBLEMS_KEPT_MAX:
            self.kept.append(Problem(position, kind, says))

    def has(self, kind: Kind) -> bool:
        """Whether one of this kind is among those kept."""
        return any(each.kind is kind for each in self.kept)

    def take(self, kept: Sequence[Problem], total: int) -> None:
        """What another process has found."""
        self.total += total
        self.kept += kept[: PROBLEMS_KEPT_MAX - len(self.kept)]
