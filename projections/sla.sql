-- Deadlines in two times. `known_from` and `known_to` are positions: a row says what was known from the one up to and
-- without the other; `known_to` is NULL while it is known still. `run` counts the runs of a clock that was restarted.

-- name: tables
-- One row for each state of each clock of each complaint. `is_open`: the clock has not ended, and neither has its
-- complaint. `is_duty`: of the institution, so that it is missed and not only lapsed. `started_on` is the day of the
-- clock's own calendar. `within` is the limit that applies, `first_within` the one before any other was put in place.
CREATE TABLE {schema}.clock (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    regime text COLLATE "C" NOT NULL,
    clock text COLLATE "C" NOT NULL,
    run integer NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    regime_version integer NOT NULL,
    calendar text COLLATE "C" NOT NULL,
    calendar_version integer,
    starts_at timestamptz NOT NULL,
    started_on date NOT NULL,
    within text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    first_within text COLLATE "C" NOT NULL,
    first_due_at timestamptz NOT NULL,
    stopped_at timestamptz,
    suspended_at timestamptz,
    ended text COLLATE "C" NOT NULL,
    provisional boolean NOT NULL,
    regrades_on_last_day integer NOT NULL,
    is_duty boolean NOT NULL,
    is_open boolean NOT NULL,
    used_us bigint,
    PRIMARY KEY (book, complaint_id, regime, clock, run, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from),
    CONSTRAINT only_what_has_not_ended_is_open CHECK (NOT is_open OR ended IN ('running', 'suspended')),
    CONSTRAINT a_stopped_clock_says_when CHECK ((ended = 'stopped') = (stopped_at IS NOT NULL)),
    CONSTRAINT a_stopped_clock_says_what_it_used CHECK ((stopped_at IS NULL) = (used_us IS NULL)),
    CONSTRAINT a_suspended_clock_says_since_when CHECK ((ended = 'suspended') = (suspended_at IS NOT NULL))
);
-- What is overdue, oldest first: only duties that run, of complaints that are open, and known still.
CREATE INDEX clock_running ON {schema}.clock (book, due_at, complaint_id, regime, clock, run)
 WHERE ended = 'running' AND is_open AND is_duty AND known_to IS NULL;
-- What a calendar that is published may issue anew: few, and none for most of a year.
CREATE INDEX clock_provisional ON {schema}.clock (book, calendar, complaint_id)
 WHERE provisional AND ended IN ('running', 'suspended') AND known_to IS NULL;
-- What has not ended: a question about now judges these few, and takes what has ended from the tally.
CREATE INDEX clock_unended ON {schema}.clock (book, regime, clock) WHERE ended IN ('running', 'suspended') AND known_to IS NULL;
-- How long the clocks took that were stopped, for percentiles: of all, and of the days of a period.
CREATE INDEX clock_used_up ON {schema}.clock (book, regime, clock, used_us)
 WHERE known_to IS NULL AND used_us IS NOT NULL;
CREATE INDEX clock_used ON {schema}.clock (book, regime, clock, started_on, used_us)
 WHERE known_to IS NULL AND used_us IS NOT NULL;
-- How many clocks, as known now, started on a day and have ended how: what no now changes any more. A few rows a day, so
-- that a report by month costs what there are of days, and not of complaints; and those of all days under 0001-01-01.
CREATE TABLE {schema}.tally (
    book text COLLATE "C" NOT NULL,
    regime text COLLATE "C" NOT NULL,
    clock text COLLATE "C" NOT NULL,
    started_on date NOT NULL,
    ended text COLLATE "C" NOT NULL,
    is_late boolean NOT NULL,
    is_duty boolean NOT NULL,
    clocks integer NOT NULL,
    regrades_on_last_day integer NOT NULL,
    PRIMARY KEY (book, started_on, regime, clock, ended, is_late, is_duty),
    CONSTRAINT only_what_has_ended_is_tallied CHECK (ended NOT IN ('running', 'suspended'))
);
-- How many clocks, as known now, were stopped after so many whole hours: with it a percentile of all costs what there are
-- of hours, and the clocks of one of them.
CREATE TABLE {schema}.spent (
    book text COLLATE "C" NOT NULL,
    regime text COLLATE "C" NOT NULL,
    clock text COLLATE "C" NOT NULL,
    hours integer NOT NULL,
    clocks integer NOT NULL,
    PRIMARY KEY (book, regime, clock, hours)
);
-- What a report is broken down by, as it was known: one row for each state of each complaint. `first_…` is what was
-- stated first of what stands.
CREATE TABLE {schema}.complaint (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    reference text COLLATE "C",
    channel text COLLATE "C",
    product text COLLATE "C",
    category text COLLATE "C",
    grade text COLLATE "C",
    cause text COLLATE "C",
    department text COLLATE "C",
    handler text COLLATE "C",
    first_category text COLLATE "C",
    first_grade text COLLATE "C",
    PRIMARY KEY (book, complaint_id, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from)
);

-- name: supersede_clock
-- What is known otherwise from here on. The open row of a clock's run is its last.
UPDATE {schema}.clock AS c
   SET known_to = s.known_to::bigint
  FROM (VALUES %s) AS s (book, complaint_id, regime, clock, run, known_to)
 WHERE c.book = s.book AND c.complaint_id = s.complaint_id::uuid AND c.regime = s.regime AND c.clock = s.clock
   AND c.run = s.run AND c.known_to IS NULL;

-- name: supersede_complaint
-- The same of a complaint.
UPDATE {schema}.complaint AS c
   SET known_to = s.known_to::bigint
  FROM (VALUES %s) AS s (book, complaint_id, known_to)
 WHERE c.book = s.book AND c.complaint_id = s.complaint_id::uuid AND c.known_to IS NULL;

-- name: tally
-- More or fewer clocks that have ended in these ways, as known from here on.
INSERT INTO {schema}.tally AS t (book, regime, clock, started_on, ended, is_late, is_duty, clocks, regrades_on_last_day)
VALUES %s
    ON CONFLICT (book, regime, clock, started_on, ended, is_late, is_duty)
    DO UPDATE SET clocks = t.clocks + EXCLUDED.clocks,
                  regrades_on_last_day = t.regrades_on_last_day + EXCLUDED.regrades_on_last_day;

-- name: forget_tally
-- What is counted no more leaves no row, so that the rows are the same however the events came in.
DELETE FROM {schema}.tally AS t
 USING (VALUES %s) AS s (book, regime, clock, started_on, ended, is_late, is_duty)
 WHERE t.book = s.book AND t.regime = s.regime AND t.clock = s.clock AND t.started_on = s.started_on AND t.ended = s.ended
   AND t.is_late = s.is_late AND t.is_duty = s.is_duty AND t.clocks = 0;

-- name: spend
-- More or fewer clocks that were stopped after so many hours.
INSERT INTO {schema}.spent AS t (book, regime, clock, hours, clocks)
VALUES %s
    ON CONFLICT (book, regime, clock, hours) DO UPDATE SET clocks = t.clocks + EXCLUDED.clocks;

-- name: forget_spent
-- As `forget_tally`.
DELETE FROM {schema}.spent AS t
 USING (VALUES %s) AS s (book, regime, clock, hours)
 WHERE t.book = s.book AND t.regime = s.regime AND t.clock = s.clock AND t.hours = s.hours AND t.clocks = 0;

-- name: report_now
-- The same figures as `report` gives of everything, as known at the position that this snapshot sees. What has ended is
-- in the tally; what has not is judged here. A percentile (as percentile_disc defines it) is looked for in the hour that
-- it lies in. One row without a clock where there is none.
WITH counted AS (
    SELECT regime, clock, started_on, ended, is_late AS late, is_duty, false AS is_open, false AS provisional, clocks,
           regrades_on_last_day
      FROM {schema}.tally
     WHERE book = %(book)s AND started_on >= CASE WHEN %(period)s::text IS NULL THEN date '0001-01-01' ELSE '0001-01-02' END
       AND started_on <= CASE WHEN %(period)s::text IS NULL THEN date '0001-01-01' ELSE 'infinity' END
    UNION ALL
    SELECT regime, clock, started_on, ended, ended = 'running' AND due_at < %(now)s, is_duty, is_open, provisional, 1,
           regrades_on_last_day
      FROM {schema}.clock
     WHERE book = %(book)s AND known_to IS NULL AND ended IN ('running', 'suspended')),
used AS (
    SELECT s.regime, s.clock, array_agg(c.used_us ORDER BY f.share) AS used
      FROM (SELECT regime, clock, hours, sum(clocks) OVER w - clocks AS before, sum(clocks) OVER w AS so_far,
                   sum(clocks) OVER (PARTITION BY regime, clock) AS of_all
              FROM {schema}.spent
             WHERE book = %(book)s AND %(period)s::text IS NULL
            WINDOW w AS (PARTITION BY regime, clock ORDER BY hours)) AS s
      JOIN unnest(ARRAY[0.5, 0.9, 0.99]::float8[]) AS f (share) ON ceil(f.share * s.of_all) BETWEEN s.before + 1 AND s.so_far
     CROSS JOIN LATERAL (SELECT c.used_us
                           FROM {schema}.clock AS c
                          WHERE c.book = %(book)s AND c.regime = s.regime AND c.clock = s.clock AND c.known_to IS NULL
                            AND c.used_us >= s.hours * 3600000000 AND c.used_us < (s.hours + 1) * 3600000000
                          ORDER BY c.used_us
                         OFFSET ceil(f.share * s.of_all)::bigint - s.before - 1
                          LIMIT 1) AS c
     GROUP BY 1, 2),
line AS (
    SELECT regime, clock, date_trunc(%(period)s::text, started_on::timestamp)::date AS period,
           coalesce(sum(clocks) FILTER (WHERE ended = 'stopped' AND NOT late), 0)::bigint AS met,
           coalesce(sum(clocks) FILTER (WHERE is_duty AND late), 0)::bigint AS missed,
           coalesce(sum(clocks) FILTER (WHERE ended = 'running' AND NOT late OR ended = 'suspended'), 0)::bigint AS running,
           coalesce(sum(clocks) FILTER (WHERE ended = 'stopped-at-unknown-time'), 0)::bigint AS unknown,
           coalesce(sum(clocks) FILTER (WHERE ended = 'void'), 0)::bigint AS void,
           coalesce(sum(clocks) FILTER (WHERE ended = 'running' AND is_duty AND is_open AND late), 0)::bigint AS overdue,
           coalesce(sum(clocks) FILTER (WHERE provisional), 0)::bigint AS provisional,
           coalesce(sum(clocks) FILTER (WHERE NOT is_duty AND late), 0)::bigint AS lapsed,
           sum(regrades_on_last_day)::bigint AS regrades_on_last_day
      FROM counted
     GROUP BY 1, 2, 3)
SELECT p.position, l.regime, l.clock, l.period, NULL::text, l.met, l.missed, l.running, l.unknown, l.void, l.overdue,
       l.provisional, l.lapsed, l.regrades_on_last_day,
       CASE WHEN %(period)s::text IS NULL THEN
       (SELECT u.used FROM used AS u WHERE u.regime = l.regime AND u.clock = l.clock)
       ELSE
       (SELECT percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY c.used_us)
          FROM {schema}.clock AS c
         WHERE c.book = %(book)s AND c.regime = l.regime AND c.clock = l.clock AND c.known_to IS NULL
           AND c.used_us IS NOT NULL
           AND c.started_on >= coalesce(l.period, '-infinity') AND c.started_on < coalesce((l.period + %(span)s::interval)::date, 'infinity')
       ) END AS used
  FROM projection.progress AS p
  LEFT JOIN line AS l ON true
 WHERE p.book = %(book)s AND p.schema = %(schema)s
 ORDER BY l.regime, l.clock, l.period NULLS LAST
 LIMIT 100000;

-- name: provisional
-- The complaints of which a calendar that is published now may issue a due time anew; read in the order of its index.
SELECT DISTINCT complaint_id
  FROM {schema}.clock
 WHERE book = %(book)s AND calendar = %(calendar)s AND provisional AND ended IN ('running', 'suspended')
   AND known_to IS NULL;

-- name: report
-- Counts of one period as known at a position, judged at an instant. The verdict is that of ledger.deadlines.clock:
-- a clock that runs past its due time is missed, whether or not anybody noticed, and no duty only lapses; a suspended one
-- runs. Only what is still open is overdue. `parted` is the column to group by, as it was known at `classified`, which may
-- be another position than that of the verdicts. `used` are microseconds from start to stop of the clocks that were stopped.
-- A hundred thousand complaints are sorted and joined in memory, and not on disk.
SET LOCAL work_mem = '64MB';
SELECT regime, clock, period, parted,
       count(*) FILTER (WHERE ended = 'stopped' AND NOT late) AS met,
       count(*) FILTER (WHERE is_duty AND late) AS missed,
       count(*) FILTER (WHERE ended = 'running' AND NOT late OR ended = 'suspended') AS running,
       count(*) FILTER (WHERE ended = 'stopped-at-unknown-time') AS unknown,
       count(*) FILTER (WHERE ended = 'void') AS void,
       count(*) FILTER (WHERE ended = 'running' AND is_duty AND is_open AND late) AS overdue,
       count(*) FILTER (WHERE ended IN ('running', 'suspended') AND provisional) AS provisional,
       count(*) FILTER (WHERE NOT is_duty AND late) AS lapsed,
       sum(regrades_on_last_day)::bigint AS regrades_on_last_day,
       percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY used_us) AS used
  FROM (SELECT c.regime, c.clock, c.ended, c.is_duty, c.is_open, c.provisional, c.regrades_on_last_day,
               CASE c.ended WHEN 'stopped' THEN c.stopped_at > c.due_at WHEN 'running' THEN c.due_at < %(now)s
                            ELSE false END AS late,
               c.used_us,
               date_trunc(%(period)s::text, c.started_on::timestamp)::date AS period,
               CASE %(part)s::text WHEN 'department' THEN s.department WHEN 'handler' THEN s.handler
                                   WHEN 'category' THEN s.category WHEN 'first_category' THEN s.first_category
                                   WHEN 'grade' THEN s.grade WHEN 'first_grade' THEN s.first_grade
                                   WHEN 'cause' THEN s.cause WHEN 'channel' THEN s.channel
                                   WHEN 'product' THEN s.product END AS parted
          FROM {schema}.clock AS c
          LEFT JOIN {schema}.complaint AS s
            ON %(part)s::text IS NOT NULL
           AND s.book = c.book AND s.complaint_id = c.complaint_id AND s.known_from <= %(classified)s
           AND (s.known_to IS NULL OR s.known_to > %(classified)s)
         WHERE c.book = %(book)s
           AND c.known_from <= %(position)s AND (c.known_to IS NULL OR c.known_to > %(position)s)
           AND (%(starts_from)s::timestamptz IS NULL OR c.starts_at >= %(starts_from)s)
           AND (%(starts_before)s::timestamptz IS NULL OR c.starts_at < %(starts_before)s)) AS known
 GROUP BY regime, clock, period, parted
 ORDER BY regime, clock, period NULLS LAST, parted NULLS LAST
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
      LIMIT %(rows_max)s)),
page AS (SELECT * FROM known ORDER BY due_at, complaint_id, regime, clock, run LIMIT %(rows_max)s)
SELECT c.complaint_id, s.reference, c.regime, c.clock, c.run, c.starts_at, c.due_at, c.provisional, s.department, s.handler,
       s.category, s.grade, s.channel, s.product, c.known_from
  FROM page AS c
  LEFT JOIN {schema}.complaint AS s
    ON s.book = c.book AND s.complaint_id = c.complaint_id AND s.known_from <= %(position)s
   AND (s.known_to IS NULL OR s.known_to > %(position)s)
 ORDER BY c.due_at, c.complaint_id, c.regime, c.clock, c.run;

-- name: of_complaint
-- Every state of one complaint's clocks that was ever known up to a position, the latest last.
SELECT regime, clock, run, starts_at, due_at, stopped_at, ended, provisional, regime_version, calendar_version,
       known_from, CASE WHEN known_to <= %(position)s THEN known_to END AS known_to,
       within, first_within, first_due_at, suspended_at, regrades_on_last_day, is_duty
  FROM {schema}.clock
 WHERE book = %(book)s AND complaint_id = %(complaint_id)s::uuid AND known_from <= %(position)s
 ORDER BY regime, clock, run, known_from
 LIMIT 10000;

-- name: complaints
-- A page of the complaints that have deadlines, for a replay of them all.
SELECT complaint_id
  FROM {schema}.complaint
 WHERE book = %(book)s AND known_to IS NULL
   AND (%(after)s::uuid IS NULL OR complaint_id > %(after)s::uuid)
 ORDER BY complaint_id
 LIMIT %(rows_max)s;
