"""The timeline and the duties: as known at any position, after annulments, and held against a fold of their own."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintReceived
from ledger.customer import commands as c
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Event
from ledger.improvement import commands as im
from ledger.interaction import commands as it
from ledger.record.envelope import opened
from ledger.record.reading import events_after, stream_events
from projections import duties, timeline
from projections.asking import BadCursor
from projections.rebuild import compare
from projections.worker import catch_up
from tests.parties.telling import ask, at, given
from tests.parties.test_party_walk import one_walk
from tests.parties.test_stored_forms_of_parties import ALL
from tests.projections.stories import corrected, received, record, shanghai

ONE, TWO, THREE = (UUID(int=number, version=4) for number in (1, 2, 3))


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def tell(database: Database, book: str) -> Callable[..., int]:
    """Records events and catches both projections up; returns the last position."""
    known: Counter[UUID] = Counter()

    def record_and_catch_up(*told: tuple[UUID, Event]) -> int:
        record(database, book, told, known)  # type: ignore[arg-type]  # the helper knows complaints by name only
        position = catch_up(database, book, "timeline")
        assert catch_up(database, book, "duties") == position
        return position

    return record_and_catch_up


def facts_of(stream_id: UUID, *commands: Any) -> list[tuple[UUID, Event]]:
    """What a row of commands leads to, as it is recorded."""
    return [(stream_id, event) for event in given(*commands).state.recorded]


def names(found: timeline.Timeline) -> list[str]:
    return [line.name for line in found.lines]


def registered(customer_id: UUID) -> Any:
    return ask(c.RegisterCustomer, customer_id=customer_id)


def merged(customer_id: UUID, into: UUID) -> Any:
    return ask(c.MergeCustomer, customer_id=customer_id, into_customer_id=into)


def test_a_chain_of_mergings_is_one_person_from_wherever_one_asks(
    reader: Connection, book: str, tell: Callable[..., int]
) -> None:
    before = tell(*facts_of(ONE, registered(ONE)))
    tell(*facts_of(TWO, registered(TWO), merged(TWO, ONE)))
    position = tell(*facts_of(THREE, registered(THREE), merged(THREE, TWO)))
    told = [timeline.of_customer(reader, book, customer_id) for customer_id in (ONE, TWO, THREE)]
    assert all(each.lines == told[0].lines for each in told)
    assert told[0].same_person == (TWO, THREE)
    assert names(timeline.of_customer(reader, book, ONE, as_of=before)) == ["customer-registered"]
    assert timeline.of_customer(reader, book, ONE, as_of=position).lines == told[0].lines


def test_a_circle_of_mergings_ends(reader: Connection, book: str, tell: Callable[..., int]) -> None:
    tell(*facts_of(ONE, registered(ONE), merged(ONE, TWO)), *facts_of(TWO, registered(TWO), merged(TWO, ONE)))
    assert len(timeline.of_customer(reader, book, ONE).lines) == 4


def test_an_annulled_merging_was_never_one_and_an_annulled_split_is_one_again(
    reader: Connection, book: str, tell: Callable[..., int]
) -> None:
    asked = (registered(ONE), merged(ONE, TWO), ask(c.SplitCustomer, customer_id=ONE))
    told = facts_of(ONE, *asked, ask(c.AnnulCustomerFact, customer_id=ONE, version=3))
    positions = [tell(each) for each in told]
    tell(
        *facts_of(
            ONE,
            *asked,
            ask(c.AnnulCustomerFact, customer_id=ONE, version=3),
            ask(c.AnnulCustomerFact, customer_id=ONE, version=2),
        )[-1:]
    )
    known = [timeline.of_customer(reader, book, ONE, as_of=position).same_person for position in positions]
    assert known == [(), (TWO,), (), (TWO,)]
    assert timeline.of_customer(reader, book, ONE).same_person == ()


def test_a_complaint_that_was_another_customers_moves_with_the_correction(
    reader: Connection, book: str, tell: Callable[..., int]
) -> None:
    complaint = uuid4()
    first = received(complaint, shanghai("2025-09-26T10:00")).model_copy(update={"customer_id": ONE})
    assert isinstance(first, ComplaintReceived)
    before = tell((complaint, first))
    right = first.model_copy(update={"customer_id": TWO})
    tell((complaint, corrected(complaint, 1, right, shanghai("2025-09-27T10:00"))))
    assert timeline.of_customer(reader, book, ONE).lines == ()
    moved = timeline.of_customer(reader, book, TWO)
    assert names(moved) == ["complaint-received", "fact-corrected"]
    assert moved.lines[0].corrected_by_version == 2
    assert names(timeline.of_customer(reader, book, ONE, as_of=before)) == ["complaint-received"]


def test_a_timeline_is_told_by_when_things_happened_page_by_page(
    reader: Connection, book: str, tell: Callable[..., int]
) -> None:
    late = ask(it.RecordInteraction, customer_id=ONE, asked_at=at(1, 12, 9), kind="outreach")
    tell(*facts_of(ONE, registered(ONE)), *facts_of(uuid4(), ask(it.RecordInteraction, customer_id=ONE)))
    tell(*facts_of(uuid4(), late))
    whole = timeline.of_customer(reader, book, ONE)
    assert [line.at for line in whole.lines] == sorted(line.at for line in whole.lines)
    assert names(whole)[0] == "interaction-recorded"
    paged: list[timeline.Line] = []
    cursor = None
    while True:
        page = timeline.of_customer(reader, book, ONE, rows_max=1, cursor=cursor)
        paged += page.lines
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(paged) == whole.lines
    with pytest.raises(BadCursor):
        timeline.of_customer(reader, book, TWO, cursor=timeline.of_customer(reader, book, ONE, rows_max=1).next_cursor)


def test_an_annulled_link_says_so(reader: Connection, book: str, tell: Callable[..., int]) -> None:
    asked = (ask(it.RecordInteraction, kind="outreach"), it.TurnIntoComplaint)
    interaction = uuid4()
    turned = facts_of(interaction, *asked)
    complaint_id = turned[1][1].complaint_id
    tell(*turned)
    tell(*facts_of(interaction, *asked, ask(it.AnnulInteractionFact, version=2))[-1:])
    (link,) = timeline.of_complaint(reader, book, complaint_id).lines
    assert link.annulled_by_version == 3
    assert names(timeline.of_customer(reader, book, turned[0][1].customer_id))[-1] == ("interaction-fact-annulled")


def test_the_duties_are_what_a_fold_of_the_whole_book_gives(
    reader: Connection, book: str, database: Database, tell: Callable[..., int]
) -> None:
    """Random lives of every subject, shuffled into one another, with annulments; and both projections rebuilt compare."""
    chance = random.Random(7)
    lives = [
        [(UUID(int=chance.getrandbits(128), version=4), event) for event in one_walk(rules, seed, 40)]
        for rules in ALL
        for seed in range(2)
    ]
    waiting = [[(life[0][0], event) for _, event in life] for life in lives if life]
    told: list[tuple[UUID, Event]] = []
    while waiting:
        index = chance.randrange(len(waiting))
        told.append(waiting[index].pop(0))
        if not waiting[index]:
            waiting.pop(index)
    for first in range(0, len(told), 37):
        tell(*told[first : first + 37])
    found = duties.page(reader, book, rows_max=500)
    expected = []
    for life in (life for life in lives if life):
        stream_id = life[0][0]
        events = [opened(row).event for row in stream_events(reader, book, stream_id)]
        name = duties.SUBJECT_OF.get(next((base for base in duties.SUBJECT_OF if isinstance(events[0], base)), Event))
        if name is not None:
            rules = next(each for each in ALL if each.name == name)
            expected += list(duties._duties(stream_id, rules.fold(events)))
    assert {each._replace(position=0) for each in found.duties} == set(expected)
    assert len(expected) > 3
    order = [(not each.urgent, each.due_on or date.max, each.since_at, each.item_id) for each in found.duties]
    assert order == sorted(order)
    assert len(events_after(reader, book, 0, 10_000)) == len(told)
    for name in ("timeline", "duties"):
        assert not list(compare(database, book, name))


def test_a_warning_waits_for_what_its_level_asks(reader: Connection, book: str, tell: Callable[..., int]) -> None:
    indicator = uuid4()
    asked: list[Any] = [im.DefineIndicator, im.RaiseWarning, im.AcknowledgeWarning, im.MitigateWarning, im.LiftWarning]
    waits = []
    for event in facts_of(indicator, *asked):
        tell(event)
        waits.append([(each.waits_for, each.who, each.level) for each in duties.page(reader, book).duties])
    assert waits == [
        [],
        [("acknowledgement", None, "high")],
        [("mitigation", "head.qian", "high")],
        [("lifting", "head.qian", "high")],
        [],
    ]
