"""Four eyes by who was known to the service, not by a name in a request. Pure: it is told who asks, and who recorded what.

The rules of a subject compare the names that a fact states; here the same lines are held for the persons behind them.
"""

from collections.abc import Iterator, Sequence

from ledger.access.refusals import ApproverIsRequester, NotInAnothersName
from ledger.command import Command, asking_fields
from ledger.complaint.commands import CorrectFact
from ledger.complaint.ending_commands import ApproveCompensation, DecideEscalation, ReviewHandling
from ledger.complaint.events import (
    ComplaintResolved,
    FactCorrected,
    FindingMade,
    InvestigationClosed,
    InvestigationStarted,
    ReplySent,
    SolutionProposed,
)
from ledger.complaint.refusals import DeciderIsEscalator, ReviewerHandledIt
from ledger.complaint.settlement import CompensationApproved, ComplaintEscalated
from ledger.event import Event

SECOND_EYES = ("approved_by", "reviewed_by", "assigned_by")
"""The fields in which a command names who approves, reviews, or gives a complaint to somebody, who may see its values then."""

HANDLING = (InvestigationStarted, FindingMade, InvestigationClosed, SolutionProposed, ComplaintResolved, ReplySent)
"""What nobody reviews who recorded it."""


def refuse_anothers_name(command: Command, principal: str) -> None:
    """Raises NotInAnothersName where a person states that somebody else approves or reviews.

    A service account may state it: it passes on what its own users did, and answers for that.
    """
    for field in SECOND_EYES:
        named = getattr(command, field, None)
        if named is not None and field not in asking_fields(type(command)) and not _same(named, principal):
            raise NotInAnothersName(field)


def looks_at_own_work(command: Command) -> bool:
    """Whether `refuse_own_work` has something to say, and so must be told what was recorded."""
    return isinstance(command, ApproveCompensation | DecideEscalation | ReviewHandling | CorrectFact)


def refuse_own_work(command: Command, principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    """Refuses who approves what he proposed, decides what he submitted, or reviews what he handled.

    `recorded` is the complaint's stream, version 1 first, each fact with who recorded it. To correct an approval is to
    approve.
    """
    match command:
        case ApproveCompensation():
            _refuse_own_proposal(command.proposal_id, principal, recorded)
        case CorrectFact():
            corrected = fact_of(command, recorded)
            if isinstance(corrected, CompensationApproved):
                _refuse_own_proposal(command.changes.get("proposal_id", corrected.proposal_id), principal, recorded)
        case DecideEscalation():
            submitted = [
                (fact, by) for fact, by in _as_stated_and_corrected(recorded) if isinstance(fact, ComplaintEscalated)
            ]
            own = [fact for fact, by in submitted if _same(by, principal) or _same(fact.escalated_by, principal)]
            if any(fact.escalation_id == command.escalation_id for fact in own):
                raise DeciderIsEscalator(principal)
        case ReviewHandling():
            if any(isinstance(fact, HANDLING) and _same(by, principal) for fact, by in recorded):
                raise ReviewerHandledIt(principal)
        case _:
            pass


def rank_stated(command: Command, recorded: Sequence[tuple[Event, str]]) -> str | None:
    """The rank by which a command approves, or by which it leaves approved what it corrects; None where it names none."""
    if isinstance(command, CorrectFact):
        rank = command.changes.get("approver_rank", getattr(fact_of(command, recorded), "approver_rank", None))
    else:
        rank = getattr(command, "approver_rank", None)
    return rank if isinstance(rank, str) else None


def fact_of(command: CorrectFact, recorded: Sequence[tuple[Event, str]]) -> Event | None:
    """The fact that a correction is of, as it stands corrected so far; None where there is none of that version."""
    found = next((fact for fact, _ in recorded[command.version - 1 : command.version]), None)
    for fact, _ in recorded:
        if isinstance(fact, FactCorrected) and fact.corrected_version == command.version:
            found = fact.fact
    return found


def _refuse_own_proposal(proposal_id: object, principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    """A compensation that names no proposal may rest on any of the complaint's."""
    proposals = [(fact, by) for fact, by in _as_stated_and_corrected(recorded) if isinstance(fact, SolutionProposed)]
    own = [fact for fact, by in proposals if _same(by, principal) or _same(fact.proposed_by, principal)]
    if any(proposal_id is None or str(fact.proposal_id) == str(proposal_id) for fact in own):
        raise ApproverIsRequester(principal)


def _as_stated_and_corrected(recorded: Sequence[tuple[Event, str]]) -> Iterator[tuple[Event, str]]:
    """Each fact as it was recorded and as it was corrected: who corrected a proposal proposes it too."""
    for fact, by in recorded:
        yield (fact.fact if isinstance(fact, FactCorrected) else fact), by


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
