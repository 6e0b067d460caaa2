-- What the passing of time brings about. One row a threshold; what comes to nothing goes, what was recorded stays.

-- name: tables
-- `since` is when a fact is owed, `event` what it says, `recorded_position` where it was recorded; NULL: not yet.
CREATE TABLE {schema}.threshold (
    book text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    complaint_id uuid NOT NULL,
    since timestamptz NOT NULL,
    name text COLLATE "C" NOT NULL,
    event jsonb NOT NULL,
    recorded_position bigint,
    PRIMARY KEY (book, stream_id)
);
-- What is owed, the longest first: only what is not recorded.
CREATE INDEX threshold_owed ON {schema}.threshold (book, since, stream_id) WHERE recorded_position IS NULL;
-- Those of a complaint, when something happens in it.
CREATE INDEX threshold_complaint ON {schema}.threshold (book, complaint_id);
-- The complaints with a due time that a calendar may issue anew. Not every such clock passes a threshold: a window
-- without a warning does not, nor does one that is suspended.
CREATE TABLE {schema}.provisional (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    PRIMARY KEY (book, complaint_id)
);

-- name: of_complaints
-- The thresholds of the complaints that a batch goes on with; a few each.
SELECT stream_id, complaint_id, since, name, event, recorded_position
  FROM {schema}.threshold
 WHERE book = %(book)s AND complaint_id = ANY (%(complaint_ids)s::uuid[]);

-- name: provisional
-- Whom a new calendar may concern: asked once for each publication.
SELECT complaint_id
  FROM {schema}.provisional
 WHERE book = %(book)s;

-- name: settled
-- Whom a new calendar concerns no more.
DELETE FROM {schema}.provisional AS t
 USING (VALUES %s) AS d (book, complaint_id)
 WHERE t.book = d.book AND t.complaint_id = d.complaint_id::uuid;

-- name: forget
-- What a batch changes is written anew, where it still is.
DELETE FROM {schema}.threshold AS t
 USING (VALUES %s) AS d (book, stream_id)
 WHERE t.book = d.book AND t.stream_id = d.stream_id::uuid;

-- name: due
-- What is owed and not recorded, with the position that this is known at: one snapshot. The clock is the database's,
-- as that of the record is, unless the asker says what now is.
SELECT p.position, n.now, t.stream_id, t.since, t.name, t.event
  FROM projection.progress AS p
 CROSS JOIN (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS now) AS n
  LEFT JOIN LATERAL (
        SELECT stream_id, since, name, event
          FROM {schema}.threshold
         WHERE book = p.book AND recorded_position IS NULL AND since <= n.now
         ORDER BY since, stream_id
         LIMIT %(rows_max)s) AS t ON true
 WHERE p.book = %(book)s AND p.schema = %(schema)s
 ORDER BY t.since, t.stream_id
 LIMIT %(rows_max)s;

-- name: next
-- When there is something to do next: the first of the index.
SELECT min(since)
  FROM {schema}.threshold
 WHERE book = %(book)s AND recorded_position IS NULL;
