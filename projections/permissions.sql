-- What was permitted and what was used, counted as it is recorded: the ground of a permission review.

-- name: tables
-- `use`: what a person did by one command on one day, the first and the last of it by position. `granted`: each request for
-- access, and where it was answered and reported on. `look`: each look under a request.
CREATE TABLE {schema}.use (
    book text COLLATE "C" NOT NULL,
    day date NOT NULL,
    person text COLLATE "C" NOT NULL,
    command text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    looks bigint NOT NULL,
    values_in_clear bigint NOT NULL,
    searches bigint NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    PRIMARY KEY (book, day, person, command)
);
CREATE TABLE {schema}.granted (
    book text COLLATE "C" NOT NULL,
    request_id uuid NOT NULL,
    position bigint NOT NULL,
    complaint_id uuid NOT NULL,
    tiers text[] COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    requested_by text COLLATE "C" NOT NULL,
    requested_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    approved_position bigint,
    declined_position bigint,
    answered_by text COLLATE "C",
    declined_at timestamptz,
    reported_position bigint,
    reported_at timestamptz,
    PRIMARY KEY (book, request_id)
);
CREATE INDEX granted_until ON {schema}.granted (book, until);
CREATE TABLE {schema}.look (
    book text COLLATE "C" NOT NULL,
    request_id uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (book, request_id, position)
);

-- name: count
-- Adds what a batch counted to what earlier ones of the same day did.
INSERT INTO {schema}.use AS u (book, day, person, command, events, looks, values_in_clear, searches, first_position, last_position)
VALUES %s
    ON CONFLICT (book, day, person, command) DO UPDATE
   SET events = u.events + EXCLUDED.events, looks = u.looks + EXCLUDED.looks,
       values_in_clear = u.values_in_clear + EXCLUDED.values_in_clear, searches = u.searches + EXCLUDED.searches,
       last_position = EXCLUDED.last_position;

-- name: approve
-- A request is answered once.
UPDATE {schema}.granted AS g
   SET approved_position = a.position::bigint, answered_by = a.answered_by
  FROM (VALUES %s) AS a (book, request_id, position, answered_by)
 WHERE g.book = a.book AND g.request_id = a.request_id::uuid;

-- name: decline
-- As above.
UPDATE {schema}.granted AS g
   SET declined_position = d.position::bigint, answered_by = d.answered_by, declined_at = d.at::timestamptz
  FROM (VALUES %s) AS d (book, request_id, position, answered_by, at)
 WHERE g.book = d.book AND g.request_id = d.request_id::uuid;

-- name: report
-- The report on its use ends a grant.
UPDATE {schema}.granted AS g
   SET reported_position = r.position::bigint, reported_at = r.at::timestamptz
  FROM (VALUES %s) AS r (book, request_id, position, at)
 WHERE g.book = r.book AND g.request_id = r.request_id::uuid;

-- name: edges
-- From where to where the events of some days go: whether a day lies within the period whole.
SELECT day, min(first_position), max(last_position)
  FROM {schema}.use
 WHERE book = %(book)s AND day = ANY (%(days)s::date[])
 GROUP BY day;

-- name: used
-- What was done on the days of a period, but for some at its edges.
SELECT person, command, sum(events)::bigint, sum(looks)::bigint, sum(values_in_clear)::bigint, sum(searches)::bigint
  FROM {schema}.use
 WHERE book = %(book)s AND day BETWEEN %(first_day)s AND %(last_day)s AND day <> ALL (%(but)s::date[])
 GROUP BY person, command
 ORDER BY person, command
 LIMIT %(lines_max)s;

-- name: grants
-- The requests that were open when the period began or came in it, in their order, with the looks under them within it.
SELECT g.request_id, g.complaint_id, g.tiers, g.purpose, g.requested_by, g.requested_at, g.until,
       g.approved_position <= %(position)s, g.declined_position <= %(position)s, g.reported_position <= %(position)s,
       g.answered_by,
       (SELECT count(*)
          FROM {schema}.look AS l
         WHERE l.book = g.book AND l.request_id = g.request_id AND l.position BETWEEN %(first)s AND %(position)s)
  FROM {schema}.granted AS g
 WHERE g.book = %(book)s AND g.position <= %(position)s AND g.until >= %(since)s
   AND (g.declined_position IS NULL OR g.declined_position > %(position)s OR g.declined_at >= %(since)s)
   AND (g.reported_position IS NULL OR g.reported_position > %(position)s OR g.reported_at >= %(since)s)
 ORDER BY g.position
 LIMIT %(lines_max)s;
