"""Lays out the SLA report, derivations, suppositions and the worklist, as tables for people and as documents for programs. Asks nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from rich.table import Table

from api.command.passing import clock_name
from api.command.printing import cell, table
from api.command.telling import happened
from api.command.wording import named
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.explain import NAMES
from ledger.policy.state import ClockLabels
from ledger.tables.known import KnownTables
from ledger.tables.state import Tables
from projections import sla
from projections.derivation import Derived
from projections.indicators.asking import TABLES_OF, place_of
from projections.sla import Line, OverduePage, Report
from projections.what_if import Tally, WhatIf
from projections.worklist import Task, Worklist

NO_LIMIT = "no limit runs 无时限"

DEEDS = {
    "register": "register 登记",
    "send-first-reply": "first reply 首次回复",
    "classify": "classify 分类",
    "grade": "grade 分级",
    "assign": "assign 分配",
    "reassign": "reassign 回避改派",
    "form-team": "form team 组专项组",
    "start-emergency": "emergency 启动应急",
    "go-on-with-emergency": "go on with emergency 继续应急",
    "review-emergency": "review emergency 应急评估",
    "resolve": "resolve 处理",
    "send-reply": "reply 回复",
    "obtain-evidence": "obtain evidence 取证",
    "give-assistance": "assist 协助",
    "decide-escalation": "decide escalation 上报决定",
    "provide-compensation": "compensate 兑付补偿",
    "approve-amendment": "approve amendment 更正审批",
    "close": "close 结案",
    "archive": "archive 归档",
}
"""What somebody has to do in a complaint, in both languages; `--json` and the API have the names on the left."""


def sla_document(report: Report, overdue: OverduePage) -> dict[str, object]:
    """The report as a program reads it; `rate` is met of all with a verdict, null where there is none."""
    return {
        "book": report.book,
        "position": report.position,
        "now": report.now,
        "starts_from": report.starts_from,
        "starts_before": report.starts_before,
        "by": report.part,
        "period": report.period,
        "classified": report.classified,
        "lines": [{**line._asdict(), "denominator": line.denominator, "rate": line.rate} for line in report.lines],
        "overdue": [row._asdict() for row in overdue.rows],
        "overdue_more": overdue.next_cursor is not None,
    }


def sla_tables(
    report: Report, overdue: OverduePage, calendar: Calendar, labels: ClockLabels, tables: KnownTables
) -> Iterator[Table | str]:
    """The report as a person reads it, with the labels that the book had at its position."""
    yield (
        f"SLA report 时效报告 of the book {report.book}, as known at position {report.position:,}, "
        f"judged at {happened(report.now, calendar)} ({calendar.zone})"
    )
    then = tables.at(report.position)
    yield _figures(report, labels, then)
    if overdue.rows:
        yield ""
        yield _overdue(overdue, calendar, labels, then)
    yield (
        "Rate: met of met and missed. Missed holds what is overdue 逾期 (still open and past its limit). "
        "Void: withdrawn in time. Unknown: ended elsewhere, no day stated."
    )


def _figures(report: Report, labels: ClockLabels, tables: Tables) -> Table:
    numbers = (
        *("met 达标", "missed 超时", "overdue 逾期", "running 处理中", "void", "unknown", "rate 及时率"),
        "used 用时 50% / 90%",
    )
    by = () if report.period is None else (report.period,)
    parts = by if report.part is None else (*by, report.part)
    made = table(None, "clock", *parts, *numbers, numbers=numbers)
    for line, name in _parted(report, tables):
        counts = (line.met, line.missed, line.overdue, line.running, line.void, line.unknown)
        rate = "–" if line.rate is None else f"{line.rate:.1%}"
        when = () if report.period is None else (_period(report.period, line.period),)
        part = when if report.part is None else (*when, name)
        used = "–" if line.used_seconds is None else " / ".join(map(_duration, line.used_seconds[:2]))
        made.add_row(clock_name(line.regime, line.clock, labels), *part, *map(cell, counts), rate, used)
    return made


TOTAL = "total 合计"
COUNTS = ("met", "missed", "running", "unknown", "void", "overdue", "provisional", "lapsed", "regrades_on_last_day")
"""What is counted of a clock."""


def _parted(report: Report, tables: Tables) -> Iterator[tuple[Line, str]]:
    """The lines with the name of their part, in the order of its table; after several parts of a clock, all of them together."""
    if report.part is None:
        yield from ((line, "") for line in report.lines)
        return
    clocks: dict[tuple[object, ...], list[Line]] = {}
    for line in report.lines:
        clocks.setdefault((line.regime, line.clock, line.period), []).append(line)
    for lines in clocks.values():
        for line in sorted(lines, key=lambda each: place_of(tables, report.part, each.part)):
            yield line, _part(report.part, line, tables)
        if len(lines) > 1:
            yield _together(lines), TOTAL


def _together(lines: Sequence[Line]) -> Line:
    """The counts of all parts of a clock; how long they took half of all is not to be had from that of the parts."""
    counts: dict[str, Any] = {name: sum(getattr(line, name) for line in lines) for name in COUNTS}
    together: Line = lines[0]._replace(part=None, used_seconds=None, **counts)
    return together


def _period(period: sla.Period, first: date | None) -> str:
    """A day, month, quarter or year, as it is written."""
    if first is None:
        return "–"
    match period:
        case "day":
            return first.isoformat()
        case "month":
            return f"{first:%Y-%m}"
        case "quarter":
            return f"{first.year}-Q{(first.month + 2) // 3}"
        case "year":
            return f"{first.year}"


def _duration(seconds: float) -> str:
    """Hours up to two days, else days, with one decimal."""
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours <= 48 else f"{hours / 24:.1f} d"


def _part(part: str, line: Line, tables: Tables) -> str:
    if line.part is None:
        return "–"
    labels = (named(tables, code_table, line.part) for code_table in TABLES_OF.get(part, ()))
    return next((labelled for labelled in labels if labelled != line.part), line.part)


def _overdue(overdue: OverduePage, calendar: Calendar, labels: ClockLabels, tables: Tables) -> Table:
    more = ", the longest overdue first; there are more" if overdue.next_cursor else ""
    made = table(f"Overdue 逾期{more}", "complaint", "clock", "due", "grade", "department", "handler")
    for row in overdue.rows:
        made.add_row(
            row.reference or str(row.complaint_id),
            clock_name(row.regime, row.clock, labels),
            happened(row.due_at, calendar) + _provisional(provisional=row.provisional),
            "–" if row.grade is None else named(tables, "grade", row.grade),
            row.department or "–",
            row.handler or "–",
        )
    return made


def derivation_document(derived: Derived) -> dict[str, object]:
    """The deadlines of a complaint with their derivations, as a program reads them."""
    return {
        "book": derived.book,
        "complaint_id": derived.complaint_id,
        "position": derived.position,
        "now": derived.now,
        "deadlines": [
            {
                **explanation.clock._asdict(),
                "limit": str(explanation.clock.limit),
                "first_limit": str(explanation.clock.first_limit),
                "calendar": explanation.calendar.name,
                "verdict": said,
                "steps": [{**step._asdict(), "fact": NAMES[type(step.fact)]} for step in explanation.steps],
                "days": [asdict(day) for day in explanation.days],
            }
            for explanation, said in derived.explanations()
        ],
        "lines": list(derived.lines()),
    }


def what_if_document(found: WhatIf) -> dict[str, object]:
    """A supposition as a program reads it; rates are met of met and missed, null where there is neither."""
    return {
        "book": found.book,
        "position": found.position,
        "now": found.now,
        "complaints": found.complaints,
        "clocks": [
            {
                "regime": regime,
                "clock": clock,
                "rate": tally.rate,
                "numerator": tally.met,
                "denominator": tally.met + tally.missed,
                "would_be_rate": tally.would_be_rate,
                "would_be_numerator": tally.would_be_met,
                "would_be_denominator": tally.would_be_met + tally.would_be_missed,
                "differ": tally.differ,
            }
            for (regime, clock), tally in sorted(found.clocks.items())
        ],
        "differences": [difference._asdict() for difference in found.differences],
    }


def what_if_tables(found: WhatIf, calendar: Calendar, labels: ClockLabels) -> Iterator[Table | str]:
    """A supposition as a person reads it."""
    yield (
        f"What if, of the book {found.book}: {found.complaints:,} complaints as known at position {found.position:,}, "
        f"judged at {happened(found.now, calendar)} ({calendar.zone}); nothing is recorded"
    )
    rates = table(None, "clock", "rate 及时率", "would be", "verdicts that differ", numbers=("verdicts that differ",))
    for (regime, clock), tally in sorted(found.clocks.items()):
        rates.add_row(clock_name(regime, clock, labels), *_rates(tally), cell(tally.differ))
    yield rates
    if found.differences:
        yield ""
        made = table("Verdicts that would differ", "complaint", "clock", "is", "due", "would be", "would be due")
        for each in found.differences:
            made.add_row(
                str(each.complaint_id),
                clock_name(each.regime, each.clock, labels),
                each.known or "–",
                "–" if each.due_at is None else happened(each.due_at, calendar),
                each.would_be or "–",
                "–" if each.would_be_due_at is None else happened(each.would_be_due_at, calendar),
            )
        yield made


def _rates(tally: Tally) -> tuple[str, str]:
    return _rate(tally.met, tally.missed), _rate(tally.would_be_met, tally.would_be_missed)


def _rate(met: int, missed: int) -> str:
    total = met + missed
    return f"{met / total:.1%} ({met:,} of {total:,})" if total else "–"


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


def worklist_table(page: Worklist, calendar: Calendar, labels: ClockLabels, now: datetime, tables: Tables) -> Table:
    """The open complaints and what is to be done in each, as a person reads them; what is past its limit is marked."""
    title = f"Open complaints 待办 of the book {page.book}, as known at position {page.position:,}; times of {calendar.zone}"
    made = table(title, "due", "clock", "complaint", "stage", "to do 待办", "grade", "department", "assignee")
    for task in page.tasks:
        made.add_row(
            _due(task, calendar, now),
            "–" if task.clock is None else clock_name(task.regime or "", task.clock, labels),
            task.reference or str(task.complaint_id),
            task.stage or "–",
            ", ".join(DEEDS.get(deed, deed) for deed in task.to_do) or "–",
            "–" if task.grade is None else named(tables, "grade", task.grade) + (" 紧急" if task.urgent else ""),
            task.department or "–",
            task.assignee or "–",
        )
    return made


def _due(task: Task, calendar: Calendar, now: datetime) -> str:
    if task.due_at is None:
        return NO_LIMIT
    overdue = " 逾期" if task.due_at < now else ""
    return happened(task.due_at, calendar) + overdue + _provisional(provisional=task.provisional)
