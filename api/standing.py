"""A complaint as it stands, as `GET /complaints/{complaint_id}` answers it: the state of the rules and its deadlines, judged.

A personal value stands in it as its digest, as in the record. Nothing is decided here.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.answers import Answer
from ledger.complaint.events import ComplaintClassified, ComplaintReceived, ComplaintRegistered
from ledger.complaint.picture import AssignmentFact, Complaint, GradeFact
from ledger.complaint.state import effective
from ledger.deadlines.clock import Clock, Verdict, verdict
from ledger.deadlines.running import Ended


class JudgedClock(Answer):
    """A deadline of a complaint, judged now."""

    regime: str
    clock: str
    starts_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    ended: Ended
    provisional: bool = Field(description="It runs over days whose calendar is not announced yet.")
    limit: str = Field(description="The limit that applies, such as `5 working days`.")
    first_limit: str = Field(description="The limit before any other was put in place; both stay visible.")
    first_due_at: datetime
    suspended_at: datetime | None
    regime_version: int
    calendar_version: int | None
    verdict: Verdict

    @classmethod
    def at(cls, clock: Clock, now: datetime) -> "JudgedClock":
        """The clock with the verdict of this instant."""
        return cls(
            regime=clock.regime,
            clock=clock.clock,
            starts_at=clock.starts_at,
            due_at=clock.due_at,
            stopped_at=clock.stopped_at,
            ended=clock.ended,
            provisional=clock.provisional,
            limit=str(clock.limit),
            first_limit=str(clock.first_limit),
            first_due_at=clock.first_due_at,
            suspended_at=clock.suspended_at,
            regime_version=clock.regime_version,
            calendar_version=clock.calendar_version,
            verdict=verdict(clock, now),
        )


class InvestigationNow(Answer):
    investigation_id: UUID
    started_at: datetime
    closed: bool


class ProposalNow(Answer):
    proposal_id: UUID
    proposed_at: datetime
    answered: bool


class ResolutionNow(Answer):
    resolution_id: UUID
    resolved_at: datetime
    replied_at: datetime | None
    rated: bool


class ComplaintNow(Answer):
    """A complaint as it stands, after annulments and corrections."""

    complaint_id: UUID
    version: int
    received: ComplaintReceived | None
    registered: ComplaintRegistered | None
    first_replied_at: datetime | None
    classification: ComplaintClassified | None
    grade: GradeFact | None
    assignment: AssignmentFact | None
    investigations: list[InvestigationNow]
    evidence_ids: list[UUID]
    proposals: list[ProposalNow]
    resolutions: list[ResolutionNow]
    resolution_id: UUID | None = Field(description="The decision that stands.")
    reopened_at: datetime | None
    withdrawn_at: datetime | None
    closed_at: datetime | None
    restricted_since: datetime | None = Field(
        description="An erasure of the customer was asked for then: the values are stored and secured, and no more. Null: none."
    )
    clocks: list[JudgedClock]

    @classmethod
    def of(
        cls,
        complaint_id: UUID,
        complaint: Complaint,
        clocks: Iterable[Clock],
        now: datetime,
        restricted_since: datetime | None,
    ) -> "ComplaintNow":
        """The state that the rules hold, with its deadlines judged."""
        facts = effective(complaint.recorded)
        return cls(
            complaint_id=complaint_id,
            version=complaint.version,
            received=next((fact for _, fact in facts if isinstance(fact, ComplaintReceived)), None),
            registered=next((fact for _, fact in facts if isinstance(fact, ComplaintRegistered)), None),
            first_replied_at=complaint.first_replied_at,
            classification=complaint.classification,
            grade=complaint.grade,
            assignment=complaint.assignment,
            investigations=[
                InvestigationNow(investigation_id=each, started_at=state.started_at, closed=state.closed)
                for each, state in complaint.investigations.items()
            ],
            evidence_ids=sorted(complaint.evidence_ids),
            proposals=[
                ProposalNow(proposal_id=each, proposed_at=state.proposed_at, answered=state.answered)
                for each, state in complaint.proposals.items()
            ],
            resolutions=[
                ResolutionNow(
                    resolution_id=each, resolved_at=state.resolved_at, replied_at=state.replied_at, rated=state.rated
                )
                for each, state in complaint.resolutions.items()
            ],
            resolution_id=complaint.resolution_id,
            reopened_at=complaint.reopened_at,
            withdrawn_at=complaint.withdrawn_at,
            closed_at=complaint.closed_at,
            restricted_since=restricted_since,
            clocks=[JudgedClock.at(clock, now) for clock in clocks],
        )
