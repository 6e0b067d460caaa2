"""Every return once more, in DuckDB, over the facts that `tests/indicators/recomputed.py` takes straight from an export.

It is written from what the forms say of themselves, over other tables than the program has, and shares no query with it.
"""

from collections import Counter
from datetime import date
from typing import Any

import holidays

from ledger.complaint.codes import code_tables
from projections.returns.definitions import Form
from tests.indicators.recomputed import HOUSE_LIMIT

Keys = tuple[str | None, ...]

CLOSED = "least(c.replied_at, CASE WHEN c.ended_at > TIMESTAMPTZ '1950-01-01' THEN c.ended_at END)"
CAUSE = """(SELECT max_by(said->>'cause', version) FROM fact AS f WHERE f.stream = c.stream AND f.said->>'cause' IS NOT NULL
    AND f.name IN ('finding-made', 'complaint-classified', 'complaint-reclassified'))"""
CATEGORY = "nullif(k.category, '')"

PLACED = """
CREATE TEMPORARY TABLE IF NOT EXISTS placed AS
WITH jrt AS (SELECT * FROM published UNION ALL SELECT * FROM built_in WHERE tbl NOT IN (SELECT tbl FROM published)),
stated AS (
    SELECT c.*, k.scheme, nullif(k.category, '') AS category, nullif(k.issue, '') AS issue,
           coalesce(k.product_scheme, 'house') AS product_scheme
      FROM counts AS c LEFT JOIN classified AS k USING (stream))
SELECT c.*, channel.jrt AS jrt_channel,
       CASE WHEN c.product_scheme = 'jrt-0169-2018' THEN c.business ELSE product.jrt END AS jrt_business,
       CASE WHEN c.scheme = 'jrt-0169-2018' THEN c.category ELSE coalesce(category.jrt, issue.jrt) END AS jrt_reason
  FROM stated AS c
  LEFT JOIN jrt AS channel ON channel.tbl = 'channel' AND channel.code = c.channel
  LEFT JOIN jrt AS product ON product.code = c.business
        AND product.tbl = CASE c.product_scheme WHEN 'house' THEN 'product' ELSE c.product_scheme || '-product' END
  LEFT JOIN jrt AS category ON category.code = c.category
        AND category.tbl = CASE c.scheme WHEN 'house' THEN 'category' ELSE c.scheme || '-category' END
  LEFT JOIN jrt AS issue ON issue.code = c.issue
        AND issue.tbl = CASE c.scheme WHEN 'house' THEN 'issue' ELSE c.scheme || '-issue' END
"""
"""Every complaint that counts, with where JR/T 0169-2018 counts it: what docs/readers.md says of the book's own tables."""

COUNTED = {
    "jrt-0169": """SELECT p.begins, [c.jrt_channel, c.jrt_business, c.jrt_reason] AS keys, 'number' AS col, c.stream, 1.0 AS value
          FROM period AS p JOIN placed AS c ON c.received_at >= p.begins AND c.received_at < p.ends""",
    "fca-half-year": f"""
        WITH closing AS (SELECT c.*, {CLOSED} AS closed, {CAUSE} AS cause, {CATEGORY} AS category
                           FROM counts AS c LEFT JOIN classified AS k USING (stream)),
        timed AS (SELECT c.*, w.due AS third, CAST(timezone('Europe/London', c.received_at) AS DATE) + 57 AS day57
                    FROM closing AS c LEFT JOIN london AS w ON w.day = CAST(timezone('Europe/London', c.received_at) AS DATE)),
        cell AS (
          SELECT p.begins, c.*, 'outstanding' AS col, 1.0 AS value FROM timed AS c, period AS p
           WHERE c.received_at < p.begins AND (c.closed IS NULL OR c.closed >= p.begins)
             AND coalesce(c.ended_how, '') <> 'outcome-stated'
          UNION ALL
          SELECT p.begins, c.*, 'opened', 1 FROM timed AS c, period AS p
           WHERE c.received_at >= p.begins AND c.received_at < p.ends
          UNION ALL
          SELECT p.begins, c.*, CASE WHEN c.closed <= c.third THEN 'closed-3-days'
                 WHEN CAST(timezone('Europe/London', c.closed) AS DATE) < c.day57 THEN 'closed-8-weeks' ELSE 'closed-later' END, 1
            FROM timed AS c, period AS p WHERE c.closed >= p.begins AND c.closed < p.judged
          UNION ALL
          SELECT p.begins, c.*, 'upheld', 1 FROM timed AS c, period AS p
           WHERE c.closed >= p.begins AND c.closed < p.judged AND c.outcome IN ('upheld', 'partly-upheld')
          UNION ALL
          SELECT p.begins, c.*, 'redress-' || lower(o.said->>'currency'), CAST(o.said->>'compensation_minor' AS DOUBLE)
            FROM timed AS c, period AS p, fact AS a, fact AS o
           WHERE a.stream = c.stream AND o.stream = c.stream AND a.name = 'proposal-accepted' AND o.name = 'solution-proposed'
             AND a.said->>'proposal_id' = o.said->>'proposal_id' AND o.said->>'currency' IN ('GBP', 'CNY')
             AND o.said->>'compensation_minor' IS NOT NULL
             AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) >= p.begins AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) < p.judged)
        SELECT begins, [business, coalesce(cause, category)] AS keys, col, stream, value FROM cell""",
    "annual-disclosure": """
        WITH parted AS (
            SELECT *, 'total' AS dim, '' AS item FROM placed
            UNION ALL SELECT *, 'business', jrt_business FROM placed
            UNION ALL SELECT *, 'reason', jrt_reason FROM placed
            UNION ALL SELECT *, 'region', region FROM placed),
        counted AS (
            SELECT p.begins, [c.dim, c.item] AS keys, 'number' AS col, c.stream, 1.0 AS value
              FROM period AS p JOIN parted AS c ON c.received_at >= p.begins AND c.received_at < p.ends
            UNION ALL
            SELECT p.begins, [c.dim, c.item], 'share-closed', c.stream,
                   (coalesce(c.replied_at < p.judged, false) OR coalesce(c.ended_at < p.judged, false))::DOUBLE
              FROM period AS p JOIN parted AS c ON c.received_at >= p.begins AND c.received_at < p.ends
            UNION ALL
            SELECT p.begins, [c.dim, c.item], 'speed', c.stream, epoch(c.resolved_at - c.received_at) / 86400.0
              FROM period AS p JOIN parted AS c ON c.received_at >= p.begins AND c.received_at < p.ends
             WHERE c.resolved_at < p.judged)
        SELECT * FROM counted""",
    "public-file": f"""
        {HOUSE_LIMIT},
        kept AS (
            SELECT c.stream, CASE
                   WHEN s.unknown OR (s.replied IS NULL AND s.withdrawn IS NULL) THEN NULL
                   WHEN s.withdrawn <= w.due AND (s.replied IS NULL OR s.replied > s.withdrawn) THEN NULL
                   ELSE least(s.replied, s.withdrawn) <= w.due END AS in_time
              FROM counts AS c JOIN stopping AS s USING (stream) JOIN limited AS l USING (stream)
              LEFT JOIN working AS w ON w.day = CAST(timezone('Asia/Shanghai', c.received_at) AS DATE) AND w.days = l.days),
        term AS (
            SELECT stream, max_by(coalesce(said->>'sub_product', ''), version) AS sub_product,
                   max_by(coalesce(said->>'issue', ''), version) AS issue, max_by(coalesce(said->>'sub_issue', ''), version) AS sub_issue
              FROM fact WHERE name IN ('complaint-classified', 'complaint-reclassified') GROUP BY stream),
        sent AS (
            SELECT stream, min_by(CAST(said->>'assigned_at' AS TIMESTAMPTZ), version) AS at
              FROM fact WHERE name IN ('complaint-assigned', 'complaint-reassigned') GROUP BY stream),
        outcome AS (
            SELECT stream, max_by(said->>'outcome', version) AS said FROM fact WHERE name = 'outcome-stated' GROUP BY stream)
        SELECT p.begins,
               [strftime(timezone('Asia/Shanghai', c.received_at), '%Y-%m-%d'), c.business, nullif(t.sub_product, ''),
                nullif(t.issue, ''), nullif(t.sub_issue, ''), NULL, NULL, CASE WHEN k.scheme = 'cfpb' THEN c.department END,
                c.region, NULL, c.channel, strftime(timezone('Asia/Shanghai', sent.at), '%Y-%m-%d'), coalesce(o.said, c.outcome),
                CASE coalesce(stated.timely = 1, kept.in_time) WHEN true THEN 'Yes' WHEN false THEN 'No' END,
                CASE WHEN EXISTS (SELECT 1 FROM fact AS f WHERE f.stream = c.stream AND f.name = 'outcome-disputed')
                     THEN 'Yes' ELSE 'No' END] AS keys, 'row' AS col, c.stream, 1.0 AS value
          FROM period AS p JOIN counts AS c ON c.received_at >= p.begins AND c.received_at < p.ends
          LEFT JOIN classified AS k USING (stream) LEFT JOIN term AS t USING (stream) LEFT JOIN sent USING (stream)
          LEFT JOIN outcome AS o USING (stream) LEFT JOIN stated USING (stream) LEFT JOIN kept USING (stream)""",
}
"""Of each return, the rows (begins, keys, col, stream, value) that it counts or lists, in every period."""

AGGREGATES = {
    "count": "count(*)",
    "sum": "sum(value)",
    "share": "avg(value)",
    "median": "quantile_cont(CAST(value AS DOUBLE), 0.5)",
}


def counted(duck: Any, form: Form) -> None:
    """Makes the table `counted` of a return, in all periods that the tables were made for."""
    _add_tables(duck)
    duck.execute(f"CREATE OR REPLACE TEMPORARY TABLE counted AS {COUNTED[form.name]}")


def cells(duck: Any, form: Form, begins: Any) -> dict[tuple[Keys, str], float]:
    """Every cell of a table in one period, by its keys and column; those of the column's total have no keys."""
    found: dict[tuple[Keys, str], float] = {}
    for column in form.columns:
        for keys, value in duck.execute(
            f"""SELECT keys, {AGGREGATES[column.kind]} FROM counted WHERE col = ? AND begins = ? GROUP BY keys
                UNION ALL SELECT NULL, {AGGREGATES[column.kind]} FROM counted WHERE col = ? AND begins = ? HAVING count(*) > 0""",
            [column.name, begins, column.name, begins],
        ).fetchall():
            place = () if keys is None else tuple(each or None for each in keys)
            found[place, column.name] = value
    return found


def behind(duck: Any, begins: Any) -> dict[tuple[Keys, str], list[str]]:
    """The complaints behind each cell of a period, in order."""
    rows = duck.execute(
        "SELECT keys, col, list(stream ORDER BY stream) FROM counted WHERE begins = ? GROUP BY keys, col", [begins]
    ).fetchall()
    return {(tuple(each or None for each in keys), col): streams for keys, col, streams in rows}


def listed(duck: Any, begins: Any) -> Counter[tuple[str, Keys]]:
    """The lines of a list in one period, each with the complaint that it is about."""
    rows = duck.execute("SELECT stream, keys FROM counted WHERE begins = ?", [begins]).fetchall()
    return Counter((stream, tuple(keys)) for stream, keys in rows)


def _add_tables(duck: Any) -> None:
    built_in = [
        (table, code, coded.more.get("jrt")) for table, rows in code_tables().items() for code, coded in rows.items()
    ]
    duck.execute(
        "CREATE TABLE IF NOT EXISTS built_in AS SELECT unnest(?) AS tbl, unnest(?) AS code, unnest(?) AS jrt",
        [list(each) for each in zip(*built_in, strict=True)],
    )
    duck.execute(PLACED)
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
        "CREATE TABLE IF NOT EXISTS london AS SELECT unnest(?) AS day, timezone('Europe/London', CAST(unnest(?) AS TIMESTAMP)) AS due",
        [list(each) for each in zip(*days, strict=True)],
    )
