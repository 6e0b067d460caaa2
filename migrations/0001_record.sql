-- The record: books, events, the edge of the tree, requests and the vault, with the one way in.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE SCHEMA ledger;

-- Which role may use which book. A login counts through its memberships.
CREATE TABLE ledger.book_access (
    book text NOT NULL,
    role name NOT NULL,
    PRIMARY KEY (book, role)
);

CREATE TABLE ledger.book (
    book text PRIMARY KEY
        CONSTRAINT a_book_is_named_in_lower_case CHECK (book ~ '^[a-z][a-z0-9-]{0,62}$'),
    origin text NOT NULL
        CONSTRAINT an_origin_is_unique UNIQUE
        CONSTRAINT an_origin_has_no_space_or_plus CHECK (origin ~ '^[A-Za-z0-9._/-]{1,200}$'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    keys_mark text CONSTRAINT a_mark_is_a_sha256 CHECK (keys_mark ~ '^[0-9a-f]{64}$')
);

-- The counter, the clock and the edge of each book's tree: one row a book. `size` is part of the key so that the
-- newest row version is found at the end of the index, however many old ones a long snapshot keeps alive.
CREATE TABLE ledger.head (
    book text NOT NULL REFERENCES ledger.book,
    size bigint NOT NULL,
    root bytea NOT NULL,
    edge bytea[] NOT NULL CONSTRAINT an_edge_is_a_list_counted_from_one
        CHECK (coalesce(array_ndims(edge), 1) = 1 AND coalesce(array_lower(edge, 1), 1) = 1),
    recorded_at timestamptz,
    PRIMARY KEY (book, size)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE ledger.head ALTER COLUMN edge SET STORAGE PLAIN;

-- No column here that is not in the entry. (Checked with every row: a bound inside the pattern, `{1,200}`, costs more than
-- all the rest of an append.)
CREATE TABLE ledger.event (
    position bigint NOT NULL CONSTRAINT positions_count_from_one CHECK (position >= 1),
    version bigint NOT NULL CONSTRAINT versions_count_from_one_or_zero CHECK (version >= 0),
    recorded_at timestamptz NOT NULL,
    stream_id uuid NOT NULL,
    book text NOT NULL,
    name text NOT NULL CONSTRAINT a_stored_name_keeps_to_its_alphabet CHECK (name ~ '^[A-Za-z0-9_.:<>-]+$' AND length(name) <= 200),
    state bytea NOT NULL CONSTRAINT a_state_is_at_most_one_mebibyte CHECK (octet_length(state) <= 1048576),
    PRIMARY KEY (book, position),
    CONSTRAINT a_stream_has_each_version_once UNIQUE (book, stream_id, version)
);

CREATE TABLE ledger.stream (
    version bigint NOT NULL,
    stream_id uuid NOT NULL,
    book text NOT NULL,
    PRIMARY KEY (book, stream_id)
) WITH (fillfactor = 80);

-- The leaf hashes of one call, 32 bytes an event, in the order of their positions.
CREATE TABLE ledger.leaves (
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    book text NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (book, last_position),
    CONSTRAINT thirty_two_bytes_an_event CHECK (octet_length(hashes) = 32 * (last_position - first_position + 1))
);
ALTER TABLE ledger.leaves ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- What was answered under each idempotency key. Refusals are not here.
CREATE TABLE ledger.request (
    version bigint,
    first_position bigint,
    last_position bigint,
    tree_size bigint NOT NULL,
    recorded_at timestamptz,
    stream_id uuid,
    book text NOT NULL,
    principal text NOT NULL CONSTRAINT a_principal_is_named_in_ascii CHECK (principal ~ '^[ -~]+$' AND length(principal) <= 200),
    key text NOT NULL CONSTRAINT a_key_is_printable_ascii CHECK (key ~ '^[ -~]+$' AND length(key) <= 200),
    fingerprint bytea NOT NULL CONSTRAINT a_fingerprint_has_32_bytes CHECK (octet_length(fingerprint) = 32),
    root bytea NOT NULL,
    PRIMARY KEY (book, principal, key)
);

-- How far this book has followed another application (the `eventsourcing` library's tracking).
CREATE TABLE ledger.tracking (
    notification bigint NOT NULL,
    book text NOT NULL,
    application text NOT NULL CONSTRAINT an_application_has_a_name CHECK (application ~ '^[ -~]+$' AND length(application) <= 200),
    PRIMARY KEY (book, application)
);

-- Snapshots of the `eventsourcing` library: a cache, no part of the record, may be emptied at any time.
CREATE TABLE ledger.snapshot (
    version bigint NOT NULL,
    stream_id uuid NOT NULL,
    book text NOT NULL,
    name text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (book, stream_id, version)
);

-- The vault: one personal value with its salt, encrypted before it came here.
CREATE TABLE ledger.disclosure (
    position bigint NOT NULL,
    subject_id uuid NOT NULL,
    book text NOT NULL,
    digest text NOT NULL CONSTRAINT a_digest_is_43_characters CHECK (digest ~ '^[A-Za-z0-9_-]+$' AND length(digest) = 43),
    path text NOT NULL,
    tier text NOT NULL CONSTRAINT a_tier_is_core_important_or_ordinary CHECK (tier IN ('core', 'important', 'ordinary')),
    ciphertext bytea NOT NULL,
    PRIMARY KEY (book, position, path),
    CONSTRAINT a_digest_stands_once UNIQUE (book, digest)
);
ALTER TABLE ledger.disclosure ALTER COLUMN ciphertext SET STORAGE EXTERNAL;

-- The role in which this session acts: what it has SET ROLE to, else its login. Inside an owner-rights function it is
-- still the caller's.
CREATE FUNCTION ledger.caller() RETURNS name
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $caller$
BEGIN
    RETURN CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END;
END
$caller$;

-- Whether this session's role was granted the book. In plpgsql, as all that runs with each statement here: a function
-- in SQL would be planned anew each time.
CREATE FUNCTION ledger.may_use(p_book text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $may_use$
BEGIN
    RETURN EXISTS (SELECT
                     FROM ledger.book_access AS a
                    WHERE a.book = p_book AND pg_has_role(ledger.caller(), to_regrole(quote_ident(a.role)), 'MEMBER'));
END
$may_use$;

-- Each role sees the books that it was granted, and of the grants its own. The owner sees all: so every owner-rights
-- function that is given a book asks `may_use` first. (Plain subqueries: a function would cost each query of a reader
-- more than its own work, and more with each book.)
ALTER TABLE ledger.book_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger.book_access FORCE ROW LEVEL SECURITY;
CREATE POLICY the_owner_sees_all ON ledger.book_access TO ledger_owner USING (true);
CREATE POLICY own_grants_only ON ledger.book_access USING (pg_has_role(to_regrole(quote_ident(role)), 'MEMBER'));

CREATE FUNCTION ledger.show_granted_books_only(p_table regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $show_granted_books_only$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('CREATE POLICY the_owner_sees_all ON %s TO ledger_owner USING (true)', p_table);
    EXECUTE format('CREATE POLICY granted_books_only ON %s USING (book IN (SELECT a.book FROM ledger.book_access AS a))', p_table);
END
$show_granted_books_only$;

SELECT ledger.show_granted_books_only(t::regclass)
  FROM unnest(ARRAY['ledger.book', 'ledger.head', 'ledger.event', 'ledger.stream', 'ledger.leaves', 'ledger.request',
                    'ledger.tracking', 'ledger.snapshot', 'ledger.disclosure']) AS t;

-- Opens an empty book. The owner's work; the origin can never be changed.
CREATE FUNCTION ledger.create_book(p_book text, p_origin text, p_roles name[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $create_book$
BEGIN
    INSERT INTO ledger.book (book, origin) VALUES (p_book, p_origin);
    INSERT INTO ledger.book_access (book, role) SELECT p_book, r FROM unnest(p_roles) AS r;
    INSERT INTO ledger.head (book, size, root, edge) VALUES (p_book, 0, sha256(''), '{}');
END
$create_book$;

-- Joins a book and the key store that it is first written with, and tells which that is. The mark is a hash of a secret
-- in the store; with another store, repeats would pass for new requests and values could not be opened again.
CREATE FUNCTION ledger.claim_keys(p_book text, p_mark text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $claim_keys$
DECLARE
    v_mark text;
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RETURN NULL;
    END IF;
    SELECT b.keys_mark INTO v_mark FROM ledger.book AS b WHERE b.book = p_book;
    IF v_mark IS NULL THEN
        UPDATE ledger.book AS b SET keys_mark = p_mark WHERE b.book = p_book AND b.keys_mark IS NULL;
        SELECT b.keys_mark INTO v_mark FROM ledger.book AS b WHERE b.book = p_book;
    END IF;
    RETURN v_mark;
END
$claim_keys$;

-- The tree's edge after `p_leaves` more leaves (RFC 6962, section 2.1). Element i of the edge is the root of a full
-- subtree of 2^(i-1) leaves, or NULL where the size has no such bit. Costs one hash a leaf and log2 of the size.
CREATE FUNCTION ledger.extended_edge(p_edge bytea[], p_leaves bytea[]) RETURNS bytea[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $extended_edge$
DECLARE
    v_edge bytea[] := p_edge;
    v_nodes bytea[] := p_leaves;
    v_level integer := 1;
    v_count integer;
BEGIN
    LOOP
        IF v_edge[v_level] IS NOT NULL THEN
            v_nodes := v_edge[v_level] || v_nodes;
        END IF;
        v_count := cardinality(v_nodes);
        v_edge[v_level] := CASE WHEN v_count % 2 = 1 THEN v_nodes[v_count] END;
        EXIT WHEN v_count < 2;
        IF v_count < 4 THEN
            v_nodes := ARRAY[sha256('\x01'::bytea || v_nodes[1] || v_nodes[2])];
        ELSE
            v_nodes := ARRAY(
                SELECT sha256('\x01'::bytea || v_nodes[2 * i - 1] || v_nodes[2 * i])
                  FROM generate_series(1, v_count / 2) AS i
                 ORDER BY i);
        END IF;
        v_level := v_level + 1;
    END LOOP;
    RETURN v_edge;
END
$extended_edge$;

-- The root over an edge: the smaller subtrees are joined first, from the right (RFC 6962, section 2.1).
CREATE FUNCTION ledger.root_of_edge(p_edge bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $root_of_edge$
DECLARE
    v_root bytea;
    v_node bytea;
BEGIN
    FOREACH v_node IN ARRAY p_edge LOOP
        IF v_node IS NOT NULL THEN
            v_root := CASE WHEN v_root IS NULL THEN v_node ELSE sha256('\x01'::bytea || v_node || v_root) END;
        END IF;
    END LOOP;
    RETURN coalesce(v_root, sha256(''));
END
$root_of_edge$;

-- The one way in. One call is one durable commit for all its requests; each is stored whole or refused alone.
--
-- Requests are parallel arrays (fingerprints packed, 32 bytes each); events are parallel arrays in the order of their
-- requests (`e_request` counts from 1), their states packed into one bytea because arrays of bytea cost three times as
-- much to pass; disclosures likewise, `d_event` counting events from 1.
--
-- Outcomes: `stored`, `replayed` (this key has this request's first outcome), `key-reused`, `version-conflict`,
-- `tracking-conflict`. Errors end the whole call and store nothing: CL001 no such book for this role, CL002 the clock
-- is behind the book, CL003 the clocks of caller and database disagree, CL004 two requests of one call meet in a
-- stream, a key or a tracked application, CL005 a disclosure's digest is not in its event, CL006 the session would not
-- commit durably, CL007 the lists do not fit together.
CREATE FUNCTION ledger.append(
    p_book text, p_now timestamptz,
    r_principal text[], r_key text[], r_fingerprints bytea, r_stream uuid[], r_version bigint[],
    r_application text[], r_notification bigint[],
    e_request integer[], e_stream uuid[], e_version bigint[], e_name text[], e_length integer[], e_states bytea,
    d_event integer[], d_digest text[], d_subject uuid[], d_path text[], d_tier text[], d_length integer[],
    d_ciphertexts bytea)
RETURNS TABLE (
    request bigint, outcome text, stream_id uuid, version bigint, first_position bigint, last_position bigint,
    tree_size bigint, root bytea, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan -- planning anew for each call costs more than the call
SET enable_seqscan = off -- the one plan is made when the tables may still be empty
AS $append$
#variable_conflict use_column
DECLARE
    v_origin text;
    v_head ledger.head%ROWTYPE;
    v_at timestamptz;
    v_outcome text[];
    v_lost integer[];
    v_leaves bytea[];
    v_start integer[];    -- where each event's state begins in e_states
    v_position bigint[];  -- of each event; NULL where its request is refused
    v_first bigint[];     -- of each request
    v_last bigint[];
    v_d_start integer[];
    v_next integer := 1;
    v_request integer := 1;
    v_misplaced bigint;
    v_size bigint;
    v_edge bytea[];
    v_root bytea;
    v_answered ledger.request%ROWTYPE;
BEGIN
    IF current_setting('synchronous_commit') = 'off' OR current_setting('fsync') = 'off'
       OR current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'events are recorded with fsync and synchronous_commit on, at READ COMMITTED, and not otherwise'
            USING ERRCODE = 'CL006';
    END IF;
    -- A list that is shorter, empty inside or counted from another number than the rest would be read as NULL below.
    IF array_ndims(r_principal) IS DISTINCT FROM 1
       OR array_dims(r_key) IS DISTINCT FROM array_dims(r_principal)
       OR array_dims(r_stream) IS DISTINCT FROM array_dims(r_principal)
       OR array_dims(r_version) IS DISTINCT FROM array_dims(r_principal)
       OR array_dims(r_application) IS DISTINCT FROM array_dims(r_principal)
       OR array_dims(r_notification) IS DISTINCT FROM array_dims(r_principal)
       OR array_lower(r_principal, 1) <> 1
       OR octet_length(r_fingerprints) IS DISTINCT FROM 32 * cardinality(r_principal)
       OR coalesce(array_ndims(e_request), 1) <> 1 OR coalesce(array_lower(e_request, 1), 1) <> 1
       OR array_dims(e_stream) IS DISTINCT FROM array_dims(e_request)
       OR array_dims(e_version) IS DISTINCT FROM array_dims(e_request)
       OR array_dims(e_name) IS DISTINCT FROM array_dims(e_request)
       OR array_dims(e_length) IS DISTINCT FROM array_dims(e_request)
       OR coalesce(array_ndims(d_event), 1) <> 1 OR coalesce(array_lower(d_event, 1), 1) <> 1
       OR array_dims(d_digest) IS DISTINCT FROM array_dims(d_event)
       OR array_dims(d_subject) IS DISTINCT FROM array_dims(d_event)
       OR array_dims(d_path) IS DISTINCT FROM array_dims(d_event)
       OR array_dims(d_tier) IS DISTINCT FROM array_dims(d_event)
       OR array_dims(d_length) IS DISTINCT FROM array_dims(d_event) THEN
        RAISE EXCEPTION 'the lists of a call do not fit together' USING ERRCODE = 'CL007';
    END IF;
    -- Loops here and below: most calls carry few events, and a query costs more than a dozen turns of a loop.
    FOR i IN 1 .. cardinality(e_request) LOOP
        IF (e_length[i] >= 0 AND e_request[i] BETWEEN v_request AND cardinality(r_principal)) IS NOT TRUE THEN
            RAISE EXCEPTION 'event % of a call does not fit into its lists', i USING ERRCODE = 'CL007';
        END IF;
        v_request := e_request[i];
        v_start[i] := v_next;
        v_next := v_next + e_length[i];
    END LOOP;
    IF octet_length(e_states) IS DISTINCT FROM v_next - 1 THEN
        RAISE EXCEPTION 'the states of a call do not have their lengths' USING ERRCODE = 'CL007';
    END IF;
    v_next := 1;
    FOR i IN 1 .. cardinality(d_event) LOOP
        IF (d_length[i] > 0 AND d_event[i] BETWEEN 1 AND cardinality(e_request)) IS NOT TRUE THEN
            RAISE EXCEPTION 'disclosure % of a call does not fit into its lists', i USING ERRCODE = 'CL007';
        END IF;
        v_d_start[i] := v_next;
        v_next := v_next + d_length[i];
    END LOOP;
    IF octet_length(d_ciphertexts) IS DISTINCT FROM v_next - 1 THEN
        RAISE EXCEPTION 'the ciphertexts of a call do not have their lengths' USING ERRCODE = 'CL007';
    END IF;
    SELECT b.origin INTO v_origin FROM ledger.book AS b WHERE b.book = p_book FOR UPDATE;
    IF NOT FOUND OR NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    -- A statement of its own: only now is what the last holder of the lock committed visible.
    SELECT h.* INTO STRICT v_head FROM ledger.head AS h WHERE h.book = p_book ORDER BY h.size DESC LIMIT 1;

    v_at := clock_timestamp();
    IF v_at < v_head.recorded_at - interval '5 seconds' THEN
        RAISE EXCEPTION 'the clock (%) is behind the last entry (%) of book %', v_at, v_head.recorded_at, p_book
            USING ERRCODE = 'CL002';
    END IF;
    IF p_now IS NULL OR abs(extract(epoch FROM v_at - p_now)) > 300 THEN
        RAISE EXCEPTION 'the clocks of the database (%) and of the program (%) disagree', v_at, p_now
            USING ERRCODE = 'CL003';
    END IF;
    v_at := greatest(v_at, v_head.recorded_at + interval '1 microsecond');

    IF cardinality(r_principal) > 1 THEN
        IF EXISTS (SELECT FROM unnest(e_request, e_stream) AS e(request, stream)
                    GROUP BY e.stream HAVING min(e.request) <> max(e.request))
           OR EXISTS (SELECT FROM unnest(r_principal, r_key) AS r(principal, key)
                       GROUP BY r.principal, r.key HAVING count(*) > 1)
           OR EXISTS (SELECT FROM unnest(r_application) AS r(application)
                       WHERE r.application IS NOT NULL GROUP BY r.application HAVING count(*) > 1) THEN
            RAISE EXCEPTION 'two requests of one call meet in a stream, a key or a tracked application'
                USING ERRCODE = 'CL004';
        END IF;
    END IF;

    SELECT array_agg(CASE WHEN k.key IS NULL THEN
                               CASE WHEN t.notification >= r.notification THEN 'tracking-conflict' ELSE 'stored' END
                          WHEN k.fingerprint = substring(r_fingerprints FROM (32 * r.n - 31)::integer FOR 32) THEN 'replayed'
                          ELSE 'key-reused' END ORDER BY r.n)
      INTO v_outcome
      FROM unnest(r_principal, r_key, r_application, r_notification)
           WITH ORDINALITY AS r(principal, key, application, notification, n)
      LEFT JOIN LATERAL (SELECT q.key, q.fingerprint
                           FROM ledger.request AS q
                          WHERE q.book = p_book AND q.principal = r.principal AND q.key = r.key
                          LIMIT 1) AS k ON true
      LEFT JOIN LATERAL (SELECT q.notification
                           FROM ledger.tracking AS q
                          WHERE q.book = p_book AND q.application = r.application
                          LIMIT 1) AS t ON true;

    -- A new stream begins at 1 (at 0 for applications of the library that count so) and no version is left out.
    FOR v_lost IN
        SELECT array_agg(DISTINCT c.request)
          FROM (SELECT e.request, e.version, first_value(e.version) OVER w AS first, row_number() OVER w AS nth, s.version AS head
                  FROM unnest(e_request, e_stream, e_version) WITH ORDINALITY AS e(request, stream, version, n)
                  LEFT JOIN LATERAL (SELECT q.version
                                       FROM ledger.stream AS q
                                      WHERE q.book = p_book AND q.stream_id = e.stream
                                      LIMIT 1) AS s ON true
                WINDOW w AS (PARTITION BY e.request, e.stream ORDER BY e.n)) AS c
         WHERE c.version <> c.first + c.nth - 1
            OR CASE WHEN c.head IS NULL THEN c.first NOT IN (0, 1) ELSE c.first <> c.head + 1 END
        HAVING count(*) > 0
    LOOP
        FOR i IN 1 .. cardinality(v_lost) LOOP
            IF v_outcome[v_lost[i]] = 'stored' THEN
                v_outcome[v_lost[i]] := 'version-conflict';
            END IF;
        END LOOP;
    END LOOP;

    -- Where each stored event and each stored request will stand.
    v_size := v_head.size;
    FOR i IN 1 .. cardinality(e_request) LOOP
        v_request := e_request[i];
        IF v_outcome[v_request] = 'stored' THEN
            v_size := v_size + 1;
            v_position[i] := v_size;
            v_last[v_request] := v_size;
            IF v_first[v_request] IS NULL THEN
                v_first[v_request] := v_size;
            END IF;
        ELSE
            v_position[i] := NULL;
        END IF;
    END LOOP;

    WITH accepted AS MATERIALIZED (
        SELECT e.position, e.stream, e.version, e.name, substring(e_states FROM e.start FOR e.length) AS state,
               v_at + (e.position - v_head.size - 1) * interval '1 microsecond' AS recorded_at
          FROM unnest(v_position, e_stream, e_version, e_name, v_start, e_length)
               AS e(position, stream, version, name, start, length)
         WHERE e.position IS NOT NULL
    ), events AS (
        INSERT INTO ledger.event (position, version, recorded_at, stream_id, book, name, state)
        SELECT a.position, a.version, a.recorded_at, a.stream, p_book, a.name, a.state FROM accepted AS a
    ), streams AS (
        INSERT INTO ledger.stream AS s (version, stream_id, book)
        SELECT max(a.version), a.stream, p_book FROM accepted AS a GROUP BY a.stream
        ON CONFLICT (book, stream_id) DO UPDATE SET version = EXCLUDED.version
    )
    SELECT array_agg(sha256('\x00'::bytea || convert_to(
               'complaint-ledger/entry/v1' || chr(10) || v_origin || chr(10) || a.position || chr(10) || a.stream || chr(10)
               || a.version || chr(10) || a.name || chr(10)
               || to_char(a.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || chr(10)
               || encode(sha256(a.state), 'hex') || chr(10), 'UTF8')) ORDER BY a.position)
      INTO v_leaves
      FROM accepted AS a;

    IF cardinality(d_event) > 0 THEN
        WITH disclosed AS MATERIALIZED (
            SELECT v_position[d.event] AS position, d.digest, d.subject, d.path, d.tier,
                   substring(d_ciphertexts FROM d.start FOR d.length) AS ciphertext,
                   position(convert_to(d.digest, 'UTF8')
                            IN substring(e_states FROM v_start[d.event] FOR e_length[d.event])) = 0 AS misplaced
              FROM unnest(d_event, d_digest, d_subject, d_path, d_tier, v_d_start, d_length)
                   AS d(event, digest, subject, path, tier, start, length)
             WHERE v_position[d.event] IS NOT NULL
        ), vault AS (
            INSERT INTO ledger.disclosure (position, subject_id, book, digest, path, tier, ciphertext)
            SELECT d.position, d.subject, p_book, d.digest, d.path, d.tier, d.ciphertext FROM disclosed AS d
        )
        SELECT count(*) INTO v_misplaced FROM disclosed AS d WHERE d.misplaced IS NOT FALSE;
        IF v_misplaced > 0 THEN
            RAISE EXCEPTION 'the digest of a disclosure does not occur in its event' USING ERRCODE = 'CL005';
        END IF;
    END IF;

    v_root := v_head.root;
    IF v_size > v_head.size THEN
        v_edge := ledger.extended_edge(v_head.edge, v_leaves);
        v_root := ledger.root_of_edge(v_edge);
        INSERT INTO ledger.leaves (first_position, last_position, book, hashes)
        SELECT v_head.size + 1, v_size, p_book, string_agg(l.hash, ''::bytea ORDER BY l.n)
          FROM unnest(v_leaves) WITH ORDINALITY AS l(hash, n);
        UPDATE ledger.head AS h
           SET size = v_size, root = v_root, edge = v_edge,
               recorded_at = v_at + (v_size - v_head.size - 1) * interval '1 microsecond'
         WHERE h.book = p_book AND h.size = v_head.size;
    END IF;

    IF cardinality(array_remove(r_application, NULL)) > 0 THEN
        INSERT INTO ledger.tracking AS t (notification, book, application)
        SELECT r.notification, p_book, r.application
          FROM unnest(r_application, r_notification) WITH ORDINALITY AS r(application, notification, n)
         WHERE r.application IS NOT NULL AND v_outcome[r.n] = 'stored'
        ON CONFLICT (book, application) DO UPDATE SET notification = EXCLUDED.notification;
    END IF;

    INSERT INTO ledger.request (version, first_position, last_position, tree_size, recorded_at, stream_id, book,
                                principal, key, fingerprint, root)
    SELECT r.version, v_first[r.n], v_last[r.n], v_size,
           v_at + (v_last[r.n] - v_head.size - 1) * interval '1 microsecond', r.stream, p_book,
           r.principal, r.key, substring(r_fingerprints FROM (32 * r.n - 31)::integer FOR 32), v_root
      FROM unnest(r_principal, r_key, r_stream, r_version) WITH ORDINALITY AS r(principal, key, stream, version, n)
     WHERE v_outcome[r.n] = 'stored';

    FOR i IN 1 .. cardinality(r_principal) LOOP
        v_answered := NULL;
        IF v_outcome[i] = 'stored' THEN
            v_answered := (r_version[i], v_first[i], v_last[i], v_size,
                           v_at + (v_last[i] - v_head.size - 1) * interval '1 microsecond', r_stream[i], p_book,
                           NULL, NULL, NULL, v_root);
        ELSIF v_outcome[i] = 'replayed' THEN
            SELECT q.* INTO v_answered
              FROM ledger.request AS q
             WHERE q.book = p_book AND q.principal = r_principal[i] AND q.key = r_key[i];
        END IF;
        request := i;
        outcome := v_outcome[i];
        stream_id := v_answered.stream_id;
        version := v_answered.version;
        first_position := v_answered.first_position;
        last_position := v_answered.last_position;
        tree_size := v_answered.tree_size;
        root := v_answered.root;
        recorded_at := v_answered.recorded_at;
        RETURN NEXT;
    END LOOP;
END
$append$;

-- What was answered under these keys, for the look before `decide`; no row where nothing was.
CREATE FUNCTION ledger.requests_under(p_book text, p_principal text, p_keys text[])
RETURNS TABLE (
    key text, fingerprint bytea, stream_id uuid, version bigint, first_position bigint, last_position bigint,
    tree_size bigint, root bytea, recorded_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $requests_under$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT k.key, k.fingerprint, k.stream_id, k.version, k.first_position, k.last_position, k.tree_size, k.root, k.recorded_at
      FROM ledger.request AS k
     WHERE k.book = p_book AND k.principal = p_principal AND k.key = ANY (p_keys) AND ledger.may_use(p_book);
END
$requests_under$;

-- Ciphertexts and what they belong to, by position; of use only to somebody who holds the keys.
CREATE FUNCTION ledger.vault_page(p_book text, p_after bigint, p_upto bigint)
RETURNS TABLE ("position" bigint, digest text, subject_id uuid, path text, tier text, ciphertext bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $vault_page$
SELECT d.position, d.digest, d.subject_id, d.path, d.tier, d.ciphertext
  FROM ledger.disclosure AS d
 WHERE d.book = p_book AND d.position > p_after AND d.position <= p_upto AND ledger.may_use(p_book)
 ORDER BY d.position, d.path
$vault_page$;

-- The same for single digests: where a correction carries a value over, its disclosure stands at an earlier position.
CREATE FUNCTION ledger.vault_values(p_book text, p_digests text[])
RETURNS TABLE ("position" bigint, digest text, subject_id uuid, path text, tier text, ciphertext bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $vault_values$
SELECT d.position, d.digest, d.subject_id, d.path, d.tier, d.ciphertext
  FROM ledger.disclosure AS d
 WHERE d.book = p_book AND d.digest = ANY (p_digests) AND ledger.may_use(p_book)
$vault_values$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;

GRANT USAGE ON SCHEMA ledger TO ledger_application, ledger_projector, ledger_auditor, ledger_vault;
GRANT EXECUTE ON FUNCTION ledger.caller(), ledger.may_use(text)
   TO ledger_application, ledger_projector, ledger_auditor, ledger_vault;
GRANT SELECT ON ledger.book_access TO ledger_application, ledger_projector, ledger_auditor, ledger_vault;
GRANT SELECT ON ledger.book, ledger.head, ledger.event, ledger.stream, ledger.leaves
   TO ledger_application, ledger_projector, ledger_auditor;
GRANT SELECT ON ledger.tracking TO ledger_application;
GRANT SELECT, INSERT ON ledger.snapshot TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.append(
    text, timestamptz, text[], text[], bytea, uuid[], bigint[], text[], bigint[], integer[], uuid[], bigint[], text[],
    integer[], bytea, integer[], text[], uuid[], text[], text[], integer[], bytea) TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.requests_under(text, text, text[]), ledger.claim_keys(text, text) TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.vault_page(text, bigint, bigint), ledger.vault_values(text, text[])
   TO ledger_auditor, ledger_vault;
