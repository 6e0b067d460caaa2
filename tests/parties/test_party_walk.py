"""A random walk over all commands about customers, interactions, improvement and leaks: refusals only, and a record that holds.

The invariants below are written anew, from the facts alone, without the rules' own state.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from api.party_examples import ACTION
from ledger.audit import events as au
from ledger.command import Command
from ledger.customer import events as cu
from ledger.event import Event
from ledger.given import Given, NamedAction
from ledger.improvement import events as im
from ledger.interaction import events as it
from ledger.leak import events as le
from ledger.names import NAME_OF, STORED_NAMES
from ledger.refusal import Refusal
from ledger.standing import Rules, done_by, happened_at, times
from tests.parties.telling import ANOTHER, COMPLAINT, FIXED, ID, ONE, SURVEY, ask, recorded
from tests.parties.test_stored_forms_of_parties import ALL

STEPS = 360
BEGUN_AT = datetime(2025, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
STAFF = ["wang.li", "zhao.min", "chen.jing", "Wang.Li"]
OWNER = "zhao.min"
LINKED = UUID(ACTION)
OF_SOMETHING_ELSE = UUID("00000000-0000-4000-8000-000000000021")
NOT_THERE = UUID("00000000-0000-4000-8000-000000000022")
ACTIONS = {
    LINKED: NamedAction(owner=OWNER, came_from=frozenset({UUID(COMPLAINT)})),
    OF_SOMETHING_ELSE: NamedAction(owner=OWNER, came_from=frozenset({UUID(SURVEY)})),
}
"""The corrective actions that stand in the book: one that came from the complaint of the findings, and one that did not."""
VALUES: Mapping[str, list[Any]] = {
    "kind": ["enquiry", "suggestion", "survey", "outreach", "elderly", "quarterly"],
    "level": ["low", "medium", "high", "residual", "acceptable"],
    "effect": ["reached", "partly-reached", "not-reached", 1, 5],
    "better": ["higher", "lower"],
    "tier": ["ordinary", "middle"],
    "ground": ["consent", "legal-duty"],
    "value_thousandths": [95000, 88000, 80000, 60000],
    "thresholds_version": [1, 2, 3, 4],
    "customers_affected": [0, 2],
    "emergency_plan": [None, "public-opinion"],
    "recipient": ["某银行业消费者权益保护促进会", "甲公司"],
    "purpose": ["mediation", "regulatory-duty"],
    "data_kinds": [["contact"], ["transactions"]],
    "channel": ["phone", "pigeon"],
    "survey_id": [SURVEY],
    "percent_done": [0, 100],
    "action_ids": [[LINKED], [LINKED, OF_SOMETHING_ELSE], [NOT_THERE]],
}


def asked(chance: random.Random, rules: Rules[Any], version: int, clock: datetime) -> Command | None:
    """A usual command at about the time that it is, some of its fields changed; None where it has not the form of one."""
    command = chance.choice(list(rules.facts))
    said: dict[str, Any] = {}
    for name, field in command.model_fields.items():
        if name.endswith("_at"):
            said[name] = (clock + timedelta(hours=chance.choice([0, 0, 0, 0, -1, -200]))).isoformat()
        elif name.endswith("_on"):
            said[name] = (clock + timedelta(days=chance.choice([-3, 5, 30, 90]))).date().isoformat()
        elif name.endswith("_by") or name in ("owner", "assignee", "responsible"):
            said[name] = chance.choice(STAFF)
        elif name == "version":
            said[name] = chance.randint(max(1, version - 3), version + 1)
        elif name in VALUES and chance.random() < 0.5:
            said[name] = chance.choice(VALUES[name])
        elif name in ("warning_id", "measurement_id", "consent_id", "share_id"):
            said[name] = chance.choice([FIXED[name], ID, ANOTHER])
        elif not field.is_required() and chance.random() < 0.15:
            said[name] = field.default
    try:
        return ask(command, **said)
    except ValueError:
        return None


def walk(
    seed: int, rules: Rules[Any], decide: Callable[..., Any], evolve: Callable[..., Any], steps: int
) -> list[Event]:
    """Records what the rules let pass; each step is checked for what must never be."""
    chance = random.Random(seed)
    events: list[Event] = []
    state, clock = rules.nothing, BEGUN_AT
    for _ in range(steps):
        command = asked(chance, rules, len(events), clock)
        if command is None:
            continue
        try:
            facts = decide(state, command, Given(NOW, actions=ACTIONS))
        except Refusal:
            continue
        assert len(facts) <= 2
        assert all(at <= NOW + timedelta(minutes=5) for fact in facts for _, at in times(fact))
        for fact in facts:
            events.append(recorded(fact))
            state = evolve(state, events[-1])
            clock = min(clock + timedelta(hours=chance.choice([0, 1, 30])), NOW - timedelta(days=1))
    assert state.version == len(events)
    split = chance.randint(0, len(events))
    folded = rules.fold(events[:split])
    for event in events[split:]:
        folded = rules.evolve(folded, event)
    assert folded == state == rules.fold(events), "folding in any split gives the same"
    for event in events:
        read = STORED_NAMES[NAME_OF[type(event)]].model_validate_json(orjson.dumps(event.model_dump(mode="json")))
        assert read == event
    return events


def standing(rules: Rules[Any], events: list[Event]) -> list[Event]:
    return [fact for _, fact in rules.effective(events)]


def two_people_agree(facts: list[Event]) -> None:
    for fact in facts:
        approver = getattr(fact, "approved_by", None)
        assert approver is None or approver.casefold() != (done_by(fact) or "").casefold()


def a_customer_holds(facts: list[Any]) -> None:
    merged: Any = None
    consents: dict[Any, Any] = {}
    for fact in facts:
        if isinstance(fact, cu.CustomerMerged):
            assert merged is None
            assert fact.into_customer_id != fact.customer_id
            merged = fact
        elif isinstance(fact, cu.CustomerSplit):
            assert merged is not None
            assert fact.split_at >= merged.merged_at
            merged = None
        elif isinstance(fact, cu.CustomerDetailsChanged | cu.CustomerTiered | cu.VulnerabilityNoted):
            assert merged is None
        elif isinstance(fact, cu.ConsentGiven):
            assert fact.consent_id not in consents
            consents[fact.consent_id] = (fact, None)
        elif isinstance(fact, cu.ConsentWithdrawn):
            given, withdrawn = consents[fact.consent_id]
            assert withdrawn is None
            consents[fact.consent_id] = (given, fact.withdrawn_at)
        elif isinstance(fact, cu.DataShared) and fact.ground == "consent":
            given, withdrawn = consents[fact.consent_id]
            assert fact.recipient == given.recipient
            assert set(fact.data_kinds) <= set(given.data_kinds)
            assert given.given_at <= fact.shared_at < (withdrawn or NOW + timedelta(days=1))
            assert fact.shared_at.date() <= (given.until_on or date.max)
        elif isinstance(fact, cu.DataShared):
            assert fact.legal_basis


def an_interaction_holds(facts: list[Any]) -> None:
    for once in (it.InteractionAnswered, it.InteractionRated, it.SurveyAnswered, it.InteractionBecameComplaint):
        assert sum(isinstance(fact, once) for fact in facts) <= 1
    first = facts[0] if facts else None
    for number, fact in enumerate(facts):
        before = facts[:number]
        assert happened_at(fact) >= first.asked_at
        if isinstance(fact, it.InteractionDealtWith):
            assert any(isinstance(each, it.InteractionLookedInto) for each in before)
        if isinstance(fact, it.InteractionReviewed) and first.kind in ("enquiry", "suggestion"):
            assert any(isinstance(each, it.InteractionAnswered) for each in before)
        if isinstance(fact, it.CallBackMade):
            promised = sum(isinstance(each, it.CallBackPromised) for each in before)
            assert promised == sum(isinstance(each, it.CallBackMade) for each in before) + 1


def an_indicator_holds(facts: list[Any]) -> None:
    versions = [fact.thresholds_version for fact in facts if isinstance(fact, im.ThresholdsSet)]
    assert versions == list(range(1, len(versions) + 1))
    warnings: dict[Any, list[Any]] = {}
    for fact in facts:
        if isinstance(fact, im.WarningRaised):
            assert fact.warning_id not in warnings
        if hasattr(fact, "warning_id"):
            warnings.setdefault(fact.warning_id, []).append(fact)
    for steps in warnings.values():
        assert isinstance(steps[0], im.WarningRaised)
        kinds = [type(step) for step in steps]
        assert kinds.count(im.WarningAcknowledged) <= 1
        if im.WarningLifted in kinds:
            assert kinds[-1] is im.WarningLifted
            assert im.WarningAcknowledged in kinds
            assert steps[0].level == "low" or im.WarningMitigated in kinds
            plans = [step.emergency_plan for step in steps if isinstance(step, im.WarningMitigated)]
            assert steps[0].level != "high" or any(plans)


def a_survey_holds(facts: list[Any]) -> None:
    assert sum(isinstance(fact, im.SurveyConcluded) for fact in facts) <= 1
    for number, fact in enumerate(facts):
        if isinstance(fact, im.SurveyReported):
            assert any(isinstance(each, im.SurveyConcluded) for each in facts[:number])


def a_risk_holds(facts: list[Any]) -> None:
    closed = [number for number, fact in enumerate(facts) if isinstance(fact, im.RiskClosed)]
    assert closed in ([], [len(facts) - 1])
    for number, fact in enumerate(facts):
        treated = any(isinstance(each, im.RiskTreated) for each in facts[:number])
        if isinstance(fact, im.RiskReassessed | im.RiskFound):
            assert fact.level != "residual" or treated


def an_action_holds(facts: list[Any]) -> None:
    done = effect = closed = None
    for fact in facts:
        if isinstance(fact, im.ActionCompleted):
            assert done is closed is None
            done = fact
        elif isinstance(fact, im.ActionEffectMeasured):
            assert done is not None
            assert closed is None
            effect = fact
        elif isinstance(fact, im.ActionClosed):
            assert done is not None
            assert effect is not None
            assert effect.effect != "not-reached"
            assert fact.closed_at >= effect.measured_at >= done.completed_at
            closed = fact
        elif isinstance(fact, im.ActionReopened):
            assert done is not None
            done = effect = closed = None
        elif isinstance(fact, im.ActionProgressed | im.ActionPostponed | im.ActionHandedOver):
            assert done is None


def a_leak_holds(facts: list[Any]) -> None:
    kinds = [type(fact) for fact in facts]
    assert kinds.count(le.LeakIsolated) <= 1
    if le.LeakClosed in kinds:
        assert kinds[-1] is le.LeakClosed
        assert {le.LeakIsolated, le.LeakInvestigated, le.ResponsibleNamed, le.LeakReviewed} <= set(kinds)
        assert {le.RegulatorTold, le.RegulatorNotToBeTold} & set(kinds)
        affected = [fact.customers_affected for fact in facts if isinstance(fact, le.LeakInvestigated)][-1]
        assert affected == 0 or {le.AffectedCustomersTold, le.AffectedCustomersProtected} <= set(kinds)


def a_finding_holds(facts: list[Any]) -> None:
    closed = [number for number, fact in enumerate(facts) if isinstance(fact, au.AuditFindingClosed)]
    assert closed in ([], [len(facts) - 1])
    acts = [fact for fact in facts if isinstance(fact, au.AuditFindingActedOn)]
    for number in closed:
        assert {each for act in acts for each in act.action_ids} == {LINKED}
        assert facts[number].closed_by.casefold() != OWNER
        assert facts[number].closed_by.casefold() not in {act.acted_by.casefold() for act in acts}
        assert facts[number].closed_at >= acts[-1].acted_at


HOLDS: Mapping[str, Callable[[list[Any]], None]] = {
    "customer": a_customer_holds,
    "interaction": an_interaction_holds,
    "indicator": an_indicator_holds,
    "survey": a_survey_holds,
    "review": lambda _: None,
    "risk": a_risk_holds,
    "action": an_action_holds,
    "leak": a_leak_holds,
    "finding": a_finding_holds,
}


def one_walk(rules: Rules[Any], seed: int, steps: int) -> list[Event]:
    from ledger.subjects import subject_named

    subject = subject_named(rules.name)
    events = walk(seed, rules, subject.decide, subject.evolve, steps)
    facts = standing(rules, events)
    assert all(isinstance(fact, rules.begins) is (number == 0) for number, fact in enumerate(facts))
    two_people_agree(events)
    HOLDS[rules.name](facts)
    return events


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.name)
def test_a_random_walk_records_only_what_holds_together(rules: Rules[Any]) -> None:
    """360 commands in four walks for each of the nine subjects, 3,240 in all."""
    met = {type(event) for seed in range(4) for event in one_walk(rules, seed, STEPS // 4)}
    assert len(met) > len(set(rules.facts.values())) / 2


@pytest.mark.long
@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.name)
def test_a_long_random_walk_records_only_what_holds_together(rules: Rules[Any]) -> None:
    met: set[type[Event]] = set()
    for seed in range(1000, 1200):
        met |= {type(event) for event in one_walk(rules, seed, 200)}
    assert met == set(rules.facts.values())


def test_the_walks_ask_for_at_least_2000_things() -> None:
    assert STEPS * len(ALL) >= 2_000
    assert ONE != ANOTHER
