"""The returns: every cell computed once more by another engine, opened, proved, frozen, and read by somebody's programs."""

import csv
import io
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import orjson
import pytest
from psycopg2.extensions import connection as Connection

from ledger.application import Ledger
from ledger.complaint.codes import code_tables
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.proof.stored import StoredTree
from ledger.record.entry import entry_bytes
from ledger.record.reading import head, stream_events
from ledger.record.tree import check_inclusion, leaf_hash
from ledger.tables.commands import PublishCodeTables
from ledger.vault.keys import SubjectKeys
from projections.indicators import asking as indicators
from projections.indicators.asking import Ground
from projections.indicators.periods import Period, periods
from projections.returns import asking
from projections.returns.asking import OtherForm, Pseudonyms, cases, differences, digest_of, prepared, written
from projections.returns.cells import Cell, Cells, in_places
from projections.returns.definitions import Form, form_named, forms
from projections.returns.writing import _harmless, as_csv, as_xlsx
from tests.indicators import books
from tests.indicators.books import CHINA
from tests.indicators.recomputed import exported, set_periods
from tests.projections.stories import interleaved, record
from tests.returns import recomputed
from tests.returns.recomputed import Keys

NOW = datetime.fromisoformat("2026-11-19T12:00+08:00")
HALF = Period(date(2026, 1, 1), date(2026, 6, 30))
NAMES = Pseudonyms(b"k" * 32)
FIRST_DAY = date(2025, 9, 1)
KINDS = [
    "year",
    "stories",
    "cfpb",
    *(pytest.param(kind, marks=pytest.mark.long) for kind in ("year-whole", "cfpb-many")),
]
AT_LEAST = {"year": 50, "stories": 15, "cfpb": 8, "year-whole": 200, "cfpb-many": 8}
"""Cells that are compared of each form in each book, so that no book falls empty unseen."""
OPENED_MAX = 4
"""Cells of each period that are opened."""


def ground_of(reader: Connection, book: str, form: Form, as_of: int | None = None) -> Ground:
    calendar = CHINA if form.calendar is None else built_in_calendars()[form.calendar]
    return indicators.ground(reader, book, calendar, as_of=as_of, now=NOW)


def document_of(
    reader: Connection, book: str, form: Form, as_of: int | None = None, period: Period = HALF
) -> dict[str, Any]:
    on = ground_of(reader, book, form, as_of)
    root = StoredTree(reader, book, on.at.position).root().hex()
    return prepared(reader, on, form, period, form.receiver, head(reader, book).origin, root, NAMES)


@pytest.fixture(scope="session")
def exported_of(book_of: Callable[[str], str], reader: Connection) -> Callable[[str], Any]:
    """The events of a book in the other engine, exported once."""
    made: dict[str, Any] = {}

    def find(kind: str) -> Any:
        if kind not in made:
            made[kind] = exported(reader, book_of(kind), NOW, [HALF.instants(CHINA)])
        return made[kind]

    return find


def places_of(document: dict[str, Any]) -> dict[tuple[Keys, str], Any]:
    """Every cell of a document by its keys and column, and the totals of its columns, which have no keys."""
    found: dict[tuple[Keys, str], Any] = {((), column): value for column, value in document["totals"].items()}
    for row in document["rows"]:
        keys = tuple(each or None for each in row["keys"])
        found.update({(keys, column): value for column, value in row["cells"].items()})
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", forms().values(), ids=lambda form: form.name)
def test_every_cell_of_every_period_is_what_another_engine_computes_from_the_events(
    form: Form,
    kind: str,
    book_of: Callable[[str], str],
    exported_of: Callable[[str], Any],
    reader: Connection,
) -> None:
    book, duck = book_of(kind), exported_of(kind)
    on = ground_of(reader, book, form)
    asked_about = periods(form.every, FIRST_DAY, CHINA.local_day(NOW))
    set_periods(duck, NOW, [period.instants(on.calendar) for period in asked_about])
    recomputed.counted(duck, form)
    compared = 0
    for period in asked_about:
        begins_at = period.instants(on.calendar)[0]
        document = document_of(reader, book, form, period=period)
        if form.kind == "list":
            theirs = recomputed.listed(duck, begins_at)
            assert Counter(tuple(row) for row in document["rows"]) == Counter(
                {(*keys, NAMES.of("complaint", stream)): lines for (stream, keys), lines in theirs.items()}
            ), period
            assert document["totals"]["row"] == theirs.total()
            compared += 16 * theirs.total()
        else:
            compared += _same_cells(reader, on, form, period, document, duck)
    assert compared >= AT_LEAST[kind]


def _same_cells(reader: Connection, on: Ground, form: Form, period: Period, document: dict[str, Any], duck: Any) -> int:
    """Each figure, and of some cells the complaints that it opens into; says how many cells there were."""
    begins_at = period.instants(on.calendar)[0]
    ours, theirs = places_of(document), recomputed.cells(duck, form, begins_at)
    if not form.has_totals:
        theirs = {place: value for place, value in theirs.items() if place[0]}
    assert ours.keys() == theirs.keys(), period
    for place, value in ours.items():
        assert value == pytest.approx(theirs[place], abs=1e-5), (period, place)
    behind = recomputed.behind(duck, begins_at)
    for keys, column in random.Random(1).sample(sorted(behind, key=str), min(len(behind), OPENED_MAX)):
        written_as = next(
            row["keys"] for row in document["rows"] if tuple(each or None for each in row["keys"]) == keys
        )
        found = cases(reader, on, form, period, written_as, column)
        assert sorted(str(case.complaint_id) for case in found) == behind[keys, column], (period, keys, column)
    return len(ours)


def test_the_public_file_has_sixteen_columns_and_says_what_the_source_said(
    book_of: Callable[[str], str], reader: Connection
) -> None:
    document = document_of(reader, book_of("cfpb"), form_named("public-file"))
    stated = [each for each in books.cfpb_stated(120) if HALF.begins_on <= each.received_on <= HALF.ends_on]
    assert all(len(row) == 16 for row in document["rows"])
    expected = [
        (str(each.received_on), each.product, each.issue, each.company, str(each.sent_on), each.outcome, each.disputed)
        for each in stated
    ]
    found = [(row[0], row[1], row[3], row[7], row[11], row[12], row[14] == "Yes") for row in document["rows"]]
    assert sorted(found, key=str) == sorted(expected, key=str)
    said = {True: "Yes", False: "No", None: None}
    assert sorted(str(row[13]) for row in document["rows"] if row[12]) == sorted(
        str(said[each.timely]) for each in stated if each.outcome
    )


def test_any_cell_leads_to_its_events_and_from_there_to_a_proof(
    book_of: Callable[[str], str], reader: Connection
) -> None:
    book, form = book_of("year"), form_named("jrt-0169")
    on = ground_of(reader, book, form)
    document = document_of(reader, book, form)
    tree = StoredTree(reader, book, on.at.position)
    root, origin = tree.root(), head(reader, book).origin
    assert root.hex() == document["known_at"]["root"]
    for row in document["rows"]:
        behind = cases(reader, on, form, HALF, row["keys"], "number")
        assert len(behind) == row["cells"]["number"]
        events = indicators.events_of(reader, on.at, [case.complaint_id for case in behind[:1]])
        for case in behind[:1]:
            stored = stream_events(reader, book, case.complaint_id, up_to_position=on.at.position)
            assert [each.position for each in events[case.complaint_id]] == [each.position for each in stored]
            first = stored[0]
            leaf = leaf_hash(
                entry_bytes(
                    origin, first.position, first.stream_id, first.version, first.name, first.recorded_at, first.state
                )
            )
            proof = tree.inclusion(first.position - 1, leaf, root)
            check_inclusion(proof, first.position - 1, leaf, on.at.position, root)
    assert len(cases(reader, on, form, HALF, None, "number")) == document["totals"]["number"]


def test_a_cell_opens_whole_however_many_pages_it_takes(
    book_of: Callable[[str], str], reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, form = book_of("stories"), form_named("jrt-0169")
    on = ground_of(reader, book, form)
    whole = cases(reader, on, form, HALF, None, "number")
    monkeypatch.setattr(asking, "CASES_MAX", 7)
    assert len(whole) > 7
    assert cases(reader, on, form, HALF, None, "number") == whole
    names = Pseudonyms(b"k" * 32)
    cell, paged, after = in_places([*whole, whole[3]], names), [], None
    while (page := cell.page(after, 2)).cases:
        paged += page.cases
        after = page.places[-1]
    assert [names.of("complaint", case.complaint_id) for case in paged] == [name for name, _ in cell.places]
    assert sorted(paged) == sorted([*whole, whole[3]]), "a complaint that stands twice in a cell is twice in its pages"


def test_cells_are_kept_up_to_a_bound_and_read_again_behind_it() -> None:
    read: list[str] = []

    def cell(name: str, size: int) -> Cell:
        read.append(name)
        cases = [indicators.Case(uuid4(), None, 1.0, 1)] * size
        return Cell([(name, number) for number in range(size)], cases)

    cells = Cells(cases_max=10)
    for name, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4), ("a", 4), ("b", 4), ("huge", 99), ("huge", 99)):
        assert len(cells.opened(name, partial(cell, name, size)).places) == size
    assert read == ["a", "b", "c", "b", "huge"], "who was asked for least lately made room"


def test_later_facts_change_no_document_and_a_restatement_shows_what_did(
    database: Database, book: str, reader: Connection
) -> None:
    told = interleaved(5, 60)
    known = record(database, book, told[:350])
    first = books.caught_up(database, book)
    form = form_named("annual-disclosure")
    document = document_of(reader, book, form)
    record(database, book, told[350:], known)
    books.caught_up(database, book)
    assert written(document_of(reader, book, form, first)) == written(document)
    later = document_of(reader, book, form)
    changed = differences(document, later)
    assert changed
    assert differences(document, document) == []
    counted = document_of(reader, book, form_named("jrt-0169"))
    number = counted["totals"]["number"]
    assert differences(counted, {**counted, "totals": {"number": 999}}) == [
        {"keys": None, "column": "number", "before": number, "after": 999}
    ]
    with pytest.raises(OtherForm):
        differences(document, {**document, "return": {"name": "jrt-0169"}})
    assert all(each["before"] != each["after"] for each in changed)


@pytest.mark.parametrize("form", forms().values(), ids=lambda form: form.name)
def test_a_return_can_be_read_by_other_programs(form: Form, book_of: Callable[[str], str], reader: Connection) -> None:
    document = document_of(reader, book_of("year"), form)
    content = written(document)
    assert orjson.loads(content) == document
    text = as_csv(document)
    assert text.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert len(lines) == 1 + len(document["rows"]) + bool(document["rows_by"] and document["totals"])
    with closing(openpyxl.load_workbook(io.BytesIO(as_xlsx(document)))) as book:
        cover, sheet = book.worksheets
        words = [str(cell.value) for row in cover.iter_rows() for cell in row]
        assert digest_of(content) in words
        assert any("如何核验" in each for each in words)
        assert sheet.max_row == len(lines)
        assert form.columns[0].zh in str(sheet.cell(1, len(form.rows) + 1).value)
        for number, column in enumerate(form.columns, start=len(form.rows) + 1):
            assert ("%" in sheet.cell(2, number).number_format) == (column.kind == "share")


def test_a_document_words_and_orders_its_codes_by_the_tables_that_the_book_had_then(
    database: Database, book: str, keys: SubjectKeys, reader: Connection
) -> None:
    with closing(Ledger(database, book, keys)) as ledger:
        books.made_up_year(ledger, 25)
    first = books.caught_up(database, book)
    form = form_named("jrt-0169")
    before = document_of(reader, book, form)
    channels = list(code_tables()["jrt-channel"].values())
    worded = [row.model_copy(update={"zh": f"本行：{row.zh}"}) for row in reversed(channels)]
    with closing(Ledger(database, book, keys)) as ledger:
        publish = PublishCodeTables(tables={"jrt-channel": tuple(worded)}, published_by="li", published_at=NOW)
        ledger.handle(publish, principal="li")
    books.caught_up(database, book)
    after = document_of(reader, book, form)

    def shown(document: dict[str, Any]) -> list[str]:
        told = list(csv.reader(io.StringIO(as_csv(document).decode("utf-8-sig"))))[1:-1]
        return list(dict.fromkeys(row[0] for row in told))

    assert shown(after) == [f"本行：{each}" for each in reversed(shown(before))]
    assert len(shown(before)) > 1
    assert document_of(reader, book, form, first) == before, "a later table changes no earlier document"
    assert differences(before, after) == [], "only words changed, no figure"


def test_a_code_is_counted_where_the_books_own_tables_said_then_and_named_where_they_say_nothing(
    book_of: Callable[[str], str], reader: Connection
) -> None:
    book, form = book_of("stories"), form_named("jrt-0169")
    whole = document_of(reader, book, form)
    number = {tuple(row["keys"]): row["cells"]["number"] for row in whole["rows"]}
    assert number["branch", "precious-metals", "rules-and-processes"] == 4, "a scheme of its own"
    assert number["branch", "rmb-savings", "service-attitude-and-quality"] == 4, (
        "the category has no place, the issue has"
    )
    named = {(each["field"], each["code"]): each["complaints"] for each in whole["without_place"]}
    assert named["product", "own-novelty"] >= 4
    assert ("product", "loan") not in named
    assert sum(number.values()) == whole["totals"]["number"], "nobody is dropped"
    before = head(reader, book).size - 1  # the tables of its own came last
    earlier = document_of(reader, book, form, before)
    assert ("channel", "own-counter") in {(each["field"], each["code"]) for each in earlier["without_place"]}
    assert earlier["totals"] == whole["totals"]
    first = as_xlsx(whole)
    time.sleep(1.1)  # a workbook tells the second in which it was made, unless it is told another
    assert as_xlsx(whole) == first
    with closing(openpyxl.load_workbook(io.BytesIO(first))) as made:
        words = " ".join(str(cell.value) for row in made.worksheets[0].iter_rows() for cell in row)
    assert "own-novelty 本行新品 Our novelty" in words


def test_a_receiver_cannot_link_what_another_one_got() -> None:
    one, other = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)
    assert one.of("complaint", "x") == one.of("complaint", "x") != other.of("complaint", "x")
    assert one.of("complaint", 5) != one.of("event", 5)


def test_a_text_is_no_formula_in_a_spreadsheet() -> None:
    assert _harmless("=1+1") == "'=1+1"
    assert _harmless(-5) == -5


def test_the_documentation_shows_each_return() -> None:
    page = (Path(__file__).parents[2] / "docs" / "readers.md").read_text(encoding="utf-8")
    for form in forms().values():
        section = page.split(f"### `{form.name}`")[1].split("\n### ")[0]
        for column in form.columns:
            assert column.zh in section, (form.name, column.name)
    assert asking.FORMAT in page
