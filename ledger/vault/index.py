"""The blind index: finds data subjects by a phone number, an identity number or a name that stands nowhere in clear.

A row holds an HMAC-SHA-256 of the value, under a key of the book that only the key store has: whoever has the database
alone can neither read a value nor try one out. Nobody's right to search is decided here, and no value is shown.

Rows are written before the facts that they come from, as subjects' keys are: a row may be of a fact that was then not
recorded, so what is found is a hint that the record confirms. A subject whose key was destroyed is not found, whether
or not its rows are gone; `forget` takes them away. A backup of the database from before still has them: it tells
somebody who also has the key store that a subject *had* a value that he already knows, and nothing else.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.event import Event, Held, Indexed, Personal
from ledger.vault.keys import SubjectKeys

FOUND_MAX = 100
"""Subjects that one question gives at the most: a name that more share finds nobody in particular."""

_SQL = queries(__file__)

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
"""A Chinese mobile number, with or without its country."""


class Row(NamedTuple):
    """One row of the index."""

    kind: str
    blinded: bytes
    subject_id: UUID


class Alike(NamedTuple):
    """Another data subject, and the kinds of values that it shares with the one asked about."""

    subject_id: UUID
    kinds: tuple[str, ...]


class BlindIndex:
    """The index of one book. Makes rows and answers; safe for threads. The connection is the caller's."""

    def __init__(self, keys: SubjectKeys, book: str) -> None:
        self._keys, self._book = keys, book
        self._key = keys.secret(f"blind-index/{book}")

    def blinded(self, kind: str, value: str) -> bytes | None:
        """What stands in the index for a value; None for a value of which nothing is left to compare."""
        same = compared_as(kind, value)
        return hmac.digest(self._key, f"{kind}\0{same}".encode(), hashlib.sha256) if same else None

    def rows_of(self, events: Iterable[Event]) -> list[Row]:
        """The rows that follow from events whose personal values are still clear, nested facts included."""
        return list(dict.fromkeys(row for event in events for row in self._rows(event)))

    def _rows(self, event: Event) -> Iterator[Row]:
        for name, field in type(event).model_fields.items():
            value = getattr(event, name)
            if isinstance(value, Event):  # a correction states a fact in a field of its own
                yield from self._rows(value)
            elif isinstance(value, Personal) and value.is_clear:
                marks = {type(mark): mark for mark in field.metadata}
                indexed = marks.get(Indexed)
                if indexed is not None:
                    blinded = self.blinded(indexed.kind, value.value)
                    if blinded is not None:
                        yield Row(indexed.kind, blinded, getattr(event, _subject_field(field.metadata)))

    def add(self, connection: Connection, rows: Sequence[Row], *, events_follow: bool = False) -> None:
        """Writes rows; those that are there already stay. Durable when the connection commits, or with the events that follow."""
        if rows:
            self._execute(
                connection,
                "add",
                kinds=[row.kind for row in rows],
                blinded=[row.blinded for row in rows],
                subjects=[str(row.subject_id) for row in rows],
                events_follow=events_follow,
            )

    def find(self, connection: Connection, kind: str, value: str, most: int = FOUND_MAX) -> list[UUID]:
        """The data subjects of whom a value was recorded, those that were erased left out. Costs one look-up."""
        blinded = self.blinded(kind, value)
        if blinded is None:
            return []
        found = [
            UUID(str(row[0]))
            for row in self._execute(connection, "subjects_with", kind=kind, blinded=blinded, most=most)
        ]
        return self._not_erased(found)

    def alike(self, connection: Connection, subject_id: UUID, most: int = FOUND_MAX) -> list[Alike]:
        """Who shares a value with a data subject, those who share most first. Needs no value and no subject's key."""
        rows = self._execute(connection, "subjects_alike", subject_id=str(subject_id), most=most)
        found: dict[UUID, tuple[str, ...]] = {UUID(str(other)): tuple(kinds) for other, kinds in rows}
        return [Alike(other, found[other]) for other in self._not_erased(found)]

    def forget(self, connection: Connection, subject_id: UUID) -> int:
        """Takes a data subject out of the index, as part of erasing it; how many rows there were."""
        ((rows,),) = self._execute(connection, "forget", subject_id=str(subject_id))
        count: int = rows
        return count

    def _not_erased(self, found: Iterable[UUID]) -> list[UUID]:
        erased = self._keys.erased(found := list(found))
        return [subject_id for subject_id in found if subject_id not in erased]

    def _execute(self, connection: Connection, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(_SQL[query], {"book": self._book, **parameters})
            return cursor.fetchall()


def compared_as(kind: str, value: str) -> str:
    """The form in which two values of a kind are compared: how somebody wrote it makes no difference.

    A phone number is its digits without China's country code; an address or name is compared without regard to case,
    width and spacing, a Chinese name without any space.
    """
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    if kind in {"identity-number", "account"}:
        return re.sub(r"[^0-9a-z]", "", text)
    if kind == "contact" and re.fullmatch(r"[-+0-9 ().]+", text):
        digits = re.sub(r"[^0-9+]", "", text)
        mobile = _MOBILE.fullmatch(digits)
        return mobile[1] if mobile else digits.removeprefix("+")
    text = re.sub(r"\s+", " ", text)
    return text.replace(" ", "") if re.search(r"[\u4e00-\u9fff]", text) else text


def _subject_field(metadata: Sequence[object]) -> str:
    """The field that names whose value it is."""
    return next(mark.subject for mark in metadata if isinstance(mark, Held))
