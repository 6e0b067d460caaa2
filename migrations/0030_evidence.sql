-- Files of evidence, encrypted before they come here, in pieces: beside the vault, and read by its role alone.
-- depends: 0001_record

SET LOCAL lock_timeout = '5s';

-- A file that was taken in whole. Its digest is over a salt and the content, so that nobody guesses a form letter.
CREATE TABLE ledger.evidence_file (
    size_bytes bigint NOT NULL CONSTRAINT a_file_is_not_empty CHECK (size_bytes > 0),
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    pieces integer NOT NULL CONSTRAINT a_file_has_pieces CHECK (pieces > 0),
    file_id uuid NOT NULL,
    complaint_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    book text NOT NULL,
    digest text NOT NULL CONSTRAINT a_digest_is_sha256_in_hex CHECK (digest ~ '^[0-9a-f]{64}$'),
    content_type text NOT NULL,
    PRIMARY KEY (book, file_id)
);

CREATE TABLE ledger.evidence_piece (
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    number integer NOT NULL CONSTRAINT a_piece_is_counted_from_0 CHECK (number >= 0),
    file_id uuid NOT NULL,
    book text NOT NULL,
    ciphertext bytea NOT NULL CONSTRAINT a_piece_has_its_bound CHECK (octet_length(ciphertext) <= 1048592),
    PRIMARY KEY (book, file_id, number)
);
ALTER TABLE ledger.evidence_piece ALTER COLUMN ciphertext SET STORAGE EXTERNAL;

SELECT ledger.show_granted_books_only(t::regclass)
  FROM unnest(ARRAY['ledger.evidence_file', 'ledger.evidence_piece']) AS t;

-- Puts one piece down; a file that is whole takes no more.
CREATE FUNCTION ledger.add_evidence_piece(p_book text, p_file_id uuid, p_number integer, p_ciphertext bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $add_evidence_piece$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'there is no such book for this role' USING ERRCODE = 'CL001';
    END IF;
    IF EXISTS (SELECT FROM ledger.evidence_file AS f WHERE f.book = p_book AND f.file_id = p_file_id) THEN
        RAISE EXCEPTION 'the file is whole already' USING ERRCODE = 'CL008';
    END IF;
    INSERT INTO ledger.evidence_piece (book, file_id, number, ciphertext)
    VALUES (p_book, p_file_id, p_number, p_ciphertext);
END
$add_evidence_piece$;

-- Declares a file whole, once all of its pieces are there.
CREATE FUNCTION ledger.close_evidence_file(
    p_book text, p_file_id uuid, p_complaint_id uuid, p_subject_id uuid, p_digest text, p_size_bytes bigint,
    p_content_type text, p_pieces integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $close_evidence_file$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'there is no such book for this role' USING ERRCODE = 'CL001';
    END IF;
    IF (SELECT count(*) FROM ledger.evidence_piece AS p
         WHERE p.book = p_book AND p.file_id = p_file_id AND p.number < p_pieces) <> p_pieces THEN
        RAISE EXCEPTION 'a piece of the file is missing' USING ERRCODE = 'CL008';
    END IF;
    INSERT INTO ledger.evidence_file (book, file_id, complaint_id, subject_id, digest, size_bytes, content_type, pieces)
    VALUES (p_book, p_file_id, p_complaint_id, p_subject_id, p_digest, p_size_bytes, p_content_type, p_pieces);
END
$close_evidence_file$;

-- What is known of a file without its content.
CREATE FUNCTION ledger.evidence_file_of(p_book text, p_file_id uuid)
RETURNS TABLE (complaint_id uuid, subject_id uuid, digest text, size_bytes bigint, content_type text, pieces integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $evidence_file_of$
SELECT f.complaint_id, f.subject_id, f.digest, f.size_bytes, f.content_type, f.pieces
  FROM ledger.evidence_file AS f
 WHERE f.book = p_book AND f.file_id = p_file_id AND ledger.may_use(p_book)
$evidence_file_of$;

-- One piece, encrypted as it is.
CREATE FUNCTION ledger.evidence_piece_of(p_book text, p_file_id uuid, p_number integer) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $evidence_piece_of$
SELECT p.ciphertext
  FROM ledger.evidence_piece AS p
 WHERE p.book = p_book AND p.file_id = p_file_id AND p.number = p_number AND ledger.may_use(p_book)
$evidence_piece_of$;

REVOKE ALL ON FUNCTION
    ledger.add_evidence_piece(text, uuid, integer, bytea),
    ledger.close_evidence_file(text, uuid, uuid, uuid, text, bigint, text, integer),
    ledger.evidence_file_of(text, uuid),
    ledger.evidence_piece_of(text, uuid, integer)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger.add_evidence_piece(text, uuid, integer, bytea),
    ledger.close_evidence_file(text, uuid, uuid, uuid, text, bigint, text, integer) TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.evidence_file_of(text, uuid) TO ledger_application, ledger_auditor, ledger_vault;
GRANT EXECUTE ON FUNCTION ledger.evidence_piece_of(text, uuid, integer) TO ledger_auditor, ledger_vault;
