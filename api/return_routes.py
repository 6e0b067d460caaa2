"""Where the commands about returns are posted, and an example of each. Nothing here serves a request."""

import hashlib
from collections.abc import Mapping
from typing import Any

from api.parties import Posted
from ledger.command import Command
from ledger.returns import commands as ask

ONE = "/returns/{name}/{receiver}/{begins_on}/{ends_on}"
"""One return: of a name, to a receiver, for a period."""

RETURNS_POSTED = (
    Posted(f"{ONE}/due", ask.SetReturnDue),
    Posted(f"{ONE}/sending", ask.SendReturn),
    Posted(f"{ONE}/restatements", ask.RestateReturn),
    Posted(f"{ONE}/acknowledgements", ask.AcknowledgeReturn),
    Posted(f"{ONE}/questions", ask.QuestionReturn),
    Posted(f"{ONE}/questions/{{question_id}}/answer", ask.AnswerQuestion),
)

_DOCUMENT = '{"format":"complaint-ledger/return/v1"}'
_SENT: Mapping[str, Any] = {
    "position": 35100,
    "root": "0" * 64,
    "judged_at": "2026-10-08T09:00:00+08:00",
    "digest": hashlib.sha256(_DOCUMENT.encode()).hexdigest(),
    "document": _DOCUMENT,
    "sent_by": "compliance.he",
    "sent_at": "2026-10-09T10:00:00+08:00",
}

RETURN_EXAMPLES: Mapping[type[Command], Mapping[str, Any]] = {
    ask.SetReturnDue: {
        "due_on": "2026-10-20",
        "source": "人民银行上海总部通知 2026-31",
        "set_by": "compliance.he",
        "set_at": "2026-07-01T09:00:00+08:00",
    },
    ask.SendReturn: _SENT,
    ask.RestateReturn: {
        **_SENT,
        "restates": "5e9d3a52-7c0e-4b83-9b1f-2d6f1f6a9c11",
        "reason": "浦东分行漏报三件",
    },
    ask.AcknowledgeReturn: {
        "submission_id": "5e9d3a52-7c0e-4b83-9b1f-2d6f1f6a9c11",
        "receiver_reference": "PBC-SH-2026-0417",
        "noted_by": "compliance.he",
        "acknowledged_at": "2026-10-10T10:00:00+08:00",
    },
    ask.QuestionReturn: {
        "submission_id": "5e9d3a52-7c0e-4b83-9b1f-2d6f1f6a9c11",
        "question": "三季度信用卡定价收费类投诉为何增加",
        "noted_by": "compliance.he",
        "questioned_at": "2026-10-12T10:00:00+08:00",
    },
    ask.AnswerQuestion: {
        "answer": "年费减免规则调整所致，明细见附",
        "answered_by": "compliance.he",
        "answered_at": "2026-10-13T10:00:00+08:00",
    },
}
"""A body for each, shown in OpenAPI and posted by tests."""
