"""What the commands of the stages state, and what the program adds of its own; `ledger.complaint.rules` admits it.

Pure: what is added follows from the state and from the tables that the rule is given.
"""

from typing import Any, TypeAlias, assert_never

from ledger.complaint import aftercare, concerned, emergency, inquiry, settlement
from ledger.complaint import ending_commands as end
from ledger.complaint import handling_commands as handle
from ledger.complaint.aftercare import CompletenessChecked
from ledger.complaint.ending_commands import EndingCommand
from ledger.complaint.events import (
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintEvent,
    ComplaintReclassified,
    ComplaintRegraded,
    EvidenceProvided,
    Grade,
)
from ledger.complaint.handling_commands import HandlingCommand
from ledger.complaint.moving import DeadlineExtended
from ledger.complaint.picture import Complaint
from ledger.complaint.refusals import BeyondTheLimit, FileUnknown
from ledger.complaint.settlement import CompensationApproved
from ledger.given import Given

FurtherCommand: TypeAlias = HandlingCommand | EndingCommand


def stated_by(asked: FurtherCommand) -> type[ComplaintEvent]:
    """The kind of fact that a command states."""
    if isinstance(asked, HandlingCommand):
        return _in_handling(asked)
    return _in_ending(asked)


def _in_handling(asked: HandlingCommand) -> type[ComplaintEvent]:  # noqa: C901, PLR0912 - one case a command
    match asked:
        case handle.NameRepresentative():
            return concerned.RepresentativeNamed
        case handle.EndRepresentation():
            return concerned.RepresentationEnded
        case handle.NamePersonComplainedAbout():
            return concerned.PersonComplainedAbout
        case handle.DeclareInterest():
            return concerned.InterestDeclared
        case handle.FormInvestigationTeam():
            return concerned.InvestigationTeamFormed
        case handle.StartEmergency():
            return emergency.EmergencyStarted
        case handle.TakeEmergencyStep():
            return emergency.EmergencyStepTaken
        case handle.EndEmergency():
            return emergency.EmergencyEnded
        case handle.ReviewEmergency():
            return emergency.EmergencyReviewed
        case handle.MakePreliminaryCheck():
            return inquiry.PreliminaryCheckMade
        case handle.RequestEvidence():
            return inquiry.EvidenceRequested
        case handle.RequestAssistance():
            return inquiry.AssistanceRequested
        case handle.GiveAssistance():
            return inquiry.AssistanceGiven
        case handle.FindRootCause():
            return inquiry.RootCauseFound
        case _:
            assert_never(asked)


def _in_ending(asked: EndingCommand) -> type[ComplaintEvent]:  # noqa: C901, PLR0912 - one case a command
    match asked:
        case end.HoldNegotiation():
            return settlement.NegotiationHeld
        case end.ApproveCompensation():
            return settlement.CompensationApproved
        case end.ProvideCompensation():
            return settlement.CompensationProvided
        case end.EscalateComplaint():
            return settlement.ComplaintEscalated
        case end.DecideEscalation():
            return settlement.EscalationDecided
        case end.SendWrittenNotice():
            return settlement.WrittenNoticeSent
        case end.MakeFollowUpCall():
            return aftercare.FollowUpCallMade
        case end.ReviewHandling():
            return aftercare.HandlingReviewed
        case end.OpenProceedings():
            return aftercare.ProceedingsOpened
        case end.EndProceedings():
            return aftercare.ProceedingsEnded
        case end.TakeInRepeat():
            return aftercare.RepeatTakenIn
        case end.RepairRelationship():
            return aftercare.RelationshipRepaired
        case end.CheckCompleteness():
            return aftercare.CompletenessChecked
        case end.ArchiveComplaint():
            return aftercare.ComplaintArchived
        case _:
            assert_never(asked)


def added(event: type[ComplaintEvent], complaint: Complaint, given: Given) -> dict[str, Any]:
    """What the program itself says in a fact of that kind, beside what its command states."""
    if event is CompletenessChecked:
        return {"lacking": lacking(complaint)}
    if event is CompensationApproved and given.tables.limits is not None:
        return {"tables_version": given.tables.version}
    return {}


COMPUTED: dict[type[ComplaintEvent], frozenset[str]] = {
    CompletenessChecked: frozenset({"lacking"}),
    CompensationApproved: frozenset({"tables_version"}),
    ComplaintClassified: frozenset({"tables_version"}),
    ComplaintReclassified: frozenset({"tables_version"}),
    ComplaintAssigned: frozenset({"routing_version"}),
    ComplaintRegraded: frozenset({"approved_by", "proposed_version"}),
    DeadlineExtended: frozenset({"approved_by", "approver_rank", "proposed_version"}),
    EvidenceProvided: frozenset({"file_id", "file_digest", "size_bytes", "content_type"}),
}
"""What the program says of itself in a fact, or somebody's leave, and nobody corrects by hand."""


def within_the_limits(fact: ComplaintEvent, given: Given) -> None:
    """Refuses a compensation above what its approver's rank may approve, by the limits in force, if there are any."""
    if not isinstance(fact, CompensationApproved) or fact.amount_minor is None or given.tables.limits is None:
        return
    assert fact.currency is not None, "an amount has a currency"
    most = given.tables.limits.get((fact.approver_rank or "", fact.currency), 0)
    if fact.amount_minor > most:
        raise BeyondTheLimit(fact.approver_rank, fact.currency, most)


def of_the_file(complaint: Complaint, asked: Any, given: Given) -> dict[str, Any]:
    """What is known of the file that a command cites; refuses one that was not taken in for this complaint."""
    if asked.file_id is None:
        return {}
    file = given.files.get(asked.file_id)
    if file is None or (file.complaint_id, file.subject_id) != (asked.complaint_id, complaint.customer_id):
        raise FileUnknown(asked.file_id)
    return {"file_digest": file.digest, "size_bytes": file.size_bytes, "content_type": file.content_type}


def lacking(complaint: Complaint) -> tuple[str, ...]:
    """The parts of a complete file that the record itself does not have: codes of the table `file-part`.

    What ended without a decision (withdrawn, no complaint, merged, ended elsewhere) needs its registration only.
    """
    ended_otherwise = any((complaint.withdrawn_at, complaint.ruled_out_at, complaint.merger, complaint.outcome_stated))
    grave = complaint.grade is not None and complaint.grade.grade is not Grade.GENERAL
    decided = complaint.resolution is not None or not ended_otherwise
    parts = {
        "registration": complaint.reference is not None,
        "classification": complaint.classification is not None or not decided,
        "grade": complaint.grade is not None or not decided,
        "assignment": complaint.assignment is not None or not decided,
        "investigation": bool(complaint.investigations) or not (decided and grave),
        "resolution": complaint.resolution is not None or not decided,
        "reply": (complaint.resolution is not None and complaint.resolution.replied_at is not None) or not decided,
        "compensation": all(each.over for each in complaint.compensations.values()),
    }
    return tuple(part for part, there in parts.items() if not there)
