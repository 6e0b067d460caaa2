"""Files are found by words and persons by numbers, without a value in clear, and never without the event that says so."""

from uuid import UUID, uuid4

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.access import commands as ask
from ledger.access.events import PersonalDataSearched
from ledger.access.refusals import NoSuchPerson, TooFewCharacters
from ledger.application import Ledger
from ledger.customer import commands as customer
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.envelope import opened
from ledger.record.reading import events_after
from ledger.tables.refusals import UnknownCode
from ledger.vault.searching import Searcher, duplicates, look_up, search
from ledger.vault.service import Vault
from ledger.vault.words import compared_as
from tests.access.conftest import ACCOUNT, IDENTITY, NAME, PERSONAL, PHONE, WORDS, ask_to_erase, assign, receive
from tests.parties.telling import ask as telling

ALL = Searcher("auditor.sun", None)


def found(ledger: Ledger, vault: Vault, words: str, who: Searcher = ALL, purpose: str = "handling") -> set[UUID]:
    page = search(ledger, vault, ask.SearchFiles(words=words, purpose=purpose), who)
    return {file.stream_id for file in page.files}


def searches(ledger: Ledger) -> list[PersonalDataSearched]:
    with ledger.record.pool.connection() as connection:
        facts = [opened(row).event for row in events_after(connection, ledger.book, 0, 1_000)]
    return [fact for fact in facts if isinstance(fact, PersonalDataSearched)]


def test_a_file_is_found_by_a_part_of_a_name_or_of_what_was_written(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    for words in ("收益未达到", "若兰", NAME, "理财产品 收益", "理财　产品", WORDS):
        assert found(ledger, vault, words) == {one}, words
    for words in ("信用卡", "若兰若兰", PHONE, IDENTITY[:8], ACCOUNT):
        assert found(ledger, vault, words) == set(), words
    told = searches(ledger)
    assert len(told) == 11
    assert (told[0].kind, told[0].found_ids, told[0].subject_ids) == ("words", (one,), (customer,))
    assert told[-1].found_ids == ()
    with pytest.raises(TooFewCharacters):
        found(ledger, vault, "兰！")
    assert len(searches(ledger)) == 11


def test_pages_hold_every_file_once(ledger: Ledger, vault: Vault) -> None:
    all_of_them = {receive(ledger)[0] for _ in range(5)}
    seen: list[UUID] = []
    after = None
    while True:
        page = search(ledger, vault, ask.SearchFiles(words="收益", purpose="audit", limit=2, after=after), ALL)
        assert len(page.files) <= 2
        seen += [file.stream_id for file in page.files]
        after = page.next_after
        if after is None:
            break
    assert sorted(seen) == sorted(all_of_them)


def test_others_departments_and_restricted_persons_are_not_told_of(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    mine, others = (Searcher("zhao.min", frozenset([name])) for name in ("信用卡中心", "个人信贷部"))
    assert found(ledger, vault, "收益", others) == {one}, "nobody has it yet"
    assign(ledger, one, "wang.fang")
    assert found(ledger, vault, "收益", others) == set()
    assert found(ledger, vault, "收益", mine) == {one}
    assert found(ledger, vault, "收益", others._replace(principal="Wang.Fang")) == {one}, "it was given to him by name"
    by_phone = ask.LookUpPerson(kind="contact", value=PHONE, purpose="registration")
    assert look_up(ledger, vault, by_phone, others) == []
    assert look_up(ledger, vault, by_phone, mine) == [(customer, [one])]
    wanted = ask.RequestErasure(subject_id=customer, ground="customer-request", requested_by="li.wei")
    ledger.handle(wanted, principal="li.wei")
    assert found(ledger, vault, "收益", mine) == set()
    assert found(ledger, vault, "收益", mine, "legal-claim") == set(), "anybody may state it"
    assert look_up(ledger, vault, by_phone, mine) == []


def test_who_files_a_complaint_about_anothers_customer_is_told_no_more_of_him(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    assign(ledger, one, "wang.fang")
    li = Searcher("li.wei", frozenset(["个人信贷部"]))
    by_phone = ask.LookUpPerson(kind="contact", value=PHONE, purpose="registration")
    assert look_up(ledger, vault, by_phone, li) == []
    two, _ = receive(ledger, customer_id=customer)  # by li.wei, who could have made it up
    assert look_up(ledger, vault, by_phone, li) == []
    assert look_up(ledger, vault, by_phone, Searcher("zhao.min", li.departments)) == [(customer, [two])], (
        "nobody has it yet"
    )


def alike(ledger: Ledger, vault: Vault, customer_id: UUID, who: Searcher = ALL) -> list[tuple[UUID, tuple[str, ...]]]:
    asked = ask.FindDuplicates(customer_id=customer_id, purpose="registration")
    return [tuple(each) for each in duplicates(ledger, vault, asked, who)]


def test_a_complainant_who_registers_is_found_alike_until_told_apart(ledger: Ledger, vault: Vault) -> None:
    _, complainant = receive(ledger)
    registered_id = uuid4()
    ledger.handle(
        telling(customer.RegisterCustomer, customer_id=registered_id, name="欧阳 若兰", contact="+86 139 1234 5678"),
        principal="test",
    )
    kinds = ("contact", "name")
    assert alike(ledger, vault, registered_id) == [(complainant, kinds)]
    (recorded,) = searches(ledger)
    assert (recorded.kind, recorded.purpose, recorded.searched_by) == ("duplicates", "registration", "auditor.sun")
    assert (recorded.alike_id, recorded.subject_ids, recorded.found_ids) == (registered_id, (complainant,), ())
    for one, other in ((complainant, registered_id), (registered_id, complainant)):
        ask_to_erase(ledger, one)
        assert alike(ledger, vault, other) == alike(ledger, vault, one) == [], "it is stored, and no more"
        ledger.handle(ask.EndErasureRequest(subject_id=one, reason="撤回", ended_by="he.lan"), principal="he.lan")
        assert alike(ledger, vault, other)
    with pytest.raises(UnknownCode):
        duplicates(ledger, vault, ask.FindDuplicates(customer_id=complainant, purpose="curiosity"), ALL)
    with pytest.raises(NoSuchPerson):
        alike(ledger, vault, uuid4())
    assert len(searches(ledger)) == 7, "what was refused told nothing"
    ledger.handle(
        telling(customer.RuleOutDuplicate, customer_id=registered_id, other_customer_id=complainant), principal="test"
    )
    assert alike(ledger, vault, registered_id) == alike(ledger, vault, complainant) == []


def test_nobody_is_told_who_of_others_customers_is_alike(ledger: Ledger, vault: Vault) -> None:
    (one, ours), (other, theirs) = receive(ledger), receive(ledger)
    assign(ledger, one, "wang.fang", "信用卡中心")
    assign(ledger, other, "zhou.jie", "个人信贷部")
    mine = Searcher("zhao.min", frozenset(["信用卡中心"]))
    assert alike(ledger, vault, ours, mine) == []
    assert alike(ledger, vault, ours) == [(theirs, ("account", "contact", "identity-number", "name"))]
    with pytest.raises(NoSuchPerson):
        alike(ledger, vault, theirs, mine)


@pytest.mark.parametrize(
    ("kind", "value"), [("contact", "+86 139-1234-5678"), ("identity-number", IDENTITY), ("account", ACCOUNT)]
)
def test_a_person_is_looked_up_by_a_whole_number(ledger: Ledger, vault: Vault, kind: str, value: str) -> None:
    one, customer = receive(ledger)
    asked = ask.LookUpPerson.model_validate({"kind": kind, "value": value, "purpose": "registration"})
    assert look_up(ledger, vault, asked, ALL) == [(customer, [one])]
    other = asked.model_copy(update={"value": value[:-1] + "0"})
    assert look_up(ledger, vault, other, ALL) == []
    first, second = searches(ledger)
    assert (first.kind, first.found_ids, first.subject_ids, first.searched_by) == (
        kind,
        (one,),
        (customer,),
        "auditor.sun",
    )
    assert second.subject_ids == ()


def test_the_database_shows_no_word_and_searches_for_the_vault_alone(
    ledger: Ledger, database: Database, book: str
) -> None:
    receive(ledger)
    connection = database.connect(Role.OWNER, autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM ledger.searchable AS s WHERE book = %s", (book,))
        rows = "".join(row for (row,) in cursor.fetchall())
        assert rows
        assert not any(value in rows or value.encode().hex() in rows for value in PERSONAL)
    connection.close()
    for role in (Role.APPLICATION, Role.PROJECTOR, Role.AUDITOR, Role.VAULT):
        connection = database.connect(role, autocommit=True)
        with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT * FROM ledger.searchable")
        if role is not Role.VAULT:
            with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("SELECT * FROM ledger.streams_saying(%s, '{1}', %s, 1)", (book, str(uuid4())))
        connection.close()


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_every_part_has_the_terms_of_the_whole(before: str, part: str, after: str) -> None:
    """No false negative: the pairs of a part are pairs of the whole, however it is compared."""

    def pairs(text: str) -> set[str]:
        said = compared_as(text)
        return {said[at : at + 2] for at in range(len(said) - 1)}

    whole = compared_as(before) + compared_as(part) + compared_as(after)
    assert pairs(part) <= {whole[at : at + 2] for at in range(len(whole) - 1)}
