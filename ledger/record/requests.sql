-- name: answered_size
-- Asked in the statement that reads the book's end, or before it: a later one would see answers that came meanwhile.
SELECT ledger.answered_size(%(book)s::text);

-- name: answers_in_order
-- The sizes and roots that were answered in a page, and whether all places are in order: each answer beside the event that
-- it ends with, and beginning behind the one before it. What recorded nothing has no place. Who was answered is who recorded:
-- a state's last field, as its keys are sorted (ledger.record.envelope); a state that names nobody is not held against it.
-- Each event is looked up by itself: joined at once, the planner may read the whole book for each page.
WITH answer AS MATERIALIZED (
    SELECT a.tree_size, a.first_position, a.last_position, a.root,
           e.position IS NOT NULL
           AND (a.stream_id IS NULL OR (a.stream_id = e.stream_id AND a.version IS NOT DISTINCT FROM e.version))
           AND a.recorded_at IS NOT DISTINCT FROM e.recorded_at
           AND CASE WHEN a.principal IS NULL OR substring(e.state FROM octet_length(e.state) - octet_length(n.state_ends) + 1) = n.state_ends
                    THEN true ELSE position('"recorded_by":'::bytea IN e.state) = 0 END
           AND a.first_position BETWEEN 1 AND a.last_position AND a.last_position <= a.tree_size AS agrees
      FROM ledger.answers_page(%(book)s::text, CAST(%(after)s AS bigint), CAST(%(last)s AS bigint)) AS a
      LEFT JOIN LATERAL (SELECT o.position, o.stream_id, o.version, o.recorded_at, o.state
                           FROM ledger.event AS o
                          WHERE o.book = %(book)s AND o.position = a.last_position
                          LIMIT 1) AS e ON true
     CROSS JOIN LATERAL (SELECT convert_to(',"recorded_by":' || to_json(a.principal)::text || '}', 'UTF8') AS state_ends) AS n
), placed AS (
    SELECT p.tree_size, p.first_position, p.last_position, p.root,
           coalesce(p.agrees AND p.first_position = lag(p.last_position, 1, p.first_position - 1) OVER w + 1, false) AS in_order
      FROM answer AS p
     WHERE p.first_position IS NOT NULL AND p.last_position IS NOT NULL
    WINDOW w AS (ORDER BY p.tree_size, p.last_position)
)
SELECT g.tree_size, g.root, min(g.first_position) AS first, max(g.last_position) AS last, bool_and(g.in_order) AS in_order
  FROM (SELECT p.tree_size, p.root, p.first_position, p.last_position, p.in_order FROM placed AS p
        UNION ALL
        SELECT n.tree_size, n.root, NULL, NULL, num_nonnulls(n.first_position, n.last_position) = 0
          FROM answer AS n
         WHERE n.first_position IS NULL OR n.last_position IS NULL) AS g
 GROUP BY g.tree_size, g.root
 ORDER BY g.tree_size;

-- name: answers
-- The places of a page's answers in their order, each beside the event that it ends with.
SELECT a.tree_size, a.first_position, a.last_position,
       e.position IS NOT NULL
       AND (a.stream_id IS NULL OR (a.stream_id = e.stream_id AND a.version IS NOT DISTINCT FROM e.version))
       AND a.recorded_at IS NOT DISTINCT FROM e.recorded_at
       AND CASE WHEN a.principal IS NULL OR substring(e.state FROM octet_length(e.state) - octet_length(n.state_ends) + 1) = n.state_ends
                THEN true ELSE position('"recorded_by":'::bytea IN e.state) = 0 END AS agrees
  FROM ledger.answers_page(%(book)s::text, CAST(%(after)s AS bigint), CAST(%(last)s AS bigint)) AS a
  LEFT JOIN LATERAL (SELECT o.position, o.stream_id, o.version, o.recorded_at, o.state
                       FROM ledger.event AS o
                      WHERE o.book = %(book)s AND o.position = a.last_position
                      LIMIT 1) AS e ON true
 CROSS JOIN LATERAL (SELECT convert_to(',"recorded_by":' || to_json(a.principal)::text || '}', 'UTF8') AS state_ends) AS n
 WHERE num_nonnulls(a.first_position, a.last_position) > 0
 ORDER BY a.tree_size, a.last_position NULLS FIRST;
