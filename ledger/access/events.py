"""The facts of access: who asked to see, who allowed it, who looked, and what may or must be forgotten. Nothing decides here.

None of them holds a personal value. The actor of each is who was known by a token, and its time is the ledger's.
"""

from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from ledger.event import Code, Event, Label, Sha256Hex, StaffId, SubjectId, Tier

Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
FieldPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,199}$")]
VALUES_MAX = 200
"""Values that one look may be at, and data subjects that one search may find."""
FOUND_MAX = 100
"""Files that one page of a search may hold."""


class AccessRequestEvent(Event):
    """A fact in the stream of one request to see more than one's role allows (申请 → 审批 → 记录 → 使用 → 报告)."""

    request_id: UUID


class AccessRequested(AccessRequestEvent):
    """Somebody asked to see personal values of one complaint 申请, for a purpose and until a time."""

    complaint_id: UUID
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=3)]
    purpose: Code
    reason: Label
    until: AwareDatetime
    requested_by: StaffId
    requested_at: AwareDatetime


class AccessApproved(AccessRequestEvent):
    """Somebody else allowed it 审批. It ends by itself at `until`."""

    until: AwareDatetime
    approved_by: StaffId
    approved_at: AwareDatetime


class AccessDeclined(AccessRequestEvent):
    """Somebody else did not allow it."""

    reason: Label
    declined_by: StaffId
    declined_at: AwareDatetime


class AccessUseReported(AccessRequestEvent):
    """What was done with it 使用情况记录和归档. Ends the grant."""

    report: Label
    reported_by: StaffId
    reported_at: AwareDatetime


class DataSubjectEvent(Event):
    """A fact about the personal values of one data subject."""

    subject_id: SubjectId


class PersonalDataSeen(DataSubjectEvent):
    """Somebody saw values of a person, masked or (those of `revealed`) in clear. Recorded before they were given out."""

    complaint_id: UUID
    paths: Annotated[tuple[FieldPath, ...], Field(max_length=VALUES_MAX)]
    digests: Annotated[tuple[Digest, ...], Field(max_length=VALUES_MAX)]
    revealed: Annotated[tuple[Digest, ...], Field(max_length=VALUES_MAX)] = ()
    purpose: Code
    request_id: UUID | None = None
    seen_by: StaffId
    seen_at: AwareDatetime


class EvidenceFileSeen(DataSubjectEvent):
    """Somebody was given a file of evidence 查阅证据, whole and in clear. Recorded before a byte of it went out."""

    complaint_id: UUID
    file_id: UUID
    file_digest: Sha256Hex
    purpose: Code
    request_id: UUID | None = None
    seen_by: StaffId
    seen_at: AwareDatetime


class ErasureRequested(DataSubjectEvent):
    """Somebody asked that the values be erased, and on which ground. From here on they are stored and secured, no more."""

    ground: Code
    requested_by: StaffId
    requested_at: AwareDatetime


class ErasureApproved(DataSubjectEvent):
    """Somebody else approved the erasure 审批, on the ground of its request: it is carried out as soon as nothing keeps the values."""

    ground: Code
    approved_by: StaffId
    approved_at: AwareDatetime


class ErasureRequestEnded(DataSubjectEvent):
    """The request for erasure stands no more 撤回或驳回: taken back by the person, or declined. Processing is not restricted now."""

    reason: Label
    ended_by: StaffId
    ended_at: AwareDatetime


class LegalHoldPlaced(DataSubjectEvent):
    """The values must not be erased while this stands."""

    hold_id: UUID
    reason: Label
    placed_by: StaffId
    placed_at: AwareDatetime


class LegalHoldLifted(DataSubjectEvent):
    """The hold stands no more."""

    hold_id: UUID
    reason: Label
    lifted_by: StaffId
    lifted_at: AwareDatetime


class SubjectErased(DataSubjectEvent):
    """The key of the subject is to be destroyed, with its values and index entries. Events, hashes and counts stand.

    `kept_until` is when the longest retention ended, where one ran. `approved_by` had approved it before; without, `erased_by`
    is the second person.
    """

    ground: Code
    kept_until: AwareDatetime | None = None
    approved_by: StaffId | None = None
    erased_by: StaffId
    erased_at: AwareDatetime


class PersonalDataSearched(Event):
    """Somebody searched for persons or files. What was searched for is not in it: that the files were found tells enough,
    and must not outlive an erasure.

    `kind` is `words`, the kind of number that was looked up, or `duplicates`: then `alike_id` is the customer whose others were
    looked for. What was found is what the searcher was told.
    """

    search_id: UUID
    kind: Code
    purpose: Code
    found_ids: Annotated[tuple[UUID, ...], Field(max_length=FOUND_MAX)]
    subject_ids: Annotated[tuple[SubjectId, ...], Field(max_length=VALUES_MAX)]
    alike_id: SubjectId | None = None
    searched_by: StaffId
    searched_at: AwareDatetime


class PermissionsReviewed(Event):
    """Somebody looked through who was permitted what and used it 权限复核, and signs for it.

    `digest` is that of the report he saw: of the period, as recorded up to `position`. Asked for again, it is the same.
    """

    review_id: UUID
    since: AwareDatetime
    until: AwareDatetime
    position: Annotated[int, Field(ge=0)]
    digest: Sha256Hex
    finding: Label
    reviewed_by: StaffId
    reviewed_at: AwareDatetime


class DeputyEvent(Event):
    """A fact about who stands in for a member of staff."""

    person: StaffId
    deputy: StaffId


class DeputyNamed(DeputyEvent):
    """Somebody stands in for another 代理 until a time: closely kept values of that one's complaints are the deputy's to see."""

    until: AwareDatetime
    reason: Label
    named_by: StaffId
    named_at: AwareDatetime


class DeputyEnded(DeputyEvent):
    """Somebody stands in no more, before the time that was stated."""

    ended_by: StaffId
    ended_at: AwareDatetime


AnyDeputyEvent: TypeAlias = DeputyNamed | DeputyEnded
AnyAccessRequestEvent: TypeAlias = AccessRequested | AccessApproved | AccessDeclined | AccessUseReported
AnyDataSubjectEvent: TypeAlias = (
    PersonalDataSeen
    | EvidenceFileSeen
    | ErasureRequested
    | ErasureApproved
    | ErasureRequestEnded
    | LegalHoldPlaced
    | LegalHoldLifted
    | SubjectErased
)

ACCESS_NAMES: dict[str, type[Event]] = {
    "access-requested": AccessRequested,
    "access-approved": AccessApproved,
    "access-declined": AccessDeclined,
    "access-use-reported": AccessUseReported,
    "personal-data-seen": PersonalDataSeen,
    "evidence-file-seen": EvidenceFileSeen,
    "erasure-requested": ErasureRequested,
    "erasure-approved": ErasureApproved,
    "erasure-request-ended": ErasureRequestEnded,
    "legal-hold-placed": LegalHoldPlaced,
    "legal-hold-lifted": LegalHoldLifted,
    "subject-erased": SubjectErased,
    "personal-data-searched": PersonalDataSearched,
    "permissions-reviewed": PermissionsReviewed,
    "deputy-named": DeputyNamed,
    "deputy-ended": DeputyEnded,
}


def known_request_event(event: AccessRequestEvent) -> AnyAccessRequestEvent:
    """The event as one of those that there are, for the type checker."""
    return cast("AnyAccessRequestEvent", event)


def known_deputy_event(event: DeputyEvent) -> AnyDeputyEvent:
    """The event as one of those that there are, for the type checker."""
    return cast("AnyDeputyEvent", event)


def known_subject_event(event: DataSubjectEvent) -> AnyDataSubjectEvent:
    """The event as one of those that there are, for the type checker."""
    return cast("AnyDataSubjectEvent", event)
