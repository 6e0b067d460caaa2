"""What may follow what among the facts of the stages; `ledger.complaint.guards` has the others. Nothing here makes a fact.

A guard reads the state and the fact, never the command, a table or the clock.
"""

from collections.abc import Mapping
from typing import assert_never
from uuid import UUID

from ledger.complaint.aftercare import (
    AftercareEvent,
    ComplaintArchived,
    CompletenessChecked,
    FollowUpCallMade,
    HandlingReviewed,
    ProceedingsEnded,
    ProceedingsOpened,
    RelationshipRepaired,
    RepeatTakenIn,
)
from ledger.complaint.concerned import (
    ConcernedEvent,
    InterestDeclared,
    InvestigationTeamFormed,
    PersonComplainedAbout,
    RepresentationEnded,
    RepresentativeNamed,
)
from ledger.complaint.emergency import (
    EmergencyEnded,
    EmergencyEvent,
    EmergencyReviewed,
    EmergencyStarted,
    EmergencyStep,
    EmergencyStepTaken,
)
from ledger.complaint.events import ComplaintEvent, FurtherEvent
from ledger.complaint.grounds import (
    amount_with_currency,
    not_before,
    not_before_the_receipt,
    of_resolution,
    open_investigation,
    same_person,
    unconcerned,
    unless_withdrawn,
    while_handled,
)
from ledger.complaint.inquiry import (
    AssistanceGiven,
    AssistanceRequested,
    EvidenceRequested,
    InquiryEvent,
    PreliminaryCheckMade,
    RootCauseFound,
)
from ledger.complaint.picture import Complaint, Emergency, Opened
from ledger.complaint.refusals import (
    AlreadyArchived,
    AlreadyMerged,
    ApproverIsAuthor,
    DeciderIsEscalator,
    EmergencyNotEnded,
    EmergencyRuns,
    EmergencyStepMissing,
    EvidenceUnknown,
    FileIncomplete,
    FileNotChecked,
    IdTaken,
    NotClosedYet,
    NothingOpen,
    NothingToReview,
    NotRepliedYet,
    NotUrgent,
    ProposalUnknown,
    ReviewerHandledIt,
)
from ledger.complaint.settlement import (
    CompensationApproved,
    CompensationProvided,
    ComplaintEscalated,
    EscalationDecided,
    NegotiationHeld,
    SettlementEvent,
    WrittenNoticeSent,
)


def further_may_follow(complaint: Complaint, fact: FurtherEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    if isinstance(fact, ConcernedEvent):
        _concerned(complaint, fact)
    elif isinstance(fact, EmergencyEvent):
        _emergency(complaint, fact)
    elif isinstance(fact, InquiryEvent):
        _inquiry(complaint, fact)
    elif isinstance(fact, SettlementEvent):
        _settlement(complaint, fact)
    else:
        _aftercare(complaint, fact)


def _concerned(complaint: Complaint, fact: ConcernedEvent) -> None:
    while_handled(complaint, fact)
    match fact:
        case RepresentativeNamed():
            _new_id(complaint.representatives, "representative_id", fact.representative_id)
            _on_file(complaint, "authorisation_evidence_id", fact.authorisation_evidence_id)
        case RepresentationEnded():
            _ends(complaint.representatives, "representative_id", fact.representative_id, fact, "he was named")
        case PersonComplainedAbout():
            if fact.person_id in complaint.person_ids:
                raise IdTaken("person_id", fact.person_id)
        case InterestDeclared():
            pass  # whoever must stand aside says so whenever he finds out
        case InvestigationTeamFormed():
            unconcerned(complaint, "lead", fact.lead)
            for member in fact.members:
                unconcerned(complaint, "members", member)
            if fact.investigation_id is not None:
                open_investigation(complaint, fact.investigation_id)
        case _:
            assert_never(fact)


BEFORE: Mapping[EmergencyStep, EmergencyStep] = {
    EmergencyStep.RISK_ASSESSED: EmergencyStep.RISK_FOUND,
    EmergencyStep.DECIDED: EmergencyStep.RISK_ASSESSED,
    EmergencyStep.MEASURES_TAKEN: EmergencyStep.DECIDED,
}
"""The step on which each step stands."""


def _emergency(complaint: Complaint, fact: EmergencyEvent) -> None:
    match fact:
        case EmergencyStarted():
            _emergency_started(complaint, fact)
        case EmergencyStepTaken():
            running = _running_emergency(complaint, fact)
            before = BEFORE.get(fact.step)
            if before is not None and before not in running.steps:
                raise EmergencyStepMissing(fact.step.value, before.value)
        case EmergencyEnded():
            if EmergencyStep.MEASURES_TAKEN not in _running_emergency(complaint, fact).steps:
                raise EmergencyStepMissing("the end", EmergencyStep.MEASURES_TAKEN.value)
        case EmergencyReviewed():
            known = complaint.emergencies.get(fact.emergency_id)
            if known is None or known.ended_at is None:
                raise EmergencyNotEnded(fact.emergency_id)
            not_before(fact, "the emergency procedure ended", known.ended_at)
        case _:
            assert_never(fact)


def _emergency_started(complaint: Complaint, fact: EmergencyStarted) -> None:
    while_handled(complaint, fact)
    if complaint.grade is None or not complaint.grade.urgent:
        raise NotUrgent
    _new_id(complaint.emergencies, "emergency_id", fact.emergency_id)
    for emergency_id, emergency in complaint.emergencies.items():
        if emergency.ended_at is None:
            raise EmergencyRuns(emergency_id)


def _running_emergency(complaint: Complaint, fact: EmergencyStepTaken | EmergencyEnded) -> Emergency:
    running = {key: each for key, each in complaint.emergencies.items() if each.ended_at is None}
    if fact.emergency_id not in running:
        raise NothingOpen("emergency_id", fact.emergency_id, tuple(running))
    not_before(fact, "the emergency procedure's start or latest step", running[fact.emergency_id].latest_at)
    return running[fact.emergency_id]


def _inquiry(complaint: Complaint, fact: InquiryEvent) -> None:
    while_handled(complaint, fact)
    match fact:
        case PreliminaryCheckMade() | RootCauseFound():
            pass
        case EvidenceRequested():
            _new_id(complaint.evidence_requests, "evidence_request_id", fact.evidence_request_id)
        case AssistanceRequested():
            _new_id(complaint.assistance, "assistance_id", fact.assistance_id)
            unconcerned(complaint, "assistant", fact.assistant)
        case AssistanceGiven():
            _ends(complaint.assistance, "assistance_id", fact.assistance_id, fact, "help was asked for")
            for evidence_id in fact.evidence_ids or ():
                _on_file(complaint, "evidence_ids", evidence_id)
        case _:
            assert_never(fact)


def _settlement(complaint: Complaint, fact: SettlementEvent) -> None:
    match fact:
        case NegotiationHeld():
            while_handled(complaint, fact)
            _proposed(complaint, fact.proposal_id)
        case CompensationApproved():
            _compensation_approved(complaint, fact)
        case CompensationProvided():
            _ends(complaint.compensations, "compensation_id", fact.compensation_id, fact, "it was approved")
        case ComplaintEscalated():
            while_handled(complaint, fact)
            _new_id(complaint.escalations, "escalation_id", fact.escalation_id)
        case EscalationDecided():
            while_handled(complaint, fact)
            unconcerned(complaint, "decided_by", fact.decided_by)
            _ends(complaint.escalations, "escalation_id", fact.escalation_id, fact, "it was submitted")
            escalated_by = complaint.escalations[fact.escalation_id].by
            if escalated_by is not None and same_person(fact.decided_by, escalated_by):
                raise DeciderIsEscalator(fact.decided_by)
        case WrittenNoticeSent():
            if fact.notice_id in complaint.notice_ids:
                raise IdTaken("notice_id", fact.notice_id)
            _told(complaint, fact)
        case _:
            assert_never(fact)


def _compensation_approved(complaint: Complaint, fact: CompensationApproved) -> None:
    while_handled(complaint, fact)
    _new_id(complaint.compensations, "compensation_id", fact.compensation_id)
    _proposed(complaint, fact.proposal_id)
    amount_with_currency(fact, "amount_minor")
    unconcerned(complaint, "approved_by", fact.approved_by)
    if same_person(fact.approved_by, fact.requested_by):
        raise ApproverIsAuthor("requested_by")


def _aftercare(complaint: Complaint, fact: AftercareEvent) -> None:
    not_before_the_receipt(complaint, fact)
    match fact:
        case FollowUpCallMade():
            _told(complaint, fact)
        case HandlingReviewed():
            _handling_reviewed(complaint, fact)
        case ProceedingsOpened():
            _new_id(complaint.proceedings, "proceedings_id", fact.proceedings_id)
            amount_with_currency(fact, "claimed_minor")
        case ProceedingsEnded():
            _ends(complaint.proceedings, "proceedings_id", fact.proceedings_id, fact, "they were opened")
            amount_with_currency(fact, "awarded_minor")
        case RepeatTakenIn():  # while it is handled, or after it was closed: a repeat often comes then
            not_before_the_receipt(complaint, fact)
            unless_withdrawn(complaint)
            if complaint.merger is not None:
                raise AlreadyMerged(complaint.merger.into_complaint_id)
            if fact.repeat_complaint_id in complaint.repeat_ids:
                raise IdTaken("repeat_complaint_id", fact.repeat_complaint_id)
        case RelationshipRepaired():
            pass  # whenever it was done, and however the complaint ended
        case CompletenessChecked():
            if complaint.archived_at is not None:
                raise AlreadyArchived(complaint.archived_at)
        case ComplaintArchived():
            _archived(complaint, fact)
        case _:
            assert_never(fact)


def _handling_reviewed(complaint: Complaint, fact: HandlingReviewed) -> None:
    ends = (complaint.withdrawn_at, complaint.ruled_out_at, complaint.closed_at)
    told = any(resolution.replied_at is not None for resolution in complaint.resolutions.values())
    if not told and complaint.merger is None and not complaint.outcome_stated and not any(ends):
        raise NothingToReview
    if fact.reviewed_by.casefold() in complaint.handlers:
        raise ReviewerHandledIt(fact.reviewed_by)
    unconcerned(complaint, "reviewed_by", fact.reviewed_by)


def _archived(complaint: Complaint, fact: ComplaintArchived) -> None:
    if complaint.archived_at is not None:
        raise AlreadyArchived(complaint.archived_at)
    if complaint.closed_at is None:
        raise NotClosedYet
    not_before(fact, "the complaint was closed", complaint.closed_at)
    if complaint.check is None or complaint.check.checked_at < complaint.closed_at:
        raise FileNotChecked
    not_before(fact, "the file was checked", complaint.check.checked_at)
    if complaint.check.missing:
        raise FileIncomplete(complaint.check.missing)


def _told(complaint: Complaint, fact: FollowUpCallMade | WrittenNoticeSent) -> None:
    resolution = of_resolution(complaint, fact.resolution_id)
    if resolution.replied_at is None:
        raise NotRepliedYet(fact.resolution_id)
    not_before(fact, "the reply was sent", resolution.replied_at)


def _proposed(complaint: Complaint, proposal_id: UUID | None) -> None:
    if proposal_id is not None and proposal_id not in complaint.proposals:
        raise ProposalUnknown(proposal_id, tuple(complaint.proposals))


def _on_file(complaint: Complaint, field: str, evidence_id: UUID | None) -> None:
    if evidence_id is not None and evidence_id not in complaint.evidence_ids:
        raise EvidenceUnknown(field, evidence_id, tuple(sorted(complaint.evidence_ids)))


def _new_id(known: Mapping[UUID, object], field: str, given: UUID) -> None:
    if given in known:
        raise IdTaken(field, given)


def _ends(known: Mapping[UUID, Opened], field: str, given: UUID, fact: ComplaintEvent, what: str) -> None:
    """Refuses the end of what did not begin, has ended, or began later."""
    running = {key: each for key, each in known.items() if not each.over}
    if given not in running:
        raise NothingOpen(field, given, tuple(running))
    not_before(fact, what, running[given].since)
