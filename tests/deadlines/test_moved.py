"""What lawfully moves a clock, and each precondition without which it does not."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from ledger.complaint.events import ComplaintEvent
from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Clock, clocks, runs, verdict
from ledger.deadlines.explain import explain
from ledger.deadlines.regime import Span, built_in_regimes, read_regime
from ledger.deadlines.running import NEVER
from ledger.deadlines.span import warned_at
from tests.deadlines.facts import (
    appraised,
    appraising,
    classified,
    extended,
    graded,
    held,
    new_facts,
    numbered,
    received,
    regraded,
    reopened,
    reply,
    shanghai,
    transferred,
    withdrawn,
)

REGIMES = {regime.name: regime for regime in built_in_regimes()}
CBIRC, PBOC, FCA = REGIMES["cbirc-2020-3"], REGIMES["pboc-2020-5"], REGIMES["fca-disp"]
AT = shanghai("2026-03-02T10:00")
DAY = timedelta(days=1)
DUE = shanghai("2026-03-17T23:59:59.999999")


def decisions(*facts: ComplaintEvent) -> list[Clock]:
    return [clock for clock in clocks(numbered(received(AT), *facts), [CBIRC]) if clock.clock == "decision"]


def decision(*facts: ComplaintEvent) -> Clock:
    (found,) = decisions(*facts)
    return found


def longer(days: int, at: datetime, **changed: object) -> ComplaintEvent:
    return extended("cbirc-2020-3", "decision", days, "calendar-days", at, **changed)


def did(*facts: ComplaintEvent) -> list[str]:
    run = next(run for run in runs(numbered(received(AT), *facts), [CBIRC]) if run.clock.clock == "decision")
    return [step.did for step in run.steps]


class TestExtension:
    def test_a_complicated_case_has_thirty_days_without_anybody_s_approval(self) -> None:
        found = decision(longer(30, DUE, approved_by=None, rank=None))
        assert (found.due_at, found.first_due_at) == (DUE + 15 * DAY, DUE)
        assert (str(found.first_limit), str(found.limit)) == ("15 calendar days", "30 calendar days")

    def test_a_shorter_extension_takes_nothing_away_from_a_longer_one(self) -> None:
        found = decision(longer(30, AT + DAY), longer(20, AT + 2 * DAY))
        assert (found.due_at, str(found.limit)) == (DUE + 15 * DAY, "30 calendar days")
        assert decision(longer(20, AT + DAY), longer(30, AT + 2 * DAY)).due_at == DUE + 15 * DAY

    def test_a_very_complicated_one_has_sixty_with_rank_and_notice(self) -> None:
        assert decision(longer(60, DUE - DAY, told_at=DUE)).due_at == DUE + 45 * DAY

    @pytest.mark.parametrize(
        "lacking",
        [
            {"told_at": None},
            {"told_at": AT, "rank": "supervisor"},
            {"told_at": AT, "rank": None},
            {"told_at": AT, "approved_by": None, "rank": None},
        ],
    )
    def test_each_precondition_is_one(self, lacking: dict[str, object]) -> None:
        asked = longer(60, AT + DAY, **lacking)
        assert decision(asked).due_at == DUE
        assert did(asked) == ["start", "not-extended"]

    def test_notice_that_comes_too_late_leaves_the_miss(self) -> None:
        asked = longer(60, DUE - DAY, told_at=DUE + INSTANT)
        assert decision(asked).due_at == DUE
        assert did(asked) == ["start", "too-late-to-extend"]
        assert verdict(decision(asked), DUE + INSTANT) == "missed"

    def test_notice_that_comes_after_the_decision_to_extend_counts_when_it_comes(self) -> None:
        asked, sent = longer(60, AT + DAY, told_at=DUE), reply(DUE - DAY)
        assert did(asked, sent) == ["start", "stop"]
        assert did(asked) == ["start", "extend"]

    def test_after_the_due_time_no_extension_helps(self) -> None:
        assert decision(longer(30, DUE + INSTANT)).due_at == DUE

    def test_thirty_then_sixty(self) -> None:
        later = DUE + 10 * DAY
        found = decision(longer(30, AT + DAY), longer(60, later, told_at=later))
        assert found.due_at == DUE + 45 * DAY

    def test_no_more_than_the_regime_allows_and_no_other_unit(self) -> None:
        for asked in (
            longer(61, AT + DAY, told_at=AT + DAY),
            extended("cbirc-2020-3", "decision", 20, "working-days", AT + DAY, told_at=AT + DAY),
        ):
            assert decision(asked).due_at == DUE

    def test_one_that_names_another_clock_is_not_for_this_one(self) -> None:
        other = extended("pboc-2020-5", "reply", 60, "calendar-days", AT + DAY, told_at=AT + DAY)
        assert did(other) == ["start"]

    def test_a_shorter_limit_shortens_nothing(self) -> None:
        assert decision(longer(5, AT + DAY)).due_at == DUE

    def test_the_pboc_wants_approval_and_the_reason_told(self) -> None:
        start = [received(AT), transferred("pboc", AT + DAY)]
        told = extended("pboc-2020-5", "reply", 60, "calendar-days", AT + 2 * DAY, told_at=AT + 3 * DAY, rank=None)
        (found,) = clocks(numbered(*start, told), [PBOC])
        assert found.due_at == DUE + DAY + 45 * DAY
        (not_told,) = clocks(numbered(*start, told.model_copy(update={"complainant_told_at": None})), [PBOC])
        assert not_told.due_at == DUE + DAY


class TestTransfer:
    def test_it_starts_the_clock_of_its_own_body_only(self) -> None:
        assert clocks(numbered(received(AT)), [PBOC]) == []
        assert clocks(numbered(received(AT), transferred("nfra", AT)), [PBOC]) == []
        (found,) = clocks(numbered(received(AT), transferred("pboc", AT + DAY)), [PBOC])
        assert (found.starts_at, found.due_at) == (AT + DAY, DUE + DAY)

    def test_a_reply_that_came_before_answers_no_transfer(self) -> None:
        (found,) = clocks(numbered(received(AT), reply(AT + DAY), transferred("pboc", AT + 2 * DAY)), [PBOC])
        assert found.ended == "running"

    def test_a_second_transfer_after_the_reply_asks_for_another(self) -> None:
        facts = [transferred("pboc", AT), reply(AT + DAY), transferred("pboc", AT + 2 * DAY)]
        assert [clock.ended for clock in clocks(numbered(received(AT), *facts), [PBOC])] == ["stopped", "running"]

    def test_while_the_first_runs_another_leaves_it(self) -> None:
        facts = [transferred("pboc", AT), transferred("pboc", AT + 2 * DAY)]
        (found,) = clocks(numbered(received(AT), *facts), [PBOC])
        assert found.starts_at == AT


class TestOutsideAppraisal:
    def test_its_days_do_not_count_from_the_day_it_begins_to_the_day_it_ends(self) -> None:
        begins, ends = AT + 3 * DAY, AT + 10 * DAY
        found = decision(appraising(begins, told_at=begins), appraised(ends))
        assert found.due_at == DUE + 7 * DAY
        assert (found.ended, found.suspended_at) == ("running", None)

    def test_while_it_lasts_nothing_is_missed(self) -> None:
        found = decision(appraising(DUE, told_at=DUE))
        assert (found.ended, found.suspended_at, found.due_at) == ("suspended", DUE, DUE)
        assert verdict(found, DUE + 99 * DAY) == "running"

    def test_begun_on_the_last_day_the_clock_has_that_day_again(self) -> None:
        begins, ends = DUE - timedelta(hours=3), AT + 40 * DAY
        assert decision(appraising(begins, told_at=begins), appraised(ends)).due_at == shanghai(
            "2026-04-11T23:59:59.999999"
        )

    def test_a_reply_during_it_is_in_time(self) -> None:
        sent = DUE + 30 * DAY
        found = decision(appraising(DUE, told_at=DUE), reply(sent))
        assert (found.ended, verdict(found, sent), found.suspended_at) == ("stopped", "met", None)

    def test_the_complainant_must_be_told(self) -> None:
        assert decision(appraising(AT + DAY), appraised(AT + 9 * DAY)).due_at == DUE
        assert did(appraising(AT + DAY), appraised(AT + 9 * DAY)) == ["start", "not-suspended"]

    def test_it_does_not_count_only_from_when_he_was_told(self) -> None:
        found = decision(appraising(AT + DAY, told_at=AT + 5 * DAY), appraised(AT + 9 * DAY))
        assert found.due_at == DUE + 4 * DAY

    def test_told_after_its_end_or_after_the_due_time_it_moves_nothing(self) -> None:
        assert decision(appraising(AT + DAY, told_at=AT + 9 * DAY), appraised(AT + 5 * DAY)).due_at == DUE
        late = decision(appraising(AT + DAY, told_at=DUE + INSTANT), appraised(DUE + 5 * DAY))
        assert (late.due_at, late.ended) == (DUE, "running")

    def test_two_at_once_count_once(self) -> None:
        other = UUID(int=99)
        facts = [
            appraising(AT + 2 * DAY, told_at=AT + 2 * DAY),
            appraising(AT + 4 * DAY, told_at=AT + 4 * DAY, appraisal_id=other),
            appraised(AT + 6 * DAY),
            appraised(AT + 8 * DAY, appraisal_id=other),
        ]
        assert decision(*facts).due_at == DUE + 6 * DAY
        assert decision(*facts[:3]).ended == "suspended"

    def test_on_one_and_the_same_day_it_moves_nothing(self) -> None:
        assert decision(appraising(AT + DAY, told_at=AT + DAY), appraised(AT + DAY)).due_at == DUE

    def test_an_extension_reaches_as_much_further(self) -> None:
        facts = [appraising(AT + DAY, told_at=AT + DAY), appraised(AT + 6 * DAY), longer(30, AT + 7 * DAY)]
        assert decision(*facts).due_at == DUE + 20 * DAY

    def test_the_house_goes_on(self) -> None:
        plain = clocks(numbered(received(AT)))
        assert clocks(numbered(received(AT), appraising(AT, told_at=AT))) == plain

    def test_hours_are_suspended_by_the_hour(self) -> None:
        text = HOURLY
        hour = timedelta(hours=1)
        start = numbered(received(AT), appraising(AT + hour, told_at=AT + hour), appraised(AT + 5 * hour))
        (found,) = clocks(start, [read_regime(text)])
        assert found.due_at == AT + 28 * hour

    def test_new_facts_during_it_begin_a_suspended_run(self) -> None:
        facts = [appraising(AT + DAY, told_at=AT + DAY), new_facts(AT + 3 * DAY), appraised(AT + 8 * DAY)]
        first, second = decisions(*facts)
        assert (first.ended, second.starts_at) == ("void", AT + 3 * DAY)
        assert second.due_at == shanghai("2026-03-24T23:59:59.999999")  # 10 March is day 1

    def test_the_days_are_told_one_by_one(self) -> None:
        facts = numbered(received(AT), appraising(AT + 3 * DAY, told_at=AT + 3 * DAY), appraised(AT + 5 * DAY))
        told = next(each for each in explain(facts, [CBIRC]) if each.clock.clock == "decision")
        assert [day.on.day for day in told.days if day.why == "suspended"] == [5, 6]
        assert [day.number for day in told.days if day.number] == list(range(1, 16))
        assert told.days[-1].on == told.calendar.local_day(told.clock.due_at)
        assert any("outside appraisal" in line for line in told.lines())


HOURLY = """
name = "hourly"
version = 1
title = "hours, for a test"
calendar = "china"
source = "made up"

[[clocks]]
name = "answer"
zh = "答复"
en = "Answer"
source = "made up"
starts = "complaint-received"
stops = ["reply-sent"]
limits = [{ amount = 24, unit = "hours" }]
suspensions = [{ begins = "appraisal-started", ends = "appraisal-ended", needs = ["complainant_told_at"] }]
"""


class TestNewFacts:
    def test_they_restart_the_clock_from_their_receipt(self) -> None:
        first, second = decisions(new_facts(AT + 4 * DAY))
        assert (first.ended, second.ended) == ("void", "running")
        assert (second.starts_at, second.due_at) == (AT + 4 * DAY, DUE + 4 * DAY)

    def test_after_the_due_time_the_miss_stands(self) -> None:
        first, second = decisions(new_facts(DUE + INSTANT))
        assert [verdict(clock, DUE + DAY) for clock in (first, second)] == ["missed", "running"]

    def test_after_the_reply_a_reopening_with_new_facts_restarts_it(self) -> None:
        again = reopened(AT + 20 * DAY)
        first, second = decisions(reply(AT + DAY), again)
        assert (verdict(first, DUE), second.starts_at) == ("met", AT + 20 * DAY)
        assert len(decisions(reply(AT + DAY), reopened(AT + 20 * DAY, new_facts=False))) == 1

    def test_an_extension_of_the_run_before_does_not_pass_on(self) -> None:
        _, second = decisions(longer(30, AT + DAY), new_facts(AT + 2 * DAY))
        assert str(second.limit) == "15 calendar days"


class TestWhichComplaints:
    def payments(self, at: datetime) -> ComplaintEvent:
        return classified(at).model_copy(update={"product": "payments"})

    def found(self, *facts: ComplaintEvent) -> dict[str, Clock]:
        return {clock.clock: clock for clock in clocks(numbered(received(AT), *facts), [FCA])}

    def test_a_payment_complaint_has_fifteen_business_days_instead_of_eight_weeks(self) -> None:
        assert set(self.found()) == {"summary-resolution", "final-response"}
        assert set(self.found(self.payments(AT + DAY))) == {"summary-resolution", "final-response-payments"}

    def test_it_counts_from_the_receipt_however_late_it_was_classified(self) -> None:
        assert self.found(self.payments(AT + 20 * DAY))["final-response-payments"].starts_at == AT

    def test_what_was_missed_is_not_classified_away(self) -> None:
        due_at = self.found(self.payments(AT))["final-response-payments"].due_at
        away = classified(due_at + INSTANT).model_copy(update={"product": "loans"})
        missed = self.found(self.payments(AT), away)["final-response-payments"]
        assert verdict(missed, due_at + DAY) == "missed"

    def test_in_time_it_is_classified_away(self) -> None:
        away = classified(AT + DAY).model_copy(update={"product": "loans"})
        assert set(self.found(self.payments(AT), away)) == {"summary-resolution", "final-response"}

    def test_a_holding_response_lengthens_payments_and_nothing_else(self) -> None:
        plain, both = self.found(), self.found(held(AT + DAY))
        assert both == plain
        longer_limit = self.found(self.payments(AT), held(AT + DAY))["final-response-payments"].limit
        assert str(longer_limit) == "35 working days"

    @pytest.mark.parametrize(("trait", "value"), [("channel", "phone"), ("urgent", "no"), ("transferred-by", "pboc")])
    def test_each_trait_can_choose(self, trait: str, value: str) -> None:
        applies = f'applies_to = {{ {trait} = ["{value}"] }}'
        text = HOURLY.replace("stops =", f"{applies}\nstops =")
        facts = numbered(received(AT), transferred("pboc", AT))
        assert len(clocks(facts, [read_regime(text)])) == 1
        assert clocks(facts, [read_regime(text.replace("applies_to", "except_for"))]) == []
        other = text.replace(f'["{value}"]', '["another"]')
        assert clocks(facts, [read_regime(other)]) == []

    def test_an_urgent_complaint_is_one_from_its_grade_on(self) -> None:
        text = HOURLY.replace("stops =", 'applies_to = { urgent = ["yes"] }\nstops =')
        urgent = graded("general", AT + DAY).model_copy(update={"urgent": True})
        (found,) = clocks(numbered(received(AT), urgent), [read_regime(text)])
        assert found.starts_at == AT


class TestRegradesOnTheLastDay:
    def found(self, *facts: ComplaintEvent) -> Clock:
        (_, resolution) = clocks(numbered(received(AT), *facts))
        return resolution

    def test_they_are_counted_and_both_limits_stay_visible(self) -> None:
        plain = self.found()
        on_the_day = self.found(graded("general", AT), regraded("major", plain.due_at - timedelta(hours=5)))
        assert on_the_day.regrades_on_last_day == 1
        assert (str(on_the_day.first_limit), str(on_the_day.limit)) == ("5 working days", "10 working days")
        assert on_the_day.first_due_at == plain.due_at < on_the_day.due_at

    def test_the_day_before_and_after_the_miss_they_are_not(self) -> None:
        due_at = self.found().due_at
        assert self.found(graded("general", AT), regraded("major", due_at - DAY)).regrades_on_last_day == 0
        late = self.found(graded("general", AT), regraded("major", due_at + INSTANT))
        assert (late.regrades_on_last_day, late.due_at) == (0, due_at)

    def test_a_first_grade_is_no_regrade(self) -> None:
        assert self.found(graded("major", self.found().due_at)).regrades_on_last_day == 0


def test_a_retired_file_is_kept_from_its_last_closing() -> None:
    from tests.deadlines.facts import ONE_OF_EACH

    closed = ONE_OF_EACH["complaint-closed"]
    facts = numbered(received(AT), closed(AT + DAY), reopened(AT + 5 * DAY), closed(AT + 9 * DAY))
    found = [clock for clock in clocks(facts, [REGIMES["retention"]]) if clock.clock == "pboc-file"]
    assert [(clock.ended, clock.starts_at) for clock in found] == [("void", AT + DAY), ("running", AT + 9 * DAY)]
    assert verdict(found[1], found[1].due_at + INSTANT) == "lapsed"


def test_a_withdrawal_during_an_appraisal_is_void() -> None:
    found = decision(appraising(AT + DAY, told_at=AT + DAY), withdrawn(DUE + 9 * DAY))
    assert (found.ended, found.suspended_at) == ("void", None)


class TestWhatIsRecordedNeverStopsAnybody:
    """A regime is refused before it is published where no clock could follow it; one that is recorded is read for ever."""

    def test_a_precondition_that_no_fact_can_meet_is_not_met(self) -> None:
        asks = CBIRC.clocks[0].suspensions[0].model_copy(update={"needs": ("told_at",)})
        regime = CBIRC.model_copy(update={"clocks": (CBIRC.clocks[0].model_copy(update={"suspensions": (asks,)}),)})
        (run,) = runs(numbered(received(AT), appraising(AT + DAY, told_at=AT + DAY)), [regime])
        assert [step.did for step in run.steps] == ["start", "not-suspended"]

    @pytest.mark.parametrize("unit", ["years", "months", "weeks", "working-days"])
    def test_a_limit_or_a_warning_beyond_all_days_is_computed(self, unit: str) -> None:
        span = Span(amount=10_000, unit=Unit(unit))
        limit = CBIRC.clocks[0].limits[0].model_copy(update={"amount": 10_000, "unit": Unit(unit)})
        rule = CBIRC.clocks[0].model_copy(update={"limits": (limit,), "warn_before": (span,)})
        (run,) = runs(numbered(received(AT)), [CBIRC.model_copy(update={"clocks": (rule,)})])
        assert AT < run.clock.due_at < NEVER
        assert warned_at(span, DUE, AT, run.calendar) == AT
