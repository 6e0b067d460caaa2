"""The timekeeper goes by the policies of its book: what is owed is what `ledger.policy.known` knows, at every position."""

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintEvent
from ledger.complaint.moving import Unit
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.regime import Purpose
from ledger.event import Event
from ledger.founding import found
from ledger.names import NAME_OF
from ledger.policy.built_in import policies_stream
from ledger.policy.events import PolicyEvent
from ledger.policy.known import Entry, issued_anew, timeline
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.book import book_id
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import events_after, head, stream_events
from ledger.timekeeping.events import DeadlineApproaching
from ledger.timekeeping.owed import owed_anew, thresholds
from projections import timekeeper
from projections.machine import Builder
from projections.rebuild import compare
from projections.worker import catch_up
from tests.policy.stories import calendar_published, china, house, regime_published
from tests.projections.stories import interleaved, received, reply

NOW = datetime.now(UTC)
AT = NOW.replace(microsecond=0) + timedelta(days=100)
"""Of the days from here on nobody has announced the holidays."""


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


class Writing:
    """Events into a founded book, each with its place in its stream."""

    def __init__(self, database: Database, book: str, reader: Connection) -> None:
        self._database, self.book, self._reader = database, book, reader
        found(database, book, NOW)
        self.policies = policies_stream(book_id(head(reader, book).origin))
        self._versions: Counter[UUID] = Counter({self.policies: len(stream_events(reader, book, self.policies))})

    def write(self, *told: tuple[UUID, Event]) -> None:
        with closing(Appender(lambda: self._database.connect(Role.APPLICATION, autocommit=True), self.book)) as one:
            for stream_id, event in told:
                self._versions[stream_id] += 1
                state = Recorded(stream_id, self._versions[stream_id], event, "li", "tell").state()
                request = Request([NewEvent(stream_id, self._versions[stream_id], NAME_OF[type(event)], state)])
                ((_, outcome),) = one.append_all([request])
                assert not isinstance(outcome, Exception)


@pytest.fixture
def writing(database: Database, book: str, reader: Connection) -> Writing:
    return Writing(database, book, reader)


def ahead(connection: Connection, book: str, schema: str | None = None) -> dict[UUID, dict[str, object]]:
    """What the index says is owed, sooner or later."""
    found_there = timekeeper.due(connection, book, datetime.max.replace(tzinfo=UTC), 10_000, schema=schema)
    return {each.stream_id: each.event.model_dump(mode="json", exclude_none=True) for each in found_there.owed}


def expected(connection: Connection, book: str) -> dict[UUID, dict[str, object]]:
    """The same from the whole book by the pure rules: what the last state of each complaint passes, and what was issued
    anew; without the warnings that were over when their clock came to be known.
    """
    entries = [
        Entry(row.position, row.recorded_at, event)
        for row in events_after(connection, book, 0, 20_000)
        if isinstance(event := opened(row).event, ComplaintEvent | PolicyEvent)
    ]
    rows = {row.position: row for row in events_after(connection, book, 0, 20_000)}
    owing: dict[UUID, dict[str, object]] = {}
    complaints = {rows[each.position].stream_id for each in entries if isinstance(each.event, ComplaintEvent)}
    for complaint_id in complaints:
        mine = [e for e in entries if isinstance(e.event, PolicyEvent) or rows[e.position].stream_id == complaint_id]
        told = timeline(mine)
        known: dict[UUID, datetime] = {}
        for state in told:
            at = rows[state.known_from].recorded_at
            streams = {each.stream_id: each for each in thresholds(complaint_id, state.runs)}
            known = {stream_id: known.get(stream_id, at) for stream_id in streams}
        for each in thresholds(complaint_id, told[-1].runs):
            late = isinstance(each.event, DeadlineApproaching) and each.event.due_at < known[each.stream_id]
            if not late:
                owing[each.stream_id] = each.event.model_dump(mode="json", exclude_none=True)
        for before, after in pairwise(told):
            at = rows[after.known_from].recorded_at
            for each in owed_anew(complaint_id, issued_anew(before.runs, after.runs), at):
                owing.setdefault(each.stream_id, each.event.model_dump(mode="json", exclude_none=True))
    return owing


def test_a_due_time_that_passes_no_threshold_is_issued_anew_too(
    writing: Writing, database: Database, book: str, reader: Connection
) -> None:
    """A window warns nobody and is never missed: the index of what is owed knows nothing of it, and a calendar moves it."""
    complaint_id = uuid4()
    (first, *_) = house(1).clocks
    limit = first.limits[0].model_copy(update={"amount": 5, "unit": Unit.WORKING_DAYS})
    changed = {
        "name": "window",
        "purpose": Purpose.WINDOW,
        "stops": (),
        "limits": (limit,),
        "warn_before": (),
        "other_facts": {},
    }
    window = house(1).model_copy(update={"name": "ours", "clocks": (first.model_copy(update=changed),)})
    writing.write((writing.policies, regime_published(window, NOW.date(), at=NOW)))
    writing.write(
        (complaint_id, received(complaint_id, AT)), (complaint_id, reply(complaint_id, AT + timedelta(hours=1)))
    )
    catch_up(database, book, "timekeeper")
    days_off = [(AT + timedelta(days=days)).date() for days in range(2, 6)]
    published = calendar_published(china(2, (AT + timedelta(days=400)).date(), *days_off), at=NOW)
    writing.write((writing.policies, published))
    catch_up(database, book, "timekeeper")  # a worker that was started since: it remembers nothing
    told = [each for each in ahead(reader, book).values() if each["clock"] == "window"]
    assert [each["calendar_version_before"] for each in told] == [1]
    assert ahead(reader, book) == expected(reader, book)
    assert compare(database, book, "timekeeper") == []


def test_a_published_calendar_issues_due_times_anew_once(
    writing: Writing, database: Database, book: str, reader: Connection
) -> None:
    complaint_id = uuid4()
    writing.write((complaint_id, received(complaint_id, AT)))
    catch_up(database, book, "timekeeper")
    before = ahead(reader, book)
    days_off = [(AT + timedelta(days=days)).date() for days in range(2, 6)]
    writing.write(
        (writing.policies, calendar_published(china(2, (AT + timedelta(days=400)).date(), *days_off), at=NOW))
    )
    catch_up(database, book, "timekeeper")
    after = ahead(reader, book)
    (anew,) = [each for stream_id, each in after.items() if stream_id not in before]
    assert (anew["clock"], anew["calendar_version_before"], anew["calendar_version"]) == ("resolution", 1, 2)
    assert str(anew["due_at"]) > str(anew["due_before_at"])
    moved = [each for each in after.values() if each["clock"] == "resolution" and each is not anew]
    assert {each["due_at"] for each in moved} == {anew["due_at"]}, "warning and miss go by it, in the same streams"
    assert after == expected(reader, book)
    assert compare(database, book, "timekeeper") == []


def test_a_regime_of_the_book_applies_from_its_day_on(
    writing: Writing, database: Database, book: str, reader: Connection
) -> None:
    one, other = uuid4(), uuid4()
    writing.write((one, received(one, AT)))
    since = (AT + timedelta(days=1)).date()
    writing.write((writing.policies, regime_published(house(2, general=2), since, at=NOW)))
    writing.write((other, received(other, AT + timedelta(days=3))))
    catch_up(database, book, "timekeeper")
    limits = {(each["complaint_id"], each["limit"]["amount"]) for each in ahead(reader, book).values()}  # type: ignore[index]  # a limit is a mapping
    assert {(str(one), 5), (str(other), 2)} <= limits
    assert not {(str(one), 2), (str(other), 5)} & limits
    assert ahead(reader, book) == expected(reader, book)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_whatever_is_published_when_what_is_owed_is_what_the_rules_know(
    writing: Writing, database: Database, book: str, reader: Connection, seed: int
) -> None:
    """Old complaints and ones that lie ahead, with calendars and regimes between their events, in batches of any size,
    with a fold that remembers nothing.
    """
    rng = random.Random(seed)
    told: list[tuple[UUID, Event]] = list(interleaved(seed, complaints=8))
    for _ in range(8):
        complaint_id = UUID(int=rng.getrandbits(128), version=4)
        at = AT + timedelta(days=rng.randrange(20))
        place = sorted(rng.sample(range(len(told)), 2))
        told.insert(place[1], (complaint_id, reply(complaint_id, at + timedelta(days=rng.randrange(1, 12)))))
        told.insert(place[0], (complaint_id, received(complaint_id, at)))
    places = sorted(rng.sample(range(len(told)), 2), reverse=True)
    for version, days, place in zip((3, 2), (60, 20), places, strict=True):
        holidays = [(AT + timedelta(days=rng.randrange(days))).date() for _ in range(5)]
        calendar = china(version, (AT + timedelta(days=days)).date(), *holidays)
        told.insert(place, (writing.policies, calendar_published(calendar, at=NOW)))
    regime = regime_published(house(2, general=3), (AT + timedelta(days=5)).date(), at=NOW)
    told.insert(0, (writing.policies, regime))
    writing.write(*told)
    catch_up(database, book, "timekeeper", batch=9)
    assert ahead(reader, book) == expected(reader, book)
    assert any("due_before_at" in each for each in ahead(reader, book).values()), "something was issued anew"
    assert compare(database, book, "timekeeper") == []
    forgetful = dataclasses.replace(timekeeper.PROJECTION, fold=lambda: timekeeper.TimekeeperFold(facts_max=0))
    with closing(database.connect(Role.PROJECTOR)) as projector:
        builder = Builder(projector, book, forgetful, "until_0")
        while builder.step(1):
            pass
    assert ahead(reader, book, builder.schema) == expected(reader, book)
