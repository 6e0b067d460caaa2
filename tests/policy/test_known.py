"""Deadlines in two times: what was known of a verdict is not changed by any policy that is published later."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

from ledger.complaint.events import ComplaintEvent
from ledger.deadlines.calendar import INSTANT
from ledger.deadlines.clock import Clock, verdict
from ledger.deadlines.explain import explained
from ledger.policy.built_in import built_in_policies
from ledger.policy.events import PolicyEvent, RegimeRetired
from ledger.policy.known import Entry, Known, issued_anew, known_at, timeline, verdicts
from tests.deadlines.facts import (
    ONE_OF_EACH,
    annulled,
    corrected,
    graded,
    new_facts,
    received,
    regraded,
    reply,
    shanghai,
    transferred,
    withdrawn,
)
from tests.policy.stories import calendar_published, china, house, regime_published

DAY = timedelta(days=1)
AT = shanghai("2026-12-24T10:00")
"""Five working days from here run into 2027, of which nobody has announced the holidays."""

PROVISIONAL_DUE = shanghai("2026-12-31T23:59:59.999999")
NEW_YEAR = [date(2026, 12, 31), date(2027, 1, 1)]


def book(*told: tuple[datetime, ComplaintEvent | PolicyEvent], in_force: Sequence[str] = ("house",)) -> list[Entry]:
    """A new book, and what was recorded in it at these times."""
    founded = [(datetime(2026, 1, 1, tzinfo=UTC), each) for each in _founding(tuple(in_force))]
    return [Entry(position, at, event) for position, (at, event) in enumerate([*founded, *told], start=1)]


def _founding(in_force: tuple[str, ...]) -> list[PolicyEvent]:
    return built_in_policies("setup", datetime(2026, 1, 1, tzinfo=UTC), in_force)


FIRST = len(_founding(())) + 1
"""The position of the first event after the founding."""


def resolution(told: Sequence[Known], position: int) -> Clock:
    return next(run.clock for run in known_at(told, position) if run.clock.clock == "resolution")


def announcing(*more: date, version: int = 2) -> PolicyEvent:
    return calendar_published(china(version, date(2027, 12, 28), *more))


class TestACalendarIsPublished:
    def test_a_provisional_deadline_is_issued_anew_and_both_stay_known(self) -> None:
        told = timeline(book((AT, received(AT)), (AT + DAY, announcing(*NEW_YEAR))))
        before, after = resolution(told, FIRST), resolution(told, FIRST + 1)
        assert (before.due_at, before.provisional, before.calendar_version) == (PROVISIONAL_DUE, True, 1)
        assert (after.due_at, after.provisional, after.calendar_version) == (PROVISIONAL_DUE + 4 * DAY, False, 2)
        assert [(each.known_from, each.known_to) for each in told] == [(FIRST, FIRST + 1), (FIRST + 1, None)]
        (anew,) = issued_anew(told[0].runs, told[1].runs)
        assert (anew.before.clock, anew.after.clock) == (before, after)

    def test_what_was_missed_by_then_stays_missed(self) -> None:
        published = PROVISIONAL_DUE + INSTANT
        told = timeline(book((AT, received(AT)), (published, announcing(*NEW_YEAR))))
        assert resolution(told, FIRST + 1) == resolution(told, FIRST)
        assert verdict(resolution(told, FIRST + 1), published) == "missed"

    def test_at_its_last_instant_it_is_not_missed_yet(self) -> None:
        told = timeline(book((AT, received(AT)), (PROVISIONAL_DUE, announcing(*NEW_YEAR))))
        assert resolution(told, FIRST + 1).calendar_version == 2

    def test_what_was_answered_stays_answered(self) -> None:
        late = PROVISIONAL_DUE + INSTANT
        told = timeline(book((AT, received(AT)), (late, reply(late)), (late + DAY, announcing(*NEW_YEAR))))
        assert len(told) == 2
        assert verdict(resolution(told, FIRST + 2), late) == "missed"

    def test_a_settled_deadline_keeps_its_calendar(self) -> None:
        early = shanghai("2026-03-02T10:00")
        corrected_days = calendar_published(china(2, date(2026, 12, 28), date(2026, 3, 4)))
        told = timeline(book((early, received(early)), (early + DAY, corrected_days)))
        assert len(told) == 1
        assert resolution(told, FIRST + 1).calendar_version == 1

    def test_a_new_complaint_goes_by_the_newest(self) -> None:
        told = timeline(book((AT, announcing(*NEW_YEAR)), (AT + DAY, received(AT))))
        assert (resolution(told, FIRST + 1).calendar_version, len(told)) == (2, 1)

    def test_a_limit_that_is_put_in_place_later_is_issued_by_the_newest(self) -> None:
        early = shanghai("2026-03-02T10:00")
        wrong = calendar_published(china(2, date(2026, 12, 28), date(2026, 3, 11)))
        told = timeline(
            book((early, received(early)), (early + DAY, wrong), (early + 2 * DAY, graded("major", early + 2 * DAY)))
        )
        last = resolution(told, FIRST + 2)
        assert (last.calendar_version, last.due_at) == (2, shanghai("2026-03-17T23:59:59.999999"))
        assert last.first_due_at == resolution(told, FIRST).due_at

    def test_a_reply_that_was_annulled_leaves_a_deadline_to_be_issued_anew(self) -> None:
        told = timeline(
            book(
                (AT, received(AT)),
                (AT + DAY, reply(AT + DAY)),
                (AT + 2 * DAY, announcing(*NEW_YEAR)),
                (AT + 3 * DAY, annulled(2, AT + 3 * DAY)),
            )
        )
        assert resolution(told, FIRST + 2).calendar_version == 1
        assert resolution(told, FIRST + 3).calendar_version == 2


class TestARegimeIsPublished:
    EARLY = shanghai("2026-03-02T10:00")
    SIX = house(2, general=6)

    def test_it_applies_to_what_starts_on_its_day_and_not_to_what_runs(self) -> None:
        published = regime_published(self.SIX, date(2026, 3, 4))
        before = timeline(book((self.EARLY, received(self.EARLY)), (self.EARLY, published)))
        assert resolution(before, FIRST + 1).regime_version == 1
        assert len(before) == 1
        for day, version in ((1, 1), (2, 2)):
            at = shanghai("2026-03-02T00:00") + day * DAY
            told = timeline(book((self.EARLY, published), (at, received(at))))
            assert (resolution(told, FIRST + 1).regime_version, version) == (version, version)

    def test_a_late_record_goes_by_the_day_on_which_it_was_received(self) -> None:
        published = regime_published(self.SIX, date(2026, 3, 4))
        told = timeline(book((self.EARLY, published), (self.EARLY + 90 * DAY, received(self.EARLY))))
        assert resolution(told, FIRST + 1).regime_version == 1

    def test_even_one_that_reaches_back_changes_nothing_known(self) -> None:
        """The rules refuse it; a record that holds it all the same is still read so."""
        published = regime_published(self.SIX, date(2020, 1, 1))
        told = timeline(book((self.EARLY, received(self.EARLY)), (self.EARLY + DAY, published)))
        assert len(told) == 1

    def test_a_restart_goes_by_the_version_of_its_own_day(self) -> None:
        published = regime_published(self.SIX, date(2026, 3, 4))
        told = timeline(
            book(
                (self.EARLY, received(self.EARLY)),
                (self.EARLY, published),
                (self.EARLY + 3 * DAY, new_facts(self.EARLY + 3 * DAY)),
                in_force=("house", "cbirc-2020-3"),
            )
        )
        found = [run.clock for run in told[-1].runs if run.clock.regime == "cbirc-2020-3"]
        assert [clock.ended for clock in found] == ["void", "running"]

    def test_a_retired_regime_ends_no_clock_that_runs(self) -> None:
        retired = RegimeRetired(
            name="house", retired_from=date(2026, 3, 4), reason="replaced", decided_by="chen", decided_at=self.EARLY
        )
        told = timeline(book((self.EARLY, received(self.EARLY)), (self.EARLY, retired)))
        assert len(told) == 1
        after = shanghai("2026-03-04T00:00")
        assert [each.runs for each in timeline(book((self.EARLY, retired), (after, received(after))))] == [()]


class TestRegrading:
    def test_after_its_five_days_the_miss_stands_and_before_both_limits_stay_visible(self) -> None:
        early = shanghai("2026-03-02T10:00")
        due_at = shanghai("2026-03-09T23:59:59.999999")
        general = (early, graded("general", early))
        for at, version in ((due_at, 10), (due_at + INSTANT, 5)):
            told = timeline(book((early, received(early)), general, (at, regraded("major", at))))
            last = resolution(told, FIRST + 2)
            assert last.limit.amount == version
            assert (last.first_due_at, last.first_limit.amount) == (due_at, 5)
            assert last.regrades_on_last_day == (version == 10)
            assert resolution(told, FIRST + 1).due_at == due_at

    def test_a_regrade_recorded_late_gives_a_later_verdict_and_both_can_be_asked_for(self) -> None:
        early = shanghai("2026-03-02T10:00")
        recorded = early + 20 * DAY
        told = timeline(
            book(
                (early, received(early)),
                (early + 9 * DAY, reply(early + 9 * DAY)),
                (recorded, graded("major", early + DAY)),
            )
        )
        judged = [dict(_judged(told, position)) for position in (FIRST + 1, FIRST + 2)]
        assert [each["resolution"] for each in judged] == ["missed", "met"]


def _judged(told: Sequence[Known], position: int) -> list[tuple[str, str]]:
    return [(clock.clock, said) for clock, said in verdicts(told, position, shanghai("2026-12-31T00:00"))]


KINDS = [name for name in ONE_OF_EACH if name not in {"complaint-received", "fact-annulled", "fact-corrected"}]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, ComplaintEvent | PolicyEvent]]:
    """A complaint in which facts come early and late, and its receipt may be corrected or a fact annulled."""
    at = shanghai("2026-12-01T08:00") + timedelta(hours=draw(st.integers(0, 24 * 40)))
    recorded = at
    told: list[tuple[datetime, ComplaintEvent | PolicyEvent]] = [(at, received(at))]
    for name in draw(st.lists(st.sampled_from([*KINDS, "annul", "correct"]), max_size=6)):
        recorded += timedelta(hours=draw(st.integers(0, 24 * 9)))
        happened = recorded - timedelta(hours=draw(st.sampled_from([0, 0, 30, 200])))
        if name == "annul":
            told.append((recorded, annulled(draw(st.integers(1, len(told) + 1)), recorded)))
        elif name == "correct":
            told.append((recorded, corrected(1, received(at - timedelta(days=draw(st.integers(0, 9)))), recorded)))
        else:
            told.append((recorded, ONE_OF_EACH[name](max(happened, at))))
    return told


@st.composite
def publications(draw: st.DrawFn) -> list[PolicyEvent]:
    """Corrected calendars and regimes, some of them reaching back further than the rules allow."""
    found: list[PolicyEvent] = []
    for number in range(draw(st.integers(1, 4))):
        off = draw(st.lists(st.dates(date(2026, 12, 1), date(2027, 2, 28)), max_size=6, unique=True))
        if draw(st.booleans()):
            through = draw(st.sampled_from([date(2026, 12, 28), date(2027, 1, 15), date(2027, 12, 28)]))
            found.append(calendar_published(china(number + 2, through, *(on for on in off if on <= through))))
        else:
            since = draw(st.dates(date(2026, 11, 1), date(2027, 2, 28)))
            limits = {"general": draw(st.integers(1, 9)), "major": draw(st.integers(1, 20))}
            found.append(regime_published(house(number + 2, **limits), since))
    return found


def written(told: Sequence[Known], before: int | None = None) -> bytes:
    """Everything that was known, byte for byte, derivations included; `before` a position, as it was said then."""
    kept = [each for each in told if before is None or each.known_from < before]
    spans = [
        each._replace(known_to=each.known_to if before is None or (each.known_to or before) < before else None)
        for each in kept
    ]
    said = [
        (each.known_from, each.known_to, [explained(run).lines() for run in each.runs], each.clocks) for each in spans
    ]
    return orjson.dumps(to_jsonable_python(said))


@given(histories(), publications(), st.data())
def test_publishing_changes_nothing_that_was_known(
    facts: list[tuple[datetime, ComplaintEvent | PolicyEvent]], published: list[PolicyEvent], data: st.DataObject
) -> None:
    """Published at random points: every earlier "as known" answer stays, byte for byte, and every verdict with it."""
    events = list(facts)
    for event in published:
        place = data.draw(st.integers(0, len(events)))
        at = events[place - 1][0] if place else facts[0][0] - DAY
        events.insert(place, (at + timedelta(seconds=place), event))
    entries = book(*events)
    whole = timeline(entries)
    for length in range(FIRST, len(entries) + 1):
        then = timeline(entries[:length])
        assert written(then) == written(whole, before=length + 1)
    for entry in entries[FIRST - 1 :]:
        if isinstance(entry.event, PolicyEvent):
            _nothing_unsaid(whole, entry)


def _nothing_unsaid(whole: Sequence[Known], entry: Entry) -> None:
    """A policy changes no verdict that was known when it was recorded: only a provisional due time that still ran."""
    before, after = known_at(whole, entry.position - 1), known_at(whole, entry.position)
    later = {run.begun: run.clock for run in after}
    for run in before:
        clock, now = run.clock, later[run.begun]
        if verdict(clock, entry.recorded_at) != "running" or not clock.provisional:
            assert now == clock
        else:
            assert (now.starts_at, now.regime_version, now.ended) == (
                clock.starts_at,
                clock.regime_version,
                clock.ended,
            )
    new = [run.clock for run in after if run.begun not in {each.begun for each in before}]
    assert all(clock.regime_version > 1 for clock in new) or not before


@given(histories())
def test_asking_again_gives_the_same_bytes(facts: list[tuple[datetime, ComplaintEvent | PolicyEvent]]) -> None:
    entries = book(*facts, in_force=("house", "cbirc-2020-3", "pboc-2020-5"))
    assert written(timeline(entries)) == written(timeline(entries))


def test_several_regimes_run_at_once() -> None:
    told = timeline(
        book(
            (AT, received(AT)),
            (AT, transferred("pboc", AT)),
            (AT + DAY, withdrawn(AT + DAY)),
            in_force=("house", "house-2735", "cbirc-2020-3", "pboc-2020-5", "fca-disp", "cfpb", "retention"),
        )
    )
    assert {run.clock.regime for run in told[-1].runs} == {
        "house",
        "house-2735",
        "cbirc-2020-3",
        "pboc-2020-5",
        "fca-disp",
        "retention",
    }


def test_publishing_what_is_built_in_into_an_old_book_changes_nothing() -> None:
    """Neither all of it nor, while it is being published, a part of it."""
    founding = [(AT + 2 * DAY, each) for each in _founding(("house",))]
    told = timeline(
        Entry(position, at, event)
        for position, (at, event) in enumerate(
            [(AT, received(AT)), (AT + DAY, graded("major", AT)), *founding], start=1
        )
    )
    assert [(each.known_from, each.known_to) for each in told] == [(1, 2), (2, None)]
