"""The facts of one leak of personal information 个人信息泄露. Nothing here decides or computes.

`title` and other labels never hold a personal value; longer text may, and is held under the leak's own id.
"""

from typing import Annotated, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.event import Code, Event, Held, Label, Personal, Reference, StaffId, Tier

Text = Annotated[Personal[str], Held(Tier.ORDINARY, "leak_id")]
OptionalText = Annotated[Personal[str] | None, Held(Tier.ORDINARY, "leak_id")]

CUSTOMERS_MAX = 1_000
Customers = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=CUSTOMERS_MAX)]


class LeakEvent(Event):
    """A fact in the stream of one leak."""

    leak_id: UUID


class LeakFound(LeakEvent):
    """Somebody found that personal information got out 发现."""

    title: Label
    description: Text
    data_kinds: Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)]
    complaint_ids: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    found_by: StaffId
    found_at: AwareDatetime


class LeakIsolated(LeakEvent):
    """What leaked leaks no more 隔离: the way out is shut."""

    measures: Text
    isolated_by: StaffId
    isolated_at: AwareDatetime


class LeakInvestigated(LeakEvent):
    """How it came about, and how many people it touches 调查. Again, when more is known."""

    cause: Code
    findings: Text
    customers_affected: Annotated[int, Field(ge=0, le=10**9)]
    investigated_by: StaffId
    investigated_at: AwareDatetime


class ResponsibleNamed(LeakEvent):
    """Who answers for it 责任人."""

    responsible: StaffId
    department: Label
    reason: OptionalText = None
    named_by: StaffId
    named_at: AwareDatetime


class AffectedCustomersTold(LeakEvent):
    """Customers were told of it, and what they can do themselves."""

    customer_ids: Customers
    channel: Code
    content: Text
    told_by: StaffId
    told_at: AwareDatetime


class AffectedCustomersProtected(LeakEvent):
    """Something was done so that customers come to no harm: a card replaced, a login locked, accounts watched."""

    customer_ids: Customers
    measure: Code
    remark: OptionalText = None
    protected_by: StaffId
    protected_at: AwareDatetime


class RegulatorTold(LeakEvent):
    """A regulator was told (PIPL, Art. 57)."""

    body: Code
    body_reference: Reference | None = None
    content: Text
    told_by: StaffId
    told_at: AwareDatetime


class RegulatorNotToBeTold(LeakEvent):
    """It was decided, and by whose leave, that no regulator needs to be told: the harm was averted (PIPL, Art. 57)."""

    reason: Text
    decided_by: StaffId
    approved_by: StaffId
    decided_at: AwareDatetime


class LeakReviewed(LeakEvent):
    """Looked at again afterwards 事后复盘: what shall be otherwise, with the corrective actions that came of it."""

    lessons: Text
    action_ids: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    reviewed_by: StaffId
    reviewed_at: AwareDatetime


class LeakClosed(LeakEvent):
    """Every step was taken."""

    closed_by: StaffId
    closed_at: AwareDatetime


class LeakFactAnnulled(LeakEvent):
    """An earlier fact of this leak is declared never to have happened; it stays visible for ever."""

    annulled_version: Annotated[int, Field(ge=1)]
    reason: Text
    annulled_by: StaffId
    approved_by: StaffId
    annulled_at: AwareDatetime


LEAK_NAMES: dict[str, type[LeakEvent]] = {
    "leak-found": LeakFound,
    "leak-isolated": LeakIsolated,
    "leak-investigated": LeakInvestigated,
    "responsible-named": ResponsibleNamed,
    "affected-customers-told": AffectedCustomersTold,
    "affected-customers-protected": AffectedCustomersProtected,
    "regulator-told": RegulatorTold,
    "regulator-not-to-be-told": RegulatorNotToBeTold,
    "leak-reviewed": LeakReviewed,
    "leak-closed": LeakClosed,
    "leak-fact-annulled": LeakFactAnnulled,
}
"""Stored name to class. A name, once stored, is never changed, reused or taken away."""

AnyLeakEvent: TypeAlias = (
    LeakFound
    | LeakIsolated
    | LeakInvestigated
    | ResponsibleNamed
    | AffectedCustomersTold
    | AffectedCustomersProtected
    | RegulatorTold
    | RegulatorNotToBeTold
    | LeakReviewed
    | LeakClosed
    | LeakFactAnnulled
)


def known_leak_event(event: LeakEvent) -> AnyLeakEvent:
    """The same event, as the union that the type checker can exhaust."""
    assert type(event) in LEAK_NAMES.values(), f"{type(event).__name__} has no stored name"
    return cast("AnyLeakEvent", event)
