-- From when on the submission calendar looks at a book.

-- name: first_received
-- When the first complaint came in, which may be long before it was recorded: read from the index of facts by name.
SELECT min(happened_at)
  FROM {schema}.fact
 WHERE book = %(book)s AND known_from <= %(position)s AND name = 'complaint-received';
