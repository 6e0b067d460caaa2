-- Looks and erasure: a value leaves the vault only by an event that says who saw it, and goes only by one that says why.
-- depends: 0001_record 0040_blind_index 0030_evidence

SET LOCAL lock_timeout = '5s';

-- The subjects that were erased, by the event that says so: carried out again after a restore.
CREATE TABLE ledger.erasure (
    position bigint NOT NULL,
    subject_id uuid NOT NULL,
    book text NOT NULL REFERENCES ledger.book,
    PRIMARY KEY (book, subject_id)
);
SELECT ledger.show_granted_books_only('ledger.erasure');

CREATE INDEX disclosure_subject ON ledger.disclosure (book, subject_id);

-- The ciphertexts that a look is at. The look is an event that was committed before, a minute ago at most: an old look shows
-- nothing anew. A transaction that has written anything is shown nothing: it could be the look's own, and be rolled back.
CREATE FUNCTION ledger.values_seen(p_book text, p_position bigint)
RETURNS TABLE ("position" bigint, digest text, subject_id uuid, path text, tier text, ciphertext bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $values_seen$
SELECT d.position, d.digest, d.subject_id, d.path, d.tier, d.ciphertext
  FROM (SELECT convert_from(e.state, 'UTF8')::jsonb -> 'event' AS look
          FROM ledger.event AS e
         WHERE e.book = p_book AND e.position = p_position AND e.name = 'personal-data-seen'
           AND e.recorded_at > clock_timestamp() - interval '1 minute' AND ledger.may_use(p_book)
           AND pg_current_xact_id_if_assigned() IS NULL) AS e
 CROSS JOIN LATERAL jsonb_array_elements_text(e.look -> 'digests') AS s(digest)
  JOIN ledger.disclosure AS d
    ON d.book = p_book AND d.digest = s.digest AND d.subject_id = (e.look ->> 'subject_id')::uuid
$values_seen$;

-- The streams in which a data subject has values.
CREATE FUNCTION ledger.streams_of_subject(p_book text, p_subject uuid, p_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $streams_of_subject$
SELECT DISTINCT e.stream_id
  FROM ledger.disclosure AS d
  JOIN ledger.event AS e ON e.book = d.book AND e.position = d.position
 WHERE d.book = p_book AND d.subject_id = p_subject AND ledger.may_use(p_book)
 LIMIT p_most
$streams_of_subject$;

-- Takes away the values, the index entries and the files of the subject that the event at a position says is erased; tells how many
-- values there were. Again does nothing.
CREATE FUNCTION ledger.erase_subject(p_book text, p_position bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $erase_subject$
DECLARE
    v_subject uuid;
    v_values bigint;
BEGIN
    SELECT (convert_from(e.state, 'UTF8')::jsonb #>> '{event,subject_id}')::uuid INTO v_subject
      FROM ledger.event AS e
     WHERE e.book = p_book AND e.position = p_position AND e.name = 'subject-erased' AND ledger.may_use(p_book);
    IF v_subject IS NULL THEN
        RAISE EXCEPTION 'no event at position % of book % says that a data subject is erased', p_position, p_book
            USING ERRCODE = 'CL050';
    END IF;
    DELETE FROM ledger.disclosure AS d WHERE d.book = p_book AND d.subject_id = v_subject;
    GET DIAGNOSTICS v_values = ROW_COUNT;
    DELETE FROM ledger.blind_index AS i WHERE i.book = p_book AND i.subject_id = v_subject;
    DELETE FROM ledger.evidence_piece AS p
     USING ledger.evidence_file AS f
     WHERE f.book = p_book AND f.subject_id = v_subject AND p.book = f.book AND p.file_id = f.file_id;
    DELETE FROM ledger.evidence_file AS f WHERE f.book = p_book AND f.subject_id = v_subject;
    INSERT INTO ledger.erasure (position, subject_id, book) VALUES (p_position, v_subject, p_book) ON CONFLICT DO NOTHING;
    RETURN v_values;
END
$erase_subject$;

-- What was erased, page by page; read before a service opens.
CREATE FUNCTION ledger.erasures(p_book text, p_after uuid, p_most integer)
RETURNS TABLE ("position" bigint, subject_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $erasures$
SELECT e.position, e.subject_id
  FROM ledger.erasure AS e
 WHERE e.book = p_book AND e.subject_id > p_after AND ledger.may_use(p_book)
 ORDER BY e.subject_id
 LIMIT p_most
$erasures$;

REVOKE ALL ON FUNCTION
    ledger.values_seen(text, bigint), ledger.streams_of_subject(text, uuid, integer),
    ledger.erase_subject(text, bigint), ledger.erasures(text, uuid, integer)
  FROM PUBLIC;
-- The vault's role reads values by looks and in no other way.
REVOKE EXECUTE ON FUNCTION ledger.vault_page(text, bigint, bigint), ledger.vault_values(text, text[]) FROM ledger_vault;
GRANT EXECUTE ON FUNCTION
    ledger.values_seen(text, bigint), ledger.streams_of_subject(text, uuid, integer),
    ledger.erase_subject(text, bigint), ledger.erasures(text, uuid, integer)
   TO ledger_vault;
