"""How costs grow with the book: the same figures at ten thousand, a million and ten million events."""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import appending
import reading
from place import Place

from ledger.complaint.events import ComplaintReceived
from ledger.database.roles import Role
from ledger.ids import new_id
from ledger.names import NAME_OF
from ledger.proof.asking import prove
from ledger.proof.checkpoints import Checkpoints
from ledger.record.append import Appender, GroupCommit, NewEvent, Request
from ledger.record.book import create_book
from ledger.record.envelope import Recorded
from ledger.record.reading import head
from projections import history, sla, worklist
from projections.worker import catch_up

T = TypeVar("T")

CHECKOUT = Path(__file__).resolve().parents[2]
SIZES = (10_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1_000,)
FREE_BYTES_MIN = 30 * 2**30
BOOK = "growing"
ASKED = 200
"""How often each question is asked, of other complaints and positions each time."""
PAGE_ROWS = 10
"""So few that the smallest book has them."""
IMPORTED_ROWS = 3_000
TELLS_MEMORY = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))))
from api.command.main import run
run()
"""
"""A command that says at its end what it held; what `getrusage` says of a process begins with its parent's memory."""
EVENTS_A_COMPLAINT = 18
"""What a made-up year has on average."""


def measured(place: Place) -> list[dict[str, object]]:
    """One book that grows by the stories of complaints; at each size what it costs there. Tells how far it is."""
    with closing(place.database.connect(Role.OWNER)) as owner:
        create_book(owner, BOOK)
    found: list[dict[str, object]] = []
    size = 0
    for seed, goal in enumerate(QUICK_SIZES if place.quick else _sizes(place), 1):
        grown = _grown(place, goal - size, seed)
        size = goal
        found.append({"events": goal, **grown, **_figures(place), **_memory(place, seed)})
        print(found[-1], file=sys.stderr)
    return found


def _sizes(place: Place) -> list[int]:
    """Up to LEDGER_BENCH_EVENTS_MAX, which is the last of them; or to a million, where more would fill the disk."""
    free = os.statvfs(place.settings.data)
    roomy = free.f_bavail * free.f_frsize > FREE_BYTES_MIN
    largest = int(os.environ.get("LEDGER_BENCH_EVENTS_MAX", SIZES[-1] if roomy else SIZES[-2]))
    return sorted({*(size for size in SIZES if size < largest), largest})


def _grown(place: Place, events: int, seed: int) -> dict[str, object]:
    """Records the stories of complaints, about so many events, and brings the projections up; each in events a second.

    And what each of these events takes on disk, with its values, indexes and projections.
    """
    complaints = events // EVENTS_A_COMPLAINT
    before = _settled(place)
    began = time.perf_counter()
    done = 0
    with place.ledger(BOOK) as ledger:
        for number, (request, answer) in enumerate(ledger.record_in_bulk(reading.stories(complaints, seed)), 1):
            assert not isinstance(answer, Exception), answer
            done += len(request.events)
            if number % 5_000 == 0:
                print(f"growing: {done:,} of about {events:,} events", file=sys.stderr)
    recorded = time.perf_counter()
    with closing(place.database.connect(Role.APPLICATION, autocommit=True)) as connection:
        size = head(connection, BOOK).size
    for projection in reading.MAIN:
        catch_up(place.database, BOOK, projection.name)
        print(f"growing: {projection.name} stands at {size:,}", file=sys.stderr)
    caught_up = time.perf_counter()
    return {
        "bulk_events_per_second": done / (recorded - began),
        "catch_up_events_per_second": done * len(reading.MAIN) / (caught_up - recorded),
        "bytes_per_event": (_settled(place) - before) / done,
    }


def _settled(place: Place) -> int:
    """Brings the server to rest; the bytes of its database, which holds the books of other parts of a run too."""
    with closing(place.connect("ledger")) as superuser, superuser.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        place.checkpoint()
        cursor.execute("SELECT pg_database_size(current_database())")
        (size_bytes,) = cursor.fetchone() or (0,)
    return int(size_bytes)


def _figures(place: Place) -> dict[str, object]:
    rng = random.Random(1)
    with (
        closing(place.database.connect(Role.APPLICATION, autocommit=True)) as connection,
        connection.cursor() as cursor,
        place.ledger(BOOK) as ledger,
    ):
        size = head(connection, BOOK).size
        positions = [rng.randint(1, size) for _ in range(ASKED)]
        cursor.execute("SELECT stream_id FROM ledger.event WHERE book = %s AND position = ANY (%s)", (BOOK, positions))
        complaints = [row[0] for row in cursor.fetchall()]
        checkpoints = Checkpoints(ledger, place.database)
        checkpoints.make()
        figures: dict[str, object] = {
            "one_history_ms": _median(complaints, lambda each: history.of(connection, BOOK, each)),
            "worklist_page_ms": _median(positions, lambda _: worklist.page(connection, BOOK, rows_max=PAGE_ROWS)),
            "proof_ms": _median(positions, lambda each: prove(connection, BOOK, each)),
        }
        group = GroupCommit(Appender(lambda: place.database.connect(Role.APPLICATION, autocommit=True), BOOK))
        with closing(group):

            def checkpoint(_: object) -> None:
                group.append(_receipt())
                checkpoints.make()

            figures["checkpoint_ms"] = _median(range(5 if place.quick else 20), checkpoint)
    rounds = [
        appending.appended(place, BOOK, appending.CALLERS, place.seconds, _receipt)
        for _ in range(1 if place.quick else 3)
    ]
    return {
        **figures,
        "append_events_per_second": statistics.median(per_second for per_second, _ in rounds),
        "append_p99_ms": statistics.median(p99 for _, p99 in rounds) * 1000,
    }


def _receipt() -> Request:
    """A new complaint: an event that the projections take, in a stream of its own."""
    stream_id = new_id()
    at = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
    event = ComplaintReceived(customer_id=new_id(), received_at=at, received_by="li.wei", channel="phone")
    state = Recorded(stream_id, 1, event, "bench", "receive-complaint").state()
    return Request([NewEvent(stream_id, 1, NAME_OF[ComplaintReceived], state)], stream_id=stream_id, version=1)


def _median(over: Iterable[T], once: Callable[[T], object]) -> float:
    """Milliseconds."""
    taken = []
    for each in over:
        began = time.perf_counter()
        once(each)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _memory(place: Place, seed: int) -> dict[str, object]:
    """The most MiB that a command held, each in a process of its own as an operator runs it."""
    rows = 100 if place.quick else IMPORTED_ROWS
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        reading.write_rows(file, rows, 1_000_000 * seed)
        commands = {
            "verify": ["verify"],
            "rebuild": ["projections", "rebuild", sla.PROJECTION.name],
            "import": ["import", "cfpb", str(file)],
        }
        return {f"{name}_mib": _most_held(place, command) for name, command in commands.items()}


def _most_held(place: Place, command: list[str]) -> float:
    place_of_it = ["--book", BOOK, "--data", str(place.settings.data)]
    done = subprocess.run(
        [sys.executable, "-c", TELLS_MEMORY, *command, *place_of_it],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("VmHWM:")]
    return int(told.split()[1]) / 1024
