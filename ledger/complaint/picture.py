"""What the rules know of one complaint: a value, and nothing that makes one. `ledger.complaint.state` folds it.

A state keeps only what some rule reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from ledger.complaint.emergency import EmergencyStep
from ledger.complaint.events import (
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReassigned,
    ComplaintRegraded,
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
class Opened:
    """Something that begins and ends under an id of its own: a request, an escalation, proceedings elsewhere.

    `by` is who began it, where a rule keeps him from ending it.
    """

    since: datetime
    over: bool = False
    by: str | None = None


@dataclass(frozen=True)
class Emergency:
    """An emergency procedure; `latest_at` is its start or its latest step, before which nothing of it comes."""

    started_at: datetime
    latest_at: datetime
    steps: frozenset[EmergencyStep] = frozenset()
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Check:
    """The latest check of the file for completeness, and everything it found missing."""

    checked_at: datetime
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Complaint:
    """One complaint as the rules see it; `Complaint()` is one of which nothing is recorded.

    `recorded` holds every fact as it was recorded, version 1 first, annulled ones too. `concerned` tells why a
    member of staff must stand aside, and `handlers` who had a part in the handling, both by folded identifier.
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
    representatives: Mapping[UUID, Opened] = field(default_factory=dict)
    person_ids: frozenset[UUID] = frozenset()
    concerned: Mapping[str, str] = field(default_factory=dict)
    handlers: frozenset[str] = frozenset()
    emergencies: Mapping[UUID, Emergency] = field(default_factory=dict)
    evidence_requests: Mapping[UUID, Opened] = field(default_factory=dict)
    assistance: Mapping[UUID, Opened] = field(default_factory=dict)
    compensations: Mapping[UUID, Opened] = field(default_factory=dict)
    escalations: Mapping[UUID, Opened] = field(default_factory=dict)
    notice_ids: frozenset[UUID] = frozenset()
    proceedings: Mapping[UUID, Opened] = field(default_factory=dict)
    repeat_ids: frozenset[UUID] = frozenset()
    check: Check | None = None
    archived_at: datetime | None = None

    @property
    def version(self) -> int:
        """The version of the latest fact; 0 when there is none."""
        return len(self.recorded)

    @property
    def resolution(self) -> Resolution | None:
        """The decision that stands; none before the first and after a reopening."""
        return None if self.resolution_id is None else self.resolutions.get(self.resolution_id)
