"""A value is shown to whom it may be shown to, and never without the event that says so."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest

from api.command.bundling import operator, receiver_of
from ledger.access import commands as ask
from ledger.access.deputies import Deputies, deputies_stream
from ledger.access.events import PersonalDataSeen
from ledger.access.refusals import (
    AccessRequestAnswered,
    AccessTooLong,
    ApproverIsRequester,
    DeputyNamesHimself,
    LookNotAllowed,
    NoSuchValue,
    NotTheRequester,
    ProcessingRestricted,
    RequestNotOfThisLook,
)
from ledger.access.rules import AccessRequest, subject_stream
from ledger.application import Ledger
from ledger.complaint.commands import AnnulFact, ApproveAmendment, AssignComplaint, CorrectFact, NoteContact
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Tier
from ledger.record.envelope import opened
from ledger.record.reading import head, stream_events
from ledger.settings import Settings
from ledger.tables.refusals import UnknownCode
from ledger.vault.searching import Searcher, look_up, search
from ledger.vault.service import Look, Vault
from ledger.vault.watching import who_saw
from tests.access.conftest import IDENTITY, NAME, PERSONAL, PHONE, WORDS, assign, receive

CORE = ("customer_identity_number", "customer_account")


def test_everything_is_masked_unless_it_is_asked_for(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    shown = {each.path: each for each in vault.look(Look(one, "handling"), "wang.fang")}
    assert shown["customer_contact"].value == "139****5678"
    assert shown["customer_name"].value == "欧阳**"
    assert not any(each.in_clear or each.salt for each in shown.values())
    assert not any(value in str(each.value) for each in shown.values() for value in PERSONAL)
    (seen,) = who_saw(ledger, customer)
    assert (seen.seen_by, seen.purpose, seen.revealed) == ("wang.fang", "handling", 0)
    assert set(seen.paths) == set(shown)
    with pytest.raises(NoSuchValue):
        vault.look(Look(one, "handling", ("no_such_field",)), "wang.fang")
    assert len(who_saw(ledger, customer)) == 1


def test_who_gave_a_complaint_to_himself_sees_no_core_value_of_it(ledger: Ledger, vault: Vault) -> None:
    for recorded_by, stated in (("Reg.One", "chen.jing"), ("svc", "REG.one")):
        one, customer = receive(ledger)
        himself = AssignComplaint(
            complaint_id=one,
            department="信用卡中心",
            assignee="reg.one",
            assigned_by=stated,
            assigned_at=datetime.now(UTC),
        )
        ledger.handle(himself, principal=recorded_by)
        with pytest.raises(LookNotAllowed):
            vault.look(Look(one, "handling", CORE), "reg.one")
        assert who_saw(ledger, customer) == []
    for first, second in (("chen.jing", "reg.one"), ("reg.one", "chen.jing")):
        one, _ = receive(ledger)
        assign(ledger, one, "wang.fang")
        now, himself_corrected = datetime.now(UTC), {"assignee": "reg.one"}
        wanted = CorrectFact(complaint_id=one, version=2, changes=himself_corrected, reason="误录", proposed_at=now)
        proposed = ledger.handle(wanted, principal=first).version
        approval = ApproveAmendment(complaint_id=one, proposed_version=proposed, approved_at=now)
        ledger.handle(approval, principal=second)
        with pytest.raises(LookNotAllowed):
            vault.look(Look(one, "handling", CORE), "reg.one")


def test_who_gave_a_complaint_to_whom_he_stands_in_for_sees_no_core_value_of_it(ledger: Ledger, vault: Vault) -> None:
    one, _ = receive(ledger)
    until = datetime.now(UTC) + timedelta(days=2)
    named = ask.NameDeputy(person="wang.fang", deputy="chen.jing", until=until, reason="休假", named_by="li.wei")
    ledger.handle(named, principal="li.wei")
    assign(ledger, one, "wang.fang")
    assert any(each.in_clear for each in vault.look(Look(one, "handling", CORE), "wang.fang"))
    with pytest.raises(LookNotAllowed):
        vault.look(Look(one, "handling", CORE), "chen.jing")


def test_core_values_are_for_the_assignee_and_the_granted(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    look = Look(one, "handling", CORE)
    with pytest.raises(LookNotAllowed):
        vault.look(look, "wang.fang")
    assert who_saw(ledger, customer) == []
    assign(ledger, one, "wang.fang")
    found = {each.path: each.value for each in vault.look(look, "wang.fang") if each.in_clear}
    assert found["customer_identity_number"] == IDENTITY
    with pytest.raises(LookNotAllowed):
        vault.look(look, "zhao.min")
    with pytest.raises(LookNotAllowed):
        vault.look(look, "chen.jing")
    # ordinary values are seen in the course of work
    assert any(each.in_clear for each in vault.look(Look(one, "reply", ("customer_name",)), "zhao.min"))
    assert [(seen.seen_by, seen.revealed) for seen in who_saw(ledger, customer)] == [("wang.fang", 2), ("zhao.min", 1)]
    first, second = who_saw(ledger, customer)
    assert (set(first.revealed_paths), second.revealed_paths) == (set(CORE), ["customer_name"])
    assert set(second.paths) > {"customer_name"}, "what was masked beside it is told too"


def test_a_look_is_told_as_it_was_whatever_is_corrected_after_it(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    assign(ledger, one, "wang.fang")
    for reveal in (("customer_name", "customer_identity_number"), ("content",), ()):
        vault.look(Look(one, "handling", reveal), "wang.fang")
    before = who_saw(ledger, customer)
    assert set(before[0].revealed_paths) == {"customer_name", "customer_identity_number"}
    assert set(before[0].masked_paths) == {"customer_contact", "customer_account", "content"}
    assert (before[1].revealed_paths, before[2].masked_paths) == (["content"], before[2].paths)
    corrected(ledger, one, {"content": "年费。"})
    assert who_saw(ledger, customer) == before
    vault.look(Look(one, "handling", ("customer_name",)), "wang.fang")
    corrected(ledger, one, {"content": "年费，第二次更正。"})
    *same, last = who_saw(ledger, customer)
    assert (same, last.revealed_paths) == (before, ["customer_name"])
    assert {"content", "fact.content", "customer_identity_number"} <= set(last.masked_paths)


def test_the_value_in_force_is_shown_and_a_superseded_one_by_its_position_only(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    now = datetime.now(UTC)
    wanted = CorrectFact(
        complaint_id=one, version=1, changes={"customer_name": "欧阳若澜"}, reason="误录", proposed_at=now
    )
    proposed = ledger.handle(wanted, principal="li.wei").version

    def clear(reveal: str, position: int | None = None) -> list[tuple[str | None, str, int | None]]:
        shown = vault.look(Look(one, "handling", (reveal,), position=position), "zhao.min")
        return [(each.value, each.field, each.superseded_by_version) for each in shown if each.in_clear]

    assert clear("customer_name") == [(NAME, "customer_name", None)], "a proposal changes nothing"
    ledger.handle(ApproveAmendment(complaint_id=one, proposed_version=proposed, approved_at=now), principal="chen.jing")
    assert clear("customer_name") == clear("fact.customer_name") == [("欧阳若澜", "customer_name", None)]
    assert who_saw(ledger, customer)[-1].revealed_paths == ["fact.customer_name"], "as its event has it"
    masked = {each.digest: each for each in vault.look(Look(one, "handling"), "zhao.min")}.values()
    assert [(each.path, each.superseded_by_version) for each in masked if each.field == "customer_name"] == [
        ("customer_name", 3),
        ("fact.customer_name", None),
    ]
    assert {each.superseded_by_version for each in masked if each.field != "customer_name"} == {None}
    first = next(each.position for each in masked if each.superseded_by_version)
    assert clear("customer_name", first) == [(NAME, "customer_name", 3)]
    assert clear("content") == [(WORDS, "content", None)], "what was carried along stands, told once"
    again = corrected(ledger, one, {"customer_name": "欧阳若岚"})
    assert clear("customer_name") == [("欧阳若岚", "customer_name", None)]
    assert clear("content", first) == [(WORDS, "content", None)]
    with pytest.raises(NoSuchValue):
        clear("content", again)
    third = next(each for each in vault.look(Look(one, "handling"), "zhao.min") if each.superseded_by_version == 5)
    assert clear("customer_name", third.position) == [("欧阳若澜", "customer_name", 5)]
    wrong = NoteContact(
        complaint_id=one,
        channel="phone",
        direction="inbound",
        content="误记",
        noted_by="zhao.min",
        occurred_at=now,
    )
    noted = ledger.handle(wrong, principal="zhao.min")
    assert len(clear("content")) == 2, "a field of two facts that stand is shown of both"
    mistaken = AnnulFact(complaint_id=one, version=noted.version, reason="误记", proposed_at=now)
    proposed = ledger.handle(mistaken, principal="li.wei").version
    ledger.handle(ApproveAmendment(complaint_id=one, proposed_version=proposed, approved_at=now), principal="chen.jing")
    assert clear("content") == [(WORDS, "content", None)]
    assert clear("content", noted.last_position) == [("误记", "content", proposed + 1)]


def corrected(ledger: Ledger, one: UUID, changes: dict[str, str]) -> int:
    """Corrects how the complaint was received, with two people; gives the position of the correction."""
    now = datetime.now(UTC)
    wanted = CorrectFact(complaint_id=one, version=1, changes=changes, reason="误录", proposed_at=now)
    proposed = ledger.handle(wanted, principal="li.wei").version
    approval = ApproveAmendment(complaint_id=one, proposed_version=proposed, approved_at=now)
    position = ledger.handle(approval, principal="chen.jing").last_position
    assert position is not None
    return position


def test_a_purpose_is_a_code_of_the_table_or_nothing_is_shown_or_recorded(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    asked = ask.RequestAccess(
        request_id=uuid4(),
        complaint_id=one,
        tiers=(Tier.CORE,),
        purpose="curiosity",
        reason="x",
        until=datetime.now(UTC) + timedelta(days=1),
        requested_by="zhao.min",
    )
    everybody = Searcher("zhao.min", None)
    number = ask.LookUpPerson(kind="contact", value=PHONE, purpose="curiosity")
    with ledger.record.pool.connection() as connection:
        known = head(connection, ledger.book).size
    for attempt in (
        lambda: vault.look(Look(one, "curiosity"), "zhao.min"),
        lambda: vault.look(Look(one, "curiosity", ("content",)), "zhao.min"),
        lambda: vault.disclose(Look(one, "curiosity"), "zhao.min"),
        lambda: search(ledger, vault, ask.SearchFiles(words=NAME, purpose="curiosity"), everybody),
        lambda: look_up(ledger, vault, number, everybody),
        lambda: ledger.handle(asked, principal="zhao.min"),
    ):
        with pytest.raises(UnknownCode) as refused:
            attempt()
        assert {"handling", "audit", "legal-claim"} <= set(refused.value.known)
    with ledger.record.pool.connection() as connection:
        assert head(connection, ledger.book).size == known
    assert who_saw(ledger, customer) == []


def test_a_deputy_sees_what_the_assignee_sees_for_the_stated_time(ledger: Ledger, vault: Vault) -> None:
    one, _ = receive(ledger)
    assign(ledger, one, "wang.fang")
    look = Look(one, "handling", CORE)
    now = datetime.now(UTC)
    name = ask.NameDeputy(
        person="wang.fang", deputy="zhao.min", until=now + timedelta(days=2), reason="休假", named_by="chen.jing"
    )
    for himself in ({"deputy": "Wang.Fang"}, {"deputy": "Chen.Jing"}, {"person": "Chen.Jing"}):
        with pytest.raises(DeputyNamesHimself):
            ledger.handle(name.model_copy(update=himself), principal="chen.jing")
    with pytest.raises(AccessTooLong):
        ledger.handle(name.model_copy(update={"until": now + timedelta(days=400)}), principal="chen.jing")
    with pytest.raises(LookNotAllowed):
        vault.look(look, "zhao.min")
    ledger.handle(name, principal="chen.jing")
    assert sum(each.in_clear for each in vault.look(look, "zhao.min")) == 2
    with pytest.raises(LookNotAllowed):
        vault.look(look, "somebody.else")
    deputies: Deputies = ledger.state("deputies", deputies_stream(ledger.id, "wang.fang"))[0]
    assert not deputies.are("zhao.min", name.until)
    ledger.handle(ask.EndDeputy(person="wang.fang", deputy="zhao.min", ended_by="chen.jing"), principal="chen.jing")
    with pytest.raises(LookNotAllowed):
        vault.look(look, "zhao.min")


def test_apply_approve_use_report(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    request = uuid4()
    until = datetime.now(UTC) + timedelta(days=1)
    asked = ask.RequestAccess(
        request_id=request,
        complaint_id=one,
        tiers=(Tier.CORE,),
        purpose="audit",
        reason="年度审计抽查",
        until=until,
        requested_by="auditor.sun",
    )
    with pytest.raises(AccessTooLong):
        ledger.handle(asked.model_copy(update={"until": until + timedelta(days=400)}), principal="auditor.sun")
    ledger.handle(asked, principal="auditor.sun")
    look = Look(one, "audit", CORE, request)
    with pytest.raises(LookNotAllowed):
        vault.look(look, "auditor.sun")
    with pytest.raises(ApproverIsRequester):
        ledger.handle(ask.ApproveAccess(request_id=request, approved_by="auditor.sun"), principal="auditor.sun")
    ledger.handle(ask.ApproveAccess(request_id=request, approved_by="chen.jing"), principal="chen.jing")
    with pytest.raises(AccessRequestAnswered):
        ledger.handle(ask.ApproveAccess(request_id=request, approved_by="li.na"), principal="li.na")
    assert sum(each.in_clear for each in vault.look(look, "auditor.sun")) == 2
    assert who_saw(ledger, customer)[-1].request_id == request
    with pytest.raises(LookNotAllowed):
        vault.look(look, "somebody.else")
    with pytest.raises(LookNotAllowed):  # for one complaint, and not for another
        vault.look(Look(receive(ledger)[0], "audit", CORE, request), "auditor.sun")
    report = ask.ReportAccessUse(request_id=request, report="已核对", reported_by="auditor.sun")
    with pytest.raises(NotTheRequester):
        ledger.handle(report.model_copy(update={"reported_by": "chen.jing"}), principal="chen.jing")
    ledger.handle(report, principal="auditor.sun")
    with pytest.raises(LookNotAllowed):
        vault.look(look, "auditor.sun")


def test_a_grant_ends_by_itself(ledger: Ledger) -> None:
    one, _ = receive(ledger)
    request, until = uuid4(), datetime.now(UTC) + timedelta(hours=1)
    asked = ask.RequestAccess(
        request_id=request,
        complaint_id=one,
        tiers=(Tier.CORE,),
        purpose="audit",
        reason="x",
        until=until,
        requested_by="a",
    )
    ledger.handle(asked, principal="a")
    ledger.handle(ask.ApproveAccess(request_id=request, approved_by="b"), principal="b")
    state: AccessRequest = ledger.state("access-request", request)[0]
    assert state.covers("a", one, Tier.CORE, "audit", until - timedelta(seconds=1))
    assert not state.covers("a", one, Tier.CORE, "audit", until)
    assert not state.covers("a", one, Tier.CORE, "handling", until - timedelta(seconds=1))
    assert not state.covers("a", one, Tier.IMPORTANT, "audit", until - timedelta(seconds=1))


def test_restricted_values_are_not_shown(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    assign(ledger, one, "wang.fang")
    ledger.handle(
        ask.RequestErasure(subject_id=customer, ground="customer-request", requested_by="li.wei"), principal="x"
    )
    with pytest.raises(ProcessingRestricted):
        vault.look(Look(one, "handling", CORE), "wang.fang")
    assert vault.look(Look(one, "handling"), "wang.fang")
    with pytest.raises(ProcessingRestricted):  # whoever states the purpose has no grant for it yet
        vault.look(Look(one, "legal-claim", CORE), "wang.fang")
    audit, claim = (granted(ledger, one, "wang.fang", purpose) for purpose in ("audit", "legal-claim"))
    with pytest.raises(ProcessingRestricted):
        vault.look(Look(one, "audit", CORE, audit), "wang.fang")
    for purpose, request in (("legal-claim", audit), ("customer-request", claim)):
        with pytest.raises((RequestNotOfThisLook, ProcessingRestricted)):
            vault.look(Look(one, purpose, CORE, request), "wang.fang")
    with pytest.raises(RequestNotOfThisLook):  # ordinary ones were not asked for
        vault.look(Look(one, "legal-claim", ("customer_name",), claim), "wang.fang")
    assert sum(each.in_clear for each in vault.look(Look(one, "legal-claim", CORE, claim), "wang.fang")) == 2
    assert {each.path for each in vault.disclose(Look(one, "legal-claim", (), claim), "wang.fang")} == set(CORE)
    assert vault.disclose(Look(one, "legal-claim", (), audit), "wang.fang") == []
    assert [each.request_id for each in who_saw(ledger, customer) if each.revealed] == [claim, claim]


def granted(ledger: Ledger, one: UUID, requested_by: str, purpose: str) -> UUID:
    """A request for the core values of a complaint that was approved."""
    request, until = uuid4(), datetime.now(UTC) + timedelta(days=1)
    asked = ask.RequestAccess(
        request_id=request,
        complaint_id=one,
        tiers=(Tier.CORE,),
        purpose=purpose,
        reason="x",
        until=until,
        requested_by=requested_by,
    )
    ledger.handle(asked, principal=requested_by)
    ledger.handle(ask.ApproveAccess(request_id=request, approved_by="chen.jing"), principal="chen.jing")
    return request


def test_a_look_uses_no_grant_that_does_not_cover_it(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    assign(ledger, one, "wang.fang")
    others, own = (granted(ledger, one, who, "audit") for who in ("auditor.sun", "wang.fang"))
    for look in (
        Look(one, "audit", (), others),
        Look(one, "audit", CORE, others),
        Look(one, "audit", (), own),
        Look(one, "audit", ("customer_name",), own),
        Look(one, "audit", (), uuid4()),
    ):
        with pytest.raises(RequestNotOfThisLook):
            vault.look(look, "wang.fang")
    assert who_saw(ledger, customer) == []
    assert vault.look(Look(one, "audit", CORE, own), "wang.fang")


def test_a_shown_value_proves_itself(ledger: Ledger, vault: Vault) -> None:
    """Selective disclosure: value and salt give the digest that the event holds; without the salt, nobody guesses it."""
    one, _ = receive(ledger)
    assign(ledger, one, "wang.fang")
    shown = next(
        each for each in vault.look(Look(one, "handling", ("customer_contact",)), "wang.fang") if each.in_clear
    )

    def digest(salt: str | None, value: str) -> str:
        said = json.dumps([salt, shown.path, value], separators=(",", ":"), ensure_ascii=False).encode()
        disclosure = base64.urlsafe_b64encode(said).rstrip(b"=")
        return base64.urlsafe_b64encode(hashlib.sha256(disclosure).digest()).rstrip(b"=").decode()

    assert shown.value is not None
    assert digest(shown.salt, shown.value) == shown.digest
    # every number of the prefix 1391234, without the salt
    assert not any(digest("", f"1391234{n:04}") == shown.digest for n in range(10_000))


def test_the_database_gives_a_value_for_a_committed_look_only(
    ledger: Ledger, vault: Vault, database: Database, book: str
) -> None:
    one, _ = receive(ledger)
    vault.look(Look(one, "handling"), "wang.fang")
    with closing(database.connect(Role.VAULT, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger.values_seen(%s, 1)", (book,))
        assert cursor.fetchone() == (0,), "the receipt is no look"
        cursor.execute("SELECT count(*) FROM ledger.values_seen(%s, 2)", (book,))
        assert (cursor.fetchone() or (0,))[0] > 0
        cursor.execute("BEGIN; SELECT pg_current_xact_id(); SELECT count(*) FROM ledger.values_seen(%s, 2)", (book,))
        assert cursor.fetchone() == (0,), (
            "whoever has written in this transaction may have written the look, and take it back"
        )
        cursor.execute("ROLLBACK")
        for forbidden in (
            "SELECT * FROM ledger.vault_page('x', 0, 10)",
            "SELECT * FROM ledger.disclosure",
            "SELECT * FROM ledger.event",
            "SELECT ledger.append",
        ):
            with pytest.raises(
                (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.UndefinedColumn, psycopg2.errors.UndefinedTable)
            ):
                cursor.execute(forbidden)


LOOKER = """
import sys
from pathlib import Path
from uuid import UUID
from ledger.application import Ledger
from ledger.database.target import open_database
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from ledger.vault.service import Look, Vault
with open_database(Settings(data=Path(sys.argv[1]))) as database:
    ledger = Ledger(database, sys.argv[2], SubjectKeys.open(Path(sys.argv[3])))
    vault = Vault(ledger, database)
    while True:
        for each in vault.look(Look(UUID(sys.argv[4]), "handling"), "wang.fang"):
            print(each.value, flush=True)
"""


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.long)])
def test_a_look_that_is_killed_half_way_left_its_event(
    ledger: Ledger, settings: Settings, book: str, tmp_path: Path, kills: int
) -> None:
    one, customer = receive(ledger)
    values = 5
    for kill in range(kills):
        before = len(who_saw(ledger, customer))
        words = [str(settings.data), book, str(tmp_path / "keys"), str(one)]
        out = tmp_path / f"out-{kill}"
        with out.open("wb") as file:
            looker = subprocess.Popen([sys.executable, "-c", LOOKER, *words], stdout=file)
        until = time.monotonic() + 180
        while not out.stat().st_size and time.monotonic() < until:
            assert looker.poll() is None, "the looker ended by itself"
            time.sleep(0.005)
        time.sleep(0.001 * (kill * 37 % 50))
        os.kill(looker.pid, signal.SIGKILL)
        looker.wait()
        given_out = len(out.read_text(encoding="utf-8").splitlines())
        looks = len(who_saw(ledger, customer)) - before
        assert given_out > 0
        assert given_out <= looks * values


def test_the_same_person_in_another_capitalisation_is_no_second_person(ledger: Ledger) -> None:
    one, customer = receive(ledger)
    asked = ask.RequestAccess(
        request_id=uuid4(),
        complaint_id=one,
        tiers=(Tier.CORE,),
        purpose="audit",
        reason="x",
        until=datetime.now(UTC) + timedelta(days=1),
        requested_by="comp1",
    )
    ledger.handle(asked, principal="comp1")
    with pytest.raises(ApproverIsRequester):
        ledger.handle(ask.ApproveAccess(request_id=asked.request_id, approved_by="Comp1"), principal="Comp1")
    hold = ask.PlaceLegalHold(subject_id=customer, hold_id=uuid4(), reason="诉讼", placed_by="comp1")
    ledger.handle(hold, principal="comp1")
    lifting = ask.LiftLegalHold(subject_id=customer, hold_id=hold.hold_id, reason="结案", lifted_by="Comp1")
    with pytest.raises(ApproverIsRequester):
        ledger.handle(lifting, principal="Comp1")


def test_what_is_handed_out_on_the_machine_is_recorded_by_who_works_there(ledger: Ledger, vault: Vault) -> None:
    one, customer = receive(ledger)
    to = receiver_of("sun.li", "audit", [])
    assert to is not None
    assert vault.disclose(Look(one, to.purpose), to.name, to.handed_out_by)
    with ledger.record.pool.connection() as connection:
        (row,) = stream_events(connection, ledger.book, subject_stream(ledger.id, customer))
    look = opened(row)
    assert isinstance(look.event, PersonalDataSeen)
    assert (look.event.seen_by, look.recorded_by) == ("sun.li", operator())
    assert operator().startswith("operator.")
