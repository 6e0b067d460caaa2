-- What the vault knows of persons, as the program asks it (migrations/0050_looks.sql).

-- name: streams_of_subject
-- Whose files a data subject stands in.
SELECT s FROM ledger.streams_of_subject(%(book)s, %(subject_id)s::uuid, %(most)s) AS s;
