"""What is wrong with a regime or a calendar that somebody wrote: line, place, reason, remedy. Nothing is published here."""

import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ledger.deadlines.calendar import Calendar, Day, DayStart
from ledger.deadlines.places import Path, lines_of
from ledger.deadlines.regime import ClockRule, Effect, Extension, Limit, Regime, Suspension
from ledger.deadlines.sound import unsound


class Fault(NamedTuple):
    """One thing wrong with a file. `line` counts from 1; `place` is the path of the value, items counted from 1."""

    line: int
    place: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.place}" if self.place else f"line {self.line}"
        return f"{where}: {self.reason}: {self.remedy}"


def check_regime(text: str, calendars: Collection[str] | None = None) -> list[Fault]:
    """Every fault of a regime, in the order of its lines; none: it can be published.

    `calendars` are the names that it may go by; None: any.
    """
    faults = _check(text, Regime, (ClockRule, Limit, Effect, Extension, Suspension))
    if faults:
        return faults
    given, lines = tomllib.loads(text), lines_of(text)
    for place, reason, remedy in unsound(Regime.model_validate(given)):
        faults.append(_refused(place, f"{reason}; {remedy}", text, lines))
    if calendars is None:
        return sorted(faults)
    named: list[tuple[Path, str]] = [(("calendar",), given["calendar"])]
    named += [
        (("clocks", i, "calendar"), each["calendar"]) for i, each in enumerate(given["clocks"]) if "calendar" in each
    ]
    faults += [
        Fault(_line(path, lines), _place(path), f"no calendar {name!r} is published", _near(name, calendars))
        for path, name in named
        if name not in calendars
    ]
    return sorted(faults)


def check_calendar(text: str) -> list[Fault]:
    """Every fault of a calendar, in the order of its lines; none: it can be published."""
    return _check(text, Calendar, (Day, DayStart))


def _check(text: str, model: type[BaseModel], parts: tuple[type[BaseModel], ...]) -> list[Fault]:
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else max(1, text.count("\n"))
        return [Fault(line, "", f"this is not TOML: {error}", "correct what stands there or just before it")]
    try:
        model.model_validate(given)
    except ValidationError as error:
        lines = lines_of(text)
        fields = sorted({field for each in (model, *parts) for field in each.model_fields})
        found = error.errors(include_url=False)
        inside = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
        kept = [one for one in found if one["type"] != "too_short" or one["loc"] not in inside]
        return sorted(_fault(one, text, lines, fields) for one in kept)
    return []


def _fault(error: ErrorDetails, text: str, lines: Mapping[Path, int], fields: Collection[str]) -> Fault:
    path, message = tuple(error["loc"]), error["msg"]
    kind = error["type"]
    if kind == "value_error":
        return _refused(path, message.removeprefix("Value error, "), text, lines)
    field = str(path[-1]) if path else ""
    if kind == "missing":
        return Fault(_line(path, lines), _place(path), f"{field} is missing", f"add {field} = …")
    if kind == "extra_forbidden":
        return Fault(_line(path, lines), _place(path), f"there is no {field}", _near(field, fields, "take it out"))
    if kind == "tuple_type":
        return Fault(_line(path, lines), _place(path), "this must be a list", 'write it in brackets, like ["one"]')
    if kind in ("enum", "literal_error"):
        expected = str((error.get("ctx") or {}).get("expected", ""))
        return Fault(_line(path, lines), _place(path), "this is none of the words it can be", f"use {expected}")
    return Fault(_line(path, lines), _place(path), message[:1].lower() + message[1:], "correct it")


def _refused(path: Path, message: str, text: str, lines: Mapping[Path, int]) -> Fault:
    """A fault that a rule of ours found: its message is `place: reason: remedy`, the place being within `path`."""
    head, _, rest = message.partition(": ")
    inner = head.split(".")
    if rest and inner[0] in {*ClockRule.model_fields, *Regime.model_fields, *Calendar.model_fields}:
        path, message = (*path, *inner), rest
    reason, _, remedy = message.partition("; " if "; " in message else ": ")
    line = _line(path, lines)
    named = re.search(r"'([^']+)'|^([a-z0-9-]+):|^(\d{4}-\d\d-\d\d)", message)
    if named:
        word = next(filter(None, named.groups()))
        line = next(
            (n for n, each in enumerate(text.splitlines(), 1) if n >= line and word in each.partition("#")[0]), line
        )
    return Fault(line, _place(path), reason, remedy or "correct it")


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a value, or of the nearest thing around it that is written."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _place(path: Path) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _near(word: str, known: Collection[str], otherwise: str | None = None) -> str:
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"use one of {', '.join(sorted(known))}"
