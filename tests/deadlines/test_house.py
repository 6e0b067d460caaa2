"""What every fact does to the clocks of the house: one table, and the rules behind its rows."""

from datetime import datetime, timedelta

import pytest

from ledger.complaint.events import COMPLAINT_NAMES, ComplaintEvent
from ledger.complaint.state import effective
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Clock, clocks, verdict
from tests.deadlines.facts import (
    ONE_OF_EACH,
    annulled,
    corrected,
    first_reply,
    graded,
    numbered,
    received,
    regraded,
    reopened,
    reply,
    shanghai,
    stated,
    withdrawn,
)

AT = shanghai("2025-09-26T10:00")
GENERAL_DUE = shanghai("2025-10-10T23:59:59.999999")
MAJOR_DUE = shanghai("2025-10-16T23:59:59.999999")
FIRST_REPLY_DUE = AT + timedelta(hours=24)
EARLY = AT + timedelta(hours=1)
LATER = shanghai("2026-03-01T00:00")

LEAVES = ("leave", "leave", "leave", "leave")
WHAT_EACH_FACT_DOES = {
    # stored name: first reply in time and late, resolution in time and late
    "complaint-received": LEAVES,  # a second one: the clock has started
    "complaint-registered": LEAVES,
    "automatic-reply-sent": LEAVES,
    "contact-noted": LEAVES,
    "first-reply-sent": ("stop", "stop", "leave", "leave"),
    "complaint-classified": LEAVES,
    "complaint-reclassified": LEAVES,
    "complaint-graded": ("leave", "leave", "limit", "leave"),
    "complaint-regraded": ("leave", "leave", "limit", "leave"),
    "complaint-assigned": LEAVES,
    "complaint-reassigned": LEAVES,
    "investigation-started": LEAVES,
    "evidence-provided": LEAVES,
    "finding-made": LEAVES,
    "investigation-closed": LEAVES,
    "solution-proposed": LEAVES,
    "proposal-accepted": LEAVES,
    "proposal-declined": LEAVES,
    "complaint-resolved": LEAVES,
    "reply-sent": ("stop", "stop", "stop", "stop"),
    "satisfaction-rated": LEAVES,
    "complaint-closed": LEAVES,
    "complaint-reopened": LEAVES,
    "complaint-withdrawn": ("void", "stop", "void", "stop"),
    "outcome-stated": ("stop-at-unknown-time",) * 4,
    "outcome-disputed": LEAVES,
    "complaint-transferred": LEAVES,
    "deadline-extended": LEAVES,  # nothing extends a limit of the house
    "appraisal-started": LEAVES,
    "appraisal-ended": LEAVES,
    "new-facts-received": LEAVES,
    "holding-response-sent": LEAVES,
    "complaint-ruled-out": LEAVES,  # counts in: no text says otherwise
    "complaint-merged": LEAVES,
    "group-recognised": LEAVES,
    "representative-named": LEAVES,
    "representation-ended": LEAVES,
    "person-complained-about": LEAVES,
    "interest-declared": LEAVES,
    "investigation-team-formed": LEAVES,
    "emergency-started": LEAVES,
    "emergency-step-taken": LEAVES,
    "emergency-ended": LEAVES,
    "emergency-reviewed": LEAVES,
    "preliminary-check-made": LEAVES,
    "evidence-requested": LEAVES,
    "assistance-requested": LEAVES,
    "assistance-given": LEAVES,
    "root-cause-found": LEAVES,
    "negotiation-held": LEAVES,
    "compensation-approved": LEAVES,
    "compensation-provided": LEAVES,
    "complaint-escalated": LEAVES,
    "escalation-decided": LEAVES,
    "written-notice-sent": LEAVES,
    "follow-up-call-made": LEAVES,
    "handling-reviewed": LEAVES,
    "proceedings-opened": LEAVES,
    "proceedings-ended": LEAVES,
    "repeat-taken-in": LEAVES,
    "relationship-repaired": LEAVES,
    "completeness-checked": LEAVES,
    "complaint-archived": LEAVES,
    "amendment-proposed": LEAVES,  # nothing is changed by it
    "amendment-declined": LEAVES,
    "fact-annulled": LEAVES,  # what they annul or correct is gone or replaced before a clock sees it
    "fact-corrected": LEAVES,
}


def house(*facts: ComplaintEvent) -> dict[str, Clock]:
    return {clock.clock: clock for clock in clocks(numbered(*facts))}


def resolution(*facts: ComplaintEvent) -> Clock:
    return house(*facts)["resolution"]


def deed(before: Clock, after: Clock, at: datetime) -> str:
    """What a fact has done, seen from outside."""
    if after == before:
        return "leave"
    if after.due_at != before.due_at:
        assert (after.ended, after.stopped_at, after.starts_at) == ("running", None, before.starts_at)
        return "limit"
    assert after.stopped_at == (at if after.ended == "stopped" else None)
    return {"stopped": "stop"}.get(after.ended, after.ended.replace("stopped", "stop"))


def test_the_table_names_every_fact() -> None:
    assert list(WHAT_EACH_FACT_DOES) == list(COMPLAINT_NAMES)
    assert set(ONE_OF_EACH) == set(COMPLAINT_NAMES)
    for name, make in ONE_OF_EACH.items():
        assert type(make(AT)) is COMPLAINT_NAMES[name]


@pytest.mark.parametrize("name", COMPLAINT_NAMES)
def test_what_a_fact_does_to_each_clock(name: str) -> None:
    expected = WHAT_EACH_FACT_DOES[name]
    before = house(received(AT))
    seen = []
    for clock in ("first-reply", "resolution"):
        for at in (before[clock].due_at, before[clock].due_at + INSTANT):
            after = house(received(AT), ONE_OF_EACH[name](at))
            seen.append(deed(before[clock], after[clock], at))
    assert tuple(seen) == expected


VERDICTS = {"stop": ("met", "missed"), "void": ("void", "void"), "stop-at-unknown-time": ("unknown", "unknown")}


@pytest.mark.parametrize("name", [name for name, does in WHAT_EACH_FACT_DOES.items() if does != LEAVES])
@pytest.mark.parametrize("clock", ["first-reply", "resolution"])
def test_what_a_fact_makes_of_the_verdict(name: str, clock: str) -> None:
    place = 0 if clock == "first-reply" else 2
    due_at = house(received(AT))[clock].due_at
    for late, at in enumerate((due_at, due_at + INSTANT)):
        did = WHAT_EACH_FACT_DOES[name][place + late]
        after = house(received(AT), ONE_OF_EACH[name](at))[clock]
        assert verdict(after, LATER) == VERDICTS.get(did, ("missed", "missed"))[late]


def test_there_is_no_clock_before_the_receipt() -> None:
    assert clocks([]) == []
    assert clocks(numbered(ONE_OF_EACH["contact-noted"](AT))) == []


def test_both_clocks_start_with_the_receipt_and_name_their_versions() -> None:
    found = house(received(AT))
    assert list(found) == ["first-reply", "resolution"]
    assert {clock.starts_at for clock in found.values()} == {AT}
    assert [(clock.regime, clock.regime_version) for clock in found.values()] == [("house", 1), ("house", 1)]
    assert found["first-reply"].calendar_version is None  # hours need no calendar
    assert found["resolution"].calendar_version == 1


class TestFirstReply:
    def test_the_earliest_word_of_a_person_counts(self) -> None:
        second = AT + timedelta(hours=5)
        assert house(received(AT), first_reply(EARLY), reply(second))["first-reply"].stopped_at == EARLY
        assert house(received(AT), first_reply(second), reply(EARLY))["first-reply"].stopped_at == EARLY
        assert house(received(AT), first_reply(second), first_reply(EARLY))["first-reply"].stopped_at == EARLY

    def test_the_result_is_a_first_reply_where_nothing_was_said_before(self) -> None:
        assert house(received(AT), reply(EARLY))["first-reply"].stopped_at == EARLY

    def test_a_machine_and_a_note_answer_nobody(self) -> None:
        facts = [received(AT), ONE_OF_EACH["automatic-reply-sent"](EARLY), ONE_OF_EACH["contact-noted"](EARLY)]
        assert verdict(house(*facts)["first-reply"], FIRST_REPLY_DUE + INSTANT) == "missed"

    def test_a_reply_that_is_older_than_the_complaint_answers_something_else(self) -> None:
        found = house(received(AT), first_reply(AT - INSTANT), reply(AT - INSTANT))
        assert {clock.ended for clock in found.values()} == {"running"}

    def test_a_grade_moves_no_hours(self) -> None:
        assert house(received(AT), graded("major", EARLY))["first-reply"].due_at == FIRST_REPLY_DUE


class TestGrades:
    @pytest.mark.parametrize("grade", ["complex", "major"])
    def test_ten_days_for_what_is_graded_in_time(self, grade: str) -> None:
        assert resolution(received(AT), graded(grade, GENERAL_DUE)).due_at == MAJOR_DUE

    @pytest.mark.parametrize("grade", ["complex", "major"])
    def test_a_grade_after_the_five_days_leaves_the_miss_standing(self, grade: str) -> None:
        for late in (graded(grade, GENERAL_DUE + INSTANT), regraded(grade, GENERAL_DUE + INSTANT)):
            found = resolution(received(AT), late, reply(GENERAL_DUE + timedelta(hours=1)))
            assert found.due_at == GENERAL_DUE
            assert verdict(found, LATER) == "missed"

    def test_general_and_ungraded_have_five(self) -> None:
        assert (
            resolution(received(AT)).due_at == resolution(received(AT), graded("general", EARLY)).due_at == GENERAL_DUE
        )

    def test_a_second_regrade_counts_by_the_limit_of_the_first(self) -> None:
        major, back = graded("major", EARLY), regraded("general", MAJOR_DUE)
        assert resolution(received(AT), major, back).due_at == GENERAL_DUE
        assert resolution(received(AT), major, regraded("general", MAJOR_DUE + INSTANT)).due_at == MAJOR_DUE

    def test_made_general_after_its_fifth_day_it_is_late_at_once_and_cannot_be_saved_by_another_grade(self) -> None:
        sixth_day = GENERAL_DUE + timedelta(hours=12)
        facts = [received(AT), graded("major", EARLY), regraded("general", sixth_day)]
        assert verdict(resolution(*facts), sixth_day) == "missed"
        assert resolution(*facts, regraded("major", sixth_day + timedelta(hours=1))).due_at == GENERAL_DUE

    def test_a_grade_after_the_reply_moves_nothing(self) -> None:
        answered = [received(AT), graded("major", EARLY), reply(GENERAL_DUE + timedelta(hours=12))]
        found = resolution(*answered, regraded("general", GENERAL_DUE + timedelta(hours=13)))
        assert found == resolution(*answered)
        assert verdict(found, LATER) == "met"

    def test_what_counts_is_when_it_was_graded_and_not_when_that_was_recorded(self) -> None:
        late_reply = reply(GENERAL_DUE + timedelta(hours=12))
        assert verdict(resolution(received(AT), late_reply), LATER) == "missed"
        assert verdict(resolution(received(AT), late_reply, graded("major", EARLY)), LATER) == "met"


class TestWithdrawal:
    def test_in_time_it_is_void_whatever_follows(self) -> None:
        found = resolution(received(AT), withdrawn(EARLY), reply(EARLY + timedelta(hours=1)))
        assert (found.ended, found.stopped_at, verdict(found, LATER)) == ("void", None, "void")

    def test_after_the_due_time_the_miss_stands(self) -> None:
        found = resolution(received(AT), withdrawn(GENERAL_DUE + INSTANT))
        assert (found.stopped_at, verdict(found, LATER)) == (GENERAL_DUE + INSTANT, "missed")

    def test_what_was_answered_before_stays_answered(self) -> None:
        found = house(received(AT), first_reply(EARLY), withdrawn(EARLY + timedelta(hours=1)))
        assert [verdict(clock, LATER) for clock in found.values()] == ["met", "void"]

    def test_a_limit_of_ten_days_is_in_time_on_the_seventh(self) -> None:
        seventh_day = GENERAL_DUE + timedelta(days=3)
        assert resolution(received(AT), withdrawn(seventh_day)).ended == "stopped"
        assert resolution(received(AT), graded("complex", EARLY), withdrawn(seventh_day)).ended == "void"


class TestReopening:
    @pytest.mark.parametrize("new_facts", [True, False])
    def test_it_leaves_a_stopped_clock_stopped_and_a_missed_one_missed(self, new_facts: bool) -> None:
        for at in (EARLY, GENERAL_DUE + timedelta(days=1)):
            answered = [received(AT), reply(at)]
            assert house(*answered, reopened(at + timedelta(days=1), new_facts=new_facts)) == house(*answered)

    def test_it_leaves_a_running_clock_running(self) -> None:
        assert house(received(AT), reopened(EARLY)) == house(received(AT))


class TestUnknownTime:
    def test_a_stated_outcome_ends_a_running_clock_at_no_known_time(self) -> None:
        found = house(received(AT), stated(final=True))
        assert {clock.ended for clock in found.values()} == {"stopped-at-unknown-time"}
        assert {verdict(clock, LATER) for clock in found.values()} == {"unknown"}

    def test_in_progress_ends_nothing(self) -> None:
        assert house(received(AT), stated(final=False)) == house(received(AT))

    def test_a_known_time_is_better(self) -> None:
        found = resolution(received(AT), stated(final=True), reply(EARLY))
        assert (found.ended, found.stopped_at) == ("stopped", EARLY)

    def test_a_withdrawal_in_time_stays_void(self) -> None:
        assert resolution(received(AT), withdrawn(EARLY), stated(final=True)).ended == "void"


class TestAnnulmentAndCorrection:
    def clocks(self, *events: ComplaintEvent) -> dict[str, Clock]:
        return {clock.clock: clock for clock in clocks(effective(events))}

    def test_an_annulled_reply_never_stopped_the_clock(self) -> None:
        found = self.clocks(received(AT), reply(EARLY), annulled(2, EARLY))
        assert found == house(received(AT))

    def test_a_corrected_receipt_starts_the_clock_anew(self) -> None:
        mistyped = received(AT - timedelta(days=7))
        found = self.clocks(mistyped, reply(EARLY), corrected(1, received(AT), EARLY))
        assert found == house(received(AT), reply(EARLY))

    def test_a_corrected_reply_stops_when_it_really_was_sent(self) -> None:
        late = reply(GENERAL_DUE + INSTANT)
        found = self.clocks(received(AT), reply(EARLY), corrected(2, late, LATER))
        assert verdict(found["resolution"], LATER) == "missed"

    def test_an_annulled_receipt_takes_its_clocks_along(self) -> None:
        assert self.clocks(received(AT), reply(EARLY), annulled(1, EARLY)) == {}
