-- What a fold that follows complaints has to read again. `ledger.event` is read by stream here, by position elsewhere.

-- name: streams
-- All at once what happened before a batch to the complaints in it that are not in memory.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(stream_ids)s::uuid[]) AND position <= %(position)s
 ORDER BY stream_id, version;
