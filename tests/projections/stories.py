"""Complaints for the tests of projections: interleaved, with corrections and annulments, recorded through the one way in."""

import random
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Connection

from ledger.complaint.events import (
    Amendment,
    AmendmentDeclined,
    AmendmentProposed,
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReassigned,
    ComplaintReceived,
    ComplaintRegistered,
    ComplaintRegraded,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWithdrawn,
    ContactNoted,
    FactAnnulled,
    FactCorrected,
    FirstReplySent,
    Grade,
    Outcome,
    OutcomeStated,
    ReplySent,
)
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Personal
from ledger.names import NAME_OF
from ledger.record.append import Appender, NewEvent, Request
from ledger.record.envelope import Recorded

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORDS: Personal[str] = Personal.recorded("A" * 43)

Told = tuple[UUID, ComplaintEvent]


def shanghai(text: str) -> datetime:
    """An instant by the clock on the wall in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def about(complaint_id: UUID) -> dict[str, Any]:
    """The customer of a complaint: for these tests, of the same number."""
    return {"customer_id": complaint_id}


def received(complaint_id: UUID, at: datetime, **fields: Any) -> ComplaintReceived:
    return ComplaintReceived(**about(complaint_id), received_at=at, received_by="li", channel="phone", **fields)


def first_reply(complaint_id: UUID, at: datetime) -> FirstReplySent:
    return FirstReplySent(**about(complaint_id), channel="phone", sent_by="wang", sent_at=at)


def reply(complaint_id: UUID, at: datetime) -> ReplySent:
    return ReplySent(
        **about(complaint_id),
        reply_id=complaint_id,
        resolution_id=complaint_id,
        channel="letter",
        content=WORDS,
        sent_by="wang",
        sent_at=at,
    )


def corrected(complaint_id: UUID, version: int, fact: ComplaintEvent, at: datetime) -> FactCorrected:
    return FactCorrected(
        **about(complaint_id),
        corrected_version=version,
        name=NAME_OF[type(fact)],
        fact=fact,
        reason=WORDS,
        corrected_by="li",
        approved_by="wang",
        corrected_at=at,
    )


def proposed(
    complaint_id: UUID, version: int, fact: ComplaintEvent, at: datetime, amended_version: int | None = None
) -> AmendmentProposed:
    """A proposal that is the fact of that version: a correction where it names what it amends, another grade otherwise."""
    return AmendmentProposed(
        **about(complaint_id),
        proposed_version=version,
        amendment=Amendment.REGRADE if amended_version is None else Amendment.CORRECTION,
        amended_version=amended_version,
        name=NAME_OF[type(fact)],
        fact=fact,
        reason=WORDS,
        proposed_by="li",
        proposed_at=at,
    )


def annulled(complaint_id: UUID, version: int, at: datetime) -> FactAnnulled:
    return FactAnnulled(
        **about(complaint_id),
        annulled_version=version,
        reason=WORDS,
        annulled_by="li",
        approved_by="wang",
        annulled_at=at,
    )


def interleaved(seed: int, complaints: int) -> list[Told]:
    """Random complaints, their events shuffled into one another as in a real book."""
    rng = random.Random(seed)
    waiting = [list(_story(rng, UUID(int=rng.getrandbits(128), version=4), number)) for number in range(complaints)]
    told: list[Told] = []
    while waiting:
        # mostly the older ones go on, so that a complaint is spread over many events of others
        index = min(rng.randrange(len(waiting)), rng.randrange(len(waiting)))
        told.append(waiting[index].pop(0))
        if not waiting[index]:
            waiting.pop(index)
    return told


def record(database: Database, book: str, told: Sequence[Told], known: Counter[UUID] | None = None) -> Counter[UUID]:
    """Records events in their order; returns the version of each stream, to go on from."""
    versions: Counter[UUID] = Counter() if known is None else known
    events = []
    for stream_id, event in told:
        versions[stream_id] += 1
        envelope = Recorded(stream_id, versions[stream_id], event, "li", "tell")
        events.append(NewEvent(stream_id, versions[stream_id], NAME_OF[type(event)], envelope.state()))
    _append(database, book, [Request(events[first : first + 100]) for first in range(0, len(events), 100)])
    return versions


def record_raw(database: Database, book: str, name: str, state: bytes, stream_id: UUID, version: int) -> None:
    """Records what no command of this program would."""
    _append(database, book, [Request([NewEvent(stream_id, version, name, state)])])


def _append(database: Database, book: str, requests: Iterable[Request]) -> None:
    def connect() -> Connection:
        return database.connect(Role.APPLICATION, autocommit=True)

    with closing(Appender(connect, book)) as appender:
        for _, outcome in appender.append_all(requests):
            if isinstance(outcome, Exception):
                raise outcome
            assert outcome.kind == "stored"


def _story(rng: random.Random, complaint_id: UUID, number: int) -> Iterator[Told]:
    """One complaint, as its events come in: at times late, at times corrected."""
    for event in _events(rng, complaint_id, number):
        yield complaint_id, event


def _events(rng: random.Random, complaint_id: UUID, number: int) -> Iterator[ComplaintEvent]:
    who = about(complaint_id)
    at = shanghai("2025-09-01T08:00") + timedelta(minutes=rng.randrange(200_000))
    version = 0
    if rng.random() < 0.2:  # a contact may lie before the receipt
        yield ContactNoted(
            **who,
            channel="phone",
            direction="inbound",
            content=WORDS,
            noted_by="li",
            occurred_at=at - timedelta(hours=2),
        )
        version += 1
    external = {"external_reference": f"X-{number}"} if rng.random() < 0.3 else {}
    yield received(complaint_id, at, product=rng.choice(["debit-card", "loan"]), **external)
    receipt = version = version + 1
    if rng.random() < 0.1:
        yield OutcomeStated(**who, source="cfpb", outcome="Closed", final=rng.random() < 0.5, stated_by="import")
        return
    yield ComplaintRegistered(
        **who,
        reference=f"C-{number}-{secrets.token_hex(3)}",
        registered_at=at + timedelta(minutes=5),
        registered_by="li",
    )
    yield ComplaintClassified(
        **who,
        scheme="house",
        category=rng.choice(["服务", "price", "产品质量"]),
        classified_by="li",
        classified_at=at,
    )
    yield ComplaintGraded(**who, grade=rng.choice(list(Grade)), graded_by="li", graded_at=at + timedelta(hours=1))
    version += 3
    yield ComplaintAssigned(
        **who, department=rng.choice(["客服", "cards"]), assignee="zhao", assigned_by="li", assigned_at=at
    )
    yield first_reply(complaint_id, at + timedelta(hours=rng.choice([1, 23, 24, 25, 80])))
    version += 2
    yield from _unrest(rng, complaint_id, at, receipt, version)
    if rng.random() < 0.15:
        yield ComplaintWithdrawn(**who, received_by="li", withdrawn_at=at + timedelta(days=3))
        return
    if rng.random() < 0.25:
        return  # left open
    days = rng.choice([1, 4, 7, 9, 20])
    yield ComplaintResolved(
        **who,
        resolution_id=complaint_id,
        outcome=Outcome.UPHELD,
        reasons=WORDS,
        resolved_by="zhao",
        resolved_at=at + timedelta(days=days),
    )
    yield reply(complaint_id, at + timedelta(days=days, hours=1))
    yield ComplaintClosed(**who, closed_by="zhao", closed_at=at + timedelta(days=days, hours=2))
    if rng.random() < 0.2:
        yield ComplaintReopened(
            **who, reason=WORDS, new_facts=True, reopened_by="li", reopened_at=at + timedelta(days=days + 5)
        )


def _unrest(
    rng: random.Random, complaint_id: UUID, at: datetime, receipt: int, version: int
) -> Iterator[ComplaintEvent]:
    who = about(complaint_id)
    if rng.random() < 0.3:
        yield ComplaintReassigned(
            **who, department="loans", reason=WORDS, assigned_by="li", assigned_at=at + timedelta(days=1)
        )
        version += 1
    if rng.random() < 0.3:
        fact = received(complaint_id, at - timedelta(days=rng.choice([1, 3])), external_reference=f"Y-{version}")
        version += 1
        yield proposed(complaint_id, version, fact, at + timedelta(days=2), amended_version=receipt)
        right = corrected(complaint_id, receipt, fact, at + timedelta(days=2))
        yield right.model_copy(update={"proposed_version": version})
        version += 1
    if rng.random() < 0.2:
        yield annulled(complaint_id, rng.randrange(receipt + 1, version), at + timedelta(days=2))
        version += 1
    if rng.random() < 0.2:
        graded = ComplaintGraded(**who, grade=Grade.MAJOR, graded_by="li", graded_at=at + timedelta(days=2))
        wanted = [proposed(complaint_id, version + place, graded, at + timedelta(days=2)) for place in (1, 2, 3)]
        yield from wanted  # one is carried out, one is declined, and one waits
        yield ComplaintRegraded(
            **who,
            grade=Grade.MAJOR,
            reason=WORDS,
            graded_by="li",
            approved_by="wang",
            graded_at=at + timedelta(days=2),
            proposed_version=version + 1,
        )
        yield AmendmentDeclined(
            **who, proposed_version=version + 2, reason=WORDS, declined_by="wang", declined_at=at + timedelta(days=2)
        )
