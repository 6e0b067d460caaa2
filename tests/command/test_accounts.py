"""How the SLA report is laid out: its parts in the order of their table, and what they come to together."""

from datetime import UTC, datetime

import pytest
from rich.table import Table

from api.command.accounts import TOTAL, sla_tables
from ledger.deadlines.calendar import built_in_calendars
from ledger.policy.state import Policies
from ledger.tables.known import KnownTables
from projections.sla import Line, OverduePage, Part, Report

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def line(part: str | None, met: int, missed: int) -> Line:
    return Line("house", "resolution", None, part, met, missed, 0, 0, 0, 0, 0)


def shown(part: Part | None, *lines: Line) -> list[tuple[str, ...]]:
    """The columns of a report: part, met, missed and rate."""
    report = Report("b", 9, NOW, None, None, part, None, None, lines)
    labels = Policies().clock_labels
    made = [*sla_tables(report, OverduePage(9, NOW, (), None), built_in_calendars()["china"], labels, KnownTables())]
    (table,) = [each for each in made if isinstance(each, Table)]
    columns = {str(column.header): [str(cell) for cell in column.cells] for column in table.columns}
    wanted = [*([part] if part else []), "met 达标", "missed 超时", "rate 及时率"]
    return list(zip(*(columns[name] for name in wanted), strict=True))


def test_parts_stand_in_the_order_of_their_table_and_end_with_all_of_them() -> None:
    found = shown("grade", line("complex", 1, 1), line("general", 6, 2), line("major", 0, 0), line(None, 0, 1))
    assert [row[0] for row in found] == ["General 一般", "Complex 复杂", "Major 重大", "–", TOTAL]
    assert found[-1] == (TOTAL, "7", "4", "63.6%")


@pytest.mark.parametrize("part", [None, "grade"])
def test_one_line_is_its_own_total(part: Part | None) -> None:
    assert len(shown(part, line(part and "general", 6, 2))) == 1
