"""States that are kept between commands: never stale, bounded, let go of when the record does not bear them out."""

from uuid import UUID, uuid4

from ledger.states import States
from ledger.subjects import subject_named

COMPLAINT = subject_named("complaint")


def test_nothing_is_known_of_a_subject_that_was_not_kept() -> None:
    assert States().get(COMPLAINT, uuid4()) == (COMPLAINT.nothing, 0)


def test_the_newest_state_takes_the_place_of_the_one_before() -> None:
    states, stream = States(), uuid4()
    states.keep(COMPLAINT, stream, "first", 3)
    states.keep(COMPLAINT, stream, "second", 5)
    assert states.get(COMPLAINT, stream) == ("second", 5)
    assert states.get(subject_named("customer"), stream) == (subject_named("customer").nothing, 0)


def test_the_longest_unused_goes_first_when_there_are_too_many_events() -> None:
    states = States(events_max=10)
    one, two, three = uuid4(), uuid4(), uuid4()
    states.keep(COMPLAINT, one, "one", 4)
    states.keep(COMPLAINT, two, "two", 4)
    states.get(COMPLAINT, one)
    states.keep(COMPLAINT, three, "three", 4)
    assert [known(states, stream) for stream in (one, two, three)] == ["one", None, "three"]
    states.forget(COMPLAINT, one)
    states.keep(COMPLAINT, two, "two", 6)
    assert [known(states, stream) for stream in (one, two, three)] == [None, "two", "three"]


def known(states: States, stream: UUID) -> object:
    state, version = states.get(COMPLAINT, stream)
    return state if version else None
