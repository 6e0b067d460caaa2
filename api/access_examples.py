"""One example body for each command about access; shown in OpenAPI, and posted by tests."""

from collections.abc import Mapping
from typing import Any

from ledger.access import commands as ask
from ledger.command import Command

ACCESS_EXAMPLES: Mapping[type[Command], Mapping[str, Any]] = {
    ask.RequestAccess: {
        "complaint_id": "7f0c2b1e-5d0b-4f0a-8c55-0d6a5a9e3b21",
        "tiers": ["core"],
        "purpose": "audit",
        "reason": "年度内部审计抽查",
        "until": "2030-01-01T00:00:00+08:00",
    },
    ask.ApproveAccess: {},
    ask.DeclineAccess: {"reason": "范围过大"},
    ask.ReportAccessUse: {"report": "已核对三笔，未留存副本"},
    ask.RequestErasure: {"ground": "customer-request"},
    ask.ApproveErasure: {},
    ask.EndErasureRequest: {"reason": "客户撤回申请"},
    ask.PlaceLegalHold: {"reason": "诉讼进行中"},
    ask.LiftLegalHold: {"reason": "诉讼已结案"},
    ask.SignPermissionReview: {
        "since": "2025-07-01T00:00:00+08:00",
        "until": "2025-10-01T00:00:00+08:00",
        "position": 120,
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "finding": "两项未使用的授权已收回",
    },
    ask.NameDeputy: {"deputy": "zhao.min", "until": "2030-01-01T00:00:00+08:00", "reason": "休假"},
    ask.EndDeputy: {"deputy": "zhao.min"},
    ask.LookAtValues: {"purpose": "handling"},
    ask.SearchFiles: {"words": "理财产品", "purpose": "handling"},
    ask.LookUpPerson: {"kind": "contact", "value": "13912345678", "purpose": "registration"},
    ask.FindDuplicates: {"purpose": "registration"},
    ask.LookAtFile: {"purpose": "handling"},
    ask.EraseDataSubject: {"ground": "customer-request"},
}
