"""A complaint to tell stories with: given some facts, when a command comes, then these facts or this refusal."""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.complaint.amendments import STATED_BY
from ledger.complaint.commands import COMPLAINT_COMMANDS, ComplaintCommand
from ledger.complaint.events import (
    COMPLAINT_NAMES,
    AmendmentDeclined,
    AmendmentProposed,
    ComplaintEvent,
    FactAnnulled,
    FactCorrected,
)
from ledger.complaint.rules import decide
from ledger.complaint.state import Complaint, evolve, fold
from ledger.complaint.stated import stated
from ledger.event import Personal, personal_fields
from ledger.given import Given as Circumstances
from ledger.refusal import Refusal

COMPLAINT_ID = UUID("00000000-0000-4000-8000-000000000001")
CUSTOMER = UUID("00000000-0000-4000-8000-000000000002")
OTHER_CUSTOMER = UUID("00000000-0000-4000-8000-000000000003")
INVESTIGATION = UUID("00000000-0000-4000-8000-000000000011")
EVIDENCE = UUID("00000000-0000-4000-8000-000000000012")
PROPOSAL = UUID("00000000-0000-4000-8000-000000000013")
RESOLUTION = UUID("00000000-0000-4000-8000-000000000014")
REPLY = UUID("00000000-0000-4000-8000-000000000015")
APPRAISAL = UUID("00000000-0000-4000-8000-000000000016")
REPRESENTATIVE = UUID("00000000-0000-4000-8000-000000000021")
PERSON = UUID("00000000-0000-4000-8000-000000000022")
EMERGENCY = UUID("00000000-0000-4000-8000-000000000023")
EVIDENCE_REQUEST = UUID("00000000-0000-4000-8000-000000000024")
ASSISTANCE = UUID("00000000-0000-4000-8000-000000000025")
COMPENSATION = UUID("00000000-0000-4000-8000-000000000026")
ESCALATION = UUID("00000000-0000-4000-8000-000000000027")
NOTICE = UUID("00000000-0000-4000-8000-000000000028")
PROCEEDINGS = UUID("00000000-0000-4000-8000-000000000029")
ANOTHER = UUID("00000000-0000-4000-8000-0000000000ff")

HANDLER, SUPERVISOR = "wang.li", "chen.jing"
"""Who usually asks for an amendment, and who approves it, each by a token."""

RECEIVED_AT = datetime(2025, 9, 1, 1, 0, tzinfo=UTC)
NOW = datetime(2025, 10, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """An instant so many hours after the receipt."""
    return RECEIVED_AT + timedelta(hours=hours)


USUAL: dict[str, dict[str, Any]] = {
    "receive-complaint": {
        "customer_id": CUSTOMER,
        "received_at": RECEIVED_AT,
        "received_by": "wang.li",
        "channel": "phone",
        "customer_name": "张三",
        "customer_account": "6222020200112233445",
        "content": "年费多收了一次。",
        "amount_in_dispute_minor": 20_000,
        "currency": "CNY",
        "product": "credit-card",
        "branch": "shanghai-pudong-01",
    },
    "register-complaint": {"reference": "2025-0001-AAAA", "registered_at": at(1), "registered_by": "wang.li"},
    "note-automatic-reply": {"channel": "email", "sent_at": at(0.1)},
    "note-contact": {
        "channel": "phone",
        "direction": "inbound",
        "content": "客户来电询问进度。",
        "noted_by": "wang.li",
        "occurred_at": at(5),
    },
    "send-first-reply": {"channel": "phone", "content": "您的投诉已受理。", "sent_by": "wang.li", "sent_at": at(2)},
    "classify-complaint": {
        "scheme": "house",
        "category": "fees-and-charges",
        "product": "credit-card",
        "issue": "wrongly-charged",
        "classified_by": "wang.li",
        "classified_at": at(3),
    },
    "grade-complaint": {"grade": "general", "graded_by": "wang.li", "graded_at": at(3)},
    "assign-complaint": {
        "department": "credit cards",
        "assignee": "zhao.min",
        "assigned_by": "wang.li",
        "assigned_at": at(4),
    },
    "start-investigation": {
        "investigation_id": INVESTIGATION,
        "lead": "zhao.min",
        "started_by": "zhao.min",
        "started_at": at(6),
    },
    "provide-evidence": {
        "evidence_id": EVIDENCE,
        "kind": "transaction-record",
        "description": "九月对账单",
        "sha256": "ab" * 32,
        "provided_by": "zhao.min",
        "provided_at": at(7),
    },
    "make-finding": {
        "investigation_id": INVESTIGATION,
        "finding": "系统重复扣费。",
        "cause": "internal-process-incomplete",
        "made_by": "zhao.min",
        "made_at": at(8),
    },
    "close-investigation": {
        "investigation_id": INVESTIGATION,
        "conclusion": "投诉属实。",
        "closed_by": "zhao.min",
        "closed_at": at(9),
    },
    "propose-solution": {
        "proposal_id": PROPOSAL,
        "content": "退还年费并致歉。",
        "compensation_kind": "refund",
        "compensation_minor": 20_000,
        "currency": "CNY",
        "proposed_by": "zhao.min",
        "proposed_at": at(10),
    },
    "accept-proposal": {"proposal_id": PROPOSAL, "accepted_at": at(11), "noted_by": "zhao.min"},
    "decline-proposal": {"proposal_id": PROPOSAL, "reason": "金额不够", "declined_at": at(11), "noted_by": "zhao.min"},
    "resolve-complaint": {
        "resolution_id": RESOLUTION,
        "outcome": "upheld",
        "reasons": "重复扣费。",
        "measures": "修正批处理。",
        "resolved_by": "zhao.min",
        "resolved_at": at(12),
    },
    "send-reply": {
        "reply_id": REPLY,
        "channel": "letter",
        "content": "处理结果如下。",
        "sent_by": "zhao.min",
        "sent_at": at(13),
    },
    "rate-satisfaction": {
        "resolution_id": RESOLUTION,
        "overall": 4,
        "attitude": 5,
        "comment": "比较满意",
        "channel": "phone",
        "asked_by": "wang.li",
        "rated_at": at(14),
    },
    "close-complaint": {"closed_by": "wang.li", "closed_at": at(15)},
    "reopen-complaint": {
        "reason": "又扣了一次。",
        "new_facts": True,
        "reopened_by": "wang.li",
        "reopened_at": at(20),
    },
    "withdraw-complaint": {"reason": "不再追究", "received_by": "wang.li", "withdrawn_at": at(12)},
    "state-outcome": {
        "source": "cfpb",
        "outcome": "Closed with explanation",
        "final": True,
        "timely": True,
        "stated_by": "importer",
    },
    "dispute-outcome": {"source": "cfpb", "disputed_at": at(30), "noted_by": "importer"},
    "receive-transfer": {
        "body": "pboc",
        "body_reference": "PBC-2025-17",
        "received_by": "wang.li",
        "received_at": at(2),
    },
    "extend-deadline": {
        "regime": "cbirc-2020-3",
        "clock": "decision",
        "limit_amount": 60,
        "limit_unit": "calendar-days",
        "reason": "情况特别复杂。",
        "extended_by": "zhao.min",
        "complainant_told_at": at(11),
        "extended_at": at(10),
    },
    "start-appraisal": {
        "appraisal_id": APPRAISAL,
        "appraiser": "司法鉴定中心",
        "subject": "签名笔迹鉴定。",
        "complainant_told_at": at(7),
        "started_by": "zhao.min",
        "started_at": at(6),
    },
    "end-appraisal": {
        "appraisal_id": APPRAISAL,
        "result": "签名属实。",
        "ended_by": "zhao.min",
        "ended_at": at(9),
    },
    "receive-new-facts": {"content": "补交录音。", "received_by": "wang.li", "received_at": at(8)},
    "send-holding-response": {
        "channel": "letter",
        "reasons": "需向发卡机构核实。",
        "final_response_by_on": "2025-10-14",
        "sent_by": "zhao.min",
        "sent_at": at(9),
    },
    "rule-out-complaint": {
        "nature": "enquiry",
        "reason": "仅为咨询。",
        "ruled_out_by": "chen.jing",
        "ruled_out_at": at(5),
    },
    "merge-complaint": {
        "into_complaint_id": ANOTHER,
        "reason": "同一事项。",
        "merged_by": "wang.li",
        "merged_at": at(5),
    },
    "recognise-group": {"complainants": 23, "recognised_by": "wang.li", "recognised_at": at(5)},
    "name-representative": {
        "representative_id": REPRESENTATIVE,
        "relation": "family",
        "representative_name": "张小妹",
        "representative_contact": "13900139000",
        "authorisation": "power-of-attorney",
        "named_by": "wang.li",
        "named_at": at(1),
    },
    "end-representation": {
        "representative_id": REPRESENTATIVE,
        "reason": "委托到期",
        "noted_by": "wang.li",
        "ended_at": at(9),
    },
    "name-person-complained-about": {
        "person_id": PERSON,
        "staff": "qian.wei",
        "person_name": "钱伟",
        "branch": "shanghai-pudong-01",
        "noted_by": "wang.li",
        "noted_at": at(2),
    },
    "declare-interest": {
        "staff": "sun.hao",
        "interest": "dealt-with-the-matter",
        "explanation": "曾经办该笔业务",
        "declared_by": "sun.hao",
        "declared_at": at(3),
    },
    "form-investigation-team": {
        "lead": "zhao.min",
        "members": ["zhou.ye", "wu.fan"],
        "reason": "重大投诉",
        "formed_by": "chen.jing",
        "formed_at": at(5),
    },
    "start-emergency": {
        "emergency_id": EMERGENCY,
        "plan": "funds-at-risk",
        "reason": "账户仍在被扣款",
        "started_by": "wang.li",
        "started_at": at(4),
    },
    "take-emergency-step": {
        "emergency_id": EMERGENCY,
        "step": "risk-found",
        "content": "发现可疑扣款",
        "taken_by": "wang.li",
        "taken_at": at(4.5),
    },
    "end-emergency": {
        "emergency_id": EMERGENCY,
        "result": "已止付",
        "ended_by": "wang.li",
        "ended_at": at(6),
    },
    "review-emergency": {
        "emergency_id": EMERGENCY,
        "findings": "预案有效",
        "plan_to_be_changed": False,
        "reviewed_by": "chen.jing",
        "reviewed_at": at(26),
    },
    "make-preliminary-check": {
        "borne_out": True,
        "finding": "扣费记录属实",
        "checked_by": "zhao.min",
        "checked_at": at(5),
    },
    "request-evidence": {
        "evidence_request_id": EVIDENCE_REQUEST,
        "asked_of": "counterparty",
        "wanted": "收单流水",
        "answer_by_on": "2025-09-05",
        "requested_by": "zhao.min",
        "requested_at": at(6.5),
    },
    "request-assistance": {
        "assistance_id": ASSISTANCE,
        "department": "information technology",
        "assistant": "zheng.kai",
        "question": "批处理为何重复扣费",
        "requested_by": "zhao.min",
        "requested_at": at(6.5),
    },
    "give-assistance": {
        "assistance_id": ASSISTANCE,
        "answer": "批处理重跑所致",
        "given_by": "zheng.kai",
        "given_at": at(7.5),
    },
    "find-root-cause": {
        "root_cause": "system",
        "cause": "internal-process-incomplete",
        "department": "information technology",
        "explanation": "重跑未做幂等",
        "found_by": "zhao.min",
        "found_at": at(8.5),
    },
    "hold-negotiation": {
        "proposal_id": PROPOSAL,
        "manner": "spoken",
        "content": "说明退费方案",
        "customer_position": "要求另付利息",
        "agreed": False,
        "held_by": "zhao.min",
        "held_at": at(10.5),
    },
    "approve-compensation": {
        "compensation_id": COMPENSATION,
        "proposal_id": PROPOSAL,
        "kind": "refund",
        "amount_minor": 20_000,
        "currency": "CNY",
        "reason": "重复扣费",
        "requested_by": "zhao.min",
        "approved_by": "chen.jing",
        "approver_rank": "supervisor",
        "approved_at": at(10.5),
    },
    "provide-compensation": {
        "compensation_id": COMPENSATION,
        "payment_reference": "PAY-1",
        "provided_by": "zhao.min",
        "provided_at": at(14),
    },
    "escalate-complaint": {
        "escalation_id": ESCALATION,
        "to": "management",
        "reason": "协商不成",
        "escalated_by": "zhao.min",
        "escalated_at": at(11),
    },
    "decide-escalation": {
        "escalation_id": ESCALATION,
        "decision": "approved",
        "reasons": "同意退费",
        "decided_by": "director.he",
        "decided_at": at(11.5),
    },
    "send-written-notice": {
        "notice_id": NOTICE,
        "resolution_id": RESOLUTION,
        "channel": "letter",
        "content": "书面告知处理结果",
        "remedies": ["mediation", "court"],
        "sent_by": "zhao.min",
        "sent_at": at(13.5),
    },
    "make-follow-up-call": {
        "resolution_id": RESOLUTION,
        "channel": "phone",
        "reached": True,
        "content_with_result": True,
        "notes": "客户认可",
        "called_by": "wang.li",
        "called_at": at(14),
    },
    "review-handling": {
        "defects": ["late"],
        "findings": "首次回复及时，结案略迟",
        "improvement": "增加提醒",
        "reviewed_by": "auditor.lin",
        "reviewed_at": at(28),
    },
    "open-proceedings": {
        "proceedings_id": PROCEEDINGS,
        "route": "mediation",
        "body": "上海金融消费纠纷调解中心",
        "body_reference": "SHM-17",
        "initiator": "customer",
        "claim": "要求支付利息",
        "claimed_minor": 5_000,
        "currency": "CNY",
        "noted_by": "zhao.min",
        "opened_at": at(16),
    },
    "end-proceedings": {
        "proceedings_id": PROCEEDINGS,
        "outcome": "agreement",
        "terms": "补付利息",
        "awarded_minor": 3_000,
        "currency": "CNY",
        "noted_by": "zhao.min",
        "ended_at": at(24),
    },
    "take-in-repeat": {
        "repeat_complaint_id": ANOTHER,
        "reason": "同一事项",
        "taken_in_by": "wang.li",
        "taken_in_at": at(5),
    },
    "repair-relationship": {
        "kind": "apology",
        "content": "上门致歉",
        "repaired_by": "zhao.min",
        "repaired_at": at(25),
    },
    "check-completeness": {"missing": [], "checked_by": "wang.li", "checked_at": at(27)},
    "archive-complaint": {"archive_reference": "A-2025-1", "archived_by": "wang.li", "archived_at": at(28)},
    "annul-fact": {"version": 2, "reason": "录错了投诉", "proposed_at": at(40)},
    "correct-fact": {
        "version": 1,
        "changes": {"branch": "shanghai-pudong-02"},
        "reason": "网点录错",
        "proposed_at": at(40),
    },
    "approve-amendment": {"proposed_version": 3, "approved_at": at(40)},
    "decline-amendment": {"proposed_version": 3, "reason": "原登记无误", "declined_at": at(41)},
}
"""For each command, what it usually says."""


def ask(command: str, **changed: Any) -> ComplaintCommand:
    """A usual command with some fields changed."""
    return COMPLAINT_COMMANDS[command](complaint_id=COMPLAINT_ID, **{**USUAL[command], **changed})


def fact(event: str, **changed: Any) -> ComplaintEvent:
    """A usual fact, clear as `decide` makes it, with some fields changed."""
    kind = COMPLAINT_NAMES[event]
    if kind is AmendmentProposed:
        return amendment_proposed(**changed)
    if kind is AmendmentDeclined:
        return stated(AmendmentDeclined, ask("decline-amendment", **changed), CUSTOMER, declined_by=SUPERVISOR)
    usual: dict[str, Any] = {"customer_id": CUSTOMER, **_usual_words(kind), **changed}
    personal = {name for name, _ in personal_fields(kind)}
    clear = {
        name: Personal.clear(value) for name, value in usual.items() if name in personal and isinstance(value, str)
    }
    return kind.model_validate({**usual, **clear})


def _usual_words(kind: type[ComplaintEvent]) -> dict[str, Any]:
    said = dict(USUAL[STATED_BY[kind].command_name()])
    if "resolution_id" in kind.model_fields:
        said["resolution_id"] = RESOLUTION
    if "reason" in kind.model_fields and kind.model_fields["reason"].is_required():
        said.setdefault("reason", "改正")
    if "approved_by" in kind.model_fields and kind.model_fields["approved_by"].is_required():
        said.setdefault("approved_by", "chen.jing")
    if "lacking" in kind.model_fields:
        said["lacking"] = ()
    return {name: value for name, value in said.items() if name in kind.model_fields}


def recorded(event: ComplaintEvent) -> ComplaintEvent:
    """The fact as it stands in the record: each clear personal value by a digest."""
    sealed: dict[str, Any] = {}
    for name, _ in personal_fields(type(event)):
        value = getattr(event, name)
        if value is not None and value.is_clear:
            digest = hashlib.sha256(f"{name}:{value.value}".encode()).digest()
            sealed[name] = Personal.recorded(base64.urlsafe_b64encode(digest).decode().rstrip("="))
    if isinstance(event, FactCorrected | AmendmentProposed):
        sealed["fact"] = recorded(event.fact)
    return event.model_copy(update=sealed)


RECEIVED = fact("complaint-received")
REGISTERED = fact("complaint-registered")
CONTACT = fact("contact-noted")
FIRST_REPLY = fact("first-reply-sent")
CLASSIFIED = fact("complaint-classified")
GRADED = fact("complaint-graded")
ASSIGNED = fact("complaint-assigned")
INVESTIGATING = fact("investigation-started")
FINDING = fact("finding-made")
INVESTIGATED = fact("investigation-closed")
PROPOSED = fact("solution-proposed")
ACCEPTED = fact("proposal-accepted")
RESOLVED = fact("complaint-resolved")
REPLIED = fact("reply-sent")
RATED = fact("satisfaction-rated")
CLOSED = fact("complaint-closed")
REOPENED = fact("complaint-reopened")
WITHDRAWN = fact("complaint-withdrawn")
TRANSFERRED = fact("complaint-transferred")
EXTENDED = fact("deadline-extended")
APPRAISING = fact("appraisal-started")
APPRAISED = fact("appraisal-ended")
NEW_FACTS = fact("new-facts-received")
HELD = fact("holding-response-sent")
RULED_OUT = fact("complaint-ruled-out")
MERGED = fact("complaint-merged")
GROUP = fact("group-recognised")
EVIDENCE_ON_FILE = fact("evidence-provided")
SPOKEN_FOR = fact("representative-named")
ABOUT_A_PERSON = fact("person-complained-about")
INTERESTED = fact("interest-declared")
TEAM = fact("investigation-team-formed")
URGENT = fact("complaint-graded", grade="major", urgent=True)
EMERGENCY_STARTED = fact("emergency-started")
EMERGENCY_STEPS = tuple(
    fact("emergency-step-taken", step=step) for step in ("risk-found", "risk-assessed", "decided", "measures-taken")
)
EMERGENCY_OVER = (URGENT, EMERGENCY_STARTED, *EMERGENCY_STEPS, fact("emergency-ended"))
EVIDENCE_ASKED = fact("evidence-requested")
ASKED_FOR_HELP = fact("assistance-requested")
HELPED = fact("assistance-given")
APPROVED = fact("compensation-approved")
ESCALATED = fact("complaint-escalated")
DECIDED = fact("escalation-decided")
NOTICED = fact("written-notice-sent")
CALLED_BACK = fact("follow-up-call-made")
REVIEWED = fact("handling-reviewed")
PROCEEDING = fact("proceedings-opened")
CHECKED = fact("completeness-checked")
ARCHIVED = fact("complaint-archived")


@dataclass(frozen=True)
class Given:
    """Some facts that were recorded."""

    complaint: Complaint

    def when(
        self, command: ComplaintCommand, now: datetime = NOW, by: str = HANDLER, **circumstances: Any
    ) -> "Outcome":
        """What comes of a command that one person gives."""
        try:
            return Outcome(decide(self.complaint, command, Circumstances(now, principal=by, **circumstances)), None)
        except Refusal as refusal:
            return Outcome(None, refusal)

    def amended(self, command: ComplaintCommand, now: datetime = NOW, **circumstances: Any) -> "Outcome":
        """What comes of a command that the handler gives and the supervisor approves in the same instant."""
        first = self.when(command, now, **circumstances)
        if not first.facts:
            return first
        (proposed,) = first.facts
        assert isinstance(proposed, AmendmentProposed), "it takes two people"
        approval = ask(
            "approve-amendment", proposed_version=proposed.proposed_version, approved_at=proposed.proposed_at
        )
        then = Given(evolve(self.complaint, recorded(proposed)))
        return replace(then.when(approval, now, by=SUPERVISOR, **circumstances), proposed=proposed)


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    facts: list[ComplaintEvent] | None
    refusal: Refusal | None
    proposed: AmendmentProposed | None = None

    def then(self, *facts: ComplaintEvent) -> None:
        """These facts, and no other; none means that it was already so."""
        assert self.refusal is None, f"refused: {self.refusal}"
        if self.proposed is None:
            assert self.facts == list(facts)
        else:  # its words are recorded with the proposal, which it cites
            cited = {"proposed_version": self.proposed.proposed_version}
            assert self.facts == [recorded(each).model_copy(update=cited) for each in facts]

    def refused(self, kind: type[Refusal], **facts: Any) -> None:
        """This refusal, with these of its facts."""
        assert type(self.refusal) is kind, f"got {self.refusal!r}, {self.facts}"
        told = self.refusal.facts()
        assert {name: told[name] for name in facts} == facts


def given(*facts: ComplaintEvent) -> Given:
    return Given(fold(recorded(each) for each in facts))


def amendment_proposed(**changed: Any) -> AmendmentProposed:
    """A usual proposal: that the contact of version 2 be annulled."""
    said = {
        "proposed_version": 3,
        "amendment": "annulment",
        "amended_version": 2,
        "name": "contact-noted",
        "fact": recorded(fact("contact-noted")),
        "reason": Personal.clear("录错了投诉"),
        "proposed_by": HANDLER,
        "proposed_at": at(40),
    }
    return AmendmentProposed(customer_id=CUSTOMER, **{**said, **changed})


def fact_annulled(version: int, reason: str = "录错了投诉", **changed: Any) -> FactAnnulled:
    """A usual annulment of that version."""
    said = {"annulled_by": HANDLER, "approved_by": SUPERVISOR, "annulled_at": at(40), **changed}
    return FactAnnulled(customer_id=CUSTOMER, annulled_version=version, reason=Personal.clear(reason), **said)


def fact_corrected(version: int, replaced: ComplaintEvent, **changed: Any) -> FactCorrected:
    """A usual correction of that version to this fact; the customer is the one of the fact."""
    name = next(name for name, kind in COMPLAINT_NAMES.items() if kind is type(replaced))
    about = {"customer_id": replaced.customer_id, "corrected_version": version, "name": name, "fact": replaced}
    said = {"corrected_by": HANDLER, "approved_by": SUPERVISOR, "corrected_at": at(40), **changed}
    return FactCorrected(**about, reason=Personal.clear("网点录错"), **said)
