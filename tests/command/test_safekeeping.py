"""`backup`, `restore` and its rehearsal, with the program itself: what comes back is whole, and what is lost is told."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.command.safekeeping import held_against
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.record.growing import Signed
from ledger.record.problems import Kind
from ledger.record.reading import head
from ledger.record.verify import verify
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.command.running import run_within as run


def receive(data: Path, times: int) -> None:
    settings = Settings(data=data)
    with (
        open_database(settings) as database,
        closing(SubjectKeys.open(settings.keys)) as keys,
        closing(Ledger(database, "main", keys)) as ledger,
    ):
        for _ in range(times):
            ledger.handle(received(), principal="li.wei")


def received() -> complaint.ReceiveComplaint:
    asked = {"received_by": "li.wei", "channel": "phone", "content": "账户被错误冻结。", "customer_name": "张伟"}
    return complaint.ReceiveComplaint.model_validate(
        {"complaint_id": uuid4(), "customer_id": uuid4(), "received_at": datetime.now(UTC), **asked}
    )


def backed_up(make_folder: Callable[[], Path], backup: Path) -> tuple[Path, Any]:
    """A place with three complaints in it, and what was told of its backup."""
    data = make_folder() / "data"
    assert run("migrate", "--data", data).code == 0
    receive(data, 3)
    made = run("backup", backup, "--data", data, "--json")
    assert made.code == 0, made.err
    (book,) = made.json["books"]
    return data, book


def test_what_is_backed_up_comes_back_whole_in_a_rehearsal(make_folder: Callable[[], Path], tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    data, book = backed_up(make_folder, backup)
    assert (backup / "database.dump").stat().st_mode & 0o077 == 0
    assert "张伟".encode() not in (backup / "database.dump").read_bytes()
    rehearsed = run("restore", backup, "--rehearse", "--data", data, "--json")
    assert rehearsed.code == 0, rehearsed.err
    (found,) = rehearsed.json["books"]
    assert (found["ok"], found["events"], found["root"]) == (True, book["events"], book["root"])
    assert found["problems"] == []
    assert not list(data.parent.glob("rehearsal-*"))


def test_a_file_that_is_not_the_one_that_was_written_is_not_loaded(tmp_path: Path) -> None:
    for content, noted, says in (
        (b"dump", {"sha256": sha256(b"dumb").hexdigest(), "books": []}, "not the file that was written"),
        (b"dump", {"books": []}, "not the file that was written"),
        (b"dump", {"sha256": sha256(b"dump").hexdigest(), "books": [{"book": "main"}]}, "cannot be read"),
    ):
        (tmp_path / "database.dump").write_bytes(content)
        (tmp_path / "backup.json").write_text(json.dumps(noted))
        refused = run("restore", tmp_path, "--data", tmp_path / "data")
        assert refused.code == 1
        assert says in refused.complaint


def test_a_book_is_held_against_the_root_that_was_noted_and_not_its_size_alone(
    database: Database, book: str, tmp_path: Path
) -> None:
    with closing(SubjectKeys.open(tmp_path / "keys")) as keys, closing(Ledger(database, book, keys)) as ledger:
        ledger.handle(received(), principal="li.wei")
        with closing(database.connect(Role.APPLICATION)) as connection:
            end = head(connection, book)
        ledger.handle(received(), principal="li.wei")
    assert verify(database, book, signed=held_against([Signed(end.size, end.root, "noted")])).ok
    other = verify(database, book, signed=held_against([Signed(end.size, sha256(b"other").digest(), "noted")]))
    more = verify(database, book, signed=held_against([Signed(end.size + 9, end.root, "noted")]))
    assert [each.kind for found in (other, more) for each in found.problems] == [Kind.CHECKPOINT] * 2


@pytest.mark.long
def test_what_is_restored_elsewhere_verifies_and_nothing_is_written_over(
    make_folder: Callable[[], Path], tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    data, book = backed_up(make_folder, backup)
    assert run("backup", backup, "--data", data).code == 2, "never over another one"
    refused = run("restore", backup, "--data", data)
    assert refused.code == 1
    assert "restore into an empty one" in refused.complaint
    elsewhere = make_folder() / "data"
    restored = run("restore", backup, "--data", elsewhere, "--json")
    assert restored.code == 0, restored.err
    assert restored.json["books"][0]["root"] == book["root"]
    assert run("verify", "--data", elsewhere).code == 0
