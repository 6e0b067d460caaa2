"""The facts by which a rule-giver lets a deadline begin, move or end, beside receipt and reply. Nothing here decides.

What each of them does to a clock, and under which preconditions, the regimes say (`ledger.deadlines`):
the fact is recorded as it was, with or without what a regime asks for. There is none for waiting for
the customer, because no text read lets a clock wait for him.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.complaint.fact import Channel, ComplaintEvent, InTable, OptionalText, Text
from ledger.event import Code, Label, Reference, StaffId


class Unit(StrEnum):
    """Minutes and hours elapse; days, weeks, months and years end with the last instant of a local day."""

    MINUTES = "minutes"
    HOURS = "hours"
    WORKING_DAYS = "working-days"
    CALENDAR_DAYS = "calendar-days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


Amount = Annotated[int, Field(ge=1, le=10_000)]
"""How many of a unit."""


class ComplaintTransferred(ComplaintEvent):
    """A regulator or another body passed the complaint on to us 监管转办; `received_at` is when it reached us.

    Starts the reply clock of a complaint transferred by the People's Bank of China (PBoC 2020 No. 5).
    """

    body: Annotated[Code, InTable("body")]
    body_reference: Reference | None = None
    received_by: StaffId
    received_at: AwareDatetime


class DeadlineExtended(ComplaintEvent):
    """The limit of one clock was made longer 延长. `limit_amount` is the whole limit, from the start of the clock.

    Whether it counts, the regime says: it may ask for an approver of some rank and for notice to the
    complainant, both while the limit before still runs (CBIRC 2020 No. 3; PBoC 2020 No. 5). One that was approved was
    proposed first, as `proposed_version`, and `extended_at` is when it was approved.
    """

    regime: Code
    clock: Code
    limit_amount: Amount
    limit_unit: Unit
    reason: Text
    extended_by: StaffId
    approved_by: StaffId | None = None
    approver_rank: Annotated[Code | None, InTable("approver-rank")] = None
    complainant_told_at: AwareDatetime | None = None
    extended_at: AwareDatetime
    proposed_version: Annotated[int, Field(ge=1)] | None = None


class AppraisalStarted(ComplaintEvent):
    """An outside body began to appraise, test or assess something 外部鉴定.

    Its time does not count under CBIRC 2020 No. 3, if the complainant was told.
    """

    appraisal_id: UUID
    appraiser: Label
    subject: Text
    complainant_told_at: AwareDatetime | None = None
    started_by: StaffId
    started_at: AwareDatetime


class AppraisalEnded(ComplaintEvent):
    """The outside appraisal came to its end, with or without a result."""

    appraisal_id: UUID
    result: OptionalText = None
    ended_by: StaffId
    ended_at: AwareDatetime


class NewFactsReceived(ComplaintEvent):
    """The complainant brought new facts and reasons 新的事实和理由 before the result was told.

    They restart statutory clocks from their receipt (CBIRC 2020 No. 3). After the result, a reopening says so.
    """

    content: Text
    received_by: StaffId
    received_at: AwareDatetime


class HoldingResponseSent(ComplaintEvent):
    """The complainant was told in writing that the answer needs longer, and why.

    It stops no clock of FCA DISP 1.6.2; it lengthens the limit for payments (1.6.2A) and for the CFPB ("in progress").
    """

    channel: Channel
    reasons: Text
    final_response_by_on: date | None = None
    sent_by: StaffId
    sent_at: AwareDatetime


class ComplaintRuledOut(ComplaintEvent):
    """Found to be no complaint 不属于投诉: an enquiry, a malicious or unfounded claim. It changes the statistics."""

    nature: Annotated[Code, InTable("nature")]
    reason: Text
    ruled_out_by: StaffId
    ruled_out_at: AwareDatetime


class ComplaintMerged(ComplaintEvent):
    """Handled from now on with another complaint 合并, of which it is a repeat without new facts."""

    into_complaint_id: UUID
    reason: OptionalText = None
    merged_by: StaffId
    merged_at: AwareDatetime


class GroupRecognised(ComplaintEvent):
    """Several people complain together 群体投诉; `complainants` is how many are known by now.

    Under CBIRC 2020 No. 3, twenty or more make a complaint a major one: a grade says so, not this fact.
    """

    complainants: Annotated[int, Field(ge=2, le=10_000_000)]
    recognised_by: StaffId
    recognised_at: AwareDatetime
