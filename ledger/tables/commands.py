"""What a caller may ask for about the tables of a book. Nothing here decides."""

from typing import Annotated, TypeAlias, cast, get_args

from pydantic import Field

from ledger.command import Command, Day, Instant, StaffId, Term
from ledger.event import Code
from ledger.tables.events import ApprovalLimit
from ledger.tables.table import Coded


class TablesCommand(Command):
    """A request about the tables of a book, of which there is one set."""


class PublishCodeTables(TablesCommand):
    """Publish code tables, each whole; what is not named stays as it is."""

    tables: Annotated[dict[Code, tuple[Coded, ...]], Field(min_length=1, max_length=100)]
    published_by: StaffId
    published_at: Instant


class PublishRouting(TablesCommand):
    """Publish which department takes complaints of which category."""

    routes: Annotated[dict[Code, Term], Field(max_length=500)]
    published_by: StaffId
    published_at: Instant


class PublishApprovalLimits(TablesCommand):
    """Publish up to which amount each rank may approve a compensation."""

    limits: Annotated[tuple[ApprovalLimit, ...], Field(max_length=500)]
    published_by: StaffId
    published_at: Instant


class ExerciseEmergencyPlan(TablesCommand):
    """Record that an emergency plan was exercised, and with what result."""

    plan: Code
    exercised_on: Day
    result: Term
    exercised_by: StaffId
    noted_at: Instant


AnyTablesCommand: TypeAlias = PublishCodeTables | PublishRouting | PublishApprovalLimits | ExerciseEmergencyPlan

TABLES_COMMANDS: dict[str, type[TablesCommand]] = {
    command.command_name(): command for command in get_args(AnyTablesCommand)
}


def known_tables_command(command: TablesCommand) -> AnyTablesCommand:
    """The same command, as the union that the type checker can exhaust."""
    return cast("AnyTablesCommand", command)
