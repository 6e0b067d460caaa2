"""What the rules know of one complaint, folded from its facts. Nothing here refuses or decides.

`evolve` takes any recorded fact: the log is history even when the rules change. An annulment or a
correction folds anew what then stands, so a state never holds traces of what was taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, assert_never
from uuid import UUID

from ledger.complaint.events import (
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

GradeFact: TypeAlias = ComplaintGraded | ComplaintRegraded
AssignmentFact: TypeAlias = ComplaintAssigned | ComplaintReassigned


@dataclass(frozen=True)
class Investigation:
    """An investigation; `latest_at` is its start or its latest finding, before which it cannot end."""

    started_at: datetime
    latest_at: datetime
    closed: bool = False


@dataclass(frozen=True)
class Proposal:
    """A solution that was put to the customer."""

    proposed_at: datetime
    answered: bool = False


@dataclass(frozen=True)
class Resolution:
    """A decision; `replied_at` is when the customer was first told."""

    resolved_at: datetime
    replied_at: datetime | None = None
    rated: bool = False


@dataclass(frozen=True)
class Appraisal:
    """An outside appraisal."""

    started_at: datetime
    ended: bool = False


@dataclass(frozen=True)
class Merger:
    """The complaint with which this one is handled, and since when."""

    into_complaint_id: UUID
    merged_at: datetime


@dataclass(frozen=True)
class Complaint:
    """One complaint as the rules see it; `Complaint()` is one of which nothing is recorded.

    `recorded` holds every fact as it was recorded, version 1 first, annulled ones too.
    """

    recorded: tuple[ComplaintEvent, ...] = field(default=(), repr=False)
    customer_id: UUID | None = None
    received_at: datetime | None = None
    reference: str | None = None
    first_replied_at: datetime | None = None
    classification: ComplaintClassified | None = None
    grade: GradeFact | None = None
    assignment: AssignmentFact | None = None
    investigations: Mapping[UUID, Investigation] = field(default_factory=dict)
    evidence_ids: frozenset[UUID] = frozenset()
    proposals: Mapping[UUID, Proposal] = field(default_factory=dict)
    resolutions: Mapping[UUID, Resolution] = field(default_factory=dict)
    resolution_id: UUID | None = None
    reply_ids: frozenset[UUID] = frozenset()
    outcome_stated: bool = False
    reopened_at: datetime | None = None
    withdrawn_at: datetime | None = None
    transfers: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    appraisals: Mapping[UUID, Appraisal] = field(default_factory=dict)
    ruled_out_at: datetime | None = None
    merger: Merger | None = None
    closed_at: datetime | None = None

    @property
    def version(self) -> int:
        """The version of the latest fact; 0 when there is none."""
        return len(self.recorded)

    @property
    def resolution(self) -> Resolution | None:
        """The decision that stands; none before the first and after a reopening."""
        return None if self.resolution_id is None else self.resolutions.get(self.resolution_id)


def fold(events: Iterable[ComplaintEvent], complaint: Complaint = Complaint()) -> Complaint:
    """The complaint after further recorded facts. Total: no fact is ever refused here.

    Cost: one step a fact; where one of them is an amendment, one step for each fact of the stream.
    """
    further = tuple(events)
    recorded = (*complaint.recorded, *further)
    if any(isinstance(event, FactAnnulled | FactCorrected) for event in further):
        complaint = Complaint()
        further = tuple(fact for _, fact in effective(recorded))
    for fact in further:
        complaint = applied(complaint, fact)
    return replace(complaint, recorded=recorded)


def evolve(complaint: Complaint, event: ComplaintEvent) -> Complaint:
    """The complaint after one more recorded fact."""
    return fold((event,), complaint)


def effective(events: Sequence[ComplaintEvent]) -> list[tuple[int, ComplaintEvent]]:
    """What stands of a whole stream: (version, fact), annulled facts left out, corrected ones replaced.

    A corrected fact keeps its version and its place. Annulling and correcting facts are left out.
    """
    facts: dict[int, ComplaintEvent] = {}
    for version, event in enumerate(events, start=1):
        if isinstance(event, FactAnnulled):
            facts.pop(event.annulled_version, None)
        elif isinstance(event, FactCorrected):
            if event.corrected_version in facts:  # an annulled fact stays annulled
                facts[event.corrected_version] = event.fact
        else:
            facts[version] = event
    return list(facts.items())


def applied(complaint: Complaint, event: ComplaintEvent) -> Complaint:  # noqa: C901, PLR0912 - one case an event
    """The complaint with one fact that stands, `recorded` untouched."""
    fact = known_event(event)
    match fact:
        case ComplaintReceived():
            return replace(complaint, customer_id=fact.customer_id, received_at=fact.received_at)
        case ComplaintRegistered():
            return replace(complaint, reference=fact.reference)
        case FirstReplySent():
            return replace(complaint, first_replied_at=fact.sent_at)
        case ComplaintClassified():  # and ComplaintReclassified, which is one
            return replace(complaint, classification=fact)
        case ComplaintGraded() | ComplaintRegraded():
            return replace(complaint, grade=fact)
        case ComplaintAssigned() | ComplaintReassigned():
            return replace(complaint, assignment=fact)
        case InvestigationStarted() | FindingMade() | InvestigationClosed():
            return replace(complaint, investigations=_investigations(complaint, fact))
        case EvidenceProvided():
            return replace(complaint, evidence_ids=complaint.evidence_ids | {fact.evidence_id})
        case SolutionProposed() | ProposalAccepted() | ProposalDeclined():
            return replace(complaint, proposals=_proposals(complaint, fact))
        case ComplaintResolved():
            decided = {**complaint.resolutions, fact.resolution_id: Resolution(fact.resolved_at)}
            return replace(complaint, resolutions=decided, resolution_id=fact.resolution_id)
        case ReplySent():
            told = _told(complaint, fact)
            return replace(complaint, resolutions=told, reply_ids=complaint.reply_ids | {fact.reply_id})
        case SatisfactionRated():
            return replace(complaint, resolutions=_rated(complaint, fact))
        case ComplaintClosed():
            return replace(complaint, closed_at=fact.closed_at)
        case ComplaintReopened():
            again = replace(complaint, resolution_id=None, closed_at=None, ruled_out_at=None, merger=None)
            return replace(again, reopened_at=fact.reopened_at)
        case ComplaintWithdrawn():
            return replace(complaint, withdrawn_at=fact.withdrawn_at)
        case OutcomeStated():
            return replace(complaint, outcome_stated=True)
        case ComplaintTransferred():
            return replace(complaint, transfers=_transfers(complaint, fact))
        case AppraisalStarted() | AppraisalEnded():
            return replace(complaint, appraisals=_appraisals(complaint, fact))
        case ComplaintRuledOut():
            return replace(complaint, ruled_out_at=fact.ruled_out_at)
        case ComplaintMerged():
            return replace(complaint, merger=Merger(fact.into_complaint_id, fact.merged_at))
        case AutomaticReplySent() | ContactNoted() | OutcomeDisputed():
            return complaint  # no rule reads them
        case DeadlineExtended() | NewFactsReceived() | HoldingResponseSent() | GroupRecognised():
            return complaint  # deadlines read them, and no rule
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
        now = replace(known, latest_at=max(known.latest_at, fact.made_at))
    else:
        now = replace(known, closed=True)
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
        now = replace(known, answered=True)
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
        now = replace(known, ended=True)
    return {**complaint.appraisals, fact.appraisal_id: now}


def _told(complaint: Complaint, fact: ReplySent) -> Mapping[UUID, Resolution]:
    known = complaint.resolutions.get(fact.resolution_id)
    if known is None:
        return complaint.resolutions
    first = fact.sent_at if known.replied_at is None else min(known.replied_at, fact.sent_at)
    return {**complaint.resolutions, fact.resolution_id: replace(known, replied_at=first)}


def _rated(complaint: Complaint, fact: SatisfactionRated) -> Mapping[UUID, Resolution]:
    known = complaint.resolutions.get(fact.resolution_id)
    if known is None:
        return complaint.resolutions
    return {**complaint.resolutions, fact.resolution_id: replace(known, rated=True)}
