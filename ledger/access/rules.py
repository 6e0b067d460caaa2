"""What is known of a request for access and of a data subject, and what may follow. No clock, no database, no ids made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID, uuid5

from ledger.access import commands as ask
from ledger.access import events as fact
from ledger.access import refusals as refuse
from ledger.complaint.grounds import same_person
from ledger.event import Event, Tier
from ledger.given import Given
from ledger.tables.refusals import UnknownCode
from ledger.tables.state import Tables

ACCESS_DAYS_MAX = 90
LEGAL_CLAIM = "legal-claim"
"""The purpose for which restricted values may still be seen, under a granted request (GDPR Art. 18(2))."""
OPERATOR = "operator."
"""What the name of who works on the machine itself begins with in the record; no token speaks for one."""
PURPOSES = "look-purpose"
"""The table of what somebody may look, search and ask for access for."""
GROUNDS = "erasure-ground"
"""The table of the grounds on which a person's values are erased."""


class Keeps(StrEnum):
    """What an erasure that was asked for waits for."""

    APPROVAL = "approval"
    HOLD = "legal-hold"
    OPEN = "open-complaint"
    RETENTION = "retention"


def subject_stream(book: UUID, subject_id: UUID) -> UUID:
    """The stream of what is recorded about a data subject's values; the customer's own stream is another."""
    return uuid5(book, f"data-subject/{subject_id}")


def for_known_purpose(purpose: str, tables: Tables) -> None:
    """Refuses what the book's table does not have: a look for any odd word would be a look for no purpose. Raises UnknownCode."""
    known = tables.current[PURPOSES]
    if purpose not in known:
        raise UnknownCode("purpose", PURPOSES, known)


@dataclass(frozen=True)
class AccessRequest:
    """One request; `AccessRequest()` is one of which nothing is recorded."""

    requested: fact.AccessRequested | None = None
    approved_until: datetime | None = None
    ended: bool = False

    def covers(self, principal: str, complaint_id: UUID, tier: Tier, purpose: str, now: datetime) -> bool:
        """Whether it lets a person see values of a tier of a complaint now, for the purpose that was approved and no other."""
        asked = self.requested
        return (
            asked is not None
            and self.approved_until is not None
            and now < self.approved_until
            and not self.ended
            and same_person(asked.requested_by, principal)
            and (asked.complaint_id, asked.purpose) == (complaint_id, purpose)
            and tier in asked.tiers
        )


@dataclass(frozen=True)
class DataSubject:
    """What stands for a data subject; `DataSubject()` is one of whom nothing is recorded here."""

    erasure: fact.ErasureRequested | None = None
    """The request for erasure that stands."""
    approval: fact.ErasureApproved | None = None
    """That somebody else approved it."""
    holds: Mapping[UUID, str] = field(default_factory=dict)
    erased_at: datetime | None = None

    @property
    def restricted_since(self) -> datetime | None:
        """From when on the values are stored and secured, and no more; None where they are not restricted."""
        return None if self.erasure is None else self.erasure.requested_at

    def kept_by(
        self, kept_until: datetime | None, now: datetime, *, is_open: bool, held_elsewhere: int = 0
    ) -> list[Keeps]:
        """What keeps the values now, besides a missing approval; `kept_until` is the end of the longest retention, `is_open`
        whether the person stands in a complaint that is, `held_elsewhere` how many holds the person is under by other ids.
        """
        keeps = [Keeps.HOLD] if self.holds or held_elsewhere else []
        keeps += [Keeps.OPEN] if is_open else []
        return [*keeps, *([Keeps.RETENTION] if kept_until is not None and now < kept_until else [])]


def decide_request(request: AccessRequest, command: ask.AccessRequestCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; raises a Refusal otherwise."""
    match command:
        case ask.RequestAccess():
            return _request(request, command, given)
        case ask.ApproveAccess():
            asked = _answerable(request, command.request_id, command.approved_by)
            return [
                fact.AccessApproved(
                    request_id=command.request_id,
                    until=asked.until,
                    approved_by=command.approved_by,
                    approved_at=given.now,
                )
            ]
        case ask.DeclineAccess():
            _answerable(request, command.request_id, command.declined_by)
            return [
                fact.AccessDeclined(
                    request_id=command.request_id,
                    reason=command.reason,
                    declined_by=command.declined_by,
                    declined_at=given.now,
                )
            ]
        case ask.ReportAccessUse():
            return _report(request, command, given.now)
        case _:
            raise AssertionError(f"{type(command).__name__} is no command about a request for access")


def _request(request: AccessRequest, command: ask.RequestAccess, given: Given) -> list[Event]:
    if request.requested is not None:
        return []  # the same id again: a retry
    now = given.now
    for_known_purpose(command.purpose, given.tables)
    if not now < command.until <= now + timedelta(days=ACCESS_DAYS_MAX):
        raise refuse.AccessTooLong(command.until, ACCESS_DAYS_MAX)
    return [
        fact.AccessRequested(
            request_id=command.request_id,
            complaint_id=command.complaint_id,
            tiers=command.tiers,
            purpose=command.purpose,
            reason=command.reason,
            until=command.until,
            requested_by=command.requested_by,
            requested_at=now,
        )
    ]


def _answerable(request: AccessRequest, request_id: UUID, by: str) -> fact.AccessRequested:
    if request.requested is None:
        raise refuse.AccessRequestUnknown(request_id)
    if same_person(request.requested.requested_by, by):
        raise refuse.ApproverIsRequester(by)
    if request.approved_until is not None or request.ended:
        raise refuse.AccessRequestAnswered(request_id)
    return request.requested


def _report(request: AccessRequest, command: ask.ReportAccessUse, now: datetime) -> list[Event]:
    if request.requested is None or request.approved_until is None:
        raise refuse.AccessRequestUnknown(command.request_id)
    if not same_person(request.requested.requested_by, command.reported_by):
        raise refuse.NotTheRequester(request.requested.requested_by)
    if request.ended:
        raise refuse.AccessRequestAnswered(command.request_id)
    return [
        fact.AccessUseReported(
            request_id=command.request_id, report=command.report, reported_by=command.reported_by, reported_at=now
        )
    ]


def evolve_request(request: AccessRequest, event: fact.AccessRequestEvent) -> AccessRequest:
    """The request after one more recorded fact. Total."""
    told = fact.known_request_event(event)
    match told:
        case fact.AccessRequested():
            return replace(request, requested=told)
        case fact.AccessApproved():
            return replace(request, approved_until=told.until)
        case fact.AccessDeclined() | fact.AccessUseReported():
            return replace(request, ended=True)
        case _:
            assert_never(told)


def decide_subject(subject: DataSubject, command: ask.DataSubjectCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    now, subject_id = given.now, command.subject_id
    if subject.erased_at is not None:
        raise refuse.ErasedAlready(subject_id, subject.erased_at)
    match command:
        case ask.SeePersonalData():
            return _see(subject, command, given)
        case ask.SeeEvidenceFile():
            return _see_file(subject, command, given)
        case ask.RequestErasure():
            return _request_erasure(subject, command, given)
        case ask.ApproveErasure():
            return _approve_erasure(subject, command, given)
        case ask.EndErasureRequest():
            if subject.erasure is None:
                return []
            return [
                fact.ErasureRequestEnded(
                    subject_id=subject_id, reason=command.reason, ended_by=command.ended_by, ended_at=now
                )
            ]
        case ask.PlaceLegalHold():
            _refuse_no_person(subject_id, given)  # a hold under a mistyped id would let the person's values be erased
            if command.hold_id in subject.holds:
                return []
            return [
                fact.LegalHoldPlaced(
                    subject_id=subject_id,
                    hold_id=command.hold_id,
                    reason=command.reason,
                    placed_by=command.placed_by,
                    placed_at=now,
                )
            ]
        case ask.LiftLegalHold():
            return _lift(subject, command, now)
        case ask.EraseSubject():
            return _erase(subject, command, given)
        case _:
            raise AssertionError(f"{type(command).__name__} is no command about a data subject")


def _is_claim(purpose: str, request_id: UUID | None) -> bool:
    """Whether a look is for a legal claim, under a request (that it is granted, and covers the look, the vault has checked)."""
    return purpose == LEGAL_CLAIM and request_id is not None


def _see(subject: DataSubject, command: ask.SeePersonalData, given: Given) -> list[Event]:
    for_known_purpose(command.purpose, given.tables)
    if command.revealed and subject.restricted_since is not None and not _is_claim(command.purpose, command.request_id):
        raise refuse.ProcessingRestricted(command.subject_id, subject.restricted_since)
    return [
        fact.PersonalDataSeen(
            subject_id=command.subject_id,
            complaint_id=command.complaint_id,
            paths=command.paths,
            digests=command.digests,
            revealed=command.revealed,
            purpose=command.purpose,
            request_id=command.request_id,
            seen_by=command.seen_by,
            seen_at=given.now,
        )
    ]


def _see_file(subject: DataSubject, command: ask.SeeEvidenceFile, given: Given) -> list[Event]:
    for_known_purpose(command.purpose, given.tables)
    if subject.restricted_since is not None and not _is_claim(command.purpose, command.request_id):
        raise refuse.ProcessingRestricted(command.subject_id, subject.restricted_since)
    return [
        fact.EvidenceFileSeen(
            subject_id=command.subject_id,
            complaint_id=command.complaint_id,
            file_id=command.file_id,
            file_digest=command.file_digest,
            purpose=command.purpose,
            request_id=command.request_id,
            seen_by=command.seen_by,
            seen_at=given.now,
        )
    ]


def _lift(subject: DataSubject, command: ask.LiftLegalHold, now: datetime) -> list[Event]:
    if command.hold_id not in subject.holds:
        raise refuse.LegalHoldUnknown(command.hold_id)
    if same_person(subject.holds[command.hold_id], command.lifted_by):
        raise refuse.ApproverIsRequester(command.lifted_by)  # four eyes: who placed it does not lift it
    return [
        fact.LegalHoldLifted(
            subject_id=command.subject_id,
            hold_id=command.hold_id,
            reason=command.reason,
            lifted_by=command.lifted_by,
            lifted_at=now,
        )
    ]


def _refuse_no_person(subject_id: UUID, given: Given) -> None:
    """Raises NoPerson for an id under which the institution keeps texts, and NoSuchPerson for one of whom nothing is kept."""
    if given.held.of_institution is not None:
        raise refuse.NoPerson(subject_id, given.held.of_institution)
    if not given.held.values:
        raise refuse.NoSuchPerson(subject_id)


def _request_erasure(subject: DataSubject, command: ask.RequestErasure, given: Given) -> list[Event]:
    _refuse_no_person(command.subject_id, given)
    if subject.erasure is not None:
        _refuse_other_ground(subject.erasure, command.ground)
        return []
    known = given.tables.current[GROUNDS]
    if command.ground not in known:
        raise UnknownCode("ground", GROUNDS, known)
    return [
        fact.ErasureRequested(
            subject_id=command.subject_id,
            ground=command.ground,
            requested_by=command.requested_by,
            requested_at=given.now,
        )
    ]


def _approve_erasure(subject: DataSubject, command: ask.ApproveErasure, given: Given) -> list[Event]:
    _refuse_no_person(command.subject_id, given)
    asked = _stands(subject, command.subject_id)
    if same_person(asked.requested_by, command.approved_by):
        raise refuse.ApproverIsRequester(command.approved_by)
    if subject.approval is not None:
        return []
    return [
        fact.ErasureApproved(
            subject_id=command.subject_id,
            ground=asked.ground,
            approved_by=command.approved_by,
            approved_at=given.now,
        )
    ]


def _erase(subject: DataSubject, command: ask.EraseSubject, given: Given) -> list[Event]:
    if not command.key_destroyed:
        _refuse_to_erase(subject, command, given)
    approval = subject.approval if command.as_approved else None
    return [
        fact.SubjectErased(
            subject_id=command.subject_id,
            ground=command.ground,
            kept_until=command.kept_until,
            approved_by=None if approval is None else approval.approved_by,
            erased_by=command.erased_by,
            erased_at=given.now,
        )
    ]


def _refuse_to_erase(subject: DataSubject, command: ask.EraseSubject, given: Given) -> None:
    subject_id = command.subject_id
    _refuse_no_person(subject_id, given)
    asked = _stands(subject, subject_id)
    _refuse_other_ground(asked, command.ground)
    if command.as_approved:
        if subject.approval is None:
            raise refuse.ErasureNotApproved(subject_id)
    elif same_person(asked.requested_by, command.erased_by):
        raise refuse.ApproverIsRequester(command.erased_by)  # four eyes: who asked for it does not carry it out
    elsewhere = command.held_elsewhere
    keeps = subject.kept_by(command.kept_until, given.now, is_open=command.kept_for_open, held_elsewhere=elsewhere)
    if Keeps.HOLD in keeps:
        raise refuse.UnderLegalHold(subject_id, len(subject.holds) + elsewhere)
    if Keeps.OPEN in keeps:
        raise refuse.StillRetained(subject_id, "the complaint is closed, and its retention over")
    if Keeps.RETENTION in keeps and command.kept_until is not None:
        raise refuse.StillRetained(subject_id, command.kept_until.isoformat())


def _stands(subject: DataSubject, subject_id: UUID) -> fact.ErasureRequested:
    if subject.erasure is None:
        raise refuse.ErasureNotRequested(subject_id)
    return subject.erasure


def _refuse_other_ground(asked: fact.ErasureRequested, ground: str) -> None:
    if ground != asked.ground:
        raise refuse.ErasureOnAnotherGround(asked.subject_id, asked.ground, ground)


@dataclass(frozen=True)
class Search:
    """One search; only its purpose is decided about."""

    recorded: bool = False


def decide_search(search: Search, command: ask.SearchCommand, given: Given) -> list[Event]:
    """The fact that somebody searched; `[]` when it is recorded already. Raises UnknownCode."""
    assert isinstance(command, ask.RecordSearch), f"{type(command).__name__} is no command about a search"
    if search.recorded:
        return []
    for_known_purpose(command.purpose, given.tables)
    return [
        fact.PersonalDataSearched(
            search_id=command.search_id,
            kind=command.kind,
            purpose=command.purpose,
            found_ids=command.found_ids,
            subject_ids=command.subject_ids,
            alike_id=command.alike_id,
            searched_by=command.searched_by,
            searched_at=given.now,
        )
    ]


def evolve_search(_: Search, event: fact.PersonalDataSearched) -> Search:
    """The search once it is recorded. Total."""
    del event
    return Search(recorded=True)


@dataclass(frozen=True)
class PermissionReview:
    """One review of permissions; signed once."""

    signed: bool = False


def decide_review(review: PermissionReview, command: ask.PermissionReviewCommand, given: Given) -> list[Event]:
    """The signature; `[]` for the same id again. Raises PeriodNotOver."""
    assert isinstance(command, ask.SignPermissionReview), f"{type(command).__name__} is no command about a review"
    if review.signed:
        return []
    if not command.since < command.until <= given.now:
        raise refuse.PeriodNotOver
    return [
        fact.PermissionsReviewed(
            review_id=command.review_id,
            since=command.since,
            until=command.until,
            position=command.position,
            digest=command.digest,
            finding=command.finding,
            reviewed_by=command.reviewed_by,
            reviewed_at=given.now,
        )
    ]


def evolve_review(_: PermissionReview, event: fact.PermissionsReviewed) -> PermissionReview:
    """The review once it is signed. Total."""
    del event
    return PermissionReview(signed=True)


def evolve_subject(subject: DataSubject, event: fact.DataSubjectEvent) -> DataSubject:
    """What stands for the subject after one more recorded fact. Total."""
    told = fact.known_subject_event(event)
    match told:
        case fact.PersonalDataSeen() | fact.EvidenceFileSeen():
            return subject
        case fact.ErasureRequested():
            return replace(subject, erasure=subject.erasure or told)
        case fact.ErasureApproved():
            return replace(subject, approval=told)
        case fact.ErasureRequestEnded():
            return replace(subject, erasure=None, approval=None)
        case fact.LegalHoldPlaced():
            return replace(subject, holds={**subject.holds, told.hold_id: told.placed_by})
        case fact.LegalHoldLifted():
            return replace(subject, holds={each: by for each, by in subject.holds.items() if each != told.hold_id})
        case fact.SubjectErased():
            return replace(subject, erased_at=told.erased_at)
        case _:
            assert_never(told)
