"""What the rules know of one complaint, folded from its facts. Nothing here refuses or decides.

`evolve` takes any recorded fact: the log is history even when the rules change. An annulment or a
correction folds anew what then stands, so a state never holds traces of what was taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

from ledger.changed import changed
from ledger.complaint.events import (
    AmendmentDeclined,
    AmendmentProposed,
    AutomaticReplySent,
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReassigned,
    ComplaintReceived,
    ComplaintRegistered,
    ComplaintRegraded,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWithdrawn,
    ContactNoted,
    EvidenceProvided,
    FactAnnulled,
    FactCorrected,
    FindingMade,
    FirstReplySent,
    FurtherEvent,
    InvestigationClosed,
    InvestigationStarted,
    OutcomeDisputed,
    OutcomeStated,
    ProposalAccepted,
    ProposalDeclined,
    ReplySent,
    SatisfactionRated,
    SolutionProposed,
    known_event,
)
from ledger.complaint.further_state import evidence_provided, further_applied, handled_by
from ledger.complaint.moving import (
    AppraisalEnded,
    AppraisalStarted,
    ComplaintMerged,
    ComplaintRuledOut,
    ComplaintTransferred,
    DeadlineExtended,
    GroupRecognised,
    HoldingResponseSent,
    NewFactsReceived,
)
from ledger.complaint.picture import Appraisal, Complaint, Investigation, Merger, Proposal, Resolution

__all__ = ["Complaint", "Investigation", "Proposal", "Resolution"]  # what is asked for here and made there


NOTHING = Complaint()
"""The complaint of which nothing is recorded."""


def fold(events: Iterable[ComplaintEvent], complaint: Complaint = NOTHING) -> Complaint:
    """The complaint after further recorded facts. Total: no fact is ever refused here.

    Cost: one step a fact; where one of them is an amendment, one step for each fact of the stream.
    """
    further = tuple(events)
    recorded = (*complaint.recorded, *further)
    if any(isinstance(event, FactAnnulled | FactCorrected) for event in further):
        complaint = NOTHING
        further = tuple(fact for _, fact in effective(recorded))
    for fact in further:
        complaint = applied(complaint, fact)
    return changed(complaint, recorded=recorded)


def evolve(complaint: Complaint, event: ComplaintEvent) -> Complaint:
    """The complaint after one more recorded fact."""
    return fold((event,), complaint)


def effective(events: Sequence[ComplaintEvent]) -> list[tuple[int, ComplaintEvent]]:
    """What stands of a whole stream: (version, fact), annulled facts left out, corrected ones replaced.

    A corrected fact keeps its version and its place. Annulling and correcting facts are left out, and so are the
    proposals that they carry out.
    """
    facts: dict[int, ComplaintEvent] = {}
    for version, event in enumerate(events, start=1):
        if isinstance(event, FactAnnulled):
            facts.pop(event.annulled_version, None)
            facts.pop(event.proposed_version or 0, None)
        elif isinstance(event, FactCorrected):
            if event.corrected_version in facts:  # an annulled fact stays annulled
                facts[event.corrected_version] = event.fact
            facts.pop(event.proposed_version or 0, None)
        else:
            facts[version] = event
    return list(facts.items())


def applied(complaint: Complaint, event: ComplaintEvent) -> Complaint:  # noqa: C901, PLR0912 - one case an event
    """The complaint with one fact that stands, `recorded` untouched."""
    fact = known_event(event)
    if isinstance(fact, FurtherEvent):
        return further_applied(complaint, fact)
    match fact:
        case ComplaintReceived():
            return changed(complaint, customer_id=fact.customer_id, received_at=fact.received_at)
        case ComplaintRegistered():
            return changed(complaint, reference=fact.reference)
        case FirstReplySent():
            return changed(complaint, first_replied_at=fact.sent_at)
        case ComplaintClassified():  # and ComplaintReclassified, which is one
            return changed(complaint, classification=fact)
        case ComplaintGraded() | ComplaintRegraded():
            return changed(complaint, grade=fact)
        case ComplaintAssigned() | ComplaintReassigned():
            return changed(complaint, assignment=fact, handlers=handled_by(complaint, fact.assignee))
        case InvestigationStarted() | FindingMade() | InvestigationClosed():
            lead = fact.lead if isinstance(fact, InvestigationStarted) else None
            handlers = handled_by(complaint, lead)
            return changed(complaint, investigations=_investigations(complaint, fact), handlers=handlers)
        case EvidenceProvided():
            return evidence_provided(complaint, fact)
        case SolutionProposed() | ProposalAccepted() | ProposalDeclined():
            return changed(complaint, proposals=_proposals(complaint, fact))
        case ComplaintResolved():
            decided = {**complaint.resolutions, fact.resolution_id: Resolution(fact.resolved_at)}
            decided_by = handled_by(complaint, fact.resolved_by)
            return changed(complaint, resolutions=decided, resolution_id=fact.resolution_id, handlers=decided_by)
        case ReplySent():
            told = _told(complaint, fact)
            return changed(complaint, resolutions=told, reply_ids=complaint.reply_ids | {fact.reply_id})
        case SatisfactionRated():
            return changed(complaint, resolutions=_rated(complaint, fact))
        case ComplaintClosed():
            return changed(complaint, closed_at=fact.closed_at)
        case ComplaintReopened():
            again = changed(complaint, resolution_id=None, closed_at=None, ruled_out_at=None, merger=None)
            return changed(again, reopened_at=fact.reopened_at, check=None, archived_at=None)
        case ComplaintWithdrawn():
            return changed(complaint, withdrawn_at=fact.withdrawn_at)
        case OutcomeStated():
            return changed(complaint, outcome_stated=True)
        case ComplaintTransferred():
            return changed(complaint, transfers=_transfers(complaint, fact))
        case AppraisalStarted() | AppraisalEnded():
            return changed(complaint, appraisals=_appraisals(complaint, fact))
        case ComplaintRuledOut():
            return changed(complaint, ruled_out_at=fact.ruled_out_at)
        case ComplaintMerged():
            return changed(complaint, merger=Merger(fact.into_complaint_id, fact.merged_at))
        case AutomaticReplySent() | ContactNoted() | OutcomeDisputed():
            return complaint  # no rule reads them
        case DeadlineExtended() | NewFactsReceived() | HoldingResponseSent() | GroupRecognised():
            return complaint  # deadlines read them, and no rule
        case AmendmentProposed() | AmendmentDeclined():
            return complaint  # the rules look them up in what is recorded
        case FactAnnulled() | FactCorrected():
            return complaint  # `effective` has taken them into account
        case _:
            assert_never(fact)


def _investigations(
    complaint: Complaint, fact: InvestigationStarted | FindingMade | InvestigationClosed
) -> Mapping[UUID, Investigation]:
    known = complaint.investigations.get(fact.investigation_id)
    if isinstance(fact, InvestigationStarted):
        now = Investigation(fact.started_at, fact.started_at)
    elif known is None:
        return complaint.investigations
    elif isinstance(fact, FindingMade):
        now = changed(known, latest_at=max(known.latest_at, fact.made_at))
    else:
        now = changed(known, closed=True)
    return {**complaint.investigations, fact.investigation_id: now}


def _proposals(
    complaint: Complaint, fact: SolutionProposed | ProposalAccepted | ProposalDeclined
) -> Mapping[UUID, Proposal]:
    known = complaint.proposals.get(fact.proposal_id)
    if isinstance(fact, SolutionProposed):
        now = Proposal(fact.proposed_at)
    elif known is None:
        return complaint.proposals
    else:
        now = changed(known, answered=True)
    return {**complaint.proposals, fact.proposal_id: now}


def _transfers(complaint: Complaint, fact: ComplaintTransferred) -> Mapping[tuple[str, str], datetime]:
    if fact.body_reference is None:
        return complaint.transfers
    return {**complaint.transfers, (fact.body, fact.body_reference): fact.received_at}


def _appraisals(complaint: Complaint, fact: AppraisalStarted | AppraisalEnded) -> Mapping[UUID, Appraisal]:
    known = complaint.appraisals.get(fact.appraisal_id)
    if isinstance(fact, AppraisalStarted):
        now = Appraisal(fact.started_at)
    elif known is None:
        return complaint.appraisals
    else:
        now = changed(known, ended=True)
    return {**complaint.appraisals, fact.appraisal_id: now}


def _told(complaint: Complaint, fact: ReplySent) -> Mapping[UUID, Resolution]:
    known = complaint.resolutions.get(fact.resolution_id)
    if known is None:
        return complaint.resolutions
    first = fact.sent_at if known.replied_at is None else min(known.replied_at, fact.sent_at)
    return {**complaint.resolutions, fact.resolution_id: changed(known, replied_at=first)}


def _rated(complaint: Complaint, fact: SatisfactionRated) -> Mapping[UUID, Resolution]:
    known = complaint.resolutions.get(fact.resolution_id)
    if known is None:
        return complaint.resolutions
    return {**complaint.resolutions, fact.resolution_id: changed(known, rated=True)}
