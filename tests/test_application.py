"""A command in, a receipt out: the ledger of one book with the real rules, record, vault and database."""

import base64
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ledger.application import (
    BulkRequest,
    ExpectedVersionStale,
    IdempotencyKeyReused,
    KeysOfAnotherBook,
    Ledger,
    Receipt,
    SubjectBusy,
    as_given,
)
from ledger.command import Command
from ledger.complaint.commands import (
    ClassifyComplaint,
    GradeComplaint,
    NoteContact,
    ReceiveComplaint,
    RegisterComplaint,
    SendFirstReply,
)
from ledger.complaint.events import ComplaintClassified, ComplaintReceived, Grade
from ledger.complaint.refusals import ComplaintNotFound, InTheFuture
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Personal
from ledger.record import reading
from ledger.record.envelope import opened
from ledger.refusal import Refusal
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from ledger.vault.sealing import open_disclosure

SECRET_TEXT = "理财产品收益未达到预期，请尽快答复我"
SECRET_NAME = "欧阳测试甲"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as keys:
        yield keys


@pytest.fixture
def ledger(database: Database, book: str, keys: SubjectKeys) -> Iterator[Ledger]:
    with closing(Ledger(database, book, keys)) as ledger:
        yield ledger


def receive(complaint_id: UUID | None = None) -> ReceiveComplaint:
    return ReceiveComplaint(
        complaint_id=complaint_id or uuid4(),
        customer_id=uuid4(),
        received_at=datetime.now(UTC) - timedelta(hours=1),
        received_by="li.wei",
        channel="phone",
        customer_name=SECRET_NAME,
        content=SECRET_TEXT,
    )


def contact(complaint_id: UUID, content: str = "来电") -> NoteContact:
    return NoteContact(
        complaint_id=complaint_id,
        channel="phone",
        direction="inbound",
        content=content,
        noted_by="li.wei",
        occurred_at=datetime.now(UTC) - timedelta(minutes=5),
    )


def rows(database: Database, book: str) -> list[reading.StoredRow]:
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        return reading.events_after(connection, book, 0, 10_000)


def test_a_command_becomes_events_and_a_receipt(ledger: Ledger, database: Database, book: str) -> None:
    command = receive()
    receipt = ledger.handle(command, principal="li.wei")
    [row] = rows(database, book)
    envelope = opened(row)
    assert (receipt.book, receipt.stream_id, receipt.version) == (book, command.complaint_id, 1)
    assert (receipt.first_position, receipt.last_position, receipt.tree_size) == (1, 1, 1)
    assert (envelope.recorded_by, envelope.command) == ("li.wei", "receive-complaint")
    assert ledger.complaint(command.complaint_id).version == 1
    assert not receipt.replayed


def test_a_retry_gets_the_first_receipt_whatever_has_happened_since(
    ledger: Ledger, database: Database, book: str
) -> None:
    command = receive()
    first = ledger.handle(command, principal="li.wei", key="k1")
    ledger.handle(contact(command.complaint_id), principal="li.wei")
    again = command.model_copy(update={"complaint_id": uuid4(), "customer_id": uuid4()})  # made anew for the retry
    second = ledger.handle(again, principal="li.wei", key="k1")
    assert (second.replayed, second.stream_id, second.last_position) == (True, first.stream_id, first.last_position)
    assert second.root == first.root
    with pytest.raises(IdempotencyKeyReused):
        ledger.handle(receive(), principal="li.wei", key="k1")
    assert len(rows(database, book)) == 2


def test_the_look_at_the_key_comes_before_the_expected_version(ledger: Ledger) -> None:
    command = receive()
    ledger.handle(command, principal="li.wei")
    first = ledger.handle(
        contact(command.complaint_id, "一"), principal="li.wei", key="k", given=b"1", expected_version=1
    )
    again = ledger.handle(
        contact(command.complaint_id, "一"), principal="li.wei", key="k", given=b"1", expected_version=1
    )
    assert again.replayed
    assert again.version == first.version == 2


def test_a_stale_version_is_refused_and_leaves_nothing(ledger: Ledger, database: Database, book: str) -> None:
    command = receive()
    ledger.handle(command, principal="li.wei")
    with pytest.raises(ExpectedVersionStale) as refused:
        ledger.handle(contact(command.complaint_id), principal="li.wei", expected_version=7)
    assert (refused.value.version, refused.value.expected_version) == (1, 7)
    assert len(rows(database, book)) == 1


def test_a_version_of_what_is_not_there_is_no_stale_one(ledger: Ledger, database: Database, book: str) -> None:
    command = receive()
    with pytest.raises(ComplaintNotFound):
        ledger.handle(contact(command.complaint_id), principal="li.wei", expected_version=1)
    with pytest.raises(ExpectedVersionStale):
        ledger.handle(command, principal="li.wei", expected_version=1)
    assert rows(database, book) == []


def test_refusals_are_not_remembered(ledger: Ledger, database: Database, book: str) -> None:
    command = receive()
    early = command.model_copy(update={"received_at": datetime.now(UTC) + timedelta(hours=1)})
    with pytest.raises(InTheFuture):
        ledger.handle(early, principal="li.wei", key="k1")
    with pytest.raises(ComplaintNotFound):
        ledger.handle(contact(command.complaint_id), principal="li.wei", key="k1")
    assert ledger.handle(command, principal="li.wei", key="k1").version == 1
    assert len(rows(database, book)) == 1


def test_callers_who_expect_nothing_are_decided_anew(ledger: Ledger, database: Database, book: str) -> None:
    """32 contacts of one complaint at once: all are stored, or refused as busy, and each version once."""
    command = receive()
    ledger.handle(command, principal="li.wei")
    busy: list[SubjectBusy] = []

    def call(number: int) -> None:
        try:
            ledger.handle(contact(command.complaint_id, f"第{number}次"), principal="li.wei")
        except SubjectBusy as refused:
            busy.append(refused)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = [row.version for row in rows(database, book)]
    assert versions == list(range(1, 34 - len(busy)))


def test_one_of_many_who_saw_the_same_version_wins(ledger: Ledger, database: Database, book: str) -> None:
    command = receive()
    ledger.handle(command, principal="li.wei")
    results: list[Receipt | ExpectedVersionStale] = []

    def call(grade: Grade) -> None:
        graded = GradeComplaint(
            complaint_id=command.complaint_id, grade=grade, graded_by="chen.jing", graded_at=datetime.now(UTC)
        )
        try:
            results.append(ledger.handle(graded, principal="chen.jing", expected_version=1))
        except ExpectedVersionStale as refused:
            results.append(refused)

    threads = [threading.Thread(target=call, args=(grade,)) for grade in [Grade.GENERAL, Grade.MAJOR] * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, Receipt) for result in results) == 1
    assert len(rows(database, book)) == 2


def test_personal_values_are_in_the_vault_and_nowhere_else(
    ledger: Ledger, database: Database, book: str, keys: SubjectKeys, settings: Settings
) -> None:
    """In the clear, base64 or escaped: not in the state, not in any file of the server, its log and WAL included."""
    command = receive()
    ledger.handle(command, principal="li.wei")
    [row] = rows(database, book)
    event = opened(row).event
    assert isinstance(event, ComplaintReceived)
    assert event.content is not None
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT subject_id, digest, path, ciphertext FROM ledger.vault_page(%s, 0, 9)", (book,))
        values = {
            path: open_disclosure(bytes(ciphertext), digest, subject, keys).value
            for subject, digest, path, ciphertext in cursor.fetchall()
            if subject == command.customer_id
        }
    assert values == {"customer_name": SECRET_NAME, "content": SECRET_TEXT}
    assert found_in(settings.data, SECRET_TEXT) == []
    assert found_in(settings.data, SECRET_NAME) == []


def test_a_failed_append_leaves_no_personal_value_in_the_log(
    ledger: Ledger, database: Database, settings: Settings
) -> None:
    """The database itself refuses a statement that carries values: its log names the error and shows no value."""
    owner = database.connect(Role.OWNER, autocommit=True)
    with closing(owner), owner.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger.disclosure ADD CONSTRAINT none_today CHECK (path <> 'content') NOT VALID")
        try:
            with pytest.raises(Exception, match="none_today"):
                ledger.handle(receive(), principal="li.wei")
        finally:
            cursor.execute("ALTER TABLE ledger.disclosure DROP CONSTRAINT none_today")
    assert found_in(settings.data, "none_today"), "the log was looked at where the server writes it"
    assert found_in(settings.data, SECRET_TEXT) == []
    assert found_in(settings.data, SECRET_NAME) == []


def found_in(folder: Path, text: str) -> list[Path]:
    """The files that hold the text in UTF-8, as JSON escapes, in hex or in base64 at any of its three offsets."""
    raw = text.encode()
    needles = [raw, text.encode("unicode_escape"), raw.hex().encode()]
    needles += [base64.b64encode(b" " * pad + raw)[4 * pad // 3 + 2 : -4] for pad in range(3)]
    return [
        path for path in folder.rglob("*") if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The two tests above rest on it."""
    for number, planted in enumerate(
        [SECRET_TEXT.encode(), SECRET_TEXT.encode("unicode_escape"), SECRET_TEXT.encode().hex().encode()]
        + [base64.b64encode(b"x" * pad + SECRET_TEXT.encode() + b"tail") for pad in range(6)]
    ):
        (tmp_path / f"{number}").write_bytes(b"before" + planted + b"after")
        assert found_in(tmp_path, SECRET_TEXT) == [tmp_path / f"{number}"], number
        (tmp_path / f"{number}").unlink()


def test_bulk_records_once_and_names_what_differs(ledger: Ledger, database: Database, book: str) -> None:
    def bulk(number: int, given: str = "") -> BulkRequest:
        customer = uuid4()
        received = ComplaintReceived(
            customer_id=customer,
            received_at=datetime(2025, 3, 1, tzinfo=UTC),
            received_by="import",
            channel="web",
            content=Personal.clear(f"第{number}行"),
        )
        classified = ComplaintClassified(
            customer_id=customer,
            scheme="cfpb",
            category="Mortgage",
            classified_by="import",
            classified_at=datetime(2025, 3, 1, tzinfo=UTC),
        )
        return BulkRequest(
            uuid4(), [received, classified], "import", f"row:{number}", f"{number}{given}".encode(), "import"
        )

    first = [result for _, result in ledger.record_in_bulk(bulk(n) for n in range(300))]
    assert [result.last_position for result in first if isinstance(result, Receipt)] == [2 * n + 2 for n in range(300)]
    again = [result for _, result in ledger.record_in_bulk(bulk(n) for n in range(300))]
    assert all(isinstance(result, Receipt) and result.replayed for result in again)
    [(_, other)] = ledger.record_in_bulk([bulk(7, "changed")])
    assert isinstance(other, IdempotencyKeyReused)
    assert len(rows(database, book)) == 600


def test_the_same_key_twice_in_one_chunk_is_recorded_once(ledger: Ledger, database: Database, book: str) -> None:
    received = ComplaintReceived(
        customer_id=uuid4(), received_at=datetime(2025, 3, 1, tzinfo=UTC), received_by="import", channel="web"
    )
    twice = [BulkRequest(uuid4(), [received], "import", "row:1", b"1", "import") for _ in range(2)]
    results = [result for _, result in ledger.record_in_bulk(twice)]
    assert [isinstance(result, Receipt) and result.replayed for result in results] == [False, True]
    assert len(rows(database, book)) == 1


def test_what_was_given_leaves_out_what_the_program_made() -> None:
    one, other = receive(), receive()
    other = other.model_copy(update={"received_at": one.received_at})
    assert as_given(one) == as_given(other)
    assert as_given(one) != as_given(one.model_copy(update={"content": "别的"}))


@pytest.mark.parametrize("command", [ClassifyComplaint, RegisterComplaint, ReceiveComplaint])
def test_every_command_has_a_stable_name(command: type[Command]) -> None:
    assert command.command_name().count("-") == 1


def test_twins_at_the_same_moment_get_one_receipt(
    ledger: Ledger, database: Database, book: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All have looked at the key before any of them decides: with and without an expected version."""
    command = receive()
    ledger.handle(command, principal="li.wei")
    looked = threading.Barrier(8)
    look = ledger._earlier
    first_looks = threading.local()

    def look_together(principal: str, key: str, fingerprint: bytes) -> Receipt | None:
        found = look(principal, key, fingerprint)
        if not getattr(first_looks, "done", False):
            first_looks.done = True
            looked.wait(timeout=30)
        return found

    monkeypatch.setattr(ledger, "_earlier", look_together)
    at = datetime.now(UTC)
    reply = SendFirstReply(complaint_id=command.complaint_id, channel="phone", sent_by="li.wei", sent_at=at)
    grade = GradeComplaint(complaint_id=command.complaint_id, grade=Grade.MAJOR, graded_by="li.wei", graded_at=at)
    for twin, expected in ((reply, None), (grade, 2)):
        results: list[Receipt | Refusal | AssertionError] = []

        def call(
            twin: Command = twin,
            expected: int | None = expected,
            results: list[Receipt | Refusal | AssertionError] = results,
        ) -> None:
            try:
                results.append(
                    ledger.handle(twin, principal="li.wei", key=twin.command_name(), expected_version=expected)
                )
            except (Refusal, AssertionError) as error:
                results.append(error)

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [type(result) for result in results] == [Receipt] * 8, results
        assert len({result.last_position for result in results if isinstance(result, Receipt)}) == 1
    assert [row.version for row in rows(database, book)] == [1, 2, 3]


def test_a_book_is_not_written_with_other_keys(database: Database, book: str, tmp_path: Path) -> None:
    """A lost key store is noticed at the next command, not when a name can't be read years later."""
    with closing(SubjectKeys.open(tmp_path / "first")) as keys:
        for _ in range(2):
            with closing(Ledger(database, book, keys)) as ledger:
                ledger.handle(receive(), principal="li.wei")
    with closing(SubjectKeys.open(tmp_path / "other")) as keys, closing(Ledger(database, book, keys)) as ledger:
        with pytest.raises(KeysOfAnotherBook, match="from its backup"):
            ledger.handle(receive(), principal="li.wei")
        with pytest.raises(KeysOfAnotherBook, match="from its backup"):
            list(ledger.record_in_bulk([]))
    assert len(rows(database, book)) == 2


def test_two_ledgers_share_one_book(database: Database, book: str, keys: SubjectKeys) -> None:
    with closing(Ledger(database, book, keys)) as one, closing(Ledger(database, book, keys)) as other:
        command = receive()
        first = one.handle(command, principal="li.wei", key="k")
        assert other.handle(command, principal="li.wei", key="k").last_position == first.last_position
        assert other.handle(contact(command.complaint_id), principal="li.wei").version == 2


def test_a_state_that_was_kept_is_brought_up_to_date_by_what_others_recorded(
    database: Database, book: str, keys: SubjectKeys
) -> None:
    with closing(Ledger(database, book, keys)) as one, closing(Ledger(database, book, keys)) as other:
        command = receive()
        one.handle(command, principal="li.wei")
        assert one.complaint(command.complaint_id).version == 1
        other.handle(contact(command.complaint_id), principal="li.wei")
        assert one.complaint(command.complaint_id).version == 2
        assert one.handle(contact(command.complaint_id, "第三次"), principal="li.wei").version == 3
        assert other.complaint(command.complaint_id) == one.complaint(command.complaint_id)
