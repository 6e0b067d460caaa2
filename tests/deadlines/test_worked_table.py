"""Deadlines worked out by hand: the table of the process, midnight, festivals, and the last instant of each."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT, built_in_calendars
from ledger.deadlines.clock import Clock, clocks, verdict
from ledger.deadlines.regime import Span
from ledger.deadlines.span import due
from tests.deadlines.facts import first_reply, graded, numbered, received, reply, shanghai

CHINA = built_in_calendars()["china"]

WORKED = [
    # the day of the receipt, working days, the last day in time
    ("2025-09-26", 5, "2025-10-10"),
    ("2025-09-26", 10, "2025-10-16"),
    ("2025-09-30", 5, "2025-10-14"),
    ("2025-10-04", 5, "2025-10-14"),  # received on a holiday
    ("2026-02-11", 5, "2026-02-25"),
    ("2026-02-11", 10, "2026-03-03"),
    ("2026-02-14", 5, "2026-02-28"),  # from one working Saturday to another
    ("2026-02-13", 1, "2026-02-14"),  # a make-up Saturday is day 1
    ("2026-02-14", 1, "2026-02-24"),  # the day of the receipt is never counted, though it works
    ("2020-01-22", 5, "2020-02-06"),  # Spring Festival 2020, prolonged to 2 February by a second notice
    ("2020-01-23", 5, "2020-02-07"),
    ("2020-01-31", 1, "2020-02-03"),
    ("2005-12-30", 1, "2005-12-31"),  # the one day on which the sources differ
    ("2005-12-30", 5, "2006-01-09"),
    ("2026-06-01", 5, "2026-06-08"),
    ("2026-06-06", 5, "2026-06-12"),  # a Saturday
    ("2026-06-07", 5, "2026-06-12"),  # and the Sunday after it end together
    ("2024-02-28", 1, "2024-02-29"),  # a leap day
    ("2026-03-31", 1, "2026-04-01"),
]


@pytest.mark.parametrize(("on", "working_days", "last"), WORKED)
@pytest.mark.parametrize("time", ["00:00", "00:01", "12:00", "23:59", "23:59:59.999999"])
def test_a_limit_ends_with_the_last_instant_of_its_last_day(on: str, time: str, working_days: int, last: str) -> None:
    due_at, provisional = due(Span(amount=working_days, unit=Unit.WORKING_DAYS), shanghai(f"{on}T{time}"), CHINA)
    assert due_at == shanghai(f"{last}T23:59:59.999999")
    assert due_at.tzinfo is UTC
    assert not provisional


def test_the_hand_written_answers_count_day_by_day() -> None:
    """Counted here without a table: a slip of the pen in WORKED would show."""
    for text, working_days, last in WORKED:
        on, left = date.fromisoformat(text), working_days
        while left:
            on += timedelta(days=1)
            left -= CHINA.is_working_day(on)
        assert on == date.fromisoformat(last), text


def house(*facts: object) -> dict[str, Clock]:
    return {clock.clock: clock for clock in clocks(numbered(*facts))}


def test_two_minutes_across_midnight_in_shanghai_are_a_day_of_the_resolution_and_two_minutes_of_the_first_reply() -> (
    None
):
    before = house(received(shanghai("2026-06-08T23:59")))
    after = house(received(shanghai("2026-06-09T00:01")))
    assert before["resolution"].due_at == shanghai("2026-06-15T23:59:59.999999")
    assert after["resolution"].due_at == shanghai("2026-06-16T23:59:59.999999")
    assert after["first-reply"].due_at - before["first-reply"].due_at == timedelta(minutes=2)


def test_the_same_day_in_utc_is_two_days_in_shanghai() -> None:
    before = house(received(datetime(2026, 6, 8, 15, 59, tzinfo=UTC)))
    after = house(received(datetime(2026, 6, 8, 16, 1, tzinfo=UTC)))
    assert after["resolution"].due_at - before["resolution"].due_at == timedelta(days=1)


def test_hours_elapse_through_nights_and_holidays() -> None:
    assert house(received(shanghai("2026-02-16T18:30")))["first-reply"].due_at == shanghai("2026-02-17T18:30")


@pytest.mark.parametrize("grade", ["ungraded", "general", "complex", "major"])
@pytest.mark.parametrize("clock", ["first-reply", "resolution"])
def test_the_last_instant_is_in_time_and_the_next_is_late(clock: str, grade: str) -> None:
    at = shanghai("2025-09-26T10:20:30.123456")
    facts = [received(at)] if grade == "ungraded" else [received(at), graded(grade, at)]
    due_at = house(*facts)[clock].due_at
    answered = first_reply if clock == "first-reply" else reply
    in_time, late = house(*facts, answered(due_at))[clock], house(*facts, answered(due_at + INSTANT))[clock]
    assert (in_time.due_at, late.due_at) == (due_at, due_at)
    for now in (at, due_at, due_at + timedelta(days=400)):
        assert verdict(in_time, now) == "met"
        assert verdict(late, now) == "missed"


@pytest.mark.parametrize("clock", ["first-reply", "resolution"])
def test_an_open_complaint_runs_to_the_last_instant_and_is_missed_from_the_next(clock: str) -> None:
    running = house(received(shanghai("2025-09-26T10:20")))[clock]
    assert verdict(running, running.due_at) == "running"
    assert verdict(running, running.due_at + INSTANT) == "missed"


@pytest.mark.parametrize(
    ("on", "provisional"),
    [("2026-12-20", False), ("2026-12-21", False), ("2026-12-22", True), ("2026-12-28", True), ("2027-05-01", True)],
)
def test_a_deadline_is_provisional_where_the_next_notice_can_still_move_it(on: str, provisional: bool) -> None:
    """Settled through 2026-12-28: the notice of a next year has moved its last three days, never an earlier one."""
    found = house(received(shanghai(f"{on}T09:00")))
    assert found["resolution"].provisional is provisional
    assert not found["first-reply"].provisional


def test_a_deadline_is_provisional_where_the_data_begin_only_after_the_receipt() -> None:
    assert house(received(shanghai("2003-12-31T09:00")))["resolution"].provisional
    assert not house(received(shanghai("2004-01-01T09:00")))["resolution"].provisional


def test_beyond_what_is_announced_the_weekday_decides() -> None:
    assert house(received(shanghai("2026-12-31T09:00")))["resolution"].due_at == shanghai("2027-01-07T23:59:59.999999")


UNITS = [
    ("2026-01-31T10:00", 1, Unit.MONTHS, "2026-02-28T23:59:59.999999"),
    ("2028-01-31T10:00", 1, Unit.MONTHS, "2028-02-29T23:59:59.999999"),
    ("2025-08-31T10:00", 6, Unit.MONTHS, "2026-02-28T23:59:59.999999"),
    ("2025-12-15T10:00", 1, Unit.MONTHS, "2026-01-15T23:59:59.999999"),
    ("2024-02-29T10:00", 3, Unit.YEARS, "2027-02-28T23:59:59.999999"),
    ("2024-02-29T10:00", 4, Unit.YEARS, "2028-02-29T23:59:59.999999"),
    ("2026-02-11T23:59", 15, Unit.CALENDAR_DAYS, "2026-02-26T23:59:59.999999"),
    ("2026-02-12T00:00", 15, Unit.CALENDAR_DAYS, "2026-02-27T23:59:59.999999"),
    ("2026-02-11T10:00", 8, Unit.WEEKS, "2026-04-08T23:59:59.999999"),
    ("2026-02-11T10:00", 90, Unit.MINUTES, "2026-02-11T11:30"),
    ("2026-02-28T10:00", 48, Unit.HOURS, "2026-03-02T10:00"),
]


@pytest.mark.parametrize(("starts", "amount", "unit", "last"), UNITS)
def test_every_unit_has_its_own_end(starts: str, amount: int, unit: Unit, last: str) -> None:
    assert due(Span(amount=amount, unit=unit), shanghai(starts), CHINA) == (shanghai(last), False)
