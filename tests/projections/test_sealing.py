"""Seals: the same rows give the same digest, whoever builds them; a changed row is seen; one state is sealed once."""

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread

import orjson
import pytest
from psycopg2.extensions import parse_dsn

from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.names import STORED_NAMES
from ledger.record.reading import events_after, head
from ledger.seal.events import ProjectionSealed
from ledger.seal.recording import last_seal, record_seal, seal_at
from ledger.vault.keys import SubjectKeys
from projections import sla
from projections.catalogue import PROJECTIONS
from projections.machine import Builder, in_schema, schema_of
from projections.rebuild import NothingToCompare
from projections.sealing import FORM, SealedByOtherVersion, check, digest_of, sealed
from projections.worker import catch_up
from tests.projections.stories import Told, interleaved, record

AT = datetime(2026, 1, 5, 4, tzinfo=UTC)


STORED = (
    b'{"code_version":2,"position":120,"projection":"sla","root":"'
    + b"ab" * 32
    + b'","rows":7,"rows_digest":"'
    + b"cd" * 32
    + b'","sealed_at":"2026-01-05T04:00:00Z"}'
)
"""Never changed: it may be in somebody's book."""


def test_a_stored_seal_is_read_for_ever() -> None:
    kind = STORED_NAMES["projection-sealed"]
    seal = kind.model_validate_json(STORED)
    assert isinstance(seal, ProjectionSealed)
    assert (seal.projection, seal.code_version, seal.position, seal.rows, seal.sealed_at) == ("sla", 2, 120, 7, AT)
    assert orjson.dumps(seal.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS) == STORED


@pytest.fixture
def ledger(database: Database, book: str, tmp_path: Path) -> Iterator[Ledger]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as keys, closing(Ledger(database, book, keys)) as ledger:
        yield ledger


@pytest.fixture
def told(database: Database, book: str) -> list[Told]:
    told = interleaved(seed=29, complaints=12)
    record(database, book, told)
    for name in PROJECTIONS:
        catch_up(database, book, name)
    return told


def seal_now(database: Database, ledger: Ledger, name: str) -> ProjectionSealed:
    """Seals the live rows, and finds the seal again in the record."""
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        assert record_seal(ledger, connection, sealed(database, ledger.book, name, AT)) is not None
        found = last_seal(connection, ledger.book, name)
    assert found is not None
    return found[0]


@pytest.mark.every_postgres
def test_the_digest_of_every_projection_is_that_of_a_replay(
    database: Database, book: str, ledger: Ledger, told: list[Told]
) -> None:
    for name in PROJECTIONS:
        seal = seal_now(database, ledger, name)
        checked = check(database, seal, book)
        assert checked.ok, checked
        assert (seal.position, seal.sealed_at) == (len(told), AT)


def test_rows_do_not_depend_on_batches_nor_does_their_digest(database: Database, book: str, told: list[Told]) -> None:
    live = sealed(database, book, "sla", AT)
    with closing(database.connect(Role.PROJECTOR)) as connection:
        builder = Builder(connection, book, sla.PROJECTION, "until_0")
        while builder.step(7):
            pass
        assert digest_of(connection, sla.PROJECTION, builder.schema) == (live.rows, live.rows_digest)
    assert live.rows > len({complaint_id for complaint_id, _ in told})


def test_a_changed_row_is_seen_and_the_seal_before_still_holds(
    database: Database, book: str, ledger: Ledger, told: list[Told]
) -> None:
    assert told
    honest = seal_now(database, ledger, "sla")
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as projector, projector.cursor() as cursor:
        spoil = "UPDATE {schema}.clock SET stopped_at = due_at WHERE stopped_at > due_at"
        cursor.execute(in_schema(spoil, schema_of(book, "sla")))
        assert cursor.rowcount > 0
    record(database, book, interleaved(seed=30, complaints=1))
    catch_up(database, book, "sla")
    spoilt = seal_now(database, ledger, "sla")
    assert check(database, honest, book).ok
    found = check(database, spoilt, book)
    assert not found.ok
    assert found.root == spoilt.root, "the events are the same, the rows are not"


def test_anybody_makes_the_digest_with_psql(database: Database, book: str, told: list[Told]) -> None:
    """The form that is documented, taken by a program that is not ours."""
    assert told
    seal = sealed(database, book, "worklist", AT)
    with closing(database.connect(Role.AUDITOR)) as auditor, auditor.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = 'task'",
            (schema_of(book, "worklist"),),
        )
        ((columns,),) = cursor.fetchall()
    target = parse_dsn(database.dsn(Role.AUDITOR))
    psql = _psql(database)
    listed = columns.replace(" ", ", ")
    copy = f'COPY (SELECT {listed} FROM "{schema_of(book, "worklist")}".task ORDER BY book, complaint_id) TO STDOUT'
    connection = " ".join(f"{name}={target[name]}" for name in ("host", "port", "user", "dbname") if name in target)
    done = subprocess.run(
        [psql, connection, "-q", "-c", "SET TimeZone = 'UTC'", "-c", copy], capture_output=True, check=True
    )
    assert hashlib.sha256(f"{FORM} task {columns}\n".encode() + done.stdout).hexdigest() == seal.rows_digest


def _psql(database: Database) -> Path:
    from ledger.database.programs import wheel_binaries

    assert database.is_embedded
    return wheel_binaries() / "psql"


def test_a_state_is_sealed_once_however_many_try(
    database: Database, book: str, ledger: Ledger, told: list[Told]
) -> None:
    seal = sealed(database, book, "history", AT)
    barrier = Barrier(4)

    def try_it() -> None:
        with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
            barrier.wait()
            record_seal(ledger, connection, seal)

    trying = [Thread(target=try_it) for _ in range(4)]
    for each in trying:
        each.start()
    for each in trying:
        each.join()
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        assert record_seal(ledger, connection, seal) is None
        assert [row.name for row in events_after(connection, book, len(told), 10)] == ["projection-sealed"]
        catch_up(database, book, "history")
        later = sealed(database, book, "history", AT)
        assert later.position == len(told) + 1, "its own seal is an event like any other"
        assert record_seal(ledger, connection, later) is not None
        assert seal_at(connection, book, "history", len(told)) == seal
        assert seal_at(connection, book, "history", len(told) - 1) is None
        assert head(connection, book).size == len(told) + 2


def test_what_was_never_built_or_built_by_others_is_not_sealed_or_checked(
    database: Database, book: str, ledger: Ledger
) -> None:
    with pytest.raises(NothingToCompare, match="projections catch-up sla"):
        sealed(database, book, "sla", AT)
    record(database, book, interleaved(seed=29, complaints=1))
    catch_up(database, book, "sla")
    seal = seal_now(database, ledger, "sla").model_copy(update={"code_version": 99})
    with pytest.raises(SealedByOtherVersion, match="by its version 99"):
        check(database, seal, book)
