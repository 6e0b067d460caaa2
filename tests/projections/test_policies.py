"""The projections follow the policies of their book: what they keep is what `ledger.policy.known` says, position by position."""

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
import pytest
from psycopg2.extensions import connection as Connection
from pydantic_core import to_jsonable_python

from ledger.complaint.events import ComplaintEvent
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.clock import Run
from ledger.event import Event
from ledger.names import NAME_OF
from ledger.policy.built_in import policies_stream
from ledger.policy.events import PolicyEvent, RegimeRetired
from ledger.policy.known import Entry, known_at, timeline
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.book import book_id
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import StoredRow, events_after, head
from projections import sla, worklist
from projections.complaints import replayed
from projections.derivation import derive
from projections.machine import Builder, Projection, in_schema
from projections.policies import Followed, policies_at
from tests.deadlines.facts import (
    ONE_OF_EACH,
    annulled,
    corrected,
    first_reply,
    graded,
    received,
    regraded,
    shanghai,
)
from tests.policy.stories import calendar_published, china, house, regime_published

NOW = datetime.now(UTC)
TODAY = NOW.date()
KINDS = [name for name in ONE_OF_EACH if name not in {"complaint-received", "fact-annulled", "fact-corrected"}]
RANDOM_BOOKS = 6

Told = tuple[UUID, Event]


def stories(rng: random.Random, book: UUID) -> list[Told]:
    """Complaints in which facts come late, are corrected and annulled; and policies at any points, lawful or not.

    The calendar is announced up to last week only, so that the deadlines of today are provisional.
    """
    policies = policies_stream(book)
    told: list[Told] = [(policies, calendar_published(china(1, TODAY - timedelta(days=8)), NOW))]
    if rng.random() < 0.7:
        told.append((policies, regime_published(house(1), date(1970, 1, 1), NOW)))
    waiting: list[list[Told]] = [_policies(rng, policies)]
    for _ in range(5):
        complaint_id = UUID(int=rng.getrandbits(128))
        waiting.append([(complaint_id, event) for event in _facts(rng)])
    while waiting:
        index = rng.randrange(len(waiting))
        told.append(waiting[index].pop(0))
        if not waiting[index]:
            waiting.pop(index)
    return told


def _facts(rng: random.Random) -> Iterator[ComplaintEvent]:
    at = NOW - timedelta(hours=rng.randrange(24 * 12))
    yield received(at)
    for version in range(2, rng.randrange(4, 12)):
        happened = max(at, NOW - timedelta(hours=rng.choice([0, 1, 30, 200])))
        kind = rng.choice([*KINDS, "annul", "correct"])
        if kind == "annul":
            yield annulled(rng.randrange(2, version + 1), NOW)
        elif kind == "correct":
            yield corrected(1, received(at - timedelta(days=rng.randrange(6))), NOW)
        else:
            yield ONE_OF_EACH[kind](happened)


def _policies(rng: random.Random, stream_id: UUID) -> list[Told]:
    found: list[PolicyEvent] = []
    calendars, regimes = 1, 1
    for _ in range(rng.randrange(3, 9)):
        off = [TODAY + timedelta(days=rng.randrange(12)) for _ in range(rng.randrange(4))]
        if rng.random() < 0.6:
            calendars += 1
            through = TODAY + timedelta(days=rng.choice([-8, 2, 12, 60]))
            found.append(calendar_published(china(calendars, through, *{on for on in off if on <= through}), NOW))
        elif rng.random() < 0.2:
            since = TODAY + timedelta(days=rng.randrange(-9, 2))
            found.append(
                RegimeRetired(name="house", retired_from=since, reason="replaced", decided_by="chen", decided_at=NOW)
            )
        else:
            regimes += 1
            since = TODAY - timedelta(days=rng.randrange(-2, 15))
            found.append(regime_published(house(regimes, general=rng.randrange(1, 9)), since, NOW))
    return [(stream_id, each) for each in found]


def record(database: Database, book: str, told: list[Told], known: dict[UUID, int] | None = None) -> list[StoredRow]:
    """Records them through the one way in, each with a time of its own; `known` are versions to go on from."""
    versions = {} if known is None else known
    with closing(Appender(lambda: database.connect(Role.APPLICATION, autocommit=True), book)) as appender:
        for stream_id, event in told:
            versions[stream_id] = version = versions.get(stream_id, 0) + 1
            state = Recorded(stream_id, version, event, "li", "tell").state()
            (outcome,) = appender.append([Request([NewEvent(stream_id, version, NAME_OF[type(event)], state)])])
            assert not isinstance(outcome, Exception), outcome
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        return events_after(connection, book, 0, 1000)


def derived(rows: list[StoredRow], complaint_id: UUID, policies: UUID) -> Callable[[int], tuple[Run, ...]]:
    """What the pure derivation says was known of a complaint, by position."""
    entries: list[Any] = [
        Entry(row.position, row.recorded_at, opened(row).event)
        for row in rows
        if row.stream_id in {complaint_id, policies}
    ]
    told = timeline(entries)
    return lambda position: known_at(told, position)


def as_row(run: Run, number: int) -> tuple[Any, ...]:
    c = run.clock
    return (
        *(c.regime, c.clock, number, c.regime_version, run.calendar.name, c.calendar_version, c.starts_at, c.due_at),
        *(c.stopped_at, c.ended, c.provisional, str(c.limit), str(c.first_limit), c.first_due_at, c.suspended_at),
        c.regrades_on_last_day,
    )


def numbered(runs: tuple[Run, ...]) -> list[tuple[Any, ...]]:
    seen: dict[tuple[str, str], int] = {}
    found = []
    for run in runs:
        key = (run.clock.regime, run.clock.clock)
        seen[key] = seen.get(key, 0) + 1
        found.append(as_row(run, seen[key]))
    return sorted(found, key=lambda row: row[:3])


KEPT = """
SELECT regime, clock, run, regime_version, calendar, calendar_version, starts_at, due_at, stopped_at, ended, provisional,
       within, first_within, first_due_at, suspended_at, regrades_on_last_day
  FROM {schema}.clock
 WHERE complaint_id = %(complaint_id)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
 ORDER BY regime, clock, run
"""


def small(projection: Projection, fold: Callable[..., Any]) -> Projection:
    """A projection that forgets nearly everything between batches, and so has to derive it again."""
    return dataclasses.replace(projection, fold=lambda: fold(facts_max=4))


def build(database: Database, book: str, projection: Projection, rng: random.Random) -> str:
    with closing(database.connect(Role.PROJECTOR)) as connection:
        builder = Builder(connection, book, projection)
        while builder.step(rng.choice([1, 2, 5, 500])):
            pass
        return builder.schema


@pytest.mark.parametrize("seed", range(RANDOM_BOOKS))
def test_what_is_kept_is_what_the_pure_derivation_says(database: Database, book: str, seed: int) -> None:
    rng = random.Random(seed)
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        policies = policies_stream(book_id(head(reader, book).origin))
        rows = record(database, book, stories(rng, book_id(head(reader, book).origin)))
        projection = small(sla.PROJECTION, sla.SlaFold) if seed % 2 else sla.PROJECTION
        schema = build(database, book, projection, rng)
        followed = Followed.up_to(reader, book)
        changed = 0
        for complaint_id in {row.stream_id for row in rows} - {policies}:
            said = derived(rows, complaint_id, policies)
            states = []
            for position in range(len(rows) + 1):
                kept = fetch(reader, schema, complaint_id=complaint_id, position=position)
                assert kept == numbered(said(position)), (complaint_id, position)
                again = replayed([row for row in rows if row.stream_id == complaint_id], followed, position)
                assert tuple(again.runs) == said(position)
                states.append(kept)
            changed += sum(before != after for before, after in pairwise(states))
        assert changed > 3


def fetch(reader: Connection, schema: str, **asked: Any) -> list[tuple[Any, ...]]:
    with reader.cursor() as cursor:
        cursor.execute(in_schema(KEPT, schema), asked)
        return cursor.fetchall()


@pytest.mark.parametrize("seed", range(RANDOM_BOOKS))
def test_the_worklist_shows_the_soonest_of_them(database: Database, book: str, seed: int) -> None:
    rng = random.Random(100 + seed)
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        identity = book_id(head(reader, book).origin)
        rows = record(database, book, stories(rng, identity))
        projection = small(worklist.PROJECTION, worklist.WorklistFold) if seed % 2 else worklist.PROJECTION
        build(database, book, projection, rng)
        tasks = worklist.page(reader, book).tasks
        for task in tasks:
            runs = derived(rows, task.complaint_id, policies_stream(identity))(len(rows))
            running = [run.clock for run in runs if run.clock.ended == "running"]
            soonest = min(running, key=lambda clock: clock.due_at, default=None)
            assert (task.due_at, task.provisional) == (
                (soonest.due_at, soonest.provisional) if soonest else (None, False)
            )


def test_policies_are_read_as_known_at_a_position(database: Database, book: str) -> None:
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        stream_id = policies_stream(book_id(head(reader, book).origin))
        assert policies_at(reader, book).regimes == {}
        record(
            database,
            book,
            [
                (stream_id, calendar_published(china(1, TODAY), NOW)),
                (stream_id, regime_published(house(1), date(1970, 1, 1), NOW)),
                (stream_id, regime_published(house(2, general=6), TODAY + timedelta(days=1), NOW)),
            ],
        )
        assert [len(policies_at(reader, book, position).regimes.get("house", ())) for position in range(4)] == [
            0,
            0,
            1,
            2,
        ]
        assert Followed.up_to(reader, book).at(2).regimes == policies_at(reader, book, 2).regimes


@pytest.mark.parametrize("seed", range(3))
def test_no_later_policy_or_fact_changes_what_a_report_said_as_of_a_position(
    database: Database, book: str, seed: int
) -> None:
    """Every report and every complaint, byte for byte, whatever is published and recorded afterwards."""
    rng = random.Random(200 + seed)
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        told = stories(rng, book_id(head(reader, book).origin))
        half, versions = len(told) // 2, dict[UUID, int]()
        rows = record(database, book, told[:half], versions)
        build(database, book, sla.PROJECTION, rng)
        said = [_everything(reader, book, rows, position) for position in range(1, half + 1)]
        _the_tally_says_what_the_rows_say(reader, book, half)
        record(database, book, told[half:], versions)
        build(database, book, sla.PROJECTION, rng)
        _the_tally_says_what_the_rows_say(reader, book, len(told))
        assert [_everything(reader, book, rows, position) for position in range(1, half + 1)] == said


def _the_tally_says_what_the_rows_say(reader: Connection, book: str, position: int) -> None:
    """The report of now, which counts what has ended beforehand, is that of the last position, which counts every row."""
    for now in (shanghai("2026-03-03T00:00"), shanghai("2026-10-12T00:00"), shanghai("2027-06-01T00:00")):
        for period in (None, *sla.PERIODS):
            told = sla.report(reader, book, now=now, period=period)
            assert told == sla.report(reader, book, as_of=position, now=now, period=period)
            assert told.lines


def _everything(reader: Connection, book: str, rows: list[StoredRow], position: int) -> bytes:
    asked = [
        sla.report(reader, book, as_of=position, part=part, period="month", classified=classified)
        for part in (None, "category", "grade")
        for classified in (None, "first")
    ]
    complaints = sorted({row.stream_id for row in rows})  # the stream of the policies too: of it nothing is derived
    states = [sla.of(reader, book, complaint_id, as_of=position) for complaint_id in complaints]
    derived = [list(derive(reader, book, complaint_id, position).lines()) for complaint_id in complaints]
    return orjson.dumps(to_jsonable_python([asked, states, derived]))


def test_a_report_counts_regrades_on_the_last_day_and_parts_by_any_classification(
    database: Database, book: str
) -> None:
    start = shanghai("2026-03-02T10:00")
    last_day = shanghai("2026-03-09T22:00")
    major = regraded("major", last_day)
    told: list[Told] = [
        (UUID(int=1), received(start)),
        (UUID(int=1), graded("general", start)),
        (UUID(int=1), major),
        (UUID(int=2), received(start)),
        (UUID(int=2), graded("general", start)),
        (UUID(int=2), regraded("major", last_day - timedelta(days=1))),
        (UUID(int=3), received(start)),
        (UUID(int=3), graded("general", start)),
        (UUID(int=3), regraded("major", last_day + timedelta(days=1))),
    ]
    record(database, book, told)
    build(database, book, sla.PROJECTION, random.Random(1))
    now = shanghai("2026-03-12T00:00")
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:

        def resolutions(**asked: Any) -> list[tuple[str | None, int, int, int]]:
            lines = sla.report(reader, book, now=now, part="grade", **asked).lines
            return [
                (line.part, line.missed, line.running, line.regrades_on_last_day)
                for line in lines
                if line.clock == "resolution"
            ]

        assert resolutions() == [
            ("major", 1, 2, 1)
        ]  # the miss of the third stands; only the first came on the last day
        assert resolutions(classified="first") == [("general", 1, 2, 1)]
        assert resolutions(classified=2) == [("general", 0, 1, 1), (None, 1, 1, 0)]  # of the others nothing was known
        assert resolutions(classified=3) == [("major", 0, 1, 1), (None, 1, 1, 0)]
        (state,) = [
            each for each in sla.of(reader, book, UUID(int=1)) if each.known_to is None and each.clock == "resolution"
        ]
        assert (state.first_within, state.within) == ("5 working days", "10 working days")
        assert state.first_due_at == shanghai("2026-03-09T23:59:59.999999")
        assert state.verdict(now) == "running"


def test_percentiles_are_of_the_time_that_was_used(database: Database, book: str) -> None:
    start = shanghai("2026-03-02T10:00")
    told: list[Told] = []
    for number in range(1, 101):
        told += [
            (UUID(int=number), received(start)),
            (UUID(int=number), first_reply(start + timedelta(minutes=number))),
        ]
    record(database, book, told)
    build(database, book, sla.PROJECTION, random.Random(1))
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        report = sla.report(reader, book, now=shanghai("2026-03-03T00:00"), period="quarter")
    used = {line.clock: line.used_seconds for line in report.lines}
    assert used == {"first-reply": (50 * 60, 90 * 60, 99 * 60), "resolution": None}
    assert {line.period for line in report.lines} == {date(2026, 1, 1)}
