"""What every fact does to every built-in clock, in one table: what is not in it leaves the clock, counted in."""

from datetime import datetime, timedelta

import pytest

from ledger.complaint.events import COMPLAINT_NAMES, ComplaintEvent
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Clock, clocks
from ledger.deadlines.regime import BUILT_IN, ClockRule, Regime, built_in_regimes
from tests.deadlines.facts import (
    ONE_OF_EACH,
    appraising,
    extended,
    numbered,
    received,
    reply,
    shanghai,
    transferred,
)

AT = shanghai("2025-09-26T10:00")

STOP = ("stop", "stop")
ENDS = {"complaint-withdrawn": ("void", "stop"), "outcome-stated": ("unknown", "unknown")}
ANSWERED = {"reply-sent": STOP, **ENDS}

DOES: dict[tuple[str, str], dict[str, tuple[str, str]]] = {
    # clock: facts that do something, in time and late
    ("house", "first-reply"): {"first-reply-sent": STOP, **ANSWERED},
    ("house", "resolution"): {
        "complaint-graded": ("limit", "leave"),
        "complaint-regraded": ("limit", "leave"),
        **ANSWERED,
    },
    ("house-2735", "preliminary-check"): {"finding-made": STOP, "preliminary-check-made": STOP, **ENDS},
    ("house-2735", "solution"): {"solution-proposed": STOP, **ANSWERED},
    ("house-2735", "answer"): ANSWERED,
    ("house-2735", "written-notice"): {
        "reply-sent": STOP,
        "written-notice-sent": STOP,
        "complaint-withdrawn": ("void", "stop"),
    },
    ("cbirc-2020-3", "decision"): {
        "deadline-extended": ("limit", "leave"),
        "appraisal-started": ("suspend", "leave"),
        "new-facts-received": ("restart", "restart"),
        "complaint-reopened": ("restart", "restart"),
        **ANSWERED,
    },
    ("cbirc-2020-3", "review-window"): {},
    ("pboc-2020-5", "reply"): {"deadline-extended": ("limit", "leave"), **ANSWERED},
    ("fca-disp", "summary-resolution"): ANSWERED,
    ("fca-disp", "final-response"): ANSWERED,
    ("fca-disp", "final-response-payments"): {"holding-response-sent": ("limit", "leave"), **ANSWERED},
    ("fca-disp", "ombudsman-referral"): {"complaint-transferred": ("stop", "leave")},
    ("cfpb", "response"): {"holding-response-sent": STOP, **ANSWERED},
    ("cfpb", "final-response"): {"holding-response-sent": ("limit", "leave"), **ANSWERED},
    ("retention", "pboc-file"): {"complaint-reopened": ("void", "void")},
    ("retention", "cbirc-file"): {"complaint-reopened": ("void", "void")},
    ("retention", "disp-record"): {},
    ("retention", "disp-record-collective"): {},
}

RULES = [(regime, rule) for regime in built_in_regimes() for rule in regime.clocks]
PRODUCTS = {"final-response-payments": "payments", "disp-record-collective": "collective-portfolio-management"}


def begun(regime: Regime, rule: ClockRule) -> list[ComplaintEvent]:
    """A complaint on which this clock has just started."""
    first = received(AT).model_copy(update={"product": PRODUCTS.get(rule.name)})
    if rule.starts == "complaint-received":
        return [first]
    if rule.starts == "complaint-transferred":
        return [first, transferred(regime.name.partition("-")[0], AT)]
    return [first, ONE_OF_EACH[rule.starts](AT)]


def made(regime: Regime, rule: ClockRule, name: str, at: datetime) -> ComplaintEvent:
    """The fact of that name which does the most: an extension as this clock's regime wants it, for example."""
    if name == "deadline-extended":
        return extended(regime.name, rule.name, 30, "calendar-days", at, told_at=at)
    if name == "appraisal-started":
        return appraising(at, told_at=at)
    if name == "complaint-transferred" and rule.name == "ombudsman-referral":
        return transferred("fos", at)
    return ONE_OF_EACH[name](at)


def seen(regime: Regime, rule: ClockRule, *facts: ComplaintEvent) -> list[Clock]:
    return [clock for clock in clocks(numbered(*facts), [regime]) if clock.clock == rule.name]


def deed(before: list[Clock], after: list[Clock], at: datetime) -> str:
    if after == before:
        return "leave"
    if len(after) > len(before):
        assert after[-1].starts_at == at
        return "restart"
    (was,), (now,) = before, after
    if now.ended == "running":
        assert now.due_at > was.due_at
        return "limit"
    assert now.stopped_at == (at if now.ended == "stopped" else None)
    return {"stopped": "stop", "suspended": "suspend", "stopped-at-unknown-time": "unknown", "void": "void"}[now.ended]


def test_the_table_names_every_built_in_clock() -> None:
    assert set(DOES) == {(regime.name, rule.name) for regime, rule in RULES}
    assert {regime.name for regime, _ in RULES} == set(BUILT_IN)
    assert set(ONE_OF_EACH) == set(COMPLAINT_NAMES)


@pytest.mark.parametrize(("regime", "rule"), RULES, ids=lambda each: each.name)
def test_what_each_fact_does_to_a_clock(regime: Regime, rule: ClockRule) -> None:
    start = begun(regime, rule)
    before = seen(regime, rule, *start)
    (clock,) = before
    found = {}
    for name in COMPLAINT_NAMES:
        moments = (clock.due_at, clock.due_at + INSTANT)
        does = tuple(deed(before, seen(regime, rule, *start, made(regime, rule, name, at)), at) for at in moments)
        if does != ("leave", "leave"):
            found[name] = does
    assert found == DOES[regime.name, rule.name]


@pytest.mark.parametrize(("regime", "rule"), RULES, ids=lambda each: each.name)
def test_a_regime_states_the_effect_of_every_fact(regime: Regime, rule: ClockRule) -> None:
    stated = rule.stated_effects()
    assert list(stated) == list(COMPLAINT_NAMES)
    assert regime.source
    assert rule.source
    named = {name for name, effect in stated.items() if (effect.in_time, effect.late) != ("leave", "leave")}
    by_limit = {name for name, does in DOES[regime.name, rule.name].items() if does[0] in {"limit", "suspend"}}
    assert named | by_limit == set(DOES[regime.name, rule.name])


@pytest.mark.parametrize(("regime", "rule"), RULES, ids=lambda each: each.name)
def test_waiting_for_the_customer_moves_nothing(regime: Regime, rule: ClockRule) -> None:
    start = begun(regime, rule)
    waited = [ONE_OF_EACH[name](AT + timedelta(hours=1)) for name in ("contact-noted", "proposal-declined")]
    assert seen(regime, rule, *start, *waited) == seen(regime, rule, *start)


def test_a_final_outcome_in_progress_ends_nothing_but_the_response() -> None:
    """The CFPB's own word "in progress" is a response, at an unknown time."""
    cfpb = next(regime for regime in built_in_regimes() if regime.name == "cfpb")
    in_progress = ONE_OF_EACH["outcome-stated"](AT).model_copy(update={"final": False})
    found = clocks(numbered(received(AT), transferred("cfpb", AT), in_progress), [cfpb])
    assert [clock.ended for clock in found] == ["stopped-at-unknown-time", "running"]


def test_reply_by_telephone_is_no_written_notice() -> None:
    regime, rule = next((regime, rule) for regime, rule in RULES if rule.name == "written-notice")
    start = begun(regime, rule)
    spoken = reply(AT + timedelta(hours=1)).model_copy(update={"channel": "phone"})
    assert seen(regime, rule, *start, spoken) == seen(regime, rule, *start)
