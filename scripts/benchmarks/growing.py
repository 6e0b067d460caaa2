"""How costs grow with the book: the same figures at ten thousand, a million and ten million events."""

import os
import resource
import statistics
import sys
import time
from contextlib import closing
from itertools import islice
from uuid import uuid4

import appending
from place import Place

from ledger.database.roles import Role
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.reading import stream_events

SIZES = (10_000, 1_000_000, 10_000_000)
QUICK_SIZES = (2_000, 10_000)
EVENTS_A_STREAM = 13
FREE_BYTES_MIN = 20 * 2**30


def measured(place: Place) -> list[dict[str, object]]:
    """One book that grows; at each size what an append, a history, and a call cost there. Tells what it leaves out."""
    book = place.new_book()
    sizes = QUICK_SIZES if place.quick else tuple(size for size in SIZES if size <= _size_max(place))
    found: list[dict[str, object]] = []
    size = 0
    for goal in sizes:
        bulk = _grow(place, book, size, goal)
        size = goal
        place.checkpoint()
        found.append({"events": goal, "bulk_events_per_second": bulk, **_figures(place, book)})
        print(found[-1], file=sys.stderr)
    return found


def _size_max(place: Place) -> int:
    """LEDGER_BENCH_EVENTS_MAX, or a million where the disk would be filled by more."""
    free = os.statvfs(place.settings.data)
    roomy = free.f_bavail * free.f_frsize > FREE_BYTES_MIN
    return int(os.environ.get("LEDGER_BENCH_EVENTS_MAX", SIZES[-1] if roomy else SIZES[-2]))


def _grow(place: Place, book: str, size: int, goal: int) -> float:
    def requests() -> object:
        while True:
            stream = uuid4()
            events = [
                NewEvent(stream, n + 1, appending.NAME, os.urandom(100).hex().encode() * 4)
                for n in range(EVENTS_A_STREAM)
            ]
            yield Request(events=events, stream_id=stream, version=EVENTS_A_STREAM)

    began = time.perf_counter()
    with closing(Appender(lambda: place.database.connect(Role.APPLICATION, autocommit=True), book)) as appender:
        for done, _ in enumerate(appender.append_all(islice(requests(), (goal - size) // EVENTS_A_STREAM)), 1):  # type: ignore[call-overload]  # an endless iterator of requests
            if done % 10_000 == 0 and sys.stderr.isatty():
                print(f"growing: {size + done * EVENTS_A_STREAM:,} of {goal:,}", file=sys.stderr)
    return (goal - size) / (time.perf_counter() - began)


def _figures(place: Place, book: str) -> dict[str, object]:
    per_second = statistics.median(
        appending.appended_per_second(place, book, appending.CALLERS, place.seconds) for _ in range(3)
    )
    with (
        closing(place.database.connect(Role.APPLICATION, autocommit=True)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT stream_id FROM ledger.stream WHERE book = %s ORDER BY stream_id LIMIT 500", (book,))
        streams = [row[0] for row in cursor.fetchall()]
        taken = []
        for stream in streams:
            began = time.perf_counter()
            stream_events(connection, book, stream)
            taken.append(time.perf_counter() - began)
        cursor.execute("SELECT pg_database_size(current_database())")
        (size_bytes,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT size FROM ledger.head WHERE book = %s ORDER BY size DESC LIMIT 1", (book,))
        (events,) = cursor.fetchone() or (1,)
    return {
        "append_events_per_second": per_second,
        "one_stream_ms": statistics.median(taken) * 1000,
        "bytes_per_event": size_bytes / events,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
