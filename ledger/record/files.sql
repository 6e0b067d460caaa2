-- name: files_provided
-- The events of a stretch that name a file; of stretches one after the other, so that each statement is short.
SELECT position, stream_id::text AS stream_id, state
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s AND position <= %(last)s AND name = 'evidence-provided'
 ORDER BY position;

-- name: files_told
-- What is stored of these files, without their content.
SELECT file_id::text AS file_id, complaint_id::text AS complaint_id, subject_id::text AS subject_id, digest, size_bytes, content_type, pieces,
       pieces_stored, bytes_stored, in_order
  FROM ledger.evidence_files_told(%(book)s::text, %(file_ids)s::uuid[]);

-- name: piece
-- One piece, encrypted as it is; of use only to somebody who holds the keys.
SELECT ledger.evidence_piece_of(%(book)s::text, %(file_id)s::uuid, %(number)s::integer);
