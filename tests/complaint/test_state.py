"""Folding: total over every fact in any order, and the same in any split."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.complaint.events import COMPLAINT_NAMES, AnyComplaintEvent, ComplaintEvent, FactAnnulled, FactCorrected
from ledger.complaint.state import Complaint, effective, evolve, fold
from tests.complaint.story import CONTACT, RECEIVED, REGISTERED, at, fact, fact_annulled, fact_corrected, recorded

PLAIN = [recorded(fact(name)) for name, kind in COMPLAINT_NAMES.items() if kind not in (FactAnnulled, FactCorrected)]

facts = st.one_of(
    st.sampled_from(PLAIN),
    st.builds(fact_annulled, st.integers(1, 12)),
    st.builds(fact_corrected, st.integers(1, 12), st.sampled_from(PLAIN)),
)
histories = st.lists(facts, max_size=15)


def test_the_union_and_the_stored_names_hold_the_same_classes() -> None:
    assert set(AnyComplaintEvent.__args__) == set(COMPLAINT_NAMES.values())


@given(histories, st.data())
def test_folding_in_any_split_gives_the_same_state(events: list[ComplaintEvent], data: st.DataObject) -> None:
    split = data.draw(st.integers(0, len(events)))
    whole = fold(events)
    assert fold(events[split:], fold(events[:split])) == whole
    assert whole.version == len(events)


@given(histories)
def test_any_history_folds_and_what_stands_keeps_its_place(events: list[ComplaintEvent]) -> None:
    standing = effective(events)
    versions = [version for version, _ in standing]
    assert versions == sorted(versions)
    annulled = {event.annulled_version for event in events if isinstance(event, FactAnnulled)}
    amendments = {version for version, event in enumerate(events, 1) if isinstance(event, FactAnnulled | FactCorrected)}
    assert amendments.isdisjoint(versions)
    late = {
        event.annulled_version
        for version, event in enumerate(events, 1)
        if isinstance(event, FactAnnulled) and event.annulled_version < version
    }
    assert late.isdisjoint(versions)
    assert set(range(1, len(events) + 1)) - amendments - annulled <= set(versions)


def test_evolving_does_not_touch_the_state_before() -> None:
    before = fold(PLAIN[:12])
    copy = fold(PLAIN[:12])
    for event in PLAIN:
        evolve(before, event)
    assert before == copy
    assert Complaint() == fold([])


def test_an_amendment_folds_anew_what_stands() -> None:
    moved = recorded(fact("complaint-received", received_at=at(-3)))
    events = [recorded(RECEIVED), recorded(REGISTERED), fact_annulled(2), fact_corrected(1, moved)]
    complaint = fold(events)
    assert (complaint.reference, complaint.received_at, complaint.version) == (None, at(-3), 4)
    assert fold(events[:2]).reference == "2025-0001-AAAA"
    assert effective(events) == [(1, moved)]


def test_what_was_annulled_cannot_be_corrected_back() -> None:
    events = [recorded(RECEIVED), recorded(CONTACT), fact_annulled(2), fact_corrected(2, recorded(CONTACT))]
    assert effective(events) == [(1, events[0])]
