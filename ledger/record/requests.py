"""Verifies what was answered: that each event belongs to one request, and each answer to the tree as it was then.

The rows of `ledger.request` are no part of the tree. A row that is gone would let a repeated request be recorded twice,
and a forged one would answer it with a false receipt. Whose request it was is held against who recorded its events. Not to
be verified are the key and the fingerprint of a row, and the principal of one that recorded nothing, or that names none
(`library`): no event says what they must be.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.record.problems import Found, Kind

ROOTS_TOLD_MAX = 10
"""After one change of an event all later roots differ: more are not compared."""

_QUERIES = queries(__file__)

Check = Callable[[bytes | None], None]


class Answers:
    """The requests of one book, taken page by page beside the events; costs some 20 hashes a request for the roots."""

    def __init__(self, connection: Connection, book: str, found: Found) -> None:
        self._connection = connection
        self._book = book
        self._found = found
        self._after = -1
        self._covered = 0
        self._roots_told = 0
        ((self._answered_size,),) = self._rows("answered_size")

    def check_end(self, size: int) -> None:
        """That no answer names a larger book than there is, as where its end was cut off.

        `size` is read after this was made: appends may go on, and a book only grows.
        """
        if self._answered_size is not None and self._answered_size > size:
            says = f"an answer was given at size {self._answered_size}, and the book has {size}: its end is cut off"
            self._found.add(size + 1, Kind.REQUEST, says)

    def due(self, last: int) -> Iterator[tuple[int, Check]]:
        """The sizes at which answers were given up to position `last`, each with what to do with the tree's root there.

        None stands for a tree that never had this size. Their places are checked at once: all together, and one by one
        where one of them is not in order.
        """
        answered = list(self._rows("answers_in_order", after=self._after, last=last))
        firsts, lasts = ([row[n] for row in answered if row[n] is not None] for n in (2, 3))
        if all(row[4] for row in answered) and (not firsts or min(firsts) == self._covered + 1):
            self._covered = max(lasts, default=self._covered)
        else:
            self._check_places(last)
        self._after = last
        return ((size, partial(self._check_root, size, bytes(root))) for size, root, *_ in answered)

    def _check_places(self, last: int) -> None:
        """Names what is wrong with the answers of a page."""
        for tree_size, first, upto, agrees in self._rows("answers", after=self._after, last=last):
            self._check_place(tree_size, first, upto, agrees=agrees)

    def finish(self, size: int) -> None:
        """Names the events at the book's end that no request recorded."""
        if self._covered < size:
            self._found.add(self._covered + 1, Kind.REQUEST, _unasked(self._covered + 1, size))

    def _check_root(self, tree_size: int, root: bytes, found: bytes | None) -> None:
        if self._roots_told >= ROOTS_TOLD_MAX or found == root:
            return
        self._roots_told += 1
        says = f"the root that was answered at size {tree_size} is not that of the stored events"
        self._found.add(tree_size or None, Kind.REQUEST, says)

    def _check_place(self, tree_size: int, first: int | None, last: int | None, *, agrees: bool) -> None:
        if first is None or last is None or not 1 <= first <= last <= tree_size:
            says = f"a request says that it recorded positions {first} to {last} of {tree_size}, which cannot be"
            self._found.add(last or first, Kind.REQUEST, says)
            return
        if not agrees:
            says = f"a request says of position {last} another stream, version, time or principal than its event has"
            self._found.add(last, Kind.REQUEST, says)
        if first > self._covered + 1:
            self._found.add(self._covered + 1, Kind.REQUEST, _unasked(self._covered + 1, first - 1))
        elif first <= self._covered:
            self._found.add(first, Kind.REQUEST, f"position {first} was recorded by more than one request")
        self._covered = max(self._covered, last)

    def _rows(self, query: str, **parameters: object) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_QUERIES[query], {"book": self._book, **parameters})
            return iter(cursor.fetchall())


def _unasked(first: int, last: int) -> str:
    return (
        f"no request recorded position {first}"
        if first == last
        else f"no request recorded the positions {first} to {last}"
    )
