"""Erasure: the fact, the key, the values and the index entries of a data subject, in this order; and again after a restore.

The rules (approval, holds, retention) are in `ledger.access`; nothing here decides them.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access import commands as ask
from ledger.access.refusals import ErasedAlready
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.database.sql import queries
from ledger.record.reading import stream_events
from ledger.vault.merged import SamePerson
from ledger.vault.persons import streams_of
from ledger.vault.retaining import Retention, retention_of
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
    """Erases a person, as somebody else asked. Raises NoSuchPerson, NoPerson, ErasureNotRequested, ErasureOnAnotherGround,
    ApproverIsRequester, StillRetained, UnderLegalHold or ErasedAlready, and nothing happened.

    The event is durable first, then the key is destroyed, then the values go: cut off half-way, `carry_out_begun` ends it.
    """
    return _erase(
        ledger, vault, subject_id, ground, principal, retention_of(ledger, vault, subject_id, SamePerson(ledger))
    )


def erase_as_approved(
    ledger: Ledger, vault: Vault, subject_id: UUID, ground: str, principal: str, retention: Retention
) -> Erased:
    """The same, where a second person approved it before: whoever carries it out adds no decision. Raises as `erase` does,
    and ErasureNotApproved instead of ApproverIsRequester.
    """
    return _erase(ledger, vault, subject_id, ground, principal, retention, as_approved=True)


def _erase(
    ledger: Ledger,
    vault: Vault,
    subject_id: UUID,
    ground: str,
    principal: str,
    retention: Retention,
    *,
    as_approved: bool = False,
) -> Erased:
    receipt = ledger.handle(
        ask.EraseSubject(
            subject_id=subject_id,
            ground=ground,
            kept_until=retention.until,
            kept_for_open=retention.is_open,
            held_elsewhere=retention.held_elsewhere,
            as_approved=as_approved,
            erased_by=principal,
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
    return CarriedOut(keys + carry_out_begun(ledger, vault), subjects)


def carry_out_begun(ledger: Ledger, vault: Vault) -> int:
    """Ends the erasures that are recorded and were cut off before the deed; how many. Costs a read of every erasure."""
    ended = 0
    while begun := _erasures_begun(ledger, vault):
        for position, subject_id in begun:
            _carry_out(ledger, vault, subject_id, position)
        ended += len(begun)
    return ended


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


def _erasures(ledger: Ledger, vault: Vault, after: UUID) -> list[tuple[int, UUID]]:
    with vault.connection() as connection:
        return _rows(connection, "erasures", {"book": ledger.book, "after": str(after), "most": PAGE})


def _erasures_begun(ledger: Ledger, vault: Vault) -> list[tuple[int, UUID]]:
    with vault.connection() as connection:
        return _rows(connection, "erasures_begun", {"book": ledger.book, "most": PAGE})


def _rows(connection: Connection, query: str, asked: dict[str, object]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL[query], asked)
        return cursor.fetchall()
