"""One example body for each command, shown in OpenAPI; a test posts every one of them to a real service."""

from collections.abc import Mapping
from typing import Any

from api.party_examples import PARTY_EXAMPLES
from ledger.command import Command
from ledger.complaint import commands as ask
from ledger.policy import commands as policies
from ledger.tables import commands as tables

EXAMPLES: Mapping[type[Command], Mapping[str, Any]] = {
    ask.ReceiveComplaint: {
        "received_at": "2025-09-26T10:15:00+08:00",
        "received_by": "registrar.li",
        "channel": "phone",
        "customer_name": "张伟",
        "customer_contact": "13800138000",
        "content": "信用卡年费已承诺减免，但本月账单仍扣收三百元。",
        "remedy_wanted": "退还年费三百元，并说明原因。",
        "amount_in_dispute_minor": 30000,
        "currency": "CNY",
    },
    ask.RegisterComplaint: {"registered_at": "2025-09-26T10:20:00+08:00", "registered_by": "registrar.li"},
    ask.NoteAutomaticReply: {"channel": "sms", "sent_at": "2025-09-26T10:21:00+08:00"},
    ask.SendFirstReply: {
        "channel": "phone",
        "content": "张先生您好，您的投诉已受理，我们将尽快核实年费情况。",
        "sent_by": "handler.wang",
        "sent_at": "2025-09-26T15:40:00+08:00",
    },
    ask.NoteContact: {
        "channel": "phone",
        "direction": "inbound",
        "content": "客户来电补充：客服于三月口头承诺免年费。",
        "noted_by": "handler.wang",
        "occurred_at": "2025-09-27T09:05:00+08:00",
    },
    ask.ClassifyComplaint: {
        "scheme": "house",
        "category": "price",
        "classified_by": "handler.wang",
        "classified_at": "2025-09-26T16:00:00+08:00",
    },
    ask.GradeComplaint: {
        "grade": "complex",
        "urgent": False,
        "reason": "涉及口头承诺，需调取录音。",
        "graded_by": "handler.wang",
        "graded_at": "2025-09-26T16:05:00+08:00",
    },
    ask.AssignComplaint: {
        "department": "信用卡中心",
        "assignee": "handler.zhao",
        "assigned_by": "supervisor.chen",
        "assigned_at": "2025-09-26T16:30:00+08:00",
    },
    ask.StartInvestigation: {
        "lead": "handler.zhao",
        "started_by": "handler.zhao",
        "started_at": "2025-09-28T09:00:00+08:00",
    },
    ask.ProvideEvidence: {
        "kind": "recording",
        "description": "三月十二日客服通话录音，客服承诺免收年费。",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "provided_by": "handler.zhao",
        "provided_at": "2025-09-28T11:00:00+08:00",
    },
    ask.MakeFinding: {
        "finding": "录音证实客服承诺免年费，系统未登记减免。",
        "cause": "internal-process-incomplete",
        "made_by": "handler.zhao",
        "made_at": "2025-09-28T14:00:00+08:00",
    },
    ask.CloseInvestigation: {
        "conclusion": "投诉属实，应予退还。",
        "closed_by": "handler.zhao",
        "closed_at": "2025-09-28T16:00:00+08:00",
    },
    ask.ProposeSolution: {
        "content": "退还年费三百元，并致歉。",
        "compensation_kind": "refund",
        "compensation_minor": 30000,
        "currency": "CNY",
        "proposed_by": "handler.zhao",
        "proposed_at": "2025-09-29T09:30:00+08:00",
    },
    ask.AcceptProposal: {"accepted_at": "2025-09-29T10:00:00+08:00", "noted_by": "handler.zhao"},
    ask.DeclineProposal: {
        "reason": "客户要求书面道歉。",
        "declined_at": "2025-09-29T10:00:00+08:00",
        "noted_by": "handler.zhao",
    },
    ask.ResolveComplaint: {
        "outcome": "upheld",
        "reasons": "客服承诺属实，年费应予减免。",
        "measures": "退还年费，补登减免标识。",
        "resolved_by": "handler.zhao",
        "resolved_at": "2025-09-29T14:00:00+08:00",
    },
    ask.SendReply: {
        "channel": "phone",
        "content": "张先生您好，年费三百元已退回您的账户，谨致歉意。",
        "sent_by": "handler.zhao",
        "sent_at": "2025-09-29T15:00:00+08:00",
    },
    ask.RateSatisfaction: {
        "resolution_id": "5e9d3a52-7c0e-4b83-9b1f-2d6f1f6a9c11",
        "overall": 4,
        "attitude": 5,
        "comment": "处理及时，态度好。",
        "channel": "phone",
        "asked_by": "registrar.li",
        "rated_at": "2025-09-30T10:00:00+08:00",
    },
    ask.CloseComplaint: {"closed_by": "handler.zhao", "closed_at": "2025-09-30T11:00:00+08:00"},
    ask.ReopenComplaint: {
        "reason": "客户称退款金额少十元。",
        "new_facts": True,
        "reopened_by": "handler.wang",
        "reopened_at": "2025-10-09T09:00:00+08:00",
    },
    ask.WithdrawComplaint: {
        "reason": "客户表示误会已解除。",
        "received_by": "handler.wang",
        "withdrawn_at": "2025-10-10T09:00:00+08:00",
    },
    ask.StateOutcome: {
        "source": "cfpb",
        "outcome": "Closed with explanation",
        "final": True,
        "timely": True,
        "stated_by": "importer",
    },
    ask.DisputeOutcome: {"source": "cfpb", "disputed_at": None, "noted_by": "importer"},
    ask.ReceiveTransfer: {
        "body": "pboc",
        "body_reference": "PBC-2025-0926-17",
        "received_by": "registrar.li",
        "received_at": "2025-09-27T09:00:00+08:00",
    },
    ask.ExtendDeadline: {
        "regime": "cbirc-2020-3",
        "clock": "decision",
        "limit_amount": 30,
        "limit_unit": "calendar-days",
        "reason": "涉及口头承诺，需向两家网点调取录音。",
        "extended_by": "handler.zhao",
        "approved_by": "supervisor.chen",
        "approver_rank": "department-head",
        "complainant_told_at": "2025-09-29T16:00:00+08:00",
        "extended_at": "2025-09-29T15:30:00+08:00",
    },
    ask.StartAppraisal: {
        "appraiser": "司法鉴定中心",
        "subject": "合同签名笔迹鉴定。",
        "complainant_told_at": "2025-09-28T10:00:00+08:00",
        "started_by": "handler.zhao",
        "started_at": "2025-09-28T09:30:00+08:00",
    },
    ask.EndAppraisal: {
        "result": "签名为客户本人所签。",
        "ended_by": "handler.zhao",
        "ended_at": "2025-09-29T09:00:00+08:00",
    },
    ask.ReceiveNewFacts: {
        "content": "客户补交通话录音。",
        "received_by": "handler.wang",
        "received_at": "2025-09-28T17:00:00+08:00",
    },
    ask.SendHoldingResponse: {
        "channel": "letter",
        "reasons": "需向发卡机构核实，暂不能答复。",
        "final_response_by_on": "2025-10-20",
        "sent_by": "handler.zhao",
        "sent_at": "2025-09-29T11:00:00+08:00",
    },
    ask.RuleOutComplaint: {
        "nature": "enquiry",
        "reason": "客户仅询问年费标准。",
        "ruled_out_by": "supervisor.chen",
        "ruled_out_at": "2025-09-27T11:00:00+08:00",
    },
    ask.MergeComplaint: {
        "into_complaint_id": "7f0c2b1e-5d0b-4f0a-8c55-0d6a5a9e3b21",
        "reason": "同一年费争议，无新事实。",
        "merged_by": "handler.wang",
        "merged_at": "2025-09-27T12:00:00+08:00",
    },
    ask.RecogniseGroup: {
        "complainants": 23,
        "recognised_by": "supervisor.chen",
        "recognised_at": "2025-09-28T12:00:00+08:00",
    },
    ask.AnnulFact: {
        "version": 3,
        "reason": "登记错投诉，应属另一客户。",
        "annulled_by": "handler.wang",
        "approved_by": "supervisor.chen",
        "annulled_at": "2025-09-27T10:00:00+08:00",
    },
    ask.CorrectFact: {
        "version": 1,
        "changes": {"received_at": "2025-09-26T09:15:00+08:00"},
        "reason": "接收时间误录晚一小时。",
        "corrected_by": "registrar.li",
        "approved_by": "supervisor.chen",
        "corrected_at": "2025-09-27T10:00:00+08:00",
    },
    policies.PublishCalendar: {
        "calendar": {
            "name": "shanghai-exchange",
            "version": 1,
            "title": "上海某机构工作日",
            "zone": "Asia/Shanghai",
            "settled_from": "2025-01-01",
            "settled_through": "2025-12-31",
            "day_starts": [{"since": "2025-01-01", "utc_offset_minutes": 480}],
            "notices": {"2025": "机构通知 2024-11-12"},
            "days": [{"on": "2025-10-01", "kind": "holiday", "zh": "国庆节", "en": "National Day", "notice": "2025"}],
        },
        "published_by": "policy.sun",
        "published_at": "2025-09-01T10:00:00+08:00",
    },
    policies.PublishRegime: {
        "regime": {
            "name": "card-centre",
            "version": 1,
            "title": "信用卡中心投诉时限",
            "calendar": "shanghai-exchange",
            "source": "信用卡中心投诉管理办法，2025 年版。",
            "clocks": [
                {
                    "name": "resolution",
                    "zh": "处理完毕",
                    "en": "Resolution",
                    "source": "第十二条：三个工作日内答复客户。",
                    "starts": "complaint-received",
                    "stops": ["reply-sent"],
                    "limits": [{"amount": 3, "unit": "working-days"}],
                    "applies_to": {"product": ["credit-card"]},
                    "other_facts": {"complaint-withdrawn": {"in_time": "void", "late": "stop"}},
                }
            ],
        },
        "published_by": "policy.sun",
        "published_at": "2025-09-01T10:05:00+08:00",
    },
    policies.PutRegimeInForce: {
        "in_force_from": "2100-01-01",
        "decided_by": "policy.sun",
        "decided_at": "2025-09-01T10:10:00+08:00",
    },
    policies.RetireRegime: {
        "retired_from": "2100-07-01",
        "reason": "replaced by the institution-wide limits",
        "decided_by": "policy.sun",
        "decided_at": "2025-09-01T10:15:00+08:00",
    },
    tables.PublishCodeTables: {
        "tables": {
            "approver-rank": [
                {"code": "supervisor", "zh": "主管", "en": "Supervisor"},
                {"code": "department-head", "zh": "部门总经理", "en": "General manager of a department"},
                {"code": "institution-head", "zh": "机构负责人", "en": "Head of the institution"},
                {"code": "superior-institution", "zh": "上级机构", "en": "Superior institution"},
                {
                    "code": "head-office-senior-management",
                    "zh": "总行高级管理人员",
                    "en": "Head-office senior management",
                },
            ]
        },
        "published_by": "policy.sun",
        "published_at": "2025-09-01T09:00:00+08:00",
    },
    tables.PublishRouting: {
        "routes": {"service": "客户服务部", "price": "信用卡中心"},
        "published_by": "policy.sun",
        "published_at": "2025-09-01T09:10:00+08:00",
    },
    tables.PublishApprovalLimits: {
        "limits": [
            {"approver_rank": "supervisor", "currency": "CNY", "amount_minor_max": 100000},
            {"approver_rank": "department-head", "currency": "CNY", "amount_minor_max": 2000000},
        ],
        "published_by": "policy.sun",
        "published_at": "2025-09-01T09:20:00+08:00",
    },
    tables.ExerciseEmergencyPlan: {
        "plan": "funds-at-risk",
        "exercised_on": "2025-08-20",
        "result": "演练合格，账户冻结耗时四分钟。",
        "exercised_by": "policy.sun",
        "noted_at": "2025-09-01T09:30:00+08:00",
    },
    **PARTY_EXAMPLES,
}
