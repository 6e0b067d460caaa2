"""One audit finding: what is known of it, what may follow what, and what a command leads to. Pure.

A finding is closed only once it led to a corrective action, which stands in the book and came from it, and by somebody
else than who acted on it: who linked an action, or owns one.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, assert_never
from uuid import UUID

from ledger.audit import commands as ask
from ledger.audit.events import (
    AuditFindingActedOn,
    AuditFindingClosed,
    AuditFindingEvent,
    AuditFindingFactAnnulled,
    AuditFindingReported,
    FindingLevel,
    known_finding_event,
)
from ledger.event import Event
from ledger.given import Given
from ledger.refusal import Refusal
from ledger.standing import Rules, Standing, not_before


@dataclass(eq=False)
class FindingIsClosed(Refusal):
    closed_at: datetime

    says: ClassVar[str] = "The finding was closed at {closed_at}."
    remedy: ClassVar[str] = "Report another one, or annul the closing."


@dataclass(eq=False)
class FindingWithoutAction(Refusal):
    """Closing a finding that nobody acted on would say that it was put right by nothing."""

    says: ClassVar[str] = "No corrective action is linked to the finding."
    remedy: ClassVar[str] = "Open an action and link it; annul the finding where there was nothing to put right."


@dataclass(eq=False)
class ActedOnItHimself(Refusal):
    acted_by: str

    says: ClassVar[str] = "{acted_by} acted on the finding, and does not close it."
    remedy: ClassVar[str] = "Have somebody else see that it was put right: the auditor, as a rule."


@dataclass(eq=False)
class NoSuchAction(Refusal):
    action_ids: list[UUID]

    says: ClassVar[str] = "No corrective action stands in the book under {action_ids}."
    remedy: ClassVar[str] = "Open it first, and name the finding or its complaint as what it came from."


@dataclass(eq=False)
class ActionOfSomethingElse(Refusal):
    """An action that was opened for another reason would let a finding be closed by work that never was about it."""

    action_ids: list[UUID]

    says: ClassVar[str] = (
        "What the corrective action {action_ids} says that it came from is neither the finding nor its complaint."
    )
    remedy: ClassVar[str] = (
        "Link an action that names the finding among its causes, or its complaint; open one where there is none."
    )


@dataclass(frozen=True)
class Finding(Standing):
    """One finding as the rules see it; `Finding()` is one of which nothing is recorded."""

    complaint_id: UUID | None = None
    title: str | None = None
    level: FindingLevel | None = None
    reported_at: datetime | None = None
    reported_by: str | None = None
    action_ids: tuple[UUID, ...] = ()
    acted_by: frozenset[str] = frozenset()
    acted_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def waits_for(self) -> str | None:
        """What is to be done next: an `action`, or `closing`; None when closed."""
        if self.closed_at is not None or self.reported_at is None:
            return None
        return "closing" if self.action_ids else "action"


def decide(finding: Finding, command: ask.AuditFindingCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    facts = RULES.decide(finding, command, given)
    if facts and isinstance(command, ask.ActOnAuditFinding):
        _led_to(finding, command, given)
    if facts and isinstance(command, ask.CloseAuditFinding):
        _not_by_an_owner(finding, command, given)
    return facts


def _led_to(finding: Finding, command: ask.ActOnAuditFinding, given: Given) -> None:
    """The actions are there, and came from the finding or from its complaint."""
    unknown = [each for each in command.action_ids if each not in given.actions]
    if unknown:
        raise NoSuchAction(unknown)
    causes = {command.finding_id, finding.complaint_id}
    others = [each for each in command.action_ids if not causes & given.actions[each].came_from]
    if others:
        raise ActionOfSomethingElse(others)


def _not_by_an_owner(finding: Finding, command: ask.CloseAuditFinding, given: Given) -> None:
    """Whoever owns a linked action acted on the finding, whoever linked it. One action at least still stands."""
    linked = [given.actions[each] for each in finding.action_ids if each in given.actions]
    if not linked:
        raise FindingWithoutAction
    if command.closed_by.casefold() in {each.owner.casefold() for each in linked}:
        raise ActedOnItHimself(command.closed_by)


def evolve(finding: Finding, event: AuditFindingEvent) -> Finding:
    """The finding after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(finding, event)


def applied(finding: Finding, event: AuditFindingEvent) -> Finding:
    """The finding with one fact that stands. Total: no fact is ever refused here."""
    fact = known_finding_event(event)
    match fact:
        case AuditFindingReported():
            reported = replace(finding, reported_at=fact.reported_at, reported_by=fact.reported_by)
            return replace(reported, complaint_id=fact.complaint_id, title=fact.title, level=fact.level)
        case AuditFindingActedOn():
            linked = tuple(dict.fromkeys((*finding.action_ids, *fact.action_ids)))
            by = finding.acted_by | {fact.acted_by.casefold()}
            return replace(finding, action_ids=linked, acted_by=by, acted_at=fact.acted_at)
        case AuditFindingClosed():
            return replace(finding, closed_at=fact.closed_at)
        case AuditFindingFactAnnulled():
            return finding  # the fold has taken it into account
        case _:
            assert_never(fact)


def may_follow(finding: Finding, event: AuditFindingEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_finding_event(event)
    not_before(fact, "it was reported", finding.reported_at)
    if finding.closed_at is not None and not isinstance(fact, AuditFindingFactAnnulled):
        raise FindingIsClosed(finding.closed_at)
    match fact:
        case AuditFindingReported() | AuditFindingActedOn() | AuditFindingFactAnnulled():
            pass
        case AuditFindingClosed():
            if not finding.action_ids:
                raise FindingWithoutAction
            if fact.closed_by.casefold() in finding.acted_by:
                raise ActedOnItHimself(fact.closed_by)
            not_before(fact, "it was acted on", finding.acted_at)
        case _:
            assert_never(fact)


RULES: Rules[Finding] = Rules(
    name="finding",
    own_id="finding_id",
    begins=AuditFindingReported,
    annulled=AuditFindingFactAnnulled,
    facts={
        ask.ReportAuditFinding: AuditFindingReported,
        ask.ActOnAuditFinding: AuditFindingActedOn,
        ask.CloseAuditFinding: AuditFindingClosed,
        ask.AnnulAuditFindingFact: AuditFindingFactAnnulled,
    },
    nothing=Finding(),
    applied=applied,
    may_follow=may_follow,
)
