"""What somebody has to do besides complaints: actions, warnings, risks, leaks, surveys, and customers who wait for an answer.

What a subject was before is not its matter. It says what is next and who has it, not how well it was done.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.audit.events import AuditFindingEvent
from ledger.audit.rules import Finding
from ledger.database.sql import queries
from ledger.event import Event
from ledger.improvement.action import Action
from ledger.improvement.events import ActionEvent, IndicatorEvent, RiskEvent, RiskLevel, SurveyEvent, WarningLevel
from ledger.improvement.indicator import Indicator
from ledger.improvement.risk import Risk
from ledger.improvement.survey import Survey
from ledger.interaction.events import InteractionEvent
from ledger.interaction.state import IN_STEPS, Interaction
from ledger.leak.events import LeakEvent
from ledger.leak.rules import Leak
from ledger.names import class_of
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stream_events
from ledger.subjects import subject_named
from projections.asking import Cursor, page_as_known, page_of
from projections.machine import Batch, Projection

_SQL = queries(__file__)

ROWS_MAX = 500
STATES_MAX = 20_000
"""Subjects kept in memory by one fold; another one is read again from the book."""

SUBJECT_OF: Mapping[type[Event], str] = {
    InteractionEvent: "interaction",
    IndicatorEvent: "indicator",
    SurveyEvent: "survey",
    RiskEvent: "risk",
    ActionEvent: "action",
    LeakEvent: "leak",
    AuditFindingEvent: "finding",
}


class Kind(StrEnum):
    """What is to be acted upon."""

    ACTION = "action"
    WARNING = "warning"
    RISK = "risk"
    LEAK = "leak"
    FINDING = "finding"
    SURVEY = "survey"
    INTERACTION = "interaction"
    CALL_BACK = "call-back"


class Duty(NamedTuple):
    """One thing to be done. `item_id` is the subject's own id, or that of a warning within its indicator.

    `urgent` are leaks, and warnings of the highest level. `position` last changed its subject.
    """

    kind: str
    subject_id: UUID
    item_id: UUID
    title: str | None
    waits_for: str
    who: str | None
    department: str | None
    level: str | None
    urgent: bool
    since_at: datetime
    due_on: date | None
    position: int


class Duties(NamedTuple):
    """A page of what is to be done as of `position`; `next_cursor` asks for the following ones."""

    book: str
    position: int
    duties: tuple[Duty, ...]
    next_cursor: str | None


class DutiesFold:
    """Writes each subject that a batch touched once, as it stands at the end of the batch."""

    def __init__(self, states_max: int = STATES_MAX) -> None:
        self._states: OrderedDict[UUID, tuple[Any, int]] = OrderedDict()
        self._states_max = states_max

    def apply(self, batch: Batch) -> None:
        touched: dict[UUID, tuple[int, Any]] = {}
        for row in batch.rows:
            subject = _subject(row)
            if subject is not None:
                touched[row.stream_id] = (row.position, self._after(batch, subject, row))
        while len(self._states) > self._states_max:
            self._states.popitem(last=False)
        batch.execute_values(_SQL["forget"], [(batch.book, str(subject_id)) for subject_id in touched])
        batch.add(
            "duty",
            ("book", *Duty._fields),
            [
                (batch.book, *duty._replace(position=position))
                for subject_id, (position, state) in touched.items()
                for duty in _duties(subject_id, state)
            ],
        )

    def _after(self, batch: Batch, name: str, row: StoredRow) -> Any:
        subject = subject_named(name)
        state, version = self._states.pop(row.stream_id, (subject.nothing, 0))
        if version != row.version - 1:
            state = subject.nothing
            for earlier in stream_events(batch.connection, batch.book, row.stream_id, up_to_position=row.position - 1):
                state = subject.evolve(state, opened(earlier).event)
        state = subject.evolve(state, opened(row).event)
        self._states[row.stream_id] = (state, row.version)
        return state


PROJECTION = Projection(
    name="duties",
    version=1,
    tables={"duty": ("book", "subject_id", "item_id", "kind")},
    fold=DutiesFold,
    queries=_SQL,
)


def page(
    connection: Connection,
    book: str,
    *,
    kind: Kind | None = None,
    who: str | None = None,
    departments: Sequence[str] | None = None,
    rows_max: int = 50,
    cursor: str | None = None,
    schema: str | None = None,
) -> Duties:
    """What is to be done now, what is urgent first, then the soonest due. Raises NotBuilt, BadCursor. Costs what the page is long."""
    after_urgent, after_due_on, after_since_at, after_item_id = Cursor.read(
        cursor, "duties", (bool, str, datetime, UUID)
    )
    rows_max = max(1, min(rows_max, ROWS_MAX))
    conditions = {"of_kind": kind, "of_person": who, "in_departments": departments, "after": after_item_id}
    which = " ".join(_SQL[name] for name, asked_for in conditions.items() if asked_for is not None)
    position, found = page_as_known(
        connection,
        book,
        PROJECTION.name,
        _SQL["page"].replace("{which}", which),
        {
            "kind": kind,
            "who": who,
            "departments": None if departments is None else list(departments),
            "after_urgent": after_urgent,
            "after_due_on": after_due_on,
            "after_since_at": after_since_at,
            "after_item_id": after_item_id,
            "rows_max": rows_max + 1,
        },
        schema=schema,
    )
    duties, more = page_of([Duty(*row) for row in found], rows_max)
    last = duties[-1] if more else None
    key = last and (last.urgent, None if last.due_on is None else last.due_on.isoformat(), last.since_at, last.item_id)
    return Duties(book, position, duties, Cursor.write("duties", key) if key else None)


def _subject(row: StoredRow) -> str | None:
    kind = class_of(row.name)
    return next((name for base, name in SUBJECT_OF.items() if issubclass(kind, base)), None)


def _duties(subject_id: UUID, state: Any) -> Iterator[Duty]:
    match state:
        case Action():
            yield from _of_action(subject_id, state)
        case Indicator():
            yield from _of_indicator(subject_id, state)
        case Risk():
            yield from _of_risk(subject_id, state)
        case Leak():
            yield from _of_leak(subject_id, state)
        case Finding():
            if state.waits_for is not None and state.reported_at is not None:
                who = state.reported_by if state.waits_for == "closing" else None
                more = {"level": state.level}
                yield _duty(Kind.FINDING, subject_id, state.title, state.waits_for, who, state.reported_at, **more)
        case Survey():
            yield from _of_survey(subject_id, state)
        case Interaction():
            yield from _of_interaction(subject_id, state)
        case _:
            raise TypeError(type(state).__name__)


def _duty(
    kind: Kind, subject_id: UUID, title: str | None, waits_for: str, who: str | None, since_at: datetime, **more: Any
) -> Duty:
    duty = Duty(kind, subject_id, subject_id, title, waits_for, who, None, None, False, since_at, None, 0)
    return duty._replace(**more)


def _of_action(subject_id: UUID, action: Action) -> Iterator[Duty]:
    if action.waits_for is not None and action.opened_at is not None:
        who = action.owner if action.waits_for == "work" else None  # its effect is measured by somebody else
        more = {"department": action.department, "due_on": action.due_on}
        yield _duty(Kind.ACTION, subject_id, action.title, action.waits_for, who, action.opened_at, **more)


def _of_indicator(subject_id: UUID, indicator: Indicator) -> Iterator[Duty]:
    for warning_id, warned in indicator.warnings.items():
        if warned.lifted_at is None:
            more: dict[str, Any] = {"item_id": warning_id, "level": warned.level, "department": indicator.scope}
            more["urgent"] = warned.level is WarningLevel.HIGH
            yield _duty(
                Kind.WARNING,
                subject_id,
                indicator.indicator,
                warned.missing or "lifting",
                warned.acknowledged_by,
                warned.raised_at,
                **more,
            )


def _of_risk(subject_id: UUID, risk: Risk) -> Iterator[Duty]:
    if risk.found_at is not None and risk.closed_at is None:
        grave = risk.level in (RiskLevel.HIGH, RiskLevel.MEDIUM) and risk.treated_at is None
        waits_for = "treatment" if grave else "closing"
        yield _duty(Kind.RISK, subject_id, risk.title, waits_for, risk.owner, risk.found_at, level=risk.level)


def _of_leak(subject_id: UUID, leak: Leak) -> Iterator[Duty]:
    if leak.found_at is not None and leak.closed_at is None:
        waits_for = next(iter(leak.missing), "closing")
        yield _duty(Kind.LEAK, subject_id, leak.title, waits_for, leak.responsible, leak.found_at, urgent=True)


def _of_survey(subject_id: UUID, survey: Survey) -> Iterator[Duty]:
    if survey.opened_at is not None and survey.concluded_at is None:
        yield _duty(
            Kind.SURVEY, subject_id, survey.title, "conclusion", None, survey.opened_at, due_on=survey.closes_on
        )


def _of_interaction(subject_id: UUID, interaction: Interaction) -> Iterator[Duty]:
    if interaction.asked_at is None:
        return
    more: dict[str, Any] = {"department": interaction.department}
    who, since = interaction.assignee, interaction.asked_at
    if interaction.waits:
        yield _duty(Kind.INTERACTION, subject_id, interaction.kind, "answer", who, since, **more)
    elif interaction.kind in IN_STEPS and interaction.became_complaint_at is None and interaction.reviewed_at is None:
        yield _duty(Kind.INTERACTION, subject_id, interaction.kind, "review", None, since, **more)
    if interaction.call_back_due_on is not None and interaction.call_back_promised_at is not None:
        yield _duty(
            Kind.CALL_BACK,
            subject_id,
            interaction.kind,
            "call",
            interaction.call_back_by,
            interaction.call_back_promised_at,
            due_on=interaction.call_back_due_on,
            **more,
        )
