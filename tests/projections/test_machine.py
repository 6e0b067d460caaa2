"""The machine: whatever the batches, the crashes and the company, the rows are those of the events, each applied once."""

import dataclasses
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintEvent
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.names import UnknownStoredName
from ledger.record.reading import head
from ledger.settings import Settings
from projections import complaints, history, sla, timekeeper, worklist
from projections.asking import NotBuilt, NotReached, reached
from projections.catalogue import PROJECTIONS
from projections.machine import (
    Batch,
    Builder,
    BuiltByOtherVersion,
    Projection,
    ProjectionStopped,
    in_schema,
    schema_of,
    take,
)
from projections.rebuild import build_until, compare
from projections.worker import Worker, catch_up, status
from tests.database.acting import acting_as
from tests.projections.others import of_other_subjects, shuffled
from tests.projections.stories import Told, interleaved, received, record, record_raw

Rows = dict[str, list[tuple[Any, ...]]]

MAY_BE_EMPTY = {"timeline", "permissions"}
"""Projections that these stories leave with a table empty: no survey is answered, no complaint linked and no access asked for."""


@pytest.fixture
def projector(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.PROJECTOR)) as connection:
        yield connection


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """Complaints, and among them what all the other projections read; one limit runs into days that nobody has announced."""
    late = UUID(int=2027)
    told = shuffled(7, interleaved(seed=7, complaints=36), of_other_subjects(7))
    return [*told, (late, received(late, datetime(2026, 12, 30, 2, tzinfo=UTC)))]


def rows_of(connection: Connection, projection: Projection, schema: str) -> Rows:
    """Every row of a build, in the order of its keys."""
    found = {}
    with connection.cursor() as cursor:
        for table, key in projection.tables.items():
            cursor.execute(in_schema(f"SELECT * FROM {{schema}}.{{table}} ORDER BY {', '.join(key)}", schema, table))
            found[table] = cursor.fetchall()
    connection.rollback()
    return found


def until_reached(database: Database, book: str, seconds_max: float = 20) -> None:
    """Waits until all projections stand at the end of the book."""
    end = time.monotonic() + seconds_max
    while any(each.lag_events or not each.position for each in status(database, book)):
        assert time.monotonic() < end, f"not reached: {status(database, book)}"
        time.sleep(0.02)


@pytest.mark.every_postgres
@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_rows_do_not_depend_on_the_batches(
    database: Database, projector: Connection, book: str, told: list[Told], name: str
) -> None:
    record(database, book, told)
    projection = PROJECTIONS[name]
    catch_up(database, book, name)
    live = rows_of(projector, projection, schema_of(book, name))
    assert all(live.values()) or name in MAY_BE_EMPTY, "every table got rows"
    for number, events_max in enumerate((1, 2, 7, 500)):
        builder = Builder(projector, book, projection, f"until_{number}")
        while builder.step(events_max):
            pass
        assert builder.position == len(told)
        assert rows_of(projector, projection, builder.schema) == live, f"in batches of {events_max}"


@pytest.mark.parametrize(
    "forgetful",
    [
        dataclasses.replace(sla.PROJECTION, fold=lambda: sla.SlaFold(facts_max=0)),
        dataclasses.replace(worklist.PROJECTION, fold=lambda: worklist.WorklistFold(facts_max=0)),
        dataclasses.replace(timekeeper.PROJECTION, fold=lambda: timekeeper.TimekeeperFold(facts_max=0)),
    ],
    ids=["sla", "worklist", "timekeeper"],
)
def test_the_rows_do_not_depend_on_what_is_remembered(
    database: Database, projector: Connection, book: str, told: list[Told], forgetful: Projection
) -> None:
    record(database, book, told)
    catch_up(database, book, forgetful.name)
    builder = Builder(projector, book, forgetful, "until_0")
    while builder.step(7):
        kept = builder._fold._complaints
        assert len(kept._known) <= 7, "no more than one batch brings in"
        assert kept._facts == sum(map(complaints.size_of, kept._known.values())), "what is kept is counted"
    live = rows_of(projector, forgetful, schema_of(book, forgetful.name))
    assert rows_of(projector, forgetful, builder.schema) == live


def test_the_root_is_that_of_the_book(database: Database, projector: Connection, book: str, told: list[Told]) -> None:
    record(database, book, told)
    catch_up(database, book, "history", batch=11)
    (standing,) = [each for each in status(database, book) if each.name == "history"]
    stated = head(projector, book)
    assert (standing.tree_size, standing.root) == (stated.size, stated.root.hex())
    assert (standing.lag_events, standing.lag_seconds, standing.failed) == (0, 0, None)


def test_what_is_not_begun_stands_at_nothing(database: Database, projector: Connection, book: str) -> None:
    assert [(each.name, each.position, each.version) for each in status(database, book)] == [
        (name, 0, None) for name in PROJECTIONS
    ]
    assert reached(projector, book, "sla") == 0
    with pytest.raises(NotBuilt, match="has not been built yet"):
        history.find(projector, book, "C-1")


def test_lag_is_told_in_events_and_seconds(database: Database, projector: Connection, book: str) -> None:
    told = interleaved(seed=1, complaints=2)
    record(database, book, told)
    catch_up(database, book, "history", until=3)
    (standing,) = [each for each in status(database, book) if each.name == "history"]
    assert (standing.position, standing.lag_events) == (3, len(told) - 3)
    assert 0 < standing.lag_seconds < 60
    with pytest.raises(NotReached, match="stands at position 3, before position 4"):
        history.of(projector, book, uuid4(), as_of=4)


def take_once_free(projector: Connection, book: str, name: str) -> None:
    """The server lets go of a lock a moment after its session has ended."""
    until = time.monotonic() + 30
    while not take(projector, book, name):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_catching_up_an_empty_book_does_not_wait_for_whoever_holds_it(
    database: Database, settings: Settings, projector: Connection, book: str
) -> None:
    """Another process holds the projection, and has nothing to do either."""
    assert catch_up(database, book, "sla") == 0
    take_once_free(projector, book, "sla")
    command = [sys.executable, "-c", CATCHES_UP, str(settings.data), str(settings.server_binaries or ""), book]
    done = subprocess.run(
        command, capture_output=True, cwd=Path(__file__).parents[2], text=True, timeout=30, check=True
    )
    assert done.stdout == "0\n"


CATCHES_UP = """
import sys
from pathlib import Path
from ledger.database.target import open_database
from ledger.settings import Settings
from projections.worker import catch_up

binaries = Path(sys.argv[2]) if sys.argv[2] else None
with open_database(Settings(data=Path(sys.argv[1]), server_binaries=binaries)) as database:
    print(catch_up(database, sys.argv[3], "sla"))
"""


class TestAFailingEvent:
    """Stops its projection, named and for ever visible; the others go on."""

    @pytest.fixture
    def poisoned(self, database: Database, book: str) -> str:
        """A contact without its fields: the history reads it, no clock cares."""
        told = interleaved(seed=3, complaints=4)
        known = record(database, book, told[:9])
        stream_id = told[0][0]
        record_raw(database, book, "contact-noted", b'{"event":{}}', stream_id, known[stream_id] + 1)
        known[stream_id] += 1
        record(database, book, told[9:], known)
        return book

    def test_is_named_and_not_passed(self, database: Database, poisoned: str) -> None:
        for _ in range(2):  # also when it is tried again
            with pytest.raises(ProjectionStopped, match=r"history .* stopped at position 10 \(contact-noted\)"):
                catch_up(database, poisoned, "history")
            (standing,) = [each for each in status(database, poisoned) if each.name == "history"]
            assert standing.position == 9
            assert standing.failed is not None
            assert (standing.failed.position, standing.failed.event) == (10, "contact-noted")
            assert standing.failed.error == "ValidationError"
        assert compare(database, poisoned, "history") == [], "what is before it is there, and right"

    def test_leaves_the_others_alone(self, database: Database, poisoned: str) -> None:
        with Worker(database, poisoned):
            end = time.monotonic() + 20
            standing = {each.name: each for each in status(database, poisoned)}
            while standing["sla"].lag_events or standing["worklist"].lag_events or not standing["history"].failed:
                assert time.monotonic() < end, standing
                time.sleep(0.02)
                standing = {each.name: each for each in status(database, poisoned)}
            with pytest.raises(ProjectionStopped):  # the worker that waits does not stand in the way
                catch_up(database, poisoned, "history")
        assert standing["history"].position == 9

    def test_is_not_waited_for_while_another_holds_the_projection(
        self, database: Database, projector: Connection, poisoned: str
    ) -> None:
        with pytest.raises(ProjectionStopped):
            catch_up(database, poisoned, "history")
        take_once_free(projector, poisoned, "history")
        with pytest.raises(ProjectionStopped, match=r"stopped at position 10 \(contact-noted\): ValidationError"):
            catch_up(database, poisoned, "history")
        assert catch_up(database, poisoned, "history", until=9) == 9

    def test_with_an_unknown_name_says_to_upgrade(self, database: Database, book: str) -> None:
        record(database, book, interleaved(seed=3, complaints=1))
        record_raw(database, book, "complaint-teleported", b"{}", uuid4(), 1)
        for name in PROJECTIONS:
            with pytest.raises(ProjectionStopped, match="Install a program that knows this event") as stopped:
                catch_up(database, book, name)
            assert stopped.value.event == "complaint-teleported"
            assert isinstance(stopped.value.__cause__, UnknownStoredName)

    def test_is_over_when_the_program_can_read_it(
        self, database: Database, projector: Connection, poisoned: str
    ) -> None:
        with pytest.raises(ProjectionStopped):
            catch_up(database, poisoned, "history")

        class Lenient:
            def apply(self, batch: object) -> None:
                pass

        builder = Builder(projector, poisoned, dataclasses.replace(history.PROJECTION, fold=Lenient))
        while builder.step():
            pass
        (standing,) = [each for each in status(database, poisoned) if each.name == "history"]
        assert (standing.failed, standing.lag_events) == (None, 0)


def test_events_that_are_not_those_of_the_tree_are_noticed(database: Database, book: str) -> None:
    """The owner of the tables, who can do everything, changes a stored byte: the rows are not built on it in silence."""
    record(database, book, interleaved(seed=5, complaints=2))
    with closing(database.connect(Role.OWNER)) as owner, owner, owner.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger.event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE ledger.event SET state = replace(convert_from(state, 'UTF8'), 'phone', 'fax')::bytea"
            " WHERE book = %s AND name = 'complaint-received'",
            (book,),
        )
        assert cursor.rowcount > 0
        cursor.execute("ALTER TABLE ledger.event ENABLE TRIGGER USER")
    with pytest.raises(ProjectionStopped, match="complaint-ledger verify --book"):
        catch_up(database, book, "history")


def test_rows_of_another_version_are_not_continued(database: Database, projector: Connection, book: str) -> None:
    record(database, book, interleaved(seed=5, complaints=1))
    catch_up(database, book, "sla")
    for version, advice in ((sla.PROJECTION.version + 1, "projections rebuild sla"), (0, "install the newer program")):
        other = dataclasses.replace(sla.PROJECTION, version=version)
        with pytest.raises(BuiltByOtherVersion, match=advice):
            Builder(projector, book, other).step()


def test_a_change_of_the_tables_is_a_new_version() -> None:
    """Rows are rebuilt when their version rises; so whoever changes the tables raises it, and writes both here."""
    pinned = {
        "sla": (5, "c83d8d0c"),
        "history": (2, "9547e2bb"),
        "worklist": (4, "0f402b96"),
        "timeline": (2, "5b2fb6a8"),
        "duties": (1, "dee87a47"),
        "timekeeper": (3, "93410791"),
        "indicators": (4, "432e8ab1"),
        "returns": (2, "e334a193"),
        "permissions": (1, "d5020b2c"),
    }
    digests = {
        name: (each.version, hashlib.sha256(each.queries["tables"].encode()).hexdigest()[:8])
        for name, each in PROJECTIONS.items()
    }
    assert digests == pinned


class TestCompany:
    """Several at once, or one after the other's death, do the work once."""

    def test_two_workers(self, database: Database, book: str, told: list[Told]) -> None:
        with Worker(database, book, batch=3) as one, Worker(database, book, batch=2) as other:
            record(database, book, told)
            one.wake()
            other.wake()
            until_reached(database, book)
            assert all(each.worked_on for each in status(database, book))
        end = time.monotonic() + 20  # a server ends a session, and its lock, a moment after its client has left
        while any(each.worked_on for each in status(database, book)):
            assert time.monotonic() < end, "a worker that was stopped holds its lock"
            time.sleep(0.02)
        assert all(compare(database, book, name) == [] for name in PROJECTIONS)

    def test_a_standby_takes_over(self, database: Database, book: str, told: list[Told]) -> None:
        first, standby = Worker(database, book), Worker(database, book)
        first.start()
        known = record(database, book, told[:100])
        until_reached(database, book)
        standby.start()
        first.stop()
        record(database, book, told[100:], known)
        until_reached(database, book)
        standby.stop()
        assert all(compare(database, book, name) == [] for name in PROJECTIONS)

    def test_a_worker_survives_the_loss_of_its_connection(
        self, database: Database, projector: Connection, book: str, told: list[Told]
    ) -> None:
        with Worker(database, book, ["history"]):
            known = record(database, book, told[:50])
            catch_up(database, book, "history")
            with projector.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            record(database, book, told[50:], known)
            end = time.monotonic() + 20
            while reached(projector, book, "history") < len(told):
                projector.rollback()
                assert time.monotonic() < end
                time.sleep(0.05)
        assert compare(database, book, "history") == []

    def test_catching_up_beside_a_worker_waits_for_it(self, database: Database, book: str, told: list[Told]) -> None:
        with Worker(database, book, batch=5):
            record(database, book, told)
            assert [catch_up(database, book, name) for name in PROJECTIONS] == [len(told)] * len(PROJECTIONS)


WORKS = """
import sys, time
from pathlib import Path
from ledger.database.target import open_database
from ledger.settings import Settings
from projections.worker import Worker

binaries = Path(sys.argv[2]) if sys.argv[2] else None
with open_database(Settings(data=Path(sys.argv[1]), server_binaries=binaries)) as database:
    with Worker(database, sys.argv[3], batch=2, idle_seconds=0.01):
        print("works", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_any_moment_it_neither_skips_nor_repeats(
    database: Database, settings: Settings, projector: Connection, book: str, rounds: int
) -> None:
    rng = random.Random(2026)
    told = shuffled(9, interleaved(seed=9, complaints=rounds * 6), of_other_subjects(9))
    known = record(database, book, told[:1])
    for number in range(rounds):
        command = [sys.executable, "-c", WORKS, str(settings.data), str(settings.server_binaries or ""), book]
        working = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True)
        try:
            assert working.stdout is not None
            assert working.stdout.readline() == "works\n"
            share = len(told) // rounds
            record(database, book, told[1 + number * share : 1 + (number + 1) * share], known)
            time.sleep(rng.random() * 0.3)
        finally:
            os.kill(working.pid, signal.SIGKILL)
            working.communicate()
    size = head(projector, book).size
    for name in PROJECTIONS:
        assert catch_up(database, book, name) == size
        assert compare(database, book, name) == []
    with projector.cursor() as cursor:
        cursor.execute(in_schema("SELECT count(*), max(position) FROM {schema}.event", schema_of(book, "history")))
        of_complaints = [place for place, (_, event) in enumerate(told[:size], 1) if isinstance(event, ComplaintEvent)]
        assert cursor.fetchone() == (len(of_complaints), of_complaints[-1])


class TestRights:
    def test_readers_read_and_do_not_write(self, database: Database, book: str, told: list[Told]) -> None:
        record(database, book, told[:20])
        for name in PROJECTIONS:
            catch_up(database, book, name)
        for role in (Role.APPLICATION, Role.AUDITOR):
            with closing(database.connect(role, autocommit=True)) as connection, connection.cursor() as cursor:
                for name, projection in PROJECTIONS.items():
                    for table in projection.tables:
                        cursor.execute(in_schema("SELECT count(*) FROM {schema}.{table}", schema_of(book, name), table))
                        for forbidden in ("DELETE FROM {schema}.{table}", "DROP TABLE {schema}.{table}"):
                            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                                cursor.execute(in_schema(forbidden, schema_of(book, name), table))
        for role in (Role.VAULT, Role.PUBLISHER):
            with acting_as(database, role) as connection:
                cursor = connection.cursor()
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(in_schema("SELECT FROM {schema}.event", schema_of(book, "history")))

    def test_a_book_that_was_not_granted_is_not_seen(
        self, database: Database, new_book: Callable[[], str], told: list[Told]
    ) -> None:
        book = new_book()
        record(database, book, told[:20])
        catch_up(database, book, "history")
        with closing(database.connect(Role.OWNER)) as owner, owner, owner.cursor() as cursor:
            cursor.execute("DELETE FROM ledger.book_access WHERE book = %s AND role = %s", (book, Role.AUDITOR))
        with closing(database.connect(Role.AUDITOR)) as auditor, auditor.cursor() as cursor:
            cursor.execute(in_schema("SELECT count(*) FROM {schema}.event", schema_of(book, "history")))
            assert cursor.fetchone() == (0,)
            with pytest.raises(NotBuilt):
                history.of(auditor, book, told[0][0])

    def test_in_a_build_the_projector_makes_nothing_that_others_would_run(
        self, database: Database, projector: Connection, book: str, told: list[Told]
    ) -> None:
        record(database, book, told[:20])
        catch_up(database, book, "worklist")
        build_until(database, book, "worklist", 10)
        for build in ("live", "until_10"):
            schema = schema_of(book, "worklist", build)
            for statement in (
                "CREATE VIEW {schema}.trap AS SELECT 1 AS one",
                "CREATE OR REPLACE VIEW {schema}.task AS SELECT 1 AS one",
                "CREATE TABLE {schema}.trap (one int)",
                "CREATE FUNCTION {schema}.trap() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "CREATE RULE trap AS ON INSERT TO {schema}.task DO ALSO NOTHING",
                "CREATE POLICY trap ON {schema}.task USING (true)",
                "CREATE TRIGGER trap BEFORE INSERT ON {schema}.task EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "CREATE INDEX trap ON {schema}.task (position)",
                "ALTER TABLE {schema}.task DISABLE ROW LEVEL SECURITY",
                "ALTER TABLE {schema}.task RENAME TO trap",
                "ALTER TABLE {schema}.task ADD COLUMN trap int",
                "DROP TABLE {schema}.task",
                "TRUNCATE {schema}.task",
                "GRANT CREATE ON SCHEMA {schema} TO ledger_projector",
            ):
                with projector.cursor() as cursor:
                    try:
                        cursor.execute(in_schema(statement, schema))
                    except psycopg2.errors.InsufficientPrivilege:
                        projector.rollback()
                        continue
                    assert statement.startswith("GRANT"), statement  # a grant without effect is only warned of
                    cursor.execute("SELECT has_schema_privilege(%s, 'CREATE')", (schema,))
                    assert cursor.fetchone() == (False,)
                    projector.rollback()
        with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT pg_get_userbyid(relowner)::text, relrowsecurity, relforcerowsecurity FROM pg_class"
                " WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
                (f'"{schema_of(book, "worklist")}"',),
            )
            assert cursor.fetchall() == [("ledger_owner", True, True)]

    @pytest.mark.parametrize(
        "draft",
        [
            "CREATE VIEW {schema}.task AS SELECT ''::text AS book",
            "CREATE TABLE {schema}.task (book text, at int CHECK ({schema}.trap(at) = 1))",
            "CREATE TABLE {schema}.task (book text, at int); CREATE INDEX ON {schema}.task ({schema}.trap(at))",
            "CREATE TABLE {schema}.task (book text, at int); CREATE INDEX ON {schema}.task (at) WHERE {schema}.trap(at) = 1",
            "CREATE DOMAIN {schema}.word AS text; CREATE TABLE {schema}.task (book text, at {schema}.word)",
            "CREATE TABLE {schema}.task (book text)",  # and the function beside it
        ],
    )
    def test_a_draft_that_would_run_the_projectors_code_is_not_sealed(
        self, projector: Connection, book: str, draft: str
    ) -> None:
        schema = schema_of(book, "worklist")
        trap = "CREATE FUNCTION {schema}.trap(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';"
        with projector.cursor() as cursor:
            cursor.execute(
                "INSERT INTO projection.progress (book, name, build, schema, code) VALUES (%s, 'worklist', 'live', %s, 1)",
                (book, schema),
            )
            cursor.execute("SELECT projection.open_schema(%s, 'worklist', 'live')", (book,))
            for statement in (trap, draft, "GRANT ALL ON {schema}.task TO ledger_owner"):
                cursor.execute(in_schema(statement, schema))
            cursor.execute("SELECT has_schema_privilege('ledger_application', %s, 'USAGE')", (schema,))
            assert cursor.fetchone() == (False,), "until it is sealed nobody reads in it"
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute("SELECT projection.seal_schema(%s, 'worklist', 'live', '{task}')", (book,))
        assert refused.value.pgcode == "CL011"

    def test_the_projector_drops_no_schema_but_of_a_build(self, projector: Connection, book: str) -> None:
        with projector.cursor() as cursor, pytest.raises(psycopg2.Error, match="no build live of projection ledger"):
            cursor.execute("SELECT projection.drop_schema(%s, 'ledger', 'live')", (book,))

    @pytest.mark.parametrize(
        ("name", "schema"),
        [
            *(("ledger", "ledger_migration"), ("ledger", None), ("pg", None), ("information", "information_schema")),
            *(("sla", "sla_other"), ("sla", "ledger"), ("sla", "public"), ("sla", "projection")),
        ],
    )
    def test_the_projector_states_no_schema_but_that_of_a_build(
        self, projector: Connection, book: str, name: str, schema: str | None
    ) -> None:
        """The owner's functions make, fill and drop what stands there: the schema of the migrations did, for once."""
        with projector.cursor() as cursor, pytest.raises(psycopg2.errors.CheckViolation):
            cursor.execute(
                "INSERT INTO projection.progress (book, name, build, schema, code) VALUES (%s, %s, 'next', %s, 1)",
                (book, name, schema or schema_of(book, name, "next")),
            )

    @pytest.mark.parametrize("book", ["main", "b" * 50, "b" * 63])
    @pytest.mark.parametrize("build", ["live", "next", "old", "compare", "until_1", f"until_{2**62}"])
    def test_the_database_names_a_schema_as_the_program_does(
        self, projector: Connection, book: str, build: str
    ) -> None:
        with projector.cursor() as cursor:
            cursor.execute("SELECT projection.schema_named(%s, 'worklist', %s)", (book, build))
            assert cursor.fetchone() == (schema_of(book, "worklist", build),)


def test_a_schema_is_named_after_its_projection_and_book() -> None:
    assert schema_of("main", "sla") == "sla_main"
    assert schema_of("main", "sla", "next") == "sla_main_next"
    longest = schema_of("b" * 63, "worklist", f"until_{2**62}")
    assert len(longest) <= 63
    assert longest != schema_of("b" * 62 + "c", "worklist", f"until_{2**62}")


def test_any_text_is_added_as_it_is(database: Database) -> None:
    texts = ["", "\\", "\\N", "\t\n\r", "\\t", "客服\t\\\n", '{"a":"\\\\u0000\\n"}', "\x7f\x0b", "NULL", "\\."]
    rows = [
        *((nth, text, UUID(int=7), None, True) for nth, text in enumerate(texts)),
        (len(texts), None, None, None, False),
    ]
    with closing(database.connect(Role.OWNER)) as owner, owner.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA words; CREATE TABLE words.word (nth int, word text, made uuid, at date, is_so bool)"
        )
        Batch(owner, "", "words", []).add("word", ("nth", "word", "made", "at", "is_so"), rows)
        cursor.execute("SELECT nth, word, made, at, is_so FROM words.word ORDER BY nth")
        assert cursor.fetchall() == rows
