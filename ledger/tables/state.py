"""The tables in force, folded from what was published. Nothing here refuses or decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import assert_never

from ledger.tables.events import (
    ApprovalLimitsPublished,
    CodeTablesPublished,
    EmergencyPlanExercised,
    RoutingPublished,
    TablesEvent,
    known_tables_event,
)
from ledger.tables.table import Table, built_in_tables


@dataclass(frozen=True)
class Tables:
    """What an institution goes by; `Tables()` is what the program has built in, of which nothing is published.

    `version` counts what was published, and names the tables for ever. `limits` is by rank and currency, in minor
    units; None: none were published, and none are checked.
    """

    version: int = 0
    codes: Mapping[str, Table] = field(default_factory=built_in_tables)
    routes: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], int] | None = None
    exercises: Mapping[str, date] = field(default_factory=dict)
    latest: TablesEvent | None = None

    @cached_property
    def current(self) -> Mapping[str, tuple[str, ...]]:
        """The codes that may be stated, by table; retired ones are not among them."""
        return MappingProxyType(
            {name: tuple(code for code, row in table.items() if not row.retired) for name, table in self.codes.items()}
        )


def evolve(known: Tables, event: TablesEvent) -> Tables:
    """The tables after one more fact. Total: no fact is ever refused here."""
    fact = known_tables_event(event)
    then = replace(known, version=known.version + 1, latest=event)
    match fact:
        case CodeTablesPublished():
            published = {name: {row.code: row for row in rows} for name, rows in fact.tables.items()}
            return replace(then, codes={**known.codes, **published})
        case RoutingPublished():
            return replace(then, routes=fact.routes)
        case ApprovalLimitsPublished():
            limits = {(each.approver_rank, each.currency): each.amount_minor_max for each in fact.limits}
            return replace(then, limits=limits)
        case EmergencyPlanExercised():
            return replace(then, exercises={**known.exercises, fact.plan: fact.exercised_on})
        case _:
            assert_never(fact)


def fold(events: Iterable[TablesEvent], known: Tables | None = None) -> Tables:
    """The tables after further facts, from the built-in ones on."""
    state = Tables() if known is None else known
    for event in events:
        state = evolve(state, event)
    return state
