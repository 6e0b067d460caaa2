-- Search: which files hold some words, with no word in clear; and what it adds to an erasure.
-- depends: 0050_looks

SET LOCAL lock_timeout = '5s';

-- One row for each personal text of a file that may be searched. `terms` are its distinct pairs of characters, each as 64
-- bits of an HMAC under a key of the book that is kept outside the database, in the order of these numbers: neither the
-- order nor the repetition of characters is in it. `mark` tells the same text of the same file again.
CREATE TABLE ledger.searchable (
    book text NOT NULL REFERENCES ledger.book,
    stream_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    mark bytea NOT NULL CONSTRAINT a_mark_has_16_bytes CHECK (octet_length(mark) = 16),
    terms bigint[] NOT NULL,
    PRIMARY KEY (book, stream_id, subject_id, mark)
);
CREATE INDEX searchable_terms ON ledger.searchable USING gin (terms);
-- To forget a subject.
CREATE INDEX searchable_subject ON ledger.searchable (book, subject_id);

SELECT ledger.show_granted_books_only('ledger.searchable');

-- Adds rows; those that are there already stay. `p_terms` has each row's numbers as the text of an array: rows differ in length.
CREATE FUNCTION ledger.index_words(p_book text, p_streams uuid[], p_subjects uuid[], p_marks bytea[], p_terms text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $index_words$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    INSERT INTO ledger.searchable (book, stream_id, subject_id, mark, terms)
    SELECT p_book, r.stream_id, r.subject_id, r.mark, r.terms::bigint[]
      FROM unnest(p_streams, p_subjects, p_marks, p_terms) AS r(stream_id, subject_id, mark, terms)
     ORDER BY r.stream_id, r.subject_id, r.mark -- in one order, so that two callers cannot wait for each other
    ON CONFLICT DO NOTHING;
END
$index_words$;

-- The files of which one text has all of some terms, page by page, with whose texts they are.
CREATE FUNCTION ledger.streams_saying(p_book text, p_terms bigint[], p_after uuid, p_most integer)
RETURNS TABLE (stream_id uuid, subject_ids uuid[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $streams_saying$
SELECT s.stream_id, array_agg(DISTINCT s.subject_id)
  FROM ledger.searchable AS s
 WHERE s.book = p_book AND s.terms @> p_terms AND cardinality(p_terms) > 0 AND s.stream_id > p_after
   AND ledger.may_use(p_book)
 GROUP BY s.stream_id
 ORDER BY s.stream_id
 LIMIT p_most
$streams_saying$;

-- As before, and what may be searched goes too.
CREATE OR REPLACE FUNCTION ledger.erase_subject(p_book text, p_position bigint) RETURNS bigint
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
    DELETE FROM ledger.searchable AS s WHERE s.book = p_book AND s.subject_id = v_subject;
    DELETE FROM ledger.evidence_piece AS p
     USING ledger.evidence_file AS f
     WHERE f.book = p_book AND f.subject_id = v_subject AND p.book = f.book AND p.file_id = f.file_id;
    DELETE FROM ledger.evidence_file AS f WHERE f.book = p_book AND f.subject_id = v_subject;
    INSERT INTO ledger.erasure (position, subject_id, book) VALUES (p_position, v_subject, p_book) ON CONFLICT DO NOTHING;
    RETURN v_values;
END
$erase_subject$;

REVOKE ALL ON FUNCTION ledger.index_words(text, uuid[], uuid[], bytea[], text[]),
    ledger.streams_saying(text, bigint[], uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.index_words(text, uuid[], uuid[], bytea[], text[]) TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.streams_saying(text, bigint[], uuid, integer) TO ledger_vault;
