-- The blind index: who can be found by what, with no value in clear.
-- depends: 0001_record

SET LOCAL lock_timeout = '5s';

-- A row says that a data subject has a value of a kind; the value stands in it as an HMAC under a key that is kept outside
-- the database. A row may be of a fact that was never recorded (it is written before), never the other way round.
CREATE TABLE ledger.blind_index (
    book text NOT NULL REFERENCES ledger.book,
    kind text NOT NULL CONSTRAINT a_kind_is_a_slug CHECK (kind ~ '^[a-z][a-z-]{0,39}$'),
    blinded bytea NOT NULL CONSTRAINT a_blinded_value_has_32_bytes CHECK (octet_length(blinded) = 32),
    subject_id uuid NOT NULL,
    PRIMARY KEY (book, kind, blinded, subject_id)
);
-- To forget a subject, and to find who has something the same.
CREATE INDEX blind_index_subject ON ledger.blind_index (book, subject_id);

SELECT ledger.show_granted_books_only('ledger.blind_index');

-- Adds rows; those that are there already stay.
CREATE FUNCTION ledger.index_subjects(p_book text, p_kinds text[], p_blinded bytea[], p_subjects uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $index_subjects$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    INSERT INTO ledger.blind_index (book, kind, blinded, subject_id)
    SELECT DISTINCT p_book, r.kind, r.blinded, r.subject
      FROM unnest(p_kinds, p_blinded, p_subjects) AS r(kind, blinded, subject)
     ORDER BY r.kind, r.blinded, r.subject -- in one order, so that two callers cannot wait for each other
    ON CONFLICT DO NOTHING;
END
$index_subjects$;

-- The subjects that have a value.
CREATE FUNCTION ledger.subjects_with(p_book text, p_kind text, p_blinded bytea, p_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $subjects_with$
SELECT i.subject_id
  FROM ledger.blind_index AS i
 WHERE i.book = p_book AND i.kind = p_kind AND i.blinded = p_blinded AND ledger.may_use(p_book)
 ORDER BY i.subject_id
 LIMIT p_most
$subjects_with$;

-- The other subjects that have a value of this one, and of which kinds.
CREATE FUNCTION ledger.subjects_alike(p_book text, p_subject uuid, p_most integer)
RETURNS TABLE (subject_id uuid, kinds text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $subjects_alike$
SELECT o.subject_id, array_agg(DISTINCT o.kind ORDER BY o.kind)
  FROM ledger.blind_index AS i
  JOIN ledger.blind_index AS o ON o.book = i.book AND o.kind = i.kind AND o.blinded = i.blinded
 WHERE i.book = p_book AND i.subject_id = p_subject AND o.subject_id <> p_subject AND ledger.may_use(p_book)
 GROUP BY o.subject_id
 ORDER BY count(DISTINCT o.kind) DESC, o.subject_id
 LIMIT p_most
$subjects_alike$;

-- Takes a subject out of the index: part of erasing it.
CREATE FUNCTION ledger.forget_subject(p_book text, p_subject uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $forget_subject$
DECLARE
    v_rows bigint;
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    DELETE FROM ledger.blind_index AS i WHERE i.book = p_book AND i.subject_id = p_subject;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END
$forget_subject$;

REVOKE ALL ON FUNCTION
    ledger.index_subjects(text, text[], bytea[], uuid[]), ledger.subjects_with(text, text, bytea, integer),
    ledger.subjects_alike(text, uuid, integer), ledger.forget_subject(text, uuid)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger.index_subjects(text, text[], bytea[], uuid[]), ledger.subjects_with(text, text, bytea, integer),
    ledger.subjects_alike(text, uuid, integer), ledger.forget_subject(text, uuid)
   TO ledger_application;
