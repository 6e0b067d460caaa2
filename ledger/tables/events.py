"""The facts of an institution's code tables, routing and limits of approval. Nothing here decides.

Each states in full what holds from it on, so that a replay in ten years reads the same tables, whatever the
program has built in by then. None holds a personal value.
"""

from datetime import date
from typing import Annotated, ClassVar, TypeAlias, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ledger.event import Code, Currency, Event, Label, StaffId
from ledger.tables.table import Coded


class TablesEvent(Event):
    """A fact in the one stream that a book has for its tables; the stream's version is the version of all of them."""


class CodeTablesPublished(TablesEvent):
    """Code tables were published, each whole: it takes the place of the one of its name 代码表."""

    tables: Annotated[dict[Code, tuple[Coded, ...]], Field(min_length=1, max_length=100)]
    published_by: StaffId
    published_at: AwareDatetime


class RoutingPublished(TablesEvent):
    """Which department takes complaints of which category was published 分配规则; it replaces the routing before."""

    routes: Annotated[dict[Code, Label], Field(max_length=500)]
    published_by: StaffId
    published_at: AwareDatetime


class ApprovalLimit(BaseModel):
    """How much somebody of a rank may approve at the most, in the currency's minor unit."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    approver_rank: Code
    currency: Currency
    amount_minor_max: Annotated[int, Field(ge=0, le=10**15)]


class ApprovalLimitsPublished(TablesEvent):
    """Up to which amount each rank may approve a compensation 补偿审批权限; it replaces the limits before.

    A rank that is not named may approve nothing in that currency. Without any limits published, none is checked.
    """

    limits: Annotated[tuple[ApprovalLimit, ...], Field(max_length=500)]
    published_by: StaffId
    published_at: AwareDatetime


class EmergencyPlanExercised(TablesEvent):
    """A plan of the library of emergency plans was exercised 应急预案演练."""

    plan: Code
    exercised_on: date
    result: Label
    exercised_by: StaffId
    noted_at: AwareDatetime


TABLES_NAMES: dict[str, type[TablesEvent]] = {
    "code-tables-published": CodeTablesPublished,
    "routing-published": RoutingPublished,
    "approval-limits-published": ApprovalLimitsPublished,
    "emergency-plan-exercised": EmergencyPlanExercised,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyTablesEvent: TypeAlias = CodeTablesPublished | RoutingPublished | ApprovalLimitsPublished | EmergencyPlanExercised


def known_tables_event(event: TablesEvent) -> AnyTablesEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in TABLES_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyTablesEvent", event)
