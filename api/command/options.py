"""The options that commands share, and how moments, days and places of a book are written. Opens nothing."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ledger.settings import Settings


class WrongUse(Exception):
    """The caller asked for what cannot be; the message says what to write instead. Exit code 2."""


Reader = Callable[[str], str]
"""Makes what an option takes of what was written."""

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="PostgreSQL >= 15 to use, as postgresql://… [default: LEDGER_DATABASE_URL, else the embedded server in --data]",
        rich_help_panel="Where",
    ),
]

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the embedded server and of the keys. [default: LEDGER_DATA, else ./data]",
        rich_help_panel="Where",
    ),
]

BookName = Annotated[
    str | None,
    typer.Option(
        "--book",
        metavar="NAME",
        help="The book that is meant. [default: LEDGER_BOOK, else main]",
        rich_help_panel="Where",
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for a program to read.")]


def settings_of(database: str | None, data: Path | None, book: str | None) -> Settings:
    """What the command line names goes before the environment, and that before the defaults."""
    return Settings.from_environment(database=database, data=data, book=book)


def one_of(option: str, allowed: Sequence[str], elsewhere: Mapping[str, Sequence[str]] | None = None) -> Reader:
    """Reads one of some words, upper case or lower; whoever writes what another option takes is told which one.

    The reader raises WrongUse.
    """

    def read(text: str) -> str:
        word = text.lower()
        if word in allowed:
            return word
        other = next((name for name, words in (elsewhere or {}).items() if word in words), None)
        hint = "" if other is None else f"; for figures by {word} write {other} {word}"
        raise WrongUse(f"{option}: write one of {', '.join(allowed)}, not {text!r}{hint}")

    return read


def read_day(text: str, option: str) -> date:
    """A day written 2026-01-31; raises WrongUse."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise WrongUse(f"{option}: write a day like 2026-01-31, not {text!r}")


def read_moment(text: str, option: str) -> datetime:
    """A moment with its offset; raises WrongUse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or len(text) <= len("2026-01-31"):
        raise WrongUse(f"{option}: write a moment like 2026-01-31T18:00:00+08:00, not {text!r}")
    if moment.tzinfo is None:
        raise WrongUse(f"{option}: say the offset of {text!r} too, as in {moment.isoformat()}+08:00")
    return moment


def read_place(text: str, option: str) -> int | date:
    """A position (a whole number, as we print it too: 29,175), a day, or a moment with its offset; raises WrongUse."""
    if re.fullmatch(r"\d{1,18}|\d{1,3}(,\d{3}){1,5}", text, re.ASCII):
        return int(text.replace(",", ""))
    try:
        return read_day(text, option) if len(text) <= len("2026-01-31") else read_moment(text, option)
    except WrongUse:
        raise WrongUse(
            f"{option}: write a position of the book like 120, a day like 2026-01-31, "
            f"or a moment like 2026-01-31T18:00:00+08:00, not {text!r}"
        ) from None


def read_complaint_id(text: str) -> UUID | None:
    """The id of a complaint, or None when the text is a reference number or something else."""
    try:
        return UUID(text)
    except ValueError:
        return None
