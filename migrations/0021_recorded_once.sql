-- Events are recorded once: who may write the table, the owner for one, is refused a change with the rule's name. A trigger
-- of UPDATE, DELETE and TRUNCATE only: recording an event fires none.
-- depends: 0020_checkpoints

SET LOCAL lock_timeout = '5s';

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $refuse_change$
BEGIN
    RAISE EXCEPTION 'events are recorded once, for ever: % of ledger.% is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'CL008', HINT = 'A mistake is corrected by a further event: annul the fact, or correct it.';
END
$refuse_change$;

REVOKE ALL ON FUNCTION ledger.refuse_change() FROM PUBLIC;

CREATE TRIGGER events_are_recorded_once
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

CREATE TRIGGER leaf_hashes_are_recorded_once
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.leaves
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

CREATE TRIGGER checkpoints_are_kept_once
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
