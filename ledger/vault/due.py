"""Erasures that wait: which there are and for what, and carrying out those that nothing keeps any more.

What keeps one, the rules of `ledger.access` say; how one is carried out is in `ledger.vault.erasing`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access.events import ErasureApproved, ErasureRequested
from ledger.access.rules import DataSubject, Keeps
from ledger.application import Ledger
from ledger.database.sql import queries
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stored_rows
from ledger.refusal import Refusal
from ledger.vault.erasing import Erased, erase_as_approved
from ledger.vault.held import held_under
from ledger.vault.merged import SamePerson, subject_now
from ledger.vault.retaining import Retention, retention_of
from ledger.vault.service import Vault

PAGE = 1_000
WAITING_MAX = 200
"""Requests that one page of the listing may hold: each costs the folding of the person's complaints."""
LOOK_AGAIN = timedelta(hours=1)
"""How long an approved erasure that something keeps is left alone: a hold is lifted, a complaint closed meanwhile."""

_SQL = queries(__file__)


class Waiting(NamedTuple):
    """A request for erasure that stands, and what it waits for; nothing: the next round carries it out.

    `kept_until` is the end of the longest retention, None where no clock ever ran. `holds` counts those under other ids too;
    `same_person` are these ids, each to be asked for by itself.
    """

    position: int
    subject_id: UUID
    ground: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    waits_for: list[Keeps]
    kept_until: datetime | None
    holds: int
    same_person: list[UUID]


class WaitingPage(NamedTuple):
    """A page of the requests that stand, the earliest first; `next_after` None where there is no more."""

    waiting: list[Waiting]
    next_after: int | None


def waiting(ledger: Ledger, vault: Vault, now: datetime, *, after: int = 0, limit: int = WAITING_MAX) -> WaitingPage:
    """The requests for erasure that stand, from behind a position on. Costs the folding of each person's complaints."""
    limit = min(limit, WAITING_MAX)
    with ledger.record.pool.connection() as connection:
        rows = _rows(connection, "requested", ledger.book, after, limit)
    same = SamePerson(ledger)
    found = [
        _waiting(ledger, vault, row.position, cast("ErasureRequested", opened(row).event), now, same) for row in rows
    ]
    return WaitingPage(found, rows[-1].position if len(rows) == limit else None)


def _waiting(
    ledger: Ledger, vault: Vault, position: int, asked: ErasureRequested, now: datetime, same: SamePerson
) -> Waiting:
    subject = subject_now(ledger, asked.subject_id)
    retention = retention_of(ledger, vault, asked.subject_id, same)
    approval = subject.approval
    keeps = _kept_by(subject, retention, now)
    return Waiting(
        position=position,
        subject_id=asked.subject_id,
        ground=asked.ground,
        requested_by=asked.requested_by,
        requested_at=asked.requested_at,
        approved_by=None if approval is None else approval.approved_by,
        approved_at=None if approval is None else approval.approved_at,
        waits_for=[Keeps.APPROVAL, *keeps] if approval is None else keeps,
        kept_until=retention.until,
        holds=len(subject.holds) + retention.held_elsewhere,
        same_person=same.others(asked.subject_id),
    )


class Approved:
    """The approved erasures of a book that wait, and when each is worth a look; only what was approved since is read."""

    def __init__(self) -> None:
        self._look_at: dict[UUID, datetime] = {}
        self._read_up_to = 0

    def worth_a_look(self, connection: Connection, book: str, now: datetime) -> list[UUID]:
        """The persons to look at now. Costs a read of what was approved since, the first time of all that ever was."""
        while rows := _rows(connection, "approved", book, self._read_up_to, PAGE):
            for row in rows:
                self._look_at[cast("ErasureApproved", opened(row).event).subject_id] = now
            self._read_up_to = rows[-1].position
        return [subject_id for subject_id, at in self._look_at.items() if at <= now]

    def wait(self, subject_id: UUID, until: datetime) -> None:
        """Leaves a person alone until then."""
        self._look_at[subject_id] = until

    def forget(self, subject_id: UUID) -> None:
        """Looks at a person no more, unless an erasure is approved anew."""
        self._look_at.pop(subject_id, None)


class LookedAt(NamedTuple):
    """One approved erasure that was looked at: it was carried out, or is kept by something, or does not stand any more.

    `refused` is what the rules said instead where something was recorded at the same moment.
    """

    subject_id: UUID
    erased: Erased | None = None
    kept_by: tuple[Keeps, ...] = ()
    refused: Refusal | None = None


def erase_due(ledger: Ledger, vault: Vault, approved: Approved, principal: str, now: datetime) -> Iterator[LookedAt]:
    """Carries out every approved erasure that nothing keeps any more, one by one; safe wherever it is cut off.

    Two that do it at once erase nobody twice: the second is refused. Costs the folding of the complaints of each person that
    is worth a look.
    """
    with ledger.record.pool.connection() as connection:
        found = approved.worth_a_look(connection, ledger.book, now)
    if not found:
        return
    same = SamePerson(ledger)
    for subject_id in found:
        looked = _look_at(ledger, vault, subject_id, principal, now, approved, same)
        if looked.kept_by == () and looked.refused is None:
            approved.forget(subject_id)
        yield looked


def _look_at(
    ledger: Ledger,
    vault: Vault,
    subject_id: UUID,
    principal: str,
    now: datetime,
    approved: Approved,
    same: SamePerson,
) -> LookedAt:
    subject = subject_now(ledger, subject_id)
    if subject.erased_at is not None or subject.approval is None:
        return LookedAt(subject_id)
    retention = retention_of(ledger, vault, subject_id, same)
    if keeps := _kept_by(subject, retention, now):
        ends = retention.until if keeps == [Keeps.RETENTION] else None
        approved.wait(subject_id, now + LOOK_AGAIN if ends is None else min(ends, now + LOOK_AGAIN))
        return LookedAt(subject_id, kept_by=tuple(keeps))
    try:
        erased = erase_as_approved(ledger, vault, subject_id, subject.approval.ground, principal, retention)
    except Refusal as refusal:  # a hold, an end of the request or another's erasure was recorded at the same moment
        approved.wait(subject_id, now + LOOK_AGAIN)
        return LookedAt(subject_id, refused=refusal)
    return LookedAt(subject_id, erased)


class Ended(NamedTuple):
    """A person whose retention is over, and for whom nobody asked for erasure."""

    subject_id: UUID
    kept_until: datetime


class EndedPage(NamedTuple):
    """What a page of persons came to; `next_after` None where there is no more."""

    ended: list[Ended]
    looked_at: int
    next_after: UUID | None


def retention_ended(
    ledger: Ledger, vault: Vault, now: datetime, same: SamePerson, *, after: UUID | None = None, most: int = PAGE
) -> EndedPage:
    """Of a page of the persons of whom values are kept, those whose retention is over though nobody asked for erasure.

    Who is under a hold, or stands in no complaint with a clock of retention, is not among them. Costs the folding of the
    complaints of `most` persons.
    """
    asked = {"book": ledger.book, "after": str(after or UUID(int=0)), "most": most}
    with vault.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL["subjects_kept"], asked)
        kept: list[UUID] = [each for (each,) in cursor.fetchall()]
    ended: list[Ended] = []
    for subject_id in kept:
        until = _ended_at(ledger, vault, subject_id, now, same)
        if until is not None:
            ended.append(Ended(subject_id, until))
    return EndedPage(ended, len(kept), kept[-1] if len(kept) == most else None)


def _ended_at(ledger: Ledger, vault: Vault, subject_id: UUID, now: datetime, same: SamePerson) -> datetime | None:
    subject = subject_now(ledger, subject_id)
    if subject.erasure is not None or subject.erased_at is not None:
        return None
    with ledger.record.pool.connection() as connection:
        if held_under(connection, ledger.book, subject_id).of_institution is not None:
            return None
    retention = retention_of(ledger, vault, subject_id, same)
    return None if _kept_by(subject, retention, now) else retention.until


def _kept_by(subject: DataSubject, retention: Retention, now: datetime) -> list[Keeps]:
    return subject.kept_by(retention.until, now, is_open=retention.is_open, held_elsewhere=retention.held_elsewhere)


def _rows(connection: Connection, query: str, book: str, after: int, most: int) -> list[StoredRow]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL[query], {"book": book, "after": after, "most": most})
        return stored_rows(cursor.fetchall())
