-- Everything that happened with a customer, and the history of each subject besides complaints. Rows of events are added and
-- never changed; an interval is closed where a later fact ends it, and what was known before stays answerable.

-- name: tables
-- `target_version` is the version that an annulment or a correction speaks of.
CREATE TABLE {schema}.event (
    book text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    happened_at timestamptz,
    recorded_at timestamptz NOT NULL,
    done_by text COLLATE "C",
    recorded_by text COLLATE "C" NOT NULL,
    command text COLLATE "C" NOT NULL,
    target_version bigint,
    details jsonb NOT NULL,
    PRIMARY KEY (book, subject_id, version)
);
-- What was annulled or corrected: few rows in all.
CREATE INDEX event_targets ON {schema}.event (book, subject_id, target_version) WHERE target_version IS NOT NULL;
-- Which subjects, or single facts (`version`; 0 stands for all of a subject), a customer is concerned by, and from which
-- position to which that was known.
CREATE TABLE {schema}.concern (
    book text COLLATE "C" NOT NULL,
    customer_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    PRIMARY KEY (book, customer_id, subject_id, version, known_from)
);
CREATE INDEX concern_open ON {schema}.concern (book, subject_id) WHERE known_to IS NULL AND version = 0;
-- Which record of a customer was known to be of the same person as which other.
CREATE TABLE {schema}.merger (
    book text COLLATE "C" NOT NULL,
    customer_id uuid NOT NULL,
    into_customer_id uuid NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    PRIMARY KEY (book, customer_id, known_from)
);
CREATE INDEX merger_into ON {schema}.merger (book, into_customer_id);
-- Which facts of other subjects name a complaint: what led to it, and what came of it.
CREATE TABLE {schema}.link (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (book, complaint_id, subject_id, version)
);

-- What customers answered to a survey, one row an answer.
CREATE TABLE {schema}.answer (
    book text COLLATE "C" NOT NULL,
    survey_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    overall smallint NOT NULL,
    attitude smallint,
    efficiency smallint,
    ability smallint,
    openness smallint,
    PRIMARY KEY (book, survey_id, subject_id, version)
);

-- name: close_concern
-- The subject is of another customer from a position on.
UPDATE {schema}.concern AS c
   SET known_to = d.position
  FROM (VALUES %s) AS d (book, subject_id, position)
 WHERE c.book = d.book AND c.subject_id = d.subject_id::uuid AND c.version = 0 AND c.known_to IS NULL
   AND c.known_from < d.position;

-- name: mergings
-- What was ever said of the merging of a customer, in its order.
SELECT version, position, name, target_version, details ->> 'into_customer_id'
  FROM {schema}.event
 WHERE book = %(book)s AND subject_id = %(customer_id)s::uuid
   AND name IN ('customer-merged', 'customer-split', 'customer-fact-annulled')
 ORDER BY version;

-- name: forget_mergings
-- The intervals of a customer are written anew when something is said of them.
DELETE FROM {schema}.merger AS m
 USING (VALUES %s) AS d (book, customer_id)
 WHERE m.book = d.book AND m.customer_id = d.customer_id::uuid;

-- name: of_customer
-- A page of all that concerns a person, in the order in which it happened, with the other records that were known to be of
-- the same person. They are found by the mergings in both directions; UNION ends a circle.
WITH RECURSIVE standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
), person AS (
    SELECT %(customer_id)s::uuid AS customer_id
     UNION
    SELECT CASE WHEN m.customer_id = p.customer_id THEN m.into_customer_id ELSE m.customer_id END
      FROM standing AS s
     CROSS JOIN person AS p
      JOIN {schema}.merger AS m
        ON m.book = %(book)s AND (m.customer_id = p.customer_id OR m.into_customer_id = p.customer_id)
       AND m.known_from <= s.until AND (m.known_to IS NULL OR m.known_to > s.until)
), concerned AS (
    SELECT DISTINCT c.subject_id, c.version
      FROM standing AS s
     CROSS JOIN person AS p
      JOIN {schema}.concern AS c
        ON c.book = %(book)s AND c.customer_id = p.customer_id
       AND c.known_from <= s.until AND (c.known_to IS NULL OR c.known_to > s.until)
)
SELECT s.position,
       (SELECT array_agg(customer_id ORDER BY customer_id) FROM person WHERE customer_id <> %(customer_id)s::uuid) AS same,
       e.*
  FROM standing AS s
  LEFT JOIN LATERAL (
        SELECT e.subject, e.subject_id, e.version, e.position, e.name, e.at, e.happened_at, e.recorded_at, e.done_by,
               e.recorded_by, e.command, e.details, t.annulled_by_version, t.corrected_by_version
          FROM concerned AS c
          JOIN {schema}.event AS e
            ON e.book = %(book)s AND e.subject_id = c.subject_id AND c.version IN (0, e.version) AND e.position <= s.until
          LEFT JOIN LATERAL (
                SELECT min(t.version) FILTER (WHERE t.name LIKE '%%fact-annulled') AS annulled_by_version,
                       max(t.version) FILTER (WHERE t.name = 'fact-corrected') AS corrected_by_version
                  FROM {schema}.event AS t
                 WHERE t.book = e.book AND t.subject_id = e.subject_id AND t.target_version = e.version
                   AND t.position <= s.until) AS t ON true
         WHERE (e.at, e.position) > (coalesce(%(after_at)s::timestamptz, '-infinity'), %(after_position)s::bigint)
         ORDER BY e.at, e.position
         LIMIT %(rows_max)s) AS e ON true
 ORDER BY e.at, e.position;

-- name: of_subject
-- A page of one subject's history as known at a position.
WITH standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
)
SELECT s.position, e.*
  FROM standing AS s
  LEFT JOIN LATERAL (
        SELECT e.subject, e.subject_id, e.version, e.position, e.name, e.at, e.happened_at, e.recorded_at, e.done_by,
               e.recorded_by, e.command, e.details, t.annulled_by_version, t.corrected_by_version
          FROM {schema}.event AS e
          LEFT JOIN LATERAL (
                SELECT min(t.version) FILTER (WHERE t.name LIKE '%%fact-annulled') AS annulled_by_version,
                       max(t.version) FILTER (WHERE t.name = 'fact-corrected') AS corrected_by_version
                  FROM {schema}.event AS t
                 WHERE t.book = e.book AND t.subject_id = e.subject_id AND t.target_version = e.version
                   AND t.position <= s.until) AS t ON true
         WHERE e.book = %(book)s AND e.subject_id = %(subject_id)s::uuid AND e.subject = %(subject)s
           AND e.position <= s.until AND e.version > %(after_version)s::bigint
         ORDER BY e.version
         LIMIT %(rows_max)s) AS e ON true
 ORDER BY e.version;

-- name: of_complaint
-- What names a complaint: the interaction it grew from, contacts about it, and what was improved because of it.
WITH standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
)
SELECT s.position, e.*
  FROM standing AS s
  LEFT JOIN LATERAL (
        SELECT e.subject, e.subject_id, e.version, e.position, e.name, e.at, e.happened_at, e.recorded_at, e.done_by,
               e.recorded_by, e.command, e.details, t.annulled_by_version, NULL::bigint
          FROM {schema}.link AS l
          JOIN {schema}.event AS e ON e.book = l.book AND e.subject_id = l.subject_id AND e.version = l.version
          LEFT JOIN LATERAL (
                SELECT min(t.version) AS annulled_by_version
                  FROM {schema}.event AS t
                 WHERE t.book = e.book AND t.subject_id = e.subject_id AND t.target_version = e.version
                   AND t.position <= s.until) AS t ON true
         WHERE l.book = %(book)s AND l.complaint_id = %(complaint_id)s::uuid AND l.position <= s.until
           AND l.position > %(after_position)s::bigint
         ORDER BY l.position
         LIMIT %(rows_max)s) AS e ON true
 ORDER BY e.position;

-- name: scores
-- How many answers a survey got up to a position, and the mean of each dimension in thousandths; annulled answers left out.
WITH standing AS MATERIALIZED (
    SELECT p.position, least(%(position)s::bigint, p.position) AS until
      FROM projection.progress AS p
     WHERE p.book = %(book)s AND p.schema = %(schema)s
)
SELECT s.position, a.*
  FROM standing AS s
 CROSS JOIN LATERAL (
        SELECT count(*), round(avg(a.overall) * 1000)::integer, round(avg(a.attitude) * 1000)::integer,
               round(avg(a.efficiency) * 1000)::integer, round(avg(a.ability) * 1000)::integer,
               round(avg(a.openness) * 1000)::integer
          FROM {schema}.answer AS a
         WHERE a.book = %(book)s AND a.survey_id = %(survey_id)s::uuid AND a.position <= s.until
           AND NOT EXISTS (
                SELECT FROM {schema}.event AS t
                 WHERE t.book = a.book AND t.subject_id = a.subject_id AND t.target_version = a.version
                   AND t.position <= s.until)) AS a;
