"""Names deadlines, and tells what the passing of time brought about in a complaint, in sentences. Asks nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import built_in_regimes
from ledger.policy.events import RegimePublished
from ledger.policy.state import ClockLabels, policies


@cache
def built_in_labels() -> ClockLabels:
    """The labels of the built-in regimes' clocks: those of a book that has published no regime of their names."""
    return policies(
        RegimePublished(regime=each, published_by="built-in", published_at=datetime.min.replace(tzinfo=UTC))
        for each in built_in_regimes()
    ).clock_labels


def clock_name(regime: str, clock: str, labels: ClockLabels) -> str:
    """A clock as both languages say it, by the book's own labels; with its regime where that is not the house's own."""
    label = labels.get((regime, clock)) or built_in_labels().get((regime, clock))
    ours = "" if regime == "house" else f" ({regime})"
    return f"{clock} ({regime})" if label is None else f"{label.en} {label.zh}{ours}"


def _approaching(d: Mapping[str, Any], calendar: Calendar, labels: ClockLabels) -> str:
    return (
        f"warned 预警: no more than {_span(d['before'])} left for {_clock(d, labels)}, which is due {_due(d, calendar)}"
    )


def _missed(d: Mapping[str, Any], calendar: Calendar, labels: ClockLabels) -> str:
    limit = f"{_span(d['limit'])} from {_local(d['starts_at'], calendar)}"
    return f"found {_clock(d, labels)} missed 超时: it was due {_due(d, calendar)}, {limit}"


def _issued_anew(d: Mapping[str, Any], calendar: Calendar, labels: ClockLabels) -> str:
    before = f"{_local(d['due_before_at'], calendar)} (provisional)"
    return f"issued {_clock(d, labels)} anew by the published calendar: due {_due(d, calendar)}, before {before}"


PASSING: Mapping[str, Callable[[Mapping[str, Any], Calendar, ClockLabels], str]] = {
    "deadline-approaching": _approaching,
    "deadline-missed": _missed,
    "deadline-issued-anew": _issued_anew,
}
"""A sentence for each stored name of the timekeeper; its subject is the timekeeper."""


def _clock(d: Mapping[str, Any], labels: ClockLabels) -> str:
    return clock_name(d["regime"], d["clock"], labels)


def _span(span: Mapping[str, Any]) -> str:
    unit = str(span["unit"]).replace("-", " ")
    return f"{span['amount']} {unit.removesuffix('s') if span['amount'] == 1 else unit}"


def _due(d: Mapping[str, Any], calendar: Calendar) -> str:
    return _local(d["due_at"], calendar) + (" (provisional)" if d.get("provisional") else "")


def _local(instant: str, calendar: Calendar) -> str:
    return f"{calendar.local(datetime.fromisoformat(instant)):%Y-%m-%d %H:%M}"
