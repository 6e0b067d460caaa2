-- The vault as its service asks it; every value is behind an owner-rights function (migrations/0050_looks.sql).

-- name: values_seen
-- What a look that was just recorded is at.
SELECT position, digest, subject_id, path, tier, ciphertext FROM ledger.values_seen(%(book)s, %(position)s);

-- name: streams_of_subject
-- Whose files a data subject stands in.
SELECT s FROM ledger.streams_of_subject(%(book)s, %(subject_id)s::uuid, %(most)s) AS s;

-- name: erase_subject
-- Carries out what an event says.
SELECT ledger.erase_subject(%(book)s, %(position)s);

-- name: erasures
-- A page of what was erased.
SELECT position, subject_id FROM ledger.erasures(%(book)s, %(after)s::uuid, %(most)s);
