"""Facts for the tests of deadlines: one of each kind, at a time that the test states."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Literal, get_args, get_origin
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from ledger.complaint.events import (
    COMPLAINT_NAMES,
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
    Grade,
    InvestigationClosed,
    InvestigationStarted,
    Outcome,
    OutcomeDisputed,
    OutcomeStated,
    ProposalAccepted,
    ProposalDeclined,
    ReplySent,
    SatisfactionRated,
    SolutionProposed,
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
    Unit,
)
from ledger.deadlines.clock import Facts
from ledger.event import Personal

SHANGHAI = ZoneInfo("Asia/Shanghai")

ID = UUID("00000000-0000-4000-8000-000000000001")
WORDS = Personal.recorded("A" * 43)
ABOUT = {"customer_id": ID}


def shanghai(text: str) -> datetime:
    """An instant by the clock on the wall in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def received(at: datetime) -> ComplaintReceived:
    return ComplaintReceived(**ABOUT, received_at=at, received_by="li", channel="phone")


def first_reply(at: datetime) -> FirstReplySent:
    return FirstReplySent(**ABOUT, channel="phone", sent_by="li", sent_at=at)


def reply(at: datetime) -> ReplySent:
    return ReplySent(**ABOUT, reply_id=ID, resolution_id=ID, channel="letter", content=WORDS, sent_by="li", sent_at=at)


def graded(grade: str, at: datetime) -> ComplaintGraded:
    return ComplaintGraded(**ABOUT, grade=Grade(grade), graded_by="li", graded_at=at)


def regraded(grade: str, at: datetime) -> ComplaintRegraded:
    return ComplaintRegraded(
        **ABOUT, grade=Grade(grade), reason=WORDS, graded_by="li", approved_by="wang", graded_at=at
    )


def withdrawn(at: datetime) -> ComplaintWithdrawn:
    return ComplaintWithdrawn(**ABOUT, received_by="li", withdrawn_at=at)


def reopened(at: datetime, *, new_facts: bool = True) -> ComplaintReopened:
    return ComplaintReopened(**ABOUT, reason=WORDS, new_facts=new_facts, reopened_by="li", reopened_at=at)


def stated(*, final: bool) -> OutcomeStated:
    return OutcomeStated(**ABOUT, source="cfpb", outcome="Closed with explanation", final=final, stated_by="import")


def classified(at: datetime) -> ComplaintClassified:
    return ComplaintClassified(**ABOUT, scheme="house", category="service", classified_by="li", classified_at=at)


def transferred(body: str, at: datetime) -> ComplaintTransferred:
    return ComplaintTransferred(**ABOUT, body=body, received_by="li", received_at=at)


def extended(
    regime: str,
    clock: str,
    amount: int,
    unit: str,
    at: datetime,
    *,
    approved_by: str | None = "wang",
    rank: str | None = "head-office-senior-management",
    told_at: datetime | None = None,
) -> DeadlineExtended:
    return DeadlineExtended(
        **ABOUT,
        regime=regime,
        clock=clock,
        limit_amount=amount,
        limit_unit=Unit(unit),
        reason=WORDS,
        extended_by="li",
        approved_by=approved_by,
        approver_rank=rank,
        complainant_told_at=told_at,
        extended_at=at,
    )


def appraising(at: datetime, *, told_at: datetime | None = None, appraisal_id: UUID = ID) -> AppraisalStarted:
    return AppraisalStarted(
        **ABOUT,
        appraisal_id=appraisal_id,
        appraiser="a laboratory",
        subject=WORDS,
        complainant_told_at=told_at,
        started_by="li",
        started_at=at,
    )


def appraised(at: datetime, *, appraisal_id: UUID = ID) -> AppraisalEnded:
    return AppraisalEnded(**ABOUT, appraisal_id=appraisal_id, ended_by="li", ended_at=at)


def new_facts(at: datetime) -> NewFactsReceived:
    return NewFactsReceived(**ABOUT, content=WORDS, received_by="li", received_at=at)


def held(at: datetime) -> HoldingResponseSent:
    return HoldingResponseSent(**ABOUT, channel="letter", reasons=WORDS, sent_by="li", sent_at=at)


def annulled(version: int, at: datetime) -> FactAnnulled:
    return FactAnnulled(
        **ABOUT, annulled_version=version, reason=WORDS, annulled_by="li", approved_by="wang", annulled_at=at
    )


def corrected(version: int, fact: ComplaintEvent, at: datetime) -> FactCorrected:
    name = next(name for name, kind in COMPLAINT_NAMES.items() if kind is type(fact))
    return FactCorrected(
        **ABOUT,
        corrected_version=version,
        name=name,
        fact=fact,
        reason=WORDS,
        corrected_by="li",
        approved_by="wang",
        corrected_at=at,
    )


def numbered(*facts: ComplaintEvent) -> Facts:
    """The facts in the order of their recording."""
    return list(enumerate(facts, start=1))


def filled(kind: type[ComplaintEvent], at: datetime) -> ComplaintEvent:
    """A fact of a stage that says no more than it must, at that time."""
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        if field.is_required():
            values[name] = value_of(field.annotation, at)
    return kind(**{**values, **ABOUT})


def value_of(annotation: Any, at: datetime) -> Any:
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        return ()
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return next(iter(annotation))
    known: dict[Any, Any] = {UUID: ID, datetime: at, bool: True, str: "li"}
    return known.get(annotation, at if annotation is AwareDatetime else WORDS)


ONE_OF_EACH: dict[str, Callable[[datetime], ComplaintEvent]] = {
    "complaint-received": received,
    "complaint-registered": lambda at: ComplaintRegistered(
        **ABOUT, reference="C-1", registered_at=at, registered_by="li"
    ),
    "automatic-reply-sent": lambda at: AutomaticReplySent(**ABOUT, channel="email", sent_at=at),
    "contact-noted": lambda at: ContactNoted(
        **ABOUT, channel="phone", direction="outbound", content=WORDS, noted_by="li", occurred_at=at
    ),
    "first-reply-sent": first_reply,
    "complaint-classified": classified,
    "complaint-reclassified": lambda at: ComplaintReclassified(
        **ABOUT, scheme="house", category="price", classified_by="li", classified_at=at, reason=WORDS
    ),
    "complaint-graded": lambda at: graded("major", at),
    "complaint-regraded": lambda at: regraded("complex", at),
    "complaint-assigned": lambda at: ComplaintAssigned(**ABOUT, department="cards", assigned_by="li", assigned_at=at),
    "complaint-reassigned": lambda at: ComplaintReassigned(
        **ABOUT, department="loans", reason=WORDS, assigned_by="li", assigned_at=at
    ),
    "investigation-started": lambda at: InvestigationStarted(
        **ABOUT, investigation_id=ID, lead="li", started_by="li", started_at=at
    ),
    "evidence-provided": lambda at: EvidenceProvided(
        **ABOUT, evidence_id=ID, kind="recording", description=WORDS, provided_by="li", provided_at=at
    ),
    "finding-made": lambda at: FindingMade(**ABOUT, investigation_id=ID, finding=WORDS, made_by="li", made_at=at),
    "investigation-closed": lambda at: InvestigationClosed(
        **ABOUT, investigation_id=ID, conclusion=WORDS, closed_by="li", closed_at=at
    ),
    "solution-proposed": lambda at: SolutionProposed(
        **ABOUT, proposal_id=ID, content=WORDS, proposed_by="li", proposed_at=at
    ),
    "proposal-accepted": lambda at: ProposalAccepted(**ABOUT, proposal_id=ID, accepted_at=at, noted_by="li"),
    "proposal-declined": lambda at: ProposalDeclined(**ABOUT, proposal_id=ID, declined_at=at, noted_by="li"),
    "complaint-resolved": lambda at: ComplaintResolved(
        **ABOUT, resolution_id=ID, outcome=Outcome.UPHELD, reasons=WORDS, resolved_by="li", resolved_at=at
    ),
    "reply-sent": reply,
    "satisfaction-rated": lambda at: SatisfactionRated(
        **ABOUT, resolution_id=ID, overall=5, channel="phone", asked_by="li", rated_at=at
    ),
    "complaint-closed": lambda at: ComplaintClosed(**ABOUT, closed_by="li", closed_at=at),
    "complaint-reopened": reopened,
    "complaint-withdrawn": withdrawn,
    "outcome-stated": lambda at: stated(final=True),  # noqa: ARG005 - it says no time: that is the point
    "outcome-disputed": lambda at: OutcomeDisputed(**ABOUT, source="cfpb", disputed_at=at, noted_by="import"),
    "complaint-transferred": lambda at: transferred("pboc", at),
    "deadline-extended": lambda at: extended("house", "resolution", 20, "working-days", at),
    "appraisal-started": appraising,
    "appraisal-ended": appraised,
    "new-facts-received": new_facts,
    "holding-response-sent": held,
    "complaint-ruled-out": lambda at: ComplaintRuledOut(
        **ABOUT, nature="enquiry", reason=WORDS, ruled_out_by="li", ruled_out_at=at
    ),
    "complaint-merged": lambda at: ComplaintMerged(**ABOUT, into_complaint_id=ID, merged_by="li", merged_at=at),
    "group-recognised": lambda at: GroupRecognised(**ABOUT, complainants=23, recognised_by="li", recognised_at=at),
    "amendment-proposed": lambda at: AmendmentProposed(
        **ABOUT,
        proposed_version=3,
        amendment="annulment",
        amended_version=2,
        name="first-reply-sent",
        fact=first_reply(at),
        reason=WORDS,
        proposed_by="li",
        proposed_at=at,
    ),
    "amendment-declined": lambda at: AmendmentDeclined(
        **ABOUT, proposed_version=3, reason=WORDS, declined_by="wang", declined_at=at
    ),
    "fact-annulled": lambda at: annulled(1, at),
    "fact-corrected": lambda at: corrected(2, first_reply(at), at),
    **{name: partial(filled, kind) for name, kind in COMPLAINT_NAMES.items() if issubclass(kind, FurtherEvent)},
}
"""One fact of every stored name; a test holds it against the table of names."""
