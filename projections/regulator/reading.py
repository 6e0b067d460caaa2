"""What a receiver reads at its door over HTTP: pages of its rows, and the last seal. It reads the door's database only."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import orjson
from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.refusal import Refusal
from projections.asking import Cursor, NotReached, page_of
from projections.regulator.door import COLUMNS, RECEIVER, database_of, last_seal, projection_of, reached

_SQL = queries(__file__)

ROWS_MAX = 500


@dataclass(eq=False)
class DoorNotOpened(Refusal):
    """Nobody has opened a door for this receiver, or nothing was brought up to it yet."""

    receiver: str

    says: ClassVar[str] = "There is nothing at a door for {receiver} yet."
    remedy: ClassVar[str] = (
        "Let the institution run `complaint-ledger regulator open` for this receiver, and then `regulator publish`."
    )


class DoorPage(NamedTuple):
    """A page of a door's rows as it stood at `position`; `root` is that of the book then, None for an earlier position."""

    book: str
    receiver: str
    position: int
    root: str | None
    rows: tuple[dict[str, Any], ...]
    next_cursor: str | None


class DoorSeal(NamedTuple):
    """What the rows of a position are checked with: the event that sealed them, its entry, and its proof (C2SP tlog-proof)."""

    book: str
    receiver: str
    position: int
    rows: int
    rows_digest: str
    state: str
    entry: str
    proof: str


def is_open(ledger: Connection, book: str, receiver: str) -> bool:
    """Whether a receiver has a database, asked of the ledger's own."""
    assert book, "a question about a book"
    with ledger.cursor() as cursor:
        cursor.execute(_SQL["is_open"], {"name": database_of(receiver)})
        return cursor.fetchone() == (True,)


def receivers(ledger: Connection) -> list[str]:
    """Who has a door on this server, in the order of their names."""
    with ledger.cursor() as cursor:
        cursor.execute(_SQL["receivers"])
        return [receiver for (receiver,) in cursor.fetchall() if RECEIVER.fullmatch(receiver)]


def rows(
    door: Connection,
    book: str,
    receiver: str,
    *,
    as_of: int | None = None,
    since: int | None = None,
    rows_max: int = ROWS_MAX,
    cursor: str | None = None,
) -> DoorPage:
    """The rows that stood at a position (None: where the door stands), in the order of their references.

    With `since`, only what came to be known otherwise behind that position: rows that began, and rows that ended.
    Raises DoorNotOpened, NotReached, BadCursor.
    """
    standing = reached(door, book)
    if standing is None:
        raise DoorNotOpened(receiver)
    position = standing[0] if as_of is None else as_of
    if position > standing[0]:
        raise NotReached(book, projection_of(receiver), position, standing[0])
    reference, begun = Cursor.read(cursor, "door", (str, int))
    rows_max = max(1, min(rows_max, ROWS_MAX))
    asked = {"book": book, "position": position, "since": since, "reference": reference, "begun": begun}
    with door.cursor() as reading:
        reading.execute(_SQL["page"], {**asked, "rows_max": rows_max + 1})
        found = [dict(zip(COLUMNS.split()[1:], row, strict=True)) for row in reading.fetchall()]
    kept, more = page_of(found, rows_max)
    following = Cursor.write("door", [kept[-1]["reference"], kept[-1]["from_position"]]) if more else None
    root = standing[1] if position == standing[0] else None
    return DoorPage(book, receiver, position, root, kept, following)


def seal(door: Connection, book: str, receiver: str) -> DoorSeal:
    """The newest seal. Raises DoorNotOpened where nothing was sealed yet."""
    found = last_seal(door, book)
    if found is None:
        raise DoorNotOpened(receiver)
    position, state, entry, proof = found
    sealed = orjson.loads(state)["event"]
    texts = (state.decode(), entry.decode("ascii"), proof.decode())
    return DoorSeal(book, receiver, position, sealed["rows"], sealed["rows_digest"], *texts)
