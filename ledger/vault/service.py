"""The one place that gives out personal values: it checks the right, records the look, and only then opens a value.

It acts under a database role of its own, which reads ciphertexts by a look that was committed and in no other way.
Handlers, auditors and bundles all come here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid5

from psycopg2.extensions import connection as Connection

from ledger.access import commands as ask
from ledger.access.events import VALUES_MAX
from ledger.access.masks import masked
from ledger.access.refusals import LookNotAllowed, NoSuchValue, ProcessingRestricted
from ledger.access.rules import LEGAL_CLAIM, AccessRequest, DataSubject
from ledger.application import Ledger
from ledger.complaint.state import Complaint
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.event import Tier
from ledger.record.reading import stream_events
from ledger.record.values import Digest, PageOfDigests
from ledger.vault.sealing import opened_with

CONNECTIONS_MAX = 4
CLOSELY_KEPT = frozenset({Tier.CORE, Tier.IMPORTANT})
"""Tiers whose values are shown in clear only to whom the complaint is assigned, or under a granted request."""

_SQL = queries(__file__)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wants to see: everything masked, and the values of `reveal` (by path) in clear."""

    complaint_id: UUID
    purpose: str
    reveal: tuple[str, ...] = ()
    request_id: UUID | None = None


class Shown(NamedTuple):
    """One value as it is shown; None where it was erased. `salt` only where it is in clear: with it the value is a proof."""

    position: int
    path: str
    tier: str
    subject_id: UUID
    digest: str
    in_clear: bool
    value: str | None
    salt: str | None


def subject_stream(book: UUID, subject_id: UUID) -> UUID:
    """The stream of what is recorded about a data subject's values; the customer's own stream is another."""
    return uuid5(book, f"data-subject/{subject_id}")


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

        Raises ComplaintNotFound, NoSuchValue, LookNotAllowed or ProcessingRestricted, and nothing was recorded. When it
        returns, or is cut off half-way, each value that went out has its event. Costs one commit for each data subject.
        """
        complaint = self._ledger.complaint(look.complaint_id)
        held = self._held(look.complaint_id)
        revealed = _revealed(held, look)
        self._check_right(complaint, look, revealed, principal)
        subjects = {UUID(each.subject_id): self._subject(UUID(each.subject_id)) for each in held}
        for subject_id in {UUID(each.subject_id) for each in held if each.digest in revealed}:
            since = subjects[subject_id].restricted_since
            if since is not None and look.purpose != LEGAL_CLAIM:
                raise ProcessingRestricted(subject_id, since)
        opened: dict[str, tuple[str, Any]] = {}
        for subject_id, subject in subjects.items():
            if subject.erased_at is None:
                seen = [each for each in held if UUID(each.subject_id) == subject_id]
                for start in range(0, len(seen), VALUES_MAX):
                    some = seen[start : start + VALUES_MAX]
                    opened |= self._opened(subject_id, self._record(subject_id, look, some, revealed, principal))
        return [_shown(each, opened.get(each.digest), each.digest in revealed) for each in held]

    def _held(self, complaint_id: UUID) -> list[Digest]:
        """The personal values that the complaint's events have, each digest once."""
        page = PageOfDigests()
        with self._ledger.record.pool.connection() as connection:
            for row in stream_events(connection, self._ledger.book, complaint_id):
                page.read(row.position, row.name, row.state)
        return list({each.digest: each for each in reversed(page.digests)}.values())[::-1]

    def _check_right(self, complaint: Complaint, look: Look, revealed: Mapping[str, Digest], principal: str) -> None:
        closely = {Tier(each.tier) for each in revealed.values()} & CLOSELY_KEPT
        assigned = complaint.assignment is not None and complaint.assignment.assignee == principal
        if not closely or assigned:
            return
        granted = AccessRequest()
        if look.request_id is not None:
            granted = cast("AccessRequest", self._ledger.state("access-request", look.request_id)[0])
        now = datetime.now(UTC)
        missing = [tier for tier in sorted(closely) if not granted.covers(principal, look.complaint_id, tier, now)]
        if missing:
            raise LookNotAllowed([str(tier) for tier in missing])

    def _subject(self, subject_id: UUID) -> DataSubject:
        state, _ = self._ledger.state("data-subject", subject_stream(self._ledger.id, subject_id))
        return cast("DataSubject", state)

    def _record(
        self, subject_id: UUID, look: Look, seen: Sequence[Digest], revealed: Mapping[str, Digest], principal: str
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
            principal=principal,
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


def _revealed(held: Sequence[Digest], look: Look) -> dict[str, Digest]:
    """By digest, what is asked for in clear."""
    unknown = sorted(set(look.reveal) - {each.path for each in held})
    if unknown:
        raise NoSuchValue(unknown)
    return {each.digest: each for each in held if each.path in look.reveal}


def _shown(held: Digest, opened: tuple[str, Any] | None, in_clear: bool) -> Shown:
    salt, value = opened or (None, None)
    shown = None if opened is None else str(value) if in_clear else masked(held.path, value)
    return Shown(
        position=held.position,
        path=held.path,
        tier=held.tier,
        subject_id=UUID(held.subject_id),
        digest=held.digest,
        in_clear=in_clear and opened is not None,
        value=shown,
        salt=salt if in_clear else None,
    )
