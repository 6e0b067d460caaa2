"""How the facts of the stages change what the rules know of a complaint; `ledger.complaint.state` folds the others.

Total: no fact is ever refused here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from uuid import UUID

from ledger.changed import changed
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
    EmergencyStepTaken,
)
from ledger.complaint.events import EvidenceProvided, FurtherEvent
from ledger.complaint.inquiry import (
    AssistanceGiven,
    AssistanceRequested,
    EvidenceRequested,
    InquiryEvent,
    PreliminaryCheckMade,
    RootCauseFound,
)
from ledger.complaint.picture import Check, Complaint, Emergency, Opened
from ledger.complaint.settlement import (
    CompensationApproved,
    CompensationProvided,
    ComplaintEscalated,
    EscalationDecided,
    NegotiationHeld,
    SettlementEvent,
    WrittenNoticeSent,
)

COMPLAINED_ABOUT = "complained-about"
"""Why the person complained about stands aside: a code of the table `interest`."""


def further_applied(complaint: Complaint, fact: FurtherEvent) -> Complaint:
    """The complaint with one more fact of a stage that stands."""
    if isinstance(fact, ConcernedEvent):
        return _concerned(complaint, fact)
    if isinstance(fact, EmergencyEvent):
        return _emergency(complaint, fact)
    if isinstance(fact, InquiryEvent):
        return _inquiry(complaint, fact)
    if isinstance(fact, SettlementEvent):
        return _settlement(complaint, fact)
    return _aftercare(complaint, fact)


def handled_by(complaint: Complaint, *staff: str | None) -> frozenset[str]:
    """Who had a part in the handling, with these members of staff."""
    return complaint.handlers | {one.casefold() for one in staff if one is not None}


def evidence_provided(complaint: Complaint, fact: EvidenceProvided) -> Complaint:
    """Evidence on file, and the request for it answered."""
    with_it = changed(complaint, evidence_ids=complaint.evidence_ids | {fact.evidence_id})
    if fact.evidence_request_id is None:
        return with_it
    return changed(with_it, evidence_requests=_over(complaint.evidence_requests, fact.evidence_request_id))


def _concerned(complaint: Complaint, fact: ConcernedEvent) -> Complaint:
    match fact:
        case RepresentativeNamed():
            return changed(
                complaint, representatives=_opened(complaint.representatives, fact.representative_id, fact.named_at)
            )
        case RepresentationEnded():
            return changed(complaint, representatives=_over(complaint.representatives, fact.representative_id))
        case PersonComplainedAbout():
            known = changed(complaint, person_ids=complaint.person_ids | {fact.person_id})
            if fact.staff is None:
                return known
            return changed(known, concerned={**complaint.concerned, fact.staff.casefold(): COMPLAINED_ABOUT})
        case InterestDeclared():
            return changed(complaint, concerned={**complaint.concerned, fact.staff.casefold(): fact.interest})
        case InvestigationTeamFormed():
            return changed(complaint, handlers=handled_by(complaint, fact.lead, *fact.members))
        case _:
            assert_never(fact)


def _emergency(complaint: Complaint, fact: EmergencyEvent) -> Complaint:
    if isinstance(fact, EmergencyStarted):
        return _with(complaint, fact.emergency_id, Emergency(fact.started_at, fact.started_at))
    known = complaint.emergencies.get(fact.emergency_id)
    if known is None:
        return complaint
    match fact:
        case EmergencyStepTaken():
            latest_at = max(known.latest_at, fact.taken_at)
            return _with(
                complaint,
                fact.emergency_id,
                changed(known, steps=known.steps | {fact.step}, latest_at=latest_at),
            )
        case EmergencyEnded():
            return _with(complaint, fact.emergency_id, changed(known, ended_at=fact.ended_at))
        case EmergencyReviewed():
            return complaint  # no rule reads it
        case _:
            assert_never(fact)


def _with(complaint: Complaint, emergency_id: UUID, emergency: Emergency) -> Complaint:
    return changed(complaint, emergencies={**complaint.emergencies, emergency_id: emergency})


def _inquiry(complaint: Complaint, fact: InquiryEvent) -> Complaint:
    match fact:
        case EvidenceRequested():
            requests = _opened(complaint.evidence_requests, fact.evidence_request_id, fact.requested_at)
            return changed(complaint, evidence_requests=requests)
        case AssistanceRequested():
            assistance = _opened(complaint.assistance, fact.assistance_id, fact.requested_at)
            return changed(complaint, assistance=assistance, handlers=handled_by(complaint, fact.assistant))
        case AssistanceGiven():
            return changed(complaint, assistance=_over(complaint.assistance, fact.assistance_id))
        case PreliminaryCheckMade() | RootCauseFound():
            return complaint  # no rule reads them
        case _:
            assert_never(fact)


def _settlement(complaint: Complaint, fact: SettlementEvent) -> Complaint:
    match fact:
        case CompensationApproved():
            approved = _opened(complaint.compensations, fact.compensation_id, fact.approved_at)
            return changed(complaint, compensations=approved)
        case CompensationProvided():
            return changed(complaint, compensations=_over(complaint.compensations, fact.compensation_id))
        case ComplaintEscalated():
            escalation = Opened(fact.escalated_at, by=fact.escalated_by)
            return changed(complaint, escalations={**complaint.escalations, fact.escalation_id: escalation})
        case EscalationDecided():
            return changed(complaint, escalations=_over(complaint.escalations, fact.escalation_id))
        case WrittenNoticeSent():
            return changed(complaint, notice_ids=complaint.notice_ids | {fact.notice_id})
        case NegotiationHeld():
            return complaint  # no rule reads it
        case _:
            assert_never(fact)


def _aftercare(complaint: Complaint, fact: AftercareEvent) -> Complaint:
    match fact:
        case ProceedingsOpened():
            opened = _opened(complaint.proceedings, fact.proceedings_id, fact.opened_at)
            return changed(complaint, proceedings=opened)
        case ProceedingsEnded():
            return changed(complaint, proceedings=_over(complaint.proceedings, fact.proceedings_id))
        case RepeatTakenIn():
            return changed(complaint, repeat_ids=complaint.repeat_ids | {fact.repeat_complaint_id})
        case CompletenessChecked():
            missing = tuple(dict.fromkeys((*fact.missing, *fact.lacking)))
            return changed(complaint, check=Check(fact.checked_at, missing))
        case ComplaintArchived():
            return changed(complaint, archived_at=fact.archived_at)
        case FollowUpCallMade() | HandlingReviewed() | RelationshipRepaired():
            return complaint  # no rule reads them
        case _:
            assert_never(fact)


def _opened(known: Mapping[UUID, Opened], key: UUID, since: datetime) -> Mapping[UUID, Opened]:
    return {**known, key: Opened(since)}


def _over(known: Mapping[UUID, Opened], key: UUID) -> Mapping[UUID, Opened]:
    return {**known, key: changed(known[key], over=True)} if key in known else known
