"""The timekeeper at work: each warning and each miss once, whatever crashes, restarts or runs twice."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from api.timekeeper import keep_time, timekeeper_of
from ledger.application import Ledger
from ledger.complaint.commands import ReceiveComplaint, SendFirstReply
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.state import effective
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.clock import runs
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, events_after, head
from ledger.settings import Settings
from ledger.timekeeping.events import DeadlineApproaching, DeadlineMissed, TimekeeperEvent
from ledger.timekeeping.owed import owed
from ledger.vault.keys import SubjectKeys
from projections import history, timekeeper
from projections.rebuild import compare
from projections.worker import Worker, catch_up
from tests.projections.stories import first_reply, interleaved, received, record, reply, shanghai

HOUR = timedelta(hours=1)
AT = datetime.now(UTC).replace(microsecond=0) + timedelta(days=100)
"""Ahead of now, so that the book knows of a clock before its warnings come."""
REPLY_DUE = AT + 24 * HOUR
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as keys:
        yield keys


@pytest.fixture
def ledger(database: Database, book: str, keys: SubjectKeys) -> Iterator[Ledger]:
    with closing(Ledger(database, book, keys)) as ledger:
        yield ledger


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


class Book:
    """A book in which time passes as the test says."""

    def __init__(self, ledger: Ledger, database: Database, reader: Connection) -> None:
        self.ledger, self.database, self.reader = ledger, database, reader

    def at(self, now: datetime | None = None) -> Counter[str]:
        """What is recorded when somebody looks at that moment."""
        found: Counter[str] = Counter()
        for kept in keep_time(self.ledger, self.database, self.reader, now):
            found += kept.recorded
        return found

    def facts(self) -> list[tuple[StoredRow, TimekeeperEvent]]:
        """Everything that the timekeeper has recorded, in order."""
        rows = events_after(self.reader, self.ledger.book, 0, 20_000)
        told = [(row, opened(row).event) for row in rows]
        return [(row, event) for row, event in told if isinstance(event, TimekeeperEvent)]


@pytest.fixture
def kept(ledger: Ledger, database: Database, reader: Connection) -> Book:
    return Book(ledger, database, reader)


def holds(kept: Book, now: datetime) -> None:
    """Each fact was owed by what was known where it says, and stands once; what is owed by now is recorded.

    The complaints of the stories lie in the past: their warnings were over before the book could know of them.
    """
    known: dict[UUID, list[tuple[int, ComplaintEvent]]] = {}
    recorded: list[tuple[StoredRow, TimekeeperEvent]] = []
    for row in events_after(kept.reader, kept.ledger.book, 0, 20_000):
        event = opened(row).event
        if isinstance(event, ComplaintEvent):
            known.setdefault(row.stream_id, []).append((row.position, event))
        elif isinstance(event, TimekeeperEvent):
            recorded.append((row, event))

    def owing(complaint_id: UUID, position: int) -> dict[UUID, TimekeeperEvent]:
        events = [event for at, event in known[complaint_id] if at <= position]
        found = owed(complaint_id, runs(effective(events)), now)
        return {each.stream_id: each.event for each in found if isinstance(each.event, DeadlineMissed)}

    for row, event in recorded:
        assert event.known_at_position is not None
        assert event.known_at_position < row.position
        said = event.model_copy(update={"known_at_position": None})
        assert said == owing(event.complaint_id, event.known_at_position)[row.stream_id]
    streams = Counter(row.stream_id for row, _ in recorded)
    assert set(streams.values()) == {1}, "each once"
    due = {stream_id for complaint_id in known for stream_id in owing(complaint_id, 10**9)}
    assert due <= set(streams), "and none is missing"


def test_each_comes_at_its_time_and_once(kept: Book, database: Database, book: str) -> None:
    complaint_id = uuid4()
    record(database, book, [(complaint_id, received(complaint_id, AT))])
    assert kept.at() == {}, "nothing has passed yet, by the database's own clock"
    assert kept.at(REPLY_DUE - 5 * HOUR) == {}
    assert kept.at(REPLY_DUE - 3 * HOUR) == {"deadline-approaching": 1}
    assert kept.at(REPLY_DUE) == {}, "the last instant is in time"
    assert kept.at(REPLY_DUE + INSTANT) == {"deadline-missed": 1}
    assert kept.at(REPLY_DUE + INSTANT) == {}
    assert kept.at(AT + timedelta(days=60)) == {"deadline-approaching": 1, "deadline-missed": 1}
    (_, warned), (row, missed), *_ = kept.facts()
    assert isinstance(warned, DeadlineApproaching)
    assert isinstance(missed, DeadlineMissed)
    assert (missed.complaint_id, missed.clock, missed.due_at) == (complaint_id, "first-reply", REPLY_DUE)
    assert (row.position, missed.known_at_position) == (3, 2)
    assert timekeeper.next_at(kept.reader, book) is None
    assert compare(database, book, "timekeeper") == []


def test_an_answer_in_time_leaves_nothing_to_say(kept: Book, database: Database, book: str) -> None:
    complaint_id = uuid4()
    known = record(database, book, [(complaint_id, received(complaint_id, AT))])
    assert kept.at(AT) == {}
    assert timekeeper.next_at(kept.reader, book) == REPLY_DUE - 4 * HOUR
    record(database, book, [(complaint_id, first_reply(complaint_id, AT + HOUR))], known)
    record(database, book, [(complaint_id, reply(complaint_id, AT + HOUR))], known)
    assert kept.at(AT + timedelta(days=60)) == {}


def test_an_answer_that_the_index_has_not_seen_yet_is_not_overlooked(kept: Book, database: Database, book: str) -> None:
    """It is recorded just before the timekeeper looks, and nobody has brought the index forward."""
    complaint_id = uuid4()
    known = record(database, book, [(complaint_id, received(complaint_id, AT))])
    catch_up(database, book, "timekeeper")
    record(database, book, [(complaint_id, first_reply(complaint_id, AT + 2 * HOUR))], known)
    assert kept.at(REPLY_DUE + INSTANT) == {}


def test_what_is_recorded_late_takes_nothing_back(kept: Book, database: Database, book: str) -> None:
    complaint_id = uuid4()
    known = record(database, book, [(complaint_id, received(complaint_id, AT))])
    kept.at(REPLY_DUE + INSTANT)
    record(database, book, [(complaint_id, first_reply(complaint_id, AT + HOUR))], known)
    assert kept.at(REPLY_DUE + HOUR) == {}
    assert [type(event) for _, event in kept.facts()] == [DeadlineApproaching, DeadlineMissed]
    assert compare(database, book, "timekeeper") == []


def test_a_warning_that_nobody_could_have_had_is_not_given(kept: Book, database: Database, book: str) -> None:
    """A letter that is found in a drawer after a month: its misses are facts, its warnings would be none."""
    complaint_id = uuid4()
    record(database, book, [(complaint_id, received(complaint_id, shanghai("2025-09-26T10:00")))])
    assert kept.at() == {"deadline-missed": 2}


def test_no_handler_meets_it(kept: Book, ledger: Ledger) -> None:
    """What the timekeeper says is in no complaint's stream: whoever read a version still has the last one."""
    complaint_id, now = uuid4(), datetime.now(UTC)
    receipt = ledger.handle(
        ReceiveComplaint(
            complaint_id=complaint_id,
            customer_id=uuid4(),
            received_at=now - 30 * HOUR,
            received_by="li.wei",
            channel="phone",
            content="转账失败，款项未退回。",
        ),
        principal="li.wei",
    )
    assert kept.at(now)["deadline-missed"] == 1
    late = SendFirstReply(complaint_id=complaint_id, channel="phone", sent_by="li.wei", sent_at=now)
    assert ledger.handle(late, principal="li.wei", expected_version=receipt.version).version == receipt.version + 1


def test_the_history_of_a_complaint_tells_it(kept: Book, database: Database, book: str) -> None:
    complaint_id = uuid4()
    known = record(database, book, [(complaint_id, received(complaint_id, AT))])
    kept.at(REPLY_DUE + INSTANT)
    record(database, book, [(complaint_id, first_reply(complaint_id, REPLY_DUE + HOUR))], known)
    catch_up(database, book, "history")
    lines = history.of(kept.reader, book, complaint_id).lines
    assert [(line.version, line.position, line.name) for line in lines] == [
        (1, 1, "complaint-received"),
        (None, 2, "deadline-approaching"),
        (None, 3, "deadline-missed"),
        (2, 4, "first-reply-sent"),
    ]
    assert [line.happened_at for line in lines[1:3]] == [REPLY_DUE - 4 * HOUR, REPLY_DUE + INSTANT]
    assert {line.recorded_by for line in lines[1:3]} == {"timekeeper"}
    first = history.of(kept.reader, book, complaint_id, rows_max=2)
    second = history.of(kept.reader, book, complaint_id, rows_max=2, cursor=first.next_cursor)
    assert (*first.lines, *second.lines) == lines
    assert [line.name for line in history.of(kept.reader, book, complaint_id, as_of=2).lines][
        -1
    ] == "deadline-approaching"
    assert compare(database, book, "history") == []


def test_four_who_look_at_once_record_it_once(kept: Book, database: Database, book: str, ledger: Ledger) -> None:
    told = interleaved(seed=41, complaints=60)
    record(database, book, told)
    barrier = threading.Barrier(4)
    failed: list[Exception] = []

    def look() -> None:
        with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
            barrier.wait()
            try:
                for _ in keep_time(ledger, database, connection):
                    pass
            except Exception as error:  # a thread that a test joins: the error is looked at there
                failed.append(error)
                raise

    looking = [threading.Thread(target=look) for _ in range(4)]
    for each in looking:
        each.start()
    for each in looking:
        each.join()
    assert not failed
    holds(kept, datetime.now(UTC))


def test_a_standby_takes_over(kept: Book, database: Database, book: str, ledger: Ledger) -> None:
    told = interleaved(seed=43, complaints=30)
    first, standby = (timekeeper_of(ledger, database, idle_seconds=0.02) for _ in range(2))
    first.start()
    known = record(database, book, told[:100])
    _until_quiet(kept, book)
    standby.start()
    first.stop()
    with Worker(database, book, ["timekeeper"]):  # beside the index's own worker, as in a server
        record(database, book, told[100:], known)
        _until_quiet(kept, book)
    standby.stop()
    assert kept.at() == {}
    holds(kept, datetime.now(UTC))


def _until_quiet(kept: Book, book: str) -> None:
    """Waits until the index has seen everything and nothing is owed."""
    end = time.monotonic() + 30
    while True:
        catch_up(kept.database, book, "timekeeper")
        if not timekeeper.due(kept.reader, book).owed:
            return
        assert time.monotonic() < end
        time.sleep(0.05)


KILLED = """
import os, signal, sys, time
from contextlib import closing
from pathlib import Path
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import open_database
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from api.timekeeper import keep_time, timekeeper_of

data, binaries, book, keys = sys.argv[1:]

def keep():
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    settings = Settings(data=Path(data), server_binaries=Path(binaries) if binaries else None)
    with open_database(settings) as database, closing(SubjectKeys.open(Path(keys))) as subject_keys:
        with closing(Ledger(database, book, subject_keys)) as ledger:
            os.write(ready, b"r")
            with timekeeper_of(ledger, database, idle_seconds=0.01):
                time.sleep(600)

for line in sys.stdin:
    children = []
    reading, ready = os.pipe()
    for _ in range(2):
        child = os.fork()
        if child == 0:
            keep()
            os._exit(0)
        children.append(child)
    for _ in children:
        os.read(reading, 1)
    time.sleep(float(line))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.close(reading)
    os.close(ready)
    print("killed", flush=True)
"""


@pytest.mark.parametrize("rounds", [6, pytest.param(200, marks=pytest.mark.long)])
def test_killed_at_any_moment_and_started_twice_it_records_each_once(
    kept: Book, database: Database, settings: Settings, book: str, tmp_path: Path, rounds: int
) -> None:
    rng = random.Random(2027)
    told = interleaved(seed=47, complaints=rounds * 6)
    known: Counter[UUID] = Counter()
    share = -(-len(told) // rounds)
    words = [str(settings.data), str(settings.server_binaries or ""), book, str(tmp_path / "keys")]
    kills = subprocess.Popen(
        [sys.executable, "-c", KILLED, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert kills.stdin is not None
    assert kills.stdout is not None
    number, facts, seconds_max = 0, 0, 0.5
    try:
        while number < rounds or not facts:
            kills.stdin.write(f"{rng.uniform(0, seconds_max)}\n")
            kills.stdin.flush()
            record(database, book, told[number * share : (number + 1) * share], known)
            assert kills.stdout.readline() == "killed\n"
            number += 1
            before, facts = facts, head(kept.reader, book).size - min(number * share, len(told))
            # where a machine is so slow that nobody gets anything done, they live longer
            seconds_max = 0.5 if facts > before else min(seconds_max * 1.5, 30)
    finally:
        kills.communicate(timeout=60)
    print(f"{number} rounds of two, {facts} facts recorded by those who were killed")
    kept.at()
    holds(kept, datetime.now(UTC))
    assert compare(database, book, "timekeeper") == []
    assert head(kept.reader, book).size == len(told) + len(kept.facts())
