"""Imports through the real program into a real book: what is counted, what is recorded, and what only once."""

import csv
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.complaint.events import ComplaintReceived
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.proof.checkpoints import latest
from ledger.record.envelope import opened
from ledger.record.reading import events_after
from ledger.settings import Settings
from tests.command.publication import EIGHTEEN, FOURTEEN, ROW_14, ROW_16, ROW_18, SIXTEEN
from tests.command.running import Program

PUBLISHED = sorted((Path(__file__).parents[3] / "shared" / "data" / "cfpb").glob("*.csv"))

Counted = tuple[int, int, int, int]


@pytest.fixture
def importing(program: Program, book: str, tmp_path: Path) -> Callable[..., tuple[Counted, list[dict[str, object]]]]:
    """Imports lines as one file; gives rows, recorded, already, rejected, and the reasons."""

    def run(*lines: str) -> tuple[Counted, list[dict[str, object]]]:
        file = tmp_path / "complaints.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        answer = program("import", "cfpb", file, "--book", book, "--json")
        counted = answer.json
        assert answer.code == (1 if counted["rejected"] else 0), answer.err
        return (counted["rows"], counted["recorded"], counted["already"], counted["rejected"]), counted["reasons"]

    return run


Importing = Callable[..., tuple[Counted, list[dict[str, object]]]]


def test_the_same_file_again_records_nothing(importing: Importing) -> None:
    assert importing(EIGHTEEN, ROW_18, ROW_18.replace("77", "78"))[0] == (2, 2, 0, 0)
    assert importing(EIGHTEEN, ROW_18, ROW_18.replace("77", "78"))[0] == (2, 0, 2, 0)


def test_the_same_complaint_in_another_column_set_is_already_there(importing: Importing) -> None:
    assert importing(EIGHTEEN, ROW_18)[0] == (1, 1, 0, 0)
    assert importing(SIXTEEN, ROW_16)[0] == (1, 0, 1, 0)


def test_equal_rows_without_an_id_are_as_many_complaints_as_there_are_rows(importing: Importing) -> None:
    assert importing(FOURTEEN, ROW_14, ROW_14)[0] == (2, 2, 0, 0)
    assert importing(FOURTEEN, ROW_14, ROW_14, ROW_14)[0] == (3, 1, 2, 0)


def test_the_same_id_with_other_facts_is_rejected_and_the_first_stays(importing: Importing) -> None:
    other = ROW_18.replace("Closed with explanation", "Closed with monetary relief")
    counted, (reason,) = importing(EIGHTEEN, ROW_18, other)
    assert counted == (2, 1, 0, 1)
    assert reason["line"] == 3
    assert str(reason["reason"]).startswith("this complaint was imported before with other facts")


def test_a_bad_row_is_reported_and_the_good_ones_are_kept(importing: Importing) -> None:
    counted, (reason,) = importing(EIGHTEEN, ROW_18.replace("09/02/2016", "?"), ROW_18)
    assert counted == (2, 1, 0, 1)
    assert (reason["file"], reason["line"]) == ("complaints.csv", 2)


def test_a_control_character_rejects_its_row_only(importing: Importing) -> None:
    tab, delete, good = (ROW_18.replace("Mortgage", f"Mort{each}gage") for each in ("\t", "\x7f", ""))
    counted, reasons = importing(EIGHTEEN, tab, delete, good)
    assert counted == (3, 1, 0, 2)
    assert [each["line"] for each in reasons] == [2, 3]


def test_zeros_before_an_id_do_not_make_another_complaint(importing: Importing) -> None:
    assert importing(EIGHTEEN, ROW_18, ROW_18.replace(",77", ",0077"))[0] == (2, 1, 1, 0)


def test_every_rejected_row_is_told_and_the_first_thousand_are_listed(
    program: Program, book: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("\n".join([EIGHTEEN, *[ROW_18.replace("Phone", "Pigeon")] * 1_003]) + "\n", encoding="utf-8")
    answer = program("import", "cfpb", file, "--book", book, "--json")
    assert answer.code == 1
    assert (answer.json["rejected"], len(answer.json["reasons"]), answer.json["reasons_left_out"]) == (1_003, 1_000, 3)
    told = [line for line in answer.err.splitlines() if line.startswith("bad.csv line ")]
    assert len(told) == 1_003
    assert told[-1] == "bad.csv line 1004: 'Submitted via' is no channel that is known here"


def test_each_complaint_has_a_stream_and_a_customer_of_its_own(
    importing: Importing, database: Database, book: str
) -> None:
    importing(EIGHTEEN, ROW_18, ROW_18.replace("77", "78"))
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        recorded = events_after(connection, book, 0, 100)
        assert latest(connection, book).checkpoint.size == len(recorded), "what was imported is signed"
    rows = [row for row in recorded if row.name != "verifier-key-introduced"]
    assert len(recorded) == len(rows) + 1
    events = [opened(row) for row in rows]
    assert [row.version for row in rows] == [1, 2, 3, 4, 5] * 2
    assert len({row.stream_id for row in rows}) == 2
    customers = {each.event.customer_id for each in events if isinstance(each.event, ComplaintReceived)}
    assert len(customers) == 2
    assert {(each.recorded_by, each.command) for each in events} == {("import.cfpb", "import-complaint")}
    assert not any(b"It is wrong" in row.state for row in rows), "a narrative is personal"


def test_reading_a_file_that_is_no_such_file_says_so(program: Program, book: str, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    answer = program("import", "cfpb", file, "--book", book)
    assert (answer.code, answer.out) == (2, "")
    assert answer.complaint.startswith(f"{file}: it has no column 'Date received'")
    missing = program("import", "cfpb", tmp_path / "none.csv", "--book", book)
    assert missing.code == 2
    assert "is not a file" in missing.complaint


@pytest.mark.skipif(not PUBLISHED, reason="the folder with published rows is not beside this checkout")
def test_the_published_rows(program: Program, book: str) -> None:
    first = program("import", "cfpb", *PUBLISHED, "--book", book, "--json").json
    assert (first["rows"], first["recorded"], first["already"], first["rejected"]) == (3535, 3535, 0, 0)
    assert first["sent_before_received"] == 6
    again = program("import", "cfpb", *PUBLISHED, "--book", book, "--json").json
    assert (again["rows"], again["recorded"], again["already"], again["rejected"]) == (3535, 0, 3535, 0)
    verified = program("verify", "--book", book, "--json")
    assert verified.code == 0
    assert verified.json["ok"]
    compared = program("projections", "compare", "--book", book, "--json")
    assert [(each["name"], each["ok"]) for each in compared.json] == [
        ("sla", True),
        ("history", True),
        ("worklist", True),
        ("timeline", True),
        ("duties", True),
        ("timekeeper", True),
        ("indicators", True),
        ("returns", True),
        ("permissions", True),
    ]


MEASURE = """
import resource, sys
from api.command.main import run
try:
    run()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.long
def test_memory_does_not_grow_with_the_file(settings: Settings, new_book: Callable[[], str], tmp_path: Path) -> None:
    peaks_kib = []
    for rows in (2_000, 40_000):
        file = tmp_path / f"{rows}.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(FOURTEEN.split(","))
            writer.writerows([*ROW_14.split(",")[:6], "VA", str(n), *ROW_14.split(",")[8:]] for n in range(rows))
        words = ["import", "cfpb", str(file), "--book", new_book(), "--data", str(settings.data), "--json"]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *words], capture_output=True, text=True, timeout=600, check=True
        )
        peaks_kib.append(int(done.stderr.split()[-1]))
    assert peaks_kib[1] < peaks_kib[0] + 20 * 1024, peaks_kib
