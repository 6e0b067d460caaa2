"""What is open, for whom, due when, and what is to be done in it, soonest first. What was before is not its matter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.policy.events import CalendarPublished
from projections.asking import Cursor, page_as_known, page_of
from projections.complaints import FACTS_MAX, TASK, Complaints, Known, Part
from projections.machine import Batch, Projection
from projections.policies import Standing

_SQL = queries(__file__)

ROWS_MAX = 500

_TASK = (
    *("complaint_id", "reference", "external_reference", "received_at", "stage", "department", "assignee"),
    *("category", "product", "channel", "grade", "urgent", "regime", "clock", "due_at", "provisional", "position"),
    *("to_do", "is_open"),
)


class WorklistFold:
    """Writes each complaint that a batch touched once, as it stands at the end of the batch."""

    def __init__(self, facts_max: int = FACTS_MAX) -> None:
        self._complaints = Complaints(facts_max, TASK)

    def apply(self, batch: Batch) -> None:
        for part in self._complaints.parts(batch):
            touched: dict[UUID, tuple[int, Known]] = {}
            if part.policy is None:
                self._complaints.load(part.batch)
                for row in part.batch.rows:
                    if self._complaints.matters(row):
                        touched[row.stream_id] = (row.position, self._complaints.after(row))
            elif isinstance(part.policy.event, CalendarPublished):
                touched = self._issued_anew(part, part.policy)
            self._write(part.batch, touched)

    def _issued_anew(self, part: Part, policy: Standing) -> dict[UUID, tuple[int, Known]]:
        """The complaints of which the calendar that is published changes a due time; the others keep their rows."""
        found = part.batch.fetch(_SQL["provisional"], {"book": part.batch.book})
        touched = {}
        for complaint_id, known in self._complaints.touched(part, [each for (each,) in found]):
            before = known.clocks
            known.ask(policy.policies.rulebook, policy.recorded_at)
            if known.clocks != before:
                touched[complaint_id] = (policy.position, known)
        return touched

    def _write(self, batch: Batch, touched: Mapping[UUID, tuple[int, Known]]) -> None:
        batch.execute_values(_SQL["forget"], [(batch.book, str(complaint_id)) for complaint_id in touched])
        batch.add(
            "task",
            ("book", *_TASK, "may_be_issued_anew"),
            [
                (batch.book, *_task(complaint_id, known, position))
                for complaint_id, (position, known) in touched.items()
                if known.situation.is_open or known.situation.pending.deeds
            ],
        )


PROJECTION = Projection(
    name="worklist",
    version=4,
    tables={"task": ("book", "complaint_id")},
    fold=WorklistFold,
    queries=_SQL,
)


class Task(NamedTuple):
    """A complaint that is open, or in which something is left to do. `position` last changed the row.

    `due_at` is that of its next clock; None where none runs. `to_do` names what somebody has to do, such as `archive`.
    """

    complaint_id: UUID
    reference: str | None
    external_reference: str | None
    received_at: datetime | None
    stage: str | None
    department: str | None
    assignee: str | None
    category: str | None
    product: str | None
    channel: str | None
    grade: str | None
    urgent: bool
    regime: str | None
    clock: str | None
    due_at: datetime | None
    provisional: bool
    position: int
    to_do: list[str]
    is_open: bool


class Worklist(NamedTuple):
    """A page of open complaints as of `position`; `next_cursor` asks for the following ones."""

    book: str
    position: int
    tasks: tuple[Task, ...]
    next_cursor: str | None


def page(
    connection: Connection,
    book: str,
    *,
    departments: Sequence[str] | None = None,
    or_of_none: bool = False,
    assignee: str | None = None,
    to_do: str | None = None,
    rows_max: int = 50,
    cursor: str | None = None,
    schema: str | None = None,
) -> Worklist:
    """What is open now, soonest due first; with `to_do`, where that is to be done, open or not.

    Of `departments` and, with `or_of_none`, what no department has yet. Costs what the page is long, for each department.

    Raises NotBuilt, BadCursor.
    """
    after_due_at, after_complaint_id = Cursor.read(cursor, "worklist", (datetime, UUID))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    which = [
        *(["of_assignee"] if assignee is not None else []),
        "is_open" if to_do is None else "has_to_do",
        *(["after"] if after_complaint_id is not None else []),
    ]
    position, found = page_as_known(
        connection,
        book,
        PROJECTION.name,
        _SQL["page" if departments is None else "page_of_departments"]
        .replace("{columns}", ", ".join(Task._fields))
        .replace("{which}", " ".join(_SQL[each] for each in which)),
        {
            "departments": None if departments is None else list(dict.fromkeys(departments)),
            "or_of_none": or_of_none,
            "assignee": assignee,
            "to_do": to_do,
            "after_due_at": after_due_at,
            "after_complaint_id": after_complaint_id,
            "rows_max": rows_max + 1,
        },
        schema=schema,
    )
    tasks, more = page_of([Task(*row) for row in found], rows_max)
    key = (tasks[-1].due_at, tasks[-1].complaint_id) if more else None
    return Worklist(book, position, tasks, Cursor.write("worklist", key) if key else None)


def without_limit(
    connection: Connection, book: str, *, department: str | None = None, assignee: str | None = None
) -> tuple[int, int]:
    """How many open complaints have no limit that runs, and how many of those were reopened: they stand last in the list."""
    which = [
        *(["in_department"] if department is not None else []),
        *(["of_assignee"] if assignee is not None else []),
    ]
    statement = _SQL["without_limit"].replace("{which}", " ".join(_SQL[each] for each in which))
    asked_for = {"departments": [department], "assignee": assignee}
    _, [(all_of_them, reopened)] = page_as_known(connection, book, PROJECTION.name, statement, asked_for)
    return all_of_them, reopened


def departments_of(connection: Connection, book: str, person: str) -> list[str]:
    """The departments that a person was given something from. Costs a look at every row of the list; raises NotBuilt."""
    asked_for = {"person": person, "departments_max": ROWS_MAX}
    _, found = page_as_known(connection, book, PROJECTION.name, _SQL["departments_of"], asked_for)
    return sorted(department for (department,) in found)


def _task(complaint_id: UUID, known: Known, position: int) -> Sequence[object]:
    s = known.situation
    running = [clock for clock in known.clocks if clock.ended == "running"]
    soonest = min(running, key=lambda clock: clock.due_at, default=None)
    due: Sequence[object] = (None, None, None, False)
    if soonest is not None:
        due = (soonest.regime, soonest.clock, soonest.due_at, soonest.provisional)
    stands = (s.reference, s.external_reference, s.received_at, s.stage, s.department, s.handler)
    stated = (s.category, s.product, s.channel, s.grade, s.urgent)
    may_be_issued_anew = known.is_provisional and s.is_open
    return (complaint_id, *stands, *stated, *due, position, s.pending.slugs, s.is_open, may_be_issued_anew)
