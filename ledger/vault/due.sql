-- Erasures that wait, as the application reads them from the record (index `event_of_erasure`, migrations/0056_erasure_due.sql).

-- name: requested
-- A page of the requests for erasure that stand: behind a position, and not ended or carried out since.
SELECT e.position, e.stream_id, e.version, e.name, e.state, e.recorded_at
  FROM ledger.event AS e
 WHERE e.book = %(book)s AND e.position > %(after)s AND e.name = 'erasure-requested'
   AND NOT EXISTS (SELECT
                     FROM ledger.event AS later
                    WHERE later.book = e.book AND later.stream_id = e.stream_id AND later.version > e.version
                      AND later.name IN ('erasure-request-ended', 'subject-erased'))
 ORDER BY e.position
 LIMIT %(most)s;

-- name: approved
-- A page of what was approved behind a position; whether it still stands, the state of the data subject says.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s AND name = 'erasure-approved'
 ORDER BY position
 LIMIT %(most)s;

-- name: subjects_kept
-- As the vault: a page of those of whom values are kept.
SELECT s FROM ledger.subjects_kept(%(book)s, %(after)s::uuid, %(most)s) AS s;
