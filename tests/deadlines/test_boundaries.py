"""For each built-in clock, worked out by hand: the last instant in time and the first one late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.complaint.events import ComplaintEvent
from ledger.deadlines.calendar import INSTANT, built_in_calendars
from ledger.deadlines.clock import Clock, clocks, verdict
from ledger.deadlines.regime import Regime, built_in_regimes
from tests.deadlines.facts import (
    ONE_OF_EACH,
    SHANGHAI,
    extended,
    first_reply,
    graded,
    held,
    numbered,
    received,
    reply,
    transferred,
)

REGIMES = {regime.name: regime for regime in built_in_regimes()}
LONDON, WASHINGTON = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
DAY_END = "T23:59:59.999999"

# regime, clock, what starts it, by the clock on the wall; the last instant in time
WORKED = [
    # 24 elapsed hours, across midnight, a weekend, a festival, a month's end, a leap day
    ("house", "first-reply", "2025-09-26T10:00", "2025-09-27T10:00"),
    ("house", "first-reply", "2025-09-26T23:59:59.999999", "2025-09-27T23:59:59.999999"),
    ("house", "first-reply", "2020-01-23T18:00", "2020-01-24T18:00"),
    ("house", "first-reply", "2024-02-28T12:00", "2024-02-29T12:00"),
    ("house", "first-reply", "2025-12-31T00:00", "2026-01-01T00:00"),
    # 5 working days
    ("house", "resolution", "2025-09-26T23:59:59.999999", f"2025-10-10{DAY_END}"),
    ("house", "resolution", "2025-09-27T00:00", f"2025-10-10{DAY_END}"),  # a Saturday; Sunday the 28th works
    ("house", "resolution", "2020-01-22T09:00", f"2020-02-06{DAY_END}"),
    ("house", "resolution", "2026-02-11T09:00", f"2026-02-25{DAY_END}"),
    ("house", "resolution", "2026-02-14T09:00", f"2026-02-28{DAY_END}"),
    ("house", "resolution", "2024-02-23T09:00", f"2024-03-01{DAY_END}"),
    ("house-2735", "preliminary-check", "2025-09-26T10:00", f"2025-09-29{DAY_END}"),
    ("house-2735", "preliminary-check", "2026-02-13T10:00", f"2026-02-24{DAY_END}"),  # over Spring Festival
    ("house-2735", "preliminary-check", "2020-01-23T10:00", f"2020-02-04{DAY_END}"),
    ("house-2735", "preliminary-check", "2024-02-28T10:00", f"2024-03-01{DAY_END}"),
    ("house-2735", "solution", "2025-09-30T10:00", f"2025-10-14{DAY_END}"),
    ("house-2735", "solution", "2020-01-23T10:00", f"2020-02-07{DAY_END}"),
    ("house-2735", "answer", "2025-09-26T10:00", f"2025-10-13{DAY_END}"),
    ("house-2735", "answer", "2026-02-11T10:00", f"2026-02-27{DAY_END}"),
    ("house-2735", "answer", "2020-01-22T10:00", f"2020-02-10{DAY_END}"),
    ("house-2735", "written-notice", "2025-10-09T16:00", f"2025-10-13{DAY_END}"),  # Saturday 11 October works
    ("house-2735", "written-notice", "2026-02-13T16:00", f"2026-02-25{DAY_END}"),
    # calendar days know no festival
    ("cbirc-2020-3", "decision", "2026-02-11T23:59:59.999999", f"2026-02-26{DAY_END}"),
    ("cbirc-2020-3", "decision", "2026-02-12T00:00", f"2026-02-27{DAY_END}"),
    ("cbirc-2020-3", "decision", "2020-01-23T10:00", f"2020-02-07{DAY_END}"),
    ("cbirc-2020-3", "decision", "2024-02-14T10:00", f"2024-02-29{DAY_END}"),
    ("cbirc-2020-3", "decision", "2025-01-31T10:00", f"2025-02-15{DAY_END}"),
    ("cbirc-2020-3", "review-window", "2026-01-31T10:00", f"2026-03-02{DAY_END}"),
    ("pboc-2020-5", "reply", "2026-02-11T10:00", f"2026-02-26{DAY_END}"),
    ("pboc-2020-5", "reply", "2024-02-14T23:59:59.999999", f"2024-02-29{DAY_END}"),
    ("pboc-2020-5", "reply", "2020-01-24T00:00", f"2020-02-08{DAY_END}"),
    # London: weekends, bank holidays, and both changes of the clocks
    ("fca-disp", "summary-resolution", "2026-04-01T10:00", f"2026-04-08{DAY_END}"),  # over Easter
    ("fca-disp", "summary-resolution", "2026-03-27T23:30", f"2026-04-01{DAY_END}"),  # 29 March: summer time
    ("fca-disp", "summary-resolution", "2026-03-28T00:00", f"2026-04-01{DAY_END}"),
    ("fca-disp", "summary-resolution", "2026-12-23T10:00", f"2026-12-30{DAY_END}"),  # 28 December stands for the 26th
    ("fca-disp", "summary-resolution", "2025-10-23T10:00", f"2025-10-28{DAY_END}"),  # 26 October: winter time
    ("fca-disp", "final-response", "2026-02-10T10:00", f"2026-04-07{DAY_END}"),  # due in summer time
    ("fca-disp", "final-response", "2025-09-15T10:00", f"2025-11-10{DAY_END}"),  # due in winter time
    ("fca-disp", "final-response", "2026-03-28T23:59:59.999999", f"2026-05-23{DAY_END}"),
    ("fca-disp", "final-response", "2026-03-29T00:00", f"2026-05-24{DAY_END}"),  # the day of 23 hours
    ("fca-disp", "final-response", "2024-01-04T10:00", f"2024-02-29{DAY_END}"),
    ("fca-disp", "final-response-payments", "2026-03-25T10:00", f"2026-04-17{DAY_END}"),  # Easter: two days
    ("fca-disp", "final-response-payments", "2025-10-24T10:00", f"2025-11-14{DAY_END}"),
    ("fca-disp", "ombudsman-referral", "2025-08-31T10:00", f"2026-02-28{DAY_END}"),  # a month without a 31st
    ("fca-disp", "ombudsman-referral", "2023-08-31T10:00", f"2024-02-29{DAY_END}"),
    ("fca-disp", "ombudsman-referral", "2026-03-29T12:00", f"2026-09-29{DAY_END}"),
    # Washington, when the clocks change there
    ("cfpb", "response", "2026-02-28T10:00", f"2026-03-15{DAY_END}"),
    ("cfpb", "response", "2025-10-25T10:00", f"2025-11-09{DAY_END}"),
    ("cfpb", "final-response", "2024-02-14T10:00", f"2024-02-29{DAY_END}"),
    # years
    ("retention", "pboc-file", "2024-02-29T10:00", f"2027-02-28{DAY_END}"),
    ("retention", "cbirc-file", "2025-12-31T23:59:59.999999", f"2028-12-31{DAY_END}"),
    ("retention", "disp-record", "2024-02-29T10:00", f"2027-02-28{DAY_END}"),
    ("retention", "disp-record", "2023-07-01T10:00", f"2026-07-01{DAY_END}"),
    ("retention", "disp-record-collective", "2023-02-28T10:00", f"2028-02-28{DAY_END}"),
]
ZONES = {"china": SHANGHAI, "gb-eng": LONDON, "us": WASHINGTON}


def wall(regime: Regime, clock: str, text: str) -> datetime:
    rule = next(rule for rule in regime.clocks if rule.name == clock)
    return datetime.fromisoformat(text).replace(tzinfo=ZONES[rule.calendar or regime.calendar])


def started(regime: Regime, clock: str, at: datetime) -> list[ComplaintEvent]:
    rule = next(rule for rule in regime.clocks if rule.name == clock)
    product = dict(rule.applies_to).get("product", (None,))[0]
    first = received(at).model_copy(update={"product": product})
    if rule.starts == "complaint-received":
        return [first]
    if rule.starts == "complaint-transferred":
        return [first, transferred(regime.name.partition("-")[0], at)]
    return [first, ONE_OF_EACH[rule.starts](at)]


def one(regime: Regime, clock: str, *facts: ComplaintEvent) -> Clock:
    (found,) = (each for each in clocks(numbered(*facts), [regime]) if each.clock == clock)
    return found


@pytest.mark.parametrize(("name", "clock", "starts", "last"), WORKED)
def test_the_last_instant_in_time_and_the_first_one_late(name: str, clock: str, starts: str, last: str) -> None:
    regime = REGIMES[name]
    found = one(regime, clock, *started(regime, clock, wall(regime, clock, starts)))
    due_at = wall(regime, clock, last)
    assert found.due_at == due_at
    assert found.due_at.tzinfo is UTC
    assert not found.provisional
    late = "missed" if found.purpose == "duty" else "lapsed"
    assert [verdict(found, now) for now in (due_at, due_at + INSTANT)] == ["running", late]


def test_every_built_in_clock_is_worked_out() -> None:
    built_in = {(regime.name, rule.name) for regime in built_in_regimes() for rule in regime.clocks}
    assert {(name, clock) for name, clock, *_ in WORKED} == built_in


@pytest.mark.parametrize(
    ("name", "clock", "answer"),
    [
        ("house", "first-reply", first_reply),
        ("house", "resolution", reply),
        ("house-2735", "preliminary-check", ONE_OF_EACH["finding-made"]),
        ("house-2735", "solution", ONE_OF_EACH["solution-proposed"]),
        ("house-2735", "answer", reply),
        ("house-2735", "written-notice", reply),
        ("cbirc-2020-3", "decision", reply),
        ("pboc-2020-5", "reply", reply),
        ("fca-disp", "summary-resolution", reply),
        ("fca-disp", "final-response", reply),
        ("fca-disp", "final-response-payments", reply),
        ("cfpb", "response", held),
        ("cfpb", "final-response", reply),
    ],
)
def test_answered_at_the_last_instant_it_is_met_and_at_the_next_missed(name: str, clock: str, answer) -> None:
    regime = REGIMES[name]
    start = started(regime, clock, wall(regime, clock, "2026-03-20T10:00"))
    due_at = one(regime, clock, *start).due_at
    found = [one(regime, clock, *start, answer(at)) for at in (due_at, due_at + INSTANT)]
    assert [verdict(each, due_at + timedelta(days=99)) for each in found] == ["met", "missed"]


def test_a_major_complaint_of_the_house_has_ten_days() -> None:
    at = datetime(2026, 2, 11, 9, tzinfo=SHANGHAI)
    found = one(REGIMES["house"], "resolution", received(at), graded("major", at))
    assert found.due_at == datetime(2026, 3, 4, tzinfo=SHANGHAI) - INSTANT
    assert (str(found.first_limit), str(found.limit)) == ("5 working days", "10 working days")
    assert found.first_due_at == datetime(2026, 2, 26, tzinfo=SHANGHAI) - INSTANT


@pytest.mark.parametrize(
    ("name", "clock", "fact", "last"),
    [
        ("cbirc-2020-3", "decision", ("deadline-extended", 30), "2026-03-13"),
        ("cbirc-2020-3", "decision", ("deadline-extended", 60), "2026-04-12"),
        ("pboc-2020-5", "reply", ("deadline-extended", 60), "2026-04-12"),
        ("fca-disp", "final-response-payments", ("holding-response-sent", 35), "2026-04-01"),
        ("cfpb", "final-response", ("holding-response-sent", 60), "2026-04-12"),
    ],
)
def test_a_longer_limit_ends_with_its_last_day(name: str, clock: str, fact: tuple[str, int], last: str) -> None:
    regime = REGIMES[name]
    at = wall(regime, clock, "2026-02-11T10:00")
    kind, amount = fact
    later = at + timedelta(days=3)
    longer = (
        extended(name, clock, amount, "calendar-days", later, told_at=later)
        if kind == "deadline-extended"
        else held(later)
    )
    found = one(regime, clock, *started(regime, clock, at), longer)
    assert found.due_at == wall(regime, clock, f"{last}{DAY_END}")
    assert found.limit.amount == amount


def test_london_days_of_23_and_25_hours_have_their_own_ends() -> None:
    london = built_in_calendars()["gb-eng"]
    for on, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        assert london.day_ends_at(on) + INSTANT - london.day_begins_at(on) == timedelta(hours=hours)
        midnight = datetime(on.year, on.month, on.day, tzinfo=LONDON)
        assert london.day_begins_at(on) == midnight


def test_what_runs_into_an_estimated_year_is_provisional() -> None:
    regime = REGIMES["fca-disp"]
    at = datetime(2026, 12, 30, 10, tzinfo=LONDON)
    found = {clock.clock: clock for clock in clocks(numbered(received(at)), [regime])}
    assert found["summary-resolution"].provisional
    assert not found["final-response"].provisional  # weeks need nobody's announcement
