"""A verification finds what somebody with full rights on the tables changed, and names where."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg2.errors
import pytest

from ledger.access.events import SubjectErased
from ledger.access.rules import subject_stream
from ledger.complaint.events import ComplaintReceived, ComplaintRegistered, FactCorrected, FirstReplySent
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import DIGEST, Event, Personal
from ledger.names import NAME_OF
from ledger.record import digests, reading
from ledger.record.append import Appender, NewDisclosure, NewEvent, Request
from ledger.record.book import book_id
from ledger.record.digests import DIGEST_CHARACTERS, Digest, UnknownName, digests_of
from ledger.record.envelope import Recorded
from ledger.record.growing import GrowingTree, Signed
from ledger.record.plans import plans
from ledger.record.problems import Found, Kind, Values, Verification
from ledger.record.raw import FIXED, LENGTH, RawRows, instant_at, taken_apart
from ledger.record.reading import NoSuchBook
from ledger.record.tree import Edge, leaf_hash, perfect_levels, tree_root
from ledger.record.verify import verify
from ledger.record.verify_page import Stretch, entry_written
from ledger.record.verify_process import Processes
from ledger.record.verify_rows import RowsInOrder
from ledger.record.verify_serving import Work
from ledger.vault.keys import SubjectKeys
from ledger.vault.sealing import seal_all

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
STREAMS = 8
SEED = 2_026


GUARDED = ("event", "leaves")
"""The tables whose change is refused, until an owner takes the trigger away."""


class Record(NamedTuple):
    """A filled book, and a way to change it behind the program's back."""

    database: Database
    book: str
    keys: SubjectKeys
    appender: Appender

    def verify(self, *, keys: bool = True, events_per_page: int = 7) -> Verification:
        return verify(self.database, self.book, self.keys if keys else None, events_per_page=events_per_page)

    def change(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs a statement as the owner of all tables; `%(book)s` is this book, the values are `%(v0)s` …"""
        connection = self.database.connect(Role.OWNER)
        try:
            with connection, connection.cursor() as cursor:
                named = {"book": self.book, **{f"v{n}": value for n, value in enumerate(values)}}
                cursor.execute("".join(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER;" for table in GUARDED))
                cursor.execute(statement, named)
                rows = cursor.fetchall() if cursor.description else []
                cursor.execute("".join(f"ALTER TABLE ledger.{table} ENABLE TRIGGER USER;" for table in GUARDED))
                return rows
        finally:
            connection.close()

    def append(self, stream_id: UUID, first_version: int, *events: Event) -> list[Event]:
        sealed, disclosures = seal_all(events, self.keys)
        new = [
            NewEvent(
                stream_id, version, NAME_OF[type(event)], Recorded(stream_id, version, event, "li.wei", "test").state()
            )
            for version, event in enumerate(sealed, first_version)
        ]
        values = [
            NewDisclosure(d.event_index, d.digest, d.subject_id, d.path, d.tier, d.ciphertext) for d in disclosures
        ]
        last = first_version + len(new) - 1
        request = Request(new, principal="li.wei", stream_id=stream_id, version=last, disclosures=values)
        (outcome,) = self.appender.append([request])
        assert not isinstance(outcome, Exception)
        assert outcome.kind == "stored"
        return sealed


def received(n: int) -> ComplaintReceived:
    return ComplaintReceived(
        customer_id=UUID(int=1_000 + n, version=4),
        received_at=AT,
        received_by="li.wei",
        channel="telephone",
        customer_name=Personal.clear(f"王小明 {n}"),
        customer_identity_number=Personal.clear(f"11010519491231{n:04}"),
        content=Personal.clear("The queue was two hours long."),
    )


def corrected(first: Event, n: int) -> FactCorrected:
    """The content is new, the name and number keep their digests."""
    assert isinstance(first, ComplaintReceived)
    return FactCorrected(
        customer_id=first.customer_id,
        corrected_version=1,
        name="complaint-received",
        fact=first.model_copy(update={"content": Personal.clear(f"One hour, {n}.")}),
        reason=Personal.clear("misheard"),
        corrected_by="li.wei",
        approved_by="zhang.min",
        corrected_at=AT,
    )


def stream_of(n: int) -> UUID:
    return UUID(bytes=hashlib.sha256(b"stream %d" % n).digest()[:16], version=4)


def fill(record: Record) -> None:
    """Eight complaints of four events each, their corrections at the end of the book."""
    first: list[Event] = []
    for n in range(STREAMS):
        customer = received(n).customer_id
        registered = ComplaintRegistered(
            customer_id=customer, reference=f"2026-{n:06}", registered_at=AT, registered_by="li.wei"
        )
        reply = FirstReplySent(
            customer_id=customer, channel="letter", content=Personal.clear("Thank you."), sent_by="li.wei", sent_at=AT
        )
        first.append(record.append(stream_of(n), 1, received(n), registered, reply)[0])
    for n, event in enumerate(first):
        record.append(stream_of(n), 4, corrected(event, n))


EVENTS = STREAMS * 4


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    keys = SubjectKeys.open(tmp_path / "keys")
    yield keys
    keys.close()


@pytest.fixture
def empty(database: Database, book: str, keys: SubjectKeys) -> Iterator[Record]:
    appender = Appender(lambda: database.connect(Role.APPLICATION, autocommit=True), book)
    yield Record(database, book, keys, appender)
    appender.close()


@pytest.fixture
def record(empty: Record) -> Record:
    fill(empty)
    return empty


def kinds(verification: Verification) -> set[Kind]:
    return {problem.kind for problem in verification.problems}


def places(verification: Verification, kind: Kind) -> list[int | None]:
    return [problem.position for problem in verification.problems if problem.kind is kind]


@pytest.mark.every_postgres
@pytest.mark.parametrize("events_per_page", [1, 7, EVENTS, 5_000])
def test_a_book_left_alone_is_in_order(record: Record, events_per_page: int) -> None:
    connection = record.database.connect(Role.AUDITOR, autocommit=True)
    head = reading.head(connection, record.book)
    connection.close()
    seen: list[tuple[int, int]] = []
    verification = verify(
        record.database,
        record.book,
        record.keys,
        lambda done, size: seen.append((done, size)),
        events_per_page=events_per_page,
    )
    assert verification.problems == ()
    assert verification.ok
    assert (verification.events, verification.root) == (EVENTS, head.root.hex())
    assert seen[-1] == (EVENTS, EVENTS)
    assert seen == sorted(seen)
    assert record.verify(keys=False).ok


def test_an_empty_book_is_in_order(empty: Record) -> None:
    verification = empty.verify()
    assert (verification.ok, verification.events) == (True, 0)
    assert verification.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_book_that_is_not_there_is_named(record: Record) -> None:
    with pytest.raises(NoSuchBook, match="no-such-book"):
        verify(record.database, "no-such-book")


def changed_text(text: str) -> str:
    return text[:-1] + ("a" if text[-1] != "a" else "b")


def changed_byte(value: bytes, place: int) -> bytes:
    return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]


COLUMNS: dict[str, Callable[[Any, random.Random], Any]] = {
    "state": lambda value, chance: changed_byte(bytes(value), chance.randrange(len(value))),
    "name": lambda value, _: changed_text(value),
    "version": lambda value, chance: value + chance.choice([4, 5, 100]),
    "stream_id": lambda value, chance: UUID(int=value.int ^ 1 << chance.randrange(128)),
    "recorded_at": lambda value, _: value.replace(microsecond=value.microsecond ^ 1),
    "position": lambda value, chance: value + chance.choice([EVENTS, 10**15]),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_one_changed_byte_of_any_column_is_found_at_its_position(record: Record, column: str) -> None:
    chance = random.Random(f"{SEED} {column}")
    for position in sorted({1, EVENTS, *chance.sample(range(2, EVENTS), 4)}):
        ((before,),) = record.change(
            f"SELECT {column} FROM ledger.event WHERE book = %(book)s AND position = %(v0)s", position
        )
        after = COLUMNS[column](before, chance)
        update = f"UPDATE ledger.event SET {column} = %(v0)s WHERE book = %(book)s AND position = %(v1)s"
        moved = after if column == "position" else position

        record.change(update, after, position)

        for keys in (True, False):
            verification = record.verify(keys=keys)
            assert not verification.ok
            assert position in {problem.position for problem in verification.problems}
            assert Kind.ROOT in kinds(verification)
        record.change(update, before, moved)
    assert record.verify().ok


def test_the_columns_of_an_event_are_those_that_are_changed_here(record: Record) -> None:
    columns = record.change(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.event'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    # an event in another book is lost to its own, as below
    assert {name for (name,) in columns} == {*COLUMNS, "book"}


@pytest.mark.long
def test_a_campaign_of_changed_bytes(record: Record) -> None:
    chance = random.Random(SEED)
    for _ in range(500):
        column, position = chance.choice(sorted(COLUMNS)), chance.randint(1, EVENTS)
        read = f"SELECT {column} FROM ledger.event WHERE book = %(book)s AND position = %(v0)s"
        update = f"UPDATE ledger.event SET {column} = %(v0)s WHERE book = %(book)s AND position = %(v1)s"
        ((before,),) = record.change(read, position)
        after = COLUMNS[column](before, chance)
        record.change(update, after, position)
        assert position in {problem.position for problem in record.verify().problems}, (column, before, after)
        record.change(update, before, after if column == "position" else position)
    assert record.verify().ok


@pytest.mark.parametrize("position", [1, 7, 8, EVENTS - 1, EVENTS])
def test_a_lost_event_is_found(record: Record, position: int) -> None:
    record.change("DELETE FROM ledger.event WHERE book = %(book)s AND position = %(v0)s", position)
    verification = record.verify()
    assert position in places(verification, Kind.POSITION)
    assert {Kind.ROOT, Kind.STREAM} <= kinds(verification)


def test_an_event_moved_to_another_book_is_found_in_both(record: Record, new_book: Callable[[], str]) -> None:
    other = new_book()
    record.change("UPDATE ledger.event SET book = %(v0)s WHERE book = %(book)s AND position = 5", other)
    assert 5 in places(record.verify(), Kind.POSITION)
    assert not verify(record.database, other).ok


@pytest.mark.parametrize("left", [0, 3, EVENTS - 1])
def test_a_lost_tail_is_found(record: Record, left: int) -> None:
    record.change("DELETE FROM ledger.event WHERE book = %(book)s AND position > %(v0)s", left)
    assert left + 1 in places(record.verify(), Kind.POSITION)


def test_a_lost_tail_is_found_when_its_leaf_hashes_went_too(record: Record) -> None:
    record.change("DELETE FROM ledger.event WHERE book = %(book)s AND position > 24")
    record.change("DELETE FROM ledger.leaves WHERE book = %(book)s AND first_position > 24")
    record.change("DELETE FROM ledger.disclosure WHERE book = %(book)s AND position > 24")
    record.change("UPDATE ledger.stream SET version = 3 WHERE book = %(book)s")
    verification = record.verify()
    assert 25 in places(verification, Kind.POSITION)
    assert {Kind.HEAD, Kind.ROOT} <= kinds(verification)


COPY_OF = """INSERT INTO ledger.event (position, version, recorded_at, stream_id, book, name, state)
SELECT %(v0)s, {version}, recorded_at, stream_id, book, name, state
  FROM ledger.event WHERE book = %(book)s AND position = {of}"""


@pytest.mark.parametrize("position", [-5, 0, EVENTS + 1, EVENTS + 10])
def test_an_inserted_event_outside_the_book_is_found(record: Record, position: int) -> None:
    if position < 1:
        with pytest.raises(Exception, match="positions_count_from_one"):
            record.change(COPY_OF.format(version="version + 50", of=3), position)
        return
    record.change(COPY_OF.format(version="version + 50", of=3), position)
    verification = record.verify()
    assert {Kind.HEAD, Kind.STREAM} <= kinds(verification)
    assert position in places(verification, Kind.HEAD)


def test_an_event_inserted_in_the_past_is_found(record: Record) -> None:
    record.change("UPDATE ledger.event SET position = position + 1000 WHERE book = %(book)s AND position >= 10")
    record.change("UPDATE ledger.event SET position = position - 999 WHERE book = %(book)s AND position >= 1000")
    record.change(COPY_OF.format(version="version + 50", of=9), 10)
    verification = record.verify()
    assert 10 in places(verification, Kind.LEAF)
    assert Kind.ROOT in kinds(verification)


def test_two_events_swapped_are_found(record: Record) -> None:
    for before, after in ((5, 1_000), (6, 5), (1_000, 6)):
        record.change(
            "UPDATE ledger.event SET position = %(v0)s WHERE book = %(book)s AND position = %(v1)s", after, before
        )
    verification = record.verify()
    assert {5, 6} <= set(places(verification, Kind.LEAF))
    assert Kind.TIME in kinds(verification)


@pytest.mark.parametrize(
    "instant", ["infinity", "-infinity", "4713-01-01 00:00:00 BC", "20000-01-01", "1999-12-31 23:59:59.999999"]
)
def test_an_instant_that_no_entry_can_have_is_found(record: Record, instant: str) -> None:
    record.change(
        "UPDATE ledger.event SET recorded_at = %(v0)s::timestamptz WHERE book = %(book)s AND position = 4", instant
    )
    verification = record.verify()
    assert 4 in {problem.position for problem in verification.problems}
    assert Kind.ROOT in kinds(verification)


def test_an_unknown_stored_name_is_said_and_does_not_stop_the_rest(record: Record) -> None:
    record.change("UPDATE ledger.event SET name = 'bank-robbed' WHERE book = %(book)s AND position = 2")
    verification = record.verify()
    assert places(verification, Kind.NAME) == [2]
    assert verification.events == EVENTS


@pytest.mark.parametrize(
    "state",
    [b"", b"\xff", b"{}", b"[]", b"null", b'{"event":[]}', b'{"event":{"content":7}}', b'{"event":{"content":"x"}}'],
)
def test_a_state_that_is_no_event_is_said(record: Record, state: bytes) -> None:
    record.change("UPDATE ledger.event SET state = %(v0)s WHERE book = %(book)s AND position = 1", state)
    verification = record.verify()
    assert 1 in places(verification, Kind.LEAF)
    assert Kind.STATE in kinds(verification) or Kind.VALUE in kinds(verification)


TAMPERED: dict[str, tuple[str, set[Kind]]] = {
    "stream head ahead": (
        "UPDATE ledger.stream SET version = 9 WHERE book = %(book)s AND stream_id = %(v0)s",
        {Kind.STREAM},
    ),
    "stream head behind": (
        "UPDATE ledger.stream SET version = 3 WHERE book = %(book)s AND stream_id = %(v0)s",
        {Kind.STREAM},
    ),
    "stream head lost": ("DELETE FROM ledger.stream WHERE book = %(book)s AND stream_id = %(v0)s", {Kind.STREAM}),
    "stream head renamed": (
        "UPDATE ledger.stream SET stream_id = gen_random_uuid() WHERE book = %(book)s AND stream_id = %(v0)s",
        {Kind.STREAM},
    ),
    "stream of nothing": (
        (
            "INSERT INTO ledger.stream (version, stream_id, book)"
            " VALUES (1, '00000000-0000-0000-0000-000000000000', %(book)s)"
        ),
        {Kind.STREAM},
    ),
    "stream at the very end": (
        (
            "INSERT INTO ledger.stream (version, stream_id, book)"
            " VALUES (1, 'ffffffff-ffff-ffff-ffff-ffffffffffff', %(book)s)"
        ),
        {Kind.STREAM},
    ),
    "leaf hash changed": (
        (
            "UPDATE ledger.leaves SET hashes = set_byte(hashes, 33, get_byte(hashes, 33) # 1)"
            " WHERE book = %(book)s AND first_position = 4"
        ),
        {Kind.LEAF},
    ),
    "leaf hashes lost": ("DELETE FROM ledger.leaves WHERE book = %(book)s AND first_position = 4", {Kind.LEAF}),
    "last leaf hashes lost": (
        "DELETE FROM ledger.leaves WHERE book = %(book)s AND last_position = 32",
        {Kind.LEAF, Kind.HEAD},
    ),
    "leaf hashes of the future": (
        (
            "INSERT INTO ledger.leaves (first_position, last_position, book, hashes)"
            " VALUES (33, 33, %(book)s, sha256('x'))"
        ),
        {Kind.HEAD},
    ),
    "leaf hashes twice": (
        "INSERT INTO ledger.leaves (first_position, last_position, book, hashes) VALUES (5, 5, %(book)s, sha256('x'))",
        {Kind.LEAF},
    ),
    "root changed": ("UPDATE ledger.head SET root = sha256('x') WHERE book = %(book)s", {Kind.ROOT}),
    "edge changed": ("UPDATE ledger.head SET edge[6] = sha256('x') WHERE book = %(book)s", {Kind.ROOT}),
    "edge emptied": ("UPDATE ledger.head SET edge = '{}' WHERE book = %(book)s", {Kind.ROOT}),
    "size smaller": ("UPDATE ledger.head SET size = 31 WHERE book = %(book)s", {Kind.HEAD, Kind.ROOT}),
    "size larger": ("UPDATE ledger.head SET size = 10^15 WHERE book = %(book)s", {Kind.HEAD, Kind.POSITION}),
    "clock of the book moved": (
        "UPDATE ledger.head SET recorded_at = recorded_at - interval '1 microsecond' WHERE book = %(book)s",
        {Kind.HEAD},
    ),
    "clock of the book infinite": (
        "UPDATE ledger.head SET recorded_at = 'infinity' WHERE book = %(book)s",
        {Kind.HEAD},
    ),
    "clock of the book emptied": ("UPDATE ledger.head SET recorded_at = NULL WHERE book = %(book)s", {Kind.HEAD}),
    "end of the book lost": ("DELETE FROM ledger.head WHERE book = %(book)s", {Kind.HEAD}),
    "two ends of the book": (
        "INSERT INTO ledger.head (book, size, root, edge) VALUES (%(book)s, 5, sha256(''), '{}')",
        {Kind.HEAD},
    ),
    "origin changed": ("UPDATE ledger.book SET origin = origin || 'x' WHERE book = %(book)s", {Kind.ROOT, Kind.LEAF}),
    "value lost": (
        "DELETE FROM ledger.disclosure WHERE book = %(book)s AND position = 1 AND path = 'content'",
        {Kind.VALUE},
    ),
    "value that was carried over lost": (
        "DELETE FROM ledger.disclosure WHERE book = %(book)s AND position = 1 AND path = 'customer_name'",
        {Kind.VALUE},
    ),
    "value of another path": (
        (
            "UPDATE ledger.disclosure SET path = 'remedy_wanted'"
            " WHERE book = %(book)s AND position = 1 AND path = 'content'"
        ),
        {Kind.VALUE},
    ),
    "value of another tier": (
        (
            "UPDATE ledger.disclosure SET tier = 'ordinary'"
            " WHERE book = %(book)s AND position = 1 AND path = 'customer_identity_number'"
        ),
        {Kind.VALUE},
    ),
    "value of another subject": (
        (
            "UPDATE ledger.disclosure SET subject_id = gen_random_uuid()"
            " WHERE book = %(book)s AND position = 1 AND path = 'content'"
        ),
        {Kind.VALUE},
    ),
    "value of another position": (
        "UPDATE ledger.disclosure SET position = 2 WHERE book = %(book)s AND position = 1 AND path = 'content'",
        {Kind.VALUE},
    ),
    "value before the book": (
        "UPDATE ledger.disclosure SET position = 0 WHERE book = %(book)s AND position = 1 AND path = 'content'",
        {Kind.VALUE},
    ),
    "value behind the book": (
        "UPDATE ledger.disclosure SET position = 33 WHERE book = %(book)s AND position = 1 AND path = 'content'",
        {Kind.VALUE},
    ),
    "value of another digest": (
        (
            "UPDATE ledger.disclosure SET digest = reverse(digest)"
            " WHERE book = %(book)s AND position = 1 AND path = 'content'"
        ),
        {Kind.VALUE},
    ),
    "value of no event": (
        (
            "INSERT INTO ledger.disclosure (position, subject_id, book, digest, path, tier, ciphertext)"
            " VALUES (2, gen_random_uuid(), %(book)s, repeat('x', 43), 'content', 'core', '')"
        ),
        {Kind.VALUE},
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_stands_beside_the_events_is_held_against_them(record: Record, case: str) -> None:
    statement, expected = TAMPERED[case]
    record.change(statement, stream_of(3))
    for keys in (True, False):
        verification = record.verify(keys=keys)
        assert not verification.ok
        assert expected <= kinds(verification), verification.problems


@pytest.mark.parametrize("place", [0, 11, 12, 40, -1])
def test_a_changed_byte_of_a_value_is_found_with_the_keys(record: Record, place: int) -> None:
    where = "WHERE book = %(book)s AND position = 4 AND path = 'content'"
    ((ciphertext,),) = record.change(f"SELECT ciphertext FROM ledger.disclosure {where}")
    changed = changed_byte(bytes(ciphertext), place % len(ciphertext))
    record.change(f"UPDATE ledger.disclosure SET ciphertext = %(v0)s {where}", changed)
    assert places(record.verify(), Kind.VALUE) == [4]
    assert record.verify(keys=False).ok  # without the keys a ciphertext is only a row of bytes


def test_two_values_exchanged_are_found(record: Record) -> None:
    record.change("""
        UPDATE ledger.disclosure AS d SET ciphertext = o.ciphertext
          FROM ledger.disclosure AS o
         WHERE d.book = %(book)s AND o.book = %(book)s AND d.position = 1 AND o.position = 1
           AND (d.path, o.path) IN (('content', 'customer_name'), ('customer_name', 'content'))""")
    assert places(record.verify(), Kind.VALUE) == [1, 1]


def test_a_key_that_was_destroyed_is_no_erasure_without_its_event(record: Record) -> None:
    customer = received(2).customer_id
    record.keys.destroy(customer, AT)
    found = record.verify()
    assert kinds(found) == {Kind.VALUE}
    assert "no event says so" in found.problems[0].says
    told = places(found, Kind.VALUE)
    record.change("DELETE FROM ledger.disclosure WHERE book = %(book)s AND subject_id = %(v0)s", customer)
    assert set(told) <= set(places(record.verify(), Kind.VALUE))
    own = book_id(record.change("SELECT origin FROM ledger.book WHERE book = %(book)s")[0][0])
    erasure = SubjectErased(subject_id=customer, ground="request", erased_by="chen.jing", erased_at=AT)
    record.append(subject_stream(own, customer), 1, erasure)
    assert record.verify().ok


def test_who_has_no_keys_knows_of_an_erasure_by_its_event(record: Record) -> None:
    """And is told what could not be checked; a value that went without one is found all the same."""
    customer = received(2).customer_id
    before = record.verify(keys=False)
    assert before.ok
    assert (before.values.opened, before.values.erased) == (0, 0)
    assert record.verify().values == Values(opened=before.values.unopened)
    own = book_id(record.change("SELECT origin FROM ledger.book WHERE book = %(book)s")[0][0])
    erasure = SubjectErased(subject_id=customer, ground="request", erased_by="chen.jing", erased_at=AT)
    record.append(subject_stream(own, customer), 1, erasure)
    gone = record.change(
        "WITH gone AS (DELETE FROM ledger.disclosure WHERE book = %(book)s AND subject_id = %(v0)s RETURNING 1)"
        " SELECT count(*) FROM gone",
        customer,
    )[0][0]
    assert gone > 0
    found = record.verify(keys=False)
    assert found.ok
    assert found.values.erased >= gone
    assert found.values.unopened == before.values.unopened - gone
    record.change("DELETE FROM ledger.disclosure WHERE book = %(book)s AND position = 1")
    assert kinds(record.verify(keys=False)) == {Kind.VALUE}


def test_values_whose_keys_are_lost_are_said(record: Record, tmp_path: Path) -> None:
    others = SubjectKeys.open(tmp_path / "other" / "keys")
    verification = verify(record.database, record.book, others)
    others.close()
    assert kinds(verification) == {Kind.VALUE}
    assert "no key" in verification.problems[0].says


def test_appends_may_go_on(record: Record) -> None:
    """Between any two pages another event comes, in a stream that is there and in a new one."""
    added: list[int] = []

    def one_more(done: int, size: int) -> None:
        assert (done <= size, size) == (True, EVENTS)
        n = len(added)
        added.append(done)
        record.append(UUID(int=2**127 + n, version=4), 1, received(100 + n))
        reply = FirstReplySent(customer_id=received(0).customer_id, channel="letter", sent_by="li.wei", sent_at=AT)
        record.append(stream_of(0), 5 + n, reply)

    verification = verify(record.database, record.book, record.keys, one_more, events_per_page=5)
    assert verification.problems == ()
    assert verification.events == EVENTS
    assert len(added) > 5
    assert record.verify().events == EVENTS + 2 * len(added)


def test_no_value_is_in_what_a_verification_says(record: Record) -> None:
    record.change(
        "UPDATE ledger.disclosure SET path = 'other', tier = 'core' WHERE book = %(book)s AND path = 'content'"
    )
    said = " ".join(problem.says for problem in record.verify().problems)
    assert said
    assert "queue" not in said
    assert "王" not in said


def test_problems_are_counted_and_only_the_first_are_kept(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.record.problems.PROBLEMS_KEPT_MAX", 10)
    record.change("UPDATE ledger.event SET recorded_at = recorded_at + interval '1 day' WHERE book = %(book)s")
    verification = record.verify()
    assert len(verification.problems) == 10
    assert verification.problems_total > EVENTS


@pytest.mark.every_postgres
def test_rows_are_taken_apart_as_the_server_sends_them(database: Database) -> None:
    rows: list[bytes] = []
    page = RawRows(rows.extend)
    select = """SELECT a, b, c::timestamptz, d::uuid::text, e::text, f::bytea FROM (VALUES
        (1::bigint, 2::bigint, '2026-03-02 01:30:00.000042+00', '0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11', 'a-name', '\\x0102'),
        (NULL, 2, '2026-03-02', '0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11', 'a-name', '\\x'),
        (3, 2, '-infinity', '0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11', '', '\\x'),
        (4, 2, '2026-03-02', NULL, 'a-name', '\\x'),
        (5, 2, '2026-03-02', '0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11', NULL, '\\x'),
        (6, 2, '2026-03-02', '0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11', 'a-name', NULL)
    ) AS v (a, b, c, d, e, f)"""
    connection = database.connect(Role.AUDITOR, autocommit=True)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", page)
    connection.close()
    page.close()
    taken = [taken_apart(row) for row in rows]
    assert len(taken) == 6
    first, _, third, *_ = taken
    assert [each is None for each in taken] == [False, True, False, True, True, True]
    assert first is not None
    assert third is not None
    assert (first.position, first.version, first.name, first.state) == (1, 2, "a-name", b"\x01\x02")
    assert first.stream_id == "0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11"
    assert instant_at(first.recorded_us) == "2026-03-02T01:30:00.000042Z"
    with pytest.raises(ValueError, match="years 1 to 9999"):
        instant_at(third.recorded_us)


ANSWERS: dict[str, tuple[str, int | None]] = {
    "answer lost": ("DELETE FROM ledger.request WHERE book = %(book)s AND first_position = 4", 4),
    "answer to another": (
        "UPDATE ledger.request SET principal = 'li.ming' WHERE book = %(book)s AND last_position = 6",
        6,
    ),
    "last answer lost": ("DELETE FROM ledger.request WHERE book = %(book)s AND last_position = 32", 32),
    "answer of another root": (
        "UPDATE ledger.request SET root = sha256('') WHERE book = %(book)s AND last_position = 6",
        6,
    ),
    "answer of another stream": (
        "UPDATE ledger.request SET stream_id = gen_random_uuid() WHERE book = %(book)s AND last_position = 6",
        6,
    ),
    "answer of another version": (
        "UPDATE ledger.request SET version = version + 1 WHERE book = %(book)s AND last_position = 6",
        6,
    ),
    "answer of another time": (
        "UPDATE ledger.request SET recorded_at = now() WHERE book = %(book)s AND last_position = 6",
        6,
    ),
    "answer of fewer events": (
        "UPDATE ledger.request SET first_position = 5 WHERE book = %(book)s AND last_position = 6",
        4,
    ),
    "answer of no event": (
        "UPDATE ledger.request SET first_position = NULL, last_position = NULL WHERE book = %(book)s AND first_position = 4",
        4,
    ),
    "answer forged": (
        """INSERT INTO ledger.request
           SELECT version, first_position, last_position, tree_size, recorded_at, stream_id,
                  book, 'somebody', 'else', fingerprint, root
             FROM ledger.request
            WHERE book = %(book)s AND last_position = 6""",
        4,
    ),
    "answer of a larger book": (
        "UPDATE ledger.request SET tree_size = 377 WHERE book = %(book)s AND last_position = 6",
        EVENTS + 1,
    ),
    "book opened later": ("UPDATE ledger.book SET created_at = now() WHERE book = %(book)s", None),
    "book joined to other keys": (
        "UPDATE ledger.book SET keys_mark = repeat('a', 64) WHERE book = %(book)s",
        None,
    ),
}


@pytest.mark.parametrize("change", ANSWERS)
def test_what_was_answered_and_the_books_opening_are_held_against_the_events(record: Record, change: str) -> None:
    statement, position = ANSWERS[change]
    record.change(statement)
    for events_per_page in (1, 7, 5_000):
        verification = record.verify(events_per_page=events_per_page)
        kind = Kind.HEAD if position is None else Kind.REQUEST
        assert kinds(verification) == {kind}, verification.problems
        assert position in places(verification, kind)


def test_an_end_that_was_cut_off_whole_is_found_by_what_was_answered(record: Record) -> None:
    """Every table of the record put back as it was before the last command: only its answer knows."""
    edge, root, at = record.change("SELECT edge, root, recorded_at FROM ledger.head WHERE book = %(book)s")[0]
    record.append(stream_of(STREAMS), 1, received(STREAMS))
    record.change(
        "DELETE FROM ledger.disclosure WHERE book = %(book)s AND position > %(v0)s;"
        "DELETE FROM ledger.event WHERE book = %(book)s AND position > %(v0)s;"
        "DELETE FROM ledger.leaves WHERE book = %(book)s AND last_position > %(v0)s;"
        "DELETE FROM ledger.stream WHERE book = %(book)s AND stream_id = %(v1)s;"
        "UPDATE ledger.head SET size = %(v0)s, edge = %(v2)s::bytea[], root = %(v3)s, recorded_at = %(v4)s "
        "WHERE book = %(book)s",
        EVENTS,
        stream_of(STREAMS),
        [None if each is None else bytes(each) for each in edge],
        bytes(root),
        at,
    )
    verification = record.verify()
    assert [(problem.position, problem.kind) for problem in verification.problems] == [(EVENTS + 1, Kind.REQUEST)]
    assert "its end is cut off" in verification.problems[0].says


def test_what_recorded_nothing_is_held_against_its_root_too(record: Record) -> None:
    (nothing,) = record.appender.append([Request([])])
    assert not isinstance(nothing, Exception)
    assert record.verify().ok
    record.change("UPDATE ledger.request SET root = sha256('x') WHERE book = %(book)s AND first_position IS NULL")
    assert places(record.verify(), Kind.REQUEST) == [EVENTS]


def test_the_role_that_records_can_not_choose_the_key_store(record: Record) -> None:
    connection = record.database.connect(Role.APPLICATION, autocommit=True)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute("SELECT ledger.claim_keys(%s, repeat('a', 64))", (record.book,))
    connection.close()


def test_what_goes_wrong_in_another_process_is_raised_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # whose modules are nobody's business
    (tmp_path / "pickle.py").write_text("raise SystemExit(3)", encoding="utf-8")
    with closing(Processes(1, Work(f"host={tmp_path}", "a-book", "an/origin", {}, None))) as processes:
        with pytest.raises(psycopg2.OperationalError, match="No such file"):
            processes.stretch(Stretch(0, 1)).result()
        (process,) = processes._processes
        process.kill()
        process.wait()
        with pytest.raises(ConnectionError):
            processes.stretch(Stretch(0, 1)).result()


def test_what_is_read_in_one_go_is_what_is_read_one_by_one() -> None:
    """Rows as the server sends them, some of them changed: taken as a whole only where each by itself is in order."""
    chance = random.Random(SEED)
    origin = "bank.example/main"
    quick, outcomes = RowsInOrder(origin, plans()), set()
    for _ in range(1_500):
        rows = [sent(position, chance) for position in range(8, 8 + chance.randint(1, 4))]
        if chance.random() < 0.5:
            place = chance.randrange(len(rows))
            at = chance.choice([at for at in range(len(rows[place])) if at not in said_by_the_server(rows[place])])
            rows[place] = rows[place][:at] + bytes([rows[place][at] ^ 1 << chance.randrange(8)]) + rows[place][at + 1 :]
        one_by_one = [slowly(origin, row) for row in rows]
        read = quick.read(rows, 7, 99)
        outcomes.add(read is None)
        if read is not None:
            told = [each for each in one_by_one if each is not None]
            assert read.leaves == [leaf for leaf, _, _ in told]
            assert read.lines == [line for _, lines, _ in told for line in lines]
            assert [at for _, _, at in told] == sorted({99, *(at for _, _, at in told)} - {99})
            assert (read.first_us, read.last_us) == (told[0][2], told[-1][2])
    assert outcomes == {True, False}


def sent(position: int, chance: random.Random) -> bytes:
    """A row of the binary COPY: a complaint, or its correction with digests within."""
    sealed = {name: Personal.recorded(f"{chance.getrandbits(140):043}"[-43:]) for name in PERSONAL}
    event: Event = received(position).model_copy(update=sealed)
    if chance.random() < 0.3:
        event = corrected(event, position).model_copy(
            update={"fact": event, "reason": Personal.recorded("r" * DIGEST_CHARACTERS)}
        )
    stream = UUID(int=chance.getrandbits(128))
    state, name = Recorded(stream, 1, event, "li.wei", "test").state(), NAME_OF[type(event)].encode()
    fixed = (6, 8, position, 8, 1, 8, 100 * position + chance.randrange(-150, 10), 36, str(stream).encode(), len(name))
    return FIXED.pack(*fixed) + name + LENGTH.pack(len(state)) + state


def said_by_the_server(row: bytes) -> set[int]:
    """Places that no stored row can change: the text of a UUID, which the server writes, and the length of the state."""
    state_at = row.index(b'{"command"')
    return {*range(FIXED.size - 40, FIXED.size - 4), *range(state_at - 4, state_at)}


PERSONAL = ("customer_name", "customer_identity_number", "content")


def slowly(origin: str, row: bytes) -> tuple[bytes, list[str], int] | None:
    event = taken_apart(row)
    if event is None:
        return None
    try:
        leaf = leaf_hash(entry_written(origin, event))
        lines = [each.line() for each in digests_of(plans(), event.position, event.name, event.state)]
    except (ValueError, UnknownName):
        return None
    assert [Digest.told(line).line() for line in lines] == lines
    return leaf, lines, event.recorded_us


def test_a_digest_is_what_the_events_say_it_is() -> None:
    assert digests._DIGEST.pattern == DIGEST.pattern


@pytest.mark.parametrize("levels", [0, 1, 2, 8])
def test_the_levels_over_whole_tiles_are_those_of_the_tree(levels: int) -> None:
    hashes = [hashlib.sha256(bytes([n])).digest() for n in range(3 * 2**levels % 256 or 3)][: 3 * 2**levels]
    whole = hashes[: len(hashes) - len(hashes) % 2**levels]
    assert perfect_levels(b"".join(whole), levels) == [
        b"".join(tree_root(whole[start : start + 2**level]) for start in range(0, len(whole), 2**level))
        for level in range(levels + 1)
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_a_tree_that_grows_knows_its_root_at_every_size(whole: bool) -> None:
    """By the levels over whole tiles, and leaf by leaf."""
    hashes = [hashlib.sha256(n.to_bytes(2, "big")).digest() for n in range(600)]
    edge, roots = Edge(), [Edge().root()]
    for each in hashes:
        edge.extend([each])
        roots.append(edge.root())
    seen: dict[int, bytes | None] = {}
    found = Found()
    signed = [Signed(size, roots[size], "") for size in (1, 255, 256, 257, 512, 600)]
    growing = GrowingTree(lambda _level, _number: None, iter(signed), found)
    due = [(size, partial(seen.__setitem__, size)) for size in range(601)]
    tiles = perfect_levels(b"".join(hashes[:512]), 8) if whole else [b""] * 9
    growing.add(tiles, b"".join(hashes[512:] if whole else hashes), due)
    growing.finish()
    assert [seen[size] for size in range(601)] == roots
    assert (found.total, growing.compared, growing.end().root()) == (0, len(signed), roots[-1])
