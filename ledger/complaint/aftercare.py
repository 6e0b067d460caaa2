"""The facts of what follows a result: call-back, review, proceedings elsewhere, repair, the archive. Nothing here decides.

None of them reopens a complaint or moves a clock.
"""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime

from ledger.complaint.fact import Channel, ComplaintEvent, InTable, Minor, OptionalText, Text
from ledger.event import Code, Currency, Label, Reference, StaffId


class FollowUpCallMade(ComplaintEvent):
    """The customer was asked whether he is content 回访, after he was told the result; perhaps he was not reached."""

    resolution_id: UUID
    channel: Channel
    reached: bool
    content_with_result: bool | None = None
    notes: OptionalText = None
    called_by: StaffId
    called_at: AwareDatetime


class HandlingReviewed(ComplaintEvent):
    """The handling itself was reviewed 处理复核 by somebody who had no part in it, with the defects found."""

    defects: Annotated[tuple[Code, ...], InTable("handling-defect")]
    findings: Text
    improvement: OptionalText = None
    reviewed_by: StaffId
    reviewed_at: AwareDatetime


class ProceedingsOpened(ComplaintEvent):
    """The dispute went to negotiation 协商, a mediator 调解, an association, arbitration 仲裁 or a court 诉讼."""

    proceedings_id: UUID
    route: Annotated[Code, InTable("proceedings")]
    body: Label | None = None
    body_reference: Reference | None = None
    initiator: Literal["customer", "institution", "body"]
    claim: OptionalText = None
    claimed_minor: Minor | None = None
    currency: Currency | None = None
    noted_by: StaffId
    opened_at: AwareDatetime


class ProceedingsEnded(ComplaintEvent):
    """How such proceedings ended: the outcome, and what was awarded or agreed."""

    proceedings_id: UUID
    outcome: Annotated[Code, InTable("proceedings-outcome")]
    terms: OptionalText = None
    awarded_minor: Minor | None = None
    currency: Currency | None = None
    noted_by: StaffId
    ended_at: AwareDatetime


class RepeatTakenIn(ComplaintEvent):
    """A repeat without new facts is handled with this complaint from now on; on its own stream it is merged 合并.

    The two are recorded together, or neither.
    """

    repeat_complaint_id: UUID
    reason: OptionalText = None
    taken_in_by: StaffId
    taken_in_at: AwareDatetime


class RelationshipRepaired(ComplaintEvent):
    """Something was done to win the customer back 关系修复: an apology, a compensation, contact kept up afterwards."""

    kind: Annotated[Code, InTable("repair")]
    content: OptionalText = None
    repaired_by: StaffId
    repaired_at: AwareDatetime


class CompletenessChecked(ComplaintEvent):
    """The file was checked for completeness 归档检查: what the checker misses, and what the record itself lacks."""

    missing: Annotated[tuple[Code, ...], InTable("file-part")]
    lacking: Annotated[tuple[Code, ...], InTable("file-part")]
    remarks: OptionalText = None
    checked_by: StaffId
    checked_at: AwareDatetime


class ComplaintArchived(ComplaintEvent):
    """The complete and closed file went to the archive 归档, where it is kept for the retention period."""

    archive_reference: Reference | None = None
    archived_by: StaffId
    archived_at: AwareDatetime


AFTERCARE_NAMES: dict[str, type[ComplaintEvent]] = {
    "follow-up-call-made": FollowUpCallMade,
    "handling-reviewed": HandlingReviewed,
    "proceedings-opened": ProceedingsOpened,
    "proceedings-ended": ProceedingsEnded,
    "repeat-taken-in": RepeatTakenIn,
    "relationship-repaired": RelationshipRepaired,
    "completeness-checked": CompletenessChecked,
    "complaint-archived": ComplaintArchived,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AftercareEvent: TypeAlias = (
    FollowUpCallMade
    | HandlingReviewed
    | ProceedingsOpened
    | ProceedingsEnded
    | RepeatTakenIn
    | RelationshipRepaired
    | CompletenessChecked
    | ComplaintArchived
)
"""Every fact of this module: what a `match` over it must cover."""
