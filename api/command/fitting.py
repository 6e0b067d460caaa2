"""Fits a table to the width of what it is printed on, so that no reference, date, id, number or code is ever broken.

A person copies a reference from the screen, and a program reads a line as a record: neither puts broken ones together.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from itertools import chain
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

PROSE = frozenset(
    {
        *("events at positions", "in clear 明文", "in force", "indicator", "masked 掩码", "source of the due date"),
        *("title", "what", "what would be needed"),
    }
)
"""Columns of words, which may go on in the next line; all others hold what must stay in one piece."""

PROSE_MIN = 24
"""Characters of a line below which words are no longer read with ease."""

BETWEEN = 2
"""Blanks between two columns."""


class Fitting(Console):
    """A console whose tables fit it; on paper without an edge, a line is as long as what must stay in one piece asks for."""

    def __init__(self, *, endless: bool, **how: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=False, **how)
        self._endless = endless

    def print(self, *objects: Any, **how: Any) -> None:
        if len(objects) != 1 or not isinstance(objects[0], Table):
            super().print(*objects, **how)
            return
        usual = self.width
        try:
            for part in fitted(self, objects[0], endless=self._endless):
                if isinstance(part, Table):
                    self.width = max(usual, _needed(part)) if self._endless else usual
                    super().print(part, **how)
                else:
                    super().print(part, soft_wrap=self._endless)
        finally:
            self.width = usual


def fitted(console: Console, table: Table, *, endless: bool) -> Iterator[Table | Text]:
    """The title, which is as wide as it is, and the table; where it does not fit, its records one below the other."""
    if table.title is not None:
        yield Text(str(table.title), style="bold")
    untitled = copy(table)
    untitled.title = None
    if endless or sum(map(_widest, table.columns)) + _gaps(table) <= console.width:
        yield untitled
        return
    untitled.columns = [replace(column, header=_broken_head(console, column)) for column in table.columns]
    if _needed(untitled) <= console.width:
        yield untitled
    else:
        yield from _stacked(table)


def _stacked(table: Table) -> Iterator[Text]:
    """Each record as lines of `name: value`, with a blank line between two."""
    heads = [str(column.header) for column in table.columns]
    for number, row in enumerate(zip(*(column.cells for column in table.columns), strict=True)):
        cells = (", ".join(str(cell).split("\n")) for cell in row)
        lines = [f"{head}: {cell or '–'}" for head, cell in zip(heads, cells, strict=True)]
        yield Text("\n".join(chain([""] if number else [], lines)))


def _needed(table: Table) -> int:
    """The least width at which no piece is broken; words keep what is left, and never less than is read with ease."""
    return sum(_least(column) for column in table.columns) + _gaps(table)


def _least(column: Column) -> int:
    if column.no_wrap:
        return _widest(column)
    return min(_widest(column), PROSE_MIN)


def _broken_head(console: Console, column: Column) -> str:
    """The name of a column on as many lines as the width of its cells asks for, broken between words only."""
    head = str(column.header)
    width = max([*map(_breadth, column.cells), *map(cell_len, head.split())], default=1)
    return "\n".join(line.plain.rstrip() for line in Text(head).wrap(console, width))


def _widest(column: Column) -> int:
    return max(map(_breadth, _pieces(column)))


def _pieces(column: Column) -> Iterator[object]:
    return chain([column.header], column.cells)


def _breadth(piece: object) -> int:
    return max(map(cell_len, str(piece).split("\n")))


def _gaps(table: Table) -> int:
    return BETWEEN * (len(table.columns) - 1)
