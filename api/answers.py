"""The answers to questions, as OpenAPI describes them and as they are written; nothing is asked or decided here.

A personal value stands in an answer as its digest (43 characters of base64url), as in the record.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.deadlines.clock import Verdict
from ledger.deadlines.running import Ended
from ledger.record.reading import BookHead
from ledger.tables.state import Tables
from projections import sla
from projections.sla import Part, Period


class Answer(BaseModel):
    """Made from the attributes of what a question returned."""

    model_config = ConfigDict(from_attributes=True)


class OfTheBook:
    """Marks a field that tells where in the book something stands: a caller who reads for a receiver is told null."""


Position = Annotated[int | None, OfTheBook()]
"""A position that everybody is told but a receiver."""


def receives(request: Request) -> bool:
    """Whether the caller reads for receivers alone (`api.caller` has found it out)."""
    return getattr(request.state, "receives", False) is True


def answer(
    model: type[Answer], found: object, headers: Mapping[str, str] | None = None, *, to: Request | None = None
) -> Response:
    """What was found, as JSON of the model; `Ledger-Position` says as of which position it stands.

    `to` is the request of a route that receivers may ask: such a caller is not told what is marked `OfTheBook`.
    """
    made = model.model_validate(found)
    if to is not None and receives(to):
        made = withheld(made)
    position = getattr(made, "position", None)
    stands = {} if position is None else {"Ledger-Position": str(position)}
    return Response(made.__pydantic_serializer__.to_json(made), 200, {**stands, **(headers or {})}, "application/json")


def withheld(made: Answer) -> Answer:
    """An answer without what is marked `OfTheBook`, at any depth."""
    told: dict[str, Any] = {}
    for name, field in type(made).model_fields.items():
        value = getattr(made, name)
        if any(isinstance(mark, OfTheBook) for mark in field.metadata):
            told[name] = None
        elif isinstance(value, Answer):
            told[name] = withheld(value)
        elif isinstance(value, list):
            told[name] = [withheld(each) if isinstance(each, Answer) else each for each in value]
    return made.model_copy(update=told)


class Found(Answer):
    """The complaints that a reference may mean."""

    complaint_ids: list[UUID]


class KnownProblem(Answer):
    """A problem that can be answered."""

    type: str
    title: str
    status: int
    says: str = Field(description="What `detail` says, with the facts of the case by name in braces.")
    remedy: str = Field(description="What to do.")


class KnownProblems(Answer):
    """Every problem that can be answered, by status and name."""

    problems: list[KnownProblem]


class HistoryLine(Answer):
    """One event of a complaint."""

    version: int | None = Field(description="Null where time brought it about: it is not in the complaint's stream.")
    position: int
    name: str
    happened_at: datetime | None
    recorded_at: datetime
    done_by: str | None
    recorded_by: str
    command: str
    details: dict[str, Any] = Field(description="The event's fields; personal values as digests.")
    annulled_by_version: int | None
    corrected_by_version: int | None


class History(Answer):
    """A page of a complaint's history as known at `position`."""

    book: str
    complaint_id: UUID
    position: int
    lines: list[HistoryLine]
    next_cursor: str | None


class KnownClock(Answer):
    """A state of a deadline, known from one position up to and without another."""

    regime: str
    clock: str
    run: int
    starts_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    ended: Ended
    provisional: bool
    regime_version: int
    calendar_version: int | None
    known_from: int
    known_to: int | None
    limit: str = Field(description="The limit that applies, such as `5 working days`.")
    first_limit: str = Field(description="The limit before any other was put in place; both stay visible.")
    first_due_at: datetime
    suspended_at: datetime | None
    regrades_on_last_day: int
    verdict: Verdict = Field(description="What this state says at `as_of`, where that is an instant, and else now.")

    @classmethod
    def judged_at(cls, found: sla.KnownClock, now: datetime) -> "KnownClock":
        """The state with its verdict at an instant."""
        kept = {name: value for name, value in found._asdict().items() if name in cls.model_fields}
        return cls(**kept, limit=found.within, first_limit=found.first_within, verdict=found.verdict(now))


class KnownClocks(Answer):
    """Every state of a complaint's deadlines that was ever known."""

    clocks: list[KnownClock]


class Task(Answer):
    """A complaint that is open or in which something is left to do, with the soonest of its deadlines that run."""

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
    position: int = Field(description="The event that last changed this line.")
    to_do: list[str] = Field(description="What somebody has to do, by name, such as `decide-escalation`.")
    is_open: bool = Field(description="False where only something is left to do, such as to `archive` the file.")


class Worklist(Answer):
    """A page of what is open, soonest due first."""

    book: str
    position: int
    tasks: list[Task]
    next_cursor: str | None


class SlaLine(Answer):
    """The counts of one clock, or of one part of it."""

    regime: str
    clock: str
    period: date | None = Field(description="The first day of the day, month, quarter or year in which they began.")
    part: str | None
    met: int
    missed: int
    running: int
    unknown: int = Field(description="Stopped, the source does not say when.")
    void: int
    overdue: int = Field(description="Of the missed, those still open.")
    provisional: int
    lapsed: int = Field(description="Of what is no duty of the institution: the time is over.")
    regrades_on_last_day: int = Field(description="Regrades that changed the limit on its last day.")
    used_seconds: tuple[float, float, float] | None = Field(
        description="From beginning to stop, of those that were stopped: half, 90 % and 99 % of them took no longer."
    )
    numerator: int
    denominator: int
    rate: float | None


class SlaReport(Answer):
    """How the deadlines that began in a period were kept, as known at `position`, judged at `now`."""

    book: str
    position: Position
    now: datetime
    starts_from: datetime | None
    starts_before: datetime | None
    part: Part | None
    period: Period | None
    classified: Position = Field(description="The position that parts are classified as of; null: as first set.")
    lines: list[SlaLine]


class OverdueLine(Answer):
    """A deadline that still runs and is past its due time."""

    complaint_id: UUID
    reference: str | None
    regime: str
    clock: str
    run: int
    starts_at: datetime
    due_at: datetime
    provisional: bool
    department: str | None
    handler: str | None
    category: str | None
    grade: str | None
    channel: str | None
    product: str | None
    known_from: int


class OverduePage(Answer):
    """A page of what is overdue, the longest overdue first."""

    position: int
    now: datetime
    rows: list[OverdueLine]
    next_cursor: str | None


class Book(Answer):
    """Where the book ends."""

    book: str
    origin: str = Field(description="The book's globally unique name; stands in every entry and checkpoint.")
    position: int = Field(description="The last position, which is the size of the tree.")
    size: int
    root: str = Field(description="The root of the Merkle tree (RFC 6962), in hex.")
    recorded_at: datetime | None

    @classmethod
    def of(cls, head: BookHead) -> "Book":
        return cls(
            book=head.book,
            origin=head.origin,
            position=head.size,
            size=head.size,
            root=head.root.hex(),
            recorded_at=head.recorded_at,
        )


class StoppedAt(Answer):
    position: int
    event: str
    error: str
    at: datetime


class ProjectionStatus(Answer):
    """How far a projection has come."""

    name: str
    book: str
    position: int
    lag_events: int
    lag_seconds: float
    advanced_at: datetime | None
    age_seconds: float | None
    tree_size: int
    root: str
    version: int | None
    worked_on: bool
    failed: StoppedAt | None


class Projections(Answer):
    """Every projection of the book."""

    projections: list[ProjectionStatus]


class CodeLabel(Answer):
    code: str
    zh: str
    en: str
    retired: bool = Field(description="It may be read for ever and stated no more.")
    more: dict[str, str] = Field(description="What else its table says of it, such as its place in JR/T 0169-2018.")


class ApprovalLimit(Answer):
    approver_rank: str
    currency: str
    amount_minor_max: int


class CodeTables(Answer):
    """The code tables with their labels in Chinese and English, each in the order of its table, and what goes by them."""

    version: int = Field(description="What was published so far, counted; 0: the built-in tables are in force.")
    tables: dict[str, list[CodeLabel]]
    routes: dict[str, str] = Field(description="The department that takes a category.")
    approval_limits: list[ApprovalLimit] | None = Field(description="null: none were published, and none are checked.")
    emergency_plans_exercised: dict[str, date] = Field(description="When each plan was last exercised.")

    @classmethod
    def of(cls, tables: Tables) -> "CodeTables":
        limits = None if tables.limits is None else tables.limits.items()
        return cls(
            version=tables.version,
            tables={
                name: [CodeLabel.model_validate(row) for row in rows.values()] for name, rows in tables.codes.items()
            },
            routes=dict(tables.routes),
            approval_limits=None
            if limits is None
            else [
                ApprovalLimit(approver_rank=rank, currency=currency, amount_minor_max=most)
                for (rank, currency), most in limits
            ],
            emergency_plans_exercised=dict(tables.exercises),
        )


class Health(Answer):
    """The service answers and its database does."""

    status: Literal["ok"]
    book: str
    position: int


ANSWERS: tuple[type[Answer], ...] = (
    Found,
    History,
    KnownClocks,
    Worklist,
    SlaReport,
    OverduePage,
    Book,
    Projections,
    CodeTables,
    Health,
    KnownProblems,
)
