"""The blind index: the same person is found however the value was written, and nothing in the database says what it was."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintReceived
from ledger.customer.events import CustomerRegistered
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Personal
from ledger.vault.index import BlindIndex, compared_as
from ledger.vault.keys import SubjectKeys
from tests.complaint.story import fact, fact_corrected

pytestmark = pytest.mark.every_postgres

NAME, PHONE, NUMBER = "李 秀英", "+86 139-0013-9000", "11010119500307461x"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as opened:
        yield opened


@pytest.fixture
def index(keys: SubjectKeys, book: str) -> BlindIndex:
    return BlindIndex(keys, book)


@pytest.fixture
def application(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


def registered(subject_id: UUID, **values: str) -> CustomerRegistered:
    return CustomerRegistered(
        customer_id=subject_id,
        **{name: Personal.clear(value) for name, value in values.items()},
        registered_by="wang.li",
        registered_at=datetime(2025, 9, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("contact", "13900139000", "+86 139 0013 9000"),
        ("contact", "13900139000", "0086-139-0013-9000"),
        ("contact", "(010) 6655-4433", "01066554433"),
        ("contact", "Li.Xiu@Example.com", " li.xiu@example.COM "),
        ("identity-number", "11010119500307461X", "110101 19500307 461x"),
        ("name", "李秀英", "李 秀英"),
        ("name", "Ada  Lovelace", "ada lovelace"),
        ("name", "ＡＤＡ", "ada"),
        ("account", "6222 0202 0011 2233 445", "6222020200112233445"),
    ],
)
def test_how_it_was_written_makes_no_difference(kind: str, one: str, other: str) -> None:
    assert compared_as(kind, one) == compared_as(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("contact", "13900139000", "13900139001"),
        ("contact", "01066554433", "66554433"),
        ("name", "Ada Lovelace", "Adal Ovelace"),
        ("name", "李秀英", "李秀"),
    ],
)
def test_what_is_different_stays_so(kind: str, one: str, other: str) -> None:
    assert compared_as(kind, one) != compared_as(kind, other)


def test_a_subject_is_found_by_each_value_and_by_no_other(index: BlindIndex, application: Connection) -> None:
    ours, others = uuid4(), uuid4()
    rows = index.rows_of(
        [registered(ours, name=NAME, contact=PHONE, identity_number=NUMBER), registered(others, name=NAME)]
    )
    index.add(application, rows)
    index.add(application, rows)  # again changes nothing
    assert set(index.find(application, "name", "李秀英")) == {ours, others}
    assert index.find(application, "contact", "13900139000") == [ours]
    assert index.find(application, "identity-number", NUMBER.upper()) == [ours]
    assert index.find(application, "contact", "13900139001") == []
    assert index.find(application, "account", NUMBER) == [], "a value is found under its own kind only"
    assert index.find(application, "contact", " - ") == []


def test_who_shares_most_comes_first(index: BlindIndex, application: Connection) -> None:
    ours, twin, namesake = uuid4(), uuid4(), uuid4()
    events = [
        registered(ours, name=NAME, contact=PHONE, identity_number=NUMBER),
        registered(namesake, name=NAME),
        registered(twin, name=NAME, identity_number=NUMBER),
    ]
    index.add(application, index.rows_of(events))
    assert [(each.subject_id, each.kinds) for each in index.alike(application, ours)] == [
        (twin, ("identity-number", "name")),
        (namesake, ("name",)),
    ]


def test_a_corrected_receipt_is_found_by_its_new_value(index: BlindIndex) -> None:
    before = fact("complaint-received")
    after = fact_corrected(1, fact("complaint-received", customer_name="张三丰"))
    found = {row.blinded for row in index.rows_of([after])}
    assert index.blinded("name", "张三丰") in found
    assert index.blinded("name", "张三") not in found
    assert isinstance(before, ComplaintReceived)


def test_a_digest_is_not_indexed(index: BlindIndex) -> None:
    sealed = registered(uuid4(), name=NAME).model_copy(update={"name": Personal.recorded("a" * 43)})
    assert index.rows_of([sealed]) == []


def test_another_book_or_another_key_finds_nothing(
    index: BlindIndex, keys: SubjectKeys, application: Connection, new_book: Callable[[], str], tmp_path: Path
) -> None:
    index.add(application, index.rows_of([registered(uuid4(), contact=PHONE)]))
    assert BlindIndex(keys, new_book()).find(application, "contact", PHONE) == []
    with closing(SubjectKeys.open(tmp_path / "other")) as others:
        stranger = BlindIndex(others, index._book)
        assert stranger.find(application, "contact", PHONE) == []
        assert stranger.blinded("contact", PHONE) != index.blinded("contact", PHONE)


def test_nobody_reads_the_rows_and_no_value_is_in_them(
    index: BlindIndex, application: Connection, database: Database
) -> None:
    index.add(application, index.rows_of([registered(uuid4(), contact=PHONE, name=NAME)]))
    for role in Role:
        if role in {Role.OWNER, Role.PUBLISHER}:  # the publisher is not let into this database at all
            continue
        with (
            closing(database.connect(role, autocommit=True)) as connection,
            connection.cursor() as cursor,
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
        ):
            cursor.execute("SELECT * FROM ledger.blind_index")
    with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT i::text FROM ledger.blind_index AS i")
        text = str(cursor.fetchall())
    assert "13900139000" not in text
    assert "李" not in text


def test_who_was_erased_is_not_found_before_and_after_the_rows_are_gone(
    index: BlindIndex, keys: SubjectKeys, application: Connection
) -> None:
    ours, twin = uuid4(), uuid4()
    keys.keys_for([ours, twin])
    index.add(application, index.rows_of([registered(ours, contact=PHONE), registered(twin, contact=PHONE)]))
    keys.destroy(twin, datetime(2026, 1, 1, tzinfo=UTC))
    assert index.find(application, "contact", PHONE) == [ours]
    assert index.alike(application, ours) == []
    assert index.forget(application, twin) == 1
    assert index.forget(application, twin) == 0
    assert index.find(application, "contact", PHONE) == [ours]


def test_a_book_that_was_not_granted_is_neither_written_nor_read(
    keys: SubjectKeys, book: str, database: Database
) -> None:
    index = BlindIndex(keys, book)
    ours = uuid4()
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        index.add(connection, index.rows_of([registered(ours, contact=PHONE)]))
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("DELETE FROM ledger.book_access WHERE book = %s", (book,))
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        assert index.find(connection, "contact", PHONE) == []
        with pytest.raises(psycopg2.DatabaseError, match="no book"):
            index.add(connection, index.rows_of([registered(ours, contact=PHONE)]))
        with pytest.raises(psycopg2.DatabaseError, match="no book"):
            index.forget(connection, ours)
