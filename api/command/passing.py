"""Names deadlines, and tells what the passing of time brought about in a complaint, in sentences. Asks nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import built_in_regimes


@cache
def clock_name(regime: str, clock: str) -> str:
    """A clock as both languages say it, with its regime where that is not the house's own."""
    for known in built_in_regimes():
        for rule in known.clocks:
            if (known.name, rule.name) == (regime, clock):
                ours = "" if regime == "house" else f" ({regime})"
                return f"{rule.en} {rule.zh}{ours}"
    return f"{clock} ({regime})"


def _approaching(d: Mapping[str, Any], calendar: Calendar) -> str:
    return f"warned 预警: no more than {_span(d['before'])} left for {_clock(d)}, which is due {_due(d, calendar)}"


def _missed(d: Mapping[str, Any], calendar: Calendar) -> str:
    limit = f"{_span(d['limit'])} from {_local(d['starts_at'], calendar)}"
    return f"found {_clock(d)} missed 超时: it was due {_due(d, calendar)}, {limit}"


def _issued_anew(d: Mapping[str, Any], calendar: Calendar) -> str:
    before = f"{_local(d['due_before_at'], calendar)} (provisional)"
    return f"issued {_clock(d)} anew by the published calendar: due {_due(d, calendar)}, before {before}"


PASSING: Mapping[str, Callable[[Mapping[str, Any], Calendar], str]] = {
    "deadline-approaching": _approaching,
    "deadline-missed": _missed,
    "deadline-issued-anew": _issued_anew,
}
"""A sentence for each stored name of the timekeeper; its subject is the timekeeper."""


def _clock(d: Mapping[str, Any]) -> str:
    return clock_name(d["regime"], d["clock"])


def _span(span: Mapping[str, Any]) -> str:
    unit = str(span["unit"]).replace("-", " ")
    return f"{span['amount']} {unit.removesuffix('s') if span['amount'] == 1 else unit}"


def _due(d: Mapping[str, Any], calendar: Calendar) -> str:
    return _local(d["due_at"], calendar) + (" (provisional)" if d.get("provisional") else "")


def _local(instant: str, calendar: Calendar) -> str:
    return f"{calendar.local(datetime.fromisoformat(instant)):%Y-%m-%d %H:%M}"
