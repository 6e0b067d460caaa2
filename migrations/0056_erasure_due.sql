-- Erasure at the end of retention: who asked for one and who approved it is found without reading the book.
-- depends: 0055_search

SET LOCAL lock_timeout = '5s';

-- The few events that ask for an erasure, approve one, or say that one was carried out; all others cost it nothing.
CREATE INDEX event_of_erasure ON ledger.event (book, position)
 WHERE name IN ('erasure-requested', 'erasure-approved', 'subject-erased');

-- The mergings of customers: a legal hold keeps a person's values under every id.
CREATE INDEX event_of_merging ON ledger.event (book, position) WHERE name = 'customer-merged';

-- Whether the vault keeps a value of a data subject: nobody asks for the erasure of whom nothing is kept.
CREATE FUNCTION ledger.keeps_values_of(p_book text, p_subject uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $keeps_values_of$
SELECT ledger.may_use(p_book)
       AND EXISTS (SELECT FROM ledger.disclosure AS d WHERE d.book = p_book AND d.subject_id = p_subject)
$keeps_values_of$;

-- A page of the data subjects of whom values are kept, by id.
CREATE FUNCTION ledger.subjects_kept(p_book text, p_after uuid, p_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $subjects_kept$
SELECT DISTINCT d.subject_id
  FROM ledger.disclosure AS d
 WHERE d.book = p_book AND d.subject_id > p_after AND ledger.may_use(p_book)
 ORDER BY d.subject_id
 LIMIT p_most
$subjects_kept$;

-- The erasures that are recorded and were not carried out: whoever did was cut off between the event and the deed.
CREATE FUNCTION ledger.erasures_begun(p_book text, p_most integer)
RETURNS TABLE ("position" bigint, subject_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $erasures_begun$
SELECT e.position, s.subject_id
  FROM ledger.event AS e
 CROSS JOIN LATERAL (SELECT (convert_from(e.state, 'UTF8')::jsonb #>> '{event,subject_id}')::uuid AS subject_id) AS s
 WHERE e.book = p_book AND e.name = 'subject-erased' AND ledger.may_use(p_book)
   AND NOT EXISTS (SELECT FROM ledger.erasure AS d WHERE d.book = e.book AND d.subject_id = s.subject_id)
 ORDER BY e.position
 LIMIT p_most
$erasures_begun$;

REVOKE ALL ON FUNCTION ledger.keeps_values_of(text, uuid), ledger.subjects_kept(text, uuid, integer),
    ledger.erasures_begun(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.keeps_values_of(text, uuid) TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.subjects_kept(text, uuid, integer), ledger.erasures_begun(text, integer) TO ledger_vault;
