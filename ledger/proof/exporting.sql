-- name: complaints
-- The next complaints: streams that begin with a receipt.
SELECT s.stream_id
  FROM ledger.stream AS s
  JOIN ledger.event AS e ON e.book = s.book AND e.stream_id = s.stream_id AND e.version = 1
 WHERE s.book = %(book)s AND s.stream_id > %(after)s AND e.name = 'complaint-received' AND e.position <= %(upto)s
 ORDER BY s.stream_id
 LIMIT %(streams_max)s;

-- name: facts
-- Their events, one stream after the other.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(streams)s::uuid[]) AND position <= %(upto)s
 ORDER BY stream_id, version;

-- name: sample
-- The smallest hashes: a draw that anybody can repeat, and that nobody can steer who does not choose the seed.
SELECT e.stream_id
  FROM ledger.event AS e
 WHERE e.book = %(book)s AND e.name = 'complaint-received' AND e.version = 1 AND e.position <= %(upto)s
 ORDER BY sha256(convert_to(%(seed)s || ' ' || e.stream_id::text, 'UTF8'))
 LIMIT %(complaints_max)s;
