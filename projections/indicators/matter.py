"""One complaint as reports read it: a pure fold of its effective facts. It writes no row and knows no position.

A fact that is not read here still stands in the table of facts, where an indicator can find it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.complaint.events import (
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReassigned,
    ComplaintReceived,
    ComplaintReclassified,
    ComplaintRegistered,
    ComplaintRegraded,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWithdrawn,
    FindingMade,
    FirstReplySent,
    OutcomeDisputed,
    OutcomeStated,
    ReplySent,
)
from ledger.complaint.moving import ComplaintMerged, ComplaintRuledOut, ComplaintTransferred

HOUSE = "house"
"""The scheme whose terms stand in the tables `product`, `category` and `issue`; a receipt states its product in it."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of a complaint. Instants are when things happened; `spells` are the times in which it was open.

    `ended_how` is one of closed, withdrawn, ruled-out, merged, ended-elsewhere; None while the complaint is open.
    `scheme` is that of the classification, `product_scheme` the one in which the product was stated last.
    `first_…` and `replied_at` are of the first time, `outcome` of the last.
    """

    customer_id: UUID | None = None
    reference: str | None = None
    external_reference: str | None = None
    received_at: datetime | None = None
    date_only: bool = False
    channel: str | None = None
    branch: str | None = None
    scheme: str | None = None
    category: str | None = None
    product: str | None = None
    product_scheme: str | None = None
    sub_product: str | None = None
    issue: str | None = None
    sub_issue: str | None = None
    cause: str | None = None
    grade: str | None = None
    urgent: bool = False
    department: str | None = None
    handler: str | None = None
    transferred_by: str | None = None
    first_replied_at: datetime | None = None
    resolved_at: datetime | None = None
    outcome: str | None = None
    replied_at: datetime | None = None
    sent_on_at: datetime | None = None
    stated_outcome: str | None = None
    stated_final: bool | None = None
    stated_timely: bool | None = None
    disputed: bool = False
    reopenings: int = 0
    ended_at: datetime | None = None
    ended_how: str | None = None
    spells: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def open_during(self) -> str:
        """The spells as a multirange of PostgreSQL: closed below, open above."""
        return "{" + ",".join(f"[{a.isoformat()},{'' if b is None else b.isoformat()})" for a, b in self.spells) + "}"


Step = Callable[[Matter, Any], Matter]
"""A complaint and a fact of the classes that the step is kept for, to the complaint after it."""

_STEPS: dict[type[ComplaintEvent], Step] = {}


def _reads(*facts: type[ComplaintEvent]) -> Callable[[Step], Step]:
    def keep(step: Step) -> Step:
        _STEPS.update(dict.fromkeys(facts, step))
        return step

    return keep


def matter_of(facts: Iterable[ComplaintEvent]) -> Matter:
    """A complaint from its effective facts, in the order of their versions."""
    matter = Matter()
    for fact in facts:
        matter = after(matter, fact)
    return matter


def after(matter: Matter, fact: ComplaintEvent) -> Matter:
    """The complaint after one more effective fact; the same where it reads nothing of it."""
    step = _STEPS.get(type(fact))
    return matter if step is None else step(matter, fact)


@_reads(ComplaintReceived)
def _received(matter: Matter, fact: ComplaintReceived) -> Matter:
    product = matter.product or fact.product
    return replace(
        _opened(matter, fact.received_at),
        customer_id=fact.customer_id,
        external_reference=fact.external_reference,
        received_at=fact.received_at,
        date_only=fact.date_only,
        channel=fact.channel,
        branch=fact.branch,
        product=product,
        product_scheme=matter.product_scheme or (HOUSE if product else None),
    )


@_reads(ComplaintRegistered)
def _registered(matter: Matter, fact: ComplaintRegistered) -> Matter:
    return replace(matter, reference=fact.reference)


@_reads(ComplaintClassified, ComplaintReclassified)
def _classified(matter: Matter, fact: ComplaintClassified) -> Matter:
    return replace(
        matter,
        scheme=fact.scheme,
        category=fact.category,
        product=fact.product or matter.product,
        product_scheme=fact.scheme if fact.product else matter.product_scheme,
        sub_product=fact.sub_product,
        issue=fact.issue,
        sub_issue=fact.sub_issue,
        cause=fact.cause or matter.cause,
    )


@_reads(FindingMade)
def _found(matter: Matter, fact: FindingMade) -> Matter:
    return replace(matter, cause=fact.cause or matter.cause)


@_reads(ComplaintGraded, ComplaintRegraded)
def _graded(matter: Matter, fact: ComplaintGraded | ComplaintRegraded) -> Matter:
    return replace(matter, grade=fact.grade.value, urgent=fact.urgent)


@_reads(ComplaintAssigned, ComplaintReassigned)
def _assigned(matter: Matter, fact: ComplaintAssigned | ComplaintReassigned) -> Matter:
    return replace(
        matter,
        department=fact.department,
        handler=fact.assignee,
        sent_on_at=matter.sent_on_at or fact.assigned_at,
    )


@_reads(ComplaintTransferred)
def _transferred(matter: Matter, fact: ComplaintTransferred) -> Matter:
    return replace(matter, transferred_by=fact.body)


@_reads(FirstReplySent)
def _first_reply(matter: Matter, fact: FirstReplySent) -> Matter:
    return replace(matter, first_replied_at=matter.first_replied_at or fact.sent_at)


@_reads(ComplaintResolved)
def _resolved(matter: Matter, fact: ComplaintResolved) -> Matter:
    return replace(matter, resolved_at=matter.resolved_at or fact.resolved_at, outcome=fact.outcome.value)


@_reads(ReplySent)
def _replied(matter: Matter, fact: ReplySent) -> Matter:
    return replace(matter, replied_at=matter.replied_at or fact.sent_at)


@_reads(OutcomeStated)
def _stated(matter: Matter, fact: OutcomeStated) -> Matter:
    """The source does not say when it ended: the time is unknown, so it was open at its receipt and no longer."""
    stated = replace(matter, stated_outcome=fact.outcome, stated_final=fact.final, stated_timely=fact.timely)
    if not fact.final:
        return stated
    spells = tuple((a, a + timedelta(microseconds=1) if b is None else b) for a, b in matter.spells)
    return replace(stated, ended_how="ended-elsewhere", ended_at=None, spells=spells)


@_reads(OutcomeDisputed)
def _disputed(matter: Matter, _fact: OutcomeDisputed) -> Matter:
    return replace(matter, disputed=True)


@_reads(ComplaintClosed)
def _closed(matter: Matter, fact: ComplaintClosed) -> Matter:
    return matter if matter.ended_how else _ended(matter, "closed", fact.closed_at)


@_reads(ComplaintWithdrawn)
def _withdrawn(matter: Matter, fact: ComplaintWithdrawn) -> Matter:
    return _ended(matter, "withdrawn", fact.withdrawn_at)


@_reads(ComplaintRuledOut)
def _ruled_out(matter: Matter, fact: ComplaintRuledOut) -> Matter:
    return _ended(matter, "ruled-out", fact.ruled_out_at)


@_reads(ComplaintMerged)
def _merged(matter: Matter, fact: ComplaintMerged) -> Matter:
    return _ended(matter, "merged", fact.merged_at)


@_reads(ComplaintReopened)
def _reopened(matter: Matter, fact: ComplaintReopened) -> Matter:
    return replace(_opened(matter, fact.reopened_at), reopenings=matter.reopenings + 1)


def _opened(matter: Matter, at: datetime) -> Matter:
    spells = matter.spells
    if not spells or spells[-1][1] is not None:
        spells = (*spells, (at, None))
    return replace(matter, ended_at=None, ended_how=None, spells=spells)


def _ended(matter: Matter, how: str, at: datetime) -> Matter:
    """What ends it twice (withdrawn, then closed) ended it the first time."""
    spells = tuple((a, (at if at > a else a + timedelta(microseconds=1)) if b is None else b) for a, b in matter.spells)
    return replace(matter, ended_at=at, ended_how=how, spells=spells)
