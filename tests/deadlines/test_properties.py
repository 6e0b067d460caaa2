"""What holds of every deadline, whatever the facts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.complaint.events import ComplaintEvent
from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import INSTANT, built_in_calendars
from ledger.deadlines.clock import clocks, verdict
from ledger.deadlines.explain import explain
from ledger.deadlines.regime import Span
from ledger.deadlines.span import due
from tests.deadlines.facts import ONE_OF_EACH, numbered, received, reply

CHINA = built_in_calendars()["china"]
EPOCH = datetime(2004, 1, 1, tzinfo=UTC)

instants = st.integers(0, 24 * 365 * 86_400 * 10).map(lambda tenths: EPOCH + timedelta(seconds=tenths / 10))
spans = st.builds(Span, amount=st.integers(1, 60), unit=st.sampled_from(Unit))
delays = st.one_of(
    st.timedeltas(timedelta(0), timedelta(days=40)), st.integers(0, 40).map(lambda days: timedelta(days=days))
)
kinds = st.sampled_from([name for name in ONE_OF_EACH if name not in {"fact-annulled", "fact-corrected"}])
histories = st.builds(
    lambda at, later: [received(at), *(ONE_OF_EACH[name](at + delay) for name, delay in later)],
    instants,
    st.lists(st.tuples(kinds, delays), max_size=8),
)


@given(spans, instants, instants)
def test_who_complains_later_is_not_due_earlier(span: Span, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert due(span, earlier, CHINA)[0] <= due(span, later, CHINA)[0]


@given(spans, instants)
def test_a_longer_limit_is_due_later_and_every_limit_after_its_start(span: Span, at: datetime) -> None:
    longer = Span(amount=span.amount + 1, unit=span.unit)
    assert at < due(span, at, CHINA)[0] < due(longer, at, CHINA)[0]


@given(st.integers(1, 60), instants)
def test_a_limit_of_working_days_holds_that_many_whole_ones_after_the_day_of_the_start(days: int, at: datetime) -> None:
    due_at, _ = due(Span(amount=days, unit=Unit.WORKING_DAYS), at, CHINA)
    last = CHINA.local_day(due_at)
    assert CHINA.is_working_day(last)
    assert CHINA.local_day(due_at + INSTANT) == last + timedelta(days=1)
    on, counted = CHINA.local_day(at), 0
    while on < last:
        on += timedelta(days=1)
        counted += CHINA.is_working_day(on)
    assert counted == days


@given(instants, delays)
def test_a_reply_is_met_until_the_due_time_and_missed_after_it(at: datetime, delay: timedelta) -> None:
    sent_at = at + delay
    for clock in clocks(numbered(received(at), reply(sent_at))):
        assert verdict(clock, sent_at) == ("met" if sent_at <= clock.due_at else "missed")


@given(histories, st.randoms())
def test_the_order_of_recording_changes_no_clock(facts: list[ComplaintEvent], random: object) -> None:
    recorded = numbered(*facts)
    shuffled = list(recorded)
    random.shuffle(shuffled)  # the version stays with its fact
    assert clocks(shuffled) == clocks(recorded)


@given(histories)
def test_time_passing_turns_running_into_missed_and_nothing_else(facts: list[ComplaintEvent]) -> None:
    for clock in clocks(numbered(*facts)):
        seen = [verdict(clock, now) for now in (clock.starts_at, clock.due_at, clock.due_at + INSTANT)]
        assert len(set(seen)) == 1 or seen == ["running", "running", "missed"]
        assert (verdict(clock, clock.starts_at) == "running") == (clock.ended == "running")


@given(histories)
def test_a_miss_that_is_known_stands_whatever_happens_afterwards(facts: list[ComplaintEvent]) -> None:
    """No later fact but one that says no time can unmake it; an outcome stated without one leaves it unknown."""
    before = {clock.clock: clock for clock in clocks(numbered(facts[0]))}
    after_due = [ONE_OF_EACH[name](before["resolution"].due_at + INSTANT) for name in ONE_OF_EACH]
    for fact in after_due:
        for clock in clocks(numbered(facts[0], fact)):
            late = before[clock.clock].due_at + INSTANT
            assert verdict(clock, late) in ({"unknown"} if clock.ended == "stopped-at-unknown-time" else {"missed"})


@given(histories)
def test_an_explanation_counts_as_many_days_as_the_limit_has_and_ends_on_the_due_day(
    facts: list[ComplaintEvent],
) -> None:
    for explained in explain(numbered(*facts)):
        counted = [day for day in explained.days if day.number is not None]
        if explained.limit.elapses:
            assert not explained.days
            continue
        assert [day.number for day in counted] == list(range(1, explained.limit.amount + 1))
        assert explained.days[0].on == CHINA.local_day(explained.clock.starts_at)
        assert explained.days[-1].on == counted[-1].on == CHINA.local_day(explained.clock.due_at)
        assert explained.clock.provisional == (not all(day.settled for day in explained.days))


@given(histories)
def test_the_same_facts_give_the_same_bytes(facts: list[ComplaintEvent]) -> None:
    told = [[line for explained in explain(numbered(*facts)) for line in explained.lines()] for _ in range(2)]
    assert told[0] == told[1]
