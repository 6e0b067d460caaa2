"""What was permitted and what was used in a period, counted from the record: the ground of a permission review 权限复核.

It opens no value. Which role a person had is in the tokens of the issuer, not in the record: a role counts as used when
somebody gave a command that it allows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import orjson

from ledger.access import events as fact
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import events_named, position_at

PAGE = 1_000

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


@dataclass
class _Grant:
    asked: fact.AccessRequested
    answered_by: str | None = None
    standing: Standing = "asked"
    ended_at: datetime | None = None
    looks: int = 0


@dataclass
class _Counts:
    commands: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    values: int = 0
    searches: int = 0


def permissions(ledger: Ledger, since: datetime, until: datetime) -> Permissions:
    """Every role, grant and use from one instant to before another, as recorded. Costs one read of the book's events."""
    with ledger.record.pool.connection() as connection:
        first, last = position_at(connection, ledger.book, since) + 1, position_at(connection, ledger.book, until)
    grants: dict[UUID, _Grant] = {}
    people: dict[str, _Counts] = {}
    for position, recorded in _events(ledger, last):
        within = position >= first
        _tell_grants(grants, recorded, within)
        if within:
            _count(people.setdefault(recorded.recorded_by, _Counts()), recorded)
    given = {command for counts in people.values() for command in counts.commands}
    told = {
        "since": since,
        "until": until,
        "position": last,
        "roles": list(_roles(given)),
        "grants": [_grant(grant, until) for grant in grants.values() if _stood(grant, since)],
        "people": [
            PersonUse(person, dict(sorted(each.commands.items())), each.looks, each.values, each.searches)
            for person, each in sorted(people.items())
        ],
    }
    written = orjson.dumps(told, option=orjson.OPT_SORT_KEYS, default=lambda each: each._asdict())
    return Permissions(**told, digest=hashlib.sha256(written).hexdigest())  # type: ignore[arg-type]  # by name, as made above


def _events(ledger: Ledger, last: int) -> Iterator[tuple[int, Recorded]]:
    position = 0
    while position < last:
        with ledger.record.pool.connection() as connection:
            rows = events_named(connection, ledger.book, (), position + 1, last, PAGE)
        for row in rows:
            yield row.position, opened(row)
        position = rows[-1].position if rows else last


def _tell_grants(grants: dict[UUID, _Grant], recorded: Recorded, within: bool) -> None:
    """Grants are followed from the beginning of the book, looks under them in the period only."""
    match recorded.event:
        case fact.AccessRequested() as asked:
            grants[asked.request_id] = _Grant(asked)
        case fact.AccessApproved() as approved:
            grants[approved.request_id].standing = "granted"
            grants[approved.request_id].answered_by = approved.approved_by
        case fact.AccessDeclined() as declined:
            grants[declined.request_id].standing = "declined"
            grants[declined.request_id].answered_by = declined.declined_by
            grants[declined.request_id].ended_at = declined.declined_at
        case fact.AccessUseReported() as reported:
            grants[reported.request_id].standing = "reported"
            grants[reported.request_id].ended_at = reported.reported_at
        case fact.PersonalDataSeen(request_id=UUID() as under) | fact.EvidenceFileSeen(request_id=UUID() as under):
            if within and under in grants:
                grants[under].looks += 1
        case _:
            pass  # every other fact grants nothing


def _count(counts: _Counts, recorded: Recorded) -> None:
    counts.commands[recorded.command] += 1
    if isinstance(recorded.event, fact.PersonalDataSeen):
        counts.looks += 1
        counts.values += len(recorded.event.revealed)
    if isinstance(recorded.event, fact.EvidenceFileSeen):
        counts.looks += 1
        counts.values += 1
    counts.searches += isinstance(recorded.event, fact.PersonalDataSearched)


def _roles(given: set[str]) -> Iterator[RoleUse]:
    for role in roles().roles:
        may = {command for command, allowed in roles().commands.items() if role in allowed}
        yield RoleUse(role, len(may), len(may & given), not may & given)


def _stood(grant: _Grant, since: datetime) -> bool:
    """Whether a grant was still open when the period began."""
    return min(grant.ended_at or grant.asked.until, grant.asked.until) >= since


def _grant(grant: _Grant, until: datetime) -> GrantUse:
    asked = grant.asked
    expired = grant.standing in {"asked", "granted"} and asked.until <= until
    return GrantUse(
        request_id=asked.request_id,
        complaint_id=asked.complaint_id,
        tiers=[str(tier) for tier in asked.tiers],
        purpose=asked.purpose,
        requested_by=asked.requested_by,
        requested_at=asked.requested_at,
        answered_by=grant.answered_by,
        until=asked.until,
        standing="expired" if expired else grant.standing,
        looks=grant.looks,
        unused=grant.answered_by is not None and grant.looks == 0 and grant.standing != "declined",
    )
