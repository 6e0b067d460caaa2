"""Stories of everything but complaints: customers, contacts, improvement, leaks and returns, shuffled into one another."""

import hashlib
import random
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ledger.event import Event
from ledger.returns.events import (
    QuestionAnswered,
    ReturnAcknowledged,
    ReturnDueSet,
    ReturnEvent,
    ReturnQuestioned,
    ReturnRestated,
    ReturnSent,
)
from tests.parties.test_party_walk import one_walk
from tests.parties.test_stored_forms_of_parties import ALL
from tests.projections.stories import Told

AT = datetime.fromisoformat("2026-10-09T10:00+08:00")


def of_other_subjects(seed: int, steps: int = 25) -> list[tuple[UUID, Event]]:
    """One subject of each kind, and two returns. Costs some 10 ms for each step."""
    rng = random.Random(f"others {seed}")  # other ids than the complaints of this seed have
    lives: list[list[Event]] = [list(one_walk(rules, seed, steps)) for rules in ALL]
    lives += [list(_return(rng, name)) for name in ("jrt-0169", "public-file")]
    waiting = [(UUID(int=rng.getrandbits(128), version=4), life) for life in lives if life]
    told: list[tuple[UUID, Event]] = []
    while waiting:
        index = rng.randrange(len(waiting))
        stream_id, life = waiting[index]
        told.append((stream_id, life.pop(0)))
        if not life:
            waiting.pop(index)
    return told


def shuffled(seed: int, told: list[Told], others: list[tuple[UUID, Event]]) -> list[Told]:
    """Others' events among those of complaints, each in its order."""
    rng = random.Random(seed)
    first, second = iter(told), iter(others)
    turns = [True] * len(told) + [False] * len(others)
    rng.shuffle(turns)
    return [next(first) if turn else next(second) for turn in turns]  # type: ignore[misc]  # the helper knows complaints only


def _return(rng: random.Random, name: str) -> Iterator[ReturnEvent]:
    about: dict[str, Any] = {
        "name": name,
        "receiver": "pboc",
        "begins_on": date(2026, 7, 1),
        "ends_on": date(2026, 9, 30),
    }
    first, second, question = (UUID(int=rng.getrandbits(128), version=4) for _ in range(3))
    sent: dict[str, Any] = {"position": 1, "root": "0" * 64, "judged_at": AT, "sent_by": "li", "sent_at": AT}
    for day in (20, 31):
        yield ReturnDueSet(**about, due_on=date(2026, 10, day), source="letter", set_by="li", set_at=AT)
    yield ReturnSent(**about, **sent, submission_id=first, digest=hashlib.sha256(b"1").hexdigest())
    yield ReturnAcknowledged(submission_id=first, noted_by="li", acknowledged_at=AT)
    yield ReturnQuestioned(submission_id=first, question_id=question, question="why", noted_by="li", questioned_at=AT)
    yield QuestionAnswered(question_id=question, answer="so", answered_by="li", answered_at=AT)
    digest = hashlib.sha256(b"2").hexdigest()
    yield ReturnRestated(
        **about, **sent, submission_id=second, digest=digest, restates=first, reason="a branch was missing"
    )
