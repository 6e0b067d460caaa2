"""What the history in words says of corrections and of the recording; no database is needed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console

from api.command.telling import told
from ledger.deadlines.calendar import built_in_calendars
from ledger.tables.events import CodeTablesPublished
from ledger.tables.known import KnownTables
from ledger.tables.table import built_in_tables
from projections.history import History, Line

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CHINA = built_in_calendars()["china"]
PHONES = tuple(built_in_tables()["channel"].values())
RECEIVED = {
    "received_at": "2026-03-02T01:00:00Z",
    "channel": "phone",
    "received_by": "wang.li",
    "content": "ef1OW5OcRLxfkBZ6b58a8EJ9C6HTgI55XM20UeNAqxk",
}


def line(version: int, name: str, details: dict[str, Any], **other: Any) -> Line:
    late = other.pop("late", timedelta(0))
    usual: dict[str, Any] = {
        "happened_at": AT,
        "recorded_at": AT + late,
        "done_by": "wang.li",
        "recorded_by": "wang.li",
        "command": "some-command",
        "annulled_by_version": None,
        "corrected_by_version": None,
    }
    return Line(version=version, position=version, name=name, details=details, **{**usual, **other})


def correction(version: int, of: int, **fields: Any) -> Line:
    details = {"corrected_version": of, "approved_by": "chen.jing", "fact": {**RECEIVED, **fields}}
    return line(version, "fact-corrected", details)


def words(*lines: Line, tables: KnownTables | None = None) -> str:
    console = Console(width=250, highlight=False, markup=False)
    with console.capture() as captured:
        for part in told(
            History("main", UUID(int=1), lines[-1].position, lines, None), lines, CHINA, tables or KnownTables()
        ):
            console.print(part)
    return "\n".join(row.rstrip() for row in captured.get().splitlines()) + "\n"


def test_a_correction_says_what_it_changed_against_what_stood_before() -> None:
    said = words(
        line(1, "complaint-received", RECEIVED),
        correction(2, 1, received_at="2026-03-01T16:30:00Z", content="x" * 43, branch="shanghai-02"),
        correction(3, 1, received_at="2026-03-01T17:00:00Z", content="x" * 43, branch="shanghai-02"),
    )
    assert "received at 2026-03-02 09:00 → 2026-03-02 00:30; content (personal); branch – → shanghai-02" in said
    assert "by leave of chen.jing: received at 2026-03-02 00:30 → 2026-03-02 01:00\n" in said
    assert "x" * 43 not in said


def test_what_was_recorded_later_or_by_somebody_else_says_so() -> None:
    said = words(
        line(1, "complaint-received", RECEIVED, late=timedelta(minutes=14)),
        line(2, "complaint-registered", {"reference": "R-1"}, late=timedelta(minutes=20)),
        line(3, "complaint-registered", {"reference": "R-2"}, recorded_by="front-desk"),
        line(4, "complaint-registered", {"reference": "R-3"}, late=timedelta(hours=2), recorded_by="front-desk"),
    )
    assert said.count("[recorded") == 3
    assert "R-1 [recorded late, 2026-03-02 09:20]" in said
    assert "R-2 [recorded by front-desk]" in said
    assert "R-3 [recorded late, 2026-03-02 11:00 by front-desk]" in said


def test_one_recorder_for_all_is_said_once() -> None:
    said = words(
        line(1, "complaint-received", RECEIVED, recorded_by="front-desk"),
        line(2, "complaint-registered", {"reference": "R-1"}, recorded_by="front-desk"),
    )
    assert said.count("front-desk") == 1
    assert "All of it was recorded by front-desk." in said


def test_a_code_is_read_as_it_was_called_when_the_fact_was_recorded() -> None:
    def called(zh: str) -> CodeTablesPublished:
        rows = [row.model_copy(update={"zh": zh}) if row.code == "phone" else row for row in PHONES]
        return CodeTablesPublished(tables={"channel": tuple(rows)}, published_by="sun", published_at=AT)

    tables = KnownTables([(2, called("电话热线")), (4, called("客服热线"))])
    reply = {"channel": "phone", "sent_at": "2026-03-02T02:00:00Z", "sent_by": "wang.li"}
    told = words(
        line(1, "complaint-received", RECEIVED),
        line(3, "first-reply-sent", reply),
        line(5, "reply-sent", reply),
        tables=tables,
    )
    assert "by Phone 电话\n" in told, "before the book had any of its own, the built-in ones"
    assert "gave the first reply by Phone 电话热线" in told
    assert "told the customer the result by Phone 客服热线" in told
