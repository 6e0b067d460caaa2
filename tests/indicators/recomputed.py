"""The indicators once more, in DuckDB, straight from an export of the events: no table, fold or query of ours is used.

It shares with the program the export's rows and the definitions' words, and nothing else. Working days come from another
library than the calendar's.
"""

from datetime import date, datetime, timedelta
from typing import Any

import chinese_calendar
import duckdb
import orjson
from psycopg2.extensions import connection as Connection

from ledger.record.reading import events_after, head

Row = tuple[Any, ...]

VIEWS = """
-- what stands: no amendments, nothing annulled, the last correction of a fact in its place
CREATE TABLE fact AS
SELECT e.stream, e.version, coalesce(c.name, e.name) AS name, coalesce(c.said, e.said) AS said
  FROM event AS e
  LEFT JOIN (SELECT stream, CAST(said->>'corrected_version' AS INTEGER) AS version, max_by(said->>'name', version) AS name,
                    max_by(said->'fact', version) AS said
               FROM event WHERE name = 'fact-corrected' GROUP BY ALL) AS c USING (stream, version)
 WHERE e.name NOT IN ('fact-annulled', 'fact-corrected')
   AND NOT EXISTS (SELECT 1 FROM event AS a
                    WHERE a.stream = e.stream AND a.name = 'fact-annulled'
                      AND CAST(a.said->>'annulled_version' AS INTEGER) = e.version);
CREATE TABLE receipt AS
SELECT stream, max_by(CAST(said->>'received_at' AS TIMESTAMPTZ), version) AS received_at,
       max_by(CASE WHEN said->>'date_only' = 'true' THEN 1 ELSE 0 END, version) = 1 AS date_only,
       max_by(said->>'channel', version) AS channel, max_by(said->>'customer_id', version) AS customer,
       nullif(max_by(coalesce(said->>'branch', ''), version), '') AS branch
  FROM fact WHERE name = 'complaint-received' GROUP BY stream;
-- the region of each branch, as the table was published last
CREATE TABLE place AS
SELECT (coded->>'code') AS branch, (coded->'more'->>'region') AS region
  FROM (SELECT unnest(CAST(max_by((said->'tables'->'branch'), position) AS JSON[])) AS coded
          FROM event WHERE name = 'code-tables-published' AND (said->'tables'->'branch') IS NOT NULL);
-- the rows of each table, as it was published last, with the code of the standard that each says it is counted under
CREATE TABLE published AS
SELECT tbl, (coded->>'code') AS code, (coded->'more'->>'jrt') AS jrt
  FROM (SELECT tbl, unnest(CAST(max_by(json_extract(said, '$.tables."' || tbl || '"'), position) AS JSON[])) AS coded
          FROM (SELECT position, said, unnest(json_keys(said, '$.tables')) AS tbl FROM event WHERE name = 'code-tables-published')
         GROUP BY tbl);
CREATE TABLE classified AS
SELECT stream, max_by(coalesce(said->>'scheme', ''), version) AS scheme, max_by(coalesce(said->>'category', ''), version) AS category,
       max_by(said->>'product', version) FILTER (said->>'product' IS NOT NULL) AS product,
       max_by(said->>'scheme', version) FILTER (said->>'product' IS NOT NULL) AS product_scheme,
       max_by(coalesce(said->>'issue', ''), version) AS issue
  FROM fact WHERE name IN ('complaint-classified', 'complaint-reclassified') GROUP BY stream;
CREATE TABLE department AS
SELECT stream, max_by(said->>'department', version) AS department
  FROM fact WHERE name IN ('complaint-assigned', 'complaint-reassigned') GROUP BY stream;
CREATE TABLE cause AS
SELECT DISTINCT stream FROM fact
 WHERE name IN ('finding-made', 'complaint-classified', 'complaint-reclassified') AND said->>'cause' IS NOT NULL;
-- an ending ends what was open; what is ended is ended until it is opened again
CREATE TABLE turning AS
SELECT stream, version, name IN ('complaint-received', 'complaint-reopened') AS opens, name AS how,
       CAST(coalesce(said->>'received_at', said->>'reopened_at', said->>'closed_at', said->>'withdrawn_at',
                     said->>'ruled_out_at', said->>'merged_at') AS TIMESTAMPTZ) AS at
  FROM fact
 WHERE name IN ('complaint-received', 'complaint-reopened', 'complaint-closed', 'complaint-ruled-out', 'complaint-merged',
                'complaint-withdrawn') OR (name = 'outcome-stated' AND said->>'final' = 'true');
CREATE TABLE spell AS
SELECT o.stream, o.at AS began,
       (SELECT min_by(coalesce(CASE WHEN e.at > o.at THEN e.at END, o.at + INTERVAL 1 MICROSECOND), e.version)
          FROM turning AS e WHERE e.stream = o.stream AND NOT e.opens AND e.version > o.version) AS ended
  FROM turning AS o
 WHERE o.opens AND NOT coalesce((SELECT max_by(p.opens, p.version) FROM turning AS p
                                  WHERE p.stream = o.stream AND p.version < o.version), false);
CREATE TABLE stated AS
SELECT stream, nullif(max_by(CASE said->>'timely' WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE -1 END, version), -1) AS timely
  FROM fact WHERE name = 'outcome-stated' GROUP BY stream;
CREATE TABLE ended AS -- the last ending after the last opening; a closing after another ending changes nothing
SELECT t.stream, max_by(t.how, t.version) FILTER (t.how <> 'complaint-closed' OR NOT EXISTS (
           SELECT 1 FROM turning AS b WHERE b.stream = t.stream AND NOT b.opens AND b.version < t.version
              AND b.version > l.opened)) AS how,
       max_by(coalesce(t.at, TIMESTAMPTZ '1900-01-01 00:00:00+00'), t.version) FILTER (t.how <> 'complaint-closed' OR NOT EXISTS (
           SELECT 1 FROM turning AS b WHERE b.stream = t.stream AND NOT b.opens AND b.version < t.version
              AND b.version > l.opened)) AS at
  FROM turning AS t
  JOIN (SELECT stream, max(version) FILTER (opens) AS opened FROM turning GROUP BY stream) AS l USING (stream)
 WHERE NOT t.opens AND t.version > l.opened
 GROUP BY t.stream;
-- contacts and customers, whose mistakes are annulled and never corrected
CREATE TABLE other AS
SELECT e.* FROM event AS e
 WHERE NOT EXISTS (SELECT 1 FROM event AS a WHERE a.stream = e.stream
                      AND a.name IN ('interaction-fact-annulled', 'customer-fact-annulled')
                      AND CAST(a.said->>'annulled_version' AS INTEGER) = e.version);
-- records of one person, by the last that was said of the merging of each; the least of their ids stands for all
CREATE TABLE merging AS
SELECT stream AS one, max_by(said->>'into_customer_id', version) AS other
  FROM other WHERE name IN ('customer-merged', 'customer-split') GROUP BY stream
HAVING max_by(name, version) = 'customer-merged';
CREATE TABLE person AS
WITH RECURSIVE linked AS (SELECT one, other FROM merging UNION SELECT other, one FROM merging),
     same AS (SELECT one, other FROM linked UNION SELECT s.one, l.other FROM same AS s JOIN linked AS l ON l.one = s.other)
SELECT one AS customer, min(other) AS person FROM same GROUP BY one;
CREATE TABLE complaint AS
SELECT r.*, coalesce(w.person, r.customer) AS person, e.how AS ended_how, e.at AS ended_at, d.department, place.region,
       (SELECT min_by(CAST(said->>'sent_at' AS TIMESTAMPTZ), version) FROM fact AS f
         WHERE f.stream = r.stream AND f.name = 'first-reply-sent') AS first_replied_at,
       (SELECT min_by(CAST(said->>'resolved_at' AS TIMESTAMPTZ), version) FROM fact AS f
         WHERE f.stream = r.stream AND f.name = 'complaint-resolved') AS resolved_at,
       (SELECT max_by(said->>'outcome', version) FROM fact AS f
         WHERE f.stream = r.stream AND f.name = 'complaint-resolved') AS outcome,
       (SELECT min_by(CAST(said->>'sent_at' AS TIMESTAMPTZ), version) FROM fact AS f
         WHERE f.stream = r.stream AND f.name = 'reply-sent') AS replied_at,
       k.scheme || '/' || k.category AS reason,
       coalesce(k.product, (SELECT max_by(said->>'product', version) FROM fact AS f
         WHERE f.stream = r.stream AND f.name = 'complaint-received' AND f.said->>'product' IS NOT NULL)) AS business
  FROM receipt AS r
  LEFT JOIN ended AS e USING (stream)
  LEFT JOIN department AS d USING (stream)
  LEFT JOIN classified AS k USING (stream)
  LEFT JOIN place ON place.branch = r.branch
  LEFT JOIN person AS w USING (customer);
CREATE TABLE tier AS
SELECT stream AS customer, max_by(said->>'tier', version) AS tier
  FROM other WHERE name IN ('customer-registered', 'customer-tiered') AND said->>'tier' IS NOT NULL GROUP BY stream;
CREATE TABLE contact AS
SELECT r.stream, r.said->>'kind' AS kind, r.said->>'customer_id' AS customer, r.said->>'branch' AS branch, CAST(r.said->>'asked_at' AS TIMESTAMPTZ) AS asked_at,
       (SELECT max_by(said->>'department', version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-assigned') AS department,
       (SELECT min_by(CAST(said->>'answered_at' AS TIMESTAMPTZ), version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-answered') AS answered_at,
       (SELECT max_by(CAST(said->>'rated_at' AS TIMESTAMPTZ), version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-rated') AS rated_at,
       (SELECT max_by(CAST(said->>'overall' AS INTEGER), version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-rated') AS score,
       (SELECT max_by(CAST(said->>'reviewed_at' AS TIMESTAMPTZ), version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-reviewed') AS reviewed_at,
       (SELECT max_by(said->>'satisfactory' = 'true', version) FROM other AS o
         WHERE o.stream = r.stream AND o.name = 'interaction-reviewed') AS satisfactory,
       EXISTS (SELECT 1 FROM other AS o WHERE o.stream = r.stream AND o.name = 'interaction-became-complaint') AS became
  FROM other AS r WHERE r.name = 'interaction-recorded';
CREATE TABLE subject AS
SELECT s.stream, s.department, s.region, t.tier, s.received_at,
       isodow(timezone('Asia/Shanghai', s.stated)) || '-' || lpad(CAST(hour(timezone('Asia/Shanghai', s.stated)) AS VARCHAR), 2, '0') AS hour
  FROM (SELECT stream, customer, department, region, received_at, CASE WHEN NOT date_only THEN received_at END AS stated FROM complaint
        UNION ALL SELECT stream, customer, department, region, asked_at, asked_at FROM contact LEFT JOIN place USING (branch)) AS s
  LEFT JOIN tier AS t USING (customer);
CREATE TABLE counts AS SELECT * FROM complaint WHERE ended_how IS DISTINCT FROM 'complaint-ruled-out';
"""


def received_in(condition: str = "true", value: str = "1") -> str:
    return moment("c.received_at", condition, value)


def moment(at: str, condition: str = "true", value: str = "1", more: str = "") -> str:
    return f"""SELECT p.begins, c.stream, {value} FROM period AS p JOIN counts AS c ON true {more}
                WHERE {at} >= p.begins AND {at} < p.judged AND ({condition})"""


def contact(at: str, condition: str = "true", value: str = "1") -> str:
    return f"""SELECT p.begins, k.stream, {value} FROM period AS p JOIN contact AS k ON true
                WHERE {at} >= p.begins AND {at} < p.judged AND ({condition})"""


def rated(value: str, condition: str = "true") -> str:
    at = "CAST(f.said->>'rated_at' AS TIMESTAMPTZ)"
    return moment(at, f"f.name = 'satisfaction-rated' AND {condition}", value, "JOIN fact AS f USING (stream)")


EARLIER = """(SELECT count(*) > 0 FROM counts AS e WHERE e.person = c.person AND e.stream <> c.stream
    AND e.received_at < c.received_at AND e.received_at >= c.received_at - INTERVAL 365 DAY {same})::INTEGER"""
SAME = "AND e.business = c.business AND e.reason = c.reason"
AGAIN = f"""(EXISTS (SELECT 1 FROM fact AS f WHERE f.stream = c.stream AND f.name = 'complaint-reopened'
      AND CAST(f.said->>'reopened_at' AS TIMESTAMPTZ) > c.replied_at
      AND CAST(f.said->>'reopened_at' AS TIMESTAMPTZ) <= c.replied_at + INTERVAL 90 DAY)
   OR EXISTS (SELECT 1 FROM counts AS e WHERE e.person = c.person AND e.stream <> c.stream
      AND e.received_at > c.replied_at AND e.received_at <= c.replied_at + INTERVAL 90 DAY {SAME}))::INTEGER"""
ESCALATED = "c.stream IN (SELECT stream FROM fact WHERE name = 'complaint-escalated')"
ARCHIVED = "c.stream IN (SELECT stream FROM fact WHERE name = 'complaint-archived')"
KINDS = "k.kind IN ('enquiry', 'service-request', 'suggestion', 'feedback')"
HAS = "EXISTS (SELECT 1 FROM fact AS f WHERE f.stream = c.stream AND f.name = '{}')"
COMPENSATED = """EXISTS (SELECT 1 FROM fact AS a, fact AS o WHERE a.stream = c.stream AND o.stream = c.stream
   AND a.name = 'proposal-accepted' AND o.name = 'solution-proposed' AND a.said->>'proposal_id' = o.said->>'proposal_id'
   AND o.said->>'compensation_kind' <> 'apology-only')::INTEGER"""

AT_THE_END = """s.began < CASE WHEN p.ends <= getvariable('now') THEN p.ends ELSE p.judged + INTERVAL 1 MICROSECOND END
    AND (s.ended IS NULL OR s.ended > p.judged OR (s.ended = p.judged AND p.ends <= getvariable('now')))"""
"""Open when the period's last instant was over: who came at the first instant after it is not, who left then still is. Where the
period has not ended, open at the instant of now itself.
"""

HOUSE_LIMIT = """
        WITH RECURSIVE grading AS (
            SELECT stream, row_number() OVER (PARTITION BY stream ORDER BY version) AS n,
                   CAST(said->>'graded_at' AS TIMESTAMPTZ) AS at,
                   CASE WHEN said->>'grade' = 'general' THEN 5 ELSE 10 END AS days
              FROM fact WHERE name IN ('complaint-graded', 'complaint-regraded')),
        stopping AS (
            SELECT c.stream, (SELECT min(CAST(said->>'sent_at' AS TIMESTAMPTZ)) FROM fact AS f
                               WHERE f.stream = c.stream AND f.name = 'reply-sent'
                                 AND CAST(said->>'sent_at' AS TIMESTAMPTZ) >= c.received_at) AS replied,
                   (SELECT min(CAST(said->>'withdrawn_at' AS TIMESTAMPTZ)) FROM fact AS f
                     WHERE f.stream = c.stream AND f.name = 'complaint-withdrawn') AS withdrawn,
                   EXISTS (SELECT 1 FROM fact AS f WHERE f.stream = c.stream AND f.name = 'outcome-stated'
                                                     AND f.said->>'final' = 'true') AS unknown
              FROM counts AS c),
        stepped AS (
            SELECT stream, 0 AS n, 5 AS days FROM counts
            UNION ALL
            SELECT s.stream, g.n, CASE WHEN g.at <= w.due THEN g.days ELSE s.days END
              FROM stepped AS s JOIN grading AS g ON g.stream = s.stream AND g.n = s.n + 1
              JOIN counts AS c ON c.stream = s.stream
              JOIN working AS w ON w.day = CAST(timezone('Asia/Shanghai', c.received_at) AS DATE) AND w.days = s.days),
        limited AS (SELECT stream, max_by(days, n) AS days FROM stepped GROUP BY stream)"""
"""What stopped each clock of the house's resolution, and its limit: 5 working days, or 10 once the grade is complex or major and
was given in time for the limit before.
"""

AGE = """(SELECT CASE WHEN days < 3 THEN '0-2' WHEN days < 6 THEN '3-5' WHEN days < 11 THEN '6-10' WHEN days < 16 THEN '11-15'
    WHEN days < 31 THEN '16-30' WHEN days < 61 THEN '31-60' ELSE 'over-60' END
   FROM (SELECT epoch(p.judged - c.received_at) / 86400.0 AS days FROM period AS p WHERE p.begins = counted.begins))"""
"""How old a complaint was at the end of the period that it is counted in."""

INDEPENDENT = {
    "received": received_in(),
    "received-first-replied": received_in("c.first_replied_at IS NOT NULL"),
    "received-assigned": received_in("c.department IS NOT NULL"),
    "received-resolved": received_in("c.resolved_at IS NOT NULL"),
    "received-replied": received_in("c.replied_at IS NOT NULL"),
    "received-ended": received_in("c.ended_how IS NOT NULL"),
    "replied": moment("c.replied_at"),
    "handling-rate": received_in(
        value="(coalesce(c.replied_at < p.judged, false) OR coalesce(c.ended_at < p.judged, false))::INTEGER"
    ),
    "resolution-time": moment("c.resolved_at", value="epoch(c.resolved_at - c.received_at) / 86400.0"),
    "first-reply-time": moment(
        "c.first_replied_at", "NOT c.date_only", "epoch(c.first_replied_at - c.received_at) / 3600.0"
    ),
    "first-reply-24h": received_in(
        "NOT c.date_only AND (c.first_replied_at IS NOT NULL OR c.received_at + INTERVAL 24 HOUR < getvariable('now'))",
        "coalesce(c.first_replied_at - c.received_at <= INTERVAL 24 HOUR, false)::INTEGER",
    ),
    "satisfaction": rated("(CAST(f.said->>'overall' AS INTEGER) >= 4)::INTEGER"),
    **{
        f"satisfaction-{each}": rated(f"CAST(f.said->>'{each}' AS INTEGER)", f"f.said->>'{each}' IS NOT NULL")
        for each in ("overall", "attitude", "efficiency", "ability", "openness")
    },
    "satisfaction-change": """
        SELECT p.begins, r.stream, r.score - r.last FROM period AS p, (
            SELECT stream, CAST(said->>'overall' AS INTEGER) AS score, CAST(said->>'rated_at' AS TIMESTAMPTZ) AS at,
                   lag(CAST(said->>'overall' AS INTEGER)) OVER (
                       PARTITION BY stream ORDER BY CAST(said->>'rated_at' AS TIMESTAMPTZ), version) AS last
              FROM fact WHERE name = 'satisfaction-rated') AS r
         WHERE r.at >= p.begins AND r.at < p.judged AND r.last IS NOT NULL AND r.stream IN (SELECT stream FROM counts)""",
    "resolution-rate": moment(
        "c.replied_at",
        value=f"(NOT {HAS.format('complaint-reopened')} AND NOT {HAS.format('outcome-disputed')})::INTEGER",
    ),
    "upheld-rate": moment("c.resolved_at", value="(c.outcome IN ('upheld', 'partly-upheld'))::INTEGER"),
    "repeat-rate": received_in(value=EARLIER.format(same=SAME)),
    "repeat-customers": received_in(value=EARLIER.format(same="")),
    "return-rate": moment("c.replied_at", value=AGAIN),
    "reopened": moment(
        "CAST(f.said->>'reopened_at' AS TIMESTAMPTZ)",
        "f.name = 'complaint-reopened'",
        more="JOIN fact AS f USING (stream)",
    ),
    "transferred": received_in(
        f"c.channel IN ('regulator-transfer', 'other-transfer') OR {HAS.format('complaint-transferred')}"
    ),
    "group-complaints": received_in(HAS.format("group-recognised")),
    "ruled-out": """SELECT p.begins, c.stream, 1 FROM period AS p JOIN complaint AS c
        ON c.received_at >= p.begins AND c.received_at < p.judged WHERE c.ended_how = 'complaint-ruled-out'""",
    "compensation": """SELECT p.begins, a.stream, CAST(o.said->>'compensation_minor' AS BIGINT)
        FROM period AS p, fact AS a JOIN fact AS o USING (stream)
       WHERE a.name = 'proposal-accepted' AND o.name = 'solution-proposed' AND o.said->>'proposal_id' = a.said->>'proposal_id'
         AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) >= p.begins AND CAST(a.said->>'accepted_at' AS TIMESTAMPTZ) < p.judged
         AND o.said->>'currency' = 'CNY' AND o.said->>'compensation_minor' IS NOT NULL
         AND a.stream IN (SELECT stream FROM counts)""",
    "compensation-rate": moment("c.replied_at", value=COMPENSATED),
    "backlog": f"""SELECT p.begins, s.stream, 1 FROM period AS p JOIN spell AS s
        ON {AT_THE_END} WHERE s.stream IN (SELECT stream FROM counts)""",
    "backlog-age": f"""SELECT p.begins, s.stream, epoch(p.judged - c.received_at) / 86400.0 FROM period AS p JOIN spell AS s
        ON {AT_THE_END} JOIN counts AS c USING (stream)""",
    "root-causes": received_in("c.stream IN (SELECT stream FROM cause)"),
    "stated-timely": moment("c.received_at", "t.timely IS NOT NULL", "t.timely", "JOIN stated AS t USING (stream)"),
    "escalation-rate": received_in(value=f"({ESCALATED})::INTEGER"),
    "archiving-rate": moment("c.ended_at", "c.ended_at > TIMESTAMPTZ '1950-01-01'", f"({ARCHIVED})::INTEGER"),
    "archiving-time": moment(
        "f.at",
        "c.ended_at > TIMESTAMPTZ '1950-01-01' AND c.ended_at <= f.at",
        "epoch(f.at - c.ended_at) / 86400.0",
        """JOIN (SELECT stream, min(CAST(said->>'archived_at' AS TIMESTAMPTZ)) AS at
                   FROM fact WHERE name = 'complaint-archived' GROUP BY stream) AS f USING (stream)""",
    ),
    "service-contacts": contact("k.asked_at", KINDS),
    "service-response-time": contact("k.answered_at", KINDS, "epoch(k.answered_at - k.asked_at) / 3600.0"),
    "service-requests-24h": contact(
        "k.asked_at",
        "k.kind = 'service-request' AND (k.answered_at IS NOT NULL OR k.asked_at + INTERVAL 24 HOUR < getvariable('now'))",
        "coalesce(k.answered_at - k.asked_at <= INTERVAL 24 HOUR, false)::INTEGER",
    ),
    "service-satisfaction": contact("k.rated_at", "true", "(k.score >= 4)::INTEGER"),
    "service-error-rate": contact("k.reviewed_at", "true", "(NOT k.satisfactory)::INTEGER"),
    "service-complaint-rate": contact("k.asked_at", KINDS, "k.became::INTEGER"),
    "timeliness": f"""
        {HOUSE_LIMIT}
        SELECT p.begins, c.stream, (coalesce(least(s.replied, s.withdrawn) <= w.due, false))::INTEGER
          FROM period AS p JOIN counts AS c ON c.received_at >= p.begins AND c.received_at < p.judged
          JOIN stopping AS s USING (stream) JOIN limited AS l USING (stream)
          JOIN working AS w ON w.day = CAST(timezone('Asia/Shanghai', c.received_at) AS DATE) AND w.days = l.days
         WHERE NOT s.unknown
           AND NOT (s.withdrawn IS NOT NULL AND s.withdrawn <= w.due AND (s.replied IS NULL OR s.replied > s.withdrawn))
           AND (s.replied IS NOT NULL OR s.withdrawn IS NOT NULL OR w.due < getvariable('now'))""",
}
"""Of each indicator, the rows (begins, stream, value) that it counts."""

FIGURES = {
    "count": "count(*)",
    "sum": "sum(value)",
    "mean": "avg(value)",
    "share": "avg(value)",
    "spread": "quantile_cont(CAST(value AS DOUBLE), 0.5)",
}


def exported(reader: Connection, book: str, now: datetime, periods: list[tuple[datetime, datetime]]) -> Any:
    """A DuckDB with the events of a book, as a program would export them page by page, and the views over them."""
    duck = duckdb.connect(config={"threads": 1})
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute("CREATE TABLE event (stream VARCHAR, version INTEGER, position BIGINT, name VARCHAR, said JSON)")
    position = 0
    while position < head(reader, book).size:
        rows = events_after(reader, book, position, 5_000)
        position = rows[-1].position
        named = [(str(r.stream_id), r.version, r.position, r.name, _event(r.state)) for r in rows]
        columns = [list(column) for column in zip(*named, strict=True)]
        duck.execute("INSERT INTO event SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)", columns)
    set_periods(duck, now, periods)
    duck.execute("SET VARIABLE now = CAST(? AS TIMESTAMPTZ)", [now.isoformat()])
    duck.execute(VIEWS)
    days = list(_working_days(date(2025, 6, 1), date(2026, 12, 31)))
    duck.execute(
        "CREATE TABLE working AS SELECT unnest(?) AS day, unnest(?) AS days, unnest(?) AS due",
        [list(t) for t in zip(*days, strict=True)],
    )
    return duck


def set_periods(duck: Any, now: datetime, periods: list[tuple[datetime, datetime]]) -> None:
    """The periods that are asked about, in the place of those before."""
    columns = [list(each) for each in zip(*periods, strict=True)]
    duck.execute("CREATE OR REPLACE TABLE period AS SELECT unnest(?) AS begins, unnest(?) AS ends", columns)
    duck.execute("ALTER TABLE period ADD COLUMN judged TIMESTAMPTZ")
    duck.execute("UPDATE period SET judged = least(ends, ?)", [now])


def _event(state: bytes) -> str:
    """The event's own JSON in its stored form."""
    return orjson.dumps(orjson.loads(state)["event"]).decode()


def _working_days(first: date, last: date) -> list[tuple[date, int, datetime]]:
    found = []
    for offset in range((last - first).days - 30):
        day = first + timedelta(days=offset)
        counted, at = 0, day
        while counted < 10:
            at += timedelta(days=1)
            counted += chinese_calendar.is_workday(at)
            if counted in {5, 10} and chinese_calendar.is_workday(at):
                end = datetime.fromisoformat(f"{at + timedelta(days=1)}T00:00+08:00") - timedelta(microseconds=1)
                found.append((day, counted, end))
    return found
