"""How fast an SLA report over many complaints is, and a deadline with all of its facts; the rows are made up in the tables."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from measuring import Line, Side
from place import Place

from ledger.complaint.events import ComplaintEvent, ComplaintGraded, ComplaintReceived, FirstReplySent, Grade, ReplySent
from ledger.database.roles import Role
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.clock import Rulebook, runs_by
from ledger.deadlines.regime import default_regimes
from ledger.event import Personal
from projections import sla
from projections.machine import in_schema, schema_of
from projections.worker import catch_up

COMPLAINTS, COMPLAINTS_QUICK = 100_000, 10_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)

COMPLAINT_ROWS = """
INSERT INTO {schema}.complaint
SELECT %(book)s, md5(n::text)::uuid, n * 10 + state, CASE WHEN state < 5 THEN n * 10 + state + 1 END, 'R-' || n, 'phone',
       (ARRAY['credit-card', 'debit-card', 'loan'])[1 + n %% 3], CASE WHEN state > 1 THEN 'category-' || n %% 12 END,
       CASE WHEN state > 2 THEN 'general' END, CASE WHEN state > 4 THEN 'cause-' || n %% 9 END,
       CASE WHEN state > 3 THEN 'department-' || n %% 14 END, CASE WHEN state > 3 THEN 'handler-' || n %% 300 END,
       CASE WHEN state > 1 THEN 'category-' || n %% 12 END, CASE WHEN state > 2 THEN 'general' END
  FROM generate_series(1, %(complaints)s) AS n, generate_series(0, 5) AS state
"""

CLOCK_ROWS = """
INSERT INTO {schema}.clock
SELECT %(book)s, md5(n::text)::uuid, 'house', clock, 1, n * 10 + state, CASE WHEN state = 0 AND n %% 25 > 0 THEN n * 10 + 5 END,
       1, 'china', 1, starts_at, starts_at::date, '5 working days', starts_at + due, '5 working days', starts_at + due,
       CASE WHEN state = 5 THEN starts_at + due * (0.1 + (n %% 100) / 95.0) END, NULL,
       CASE WHEN state = 5 THEN 'stopped' ELSE 'running' END, false, 0, true, state = 0,
       CASE WHEN state = 5 THEN (extract(epoch FROM due * (0.1 + (n %% 100) / 95.0)) * 1e6)::bigint END
  FROM generate_series(1, %(complaints)s) AS n,
       LATERAL (SELECT timestamptz '2025-11-01 00:00Z' + (n * 315 || ' s')::interval) AS s (starts_at),
       (VALUES ('first-reply', interval '24 h'), ('resolution', interval '7 d')) AS c (clock, due),
       (VALUES (0), (5)) AS states (state)
 WHERE state = 0 OR n %% 25 > 0
"""

TALLY_ROWS = """
INSERT INTO {schema}.tally
SELECT book, regime, clock, day, ended, stopped_at > due_at, is_duty, count(*), 0
  FROM {schema}.clock, unnest(ARRAY[started_on, date '0001-01-01']) AS day
 WHERE book = %(book)s AND known_to IS NULL AND ended = 'stopped'
 GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO {schema}.spent
SELECT book, regime, clock, floor(used_us / 3600000000.0), count(*)
  FROM {schema}.clock WHERE book = %(book)s AND known_to IS NULL AND ended = 'stopped'
 GROUP BY 1, 2, 3, 4
"""


def lines(place: Place) -> list[Line]:
    many = COMPLAINTS_QUICK if place.quick else COMPLAINTS
    report = f"SLA report over {many:,} complaints"
    return [
        Line(report, "counting the rows it reads", "ms", partial(_report, place, many, None), True),
        Line(f"{report} by category and month", "counting the rows it reads", "ms", partial(_report, place, many, "category"), True),
        Line("both clocks of a complaint of four facts", "one date of it read from text", "µs", _deadlines, True),
    ]  # fmt: skip


@contextmanager
def _report(place: Place, complaints: int, part: sla.Part | None) -> Iterator[tuple[Side, Side]]:
    book = place.new_book()
    catch_up(place.database, book, sla.PROJECTION.name)
    schema = schema_of(book, sla.PROJECTION.name)
    with closing(place.database.connect(Role.PROJECTOR, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for rows in (COMPLAINT_ROWS, CLOCK_ROWS, TALLY_ROWS):
            cursor.execute(in_schema(rows, schema), {"book": book, "complaints": complaints})
    with closing(place.connect("ledger")) as owner, owner.cursor() as cursor:
        owner.autocommit = True
        cursor.execute(in_schema("VACUUM ANALYZE {schema}.clock", schema))
        cursor.execute(in_schema("VACUUM ANALYZE {schema}.complaint", schema))
        cursor.execute(in_schema("VACUUM ANALYZE {schema}.tally", schema))
        cursor.execute(
            "UPDATE projection.progress SET position = %s WHERE book = %s AND name = 'sla'", (complaints * 10, book)
        )
    with closing(place.database.connect(Role.APPLICATION, autocommit=True)) as connection:

        def ours() -> float:
            began = time.perf_counter()
            period: sla.Period | None = None if part is None else "month"
            asked = sla.report(connection, book, now=NOW, part=part, period=period)
            counted = sum(line.met + line.missed + line.running for line in asked.lines)
            assert counted == 2 * complaints, counted
            return (time.perf_counter() - began) * 1000

        def theirs() -> float:
            began = time.perf_counter()
            with connection.cursor() as cursor:
                for table in ("clock", "complaint") if part else ("clock",):
                    cursor.execute(in_schema(f"SELECT count(*), max(known_from) FROM {{schema}}.{table}", schema))
                    cursor.fetchall()
            return (time.perf_counter() - began) * 1000

        yield ours, theirs


@contextmanager
def _deadlines() -> Iterator[tuple[Side, Side]]:
    rulebook = Rulebook(default_regimes(), built_in_calendars())
    at = datetime(2026, 3, 2, 2, tzinfo=UTC)
    who = {"customer_id": UUID(int=1)}
    facts: list[tuple[int, ComplaintEvent]] = [
        (1, ComplaintReceived(**who, received_at=at, received_by="li", channel="phone")),
        (2, ComplaintGraded(**who, grade=Grade.COMPLEX, graded_by="li", graded_at=at + timedelta(hours=1))),
        (3, FirstReplySent(**who, channel="phone", sent_by="li", sent_at=at + timedelta(hours=2))),
        (
            4,
            ReplySent(
                **who,
                reply_id=UUID(int=2),
                resolution_id=UUID(int=3),
                channel="phone",
                content=Personal.recorded("A" * 43),
                sent_by="li",
                sent_at=at + timedelta(days=3),
            ),
        ),
    ]
    times = 5_000

    def ours() -> float:
        began = time.perf_counter()
        for _ in range(times):
            runs_by(facts, rulebook)
        return (time.perf_counter() - began) / times * 1e6

    def theirs() -> float:
        began = time.perf_counter()
        for _ in range(times):
            datetime.fromisoformat("2026-03-02T10:00:00+08:00")
        return (time.perf_counter() - began) / times * 1e6

    yield ours, theirs
