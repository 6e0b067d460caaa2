"""`returns` as a person types it: what is sent is what the book gives, and every wrong word is answered in a sentence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from ledger.database.target import Database
from tests.command.running import Program
from tests.projections.stories import received, record, shanghai

QUARTER = ("--from", "2026-01-01", "--to", "2026-03-31")


@pytest.fixture
def prepared(program: Program, database: Database, book: str, tmp_path: Path) -> Path:
    """The document of a quarter in which one complaint came in."""
    one = uuid4()
    record(database, book, [(one, received(one, shanghai("2026-01-05T10:00")))])
    done = program("returns", "prepare", "jrt-0169", *QUARTER, "--out", tmp_path, "--book", book)
    assert done.code == 0, done.err
    (file,) = tmp_path.glob("*.json")
    return file


def test_only_what_the_book_gives_is_recorded_as_sent(program: Program, book: str, prepared: Path) -> None:
    def send(file: Path, *words: str) -> tuple[int, str]:
        done = program("returns", "send", file, "--by", "li", *words, "--book", book)
        return done.code, done.err

    document = orjson.loads(prepared.read_bytes())
    document["rows"][0]["cells"]["number"] = 999
    forged = prepared.with_name("forged.json")
    forged.write_bytes(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
    code, said = send(forged)
    assert code == 1
    assert "number: 999 is stated, 1 is computed" in said
    judged_at = datetime.fromisoformat(document["judged_at"])
    early = "2026-04-02T10:00:00+08:00"
    assert datetime.fromisoformat(early) < judged_at
    code, said = send(prepared, "--at", early)
    assert code == 1
    assert "was computed only at" in said
    assert program("returns", "list", "--book", book, "--json").json == []
    assert send(prepared)[0] == 0


def test_a_slip_is_answered_in_a_sentence(program: Program, book: str, prepared: Path) -> None:
    def refused(*words: str | Path) -> str:
        done = program("returns", *words, "--book", book)
        assert done.code == 2, done.err
        return done.complaint

    assert "--submission" in refused("acknowledge", prepared, "--submission", "notauuid", "--by", "li")
    said = refused("question", prepared, "ring 13800138000", "--submission", str(uuid4()), "--by", "li")
    assert said.startswith("question: ")
    assert "13800138000" not in said
    assert "--row: give 3 of them" in refused("drill", prepared, "--row", "a")
    assert "--column: write one of number" in refused("drill", prepared, "--column", "nope")
    assert "has no row a / b / c" in refused("drill", prepared, "--row", "a", "--row", "b", "--row", "c")


def test_the_ends_of_time_are_refused(program: Program, book: str, prepared: Path, tmp_path: Path) -> None:
    del prepared  # it is one complaint that is asked about
    for days in (("--from", "0001-01-01", "--to", "0001-01-31"), ("--from", "9999-12-01", "--to", "9999-12-31")):
        for words in (("indicators", "received"), ("returns", "prepare", "jrt-0169", "--out", str(tmp_path))):
            done = program(*words, *days, "--book", book)
            assert done.code in {1, 2}
            assert "is before 1900 or after 8999" in done.complaint
    asked = "from=9999-12-31&to=9999-12-31&as_of=1&now=2026-01-01T00:00:00Z"
    assert "after 8999" in program("report", "drill", f"/figures/received/cases?{asked}", "--book", book).complaint
    assert program("indicators", "received", "--as-of", "0", "--book", book).code == 0
    assert program("returns", "prepare", "jrt-0169", "--as-of", "0", "--out", tmp_path, "--book", book).code == 0


def test_the_calendar_ends_with_1_while_a_return_is_late(program: Program, database: Database, book: str) -> None:
    one = uuid4()
    record(database, book, [(one, received(one, datetime.now(UTC) - timedelta(days=1)))])
    told = program("returns", "calendar", "--book", book)
    assert (told.code, "LATE" in told.out) == (1, True), told.err
    listed = program("returns", "calendar", "--book", book, "--json")
    assert listed.code == 1
    for each in listed.json:
        if each["state"] == "LATE":
            period = ("--from", each["begins_on"], "--to", each["ends_on"], "--receiver", each["receiver"])
            later = ("--on", "2999-12-31", "--source", "letter", "--by", "li", "--book", book)
            assert program("returns", "due", each["name"], *period, *later).code == 0
    listed = program("returns", "calendar", "--book", book, "--json")
    assert (listed.code, {each["state"] for each in listed.json}) == (0, {"due", "running"})


def test_a_door_that_was_not_opened_is_told(program: Program, book: str, prepared: Path) -> None:
    del prepared  # the book is there
    done = program("regulator", "publish", "zzz", "--book", book)
    assert (done.code, done.complaint) == (2, "no door was opened for zzz: run `complaint-ledger regulator open zzz`")
