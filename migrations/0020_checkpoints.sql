-- Checkpoints, cosignatures, time stamps and tiles: what proofs are made of. All of it follows from the events or is
-- signed by somebody; nothing here is part of the tree.
-- depends: 0001_record

SET LOCAL lock_timeout = '5s';

-- The signed (size, root) of a book, as the note that was given out.
CREATE TABLE ledger.checkpoint (
    size bigint NOT NULL CONSTRAINT a_checkpoint_covers_something CHECK (size >= 1),
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    book text NOT NULL REFERENCES ledger.book,
    root bytea NOT NULL CONSTRAINT a_root_has_32_bytes CHECK (octet_length(root) = 32),
    note text NOT NULL CONSTRAINT a_note_is_at_most_20000_characters CHECK (length(note) <= 20000),
    PRIMARY KEY (book, size)
);

-- A witness's signature line under one of them.
CREATE TABLE ledger.cosignature (
    size bigint NOT NULL,
    cosigned_at timestamptz NOT NULL,
    book text NOT NULL,
    verifier_key text NOT NULL CONSTRAINT a_verifier_key_is_at_most_400_characters CHECK (length(verifier_key) <= 400),
    line text NOT NULL CONSTRAINT a_line_is_at_most_1000_characters CHECK (length(line) <= 1000),
    PRIMARY KEY (book, size, verifier_key),
    FOREIGN KEY (book, size) REFERENCES ledger.checkpoint
);

-- A time stamp (RFC 3161) over a checkpoint's text, as the authority answered.
CREATE TABLE ledger.time_stamp (
    size bigint NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    book text NOT NULL,
    authority text NOT NULL CONSTRAINT an_authority_is_named_in_ascii CHECK (authority ~ '^[ -~]{1,200}$'),
    token bytea NOT NULL CONSTRAINT a_token_is_at_most_64_kibibytes CHECK (octet_length(token) <= 65536),
    PRIMARY KEY (book, size, authority),
    FOREIGN KEY (book, size) REFERENCES ledger.checkpoint
);

-- Full tiles (C2SP tlog-tiles): 256 consecutive hashes of one level, and the root over them. A level counts in steps of
-- eight, so a tile's root is a hash of the level above.
CREATE TABLE ledger.tile (
    number bigint NOT NULL CONSTRAINT tiles_count_from_nought CHECK (number >= 0),
    level integer NOT NULL CONSTRAINT a_tile_has_a_level_from_0_to_7 CHECK (level BETWEEN 0 AND 7),
    book text NOT NULL,
    root bytea NOT NULL CONSTRAINT a_root_has_32_bytes CHECK (octet_length(root) = 32),
    hashes bytea NOT NULL CONSTRAINT a_full_tile_has_256_hashes CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (book, level, number)
);
ALTER TABLE ledger.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

SELECT ledger.show_granted_books_only(t::regclass)
  FROM unnest(ARRAY['ledger.checkpoint', 'ledger.cosignature', 'ledger.time_stamp', 'ledger.tile']) AS t;

-- Keeps a signed checkpoint, the first of its size; true where it is kept now or was before, as it stands.
CREATE FUNCTION ledger.keep_checkpoint(p_book text, p_size bigint, p_root bytea, p_note text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $keep_checkpoint$
BEGIN
    IF NOT ledger.may_use(p_book)
       OR NOT EXISTS (SELECT FROM ledger.head AS h WHERE h.book = p_book AND h.size >= p_size) THEN
        RAISE EXCEPTION 'no book % of % events for role %', p_book, p_size, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    INSERT INTO ledger.checkpoint (size, book, root, note) VALUES (p_size, p_book, p_root, p_note)
    ON CONFLICT (book, size) DO NOTHING;
    RETURN EXISTS (SELECT FROM ledger.checkpoint AS c
                    WHERE c.book = p_book AND c.size = p_size AND c.root = p_root AND c.note = p_note);
END
$keep_checkpoint$;

-- Keeps a witness's line under a checkpoint. A later line of the same witness for the same checkpoint says no more.
CREATE FUNCTION ledger.keep_cosignature(
    p_book text, p_size bigint, p_verifier_key text, p_line text, p_cosigned_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $keep_cosignature$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    INSERT INTO ledger.cosignature (size, cosigned_at, book, verifier_key, line)
    VALUES (p_size, p_cosigned_at, p_book, p_verifier_key, p_line)
    ON CONFLICT (book, size, verifier_key) DO NOTHING;
END
$keep_cosignature$;

-- Keeps what a time-stamping authority answered for a checkpoint; the first answer of each.
CREATE FUNCTION ledger.keep_time_stamp(p_book text, p_size bigint, p_authority text, p_token bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $keep_time_stamp$
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    INSERT INTO ledger.time_stamp (size, book, authority, token) VALUES (p_size, p_book, p_authority, p_token)
    ON CONFLICT (book, size, authority) DO NOTHING;
END
$keep_time_stamp$;

-- Builds the full tiles that are missing, at most so many, from the leaf hashes: nobody can put a tile in by hand.
-- Says how many it built; fewer than asked for means that all are there. 256 hashes a tile.
CREATE FUNCTION ledger.build_tiles(p_book text, p_tiles_max integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $build_tiles$
DECLARE
    v_below bigint;
    v_next bigint;
    v_first bigint;
    v_hashes bytea;
    v_built integer := 0;
BEGIN
    IF NOT ledger.may_use(p_book) THEN
        RAISE EXCEPTION 'no book % for role %', p_book, ledger.caller() USING ERRCODE = 'CL001';
    END IF;
    SELECT coalesce(max(h.size), 0) INTO v_below FROM ledger.head AS h WHERE h.book = p_book;
    FOR v_level IN 0 .. 7 LOOP
        -- v_below is how many hashes this level has: leaves at level 0, full tiles of the level below above it
        SELECT coalesce(max(t.number) + 1, 0) INTO v_next FROM ledger.tile AS t WHERE t.book = p_book AND t.level = v_level;
        WHILE (v_next + 1) * 256 <= v_below AND v_built < p_tiles_max LOOP
            v_first := v_next * 256;
            IF v_level = 0 THEN
                SELECT string_agg(substring(
                           l.hashes FROM (32 * greatest(v_first + 1 - l.first_position, 0) + 1)::integer
                                    FOR (32 * (least(l.last_position, v_first + 256)
                                               - greatest(l.first_position, v_first + 1) + 1))::integer),
                           ''::bytea ORDER BY l.last_position)
                  INTO v_hashes
                  FROM ledger.leaves AS l
                 WHERE l.book = p_book AND l.last_position > v_first AND l.last_position < v_first + 256 + 10000
                   AND l.first_position <= v_first + 256;
            ELSE
                SELECT string_agg(t.root, ''::bytea ORDER BY t.number) INTO v_hashes
                  FROM ledger.tile AS t
                 WHERE t.book = p_book AND t.level = v_level - 1 AND t.number BETWEEN v_first AND v_first + 255;
            END IF;
            INSERT INTO ledger.tile (number, level, book, root, hashes)
            SELECT v_next, v_level, p_book,
                   ledger.root_of_edge(ledger.extended_edge('{}', ARRAY(
                       SELECT substring(v_hashes FROM (32 * i - 31)::integer FOR 32) FROM generate_series(1, 256) AS i ORDER BY i))),
                   v_hashes
            ON CONFLICT (book, level, number) DO NOTHING;
            v_next := v_next + 1;
            v_built := v_built + 1;
        END LOOP;
        EXIT WHEN v_next = 0;
        v_below := v_next;
    END LOOP;
    RETURN v_built;
END
$build_tiles$;

REVOKE ALL ON FUNCTION ledger.keep_checkpoint(text, bigint, bytea, text),
    ledger.keep_cosignature(text, bigint, text, text, timestamptz),
    ledger.keep_time_stamp(text, bigint, text, bytea), ledger.build_tiles(text, integer) FROM PUBLIC;

GRANT SELECT ON ledger.checkpoint, ledger.cosignature, ledger.time_stamp, ledger.tile
   TO ledger_application, ledger_projector, ledger_auditor;
GRANT EXECUTE ON FUNCTION ledger.keep_checkpoint(text, bigint, bytea, text),
    ledger.keep_cosignature(text, bigint, text, text, timestamptz),
    ledger.keep_time_stamp(text, bigint, text, bytea), ledger.build_tiles(text, integer) TO ledger_application;
