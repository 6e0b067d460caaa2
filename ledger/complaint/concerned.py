"""The facts that say who is concerned in a complaint: who speaks for whom, who is complained about, who must stand aside.

Nothing here decides.
"""

from datetime import date
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime

from ledger.complaint.fact import ComplaintEvent, InTable, OptionalText
from ledger.event import Code, Held, Label, Personal, StaffId, SubjectId, Tier


class RepresentativeNamed(ComplaintEvent):
    """Somebody complains on the customer's behalf 代理投诉, with or without an authorisation 授权.

    The representative is a data subject of his own. The paper that authorises him is evidence on file.
    """

    representative_id: SubjectId
    relation: Annotated[Code, InTable("relation")]
    representative_name: Annotated[Personal[str], Held(Tier.ORDINARY, "representative_id")]
    representative_contact: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "representative_id")] = None
    representative_identity_number: Annotated[Personal[str] | None, Held(Tier.CORE, "representative_id")] = None
    authorisation: Annotated[Code, InTable("authorisation")]
    authorisation_evidence_id: UUID | None = None
    valid_through_on: date | None = None
    named_by: StaffId
    named_at: AwareDatetime


class RepresentationEnded(ComplaintEvent):
    """Somebody speaks for the customer no more: the authorisation was withdrawn or ran out."""

    representative_id: SubjectId
    reason: OptionalText = None
    noted_by: StaffId
    ended_at: AwareDatetime


class PersonComplainedAbout(ComplaintEvent):
    """The complaint is about a person 被投诉人, a data subject of his own; `staff` where he is one of the institution's.

    From then on he is given nothing of this complaint to handle 回避.
    """

    person_id: SubjectId
    staff: StaffId | None = None
    person_name: Annotated[Personal[str] | None, Held(Tier.ORDINARY, "person_id")] = None
    department: Label | None = None
    branch: Code | None = None
    noted_by: StaffId
    noted_at: AwareDatetime


class InterestDeclared(ComplaintEvent):
    """A member of staff has a direct interest in the complaint, and so stands aside 回避."""

    staff: StaffId
    interest: Annotated[Code, InTable("interest")]
    explanation: OptionalText = None
    declared_by: StaffId
    declared_at: AwareDatetime


class InvestigationTeamFormed(ComplaintEvent):
    """A special team was formed to investigate 专项调查组; the latest one is the team."""

    lead: StaffId
    members: tuple[StaffId, ...]
    investigation_id: UUID | None = None
    reason: OptionalText = None
    formed_by: StaffId
    formed_at: AwareDatetime


CONCERNED_NAMES: dict[str, type[ComplaintEvent]] = {
    "representative-named": RepresentativeNamed,
    "representation-ended": RepresentationEnded,
    "person-complained-about": PersonComplainedAbout,
    "interest-declared": InterestDeclared,
    "investigation-team-formed": InvestigationTeamFormed,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

ConcernedEvent: TypeAlias = (
    RepresentativeNamed | RepresentationEnded | PersonComplainedAbout | InterestDeclared | InvestigationTeamFormed
)
"""Every fact of this module: what a `match` over it must cover."""
