"""Regimes as data: what a file may say, what a faulty one is told, and the deeds that the house does not need."""

from datetime import timedelta

import pytest

from ledger.complaint.events import ComplaintEvent, Grade
from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Clock, clocks, verdict
from ledger.deadlines.regime import Limit, Regime, RegimeInvalid, default_regimes, read_regime
from tests.deadlines.facts import graded, numbered, received, reopened, reply, shanghai, withdrawn

AT = shanghai("2026-02-11T10:00")
DAY = timedelta(days=1)

REGIME = """
name = "regulator"
version = 3
title = "A regulator's"
calendar = "china"
source = "made up for a test"

[[clocks]]
name = "decision"
zh = "决定"
en = "Decision"
source = "article 1"
starts = "complaint-received"
stops = ["reply-sent"]
limits = [{ amount = 15, unit = "calendar-days" }]

[clocks.other_facts]
complaint-reopened = { in_time = "restart", late = "restart", when = { new_facts = true } }
"""


def found(*facts: ComplaintEvent, text: str = REGIME) -> list[Clock]:
    return clocks(numbered(*facts), [read_regime(text)])


def test_the_house_is_what_its_manual_says() -> None:
    (house,) = default_regimes()
    first, resolution = house.clocks
    assert (house.name, first.name, resolution.name) == ("house", "first-reply", "resolution")
    assert set(first.limit_of.values()) == {Limit(amount=24, unit=Unit.HOURS)}
    assert {grade: limit.amount for grade, limit in resolution.limit_of.items()} == {
        None: 5,
        Grade.GENERAL: 5,
        Grade.COMPLEX: 10,
        Grade.MAJOR: 10,
    }
    assert {limit.unit for limit in resolution.limits} == {Unit.WORKING_DAYS}


def test_a_regime_survives_being_stored() -> None:
    (house,) = default_regimes()
    assert Regime.model_validate_json(house.model_dump_json()) == house


class TestRestart:
    def test_new_facts_begin_another_run_and_the_answered_one_stays(self) -> None:
        first, second = found(received(AT), reply(AT + DAY), reopened(AT + 20 * DAY))
        assert (verdict(first, AT + 99 * DAY), first.stopped_at) == ("met", AT + DAY)
        assert (second.starts_at, second.ended) == (AT + 20 * DAY, "running")
        assert second.due_at == shanghai("2026-03-18T23:59:59.999999")

    def test_a_run_that_was_answered_is_not_voided_by_new_facts_before_it_was_due(self) -> None:
        first, second = found(received(AT), reply(AT + DAY), reopened(AT + 2 * DAY))
        assert (first.ended, first.stopped_at) == ("stopped", AT + DAY)
        assert second.starts_at == AT + 2 * DAY

    def test_a_run_in_time_gives_way_and_is_void(self) -> None:
        first, second = found(received(AT), reopened(AT + DAY), reply(AT + 2 * DAY))
        assert (first.ended, second.stopped_at) == ("void", AT + 2 * DAY)

    def test_a_missed_run_stays_missed(self) -> None:
        at = found(received(AT))[0].due_at + INSTANT
        first, second = found(received(AT), reopened(at))
        assert (verdict(first, at), verdict(second, at)) == ("missed", "running")

    def test_without_new_facts_nothing_restarts(self) -> None:
        assert found(received(AT), reopened(AT + DAY, new_facts=False)) == found(received(AT))

    def test_a_grade_outlives_the_restart(self) -> None:
        text = REGIME.replace(
            "{ amount = 15",
            '{ amount = 30, unit = "calendar-days", grades = ["complex", "major"] },'
            ' { grades = ["general", "ungraded"], amount = 15',
        )
        _, second = found(received(AT), graded("major", AT + DAY), reopened(AT + 2 * DAY), text=text)
        assert second.due_at == shanghai("2026-03-15T23:59:59.999999")


class TestAGradeWithoutALimit:
    ONLY_MAJOR = REGIME.replace("{ amount = 15", '{ grades = ["major"], amount = 15')

    def test_has_no_clock(self) -> None:
        assert found(received(AT), graded("general", AT), text=self.ONLY_MAJOR) == []

    def test_gets_one_with_the_grade_that_has_a_limit(self) -> None:
        (clock,) = found(received(AT), graded("major", AT + DAY), text=self.ONLY_MAJOR)
        assert clock.starts_at == AT


def test_a_fact_that_no_regime_names_leaves_the_clock() -> None:
    assert found(received(AT), withdrawn(AT + DAY)) == found(received(AT))


def test_the_versions_are_those_of_the_data() -> None:
    (clock,) = found(received(AT))
    assert (clock.regime, clock.regime_version, clock.calendar_version) == ("regulator", 3, 1)


def test_several_regimes_run_at_once_in_the_order_given() -> None:
    both = clocks(numbered(received(AT)), [read_regime(REGIME), *default_regimes()])
    assert [(clock.regime, clock.clock) for clock in both] == [
        ("regulator", "decision"),
        ("house", "first-reply"),
        ("house", "resolution"),
    ]


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ('"reply-sent"', '"reply-send"', "clocks.1: no fact is called 'reply-send': did you mean 'reply-sent'?"),
        ('"reply-sent"', '"xyzzy"', "use the stored name of a fact"),
        ('"complaint-received"', '"outcome-stated"', "outcome-stated does not say when it happened, so no clock can"),
        ('["reply-sent"]', "[]", "clocks.1: stops: nothing stops this clock; name the fact that fulfils it"),
        ('"reply-sent"', '"complaint-received"', "complaint-received: stands in more than one of starts, stops"),
        ("new_facts =", "newfacts =", "the fact has no field 'newfacts'; it has"),
        ("complaint-reopened =", "outcome-stated =", "the fact has no field 'new_facts'"),
        ('"restart", when = { new_facts = true }', '"pause"', "clocks.1.other_facts.complaint-reopened.late"),
        ("amount = 15", "amount = 0", "clocks.1.limits.1.amount: Input should be greater than or equal to 1"),
        ('"calendar-days"', '"fortnights"', "clocks.1.limits.1.unit: Input should be 'minutes', 'hours'"),
        ("limits = [", 'limits = [{ amount = 1, unit = "weeks" }, ', "a grade has more than one limit"),
        ("version = 3", "", "version: Field required"),
        ("version = 3", "version = 3\ncolour = 4", "colour: Extra inputs are not permitted"),
        ("[[clocks]]", "[[clocks", "this is not TOML"),
        (
            REGIME[REGIME.index("[[clocks]]") :],
            REGIME[REGIME.index("[[clocks]]") :] * 2,
            "two clocks have the same name",
        ),
    ],
)
def test_a_faulty_regime_is_told_where_and_why(written: str, instead: str, says: str) -> None:
    assert written in REGIME
    with pytest.raises(RegimeInvalid) as refused:
        read_regime(REGIME.replace(written, instead))
    assert says in str(refused.value)


@pytest.mark.parametrize("deeds", ['in_time = "void", late = "void"', 'in_time = "stop", late = "leave"'])
def test_a_fact_without_a_time_can_only_stop_or_leave(deeds: str) -> None:
    with pytest.raises(RegimeInvalid, match="does not say when it happened"):
        read_regime(f"{REGIME}outcome-stated = {{ {deeds} }}\n")


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(RegimeInvalid) as refused:
        read_regime(REGIME.replace("version = 3", "version = 0").replace("amount = 15", "amount = 0"))
    assert len(refused.value.problems) == 2
