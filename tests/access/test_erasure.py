"""Erasure: what is kept and for how long, what goes, what stands; and that a restored backup gives nothing back."""

import base64
import hashlib
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from ledger.access import commands as ask
from ledger.access import events
from ledger.access.refusals import (
    ApproverIsRequester,
    ErasedAlready,
    ErasureNotRequested,
    NoPerson,
    NoSuchPerson,
    StillRetained,
    UnderLegalHold,
)
from ledger.access.rules import subject_stream
from ledger.application import Ledger
from ledger.audit.commands import ReportAuditFinding
from ledger.complaint import commands as complaint
from ledger.database.programs import wheel_binaries
from ledger.database.roles import SUPERUSER, Role
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import built_in_regimes
from ledger.event import personal_fields
from ledger.names import STORED_NAMES
from ledger.policy.commands import PublishCalendar, PublishRegime
from ledger.record import verify as verification
from ledger.record.verify import verify
from ledger.tables.refusals import UnknownCode
from ledger.vault.erasing import carry_out_again, erase
from ledger.vault.held import PERSONS, institutional
from ledger.vault.keys import SubjectErased, SubjectKeys
from ledger.vault.service import Look, Vault
from projections.catalogue import PROJECTIONS
from projections.machine import schema_of
from projections.worker import catch_up
from tests.access.conftest import PERSONAL, ask_to_erase, receive
from tests.deadlines.facts import SHANGHAI

LONG_AGO = datetime(2015, 3, 2, 2, tzinfo=UTC)


def old_and_closed(ledger: Ledger) -> tuple[UUID, UUID]:
    """A complaint of long ago that was withdrawn: every retention clock has run out."""
    one, customer = receive(ledger, LONG_AGO)
    ledger.handle(
        complaint.WithdrawComplaint(complaint_id=one, withdrawn_at=LONG_AGO + timedelta(days=3), received_by="li.wei"),
        principal="li.wei",
    )
    return one, customer


def dumped(database: Database) -> bytes:
    """Everything that the database holds, as its superuser dumps it."""
    dsn = parse_dsn(database.dsn(Role.OWNER))
    address = [f"--host={dsn['host']}", f"--port={dsn.get('port', '5432')}", f"--dbname={dsn['dbname']}"]
    command = [str(wheel_binaries() / "pg_dump"), *address, f"--username={SUPERUSER}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def spellings(value: str, path: str) -> list[bytes]:
    """A value as it might stand somewhere: itself, in base64, in hex as bytea, and as its digest without a salt."""
    raw = value.encode()
    digest = hashlib.sha256(raw).digest()
    disclosed = base64.urlsafe_b64encode(f'["","{path}","{value}"]'.encode())
    return [
        raw,
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        digest.hex().encode(),
        base64.b64encode(digest).rstrip(b"="),
        base64.urlsafe_b64encode(hashlib.sha256(disclosed.rstrip(b"=")).digest()).rstrip(b"="),
    ]


def take_in_file(ledger: Ledger, one: UUID, customer: UUID) -> str:
    """A letter of the customer's with every value in it, kept beside the vault."""
    with closing(ledger.evidence_store()) as store:
        intake = store.begin(one, customer, "application/pdf")
        intake.add(b"%PDF-1.7\n" + "\n".join(PERSONAL).encode())
        return str(intake.end().file_id)


def reports(database: Database, book: str) -> dict[str, list[str]]:
    """Every row of every projection, brought up to the end of the book."""
    found: dict[str, list[str]] = {}
    for projection in PROJECTIONS.values():
        catch_up(database, book, projection.name)
        with closing(database.connect(Role.PROJECTOR)) as connection, connection.cursor() as cursor:
            for table in projection.tables:
                cursor.execute(f'SELECT r::text FROM "{schema_of(book, projection.name)}"."{table}" AS r')
                rows = sorted(row for (row,) in cursor.fetchall())
                found[f"{projection.name}.{table}"] = [
                    row for row in rows if ",erase-subject," not in row
                ]  # a use itself
    return found


def test_nothing_is_erased_before_its_time(ledger: Ledger, vault: Vault) -> None:
    _, open_one = receive(ledger)
    ask_to_erase(ledger, open_one)
    with pytest.raises(StillRetained):
        erase(ledger, vault, open_one, "customer-request", "archivist.he")
    one, customer = receive(ledger, datetime.now(UTC) - timedelta(days=400))
    ledger.handle(
        complaint.WithdrawComplaint(
            complaint_id=one, withdrawn_at=datetime.now(UTC) - timedelta(days=390), received_by="li.wei"
        ),
        principal="li.wei",
    )
    ask_to_erase(ledger, customer)
    with pytest.raises(StillRetained) as kept:  # three years from the receipt (DISP 1.9.1R)
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert str((datetime.now(UTC) - timedelta(days=400)).year + 3) in kept.value.kept_until
    assert any(each.value for each in vault.look(Look(one, "handling"), "wang.fang"))


def test_nobody_erases_alone_or_unasked(ledger: Ledger, vault: Vault) -> None:
    _, customer = old_and_closed(ledger)
    with pytest.raises(ErasureNotRequested):
        erase(ledger, vault, customer, "customer-request", "compliance.he")
    ask_to_erase(ledger, customer, requested_by="compliance.he")
    for himself in ("compliance.he", "Compliance.He"):
        with pytest.raises(ApproverIsRequester):
            erase(ledger, vault, customer, "customer-request", himself)
    taken_back = ask.EndErasureRequest(subject_id=customer, reason="客户撤回", ended_by="compliance.he")
    ledger.handle(taken_back, principal="compliance.he")
    assert ledger.handle(taken_back, principal="compliance.he").last_position is None, "it is so already"
    with pytest.raises(ErasureNotRequested):
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    with pytest.raises(NoSuchPerson):
        erase(ledger, vault, uuid4(), "customer-request", "archivist.he")
    with pytest.raises(NoSuchPerson):
        ask_to_erase(ledger, uuid4())
    mistyped = ask.PlaceLegalHold(subject_id=uuid4(), hold_id=uuid4(), reason="诉讼", placed_by="risk.wu")
    with pytest.raises(NoSuchPerson):
        ledger.handle(mistyped, principal="risk.wu")
    for ground in ("curiosity", "restored-backup"):  # no code, and one that is the program's own
        with pytest.raises(UnknownCode):
            ask_to_erase(ledger, customer, ground=ground)


def test_what_an_auditor_found_is_nobodys_to_erase(ledger: Ledger, vault: Vault) -> None:
    """Whoever calls it a customer's too, and asks for its erasure, and has it carried out by somebody else."""
    one, _ = receive(ledger)
    finding = uuid4()
    ledger.handle(
        ReportAuditFinding(
            finding_id=finding,
            complaint_id=one,
            title="未复核",
            description="合规部门未复核三笔赔付。",
            level="high",
            as_of_position=1,
            reported_by="auditor.sun",
            reported_at=datetime.now(UTC),
        ),
        principal="auditor.sun",
    )
    with pytest.raises(NoPerson):
        ask_to_erase(ledger, finding)
    with pytest.raises(NoPerson):
        erase(ledger, vault, finding, "customer-request", "archivist.he")
    assert ledger.keys.held([finding])


def test_every_value_is_a_persons_or_a_text_of_a_subject_of_the_institutions() -> None:
    held = {mark.subject for event in STORED_NAMES.values() for _, mark in personal_fields(event)}
    assert held - PERSONS == {f"{name}_id" for name in institutional()}
    assert {"finding", "leak", "risk", "action", "survey", "review", "indicator"} == institutional()


def test_a_book_keeps_files_as_long_as_it_published_at_any_time(ledger: Ledger, vault: Vault) -> None:
    """Longer than what is built in; and a shorter version after it shortens nothing, in force or not."""
    _, customer = old_and_closed(ledger)
    publish_retention(ledger, version=1, amount=30, unit="years")
    in_two_days = (datetime.now(UTC) + timedelta(days=2)).date()
    publish_retention(ledger, version=2, amount=1, unit="hours", in_force_from=in_two_days)
    ask_to_erase(ledger, customer)
    with pytest.raises(StillRetained) as kept:
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert kept.value.kept_until.startswith(str(LONG_AGO.year + 30))


def test_no_version_of_an_hour_ends_what_is_built_in(ledger: Ledger, vault: Vault) -> None:
    """Published by one who then erases at once."""
    customer = withdrawn_lately(ledger)
    publish_retention(ledger, version=1, amount=1, unit="hours")
    ask_to_erase(ledger, customer)
    with pytest.raises(StillRetained):
        erase(ledger, vault, customer, "customer-request", "he.lan")


def test_a_file_is_kept_from_the_withdrawal_on(ledger: Ledger, vault: Vault) -> None:
    """Received long ago, open until lately, withdrawn: three years from the receipt were over before the procedure was."""
    one, customer = receive(ledger, LONG_AGO)
    withdrawn_at = datetime.now(UTC) - timedelta(days=30)
    over = complaint.WithdrawComplaint(complaint_id=one, withdrawn_at=withdrawn_at, received_by="li.wei")
    ledger.handle(over, principal="li.wei")
    ask_to_erase(ledger, customer)
    with pytest.raises(StillRetained) as kept:
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert kept.value.kept_until.startswith(str(withdrawn_at.astimezone(SHANGHAI).year + 3))


def withdrawn_lately(ledger: Ledger) -> UUID:
    one, customer = receive(ledger, datetime.now(UTC) - timedelta(days=20))
    over = complaint.WithdrawComplaint(
        complaint_id=one, withdrawn_at=datetime.now(UTC) - timedelta(days=10), received_by="li.wei"
    )
    ledger.handle(over, principal="li.wei")
    return customer


def publish_retention(ledger: Ledger, version: int, amount: int, unit: str, in_force_from: date | None = None) -> None:
    """A version of `retention` by which every file is kept that long."""
    built_in = next(regime for regime in built_in_regimes() if regime.name == "retention")
    regime = {**built_in.model_dump(mode="json"), "version": version}
    for clock in regime["clocks"]:
        clock["limits"] = [{"amount": amount, "unit": unit}]
    by = {"published_by": "he.lan", "published_at": datetime.now(UTC).isoformat()}
    for name in built_in.calendars if version == 1 else ():
        calendar = built_in_calendars()[name].model_dump(mode="json")
        ledger.handle(PublishCalendar.model_validate({"calendar": calendar, **by}), principal="he.lan")
    said = {"regime": regime, "in_force_from": in_force_from, **by}
    ledger.handle(PublishRegime.model_validate(said), principal="he.lan")


def test_a_hold_keeps_values_until_somebody_else_lifts_it(ledger: Ledger, vault: Vault) -> None:
    _, customer = old_and_closed(ledger)
    hold = uuid4()
    place = ask.PlaceLegalHold(subject_id=customer, hold_id=hold, reason="诉讼进行中", placed_by="risk.wu")
    ledger.handle(place, principal="risk.wu")
    ask_to_erase(ledger, customer)
    with pytest.raises(UnderLegalHold):
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    lift = ask.LiftLegalHold(subject_id=customer, hold_id=hold, reason="已结案", lifted_by="risk.wu")
    with pytest.raises(ApproverIsRequester):
        ledger.handle(lift, principal="risk.wu")
    ledger.handle(lift.model_copy(update={"lifted_by": "compliance.he"}), principal="compliance.he")
    assert erase(ledger, vault, customer, "customer-request", "archivist.he").values >= len(PERSONAL)


def test_after_erasure_nothing_is_found_and_everything_verifies(
    ledger: Ledger,
    vault: Vault,
    database: Database,
    book: str,
    keys: SubjectKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, customer = old_and_closed(ledger)
    kept, _ = receive(ledger)
    with ledger.record.pool.connection() as connection:
        assert ledger.index.find(connection, "contact", PERSONAL[1])
    ask_to_erase(ledger, customer)
    events_before = ledger.recorder.max_notification_id()
    file_id = take_in_file(ledger, one, customer)
    reports_before = reports(database, book)
    assert sum(map(len, reports_before.values())) > 10
    erased = erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert reports(database, book) == reports_before, "figures have no person in them, and stay"
    dump = dumped(database)
    assert str(customer).encode() in dump, "the dump is whole: the id of the subject stands in the events"
    for path, value in zip(("customer_name", "customer_contact", "id", "account", "content"), PERSONAL, strict=True):
        for spelling in spellings(value, path):
            assert spelling not in dump, f"{path} as {spelling!r}"
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger.evidence_piece WHERE book = %s AND file_id = %s", (book, file_id))
        assert cursor.fetchone() == (0,)
        for table in ("disclosure", "blind_index", "searchable", "evidence_file"):
            cursor.execute(f"SELECT count(*) FROM ledger.{table} WHERE book = %s AND subject_id = %s", (book, customer))
            assert cursor.fetchone() == (0,), table
    with ledger.record.pool.connection() as connection:
        assert customer not in ledger.index.find(connection, "contact", PERSONAL[1])
    found = verify(database, book, keys=keys)
    assert found.ok, found.problems
    assert found.events == (events_before or 0) + 1
    monkeypatch.setattr(verification, "EVENTS_FOR_SEVERAL_PROCESSES", 0)
    beside = verify(database, book, processes=2)  # the connections of other processes know less than ours
    assert (beside.ok, beside.values.erased) == (True, found.values.erased)
    # the history stands, and says what was erased, when and on what ground
    assert ledger.complaint(one).withdrawn_at is not None
    assert all(each.value is None for each in vault.look(Look(one, "handling"), "wang.fang"))
    assert any(each.value for each in vault.look(Look(kept, "handling"), "wang.fang"))
    stream = ledger.events.get(subject_stream(ledger.id, customer))
    fact = next(each.event for each in stream if isinstance(each.event, events.SubjectErased))
    assert (fact.ground, fact.erased_by) == ("customer-request", "archivist.he")
    with pytest.raises(ErasedAlready):
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    with pytest.raises(SubjectErased):  # nothing new is kept under it
        receive(ledger, customer_id=customer)
    assert erased.values >= len(PERSONAL)


def test_a_restored_database_gives_nothing_back(
    ledger: Ledger, vault: Vault, database: Database, book: str, keys: SubjectKeys
) -> None:
    """The rows of before the erasure come back, as from a backup: no key opens them, and they go before the service opens."""
    one, customer = old_and_closed(ledger)
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE backup AS SELECT * FROM ledger.disclosure WHERE subject_id = %s", (customer,))
        ask_to_erase(ledger, customer)
        erase(ledger, vault, customer, "customer-request", "archivist.he")
        cursor.execute("INSERT INTO ledger.disclosure SELECT * FROM backup")
        cursor.execute("DELETE FROM ledger.erasure WHERE subject_id = %s", (customer,))
        assert all(each.value is None for each in vault.look(Look(one, "handling"), "wang.fang"))
        assert carry_out_again(ledger, vault).subjects == 1
        cursor.execute("SELECT count(*) FROM ledger.disclosure WHERE subject_id = %s", (customer,))
        assert cursor.fetchone() == (0,)
    assert carry_out_again(ledger, vault) == (0, 0)
    assert verify(database, book, keys=keys).ok


def test_restored_keys_are_destroyed_again(database: Database, book: str, tmp_path: Path) -> None:
    """The key store of before the erasure comes back: the database knows who was erased."""
    with (
        closing(SubjectKeys.open(tmp_path / "keys")) as keys,
        closing(Ledger(database, book, keys)) as ledger,
        closing(Vault(ledger, database)) as vault,
    ):
        one, customer = old_and_closed(ledger)
        shutil.copytree(tmp_path / "keys", tmp_path / "backup")
        ask_to_erase(ledger, customer)
        erase(ledger, vault, customer, "customer-request", "archivist.he")
    with (
        closing(SubjectKeys.open(tmp_path / "backup")) as keys,
        closing(Ledger(database, book, keys)) as ledger,
        closing(Vault(ledger, database)) as vault,
    ):
        assert keys.held([customer])
        assert carry_out_again(ledger, vault).keys == 1
        assert not keys.held([customer])
        assert all(each.value is None for each in vault.look(Look(one, "handling"), "wang.fang"))


def test_the_database_erases_by_an_event_that_says_so_only(ledger: Ledger, database: Database, book: str) -> None:
    receive(ledger)
    with closing(database.connect(Role.VAULT, autocommit=True)) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute("SELECT ledger.erase_subject(%s, 1)", (book,))
        assert refused.value.pgcode == "CL050"
