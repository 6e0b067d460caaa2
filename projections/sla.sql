-- Deadlines in two times. `known_from` and `known_to` are positions: a row says what was known from the one up to and
-- without the other; `known_to` is NULL while it is known still. `run` counts the runs of a clock that was restarted.

-- name: tables
-- One row for each state of each clock of each complaint, with what reports are broken down by as it was then.
-- `is_open`: the clock has not ended, and neither has its complaint. `is_duty`: of the institution, so that it is missed
-- and not only lapsed.
CREATE TABLE {schema}.clock (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    regime text COLLATE "C" NOT NULL,
    clock text COLLATE "C" NOT NULL,
    run integer NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    regime_version integer NOT NULL,
    calendar_version integer,
    starts_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    stopped_at timestamptz,
    ended text COLLATE "C" NOT NULL,
    provisional boolean NOT NULL,
    is_duty boolean NOT NULL,
    is_open boolean NOT NULL,
    department text COLLATE "C",
    handler text COLLATE "C",
    category text COLLATE "C",
    grade text COLLATE "C",
    channel text COLLATE "C",
    product text COLLATE "C",
    reference text COLLATE "C",
    PRIMARY KEY (book, complaint_id, regime, clock, run, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from),
    CONSTRAINT only_what_has_not_ended_is_open CHECK (NOT is_open OR ended IN ('running', 'suspended')),
    CONSTRAINT a_stopped_clock_says_when CHECK ((ended = 'stopped') = (stopped_at IS NOT NULL))
);
-- What is overdue, oldest first: only duties that run, of complaints that are open, and known still.
CREATE INDEX clock_running ON {schema}.clock (book, due_at, complaint_id, regime, clock, run)
 WHERE ended = 'running' AND is_open AND is_duty AND known_to IS NULL;

-- name: supersede
-- What is known otherwise from here on. The open row of a clock's run is its last.
UPDATE {schema}.clock AS c
   SET known_to = s.known_to::bigint
  FROM (VALUES %s) AS s (book, complaint_id, regime, clock, run, known_to)
 WHERE c.book = s.book AND c.complaint_id = s.complaint_id::uuid AND c.regime = s.regime AND c.clock = s.clock
   AND c.run = s.run AND c.known_to IS NULL;

-- name: report
-- Counts of one period as known at a position, judged at an instant. The verdict is that of ledger.deadlines.clock:
-- a clock that runs past its due time is missed, whether or not anybody noticed, and no duty only lapses; a suspended one
-- runs. Only what is still open is overdue. `parted` is the column to group by.
SELECT regime, clock, parted,
       count(*) FILTER (WHERE ended = 'stopped' AND stopped_at <= due_at) AS met,
       count(*) FILTER (WHERE is_duty AND late) AS missed,
       count(*) FILTER (WHERE ended = 'running' AND NOT late OR ended = 'suspended') AS running,
       count(*) FILTER (WHERE ended = 'stopped-at-unknown-time') AS unknown,
       count(*) FILTER (WHERE ended = 'void') AS void,
       count(*) FILTER (WHERE ended = 'running' AND is_duty AND is_open AND late) AS overdue,
       count(*) FILTER (WHERE ended IN ('running', 'suspended') AND provisional) AS provisional,
       count(*) FILTER (WHERE NOT is_duty AND late) AS lapsed
  FROM (SELECT c.*,
               CASE ended WHEN 'stopped' THEN stopped_at > due_at WHEN 'running' THEN due_at < %(now)s ELSE false END AS late,
               CASE %(part)s WHEN 'department' THEN department WHEN 'handler' THEN handler
                                  WHEN 'category' THEN category WHEN 'grade' THEN grade
                                  WHEN 'channel' THEN channel WHEN 'product' THEN product END AS parted
          FROM {schema}.clock AS c
         WHERE book = %(book)s
           AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
           AND (%(starts_from)s::timestamptz IS NULL OR starts_at >= %(starts_from)s)
           AND (%(starts_before)s::timestamptz IS NULL OR starts_at < %(starts_before)s)) AS known
 GROUP BY regime, clock, parted
 ORDER BY regime, clock, parted NULLS LAST
 LIMIT 100000;

-- name: overdue
-- Still open and past its due time as known at a position, judged at an instant; the longest overdue first. What is
-- known still is read in the order of its index. What was known then and is no more is looked for only where the
-- question is about the past: a condition on the progress row, which this same snapshot sees.
WITH known AS (
    (SELECT c.*
       FROM {schema}.clock AS c
      WHERE book = %(book)s AND ended = 'running' AND is_open AND is_duty AND known_to IS NULL AND known_from <= %(position)s
        AND due_at < %(now)s
        AND (%(starts_from)s::timestamptz IS NULL OR starts_at >= %(starts_from)s)
        AND (%(starts_before)s::timestamptz IS NULL OR starts_at < %(starts_before)s)
        AND (%(after_due_at)s::timestamptz IS NULL
             OR (due_at, complaint_id, regime, clock, run)
                > (%(after_due_at)s, %(after_complaint_id)s::uuid, %(after_regime)s::text, %(after_clock)s::text,
                   %(after_run)s::integer))
      ORDER BY due_at, complaint_id, regime, clock, run
      LIMIT %(rows_max)s)
    UNION ALL
    (SELECT c.*
       FROM {schema}.clock AS c
      WHERE book = %(book)s AND ended = 'running' AND is_open AND is_duty AND known_to > %(position)s AND known_from <= %(position)s
        AND due_at < %(now)s
        AND (SELECT p.position FROM projection.progress AS p WHERE p.book = %(book)s AND p.schema = %(schema)s) > %(position)s
        AND (%(starts_from)s::timestamptz IS NULL OR starts_at >= %(starts_from)s)
        AND (%(starts_before)s::timestamptz IS NULL OR starts_at < %(starts_before)s)
        AND (%(after_due_at)s::timestamptz IS NULL
             OR (due_at, complaint_id, regime, clock, run)
                > (%(after_due_at)s, %(after_complaint_id)s::uuid, %(after_regime)s::text, %(after_clock)s::text,
                   %(after_run)s::integer))
      ORDER BY due_at, complaint_id, regime, clock, run
      LIMIT %(rows_max)s))
SELECT complaint_id, reference, regime, clock, run, starts_at, due_at, provisional, department, handler, category, grade,
       channel, product, known_from
  FROM known
 ORDER BY due_at, complaint_id, regime, clock, run
 LIMIT %(rows_max)s;

-- name: of_complaint
-- Every state of one complaint's clocks that was ever known up to a position, the latest last.
SELECT regime, clock, run, starts_at, due_at, stopped_at, ended, provisional, regime_version, calendar_version,
       known_from, CASE WHEN known_to <= %(position)s THEN known_to END AS known_to
  FROM {schema}.clock
 WHERE book = %(book)s AND complaint_id = %(complaint_id)s::uuid AND known_from <= %(position)s
 ORDER BY regime, clock, run, known_from
 LIMIT 10000;
