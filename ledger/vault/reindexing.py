"""Indexes again what is recorded: the blind index and the index of words, from the vault's values. Gives no value out.

For a book whose values were recorded before an index was there, and after an index was lost. The law of the design holds
here too: who was erased has no key and is left out, and whoever's erasure was asked for is only stored and secured.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.database.sql import queries
from ledger.event import Event, Personal, personal_fields
from ledger.record.envelope import opened
from ledger.record.reading import events_after
from ledger.vault.erasing import erase_values_again
from ledger.vault.sealing import opened_with
from ledger.vault.service import Vault

EVENTS_PER_PAGE = 1_000

_SQL = queries(__file__)


class Page(NamedTuple):
    """A stretch of the book that is indexed, up to `position`: its events, the values that were opened, those left out."""

    position: int
    events: int
    indexed: int
    left_out: int


class _Value(NamedTuple):
    digest: str
    subject_id: UUID
    ciphertext: bytes


def reindex(ledger: Ledger, vault: Vault, auditor: Connection, after: int = 0) -> Iterator[Page]:
    """Indexes what is recorded behind a position, page by page; each page is durable when it is told.

    What is in the index already stays, so it may be cut off, begun again anywhere and run while the service does. A
    value that a correction carried over is indexed where it was first recorded. Raises DisclosureBroken for a value that
    is not what its event says. Costs a decryption for each value, and an HMAC for each pair of characters.
    """
    while rows := events_after(auditor, ledger.book, after, EVENTS_PER_PAGE):
        found = _values(auditor, ledger.book, after, rows[-1].position)
        subjects = {value.subject_id for value in found}
        kept = ledger.keys.held(subjects - _asked_to_erase(ledger, auditor, subjects))
        values = {
            each.digest: opened_with(kept[each.subject_id], each.ciphertext, each.digest, each.subject_id).value
            for each in found
            if each.subject_id in kept
        }
        ledger.index_again([(row.stream_id, _in_clear(opened(row).event, values)) for row in rows] if values else [])
        _leave_out_the_erased(ledger, vault, kept)
        after = rows[-1].position
        yield Page(after, len(rows), len(values), len(found) - len(values))


def _values(auditor: Connection, book: str, after: int, last: int) -> list[_Value]:
    with auditor.cursor() as cursor:
        cursor.execute(_SQL["values"], {"book": book, "after": after, "last": last})
        return [_Value(digest, UUID(subject), bytes(ciphertext)) for digest, subject, ciphertext in cursor]


def _asked_to_erase(ledger: Ledger, auditor: Connection, subjects: set[UUID]) -> set[UUID]:
    streams = {subject_stream(ledger.id, subject_id): subject_id for subject_id in subjects}
    with auditor.cursor() as cursor:
        cursor.execute(_SQL["asked_to_erase"], {"book": ledger.book, "streams": list(streams)})
        return {streams[stream_id] for (stream_id,) in cursor}


def _in_clear(event: Event, values: Mapping[str, Any]) -> Event:
    """The event with its values for their digests, nested facts included, as it was before it was sealed."""
    clear: dict[str, object] = {}
    for name, _ in personal_fields(type(event)):
        held = getattr(event, name)
        if held is not None and held.digest in values:
            clear[name] = Personal.clear(values[held.digest])
    for name in type(event).model_fields:
        if isinstance(nested := getattr(event, name), Event):
            clear[name] = _in_clear(nested, values)
    return event.model_copy(update=clear) if clear else event


def _leave_out_the_erased(ledger: Ledger, vault: Vault, subjects: Iterable[UUID]) -> None:
    """Who was erased while a page was on its way has rows again; they go as the others went."""
    for subject_id in ledger.keys.erased(subjects):
        erase_values_again(ledger, vault, subject_id)
