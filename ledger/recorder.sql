-- name: max_tracking
-- How far this book has followed another application.
SELECT notification
  FROM ledger.tracking
 WHERE book = %(book)s AND application = %(application)s;

-- name: insert_snapshots
-- Cache entries, all or none; the same one twice is an error, as the library expects.
INSERT INTO ledger.snapshot (version, stream_id, book, name, state)
SELECT s.version, s.stream_id, %(book)s, s.name, s.state
  FROM unnest(%(stream_ids)s::uuid[], %(versions)s::bigint[], %(names)s::text[], %(states)s::bytea[])
       AS s(stream_id, version, name, state);

-- name: snapshots
-- Cached states of one stream.
SELECT stream_id, version, name, state
  FROM ledger.snapshot
 WHERE book = %(book)s AND stream_id = %(stream_id)s
   AND (%(after)s::bigint IS NULL OR version > %(after)s)
   AND (%(up_to)s::bigint IS NULL OR version <= %(up_to)s)
 ORDER BY version
 LIMIT %(most)s;

-- name: snapshots_newest_first
-- The last cached state before a version.
SELECT stream_id, version, name, state
  FROM ledger.snapshot
 WHERE book = %(book)s AND stream_id = %(stream_id)s
   AND (%(after)s::bigint IS NULL OR version > %(after)s)
   AND (%(up_to)s::bigint IS NULL OR version <= %(up_to)s)
 ORDER BY version DESC
 LIMIT %(most)s;
