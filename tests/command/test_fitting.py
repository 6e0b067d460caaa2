"""What must stay in one piece does, however narrow the paper; no database is needed."""

from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest

from api.command.accounts import worklist_table
from api.command.fitting import Fitting
from api.command.printing import WIDTH_IN_A_PIPE, table
from ledger.deadlines.calendar import built_in_calendars
from ledger.tables.state import Tables
from projections.worklist import Task, Worklist

AT = datetime(2026, 11, 24, 15, 59, tzinfo=UTC)
TASK = Task(
    complaint_id=UUID(int=7),
    reference="TS2026-02127",
    external_reference=None,
    received_at=AT,
    stage="investigated",
    department="个人数字金融部 Personal Digital Banking",
    assignee="grsz0017",
    category=None,
    product=None,
    channel="phone",
    grade="general",
    urgent=False,
    regime="house",
    clock="resolution",
    due_at=AT,
    provisional=False,
    position=4,
    to_do=["go-on-with-emergency", "provide-compensation"],
    is_open=True,
)
WHOLE = ("2026-11-24 23:59", "Resolution 处理完毕", "TS2026-02127", "investigated", "General 一般", "grsz0017")


def printed(width: int, made: object, *, endless: bool = False) -> str:
    paper = StringIO()
    Fitting(endless=endless, width=width, file=paper).print(made)
    return paper.getvalue()


def worklist(tasks: int = 2) -> object:
    page = Worklist("main", 4, (TASK,) * tasks, None)
    return worklist_table(page, built_in_calendars()["china"], {}, AT, Tables())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 150, 200, 240])
def test_no_reference_date_or_code_is_broken_at_any_width(width: int) -> None:
    text = printed(width, worklist())
    for piece in WHOLE:
        assert text.count(piece) == 2, piece
    assert all(len(line) <= width for line in text.splitlines())


def test_what_does_not_fit_a_screen_stands_one_record_below_the_other() -> None:
    *_, first, second = printed(80, worklist()).split("due: ")
    assert first.splitlines()[-2:] == ["assignee: grsz0017", ""]
    assert "complaint: TS2026-02127" in second.splitlines()


def test_in_a_pipe_a_record_is_one_line_and_the_title_another() -> None:
    title, heads, *records = printed(WIDTH_IN_A_PIPE, worklist(), endless=True).splitlines()
    assert title.endswith("times of Asia/Shanghai")
    assert heads.split()[:2] == ["due", "clock"]
    assert [all(piece in record for piece in (*WHOLE, TASK.department or "")) for record in records] == [True, True]


def test_a_title_is_as_wide_as_it_is_above_a_narrow_table() -> None:
    made = table("A title that is wider than what stands under it", "n")
    made.add_row("1")
    assert printed(80, made).splitlines()[0].rstrip() == "A title that is wider than what stands under it"


def test_heads_give_way_before_the_table_does() -> None:
    made = table(None, "clock", "used 用时 50% / 90%", numbers=("used 用时 50% / 90%",))
    made.add_row("Resolution 处理完毕", "5.6 d / 12.1 d")
    assert "Resolution 处理完毕  5.6 d / 12.1 d" in printed(36, made)


def test_a_record_says_where_it_has_nothing() -> None:
    made = table(None, "reference", "receiver")
    made.add_row("TS2026-02127", "")
    assert printed(20, made).splitlines() == ["reference: ", "TS2026-02127", "receiver: –"]


def test_words_go_on_in_the_next_line() -> None:
    made = table(None, "#", "what")
    made.add_row("1", "word " * 40)
    lines = printed(60, made).splitlines()
    assert len(lines) > 3
    assert {word for line in lines[1:] for word in line.split()} == {"1", "word"}
