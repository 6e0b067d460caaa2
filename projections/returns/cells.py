"""The cells of returns as their receivers open them: read once, in the order of the receiver's own names, and kept for the next page.

What stands behind a cell of a submission never changes, so that nothing kept here grows old. It asks no database and records
nothing.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from projections.indicators.asking import Case
from projections.returns.asking import Pseudonyms

CASES_KEPT_MAX = 200_000
"""Of all cells that are kept: some 60 MB. The cell that was opened last is kept whatever its size."""

Place = tuple[str, int]
"""The receiver's name of a complaint, and which of its rows in the cell, from 1: where a page ends."""


class Cell(NamedTuple):
    """The rows behind a cell in the order of their places."""

    places: Sequence[Place]
    cases: Sequence[Case]

    def page(self, after: Place | None, rows_max: int) -> "Cell":
        """The rows behind a place; None: from the first."""
        begin = 0 if after is None else bisect_right(self.places, after)
        return Cell(self.places[begin : begin + rows_max], self.cases[begin : begin + rows_max])


def in_places(found: Iterable[Case], names: Pseudonyms) -> Cell:
    """Rows in the order of the receiver's names. Costs one HMAC a complaint."""
    placed: list[tuple[Place, Case]] = []
    seen: dict[str, int] = {}
    for case in found:
        name = names.of("complaint", case.complaint_id)
        seen[name] = seen.get(name, 0) + 1
        placed.append(((name, seen[name]), case))
    placed.sort(key=lambda each: each[0])
    return Cell([place for place, _ in placed], [case for _, case in placed])


class Cells:
    """The cells that were opened last, by what names them; threads may share it."""

    def __init__(self, cases_max: int = CASES_KEPT_MAX) -> None:
        self._cases_max = cases_max
        self._kept: OrderedDict[Hashable, Cell] = OrderedDict()
        self._lock = threading.Lock()

    def opened(self, named: Hashable, read: Callable[[], Cell]) -> Cell:
        """The cell of a name, read where it is not kept. Two who open it at once may both read it."""
        with self._lock:
            if (kept := self._kept.get(named)) is not None:
                self._kept.move_to_end(named)
                return kept
        cell = read()
        with self._lock:
            self._kept[named] = cell
            while len(self._kept) > 1 and sum(len(each.places) for each in self._kept.values()) > self._cases_max:
                self._kept.popitem(last=False)
        return cell
