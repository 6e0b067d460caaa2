"""Puts answers on standard output and everything else on standard error. Asks nothing, decides nothing."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.command.fitting import PROSE, Fitting

WIDTH_IN_A_PIPE = 150
"""Characters of a line of words where no terminal says how wide it is."""

LINE_SECONDS_MIN = 2.0
"""Without a terminal, progress is a plain line, at most so often."""


def out() -> Console:
    """Standard output, as a console that does not guess at the meaning of what it prints."""
    return Fitting(endless=False) if sys.stdout.isatty() else _Piped(endless=True, width=WIDTH_IN_A_PIPE)


class _Piped(Fitting):
    """A console without a terminal: no line ends in the blanks with which a table fills its last column."""

    def print(self, *objects: Any, **how: Any) -> None:
        with self.capture() as captured:
            super().print(*objects, **how)
        sys.stdout.write(re.sub(r" +(?=\n)", "", captured.get()))


def say(sentence: str = "") -> None:
    """A line about what is going on: standard error, so that answers can be piped."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def print_json(answer: object) -> None:
    """One JSON document on standard output, with its times in ISO 8601."""
    sys.stdout.write(
        orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=_written).decode() + "\n"
    )
    sys.stdout.flush()


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def table(title: str | None, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in `numbers` are aligned to the right, and only those of words are broken."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
        box=None,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        made.add_column(
            column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=column not in PROSE
        )
    return made


def cell(value: object) -> str:
    """A value as a person reads it in a table; a dash where there is none."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


class Advance(Protocol):
    """Tells how far a piece of work has come."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


@contextmanager
def progress(what: str, total: int | None = None, *, silent: bool = False) -> Iterator[Advance]:
    """Shows how far long work has come: a bar on a terminal, plain lines elsewhere, nothing when `silent`."""
    if silent:
        yield _unseen
    elif sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(what, total=total)
            yield lambda done, total=total: bar.update(task, completed=done, total=total)
    else:
        yield _Lines(what, total)


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
        transient=False,
    )


def _unseen(done: int, total: int | None = None) -> None:
    """Progress that nobody looks at."""


class _Lines:
    """Progress without a terminal: a line now and then."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total = what, total
        self._said_at = time.monotonic()

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if now - self._said_at < LINE_SECONDS_MIN:
            return
        self._said_at = now
        of = total or self._total
        say(f"{self._what}: {done:,}" + (f" of {of:,}" if of else ""))
