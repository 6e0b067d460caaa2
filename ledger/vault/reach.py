"""Which complaints somebody who works within departments may know of, those of the one he stands in for included 代理.

The rule is in `ledger.complaint.grounds`; here it is asked with who stands in for whom now, which is read.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from ledger.access.deputies import Deputies, deputies_stream
from ledger.application import Ledger
from ledger.complaint.events import ComplaintAssigned, ComplaintEvent, ComplaintReassigned, FactCorrected
from ledger.complaint.grounds import within_reach
from ledger.complaint.state import Complaint, effective
from ledger.record.envelope import opened
from ledger.record.reading import stream_events


def reaches(ledger: Ledger, complaint: Complaint, staff: str, departments: Collection[str]) -> bool:
    """Whether a complaint is one of theirs, nobody's yet, given to the person by name, or to whom he stands in for now.

    Costs one read of a stream where it is none of the first three.
    """
    if within_reach(complaint, staff, departments):
        return True
    given = complaint.assignment
    return given is not None and given.assignee is not None and stands_in(ledger, given.assignee, staff)


def assigned_by(ledger: Ledger, complaint_id: UUID) -> frozenset[str]:
    """Who gave a complaint to whom it is assigned now: who recorded that fact, proposed or approved its correction, and
    whom it names as the one who did; folded names. Costs one read of its stream.
    """
    with ledger.record.pool.connection() as connection:
        rows = [opened(row) for row in stream_events(connection, ledger.book, complaint_id)]
    events = [cast("ComplaintEvent", row.event) for row in rows]
    last: tuple[int, ComplaintAssigned | ComplaintReassigned] | None = None
    for version, fact in effective(events):
        if isinstance(fact, ComplaintAssigned | ComplaintReassigned):
            last = version, fact
    if last is None:
        return frozenset()
    corrections = [
        who
        for row, event in zip(rows, events, strict=True)
        if isinstance(event, FactCorrected) and event.corrected_version == last[0]
        for who in (row.recorded_by, event.corrected_by)
    ]
    return frozenset(who.casefold() for who in (rows[last[0] - 1].recorded_by, last[1].assigned_by, *corrections))


def stands_in(ledger: Ledger, person: str, deputy: str) -> bool:
    """Whether somebody is a deputy of a member of staff at this instant. Costs one read of a stream."""
    deputies, _ = ledger.state("deputies", deputies_stream(ledger.id, person))
    return cast("Deputies", deputies).are(deputy, datetime.now(UTC))
