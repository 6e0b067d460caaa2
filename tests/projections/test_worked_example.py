"""The worked example of docs/projections.md: one file and its SQL are a projection like any other."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, ModuleType

import pytest

from ledger.complaint.events import ComplaintReceived, ComplaintWithdrawn
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from projections import catalogue
from projections.machine import Builder, in_schema, schema_of
from projections.rebuild import build_until, compare, rebuild
from projections.sealing import check, sealed
from projections.worker import catch_up
from tests.projections.stories import interleaved, record

PAGE = Path(__file__).parents[2] / "docs" / "projections.md"


@pytest.fixture
def intake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example as it stands in the page, and its line in the catalogue."""
    text = PAGE.read_text(encoding="utf-8")
    for ending, language in (("py", "python"), ("sql", "sql")):
        (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        (tmp_path / f"intake.{ending}").write_text(block, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("worked_example", tmp_path / "intake.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "worked_example", module)
    spec.loader.exec_module(module)
    more = MappingProxyType({**catalogue.PROJECTIONS, "intake": module.PROJECTION})
    monkeypatch.setattr(catalogue, "PROJECTIONS", more)
    return module


def test_the_example_is_a_projection_like_any_other(intake: ModuleType, database: Database, book: str) -> None:
    told = interleaved(seed=53, complaints=30)
    record(database, book, told)
    assert catch_up(database, book, "intake", batch=7) == len(told)
    with closing(database.connect(Role.PROJECTOR)) as connection, connection.cursor() as cursor:
        every = "SELECT * FROM {schema}.receipt ORDER BY complaint_id"
        cursor.execute(in_schema(every, schema_of(book, "intake")))
        live = cursor.fetchall()
        connection.rollback()
        for number, events_max in enumerate((1, 2, 500)):
            builder = Builder(connection, book, intake.PROJECTION, f"until_{number}")
            while builder.step(events_max):
                pass
            cursor.execute(in_schema(every, builder.schema))
            assert cursor.fetchall() == live
            connection.rollback()
    assert compare(database, book, "intake") == []
    assert rebuild(database, book, "intake").rows_after == {"receipt": len(live)}
    assert check(database, sealed(database, book, "intake", datetime.now(UTC)), book).ok


def test_its_question_counts_what_was_recorded(intake: ModuleType, database: Database, book: str) -> None:
    told = interleaved(seed=53, complaints=30)
    record(database, book, told)
    catch_up(database, book, "intake")
    day = built_in_calendars()["china"].local_day
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as reader:
        for position in (len(told), len(told) // 2):
            known = told[:position]
            receipts = {each: event for each, event in known if isinstance(event, ComplaintReceived)}
            withdrawn = {each for each, event in known if isinstance(event, ComplaintWithdrawn)}
            lines = intake.by_day(reader, book, as_of=position)
            assert {each for line in lines for each in line.complaint_ids} == set(receipts)
            assert sum(line.received for line in lines) == len(receipts)
            assert sum(line.withdrawn for line in lines) == len(withdrawn)
            assert all(
                day(receipts[each].received_at) == line.received_on for line in lines for each in line.complaint_ids
            )
        assert any(isinstance(event, ComplaintWithdrawn) for _, event in told)
        then = build_until(database, book, "intake", len(told) // 2)
        assert intake.by_day(reader, book, schema=then.schema)[0].received > 0
