"""Four eyes by who was known to the service, not by a name in a request. Pure: it is told who asks, and who recorded what.

The rules of a subject compare the names that a fact states; here the same lines are held for the persons behind them.
Who proposed an amendment is in the proposal itself, and compared in `ledger.complaint.approvals`.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from ledger.access.refusals import ApproverIsRequester, NotInAnothersName
from ledger.command import Command, asking_fields
from ledger.complaint.aftercare import HandlingReviewed
from ledger.complaint.commands import ApproveAmendment
from ledger.complaint.ending_commands import ApproveCompensation, DecideEscalation, ReviewHandling
from ledger.complaint.events import (
    Amendment,
    AmendmentProposed,
    ComplaintEvent,
    ComplaintResolved,
    FactCorrected,
    FindingMade,
    InvestigationClosed,
    InvestigationStarted,
    ReplySent,
    SolutionProposed,
)
from ledger.complaint.refusals import DeciderIsEscalator, ReviewerHandledIt
from ledger.complaint.settlement import CompensationApproved, ComplaintEscalated, EscalationDecided
from ledger.complaint.state import effective
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
    return isinstance(command, ApproveCompensation | DecideEscalation | ReviewHandling | ApproveAmendment)


def refuse_own_work(command: Command, principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    """Refuses who approves what he proposed, decides what he submitted, or reviews what he handled.

    `recorded` is the complaint's stream, version 1 first, each fact with who recorded it. To approve that an approval, a
    decision or a review be corrected or annulled is to approve, decide or review.
    """
    match command:
        case ApproveCompensation():
            _refuse_own_proposal(command.proposal_id, principal, recorded)
        case DecideEscalation():
            _refuse_own_escalation(command.escalation_id, principal, recorded)
        case ReviewHandling():
            _refuse_own_handling(principal, recorded)
        case ApproveAmendment():
            for fact in _amended(command, recorded):
                match fact:
                    case CompensationApproved():
                        _refuse_own_proposal(fact.proposal_id, principal, recorded)
                    case EscalationDecided():
                        _refuse_own_escalation(fact.escalation_id, principal, recorded)
                    case HandlingReviewed():
                        _refuse_own_handling(principal, recorded)
                    case _:
                        pass
        case _:
            pass


def rank_stated(command: Command, recorded: Sequence[tuple[Event, str]]) -> str | None:
    """The rank by which a command approves, or by which it leaves approved what it corrects; None where it names none."""
    rank = getattr(command, "approver_rank", None)
    if rank is None and isinstance(command, ApproveAmendment):
        corrected = _compensation_in(command, recorded)
        rank = None if corrected is None else corrected.approver_rank
    return rank if isinstance(rank, str) else None


def _compensation_in(command: ApproveAmendment, recorded: Sequence[tuple[Event, str]]) -> CompensationApproved | None:
    """The approval of a compensation as it would stand corrected; None where another thing is proposed, or nothing."""
    for proposed, _ in recorded[command.proposed_version - 1 : command.proposed_version]:
        if isinstance(proposed, AmendmentProposed) and proposed.amendment is Amendment.CORRECTION:
            return proposed.fact if isinstance(proposed.fact, CompensationApproved) else None
    return None


def _amended(command: ApproveAmendment, recorded: Sequence[tuple[Event, str]]) -> Iterator[Event]:
    """The fact as the amendment would have it or take it away, and, where it replaces one, as that one stands now."""
    for proposed, _ in recorded[command.proposed_version - 1 : command.proposed_version]:
        if isinstance(proposed, AmendmentProposed):
            yield proposed.fact
            facts = [cast("ComplaintEvent", fact) for fact, _ in recorded]
            yield from (fact for version, fact in effective(facts) if version == proposed.amended_version)


def _refuse_own_proposal(proposal_id: object, principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    """A compensation that names no proposal may rest on any of the complaint's."""
    proposals = [(fact, by) for fact, by in _as_stated_and_corrected(recorded) if isinstance(fact, SolutionProposed)]
    own = [fact for fact, by in proposals if _same(by, principal) or _same(fact.proposed_by, principal)]
    if any(proposal_id is None or str(fact.proposal_id) == str(proposal_id) for fact in own):
        raise ApproverIsRequester(principal)


def _refuse_own_escalation(escalation_id: object, principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    submitted = [(fact, by) for fact, by in _as_stated_and_corrected(recorded) if isinstance(fact, ComplaintEscalated)]
    own = [fact for fact, by in submitted if _same(by, principal) or _same(fact.escalated_by, principal)]
    if any(str(fact.escalation_id) == str(escalation_id) for fact in own):
        raise DeciderIsEscalator(principal)


def _refuse_own_handling(principal: str, recorded: Sequence[tuple[Event, str]]) -> None:
    if any(isinstance(fact, HANDLING) and _same(by, principal) for fact, by in _as_stated_and_corrected(recorded)):
        raise ReviewerHandledIt(principal)


def _as_stated_and_corrected(recorded: Sequence[tuple[Event, str]]) -> Iterator[tuple[Event, str]]:
    """Each fact as it was recorded and as it was corrected: it is of who wrote the correction, and of who approved it."""
    for fact, by in recorded:
        if isinstance(fact, FactCorrected):
            yield fact.fact, by
            yield fact.fact, fact.corrected_by
        else:
            yield fact, by


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
