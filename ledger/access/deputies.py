"""Who stands in for whom, and until when. No clock, no database, no ids made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID, uuid5

from ledger.access import commands as ask
from ledger.access import events as fact
from ledger.access import refusals as refuse
from ledger.event import Event
from ledger.given import Given

DEPUTY_DAYS_MAX = 90


@dataclass(frozen=True)
class Deputies:
    """The deputies of one member of staff, each with the end of the time; folded names."""

    until: Mapping[str, datetime] = field(default_factory=dict)

    def are(self, principal: str, now: datetime) -> bool:
        """Whether somebody stands in at an instant."""
        until = self.until.get(principal.casefold())
        return until is not None and now < until


def deputies_stream(book: UUID, person: str) -> UUID:
    """The stream of who stands in for a member of staff."""
    return uuid5(book, f"deputies/{person.casefold()}")


def decide(deputies: Deputies, command: ask.DeputyCommand, given: Given) -> list[Event]:
    """The facts that a command leads to now; `[]` when it is already so. Raises DeputyNamesHimself or AccessTooLong."""
    match command:
        case ask.NameDeputy():
            if command.deputy.casefold() in {command.person.casefold(), command.named_by.casefold()}:
                raise refuse.DeputyNamesHimself(command.deputy)
            if command.person.casefold() == command.named_by.casefold():
                raise refuse.DeputyNamesHimself(command.person)
            if not given.now < command.until <= given.now + timedelta(days=DEPUTY_DAYS_MAX):
                raise refuse.AccessTooLong(command.until, DEPUTY_DAYS_MAX)
            if deputies.until.get(command.deputy.casefold()) == command.until:
                return []
            return [
                fact.DeputyNamed(
                    person=command.person,
                    deputy=command.deputy,
                    until=command.until,
                    reason=command.reason,
                    named_by=command.named_by,
                    named_at=given.now,
                )
            ]
        case ask.EndDeputy():
            if not deputies.are(command.deputy, given.now):
                return []
            return [
                fact.DeputyEnded(
                    person=command.person, deputy=command.deputy, ended_by=command.ended_by, ended_at=given.now
                )
            ]
        case _:
            raise AssertionError(f"{type(command).__name__} is no command about deputies")


def evolve(deputies: Deputies, event: fact.DeputyEvent) -> Deputies:
    """The deputies after one more recorded fact. Total."""
    told = fact.known_deputy_event(event)
    match told:
        case fact.DeputyNamed():
            return Deputies({**deputies.until, told.deputy.casefold(): told.until})
        case fact.DeputyEnded():
            return Deputies({who: until for who, until in deputies.until.items() if who != told.deputy.casefold()})
        case _:
            assert_never(told)
