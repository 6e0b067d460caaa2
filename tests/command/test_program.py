"""The installed program as people use it: answers, exit codes, one line for what is wrong, and how it ends."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import typer

from api.command import telling
from api.command.accounts import DEEDS
from api.command.main import app
from api.command.passing import PASSING
from api.command.telling import SENTENCES
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.complaint.events import COMPLAINT_NAMES
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.record.reading import events_after
from ledger.settings import Settings
from ledger.tables.known import KnownTables
from ledger.timekeeping.events import TIMEKEEPING_NAMES
from ledger.vault.keys import SubjectKeys
from projections import pending
from projections.catalogue import PROJECTIONS
from projections.history import History, Line
from tests.command.publication import EIGHTEEN, ROW_18
from tests.command.running import Program, command_line, run, run_within

RECEIVED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)


@pytest.fixture
def complaint_id(database: Database, settings: Settings, book: str) -> UUID:
    """A complaint that was received, registered and answered late, in a book of its own."""
    stream = uuid4()
    replied_at = RECEIVED_AT + timedelta(hours=30)
    with (
        closing(SubjectKeys.open(settings.keys)) as keys,
        closing(Ledger(database, book, keys)) as ledger,
    ):
        for command in (
            ask.ReceiveComplaint(
                complaint_id=stream,
                customer_id=uuid4(),
                received_at=RECEIVED_AT,
                received_by="li.na",
                channel="phone",
                content="利息算错了",
            ),
            ask.RegisterComplaint(
                complaint_id=stream, reference=f"R-{stream.hex[:8]}", registered_at=RECEIVED_AT, registered_by="li.na"
            ),
            ask.SendFirstReply(complaint_id=stream, channel="phone", sent_by="li.na", sent_at=replied_at),
        ):
            ledger.handle(command, principal="test")
    return stream


def test_the_report_says_what_was_met_missed_and_is_overdue(program: Program, book: str, complaint_id: UUID) -> None:
    report = program("sla", "--book", book, "--json").json
    by_clock = {line["clock"]: line for line in report["lines"]}
    assert (by_clock["first-reply"]["missed"], by_clock["first-reply"]["overdue"]) == (1, 0)
    assert (by_clock["resolution"]["missed"], by_clock["resolution"]["overdue"]) == (1, 1)
    assert [row["complaint_id"] for row in report["overdue"]] == [str(complaint_id)]
    printed = program("sla", "--book", book)
    assert printed.code == 0
    assert "First reply 首次回复" in printed.out
    assert f"R-{complaint_id.hex[:8]}" in printed.out


def test_the_report_is_of_the_days_that_are_named(program: Program, book: str, complaint_id: UUID) -> None:
    day = (RECEIVED_AT + timedelta(hours=8)).date()  # of Shanghai
    assert complaint_id
    inside = program("sla", "--from", f"{day}", "--to", f"{day}", "--book", book, "--json").json
    assert {line["clock"] for line in inside["lines"]} == {"first-reply", "resolution"}
    later = program("sla", "--from", f"{day + timedelta(days=1)}", "--book", book, "--json").json
    assert later["lines"] == []


def test_the_report_as_of_a_position_knows_nothing_later(program: Program, book: str, complaint_id: UUID) -> None:
    assert complaint_id
    report = program("sla", "--as-of", "1", "--book", book, "--json").json
    (first,) = [line for line in report["lines"] if line["clock"] == "first-reply"]
    assert (report["position"], first["missed"], first["overdue"]) == (1, 1, 1), "the reply was not known there"


def test_a_history_is_told_by_id_or_reference(program: Program, book: str, complaint_id: UUID) -> None:
    by_id = program("history", str(complaint_id), "--book", book)
    by_reference = program("history", f"R-{complaint_id.hex[:8]}", "--book", book)
    assert by_id.out == by_reference.out
    assert not [line for line in by_id.out.splitlines() if line.endswith(" ")], "a table's last column fills no line"
    assert "received the complaint by Phone 电话" in by_id.out
    assert "gave the first reply by Phone 电话" in by_id.out
    assert "利息算错了" not in by_id.out, "personal values stay in the vault"


def test_a_history_as_of_a_position_is_what_was_known_there(program: Program, book: str, complaint_id: UUID) -> None:
    whole = program("history", str(complaint_id), "--book", book, "--json").json
    assert [line["name"] for line in whole["lines"]] == [
        "complaint-received",
        "complaint-registered",
        "first-reply-sent",
    ]
    for position in (1, 2, 3):
        part = program("history", str(complaint_id), "--as-of", str(position), "--book", book, "--json").json
        assert part["lines"] == whole["lines"][:position]
    moment = whole["lines"][1]["recorded_at"]
    at_a_time = program("history", str(complaint_id), "--as-of", moment, "--book", book, "--json").json
    assert at_a_time["position"] == 2


def test_the_worklist_names_what_is_open(program: Program, book: str, complaint_id: UUID) -> None:
    assert [task["complaint_id"] for task in program("worklist", "--book", book, "--json").json["complaints"]] == [
        str(complaint_id)
    ]
    told = program("worklist", "--book", book).out
    assert f"R-{complaint_id.hex[:8]}" in told
    assert "classify 分类" in told, "what somebody has to do, in both languages"


def test_verify_is_good_for_a_whole_book_and_names_the_position_of_a_change(
    program: Program, database: Database, book: str, complaint_id: UUID
) -> None:
    assert complaint_id
    good = program("verify", "--book", book, "--json")
    assert good.code == 0
    assert good.json["book"] == book
    assert (good.json["events"], good.json["ok"], good.json["problems"]) == (3, True, [])
    assert re.fullmatch(r"[0-9a-f]{64}", good.json["root"])
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger.event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE ledger.event SET recorded_at = recorded_at + interval '1 microsecond' WHERE book = %s AND position = 2",
            (book,),
        )
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE ledger.event ENABLE TRIGGER USER")
    bad = program("verify", "--book", book, "--json")
    assert bad.code == 1
    assert 2 in {problem["position"] for problem in bad.json["problems"]}
    assert bad.json["ok"] is False
    told = program("verify", "--book", book)
    assert told.code == 1
    assert "position 2: " in told.out


def test_projections_are_listed_caught_up_compared_and_rebuilt(
    program: Program, database: Database, book: str, complaint_id: UUID
) -> None:
    assert complaint_id
    assert {each["name"] for each in program("projections", "status", "--book", book, "--json").json} == set(
        PROJECTIONS
    )
    assert program("projections", "catch-up", "sla", "--book", book, "--json").json == [
        {"name": "sla", "book": book, "position": 3}
    ]
    assert program("projections", "compare", "sla", "--book", book).code == 0
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute(
            "SELECT schema FROM projection.progress WHERE book = %s AND name = 'sla' AND build = 'live'", (book,)
        )
        ((schema,),) = cursor.fetchall()
        cursor.execute(f"UPDATE \"{schema}\".clock SET due_at = due_at + interval '1 day' WHERE clock = 'resolution'")
    differs = program("projections", "compare", "sla", "--book", book, "--json")
    assert differs.code == 1
    assert differs.json[0]["ok"] is False
    rebuilt = program("projections", "rebuild", "--book", book)
    assert (rebuilt.code, rebuilt.out.count("was rebuilt to position 3")) == (0, len(PROJECTIONS))
    assert program("projections", "compare", "sla", "--book", book).code == 0


def test_a_projection_is_built_as_it_was_known_then_and_dropped(
    program: Program, database: Database, book: str, complaint_id: UUID
) -> None:
    built = program("projections", "rebuild", "worklist", "--until", "2", "--book", book, "--json")
    ((schema, position),) = [(each["schema"], each["position"]) for each in built.json]
    assert position == 2
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as auditor, auditor.cursor() as cursor:
        cursor.execute(f'SELECT complaint_id FROM "{schema}".task')
        assert cursor.fetchall() == [(complaint_id,)]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert program("projections", "rebuild", "sla", "--until", today, "--book", book).code == 0
    assert "is gone" in program("projections", "drop", "worklist", "2", "--book", book).out
    assert "was not built" in program("projections", "drop", "worklist", "2", "--book", book).out
    wrong = program("projections", "rebuild", "sla", "--until", "then", "--book", book)
    assert (wrong.code, "--until: write a position" in wrong.complaint) == (2, True)


def test_a_projection_is_sealed_and_a_spoilt_one_is_found(
    program: Program, database: Database, book: str, complaint_id: UUID
) -> None:
    assert complaint_id
    none = program("projections", "check-seal", "--book", book)
    assert (none.code, "projections seal` makes one" in none.complaint) == (2, True)
    (made,) = program("projections", "seal", "worklist", "--book", book, "--json").json
    assert (made["position"], made["rows"], made["recorded_at_position"]) == (3, 1, 4)
    assert program("projections", "check-seal", "worklist", "--book", book).code == 0
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as projector, projector.cursor() as cursor:
        cursor.execute(f"UPDATE \"worklist_{book}\".task SET department = 'elsewhere'")
    assert program("projections", "seal", "worklist", "--book", book).code == 0
    spoilt = program("projections", "check-seal", "worklist", "--book", book)
    assert (spoilt.code, "DIFFERS" in spoilt.out) == (1, True)
    assert program("projections", "check-seal", "worklist", "--position", "3", "--book", book).code == 0


def test_time_is_kept_once_and_told_in_the_history(program: Program, book: str, complaint_id: UUID) -> None:
    """The first reply came late, and the resolution is overdue: two misses; their warnings were over before anybody knew."""
    first = program("timekeeper", "run", "--once", "--book", book, "--json").json
    assert (first["recorded"], first["next_at"]) == ({"deadline-missed": 2}, None)
    assert "nothing was owed" in program("timekeeper", "run", "--once", "--book", book).out
    told = program("history", str(complaint_id), "--book", book).out
    assert told.count("missed 超时") == 2
    assert "found First reply 首次回复 missed 超时: it was due" in told
    assert "24 hours from" in told
    last = program("history", str(complaint_id), "--book", book, "--json").json["lines"][-1]
    assert (last["version"], last["recorded_by"], last["details"]["known_at_position"]) == (None, "timekeeper", 3)


def test_books_are_opened_once_and_listed(program: Program, book: str) -> None:
    name = f"{book}-b"
    made = program("book", "create", name, "--origin", f"bank.example/{name}", "--json")
    assert made.json == {"book": name, "origin": f"bank.example/{name}", "events": 11, "opened": True}
    assert program("book", "create", name, "--json").json["opened"] is False
    assert program("book", "create", name, "--origin", "other.example").code == 2
    assert name in {each["book"] for each in program("book", "list", "--limit", "10000", "--json").json}


def test_a_book_whose_end_was_taken_away_does_not_hide_the_others(
    program: Program, database: Database, book: str
) -> None:
    lost = f"{book}-lost"
    assert program("book", "create", lost).code == 0
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("DELETE FROM ledger.head WHERE book = %s", (lost,))
    listed = {each["book"]: each["events"] for each in program("book", "list", "--limit", "10000", "--json").json}
    assert listed[lost] is None
    assert listed[book] == 0
    assert f"verify --book {lost}" in program("book", "list", "--limit", "10000").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("history", "nobody"), "the book "),
        (("history", "x", "--as-of", "yesterday"), "--as-of: write a position of the book like 120, a day like"),
        (("sla", "--as-of", "2026-01-31T18:00:00"), "--as-of: write a position of the book like 120, a day like"),
        (("sla", "--as-of", "999999999"), "--as-of 999999999: the book"),
        (("sla", "--from", "2026-02-30"), "--from: write a day like 2026-01-31, not '2026-02-30'"),
        (("sla", "--from", "2026-02-02", "--to", "2026-02-01"), "--to lies before --from: exchange them"),
        (
            ("projections", "rebuild", "none"),
            f"there is no projection 'none': name one of {', '.join(PROJECTIONS)}",
        ),
        (("sla", "--by", "month"), "--by: write one of category, cause, grade"),
        (("indicators", "show", "--by", "weather"), "--by: write one of category, cause, product"),
        (("consistency", "kept.note"), "OLD and NEW are the sizes of checkpoints, whole numbers of events such as 120"),
        (("consistency", "1", "0"), "OLD and NEW are the sizes of checkpoints"),
        (("verify",), "there is no book 'missing' here: make it with `complaint-ledger book create missing`"),
    ],
)
def test_wrong_use_is_one_line_that_says_what_to_write(
    program: Program, book: str, words: tuple[str, ...], says: str
) -> None:
    answer = program(*words, "--book", "missing" if words == ("verify",) else book)
    assert (answer.code, answer.out) == (2, "")
    assert answer.complaint.startswith(says)
    assert "Traceback" not in answer.err


def test_a_period_that_is_written_as_a_part_is_sent_to_its_option(program: Program, book: str) -> None:
    for words in (("sla",), ("indicators", "show")):
        answer = program(*words, "--by", "Month", "--book", book)
        assert answer.complaint.endswith("not 'Month'; for figures by month write --period month")


def test_a_database_that_is_away_is_a_problem_and_no_traceback(folder: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"postgresql://127.0.0.1:{taken.getsockname()[1]}/none"
        answer = run_within("sla", "--database", url, "--data", folder)
    assert answer.code == 3
    assert answer.complaint.startswith("no connection to PostgreSQL at 127.0.0.1")
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:port/none", "postgresql://127.0.0.1:0/none", "127.0.0.1/none"])
def test_an_address_that_is_none_is_wrong_use(folder: Path, url: str) -> None:
    for command in ("sla", "migrate", "serve"):
        answer = run_within(
            command, *(("--port", "0") if command == "serve" else ()), "--database", url, "--data", folder
        )
        assert (answer.code, answer.out) == (2, "")
        assert "LEDGER_DATABASE_URL (or --database) is not" in answer.complaint


@pytest.mark.parametrize("words", [("sla",), ("history", "x"), ("worklist",), ("verify",), ("book", "list")])
def test_a_question_to_a_folder_without_a_ledger_makes_none(folder: Path, words: tuple[str, ...]) -> None:
    for data in (folder, folder / "missing"):
        answer = run_within(*words, "--data", data)
        assert (answer.code, answer.out) == (2, "")
        assert answer.complaint == f"there is no ledger in {data}; `complaint-ledger migrate --data {data}` makes one"
    assert list(folder.iterdir()) == []


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"complaint-ledger \d+\.\d+\.\d+\n", run("--version").out)


def test_moments_that_have_not_come_are_refused(program: Program, book: str, complaint_id: UUID) -> None:
    for words in (("sla",), ("history", str(complaint_id))):
        for moment in ("2999-01-01", "2999-01-01T00:00:00+08:00"):
            answer = program(*words, "--as-of", moment, "--book", book)
            assert (answer.code, answer.out) == (2, "")
            assert answer.complaint.startswith(f"--as-of {moment}: that moment has not come yet: it is only 20")


def test_as_of_a_day_is_its_end_and_a_position_may_be_written_as_it_is_printed(
    program: Program, book: str, complaint_id: UUID
) -> None:
    yesterday = (datetime.now(UTC) + timedelta(hours=8)).date() - timedelta(days=1)  # of Shanghai
    report = program("sla", "--as-of", str(yesterday), "--book", book, "--json").json
    assert (report["position"], report["now"]) == (0, f"{yesterday}T15:59:59.999999Z")
    answer = program("history", str(complaint_id), "--as-of", "1,000", "--book", book)
    assert answer.complaint == f"--as-of 1000: the book {book} ends at position 3"
    too_early = program("history", str(complaint_id), "--as-of", str(yesterday), "--book", book)
    assert too_early.code == 2
    assert "its first fact was recorded at position 1, on " in too_early.complaint
    assert f"as of {yesterday} 23:59" in too_early.complaint
    for words in (
        ("audit", "diff", str(complaint_id), str(yesterday), "3"),
        ("bundle", str(complaint_id), "--for", "audit", "--out", "never-written.zip", "--as-of", str(yesterday)),
    ):
        before_it = program(*words, "--book", book)
        assert before_it.code == 2
        assert "its first fact was recorded at position 1, on 20" in before_it.complaint
    not_yet_called_so = program("history", f"R-{complaint_id.hex[:8]}", "--as-of", "1", "--book", book)
    assert not_yet_called_so.complaint.endswith(f"ask for it by its id {complaint_id}")


def test_an_empty_book_names_the_others(program: Program, book: str) -> None:
    other = f"a{book[1:]}-other"
    program("book", "create", other)
    for words in (("sla",), ("worklist",), ("history", "x")):
        answer = program(*words, "--book", book)
        assert f"the book {book} is empty; there is also: " in answer.err
        assert "(--book, LEDGER_BOOK)" in answer.err
        assert answer.code == (2 if words[0] == "history" else 0)


def test_a_department_without_work_is_told_which_have_some(
    program: Program, database: Database, settings: Settings, book: str, complaint_id: UUID
) -> None:
    nobody = program("worklist", "--department", "retail", "--book", book)
    assert "the department retail has no open complaint, nor has any other" in nobody.err
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        ledger.handle(
            ask.AssignComplaint(
                complaint_id=complaint_id,
                department="Retail Lending",
                assignee="xd0013",
                assigned_by="li.na",
                assigned_at=RECEIVED_AT + timedelta(hours=31),
            ),
            principal="test",
        )
    some = program("worklist", "--department", "retail", "--book", book)
    assert some.err.endswith("these have (write the whole name): Retail Lending\n")
    other = program("worklist", "--department", "Retail Lending", "--assignee", "nobody", "--book", book)
    assert "the department Retail Lending has open complaints, but nobody has none of them" in other.err


def line(version: int, **changes: Any) -> Line:
    """A fact of a demo or an import: recorded long after it happened."""
    told = Line(
        *(version, 100 + version, "complaint-closed", RECEIVED_AT, datetime.now(UTC), "li.na"),
        *("demo", "make-up-complaint", {}, None, None),
    )
    return told._replace(**changes)


@pytest.mark.parametrize(
    ("second", "at_once"),
    [
        ({}, True),
        ({"recorded_by": "li.na"}, False),
        ({"command": "close-complaint"}, False),
        ({"position": 103}, False),
    ],
)
def test_in_one_go_is_one_principal_one_command_and_nothing_between(second: dict[str, Any], at_once: bool) -> None:
    lines = (line(1), line(2, **second))
    history = History("demo", uuid4(), 200, lines, None)
    told = list(telling.told(history, lines, built_in_calendars()["china"], KnownTables()))
    assert any("in one go" in str(part) for part in told) is at_once


def test_the_environment_says_where_unless_the_command_line_does(
    settings: Settings, book: str, complaint_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complaint_id
    monkeypatch.setenv("LEDGER_DATA", str(settings.data))
    monkeypatch.setenv("LEDGER_BOOK", book)
    assert run_within("verify", "--json").json["book"] == book
    assert run_within("verify", "--book", "missing").code == 2


def test_migrate_says_that_there_is_nothing_to_do(program: Program, book: str) -> None:
    assert program("migrate", "--book", book, "--json").json == {"applied": [], "book": book, "book_opened": False}


class Served:
    """A server of the program's own, as its lines come out."""

    def __init__(self, *words: str | Path) -> None:
        self.process = subprocess.Popen(
            command_line("serve", "--port", "0", *words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.lines: list[str] = []
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("  http://") and "/worklist" in line:
                break
        self.address = self.lines[-1].split()[0].removesuffix("/worklist")

    def get(self, path: str, token: str = "") -> Any:
        asked = urllib.request.Request(
            self.address + path, headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=40)
        finally:
            self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_answers_and_ends_cleanly(
    settings: Settings, book: str, complaint_id: UUID, number: signal.Signals
) -> None:
    words = ("--role", "internal-auditor", "--name", "chen.shen", "--data", settings.data, "--book", book)
    token = run_within("token", "issue", *words).out.strip()
    served = Served("--data", settings.data, "--book", book)
    try:
        assert served.get("/book", token)["book"] == book
        assert served.get(f"/complaints/{complaint_id}", token)["version"] == 3
    finally:
        code = served.end(number)
    assert code == 0


def test_two_servers_of_one_book_keep_its_time_once(
    settings: Settings, database: Database, book: str, complaint_id: UUID
) -> None:
    assert complaint_id
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as auditor:

        def misses() -> int:
            return sum(row.name == "deadline-missed" for row in events_after(auditor, book, 3, 99))

        served = [Served("--data", settings.data, "--book", book) for _ in range(2)]
        try:
            until = time.monotonic() + 60
            while misses() < 2 and time.monotonic() < until:
                time.sleep(0.1)
            for each in served:
                with suppress(urllib.error.HTTPError):  # it answers, if only that nobody said who he is
                    each.get("/health")
        finally:
            codes = [each.end(signal.SIGTERM) for each in served]
        assert codes == [0, 0]
        assert misses() == 2


def test_a_port_that_is_taken_is_said_before_anything_is_started(program: Program, book: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        answer = program("serve", "--port", str(taken.getsockname()[1]), "--book", book)
    assert (answer.code, answer.out) == (2, "")
    assert answer.complaint.endswith("name another with --port")


def test_an_import_opens_main_on_our_own_server_and_no_other_book(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text(f"{EIGHTEEN}\n{ROW_18}\n", encoding="utf-8")
    mistyped = run("import", "cfpb", file, "--book", "mian", "--data", folder / "data")
    assert (mistyped.code, mistyped.out) == (2, "")
    assert mistyped.complaint.startswith("there is no book 'mian' here: make it with")
    answer = run("import", "cfpb", file, "--data", folder / "data")
    assert answer.code == 0
    assert answer.out == "1 row: 1 recorded in the book main, 0 already there, 0 rejected\n"
    assert [each["book"] for each in run("book", "list", "--data", folder / "data", "--json").json] == ["main"]


def test_serve_opens_no_book_for_a_mistyped_name(program: Program, book: str) -> None:
    answer = program("serve", "--port", "0", "--book", f"{book}-mistyped")
    assert (answer.code, answer.out) == (2, "")
    assert answer.complaint == program("verify", "--book", f"{book}-mistyped").complaint


def every_command(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*path, name))
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield (*path, name), command


COMMANDS = dict(every_command(typer.main.get_command(app)))


def test_the_commands_that_everybody_starts_with_are_there() -> None:
    assert {" ".join(path) for path in COMMANDS} >= {
        *(
            "serve",
            "demo",
            "migrate",
            "import cfpb",
            "sla",
            "history",
            "worklist",
            "verify",
            "book create",
            "book list",
        ),
        *(f"projections {name}" for name in ("status", "catch-up", "rebuild", "drop", "compare", "seal", "check-seal")),
        "timekeeper run",
    }


NOT_NEEDED = {
    "regime check": {"--database", "--data", "--book"},  # reads the file that it is given, and no book
    "calendar check": {"--database", "--data", "--book"},  # as above
    "witness serve": {"--database", "--data", "--book"},  # runs on a machine of the auditor's, beside no ledger
    "token issue": {"--database"},  # signs with the keys in --data
    "book succeed": {"--book"},  # is told both books by name
    "backup": {"--book"},  # copies the server, with every book in it
}
"""Where an option would do nothing, there is none."""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_where_it_works(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--database", "--data", "--book"} - NOT_NEEDED.get(" ".join(path), set()) <= options
    assert "--json" in options or path[-1] == "serve"
    assert command.help
    undocumented = [parameter.name for parameter in command.params if not parameter.help and parameter.name != "help"]
    assert not undocumented


def test_every_fact_has_its_sentence() -> None:
    assert set(SENTENCES) == set(COMPLAINT_NAMES)
    assert set(PASSING) == set(TIMEKEEPING_NAMES)


def test_everything_that_is_to_be_done_is_said_in_both_languages() -> None:
    belongs = {slug for slug, _ in (*pending.BEGINS.values(), *pending.ENDS.values())}
    assert {*belongs, *pending.HANDLING, *(slug for slugs in pending.DONE_BY.values() for slug in slugs)} <= set(DEEDS)
    assert {"close", "archive", "reassign"} <= set(DEEDS)


def test_starting_needs_no_database() -> None:
    answer = run("--help")
    assert answer.code == 0
    assert "worklist" in answer.out


def test_a_book_is_joined_to_its_keys_once(program: Program, database: Database, book: str) -> None:
    assert program("migrate", "--join-keys", "--book", book).code == 0
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("UPDATE ledger.book SET keys_mark = repeat('a', 64) WHERE book = %s", (book,))
    refused = program("migrate", "--join-keys", "--book", book)
    assert refused.code == 2
    assert "belongs to other keys" in refused.err


def test_what_a_newcomer_mistypes_is_met_with_what_there_is(program: Program, book: str) -> None:
    nowhere = program("verify", "--book", "nosuch")
    assert nowhere.code == 2
    assert "there is: " in nowhere.complaint
    assert program("book", "list", "--book", "nosuch").code == 2
    two = program("book", "create", f"{book}-a", "--book", f"{book}-b")
    assert (two.code, "two names" in two.complaint) == (2, True)


def test_whoever_checks_an_empty_book_is_told_of_others(program: Program, book: str) -> None:
    for words in (("verify",), ("projections", "compare", "worklist")):
        answer = program(*words, "--book", book)
        assert answer.code == 0
        assert f"the book {book} is empty" in answer.err
    program("book", "create", f"{book}-founded")
    answer = program("verify", "--book", f"{book}-founded")
    (events,) = re.findall(r"is whole: (\d+) events", answer.out)
    assert f"holds nothing but the {events} events of its own founding, and no complaint; there is also: " in answer.err


def test_a_projection_of_a_book_that_was_tampered_with_sends_to_verify(
    program: Program, database: Database, book: str, complaint_id: UUID
) -> None:
    assert complaint_id
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger.event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE ledger.event SET recorded_at = recorded_at + interval '1 microsecond' WHERE book = %s AND position = 2",
            (book,),
        )
        cursor.execute("ALTER TABLE ledger.event ENABLE TRIGGER USER")
    answer = program("projections", "compare", "worklist", "--book", book)
    assert answer.code == 1
    assert f"complaint-ledger verify --book {book}" in answer.complaint
    assert "Install a program" not in answer.complaint


def test_what_has_no_limit_that_runs_is_said_to_stand_last(
    program: Program, settings: Settings, database: Database, book: str, complaint_id: UUID
) -> None:
    """The same complaint, told and reopened: nothing begins to run by it."""
    at = RECEIVED_AT + timedelta(hours=31)
    common = {"complaint_id": complaint_id}
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        for command in (
            ask.ResolveComplaint(
                **common, resolution_id=uuid4(), outcome="upheld", reasons="x", resolved_by="li.na", resolved_at=at
            ),
            ask.SendReply(**common, reply_id=uuid4(), channel="phone", content="x", sent_by="li.na", sent_at=at),
            ask.ReopenComplaint(**common, reason="x", new_facts=False, reopened_by="li.na", reopened_at=at),
        ):
            ledger.handle(command, principal="test")
    listed = program("worklist", "--book", book)
    (task,) = program("worklist", "--book", book, "--json").json["complaints"]
    assert task["due_at"] is None
    assert "no limit runs 无时限" in listed.out
    assert "no limit runs for 1 of what is open (1 reopened)" in listed.err
