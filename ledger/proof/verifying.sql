-- name: origin
-- What the book is called for ever.
SELECT origin
  FROM ledger.book
 WHERE book = %(book)s;

-- name: kept
-- A page of checkpoints, with what stands beside each note, and each cosignature with the key that it names.
SELECT c.size, c.root, c.note,
       (SELECT coalesce(json_agg(json_build_array(s.verifier_key, s.line) ORDER BY s.verifier_key), '[]')
          FROM ledger.cosignature AS s
         WHERE s.book = c.book AND s.size = c.size) AS cosignatures
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s AND c.size > %(after)s
 ORDER BY c.size
 LIMIT %(checkpoints_max)s;
