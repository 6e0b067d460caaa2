"""What people say and what is done about it in the made-up year besides complaints. Invented; no figure is anybody's."""

from collections.abc import Mapping
from typing import NamedTuple


class Talk(NamedTuple):
    """A kind of contact: how often, what is said, what is found and answered."""

    kind: str
    weight: int
    words: tuple[str, ...]
    answer: str = ""
    finding: str = ""
    outcomes: tuple[str, ...] = ("answered",)
    outbound: bool = False


TALKS = (
    Talk("enquiry", 40, ("询问信用卡年费标准。", "询问提前还款手续。", "询问境外取现手续费。"), "已按收费标准解释。"),
    Talk(
        "service-request",
        25,
        ("申请调整信用卡额度。", "申请打印流水。", "申请更换预留手机号。"),
        "已办理完毕。",
        outcomes=("done", "service-error"),
    ),
    Talk(
        "suggestion",
        8,
        ("建议手机银行增加大字版。", "建议网点增设老年人窗口。"),
        "感谢您的建议，已采纳。",
        "同类建议本季已有多条。",
        ("adopted", "not-adopted"),
    ),
    Talk("feedback", 5, ("表扬柜员耐心。", "反映自助机排队久。"), "已转达并核实。", "情况属实。"),
    Talk("complaint-contact", 6, ("来电询问投诉进度。", "补充说明投诉经过。"), "已告知处理进度。"),
    Talk("survey", 8, ("季度满意度电话调查。",), outbound=True),
    Talk("call-back", 5, ("回访投诉处理结果。",), outbound=True),
    Talk("outreach", 3, ("提示防范电信诈骗。", "告知收费标准调整。"), outbound=True),
)

INDICATORS: Mapping[str, tuple[str, tuple[int, int, int], int, int]] = {
    "satisfaction": ("higher", (90_000, 85_000, 75_000), 92_400, 84_100),
    "handling-satisfaction": ("higher", (85_000, 80_000, 70_000), 88_200, 79_500),
    "first-reply-24h": ("higher", (98_000, 95_000, 90_000), 98_600, 94_300),
    "request-24h": ("higher", (98_000, 95_000, 90_000), 99_000, 97_000),
    "service-error-rate": ("lower", (500, 1_000, 2_000), 320, 1_150),
    "security-incidents": ("lower", (1_000, 2_000, 3_000), 0, 1_000),
}
"""Which way is better; the thresholds of the three levels; a usual month; a bad one. Thousandths of a per cent or a case."""

MONTHS_BAD: Mapping[str, tuple[int, ...]] = {
    "satisfaction": (4, 11),
    "handling-satisfaction": (7,),
    "first-reply-24h": (2,),
    "service-error-rate": (9,),
    "security-incidents": (8,),
}

RISKS = (
    ("口头承诺未登记", "客服口头承诺减免，系统无登记，易引发群体投诉。", "high", 300),
    ("理财销售话术", "部分话术未充分提示净值波动。", "medium", 220),
    ("外包催收方式", "外包机构夜间拨打电话。", "high", 140),
    ("系统切换窗口", "月末切换窗口与还款日重叠。", "medium", 40),
)
"""Title, description, level, and how many days before the end of the year it was found."""

ACTIONS = (
    ("客服承诺登记功能", "口头承诺全部登记。", "上线后一月内同类投诉不超过两件。", "xyk0015", 290, "closed"),
    ("理财话术修订", "风险提示前置。", "抽检录音合格率不低于 98%。", "lc0008", 210, "closed"),
    ("催收时段管控", "禁止夜间外呼。", "三个月内无夜间外呼投诉。", "cs0006", 130, "reopened"),
    ("批量发送双人复核", "批量发送须双人复核。", "抽查三十批无单人发送。", "yy0031", 105, "closed"),
    ("月末窗口调整", "切换避开还款日。", "连续两月无相关投诉。", "xx0019", 35, "completed"),
    ("老年人专窗", "网点设老年人专窗。", "覆盖率达到八成。", "yy0040", 45, "open"),
)
"""Title, goal, acceptance test, owner, days before the end of the year on which it was opened, and what came of it."""
