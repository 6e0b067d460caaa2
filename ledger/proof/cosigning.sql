-- name: last_cosigned
-- The largest size that a witness has cosigned for us: where its own state should be.
SELECT max(size)
  FROM ledger.cosignature
 WHERE book = %(book)s AND verifier_key = %(verifier_key)s;

-- name: keep_cosignature
-- What a witness answered, once checked.
SELECT ledger.keep_cosignature(%(book)s, %(size)s, %(verifier_key)s, %(line)s, %(cosigned_at)s);

-- name: keep_time_stamp
-- What a time-stamping authority answered.
SELECT ledger.keep_time_stamp(%(book)s, %(size)s, %(authority)s, %(token)s);
