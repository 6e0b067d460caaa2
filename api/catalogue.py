"""The catalogue of all events and commands, made from the tables that the program runs on. It serves no request.

The page of the documentation is written anew with `python -m api.catalogue > docs/catalogue.md`; a test holds it
against the program, so whoever adds a fact has it there or sees the test fail.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from api.recording import COMMANDS
from ledger.access.events import (
    AccessRequested,
    ErasureApproved,
    ErasureRequested,
    EvidenceFileSeen,
    PersonalDataSearched,
    PersonalDataSeen,
    SubjectErased,
)
from ledger.access.roles import roles
from ledger.access.rules import GROUNDS, PURPOSES
from ledger.audit import rules as audit_rules
from ledger.command import Command, assigned_fields
from ledger.complaint.amendments import STATED_BY
from ledger.complaint.codes import coded_fields
from ledger.complaint.events import COMPLAINT_NAMES, ComplaintEvent
from ledger.complaint.stages import STAGES
from ledger.customer import rules as customer_rules
from ledger.deadlines.regime import ClockRule, built_in_regimes
from ledger.event import Event, personal_fields
from ledger.improvement import action, indicator, risk, survey
from ledger.improvement.commands import MeasureIndicator, RaiseWarning
from ledger.improvement.events import WarningRaised
from ledger.interaction import rules as interaction_rules
from ledger.leak import rules as leak_rules
from ledger.names import STORED_NAMES
from ledger.standing import Rules


class Step(NamedTuple):
    """A way of a complaint from one stage of its life to another, and the fact that takes it there."""

    begin: str
    name: str
    end: str


STEPS = (
    Step("[*]", "complaint-received", "received"),
    Step("received", "complaint-assigned", "assigned"),
    Step("assigned", "complaint-reassigned", "assigned"),
    Step("assigned", "investigation-started", "investigating"),
    Step("investigating", "investigation-closed", "investigated"),
    Step("investigated", "solution-proposed", "proposed"),
    Step("proposed", "proposal-accepted", "accepted"),
    Step("proposed", "proposal-declined", "declined"),
    Step("declined", "complaint-escalated", "escalated"),
    Step("escalated", "escalation-decided", "decided-by-management"),
    Step("accepted", "complaint-resolved", "resolved"),
    Step("decided-by-management", "complaint-resolved", "resolved"),
    Step("resolved", "reply-sent", "replied"),
    Step("replied", "complaint-closed", "closed"),
    Step("replied", "complaint-reopened", "reopened"),
    Step("closed", "complaint-reopened", "reopened"),
    Step("reopened", "complaint-resolved", "resolved"),
    Step("closed", "complaint-archived", "archived"),
    Step("received", "complaint-withdrawn", "withdrawn"),
    Step("received", "complaint-ruled-out", "ruled-out"),
    Step("received", "complaint-merged", "merged"),
    Step("received", "outcome-stated", "ended-elsewhere"),
    Step("withdrawn", "complaint-closed", "closed"),
    Step("ruled-out", "complaint-closed", "closed"),
    Step("merged", "complaint-closed", "closed"),
)
"""The usual ways. The rules forbid less than the drawing shows: most steps may be left out, and none may come twice."""


PARTIES: tuple[Rules[Any], ...] = (
    *(customer_rules.RULES, interaction_rules.RULES, indicator.RULES, survey.RULES, survey.REVIEW_RULES, risk.RULES),
    *(action.RULES, leak_rules.RULES, audit_rules.RULES),
)
STATING: Mapping[type[Event], tuple[type[Command], ...]] = {
    fact: (command,) for rules in PARTIES for command, fact in rules.facts.items()
} | {WarningRaised: (MeasureIndicator, RaiseWarning)}
TABLES: Mapping[type[Event], Mapping[str, str]] = (
    {event: tables for rules in PARTIES for event, tables in rules.tables.items()}
    | {
        event: {"purpose": PURPOSES}
        for event in (AccessRequested, PersonalDataSeen, EvidenceFileSeen, PersonalDataSearched)
    }
    | {event: {"ground": GROUNDS} for event in (ErasureRequested, ErasureApproved, SubjectErased)}
)
"""Of the subjects besides a complaint: the commands that state a fact, and the table of each field that holds a code."""


AMENDING: Mapping[str, tuple[str, ...]] = {
    "amendment-proposed": ("annul-fact", "correct-fact", "grade-complaint", "extend-deadline"),
    "amendment-declined": ("decline-amendment",),
    "complaint-regraded": ("approve-amendment",),
    "deadline-extended": ("extend-deadline", "approve-amendment"),
    "fact-annulled": ("approve-amendment",),
    "fact-corrected": ("approve-amendment",),
}
"""Of what takes two people in a complaint: the commands that state a fact."""


def catalogue() -> Iterator[str]:
    """The page, line by line."""
    yield "# Every event and every command"
    yield ""
    yield "Made from the program's own tables with `python -m api.catalogue > docs/catalogue.md`. A name, once stored, is never"
    yield "changed or reused. A field in *italics* may be missing; a personal field says how closely it is kept (core 核心,"
    yield "important 重要, ordinary 普通), and stands in the event as a digest only. A field that states codes names its table."
    yield "What a fact is not said to do to a clock, it leaves as it is. What the roles are: [roles](roles.md)."
    yield ""
    yield from _diagram()
    yield from _complaint()
    yield from _others()
    yield from _commands()


def _diagram() -> Iterator[str]:
    yield "## A complaint on its way"
    yield ""
    yield "The usual ways; whatever is being handled may be withdrawn, ruled out, merged or escalated, as is drawn once."
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for step in STEPS:
        yield f"    {_state(step.begin)} --> {_state(step.end)}: {step.name}"
    yield "```"
    yield ""


def _state(stage: str) -> str:
    return stage.replace("-", "_")


def _complaint() -> Iterator[str]:
    commands = {COMPLAINT_NAMES[name]: named for name, named in AMENDING.items()}
    for stage in STAGES.values():
        yield f"## Complaint: {stage.en} {stage.zh}"
        yield ""
        for name in stage.names:
            event = COMPLAINT_NAMES[name]
            yield from _event(name, event)
            for command in commands.get(event) or (STATED_BY[event].command_name(),):
                yield f"Stated by `{command}`, which {', '.join(sorted(roles().of_action(command) or ()))} may give."
            yield f"Clocks: {'; '.join(_clocks(event)) or 'leaves all'}."
            yield ""


def _others() -> Iterator[str]:
    by_module: dict[str, list[str]] = {}
    for name, event in STORED_NAMES.items():
        if not issubclass(event, ComplaintEvent):
            by_module.setdefault(event.__module__, []).append(name)
    for module, names in sorted(by_module.items()):
        title = module.removeprefix("ledger.").removesuffix(".events").replace(".", ", ").capitalize()
        yield f"## {title}"
        yield ""
        yield inspect.cleandoc(import_module(module).__doc__ or "").partition("\n")[0]
        yield ""
        for name in names:
            yield from _event(name, STORED_NAMES[name])
            for command in STATING.get(STORED_NAMES[name], ()):
                named = command.command_name()
                yield f"Stated by `{named}`, which {', '.join(sorted(roles().of_action(named) or ()))} may give."
                yield ""


def _event(name: str, event: type[Event]) -> Iterator[str]:
    yield f"### `{name}`"
    yield ""
    yield inspect.cleandoc(event.__doc__ or "")
    yield ""
    yield f"Fields: {', '.join(_fields(event))}."
    yield ""


def _fields(event: type[Event]) -> Iterator[str]:
    tiers = {name: held.tier.value for name, held in personal_fields(event)}
    tables = dict(coded_fields(event)) if issubclass(event, ComplaintEvent) else TABLES.get(event, {})
    for name, field in event.model_fields.items():
        told = f"`{name}`" if field.is_required() else f"*`{name}`*"
        said = [*([tiers[name]] if name in tiers else []), *([f"table {tables[name]}"] if name in tables else [])]
        yield told + (f" ({', '.join(said)})" if said else "")


def _clocks(event: type[ComplaintEvent]) -> Iterator[str]:
    """What the built-in regimes let this fact do, in the order of the regimes."""
    for regime in built_in_regimes():
        for rule in regime.clocks:
            if does := ", ".join(_deeds(rule, event)):
                yield f"{does} {regime.name}/{rule.name}"


def _deeds(rule: ClockRule, event: type[ComplaintEvent]) -> Iterator[str]:
    if rule.starts_with is event:
        yield "starts"
    effect = rule.effects.get(event)
    if effect is not None:
        yield from dict.fromkeys(
            {"stop": "stops", "restart": "restarts", "void": "voids", "leave": "leaves"}[deed.value]
            + ("" if effect.in_time == effect.late else when)
            for deed, when in ((effect.in_time, " (in time)"), (effect.late, " (late)"))
        )
    if event in rule.extended_by:
        yield "lengthens"
    if event in rule.chosen_by and rule.starts_with is not event:
        yield "chooses the limit of"
    if event in rule.characterising - rule.chosen_by:
        yield "suspends"


def _commands() -> Iterator[str]:
    yield "## Every command"
    yield ""
    yield "Posted to its path. With a tick it changes a decision and needs `If-Match`. *Italics*: may be left out, or is made."
    yield ""
    yield "| command | path | decides | who may | meaning | fields |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for route in COMMANDS:
        command = route.command
        name = command.command_name()
        may = sorted(roles().of_action(name) or ())
        meaning = inspect.cleandoc(command.__doc__ or "").partition("\n")[0]
        cells = (f"`{name}`", f"`{route.path}`", "✓" if route.decides else "", ", ".join(may), meaning, _asked(command))
        yield f"| {' | '.join(cells)} |"


def _asked(command: type[Command]) -> str:
    made = assigned_fields(command)
    fields = command.model_fields.items()
    return ", ".join(
        f"`{name}`" if field.is_required() and name not in made else f"*`{name}`*" for name, field in fields
    )


if __name__ == "__main__":
    sys.stdout.write("\n".join(catalogue()).rstrip() + "\n")
