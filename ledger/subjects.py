"""The subjects that there are: the one place to add one. It holds no logic of theirs."""

from functools import cache
from typing import Any
from uuid import uuid5

from ledger.command import Command
from ledger.complaint import rules as complaint_rules
from ledger.complaint import state as complaint_state
from ledger.complaint.commands import ComplaintCommand
from ledger.policy import rules as policy_rules
from ledger.policy import state as policy_state
from ledger.policy.built_in import policies_stream
from ledger.policy.commands import PolicyCommand
from ledger.subject import Subject, by_time
from ledger.tables import rules as tables_rules
from ledger.tables import state as tables_state
from ledger.tables.commands import TablesCommand

SUBJECTS: tuple[Subject[Any], ...] = (
    Subject(
        name="complaint",
        commands=ComplaintCommand,
        stream=lambda command, _: command.complaint_id,
        nothing=complaint_state.Complaint(),
        evolve=complaint_state.evolve,
        decide=complaint_rules.decide,
    ),
    Subject(
        name="policies",
        commands=PolicyCommand,
        stream=lambda _, book: policies_stream(book),
        nothing=policy_state.Policies(),
        evolve=policy_state.evolve,
        decide=by_time(policy_rules.decide),
    ),
    Subject(
        name="tables",
        commands=TablesCommand,
        stream=lambda _, book: uuid5(book, "tables"),
        nothing=tables_state.Tables(),
        evolve=tables_state.evolve,
        decide=by_time(tables_rules.decide),
    ),
)


@cache
def subject_of(command: type[Command]) -> Subject[Any]:
    """The subject that a command is about."""
    (found,) = (subject for subject in SUBJECTS if issubclass(command, subject.commands))
    return found


def subject_named(name: str) -> Subject[Any]:
    """The subject of a name; raises StopIteration for a name that is none: a bug of the caller."""
    return next(subject for subject in SUBJECTS if subject.name == name)
