-- name: deadlines
-- What time brought about in some complaints: a range of streams each, so an index's look and no pass over the book.
SELECT c.complaint_id, e.position, e.stream_id, e.version, e.name, e.state, e.recorded_at
  FROM unnest(%(complaints)s::uuid[], %(firsts)s::uuid[], %(lasts)s::uuid[]) AS c (complaint_id, first, last)
  JOIN ledger.event AS e ON e.book = %(book)s AND e.stream_id BETWEEN c.first AND c.last
 WHERE e.position <= %(upto)s
 ORDER BY e.position
 LIMIT %(events_max)s;
