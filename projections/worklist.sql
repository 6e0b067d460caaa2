-- What is open or left to do. One row a complaint; it goes when the complaint has ended and nothing is left to do.

-- name: tables
-- `due_at` is the soonest due time of the clocks that run; NULL where none runs and work is left all the same.
-- `may_be_issued_anew`: some due time of the complaint, not only the soonest, is provisional.
CREATE TABLE {schema}.task (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    reference text COLLATE "C",
    external_reference text COLLATE "C",
    received_at timestamptz,
    stage text COLLATE "C",
    department text COLLATE "C",
    assignee text COLLATE "C",
    category text COLLATE "C",
    product text COLLATE "C",
    channel text COLLATE "C",
    grade text COLLATE "C",
    urgent boolean NOT NULL,
    regime text COLLATE "C",
    clock text COLLATE "C",
    due_at timestamptz,
    provisional boolean NOT NULL,
    position bigint NOT NULL,
    may_be_issued_anew boolean NOT NULL,
    to_do text[] NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (book, complaint_id)
);
-- Soonest due first, for all, for a department, for a person.
CREATE INDEX task_due ON {schema}.task (book, coalesce(due_at, 'infinity'), complaint_id) WHERE is_open;
CREATE INDEX task_due_department ON {schema}.task (book, department, coalesce(due_at, 'infinity'), complaint_id) WHERE is_open;
CREATE INDEX task_to_do ON {schema}.task USING gin (to_do);
CREATE INDEX task_due_assignee ON {schema}.task (book, assignee, coalesce(due_at, 'infinity'), complaint_id) WHERE is_open;

CREATE INDEX task_provisional ON {schema}.task (book, complaint_id) WHERE may_be_issued_anew;

-- name: provisional
-- The open complaints of which a calendar that is published now may issue a due time anew.
SELECT complaint_id
  FROM {schema}.task
 WHERE book = %(book)s AND may_be_issued_anew;

-- name: forget
-- The rows of the complaints that a batch touched; those still open are written anew.
DELETE FROM {schema}.task AS t
 USING (VALUES %s) AS d (book, complaint_id)
 WHERE t.book = d.book AND t.complaint_id = d.complaint_id::uuid;

-- name: without_limit
-- What is open and has no clock that runs; of it, what was reopened. The end of the index that a page reads.
-- The conditions that were asked for take the place of `which`.
SELECT s.position, t.*
  FROM projection.progress AS s
 CROSS JOIN LATERAL (
        SELECT count(*), count(*) FILTER (WHERE stage = 'reopened')
          FROM {schema}.task
         WHERE book = %(book)s AND coalesce(due_at, 'infinity') = 'infinity' {which}) AS t
 WHERE s.book = %(book)s AND s.schema = %(schema)s;

-- name: departments_of
-- The departments that a person was given something from, open or not, however the name is capitalised: asked seldom.
SELECT s.position, t.department
  FROM projection.progress AS s
  LEFT JOIN LATERAL (
        SELECT DISTINCT department
          FROM {schema}.task
         WHERE book = %(book)s AND lower(assignee) = lower(%(person)s) AND department IS NOT NULL
         LIMIT %(departments_max)s) AS t ON true
 WHERE s.book = %(book)s AND s.schema = %(schema)s;

-- name: page
-- A page of what is open, or of everything in which one thing is to be done, soonest due first, what has no clock left
-- last; with how far the rows have come. The conditions that were asked for, of those below, take the place of `which`, and
-- the fields of a task that of `columns`.
SELECT s.position, t.*
  FROM projection.progress AS s
  LEFT JOIN LATERAL (
        SELECT {columns}
          FROM {schema}.task
         WHERE book = %(book)s {which}
         ORDER BY coalesce(due_at, 'infinity'), complaint_id
         LIMIT %(rows_max)s) AS t ON true
 WHERE s.book = %(book)s AND s.schema = %(schema)s
 ORDER BY coalesce(t.due_at, 'infinity'), t.complaint_id;

-- name: page_of_departments
-- The same of some departments, and of none where that was asked for: a page of each, in the order of its index, and the
-- soonest due of them all. One condition for all of them would sort everything that they have open.
SELECT s.position, t.*
  FROM projection.progress AS s
  LEFT JOIN LATERAL (
        SELECT p.*
          FROM unnest(%(departments)s::text[]) AS d (department)
         CROSS JOIN LATERAL (
                SELECT {columns}
                  FROM {schema}.task AS w
                 WHERE book = %(book)s AND w.department = d.department {which}
                 ORDER BY coalesce(due_at, 'infinity'), complaint_id
                 LIMIT %(rows_max)s) AS p
         UNION ALL
        (SELECT {columns}
           FROM {schema}.task
          WHERE %(or_of_none)s AND book = %(book)s AND department IS NULL {which}
          ORDER BY coalesce(due_at, 'infinity'), complaint_id
          LIMIT %(rows_max)s)) AS t ON true
 WHERE s.book = %(book)s AND s.schema = %(schema)s
 ORDER BY coalesce(t.due_at, 'infinity'), t.complaint_id
 LIMIT %(rows_max)s;

-- name: in_department
-- The tasks of a department, in the order of its index.
AND department = (%(departments)s::text[])[1]

-- name: of_assignee
-- The tasks of a person.
AND assignee = %(assignee)s

-- name: is_open
-- Open complaints only.
AND is_open

-- name: has_to_do
-- Where one thing is to be done, open or not.
AND to_do @> ARRAY[%(to_do)s::text]

-- name: after
-- What follows a page.
AND (coalesce(due_at, 'infinity'), complaint_id)
    > (coalesce(%(after_due_at)s::timestamptz, 'infinity'), %(after_complaint_id)s::uuid)
