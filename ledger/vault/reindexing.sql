-- What is indexed again, as the auditor reads it.

-- name: values
-- The vault's values of a page's events.
SELECT digest, subject_id::text, ciphertext
  FROM ledger.vault_page(%(book)s, %(after)s, %(last)s);

-- name: asked_to_erase
-- Those of these streams, each of one data subject, in which an erasure was carried out, or asked for and not taken back.
SELECT stream_id
  FROM (SELECT DISTINCT ON (stream_id) stream_id, name
          FROM ledger.event
         WHERE book = %(book)s AND stream_id = ANY (%(streams)s::uuid[])
           AND name IN ('erasure-requested', 'erasure-request-ended', 'subject-erased')
         ORDER BY stream_id, version DESC) AS newest
 WHERE name <> 'erasure-request-ended';
