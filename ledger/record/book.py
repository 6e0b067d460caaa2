"""Opening books and listing them. A book is opened by the owner's role and never closed or renamed."""

import re
import secrets
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries

_QUERIES = queries(__file__)

BOOK_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
ORIGIN = re.compile(r"[A-Za-z0-9._/-]{1,200}")
BOOKS_PER_LIST_MAX = 10_000

READERS_AND_WRITERS = (Role.APPLICATION, Role.PROJECTOR, Role.AUDITOR, Role.VAULT)


def book_id(origin: str) -> UUID:
    """An id of the book's own, derived from its origin: what a book has one of, has its stream under it."""
    return uuid5(NAMESPACE_URL, origin)


def create_book(owner: Connection, book: str, origin: str | None = None) -> None:
    """Opens an empty book and commits; does nothing where it is there already with this origin.

    `origin` is a globally unique name that stands in every entry and checkpoint for ever, such as
    `complaints.bank.example/main`; without one, a random one is made. Raises ValueError for a name
    out of its alphabet and for an origin other than the book's.
    """
    if BOOK_NAME.fullmatch(book) is None:
        raise ValueError("a book's name is 1 to 63 characters: lower-case letters, digits and hyphens, a letter first")
    if origin is not None and ORIGIN.fullmatch(origin) is None:
        raise ValueError(
            "an origin is 1 to 200 letters, digits, dots, slashes, hyphens or underscores, such as complaints.bank.example/main"
        )
    with owner, owner.cursor() as cursor:
        cursor.execute(_QUERIES["one_at_a_time"])
        cursor.execute(_QUERIES["origin_of"], {"book": book})
        row = cursor.fetchone()
        if row is None:
            made = origin or f"complaint-ledger/{secrets.token_hex(16)}/{book}"
            cursor.execute(_QUERIES["create_book"], {"book": book, "origin": made, "roles": list(READERS_AND_WRITERS)})
        elif origin is not None and row[0] != origin:
            raise ValueError(
                f"the book {book} is there already and its origin is {row[0]}: an origin cannot be changed"
            )


def keys_of(connection: Connection, book: str) -> str | None:
    """The mark of the key store that the book belongs to; None where it belongs to none yet, or is not there."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["keys_of"], {"book": book})
        row = cursor.fetchone()
    return None if row is None else row[0]


def claim_keys(owner: Connection, book: str, mark: str) -> str | None:
    """Joins a book to a key store where it belonged to none yet, and gives the mark of the one that it belongs to.

    None where there is no such book; the first append says so.
    """
    with owner, owner.cursor() as cursor:
        cursor.execute(_QUERIES["claim_keys"], {"book": book, "mark": mark})
        row = cursor.fetchone()
    return None if row is None else row[0]


def book_names(connection: Connection) -> list[str]:
    """The books that this role may use, by name; at most 10,000."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["book_names"], {"books_max": BOOKS_PER_LIST_MAX})
        return [row[0] for row in cursor.fetchall()]
