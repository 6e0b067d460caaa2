"""Built beside the live one: the swap, the comparison, and the projection as it was known then."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.reading import events_after
from projections import catalogue, history, rebuild, sla, worklist
from projections.asking import reached
from projections.catalogue import PROJECTIONS, NoSuchProjection
from projections.machine import Batch, Builder, ProjectionStopped, in_schema, schema_of, take
from projections.rebuild import AlreadyBuilding, NothingToCompare, Rebuilt, build_until, compare, drop_until
from projections.worker import Worker, catch_up, status
from tests.projections.stories import Told, interleaved, record, shanghai

NOW = shanghai("2025-10-20T12:00")


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def projector(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def told(database: Database, book: str) -> list[Told]:
    """Some complaints, recorded and worked into every projection."""
    told = interleaved(seed=19, complaints=20)
    record(database, book, told)
    for name in PROJECTIONS:
        catch_up(database, book, name)
    return told


def left_over(projector: Connection, book: str) -> list[str]:
    """The builds of a book that are not live."""
    with projector.cursor() as cursor:
        cursor.execute("SELECT build FROM projection.progress WHERE book = %s AND build <> 'live'", (book,))
        return [build for (build,) in cursor.fetchall()]


class TestRebuild:
    @pytest.mark.usefixtures("told")
    def test_it_repairs_what_was_spoilt(self, database: Database, projector: Connection, book: str) -> None:
        with projector.cursor() as cursor:
            cursor.execute(in_schema("DELETE FROM {schema}.clock WHERE known_from < 30", schema_of(book, "sla")))
        before = compare(database, book, "sla")
        rebuilt = rebuild.rebuild(database, book, "sla")
        assert rebuilt.rows_after["clock"] - rebuilt.rows_before["clock"] == len(before) > 0
        assert compare(database, book, "sla") == []
        assert left_over(projector, book) == []

    @pytest.mark.usefixtures("told")
    def test_the_planner_knows_what_was_built(self, database: Database, projector: Connection, book: str) -> None:
        rebuilt = rebuild.rebuild(database, book, "sla")
        with projector.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname, c.reltuples FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
                " WHERE n.nspname = %s AND c.relkind = 'r'",
                (schema_of(book, "sla"),),
            )
            assert dict(cursor.fetchall()) == rebuilt.rows_after

    def test_readers_are_served_throughout_and_never_see_it_go_back(
        self, database: Database, book: str, told: list[Told]
    ) -> None:
        stop, seen, failed = Event(), [], []

        def read() -> None:
            with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
                while not stop.is_set():
                    try:
                        page = worklist.page(connection, book, rows_max=500)
                        seen.append((page.position, len(page.tasks)))
                    except psycopg2.Error as error:
                        failed.append(error)

        whole = len(told)
        with Worker(database, book, ["worklist"], idle_seconds=0.01):
            reading = Thread(target=read)
            reading.start()
            for _ in range(5):
                record(database, book, interleaved(seed=whole, complaints=2))
                whole += 1
                rebuild.rebuild(database, book, "worklist")
            stop.set()
            reading.join()
        assert not failed
        assert [position for position, _ in seen] == sorted(position for position, _ in seen)
        assert all(tasks > 0 for _, tasks in seen), "never an empty table"
        assert compare(database, book, "worklist") == []

    def test_a_worker_goes_on_from_what_was_swapped_in(self, database: Database, book: str, told: list[Told]) -> None:
        with Worker(database, book, idle_seconds=0.01):
            for number in range(3):
                for name in PROJECTIONS:
                    rebuild.rebuild(database, book, name)
                record(database, book, interleaved(seed=100 + number, complaints=2))
                for name in PROJECTIONS:
                    catch_up(database, book, name)
        assert all(compare(database, book, name) == [] for name in PROJECTIONS)
        assert all(each.position > len(told) and not each.lag_events for each in status(database, book))

    def test_what_was_never_built_is_built(self, database: Database, book: str) -> None:
        told = interleaved(seed=19, complaints=3)
        record(database, book, told)
        progress: list[tuple[int, int]] = []
        rebuilt = rebuild.rebuild(database, book, "history", lambda done, of: progress.append((done, of)))
        assert (rebuilt.rows_before["event"], rebuilt.rows_after["event"]) == (0, len(told))
        assert progress[-1] == (len(told), len(told))

    @pytest.mark.usefixtures("told")
    def test_all_are_rebuilt_in_one_pass(
        self, database: Database, projector: Connection, book: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pages of seven events: every projection then meets complaints that it has to read again."""
        monkeypatch.setattr(rebuild, "EVENTS_MAX", 7)
        for name in PROJECTIONS:
            catch_up(database, book, name)
        with projector.cursor() as cursor:
            cursor.execute(in_schema("DELETE FROM {schema}.clock WHERE known_from < 30", schema_of(book, "sla")))
        done = rebuild.rebuild_together(database, book, list(PROJECTIONS))
        assert [each.name for each in done if isinstance(each, Rebuilt)] == list(PROJECTIONS)
        assert [compare(database, book, name) for name in PROJECTIONS] == [[] for _ in PROJECTIONS]
        assert left_over(projector, book) == []

    @pytest.mark.usefixtures("told")
    def test_one_that_cannot_be_rebuilt_does_not_stop_the_others(
        self, database: Database, projector: Connection, book: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: history.HistoryFold, batch: Batch) -> None:
            if batch.rows[-1].position >= 20:
                raise ArithmeticError

        planned = Builder.tell_planner

        def cut_off(builder: Builder) -> None:
            if builder.projection.name == "duties":
                builder.connection.close()
            planned(builder)

        monkeypatch.setattr(history.HistoryFold, "apply", fail)
        monkeypatch.setattr(Builder, "tell_planner", cut_off)
        names = ["worklist", "history", "duties", "timeline", "sla"]
        reads = in_schema("SELECT count(*) FROM {schema}.event", schema_of(book, "timeline"))
        with (
            closing(database.connect(Role.PROJECTOR)) as other,
            closing(database.connect(Role.APPLICATION)) as slow,
            slow.cursor() as cursor,
        ):
            cursor.execute(reads)
            rebuild.rebuild(database, book, "timeline")  # what it had is put away, and is still read
            assert take(other, book, "worklist", "next")
            monkeypatch.setattr(rebuild, "SWAP_ATTEMPTS_MAX", 1)
            held, stopped, lost, read, done = rebuild.rebuild_together(database, book, names)
        assert isinstance(held, AlreadyBuilding)
        assert isinstance(lost, psycopg2.InterfaceError)
        assert isinstance(read, rebuild.ReadersInTheWay)
        assert isinstance(stopped, ProjectionStopped)
        assert stopped.position == 20
        assert isinstance(done, Rebuilt)
        assert compare(database, book, "sla") == []
        monkeypatch.undo()
        rebuild.rebuild_together(database, book, names)
        assert left_over(projector, book) == []

    @pytest.mark.usefixtures("told")
    def test_a_question_that_takes_long_is_waited_for(
        self, database: Database, projector: Connection, book: str
    ) -> None:
        """Somebody reads the old tables in an open transaction: what he reads stays until he is done."""
        with closing(database.connect(Role.APPLICATION)) as slow, slow.cursor() as cursor:
            count = in_schema("SELECT count(*) FROM {schema}.event", schema_of(book, "history"))
            cursor.execute(count)
            (before,) = cursor.fetchone() or (0,)
            rebuild.rebuild(database, book, "history")
            assert left_over(projector, book) == ["old"], "put away, not dropped under his hands"
            cursor.execute(count)
            assert cursor.fetchone() == (before,)
        rebuild.rebuild(database, book, "history")
        assert left_over(projector, book) == []

    @pytest.mark.usefixtures("told")
    def test_two_do_not_build_the_same(self, database: Database, book: str) -> None:
        with closing(database.connect(Role.PROJECTOR)) as other:
            assert take(other, book, "sla", "next")
            with pytest.raises(AlreadyBuilding, match="'next'"):
                rebuild.rebuild(database, book, "sla")

    @pytest.mark.usefixtures("told")
    def test_what_an_interrupted_one_left_is_cleared(
        self, database: Database, projector: Connection, book: str
    ) -> None:
        class Interrupted(Exception):
            pass

        def interrupt(_done: int, _of: int) -> None:
            with projector.cursor() as cursor:  # the connection is gone, as after a crash
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            raise Interrupted

        with pytest.raises((Interrupted, psycopg2.Error)):
            rebuild.rebuild(database, book, "sla", interrupt)
        assert left_over(projector, book) == ["next"]
        time.sleep(0.1)  # until the server has noticed, and let the lock go
        rebuild.rebuild(database, book, "sla")
        assert left_over(projector, book) == []

    def test_a_newer_program_rebuilds_by_itself(
        self, database: Database, projector: Connection, book: str, told: list[Told], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newer = dataclasses.replace(history.PROJECTION, version=2)
        monkeypatch.setattr(catalogue, "PROJECTIONS", {"history": newer})
        with Worker(database, book, ["history"], idle_seconds=0.01):
            end = time.monotonic() + 20
            version = None
            while version != 2:
                assert time.monotonic() < end
                time.sleep(0.02)
                (version,) = [each.version for each in status(database, book) if each.name == "history"]
        assert reached(projector, book, "history") == len(told)


class TestCompare:
    @pytest.mark.usefixtures("told")
    def test_each_row_that_differs_is_named(self, database: Database, projector: Connection, book: str) -> None:
        schema = schema_of(book, "worklist")
        with projector.cursor() as cursor:
            cursor.execute(in_schema("SELECT complaint_id FROM {schema}.task ORDER BY complaint_id LIMIT 3", schema))
            changed, gone, moved = (str(each) for (each,) in cursor.fetchall())
            spoil = "UPDATE {schema}.task SET department = 'nobody''s' WHERE complaint_id = %s"
            cursor.execute(in_schema(spoil, schema), (changed,))
            cursor.execute(in_schema("DELETE FROM {schema}.task WHERE complaint_id = %s", schema), (gone,))
            invent = "UPDATE {schema}.task SET complaint_id = gen_random_uuid() WHERE complaint_id = %s"
            cursor.execute(in_schema(invent, schema), (moved,))
        found = {each.key["complaint_id"]: each for each in compare(database, book, "worklist")}
        assert len(found) == 4
        spoilt, right = found[changed].live, found[changed].fresh
        assert spoilt is not None
        assert right is not None
        assert spoilt["department"] == "nobody's" != right["department"]
        assert found[gone].live is None
        assert found[moved].live is None
        assert sum(each.fresh is None for each in found.values()) == 1
        assert left_over(projector, book) == []

    @pytest.mark.usefixtures("told")
    def test_a_root_that_differs_is_a_difference(self, database: Database, projector: Connection, book: str) -> None:
        with projector.cursor() as cursor:
            cursor.execute(
                "UPDATE projection.progress SET root = sha256('x') WHERE book = %s AND name = 'sla'", (book,)
            )
        assert [each.table for each in compare(database, book, "sla")] == ["progress"]

    @pytest.mark.usefixtures("told")
    def test_it_is_of_one_moment_while_others_record(self, database: Database, book: str) -> None:
        with Worker(database, book, idle_seconds=0.01):
            recording = Thread(target=record, args=(database, book, interleaved(seed=23, complaints=30)))
            recording.start()
            found = [compare(database, book, name) for name in PROJECTIONS]
            recording.join()
        assert found == [[] for _ in PROJECTIONS]

    def test_there_must_be_something_to_compare(self, database: Database, book: str) -> None:
        with pytest.raises(NothingToCompare, match="projections catch-up sla"):
            compare(database, book, "sla")
        with pytest.raises(NoSuchProjection, match="there are sla, history, worklist"):
            compare(database, book, "sales")


class TestUntil:
    def test_it_is_what_was_known_then(
        self, database: Database, projector: Connection, reader: Connection, book: str, told: list[Told]
    ) -> None:
        position = len(told) // 2
        built = {name: build_until(database, book, name, position) for name in PROJECTIONS}
        assert {each.position for each in built.values()} == {position}
        asked: dict[str, Any] = {"now": NOW, "part": "category"}
        then = sla.report(reader, book, **asked, schema=built["sla"].schema)
        assert then.lines == sla.report(reader, book, **asked, as_of=position).lines
        subject = told[0][0]
        lines = history.of(reader, book, subject, schema=built["history"].schema).lines
        assert lines == history.of(reader, book, subject, as_of=position).lines
        page = worklist.page(reader, book, rows_max=500, schema=built["worklist"].schema)
        assert page.position == position
        assert {each.complaint_id for each in page.tasks} <= {each for each, _ in told[:position]}

        recorded_at = events_after(projector, book, position - 1, 1)[0].recorded_at
        assert build_until(database, book, "sla", recorded_at) == built["sla"]
        assert build_until(database, book, "sla", 10**9).position == len(told)
        for name in PROJECTIONS:
            drop_until(database, book, name, position)
        drop_until(database, book, "sla", len(told))
        drop_until(database, book, "sla", len(told))
        assert left_over(projector, book) == []
