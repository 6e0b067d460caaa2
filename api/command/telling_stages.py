"""The sentences for the facts of a complaint's stages; `api.command.telling` has the others and tells the history.

No sentence shows a personal value.
"""

from collections.abc import Callable, Mapping

from api.command.wording import Details


def money(minor: int, currency: object) -> str:
    """An amount in the currency's minor unit, as people write it (two decimals)."""
    return f"{currency} {minor // 100:,}.{minor % 100:02d}"


def _amount(d: Details, field: str, before: str = " ") -> str:
    return f"{before}{money(d[field], d['currency'])}" if field in d else ""


def _also(d: Details, field: str, before: str, after: str = "") -> str:
    return f"{before}{d[field]}{after}" if field in d else ""


STEPS = {
    "risk-found": "found the risk 风险识别",
    "risk-assessed": "assessed the risk 风险评估",
    "decided": "decided what to do 应急决策",
    "measures-taken": "took the measures 应急处置",
}


def _called_back(d: Details) -> str:
    if not d["reached"]:
        return f"called back by {d.named('channel', d['channel'])} 回访; the customer was not reached"
    content = ": he is content" if d.get("content_with_result") else ": he is not content"
    content = content if "content_with_result" in d else ""
    return f"called the customer back by {d.named('channel', d['channel'])} 回访{content}"


def _reviewed(d: Details) -> str:
    found = f": {d.each('handling-defect', d['defects'])}" if d["defects"] else ": no defect"
    return f"reviewed the handling 处理复核{found}"


def _checked(d: Details) -> str:
    missing = [*dict.fromkeys((*d["missing"], *d["lacking"]))]
    return "checked the file 归档检查: " + (f"missing {d.each('file-part', missing)}" if missing else "it is complete")


STAGE_SENTENCES: Mapping[str, Callable[[Details], str]] = {
    "representative-named": lambda d: (
        "took note of who complains on the customer's behalf 代理投诉: "
        f"{d.named('relation', d['relation'])}, {d.named('authorisation', d['authorisation'])}"
    ),
    "representation-ended": lambda d: "noted that the representative speaks for the customer no more",  # noqa: ARG005 - every sentence is asked the same way
    "person-complained-about": lambda d: (
        "noted whom it is about 被投诉人" + _also(d, "staff", ": ") + _also(d, "department", ", of ")
    ),
    "interest-declared": lambda d: (
        ("stands aside" if d["staff"] == d["declared_by"] else f"noted that {d['staff']} stands aside")
        + f" 回避: {d.named('interest', d['interest'])}"
    ),
    "investigation-team-formed": lambda d: (
        f"formed an investigation team 专项调查组, led by {d['lead']}"
        + (f", with {', '.join(d['members'])}" if d["members"] else "")
    ),
    "emergency-started": lambda d: f"started the emergency procedure 应急处理: {d.named('emergency-plan', d['plan'])}",
    "emergency-step-taken": lambda d: STEPS[d["step"]],
    "emergency-ended": lambda d: "ended the emergency procedure",  # noqa: ARG005 - as above
    "emergency-reviewed": lambda d: (
        "looked back on the emergency procedure 事后评估"
        + ("; the plan is to be changed" if d["plan_to_be_changed"] else "")
    ),
    "preliminary-check-made": lambda d: (
        "made the preliminary check 初步调查: " + ("it is borne out" if d["borne_out"] else "it is not borne out")
    ),
    "evidence-requested": lambda d: (
        f"asked {d.named('evidence-origin', d['asked_of'])} for evidence 调取证据" + _also(d, "answer_by_on", ", by ")
    ),
    "assistance-requested": lambda d: (
        f"asked {d['department']} for help 协助调查"
        + _also(d, "assistant", ", of ")
        + _also(d, "answer_by_on", ", by ")
    ),
    "assistance-given": lambda d: "answered the request for help",  # noqa: ARG005 - as above
    "root-cause-found": lambda d: (
        f"found the root cause 根本原因: {d.named('root-cause', d['root_cause'])}"
        + (f", behind {d.named('cause', d['cause'])}" if "cause" in d else "")
    ),
    "negotiation-held": lambda d: (
        f"negotiated with the customer 协商, {d.named('negotiation-manner', d['manner'])}: "
        + ("they agree" if d["agreed"] else "no agreement yet")
    ),
    "compensation-approved": lambda d: (
        f"obtained a compensation 补偿: {d.named('compensation-kind', d['kind'])}{_amount(d, 'amount_minor')}, "
        f"approved by {d['approved_by']}"
        + (f" ({d.named('approver-rank', d['approver_rank'])})" if "approver_rank" in d else "")
    ),
    "compensation-provided": lambda d: "provided the compensation" + _also(d, "payment_reference", " (", ")"),
    "complaint-escalated": lambda d: (
        f"escalated it 上报 to {d.named('escalated-to', d['to'])}" + _also(d, "department", ", ")
    ),
    "escalation-decided": lambda d: f"decided on the escalation: {d.named('escalation-decision', d['decision'])}",
    "written-notice-sent": lambda d: (
        f"set out the result in writing 书面告知 by {d.named('channel', d['channel'])}"
        + (f", pointing out {d.each('remedy', d['remedies'])}" if "remedies" in d else "")
    ),
    "follow-up-call-made": _called_back,
    "handling-reviewed": _reviewed,
    "proceedings-opened": lambda d: (
        f"noted that the {d['initiator']} took it to {d.named('proceedings', d['route'])}"
        + _also(d, "body", ", ")
        + _also(d, "body_reference", " (", ")")
    ),
    "proceedings-ended": lambda d: (
        f"noted how that ended: {d.named('proceedings-outcome', d['outcome'])}" + _amount(d, "awarded_minor", ", ")
    ),
    "repeat-taken-in": lambda d: f"took in the repeat 合并 {d['repeat_complaint_id']}",
    "relationship-repaired": lambda d: f"repaired the relationship 关系修复: {d.named('repair', d['kind'])}",
    "completeness-checked": _checked,
    "complaint-archived": lambda d: "put the file into the archive 归档" + _also(d, "archive_reference", " as "),
}
"""A sentence for each stored name; its subject is who did it."""
