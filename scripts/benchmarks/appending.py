"""How fast events enter: ours against the limit of the server, against other event stores, and alone against itself."""

import os
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from measuring import Line, Side
from peers import PEERS, Peer
from place import Place
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from ledger.database.roles import Role
from ledger.event import Tier
from ledger.record.append import Appender, GroupCommit, NewDisclosure, NewEvent, Request

CALLERS = 64
STATE_BYTES = 800
NAME = "contact-noted"

INSERT_TABLE = """
CREATE TABLE single (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id uuid NOT NULL, version bigint NOT NULL,
    name text NOT NULL, state bytea NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (stream_id, version))
"""
INSERT = "INSERT INTO single (stream_id, version, name, state) VALUES (gen_random_uuid(), 1, 'contact-noted', decode(repeat('61', 800), 'hex'));"


def lines(place: Place) -> list[Line]:
    per_second = partial(Line, unit="events/s")
    peers = [
        per_second(
            "append",
            f"{peer.name}, {CALLERS} callers",
            prepare=partial(_against_peer, place, peer),
            at_least=peer.at_least,
            aim=peer.aim,
            rounds=None if peer.at_least else 2,
        )
        for peer in PEERS
    ]
    return [
        per_second(
            "append", f"single-row INSERT by pgbench, {CALLERS} clients", prepare=partial(_against_insert, place),
            at_least=0.5, aim=1.0,
        ),
        per_second(
            "append with a personal value", f"single-row INSERT by pgbench, {CALLERS} clients",
            prepare=partial(_against_insert, place, personal=True),
        ),
        *peers,
        Line(
            "append, one caller, p50", "single-row INSERT by pgbench, one client", "ms",
            partial(_latency, place), lower_is_better=True, at_least=0.4, aim=0.8,
        ),
        per_second(
            "append while an old snapshot is open", "append without it", prepare=partial(_old_snapshot, place),
            at_least=0.5, aim=0.9, rounds=1,
        ),
        per_second(
            "bulk append, 256 a call", "COPY into a table with the same indexes", prepare=partial(_bulk, place),
            at_least=0.15, aim=0.5,
        ),
    ]  # fmt: skip


def request(*, personal: bool = False) -> Request:
    """One event of 800 bytes in a stream of its own, perhaps with one value for the vault."""
    digest = secrets.token_urlsafe(32)
    state = digest.encode().ljust(STATE_BYTES, b"a")
    stream = uuid4()
    value = NewDisclosure(0, digest, uuid4(), "content", Tier.ORDINARY, os.urandom(160))
    return Request(
        events=[NewEvent(stream, 1, NAME, state)], stream_id=stream, version=1, disclosures=[value] if personal else []
    )


def appended_per_second(place: Place, book: str, callers: int, seconds: float, *, personal: bool = False) -> float:
    """Events per second that so many threads record, each waiting for its commit before its next."""
    per_second, _ = appended(place, book, callers, seconds, partial(request, personal=personal))
    return per_second


def appended(place: Place, book: str, callers: int, seconds: float, one: Callable[[], Request]) -> tuple[float, float]:
    """The same, of requests of one event that `one` makes; and the seconds in which 99 of 100 were stored."""
    with closing(GroupCommit(_appender(place, book))) as group:
        taken: list[list[float]] = [[] for _ in range(callers)]
        until = time.perf_counter() + seconds

        def call(number: int) -> None:
            while time.perf_counter() < until:
                made = one()
                began = time.perf_counter()
                group.append(made)
                taken[number].append(time.perf_counter() - began)

        began = time.perf_counter()
        _together(callers, call)
        passed = time.perf_counter() - began
    everything = sorted(each for own in taken for each in own)
    return len(everything) / passed, everything[int(len(everything) * 0.99)]


def _appender(place: Place, book: str) -> Appender:
    return Appender(lambda: place.database.connect(Role.APPLICATION, autocommit=True), book)


def _together(callers: int, call: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ours(place: Place, *, personal: bool = False) -> Side:
    book = place.new_book()
    appended_per_second(place, book, CALLERS, min(1.0, place.seconds), personal=personal)
    return lambda: appended_per_second(place, book, CALLERS, place.seconds, personal=personal)


@contextmanager
def _against_insert(place: Place, *, personal: bool = False) -> Iterator[tuple[Side, Side]]:
    with _insert_table(place) as database:
        yield _ours(place, personal=personal), lambda: _tps(place.pgbench(INSERT, database, CALLERS))


@contextmanager
def _insert_table(place: Place) -> Iterator[str]:
    with place.peer_database("single") as target:
        with closing(place.connect(target["dbname"])) as connection, connection.cursor() as cursor:
            cursor.execute(INSERT_TABLE)
        yield target["dbname"]


def _tps(printed: str) -> float:
    (line,) = [line for line in printed.splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])


@contextmanager
def _against_peer(place: Place, peer: Peer) -> Iterator[tuple[Side, Side]]:
    peer.install()
    with place.peer_database(peer.database) as target:
        theirs = peer.prepared(place, target, CALLERS)
        yield _ours(place), theirs


@contextmanager
def _latency(place: Place) -> Iterator[tuple[Side, Side]]:
    book = place.new_book()
    with _insert_table(place) as database, closing(GroupCommit(_appender(place, book))) as group:

        def ours() -> float:
            taken: list[float] = []
            until = time.perf_counter() + place.seconds
            while time.perf_counter() < until:
                one = request()
                began = time.perf_counter()
                group.append(one)
                taken.append(time.perf_counter() - began)
            return statistics.median(taken) * 1000

        def theirs() -> float:
            with tempfile.TemporaryDirectory() as folder:
                place.pgbench(INSERT, database, 1, "-l", f"--log-prefix={folder}/taken")
                (log,) = Path(folder).iterdir()
                return statistics.median(int(line.split()[2]) for line in log.read_text().splitlines()) / 1000

        yield ours, theirs


@contextmanager
def _old_snapshot(place: Place) -> Iterator[tuple[Side, Side]]:
    """An hour of appends cannot be waited for: the snapshot is held for as many appends as the time allows."""
    seconds = place.seconds if place.quick else 60.0
    book = place.new_book()

    def without() -> float:
        return appended_per_second(place, book, CALLERS, place.seconds)

    def while_open() -> float:
        with closing(place.database.connect(Role.AUDITOR)) as reader:
            reader.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
            with reader.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM ledger.book")
            appended_per_second(place, book, CALLERS, seconds)
            return appended_per_second(place, book, CALLERS, place.seconds)

    without()
    yield while_open, without


@contextmanager
def _bulk(place: Place) -> Iterator[tuple[Side, Side]]:
    book = place.new_book()
    events = 256 * (4 if place.quick else 40)

    def ours() -> float:
        with closing(_appender(place, book)) as appender:
            waiting = [request() for _ in range(events)]
            began = time.perf_counter()
            for _ in appender.append_all(waiting):
                pass
            return events / (time.perf_counter() - began)

    def theirs(connect: Callable[[], AbstractContextManager[object]]) -> float:
        with closing(connect()) as connection, connection.cursor() as cursor:  # type: ignore[type-var]  # what is opened can be closed
            rows = _Rows(events)
            began = time.perf_counter()
            cursor.copy_expert(
                "COPY copied (position, version, recorded_at, stream_id, book, name, state) FROM STDIN", rows
            )
            return events / (time.perf_counter() - began)

    with place.peer_database("copied") as target:
        connect = partial(place.connect, target["dbname"])
        with closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE copied (position bigint NOT NULL, version bigint NOT NULL, recorded_at timestamptz NOT NULL,"
                " stream_id uuid NOT NULL, book text NOT NULL, name text NOT NULL, state bytea NOT NULL,"
                " PRIMARY KEY (book, position, stream_id), UNIQUE (book, stream_id, version))"
            )
        ours()
        yield ours, lambda: theirs(connect)


class _Rows:
    """Rows for COPY to read: the columns of `ledger.event`."""

    def __init__(self, count: int) -> None:
        state = "\\\\x" + "61" * STATE_BYTES
        rows = (
            f"{n}\t1\t2026-01-01T00:00:00Z\t{UUID(int=secrets.randbits(128))}\tb\t{NAME}\t{state}\n"
            for n in range(count)
        )
        self._text = "".join(rows).encode()
        self._at = 0

    def read(self, size: int) -> bytes:
        piece = self._text[self._at : self._at + size]
        self._at += len(piece)
        return piece
