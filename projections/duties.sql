-- What somebody has to do besides complaints: one row a thing, gone when it is done.

-- name: tables
-- `waits_for` is what is to be done next, `who` by whom, where that is known.
CREATE TABLE {schema}.duty (
    book text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    item_id uuid NOT NULL,
    title text COLLATE "C",
    waits_for text COLLATE "C" NOT NULL,
    who text COLLATE "C",
    department text COLLATE "C",
    level text COLLATE "C",
    urgent boolean NOT NULL,
    since_at timestamptz NOT NULL,
    due_on date,
    position bigint NOT NULL,
    PRIMARY KEY (book, subject_id, item_id, kind)
);
-- What is urgent, then the soonest due, then who waits longest; for all, for a kind, for a person.
CREATE INDEX duty_due ON {schema}.duty (book, (NOT urgent), coalesce(due_on, 'infinity'), since_at, item_id);
CREATE INDEX duty_due_kind ON {schema}.duty (book, kind, (NOT urgent), coalesce(due_on, 'infinity'), since_at, item_id);
CREATE INDEX duty_due_who ON {schema}.duty (book, who, (NOT urgent), coalesce(due_on, 'infinity'), since_at, item_id);

-- name: forget
-- The rows of the subjects that a batch touched; what is still to be done is written anew.
DELETE FROM {schema}.duty AS t
 USING (VALUES %s) AS d (book, subject_id)
 WHERE t.book = d.book AND t.subject_id = d.subject_id::uuid;

-- name: page
-- A page of what is to be done: what is urgent first, then the soonest due, what has no day last, the longest waiting first.
-- The conditions that were asked for, of those below, take the place of `which`.
SELECT s.position, t.*
  FROM projection.progress AS s
  LEFT JOIN LATERAL (
        SELECT kind, subject_id, item_id, title, waits_for, who, department, level, urgent, since_at, due_on, position
          FROM {schema}.duty
         WHERE book = %(book)s {which}
         ORDER BY (NOT urgent), coalesce(due_on, 'infinity'), since_at, item_id
         LIMIT %(rows_max)s) AS t ON true
 WHERE s.book = %(book)s AND s.schema = %(schema)s
 ORDER BY (NOT t.urgent), coalesce(t.due_on, 'infinity'), t.since_at, t.item_id;

-- name: of_kind
-- Things of one kind.
AND kind = %(kind)s

-- name: of_person
-- What a person has to do.
AND who = %(who)s

-- name: in_departments
-- What departments have to do.
AND department = ANY (%(departments)s::text[])

-- name: after
-- What follows a page.
AND (NOT urgent, coalesce(due_on, 'infinity'), since_at, item_id)
    > (NOT %(after_urgent)s::boolean, coalesce(%(after_due_on)s::date, 'infinity'), %(after_since_at)s::timestamptz, %(after_item_id)s::uuid)
