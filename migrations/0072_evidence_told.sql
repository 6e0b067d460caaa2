-- Files of evidence as a verification counts them: what is stored of many at once, and none of their ciphertexts.
-- depends: 0071_vault_told

SET LOCAL lock_timeout = '5s';

-- Of each of these files that was taken in whole: what is noted of it, how many pieces are there, how many bytes they have
-- together, and whether they are numbered from 0 without a gap, each but the last of full length. Reads no ciphertext.
CREATE FUNCTION ledger.evidence_files_told(p_book text, p_file_ids uuid[])
RETURNS TABLE (
    file_id uuid, complaint_id uuid, subject_id uuid, digest text, size_bytes bigint, content_type text, pieces integer,
    pieces_stored bigint, bytes_stored bigint, in_order boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $evidence_files_told$
SELECT f.file_id, f.complaint_id, f.subject_id, f.digest, f.size_bytes, f.content_type, f.pieces,
       s.pieces_stored, s.bytes_stored, s.in_order
  FROM ledger.evidence_file AS f
 CROSS JOIN LATERAL (
       SELECT count(*) AS pieces_stored, coalesce(sum(octet_length(p.ciphertext)), 0)::bigint AS bytes_stored,
              coalesce(min(p.number) = 0 AND max(p.number) = count(*) - 1
                       AND bool_and(octet_length(p.ciphertext) = 1048592 OR p.number = f.pieces - 1), false) AS in_order
         FROM ledger.evidence_piece AS p
        WHERE p.book = f.book AND p.file_id = f.file_id) AS s
 WHERE f.book = p_book AND f.file_id = ANY (p_file_ids) AND ledger.may_use(p_book)
$evidence_files_told$;

REVOKE ALL ON FUNCTION ledger.evidence_files_told(text, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.evidence_files_told(text, uuid[]) TO ledger_auditor;
