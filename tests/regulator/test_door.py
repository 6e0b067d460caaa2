"""The regulator's door: what goes through it and what does not, its difference, its live copy, and what a check shows."""

import os
import pwd
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn
from psycopg2.extras import PhysicalReplicationConnection

from api import publishing
from api.command.options import WrongUse
from api.command.serving import doors_hour
from api.publishing import Published, Publisher, is_due
from ledger.application import Ledger
from ledger.complaint.events import ComplaintReopened
from ledger.complaint.moving import ComplaintRuledOut
from ledger.database.folder import DataFolder
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.proof.checkpoints import Checkpoints
from ledger.settings import Settings
from ledger.tables.table import Coded
from ledger.vault.keys import SubjectKeys
from projections.regulator import door
from projections.regulator.checking import check
from projections.regulator.door import bring_up, database_of, digest_at, login_of, open_door
from projections.returns.asking import Pseudonyms
from tests.command.running import Program, run
from tests.indicators.books import BRANCHES, CHINA, OWN, caught_up
from tests.projections.stories import WORDS, about, annulled, interleaved, received, record, shanghai

NAMES = Pseudonyms(b"n" * 32)
RECEIVER = "nfra"
OTHER = "pboc"


@pytest.fixture(scope="module")
def opened(database: Database) -> Database:
    """The door's database, made once."""
    open_door(database, RECEIVER)
    assert not open_door(database, RECEIVER), "the second time it is there"
    return database.beside(database_of(RECEIVER))


def let_in(settings: Settings, database: Database, account: str, *receivers: str) -> None:
    """What an operator does: an account of the machine may act as receivers' logins, and as nobody else."""
    with (DataFolder(settings.data).config / "pg_ident.conf").open("a") as file:
        file.writelines(f'ledger "{account}" {login_of(receiver)}\n' for receiver in receivers)
    with closing(database.administrator()) as administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def dsn_of(place: Database, receiver: str) -> str:
    """How a receiver's server connects: as its own login, with nothing of our program's settings."""
    parts = parse_dsn(place.dsn(Role.PUBLISHER))
    return str(
        make_dsn(**{**{key: value for key, value in parts.items() if key != "options"}, "user": login_of(receiver)})
    )


@pytest.fixture(scope="module")
def regulators(settings: Settings, database: Database, opened: Database) -> Database:
    """Two receivers, each with a door and a login of its own, which may log in from this account."""
    open_door(database, OTHER)
    let_in(settings, database, pwd.getpwuid(os.geteuid()).pw_name, RECEIVER, OTHER)
    return opened


@pytest.fixture
def copy(opened: Database) -> Iterator[Connection]:
    with closing(opened.connect(Role.PUBLISHER, autocommit=True)) as connection:
        yield connection


def rows_of(connection: Connection, book: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM regulator.complaint WHERE book = %s ORDER BY reference, from_position", (book,))
        return cursor.fetchall()


class TestDifference:
    def test_it_says_what_the_projection_says_however_it_was_brought_up(
        self, database: Database, new_book: Callable[[], str], copy: Connection, reader: Connection
    ) -> None:
        assert reader
        told = interleaved(21, 30)
        at_once, step_by_step = new_book(), new_book()
        record(database, at_once, told)
        caught_up(database, at_once)
        bring_up(database, at_once, RECEIVER, NAMES)
        known: Counter[UUID] = Counter()
        for first in range(0, len(told), 60):
            record(database, step_by_step, told[first : first + 60], known)
            caught_up(database, step_by_step)
            bring_up(database, step_by_step, RECEIVER, NAMES)
        now = [
            [row[1:2] + row[4:] for row in rows_of(copy, book) if row[3] is None] for book in (at_once, step_by_step)
        ]
        assert now[0] == now[1]
        assert len(now[0]) > 20
        assert len(rows_of(copy, step_by_step)) > len(now[1]), "what was known before is still there"

    def test_a_second_time_adds_nothing_and_an_annulled_receipt_ends_its_row(
        self, database: Database, book: str, opened: Database, copy: Connection
    ) -> None:
        assert opened
        one = uuid4()
        known = record(database, book, [(one, received(one, shanghai("2026-01-05T10:00")))])
        caught_up(database, book)
        assert bring_up(database, book, RECEIVER, NAMES)[1:] == (1, 0)
        assert bring_up(database, book, RECEIVER, NAMES)[1:] == (0, 0)
        record(database, book, [(one, annulled(one, 1, shanghai("2026-01-06T10:00")))], known)
        caught_up(database, book)
        assert bring_up(database, book, RECEIVER, NAMES)[1:] == (0, 1)
        assert [row[3] for row in rows_of(copy, book)] == [2]

    def test_new_tables_of_the_institution_move_what_they_count_elsewhere(
        self, database: Database, book: str, opened: Database, copy: Connection, tmp_path: Path
    ) -> None:
        assert opened
        one = uuid4()
        record(database, book, [(one, received(one, shanghai("2026-01-05T10:00"), product="loan"))])
        caught_up(database, book)
        bring_up(database, book, RECEIVER, NAMES)
        with closing(SubjectKeys.open(tmp_path)) as keys, closing(Ledger(database, book, keys)) as ledger:
            ledger.handle(OWN, principal="li")
        caught_up(database, book)
        assert bring_up(database, book, RECEIVER, NAMES)[1:] == (1, 1)
        with copy.cursor() as cursor:
            cursor.execute("SELECT business FROM regulator.complaint WHERE book = %s ORDER BY from_position", (book,))
            assert cursor.fetchall() == [("loan",), ("other-intermediary-business",)]

    def test_the_region_is_that_of_the_branch_by_the_table_of_then(
        self, database: Database, book: str, opened: Database, copy: Connection, tmp_path: Path
    ) -> None:
        assert opened
        told = {branch: uuid4() for branch in ("b1", "b2", "b3")}
        record(
            database,
            book,
            [(each, received(each, shanghai("2026-01-05T10:00"), branch=branch)) for branch, each in told.items()],
        )

        def regions(**published: str) -> tuple[dict[str, object], int]:
            rows = [Coded(code=code, zh="支行", en="Branch", more={"region": more}) for code, more in published.items()]
            table = BRANCHES.model_copy(update={"tables": {"branch": tuple(rows)}})
            with closing(SubjectKeys.open(tmp_path)) as keys, closing(Ledger(database, book, keys)) as ledger:
                ledger.handle(table, principal="li")
            caught_up(database, book)
            added = bring_up(database, book, RECEIVER, NAMES).added
            with copy.cursor() as cursor:
                cursor.execute(
                    "SELECT reference, region FROM regulator.complaint WHERE book = %s AND to_position IS NULL", (book,)
                )
                found = dict(cursor.fetchall())
            return {branch: found[NAMES.of("complaint", each)] for branch, each in told.items()}, added

        assert regions(b1="hubei", b2="henan") == ({"b1": "hubei", "b2": "henan", "b3": None}, 3)
        assert regions(b1="hubei", b2="hunan") == ({"b1": "hubei", "b2": "hunan", "b3": None}, 1), "moved by the table"

    def test_the_digest_of_an_earlier_position_stays(
        self, database: Database, book: str, opened: Database, copy: Connection
    ) -> None:
        assert opened
        told = interleaved(4, 20)
        known = record(database, book, told[:100])
        caught_up(database, book)
        first = bring_up(database, book, RECEIVER, NAMES).position
        before = digest_at(copy, book, first)
        record(database, book, told[100:], known)
        caught_up(database, book)
        second = bring_up(database, book, RECEIVER, NAMES).position
        assert digest_at(copy, book, first) == before != digest_at(copy, book, second)


class TestPublishing:
    def test_what_did_not_change_is_not_sealed_again(
        self, settings: Settings, database: Database, book: str, opened: Database, copy: Connection, program: Program
    ) -> None:
        assert opened
        one = uuid4()
        known = record(database, book, [(one, received(one, shanghai("2026-01-05T10:00")))])
        with (
            closing(SubjectKeys.open(settings.keys)) as keys,
            closing(Ledger(database, book, keys)) as ledger,
        ):
            checkpoints = Checkpoints(ledger, database, None)

            def publish() -> tuple[int, bool]:
                caught_up(database, book)
                done = publishing.publish(ledger, database, checkpoints, RECEIVER)
                return done.position, done.sealed

            assert publish() == (1, True)
            assert publish() == (1, False), "the seal itself is an event, and changes no row"
            told = program("regulator", "publish", RECEIVER, "--book", book)
            assert "is unchanged since position 1: nothing was recorded" in told.out
            assert check(copy, book, None).ok
            record(database, book, [(one, annulled(one, 1, shanghai("2026-01-06T10:00")))], known)
            position, sealed = publish()
            assert (position > 1, sealed) == (True, True)
            assert check(copy, book, None).sealed_at_position == position

    def test_what_is_found_to_be_no_complaint_ends_its_row_and_reopened_has_one_again(
        self, database: Database, book: str, opened: Database, copy: Connection
    ) -> None:
        """As no return counts it: what a receiver counts at its door is what it was sent."""
        assert opened
        one, at = uuid4(), shanghai("2026-01-05T10:00")
        found = ComplaintRuledOut(**about(one), nature="enquiry", reason=WORDS, ruled_out_by="li", ruled_out_at=at)
        again = ComplaintReopened(**about(one), reason=WORDS, new_facts=True, reopened_by="li", reopened_at=at)
        known: Counter[UUID] = Counter()
        for fact, changed in ((received(one, at), (1, 0)), (found, (0, 1)), (again, (1, 0))):
            record(database, book, [(one, fact)], known)
            caught_up(database, book)
            assert bring_up(database, book, RECEIVER, NAMES)[1:] == changed
        assert [row[3] for row in rows_of(copy, book)] == [2, None]

    def test_the_service_publishes_each_open_door_once_a_day_and_one_that_fails_stops_no_other(
        self, settings: Settings, database: Database, book: str, opened: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert opened
        for receiver in ("zone", "zwo"):
            open_door(database, receiver)
        one = uuid4()
        record(database, book, [(one, received(one, shanghai("2026-01-05T10:00")))])
        caught_up(database, book)
        published: list[str] = []

        def publish(ledger: Ledger, place: Database, _: object, receiver: str) -> Published:
            published.append(receiver)
            if receiver == "zone":
                raise psycopg2.OperationalError("this door is broken")
            return Published(*bring_up(place, ledger.book, receiver, NAMES), sealed=True)

        monkeypatch.setattr(publishing, "publish", publish)
        at = [datetime.now(UTC)]
        with (
            closing(SubjectKeys.open(settings.keys)) as keys,
            closing(Ledger(database, book, keys)) as ledger,
            closing(database.connect(Role.APPLICATION, autocommit=True)) as connection,
        ):
            checkpoints = Checkpoints(ledger, database, None)
            publisher = Publisher(ledger, database, checkpoints, CHINA, 3, clock=lambda: at[0])
            publisher.round(connection, lambda: False)
            assert published == [], "to none of these doors was this book ever published by hand"
            for receiver in ("zone", "zwo"):
                bring_up(database, book, receiver, NAMES)
            days: list[list[str]] = []
            noon = CHINA.day_begins_at(CHINA.local_day(at[0])) + timedelta(days=1, hours=12)
            for hours in (0, 0.5, 2, 24):
                at[0] = noon + timedelta(hours=hours)
                publisher.round(connection, lambda: False)
                days.append(published[:])
                published.clear()
        assert days == [["zone", "zwo"], [], ["zone"], ["zone", "zwo"]], "what failed is tried again after an hour"

    @pytest.mark.parametrize(("written", "hour"), [("0", 0), ("23", 23), ("never", None)])
    def test_the_hour_of_the_doors_is_a_setting(self, written: str, hour: int | None) -> None:
        assert doors_hour(Settings.from_environment(environment={"LEDGER_DOORS_HOUR": written})) == hour
        for wrong in ("24", "-1", "3:00", "nie"):
            with pytest.raises(WrongUse, match="LEDGER_DOORS_HOUR: write an hour from 0 to 23, or never"):
                doors_hour(Settings(doors_hour=wrong))

    @pytest.mark.parametrize(
        ("done_at", "now", "due"),
        [
            (None, "2026-03-02T02:59", False),
            (None, "2026-03-02T03:00", True),
            ("2026-03-01T03:00", "2026-03-02T03:00", True),
            ("2026-03-01T23:00", "2026-03-02T02:59", False),
            ("2026-03-02T03:00", "2026-03-02T23:59", False),
        ],
    )
    def test_a_door_is_due_from_its_hour_on_in_the_days_of_the_institution(
        self, done_at: str | None, now: str, *, due: bool
    ) -> None:
        done = None if done_at is None else shanghai(done_at)
        assert is_due(done, None, shanghai(now), CHINA, 3) is due


class TestIsolation:
    def test_the_slot_of_a_regulator_holds_nothing_of_ledger_or_vault(
        self, database: Database, book: str, regulators: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "ROWS_PER_PAGE", 5)
        slot = f"look_{uuid4().hex[:8]}"
        theirs = psycopg2.connect(dsn_of(regulators, RECEIVER))
        theirs.autocommit = True
        with closing(theirs), theirs.cursor() as cursor:
            cursor.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
            try:
                one, customer = uuid4(), uuid4()
                receipt = received(one, shanghai("2026-01-05T10:00"), external_reference="MARKED-4711")
                others = [UUID(int=number) for number in range(1, 30)]
                record(database, book, [(one, receipt.model_copy(update={"customer_id": customer}))])
                record(database, book, [(each, received(each, shanghai("2026-01-06T10:00"))) for each in others])
                caught_up(database, book)
                bring_up(database, book, RECEIVER, NAMES)
                cursor.execute(
                    "SELECT data FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
                    "'publication_names', 'regulator')",
                    (slot,),
                )
                seen = b"".join(bytes(data) for (data,) in cursor.fetchall())
            finally:
                cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
        assert NAMES.of("complaint", one).encode() in seen, "the rows do come through"
        places = [seen.index(name) for name in sorted(NAMES.of("complaint", each).encode() for each in (one, *others))]
        assert places == sorted(places), (
            "in the order of their names here: that of our ids would be another receiver's too"
        )
        for secret in ("MARKED-4711", str(one), str(customer), "complaint-received", "ledger_vault", "recorded_by"):
            assert secret.encode() not in seen, secret
        assert one.bytes not in seen

    def test_the_publisher_reaches_no_other_database_and_copies_no_cluster(
        self, database: Database, opened: Database, copy: Connection
    ) -> None:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            psycopg2.connect(database.dsn(Role.PUBLISHER))
        with copy.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("UPDATE regulator.complaint SET outcome = 'upheld'")
        with copy.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege, match="replication slots"):
            cursor.execute("SELECT pg_create_logical_replication_slot('ours', 'pgoutput')")
        assert opened.name == database_of(RECEIVER)

    def test_a_receiver_reaches_its_own_door_only(self, database: Database, regulators: Database) -> None:
        with closing(psycopg2.connect(dsn_of(regulators, RECEIVER))) as theirs, theirs.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM regulator.complaint")
            assert cursor.fetchone() is not None
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("UPDATE regulator.complaint SET outcome = 'upheld'")
        for name in (database_of(OTHER), database.name, "postgres", "template1"):
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(dsn_of(database.beside(name), RECEIVER))
        with pytest.raises(psycopg2.OperationalError, match="no pg_hba.conf entry for replication"):
            psycopg2.connect(dsn_of(regulators, RECEIVER), connection_factory=PhysicalReplicationConnection)

    @pytest.mark.parametrize("name", ["", "NFRA", "a-b", 'x"; DROP', "1a"])
    def test_what_names_no_receiver_is_refused(self, name: str) -> None:
        with pytest.raises(door.NoSuchReceiver):
            database_of(name)


class TestLiveCopy:
    def test_a_copy_on_another_server_follows_over_a_cut(
        self, settings: Settings, database: Database, book: str, opened: Database, folder: Path, copy: Connection
    ) -> None:
        told = interleaved(9, 30)
        known = record(database, book, told[:120])
        caught_up(database, book)
        bring_up(database, book, RECEIVER, NAMES)
        theirs = Settings(data=folder / "data")
        name = f"copy_{uuid4().hex[:8]}"
        with open_database(theirs) as regulator:
            account = pwd.getpwuid(DataFolder(theirs.data).postgres.stat().st_uid).pw_name
            let_in(settings, database, account, RECEIVER)
            self.subscribe(regulator, opened, name)
            self.wait_for(regulator, name, book, copy)
        # their server is down; ours goes on
        record(database, book, told[120:], known)
        caught_up(database, book)
        bring_up(database, book, RECEIVER, NAMES)
        with open_database(theirs) as regulator:
            self.wait_for(regulator, name, book, copy)
            with closing(self.connect(regulator, name)) as connection:
                assert rows_of(connection, book) == rows_of(copy, book)
                with connection.cursor() as cursor:
                    cursor.execute(f"DROP SUBSCRIPTION {name}")

    @staticmethod
    def connect(regulator: Database, name: str) -> Connection:
        """Their own database, as their superuser."""
        with closing(regulator.administrator()) as administrator:
            place = parse_dsn(administrator.dsn)
        connection: Connection = psycopg2.connect(make_dsn(**{**place, "dbname": name}))
        connection.autocommit = True
        return connection

    def subscribe(self, regulator: Database, opened: Database, name: str) -> None:
        with closing(regulator.administrator()) as administrator, administrator.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with closing(self.connect(regulator, name)) as connection, connection.cursor() as cursor:
            cursor.execute(door._SQL["tables"])
            place = dsn_of(opened, RECEIVER)
            cursor.execute(f"CREATE SUBSCRIPTION {name} CONNECTION %s PUBLICATION regulator", (place,))

    def wait_for(self, regulator: Database, name: str, book: str, copy: Connection) -> None:
        wanted = door.reached(copy, book)
        until = time.monotonic() + 60
        with closing(self.connect(regulator, name)) as connection:
            while not self.is_first_copy_done(connection) or door.reached(connection, book) != wanted:
                assert time.monotonic() < until, "the copy does not follow"
                time.sleep(0.1)

    @staticmethod
    def is_first_copy_done(connection: Connection) -> bool:
        """Until then each table is at a moment of its own."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
            return cursor.fetchone() == (True,)


class TestCheck:
    def test_a_copy_is_checked_against_seal_proof_and_key_and_a_changed_row_is_seen(
        self, settings: Settings, database: Database, program: Program, book: str, opened: Database, tmp_path: Path
    ) -> None:
        record(database, book, interleaved(6, 12))
        published = program("regulator", "publish", RECEIVER, "--book", book)
        assert published.code == 0, published.err
        key = tmp_path / "key.txt"
        key.write_text(program("key", "--book", book).out)
        url = opened.dsn(Role.PUBLISHER)
        good = run("regulator", "verify", "--copy", url, "--key", key, "--book", book)
        assert good.code == 0, good.out
        assert "exactly those that the institution sealed" in good.out
        assert "signed by the key that you gave" in good.out
        with closing(opened.connect(Role.OWNER, autocommit=True)) as forger, forger.cursor() as cursor:
            cursor.execute("UPDATE regulator.complaint SET disputed = NOT disputed WHERE book = %s", (book,))
        bad = run("regulator", "verify", "--copy", url, "--key", key, "--book", book)
        assert bad.code == 1
        assert "are NOT those that the institution sealed" in bad.out
        with closing(opened.connect(Role.OWNER, autocommit=True)) as forger, forger.cursor() as cursor:
            cursor.execute("UPDATE regulator.complaint SET disputed = NOT disputed WHERE book = %s", (book,))
            cursor.execute(
                "UPDATE regulator.seal SET state = replace(convert_from(state, 'UTF8'), '\"rows\":', '\"rows\": ')::bytea WHERE book = %s",
                (book,),
            )
        without_key = run("regulator", "verify", RECEIVER, "--book", book, "--data", settings.data).out
        assert "entry is NOT that of the seal" in without_key
        assert "open  the signature of the checkpoint was NOT checked" in without_key

    def test_a_door_without_a_seal_shows_nothing(self, program: Program, book: str, opened: Database) -> None:
        assert opened
        answer = program("regulator", "verify", RECEIVER, "--book", book)
        assert (answer.code, "no seal" in answer.out) == (1, True)


@pytest.fixture
def program(settings: Settings) -> Program:
    return lambda *words: run(*words, "--data", settings.data)
