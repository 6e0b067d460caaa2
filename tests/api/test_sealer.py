"""Seals on a schedule: each projection within a day of the oldest event that has none over it, and not for seals alone."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from api import sealer
from api.sealer import SEALED_WITHIN, is_due, sealer_of
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.reading import events_after, head
from ledger.seal.recording import last_seal, record_seal
from ledger.vault.keys import SubjectKeys
from projections.catalogue import PROJECTIONS
from projections.sealing import check, sealed
from projections.worker import catch_up
from tests.projections.stories import interleaved, record

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(database: Database, book: str, tmp_path: Path) -> Iterator[Ledger]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as keys, closing(Ledger(database, book, keys)) as ledger:
        yield ledger


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


def test_an_event_is_sealed_when_it_is_a_day_old_and_worked_in(
    database: Database, book: str, ledger: Ledger, reader: Connection
) -> None:
    assert not is_due(reader, book, "sla", datetime.now(UTC)), "an empty book"
    told = interleaved(seed=61, complaints=2)
    record(database, book, told)
    first = events_after(reader, book, 0, 1)[0].recorded_at
    assert not is_due(reader, book, "sla", first + SEALED_WITHIN + MINUTE), "not worked in yet"
    catch_up(database, book, "sla")
    assert not is_due(reader, book, "sla", first + SEALED_WITHIN - MINUTE)
    assert is_due(reader, book, "sla", first + SEALED_WITHIN + MINUTE)

    assert record_seal(ledger, reader, sealed(database, book, "sla", first)) is not None
    catch_up(database, book, "sla")
    assert not is_due(reader, book, "sla", first + 9 * SEALED_WITHIN), "only its own seal is new"
    record(database, book, interleaved(seed=62, complaints=1))
    catch_up(database, book, "sla")
    assert is_due(reader, book, "sla", first + 9 * SEALED_WITHIN)


def test_whoever_serves_seals_each_projection_once(
    database: Database, book: str, ledger: Ledger, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "SEALED_WITHIN", timedelta(0))
    told = interleaved(seed=61, complaints=3)
    record(database, book, told)
    for name in PROJECTIONS:
        catch_up(database, book, name)
    with sealer_of(ledger, database, idle_seconds=0.05), sealer_of(ledger, database, idle_seconds=0.05):
        until = time.monotonic() + 30
        while head(reader, book).size < len(told) + len(PROJECTIONS):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.3)  # and no more of them
    assert [row.name for row in events_after(reader, book, len(told), 99)] == ["projection-sealed"] * len(PROJECTIONS)
    for name in PROJECTIONS:
        found = last_seal(reader, book, name)
        assert found is not None
        assert check(database, found[0], book).ok
