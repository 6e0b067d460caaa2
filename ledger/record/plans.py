"""Which fields of which stored event are personal: the plans by which a verification finds digests, from the event classes."""

from functools import cache

from ledger.event import Event, personal_fields
from ledger.names import STORED_NAMES
from ledger.record.digests import Plan, Plans


@cache
def plans() -> Plans:
    """Where the JSON of each event there is holds digests, by stored name."""
    return {name: _plan(event_class) for name, event_class in STORED_NAMES.items()}


def _plan(event_class: type[Event]) -> Plan:
    """The fields in the order of their names, in which the vault tells of an event's values."""
    nested = [
        name
        for name, field in event_class.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Event)
    ]
    personal = tuple(sorted((name, held.subject, str(held.tier)) for name, held in personal_fields(event_class)))
    return Plan(personal, tuple(nested))
