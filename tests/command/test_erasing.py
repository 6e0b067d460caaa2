"""`erase`: what waits, what is due, and whose retention is over, as somebody on the machine asks it."""

from contextlib import closing
from uuid import UUID

import pytest

from ledger.application import Ledger
from ledger.database.target import Database
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.access.conftest import approve, ask_to_erase, receive
from tests.access.test_erasure import old_and_closed
from tests.command.running import Program


@pytest.fixture
def customers(database: Database, settings: Settings, book: str) -> dict[str, UUID]:
    """One who may be erased, one who waits for an approval and for an open complaint, and one for whom nobody asked."""
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        found = {
            "due": old_and_closed(ledger)[1],
            "waiting": receive(ledger)[1],
            "ended": old_and_closed(ledger)[1],
        }
        ask_to_erase(ledger, found["due"], ground="consent-withdrawn")
        approve(ledger, found["due"])
        ask_to_erase(ledger, found["waiting"])
    return found


def test_what_waits_is_listed_and_what_is_due_is_erased(
    program: Program, book: str, customers: dict[str, UUID]
) -> None:
    at = ("--book", book)
    due, waits = program("erase", "waiting", *at, "--json").json["waiting"]
    assert (due["subject_id"], due["waits_for"], due["ground_en"]) == (
        str(customers["due"]),
        [],
        "The person withdrew consent",
    )
    assert (waits["subject_id"], waits["waits_for"]) == (
        str(customers["waiting"]),
        ["approval", "open-complaint", "retention"],
    )
    listed = program("erase", "waiting", *at).out
    assert "本人撤回同意" in listed
    assert "approval 审批, open complaint 投诉未结, retention 保存期限" in listed
    page = program("erase", "waiting", "--limit", "1", *at)
    assert f"--after {due['position']}" in page.err

    done = program("erase", "due", *at)
    assert done.code == 0
    assert done.out.startswith(f"erased {customers['due']}: ")
    assert program("erase", "due", *at).out == "nothing was due\n"
    (left,) = program("erase", "waiting", *at, "--json").json["waiting"]
    assert left["subject_id"] == str(customers["waiting"])

    ended = program("erase", "ended", *at, "--json").json
    assert [each["subject_id"] for each in ended["ended"]] == [str(customers["ended"])]
    assert (ended["looked_at"], ended["next_after"]) == (2, None)
    assert str(customers["ended"]) in program("erase", "ended", *at).out
