"""The facts of an audit finding 审计发现: what was found in a complaint, what is done about it, and that it was settled.

Nothing here decides. Free text about what was found may name a person: it is held under the finding's own id.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Event, Held, Label, Personal, StaffId, Tier

FindingText = Annotated[Personal[str], Held(Tier.ORDINARY, "finding_id")]

FactVersions = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=100)]
"""Versions of facts of the complaint, as its history numbers them."""

ActionIds = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]


class FindingLevel(StrEnum):
    """How grave it is: a breach of law or of customers' rights, of the house's rules, or a slip."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class AuditFindingEvent(Event):
    """A fact in the stream of one audit finding."""

    finding_id: UUID


class AuditFindingReported(AuditFindingEvent):
    """An auditor found something in a complaint.

    Where it was drawn, `seed`, `sample_size` and `sample_position` name the sample: anybody draws it again. `as_of_position` is
    the position as of which the complaint was read.
    """

    complaint_id: UUID
    title: Label
    description: FindingText
    level: FindingLevel
    fact_versions: FactVersions = ()
    seed: Label | None = None
    sample_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    sample_position: Annotated[int, Field(ge=1)] | None = None
    as_of_position: Annotated[int, Field(ge=1)]
    reported_by: StaffId
    reported_at: AwareDatetime


class AuditFindingActedOn(AuditFindingEvent):
    """Corrective actions were opened because of it; may be said again for further ones."""

    action_ids: ActionIds
    acted_by: StaffId
    acted_at: AwareDatetime


class AuditFindingClosed(AuditFindingEvent):
    """What was found is put right, as somebody sees it who did not act on it."""

    conclusion: FindingText
    closed_by: StaffId
    closed_at: AwareDatetime


class AuditFindingFactAnnulled(AuditFindingEvent):
    """An earlier fact of this finding is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: FindingText
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


AUDIT_NAMES: dict[str, type[AuditFindingEvent]] = {
    "audit-finding-reported": AuditFindingReported,
    "audit-finding-acted-on": AuditFindingActedOn,
    "audit-finding-closed": AuditFindingClosed,
    "audit-finding-fact-annulled": AuditFindingFactAnnulled,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyAuditFindingEvent: TypeAlias = (
    AuditFindingReported | AuditFindingActedOn | AuditFindingClosed | AuditFindingFactAnnulled
)


def known_finding_event(event: AuditFindingEvent) -> AnyAuditFindingEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in AUDIT_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyAuditFindingEvent", event)
