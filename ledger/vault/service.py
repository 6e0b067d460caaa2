"""The one place that gives out personal values: it checks the right, records the look, and only then opens a value.

It acts under a database role of its own, which reads ciphertexts by a look that was committed and in no other way.
Handlers, auditors and bundles all come here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access import commands as ask
from ledger.access.events import VALUES_MAX
from ledger.access.masks import masked
from ledger.access.refusals import (
    ErasedAlready,
    LookNotAllowed,
    NoSuchValue,
    ProcessingRestricted,
    RequestNotOfThisLook,
)
from ledger.access.rules import LEGAL_CLAIM, AccessRequest, DataSubject, subject_stream
from ledger.application import Ledger
from ledger.complaint.grounds import same_person
from ledger.complaint.state import Complaint
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.event import Tier
from ledger.given import StoredFile
from ledger.record.digests import Digest, digests_of
from ledger.record.plans import plans
from ledger.record.reading import stream_events
from ledger.vault.reach import assigned_by, stands_in
from ledger.vault.sealing import Opened, disclosure_of, opened_with
from ledger.vault.standing import Standing, standing

CONNECTIONS_MAX = 4
CLOSELY_KEPT = frozenset({Tier.CORE, Tier.IMPORTANT})
"""Tiers whose values are shown in clear only to whom the complaint is assigned, or under a granted request."""

_SQL = queries(__file__)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wants to see: everything masked, and the values of `reveal` in clear, by path or by the fact's own field.

    Of the values that were recorded up to the position `as_of`; of all by default. With `position`, of that one event; only
    so is a value in clear that was superseded.
    """

    complaint_id: UUID
    purpose: str
    reveal: tuple[str, ...] = ()
    request_id: UUID | None = None
    as_of: int | None = None
    position: int | None = None


class Shown(NamedTuple):
    """One value as it is shown; None where it was erased. `salt` only where it is in clear: with it the value is a proof.

    `field` is what its fact calls it; `superseded_by_version` the version of what put it out of force, None while it stands.
    """

    position: int
    path: str
    tier: str
    subject_id: UUID
    digest: str
    in_clear: bool
    value: str | None
    salt: str | None
    field: str
    superseded_by_version: int | None


class Disclosed(NamedTuple):
    """One value in the form that proves itself against its event: base64url of `[salt, path, value]` (RFC 9901)."""

    position: int
    path: str
    digest: str
    disclosure: str


class Vault:
    """Gives out the values of one book. Safe for threads."""

    def __init__(self, ledger: Ledger, database: Database) -> None:
        self._ledger = ledger
        self._pool = Pool(lambda: database.connect(Role.VAULT, autocommit=True), CONNECTIONS_MAX)

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that acts as the vault's role."""
        with self._pool.connection() as connection:
            yield connection

    def look(self, look: Look, principal: str) -> list[Shown]:
        """The values of a complaint in the order in which they were recorded, masked but for those that were asked for.

        Raises ComplaintNotFound, NoSuchValue, LookNotAllowed, ProcessingRestricted or UnknownCode (of the purpose), and
        nothing was recorded. When it returns, or is cut off half-way, each value that went out has its event. Costs one
        commit for each data subject.
        """
        complaint = self._ledger.complaint(look.complaint_id)
        held, now = self._held(look)
        revealed = _revealed(held, now, look)
        self._check_right(complaint, look, {Tier(each.tier) for each in revealed.values()}, principal)
        subjects = self._subjects(held)
        self._refuse_restricted(subjects, (each for each in held if each.digest in revealed), look)
        opened = self._seen(look, held, subjects, revealed, principal)
        return [_shown(each, now, opened.get(each.digest), each.digest in revealed) for each in held]

    def disclose(self, look: Look, principal: str, recorded_by: str | None = None) -> list[Disclosed]:
        """The values that a receiver outside may see, each with its salt: those of `reveal`, else all that the right covers.

        Raises as `look` does where `reveal` names more than the right covers. Without it, what the right does not cover,
        what is restricted and what was erased is left out. Only what is given out is recorded as seen, before it is: by whom it
        is for, or by `recorded_by`, who hands it out.
        """
        complaint = self._ledger.complaint(look.complaint_id)
        held, now = self._held(look)
        subjects = self._subjects(held)
        if look.reveal:
            revealed = _revealed(held, now, look)
            self._check_right(complaint, look, {Tier(each.tier) for each in revealed.values()}, principal)
            self._refuse_restricted(subjects, revealed.values(), look)
        else:
            if not self._granted(look, set(Tier), principal):
                look = replace(look, request_id=None)  # nothing is shown under it, so nothing counts as its use
            covered = set(Tier) - set(self._missing(complaint, look, set(Tier), principal))
            if _is_claim(look):
                covered &= self._granted(look, set(Tier), principal)
            revealed = {
                each.digest: each
                for each in held
                if Tier(each.tier) in covered and _may_be_used(subjects[UUID(each.subject_id)], look)
            }
        opened = self._seen(look, list(revealed.values()), subjects, revealed, principal, recorded_by)
        return [
            Disclosed(
                each.position,
                each.path,
                each.digest,
                disclosure_of(Opened(opened[each.digest][0], each.path, opened[each.digest][1]), each.digest),
            )
            for each in revealed.values()
            if each.digest in opened
        ]

    def look_at_file(self, look: Look, file: StoredFile, principal: str, recorded_by: str | None = None) -> int:
        """Records that a file is about to be given out; the position of that event, by which its pieces can be read.

        A file is kept as closely as an important value, because nobody can tell beforehand what a recording holds.
        Raises ComplaintNotFound, LookNotAllowed, ProcessingRestricted, ErasedAlready or UnknownCode; nothing was recorded.
        """
        complaint = self._ledger.complaint(look.complaint_id)
        self._check_right(complaint, look, {Tier.IMPORTANT}, principal)
        receipt = self._ledger.handle(
            ask.SeeEvidenceFile(
                subject_id=file.subject_id,
                complaint_id=file.complaint_id,
                file_id=file.file_id,
                file_digest=file.digest,
                purpose=look.purpose,
                request_id=look.request_id,
                seen_by=principal,
            ),
            principal=recorded_by or principal,
        )
        assert receipt.last_position is not None, "a look is always a fact of its own"
        return receipt.last_position

    def see_file(self, look: Look, file: StoredFile, principal: str, recorded_by: str | None = None) -> int | None:
        """The same for a receiver outside, from whom it is kept back in silence; None where he may not, or it is gone."""
        try:
            return self.look_at_file(look, file, principal, recorded_by)
        except (LookNotAllowed, RequestNotOfThisLook, ProcessingRestricted, ErasedAlready):
            return None

    def _refuse_restricted(self, subjects: Mapping[UUID, DataSubject], revealed: Iterable[Digest], look: Look) -> None:
        for subject_id in {UUID(each.subject_id) for each in revealed}:
            since = subjects[subject_id].restricted_since
            if since is not None and not _is_claim(look):
                raise ProcessingRestricted(subject_id, since)

    def _seen(
        self,
        look: Look,
        seen: Sequence[Digest],
        subjects: Mapping[UUID, DataSubject],
        revealed: Mapping[str, Digest],
        principal: str,
        recorded_by: str | None = None,
    ) -> dict[str, tuple[str, Any]]:
        """Salt and value by digest, each look recorded before; without what was erased."""
        opened: dict[str, tuple[str, Any]] = {}
        for subject_id, subject in subjects.items():
            own = [each for each in seen if UUID(each.subject_id) == subject_id]
            if subject.erased_at is None:
                for start in range(0, len(own), VALUES_MAX):
                    some = own[start : start + VALUES_MAX]
                    try:
                        position = self._record(subject_id, look, some, revealed, principal, recorded_by or principal)
                    except ErasedAlready:  # since its state was read: it is shown as whoever was erased before
                        break
                    opened |= self._opened(subject_id, position)
        return opened

    def _subjects(self, held: Sequence[Digest]) -> dict[UUID, DataSubject]:
        return {each: self._subject(each) for each in dict.fromkeys(UUID(digest.subject_id) for digest in held)}

    def _held(self, look: Look) -> tuple[list[Digest], Standing]:
        """The personal values that the complaint's events have, each digest once, and which of them stand.

        A digest proves its value under the path that it was recorded with first; what an event carries along under another
        is told of its own event only.
        """
        with self._ledger.record.pool.connection() as connection:
            rows = stream_events(connection, self._ledger.book, look.complaint_id, up_to_position=look.as_of)
        found = [each for row in rows for each in digests_of(plans(), row.position, row.name, row.state)]
        first = {each.digest: each for each in reversed(found)}
        if look.position is None:
            return list(first.values())[::-1], standing(rows)
        own = [each for each in found if each.position == look.position and each.path == first[each.digest].path]
        return own, standing(rows)

    def _is_assigned(self, complaint_id: UUID, complaint: Complaint, principal: str) -> bool:
        """Whether the complaint is the person's own, or that of whom he stands in for now, and neither gave it to himself."""
        if complaint.assignment is None or complaint.assignment.assignee is None:
            return False
        assignee = complaint.assignment.assignee
        if not same_person(assignee, principal) and not stands_in(self._ledger, assignee, principal):
            return False
        return assigned_by(self._ledger, complaint_id).isdisjoint({assignee.casefold(), principal.casefold()})

    def _check_right(self, complaint: Complaint, look: Look, tiers: AbstractSet[Tier], principal: str) -> None:
        missing = self._missing(complaint, look, tiers, principal)
        if missing:
            raise LookNotAllowed([str(tier) for tier in missing])
        if look.request_id is not None and not self._is_used(look, tiers, principal):
            raise RequestNotOfThisLook(look.request_id)

    def _missing(self, complaint: Complaint, look: Look, tiers: AbstractSet[Tier], principal: str) -> list[Tier]:
        """Those of the tiers whose values of this complaint he may not see in clear now."""
        closely = tiers & CLOSELY_KEPT
        if not closely or self._is_assigned(look.complaint_id, complaint, principal):
            return []
        covered = self._granted(look, closely, principal)
        return [tier for tier in sorted(closely) if tier not in covered]

    def _is_used(self, look: Look, tiers: AbstractSet[Tier], principal: str) -> bool:
        """Whether the request that a look states is what lets these values be seen: a look in clear, all of it closely kept
        or restricted covered. A legal claim to restricted values takes it for ordinary ones too.
        """
        covered = self._granted(look, tiers, principal)
        needed = tiers if look.purpose == LEGAL_CLAIM else tiers & CLOSELY_KEPT
        return bool(covered) and needed <= covered

    def _granted(self, look: Look, tiers: AbstractSet[Tier], principal: str) -> set[Tier]:
        """Those of the tiers that the request which a look states covers now."""
        if look.request_id is None:
            return set()
        granted = cast("AccessRequest", self._ledger.state("access-request", look.request_id)[0])
        now, asked = datetime.now(UTC), (principal, look.complaint_id)
        return {tier for tier in tiers if granted.covers(*asked, tier, look.purpose, now)}

    def _subject(self, subject_id: UUID) -> DataSubject:
        state, _ = self._ledger.state("data-subject", subject_stream(self._ledger.id, subject_id))
        return cast("DataSubject", state)

    def _record(
        self,
        subject_id: UUID,
        look: Look,
        seen: Sequence[Digest],
        revealed: Mapping[str, Digest],
        principal: str,
        recorded_by: str,
    ) -> int:
        """The position of the look's event, which is durable now."""
        receipt = self._ledger.handle(
            ask.SeePersonalData(
                subject_id=subject_id,
                complaint_id=look.complaint_id,
                paths=tuple(dict.fromkeys(each.path for each in seen)),
                digests=tuple(each.digest for each in seen),
                revealed=tuple(each.digest for each in seen if each.digest in revealed),
                purpose=look.purpose,
                request_id=look.request_id,
                seen_by=principal,
            ),
            principal=recorded_by,
        )
        assert receipt.last_position is not None, "a look is always a fact of its own"
        return receipt.last_position

    def _opened(self, subject_id: UUID, position: int) -> dict[str, tuple[str, Any]]:
        """Salt and value by digest, of one subject; without those whose key is gone."""
        key = self._ledger.keys.held([subject_id]).get(subject_id)
        if key is None:
            return {}
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_SQL["values_seen"], {"book": self._ledger.book, "position": position})
            rows = cursor.fetchall()
        found = {digest: opened_with(key, bytes(sealed), digest, subject_id) for _, digest, _, _, _, sealed in rows}
        return {digest: (each.salt, each.value) for digest, each in found.items()}


def _may_be_used(subject: DataSubject, look: Look) -> bool:
    return subject.restricted_since is None or _is_claim(look)


def _is_claim(look: Look) -> bool:
    """Whether a look is for a legal claim, under a request: that it covers the look is checked with the right."""
    return look.purpose == LEGAL_CLAIM and look.request_id is not None


def _revealed(held: Sequence[Digest], now: Standing, look: Look) -> dict[str, Digest]:
    """By digest, what is asked for in clear: what stands, and of one event what was superseded too."""
    may = [each for each in held if look.position is not None or each.digest not in now.superseded_by]
    unknown = sorted({name for name in look.reveal if not any(now.is_called(each, name) for each in may)})
    if unknown:
        raise NoSuchValue(unknown)
    return {each.digest: each for each in may if any(now.is_called(each, name) for name in look.reveal)}


def _shown(held: Digest, now: Standing, opened: tuple[str, Any] | None, in_clear: bool) -> Shown:
    salt, value = opened or (None, None)
    shown = None if opened is None else str(value) if in_clear else masked(held.path, value, Tier(held.tier))
    return Shown(
        position=held.position,
        path=held.path,
        tier=held.tier,
        subject_id=UUID(held.subject_id),
        digest=held.digest,
        in_clear=in_clear and opened is not None,
        value=shown,
        salt=salt if in_clear else None,
        field=now.fields.get(held.digest, held.path),
        superseded_by_version=now.superseded_by.get(held.digest),
    )
