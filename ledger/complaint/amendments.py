"""Taking back and correcting what was recorded. The record itself keeps what was known before.

Both are proposed by one person and carried out by leave of another (`ledger.complaint.approvals`), and
neither may pull the ground from under a later fact: the history is checked again with the change, by the
same guards as every new fact, and the later versions that could not stand any more are named. What broke
a rule before (a fact of an import, say) is left be.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from ledger.complaint import aftercare, commands, concerned, emergency, events, inquiry, moving, settlement
from ledger.complaint import ending_commands as end
from ledger.complaint import handling_commands as handle
from ledger.complaint.commands import AnnulFact, ComplaintCommand, CorrectFact
from ledger.complaint.events import (
    COMPLAINT_NAMES,
    Amendment,
    AmendmentDeclined,
    AmendmentProposed,
    ComplaintEvent,
    ComplaintReceived,
    FactAnnulled,
    FactCorrected,
    happened_at,
)
from ledger.complaint.further_rules import COMPUTED, within_the_limits
from ledger.complaint.grounds import not_before, not_before_the_receipt
from ledger.complaint.guards import may_follow
from ledger.complaint.refusals import (
    AmendmentIsFinal,
    FactIsAnnulled,
    FieldFixed,
    FieldUnknown,
    LaterFactsStandOnIt,
    NoSuchFact,
    ReceiptStays,
    ValueNotUnderstood,
    ValuesToGiveAgain,
)
from ledger.complaint.state import Complaint, applied, effective
from ledger.complaint.stated import in_known_codes, not_from_the_future, personal_names, states_the_same
from ledger.event import Personal
from ledger.given import Given
from ledger.refusal import Refusal

STATED_BY: Mapping[type[ComplaintEvent], type[ComplaintCommand]] = {
    events.ComplaintReceived: commands.ReceiveComplaint,
    events.ComplaintRegistered: commands.RegisterComplaint,
    events.AutomaticReplySent: commands.NoteAutomaticReply,
    events.ContactNoted: commands.NoteContact,
    events.FirstReplySent: commands.SendFirstReply,
    events.ComplaintClassified: commands.ClassifyComplaint,
    events.ComplaintReclassified: commands.ClassifyComplaint,
    events.ComplaintGraded: commands.GradeComplaint,
    events.ComplaintRegraded: commands.GradeComplaint,
    events.ComplaintAssigned: commands.AssignComplaint,
    events.ComplaintReassigned: commands.AssignComplaint,
    events.InvestigationStarted: commands.StartInvestigation,
    events.EvidenceProvided: commands.ProvideEvidence,
    events.FindingMade: commands.MakeFinding,
    events.InvestigationClosed: commands.CloseInvestigation,
    events.SolutionProposed: commands.ProposeSolution,
    events.ProposalAccepted: commands.AcceptProposal,
    events.ProposalDeclined: commands.DeclineProposal,
    events.ComplaintResolved: commands.ResolveComplaint,
    events.ReplySent: commands.SendReply,
    events.SatisfactionRated: commands.RateSatisfaction,
    events.ComplaintClosed: commands.CloseComplaint,
    events.ComplaintReopened: commands.ReopenComplaint,
    events.ComplaintWithdrawn: commands.WithdrawComplaint,
    events.OutcomeStated: commands.StateOutcome,
    events.OutcomeDisputed: commands.DisputeOutcome,
    moving.ComplaintTransferred: commands.ReceiveTransfer,
    moving.DeadlineExtended: commands.ExtendDeadline,
    moving.AppraisalStarted: commands.StartAppraisal,
    moving.AppraisalEnded: commands.EndAppraisal,
    moving.NewFactsReceived: commands.ReceiveNewFacts,
    moving.HoldingResponseSent: commands.SendHoldingResponse,
    moving.ComplaintRuledOut: commands.RuleOutComplaint,
    moving.GroupRecognised: commands.RecogniseGroup,
    moving.ComplaintMerged: commands.MergeComplaint,
    concerned.RepresentativeNamed: handle.NameRepresentative,
    concerned.RepresentationEnded: handle.EndRepresentation,
    concerned.PersonComplainedAbout: handle.NamePersonComplainedAbout,
    concerned.InterestDeclared: handle.DeclareInterest,
    concerned.InvestigationTeamFormed: handle.FormInvestigationTeam,
    emergency.EmergencyStarted: handle.StartEmergency,
    emergency.EmergencyStepTaken: handle.TakeEmergencyStep,
    emergency.EmergencyEnded: handle.EndEmergency,
    emergency.EmergencyReviewed: handle.ReviewEmergency,
    inquiry.PreliminaryCheckMade: handle.MakePreliminaryCheck,
    inquiry.EvidenceRequested: handle.RequestEvidence,
    inquiry.AssistanceRequested: handle.RequestAssistance,
    inquiry.AssistanceGiven: handle.GiveAssistance,
    inquiry.RootCauseFound: handle.FindRootCause,
    settlement.NegotiationHeld: end.HoldNegotiation,
    settlement.CompensationApproved: end.ApproveCompensation,
    settlement.CompensationProvided: end.ProvideCompensation,
    settlement.ComplaintEscalated: end.EscalateComplaint,
    settlement.EscalationDecided: end.DecideEscalation,
    settlement.WrittenNoticeSent: end.SendWrittenNotice,
    aftercare.FollowUpCallMade: end.MakeFollowUpCall,
    aftercare.HandlingReviewed: end.ReviewHandling,
    aftercare.ProceedingsOpened: end.OpenProceedings,
    aftercare.ProceedingsEnded: end.EndProceedings,
    aftercare.RepeatTakenIn: end.TakeInRepeat,
    aftercare.RelationshipRepaired: end.RepairRelationship,
    aftercare.CompletenessChecked: end.CheckCompleteness,
    aftercare.ComplaintArchived: end.ArchiveComplaint,
}
"""The command that states a fact, and so says which values a correction may give its fields."""

OWN_ID: Mapping[type[ComplaintEvent], str] = {
    events.InvestigationStarted: "investigation_id",
    events.EvidenceProvided: "evidence_id",
    events.SolutionProposed: "proposal_id",
    events.ComplaintResolved: "resolution_id",
    events.ReplySent: "reply_id",
    moving.AppraisalStarted: "appraisal_id",
    concerned.RepresentativeNamed: "representative_id",
    concerned.PersonComplainedAbout: "person_id",
    emergency.EmergencyStarted: "emergency_id",
    inquiry.EvidenceRequested: "evidence_request_id",
    inquiry.AssistanceRequested: "assistance_id",
    settlement.CompensationApproved: "compensation_id",
    settlement.ComplaintEscalated: "escalation_id",
    settlement.WrittenNoticeSent: "notice_id",
    aftercare.ProceedingsOpened: "proceedings_id",
}
"""The id by which other facts, and other books, cite a fact: it stays."""

AMENDING = (AmendmentProposed, AmendmentDeclined, FactAnnulled, FactCorrected)
"""What speaks of other facts, and is itself neither annulled nor corrected."""

Facts = list[tuple[int, ComplaintEvent]]


def annul(complaint: Complaint, command: AnnulFact, given: Given) -> list[ComplaintEvent]:
    """Proposes to declare that a fact never happened; what would be refused then is refused now."""
    fact = _standing_fact(complaint, command.version)
    proposed = proposal(
        complaint,
        Amendment.ANNULMENT,
        fact,
        given,
        amended_version=command.version,
        reason=Personal.clear(command.reason),
        proposed_at=command.proposed_at,
    )
    may_annul(complaint, command.version, proposed, given)
    return [proposed]


def correct(complaint: Complaint, command: CorrectFact, given: Given) -> list[ComplaintEvent]:
    """Proposes to replace a fact by one of the same class with some fields changed; `[]` when it stands so already."""
    fact = _standing_fact(complaint, command.version)
    replaced = _replaced(complaint, fact, command)
    if states_the_same(fact, replaced):
        return []
    replaced = judged_now(replaced, given)
    proposed = proposal(
        complaint,
        Amendment.CORRECTION,
        replaced,
        given,
        customer_id=replaced.customer_id,
        amended_version=command.version,
        reason=Personal.clear(command.reason),
        proposed_at=command.proposed_at,
    )
    may_correct(complaint, command.version, replaced, proposed, given)
    return [proposed]


def proposal(
    complaint: Complaint, amendment: Amendment, fact: ComplaintEvent, given: Given, **more: Any
) -> AmendmentProposed:
    """What somebody asks for: who, the token says. It is the next fact of the complaint, and so cited by its version."""
    assert given.principal, "what takes two people is asked for by somebody who is known"
    said: dict[str, Any] = {
        "customer_id": complaint.customer_id,
        "proposed_version": complaint.version + 1,
        "amendment": amendment,
    }
    return AmendmentProposed(**said | more, name=_name_of(type(fact)), fact=fact, proposed_by=given.principal)


def may_annul(complaint: Complaint, version: int, amending: ComplaintEvent, given: Given) -> None:
    """Refuses to annul a fact by `amending`, its proposal or the annulment itself; a second time too, for its reason may
    be another.
    """
    fact = _standing_fact(complaint, version)
    if isinstance(fact, ComplaintReceived):
        raise ReceiptStays
    not_from_the_future(amending, given.now)
    _not_before_what_it_amends(complaint, amending, fact)
    before = effective(complaint.recorded)
    later = _newly_broken(before, [(place, kept) for place, kept in before if place != version])
    if later:
        raise LaterFactsStandOnIt(version, tuple(later))


def may_correct(
    complaint: Complaint, version: int, replaced: ComplaintEvent, amending: ComplaintEvent, given: Given
) -> None:
    """Refuses to put a fact in another's place by `amending`, the proposal or the correction itself."""
    fact = _standing_fact(complaint, version)
    not_from_the_future(amending, given.now)
    not_from_the_future(replaced, given.now)
    _not_before_what_it_amends(complaint, amending, fact, replaced)
    in_known_codes(replaced, given.tables, instead_of=fact)
    _may_stand_instead(complaint, version, replaced)
    within_the_limits(replaced, given)


def judged_now(replaced: ComplaintEvent, given: Given) -> ComplaintEvent:
    """The fact with the version of the tables of now, by which its codes and limits are judged."""
    if "tables_version" not in type(replaced).model_fields:
        return replaced
    return replaced.model_copy(update={"tables_version": given.tables.version or None})


def _standing_fact(complaint: Complaint, version: int) -> ComplaintEvent:
    """The fact of that version as it stands now; refuses what cannot be annulled or corrected."""
    if version > complaint.version:
        raise NoSuchFact(version, complaint.version)
    if isinstance(complaint.recorded[version - 1], AMENDING):
        raise AmendmentIsFinal(version)
    standing = dict(effective(complaint.recorded)).get(version)
    if standing is None:
        raise FactIsAnnulled(version)
    return standing


def _not_before_what_it_amends(complaint: Complaint, amendment: ComplaintEvent, *facts: ComplaintEvent) -> None:
    """Nothing is taken back or set right before it happened, by what was recorded and by what shall stand."""
    not_before_the_receipt(complaint, amendment)
    for fact in facts:
        not_before(amendment, "the fact that it amends happened", happened_at(fact))


def _replaced(complaint: Complaint, fact: ComplaintEvent, command: CorrectFact) -> ComplaintEvent:
    """The fact with its changes; personal values that are not among them keep their digests.

    A fact that was recorded under another customer than the one the complaint is now known to be of
    passes to that one, so each of its personal values must be given again: it is under the other's key.
    """
    values: dict[str, Any] = {name: getattr(fact, name) for name in type(fact).model_fields}
    values["customer_id"] = complaint.customer_id
    for name, value in command.changes.items():
        values[name] = _new_value(type(fact), command.version, name, value)
    if values["customer_id"] != fact.customer_id:
        kept = [name for name in sorted(personal_names(type(fact))) if values[name] is not None]
        if left := tuple(name for name in kept if name not in command.changes):
            raise ValuesToGiveAgain(left)
    try:
        return type(fact)(**values)
    except ValidationError as error:
        raise _not_understood(None, error) from None


def _new_value(event: type[ComplaintEvent], version: int, name: str, value: JsonValue) -> Any:
    fixed = {OWN_ID.get(event), None if event is ComplaintReceived else "customer_id", *COMPUTED.get(event, ())}
    if name not in event.model_fields:
        raise FieldUnknown(version, tuple(sorted(event.model_fields.keys() - fixed)))
    if name in fixed:
        raise FieldFixed(name)
    try:
        read = _taken_as(event, name).validate_python(value)
    except ValidationError as error:
        raise _not_understood(name, error) from None
    return Personal.clear(read) if read is not None and name in personal_names(event) else read


@cache
def _taken_as(event: type[ComplaintEvent], name: str) -> TypeAdapter[Any]:
    """Reads a new value as the command that states this fact would; an id that it cites as the event does."""
    field = STATED_BY[event].model_fields.get(name) or event.model_fields[name]
    taken: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(taken)


def _not_understood(name: str | None, error: ValidationError) -> ValueNotUnderstood:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return ValueNotUnderstood(name or str(first["loc"][0]), first["msg"])


def _may_stand_instead(complaint: Complaint, version: int, replaced: ComplaintEvent) -> None:
    before = effective(complaint.recorded)
    after = [(place, replaced if place == version else fact) for place, fact in before]
    broken = _newly_broken(before, after)
    if version in broken:
        raise broken[version]
    if broken:
        raise LaterFactsStandOnIt(version, tuple(broken))


def _newly_broken(before: Facts, after: Facts) -> dict[int, Refusal]:
    """The versions that could not stand after a change, and why; those that broke a rule before left out."""
    tolerated = _broken(before, tolerated=[version for version, _ in before])
    broken = _broken(after, tolerated=tolerated)
    return {version: refusal for version, refusal in broken.items() if version not in tolerated}


def _broken(facts: Facts, tolerated: Collection[int]) -> dict[int, Refusal]:
    """Each version that a guard refuses where it stands. What stands on it is judged as if it were not there."""
    complaint, broken = Complaint(), dict[int, Refusal]()
    for version, fact in facts:
        refusal = _refusal(complaint, fact)
        if refusal is not None:
            broken[version] = refusal
        if refusal is None or version in tolerated:
            complaint = applied(complaint, fact)
    return broken


def _refusal(complaint: Complaint, fact: ComplaintEvent) -> Refusal | None:
    try:
        may_follow(complaint, fact)
    except Refusal as refusal:
        return refusal
    return None


def _name_of(event: type[ComplaintEvent]) -> str:
    return next(name for name, named in COMPLAINT_NAMES.items() if named is event)
