"""What the passing of time has brought about: each threshold once, in a stream that only it can have."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.complaint.events import ComplaintEvent
from ledger.deadlines.calendar import INSTANT, built_in_calendars
from ledger.deadlines.clock import Run, runs, verdict
from ledger.deadlines.regime import Span, built_in_regimes
from ledger.deadlines.span import due, warned_at
from ledger.policy.known import issued_anew, timeline
from ledger.proof.verifier import deadlines_begin
from ledger.timekeeping.events import DeadlineApproaching, DeadlineIssuedAnew, DeadlineMissed
from ledger.timekeeping.owed import Owed, next_owed_at, owed, owed_anew
from ledger.timekeeping.streams import deadline_streams
from tests.deadlines.facts import (
    ONE_OF_EACH,
    appraising,
    first_reply,
    graded,
    numbered,
    received,
    reply,
    shanghai,
    stated,
    withdrawn,
)
from tests.policy.test_known import AT as CHRISTMAS
from tests.policy.test_known import NEW_YEAR, PROVISIONAL_DUE, announcing, book

COMPLAINT = UUID("5e9d3a52-7c0e-4b83-9b1f-2d6f1f6a9c11")
AT = shanghai("2025-09-26T10:00")
REPLY_WARNED = shanghai("2025-09-27T06:00")
REPLY_DUE = shanghai("2025-09-27T10:00")
WARNED = shanghai("2025-10-10T00:00")
DUE = shanghai("2025-10-10T23:59:59.999999")
LATER = shanghai("2026-01-01T00:00")
DAY = timedelta(days=1)


def of(*facts: ComplaintEvent, regime: str = "house") -> list[Run]:
    return runs(numbered(received(AT), *facts), [each for each in built_in_regimes() if each.name == regime])


def told(found: list[Owed]) -> list[tuple[str, str, datetime]]:
    return [(type(each.event).__name__, each.event.clock, each.since) for each in found]


EVERYTHING = [
    ("DeadlineApproaching", "first-reply", REPLY_WARNED),
    ("DeadlineMissed", "first-reply", REPLY_DUE + INSTANT),
    ("DeadlineApproaching", "resolution", WARNED),
    ("DeadlineMissed", "resolution", DUE + INSTANT),
]


def test_a_complaint_that_nobody_touches_passes_every_threshold_once() -> None:
    assert told(owed(COMPLAINT, of(), LATER)) == EVERYTHING


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (AT, 0),
        (REPLY_WARNED - INSTANT, 0),
        (REPLY_WARNED, 1),
        (REPLY_DUE, 1),
        (REPLY_DUE + INSTANT, 2),
        (WARNED - INSTANT, 2),
        (WARNED, 3),
        (DUE, 3),
        (DUE + INSTANT, 4),
    ],
)
def test_each_is_owed_from_its_instant_on(now: datetime, count: int) -> None:
    assert told(owed(COMPLAINT, of(), now)) == EVERYTHING[:count]
    ahead = [since for *_, since in EVERYTHING[count:]]
    assert next_owed_at(of(), now) == (min(ahead) if ahead else None)


def test_both_the_true_time_and_the_versions_are_stated() -> None:
    approaching, missed = (each.event for each in owed(COMPLAINT, of(), LATER)[2:])
    assert isinstance(approaching, DeadlineApproaching)
    assert isinstance(missed, DeadlineMissed)
    assert (approaching.due_at, approaching.approached_at, str(approaching.before)) == (DUE, WARNED, "1 working days")
    assert (missed.due_at, missed.starts_at, missed.complaint_id) == (DUE, AT, COMPLAINT)
    assert (missed.regime, missed.regime_version, missed.calendar_version, str(missed.limit)) == (
        "house",
        1,
        1,
        "5 working days",
    )


class TestWhatStopsBefore:
    def test_an_answer_in_time_leaves_nothing_owed(self) -> None:
        assert owed(COMPLAINT, of(first_reply(AT), reply(AT + DAY)), LATER) == []

    def test_an_answer_after_the_warning_leaves_the_warning(self) -> None:
        assert told(owed(COMPLAINT, of(first_reply(AT), reply(DUE)), LATER)) == EVERYTHING[2:3]

    def test_a_late_answer_leaves_the_miss_though_nobody_noticed_it_before(self) -> None:
        found = owed(COMPLAINT, of(reply(LATER - DAY)), LATER)
        assert told(found) == EVERYTHING

    def test_a_withdrawal_in_time_leaves_nothing_that_comes_after_it(self) -> None:
        assert told(owed(COMPLAINT, of(first_reply(AT), withdrawn(WARNED + INSTANT)), LATER)) == EVERYTHING[2:3]

    def test_where_the_time_of_the_end_is_unknown_nothing_can_be_said(self) -> None:
        assert owed(COMPLAINT, of(stated(final=True)), LATER) == []

    def test_a_suspended_clock_owes_nothing(self) -> None:
        at = AT + DAY
        assert owed(COMPLAINT, of(appraising(at, told_at=at), regime="cbirc-2020-3"), LATER) == []

    def test_a_window_of_somebody_else_and_a_file_are_not_missed(self) -> None:
        closed = ONE_OF_EACH["complaint-closed"](AT)
        assert owed(COMPLAINT, of(closed, regime="retention"), AT + 9999 * DAY) == []

    def test_only_from_some_time_on_where_history_was_imported(self) -> None:
        assert told(owed(COMPLAINT, of(), LATER, since=WARNED)) == EVERYTHING[2:]


class TestStreams:
    def test_the_same_fact_has_the_same_stream_and_every_other_another(self) -> None:
        again = owed(COMPLAINT, of(), LATER)
        assert again == owed(COMPLAINT, of(), LATER + DAY)
        other = owed(UUID(int=7), of(), LATER)
        assert len({each.stream_id for each in (*again, *other)}) == 8

    def test_another_limit_has_thresholds_of_its_own(self) -> None:
        general, major = owed(COMPLAINT, of(), LATER), owed(COMPLAINT, of(graded("major", AT)), LATER)
        assert {each.stream_id for each in general[:2]} == {each.stream_id for each in major[:2]}
        assert not {each.stream_id for each in general[2:]} & {each.stream_id for each in major[2:]}

    def test_a_corrected_receipt_starts_other_thresholds(self) -> None:
        earlier = runs(numbered(received(AT - DAY)))
        assert not {each.stream_id for each in owed(COMPLAINT, earlier, LATER)} & {
            each.stream_id for each in owed(COMPLAINT, of(), LATER)
        }

    def test_an_id_is_what_it_was(self) -> None:
        """Pinned: another id for the same fact would record it twice."""
        assert [str(each.stream_id) for each in owed(COMPLAINT, of(), LATER)] == [
            "ee3e4995-71a7-5d86-a3e5-6a4dfb02991d",
            "ee3e4995-71a7-5d86-920a-0ef7ec4d13da",
            "ee3e4995-71a7-5d86-9d92-a21eb1a684aa",
            "ee3e4995-71a7-5d86-9a20-2a88ee6003e7",
        ]

    def test_a_stranger_finds_them_by_the_complaints_id(self) -> None:
        """As `verifier.py` does, and as the database is asked: an id is a UUID of version 5 still."""
        first, last = deadline_streams(COMPLAINT)
        ids = [each.stream_id for each in owed(COMPLAINT, of(), LATER)]
        assert all(first < each < last and each.version == 5 for each in ids)
        assert {str(each)[:18] for each in ids} == {deadlines_begin(str(COMPLAINT))}
        other = deadline_streams(UUID(int=COMPLAINT.int + 1))
        assert not any(other.first <= each <= other.last for each in ids)


def test_a_deadline_that_is_issued_anew_is_a_fact_too() -> None:
    known = timeline(book((CHRISTMAS, received(CHRISTMAS)), (CHRISTMAS + DAY, announcing(*NEW_YEAR))))
    (found,) = owed_anew(COMPLAINT, issued_anew(known[0].runs, known[1].runs), CHRISTMAS + DAY)
    assert isinstance(found.event, DeadlineIssuedAnew)
    assert (found.event.due_before_at, found.event.due_at) == (PROVISIONAL_DUE, PROVISIONAL_DUE + 4 * DAY)
    assert (found.event.calendar_version_before, found.event.calendar_version) == (1, 2)
    assert owed_anew(COMPLAINT, issued_anew(known[1].runs, known[1].runs), LATER) == []


WARNINGS = [
    # starts, limit, warning before, the instant of the warning
    ("2025-09-26T10:00", (24, "hours"), (4, "hours"), "2025-09-27T06:00"),
    ("2025-09-26T10:00", (90, "minutes"), (30, "minutes"), "2025-09-26T11:00"),
    ("2025-09-26T10:00", (5, "working-days"), (1, "working-days"), "2025-10-10T00:00"),
    ("2025-09-26T10:00", (5, "working-days"), (2, "working-days"), "2025-10-09T00:00"),
    ("2025-09-26T10:00", (5, "working-days"), (3, "working-days"), "2025-09-30T00:00"),  # before the festival
    ("2025-09-26T10:00", (15, "calendar-days"), (3, "calendar-days"), "2025-10-09T00:00"),
    ("2025-09-26T10:00", (8, "weeks"), (2, "weeks"), "2025-11-08T00:00"),
    ("2025-09-26T10:00", (6, "months"), (1, "months"), "2026-02-27T00:00"),
    ("2025-09-26T10:00", (1, "calendar-days"), (9, "calendar-days"), "2025-09-26T10:00"),  # never before the start
    ("2025-09-26T10:00", (1, "hours"), (4, "hours"), "2025-09-26T10:00"),
    ("2025-09-26T10:00", (8, "calendar-days"), (1, "working-days"), "2025-09-30T00:00"),  # due in the festival
]


@pytest.mark.parametrize(("starts", "limit", "before", "warned"), WARNINGS)
def test_a_warning_comes_when_no_more_is_left(
    starts: str, limit: tuple[int, str], before: tuple[int, str], warned: str
) -> None:
    china, at = built_in_calendars()["china"], shanghai(starts)
    spans = [Span.model_validate({"amount": amount, "unit": unit}) for amount, unit in (limit, before)]
    due_at, _ = due(spans[0], at, china)
    assert warned_at(spans[1], due_at, at, china) == shanghai(warned)


KINDS = [name for name in ONE_OF_EACH if name not in {"complaint-received", "fact-annulled", "fact-corrected"}]
facts = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 24 * 40)), max_size=6)


@given(facts, st.lists(st.integers(0, 24 * 60), max_size=8))
def test_however_often_anybody_looks_the_same_is_owed_in_the_end(
    told_facts: list[tuple[str, int]], looks: list[int]
) -> None:
    found = of(*(ONE_OF_EACH[name](AT + timedelta(hours=hours)) for name, hours in told_facts))
    end = AT + timedelta(hours=24 * 60)
    recorded: dict[UUID, Owed] = {}
    for hours in [*sorted(looks), 24 * 60]:
        for each in owed(COMPLAINT, found, AT + timedelta(hours=hours)):
            assert recorded.setdefault(each.stream_id, each) == each
    assert list(recorded.values()) == owed(COMPLAINT, found, end)


@given(facts)
def test_a_miss_is_owed_exactly_where_the_verdict_is_missed(told_facts: list[tuple[str, int]]) -> None:
    found = of(*(ONE_OF_EACH[name](AT + timedelta(hours=hours)) for name, hours in told_facts))
    for run in found:
        missed = [each for each in owed(COMPLAINT, [run], LATER) if isinstance(each.event, DeadlineMissed)]
        assert len(missed) == (verdict(run.clock, LATER) == "missed")
