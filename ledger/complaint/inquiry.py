"""The facts of looking into a complaint beside the investigation itself: checks, requests, help, the root cause.

Nothing here decides.
"""

from datetime import date
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime

from ledger.complaint.fact import ComplaintEvent, InTable, OptionalText, Text
from ledger.event import Code, Label, StaffId


class PreliminaryCheckMade(ComplaintEvent):
    """The facts and the nature of the complaint were verified before the investigation 初步调查."""

    borne_out: bool
    finding: Text
    checked_by: StaffId
    checked_at: AwareDatetime


class EvidenceRequested(ComplaintEvent):
    """Somebody was asked for evidence 调取证据; what is put on file under this request answers it."""

    evidence_request_id: UUID
    asked_of: Annotated[Code, InTable("evidence-origin")]
    department: Label | None = None
    wanted: Text
    answer_by_on: date | None = None
    requested_by: StaffId
    requested_at: AwareDatetime


class AssistanceRequested(ComplaintEvent):
    """Another department, perhaps a person in it, was asked to help with the investigation 协助调查."""

    assistance_id: UUID
    department: Label
    assistant: StaffId | None = None
    question: Text
    answer_by_on: date | None = None
    requested_by: StaffId
    requested_at: AwareDatetime


class AssistanceGiven(ComplaintEvent):
    """The department that was asked answered, perhaps with evidence 协助提供证据."""

    assistance_id: UUID
    answer: Text
    evidence_ids: tuple[UUID, ...] | None = None
    given_by: StaffId
    given_at: AwareDatetime


class RootCauseFound(ComplaintEvent):
    """Why the cause could be 根本原因: what would have to change so that it cannot happen again."""

    root_cause: Annotated[Code, InTable("root-cause")]
    cause: Annotated[Code | None, InTable("cause")] = None
    department: Label | None = None
    explanation: OptionalText = None
    found_by: StaffId
    found_at: AwareDatetime


INQUIRY_NAMES: dict[str, type[ComplaintEvent]] = {
    "preliminary-check-made": PreliminaryCheckMade,
    "evidence-requested": EvidenceRequested,
    "assistance-requested": AssistanceRequested,
    "assistance-given": AssistanceGiven,
    "root-cause-found": RootCauseFound,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

InquiryEvent: TypeAlias = (
    PreliminaryCheckMade | EvidenceRequested | AssistanceRequested | AssistanceGiven | RootCauseFound
)
"""Every fact of this module: what a `match` over it must cover."""
