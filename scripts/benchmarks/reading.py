"""How fast the record is read again: decided on, folded into projections, verified, asked; and how fast files come in."""

import csv
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import crud
import orjson
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.projection import Projection, ProjectionRunner
from measuring import Line, Side
from place import Place
from psycopg2.extensions import connection as Connection

from api.command.cfpb import facts_or_rejected, read, text_of
from api.command.demo.complaints import year
from api.command.demo.drawn import Step
from api.command.demo.fill import SEED, decided
from api.command.demo.hours import OfficeHours
from api.command.importing import CfpbImport
from ledger.application import BulkRequest, Ledger
from ledger.complaint import rules
from ledger.complaint.commands import NoteContact, ReceiveComplaint
from ledger.complaint.moving import Unit
from ledger.database.roles import Role
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import Span
from ledger.deadlines.span import due
from ledger.given import Given
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.verifying import signed_checkpoints
from ledger.record.envelope import RecordedMapper
from ledger.record.verify import verify
from ledger.recorder import BookRecorder
from ledger.states import States
from projections import history, sla, worklist
from projections.machine import schema_of
from projections.rebuild import Rebuilt, rebuild_together
from projections.worker import catch_up

MAIN = (sla.PROJECTION, history.PROJECTION, worklist.PROJECTION)
VERIFIED_COMPLAINTS = 10_400
"""Some 200,000 events with 140,000 personal values."""
RUNNER_EVENTS = 300
"""The library's runner commits for each event: so many are enough to know its speed."""


def lines(place: Place, part: str) -> list[Line]:
    match part:
        case "load":
            against = "reading 20 rows with psycopg2"
            return [
                Line("load a complaint of 20 events and decide", against, "ms", partial(_load, place), True, 0.5, 0.8),
                Line("the same, its state not kept", against, "ms", partial(_load, place, cold=True), True),
            ]
        case "projections":
            return [
                Line(
                    "rebuild of the main projections",
                    "COPY out + orjson + COPY in of the same rows",
                    "events/s",
                    partial(_rebuild, place),
                    False,
                    0.3,
                    0.7,
                ),
                Line(
                    "rebuild of the main projections",
                    "the library's own projection runner",
                    "events/s",
                    partial(_runner, place),
                    False,
                    10,
                    50,
                    2,
                ),
            ]
        case "verify":
            return [
                Line(
                    "verify a whole book",
                    "COPY of the same rows to nowhere",
                    "events/s",
                    partial(_verify, place),
                    False,
                    0.25,
                    1.0,
                )
            ]
        case "questions":
            return [
                Line(
                    "SLA report",
                    "the same question over the CRUD table",
                    "ms",
                    partial(_question, place, "report"),
                    True,
                    1.0,
                    None,
                ),
                Line(
                    "worklist page",
                    "the same question over the CRUD table",
                    "ms",
                    partial(_question, place, "worklist"),
                    True,
                    1.0,
                    None,
                ),
                Line(
                    "one history",
                    "the same question over the CRUD table",
                    "ms",
                    partial(_question, place, "history"),
                    True,
                    1.0,
                    None,
                ),
            ]
        case "import":
            return [
                Line(
                    "import of CFPB rows",
                    "bulk append of the same events, made beforehand",
                    "rows/s",
                    partial(_import, place),
                    False,
                    0.5,
                    0.9,
                )
            ]
        case "deadlines":
            return [Line("one deadline of 10 working days", "the budget of 20 µs", "µs", _deadline, True, 1.0, None)]
        case _:
            raise AssertionError(part)  # fmt: skip


def filled(place: Place) -> str:
    """A book with a made-up year, made once; its projections are caught up."""
    if place.filled is None:
        book = place.new_book()
        with place.ledger(book) as ledger:
            _fill(ledger, 200 if place.quick else 2_600)
        for projection in MAIN:
            catch_up(place.database, book, projection.name)
        with closing(place.connect("ledger")) as superuser, superuser.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        place.filled = book
    return place.filled


def _fill(ledger: Ledger, complaints: int) -> None:
    hours = OfficeHours(built_in_calendars()["china"])
    end = built_in_calendars()["china"].day_begins_at(date(2026, 11, 1))
    for _, answer in ledger.record_in_bulk(map(_story, year(SEED, end, complaints, hours))):
        assert not isinstance(answer, Exception), answer


def stories(complaints: int, seed: int = SEED) -> Iterator[BulkRequest]:
    """The complaints of a made-up year, each with all its events."""
    hours = OfficeHours(built_in_calendars()["china"])
    end = built_in_calendars()["china"].day_begins_at(date(2026, 11, 1))
    return map(_story, year(seed, end, complaints, hours))


def _story(story: Sequence[Step]) -> BulkRequest:
    first = story[0].command
    return BulkRequest(first.complaint_id, decided(list(story)), "bench", f"bench:{uuid4()}", b"", "make-up-complaint")  # type: ignore[attr-defined]  # a story begins with a receipt


def _asking(place: Place) -> Connection:
    return place.database.connect(Role.APPLICATION, autocommit=True)


def _repeated(place: Place, once: Callable[[], object]) -> float:
    """Milliseconds, the median of as many runs as the time allows."""
    taken: list[float] = []
    until = time.perf_counter() + place.seconds
    while not taken or time.perf_counter() < until:
        began = time.perf_counter()
        once()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2] * 1000


@contextmanager
def _load(place: Place, *, cold: bool = False) -> Iterator[tuple[Side, Side]]:
    book, complaint_id = place.new_book(), uuid4()
    at = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
    with place.ledger(book) as ledger, closing(_asking(place)) as connection:
        ledger.handle(
            ReceiveComplaint(
                complaint_id=complaint_id, customer_id=uuid4(), received_at=at, received_by="li.wei", channel="phone"
            ),
            principal="bench",
        )
        contact = NoteContact(
            complaint_id=complaint_id,
            channel="phone",
            direction="inbound",
            content="客户来电催办。",
            noted_by="li.wei",
            occurred_at=at,
        )
        for n in range(19):
            ledger.handle(contact.model_copy(update={"occurred_at": at + timedelta(minutes=n)}), principal="bench")

        tables = ledger.tables()

        def load_and_decide() -> None:
            if cold:
                ledger._states = States()  # noqa: SLF001 - the measurement lets go of what would be kept
            complaint, version = ledger.state("complaint", complaint_id)
            assert version == 20
            assert rules.decide(
                complaint, contact.model_copy(update={"content": "又来电。"}), Given(datetime.now(UTC), tables)
            )

        def read_rows() -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT position, version, name, state, recorded_at FROM ledger.event WHERE book = %s AND stream_id = %s ORDER BY version",
                    (book, str(complaint_id)),
                )
                assert len(cursor.fetchall()) == 20

        load_and_decide()
        yield partial(_repeated, place, load_and_decide), partial(_repeated, place, read_rows)


@contextmanager
def _rebuild(place: Place) -> Iterator[tuple[Side, Side]]:
    book = filled(place)

    def ours() -> float:
        began = time.perf_counter()
        for rebuilt in rebuild_together(place.database, book, [projection.name for projection in MAIN]):
            assert isinstance(rebuilt, Rebuilt), rebuilt
        return rebuilt.position / (time.perf_counter() - began)

    tables = [(schema_of(book, projection.name), table) for projection in MAIN for table in projection.tables]
    with closing(place.connect("ledger")) as superuser, superuser.cursor() as cursor:

        def theirs() -> float:
            began = time.perf_counter()
            events = _Parsed()
            cursor.copy_expert(
                f"COPY (SELECT convert_from(state, 'UTF8') FROM ledger.event WHERE book = '{book}' ORDER BY position) TO STDOUT",
                events,
            )
            for schema, table in tables:
                rows = _Kept()
                cursor.copy_expert(f'COPY "{schema}"."{table}" TO STDOUT', rows)
                cursor.execute(f'CREATE TEMPORARY TABLE copied (LIKE "{schema}"."{table}" INCLUDING ALL)')
                cursor.copy_expert("COPY copied FROM STDIN", rows.again())
                cursor.execute("DROP TABLE copied")
            return events.rows / (time.perf_counter() - began)

        yield ours, theirs


class _Parsed:
    """Takes lines of COPY and parses each as JSON."""

    def __init__(self) -> None:
        self.rows = 0
        self._left = b""

    def write(self, piece: bytes) -> int:
        *whole, self._left = (self._left + piece).split(b"\n")
        for line in whole:
            orjson.loads(line.replace(b"\\\\", b"\\"))
            self.rows += 1
        return len(piece)


class _Kept:
    """Takes rows of COPY and gives them back."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._at = 0

    def write(self, piece: bytes) -> int:
        self._text += piece
        return len(piece)

    def again(self) -> "_Kept":
        self._at = 0
        return self

    def read(self, size: int) -> bytes:
        piece = bytes(self._text[self._at : self._at + size])
        self._at += len(piece)
        return piece


class _Nowhere:
    """Takes what COPY gives and lets it go."""

    def write(self, piece: bytes) -> int:
        return len(piece)


class Book(Application[UUID]):
    """A book as the library's runner follows it."""

    name = "book"

    def construct_mapper(self) -> Mapper[UUID]:
        return self.factory.mapper(transcoder=self.construct_transcoder(), mapper_class=RecordedMapper)


class View(BookRecorder):
    """What the library's projection writes to: its tracking, one commit an event."""


class Followed(Projection[View]):
    """The least that a projection of the library does with each event."""

    name = "followed"

    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        assert domain_event is not None
        self.view.insert_tracking(tracking)


@contextmanager
def _runner(place: Place) -> Iterator[tuple[Side, Side]]:
    with _rebuild(place) as (ours, _):

        def theirs() -> float:
            env = {
                "PERSISTENCE_MODULE": "ledger.recorder",
                "LEDGER_DATABASE_URL": place.database.dsn(Role.APPLICATION),
                "BOOK_LEDGER_BOOK": filled(place),
                "FOLLOWED_LEDGER_BOOK": place.new_book(),
            }
            began = time.perf_counter()
            with ProjectionRunner(
                application_class=Book, projection_class=Followed, view_class=View, env=env
            ) as runner:
                runner.wait(RUNNER_EVENTS, timeout=120)
                return RUNNER_EVENTS / (time.perf_counter() - began)

        yield ours, theirs


@contextmanager
def _verify(place: Place) -> Iterator[tuple[Side, Side]]:
    """A book of its own that is large enough for processes to pay; tiles and a checkpoint are there, as in use."""
    book = place.new_book()
    with place.ledger(book) as ledger:
        _fill(ledger, VERIFIED_COMPLAINTS // 20 if place.quick else VERIFIED_COMPLAINTS)
        Checkpoints(ledger, place.database, place.settings.signing_key).make()
    place.checkpoint()
    with closing(place.connect("ledger")) as superuser, superuser.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger.event WHERE book = %s", (book,))
        (events,) = cursor.fetchone() or (0,)

        def ours() -> float:
            began = time.perf_counter()
            found = verify(place.database, book, processes=os.cpu_count() or 1, signed=signed_checkpoints())
            assert (found.ok, found.checkpoints) == (True, 1)
            return float(events / (time.perf_counter() - began))

        def theirs() -> float:
            began = time.perf_counter()
            cursor.copy_expert(
                f"COPY (SELECT * FROM ledger.event WHERE book = '{book}') TO STDOUT (FORMAT binary)", _Nowhere()
            )
            return float(events / (time.perf_counter() - began))

        yield ours, theirs


@contextmanager
def _question(place: Place, what: str) -> Iterator[tuple[Side, Side]]:
    book = filled(place)
    now = datetime(2026, 10, 31, 12, 0, tzinfo=UTC)
    with crud.filled(place, book) as (connection, shown), closing(_asking(place)) as asking:

        def theirs() -> None:
            with connection.cursor() as cursor:
                cursor.execute(crud.QUESTIONS[what], {"now": now, "complaint_id": str(shown), "rows_max": 50})
                assert cursor.fetchall()

        asked: dict[str, Callable[[], object]] = {
            "report": lambda: sla.report(asking, book, now=now),
            "worklist": lambda: worklist.page(asking, book, rows_max=50),
            "history": lambda: history.of(asking, book, shown),
        }
        yield partial(_repeated, place, asked[what]), partial(_repeated, place, theirs)


HEADER = [
    "Date received",
    "Product",
    "Sub-product",
    "Issue",
    "Sub-issue",
    "Consumer complaint narrative",
    "Company public response",
    "Company",
    "State",
    "ZIP code",
    "Tags",
    "Consumer consent provided?",
    "Submitted via",
    "Date sent to company",
    "Company response to consumer",
    "Timely response?",
    "Consumer disputed?",
    "Complaint ID",
]

ROW = (  # noqa: SIM905 - a line as the publication has it
    "01/15/2016,Credit card,,Billing disputes,,,,Bank,NY,100XX,,N/A,Web,01/20/2016,Closed with explanation,Yes,No"
).split(",")


@contextmanager
def _import(place: Place) -> Iterator[tuple[Side, Side]]:
    rows = 300 if place.quick else 5_000
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"

        def ours() -> float:
            write_rows(file, rows)
            with place.ledger(place.new_book()) as ledger:
                doing = CfpbImport(ledger, place.keys, built_in_calendars()["us"], date(2026, 11, 1), lambda _: None)
                began = time.perf_counter()
                doing.file(file, lambda *_: None)
                assert doing.report.recorded == rows
                return rows / (time.perf_counter() - began)

        def theirs() -> float:
            write_rows(file, rows)
            with file.open("rb") as raw, text_of(raw) as text:
                stated = list(read(text, date(2026, 11, 1)))
            requests = [_bulk(row) for row in stated]
            with place.ledger(place.new_book()) as ledger:
                began = time.perf_counter()
                _all_recorded(ledger, requests)
                return rows / (time.perf_counter() - began)

        yield ours, theirs


def _bulk(row: object) -> BulkRequest:
    events = facts_or_rejected(row, uuid4(), built_in_calendars()["us"])  # type: ignore[arg-type]  # a good row
    return BulkRequest(uuid4(), events, "bench", f"bench:{uuid4()}", b"", "import-complaint")  # type: ignore[arg-type]  # as above


def _all_recorded(ledger: Ledger, requests: list[BulkRequest]) -> None:
    for _, answer in ledger.record_in_bulk(requests):
        assert not isinstance(answer, Exception), answer


def write_rows(file: Path, rows: int, first: int = 1_000_000) -> None:
    """A file of the CFPB's form with so many good rows, of complaints that are counted from `first`."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER)
        for n in range(rows):
            writer.writerow([*ROW, str(first + n)])


@contextmanager
def _deadline() -> Iterator[tuple[Side, Side]]:
    calendar, span = built_in_calendars()["china"], Span(amount=10, unit=Unit.WORKING_DAYS)
    starts = [datetime(2025, 1, 1, 4, 0, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(1_000)]

    def ours() -> float:
        began = time.perf_counter()
        for at in starts:
            due(span, at, calendar, ())
        return (time.perf_counter() - began) / len(starts) * 1e6

    ours()
    yield ours, lambda: 20.0
