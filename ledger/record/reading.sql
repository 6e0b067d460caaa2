-- name: events_after
-- What a projection reads next. Positions have no gaps, so nothing can appear behind it.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND position > %(position)s
 ORDER BY position
 LIMIT %(events_max)s;

-- name: events_between
-- A stretch of the book, perhaps of some names only: the library's notification log.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND position >= %(first)s
   AND (%(last)s::bigint IS NULL OR position <= %(last)s)
   AND (%(names)s::text[] IS NULL OR name = ANY (%(names)s::text[]))
 ORDER BY position
 LIMIT %(events_max)s;

-- name: stream
-- The history of one subject, whole or as it was known at a position.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = %(stream_id)s
   AND version > %(after_version)s AND version <= %(up_to_version)s AND position <= %(up_to_position)s
 ORDER BY version
 LIMIT %(events_max)s;

-- name: stream_newest_first
-- The same from its end: the library asks so for a last snapshot.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = %(stream_id)s
   AND version > %(after_version)s AND version <= %(up_to_version)s AND position <= %(up_to_position)s
 ORDER BY version DESC
 LIMIT %(events_max)s;

-- name: head
-- The end of the book. The newest row is the last of the key, so old row versions cost nothing.
SELECT b.book, b.origin, h.size, h.root, h.edge, h.recorded_at
  FROM ledger.book AS b
  JOIN LATERAL (SELECT size, root, edge, recorded_at
                  FROM ledger.head
                 WHERE book = b.book
                 ORDER BY size DESC
                 LIMIT 1) AS h ON true
 WHERE b.book = %(book)s;

-- name: recorded_at
-- One step of the search for a moment: `recorded_at` rises strictly with the position.
SELECT recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND position = %(position)s;
