-- What is kept under an id, as the application asks it (migrations/0056_erasure_due.sql).

-- name: keeps_values_of
-- Whether anything is kept of a person.
SELECT ledger.keeps_values_of(%(book)s, %(subject_id)s::uuid);
