"""The drawn report: one page without network or script, in two languages, with the figures that the indicators give."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

from api.plots import page
from ledger.database.target import Database
from ledger.settings import Settings
from projections.indicators.periods import Period
from projections.indicators.plots import AGES, STAGES, Drawn
from tests.command.running import run
from tests.projections.stories import interleaved, record

MONTHS = tuple(Period(date(2026, month, 1), date(2026, month, 28)) for month in (1, 2, 3))
DRAWN = Drawn(
    book="<b>",
    position=1234,
    now=datetime(2026, 3, 5, tzinfo=UTC),
    zone="Asia/Shanghai",
    period=Period(date(2026, 1, 1), date(2026, 3, 31)),
    months=MONTHS,
    timeliness=(0.95, None, 0.9),
    first_reply=(None, None, None),
    received=(3, 0, 41),
    ages=tuple(range(len(AGES))),
    causes=(("沟通不畅", "Poor communication", 7), ("–", "–", 2), ("<i>", "<i>", 1)),
    heat={(1, 9): 4, (7, 23): 1},
    stages=tuple(range(len(STAGES), 0, -1)),
)


def test_the_page_needs_no_network_and_no_script() -> None:
    text = page(DRAWN)
    assert not re.search(r"https?:|<script|src=|@import|url\(|<link", text)
    assert "<b>" not in text
    assert "<i>" not in text
    assert "1,234" in text


def test_the_page_has_one_time_zone_and_commands_that_name_its_book() -> None:
    text = page(DRAWN)
    assert "2026-03-05 08:00 (Asia/Shanghai)" in text
    assert "complaint-ledger indicators --json --book &lt;b&gt; --as-of 1234, " in text
    assert "complaint-ledger report drill --book &lt;b&gt; ADDRESS" in text


def test_every_label_is_there_in_both_languages() -> None:
    text = page(DRAWN)
    for zh, en in (
        ("投诉报告", "Complaint report"),
        ("沟通不畅", "Poor communication"),
        ("处理阶段", "How far complaints got"),
    ):
        assert f'class="zh">{zh}<' in text
        assert f'class="en">{en}<' in text


def test_a_book_with_nothing_judged_can_be_drawn() -> None:
    nothing = DRAWN._replace(timeliness=(None,) * 3, causes=(), heat={}, received=(0, 0, 0), stages=(0,) * len(STAGES))
    assert page(nothing).count("<section>") == 6


def test_the_command_writes_the_page(settings: Settings, database: Database, book: str, tmp_path: Path) -> None:

    record(database, book, interleaved(5, 20))
    file = tmp_path / "report.html"
    answer = run("report", "--html", file, "--book", book, "--data", settings.data)
    assert answer.code == 0, answer.err
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
