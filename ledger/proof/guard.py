"""Refuses to go on with a book that has forgotten what it signed for: a restored backup, an asynchronous fail-over.

What was signed last lies beside the key, outside the database. Each new connection that is to record is first held
against it; nothing is recorded, signed or mended here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from psycopg2.extensions import connection as Connection

from ledger.proof.keeping import SigningFolder
from ledger.proof.stored import StoredTree
from ledger.record.reading import NoSuchBook, head
from ledger.record.tree import ProofFailed
from ledger.refusal import Refusal


@dataclass(eq=False)
class BookForked(Refusal):
    """The book is smaller than a checkpoint that it signed, or has another history: recording in it would make two truths.

    It ends here. What the checkpoint covers was recorded and may have been acted upon; it is lost from this database.
    """

    says: ClassVar[str] = (
        "The book {book} has {size} events and a checkpoint over {signed_size} was signed for it: {what}."
    )
    remedy: ClassVar[str] = (
        "Nothing was recorded. Bring back the database that holds all of them; where it is lost for good, "
        "open a successor with `complaint-ledger book succeed`, whose first event records the loss."
    )

    book: str
    size: int
    signed_size: int
    what: str


def check_against_last(connection: Connection, book: str, keys_folder: Path) -> None:
    """Raises BookForked where the book is not a continuation of its last signed checkpoint.

    One small file and, where there is one, a proof from the stored tiles. Does nothing where nothing was signed here.
    """
    try:
        end = head(connection, book)
    except NoSuchBook:
        return  # recording says so itself
    last = SigningFolder(keys_folder, book, end.origin).last()
    if last is None:
        return
    signed, _ = last
    if end.size < signed.size:
        raise BookForked(book, end.size, signed.size, f"the last {signed.size - end.size} are missing")
    try:
        StoredTree(connection, book, end.size).consistency(signed.size, signed.root, end.root)
    except ProofFailed:
        raise BookForked(book, end.size, signed.size, "what it holds now is not what was signed") from None
