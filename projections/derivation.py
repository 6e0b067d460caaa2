"""The deadlines of one complaint, derived from the record itself: how, day by day, as known at any position.

No projection is asked, so none has to be waited for, and the same position gives the same answer for ever: nothing is
read but the facts and the policies that are recorded. It writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.complaint.fact import ComplaintEvent
from ledger.deadlines.clock import Clock, Run, Verdict, verdict
from ledger.deadlines.explain import Explanation, explained
from ledger.names import class_of
from ledger.record.reading import StoredRow, events_after, head, position_at, stream_events
from projections.asking import AsOf, NotReached
from projections.complaints import replayed
from projections.policies import Followed


@dataclass(frozen=True)
class Derived:
    """The deadlines of a complaint as known at `position`, judged at `now`."""

    book: str
    complaint_id: UUID
    position: int
    now: datetime
    runs: tuple[Run, ...]
    known: bool
    """Whether anything was known of the complaint then."""

    def of_clock(self, name: str | None) -> "Derived":
        """Only the deadlines of the clock of a name; all of them for None."""
        return replace(self, runs=tuple(run for run in self.runs if name in {None, run.clock.clock}))

    def explanations(self) -> list[tuple[Explanation, Verdict]]:
        """The derivation of each, and what it comes to."""
        return [(explained(run), verdict(run.clock, self.now)) for run in self.runs]

    def lines(self) -> Iterator[str]:
        """The derivations as text: the same bytes for the same position and moment."""
        for explanation, said in self.explanations():
            first, *rest = explanation.lines()
            past = explanation.past_limit(self.now) if said == "missed" else None
            yield f"{first}: {said}" + (f", still open {past}" if past else "")
            yield from rest


def runs_of(rows: Sequence[StoredRow], followed: Followed, position: int) -> tuple[Run, ...]:
    """The deadlines of a complaint by its stream and the policies of its book, as known at a position."""
    return tuple(replayed(rows, followed, position).runs)


def clocks_of(
    connection: Connection, book: str, complaint_id: UUID, followed: Followed, *, up_to_version: int
) -> list[Clock]:
    """The clocks of a complaint by its first events and every policy. Costs one read of its stream."""
    rows = _of_a_complaint(stream_events(connection, book, complaint_id, up_to_version=up_to_version))
    last = max((each.position for each in followed.standings), default=0)
    return [run.clock for run in runs_of(rows, followed, max(last, rows[-1].position if rows else 0))]


def derive(
    connection: Connection, book: str, complaint_id: UUID, as_of: AsOf = None, now: datetime | None = None
) -> Derived:
    """The deadlines of a complaint as known at a place. Costs one read of its stream and one of the policies'.

    They are judged at the instant asked about, at the time of recording of the position asked about, and else now; or
    at another instant. Raises NotReached for a place behind the end of the book.
    """
    position = place(connection, book, as_of)
    if now is None:
        now = as_of if isinstance(as_of, datetime) else _recorded_at(connection, book, as_of)
    rows = _of_a_complaint(stream_events(connection, book, complaint_id, up_to_position=position))
    followed = Followed.up_to(connection, book, position)
    return Derived(book, complaint_id, position, now, runs_of(rows, followed, position), bool(rows))


def place(connection: Connection, book: str, as_of: AsOf) -> int:
    """A place of the record as a position; raises NotReached behind its end."""
    size = head(connection, book).size
    position = position_at(connection, book, as_of) if isinstance(as_of, datetime) else size if as_of is None else as_of
    if position > size:
        raise NotReached(book, "record", position, size)
    return position


def _of_a_complaint(rows: Sequence[StoredRow]) -> list[StoredRow]:
    """The events of a stream; none where it is another subject's, whose id somebody takes for a complaint's."""
    return [row for row in rows if issubclass(class_of(row.name), ComplaintEvent)]


def _recorded_at(connection: Connection, book: str, position: int | None) -> datetime:
    if position is None:
        return datetime.now(UTC)
    last = events_after(connection, book, position - 1, 1) if position else []
    return last[0].recorded_at if last else datetime.min.replace(tzinfo=UTC)
