"""What a command does to the tables of a book: the facts it leads to, `[]`, or a refusal. No clock, no ids made.

A code that was ever published can be retired and never taken away: some fact may state it. `[]` means: already so.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never

from ledger.tables.commands import (
    ExerciseEmergencyPlan,
    PublishApprovalLimits,
    PublishCodeTables,
    PublishRouting,
    TablesCommand,
    known_tables_command,
)
from ledger.tables.events import (
    ApprovalLimitsPublished,
    CodeTablesPublished,
    EmergencyPlanExercised,
    RoutingPublished,
    TablesEvent,
)
from ledger.tables.refusals import CodesFixed, CodesLost, CodeTwice, LimitTwice, PublishedInTheFuture, UnknownCode
from ledger.tables.state import Tables
from ledger.tables.table import FIXED, Coded, mapping_of

FUTURE_SKEW = timedelta(minutes=5)
"""How far a caller's clock may be ahead of ours before a time counts as the future."""


def decide(known: Tables, command: TablesCommand, now: datetime) -> list[TablesEvent]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    asked = known_tables_command(command)
    match asked:
        case PublishCodeTables():
            return _publish_codes(known, asked, now)
        case PublishRouting():
            return _publish_routing(known, asked, now)
        case PublishApprovalLimits():
            return _publish_limits(known, asked, now)
        case ExerciseEmergencyPlan():
            return _exercise(known, asked, now)
        case _:
            assert_never(asked)


def _publish_codes(known: Tables, command: PublishCodeTables, now: datetime) -> list[TablesEvent]:
    _not_from_the_future("published_at", command.published_at, now)
    tables = {**known.codes}
    for name, rows in command.tables.items():
        codes = [row.code for row in rows]
        for code in codes:
            if codes.count(code) > 1:
                raise CodeTwice(name, code)
        before = known.codes.get(name, {})
        if name in FIXED and (set(codes) != set(before) or any(row.retired for row in rows)):
            raise CodesFixed(name, tuple(before))
        if lost := tuple(code for code in before if code not in codes):
            raise CodesLost(name, lost)
        tables[name] = {row.code: row for row in rows}
    for name, rows in command.tables.items():
        _refers_to_codes(name, rows, tables)
    so_already = all(tuple(known.codes.get(name, {}).values()) == rows for name, rows in command.tables.items())
    if known.version and so_already:  # what is only built in is published as it is, to stay so for ever
        return []
    return [CodeTablesPublished(**dict(command))]


def _refers_to_codes(name: str, rows: Sequence[Coded], tables: Mapping[str, Mapping[str, Coded]]) -> None:
    """Refuses a row that says it belongs to a code of another table which that table does not have."""
    mapping = mapping_of(name)
    if mapping is None:
        return
    key, target = mapping
    for row in rows:
        if key in row.more and row.more[key] not in tables[target]:
            raise UnknownCode(f"{name}.{row.code}.{key}", target, tuple(tables[target]))


def _publish_routing(known: Tables, command: PublishRouting, now: datetime) -> list[TablesEvent]:
    _not_from_the_future("published_at", command.published_at, now)
    for category in command.routes:
        _in_table("routes", "category", category, known)
    if known.routes == command.routes:
        return []
    return [RoutingPublished(**dict(command))]


def _publish_limits(known: Tables, command: PublishApprovalLimits, now: datetime) -> list[TablesEvent]:
    _not_from_the_future("published_at", command.published_at, now)
    stated = [(each.approver_rank, each.currency) for each in command.limits]
    for rank, currency in stated:
        _in_table("approver_rank", "approver-rank", rank, known)
        if stated.count((rank, currency)) > 1:
            raise LimitTwice(rank, currency)
    published = {(each.approver_rank, each.currency): each.amount_minor_max for each in command.limits}
    if known.limits == published:
        return []
    return [ApprovalLimitsPublished(**dict(command))]


def _exercise(known: Tables, command: ExerciseEmergencyPlan, now: datetime) -> list[TablesEvent]:
    exercised = EmergencyPlanExercised(**dict(command))
    if known.latest == exercised:
        return []
    _not_from_the_future("noted_at", command.noted_at, now)
    tomorrow_somewhere = (now.astimezone(UTC) + timedelta(hours=14)).date()
    if command.exercised_on > tomorrow_somewhere:
        raise PublishedInTheFuture("exercised_on", command.exercised_on, now)
    _in_table("plan", "emergency-plan", command.plan, known)
    return [exercised]


def _in_table(field: str, table: str, code: str, known: Tables) -> None:
    if code not in known.current[table]:
        raise UnknownCode(field, table, known.current[table])


def _not_from_the_future(field: str, at: datetime, now: datetime) -> None:
    if at > now + FUTURE_SKEW:
        raise PublishedInTheFuture(field, at, now)
