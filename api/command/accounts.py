"""Lays out the SLA report and the worklist, as tables for people and as documents for programs. Asks nothing."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from rich.table import Table

from api.command.printing import cell, table
from api.command.telling import happened, named
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import built_in_regimes
from projections.sla import Line, OverduePage, Report
from projections.worklist import Task, Worklist

LABELS = {
    "channel": ("channel",),
    "grade": ("grade",),
    "category": ("category", "jrt-reason"),
    "product": ("product", "jrt-business"),
}
"""Where the codes that a report is broken down by have their labels."""


def sla_document(report: Report, overdue: OverduePage) -> dict[str, object]:
    """The report as a program reads it; `rate` is met of all with a verdict, null where there is none."""
    return {
        "book": report.book,
        "position": report.position,
        "now": report.now,
        "starts_from": report.starts_from,
        "starts_before": report.starts_before,
        "by": report.part,
        "lines": [{**line._asdict(), "denominator": line.denominator, "rate": line.rate} for line in report.lines],
        "overdue": [row._asdict() for row in overdue.rows],
        "overdue_more": overdue.next_cursor is not None,
    }


def sla_tables(report: Report, overdue: OverduePage, calendar: Calendar) -> Iterator[Table | str]:
    """The report as a person reads it."""
    yield (
        f"SLA report 时效报告 of the book {report.book}, as known at position {report.position:,}, "
        f"judged at {happened(report.now, calendar)} ({calendar.zone})"
    )
    yield _figures(report)
    if overdue.rows:
        yield ""
        yield _overdue(overdue, calendar)
    yield (
        "Rate: met of met and missed. Missed holds what is overdue 逾期 (still open and past its limit). "
        "Void: withdrawn in time. Unknown: ended elsewhere, no day stated."
    )


def _figures(report: Report) -> Table:
    numbers = ("met 达标", "missed 超时", "overdue 逾期", "running 处理中", "void", "unknown", "rate 及时率")
    parts = () if report.part is None else (report.part,)
    made = table(None, "clock", *parts, *numbers, numbers=numbers)
    for line in report.lines:
        counts = (line.met, line.missed, line.overdue, line.running, line.void, line.unknown)
        rate = "–" if line.rate is None else f"{line.rate:.1%}"
        part = () if report.part is None else (_part(report.part, line),)
        made.add_row(clock_name(line.regime, line.clock), *part, *map(cell, counts), rate)
    return made


def _part(part: str, line: Line) -> str:
    if line.part is None:
        return "–"
    labels = (named(code_table, line.part) for code_table in LABELS.get(part, ()))
    return next((labelled for labelled in labels if labelled != line.part), line.part)


def _overdue(overdue: OverduePage, calendar: Calendar) -> Table:
    more = ", the longest overdue first; there are more" if overdue.next_cursor else ""
    made = table(f"Overdue 逾期{more}", "complaint", "clock", "due", "grade", "department", "handler")
    for row in overdue.rows:
        made.add_row(
            row.reference or str(row.complaint_id),
            clock_name(row.regime, row.clock),
            happened(row.due_at, calendar) + _provisional(provisional=row.provisional),
            "–" if row.grade is None else named("grade", row.grade),
            row.department or "–",
            row.handler or "–",
        )
    return made


@cache
def clock_name(regime: str, clock: str) -> str:
    """A clock as both languages say it, with its regime where that is not the house's own."""
    for known in built_in_regimes():
        for rule in known.clocks:
            if (known.name, rule.name) == (regime, clock):
                ours = "" if regime == "house" else f" ({regime})"
                return f"{rule.en} {rule.zh}{ours}"
    return f"{clock} ({regime})"


def _provisional(*, provisional: bool) -> str:
    """A limit that runs over days whose calendar is not announced yet is marked."""
    return " (provisional)" if provisional else ""


def worklist_document(page: Worklist) -> dict[str, object]:
    """The open complaints as a program reads them."""
    return {
        "book": page.book,
        "position": page.position,
        "complaints": [task._asdict() for task in page.tasks],
        "more": page.next_cursor is not None,
    }


def worklist_table(page: Worklist, calendar: Calendar, now: datetime) -> Table:
    """The open complaints as a person reads them; what is past its limit is marked."""
    title = f"Open complaints 待办 of the book {page.book}, as known at position {page.position:,}; times of {calendar.zone}"
    made = table(title, "due", "clock", "complaint", "stage", "grade", "department", "assignee")
    for task in page.tasks:
        made.add_row(
            _due(task, calendar, now),
            "–" if task.clock is None else clock_name(task.regime or "", task.clock),
            task.reference or str(task.complaint_id),
            task.stage or "–",
            "–" if task.grade is None else named("grade", task.grade) + (" 紧急" if task.urgent else ""),
            task.department or "–",
            task.assignee or "–",
        )
    return made


def _due(task: Task, calendar: Calendar, now: datetime) -> str:
    if task.due_at is None:
        return "–"
    overdue = " 逾期" if task.due_at < now else ""
    return happened(task.due_at, calendar) + overdue + _provisional(provisional=task.provisional)
