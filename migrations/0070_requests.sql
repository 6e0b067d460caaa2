-- What was answered can be held against the record; a book and its key store are joined by the owner only.
-- depends: 0001_record

SET LOCAL lock_timeout = '5s';

-- In the order in which they were answered, for `verify`. New rows go to the end of it.
CREATE INDEX requests_in_the_order_of_their_answers ON ledger.request (book, tree_size, last_position);

-- The answers of a stretch of the book, by the size that each named, and who was answered. A key and a fingerprint are of no
-- use to an auditor: nothing in the events says what they must be. Those that recorded nothing come once for each size and root,
-- because there is no bound to their number. `library` stands for nobody: who records by the `eventsourcing` library alone names
-- no principal, and the events say by themselves who recorded them.
CREATE FUNCTION ledger.answers_page(p_book text, p_after bigint, p_upto bigint)
RETURNS TABLE (
    tree_size bigint, first_position bigint, last_position bigint, stream_id uuid, version bigint,
    recorded_at timestamptz, root bytea, principal text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $answers_page$
SELECT r.tree_size, r.first_position, r.last_position, r.stream_id, r.version, r.recorded_at, r.root, nullif(r.principal, 'library')
  FROM ledger.request AS r
 WHERE r.book = p_book AND r.tree_size > p_after AND r.tree_size <= p_upto AND ledger.may_use(p_book)
   AND num_nonnulls(r.first_position, r.last_position) > 0
UNION ALL
(SELECT DISTINCT r.tree_size, NULL::bigint, NULL::bigint, NULL::uuid, NULL::bigint, r.recorded_at, r.root, NULL::text
   FROM ledger.request AS r
  WHERE r.book = p_book AND r.tree_size > p_after AND r.tree_size <= p_upto AND ledger.may_use(p_book)
    AND num_nonnulls(r.first_position, r.last_position) = 0)
$answers_page$;

-- The largest size that was ever answered: more than the book has, where its end was cut off.
CREATE FUNCTION ledger.answered_size(p_book text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $answered_size$
SELECT max(r.tree_size) FROM ledger.request AS r WHERE r.book = p_book AND ledger.may_use(p_book)
$answered_size$;

-- Who records may not choose the key store: with the mark of a store that is nowhere, a fresh book could never be
-- written to.
DROP FUNCTION ledger.claim_keys(text, text);
CREATE FUNCTION ledger.claim_keys(p_book text, p_mark text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $claim_keys$
DECLARE
    v_mark text;
BEGIN
    UPDATE ledger.book AS b SET keys_mark = p_mark WHERE b.book = p_book AND b.keys_mark IS NULL;
    SELECT b.keys_mark INTO v_mark FROM ledger.book AS b WHERE b.book = p_book;
    RETURN v_mark;
END
$claim_keys$;

REVOKE ALL ON FUNCTION ledger.answers_page(text, bigint, bigint), ledger.answered_size(text),
    ledger.claim_keys(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.answers_page(text, bigint, bigint), ledger.answered_size(text) TO ledger_auditor;
