"""The page on the process besides complaints, held against the program: every name there is, and every fact has its line."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from api.asking import Asker
from api.asking_parties import router
from ledger.application import Ledger
from ledger.database.pool import Pool
from ledger.improvement.events import RiskLevel, WarningLevel
from ledger.interaction.events import InteractionKind
from ledger.names import STORED_NAMES
from ledger.tables.table import built_in_tables
from projections.duties import Kind

PAGE = (Path(__file__).parents[1] / "docs" / "process-parties.md").read_text(encoding="utf-8")
OURS = {"customer", "interaction", "improvement", "leak"}

LINES_OF_THE_MANUALS = {
    "Contacts with customers 客户互动": 10,
    "Customers 客户": 4,
    "From judging to improving 评估—分析—改进—反馈": 12,
    "Personal data and leaks 个人信息": 8,
}
"""How many lines each part has: none may be lost."""


def rows() -> dict[str, list[str]]:
    """Each line of the page with what serves it."""
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    return {line: re.findall(r"`([^`]+)`", served) for line, served in found if line not in ("line", "---")}


ROWS = rows()
NOBODY = Asker(cast("Ledger", SimpleNamespace(book="none")), cast("Pool", None), lambda: None)
"""Asks nothing: only its routes are looked at."""
SERVED_OVER_HTTP = {getattr(route, "path", None) for route in router(NOBODY).routes}


def test_every_line_of_the_process_is_on_the_page() -> None:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    counted = {part.splitlines()[0]: len(re.findall(r"^\| [A-Z]", part, re.MULTILINE)) for part in parts}
    assert {title: lines for title, lines in counted.items() if lines} == LINES_OF_THE_MANUALS
    assert all(ROWS.values()), "a line that nothing serves"


@pytest.mark.parametrize("line", ROWS)
def test_what_serves_a_line_is_there(line: str) -> None:
    for served in ROWS[line]:
        kind, _, name = served.partition(" ")
        event, _, field = served.partition(".")
        if kind == "table":
            assert built_in_tables()[name]
        elif kind == "GET":
            assert name in SERVED_OVER_HTTP
        elif field:
            assert field in STORED_NAMES[event].model_fields, served
        else:
            assert served in STORED_NAMES


def test_every_fact_of_these_subjects_serves_a_line() -> None:
    ours = {name for name, kind in STORED_NAMES.items() if kind.__module__.split(".")[1] in OURS}
    serving = {served for each in ROWS.values() for served in each}
    assert {name for name in ours - serving if not name.endswith("-fact-annulled")} == set()


def test_the_tables_have_what_the_lines_count() -> None:
    tables = built_in_tables()
    assert len(InteractionKind) == len(tables["interaction-kind"]) == 8
    assert len(WarningLevel) == len(tables["warning-level"]) == 3
    assert len(RiskLevel) == len(tables["risk-level"]) == 5
    assert len(tables["breakdown"]) == 7
    assert {"satisfaction", "first-reply-24h", "request-24h", "service-error-rate"} <= set(tables["indicator"])
    targets = [row.more["target"] for row in tables["indicator"].values() if "target" in row.more]
    assert len(targets) == 12
    assert set(Kind) >= {"action", "warning", "risk", "leak"}
    assert {row.more["tier"] for row in tables["data-kind"].values()} == {"core", "important", "ordinary"}
