"""The index of words: finds files by a name or by what was written, with no word in clear in the database.

A text is its distinct pairs of neighbouring characters, which needs no dictionary of Chinese; each pair is 64 bits of an
HMAC-SHA-256 under a key of the book that only the key store has. A file is found when one of its texts has every pair of
what is searched: it holds the words, or, seldom, their pairs in another order. The database alone shows how often a
pair occurs in the book, and nothing of what it is; who has the key store as well can try words out.

Rows are written before the facts that they come from, as in the blind index, and go when their data subject is erased.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.event import Event, Held, Indexed, Personal, Tier
from ledger.vault.keys import SubjectKeys

MARK_BYTES, TERM_BYTES = 16, 8
NAME = "name"
"""The only kind of the blind index that may be searched by a part: numbers are looked up whole."""

_SQL = queries(__file__)


class Text(NamedTuple):
    """One row of the index."""

    stream_id: UUID
    subject_id: UUID
    mark: bytes
    terms: tuple[int, ...]


class Saying(NamedTuple):
    """A file that has the words, and the data subjects whose texts have them."""

    stream_id: UUID
    subject_ids: tuple[UUID, ...]


class WordIndex:
    """The index of one book. Makes rows and answers; safe for threads. The connection is the caller's."""

    def __init__(self, keys: SubjectKeys, book: str) -> None:
        self._book = book
        self._key = keys.secret(f"word-index/{book}")

    def terms(self, text: str) -> tuple[int, ...]:
        """The numbers of a text's pairs, each once, in their own order; none for less than two letters or digits."""
        said = compared_as(text)
        return tuple(sorted({self._term(said[at : at + 2]) for at in range(len(said) - 1)}))

    def _term(self, pair: str) -> int:
        digest = hmac.digest(self._key, f"pair\0{pair}".encode(), hashlib.sha256)
        return int.from_bytes(digest[:TERM_BYTES], "big", signed=True)

    def rows_of(self, facts: Iterable[tuple[UUID, Event]]) -> list[Text]:
        """The rows of events, each with its stream, whose personal values are still clear; nested facts included."""
        return list(
            dict.fromkeys(
                Text(stream_id, subject_id, self._mark(stream_id, text), terms)
                for stream_id, event in facts
                for subject_id, text in _texts(event)
                if (terms := self.terms(text))
            )
        )

    def _mark(self, stream_id: UUID, text: str) -> bytes:
        return hmac.digest(self._key, f"text\0{stream_id}\0{text}".encode(), hashlib.sha256)[:MARK_BYTES]

    def add(self, connection: Connection, rows: Sequence[Text], *, events_follow: bool = False) -> None:
        """Writes rows; those that are there already stay. Durable when the connection commits, or with the events that follow."""
        if not rows:
            return
        asked = {
            "book": self._book,
            "streams": [str(row.stream_id) for row in rows],
            "subjects": [str(row.subject_id) for row in rows],
            "marks": [row.mark for row in rows],
            "terms": ["{" + ",".join(map(str, row.terms)) + "}" for row in rows],
            "events_follow": events_follow,
        }
        with connection.cursor() as cursor:
            cursor.execute(_SQL["add"], asked)

    def find(self, connection: Connection, text: str, after: UUID, most: int) -> list[Saying]:
        """A page of the files that have the words, by id, over a connection of the vault's role. Costs one look-up."""
        asked = {"book": self._book, "terms": list(self.terms(text)), "after": str(after), "most": most}
        with connection.cursor() as cursor:
            cursor.execute(_SQL["streams_saying"], asked)
            return [Saying(UUID(stream), tuple(map(UUID, subjects))) for stream, subjects in cursor]


def compared_as(text: str) -> str:
    """Letters and digits only, without regard to case and width: blanks and punctuation make no difference."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _texts(event: Event) -> Iterator[tuple[UUID, str]]:
    """Names and what was written, with whose it is: no value of the core tier, and no number."""
    for name, field in type(event).model_fields.items():
        value = getattr(event, name)
        if isinstance(value, Event):  # a correction states a fact in a field of its own
            yield from _texts(value)
        elif isinstance(value, Personal) and value.is_clear and isinstance(value.value, str):
            held = next(mark for mark in field.metadata if isinstance(mark, Held))
            kinds = [mark.kind for mark in field.metadata if isinstance(mark, Indexed)]
            if held.tier is not Tier.CORE and kinds in ([], [NAME]):
                yield getattr(event, held.subject), value.value
