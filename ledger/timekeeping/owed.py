"""Which facts the passing of time has brought about, and in which streams they belong. Pure.

A stream's id is derived from the complaint's random id and from what the fact says of it, so that whoever
records the same fact twice, or at the same time as another, gets a version conflict and no second fact.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Run
from ledger.deadlines.regime import Purpose, Span
from ledger.deadlines.span import warned_at
from ledger.policy.known import IssuedAnew
from ledger.timekeeping.events import DeadlineApproaching, DeadlineIssuedAnew, DeadlineMissed, TimekeeperEvent
from ledger.timekeeping.streams import deadline_stream


class Owed(NamedTuple):
    """A fact to be recorded as the first and only one of its stream, and since when it is owed."""

    stream_id: UUID
    since: datetime
    event: TimekeeperEvent


def owed(complaint_id: UUID, runs: Iterable[Run], now: datetime, since: datetime | None = None) -> list[Owed]:
    """What has come about by `now` (and not before `since`), oldest first, whether or not it is recorded yet.

    A warning is owed even if it comes too late to help: so it does not depend on how often anybody looked.
    """
    found = [each for each in thresholds(complaint_id, runs) if each.since <= now]
    return [each for each in found if since is None or each.since >= since]


def thresholds(complaint_id: UUID, runs: Iterable[Run]) -> list[Owed]:
    """Everything that will have come about if nothing else happens, the earliest first."""
    return sorted((each for run in runs for each in _thresholds(complaint_id, run)), key=_since)


def next_owed_at(runs: Iterable[Run], now: datetime) -> datetime | None:
    """When something will be owed that is not owed yet, if no other fact comes before; None: never."""
    ahead = [each.since for run in runs for each in _thresholds(UUID(int=0), run) if each.since > now]
    return min(ahead, default=None)


def owed_anew(complaint_id: UUID, issued: Iterable[IssuedAnew], recorded_at: datetime) -> list[Owed]:
    """That due times were issued anew; `recorded_at` is when the calendar was, that brought it about."""
    return [_issued_anew(complaint_id, each, recorded_at) for each in issued]


def _thresholds(complaint_id: UUID, run: Run) -> Iterator[Owed]:
    """Every threshold that a run passes unless something stops it before."""
    clock = run.clock
    if clock.ended == "stopped-at-unknown-time":
        return
    until = run.ended_at or clock.suspended_at
    for before in run.rule.warn_before:
        at = warned_at(before, clock.due_at, clock.starts_at, run.calendar)
        if at <= clock.due_at and (until is None or at < until):
            said = DeadlineApproaching(**_of(complaint_id, run), before=before, approached_at=at)
            yield Owed(_stream(complaint_id, run, f"before/{_written(before)}"), at, said)
    if clock.purpose is Purpose.DUTY and (until is None or clock.due_at < until):
        missed = DeadlineMissed(**_of(complaint_id, run))
        yield Owed(_stream(complaint_id, run, "missed"), clock.due_at + INSTANT, missed)


def _issued_anew(complaint_id: UUID, issued: IssuedAnew, recorded_at: datetime) -> Owed:
    before, after = issued
    said = DeadlineIssuedAnew(
        **_of(complaint_id, after),
        calendar_version_before=before.clock.calendar_version,
        due_before_at=before.clock.due_at,
    )
    return Owed(_stream(complaint_id, after, f"anew/{after.calendar.version}"), recorded_at, said)


def _of(complaint_id: UUID, run: Run) -> dict[str, Any]:
    clock = run.clock
    return {
        "complaint_id": complaint_id,
        "regime": clock.regime,
        "regime_version": clock.regime_version,
        "calendar_version": clock.calendar_version,
        "clock": clock.clock,
        "starts_at": clock.starts_at,
        "limit": Span(amount=run.limit.amount, unit=run.limit.unit),
        "due_at": clock.due_at,
        "provisional": clock.provisional,
    }


def _stream(complaint_id: UUID, run: Run, threshold: str) -> UUID:
    """One for each complaint, clock, start and threshold; a threshold is one of a limit, so another limit has others."""
    clock = run.clock
    at = clock.starts_at.isoformat(timespec="microseconds")
    return deadline_stream(complaint_id, f"{clock.regime}/{clock.clock}/{at}/{_written(run.limit)}/{threshold}")


def _written(span: Span) -> str:
    return f"{span.amount}-{span.unit.value}"


def _since(each: Owed) -> tuple[datetime, UUID]:
    return each.since, each.stream_id
