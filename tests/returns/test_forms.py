"""The returns: every cell computed once more by another engine, opened, proved, frozen, and read by somebody's programs."""

import csv
import io
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import holidays
import openpyxl
import orjson
import pytest
from psycopg2.extensions import connection as Connection

from ledger.complaint.codes import code_tables
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.proof.stored import StoredTree
from ledger.record.entry import entry_bytes
from ledger.record.reading import head, stream_events
from ledger.record.tree import check_inclusion, leaf_hash
from projections.indicators import asking as indicators
from projections.indicators.asking import Ground
from projections.indicators.periods import Period
from projections.returns import asking
from projections.returns.asking import Pseudonyms, cases, differences, digest_of, prepared, written
from projections.returns.definitions import Form, form_named, forms
from projections.returns.writing import _harmless, as_csv, as_xlsx
from tests.indicators import books
from tests.indicators.books import CHINA
from tests.indicators.recomputed import exported
from tests.projections.stories import interleaved, record

NOW = datetime.fromisoformat("2026-11-19T12:00+08:00")
HALF = Period(date(2026, 1, 1), date(2026, 6, 30))
NAMES = Pseudonyms(b"k" * 32)

JRT = "CASE WHEN k.scheme = 'jrt-0169-2018' THEN {} END"
CLOSED = "least(c.replied_at, CASE WHEN c.ended_at > TIMESTAMPTZ '1950-01-01' THEN c.ended_at END)"
CAUSE = """(SELECT max_by(said->>'cause', version) FROM fact AS f WHERE f.stream = c.stream AND f.said->>'cause' IS NOT NULL
    AND f.name IN ('finding-made', 'complaint-classified', 'complaint-reclassified'))"""
CATEGORY = "nullif(k.category, '')"

INDEPENDENT = {
    "jrt-0169": """SELECT [channel.jrt, coalesce(CASE WHEN k.scheme = 'jrt-0169-2018' THEN k.product END, product.jrt),
               CASE WHEN k.scheme = 'jrt-0169-2018' THEN k.category END] AS keys, 'number' AS col, c.stream, 1.0 AS value
          FROM period AS p JOIN counts AS c ON c.received_at >= p.begins AND c.received_at < p.ends
          LEFT JOIN classified AS k USING (stream)
          LEFT JOIN jrt AS channel ON channel.tbl = 'channel' AND channel.code = c.channel
          LEFT JOIN jrt AS product ON product.tbl = 'product' AND product.code = coalesce(
              CASE WHEN k.scheme <> 'jrt-0169-2018' THEN k.product END,
              (SELECT max_by(said->>'product', version) FROM fact AS f
                WHERE f.stream = c.stream AND f.name = 'complaint-received'))""",
    "fca-half-year": f"""
        WITH closing AS (SELECT c.*, {CLOSED} AS closed, {CAUSE} AS cause, {CATEGORY} AS category
                           FROM counts AS c LEFT JOIN classified AS k USING (stream)),
        timed AS (SELECT c.*, w.due AS third, CAST(timezone('Europe/London', c.received_at) AS DATE) + 57 AS day57
                    FROM closing AS c LEFT JOIN london AS w ON w.day = CAST(timezone('Europe/London', c.received_at) AS DATE)),
        cell AS (
          SELECT c.*, 'outstanding' AS col, 1.0 AS value FROM timed AS c, period AS p
           WHERE c.received_at < p.begins AND (c.closed IS NULL OR c.closed >= p.begins)
             AND coalesce(c.ended_how, '') <> 'outcome-stated'
          UNION ALL SELECT c.*, 'opened', 1 FROM timed AS c, period AS p WHERE c.received_at >= p.begins AND c.received_at < p.ends
          UNION ALL SELECT c.*, CASE WHEN c.closed <= c.third THEN 'closed-3-days'
                 WHEN CAST(timezone('Europe/London', c.closed) AS DATE) < c.day57 THEN 'closed-8-weeks' ELSE 'closed-later' END, 1
            FROM timed AS c, period AS p WHERE c.closed >= p.begins AND c.closed < p.judged
          UNION ALL SELECT c.*, 'upheld', 1 FROM timed AS c, period AS p
           WHERE c.closed >= p.begins AND c.closed < p.judged AND c.outcome IN ('upheld', 'partly-upheld')
          UNION ALL SELECT c.*, 'redress-' || lower(o.said->>'currency'), CAST(o.said->>'compensation_minor' AS DOUBLE)
            FROM timed AS c, period AS p, fact AS a, fact AS o
           WHERE a.stream = c.stream AND o.stream = c.stream AND a.name = 'proposal-accepted' AND o.name = 'solution-proposed'
             AND a.said->>'proposal_id' = o.said->>'proposal_id' AND o.said->>'currency' IN ('GBP', 'CNY')
             AND o.said->>'compensation_minor' IS NOT NULL
             AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) >= p.begins AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) < p.judged)
        SELECT [business, coalesce(cause, category)] AS keys, col, stream, value FROM cell""",
    "annual-disclosure": """
        SELECT [d.dim, d.item] AS keys, v.col, c.stream, v.value
          FROM period AS p JOIN counts AS c ON c.received_at >= p.begins AND c.received_at < p.ends
          LEFT JOIN classified AS k USING (stream)
          LEFT JOIN jrt AS product ON product.tbl = 'product' AND product.code = c.business,
          LATERAL (SELECT 'total' AS dim, '' AS item
             UNION ALL SELECT 'business', CASE WHEN k.scheme = 'jrt-0169-2018' THEN c.business ELSE product.jrt END
             UNION ALL SELECT 'reason', CASE WHEN k.scheme = 'jrt-0169-2018' THEN k.category END
             UNION ALL SELECT 'region', (SELECT max_by(coalesce(said->>'branch', ''), version) FROM fact AS f
                                          WHERE f.stream = c.stream AND f.name = 'complaint-received')) AS d,
          LATERAL (SELECT 'number' AS col, 1.0 AS value
             UNION ALL SELECT 'share-closed', (coalesce(c.replied_at < p.judged, false) OR coalesce(c.ended_at < p.judged, false))::DOUBLE
             UNION ALL SELECT 'speed', epoch(c.resolved_at - c.received_at) / 86400.0) AS v
         WHERE v.col <> 'speed' OR c.resolved_at < p.judged""",
}
AGGREGATES = {
    "count": "count(*)",
    "sum": "sum(value)",
    "share": "avg(value)",
    "median": "quantile_cont(CAST(value AS DOUBLE), 0.5)",
}


def ground_of(reader: Connection, book: str, form: Form, as_of: int | None = None) -> Ground:
    calendar = CHINA if form.calendar is None else built_in_calendars()[form.calendar]
    return indicators.ground(reader, book, calendar, as_of=as_of, now=NOW)


def document_of(reader: Connection, book: str, form: Form, as_of: int | None = None) -> dict[str, Any]:
    on = ground_of(reader, book, form, as_of)
    root = StoredTree(reader, book, on.at.position).root().hex()
    return prepared(reader, on, form, HALF, form.receiver, head(reader, book).origin, root, NAMES)


@pytest.mark.parametrize("kind", ["year", "stories", "cfpb"])
@pytest.mark.parametrize("name", sorted(INDEPENDENT))
def test_every_cell_is_what_another_engine_computes(
    name: str, kind: str, book_of: Callable[[str], str], reader: Connection
) -> None:
    form, book = form_named(name), book_of(kind)
    on = ground_of(reader, book, form)
    duck = exported(reader, book, NOW, [HALF.instants(on.calendar)])
    _add_tables(duck)
    theirs: dict[Any, Any] = {}
    for column in form.columns:
        for keys, value in duck.execute(
            f"SELECT keys, {AGGREGATES[column.kind]} FROM ({INDEPENDENT[name]}) WHERE col = '{column.name}' GROUP BY keys"
        ).fetchall():
            theirs[
                tuple(each or None for each in keys) if name != "annual-disclosure" else (keys[0], keys[1] or None),
                column.name,
            ] = value
    document = document_of(reader, book, form)
    ours = {
        (tuple(each or None for each in row["keys"]), column): value
        for row in document["rows"]
        for column, value in row["cells"].items()
    }
    assert ours.keys() == theirs.keys()
    assert len(ours) >= 3
    for place, value in ours.items():
        assert value == pytest.approx(theirs[place], abs=1e-5), place


def _add_tables(duck: Any) -> None:
    rows = [
        (table, code, coded.more["jrt"])
        for table in ("channel", "product")
        for code, coded in code_tables()[table].items()
    ]
    duck.execute(
        "CREATE TABLE jrt AS SELECT unnest(?) AS tbl, unnest(?) AS code, unnest(?) AS jrt",
        [list(each) for each in zip(*rows, strict=True)],
    )
    england = holidays.country_holidays("GB", subdiv="ENG", years=range(2024, 2028))
    days = []
    for ordinal in range(date(2025, 1, 1).toordinal(), date(2026, 12, 1).toordinal()):
        counted, at = 0, ordinal
        while counted < 3:
            at += 1
            day = date.fromordinal(at)
            counted += day.weekday() < 5 and day not in england
        days.append((date.fromordinal(ordinal), f"{date.fromordinal(at)} 23:59:59.999999"))
    duck.execute(
        "CREATE TABLE london AS SELECT unnest(?) AS day, timezone('Europe/London', CAST(unnest(?) AS TIMESTAMP)) AS due",
        [list(each) for each in zip(*days, strict=True)],
    )


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
