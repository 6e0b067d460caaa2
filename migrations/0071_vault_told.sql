-- The vault's values as a verification compares them: thousands at once, and none of their ciphertexts.
-- depends: 0070_requests

SET LOCAL lock_timeout = '5s';

-- A line for each value of a stretch of the book, and how many there are. The subject is last: all before it that an event
-- states as well has no tab in it. Half of what it costs to hand the rows over one by one.
CREATE FUNCTION ledger.vault_told(p_book text, p_after bigint, p_upto bigint)
RETURNS TABLE (values_stored bigint, told text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $vault_told$
SELECT count(*),
       string_agg(d.position || E'\t' || d.digest || E'\t' || d.path || E'\t' || d.tier || E'\t' || d.subject_id, E'\n'
                  ORDER BY d.position, d.path)
  FROM ledger.disclosure AS d
 WHERE d.book = p_book AND d.position > p_after AND d.position <= p_upto AND ledger.may_use(p_book)
$vault_told$;

REVOKE ALL ON FUNCTION ledger.vault_told(text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.vault_told(text, bigint, bigint) TO ledger_auditor;
