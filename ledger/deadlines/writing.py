"""Calendars and regimes as TOML: files that an institution can read, correct and publish. Reads nothing."""

from collections.abc import Iterator
from typing import Any

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Regime


def regime_as_toml(regime: Regime) -> str:
    """A regime as a file, what is not stated left out; `read_regime` gives the same regime again."""
    stated = regime.model_dump(mode="json", exclude_defaults=True)
    clocks = stated.pop("clocks")
    lines = [f"{name} = {_value(value)}" for name, value in stated.items()]
    for clock in clocks:
        lines += ["", "[[clocks]]", *(f"{name} = {_value(value)}" for name, value in clock.items())]
    return "".join(f"{line}\n" for line in lines)


def calendar_as_toml(calendar: Calendar) -> str:
    """A calendar as a file; `read_calendar` gives the same calendar again."""
    return "".join(f"{line}\n" for line in _calendar_lines(calendar))


def _calendar_lines(calendar: Calendar) -> Iterator[str]:
    yield f"name = {_quoted(calendar.name)}"
    yield f"version = {calendar.version}"
    yield f"title = {_quoted(calendar.title)}"
    yield f"zone = {_quoted(calendar.zone)}"
    yield f"settled_from = {calendar.settled_from}"
    yield f"settled_through = {calendar.settled_through}"
    if calendar.estimated_through is not None:
        yield f"estimated_through = {calendar.estimated_through}"
    yield f"remarks = {_quoted(calendar.remarks)}"
    yield "day_starts = ["
    for start in calendar.day_starts:
        yield f"    {{ since = {start.since}, utc_offset_minutes = {start.utc_offset_minutes} }},"
    yield "]"
    yield "days = ["
    for day in calendar.days:
        words = f"zh = {_quoted(day.zh)}, en = {_quoted(day.en)}, notice = {_quoted(day.notice)}"
        yield f"    {{ on = {day.on}, kind = {_quoted(day.kind)}, {words} }},"
    yield "]"
    yield ""
    yield "[notices]"
    for name, source in calendar.notices.items():
        yield f"{_quoted(name)} = {_quoted(source)}"


def _value(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    assert isinstance(value, dict), f"a regime holds no {type(value).__name__}"
    return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }" if value else "{}"


def _quoted(words: str) -> str:
    """A TOML basic string: control characters escaped, as TOML asks."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return (
        '"' + "".join(f"\\u{ord(each):04x}" if ord(each) < 32 or ord(each) == 127 else each for each in escaped) + '"'
    )
