"""The tables of a book as they stood at any position: a fact is read with the labels of its own time. Reads no database."""

from bisect import bisect_right
from collections.abc import Iterable

from ledger.tables.events import TablesEvent
from ledger.tables.state import Tables, evolve


class KnownTables:
    """Every state of a book's tables, by the position from which it held; `KnownTables()` is of a book without its own."""

    def __init__(self, published: Iterable[tuple[int, TablesEvent]] = ()) -> None:
        self._positions: list[int] = []
        self._states: list[Tables] = [Tables()]
        for position, event in published:
            self._positions.append(position)
            self._states.append(evolve(self._states[-1], event))

    @property
    def now(self) -> Tables:
        """The tables in force."""
        return self._states[-1]

    def at(self, position: int) -> Tables:
        """The tables that stood when the event at the position was recorded."""
        return self._states[bisect_right(self._positions, position)]
