-- name: values
-- The vault's values of a page's events; ciphertexts, and of use only with the keys.
SELECT position, digest, subject_id::text AS subject_id, path, tier, ciphertext
  FROM ledger.vault_page(%(book)s::text, CAST(%(after)s AS bigint), CAST(%(last)s AS bigint));

-- name: values_unopened
-- The same without their ciphertexts.
SELECT position, digest, subject_id::text AS subject_id, path, tier, ''::bytea AS ciphertext
  FROM ledger.vault_page(%(book)s::text, CAST(%(after)s AS bigint), CAST(%(last)s AS bigint));

-- name: values_carried
-- A correction keeps the digests of what did not change, an approval those of its proposal: their values stand with an earlier event.
SELECT position, digest, subject_id::text AS subject_id, path, tier, ciphertext
  FROM ledger.vault_values(%(book)s::text, %(digests)s::text[]);

-- name: values_outside
-- Values with no place in the book, before its beginning or behind its end as it is in this very statement.
SELECT v.position, v.digest
  FROM (SELECT max(n.size) AS size FROM ledger.head AS n WHERE n.book = %(book)s) AS h
 CROSS JOIN LATERAL (
       SELECT a.position, a.digest FROM ledger.vault_page(%(book)s::text, CAST(%(before_all)s AS bigint), 0::bigint) AS a
       UNION ALL
       SELECT z.position, z.digest FROM ledger.vault_page(%(book)s::text, h.size, %(behind_all)s::bigint) AS z) AS v
 LIMIT %(values_max)s;

-- name: erased_streams
-- Those of these streams, each of one data subject, that say the subject was erased.
SELECT DISTINCT stream_id::text
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(streams)s::uuid[]) AND name = 'subject-erased';
