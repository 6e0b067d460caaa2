"""Tells the facts of customers, interactions, improvement and leaks as a person would: one sentence each, no personal value."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from rich.table import Table

from api.command.printing import table
from api.command.telling import SENTENCES, happened
from api.command.wording import Details, named
from ledger.deadlines.calendar import Calendar
from ledger.tables.known import KnownTables
from ledger.tables.state import Tables
from projections.duties import Duties, Duty
from projections.timeline import Line, Timeline

SUBJECTS: Mapping[str, str] = {
    "complaint": "complaint 投诉",
    "customer": "customer 客户",
    "interaction": "contact 互动",
    "indicator": "indicator 指标",
    "survey": "survey 调查",
    "review": "review 复盘",
    "risk": "risk 风险",
    "action": "action 整改",
    "leak": "leak 泄露",
    "finding": "audit finding 审计发现",
}
"""What a person reads for each subject."""

WAITS_FOR: Mapping[str, str] = {
    "work": "work 实施",
    "measurement": "effect to be measured 待评估效果",
    "closing": "closing 待关闭",
    "reopening": "reopening 待重启",
    "acknowledgement": "acknowledgement 待确认",
    "mitigation": "mitigation 待缓释",
    "emergency plan": "emergency plan 待启动预案",
    "lifting": "lifting 待解除",
    "treatment": "treatment 待应对",
    "isolated": "isolation 待隔离",
    "investigated": "investigation 待调查",
    "responsible named": "naming who is responsible 待定责",
    "customers told": "telling customers 待告知客户",
    "customers protected": "protecting customers 待保护客户",
    "regulator told": "telling the regulator 待报告监管",
    "reviewed": "review 待复盘",
    "conclusion": "conclusion 待总结",
    "answer": "answer 待答复",
    "review": "review 待复核",
    "call": "call 待回访",
    "action": "corrective action 待整改",
}
"""What is to be done next, in both languages."""


def timeline_parts(
    found: Timeline, lines: list[Line], calendar: Calendar, tables: KnownTables
) -> Iterator[Table | str]:
    """The heading, and one line for each thing that happened, with the labels of its time."""
    yield (
        f"Customer {found.customer_id} 客户全程记录, as known at position {found.position:,} of the book {found.book}; "
        f"times of {calendar.zone}"
    )
    if found.same_person:
        yield f"The same person as {', '.join(map(str, found.same_person))}; told together."
    rows = table(None, "when", "who", "of", "what")
    for line in lines:
        rows.add_row(
            happened(line.at, calendar),
            line.done_by or "–",
            f"{SUBJECTS[line.subject]} {_short(line)}",
            _what(line, tables),
        )
    yield rows


def duties_table(page: Duties, calendar: Calendar, now: datetime, tables: Tables) -> Table:
    """What is to be done as a person reads it; what is past its day is marked."""
    today = calendar.local_day(now)
    title = f"To be done 待办 in the book {page.book}, as known at position {page.position:,}; times of {calendar.zone}"
    made = table(title, "due", "since", "what", "title", "waits for", "who", "id")
    for duty in page.duties:
        level = f" {duty.level}" if duty.level else ""
        kind = SUBJECTS.get(duty.kind, duty.kind)
        made.add_row(
            _due(duty, today),
            happened(duty.since_at, calendar)[:10],
            f"{kind}{level}{' 紧急' if duty.urgent else ''}",
            _title(duty.kind, duty.title, tables),
            WAITS_FOR.get(duty.waits_for, duty.waits_for),
            duty.who or "–",
            str(duty.item_id),
        )
    return made


def _due(duty: Duty, today: date) -> str:
    if duty.due_on is None:
        return "–"
    return f"{duty.due_on.isoformat()}{' 逾期' if duty.due_on < today else ''}"


def _title(kind: str, title: str | None, tables: Tables) -> str:
    if kind == "warning":
        return named(tables, "indicator", title)
    return named(tables, "interaction-kind", title) if kind in {"interaction", "call-back"} else title or "–"


def _short(line: Line) -> str:
    return str(line.subject_id)[:8]


def _what(line: Line, tables: KnownTables) -> str:
    sentence = {**SENTENCES, **PARTY_SENTENCES}[line.name](Details(line.details, tables.at(line.position)))
    if line.annulled_by_version is not None:
        sentence += f" [annulled by #{line.annulled_by_version}]"
    if line.corrected_by_version is not None:
        sentence += f" [corrected by #{line.corrected_by_version}]"
    return sentence


def _value(thousandths: int) -> str:
    return f"{thousandths / 1000:g}"


def _rated(d: Details) -> str:
    parts = [f"{name} {d[name]}" for name in ("attitude", "efficiency", "ability", "openness") if name in d]
    return f"{d['overall']} of 5" + (f" ({', '.join(parts)})" if parts else "")


def _annulled(d: Details) -> str:
    return f"annulled #{d['annulled_version']}, by leave of {d['approved_by']}"


def _shared(d: Details) -> str:
    ground = d.named("sharing-ground", d["ground"])
    kinds = d.each("data-kind", d["data_kinds"])
    return f"passed {kinds} on to {d['recipient']}, {d.named('data-purpose', d['purpose'])} ({ground})"


def _consented(d: Details) -> str:
    to = f", to {d['recipient']}" if "recipient" in d else ""
    until = f", through {d['until_on']}" if "until_on" in d else ""
    kinds = d.each("data-kind", d["data_kinds"])
    return f"noted the customer's consent 同意: {d.named('data-purpose', d['purpose'])}, {kinds}{to}{until}"


def _interaction(d: Details) -> str:
    way = "from" if d["direction"] == "inbound" else "to"
    about = f", about complaint {d['complaint_id']}" if "complaint_id" in d else ""
    return f"{d.named('interaction-kind', d['kind'])} {way} the customer by {d.named('channel', d['channel'])}{about}"


def _plainly(sentence: str) -> Callable[[Details], str]:
    return lambda _: sentence


PARTY_SENTENCES: Mapping[str, Callable[[Details], str]] = {
    "customer-registered": lambda d: (
        "registered the customer" + (f", tier {d.named('customer-tier', d['tier'])}" if "tier" in d else "")
    ),
    "customer-details-changed": lambda d: (
        "noted another "
        + ", ".join(name.replace("_", " ") for name in ("name", "contact", "identity_number", "account") if name in d)
    ),
    "customer-tiered": lambda d: f"set the tier {d.named('customer-tier', d['tier'])}",
    "vulnerability-noted": lambda d: f"noted particular care 特殊群体: {d.named('vulnerability', d['kind'])}",
    "vulnerability-ended": lambda d: f"ended particular care: {d.named('vulnerability', d['kind'])}",
    "customer-merged": lambda d: (
        f"merged 合并 this record into {d['into_customer_id']}, by leave of {d['approved_by']}"
        + (f" ({d.each('match-kind', d['matched'])})" if d.get("matched") else "")
    ),
    "customer-split": lambda d: f"split 拆分 the two records again, by leave of {d['approved_by']}",
    "duplicate-ruled-out": lambda d: f"found that {d['other_customer_id']} is another person",
    "consent-given": _consented,
    "consent-withdrawn": lambda d: (
        f"noted that the consent was withdrawn 撤回同意, by {d.named('channel', d['channel'])}"
    ),
    "data-shared": _shared,
    "customer-fact-annulled": _annulled,
    "interaction-recorded": _interaction,
    "interaction-assigned": lambda d: (
        f"gave it to {d['department']}" + (f", to {d['assignee']}" if "assignee" in d else "")
    ),
    "interaction-looked-into": _plainly("looked into it"),
    "interaction-dealt-with": _plainly("dealt with it 服务改进"),
    "interaction-answered": lambda d: (
        f"answered by {d.named('channel', d['channel'])}: {d.named('interaction-outcome', d['outcome'])}"
    ),
    "interaction-reviewed": lambda d: f"reviewed it: {'satisfactory' if d['satisfactory'] else 'not satisfactory'}",
    "interaction-rated": lambda d: f"the customer rates the service 服务评价 {_rated(d)}",
    "survey-answered": lambda d: f"the customer answers the survey: {_rated(d)}",
    "call-back-promised": lambda d: f"promised a call by {d['due_on']}, by {d['assignee']}",
    "call-back-made": lambda d: "called back 回访" + ("" if d["reached"] else "; nobody answered"),
    "interaction-became-complaint": lambda d: f"complaint {d['complaint_id']} grew from it",
    "interaction-fact-annulled": _annulled,
    "indicator-defined": lambda d: f"began to judge by {d.named('indicator', d['indicator'])}",
    "thresholds-set": lambda d: (
        f"set version {d['thresholds_version']} of the thresholds: "
        + ", ".join(
            f"{level} {_value(d[f'{level}_thousandths'])}"
            for level in ("low", "medium", "high")
            if f"{level}_thousandths" in d
        )
    ),
    "indicator-measured": lambda d: (
        f"measured {_value(d['value_thousandths'])} from {d['period_from']} to {d['period_to']}"
    ),
    "warning-raised": lambda d: f"raised a warning 预警: {d.named('warning-level', d['level'])}",
    "warning-acknowledged": _plainly("took charge of the warning"),
    "warning-mitigated": lambda d: (
        "acted on the warning"
        + (f", by the plan {d.named('emergency-plan', d['emergency_plan'])}" if "emergency_plan" in d else "")
    ),
    "warning-lifted": _plainly("lifted the warning 解除"),
    "indicator-fact-annulled": _annulled,
    "survey-opened": lambda d: f"opened the survey {d['title']}, through {d['closes_on']}",
    "survey-concluded": lambda d: (
        f"concluded it: {d['answered']} answered"
        + (f", {_value(d['mean_thousandths'])} of 5 on average" if "mean_thousandths" in d else "")
    ),
    "survey-reported": lambda d: (
        f"reported it to: {d.named('audience', d['audience'])}" + (", in part" if d["in_part"] else "")
    ),
    "survey-fact-annulled": _annulled,
    "review-held": lambda d: (
        f"held the {d.named('review-kind', d['kind'])} review of {d['period_from']} to {d['period_to']}, "
        f"by {d.each('breakdown', d['breakdowns'])}"
    ),
    "review-reported": lambda d: (
        f"reported it to: {d.named('audience', d['audience'])}" + (", in part" if d["in_part"] else "")
    ),
    "review-fact-annulled": _annulled,
    "risk-found": lambda d: (
        f"found the risk {d['title']}: {d.named('risk-level', d['level'])}, likelihood {d['likelihood']} and "
        f"effect {d['effect']} of 5; {d['owner']} has it"
    ),
    "risk-reassessed": lambda d: (
        f"weighed it anew: {d.named('risk-level', d['level'])}, likelihood {d['likelihood']} and effect {d['effect']} of 5"
    ),
    "risk-treated": _plainly("did something about it 风险应对"),
    "risk-closed": lambda d: f"closed it, by leave of {d['approved_by']}",
    "risk-fact-annulled": _annulled,
    "action-opened": lambda d: f"opened the action {d['title']}: {d['owner']} has it, due {d['due_on']}",
    "action-progressed": lambda d: "noted progress" + (f": {d['percent_done']} %" if "percent_done" in d else ""),
    "action-handed-over": lambda d: f"handed it over to {d['owner']}",
    "action-postponed": lambda d: f"postponed it to {d['due_on']}, by leave of {d['approved_by']}",
    "action-completed": _plainly("completed it; its effect is to be measured"),
    "action-effect-measured": lambda d: f"measured its effect: {d.named('effect', d['effect'])}",
    "action-closed": _plainly("closed the loop 闭环"),
    "action-reopened": lambda d: f"reopened it, due {d['due_on']}",
    "action-fact-annulled": _annulled,
    "leak-found": lambda d: f"found that data leaked: {d['title']} ({d.each('data-kind', d['data_kinds'])})",
    "leak-isolated": _plainly("isolated it 隔离"),
    "leak-investigated": lambda d: (
        f"investigated it: {d.named('leak-cause', d['cause'])}, {d['customers_affected']} customers affected"
    ),
    "responsible-named": lambda d: f"named who is responsible 责任人: {d['responsible']}, {d['department']}",
    "affected-customers-told": lambda d: (
        f"told {len(d['customer_ids'])} customers by {d.named('channel', d['channel'])}"
    ),
    "affected-customers-protected": lambda d: (
        f"protected {len(d['customer_ids'])} customers: {d.named('protection', d['measure'])}"
    ),
    "regulator-told": lambda d: f"told the regulator: {d.named('body', d['body'])}",
    "regulator-not-to-be-told": lambda d: f"decided not to tell a regulator, by leave of {d['approved_by']}",
    "leak-reviewed": _plainly("reviewed what was learned 复盘"),
    "leak-closed": _plainly("closed it"),
    "leak-fact-annulled": _annulled,
    "audit-finding-reported": lambda d: (
        f"found in audit 审计发现: {d['title']} ({d.named('risk-level', d['level'])}), as known at position "
        f"{d['as_of_position']:,}" + (f", drawn by the seed {d['seed']!r}" if "seed" in d else "")
    ),
    "audit-finding-acted-on": lambda d: f"linked {len(d['action_ids'])} corrective actions to it 整改",
    "audit-finding-closed": _plainly("closed the finding: it is put right"),
    "audit-finding-fact-annulled": _annulled,
}
"""A sentence for each stored name; its subject is who did it."""
