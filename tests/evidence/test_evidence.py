"""Files of evidence: what goes in comes out, what is stored shows nothing, and what is changed is seen."""

import hashlib
import secrets
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from psycopg2.errors import InsufficientPrivilege

from ledger.access.commands import SeeEvidenceFile
from ledger.application import Ledger
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.evidence import refusals as no
from ledger.evidence.kinds import BEGINNINGS, begins_as
from ledger.evidence.store import PIECE_BYTES, EvidenceStore, FileBroken, Whole
from ledger.record.book import create_book
from ledger.refusal import Refusal
from ledger.vault.keys import SubjectErased, SubjectKeys

COMPLAINT, SUBJECT = uuid4(), uuid4()
HEADS = {
    "application/pdf": b"%PDF-1.7\n",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "audio/wav": b"RIFF\x00\x00\x00\x00WAVE",
    "text/plain": "年费多收了一次。".encode(),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path_factory.mktemp("keys"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def book_of_files(database: Database) -> str:
    name = f"test-{secrets.token_hex(6)}"
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, name)
    return name


@pytest.fixture(scope="module")
def ledger(database: Database, keys: SubjectKeys, book_of_files: str) -> Iterator[Ledger]:
    with closing(Ledger(database, book_of_files, keys)) as opened:
        yield opened


@pytest.fixture(scope="module")
def looked(ledger: Ledger) -> Callable[[Whole], int]:
    """Records a look at a file, as the vault's service does, and gives its position."""

    def look(whole: Whole) -> int:
        seen = SeeEvidenceFile(
            subject_id=whole.file.subject_id,
            complaint_id=whole.file.complaint_id,
            file_id=whole.file.file_id,
            file_digest=whole.file.digest,
            purpose="handling",
            seen_by="li.na",
        )
        position = ledger.handle(seen, principal="li.na").last_position
        assert position is not None
        return position

    return look


@pytest.fixture
def store(database: Database, keys: SubjectKeys, book_of_files: str) -> Iterator[EvidenceStore]:
    pools = [Pool(lambda role=role: database.connect(role, autocommit=True)) for role in (Role.APPLICATION, Role.VAULT)]
    with closing(EvidenceStore(book_of_files, keys, *pools, bytes_max=5 * PIECE_BYTES)) as made:
        yield made


def taken_in(store: EvidenceStore, *parts: bytes, kind: str = "application/pdf", subject: UUID = SUBJECT) -> Whole:
    intake = store.begin(COMPLAINT, subject, kind)
    for part in parts:
        intake.add(part)
    return store.find(COMPLAINT, intake.end().file_id)


@pytest.mark.parametrize("size", [1, 15, PIECE_BYTES - 17, PIECE_BYTES - 16, PIECE_BYTES - 15, 2 * PIECE_BYTES + 5])
@pytest.mark.parametrize("part_bytes", [700_001, 65_536])
def test_what_goes_in_comes_out(
    store: EvidenceStore, looked: Callable[[Whole], int], size: int, part_bytes: int
) -> None:
    content = HEADS["application/pdf"] + secrets.token_bytes(size)
    whole = taken_in(store, *(content[at : at + part_bytes] for at in range(0, len(content), part_bytes)))
    salt, pieces = store.open(whole, looked(whole))
    assert b"".join(pieces) == content
    assert whole.file.size_bytes == len(content)
    assert whole.file.digest == hashlib.sha256(salt + content).hexdigest() != hashlib.sha256(content).hexdigest()


def test_the_same_letter_has_another_digest_each_time(store: EvidenceStore) -> None:
    one, other = (taken_in(store, HEADS["text/plain"], kind="text/plain") for _ in range(2))
    assert one.file.digest != other.file.digest


def test_what_is_stored_shows_nothing(store: EvidenceStore, database: Database, book_of_files: str) -> None:
    content = HEADS["application/pdf"] + b"6222020200112233445" * 100_000
    whole = taken_in(store, content)
    with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
        cursor.execute(
            "SELECT ciphertext FROM ledger.evidence_piece WHERE book = %s AND file_id = %s",
            (book_of_files, str(whole.file.file_id)),
        )
        stored = [bytes(row[0]) for row in cursor.fetchall()]
    assert len(stored) == whole.pieces == 2
    assert all(b"62220202" not in piece and b"%PDF-1.7" not in piece for piece in stored)


def test_a_recording_costs_the_memory_of_a_few_pieces(store: EvidenceStore, looked: Callable[[Whole], int]) -> None:
    tracemalloc.start()
    try:
        intake = store.begin(COMPLAINT, SUBJECT, "audio/wav")
        intake.add(HEADS["audio/wav"])
        part = secrets.token_bytes(65_536)
        for _ in range(70):
            intake.add(part)
        whole = store.find(COMPLAINT, intake.end().file_id)
        assert sum(len(piece) for piece in store.open(whole, looked(whole))[1]) == whole.file.size_bytes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert whole.file.size_bytes > 4 * PIECE_BYTES
    assert peak < 10 * PIECE_BYTES  # a piece, its cipher text, its form in the statement and the answer; not the file


@pytest.mark.parametrize(
    ("kind", "content", "refusal"),
    [
        ("application/x-msdownload", b"MZ\x90", no.ContentTypeNotTaken),
        ("application/pdf", b"MZ\x90\x00", no.ContentIsOfAnotherType),
        ("image/png", HEADS["image/png"][:-1] + b"x" + bytes(600), no.ContentIsOfAnotherType),
        ("text/plain", b"a\x00b", no.ContentIsOfAnotherType),
        ("application/pdf", b"", no.FileEmpty),
        ("application/pdf", b"%PDF-" + bytes(5 * PIECE_BYTES), no.FileTooLarge),
    ],
)
def test_what_is_not_taken(store: EvidenceStore, kind: str, content: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as refused:
        taken_in(store, content, kind=kind)
    assert str(refused.value).endswith(refusal.remedy)


def test_every_kind_that_is_taken_can_be_told_from_a_program() -> None:
    assert not [kind for kind in BEGINNINGS if kind != "text/plain" and begins_as(kind, b"MZ\x90\x00\x03" + bytes(60))]
    assert all(begins_as(kind, head) for kind, head in HEADS.items())


def test_a_file_belongs_to_its_complaint(store: EvidenceStore) -> None:
    whole = taken_in(store, HEADS["application/pdf"])
    with pytest.raises(no.NoSuchFile):
        store.find(uuid4(), whole.file.file_id)
    with pytest.raises(no.NoSuchFile):
        store.find(COMPLAINT, uuid4())


def test_a_file_goes_with_its_subjects_key(
    store: EvidenceStore, keys: SubjectKeys, looked: Callable[[Whole], int]
) -> None:
    erased = uuid4()
    whole = taken_in(store, HEADS["application/pdf"], subject=erased)
    position = looked(whole)
    keys.destroy(erased, datetime.now(UTC))
    with pytest.raises(no.FileErased):
        store.open(whole, position)
    with pytest.raises(SubjectErased):
        store.begin(COMPLAINT, erased, "application/pdf")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger.evidence_piece SET ciphertext = substr(ciphertext, 2) WHERE file_id = %(id)s AND number = 1",
        "DELETE FROM ledger.evidence_piece WHERE file_id = %(id)s AND number = 2",
        "UPDATE ledger.evidence_piece SET number = 3 - number WHERE file_id = %(id)s AND number IN (1, 2)",
        "UPDATE ledger.evidence_file SET pieces = 2 WHERE file_id = %(id)s",
        "UPDATE ledger.evidence_file SET digest = repeat('0', 64) WHERE file_id = %(id)s",
    ],
)
def test_a_changed_file_is_seen(
    store: EvidenceStore, database: Database, looked: Callable[[Whole], int], change: str
) -> None:
    whole = taken_in(store, HEADS["application/pdf"] + secrets.token_bytes(2 * PIECE_BYTES + 9))
    assert whole.pieces == 3
    with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
        if "3 - number" in change:  # swapped by way of a free number: the key of the table allows no other
            for statement in (
                "SET number = 9 WHERE number = 1",
                "SET number = 1 WHERE number = 2",
                "SET number = 2 WHERE number = 9",
            ):
                cursor.execute(
                    f"UPDATE ledger.evidence_piece {statement} AND file_id = %(id)s", {"id": str(whole.file.file_id)}
                )
        else:
            cursor.execute(change, {"id": str(whole.file.file_id)})
        owner.commit()
    again = store.find(COMPLAINT, whole.file.file_id)
    with pytest.raises(FileBroken):
        b"".join(store.open(again, looked(again))[1])


def test_the_application_cannot_read_the_pieces(store: EvidenceStore, database: Database, book_of_files: str) -> None:
    whole = taken_in(store, HEADS["application/pdf"])
    asked = {"book": book_of_files, "id": str(whole.file.file_id)}
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as application, application.cursor() as cursor:
        for statement in (
            "SELECT ledger.evidence_piece_of(%(book)s, %(id)s, 0)",
            "SELECT ledger.evidence_piece_seen(%(book)s, 1, 0)",
            "SELECT * FROM ledger.evidence_piece",
            "DELETE FROM ledger.evidence_file",
        ):
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(statement, asked)


def test_the_vault_reads_a_file_by_a_look_at_that_file_and_in_no_other_way(
    store: EvidenceStore, database: Database, book_of_files: str, looked: Callable[[Whole], int]
) -> None:
    one, other = (taken_in(store, HEADS["application/pdf"]) for _ in range(2))
    position = looked(one)
    assert b"".join(store.open(one, position)[1]) == HEADS["application/pdf"]
    with pytest.raises(FileBroken):  # the pieces of the file that was looked at do not open as those of another
        store.open(other, position)
    with pytest.raises(FileBroken):
        store.open(one, position + 1)
    with (
        closing(database.connect(Role.VAULT, autocommit=True)) as vault,
        vault.cursor() as cursor,
        pytest.raises(InsufficientPrivilege),
    ):
        cursor.execute("SELECT ledger.evidence_piece_of(%s, %s, 0)", (book_of_files, str(one.file.file_id)))


def test_what_was_broken_off_is_swept_away_after_a_day(
    store: EvidenceStore, database: Database, book_of_files: str, looked: Callable[[Whole], int]
) -> None:
    store.sweep()
    whole = taken_in(store, HEADS["application/pdf"] + bytes(PIECE_BYTES))
    for _ in range(2):  # one broken off a day ago, one that may still go on
        store.begin(COMPLAINT, SUBJECT, "application/pdf").add(HEADS["application/pdf"] + bytes(2 * PIECE_BYTES))
    with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
        unfinished = (
            "FROM ledger.evidence_piece AS p WHERE book = %s AND NOT EXISTS "
            "(SELECT FROM ledger.evidence_file AS f WHERE f.book = p.book AND f.file_id = p.file_id)"
        )
        cursor.execute(f"SELECT DISTINCT p.file_id {unfinished}", (book_of_files,))
        old, going_on = (row[0] for row in cursor.fetchall())
        aged = "UPDATE ledger.evidence_piece SET stored_at = stored_at - interval '25 hours' WHERE file_id = ANY (%s::uuid[])"
        cursor.execute(aged, ([old, str(whole.file.file_id)],))
        owner.commit()
        assert store.sweep() == 2
        assert store.sweep() == 0
        cursor.execute(f"SELECT DISTINCT p.file_id {unfinished}", (book_of_files,))
        assert [row[0] for row in cursor.fetchall()] == [going_on]
    assert len(b"".join(store.open(whole, looked(whole))[1])) == whole.file.size_bytes, "what is whole stays"
