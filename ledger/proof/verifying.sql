-- name: origin
-- What the book is called for ever.
SELECT origin
  FROM ledger.book
 WHERE book = %(book)s;

-- name: kept
-- A page of checkpoints, with what stands beside each note, and each cosignature with the key that it names.
SELECT c.size, c.root, c.note,
       (SELECT coalesce(json_agg(json_build_array(s.verifier_key, s.line, extract(epoch FROM s.cosigned_at)) ORDER BY s.verifier_key), '[]')
          FROM ledger.cosignature AS s
         WHERE s.book = c.book AND s.size = c.size) AS cosignatures
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s AND c.size > %(after)s
 ORDER BY c.size
 LIMIT %(checkpoints_max)s;

-- name: time_stamps
-- A page of the time stamps that are kept, each with the checkpoint that it is kept for.
SELECT t.size, t.authority, t.token, c.note
  FROM ledger.time_stamp AS t
  LEFT JOIN ledger.checkpoint AS c ON c.book = t.book AND c.size = t.size
 WHERE t.book = %(book)s AND (t.size, t.authority) > (%(after)s, %(authority)s)
 ORDER BY t.size, t.authority
 LIMIT %(time_stamps_max)s;
