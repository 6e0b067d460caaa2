"""Erasure: the fact, the key, the values and the index entries of a data subject, in this order; and again after a restore.

The rules (holds, retention) are in `ledger.access`; nothing here decides them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access import commands as ask
from ledger.access.refusals import ErasedAlready
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.complaint.state import Complaint, effective
from ledger.database.sql import queries
from ledger.deadlines.clock import clocks
from ledger.deadlines.regime import Purpose, Regime, built_in_regimes
from ledger.policy.built_in import policies_stream
from ledger.policy.state import Policies
from ledger.record.reading import stream_events
from ledger.vault.persons import refuse_no_person, streams_of
from ledger.vault.service import Vault

PAGE = 1_000
RESTORED = "restored-backup"
"""The ground of an erasure whose fact was lost with what a restored backup lacks; its tombstone was not."""

_SQL = queries(__file__.replace("erasing.py", "service.py"))


class Erased(NamedTuple):
    """What an erasure took."""

    subject_id: UUID
    position: int
    values: int


class CarriedOut(NamedTuple):
    """What had to be done again: keys that an older key store still had, and subjects that an older database still had."""

    keys: int
    subjects: int


def erase(ledger: Ledger, vault: Vault, subject_id: UUID, ground: str, principal: str) -> Erased:
    """Erases a person, as somebody else asked. Raises NoSuchPerson, NoPerson, ErasureNotRequested, ApproverIsRequester,
    StillRetained, UnderLegalHold or ErasedAlready, and nothing happened.

    The event is durable first, then the key is destroyed, then the values go: cut off half-way, `carry_out_again` ends it.
    """
    refuse_no_person(ledger, vault, subject_id)
    kept_until, is_open = _kept(ledger, vault, subject_id)
    receipt = ledger.handle(
        ask.EraseSubject(
            subject_id=subject_id, ground=ground, kept_until=kept_until, kept_for_open=is_open, erased_by=principal
        ),
        principal=principal,
    )
    assert receipt.last_position is not None
    return _carry_out(ledger, vault, subject_id, receipt.last_position)


def carry_out_again(ledger: Ledger, vault: Vault) -> CarriedOut:
    """Before the service opens: every erasure that was recorded, or has a tombstone, is carried out where it is not."""
    keys = subjects = 0
    known: set[UUID] = set()
    after = UUID(int=0)
    while page := _erasures(ledger, vault, after):
        gone = ledger.keys.erased(subject_id for _, subject_id in page)
        for position, subject_id in page:
            if subject_id not in gone:
                _carry_out(ledger, vault, subject_id, position)
                keys += 1
        known.update(subject_id for _, subject_id in page)
        after = page[-1][1]
    for subject_id in ledger.keys.tombstones():
        if subject_id not in known and streams_of(ledger, vault, subject_id):
            _record_lost(ledger, vault, subject_id)
            subjects += 1
    return CarriedOut(keys, subjects)


def erase_values_again(ledger: Ledger, vault: Vault, subject_id: UUID) -> None:
    """Takes away what was written of a data subject after it was erased; its erasure is recorded."""
    _carry_out(ledger, vault, subject_id, _last_position(ledger, subject_stream(ledger.id, subject_id)))


def _record_lost(ledger: Ledger, vault: Vault, subject_id: UUID) -> None:
    """An erasure whose tombstone stands and whose values are there again: the fact may be there, or lost too."""
    command = ask.EraseSubject(subject_id=subject_id, ground=RESTORED, key_destroyed=True, erased_by="ledger")
    try:
        position = ledger.handle(command, principal="ledger").last_position
    except ErasedAlready:  # the program was cut off between the fact and the deed
        position = _last_position(ledger, subject_stream(ledger.id, subject_id))
    assert position is not None
    _carry_out(ledger, vault, subject_id, position)


def _last_position(ledger: Ledger, stream_id: UUID) -> int:
    with ledger.record.pool.connection() as connection:
        return [
            row.position for row in stream_events(connection, ledger.book, stream_id) if row.name == "subject-erased"
        ][-1]


def _carry_out(ledger: Ledger, vault: Vault, subject_id: UUID, position: int) -> Erased:
    ledger.keys.destroy(subject_id, datetime.now(UTC))
    with vault.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL["erase_subject"], {"book": ledger.book, "position": position})
        ((values,),) = cursor.fetchall()
    return Erased(subject_id, position, values)


def _kept(ledger: Ledger, vault: Vault, subject_id: UUID) -> tuple[datetime | None, bool]:
    """The end of the longest retention of the complaints that a subject stands in, and whether one of them is open."""
    policies = cast("Policies", ledger.state("policies", policies_stream(ledger.id))[0])
    retention, calendars = list(_retention(policies)), policies.newest_calendars()
    until: datetime | None = None
    is_open = False
    for stream_id in streams_of(ledger, vault, subject_id):
        complaint, _ = ledger.state("complaint", stream_id) if _is_complaint(ledger, stream_id) else (None, 0)
        if isinstance(complaint, Complaint):
            is_open |= complaint.closed_at is None and complaint.withdrawn_at is None
            ends = [
                c.due_at for c in clocks(effective(complaint.recorded), retention, calendars) if c.ended == "running"
            ]
            until = max([*ends, *([until] if until else [])], default=None)
    return until, is_open


def _retention(policies: Policies) -> Iterator[Regime]:
    """What a book keeps files by: its published regimes of retention in their newest version, else the built-in ones.

    Whether one is in force is not asked: what is kept longest counts, and a shorter time is published as a new version.
    """
    named = {regime.name: regime for regime in built_in_regimes()}
    named |= {name: versions[-1] for name, versions in policies.regimes.items()}
    yield from (each for each in named.values() if all(c.purpose is Purpose.RETENTION for c in each.clocks))


def _is_complaint(ledger: Ledger, stream_id: UUID) -> bool:
    with ledger.record.pool.connection() as connection:
        first = next(iter(stream_events(connection, ledger.book, stream_id)), None)
    return first is not None and first.name == "complaint-received"


def _erasures(ledger: Ledger, vault: Vault, after: UUID) -> list[tuple[int, UUID]]:
    with vault.connection() as connection:
        return _rows(connection, "erasures", {"book": ledger.book, "after": str(after), "most": PAGE})


def _rows(connection: Connection, query: str, asked: dict[str, object]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL[query], asked)
        return cursor.fetchall()
