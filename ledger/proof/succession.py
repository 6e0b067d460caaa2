"""The way on after a loss: a successor book, whose first event says what its predecessor had signed for and holds no more.

The predecessor stays readable and records nothing any more. Nothing is copied from it.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from ledger.application import BulkRequest, Ledger, Receipt
from ledger.attesting.events import BookSucceeded
from ledger.attesting.keys import succession_stream
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.proof.guard import BookForked, check_against_last
from ledger.proof.keeping import SigningFolder
from ledger.record.book import create_book
from ledger.record.reading import head
from ledger.refusal import Refusal
from ledger.vault.keys import SubjectKeys

ORIGIN_CHARACTERS_MAX = 200


@dataclass(eq=False)
class NothingLost(Refusal):
    """A book that continues what it signed needs no successor."""

    says: ClassVar[str] = "The book {book} holds everything that it signed for."
    remedy: ClassVar[str] = "Go on recording in it; a successor is opened only after a loss."

    book: str


def succeed(
    database: Database,
    keys: SubjectKeys,
    predecessor: str,
    successor: str,
    by: str,
    reason: str,
    origin: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Receipt:
    """Opens the successor and records the loss as its first event; may be repeated after a crash.

    Raises NothingLost; ValueError for a name or an origin that no book can have. `origin` is by default the predecessor's
    with the size of the signed checkpoint behind it.
    """
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        end = head(connection, predecessor)
        last = SigningFolder(keys.folder, predecessor, end.origin).last()
        try:
            check_against_last(connection, predecessor, keys.folder)
        except BookForked:
            pass  # this is what a successor is for
        else:
            raise NothingLost(predecessor)
    assert last is not None, "only a signed checkpoint can show a loss"
    signed, note = last
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, successor, origin or f"{end.origin}/after-{signed.size}"[-ORIGIN_CHARACTERS_MAX:])
    now = clock()
    event = BookSucceeded(
        predecessor_origin=end.origin,
        kept_size=end.size,
        kept_root=end.root.hex(),
        signed_size=signed.size,
        signed_root=signed.root.hex(),
        checkpoint=note.written().decode(),
        reason=reason,
        decided_by=by,
        decided_at=now,
    )
    with closing(Ledger(database, successor, keys)) as ledger:
        stream = succession_stream(ledger.id)
        given = event.model_dump_json(exclude={"decided_at"}).encode()
        request = BulkRequest(stream, [event], by, "succession", given, "succeed-book")
        ((_, result),) = ledger.record_in_bulk([request])
    if isinstance(result, Exception):
        raise result
    return result
