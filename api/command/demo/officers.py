"""What officers of the made-up bank state about the book itself, and the two complaints that turn out to be one.

These are commands like any other, given when the year is over and recorded with a key, so that they are recorded once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from api.command.demo.drawn import complaint_id, made_up_id
from api.command.demo.party_year import CHIEF, QUALITY, RISK_HEAD
from api.command.demo.texts import BRANCHES, DEPARTMENTS, REGION_OF
from ledger.access import commands as access
from ledger.command import Command
from ledger.complaint import commands as ask
from ledger.event import Tier
from ledger.tables import commands as tables
from ledger.tables.events import ApprovalLimit
from ledger.tables.table import Coded

AUDITOR = "sj0001"


def officers_say(seed: int, end: datetime, complaints: int) -> Iterator[Command]:
    """The commands in their order; `end` is the end of the year, in the past."""
    yield tables.PublishCodeTables(tables={"branch": branches()}, published_by=QUALITY, published_at=end)
    routes = {"service": DEPARTMENTS["branches"][0], "price": DEPARTMENTS["credit"][0]}
    yield tables.PublishRouting(routes=routes, published_by=QUALITY, published_at=end)
    limits = tuple(
        ApprovalLimit(approver_rank=rank, currency="CNY", amount_minor_max=most)
        for rank, most in (("supervisor", 100_000), ("department-head", 10**9))
    )
    yield tables.PublishApprovalLimits(limits=limits, published_by=QUALITY, published_at=end)
    yield tables.ExerciseEmergencyPlan(
        plan="funds-at-risk",
        exercised_on=(end - timedelta(days=60)).date(),
        result="演练合格，账户冻结耗时四分钟。",
        exercised_by=RISK_HEAD,
        noted_at=end,
    )
    yield ask.MergeComplaint(
        complaint_id=complaint_id(seed, complaints),
        into_complaint_id=complaint_id(seed, complaints - 1),
        reason="同一客户同一事由，无新事实。",
        merged_by=QUALITY,
        merged_at=end,
    )
    yield from _access(seed, end)


def branches() -> tuple[Coded, ...]:
    """The made-up bank's table of branches, each with its region."""
    found = []
    for code, zh in BRANCHES:
        city, part = code.split("-")
        name, region = REGION_OF[city]
        found.append(Coded(code=code, zh=zh, en=f"{name} {part.capitalize()} branch", more={"region": region}))
    return tuple(found)


def _access(seed: int, end: datetime) -> Iterator[Command]:
    """Asked for, approved, used and reported; asked for and declined; a hold that was lifted, an erasure asked for."""
    for what in ("granted", "declined"):
        yield access.RequestAccess(
            request_id=made_up_id(seed, f"access:{what}"),
            complaint_id=complaint_id(seed, 1),
            tiers=(Tier.CORE, Tier.IMPORTANT),
            purpose="audit",
            reason="年度审计抽查",
            until=end + timedelta(days=30),
            requested_by=AUDITOR,
        )
    granted, declined = (made_up_id(seed, f"access:{what}") for what in ("granted", "declined"))
    yield access.ApproveAccess(request_id=granted, approved_by=CHIEF)
    yield access.ReportAccessUse(request_id=granted, report="已核对，未留存副本", reported_by=AUDITOR)
    yield access.DeclineAccess(request_id=declined, reason="与上一申请重复", declined_by=CHIEF)
    subject_id, hold_id = made_up_id(seed, "party:seldom:customer"), made_up_id(seed, "hold")
    yield access.PlaceLegalHold(subject_id=subject_id, hold_id=hold_id, reason="诉讼进行中", placed_by=RISK_HEAD)
    yield access.LiftLegalHold(subject_id=subject_id, hold_id=hold_id, reason="诉讼已结案", lifted_by=CHIEF)
    yield access.RequestErasure(subject_id=subject_id, ground="customer-request", requested_by=QUALITY)
