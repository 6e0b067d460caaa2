"""What is asked of the projections: as of any position, and held against a fold of the events that shares no row with them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import (
    ComplaintClosed,
    ComplaintEvent,
    ComplaintReceived,
    ComplaintReopened,
    ComplaintWithdrawn,
    OutcomeStated,
)
from ledger.complaint.moving import ComplaintMerged, ComplaintRuledOut
from ledger.complaint.state import effective
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.clock import clocks, verdict
from ledger.record.envelope import opened
from ledger.record.reading import events_after, stream_events
from projections import history, sla, worklist
from projections.asking import BadCursor
from projections.catalogue import PROJECTIONS
from projections.machine import Builder
from projections.worker import catch_up
from tests.projections.stories import (
    WORDS,
    Told,
    about,
    annulled,
    corrected,
    first_reply,
    interleaved,
    received,
    record,
    reply,
    shanghai,
)

NOW = shanghai("2025-10-20T12:00")


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def tell(database: Database, book: str) -> Callable[..., int]:
    """Records events and catches all projections up; returns the last position."""
    known: Counter[UUID] = Counter()

    def record_and_catch_up(*told: Told) -> int:
        record(database, book, told, known)
        positions = {catch_up(database, book, name) for name in PROJECTIONS}
        (position,) = positions
        return position

    return record_and_catch_up


def counted(report: sla.Report) -> dict[str, Counter[str]]:
    """The counts of a report by clock, zeros left out."""
    lines = {each.clock: Counter({name: getattr(each, name) for name in VERDICTS}) for each in report.lines}
    return {clock: +counts for clock, counts in lines.items()}


VERDICTS = ("met", "missed", "running", "unknown", "void", "lapsed")


def is_open(events: list[ComplaintEvent]) -> bool:
    """Whether a complaint of `interleaved` has not ended, told from its facts alone."""
    last = True
    for _, fact in effective(events):
        if isinstance(fact, ComplaintClosed | ComplaintWithdrawn) or (isinstance(fact, OutcomeStated) and fact.final):
            last = False
        elif isinstance(fact, ComplaintReceived | ComplaintReopened):
            last = True
    return last


class TestAsOf:
    def test_every_answer_is_that_of_when_the_book_ended_there(
        self, database: Database, book: str, reader: Connection
    ) -> None:
        """Each position in turn is the end of the book; what is said then is said of it for ever."""
        told = interleaved(seed=11, complaints=6)
        subjects = list(dict.fromkeys(subject for subject, _ in told))
        known: Counter[UUID] = Counter()
        said: list[tuple[Any, ...]] = []
        with closing(database.connect(Role.PROJECTOR)) as one, closing(database.connect(Role.PROJECTOR)) as two:
            builders = [Builder(one, book, history.PROJECTION), Builder(two, book, sla.PROJECTION)]
            for each in told:
                record(database, book, [each], known)
                assert [builder.step() for builder in builders] == [1, 1]
                said.append(self.answers(reader, book, subjects, None))
        assert len(set(map(str, said))) > len(told) / 2, "the answers do change"
        for position, then in enumerate(said, start=1):
            assert self.answers(reader, book, subjects, position) == then
        recorded_at = [row.recorded_at for row in events_after(reader, book, 0, 1000)]
        for position in (1, len(told) // 2, len(told)):
            assert self.answers(reader, book, subjects, recorded_at[position - 1]) == said[position - 1]

    @staticmethod
    def answers(reader: Connection, book: str, subjects: list[UUID], as_of: int | datetime | None) -> tuple[Any, ...]:
        histories = [history.of(reader, book, each, as_of=as_of) for each in subjects]
        report = sla.report(reader, book, as_of=as_of, now=NOW, part="department")
        overdue = sla.overdue(reader, book, as_of=as_of, now=NOW, rows_max=500)
        found = history.find(reader, book, "X-3", as_of=as_of)
        clocks_then = [sla.of(reader, book, each, as_of=as_of) for each in subjects]
        return histories, report.lines, overdue.rows, found, clocks_then

    def test_the_now_of_an_instant_is_that_instant(
        self, book: str, reader: Connection, tell: Callable[..., int]
    ) -> None:
        subject = uuid4()
        tell((subject, received(subject, shanghai("2025-09-26T10:00"))))
        (row,) = events_after(reader, book, 0, 10)
        assert sla.report(reader, book, as_of=1).now == row.recorded_at
        later = row.recorded_at + timedelta(days=1)
        assert sla.report(reader, book, as_of=later).now == later
        assert sla.report(reader, book, as_of=later, now=NOW).now == NOW
        before = sla.report(reader, book, as_of=row.recorded_at - timedelta(microseconds=1))
        assert (before.position, before.lines) == (0, ())
        with pytest.raises(ValueError, match="says what now is"):
            sla.report(reader, book)
        with pytest.raises(ValueError, match="positions count from 1"):
            sla.report(reader, book, as_of=-1)


class TestSla:
    def test_a_corrected_receipt_moves_the_due_date_and_the_earlier_answer_stays(
        self, book: str, reader: Connection, tell: Callable[..., int]
    ) -> None:
        """Typed as the 30th, received on the 26th: five working days end on 10 October, not on the 14th."""
        subject = uuid4()
        at = shanghai("2025-09-30T10:00")
        first = tell((subject, received(subject, at)), (subject, reply(subject, shanghai("2025-10-13T10:00"))))
        receipt = received(subject, shanghai("2025-09-26T10:00"))
        then = tell((subject, corrected(subject, 1, receipt, shanghai("2025-10-13T11:00"))))

        def due(as_of: int) -> tuple[datetime, str]:
            states = [each for each in sla.of(reader, book, subject, as_of=as_of) if each.clock == "resolution"]
            last = states[-1]
            assert last.known_to is None
            (counts,) = [
                c
                for clock, c in counted(sla.report(reader, book, as_of=as_of, now=NOW)).items()
                if clock == "resolution"
            ]
            (word,) = counts
            return last.due_at, word

        end_of_day = timedelta(days=1) - timedelta(microseconds=1)
        assert due(first) == (shanghai("2025-10-14T00:00") + end_of_day, "met")
        assert due(then) == (shanghai("2025-10-10T00:00") + end_of_day, "missed")
        assert due(first) == (shanghai("2025-10-14T00:00") + end_of_day, "met"), (
            "what was known before stays answerable"
        )

    def test_an_annulled_reply_lets_the_clock_run_again(
        self, book: str, reader: Connection, tell: Callable[..., int]
    ) -> None:
        subject = uuid4()
        at = shanghai("2025-10-15T10:00")
        met = tell((subject, received(subject, at)), (subject, first_reply(subject, at + timedelta(hours=2))))
        tell((subject, annulled(subject, 2, at + timedelta(hours=3))))
        assert counted(sla.report(reader, book, as_of=met, now=NOW))["first-reply"] == {"met": 1}
        assert counted(sla.report(reader, book, now=at + timedelta(hours=24)))["first-reply"] == {"running": 1}
        assert counted(sla.report(reader, book, now=NOW))["first-reply"] == {"missed": 1}
        (late,) = [each for each in sla.overdue(reader, book, now=NOW).rows if each.clock == "first-reply"]
        assert (late.complaint_id, late.due_at) == (subject, at + timedelta(hours=24))

    @pytest.mark.every_postgres
    def test_the_counts_are_those_of_the_events(self, database: Database, book: str) -> None:
        """Folded here from whole streams, by `clocks` and `verdict` alone, at several positions and instants."""
        told = interleaved(seed=13, complaints=60)
        record(database, book, told)
        catch_up(database, book, "sla", batch=50)
        with closing(database.connect(Role.APPLICATION, autocommit=True)) as reader:
            for position in (len(told) // 3, len(told) - 1, len(told)):
                of_stream: dict[UUID, list[ComplaintEvent]] = {}
                for row in events_after(reader, book, 0, position):
                    event = opened(row).event
                    assert isinstance(event, ComplaintEvent)
                    of_stream.setdefault(row.stream_id, []).append(event)
                found = [clock for events in of_stream.values() for clock in clocks(effective(events))]
                dues = sorted(each.due_at for each in found)
                for now in (dues[len(dues) // 2], dues[len(dues) // 2] + timedelta(microseconds=1), NOW):
                    expected: dict[str, Counter[str]] = {}
                    for each in found:
                        expected.setdefault(each.clock, Counter())[verdict(each, now)] += 1
                    assert counted(sla.report(reader, book, as_of=position, now=now)) == expected
                    late = sum(
                        each.ended == "running" and verdict(each, now) == "missed"
                        for events in of_stream.values()
                        if is_open(events)
                        for each in clocks(effective(events))
                    )
                    assert len(sla.overdue(reader, book, as_of=position, now=now, rows_max=500).rows) == late

    def test_a_period_is_of_starts_and_a_part_adds_up(self, database: Database, book: str, reader: Connection) -> None:
        record(database, book, interleaved(seed=13, complaints=60))
        catch_up(database, book, "sla")
        middle = shanghai("2025-10-20T00:00")
        whole = sla.report(reader, book, now=NOW)
        early = sla.report(reader, book, now=NOW, starts_before=middle)
        late = sla.report(reader, book, now=NOW, starts_from=middle)
        for clock, counts in counted(whole).items():
            assert counted(early)[clock] + counted(late)[clock] == counts
        for part in sla.PARTS:
            parted = sla.report(reader, book, now=NOW, part=part)
            words = [each.part for each in parted.lines if each.clock == "resolution" and each.part is not None]
            assert words == sorted(words), "by code point, Chinese or not"
            for line in whole.lines:
                of_clock = [each for each in parted.lines if each.clock == line.clock]
                assert sum(each.missed for each in of_clock) == line.missed
        (resolution,) = [line for line in whole.lines if line.clock == "resolution"]
        assert resolution.rate == resolution.met / (resolution.met + resolution.missed)
        assert sla.Line("house", "x", None, None, 0, 0, 3, 1, 1, 0, 0).rate is None

    @pytest.mark.parametrize("ended", ["ruled-out", "merged"])
    def test_what_is_no_longer_open_is_missed_and_not_overdue(
        self, book: str, reader: Connection, tell: Callable[..., int], ended: str
    ) -> None:
        """The clock is left as it was, so it counts; but nobody has anything left to do."""
        subject, at = uuid4(), shanghai("2025-09-26T10:00")
        begun = tell((subject, received(subject, at)))
        who = about(subject)
        facts: dict[str, list[ComplaintEvent]] = {
            "ruled-out": [
                ComplaintRuledOut(**who, nature="enquiry", reason=WORDS, ruled_out_by="li", ruled_out_at=at),
                ComplaintClosed(**who, closed_by="li", closed_at=at),
            ],
            "merged": [ComplaintMerged(**who, into_complaint_id=uuid4(), merged_by="li", merged_at=at)],
        }
        position = tell(*((subject, fact) for fact in facts[ended]))
        running = {each.clock for each in sla.of(reader, book, subject) if each.ended == "running"}
        assert running, "the house leaves such clocks running"
        for as_of, overdue in ((begun, True), (position, False), (None, False)):
            report = sla.report(reader, book, as_of=as_of, now=NOW)
            lines = {line.clock: (line.missed, line.overdue) for line in report.lines if line.clock in running}
            assert lines == {clock: (1, int(overdue)) for clock in running}
            listed = {each.clock for each in sla.overdue(reader, book, as_of=as_of, now=NOW).rows}
            assert (running <= listed) == overdue
            assert overdue or not listed & running
        assert worklist.page(reader, book).tasks == ()
        reopened = ComplaintReopened(**who, reason=WORDS, new_facts=True, reopened_by="li", reopened_at=at)
        if ended == "ruled-out":
            tell((subject, reopened))
            assert len(worklist.page(reader, book).tasks) == 1
            assert sla.overdue(reader, book, now=NOW).rows, "open again, and late"

    def test_the_overdue_come_in_pages_longest_first(self, database: Database, book: str, reader: Connection) -> None:
        record(database, book, interleaved(seed=13, complaints=60))
        catch_up(database, book, "sla")
        whole = sla.overdue(reader, book, now=NOW, rows_max=500).rows
        assert [each.due_at for each in whole] == sorted(each.due_at for each in whole)
        paged: list[sla.Overdue] = []
        page = sla.overdue(reader, book, now=NOW, rows_max=3)
        while True:
            paged += page.rows
            if page.next_cursor is None:
                break
            page = sla.overdue(reader, book, now=NOW, rows_max=3, cursor=page.next_cursor)
        assert tuple(paged) == whole


class TestHistory:
    def test_it_says_what_was_recorded_and_what_was_taken_back(
        self, book: str, reader: Connection, tell: Callable[..., int]
    ) -> None:
        subject = uuid4()
        at = shanghai("2025-10-15T10:00")
        tell(
            (subject, received(subject, at, external_reference="X-7")),
            (subject, first_reply(subject, at + timedelta(hours=2))),
            (subject, corrected(subject, 1, received(subject, at, external_reference="X-8"), at + timedelta(hours=3))),
        )
        tell((subject, annulled(subject, 2, at + timedelta(hours=4))))
        told = history.of(reader, book, subject)
        assert [
            (line.version, line.name, line.annulled_by_version, line.corrected_by_version) for line in told.lines
        ] == [
            (1, "complaint-received", None, 3),
            (2, "first-reply-sent", 4, None),
            (3, "fact-corrected", None, None),
            (4, "fact-annulled", None, None),
        ]
        assert [line.annulled_by_version for line in history.of(reader, book, subject, as_of=3).lines] == [None] * 3
        stored = stream_events(reader, book, subject)
        for line, row in zip(told.lines, stored, strict=True):
            envelope = opened(row)
            assert (line.position, line.recorded_at) == (row.position, row.recorded_at)
            assert (line.recorded_by, line.command) == (envelope.recorded_by, envelope.command)
            assert line.details == envelope.event.model_dump(mode="json", exclude_none=True)
        assert (told.lines[1].done_by, told.lines[1].happened_at) == ("wang", at + timedelta(hours=2))

    def test_a_complaint_is_found_by_id_and_by_every_reference_it_had(
        self, book: str, reader: Connection, tell: Callable[..., int]
    ) -> None:
        one, other = uuid4(), uuid4()
        at = shanghai("2025-10-15T10:00")
        tell(
            (one, received(one, at, external_reference="X-7")),
            (other, received(other, at, external_reference="X-7")),
            (one, corrected(one, 1, received(one, at, external_reference="X-8"), at)),
        )
        assert history.find(reader, book, "X-7") == (one, other)
        assert history.find(reader, book, "X-8") == (one,)
        assert history.find(reader, book, "X-8", as_of=2) == ()
        assert history.find(reader, book, str(other)) == (other,)
        assert history.find(reader, book, str(other), as_of=1) == ()
        assert history.find(reader, book, "X-9") == ()

    def test_it_comes_in_pages(self, book: str, reader: Connection, tell: Callable[..., int]) -> None:
        subject = uuid4()
        at = shanghai("2025-10-15T10:00")
        tell(
            (subject, received(subject, at)),
            *((subject, first_reply(subject, at + timedelta(hours=n))) for n in range(6)),
        )
        page = history.of(reader, book, subject, rows_max=3)
        assert [line.version for line in page.lines] == [1, 2, 3]
        page = history.of(reader, book, subject, rows_max=4, cursor=page.next_cursor)
        assert [line.version for line in page.lines] == [4, 5, 6, 7]
        assert page.next_cursor is None
        for wrong in ("", "x", "e30", "WyJ3b3JrbGlzdCIsMV0", "é"):
            with pytest.raises(BadCursor, match="This is no cursor"):
                history.of(reader, book, subject, cursor=wrong)


class TestWorklist:
    def test_it_holds_what_is_open_soonest_due_first(self, database: Database, book: str, reader: Connection) -> None:
        told = interleaved(seed=17, complaints=40)
        record(database, book, told)
        catch_up(database, book, "worklist", batch=13)
        of_stream: dict[UUID, list[ComplaintEvent]] = {}
        for subject, event in told:
            of_stream.setdefault(subject, []).append(event)
        expected = []
        for subject, events in of_stream.items():
            facts = effective(events)
            names = [type(fact).__name__ for _, fact in facts if getattr(fact, "final", True) is not False]
            ends = [
                name
                for name in names
                if name in ("ComplaintClosed", "ComplaintWithdrawn", "OutcomeStated", "ComplaintReopened")
            ]
            if not ends or ends[-1] == "ComplaintReopened":
                running = [each.due_at for each in clocks(facts) if each.ended == "running"]
                expected.append((min(running, default=datetime.max.replace(tzinfo=UTC)), subject))
        whole = worklist.page(reader, book, rows_max=500).tasks
        assert [each.complaint_id for each in whole] == [subject for _, subject in sorted(expected)]
        assert any(each.due_at is None for each in whole), "replied to, and not closed yet"
        paged: list[worklist.Task] = []
        page = worklist.page(reader, book, rows_max=4)
        while True:
            paged += page.tasks
            if page.next_cursor is None:
                break
            page = worklist.page(reader, book, rows_max=4, cursor=page.next_cursor)
        assert tuple(paged) == whole
        for department in {each.department for each in whole if each.department}:
            some = worklist.page(reader, book, departments=[department], rows_max=500).tasks
            assert some == tuple(each for each in whole if each.department == department)
        some = worklist.page(reader, book, assignee="zhao", rows_max=500).tasks
        assert some == tuple(each for each in whole if each.assignee == "zhao")
        assert worklist.page(reader, book, departments=["nobody's"]).tasks == ()
        every = sorted({each.department for each in whole if each.department})
        some = worklist.page(reader, book, departments=[*every, "nobody's"], rows_max=500).tasks
        assert some == tuple(each for each in whole if each.department)
        assert worklist.page(reader, book, departments=[]).tasks == ()
        one = next(each.department for each in whole if each.department)
        assert {each.department for each in whole} > {one, None}, "some are in no department"
        paged, cursor = [], None
        while not paged or cursor:
            page = worklist.page(reader, book, departments=[one, one], or_of_none=True, rows_max=2, cursor=cursor)
            paged, cursor = paged + list(page.tasks), page.next_cursor
        assert paged == [each for each in whole if each.department in (one, None)]

    def test_another_lists_cursor_is_refused(self, book: str, reader: Connection, tell: Callable[..., int]) -> None:
        subjects = [uuid4() for _ in range(3)]
        tell(*((each, received(each, shanghai("2025-09-26T10:00"))) for each in subjects))
        cursor = sla.overdue(reader, book, now=NOW, rows_max=1).next_cursor
        assert cursor is not None
        with pytest.raises(BadCursor):
            worklist.page(reader, book, cursor=cursor)
