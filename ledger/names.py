"""The stored names: the one table that says which class a stored event is read as.

A name, once stored, is never changed or reused. Only names in this table are ever resolved; the
`eventsourcing` library's own way (importing the module that a row names) is not used.
"""

from ledger.access.events import ACCESS_NAMES
from ledger.attesting.events import ATTESTING_NAMES
from ledger.audit.events import AUDIT_NAMES
from ledger.complaint.events import COMPLAINT_NAMES
from ledger.customer.events import CUSTOMER_NAMES
from ledger.event import Event
from ledger.improvement.events import IMPROVEMENT_NAMES
from ledger.interaction.events import INTERACTION_NAMES
from ledger.leak.events import LEAK_NAMES
from ledger.policy.events import POLICY_NAMES
from ledger.returns.events import RETURN_NAMES
from ledger.seal.events import SEAL_NAMES
from ledger.tables.events import TABLES_NAMES
from ledger.timekeeping.events import TIMEKEEPING_NAMES

STORED_NAMES: dict[str, type[Event]] = {
    **ACCESS_NAMES,
    **ATTESTING_NAMES,
    **AUDIT_NAMES,
    **COMPLAINT_NAMES,
    **POLICY_NAMES,
    **RETURN_NAMES,
    **SEAL_NAMES,
    **TABLES_NAMES,
    **CUSTOMER_NAMES,
    **IMPROVEMENT_NAMES,
    **INTERACTION_NAMES,
    **LEAK_NAMES,
    **TIMEKEEPING_NAMES,
}

NAME_OF: dict[type[Event], str] = {event: name for name, event in STORED_NAMES.items()}


class UnknownStoredName(LookupError):
    """The record holds a name that this version of the program does not know: install a newer one."""


def class_of(name: str) -> type[Event]:
    """The class that a stored name stands for; raises UnknownStoredName for a name outside the table."""
    try:
        return STORED_NAMES[name]
    except KeyError:
        raise UnknownStoredName(
            f"no event of this program is stored as {name!r}: read this book with the version of the program that wrote it, or a newer one"
        ) from None
