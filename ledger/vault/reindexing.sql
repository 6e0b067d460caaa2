-- What is indexed again, as the auditor reads it.

-- name: values
-- The vault's values of a page's events.
SELECT digest, subject_id::text, ciphertext
  FROM ledger.vault_page(%(book)s, %(after)s, %(last)s);

-- name: asked_to_erase
-- Those of these streams, each of one data subject, in which an erasure was asked for or carried out.
SELECT DISTINCT stream_id
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(streams)s::uuid[]) AND name IN ('erasure-requested', 'subject-erased');
