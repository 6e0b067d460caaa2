"""`indicators` and `report drill` as a person types them."""

from datetime import datetime
from uuid import uuid4

from ledger.database.target import Database
from tests.command.running import Program, run
from tests.projections.stories import first_reply, received, record, shanghai


def test_a_number_is_printed_explained_and_opened(program: Program, database: Database, book: str) -> None:
    one, other = uuid4(), uuid4()
    at = shanghai("2026-01-05T10:00")
    record(
        database,
        book,
        [
            (one, received(one, at, product="loan")),
            (other, received(other, at)),
            (one, first_reply(one, datetime.fromisoformat("2026-01-05T12:00+08:00"))),
        ],
    )
    days = ("--from", "2026-01-01", "--to", "2026-01-31", "--book", book)
    printed = program("indicators", "first-reply-time", *days)
    assert printed.code == 0, printed.err
    assert "2.0" in printed.out
    assert "Complaints received 投诉量" in program("indicators", *days).out
    (figure,) = program("indicators", "received", "--json", *days).json["figures"]
    assert (figure["value"], figure["unit"]) == (2, "complaints")
    opened = program("report", "drill", figure["cases_at"], "--book", book, "--json").json
    assert {each["complaint_id"] for each in opened["cases"]} == {str(one), str(other)}
    assert "first-reply-sent@3" in program("report", "drill", figure["cases_at"], "--book", book).out
    assert "Loan 贷款" in program("indicators", "received", "--by", "product", *days).out


def test_explaining_prints_the_definition_and_what_cannot_be_computed() -> None:
    explained = run("indicators", "explain", "repeat-rate").out
    assert "Same customer:" in explained
    assert "PARTITION BY person" in explained
    assert "Retention of customers 客户留存率" in run("indicators", "explain").out


def test_what_there_is_not_is_said(program: Program, book: str) -> None:
    answer = program("indicators", "nonsense", "--book", book)
    assert answer.code == 2
    assert answer.complaint.startswith("There is no indicator nonsense. There are: archiving-rate")
    assert program("report", "drill", "nonsense", "--book", book).code == 2
    assert program("indicators", "received", "--from", "2026-02-01", "--to", "2026-01-01", "--book", book).code == 2
