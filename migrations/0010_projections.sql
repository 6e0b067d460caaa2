-- Where each projection of each book stands, and the schemas that its tables lie in.
-- depends: 0001_record

SET LOCAL lock_timeout = '5s';

CREATE SCHEMA projection;

-- The one name that the schema of a build can have: the functions below act with their owner's rights on that schema, so
-- nobody may state another one. Where it is longer than a name may be, the book stands in it by its hash.
CREATE FUNCTION projection.schema_named(p_book text, p_name text, p_build text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $schema_named$
DECLARE
    v_ending text := CASE p_build WHEN 'live' THEN '' ELSE '_' || p_build END;
    v_schema text := p_name || '_' || p_book || v_ending;
BEGIN
    IF octet_length(v_schema) > 63 THEN
        v_schema := p_name || '_' || left(encode(sha256(convert_to(p_book, 'UTF8')), 'hex'), 16) || v_ending;
    END IF;
    RETURN v_schema;
END
$schema_named$;

-- One row for each build of a projection: `live` is what is read, `next` is being rebuilt beside it, `old` waits to be
-- dropped, `compare` is a fresh replay, `until_<position>` is the projection as it was known then. The position moves
-- in the transaction that writes the rows; `edge` and `root` are those of the tree of the events read so far.
CREATE TABLE projection.progress (
    position bigint NOT NULL DEFAULT 0 CONSTRAINT a_position_is_not_negative CHECK (position >= 0),
    failed_position bigint,
    recorded_at timestamptz,
    advanced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    failed_at timestamptz,
    code integer NOT NULL,
    book text NOT NULL,
    name text NOT NULL CONSTRAINT a_projection_is_named_in_lower_case CHECK (name ~ '^[a-z]{1,20}$')
        CONSTRAINT a_projection_is_not_named_like_what_is_there_already
        CHECK (name NOT IN ('pg', 'ledger', 'projection', 'information', 'public')),
    build text NOT NULL
        CONSTRAINT a_build_is_one_of_these CHECK (build ~ '^(live|next|old|compare|until_[0-9]{1,19})$'),
    schema name NOT NULL CONSTRAINT a_schema_belongs_to_one_build UNIQUE,
    root bytea NOT NULL DEFAULT sha256('') CONSTRAINT a_root_has_32_bytes CHECK (octet_length(root) = 32),
    edge bytea[] NOT NULL DEFAULT '{}',
    failed_name text,
    failed_error text,
    PRIMARY KEY (book, name, build),
    CONSTRAINT a_schema_is_that_of_its_build CHECK (schema = projection.schema_named(book, name, build)),
    CONSTRAINT a_failure_names_its_event_and_its_error
        CHECK (num_nonnulls(failed_position, failed_at, failed_name, failed_error) IN (0, 4))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE projection.progress ALTER COLUMN edge SET STORAGE PLAIN;

SELECT ledger.show_granted_books_only('projection.progress');

-- The schema of a build that the session's role may use. The functions below act with their owner's rights on schemas
-- that stand in `progress`, and on no other: so the projector needs no right to make schemas of its own.
CREATE FUNCTION projection.schema_of(p_book text, p_name text, p_build text) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $schema_of$
DECLARE
    v_schema name;
BEGIN
    SELECT p.schema INTO v_schema
      FROM projection.progress AS p
     WHERE p.book = p_book AND p.name = p_name AND p.build = p_build
       AND ledger.may_use(p_book);
    IF v_schema IS NULL THEN
        RAISE EXCEPTION 'no build % of projection % in book % for role %', p_build, p_name, p_book, ledger.caller()
            USING ERRCODE = 'CL010';
    END IF;
    RETURN v_schema;
END
$schema_of$;

-- Makes the empty schema of a build, in which the projector drafts its tables. Nobody else may enter it until it is sealed.
CREATE FUNCTION projection.open_schema(p_book text, p_name text, p_build text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $open_schema$
DECLARE
    v_schema name := projection.schema_of(p_book, p_name, p_build);
BEGIN
    EXECUTE format('CREATE SCHEMA %I', v_schema);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO ledger_projector', v_schema);
END
$open_schema$;

-- Makes the drafted tables anew as the owner's, lets application and auditor read them and the projector write their rows,
-- and lets nobody make anything there any more. A table's owner could put a view with a function of his own in its place,
-- and readers would run it: so the projector owns none. A draft may use nothing but what PostgreSQL brings (objects below
-- the first normal OID), because the owner would run the function of an index. It stays locked until the end, and has
-- been granted to the owner, who could not read or lock it otherwise.
CREATE FUNCTION projection.seal_schema(p_book text, p_name text, p_build text, p_tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $seal_schema$
DECLARE
    v_schema name := projection.schema_of(p_book, p_name, p_build);
    v_table text;
    v_draft oid;
BEGIN
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM ledger_projector', v_schema);
    FOREACH v_table IN ARRAY p_tables LOOP
        EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', v_schema, v_table);
        v_draft := format('%I.%I', v_schema, v_table)::regclass;
        IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = v_draft AND c.relkind = 'r' AND c.relpersistence = 'p')
           OR EXISTS (
               SELECT
                 FROM pg_depend AS d
                WHERE (d.classid = 'pg_class'::regclass
                       AND (d.objid = v_draft
                            OR d.objid IN (SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = v_draft))
                       OR d.classid = 'pg_constraint'::regclass
                       AND d.objid IN (SELECT k.oid FROM pg_constraint AS k WHERE k.conrelid = v_draft))
                  AND d.refobjid >= 16384
                  AND NOT (d.refclassid = 'pg_namespace'::regclass
                           OR d.refclassid = 'pg_class'::regclass AND d.refobjid = v_draft
                           OR d.refclassid = 'pg_constraint'::regclass
                           AND d.refobjid IN (SELECT k.oid FROM pg_constraint AS k WHERE k.conrelid = v_draft))) THEN
            RAISE EXCEPTION 'the draft of %.% is no plain table, or uses what PostgreSQL does not bring', v_schema, v_table
                USING ERRCODE = 'CL011';
        END IF;
        EXECUTE format('CREATE TABLE %1$I.%2$I (LIKE %1$I.%3$I INCLUDING CONSTRAINTS INCLUDING INDEXES)',
                       v_schema, v_table || '_sealed', v_table);
        EXECUTE format('DROP TABLE %I.%I', v_schema, v_table);
        EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', v_schema, v_table || '_sealed', v_table);
        PERFORM ledger.show_granted_books_only(format('%I.%I', v_schema, v_table)::regclass);
        EXECUTE format('GRANT SELECT ON %I.%I TO ledger_application, ledger_auditor', v_schema, v_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO ledger_projector', v_schema, v_table);
    END LOOP;
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = quote_ident(v_schema)::regnamespace
                                           AND c.relowner <> 'ledger_owner'::regrole)
       OR EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = quote_ident(v_schema)::regnamespace) THEN
        RAISE EXCEPTION 'the schema % holds more than the tables of its projection', v_schema USING ERRCODE = 'CL011';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO ledger_application, ledger_auditor', v_schema);
END
$seal_schema$;

-- Takes a build away, tables and all.
CREATE FUNCTION projection.drop_schema(p_book text, p_name text, p_build text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $drop_schema$
BEGIN
    EXECUTE format('DROP SCHEMA %I CASCADE', projection.schema_of(p_book, p_name, p_build));
    DELETE FROM projection.progress AS p WHERE p.book = p_book AND p.name = p_name AND p.build = p_build;
END
$drop_schema$;

-- Puts `next` in the place of `live`, which becomes `old`: readers see one or the other, whole. `live` keeps its row,
-- so that a worker that waits for it goes on from the new position.
CREATE FUNCTION projection.swap_schemas(p_book text, p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $swap_schemas$
DECLARE
    v_live name := projection.schema_of(p_book, p_name, 'live');
    v_next name := projection.schema_of(p_book, p_name, 'next');
    v_old name := projection.schema_of(p_book, p_name, 'old');
BEGIN
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', v_live, v_old);
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', v_next, v_live);
    UPDATE projection.progress AS p
       SET position = n.position, edge = n.edge, root = n.root, recorded_at = n.recorded_at, code = n.code,
           advanced_at = n.advanced_at,
           failed_position = NULL, failed_name = NULL, failed_error = NULL, failed_at = NULL
      FROM projection.progress AS n
     WHERE p.book = p_book AND p.name = p_name AND p.build = 'live'
       AND n.book = p_book AND n.name = p_name AND n.build = 'next';
    DELETE FROM projection.progress AS p WHERE p.book = p_book AND p.name = p_name AND p.build = 'next';
END
$swap_schemas$;

-- Tells the planner what is in a build that was filled in one go: a question right behind it is planned as on any day.
CREATE FUNCTION projection.analyze_tables(p_book text, p_name text, p_build text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $analyze_tables$
DECLARE
    v_table name;
    v_schema name := projection.schema_of(p_book, p_name, p_build);
BEGIN
    FOR v_table IN
        SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = quote_ident(v_schema)::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('ANALYZE %I.%I', v_schema, v_table);
    END LOOP;
END
$analyze_tables$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA projection FROM PUBLIC;

GRANT USAGE ON SCHEMA projection TO ledger_application, ledger_projector, ledger_auditor;
GRANT SELECT ON projection.progress TO ledger_application, ledger_auditor;
GRANT SELECT, INSERT, UPDATE ON projection.progress TO ledger_projector;
GRANT EXECUTE ON FUNCTION projection.schema_named(text, text, text), projection.schema_of(text, text, text), projection.open_schema(text, text, text),
    projection.seal_schema(text, text, text, text[]), projection.drop_schema(text, text, text), projection.swap_schemas(text, text),
    projection.analyze_tables(text, text, text) TO ledger_projector;
