-- What carries a projection forward. `{schema}` and `{table}` are filled in by the machine as identifiers.

-- name: standing
-- Where a build stands, locked: whoever else would advance it waits here and then sees the new position.
SELECT schema, code, position, edge
  FROM projection.progress
 WHERE book = %(book)s AND name = %(name)s AND build = %(build)s
   FOR UPDATE;

-- name: begin
-- A build begins with its row; two that begin at once make one.
INSERT INTO projection.progress (book, name, build, schema, code)
VALUES (%(book)s, %(name)s, %(build)s, %(schema)s, %(code)s)
    ON CONFLICT (book, name, build) DO NOTHING
RETURNING schema;

-- name: open_schema
-- The schema is the ledger owner's; until it is sealed the projector drafts tables in it.
SELECT projection.open_schema(%(book)s, %(name)s, %(build)s);

-- name: analyze
-- What a build that was filled in one go holds: until the planner is told, it takes each table for an empty one.
SELECT projection.analyze_tables(%(book)s, %(name)s, %(build)s);

-- name: drop_schema
-- Waits for readers that are still in it.
SELECT projection.drop_schema(%(book)s, %(name)s, %(build)s);

-- name: hand_over
-- The owner may read and lock a draft, to make the table after it.
GRANT ALL ON {schema}.{table} TO ledger_owner;

-- name: seal_schema
-- From here on the tables are the ledger owner's, and their rows the projector's.
SELECT projection.seal_schema(%(book)s, %(name)s, %(build)s, %(tables)s);

-- name: add
-- All rows from one JSON text, which costs one literal: the column types are the table's. COPY is not open to a role
-- that row-level security holds for.
INSERT INTO {schema}.{table} ({columns})
SELECT {columns}
  FROM json_populate_recordset(NULL::{schema}.{table}, %(rows)s::json);

-- name: advance
-- The position, in the transaction that wrote the rows; a failure that stood here is over.
UPDATE projection.progress
   SET position = %(position)s, edge = %(edge)s::bytea[], root = %(root)s, recorded_at = %(recorded_at)s,
       advanced_at = clock_timestamp(),
       failed_position = NULL, failed_name = NULL, failed_error = NULL, failed_at = NULL
 WHERE book = %(book)s AND name = %(name)s AND build = %(build)s;

-- name: fail
-- Names the event that stopped a build. Only while the build still stands before that event.
UPDATE projection.progress
   SET failed_position = %(position)s, failed_name = %(event)s, failed_error = %(error)s, failed_at = clock_timestamp()
 WHERE book = %(book)s AND name = %(name)s AND build = %(build)s AND position < %(position)s;

-- name: take
-- One worker for each build: the lock is the session's and ends with it, however it ends. Nothing that appends takes it.
SELECT pg_try_advisory_lock(%(key)s);
