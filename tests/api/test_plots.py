"""The drawn report: one page without network or script, in two languages, with the figures that the indicators give."""

import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from psycopg2.extensions import connection as Connection

from api.opened import anchor, share
from api.plots import page
from ledger.complaint.events import ComplaintReclassified
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.settings import Settings
from projections.indicators import asking
from projections.indicators.address import Address
from projections.indicators.asking import AGES, Case, Ground, RecordedEvent
from projections.indicators.periods import Period
from projections.indicators.plots import HOURS, STAGES, WEEKDAYS, Drawn, Number, drawn, numbers
from tests.api.conftest import fresh_book
from tests.command.running import run
from tests.indicators.books import CHINA, caught_up
from tests.projections.stories import WORDS, about, interleaved, record, shanghai

ONE = Case(UUID(int=1), "<i>ref", 1.0, 7)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SERIAL = count(1)


def made(value: float | None) -> Number:
    """A number with an address of its own; behind it one complaint, where it is not nothing."""
    return Number(value, int(value or 0), f"/figures/received/cases?n={next(SERIAL)}", (ONE,) if value else ())


MONTHS = tuple(Period(date(2026, month, 1), date(2026, month, 28)) for month in (1, 2, 3))
DRAWN = Drawn(
    book="<b>",
    position=1234,
    now=datetime(2026, 3, 5, tzinfo=UTC),
    zone="Asia/Shanghai",
    period=Period(date(2026, 1, 1), date(2026, 3, 31)),
    months=MONTHS,
    timeliness=(made(0.95), made(None), made(0.9)),
    first_reply=tuple(made(None) for _ in MONTHS),
    received=(made(3), made(0), made(41)),
    ages=tuple(made(each) for each in range(len(AGES))),
    causes=(("沟通不畅", "Poor communication", made(7)), ("–", "–", made(2)), ("<i>", "<i>", made(1))),
    heat={(day, hour): made(hour) for day in WEEKDAYS for hour in HOURS},
    stages=tuple(made(each) for each in range(len(STAGES), 0, -1)),
    events={ONE.complaint_id: [RecordedEvent(1, 1177, "complaint-received", datetime(2026, 3, 1, tzinfo=UTC))]},
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
    none = {"timeliness": (made(None),) * 3, "received": (made(0),) * 3, "stages": (made(0),) * len(STAGES)}
    nothing = DRAWN._replace(**none, causes=(), heat=dict.fromkeys(DRAWN.heat, made(0)), events={})
    assert page(nothing).count("<section>") == 6


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0%"), (1, "100%"), (0.99996, "99.9%"), (0.9949, "99.5%"), (1e-9, "0.1%"), (2 / 3, "66.7%")],
)
def test_a_share_is_whole_only_where_nothing_is_missing(value: float, written: str) -> None:
    assert share(value) == written


def test_each_number_is_a_link_to_a_panel_and_each_complaint_there_to_its_events() -> None:
    text = page(DRAWN)
    links, panels = re.findall(r'href="#(\w[\w-]*)"', text), re.findall(r'class="opened" id="([\w-]+)"', text)
    assert set(links) == set(panels), "a link that leads nowhere, or a panel that nothing leads to"
    assert len(panels) == len(set(panels))
    drawn_ones = [each for each in numbers(DRAWN) if each.value is not None]
    assert set(panels) == {*map(anchor, drawn_ones), f"c{ONE.complaint_id}"}
    assert html.unescape(text).count(f"drill --book <b> '{DRAWN.stages[0].address}'") == 1
    assert "1,177 <small>v1</small> complaint-received" in text
    assert "5 (83.3%)" in text, "a count, and a share of one decimal"


@pytest.fixture(scope="module")
def told(database: Database) -> Iterator[tuple[Connection, Ground, Drawn]]:
    """What is drawn of a book of stories."""
    book = fresh_book(database)
    stories = interleaved(5, 40)
    known = record(database, book, stories)
    one, at = stories[0][0], shanghai("2026-04-01T10:00")
    found = {"scheme": "house", "category": "service", "cause": "process"}
    classified = ComplaintReclassified(**about(one), **found, reason=WORDS, classified_by="li", classified_at=at)
    record(database, book, [(one, classified)], known)
    caught_up(database, book)
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        on = asking.ground(connection, book, CHINA, as_of=None, now=datetime(2026, 5, 5, tzinfo=UTC))
        yield connection, on, drawn(connection, on, 3)


def test_every_number_opens_into_as_many_complaints_as_it_says(told: tuple[Connection, Ground, Drawn]) -> None:
    connection, on, found = told
    for number in numbers(found):
        at = Address.read(number.address)
        assert (at.as_of, at.now) == (on.at.position, on.at.now)
        if not number.cases and at.by == "hour" and at.part != "7-23":
            continue  # one of the empty hours stands for the others
        opened = asking.cases(connection, on, at.indicator, at.period, by=at.by, part=at.part)
        assert len(opened.cases) == number.cases, number.address
        assert opened.cases[:3] == number.first
        for case in number.first:
            assert [event.version for event in found.events[case.complaint_id]][:2] == [1, 2]
    some = (found.ages, found.stages, found.heat.values(), found.received, [each for *_, each in found.causes])
    assert all(sum(number.cases for number in each) for each in some), "nothing was compared"
    assert sum(number.cases for number in found.heat.values()) <= found.stages[0].cases


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine to click in")
def test_a_click_in_a_browser_opens_the_panel(told: tuple[Connection, Ground, Drawn], tmp_path: Path) -> None:
    """The page has no script: the test adds one that clicks, and writes what is shown then."""
    found = told[2]
    wanted = [
        found.ages[0],
        max(found.heat.values(), key=lambda each: each.cases),
        found.stages[-1],
        found.received[-1],
    ]
    steps = "".join(
        f"document.querySelector('svg a[href=\"#{anchor(each)}\"]').dispatchEvent("
        "new MouseEvent('click', {bubbles: true, cancelable: true}));"
        "said.push(location.hash.slice(1) + '=' + [...document.querySelectorAll('.opened')]"
        ".filter(p => getComputedStyle(p).display == 'block').map(p => p.id));"
        for each in wanted
    )
    script = f"<script>const said = []; {steps} document.title = said.join(' ');</script>"
    file = tmp_path / "report.html"
    file.write_text(page(found).replace("</body>", f"{script}</body>"), encoding="utf-8")
    browser = [
        CHROMIUM or "",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--dump-dom",
    ]
    shown = subprocess.run([*browser, file.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title is not None
    assert title[1].split() == [f"{anchor(each)}={anchor(each)}" for each in wanted]


def test_the_command_writes_the_page(settings: Settings, database: Database, book: str, tmp_path: Path) -> None:

    record(database, book, interleaved(5, 20))
    file = tmp_path / "report.html"
    answer = run("report", "--html", file, "--book", book, "--data", settings.data)
    assert answer.code == 0, answer.err
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
