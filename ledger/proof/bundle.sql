-- name: deadlines
-- What time brought about in some complaints. Only the events that have such a name are opened; `json`, since what is
-- recorded need not fit `jsonb`.
SELECT CASE WHEN e.name = ANY (%(names)s) THEN convert_from(e.state, 'UTF8')::json -> 'event' ->> 'complaint_id' END,
       e.position, e.stream_id, e.version, e.name, e.state, e.recorded_at
  FROM ledger.event AS e
 WHERE e.book = %(book)s AND e.position > %(after)s AND e.position <= %(last)s
   AND CASE WHEN e.name = ANY (%(names)s)
            THEN convert_from(e.state, 'UTF8')::json -> 'event' ->> 'complaint_id' = ANY (%(complaints)s)
            ELSE false END
 ORDER BY e.position;
