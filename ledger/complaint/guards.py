"""What may follow what in a complaint: one guard list for each fact. Nothing here makes a fact.

`may_follow` is asked twice: when a command wants a new fact, and when an annulment or a correction
changes what later facts stand on. So a guard reads the state and the fact, never the command or the
clock. Guards compare when things happened: a fact that is recorded late is judged by its own time.
"""

from typing import TypeAlias, assert_never

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
    ComplaintReclassified,
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
    happened_at,
    known_event,
)
from ledger.complaint.further_guards import further_may_follow
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
from ledger.complaint.refusals import (
    AlreadyMerged,
    AlreadyRated,
    AlreadyRegistered,
    AlreadyResolved,
    AlreadyRuledOut,
    AmountIncomplete,
    AppraisalHasEnded,
    AppraisalUnknown,
    ApproverIsAuthor,
    ComplaintIsClosed,
    FirstReplyAlreadySent,
    IdTaken,
    NothingOpen,
    NothingToChange,
    NothingToClose,
    NothingToDispute,
    NothingToReopen,
    NothingToReply,
    NotRepliedYet,
    ProposalAnswered,
    ProposalUnknown,
    ResultWasTold,
    TransferAlreadyReceived,
)
from ledger.complaint.state import Complaint, Proposal


def may_follow(complaint: Complaint, event: ComplaintEvent) -> None:  # noqa: C901, PLR0912, PLR0915 - one case a fact
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_event(event)
    if isinstance(fact, FurtherEvent):
        further_may_follow(complaint, fact)
        return
    if isinstance(fact, Moving):
        _moved(complaint, fact)
        return
    match fact:
        case ComplaintReceived():
            amount_with_currency(fact, "amount_in_dispute_minor")
        case ContactNoted() | OutcomeStated():
            pass  # a conversation or another body's word is taken whenever it comes
        case AutomaticReplySent():
            while_handled(complaint, fact)
        case ComplaintRegistered():
            _registered(complaint, fact)
        case FirstReplySent():
            _first_reply_sent(complaint, fact)
        case ComplaintClassified():
            _classified(complaint, fact)
        case ComplaintGraded() | ComplaintRegraded():
            _graded(complaint, fact)
        case ComplaintAssigned() | ComplaintReassigned():
            _assigned(complaint, fact)
        case InvestigationStarted():
            _investigation_started(complaint, fact)
        case EvidenceProvided():
            _evidence_provided(complaint, fact)
        case FindingMade():
            _finding_made(complaint, fact)
        case InvestigationClosed():
            _investigation_closed(complaint, fact)
        case SolutionProposed():
            _solution_proposed(complaint, fact)
        case ProposalAccepted() | ProposalDeclined():
            _proposal_answered(complaint, fact)
        case ComplaintResolved():
            _resolved(complaint, fact)
        case ReplySent():
            _reply_sent(complaint, fact)
        case SatisfactionRated():
            _satisfaction_rated(complaint, fact)
        case ComplaintClosed():
            _closed(complaint, fact)
        case ComplaintReopened():
            _reopened(complaint, fact)
        case ComplaintWithdrawn():
            _withdrawn(complaint, fact)
        case OutcomeDisputed():
            _outcome_disputed(complaint, fact)
        case AmendmentProposed() | AmendmentDeclined() | FactAnnulled() | FactCorrected():
            pass  # `ledger.complaint.amendments` decides on them
        case _:
            assert_never(fact)


def _registered(complaint: Complaint, fact: ComplaintRegistered) -> None:
    while_handled(complaint, fact)
    if complaint.reference is not None:
        raise AlreadyRegistered(complaint.reference)


def _first_reply_sent(complaint: Complaint, fact: FirstReplySent) -> None:
    while_handled(complaint, fact)
    if complaint.first_replied_at is not None:
        raise FirstReplyAlreadySent(complaint.first_replied_at)


def _classified(complaint: Complaint, fact: ComplaintClassified) -> None:
    while_handled(complaint, fact)
    if isinstance(fact, ComplaintReclassified) and complaint.classification is None:
        raise NothingToChange("classification", "reason")


def _graded(complaint: Complaint, fact: ComplaintGraded | ComplaintRegraded) -> None:
    while_handled(complaint, fact)
    if isinstance(fact, ComplaintGraded):
        return
    if complaint.grade is None:
        raise NothingToChange("grade", "reason")
    if same_person(fact.approved_by, fact.graded_by):
        raise ApproverIsAuthor("graded_by")


def _assigned(complaint: Complaint, fact: ComplaintAssigned | ComplaintReassigned) -> None:
    while_handled(complaint, fact)
    unconcerned(complaint, "assignee", fact.assignee)
    if isinstance(fact, ComplaintReassigned) and complaint.assignment is None:
        raise NothingToChange("assignment", "reason")


def _investigation_started(complaint: Complaint, fact: InvestigationStarted) -> None:
    while_handled(complaint, fact)
    if fact.investigation_id in complaint.investigations:
        raise IdTaken("investigation_id", fact.investigation_id)
    unconcerned(complaint, "lead", fact.lead)


def _evidence_provided(complaint: Complaint, fact: EvidenceProvided) -> None:
    while_handled(complaint, fact)
    if fact.evidence_id in complaint.evidence_ids:
        raise IdTaken("evidence_id", fact.evidence_id)
    asked = complaint.evidence_requests
    if fact.evidence_request_id is not None:
        if fact.evidence_request_id not in asked:
            raise NothingOpen("evidence_request_id", fact.evidence_request_id, tuple(asked))
        not_before(fact, "the evidence was asked for", asked[fact.evidence_request_id].since)


def _finding_made(complaint: Complaint, fact: FindingMade) -> None:
    while_handled(complaint, fact)
    investigation = open_investigation(complaint, fact.investigation_id)
    not_before(fact, "the investigation started", investigation.started_at)


def _investigation_closed(complaint: Complaint, fact: InvestigationClosed) -> None:
    while_handled(complaint, fact)
    investigation = open_investigation(complaint, fact.investigation_id)
    not_before(fact, "the investigation's latest finding or start", investigation.latest_at)


def _solution_proposed(complaint: Complaint, fact: SolutionProposed) -> None:
    while_handled(complaint, fact)
    if fact.proposal_id in complaint.proposals:
        raise IdTaken("proposal_id", fact.proposal_id)
    amount_with_currency(fact, "compensation_minor")
    if fact.compensation_minor is not None and fact.compensation_kind is None:
        raise AmountIncomplete("compensation_minor", "compensation_kind")


def _proposal_answered(complaint: Complaint, fact: ProposalAccepted | ProposalDeclined) -> None:
    while_handled(complaint, fact)
    proposal: Proposal | None = complaint.proposals.get(fact.proposal_id)
    if proposal is None:
        raise ProposalUnknown(fact.proposal_id, tuple(complaint.proposals))
    if proposal.answered:
        raise ProposalAnswered(fact.proposal_id)
    not_before(fact, "the solution was proposed", proposal.proposed_at)


def _resolved(complaint: Complaint, fact: ComplaintResolved) -> None:
    while_handled(complaint, fact)
    if fact.resolution_id in complaint.resolutions:
        raise IdTaken("resolution_id", fact.resolution_id)
    if complaint.resolution_id is not None:
        raise AlreadyResolved(complaint.resolution_id)
    not_before(fact, "the complaint was reopened", complaint.reopened_at)


def _reply_sent(complaint: Complaint, fact: ReplySent) -> None:
    while_handled(complaint, fact)
    if complaint.resolution_id is None:
        raise NothingToReply
    if fact.reply_id in complaint.reply_ids:
        raise IdTaken("reply_id", fact.reply_id)
    not_before(fact, "the complaint was resolved", of_resolution(complaint, fact.resolution_id).resolved_at)


def _satisfaction_rated(complaint: Complaint, fact: SatisfactionRated) -> None:
    unless_withdrawn(complaint)
    resolution = of_resolution(complaint, fact.resolution_id)
    if resolution.replied_at is None:
        raise NotRepliedYet(fact.resolution_id)
    if resolution.rated:
        raise AlreadyRated(fact.resolution_id)
    not_before(fact, "the reply was sent", resolution.replied_at)


def _closed(complaint: Complaint, fact: ComplaintClosed) -> None:
    if complaint.closed_at is not None:
        raise ComplaintIsClosed(complaint.closed_at)
    if complaint.withdrawn_at is not None:
        not_before(fact, "the withdrawal", complaint.withdrawn_at)
        return
    if complaint.ruled_out_at is not None:
        not_before(fact, "it was found to be no complaint", complaint.ruled_out_at)
        return
    if complaint.merger is not None:
        not_before(fact, "the merging", complaint.merger.merged_at)
        return
    if complaint.resolution is None or complaint.resolution.replied_at is None:
        raise NothingToClose
    not_before(fact, "the reply was sent", complaint.resolution.replied_at)


def _reopened(complaint: Complaint, fact: ComplaintReopened) -> None:
    unless_withdrawn(complaint)
    replied_at = None if complaint.resolution is None else complaint.resolution.replied_at
    if replied_at is None and complaint.closed_at is None:
        raise NothingToReopen
    not_before(fact, "the customer was told", replied_at)
    not_before(fact, "the complaint was closed", complaint.closed_at)


def _withdrawn(complaint: Complaint, fact: ComplaintWithdrawn) -> None:
    unless_withdrawn(complaint)
    if complaint.closed_at is not None:
        raise ComplaintIsClosed(complaint.closed_at)
    while_handled(complaint, fact)


def _outcome_disputed(complaint: Complaint, fact: OutcomeDisputed) -> None:
    unless_withdrawn(complaint)
    if not complaint.resolutions and not complaint.outcome_stated:
        raise NothingToDispute
    not_before_the_receipt(complaint, fact)


Moving: TypeAlias = (
    ComplaintTransferred
    | DeadlineExtended
    | AppraisalStarted
    | AppraisalEnded
    | NewFactsReceived
    | HoldingResponseSent
    | ComplaintRuledOut
    | ComplaintMerged
    | GroupRecognised
)


def _moved(complaint: Complaint, fact: Moving) -> None:
    """The facts by which a deadline begins, moves or ends."""
    match fact:
        case ComplaintTransferred():
            _transferred(complaint, fact)
        case DeadlineExtended():
            _deadline_extended(complaint, fact)
        case AppraisalStarted():
            _appraisal_started(complaint, fact)
        case AppraisalEnded():
            _appraisal_ended(complaint, fact)
        case NewFactsReceived() | HoldingResponseSent():
            _before_the_result(complaint, fact)
        case ComplaintRuledOut():
            _ruled_out(complaint, fact)
        case ComplaintMerged():
            _merged(complaint, fact)
        case GroupRecognised():
            while_handled(complaint, fact)
        case _:
            assert_never(fact)


def _transferred(complaint: Complaint, fact: ComplaintTransferred) -> None:
    """A body may pass on a complaint that is closed or withdrawn; what must not count twice is one transfer."""
    not_before_the_receipt(complaint, fact)
    if fact.body_reference is not None and (fact.body, fact.body_reference) in complaint.transfers:
        raise TransferAlreadyReceived(fact.body, complaint.transfers[fact.body, fact.body_reference])


def _deadline_extended(complaint: Complaint, fact: DeadlineExtended) -> None:
    while_handled(complaint, fact)
    if fact.approved_by is not None and same_person(fact.approved_by, fact.extended_by):
        raise ApproverIsAuthor("extended_by")


def _appraisal_started(complaint: Complaint, fact: AppraisalStarted) -> None:
    while_handled(complaint, fact)
    if fact.appraisal_id in complaint.appraisals:
        raise IdTaken("appraisal_id", fact.appraisal_id)


def _appraisal_ended(complaint: Complaint, fact: AppraisalEnded) -> None:
    while_handled(complaint, fact)
    appraisal = complaint.appraisals.get(fact.appraisal_id)
    if appraisal is None:
        raise AppraisalUnknown(fact.appraisal_id, tuple(complaint.appraisals))
    if appraisal.ended:
        raise AppraisalHasEnded(fact.appraisal_id)
    not_before(fact, "the appraisal started", appraisal.started_at)


def _before_the_result(complaint: Complaint, fact: NewFactsReceived | HoldingResponseSent) -> None:
    while_handled(complaint, fact)
    at, replied_at = happened_at(fact), None if complaint.resolution is None else complaint.resolution.replied_at
    if at is not None and replied_at is not None and at > replied_at:
        raise ResultWasTold(replied_at)


def _ruled_out(complaint: Complaint, fact: ComplaintRuledOut) -> None:
    while_handled(complaint, fact)
    if complaint.ruled_out_at is not None:
        raise AlreadyRuledOut(complaint.ruled_out_at)


def _merged(complaint: Complaint, fact: ComplaintMerged) -> None:
    while_handled(complaint, fact)
    if complaint.merger is not None:
        raise AlreadyMerged(complaint.merger.into_complaint_id)
