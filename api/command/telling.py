"""Tells a complaint's history as a person would: one sentence for each fact. Asks nothing and shows no personal value."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from rich.table import Table

from api.command.passing import PASSING
from api.command.printing import table
from api.command.telling_stages import STAGE_SENTENCES, money
from api.command.wording import Details
from ledger.deadlines.calendar import Calendar
from ledger.policy.state import ClockLabels
from ledger.tables.known import KnownTables
from projections.history import History, Line

LATE = timedelta(minutes=15)
"""A fact that was recorded longer after it happened is marked with the time at which it was recorded."""

TOGETHER = timedelta(hours=1)
"""Facts that were recorded within an hour of each other came in one go: an import, a demo."""

DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
"""The form of a personal value in an event."""

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T")


def told(
    history: History,
    lines: Sequence[Line],
    calendar: Calendar,
    tables: KnownTables,
    labels: ClockLabels | None = None,
) -> Iterator[Table | str]:
    """The heading, one line for each fact, and what is to be known about when they were recorded.

    Codes are read by the tables that the book had when the fact was recorded.
    """
    yield (
        f"Complaint {history.complaint_id} 投诉历史, as known at position {history.position:,} of the book {history.book}; "
        f"times of {calendar.zone}"
    )
    own = [line for line in lines if line.version is not None]
    in_one_go = history.next_cursor is None and _in_one_go(own)
    recorder = _only_recorder(own)
    changes = _changes(own, calendar)
    days_only = bool(lines) and lines[0].details.get("date_only") is True
    rows = table(None, "#", "when", "who", "what", numbers=("#",))
    for line in lines:
        when = _when(line, calendar, days_only=days_only)
        if line.version is None:  # who recorded it is who says it
            said = PASSING[line.name](line.details, calendar, labels or {})
            rows.add_row("", when, line.recorded_by, said + _recording(line, calendar, line.recorded_by))
            continue
        what = _what(line, changes.get(line.version), tables)
        rows.add_row(
            str(line.version),
            when,
            line.done_by or "–",
            what + ("" if in_one_go else _recording(line, calendar, recorder)),
        )
    yield rows
    if in_one_go:
        first, last = own[0], own[-1]
        yield (
            f"{_all_of(lines, own)} was recorded later, in one go, by {last.recorded_by} at "
            f"{calendar.local(last.recorded_at):%Y-%m-%d %H:%M} (positions {first.position:,} to {last.position:,})."
        )
    elif recorder is not None:
        yield f"{_all_of(lines, own)} was recorded by {recorder}."


def _all_of(lines: Sequence[Line], own: Sequence[Line]) -> str:
    return "All of it" if len(own) == len(lines) else "All that has a number"


def _in_one_go(lines: Sequence[Line]) -> bool:
    """Whether everything was recorded late, by one principal with one command and nothing between: said once then."""
    if len(lines) < 2:
        return False
    return (
        all(_lateness(line) > LATE for line in lines if line.happened_at)
        and len({(line.recorded_by, line.command) for line in lines}) == 1
        and lines[-1].position - lines[0].position == len(lines) - 1
        and lines[-1].recorded_at - lines[0].recorded_at < TOGETHER
    )


def _lateness(line: Line) -> timedelta:
    return timedelta(0) if line.happened_at is None else line.recorded_at - line.happened_at


def _when(line: Line, calendar: Calendar, *, days_only: bool) -> str:
    """When it happened; where the complaint's source states days only, the beginning of a day stands for the day."""
    if line.happened_at is None:
        return "not stated"
    local = calendar.local(line.happened_at)
    return f"{local:%Y-%m-%d}" if days_only and local.time() == time.min else f"{local:%Y-%m-%d %H:%M}"


def _what(line: Line, changes: str | None, tables: KnownTables) -> str:
    sentence = SENTENCES[line.name](Details(line.details, tables.at(line.position)))
    if changes is not None:
        sentence += f": {changes}"
    if line.annulled_by_version is not None:
        sentence += f" [annulled by #{line.annulled_by_version}]"
    if line.corrected_by_version is not None:
        sentence += f" [corrected by #{line.corrected_by_version}]"
    return sentence


def _only_recorder(lines: Sequence[Line]) -> str | None:
    """Who recorded everything for others, said once then; None where several recorded, or who did it did."""
    recorders = {line.recorded_by for line in lines}
    if len(recorders) != 1 or any(line.done_by in recorders for line in lines):
        return None
    return recorders.pop()


def _recording(line: Line, calendar: Calendar, recorder: str | None) -> str:
    """When a fact was recorded, where that was later, and by whom, where that was somebody else."""
    late, told = _lateness(line) > LATE, line.recorded_by in (line.done_by, recorder)
    if not late and told:
        return ""
    at = f", {calendar.local(line.recorded_at):%Y-%m-%d %H:%M}" if late else ""
    return f" [recorded{' late' if late else ''}{at}{'' if told else f' by {line.recorded_by}'}]"


def _changes(lines: Sequence[Line], calendar: Calendar) -> dict[int, str]:
    """What each correction changed, field by field, against the fact as it stood before."""
    standing: dict[int, Mapping[str, Any]] = {}
    changes: dict[int, str] = {}
    for line in lines:
        assert line.version is not None, "what time brought about corrects nothing"
        standing[line.version] = line.details
        if line.name == "fact-corrected" and line.details["corrected_version"] in standing:
            old, new = standing[line.details["corrected_version"]], line.details["fact"]
            standing[line.details["corrected_version"]] = new
            changed = [name for name in {**old, **new} if name != "name" and old.get(name) != new.get(name)]
            changes[line.version] = "; ".join(_change(name, old, new, calendar) for name in changed) or "nothing"
    return changes


def _change(name: str, old: Mapping[str, Any], new: Mapping[str, Any], calendar: Calendar) -> str:
    """A field with both values; of a personal one only that it changed."""
    words = name.replace("_", " ")
    if DIGEST.fullmatch(str(old.get(name) or new.get(name))):
        return f"{words} (personal)"
    return f"{words} {_value(old.get(name), calendar)} → {_value(new.get(name), calendar)}"


def _value(value: object, calendar: Calendar) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, str) and INSTANT.match(value):
        return f"{calendar.local(datetime.fromisoformat(value)):%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _received(d: Details) -> str:
    parts = [f"received the complaint by {d.named('channel', d['channel'])}"]
    parts += [d.named("product", d["product"])] if "product" in d else []
    parts += [f"branch {d['branch']}"] if "branch" in d else []
    if "amount_in_dispute_minor" in d:
        parts.append(f"{money(d['amount_in_dispute_minor'], d['currency'])} in dispute")
    parts += [f"their reference {d['external_reference']}"] if "external_reference" in d else []
    return ", ".join(parts)


CLASSIFIED: Mapping[str, tuple[str, str]] = {
    "house": ("category", "product"),
    "jrt-0169-2018": ("jrt-reason", "jrt-business"),
}
"""Where the terms of a scheme have their labels."""


def _classified(d: Details) -> str:
    categories, products = CLASSIFIED.get(d["scheme"], ("", ""))
    terms = [d.named(categories, d["category"])]
    if d.get("product") not in (None, d["category"]):
        terms.append(d.named(products, d["product"]))
    terms += [d.named("", d[term]) for term in ("sub_product",) if term in d]
    terms += [d.named("issue", d[term]) for term in ("issue", "sub_issue") if term in d]
    terms += [f"cause {d.named('cause', d['cause'])}"] if "cause" in d else []
    return f"classified it ({d['scheme']}): " + "; ".join(terms)


def _graded(d: Details) -> str:
    tables = {"seriousness": "seriousness", "extent": "extent", "customer_state": "customer-state"}
    criteria = "; ".join(d.named(table, d[field]) for field, table in tables.items() if field in d)
    urgent = ", urgent 紧急" if d.get("urgent") else ""
    return f"graded it {d.named('grade', d['grade'])}{urgent}" + (f" ({criteria})" if criteria else "")


def _amendment(d: Details) -> str:
    fact = d["fact"]
    match d["amendment"]:
        case "annulment":
            what = f"annul #{d['amended_version']}"
        case "correction":
            what = f"correct #{d['amended_version']}"
        case "regrade":
            what = f"grade it {d.named('grade', fact['grade'])}" + (", urgent 紧急" if fact.get("urgent") else "")
        case _:
            what = f"extend 延长 {fact['clock']} of {fact['regime']} to {fact['limit_amount']} {fact['limit_unit']}"
    return f"proposed 申请更正 to {what}, for somebody else to approve"


def _file(d: Details) -> str:
    """The size and type of a file that was taken in."""
    return f" ({d['content_type']}, {d['size_bytes']:,} bytes)" if "file_id" in d else ""


def _given_to(d: Details) -> str:
    return f"{d['department']}" + (f", to {d['assignee']}" if "assignee" in d else "")


def _proposed(d: Details) -> str:
    kind = f": {d.named('compensation-kind', d['compensation_kind'])}" if "compensation_kind" in d else ""
    amount = f" {money(d['compensation_minor'], d['currency'])}" if "compensation_minor" in d else ""
    return f"proposed a solution{kind}{amount}"


def _rated(d: Details) -> str:
    parts = [f"{name} {d[name]}" for name in ("attitude", "efficiency", "ability", "openness") if name in d]
    return f"asked: the customer rates the handling {d['overall']} of 5" + (f" ({', '.join(parts)})" if parts else "")


def _stated(d: Details) -> str:
    in_time = "in time" if d.get("timely") else "late"
    timely = f", and that it was {in_time}" if "timely" in d else ""
    return f"states the outcome: {d['outcome']}{timely}" + ("" if d["final"] else "; not the last word")


SENTENCES: Mapping[str, Callable[[Details], str]] = {
    "complaint-received": _received,
    "complaint-registered": lambda d: f"registered it as {d['reference']}",
    "automatic-reply-sent": lambda d: f"a machine acknowledged it by {d.named('channel', d['channel'])}",
    "contact-noted": lambda d: (
        f"noted a contact {'from' if d['direction'] == 'inbound' else 'to'} the customer by {d.named('channel', d['channel'])}"
    ),
    "first-reply-sent": lambda d: f"gave the first reply by {d.named('channel', d['channel'])} 首次回复",
    "complaint-classified": _classified,
    "complaint-reclassified": lambda d: f"again {_classified(d)}",
    "complaint-graded": _graded,
    "complaint-regraded": lambda d: f"again {_graded(d)}, by leave of {d['approved_by']}",
    "complaint-assigned": lambda d: f"gave it to {_given_to(d)}",
    "complaint-reassigned": lambda d: f"moved it to {_given_to(d)}",
    "investigation-started": lambda d: f"started an investigation 调查, led by {d['lead']}",
    "evidence-provided": lambda d: f"put evidence on file: {d.named('evidence-kind', d['kind'])}" + _file(d),
    "finding-made": lambda d: "made a finding" + (f": cause {d.named('cause', d['cause'])}" if "cause" in d else ""),
    "investigation-closed": lambda d: "closed the investigation",  # noqa: ARG005 - every sentence is asked the same way
    "solution-proposed": _proposed,
    "proposal-accepted": lambda d: "noted that the customer accepts the proposal",  # noqa: ARG005 - as above
    "proposal-declined": lambda d: "noted that the customer declines the proposal",  # noqa: ARG005 - as above
    "complaint-resolved": lambda d: f"decided 处理完毕: {d.named('outcome', d['outcome'])}",
    "reply-sent": lambda d: f"told the customer the result by {d.named('channel', d['channel'])} 回复",
    "satisfaction-rated": _rated,
    "complaint-closed": lambda d: "closed the file 结案",  # noqa: ARG005 - as above
    "complaint-reopened": lambda d: (
        "reopened it 重新处理: " + ("new facts" if d["new_facts"] else "the customer is not content")
    ),
    "complaint-withdrawn": lambda d: "took the customer's withdrawal 撤诉",  # noqa: ARG005 - as above
    "outcome-stated": _stated,
    "outcome-disputed": lambda d: f"says that the customer disputed the outcome ({d['source']})",
    "complaint-transferred": lambda d: f"took it as transferred 转办 by {d.named('body', d['body'])}",
    "deadline-extended": lambda d: (
        f"extended 延长 {d['clock']} of {d['regime']} to {d['limit_amount']} {d['limit_unit']}"
        + (f", by leave of {d['approved_by']}" if "approved_by" in d else "")
    ),
    "appraisal-started": lambda d: f"handed something to {d['appraiser']} for appraisal 外部鉴定",
    "appraisal-ended": lambda d: "noted the end of the appraisal",  # noqa: ARG005 - as above
    "new-facts-received": lambda d: "took new facts and reasons from the customer 新的事实和理由",  # noqa: ARG005 - as above
    "holding-response-sent": lambda d: (
        f"told the customer by {d.named('channel', d['channel'])} that the answer needs longer"
        + (f", until {d['final_response_by_on']}" if "final_response_by_on" in d else "")
    ),
    "complaint-ruled-out": lambda d: f"found that it is no complaint 不属于投诉: {d.named('nature', d['nature'])}",
    "complaint-merged": lambda d: f"merged 合并 it into complaint {d['into_complaint_id']}",
    "group-recognised": lambda d: f"noted that {d['complainants']} people complain together 群体投诉",
    **STAGE_SENTENCES,
    "amendment-proposed": _amendment,
    "amendment-declined": lambda d: f"declined 驳回 what #{d['proposed_version']} proposes",
    "fact-annulled": lambda d: f"annulled #{d['annulled_version']}, by leave of {d['approved_by']}",
    "fact-corrected": lambda d: f"corrected #{d['corrected_version']}, by leave of {d['approved_by']}",
}
"""A sentence for each stored name; its subject is who did it."""


def happened(moment: datetime | None, calendar: Calendar) -> str:
    """A moment as the institution's clocks show it."""
    return "–" if moment is None else f"{calendar.local(moment):%Y-%m-%d %H:%M}"
