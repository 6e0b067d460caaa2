-- A file of evidence leaves by a look that was committed before, as a value does; and what was never ended is swept away.
-- depends: 0030_evidence

SET LOCAL lock_timeout = '5s';

-- One piece of the file that a look is at, encrypted as it is. The look is an event that was committed before, an hour ago at
-- most: so long may a slow line take for a recording of hours. What has written anything is shown nothing, as for values.
CREATE FUNCTION ledger.evidence_piece_seen(p_book text, p_position bigint, p_number integer) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $evidence_piece_seen$
SELECT p.ciphertext
  FROM (SELECT (convert_from(e.state, 'UTF8')::jsonb #>> '{event,file_id}')::uuid AS file_id
          FROM ledger.event AS e
         WHERE e.book = p_book AND e.position = p_position AND e.name = 'evidence-file-seen'
           AND e.recorded_at > clock_timestamp() - interval '1 hour' AND ledger.may_use(p_book)
           AND pg_current_xact_id_if_assigned() IS NULL) AS look
  JOIN ledger.evidence_piece AS p ON p.book = p_book AND p.file_id = look.file_id AND p.number = p_number
$evidence_piece_seen$;

-- Takes away the pieces of files that were never declared whole and of which nothing came for a day: nobody can cite them.
-- Tells how many pieces went. Costs a look at the first piece of each file.
CREATE FUNCTION ledger.sweep_evidence_pieces(p_book text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $sweep_evidence_pieces$
DECLARE
    v_pieces bigint;
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'there is no such book for this role' USING ERRCODE = 'CL001';
    END IF;
    WITH broken_off AS (
        SELECT p.file_id
          FROM ledger.evidence_piece AS p
         WHERE p.book = p_book AND p.number = 0
           AND NOT EXISTS (SELECT FROM ledger.evidence_file AS f WHERE f.book = p_book AND f.file_id = p.file_id)
           AND NOT EXISTS (SELECT FROM ledger.evidence_piece AS later
                            WHERE later.book = p_book AND later.file_id = p.file_id
                              AND later.stored_at > clock_timestamp() - interval '1 day')
         LIMIT 1000)
    DELETE FROM ledger.evidence_piece AS p
     USING broken_off AS b
     WHERE p.book = p_book AND p.file_id = b.file_id;
    GET DIAGNOSTICS v_pieces = ROW_COUNT;
    RETURN v_pieces;
END
$sweep_evidence_pieces$;

REVOKE ALL ON FUNCTION ledger.evidence_piece_seen(text, bigint, integer), ledger.sweep_evidence_pieces(text) FROM PUBLIC;
-- The vault's role reads pieces by looks and in no other way.
REVOKE EXECUTE ON FUNCTION ledger.evidence_piece_of(text, uuid, integer) FROM ledger_vault;
GRANT EXECUTE ON FUNCTION ledger.evidence_piece_seen(text, bigint, integer) TO ledger_vault;
GRANT EXECUTE ON FUNCTION ledger.sweep_evidence_pieces(text) TO ledger_application;
