"""The derivation of a deadline, to the letter: who reads it in ten years reads the same."""

import pytest

from ledger.complaint.events import ComplaintEvent
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import clocks
from ledger.deadlines.explain import explain
from ledger.deadlines.regime import read_regime
from tests.deadlines.facts import (
    first_reply,
    graded,
    numbered,
    received,
    regraded,
    reply,
    shanghai,
    stated,
    withdrawn,
)
from tests.deadlines.test_regime import REGIME

AT = shanghai("2026-02-14T09:30")

TOLD = """\
first-reply: 24 hours from 2026-02-14T09:30:00+08:00, due 2026-02-15T09:30:00+08:00 (regime house version 1)
  version 1 complaint-received 2026-02-14T09:30:00+08:00: the clock starts
  version 2 first-reply-sent 2026-02-14T10:00:00+08:00: the clock stops
resolution: 5 working days from 2026-02-14T09:30:00+08:00, due 2026-02-28T23:59:59.999999+08:00 (regime house version 1, calendar china version 1)
  version 1 complaint-received 2026-02-14T09:30:00+08:00: the clock starts
  version 4 complaint-regraded 2026-03-01T00:00:00+08:00: after the due time, so the limit and the miss stand
  version 3 reply-sent 2026-03-02T10:00:00+08:00: the clock stops
  2026-02-14 Sat   skipped  the day of the start is never counted, 补班（2026-02-20 调休） Works for 2026-02-20, notice 2026
  2026-02-15 Sun   skipped  weekend
  2026-02-16 Mon   skipped  holiday, 农历除夕 Chinese New Year's Eve, notice 2026
  2026-02-17 Tue   skipped  holiday, 春节 Chinese New Year (Spring Festival), notice 2026
  2026-02-18 Wed   skipped  holiday, 春节 Chinese New Year (Spring Festival), notice 2026
  2026-02-19 Thu   skipped  holiday, 春节 Chinese New Year (Spring Festival), notice 2026
  2026-02-20 Fri   skipped  holiday, 休息日（由 2026-02-14 调休） Day off (substituted from 2026-02-14), notice 2026
  2026-02-21 Sat   skipped  weekend
  2026-02-22 Sun   skipped  weekend
  2026-02-23 Mon   skipped  holiday, 休息日（由 2026-02-28 调休） Day off (substituted from 2026-02-28), notice 2026
  2026-02-24 Tue     day 1  working day
  2026-02-25 Wed     day 2  working day
  2026-02-26 Thu     day 3  working day
  2026-02-27 Fri     day 4  working day
  2026-02-28 Sat     day 5  make-up working day, 补班（2026-02-23 调休） Works for 2026-02-23, notice 2026
"""


def lines(*facts: ComplaintEvent) -> list[str]:
    return [line for explanation in explain(numbered(*facts)) for line in explanation.lines()]


def test_a_deadline_across_spring_festival_is_told_day_by_day() -> None:
    told = lines(
        received(AT),
        first_reply(shanghai("2026-02-14T10:00")),
        reply(shanghai("2026-03-02T10:00")),
        regraded("major", shanghai("2026-03-01T00:00")),
    )
    assert "".join(f"{line}\n" for line in told) == TOLD


def test_a_day_that_is_not_announced_is_said_to_be_so() -> None:
    told = lines(received(shanghai("2026-12-28T10:00")))
    assert any(line.startswith("resolution: 5 working days") and ", provisional (" in line for line in told)
    assert "  2026-12-29 Tue     day 1  working day, not announced yet: by the weekday alone" in told
    assert "  2027-01-02 Sat   skipped  weekend, not announced yet: by the weekday alone" in told


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (graded("major", AT), "in time, so the limit of this grade applies, from the start"),
        (withdrawn(AT), "in time, so the clock is void and out of the rate"),
        (stated(final=True), "outcome-stated at a time not stated: the clock stopped at an unknown time"),
    ],
)
def test_each_fact_that_moved_the_clock_is_told(fact: ComplaintEvent, says: str) -> None:
    assert any(says in line for line in lines(received(AT), fact))


def test_calendar_days_are_counted_without_asking_whether_they_work() -> None:
    (explained,) = explain(numbered(received(AT)), [read_regime(REGIME)])
    assert [day.number for day in explained.days] == [None, *range(1, 16)]
    assert str(explained.days[1]) == "2026-02-15 Sun     day 1  calendar day"


def test_an_explanation_is_of_the_very_clocks() -> None:
    facts = numbered(received(AT), graded("major", AT), reply(AT + INSTANT))
    assert [explained.clock for explained in explain(facts)] == clocks(facts)


def past_limits(at: str, *facts: ComplaintEvent) -> list[str | None]:
    return [explanation.past_limit(shanghai(at)) for explanation in explain(numbered(received(AT), *facts))]


def test_what_is_open_and_past_its_limit_is_told_by_how_much() -> None:
    judged = "past its limit, judged at 2026-03-04T09:30:00+08:00"
    assert past_limits("2026-03-04T09:30") == [f"and 408.0 hours {judged}", f"and 3 working days {judged}"]


def test_days_past_the_limit_are_those_that_the_limit_counts() -> None:
    (_, sunday), (_, monday) = past_limits("2026-03-01T12:00"), past_limits("2026-03-02T12:00")
    assert (sunday or "").startswith("and 0 working days past")
    assert (monday or "").startswith("and 1 working day past")
    (window,) = explain(numbered(received(AT)), [read_regime(REGIME)])
    assert (window.past_limit(shanghai("2026-03-04T09:30")) or "").startswith("and 3 calendar days past")


def test_what_ended_or_is_in_time_is_not_past_its_limit() -> None:
    assert past_limits("2026-02-14T12:00") == [None, None]
    late = (first_reply(shanghai("2026-02-20T10:00")), reply(shanghai("2026-03-03T10:00")))
    assert past_limits("2026-03-04T09:30", *late) == [None, None]
