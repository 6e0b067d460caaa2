"""What was permitted and what was used in a period, counted from the record: the ground of a permission review 权限复核.

It opens no value. Which role a person had is in the tokens of the issuer, not in the record: a role counts as used when
somebody gave a command that it allows.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.access import events as fact
from ledger.access.roles import roles
from ledger.database.sql import queries
from ledger.deadlines.calendar import built_in_calendars
from ledger.names import class_of
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, events_named, position_at
from projections.asking import Asked, asked
from projections.machine import Batch, Projection

_SQL = queries(__file__)

CHINA = built_in_calendars()["china"]
"""Whose days the counts are kept by. What is told does not depend on them, only how much of it is counted beforehand."""

EVENTS_PER_READ = 5_000
LINES_MAX = 1_000_000
"""People by command, and requests, that one report may hold."""

_USE = ("events", "looks", "values_in_clear", "searches")
_GRANTED = (
    *("book", "request_id", "position", "complaint_id", "tiers"),
    *("purpose", "requested_by", "requested_at", "until"),
)


@dataclass(slots=True)
class Uses:
    """What somebody did by one command."""

    events: int = 0
    looks: int = 0
    values_in_clear: int = 0
    searches: int = 0

    def count(self, event: fact.DataSubjectEvent | fact.PersonalDataSearched | None) -> None:
        """One event more; a file that was given out is a look and a value."""
        self.events += 1
        match event:
            case fact.PersonalDataSeen():
                self.looks += 1
                self.values_in_clear += len(event.revealed)
            case fact.EvidenceFileSeen():
                self.looks += 1
                self.values_in_clear += 1
            case fact.PersonalDataSearched():
                self.searches += 1
            case _:
                pass  # every other fact shows nothing


class PermissionsFold:
    """Counts every event for who recorded it, by command and day, and follows each request for access."""

    def apply(self, batch: Batch) -> None:
        counted: dict[tuple[date, str, str], Uses] = defaultdict(Uses)
        places: dict[tuple[date, str, str], tuple[int, int]] = {}
        for row in batch.rows:
            person, command, event = _told(row)
            key = (CHINA.local_day(row.recorded_at), person, command)
            counted[key].count(event)
            places[key] = (places.get(key, (row.position,))[0], row.position)
            if event is not None:
                _follow(batch, row, event)
        rows = [
            (batch.book, *key, *(getattr(uses, name) for name in _USE), *places[key]) for key, uses in counted.items()
        ]
        batch.execute_values(_SQL["count"], rows)


PROJECTION = Projection(
    name="permissions",
    version=1,
    tables={
        "use": ("book", "day", "person", "command"),
        "granted": ("book", "request_id"),
        "look": ("book", "request_id", "position"),
    },
    fold=PermissionsFold,
    queries=_SQL,
)


def _told(row: StoredRow) -> tuple[str, str, Any]:
    """Who recorded an event by which command, and the event where it is one of access: the others are not opened."""
    if issubclass(class_of(row.name), fact.AccessRequestEvent | fact.DataSubjectEvent | fact.PersonalDataSearched):
        recorded = opened(row)
        return recorded.recorded_by, recorded.command, recorded.event
    state: Mapping[str, str] = orjson.loads(row.state)
    return state["recorded_by"], state["command"], None


def _follow(batch: Batch, row: StoredRow, event: Any) -> None:
    match event:
        case fact.AccessRequested():
            what = (event.complaint_id, [str(tier) for tier in event.tiers], event.purpose, event.requested_by)
            asked_for = (batch.book, event.request_id, row.position, *what, event.requested_at, event.until)
            batch.add("granted", _GRANTED, [asked_for])
        case fact.AccessApproved():
            batch.execute_values(
                _SQL["approve"], [(batch.book, str(event.request_id), row.position, event.approved_by)]
            )
        case fact.AccessDeclined():
            declined = (batch.book, str(event.request_id), row.position, event.declined_by, event.declined_at)
            batch.execute_values(_SQL["decline"], [declined])
        case fact.AccessUseReported():
            batch.execute_values(_SQL["report"], [(batch.book, str(event.request_id), row.position, event.reported_at)])
        case fact.PersonalDataSeen(request_id=UUID() as under) | fact.EvidenceFileSeen(request_id=UUID() as under):
            batch.add("look", ("book", "request_id", "position"), [(batch.book, under, row.position)])
        case _:
            pass  # every other fact grants nothing


Standing = Literal["asked", "declined", "granted", "expired", "reported"]


class RoleUse(NamedTuple):
    """A role: how many commands it may give, and how many of them anybody gave in the period."""

    role: str
    commands: int
    used: int
    unused: bool


class GrantUse(NamedTuple):
    """A request for access that stood in the period: how it stands at its end, and what was seen under it."""

    request_id: UUID
    complaint_id: UUID
    tiers: list[str]
    purpose: str
    requested_by: str
    requested_at: datetime
    answered_by: str | None
    until: datetime
    standing: Standing
    looks: int
    unused: bool


class PersonUse(NamedTuple):
    """What somebody did in the period, by the name in the tokens. A file that was given out is a look and a value."""

    person: str
    commands: dict[str, int]
    looks: int
    values_in_clear: int
    searches: int


class Permissions(NamedTuple):
    """The report. `digest` is SHA-256, in hex, of all else as JSON with sorted keys: whoever asks again gets the same."""

    since: datetime
    until: datetime
    position: int
    roles: list[RoleUse]
    grants: list[GrantUse]
    people: list[PersonUse]
    digest: str


def permissions(
    connection: Connection, book: str, since: datetime, until: datetime, *, schema: str | None = None
) -> Permissions:
    """Every role, grant and use from one instant to before another, as recorded.

    Costs the people and their commands on the days of the period, and the events of the two days that it begins and ends
    within; nothing of what was recorded before it. Raises NotBuilt and NotReached.
    """
    first, last = position_at(connection, book, since) + 1, position_at(connection, book, until)
    at = asked(connection, book, PROJECTION.name, last, None, schema)
    people: dict[str, dict[str, Uses]] = defaultdict(lambda: defaultdict(Uses))
    days = {CHINA.local_day(each) for each in (since, until)}
    edges = {
        day: (begins, ends)
        for day, begins, ends in at.fetch(connection, _SQL["edges"], {"days": sorted(days)})
        if begins < first or ends > last
    }
    whole = {"first_day": min(days), "last_day": max(days), "but": sorted(edges), "lines_max": LINES_MAX}
    for person, command, *counts in at.fetch(connection, _SQL["used"], whole):
        people[person][command] = Uses(*counts)
    for begins, ends in edges.values():
        for row in _events(connection, book, max(begins, first), min(ends, last)):
            person, command, event = _told(row)
            people[person][command].count(event)
    told = {
        "since": since,
        "until": until,
        "position": last,
        "roles": list(_roles({command for commands in people.values() for command in commands})),
        "grants": list(_grants(connection, at, since, until, first)),
        "people": [_person(person, commands) for person, commands in sorted(people.items())],
    }
    written = orjson.dumps(told, option=orjson.OPT_SORT_KEYS, default=lambda each: each._asdict())
    return Permissions(**told, digest=hashlib.sha256(written).hexdigest())  # type: ignore[arg-type]  # by name, as made above


def _events(connection: Connection, book: str, first: int, last: int) -> Iterator[StoredRow]:
    while first <= last:
        rows = events_named(connection, book, (), first, last, EVENTS_PER_READ)
        yield from rows
        first = rows[-1].position + 1 if rows else last + 1


def _roles(given: set[str]) -> Iterator[RoleUse]:
    for role in roles().roles:
        may = {command for command, allowed in roles().commands.items() if role in allowed}
        yield RoleUse(role, len(may), len(may & given), not may & given)


def _person(person: str, commands: Mapping[str, Uses]) -> PersonUse:
    events = {command: commands[command].events for command in sorted(commands)}
    looks, values, searches = (sum(getattr(each, name) for each in commands.values()) for name in _USE[1:])
    return PersonUse(person, events, looks, values, searches)


def _grants(connection: Connection, at: Asked, since: datetime, until: datetime, first: int) -> Iterator[GrantUse]:
    place = {"since": since, "first": first, "lines_max": LINES_MAX}
    for *what, ends, approved, declined, reported, answered_by, looks in at.fetch(connection, _SQL["grants"], place):
        standing: Standing = "reported" if reported else "declined" if declined else "granted" if approved else "asked"
        expired = standing in {"asked", "granted"} and ends <= until
        request_id, complaint_id, tiers, purpose, requested_by, requested_at = what
        answered = bool(approved or declined)
        yield GrantUse(
            request_id=UUID(str(request_id)),
            complaint_id=UUID(str(complaint_id)),
            tiers=tiers,
            purpose=purpose,
            requested_by=requested_by,
            requested_at=requested_at,
            answered_by=answered_by if answered else None,
            until=ends,
            standing="expired" if expired else standing,
            looks=looks,
            unused=answered and looks == 0 and standing != "declined",
        )
