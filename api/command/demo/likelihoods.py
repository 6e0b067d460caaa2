"""How often what happens in the made-up bank: the published distributions that the demo follows. Only numbers and codes.

Business and reasons: Bank of China, complaints of 2025 (273,000 of them), as `process.md` section 2
quotes them; what the publication leaves to "other" is spread over the remaining codes.
"""

from datetime import timedelta
from typing import NamedTuple


class Business(NamedTuple):
    """A line of business by its code, with what customers call it and who handles it."""

    code: str
    weight: float
    products: tuple[str, ...]
    department: str


BUSINESS: tuple[Business, ...] = (
    Business("debit-card", 33.6, ("借记卡", "工资卡", "社保卡"), "debit"),
    Business("credit-card", 29.1, ("信用卡", "信用卡分期", "联名信用卡"), "credit"),
    Business("loan", 14.3, ("个人住房贷款", "消费贷款", "经营贷款"), "loans"),
    Business("payment-and-settlement", 5.3, ("转账汇款", "快捷支付", "对公结算账户"), "payments"),
    Business("debt-collection", 3.1, ("信用卡欠款", "个人贷款"), "collection"),
    Business("foreign-exchange", 2.8, ("个人购汇", "跨境汇款"), "fx"),
    Business("rmb-savings", 3.0, ("定期存款", "大额存单"), "branches"),
    Business("agency-business", 2.6, ("代销基金", "代理保险"), "wealth"),
    Business("own-wealth-product", 2.2, ("理财产品", "净值型理财"), "wealth"),
    Business("personal-financial-information", 1.3, ("个人客户信息", "征信记录"), "protection"),
    Business("other-intermediary-business", 1.0, ("保管箱", "资信证明"), "branches"),
    Business("precious-metals", 0.6, ("积存金", "纪念金条"), "wealth"),
    Business("rmb-management", 0.4, ("零钞兑换", "纪念币预约"), "branches"),
    Business("other", 0.7, ("其他业务",), "protection"),
)


class Reason(NamedTuple):
    """Why complaints are made: the standard's code, the name of its texts, and the house's issue and causes."""

    code: str
    weight: float
    text: str
    issue: str
    causes: tuple[str, ...]


REASONS: tuple[Reason, ...] = (
    Reason(
        *("rules-and-processes", 73.4, "rules", "service-process-deficient"),
        ("internal-process-incomplete", "internal-process-incomplete", "poor-communication", "not-the-institution"),
    ),
    Reason(
        *("pricing-and-charges", 8.6, "pricing", "charges-unclear"),
        ("unreasonable-tariff", "fee-policy-not-understood", "poor-communication"),
    ),
    Reason(
        *("facilities-equipment-and-systems", 5.6, "facilities", "unstable-function"),
        ("weak-product-design", "internal-process-incomplete"),
    ),
    Reason(
        *("service-attitude-and-quality", 4.0, "service", "bad-attitude"),
        ("staff-not-competent", "poor-communication"),
    ),
    Reason(
        *("debt-collection", 3.3, "collection", "bad-attitude"),
        ("internal-supervision-missing", "law-not-understood"),
    ),
    Reason(
        *("disclosure", 2.2, "disclosure", "disclosure-insufficient"),
        ("disclosure-late-or-opaque",),
    ),
    Reason(
        *("safety-of-funds", 1.2, "funds", "safety-hazard"),
        ("not-the-institution", "weak-product-design"),
    ),
    Reason(
        *("marketing", 1.1, "marketing", "disclosure-insufficient"),
        ("internal-supervision-missing", "staff-not-competent"),
    ),
    Reason(*("safety-of-information", 0.2, "information", "law-broken"), ("internal-supervision-missing",)),
    Reason(*("freedom-of-choice", 0.2, "choice", "law-broken"), ("internal-supervision-missing",)),
    Reason(
        *("product-yield", 0.1, "yield", "yield-below-expectation"),
        ("disclosure-late-or-opaque",),
    ),
    Reason(*("contract-terms", 0.1, "contract", "terms-unclear"), ("contract-terms-careless",)),
)

CHANNELS: tuple[tuple[str, float], ...] = (
    ("phone", 46.0),
    ("mobile-app", 16.0),
    ("online-chat", 11.0),
    ("branch", 9.0),
    ("regulator-transfer", 6.5),
    ("web", 4.0),
    ("social-media", 3.0),
    ("email", 2.5),
    ("letter", 2.0),
)

GRADES: tuple[tuple[str, float], ...] = (("general", 88.0), ("complex", 10.0), ("major", 2.0))

URGENT = 0.02

FIRST_REPLY_IN_TIME = 0.95

RESOLVED_IN_TIME = 0.93

WORKING_DAYS_IN_TIME: dict[str, tuple[float, ...]] = {
    "general": (8, 18, 28, 27, 19),
    "complex": (0, 0, 5, 8, 12, 15, 16, 16, 15, 13),
    "major": (0, 0, 3, 6, 10, 14, 17, 18, 17, 15),
}
"""Weights of 1, 2, 3 … working days from receipt to reply, for a reply in time."""

WORKING_DAYS_LATE_MAX = 9
"""How far beyond the limit a late reply lies at most."""

NEVER_FINISHED = 0.04

FINISHED_AFTER = timedelta(days=75)
"""Older complaints are finished, so that what is overdue is of the last weeks."""

WITHDRAWN = 0.025

REOPENED = 0.03

INVESTIGATED: dict[str, float] = {"general": 0.45, "complex": 1.0, "major": 1.0}

PROPOSED = 0.4

DECLINED = 0.15

COMPENSATED = 0.35

COMPENSATIONS: tuple[tuple[str, float], ...] = (
    ("refund", 45.0),
    ("points", 25.0),
    ("ex-gratia-payment", 15.0),
    ("preferential-rate", 10.0),
    ("apology-only", 5.0),
)

OUTCOMES: tuple[tuple[str, float], ...] = (
    ("rejected", 46.0),
    ("partly-upheld", 27.0),
    ("upheld", 15.0),
    ("settled", 12.0),
)

RATED = 0.6

SCORES: tuple[tuple[int, float], ...] = ((5, 47.0), (4, 31.0), (3, 12.0), (2, 5.0), (1, 5.0))

SCORES_OF_THE_LATE: tuple[tuple[int, float], ...] = ((5, 12.0), (4, 22.0), (3, 28.0), (2, 18.0), (1, 20.0))

AGAIN = 0.08
"""Share of complaints by a customer who has complained before."""

CONTACTED = 0.15

RECLASSIFIED = 0.03

REGRADED = 0.01

REASSIGNED = 0.05

CORRECTED = 0.005

ANNULLED = 0.003

AMOUNT_KNOWN = 0.3

MONTHS: tuple[float, ...] = (1.1, 0.85, 1.2, 1.0, 0.95, 1.05, 1.0, 0.95, 1.0, 0.85, 1.15, 1.1)
"""January to December: before the Spring Festival, around Consumer Rights Day (15 March) and after the November sales."""

WEEKDAYS: tuple[float, ...] = (1.25, 1.1, 1.0, 1.0, 0.95, 0.75, 0.7)

NOT_WORKING = 0.4
"""How a Saturday, a Sunday or a holiday compares with a working day."""

HOURS: tuple[float, ...] = (
    *(0.6, 0.3, 0.2, 0.2, 0.2, 0.3, 0.8, 1.8, 4.5, 9.0, 10.0, 8.5),
    *(5.5, 6.0, 8.5, 9.0, 8.5, 7.0, 5.0, 4.5, 4.0, 3.5, 2.2, 1.2),
)
