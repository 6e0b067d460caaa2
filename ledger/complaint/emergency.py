"""The facts of the emergency procedure that an urgent complaint starts 应急处理流程. Nothing here decides.

It runs beside the complaint: its steps move no clock, and the complaint keeps its grade and its resolution clock.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime

from ledger.complaint.fact import ComplaintEvent, InTable, OptionalText, Text
from ledger.event import Code, StaffId


class EmergencyStep(StrEnum):
    """The steps of the procedure, each of which stands on the one before."""

    RISK_FOUND = "risk-found"
    RISK_ASSESSED = "risk-assessed"
    DECIDED = "decided"
    MEASURES_TAKEN = "measures-taken"


class EmergencyStarted(ComplaintEvent):
    """The emergency procedure began, by a plan of the library of plans 应急预案."""

    emergency_id: UUID
    plan: Annotated[Code, InTable("emergency-plan")]
    reason: OptionalText = None
    started_by: StaffId
    started_at: AwareDatetime


class EmergencyStepTaken(ComplaintEvent):
    """A step of the procedure was taken: risk found 风险识别, assessed 评估, decided 决策, measures taken 处置."""

    emergency_id: UUID
    step: EmergencyStep
    content: Text
    taken_by: StaffId
    taken_at: AwareDatetime


class EmergencyEnded(ComplaintEvent):
    """The danger is over, after measures were taken."""

    emergency_id: UUID
    result: Text
    ended_by: StaffId
    ended_at: AwareDatetime


class EmergencyReviewed(ComplaintEvent):
    """The procedure was looked back on 事后评估, and whether its plan is to be changed."""

    emergency_id: UUID
    findings: Text
    plan_to_be_changed: bool
    reviewed_by: StaffId
    reviewed_at: AwareDatetime


EMERGENCY_NAMES: dict[str, type[ComplaintEvent]] = {
    "emergency-started": EmergencyStarted,
    "emergency-step-taken": EmergencyStepTaken,
    "emergency-ended": EmergencyEnded,
    "emergency-reviewed": EmergencyReviewed,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

EmergencyEvent: TypeAlias = EmergencyStarted | EmergencyStepTaken | EmergencyEnded | EmergencyReviewed
"""Every fact of this module: what a `match` over it must cover."""
