"""Figures open into their cases, stay what they were, stand beside their targets, and one is added by adding a file."""

import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.events import ComplaintWithdrawn
from ledger.customer.events import CustomerFactAnnulled, CustomerMerged, CustomerRegistered, CustomerSplit
from ledger.database.target import Database
from ledger.record.reading import events_after
from projections.indicators import asking
from projections.indicators.address import Address, NotAnAddress, address_of
from projections.indicators.asking import PARTS
from projections.indicators.definitions import Definition, NoSuchIndicator, Target, definitions, not_computable
from projections.indicators.matter import Matter, matter_of
from projections.indicators.periods import DayOutOfRange, Period, TooManyPeriods, period_before, periods, year_before
from tests.indicators import books
from tests.indicators.books import CHINA
from tests.projections.stories import WORDS, about, interleaved, received, record, shanghai

NOW = datetime.fromisoformat("2026-11-19T12:00+08:00")
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def test_every_figure_opens_into_the_cases_that_it_is_made_of(
    book_of: Callable[[str], str], reader: Connection
) -> None:
    on = asking.ground(reader, book_of("stories"), CHINA, as_of=None, now=NOW)
    opened = 0
    for indicator in definitions().values():
        for by in (None, "product"):
            for figure in asking.figures(reader, on, [indicator.name], "year", [YEAR], by):  # type: ignore[arg-type]  # by is one of two
                address = Address.read(str(address_of(figure, on)))
                assert address == address_of(figure, on)
                found = asking.cases(
                    reader, on, address.indicator, address.period, by=address.by, part=address.part
                ).cases
                assert len(found) == figure.cases
                if found and figure.total is not None:
                    assert sum(case.value or 0 for case in found) == pytest.approx(figure.total)
                opened += len(found)
    assert opened > 500


def test_the_events_of_a_case_are_the_events_of_the_record(book_of: Callable[[str], str], reader: Connection) -> None:
    book = book_of("stories")
    on = asking.ground(reader, book, CHINA, as_of=None, now=NOW)
    found = asking.cases(reader, on, "received", YEAR, rows_max=3).cases
    stored = {row.position: row for row in events_after(reader, book, 0, 20_000)}
    events = asking.events_of(reader, on.at, [case.complaint_id for case in found])
    for case in found:
        of_it = [row for row in stored.values() if row.stream_id == case.complaint_id]
        assert [(each.version, each.position, each.name) for each in events[case.complaint_id]] == [
            (row.version, row.position, row.name) for row in of_it
        ]
        assert case.known_from in {row.position for row in of_it}


def test_what_comes_or_ends_at_midnight_is_the_next_days(database: Database, book: str, reader: Connection) -> None:
    """A row that states a day and no hour is received at midnight: the first instant of its day, and none of the day before."""
    days = [Period(date(2026, 3, day), date(2026, 3, day)) for day in (1, 2, 3)]
    came, ended = shanghai("2026-03-02T00:00"), shanghai("2026-03-03T00:00")
    one = uuid4()
    end = ComplaintWithdrawn(**about(one), received_by="li", withdrawn_at=ended)
    record(database, book, [(one, received(one, came, date_only=True)), (one, end)])
    books.caught_up(database, book)
    on = asking.ground(reader, book, CHINA, as_of=None, now=NOW)
    backlog = {each.period: each.value for each in asking.figures(reader, on, ["backlog"], "day", days)}
    assert backlog == dict(zip(days, (0, 1, 0), strict=True))
    ages = {each.period: each.value for each in asking.figures(reader, on, ["backlog-age"], "day", days)}
    assert ages == dict(zip(days, (None, 1, None), strict=True))
    for now, waiting in ((came, 1), (ended, 0)):
        at_once = asking.ground(reader, book, CHINA, as_of=None, now=now)
        (running,) = asking.figures(
            reader, at_once, ["backlog"], "month", [Period(date(2026, 3, 1), date(2026, 3, 31))]
        )
        assert running.value == waiting, "what stands at the instant of now, where the period goes on"


def test_repeats_are_counted_of_a_person_as_known_at_the_position(
    database: Database, book: str, reader: Connection
) -> None:
    """Two records of one person, which then are not, are again, and never were: each as it was known then."""
    first, again, old, new = uuid4(), uuid4(), uuid4(), uuid4()
    at = shanghai("2026-02-01T10:00")
    by = {"customer_id": old, "approved_by": "wang"}
    registered = CustomerRegistered(customer_id=old, registered_by="li", registered_at=at)
    merged = CustomerMerged(into_customer_id=new, merged_by="li", merged_at=at, **by)
    split = CustomerSplit(reason=WORDS, split_by="li", split_at=at, **by)
    known = record(
        database,
        book,
        [
            (first, received(first, shanghai("2026-03-02T10:00")).model_copy(update={"customer_id": old})),
            (again, received(again, shanghai("2026-03-09T10:00")).model_copy(update={"customer_id": new})),
        ],
    )
    month, seen = Period(date(2026, 3, 1), date(2026, 3, 31)), []
    for fact in (registered, merged, split, annulled_of(old, 3), annulled_of(old, 2)):
        record(database, book, [(old, fact)], known)  # type: ignore[list-item]  # the helper knows complaints by name only
        books.caught_up(database, book)
        on = asking.ground(reader, book, CHINA, as_of=None, now=NOW)
        (figure,) = asking.figures(reader, on, ["repeat-customers"], "month", [month])
        seen.append((on.at.position, figure.total))
    assert [total for _, total in seen] == [0, 1, 0, 1, 0]
    for position, total in seen:
        then = asking.ground(reader, book, CHINA, as_of=position, now=NOW)
        (figure,) = asking.figures(reader, then, ["repeat-customers"], "month", [month])
        assert figure.total == total, f"as known at {position}"


def annulled_of(customer: UUID, version: int) -> CustomerFactAnnulled:
    return CustomerFactAnnulled(
        customer_id=customer,
        annulled_version=version,
        reason=WORDS,
        annulled_by="li",
        approved_by="wang",
        annulled_at=shanghai("2026-04-01T10:00"),
    )


def test_pages_of_cases_follow_one_another(book_of: Callable[[str], str], reader: Connection) -> None:
    on = asking.ground(reader, book_of("year"), CHINA, as_of=None, now=NOW)
    whole = asking.cases(reader, on, "received", YEAR).cases
    paged, cursor = [], None
    while True:
        page = asking.cases(reader, on, "received", YEAR, rows_max=7, cursor=cursor)
        paged += page.cases
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert tuple(paged) == whole
    assert len(whole) > 20


def test_later_facts_change_no_figure_of_an_earlier_position(database: Database, book: str, reader: Connection) -> None:
    told = interleaved(3, 25)
    known = record(database, book, told[:150])
    first = books.caught_up(database, book)
    on = asking.ground(reader, book, CHINA, as_of=first, now=NOW)
    before = asking.figures(
        reader, on, None, "month", periods("month", date(2025, 8, 1), date(2026, 2, 1)), "department"
    )
    record(database, book, told[150:], known)
    assert books.caught_up(database, book) > first
    again = asking.ground(reader, book, CHINA, as_of=first, now=NOW)
    assert (
        asking.figures(reader, again, None, "month", periods("month", date(2025, 8, 1), date(2026, 2, 1)), "department")
        == before
    )
    latest = asking.ground(reader, book, CHINA, as_of=None, now=NOW)
    assert (
        asking.figures(
            reader, latest, None, "month", periods("month", date(2025, 8, 1), date(2026, 2, 1)), "department"
        )
        != before
    )


def test_the_indicator_of_the_documentation_is_one_file(book_of: Callable[[str], str], reader: Connection) -> None:
    page = (Path(__file__).parents[2] / "docs" / "readers.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(zh = .*?)```", page, re.DOTALL)
    added = Definition(name="with-evidence", **tomllib.loads(text))
    on = asking.ground(reader, book_of("year"), CHINA, as_of=None, now=NOW)
    rows = asking._fetch(reader, on, added.query, "figures", [YEAR], None, {})
    ((_, _, cases, *_),) = rows
    assert cases > 0


def test_every_part_can_be_asked_for(book_of: Callable[[str], str], reader: Connection) -> None:
    on = asking.ground(reader, book_of("year"), CHINA, as_of=None, now=NOW)
    (whole,) = asking.figures(reader, on, ["received"], "year", [YEAR])
    for part in PARTS:
        parted = asking.figures(reader, on, ["received"], "year", [YEAR], part)
        assert sum(figure.cases for figure in parted) == whole.cases


def test_parts_stand_in_the_order_of_the_books_table(book_of: Callable[[str], str], reader: Connection) -> None:
    on = asking.ground(reader, book_of("year"), CHINA, as_of=None, now=NOW)
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    for by, table in (("region", "region"), ("channel", "channel")):
        found = [each.part for each in asking.figures(reader, on, ["received"], "year", [year], by)]  # type: ignore[arg-type]  # of PARTS
        order = list(on.tables.codes[table])
        known = [part for part in found if part is not None]
        assert len(known) > 3
        assert known == sorted(known, key=order.index) != sorted(known)
        assert None not in found[:-1], "what is not known comes last"


@pytest.mark.parametrize(
    ("target", "value", "before", "met"),
    [
        (Target(at_least=0.9, source="x"), 0.9, None, True),
        (Target(at_least=0.9, source="x"), 0.89, None, False),
        (Target(at_most=0.005, source="x"), 0.005, None, True),
        (Target(at_most=0.005, source="x"), 0.006, None, False),
        (Target(rises_a_year=0.2, source="x"), 3.6, 3.0, True),
        (Target(rises_a_year=0.2, source="x"), 3.5, 3.0, False),
        (Target(falls_a_year=0.3, source="x"), 70, 100, True),
        (Target(falls_a_year=0.3, source="x"), 71, 100, False),
        (Target(rises_a_year=0.2, source="x"), 3.6, None, None),
        (Target(at_least=0.9, source="x"), None, 1.0, None),
    ],
)
def test_a_target_is_met_or_not_or_cannot_be_judged(
    target: Target, value: float | None, before: float | None, met: bool | None
) -> None:
    assert target.met(value, before) is met


def test_a_target_is_one_limit() -> None:
    with pytest.raises(ValueError, match="one limit"):
        Target(at_least=1, at_most=2, source="x")


def test_a_definition_says_what_it_is_in_both_languages() -> None:
    for each in definitions().values():
        assert re.search(r"[\u4e00-\u9fff]", each.zh), each.name
        assert each.says.endswith(".")
    assert all(each.needs for each in not_computable())
    with pytest.raises(NoSuchIndicator):
        asking.definition("nonsense")


def test_periods_are_those_of_the_calendar() -> None:
    assert periods("quarter", date(2026, 2, 1), date(2026, 4, 1)) == [
        Period(date(2026, 1, 1), date(2026, 3, 31)),
        Period(date(2026, 4, 1), date(2026, 6, 30)),
    ]
    assert periods("half-year", date(2026, 7, 1), date(2026, 7, 1)) == [Period(date(2026, 7, 1), date(2026, 12, 31))]
    assert period_before("month", Period(date(2026, 1, 1), date(2026, 1, 31))) == Period(
        date(2025, 12, 1), date(2025, 12, 31)
    )
    for day in (date.min, date.max):
        with pytest.raises(DayOutOfRange):
            periods("month", day, day)
        with pytest.raises(DayOutOfRange):
            Period(day, day).instants(CHINA)
    for day, then in ((date(2025, 1, 1), date(2024, 1, 1)), (date(2024, 2, 29), date(2023, 2, 28))):
        assert year_before("day", Period(day, day)) == Period(then, then)
    assert year_before("month", Period(date(2028, 2, 1), date(2028, 2, 29))) == Period(
        date(2027, 2, 1), date(2027, 2, 28)
    )
    with pytest.raises(TooManyPeriods):
        periods("day", date(2020, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "/figures/received/cases",
        "/figures/a/b?from=1",
        "/figures/received/cases?from=2026-01-01&to=2026-01-31&as_of=1&now=2026-01-01&by=nonsense",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NotAnAddress):
        Address.read(text)


def test_a_complaint_is_folded_from_its_facts() -> None:
    assert matter_of([]) == Matter()
    at = shanghai("2026-01-05T10:00")
    matter = matter_of([received(uuid4(), at, product="loan")])
    assert (matter.received_at, matter.product, matter.product_scheme) == (at, "loan", "house")
    assert matter.open_during == f"{{[{at.isoformat()},)}}"
