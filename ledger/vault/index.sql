-- The blind index as the program asks it; the rows are behind owner-rights functions (migrations/0040_blind_index.sql).

-- name: add
-- Rows for what is about to be recorded, in one statement; `events_follow` as in words.sql.
SELECT CASE WHEN %(events_follow)s THEN set_config('synchronous_commit', 'off', true) END,
       ledger.index_subjects(%(book)s, %(kinds)s, %(blinded)s, %(subjects)s::uuid[]);

-- name: subjects_with
-- Who has this value.
SELECT s FROM ledger.subjects_with(%(book)s, %(kind)s, %(blinded)s, %(most)s) AS s;

-- name: subjects_alike
-- Who else has something of this subject.
SELECT subject_id, kinds FROM ledger.subjects_alike(%(book)s, %(subject_id)s::uuid, %(most)s);

-- name: forget
-- A subject that is erased can be found no more.
SELECT ledger.forget_subject(%(book)s, %(subject_id)s::uuid);
