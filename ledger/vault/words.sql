-- The index of words as the program asks it; the rows are behind owner-rights functions (migrations/0055_search.sql).

-- name: add
-- Rows for what is about to be recorded, in one statement. Where the events follow, their durable commit writes all that was
-- committed before it too (the log of the database is one), so this one does not wait for the disk.
SELECT CASE WHEN %(events_follow)s THEN set_config('synchronous_commit', 'off', true) END,
       ledger.index_words(%(book)s, %(streams)s::uuid[], %(subjects)s::uuid[], %(marks)s, %(terms)s);

-- name: streams_saying
-- A page of the files that have the words.
SELECT stream_id::text, subject_ids::text[] FROM ledger.streams_saying(%(book)s, %(terms)s::bigint[], %(after)s::uuid, %(most)s);
