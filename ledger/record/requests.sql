-- name: answered_size
-- Asked in the statement that reads the book's end, or before it: a later one would see answers that came meanwhile.
SELECT ledger.answered_size(%(book)s);

-- name: answers
-- The answers of a page in their order, each beside the event that it ends with.
SELECT a.tree_size, a.first_position, a.last_position, a.root,
       e.position IS NOT NULL
       AND (a.stream_id IS NULL OR (a.stream_id = e.stream_id AND a.version IS NOT DISTINCT FROM e.version))
       AND a.recorded_at IS NOT DISTINCT FROM e.recorded_at AS agrees
  FROM ledger.answers_page(%(book)s, %(after)s, %(last)s) AS a
  LEFT JOIN ledger.event AS e ON e.book = %(book)s AND e.position = a.last_position
 ORDER BY a.tree_size, a.last_position NULLS FIRST;
