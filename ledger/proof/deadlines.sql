-- name: deadlines
-- What time brought about in some complaints: a range of streams each, in the order of the index over streams and bounded, so
-- that the planner goes by that index for each complaint and not once over the book for all of them.
SELECT c.complaint_id, e.position, e.stream_id, e.version, e.name, e.state, e.recorded_at
  FROM unnest(%(complaints)s::uuid[], %(firsts)s::uuid[], %(lasts)s::uuid[]) AS c (complaint_id, first, last)
 CROSS JOIN LATERAL (SELECT d.position, d.stream_id, d.version, d.name, d.state, d.recorded_at
                       FROM ledger.event AS d
                      WHERE d.book = %(book)s AND d.stream_id BETWEEN c.first AND c.last
                      ORDER BY d.stream_id, d.version
                      LIMIT %(events_max)s) AS e
 WHERE e.position <= %(upto)s
 ORDER BY e.position;
