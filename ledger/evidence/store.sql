-- The questions of the store of evidence; every one goes through a function of the database.

-- name: add_piece
-- One piece, encrypted here before.
SELECT ledger.add_evidence_piece(%(book)s, %(file_id)s, %(number)s, %(ciphertext)s);

-- name: close_file
-- The file is whole: from now on a fact may cite it.
SELECT ledger.close_evidence_file(
    %(book)s, %(file_id)s, %(complaint_id)s, %(subject_id)s, %(digest)s, %(size_bytes)s, %(content_type)s, %(pieces)s);

-- name: file
-- What is known of a file without its content.
SELECT complaint_id, subject_id, digest, size_bytes, content_type, pieces
  FROM ledger.evidence_file_of(%(book)s, %(file_id)s);

-- name: piece
-- One piece of the file that a look is at, for the role that may read the vault.
SELECT ledger.evidence_piece_seen(%(book)s, %(position)s, %(number)s);

-- name: sweep
-- What was broken off goes.
SELECT ledger.sweep_evidence_pieces(%(book)s);
