"""The code tables that a new book begins with, published in full. Nothing is recorded here.

Only what the program brings along is published: it has no routing and no limits of approval of its own. Which department
takes what, and who may approve how much, each institution says for itself.
"""

from datetime import datetime
from uuid import UUID, uuid5

from ledger.tables.events import CodeTablesPublished
from ledger.tables.table import built_in_tables


def built_in_codes(published_by: str, published_at: datetime) -> CodeTablesPublished:
    """Every built-in table, each whole: what the program calls its codes later does not reach into this book."""
    return CodeTablesPublished(
        tables={name: tuple(rows.values()) for name, rows in built_in_tables().items()},
        published_by=published_by,
        published_at=published_at,
    )


def tables_stream(book: UUID) -> UUID:
    """The one stream of a book's tables; `book` is an id of the book's own."""
    return uuid5(book, "tables")
