"""The policies of a book from the command line: published, listed, put in force; and what a new book begins with."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import BUILT_IN, read_regime
from ledger.record.envelope import opened
from ledger.record.reading import events_after, head
from ledger.settings import Settings
from ledger.tables.events import CodeTablesPublished
from ledger.tables.state import fold
from ledger.tables.table import built_in_tables
from ledger.vault.keys import SubjectKeys
from tests.command.running import Program
from tests.command.running import run_within as run

FOUNDED = len(BUILT_IN) + len(built_in_calendars()) + 1
"""The events of a new book: every built-in regime and calendar, and all code tables, published in full."""


def test_a_new_book_holds_its_policies_and_those_named_are_in_force(
    program: Program, database: Database, book: str
) -> None:
    name = f"{book}-p"
    assert program("book", "create", name, "--in-force", "house", "--in-force", "cbirc-2020-3").code == 0
    assert program("book", "create", name, "--in-force", "fca-disp").code == 0  # there already: nothing changes
    with closing(database.connect(Role.APPLICATION)) as connection:
        recorded = [opened(row) for row in events_after(connection, name, 0, 100)]
    assert len(recorded) == FOUNDED
    assert {(each.recorded_by, each.command) for each in recorded} == {("complaint-ledger", "found-book")}
    in_force = [each.event.regime.name for each in recorded if getattr(each.event, "in_force_from", None)]
    assert in_force == ["house", "cbirc-2020-3"]
    (tables,) = [each.event for each in recorded if isinstance(each.event, CodeTablesPublished)]
    assert fold([tables]).codes == built_in_tables(), "all of them, each whole"
    assert program("book", "create", f"{book}-q", "--in-force", "mars").complaint.startswith(
        "no regime 'mars' is built in: name any of house, "
    )


def test_a_book_without_policies_gets_them_when_it_is_opened_again(
    program: Program, database: Database, book: str
) -> None:
    assert program("book", "create", book, "--in-force", "pboc-2020-5", "--json").json == {
        "book": book,
        "origin": f"{_origin(database, book)}",
        "events": FOUNDED,
        "opened": False,
    }
    with closing(database.connect(Role.APPLICATION)) as connection:
        recorded = [opened(row).event for row in events_after(connection, book, 0, 100)]
    in_force = [each.regime.name for each in recorded if getattr(each, "in_force_from", None)]
    assert in_force == ["pboc-2020-5"], "cut off before it had any, the book is still empty"


def _origin(database: Database, book: str) -> str:
    with closing(database.connect(Role.APPLICATION)) as connection:
        return head(connection, book).origin


@pytest.fixture
def founded(program: Program, book: str) -> str:
    """A book with its policies, as every way of opening one leaves it."""
    assert program("book", "create", book).code == 0
    return book


TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date()
"""Tomorrow wherever days are counted."""


def test_a_regime_is_taken_out_changed_checked_published_and_put_in_force(
    program: Program, founded: str, tmp_path: Path
) -> None:
    file = tmp_path / "house.toml"
    shown = program("regime", "show", "house", "--book", founded)
    file.write_text(shown.out.replace("version = 1", "version = 2").replace("amount = 24,", "amount = 12,"), "utf-8")
    assert "good: house version 2 by china, clocks first-reply, resolution" in run("regime", "check", file).out
    early = program("regime", "publish", file, "--by", "sun", "--in-force-from", "2020-01-01", "--book", founded)
    assert (early.code, "deadlines of that day are issued already" in early.complaint) == (1, True)
    told = program("regime", "publish", file, "--by", "sun", "--in-force-from", str(TOMORROW), "--book", founded)
    assert (
        told.out
        == f"published house version 2, in force from {TOMORROW} (position {FOUNDED + 1} of the book {founded})\n"
    )
    again = program("regime", "publish", file, "--by", "sun", "--book", founded)
    assert (again.code, "says nothing that its version 2 does not say" in again.complaint) == (1, True)
    assert program("regime", "in-force", "cfpb", "--from", str(TOMORROW), "--by", "sun", "--book", founded).code == 0
    retired = ("regime", "retire", "cfpb", "--from", str(TOMORROW), "--reason", "not ours", "--by", "sun")
    assert program(*retired, "--book", founded).code == 0
    listed = {each["name"]: each for each in program("regime", "list", "--book", founded, "--json").json}
    assert listed["house"]["in_force"] == [
        {"since": "1970-01-01", "version": 1},
        {"since": str(TOMORROW), "version": 2},
    ]
    assert listed["cfpb"]["in_force"] == [{"since": str(TOMORROW), "version": None}]
    assert listed["fca-disp"]["in_force"] == []
    assert read_regime(program("regime", "show", "house", "--version", "2", "--book", founded).out).version == 2
    assert "version 1 always" in program("regime", "list", "--book", founded).out
    assert program("regime", "show", "mars", "--book", founded).code == 1


WRONG = """
name = "mine"
version = 1
title = "Mine"
calendar = "mars"
source = "mine"

[[clocks]]
name = "resolution"
zh = "处理"
en = "Resolution"
source = "mine"
starts = "complaint-recieved"
stops = ["reply-sent"]
limits = [{ amount = 5, unit = "fortnights" }]
"""


def test_what_is_wrong_with_a_regime_is_told_by_line_with_what_to_do(
    program: Program, founded: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(WRONG, encoding="utf-8")
    told = run("regime", "check", file)
    assert told.code == 1
    assert "line 15, clocks.1.limits.1.unit: this is none of the words it can be: use 'minutes'" in told.out
    file.write_text(WRONG.replace("fortnights", "weeks"), encoding="utf-8")
    (fault,) = run("regime", "check", file, "--json").json["faults"]
    assert (fault["line"], "did you mean 'complaint-received'?" in fault["remedy"]) == (13, True)
    assert program("regime", "publish", file, "--by", "sun", "--book", founded).code == 2
    file.write_text(WRONG.replace("fortnights", "weeks").replace("recieved", "received"), encoding="utf-8")
    unknown = program("regime", "publish", file, "--by", "sun", "--book", founded)
    assert (unknown.code, "goes by the calendar mars, which is not published" in unknown.complaint) == (1, True)
    assert "no ledger" not in run("regime", "check", tmp_path / "none.toml").complaint


def test_calendars_are_made_for_a_country_taken_out_corrected_and_published(
    program: Program, founded: str, tmp_path: Path
) -> None:
    made = program("calendar", "publish", "--country", "SG", "--years", "2026-2027", "--by", "sun", "--book", founded)
    assert (
        made.out
        == f"published sg version 1, announced through 2026-12-31 (position {FOUNDED + 1} of the book {founded})\n"
    )
    file = tmp_path / "sg.toml"
    text = program("calendar", "show", "sg", "--book", founded).out
    file.write_text(text.replace("settled_through = 2026-12-31", "settled_through = 2027-06-30"), encoding="utf-8")
    stale = program("calendar", "publish", file, "--by", "sun", "--book", founded)
    assert (stale.code, "is given as version 1, and the next one is 2" in stale.complaint) == (1, True)
    file.write_text(file.read_text(encoding="utf-8").replace("version = 1", "version = 2", 1), encoding="utf-8")
    assert "good: sg version 2, announced through 2027-06-30" in run("calendar", "check", file).out
    assert program("calendar", "publish", file, "--by", "sun", "--book", founded).code == 0
    listed = {each["name"]: each for each in program("calendar", "list", "--book", founded, "--json").json}
    assert (listed["sg"]["versions"], listed["sg"]["settled_through"]) == (2, "2027-06-30")
    assert set(listed) == {"china", "gb-eng", "us", "sg"}
    for words, says in (
        (("--country", "US"), "say which one, like America/New_York"),
        (("--country", "XX"), "name a country"),
        ((), "name a calendar: a FILE, or --country CODE"),
        (("--country", "GB", "--years", "soon"), "--years: write the first and the last year"),
    ):
        refused = program("calendar", "publish", *words, "--by", "sun", "--book", founded)
        assert (refused.code, says in refused.complaint) == (2, True), refused


@pytest.fixture
def complaint(database: Database, settings: Settings, founded: str) -> UUID:
    """Received on a Friday before a long holiday, answered on the fourth working day."""
    complaint_id = uuid4()
    at = datetime.fromisoformat("2025-09-26T10:00:00+08:00")
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, founded, keys)) as ledger:
        for command in (
            ask.ReceiveComplaint(
                complaint_id=complaint_id,
                customer_id=uuid4(),
                received_at=at,
                received_by="li.na",
                channel="phone",
                content="利息算错了",
            ),
            ask.SendFirstReply(
                complaint_id=complaint_id, channel="phone", sent_by="li.na", sent_at=at + timedelta(hours=2)
            ),
            ask.ResolveComplaint(
                complaint_id=complaint_id,
                resolution_id=uuid4(),
                outcome="upheld",
                reasons="属实",
                resolved_by="li.na",
                resolved_at=datetime.fromisoformat("2025-10-09T10:00:00+08:00"),
            ),
            ask.SendReply(
                complaint_id=complaint_id,
                reply_id=uuid4(),
                channel="phone",
                content="已更正",
                sent_by="li.na",
                sent_at=datetime.fromisoformat("2025-10-09T11:00:00+08:00"),
            ),
        ):
            ledger.handle(command, principal="test")
    return complaint_id


def test_a_deadline_is_derived_day_by_day_and_the_same_bytes_come_again(
    program: Program, founded: str, complaint: UUID, tmp_path: Path
) -> None:
    asked = ("sla", "explain", str(complaint), "--as-of", str(FOUNDED + 1), "--book", founded)
    told = program(*asked).out
    for line in (
        (
            "resolution: 5 working days from 2025-09-26T10:00:00+08:00, due 2025-10-10T23:59:59.999999+08:00 "
            "(regime house version 1, calendar china version 1): missed"
        ),
        "  version 1 complaint-received 2025-09-26T10:00:00+08:00: the clock starts",
        "  2025-09-28 Sun     day 1  make-up working day, 补班（2025-10-07 调休）",
        "  2025-10-10 Fri     day 5  working day",
    ):
        assert any(each.startswith(line.rstrip()) for each in told.splitlines()), told
    file = tmp_path / "china.toml"
    text = program("calendar", "show", "china", "--book", founded).out.replace("version = 1", "version = 2", 1)
    wrong_day = next(each for each in text.splitlines() if "on = 2025-09-28" in each)
    file.write_text(text.replace(f"{wrong_day}\n", ""), encoding="utf-8")
    assert program("calendar", "publish", file, "--by", "sun", "--book", founded).code == 0
    assert program(*asked).out == told
    now = program("sla", "explain", str(complaint), "--clock", "resolution", "--book", founded, "--json").json
    (resolution,) = now["deadlines"]
    assert (resolution["verdict"], resolution["calendar_version"]) == ("met", 1)
    assert [day["number"] for day in resolution["days"] if day["number"]] == [1, 2, 3, 4, 5]


def test_what_if_tells_what_would_differ_and_records_nothing(
    program: Program, founded: str, complaint: UUID, tmp_path: Path
) -> None:
    file = tmp_path / "house.toml"
    text = program("regime", "show", "house", "--book", founded).out
    file.write_text(text.replace('amount = 5, unit = "working-days"', 'amount = 3, unit = "working-days"'), "utf-8")
    events = program("book", "list", "--book", founded, "--json").json[0]["events"]
    supposed = program("sla", "what-if", "--regime", file, "--book", founded, "--json").json
    clocks = {each["clock"]: each for each in supposed["clocks"]}
    assert (clocks["resolution"]["rate"], clocks["resolution"]["would_be_rate"]) == (1.0, 0.0)
    assert (clocks["first-reply"]["rate"], clocks["first-reply"]["differ"]) == (1.0, 0)
    (difference,) = supposed["differences"]
    assert (difference["complaint_id"], difference["known"], difference["would_be"]) == (
        str(complaint),
        "met",
        "missed",
    )
    assert "100.0% (1 of 1)" in program("sla", "what-if", "--regime", file, "--book", founded).out
    calendar = tmp_path / "china.toml"
    days = program("calendar", "show", "china", "--book", founded).out
    works = next(each for each in days.splitlines() if "on = 2025-10-08" in each)
    calendar.write_text(days.replace(f"{works}\n", ""), encoding="utf-8")
    supposed = program("sla", "what-if", "--calendar", calendar, "--book", founded, "--json").json
    assert supposed["differences"] == []
    assert program("sla", "what-if", "--book", founded).code == 2
    assert program("book", "list", "--book", founded, "--json").json[0]["events"] == events


OWN = """
name = "card-centre"
version = 1
title = "Limits of the card centre"
calendar = "china"
source = "Rules of the card centre, 2026 edition."

[[clocks]]
name = "call-back"
zh = "回访"
en = "Call-back"
source = "Article 3: the customer is called within 2 hours."
starts = "complaint-received"
stops = ["first-reply-sent"]
limits = [{ amount = 2, unit = "hours" }]
"""


def test_an_institution_s_own_clock_is_called_as_it_says_wherever_it_is_shown(
    program: Program, founded: str, complaint: UUID, tmp_path: Path
) -> None:
    """Supposed, its label is the file's; published, the book's, in the newest words; until it is in force, no report has it."""
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    assert "Call-back 回访 (card-centre)" in program("sla", "what-if", "--regime", file, "--book", founded).out
    assert program("regime", "publish", file, "--by", "sun", "--book", founded).code == 0
    file.write_text(OWN.replace("version = 1", "version = 2").replace("回访", "回电"), encoding="utf-8")
    told = program("regime", "publish", file, "--by", "sun", "--in-force-from", str(TOMORROW), "--book", founded)
    assert told.code == 0, told
    assert "card-centre" not in program("sla", "--book", founded).out
    assert program("history", str(complaint), "--book", founded).code == 0


def test_days_are_those_of_the_institution_s_own_calendar(program: Program, book: str) -> None:
    """What goes by English business days is asked in English days, summer time included."""
    assert program("book", "create", book, "--in-force", "fca-disp").code == 0
    told = program("sla", "--from", "2026-07-01", "--to", "2026-12-31", "--book", book, "--json").json
    assert (told["starts_from"], told["starts_before"]) == ("2026-06-30T23:00:00Z", "2027-01-01T00:00:00Z")
    assert "(Europe/London)" in program("sla", "--book", book).out
