"""What the passing of time brings about next: each threshold of each complaint's clocks, and whether it is recorded.

It is the timekeeper's index, so that nobody ever goes through the whole book: what is owed and not recorded yet is
read in the order of an index. It knows no now, and records nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.deadlines.clock import Run
from ledger.names import NAME_OF
from ledger.policy.events import CalendarPublished
from ledger.policy.known import issued_anew
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow
from ledger.timekeeping.events import TIMEKEEPING_NAMES, DeadlineApproaching, TimekeeperEvent
from ledger.timekeeping.owed import Owed, owed_anew, thresholds
from projections.asking import asked
from projections.complaints import CLOCKS, FACTS_MAX, Complaints, Part, is_provisional
from projections.machine import Batch, Projection
from projections.policies import Standing

_SQL = queries(__file__)

OWED_MAX = 500
"""What is read at once; so many are recorded in two or three calls."""

_COLUMNS = ("book", "stream_id", "complaint_id", "since", "name", "event", "recorded_position")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A row: what is owed from `since` on, as it will be stored, and at which position it was recorded."""

    complaint_id: UUID
    since: datetime
    name: str
    event: Mapping[str, Any]
    recorded_position: int | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether it still hangs on what happens: not recorded, and not brought about by a publication already."""
        return self.recorded_position is None and self.name != "deadline-issued-anew"


class TimekeeperFold:
    """Compares the thresholds of a complaint before and after each event of it, and after each calendar."""

    def __init__(self, facts_max: int = FACTS_MAX) -> None:
        self._complaints = Complaints(facts_max, CLOCKS)

    def apply(self, batch: Batch) -> None:
        for part in self._complaints.parts(batch):
            kept = _Thresholds(part.batch)
            if part.policy is None:
                self._follow(part.batch, kept)
            elif isinstance(part.policy.event, CalendarPublished):
                self._issue_anew(part, part.policy, kept)
            kept.write()

    def _follow(self, batch: Batch, kept: "_Thresholds") -> None:
        self._complaints.load(batch)
        kept.load(
            {_told(row).complaint_id for row in batch.rows if row.name in TIMEKEEPING_NAMES}
            | {row.stream_id for row in batch.rows if self._complaints.matters(row)},
            begun={row.stream_id for row in batch.rows if row.version <= 1},
        )
        for row in batch.rows:
            if row.name in TIMEKEEPING_NAMES:
                kept.record(row)
            elif self._complaints.matters(row):
                before = self._complaints.before(row).runs
                after = self._complaints.after(row).runs
                if after is not before:  # nobody asked for them anew: no clock watches this fact
                    kept.put(row.stream_id, before, after, row.recorded_at)

    def _issue_anew(self, part: Part, policy: Standing, kept: "_Thresholds") -> None:
        found = {complaint_id for (complaint_id,) in part.batch.fetch(_SQL["provisional"], {"book": part.batch.book})}
        for complaint_id, known in self._complaints.touched(part, found):
            before = known.runs
            known.ask(policy.policies.rulebook, policy.recorded_at)
            kept.load({complaint_id})
            kept.put(complaint_id, before, known.runs, policy.recorded_at)


class _Thresholds:
    """The thresholds of the complaints of a batch, as they are while its events are gone through."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._of: dict[UUID, dict[UUID, Threshold]] = {}
        self._changed: set[UUID] = set()
        self._provisional: dict[UUID, tuple[bool, bool]] = {}

    def load(self, complaint_ids: set[UUID], begun: set[UUID] | frozenset[UUID] = frozenset()) -> None:
        """Reads, in one statement, those of complaints that are missing; of those that begin in the batch there are none."""
        wanted = [str(each) for each in complaint_ids - self._of.keys() - begun]
        if not wanted:
            return
        for stream_id, *rest in self._batch.fetch(
            _SQL["of_complaints"], {"book": self._batch.book, "complaint_ids": wanted}
        ):
            found = Threshold(*rest)
            self._of.setdefault(found.complaint_id, {})[stream_id] = found

    def record(self, row: StoredRow) -> None:
        """A fact of the timekeeper is in the book: it is owed no more, whatever becomes of its clock."""
        event = _told(row)
        found = self._of.setdefault(event.complaint_id, {})
        known = found.get(row.stream_id)
        since = row.recorded_at if known is None else known.since
        found[row.stream_id] = Threshold(event.complaint_id, since, row.name, _stated(event), row.position)
        self._changed.add(row.stream_id)

    def put(self, complaint_id: UUID, before: Sequence[Run], after: Sequence[Run], known_at: datetime) -> None:
        """What a complaint's clocks pass unless something stops them, as known after one more event of the book."""
        was, _ = self._provisional.get(complaint_id, (is_provisional(before), False))
        self._provisional[complaint_id] = was, is_provisional(after)
        found = self._of.setdefault(complaint_id, {})
        ahead = {each.stream_id: each for each in thresholds(complaint_id, after)}
        for stream_id in [each for each, of in found.items() if of.is_ahead and each not in ahead]:
            del found[stream_id]
            self._changed.add(stream_id)
        for each in (*ahead.values(), *owed_anew(complaint_id, issued_anew(before, after), known_at)):
            earlier = found.get(each.stream_id)
            if earlier is None and _comes_too_late(each, known_at):
                continue
            if earlier is None or (earlier.is_ahead and _differs(earlier, each)):
                name = NAME_OF[type(each.event)]
                found[each.stream_id] = Threshold(complaint_id, each.since, name, _stated(each.event))
                self._changed.add(each.stream_id)

    def write(self) -> None:
        """Writes what has changed: the rows of a stream go, and come again where there is still one."""
        book = self._batch.book
        settled = [(book, str(each)) for each, (was, still) in self._provisional.items() if was and not still]
        self._batch.execute_values(_SQL["settled"], settled)
        begun = [(book, each) for each, (was, still) in self._provisional.items() if still and not was]
        self._batch.add("provisional", ("book", "complaint_id"), begun)
        rows = {stream_id: each for of in self._of.values() for stream_id, each in of.items()}
        self._batch.execute_values(_SQL["forget"], [(self._batch.book, str(each)) for each in self._changed])
        self._batch.add(
            "threshold",
            _COLUMNS,
            [
                (
                    self._batch.book,
                    stream_id,
                    each.complaint_id,
                    each.since,
                    each.name,
                    each.event,
                    each.recorded_position,
                )
                for stream_id, each in rows.items()
                if stream_id in self._changed
            ],
        )


PROJECTION = Projection(
    name="timekeeper",
    version=3,
    tables={"threshold": ("book", "stream_id"), "provisional": ("book", "complaint_id")},
    fold=TimekeeperFold,
    queries=_SQL,
)


class Due(NamedTuple):
    """What is owed by `now` and not recorded as known at `position`, the longest owed first, so many at the most."""

    position: int
    now: datetime
    owed: tuple[Owed, ...]


def due(
    connection: Connection,
    book: str,
    now: datetime | None = None,
    rows_max: int = OWED_MAX,
    *,
    schema: str | None = None,
) -> Due:
    """What is owed; without a `now`, by the clock of the database, which is the book's. Raises NotBuilt.

    Costs what it gives, however large the book is. Position and rows are of one moment.
    """
    at = asked(connection, book, PROJECTION.name, None, None, schema)
    found = at.fetch(connection, _SQL["due"], {"now": now, "rows_max": rows_max})
    position, judged_at = found[0][:2]
    owed = [
        Owed(stream_id, since, TIMEKEEPING_NAMES[name].model_validate(event))
        for _, _, stream_id, since, name, event in found
        if stream_id is not None
    ]
    return Due(position, judged_at, tuple(owed))


def next_at(connection: Connection, book: str, *, schema: str | None = None) -> datetime | None:
    """When the next fact is owed, or the longest owed has been; None: nothing is, unless something else happens."""
    at = asked(connection, book, PROJECTION.name, None, None, schema)
    [(since,)] = at.fetch(connection, _SQL["next"], {})
    found: datetime | None = since
    return found


def _told(row: StoredRow) -> TimekeeperEvent:
    event = opened(row).event
    assert isinstance(event, TimekeeperEvent), f"{row.name} is no event of the timekeeper"
    return event


def _comes_too_late(owed: Owed, known_at: datetime) -> bool:
    """Whether a warning was over before anybody could know of it: the book heard of its clock after the limit's end."""
    return isinstance(owed.event, DeadlineApproaching) and owed.event.due_at < known_at


def _differs(threshold: Threshold, owed: Owed) -> bool:
    return threshold.since != owed.since or threshold.event != _stated(owed.event)


def _stated(event: TimekeeperEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude_none=True)
