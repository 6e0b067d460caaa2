"""What a caller may ask for about access: one command for each fact. Nothing here decides.

A field of type `CallerId` is who asks, by the token; no body says it.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from ledger.access.events import FOUND_MAX, VALUES_MAX, Digest, FieldPath
from ledger.command import CallerId, Command, Instant, Name, NewId, names_nobody
from ledger.event import Code, Sha256Hex, StaffId, SubjectId, Tier

Reason = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
    AfterValidator(names_nobody),
]
"""One line that names no person."""

Purpose = Annotated[Code, Field(description="What for: a code of the table `look-purpose` (see `/codes`).")]
"""Whether the book's table has it the rules of access decide, before anything is recorded."""


ErasureGround = Annotated[
    Code, Field(description="On which ground: a code of the table `erasure-ground` (see `/codes`).")
]
"""An erasure is carried out on the ground of its request, and on no other."""


class AccessRequestCommand(Command):
    """About one request for access."""

    request_id: UUID


class RequestAccess(AccessRequestCommand):
    """Ask to see personal values of a complaint that is not one's own, for a purpose and until a time."""

    request_id: NewId
    complaint_id: UUID
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=3)]
    purpose: Purpose
    reason: Reason
    until: Instant
    requested_by: CallerId


class ApproveAccess(AccessRequestCommand):
    """Allow what somebody else asked for."""

    approved_by: CallerId


class DeclineAccess(AccessRequestCommand):
    """Do not allow what somebody else asked for."""

    reason: Reason
    declined_by: CallerId


class ReportAccessUse(AccessRequestCommand):
    """Say what was done with it. It ends the grant."""

    report: Reason
    reported_by: CallerId


class DataSubjectCommand(Command):
    """About the personal values of one data subject."""

    subject_id: SubjectId


class SeePersonalData(DataSubjectCommand):
    """The vault's own: record that somebody is about to see values."""

    complaint_id: UUID
    paths: Annotated[tuple[FieldPath, ...], Field(max_length=VALUES_MAX)]
    digests: Annotated[tuple[Digest, ...], Field(max_length=VALUES_MAX)]
    revealed: Annotated[tuple[Digest, ...], Field(max_length=VALUES_MAX)]
    purpose: Purpose
    request_id: UUID | None = None
    seen_by: CallerId


class SeeEvidenceFile(DataSubjectCommand):
    """The vault's own: record that somebody is about to be given a file of evidence."""

    complaint_id: UUID
    file_id: UUID
    file_digest: Sha256Hex
    purpose: Purpose
    request_id: UUID | None = None
    seen_by: CallerId


class RequestErasure(DataSubjectCommand):
    """Ask that a person's values be erased; from now on they are stored and secured, and used for nothing else."""

    ground: ErasureGround
    requested_by: CallerId


class ApproveErasure(DataSubjectCommand):
    """Approve an erasure that somebody else asked for: it is carried out as soon as no retention and no hold keeps the values."""

    approved_by: CallerId


class EndErasureRequest(DataSubjectCommand):
    """Say that a request for erasure stands no more: the person took it back, or it is declined. Nothing is restricted then."""

    reason: Reason
    ended_by: CallerId


class PlaceLegalHold(DataSubjectCommand):
    """Keep a person's values from being erased."""

    hold_id: NewId
    reason: Reason
    placed_by: CallerId


class LiftLegalHold(DataSubjectCommand):
    """Take a hold back."""

    hold_id: UUID
    reason: Reason
    lifted_by: CallerId


class EraseSubject(DataSubjectCommand):
    """The vault's own: record that a person's values and key go. `kept_until` is the end of the longest retention.

    `held_elsewhere` counts the legal holds of the same person under other ids.
    `as_approved`: a second person approved it before, so it is not `erased_by` who decides. `key_destroyed`: they went before,
    and a restored database has forgotten it.
    """

    ground: Code
    kept_until: Instant | None = None
    kept_for_open: bool = False
    held_elsewhere: Annotated[int, Field(ge=0)] = 0
    as_approved: bool = False
    key_destroyed: bool = False
    erased_by: CallerId


class LookAtValues(Command):
    """Look at the personal values of a complaint: masked, and those of `reveal` in clear. The look is recorded first.

    `reveal` names fields, such as `customer_name`: what is in force is shown, corrected where it was corrected. What a
    correction or an annulment superseded is shown in clear with the `position` of its event only.
    """

    complaint_id: UUID
    purpose: Purpose
    reveal: Annotated[tuple[FieldPath, ...], Field(max_length=VALUES_MAX)] = ()
    request_id: UUID | None = None
    position: Annotated[int, Field(ge=1, lt=2**62)] | None = None


class SearchCommand(Command):
    """About one search."""

    search_id: UUID


class RecordSearch(SearchCommand):
    """The vault's own: record what somebody is about to be told."""

    kind: Code
    purpose: Purpose
    found_ids: Annotated[tuple[UUID, ...], Field(max_length=FOUND_MAX)]
    subject_ids: Annotated[tuple[SubjectId, ...], Field(max_length=VALUES_MAX)]
    alike_id: SubjectId | None = None
    searched_by: CallerId


class SearchFiles(Command):
    """Find the files that have some words in a name or in what was written; a page of their ids. It is recorded first."""

    words: Name
    purpose: Purpose
    limit: Annotated[int, Field(ge=1, le=FOUND_MAX)] = 50
    after: UUID | None = None


class LookUpPerson(Command):
    """Find the persons who have exactly this number, address or name, however it is written. It is recorded first."""

    kind: Literal["identity-number", "account", "contact", "name"]
    value: Name
    purpose: Purpose


class FindDuplicates(Command):
    """Find who may be the same person as a customer: who shares a phone, number, account or name. It is recorded first."""

    customer_id: UUID
    purpose: Purpose


class PermissionReviewCommand(Command):
    """About one review of permissions."""

    review_id: UUID


class SignPermissionReview(PermissionReviewCommand):
    """Sign for a look through the permissions of a period, by the digest of the report that was seen."""

    review_id: NewId
    since: Instant
    until: Instant
    position: Annotated[int, Field(ge=0, lt=2**62)]
    digest: Sha256Hex
    finding: Reason
    reviewed_by: CallerId


class DeputyCommand(Command):
    """About who stands in for a member of staff."""

    person: StaffId


class NameDeputy(DeputyCommand):
    """Have somebody stand in for another until a time."""

    deputy: StaffId
    until: Instant
    reason: Reason
    named_by: CallerId


class EndDeputy(DeputyCommand):
    """Have somebody stand in no more."""

    deputy: StaffId
    ended_by: CallerId


class EraseDataSubject(Command):
    """Erase a person's values, index entries and key, as somebody else asked, once no retention and no hold keeps them."""

    subject_id: SubjectId
    ground: ErasureGround


class LookAtFile(Command):
    """Be given a file of evidence 查阅证据, whole and in clear. The look is recorded first."""

    complaint_id: UUID
    file_id: UUID
    purpose: Purpose
    request_id: UUID | None = None
