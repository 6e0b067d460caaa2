"""How a command's words become a fact, and what holds of any newly stated one. No state is read here."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from ledger.complaint.codes import unknown_codes
from ledger.complaint.commands import ComplaintCommand
from ledger.complaint.events import ComplaintEvent, times
from ledger.complaint.refusals import InTheFuture
from ledger.event import Personal, personal_fields
from ledger.tables.refusals import UnknownCode
from ledger.tables.state import Tables

Fact = TypeVar("Fact", bound=ComplaintEvent)

FUTURE_SKEW = timedelta(seconds=5)
"""How far a caller's clock may be ahead of ours before a time counts as the future.

As little as the record allows its own clock: after a receipt that lies ahead, every handler by a right clock would be
refused for as long.
"""


def stated(event: type[Fact], command: ComplaintCommand, customer_id: UUID, **more: Any) -> Fact:
    """The fact that a command states: fields of the same name, personal ones clear until they are sealed."""
    personal = personal_names(event)
    given: dict[str, Any] = {"customer_id": customer_id, **more}
    for name in event.model_fields:
        if name in type(command).model_fields:
            value = getattr(command, name)
            given[name] = Personal.clear(value) if name in personal and value is not None else value
    return event(**given)


def states_the_same(fact: ComplaintEvent, other: BaseModel) -> bool:
    """Whether a command, or another fact, certainly states this fact.

    Of a recorded personal value only a digest is known, and it equals no clear one: what gives a
    personal value anew never states the same, even in the very same words.
    """
    return all(
        getattr(other, name) == getattr(fact, name, None) for name in type(other).model_fields if name != "complaint_id"
    )


@cache
def personal_names(event: type[ComplaintEvent]) -> frozenset[str]:
    """The names of the personal fields of an event class."""
    return frozenset(name for name, _ in personal_fields(event))


def not_from_the_future(fact: ComplaintEvent, now: datetime) -> None:
    """Refuses a fact of which anything happens later than now, give or take FUTURE_SKEW."""
    for field, at in times(fact):
        if at > now + FUTURE_SKEW:
            raise InTheFuture(field, at, now)


def in_known_codes(fact: ComplaintEvent, tables: Tables, instead_of: ComplaintEvent | None = None) -> None:
    """Refuses a code that its table does not have or has no more, unless the fact that this one replaces stated it too."""
    tolerated = unknown_codes(instead_of, tables) if instead_of is not None else []
    for used in unknown_codes(fact, tables):
        if used not in tolerated:
            raise UnknownCode(used.field, used.table, tables.current[used.table])
