-- name: events
-- One stretch, for COPY … TO STDOUT (FORMAT binary): fields of fixed length first, so that a row is taken apart at once.
SELECT position, version, recorded_at, stream_id, name, state
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s AND position <= %(last)s
 ORDER BY position

-- name: leaves
-- The leaf hashes as they were stored with the events of a stretch.
SELECT first_position, last_position, hashes
  FROM ledger.leaves
 WHERE book = %(book)s AND last_position > %(after)s AND first_position <= %(last)s
 ORDER BY last_position
 LIMIT %(chunks_max)s;
