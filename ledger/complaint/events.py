"""The facts of one complaint, in the complaint team's words. Nothing here decides or computes.

An instant is offset-aware and says when the thing happened, never when it was recorded. Free text
written by or about a person is personal and held under the complaint's customer.
"""

from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, cast
from uuid import UUID

import orjson
from pydantic import AwareDatetime, Field, SerializeAsAny, model_validator

from ledger.complaint.aftercare import AFTERCARE_NAMES, AftercareEvent
from ledger.complaint.concerned import CONCERNED_NAMES, ConcernedEvent
from ledger.complaint.emergency import EMERGENCY_NAMES, EmergencyEvent
from ledger.complaint.fact import Channel, ComplaintEvent, InTable, Minor, OptionalText, Text
from ledger.complaint.inquiry import INQUIRY_NAMES, InquiryEvent
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
from ledger.complaint.settlement import SETTLEMENT_NAMES, SettlementEvent
from ledger.event import Code, Currency, Held, Indexed, Label, Personal, Reference, Sha256Hex, StaffId, Tier

__all__ = ["ComplaintEvent", "Minor"]  # what stands here and is made elsewhere

Score = Annotated[int, Field(ge=1, le=5)]
"""1 (very dissatisfied 非常不满意) to 5 (very satisfied 非常满意)."""


Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""The version of a fact in its stream; no stream comes near the upper bound."""


class Grade(StrEnum):
    """Severity 分级; it decides the house limit of the resolution clock."""

    GENERAL = "general"
    COMPLEX = "complex"
    MAJOR = "major"


class Amendment(StrEnum):
    """What takes two people in a complaint, and so a proposal of its own."""

    ANNULMENT = "annulment"
    CORRECTION = "correction"
    REGRADE = "regrade"
    EXTENSION = "extension"


class Outcome(StrEnum):
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly-upheld"
    REJECTED = "rejected"
    SETTLED = "settled"


class ComplaintReceived(ComplaintEvent):
    """The complaint reached the institution 投诉接收. Starts the first-reply and resolution clocks.

    `date_only` says that the source states a day and no hour: `received_at` is then the beginning
    of that day in the institution's time zone. `interaction_id` names the contact that it grew from.
    """

    received_at: AwareDatetime
    date_only: bool = False
    received_by: StaffId
    channel: Channel
    customer_name: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("name")] = None
    customer_contact: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id"), Indexed("contact")] = None
    customer_identity_number: Annotated[
        Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("identity-number")
    ] = None
    customer_account: Annotated[Personal[str] | None, Held(Tier.CORE, "customer_id"), Indexed("account")] = None
    content: OptionalText = None
    remedy_wanted: OptionalText = None
    amount_in_dispute_minor: Minor | None = None
    currency: Currency | None = None
    product: Annotated[Code | None, InTable("product")] = None
    branch: Code | None = None
    external_reference: Reference | None = None
    earlier_complaint_ids: tuple[UUID, ...] = ()
    interaction_id: UUID | None = None


class ComplaintRegistered(ComplaintEvent):
    """Written down in full and given its reference number 登记."""

    reference: Reference
    registered_at: AwareDatetime
    registered_by: StaffId


class AutomaticReplySent(ComplaintEvent):
    """A machine acknowledged the receipt. A fact of its own: it stops no clock."""

    channel: Channel
    sent_at: AwareDatetime


class ContactNoted(ComplaintEvent):
    """A conversation with the customer about the matter; may lie before the receipt. Stops no clock."""

    channel: Channel
    direction: Literal["inbound", "outbound"]
    content: Text
    noted_by: StaffId
    occurred_at: AwareDatetime


class FirstReplySent(ComplaintEvent):
    """The customer heard from a person of the institution 首次回复. Stops the first-reply clock."""

    channel: Channel
    content: OptionalText = None
    sent_by: StaffId
    sent_at: AwareDatetime


class ComplaintClassified(ComplaintEvent):
    """Said what the complaint is about 分类. `issue` is what the customer says, `cause` what is found.

    In the scheme `house` the terms are codes of the house's tables; in another scheme (`cfpb`) they
    are that scheme's own labels. `tables_version` is that of the tables in force; without it, the built-in ones.
    """

    scheme: Annotated[Code, InTable("scheme")]
    category: Label
    product: Label | None = None
    sub_product: Label | None = None
    issue: Label | None = None
    sub_issue: Label | None = None
    cause: Label | None = None
    classified_by: StaffId
    classified_at: AwareDatetime
    tables_version: int | None = None


class ComplaintReclassified(ComplaintClassified):
    """The classification was corrected; the earlier one stays visible with its author and reason."""

    reason: Text


class ComplaintGraded(ComplaintEvent):
    """Severity set 分级 with the urgent flag 紧急. A grade decides the limit of the resolution clock.

    Its three criteria: seriousness 严重程度, extent of the effect 影响范围, and the customer's state 客户情绪.
    """

    grade: Grade
    urgent: bool = False
    seriousness: Annotated[Code | None, InTable("seriousness")] = None
    extent: Annotated[Code | None, InTable("extent")] = None
    customer_state: Annotated[Code | None, InTable("customer-state")] = None
    reason: OptionalText = None
    graded_by: StaffId
    graded_at: AwareDatetime


class ComplaintRegraded(ComplaintEvent):
    """Severity changed, as somebody proposed and somebody else approved; `graded_at` is when it was approved.

    `proposed_version` is the version of the proposal, by each token a fact of its own.
    """

    grade: Grade
    urgent: bool = False
    seriousness: Annotated[Code | None, InTable("seriousness")] = None
    extent: Annotated[Code | None, InTable("extent")] = None
    customer_state: Annotated[Code | None, InTable("customer-state")] = None
    reason: Text
    graded_by: StaffId
    approved_by: StaffId
    graded_at: AwareDatetime
    proposed_version: Version | None = None


class ComplaintAssigned(ComplaintEvent):
    """Given to a department, and perhaps to a person in it 分配.

    `routing_version` is that of the tables whose routing names the department; where the complaint was given to
    another one than the routing names, the reason says why.
    """

    department: Label
    assignee: StaffId | None = None
    reason: OptionalText = None
    routing_version: int | None = None
    assigned_by: StaffId
    assigned_at: AwareDatetime


class ComplaintReassigned(ComplaintEvent):
    """Moved to another department or person, with the reason."""

    department: Label
    assignee: StaffId | None = None
    reason: Text
    assigned_by: StaffId
    assigned_at: AwareDatetime


class InvestigationStarted(ComplaintEvent):
    """The owning department began to investigate 调查."""

    investigation_id: UUID
    lead: StaffId
    started_by: StaffId
    started_at: AwareDatetime


class EvidenceProvided(ComplaintEvent):
    """A document, recording or statement was put on file 证据.

    A file that was taken in is named by `file_id`, with its size and type; `file_digest` is SHA-256 over its salt and
    content, which are kept encrypted beside the vault. `sha256` is the digest of a file that is kept elsewhere.
    """

    evidence_id: UUID
    kind: Annotated[Code, InTable("evidence-kind")]
    description: Text
    sha256: Sha256Hex | None = None
    origin: Annotated[Code | None, InTable("evidence-origin")] = None
    evidence_request_id: UUID | None = None
    file_id: UUID | None = None
    file_digest: Sha256Hex | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    provided_by: StaffId
    provided_at: AwareDatetime


class FindingMade(ComplaintEvent):
    """What the investigation found, with the cause it points to."""

    investigation_id: UUID
    finding: Text
    cause: Annotated[Label | None, InTable("cause")] = None
    made_by: StaffId
    made_at: AwareDatetime


class InvestigationClosed(ComplaintEvent):
    """The investigation ended with a conclusion."""

    investigation_id: UUID
    conclusion: Text
    closed_by: StaffId
    closed_at: AwareDatetime


class SolutionProposed(ComplaintEvent):
    """A solution was put to the customer 处理方案."""

    proposal_id: UUID
    content: Text
    compensation_kind: Annotated[Code | None, InTable("compensation-kind")] = None
    compensation_minor: Minor | None = None
    currency: Currency | None = None
    proposed_by: StaffId
    proposed_at: AwareDatetime


class ProposalAccepted(ComplaintEvent):
    """The customer agreed to a proposal."""

    proposal_id: UUID
    accepted_at: AwareDatetime
    noted_by: StaffId


class ProposalDeclined(ComplaintEvent):
    """The customer did not agree to a proposal."""

    proposal_id: UUID
    reason: OptionalText = None
    declined_at: AwareDatetime
    noted_by: StaffId


class ComplaintResolved(ComplaintEvent):
    """The institution decided 处理完毕. The customer does not know yet: this stops no house clock."""

    resolution_id: UUID
    outcome: Outcome
    reasons: Text
    measures: OptionalText = None
    improvement: OptionalText = None
    resolved_by: StaffId
    resolved_at: AwareDatetime


class ReplySent(ComplaintEvent):
    """The customer was told the result 回复. Stops the resolution clock."""

    reply_id: UUID
    resolution_id: UUID
    channel: Channel
    content: Text
    remedies: Annotated[tuple[Code, ...] | None, InTable("remedy")] = None
    sent_by: StaffId
    sent_at: AwareDatetime


class SatisfactionRated(ComplaintEvent):
    """The customer rated the handling 满意度. Bound to one resolution: a reopened complaint gets a new one."""

    resolution_id: UUID
    overall: Score
    attitude: Score | None = None
    efficiency: Score | None = None
    ability: Score | None = None
    openness: Score | None = None
    comment: OptionalText = None
    channel: Channel
    asked_by: StaffId
    rated_at: AwareDatetime


class ComplaintClosed(ComplaintEvent):
    """Nothing is left to do 结案."""

    closed_by: StaffId
    closed_at: AwareDatetime


class ComplaintReopened(ComplaintEvent):
    """The customer came back 重新处理, with new facts and reasons or only not content."""

    reason: Text
    new_facts: bool
    reopened_by: StaffId
    reopened_at: AwareDatetime


class ComplaintWithdrawn(ComplaintEvent):
    """The customer withdrew 撤诉. Ends the procedure on the day it arrives."""

    reason: OptionalText = None
    received_by: StaffId
    withdrawn_at: AwareDatetime


class OutcomeStated(ComplaintEvent):
    """Another body's file states how the complaint ended, without saying when.

    `timely` is that source's own word on its own deadline. `final` is false while the source says
    that the answer is still in progress. A clock that this would stop has then been stopped at an
    unknown time.
    """

    source: Code
    outcome: Label
    final: bool
    timely: bool | None = None
    stated_by: StaffId


class OutcomeDisputed(ComplaintEvent):
    """The customer disputed the outcome; `disputed_at` is missing where the source does not say."""

    source: Code
    disputed_at: AwareDatetime | None = None
    noted_by: StaffId


class AmendmentProposed(ComplaintEvent):
    """Somebody asks that a fact be annulled or corrected, the grade changed, or a limit extended 更正申请.

    It changes nothing until somebody else approves it, by his own token. `proposed_version` is its own version, by which
    it is cited; `amended_version` that of the fact to be annulled or corrected; `name` the stored name of `fact`: the
    fact to be annulled, the corrected one that shall stand instead, or the grade or the extension that shall be recorded.
    `proposed_by` is who recorded it, and is stated by nobody.
    """

    proposed_version: Version
    amendment: Amendment
    amended_version: Version | None = None
    name: str
    fact: SerializeAsAny[ComplaintEvent]
    reason: OptionalText = None
    proposed_by: StaffId
    proposed_at: AwareDatetime

    @model_validator(mode="before")
    @classmethod
    def _fact_by_name(cls, given: Any) -> Any:
        return _with_fact_by_name(given)


class AmendmentDeclined(ComplaintEvent):
    """A proposed amendment is not carried out 更正驳回: it was declined, or taken back by who proposed it."""

    proposed_version: Version
    reason: Text
    declined_by: StaffId
    declined_at: AwareDatetime


class FactAnnulled(ComplaintEvent):
    """An earlier fact of this stream is declared never to have happened; it stays visible for ever.

    `annulled_version` is its version. The author and the approver are two people, each known by his own token: the
    author recorded the proposal `proposed_version`, the approver this fact.
    """

    annulled_version: Version
    reason: Text
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime
    proposed_version: Version | None = None


class FactCorrected(ComplaintEvent):
    """An earlier fact of this stream is replaced by `fact`; what was recorded first stays visible.

    `corrected_version` is its version, `name` the stored name of `fact`. Personal values of `fact` keep the digest
    under which they were recorded first: with the fact itself, or with the proposal `proposed_version`.
    """

    corrected_version: Version
    name: str
    fact: SerializeAsAny[ComplaintEvent]
    reason: Text
    corrected_by: StaffId
    approved_by: StaffId
    corrected_at: AwareDatetime
    proposed_version: Version | None = None

    @model_validator(mode="before")
    @classmethod
    def _fact_by_name(cls, given: Any) -> Any:
        return _with_fact_by_name(given)


def _with_fact_by_name(given: Any) -> Any:
    """Reads a stored `fact` as the class that its stored name stands for."""
    if isinstance(given, dict) and isinstance(given.get("fact"), dict):
        fact = COMPLAINT_NAMES[given["name"]].model_validate_json(orjson.dumps(given["fact"]))
        return {**given, "fact": fact}
    return given


COMPLAINT_NAMES: dict[str, type[ComplaintEvent]] = {
    "complaint-received": ComplaintReceived,
    "complaint-registered": ComplaintRegistered,
    "automatic-reply-sent": AutomaticReplySent,
    "contact-noted": ContactNoted,
    "first-reply-sent": FirstReplySent,
    "complaint-classified": ComplaintClassified,
    "complaint-reclassified": ComplaintReclassified,
    "complaint-graded": ComplaintGraded,
    "complaint-regraded": ComplaintRegraded,
    "complaint-assigned": ComplaintAssigned,
    "complaint-reassigned": ComplaintReassigned,
    "investigation-started": InvestigationStarted,
    "evidence-provided": EvidenceProvided,
    "finding-made": FindingMade,
    "investigation-closed": InvestigationClosed,
    "solution-proposed": SolutionProposed,
    "proposal-accepted": ProposalAccepted,
    "proposal-declined": ProposalDeclined,
    "complaint-resolved": ComplaintResolved,
    "reply-sent": ReplySent,
    "satisfaction-rated": SatisfactionRated,
    "complaint-closed": ComplaintClosed,
    "complaint-reopened": ComplaintReopened,
    "complaint-withdrawn": ComplaintWithdrawn,
    "outcome-stated": OutcomeStated,
    "outcome-disputed": OutcomeDisputed,
    "complaint-transferred": ComplaintTransferred,
    "deadline-extended": DeadlineExtended,
    "appraisal-started": AppraisalStarted,
    "appraisal-ended": AppraisalEnded,
    "new-facts-received": NewFactsReceived,
    "holding-response-sent": HoldingResponseSent,
    "complaint-ruled-out": ComplaintRuledOut,
    "complaint-merged": ComplaintMerged,
    "group-recognised": GroupRecognised,
    **CONCERNED_NAMES,
    **EMERGENCY_NAMES,
    **INQUIRY_NAMES,
    **SETTLEMENT_NAMES,
    **AFTERCARE_NAMES,
    "amendment-proposed": AmendmentProposed,
    "amendment-declined": AmendmentDeclined,
    "fact-annulled": FactAnnulled,
    "fact-corrected": FactCorrected,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

_STORED = frozenset(COMPLAINT_NAMES.values())

FurtherEvent: TypeAlias = ConcernedEvent | EmergencyEvent | InquiryEvent | SettlementEvent | AftercareEvent
"""The facts that stand in modules of their own, by stage, and are folded and guarded there too."""

AnyComplaintEvent: TypeAlias = (
    ComplaintReceived
    | ComplaintRegistered
    | AutomaticReplySent
    | ContactNoted
    | FirstReplySent
    | ComplaintClassified
    | ComplaintReclassified
    | ComplaintGraded
    | ComplaintRegraded
    | ComplaintAssigned
    | ComplaintReassigned
    | InvestigationStarted
    | EvidenceProvided
    | FindingMade
    | InvestigationClosed
    | SolutionProposed
    | ProposalAccepted
    | ProposalDeclined
    | ComplaintResolved
    | ReplySent
    | SatisfactionRated
    | ComplaintClosed
    | ComplaintReopened
    | ComplaintWithdrawn
    | OutcomeStated
    | OutcomeDisputed
    | ComplaintTransferred
    | DeadlineExtended
    | AppraisalStarted
    | AppraisalEnded
    | NewFactsReceived
    | HoldingResponseSent
    | ComplaintRuledOut
    | ComplaintMerged
    | GroupRecognised
    | FurtherEvent
    | AmendmentProposed
    | AmendmentDeclined
    | FactAnnulled
    | FactCorrected
)
"""Every event: what a `match` must cover to end in `assert_never`."""


def known_event(event: ComplaintEvent) -> AnyComplaintEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in _STORED, f"{type(event).__name__} has no stored name"
    return cast("AnyComplaintEvent", event)


def happened_at(event: ComplaintEvent) -> datetime | None:
    """When the thing happened; None where its source does not say."""
    field = time_field(type(event))
    return None if field is None else getattr(event, field)


def done_by(event: ComplaintEvent) -> str | None:
    """Who did it: a member of staff or a service; None for what a machine of ours did by itself."""
    field = _field_ending(type(event), "_by")
    return None if field is None else getattr(event, field)


@cache
def time_field(event: type[ComplaintEvent]) -> str | None:
    """The field of an event class that says when the thing happened."""
    return _field_ending(event, "_at")


def times(event: ComplaintEvent) -> list[tuple[str, datetime]]:
    """Every instant that an event states, by its field."""
    stated = ((name, getattr(event, name)) for name in type(event).model_fields if name.endswith("_at"))
    return [(name, at) for name, at in stated if at is not None]


_ASIDE = frozenset({"approved_by", "complainant_told_at"})
"""Who agreed to it, and when the complainant was told of it: not who did it, and not when it happened."""


@cache
def _field_ending(event: type[ComplaintEvent], ending: str) -> str | None:
    fields = [name for name in event.model_fields if name.endswith(ending) and name not in _ASIDE]
    assert len(fields) <= 1, f"{event.__name__} states {ending} more than once"
    return fields[0] if fields else None
