"""What a command does to a complaint: the facts it leads to, `[]`, or a refusal. No clock, no ids made.

`[]` means: already so. It answers a retry (a fact of the same content stands) and a change to what
already is. Of personal values only digests are known here, so words are never taken for a retry:
they are recorded again or refused. A caller who repeats words uses the same idempotency key.
What may follow what stands in `ledger.complaint.guards`.
"""

from typing import Any, TypeAlias, assert_never

from ledger.complaint.amendments import annul, correct
from ledger.complaint.approvals import approved, decline, extend, regrade
from ledger.complaint.commands import (
    AcceptProposal,
    AnnulFact,
    ApproveAmendment,
    AssignComplaint,
    ClassifyComplaint,
    CloseComplaint,
    CloseInvestigation,
    ComplaintCommand,
    CorrectFact,
    DeclineAmendment,
    DeclineProposal,
    DisputeOutcome,
    EndAppraisal,
    ExtendDeadline,
    GradeComplaint,
    MakeFinding,
    MergeComplaint,
    NoteAutomaticReply,
    NoteContact,
    ProposeSolution,
    ProvideEvidence,
    RateSatisfaction,
    ReceiveComplaint,
    ReceiveNewFacts,
    ReceiveTransfer,
    RecogniseGroup,
    RegisterComplaint,
    ReopenComplaint,
    ResolveComplaint,
    RuleOutComplaint,
    SendFirstReply,
    SendHoldingResponse,
    SendReply,
    StartAppraisal,
    StartInvestigation,
    StateOutcome,
    WithdrawComplaint,
    known_command,
)
from ledger.complaint.ending_commands import TakeInRepeat
from ledger.complaint.events import (
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
    InvestigationClosed,
    InvestigationStarted,
    OutcomeDisputed,
    OutcomeStated,
    ProposalAccepted,
    ProposalDeclined,
    ReplySent,
    SatisfactionRated,
    SolutionProposed,
)
from ledger.complaint.further_rules import FurtherCommand, added, of_the_file, stated_by, within_the_limits
from ledger.complaint.guards import may_follow
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
    AlreadyReceived,
    ComplaintNotFound,
    DepartmentMissing,
    IdTaken,
    MergedIntoItself,
    NothingToChange,
    NothingToReply,
    ReasonMissing,
    RepeatOfItself,
    RoutedElsewhere,
)
from ledger.complaint.state import Complaint, effective
from ledger.complaint.stated import in_known_codes, not_from_the_future, stated, states_the_same
from ledger.given import Given

Facts = list[ComplaintEvent]


def decide(complaint: Complaint, command: ComplaintCommand, given: Given) -> Facts:  # noqa: C901, PLR0912 - one case a command
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise.

    Cost: proportional to the number of facts of this complaint.
    """
    asked = known_command(command)
    if complaint.version == 0 and not isinstance(asked, ReceiveComplaint):
        raise ComplaintNotFound(asked.complaint_id)
    if isinstance(asked, Moving):
        return _move(complaint, asked, given)
    if isinstance(asked, FurtherCommand):
        return _further(complaint, asked, given)
    match asked:
        case ReceiveComplaint():
            return _receive(complaint, asked, given)
        case RegisterComplaint():
            return _record(ComplaintRegistered, complaint, asked, given)
        case NoteAutomaticReply():
            return _record(AutomaticReplySent, complaint, asked, given)
        case NoteContact():
            return _record(ContactNoted, complaint, asked, given)
        case SendFirstReply():
            return _record(FirstReplySent, complaint, asked, given)
        case ClassifyComplaint():
            return _classify(complaint, asked, given)
        case GradeComplaint():
            return _grade(complaint, asked, given)
        case AssignComplaint():
            return _assign(complaint, asked, given)
        case StartInvestigation():
            return _record(InvestigationStarted, complaint, asked, given)
        case ProvideEvidence():
            of_file = of_the_file(complaint, asked, given)
            return _record(EvidenceProvided, complaint, asked, given, **of_file)
        case MakeFinding():
            return _record(FindingMade, complaint, asked, given)
        case CloseInvestigation():
            return _record(InvestigationClosed, complaint, asked, given)
        case ProposeSolution():
            return _record(SolutionProposed, complaint, asked, given)
        case AcceptProposal():
            return _record(ProposalAccepted, complaint, asked, given)
        case DeclineProposal():
            return _record(ProposalDeclined, complaint, asked, given)
        case ResolveComplaint():
            return _record(ComplaintResolved, complaint, asked, given)
        case SendReply():
            return _send_reply(complaint, asked, given)
        case RateSatisfaction():
            return _record(SatisfactionRated, complaint, asked, given)
        case CloseComplaint():
            return _record(ComplaintClosed, complaint, asked, given)
        case ReopenComplaint():
            return _record(ComplaintReopened, complaint, asked, given)
        case WithdrawComplaint():
            return _record(ComplaintWithdrawn, complaint, asked, given)
        case StateOutcome():
            return _state_outcome(complaint, asked, given)
        case DisputeOutcome():
            return _record(OutcomeDisputed, complaint, asked, given)
        case AnnulFact():
            return annul(complaint, asked, given)
        case CorrectFact():
            return correct(complaint, asked, given)
        case ApproveAmendment():
            return _approve(complaint, asked, given)
        case DeclineAmendment():
            return decline(complaint, asked, given)
        case _:
            assert_never(asked)


def _receive(complaint: Complaint, command: ReceiveComplaint, given: Given) -> Facts:
    if _stands(complaint, command, ComplaintReceived):
        return []
    if complaint.version > 0:
        raise AlreadyReceived(command.complaint_id)
    return _admitted(complaint, stated(ComplaintReceived, command, command.customer_id), given)


def _record(
    event: type[ComplaintEvent], complaint: Complaint, command: ComplaintCommand, given: Given, **more: Any
) -> Facts:
    if _stands(complaint, command, event):
        return []
    return _new(event, complaint, command, given, **more)


def _further(complaint: Complaint, asked: FurtherCommand, given: Given) -> Facts:
    """The facts of the stages, each of one command; the program adds what it knows itself."""
    if isinstance(asked, TakeInRepeat) and asked.repeat_complaint_id == asked.complaint_id:
        raise RepeatOfItself(asked.complaint_id)
    event = stated_by(asked)
    return _record(event, complaint, asked, given, **added(event, complaint, given))


def _classify(complaint: Complaint, command: ClassifyComplaint, given: Given) -> Facts:
    if _stands(complaint, command, ComplaintClassified, ComplaintReclassified):
        return []
    present = complaint.classification
    if present is None:
        if command.reason is not None:
            raise NothingToChange("classification", "reason")
        return _new(ComplaintClassified, complaint, command, given, tables_version=_version(given))
    terms = ("scheme", "category", "product", "sub_product", "issue", "sub_issue", "cause")
    if all(getattr(present, term) == getattr(command, term) for term in terms):
        return _already("classification", command.reason)
    if command.reason is None:
        raise ReasonMissing("classification")
    return _new(ComplaintReclassified, complaint, command, given, tables_version=_version(given))


def _version(given: Given) -> int | None:
    """The version of the tables in force; None while none were published, and the built-in ones hold."""
    return given.tables.version or None


def _grade(complaint: Complaint, command: GradeComplaint, given: Given) -> Facts:
    if _stands(complaint, command, ComplaintGraded, ComplaintRegraded):
        return []
    present = complaint.grade
    if present is None:
        return _new(ComplaintGraded, complaint, command, given)
    if (present.grade, present.urgent) == (command.grade, command.urgent):
        return _already("grade", command.reason)
    if command.reason is None:
        raise ReasonMissing("grade")
    return _proposed(complaint, regrade(complaint, command, given), given)


def _assign(complaint: Complaint, command: AssignComplaint, given: Given) -> Facts:
    category = None if complaint.classification is None else complaint.classification.category
    routed = None if category is None else given.tables.routes.get(category)
    if command.department is None:
        if routed is None:
            raise DepartmentMissing(category)
        return _assign(complaint, command.model_copy(update={"department": routed}), given)
    if _stands(complaint, command, ComplaintAssigned, ComplaintReassigned):
        return []
    version = given.tables.version if routed is not None else None
    present = complaint.assignment
    if present is None:
        elsewhere = routed is not None and routed != command.department
        if elsewhere and command.reason is None:
            assert category is not None, "what is routed has a category"
            assert routed is not None, "and a department"
            raise RoutedElsewhere(category, routed, given.tables.version)
        if command.reason is not None and not elsewhere:
            raise NothingToChange("assignment", "reason")
        return _new(ComplaintAssigned, complaint, command, given, routing_version=version)
    if (present.department, present.assignee) == (command.department, command.assignee):
        return _already("assignment", command.reason)
    if command.reason is None:
        raise ReasonMissing("assignment")
    return _new(ComplaintReassigned, complaint, command, given)


def _already(what: str, reason: str | None) -> Facts:
    """The answer to a change to what already is: nothing is recorded, and a reason must not be lost in silence."""
    if reason is not None:
        raise NothingToChange(what, "reason")
    return []


def _send_reply(complaint: Complaint, command: SendReply, given: Given) -> Facts:
    if command.reply_id in complaint.reply_ids:
        raise IdTaken("reply_id", command.reply_id)
    if complaint.resolution_id is None:
        raise NothingToReply
    return _new(ReplySent, complaint, command, given, resolution_id=complaint.resolution_id)


def _state_outcome(complaint: Complaint, command: StateOutcome, given: Given) -> Facts:
    said = [fact for _, fact in effective(complaint.recorded) if isinstance(fact, OutcomeStated)]
    latest = next((fact for fact in reversed(said) if fact.source == command.source), None)
    if latest is not None and states_the_same(latest, command):
        return []  # without a time, only the latest word of a source tells a retry from a change of mind
    return _new(OutcomeStated, complaint, command, given)


Moving: TypeAlias = (
    ReceiveTransfer
    | ExtendDeadline
    | StartAppraisal
    | EndAppraisal
    | ReceiveNewFacts
    | SendHoldingResponse
    | RuleOutComplaint
    | RecogniseGroup
    | MergeComplaint
)


def _move(complaint: Complaint, asked: Moving, given: Given) -> Facts:
    """The facts by which a deadline begins, moves or ends."""
    match asked:
        case ReceiveTransfer():
            return _record(ComplaintTransferred, complaint, asked, given)
        case ExtendDeadline():
            if asked.to_be_approved:
                return _proposed(complaint, extend(complaint, asked, given), given)
            return _record(DeadlineExtended, complaint, asked, given)
        case StartAppraisal():
            return _record(AppraisalStarted, complaint, asked, given)
        case EndAppraisal():
            return _record(AppraisalEnded, complaint, asked, given)
        case ReceiveNewFacts():
            return _record(NewFactsReceived, complaint, asked, given)
        case SendHoldingResponse():
            return _record(HoldingResponseSent, complaint, asked, given)
        case RuleOutComplaint():
            return _record(ComplaintRuledOut, complaint, asked, given)
        case RecogniseGroup():
            return _record(GroupRecognised, complaint, asked, given)
        case MergeComplaint():
            return _merge(complaint, asked, given)
        case _:
            assert_never(asked)


def _merge(complaint: Complaint, command: MergeComplaint, given: Given) -> Facts:
    if command.into_complaint_id == command.complaint_id:
        raise MergedIntoItself(command.complaint_id)
    return _record(ComplaintMerged, complaint, command, given)


def _stands(complaint: Complaint, command: ComplaintCommand, *events: type[ComplaintEvent]) -> bool:
    """Whether what the command states is recorded and was not annulled, corrected since or not."""
    return any(
        type(form) in events and states_the_same(form, command)
        for version, fact in effective(complaint.recorded)
        for form in (fact, complaint.recorded[version - 1])
    )


def _new(
    event: type[ComplaintEvent], complaint: Complaint, command: ComplaintCommand, given: Given, **more: Any
) -> Facts:
    assert complaint.customer_id is not None, "a complaint that was received has a customer"
    return _admitted(complaint, stated(event, command, complaint.customer_id, **more), given)


def _approve(complaint: Complaint, command: ApproveAmendment, given: Given) -> Facts:
    fact = approved(complaint, command, given)
    return [fact] if isinstance(fact, FactAnnulled | FactCorrected) else _admitted(complaint, fact, given)


def _proposed(complaint: Complaint, proposal: AmendmentProposed, given: Given) -> Facts:
    """A proposal, if what it proposes could be recorded now."""
    _admitted(complaint, proposal.fact, given)
    return [proposal]


def _admitted(complaint: Complaint, fact: ComplaintEvent, given: Given) -> Facts:
    not_from_the_future(fact, given.now)
    in_known_codes(fact, given.tables)
    may_follow(complaint, fact)
    within_the_limits(fact, given)
    return [fact]
