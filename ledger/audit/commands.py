"""What a caller may ask for about an audit finding: one command for each fact. Nothing here decides."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.audit.events import ActionIds, FactVersions, FindingLevel
from ledger.command import Command, Instant, NewId, StaffId, Term, Words


class AuditFindingCommand(Command):
    """A request about one audit finding."""

    finding_id: UUID


class ReportAuditFinding(AuditFindingCommand):
    """Record what an auditor found in a complaint, and in which sample it was drawn."""

    finding_id: NewId
    complaint_id: UUID
    title: Term
    description: Words
    level: FindingLevel
    fact_versions: FactVersions = ()
    seed: Term | None = None
    sample_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    sample_position: Annotated[int, Field(ge=1)] | None = None
    as_of_position: Annotated[int, Field(ge=1)]
    reported_by: StaffId
    reported_at: Instant


class ActOnAuditFinding(AuditFindingCommand):
    """Link the corrective actions that a finding led to."""

    action_ids: ActionIds
    acted_by: StaffId
    acted_at: Instant


class CloseAuditFinding(AuditFindingCommand):
    """Record that what was found is put right."""

    conclusion: Words
    closed_by: StaffId
    closed_at: Instant


class AnnulAuditFindingFact(AuditFindingCommand):
    """Declare that a recorded fact of the finding never happened; two people are needed."""

    version: Annotated[int, Field(ge=1)]
    reason: Words
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: Instant
