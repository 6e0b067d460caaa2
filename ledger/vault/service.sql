-- The vault as its service asks it; every value is behind an owner-rights function (migrations/0050_looks.sql).

-- name: values_seen
-- What a look that was just recorded is at.
SELECT position, digest, subject_id, path, tier, ciphertext FROM ledger.values_seen(%(book)s, %(position)s);

-- name: erase_subject
-- Carries out what an event says.
SELECT ledger.erase_subject(%(book)s, %(position)s);

-- name: erasures
-- A page of what was erased.
SELECT position, subject_id FROM ledger.erasures(%(book)s, %(after)s::uuid, %(most)s);

-- name: erasures_begun
-- Those that are recorded and were cut off before the deed (migrations/0056_erasure_due.sql).
SELECT position, subject_id FROM ledger.erasures_begun(%(book)s, %(most)s);
