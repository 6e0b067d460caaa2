"""Which complaints somebody who works within departments may know of, those of the one he stands in for included 代理.

The rule is in `ledger.complaint.grounds`; here it is asked with who stands in for whom now, which is read.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import cast

from ledger.access.deputies import Deputies, deputies_stream
from ledger.application import Ledger
from ledger.complaint.grounds import within_reach
from ledger.complaint.state import Complaint


def reaches(ledger: Ledger, complaint: Complaint, staff: str, departments: Collection[str]) -> bool:
    """Whether a complaint is one of theirs, nobody's yet, given to the person by name, or to whom he stands in for now.

    Costs one read of a stream where it is none of the first three.
    """
    if within_reach(complaint, staff, departments):
        return True
    given = complaint.assignment
    return given is not None and given.assignee is not None and stands_in(ledger, given.assignee, staff)


def stands_in(ledger: Ledger, person: str, deputy: str) -> bool:
    """Whether somebody is a deputy of a member of staff at this instant. Costs one read of a stream."""
    deputies, _ = ledger.state("deputies", deputies_stream(ledger.id, person))
    return cast("Deputies", deputies).are(deputy, datetime.now(UTC))
