-- name: of_size
-- One checkpoint as it was signed, with the witnesses' lines in the order in which they came.
SELECT c.note, c.kept_at,
       ARRAY(SELECT s.line FROM ledger.cosignature AS s
              WHERE s.book = c.book AND s.size = c.size ORDER BY s.cosigned_at, s.verifier_key) AS lines
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s AND c.size = %(size)s;

-- name: latest
-- The newest.
SELECT c.note, c.kept_at,
       ARRAY(SELECT s.line FROM ledger.cosignature AS s
              WHERE s.book = c.book AND s.size = c.size ORDER BY s.cosigned_at, s.verifier_key) AS lines
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s
 ORDER BY c.size DESC
 LIMIT 1;

-- name: first_covering
-- The oldest that covers a position.
SELECT c.note, c.kept_at,
       ARRAY(SELECT s.line FROM ledger.cosignature AS s
              WHERE s.book = c.book AND s.size = c.size ORDER BY s.cosigned_at, s.verifier_key) AS lines
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s AND c.size >= %(size)s
 ORDER BY c.size
 LIMIT 1;

-- name: page
-- All of them, page by page.
SELECT c.note, c.kept_at,
       ARRAY(SELECT s.line FROM ledger.cosignature AS s
              WHERE s.book = c.book AND s.size = c.size ORDER BY s.cosigned_at, s.verifier_key) AS lines
  FROM ledger.checkpoint AS c
 WHERE c.book = %(book)s AND c.size > %(after)s
 ORDER BY c.size
 LIMIT %(checkpoints_max)s;

-- name: keep
-- The first checkpoint of a size is kept; says whether that is this one.
SELECT ledger.keep_checkpoint(%(book)s, %(size)s, %(root)s, %(note)s);
