-- Builds beside the live one: how they end.

-- name: begin_old
-- The name that the live schema is put away under, so that it can be dropped later, also after a crash.
INSERT INTO projection.progress (book, name, build, schema, code)
VALUES (%(book)s, %(name)s, 'old', %(schema)s, %(code)s);

-- name: swap
-- All of a projection changes at once, for every reader.
SELECT projection.swap_schemas(%(book)s, %(name)s);

-- name: builds
-- What an earlier run left behind.
SELECT build
  FROM projection.progress
 WHERE book = %(book)s AND name = %(name)s;

-- name: live
-- Where the live build stands and what root it was built from.
SELECT position, root, schema
  FROM projection.progress
 WHERE book = %(book)s AND name = %(name)s AND build = 'live';

-- name: hold
-- The live worker waits until the swap is done; nobody else does.
SELECT position
  FROM projection.progress
 WHERE book = %(book)s AND name = %(name)s AND build = 'live'
   FOR UPDATE;

-- name: count
-- How many rows a table of a build has.
SELECT count(*)
  FROM {schema}.{table};

-- name: differences
-- Rows that one build has and the other has not, or has otherwise.
SELECT to_jsonb(live), to_jsonb(fresh)
  FROM {schema}.{table} AS live
  FULL JOIN {fresh}.{table} AS fresh USING ({key})
 WHERE to_jsonb(live) IS DISTINCT FROM to_jsonb(fresh)
 ORDER BY {key}
 LIMIT %(rows_max)s;

-- name: patiently
-- A comparison reads everything once; it has ten minutes.
SET LOCAL statement_timeout = '10min';

-- name: briefly
-- Readers that come meanwhile queue behind a rename or a drop, so it gives up soon and is tried again.
SET LOCAL lock_timeout = '2s';
