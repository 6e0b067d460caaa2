-- The history of complaints, one row an event, and the references they are found by. Rows are added and never changed.

-- name: tables
-- `version` is NULL where an event about the complaint is in another stream. `target_version` is the version that an
-- annulment or a correction speaks of.
CREATE TABLE {schema}.event (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    version bigint,
    position bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    happened_at timestamptz,
    recorded_at timestamptz NOT NULL,
    done_by text COLLATE "C",
    recorded_by text COLLATE "C" NOT NULL,
    command text COLLATE "C" NOT NULL,
    target_version bigint,
    details jsonb NOT NULL,
    PRIMARY KEY (book, complaint_id, position)
);
-- What was annulled or corrected in a complaint: few rows in all.
CREATE INDEX event_targets ON {schema}.event (book, complaint_id, target_version) WHERE target_version IS NOT NULL;
CREATE TABLE {schema}.reference (
    book text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CONSTRAINT ours_or_somebody_elses CHECK (kind IN ('reference', 'external')),
    complaint_id uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (book, reference, kind, complaint_id, position)
);

-- name: of
-- A page of one complaint as known at a position, with how far the rows have come, and what was annulled or corrected by
-- then (version, target, name), in one answer: one row without a line where the page is empty.
WITH standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
), mended AS MATERIALIZED (
    SELECT array_agg(ARRAY[e.version::text, e.target_version::text, e.name] ORDER BY e.version) AS targets
      FROM standing AS s
      JOIN {schema}.event AS e ON e.position <= s.until
     WHERE e.book = %(book)s AND e.complaint_id = %(complaint_id)s::uuid AND e.target_version IS NOT NULL
)
SELECT s.position, m.targets, e.*
  FROM standing AS s
 CROSS JOIN mended AS m
  LEFT JOIN LATERAL (
        SELECT e.position, e.version, e.name, e.happened_at, e.recorded_at, e.done_by, e.recorded_by, e.command, e.details
          FROM {schema}.event AS e
         WHERE e.book = %(book)s AND e.complaint_id = %(complaint_id)s::uuid AND e.position <= s.until
           AND e.position > %(after)s
         ORDER BY e.position
         LIMIT %(rows_max)s) AS e ON true
 ORDER BY e.position;

-- name: find
-- The complaints that carried a reference, ours or somebody else's, up to a position; the first to carry it first.
WITH standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
)
SELECT s.position, r.complaint_id
  FROM standing AS s
  LEFT JOIN LATERAL (
        SELECT complaint_id, min(position) AS since
          FROM {schema}.reference
         WHERE book = %(book)s AND reference = %(reference)s AND position <= s.until
         GROUP BY complaint_id
         ORDER BY min(position)
         LIMIT %(rows_max)s) AS r ON true
 ORDER BY r.since;
