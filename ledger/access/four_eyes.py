"""Four eyes by who was known to the service, not by a name in a request. Pure: it is told who asks, and who recorded what.

The rules of a subject compare the names that a fact states; here the same lines are held for the persons behind them.
"""

from collections.abc import Iterable

from ledger.access.refusals import ApproverIsRequester, NotInAnothersName
from ledger.command import Command, asking_fields
from ledger.complaint.ending_commands import ApproveCompensation, ReviewHandling
from ledger.complaint.events import (
    ComplaintResolved,
    FindingMade,
    InvestigationClosed,
    InvestigationStarted,
    ReplySent,
    SolutionProposed,
)
from ledger.complaint.refusals import ReviewerHandledIt
from ledger.event import Event

SECOND_EYES = ("approved_by", "reviewed_by")
"""The fields in which a command names who approves or reviews."""

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
    return isinstance(command, ApproveCompensation | ReviewHandling)


def refuse_own_work(command: Command, principal: str, recorded: Iterable[tuple[Event, str]]) -> None:
    """Refuses who approves what he proposed, or reviews what he handled; each fact comes with who recorded it."""
    match command:
        case ApproveCompensation():
            proposals = [(fact, by) for fact, by in recorded if isinstance(fact, SolutionProposed)]
            for fact, by in proposals:
                if fact.proposal_id == command.proposal_id and (
                    _same(by, principal) or _same(fact.proposed_by, principal)
                ):
                    raise ApproverIsRequester(principal)
        case ReviewHandling():
            if any(isinstance(fact, HANDLING) and _same(by, principal) for fact, by in recorded):
                raise ReviewerHandledIt(principal)
        case _:
            pass


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
