"""Random commands over one complaint: nothing but refusals, and what is recorded always holds together."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.complaint.aftercare import ComplaintArchived, CompletenessChecked, FollowUpCallMade
from ledger.complaint.amendments import _broken
from ledger.complaint.commands import COMPLAINT_COMMANDS, ComplaintCommand
from ledger.complaint.concerned import InterestDeclared, PersonComplainedAbout
from ledger.complaint.emergency import EmergencyEnded, EmergencyStarted, EmergencyStep, EmergencyStepTaken
from ledger.complaint.events import (
    COMPLAINT_NAMES,
    AmendmentDeclined,
    AmendmentProposed,
    ComplaintAssigned,
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
    OutcomeDisputed,
    ReplySent,
    SatisfactionRated,
    happened_at,
)
from ledger.complaint.moving import DeadlineExtended
from ledger.complaint.rules import decide
from ledger.complaint.settlement import (
    CompensationApproved,
    CompensationProvided,
    ComplaintEscalated,
    EscalationDecided,
    WrittenNoticeSent,
)
from ledger.complaint.state import Complaint, effective, evolve, fold
from ledger.complaint.stated import FUTURE_SKEW
from ledger.event import personal_fields
from ledger.given import Given
from ledger.refusal import Refusal
from tests.complaint.story import ANOTHER, NOW, OTHER_CUSTOMER, RESOLUTION, USUAL, ask, at, recorded

HOURS = [-30, -1, 0, 1, 5, 6, 8, 9, 10, 11, 12, 12.5, 13, 14, 15, 16, 20, 21, 25, 30, 40, 24 * 40]
STAFF = ["wang.li", "zhao.min", "chen.jing"]
OPTIONAL = {
    "classify-complaint": {"reason": "看错了", "cause": "poor-communication"},
    "grade-complaint": {"reason": "涉及二十人", "urgent": True},
    "extend-deadline": {"to_be_approved": True},
    "assign-complaint": {"reason": "合同问题"},
}
USUAL_WAY = [
    "receive-complaint",
    "register-complaint",
    "name-representative",
    "name-person-complained-about",
    "send-first-reply",
    "classify-complaint",
    "grade-complaint",
    "start-emergency",
    "take-emergency-step",
    "assign-complaint",
    "form-investigation-team",
    "make-preliminary-check",
    "start-investigation",
    "request-evidence",
    "request-assistance",
    "give-assistance",
    "make-finding",
    "find-root-cause",
    "close-investigation",
    "propose-solution",
    "hold-negotiation",
    "approve-compensation",
    "escalate-complaint",
    "decide-escalation",
    "accept-proposal",
    "resolve-complaint",
    "send-reply",
    "send-written-notice",
    "provide-compensation",
    "rate-satisfaction",
    "make-follow-up-call",
    "close-complaint",
    "open-proceedings",
    "check-completeness",
    "archive-complaint",
    "reopen-complaint",
]
VALUES: dict[str, list[Any]] = {
    "channel": ["phone", "letter", "pigeon"],
    "grade": ["general", "complex", "major"],
    "category": ["service", "price", "nonsense"],
    "department": ["legal", "credit cards"],
    "currency": ["CNY", None],
    "overall": [1, 5],
    "step": ["risk-found", "risk-assessed", "decided", "measures-taken"],
    "missing": [["evidence"], []],
    "staff": ["qian.wei", "zhao.min"],
    "reviewed_by": ["auditor.lin", "zhao.min"],
}
CHANGES: list[dict[str, Any]] = [
    {"channel": "email"},
    {"content": "改过的话"},
    {"reason": None},
    {"customer_id": str(OTHER_CUSTOMER)},
    {"customer_id": str(OTHER_CUSTOMER), "customer_name": "李四", "customer_account": None, "content": "原话"},
    {"resolution_id": str(ANOTHER)},
    {"no_such_field": 1},
    {"overall": 9},
]


@st.composite
def asked(draw: st.DrawFn, complaint: Complaint) -> ComplaintCommand:
    """A usual command with up to three fields changed."""
    name = draw(st.sampled_from([*COMPLAINT_COMMANDS, "annul-fact", "correct-fact"]))
    said = dict(USUAL[name])
    said |= {field: value for field, value in OPTIONAL.get(name, {}).items() if draw(st.booleans())}
    for field in draw(st.lists(st.sampled_from(sorted(said)), max_size=3, unique=True)):
        said[field] = draw(other_value(field, said[field]))
    if "version" in said:
        said["version"] = draw(st.integers(1, complaint.version + 1))
    if "proposed_version" in said:
        said["proposed_version"] = draw(st.integers(1, complaint.version + 1))
    if "changes" in said and said["version"] <= complaint.version:
        said["changes"] = draw(changes_of(complaint.recorded[said["version"] - 1]))
    return ask(name, **said)


def other_value(field: str, usual: Any) -> st.SearchStrategy[Any]:
    if field.endswith("_at"):
        return st.sampled_from(HOURS).map(at)
    if field in VALUES:
        return st.sampled_from(VALUES[field])
    if field.endswith("_by") or field in ("lead", "assignee"):
        return st.sampled_from(STAFF)
    if field.endswith("_id"):
        return st.sampled_from([ANOTHER, RESOLUTION, usual])
    return st.sampled_from(VALUES.get(field, [usual]))


def changes_of(event: ComplaintEvent) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly other times and actors of that fact, and sometimes what cannot be changed like that."""
    times = [name for name in type(event).model_fields if name.endswith("_at")]
    actors = [name for name in type(event).model_fields if name.endswith("_by")]
    moved = [
        st.fixed_dictionaries({name: st.sampled_from(HOURS).map(lambda hours: at(hours).isoformat())}) for name in times
    ]
    others = [st.fixed_dictionaries({name: st.sampled_from(STAFF)}) for name in actors]
    return st.one_of(*moved, *others, st.sampled_from(CHANGES))


def walk(data: st.DataObject, steps: int) -> list[ComplaintEvent]:
    """Records what `decide` lets pass; each step is checked for what must never be."""
    events: list[ComplaintEvent] = []
    complaint = Complaint()
    usual = USUAL_WAY[: data.draw(st.integers(0, len(USUAL_WAY)))]
    for step in range(len(usual) + steps):
        command = ask(usual[step]) if step < len(usual) else data.draw(asked(complaint))
        by = data.draw(st.sampled_from(STAFF))
        new = decided(complaint, command, by)
        if new is None:
            continue
        assert len(new) <= 1
        assert all((happened_at(event) or NOW) <= NOW + FUTURE_SKEW for event in new)
        events += [recorded(event) for event in new]
        complaint = fold(events[complaint.version :], complaint)
        assert said_again(new, decided(complaint, command, by)), "only words are recorded again or refused"
    return events


def decided(complaint: Complaint, command: ComplaintCommand, by: str) -> list[ComplaintEvent] | None:
    try:
        return decide(complaint, command, Given(NOW, principal=by))
    except Refusal:
        return None


def said_again(new: list[ComplaintEvent], again: list[ComplaintEvent] | None) -> bool:
    """Whether a command given twice records nothing the second time, or words; a proposal made twice is two."""
    if new and isinstance(new[0], AmendmentProposed):
        return again is None or [type(each) for each in again] == [AmendmentProposed]
    words = any(getattr(event, name) is not None for event in new for name, _ in personal_fields(type(event)))
    return again == [] or (words and again in (None, new))


def check(events: list[ComplaintEvent]) -> None:
    standing = effective(events)
    assert _broken(standing, tolerated=[]) == {}, "what stands obeys the rules, amended or not"
    assert fold(events).version == len(events)
    facts = [fact for _, fact in standing]
    holds_together(facts)
    amended_by_two(events)
    for event in events:
        name = next(name for name, kind in COMPLAINT_NAMES.items() if kind is type(event))
        assert COMPLAINT_NAMES[name].model_validate_json(orjson.dumps(event.model_dump(mode="json"))) == event


def amended_by_two(events: list[ComplaintEvent]) -> None:
    """Whatever takes two people was proposed by one, and carried out or declined once, by another if it was carried out."""
    settling = [
        event
        for event in events
        if isinstance(event, AmendmentDeclined | FactAnnulled | FactCorrected | ComplaintRegraded | DeadlineExtended)
        and (event.proposed_version is not None or not isinstance(event, DeadlineExtended))
    ]
    cited = [event.proposed_version for event in settling]
    assert len(cited) == len(set(cited))
    for event in settling:
        proposed = events[(event.proposed_version or 0) - 1]
        assert isinstance(proposed, AmendmentProposed)
        assert getattr(event, "approved_by", None) != proposed.proposed_by


def holds_together(facts: list[ComplaintEvent]) -> None:
    """The same rules once more, written without the state."""
    assert all(type(fact) is not ComplaintReceived for fact in facts[1:])
    assert all(type(facts[0]) is ComplaintReceived for _ in facts[:1])
    for once in (ComplaintRegistered, FirstReplySent, ComplaintWithdrawn):
        assert sum(isinstance(fact, once) for fact in facts) <= 1
    received = next((fact.received_at for fact in facts if isinstance(fact, ComplaintReceived)), NOW)
    for fact in facts:
        assert isinstance(fact, ContactNoted) or (happened_at(fact) or received) >= received
    resolved = {fact.resolution_id: fact.resolved_at for fact in facts if isinstance(fact, ComplaintResolved)}
    assert len(resolved) == sum(isinstance(fact, ComplaintResolved) for fact in facts)
    told: dict[Any, Any] = {}
    for fact in facts:
        if isinstance(fact, ReplySent):
            assert fact.sent_at >= resolved[fact.resolution_id]
            told.setdefault(fact.resolution_id, fact.sent_at)
        if isinstance(fact, SatisfactionRated):
            assert fact.resolution_id in told
        if isinstance(fact, ComplaintClosed | ComplaintReopened | OutcomeDisputed):
            assert told or len(facts) > 1
    rated = [fact.resolution_id for fact in facts if isinstance(fact, SatisfactionRated)]
    assert len(rated) == len(set(rated))
    stages_hold_together(facts)
    closings = [type(fact) for fact in facts if isinstance(fact, ComplaintClosed | ComplaintReopened)]
    assert all(pair != (ComplaintClosed, ComplaintClosed) for pair in itertools.pairwise(closings))


def stages_hold_together(facts: list[ComplaintEvent]) -> None:
    """The rules of the stages once more, each by looking back."""
    for place, fact in enumerate(facts):
        before = facts[:place]
        kinds = [type(each) for each in before]
        match fact:
            case ComplaintAssigned() | ComplaintReassigned():
                aside = {each.staff for each in before if isinstance(each, PersonComplainedAbout | InterestDeclared)}
                assert fact.assignee is None or fact.assignee not in aside
            case EmergencyStarted():
                grades = [each for each in before if isinstance(each, ComplaintGraded | ComplaintRegraded)]
                assert grades[-1].urgent
            case EmergencyEnded():
                taken = [each.step for each in before if isinstance(each, EmergencyStepTaken)]
                assert set(taken) == set(EmergencyStep)
            case CompensationProvided():
                assert CompensationApproved in kinds
            case EscalationDecided():
                assert kinds.count(ComplaintEscalated) > kinds.count(EscalationDecided)
            case FollowUpCallMade() | WrittenNoticeSent():
                assert ReplySent in kinds
            case ComplaintArchived():
                ends = [kind for kind in kinds if kind in (ComplaintClosed, ComplaintReopened, ComplaintArchived)]
                checks = [each for each in before if isinstance(each, CompletenessChecked)]
                assert ends[-1] is ComplaintClosed
                assert not checks[-1].missing
                assert not checks[-1].lacking
            case _:
                pass


WALKS, STEPS = 130, 80
"""Over 10,000 steps, each decided twice: as asked, and asked again."""


def drawn(chance: random.Random, complaint: Complaint) -> ComplaintCommand:
    """The same commands as `asked`, by a generator that costs a step less than the rules do."""
    name = chance.choice([*COMPLAINT_COMMANDS, "annul-fact", "correct-fact"])
    proposed = [each.proposed_version for each in complaint.recorded if isinstance(each, AmendmentProposed)]
    if proposed and chance.random() < 0.2:
        name = chance.choice(["approve-amendment", "approve-amendment", "decline-amendment"])
    said = dict(USUAL[name])
    said |= {field: value for field, value in OPTIONAL.get(name, {}).items() if chance.random() < 0.5}
    for field in chance.sample(sorted(said), min(len(said), chance.choice((0, 0, 1, 1, 2, 3)))):
        said[field] = other(chance, field, said[field])
    if "proposed_version" in said:
        said["proposed_version"] = chance.choice([*proposed, complaint.version + 1])
    if "version" in said:
        said["version"] = chance.randint(1, complaint.version + 1)
    if "changes" in said and said["version"] <= complaint.version:
        fields = type(complaint.recorded[said["version"] - 1]).model_fields
        moved = [{field: at(chance.choice(HOURS)).isoformat()} for field in fields if field.endswith("_at")]
        said["changes"] = chance.choice([*moved, *CHANGES])
    return ask(name, **said)


def other(chance: random.Random, field: str, usual: Any) -> Any:
    if field.endswith("_at"):
        return at(chance.choice(HOURS))
    if field in VALUES:
        return chance.choice(VALUES[field])
    if field.endswith("_by") or field in ("lead", "assignee", "assistant"):
        return chance.choice([*STAFF, "qian.wei"])
    return chance.choice([ANOTHER, RESOLUTION, usual]) if field.endswith("_id") else usual


def way(*, urgent: bool) -> Iterator[ComplaintCommand]:
    """The usual way; an urgent complaint goes through its whole emergency on it."""
    for name in USUAL_WAY:
        if name == "grade-complaint":
            yield ask(name, urgent=urgent, grade="major" if urgent else "general")
        elif name == "take-emergency-step" and urgent:
            yield from (ask(name, step=step) for step in EmergencyStep)
            yield from (ask("end-emergency"), ask("review-emergency"))
        else:
            yield ask(name)


def wander(seed: int) -> tuple[int, set[str]]:
    """One walk: how many steps it took, and which facts it recorded."""
    chance = random.Random(seed)
    events: list[ComplaintEvent] = []
    complaint = Complaint()
    usual = list(way(urgent=chance.random() < 0.5))[: chance.randint(0, len(USUAL_WAY) + 6)]
    for step in range(STEPS):
        command = usual[step] if step < len(usual) else drawn(chance, complaint)
        by = chance.choice(STAFF)
        new = decided(complaint, command, by)
        for event in new or []:
            events.append(recorded(event))
            complaint = evolve(complaint, events[-1])
        if new:
            again = decided(complaint, command, by)
            assert said_again(new, again), f"seed {seed}, step {step}: {command!r}"
    split = chance.randint(0, len(events))
    assert fold(events[split:], fold(events[:split])) == complaint == fold(events), f"seed {seed}"
    check(events)
    return STEPS, {name for name, kind in COMPLAINT_NAMES.items() for event in events if type(event) is kind}


def test_ten_thousand_steps_record_only_what_holds_together() -> None:
    walked = [wander(seed) for seed in range(WALKS)]
    assert sum(steps for steps, _ in walked) >= 10_000
    seen = {name for _, names in walked for name in names}
    assert seen == set(COMPLAINT_NAMES), "every fact is met on the way"


@pytest.mark.long
def test_a_hundred_times_as_many() -> None:
    for seed in range(WALKS, 100 * WALKS):
        wander(seed)


@given(st.data())
def test_a_random_walk_records_only_what_holds_together(data: st.DataObject) -> None:
    check(walk(data, 40))


@pytest.mark.long
@settings(suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_long_random_walk_records_only_what_holds_together(data: st.DataObject) -> None:
    check(walk(data, 120))
