"""What guards share: when a fact may come, by whom, and what it may name. Nothing here makes a fact."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from ledger.complaint.events import ComplaintEvent, happened_at, time_field, times
from ledger.complaint.picture import Complaint, Investigation, Resolution
from ledger.complaint.refusals import (
    AmountIncomplete,
    BeforeTheReceipt,
    ComplaintIsClosed,
    ComplaintIsWithdrawn,
    ConflictOfInterest,
    InvestigationIsClosed,
    InvestigationUnknown,
    OutOfOrder,
    ResolutionUnknown,
)


def while_handled(complaint: Complaint, fact: ComplaintEvent) -> None:
    """Handling lies between the receipt and the end of the procedure, by its own time.

    A reply that was sent before the withdrawal and is recorded after it is a late fact, and fine.
    """
    not_before_the_receipt(complaint, fact)
    at = happened_at(fact)
    assert at is not None, "every fact of handling states its time"
    if complaint.withdrawn_at is not None and at > complaint.withdrawn_at:
        raise ComplaintIsWithdrawn(complaint.withdrawn_at)
    if complaint.closed_at is not None and at > complaint.closed_at:
        raise ComplaintIsClosed(complaint.closed_at)


def not_before_the_receipt(complaint: Complaint, fact: ComplaintEvent) -> None:
    """Refuses a fact of which anything happened before the complaint was received."""
    for field, at in times(fact):
        if complaint.received_at is not None and at < complaint.received_at:
            raise BeforeTheReceipt(field, at, complaint.received_at)


def unless_withdrawn(complaint: Complaint) -> None:
    if complaint.withdrawn_at is not None:
        raise ComplaintIsWithdrawn(complaint.withdrawn_at)


def not_before(fact: ComplaintEvent, what: str, earlier: datetime | None) -> None:
    """Refuses a fact that happened before something it stands on; does nothing when a time is not known."""
    at, field = happened_at(fact), time_field(type(fact))
    if earlier is not None and at is not None and field is not None and at < earlier:
        raise OutOfOrder(field, at, what, earlier)


def same_person(one: str, other: str) -> bool:
    """Whether two identifiers name one member of staff, however they are capitalised."""
    return one.casefold() == other.casefold()


def within_reach(complaint: Complaint, staff: str, departments: Collection[str]) -> bool:
    """Whether a complaint is for a person to know of who works within departments: it is one of theirs, or nobody's yet.

    It is also for whom it was given to by name, whatever department was written beside the name.
    """
    given = complaint.assignment
    if given is None or given.department in departments:
        return True
    return given.assignee is not None and same_person(given.assignee, staff)


def unconcerned(complaint: Complaint, field: str, staff: str | None) -> None:
    """Refuses whoever is complained about or has a direct interest 回避, by name."""
    interest = None if staff is None else complaint.concerned.get(staff.casefold())
    if staff is not None and interest is not None:
        raise ConflictOfInterest(field, staff, interest)


def open_investigation(complaint: Complaint, investigation_id: UUID) -> Investigation:
    """The investigation of that id; refuses one that is unknown or closed."""
    investigation = complaint.investigations.get(investigation_id)
    if investigation is None:
        raise InvestigationUnknown(investigation_id, tuple(complaint.investigations))
    if investigation.closed:
        raise InvestigationIsClosed(investigation_id)
    return investigation


def of_resolution(complaint: Complaint, resolution_id: UUID) -> Resolution:
    """The resolution of that id; refuses one that is unknown."""
    resolution = complaint.resolutions.get(resolution_id)
    if resolution is None:
        raise ResolutionUnknown(resolution_id, tuple(complaint.resolutions))
    return resolution


def amount_with_currency(fact: ComplaintEvent, amount: str, currency: str = "currency") -> None:
    """Refuses an amount without its currency, or a currency without an amount."""
    if (getattr(fact, amount) is None) == (getattr(fact, currency) is None):
        return
    stated, missing = (currency, amount) if getattr(fact, amount) is None else (amount, currency)
    raise AmountIncomplete(stated, missing)
