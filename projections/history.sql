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
-- A page of one complaint as known at a position. A fact is annulled by the first annulment that speaks of it, and
-- corrected by the last correction before that: what comes after an annulment does nothing (ledger.complaint.state).
SELECT e.version, e.position, e.name, e.happened_at, e.recorded_at, e.done_by, e.recorded_by, e.command, e.details,
       a.version AS annulled_by_version, c.version AS corrected_by_version
  FROM {schema}.event AS e
  LEFT JOIN LATERAL (
        SELECT min(t.version) AS version
          FROM {schema}.event AS t
         WHERE t.book = e.book AND t.complaint_id = e.complaint_id AND t.target_version = e.version
           AND t.name = 'fact-annulled' AND t.position <= %(position)s) AS a ON true
  LEFT JOIN LATERAL (
        SELECT max(t.version) AS version
          FROM {schema}.event AS t
         WHERE t.book = e.book AND t.complaint_id = e.complaint_id AND t.target_version = e.version
           AND t.name = 'fact-corrected' AND t.position <= %(position)s
           AND (a.version IS NULL OR t.version < a.version)) AS c ON true
 WHERE e.book = %(book)s AND e.complaint_id = %(complaint_id)s::uuid AND e.position <= %(position)s
   AND (%(after)s::bigint IS NULL OR e.position > %(after)s)
 ORDER BY e.position
 LIMIT %(rows_max)s;

-- name: find
-- The complaints that carried a reference, ours or somebody else's, up to a position; the first to carry it first.
SELECT complaint_id
  FROM {schema}.reference
 WHERE book = %(book)s AND reference = %(reference)s AND position <= %(position)s
 GROUP BY complaint_id
 ORDER BY min(position)
 LIMIT %(rows_max)s;
