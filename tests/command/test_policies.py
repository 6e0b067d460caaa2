"""The policies of a book from the command line: published, listed, put in force; and what a new book begins with."""

from contextlib import closing

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import BUILT_IN
from ledger.record.envelope import opened
from ledger.record.reading import events_after, head
from tests.command.running import Program

FOUNDED = len(BUILT_IN) + len(built_in_calendars())
"""The events of a new book: every built-in regime and calendar, published in full."""


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
    assert program("book", "create", f"{book}-q", "--in-force", "mars").complaint.startswith(
        "no regime 'mars' is built in: name any of house, "
    )


def test_a_book_without_policies_gets_them_when_it_is_opened_again(
    program: Program, database: Database, book: str
) -> None:
    assert program("book", "create", book, "--json").json == {
        "book": book,
        "origin": f"{_origin(database, book)}",
        "events": FOUNDED,
        "opened": False,
    }


def _origin(database: Database, book: str) -> str:
    with closing(database.connect(Role.APPLICATION)) as connection:
        return head(connection, book).origin
