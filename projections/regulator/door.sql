-- What a regulator receives, in a database of its own on the same server. Rows are added and ended, never changed otherwise,
-- never truncated. `from_position` and `to_position` are positions at which the door was brought up, not those of events:
-- several rows share one, so that a row leads to no event.

-- name: tables
-- `complaint`: what was known of each complaint, by a reference that is this receiver's alone. `brought_up`: how far.
-- `seal`: the sealed event of a state, its entry, and its proof with the checkpoint that it leads to.
CREATE SCHEMA IF NOT EXISTS regulator;
CREATE TABLE IF NOT EXISTS regulator.complaint (
    book text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint,
    customer text COLLATE "C",
    received_at timestamptz,
    channel text COLLATE "C",
    business text COLLATE "C",
    reason text COLLATE "C",
    product text COLLATE "C",
    category text COLLATE "C",
    issue text COLLATE "C",
    cause text COLLATE "C",
    grade text COLLATE "C",
    region text COLLATE "C",
    transferred_by text COLLATE "C",
    first_replied_at timestamptz,
    resolved_at timestamptz,
    replied_at timestamptz,
    outcome text COLLATE "C",
    reopenings integer NOT NULL,
    disputed boolean NOT NULL,
    ended_at timestamptz,
    ended_how text COLLATE "C",
    PRIMARY KEY (book, reference, from_position),
    CONSTRAINT known_for_a_time CHECK (to_position > from_position)
);
CREATE UNIQUE INDEX IF NOT EXISTS complaint_now ON regulator.complaint (book, reference) WHERE to_position IS NULL;
CREATE TABLE IF NOT EXISTS regulator.brought_up (
    book text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    root text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS regulator.seal (
    book text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    state bytea NOT NULL,
    entry bytea NOT NULL,
    proof bytea NOT NULL,
    PRIMARY KEY (book, position)
);

-- name: rights
-- Of the door, and not of a copy of it. `{login}` is the receiver's own: no other receiver's may connect here at all.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA regulator TO ledger_projector, ledger_publisher, ledger_auditor, {login};
GRANT SELECT, INSERT, UPDATE ON regulator.complaint, regulator.brought_up, regulator.seal TO ledger_projector;
GRANT SELECT ON regulator.complaint, regulator.brought_up, regulator.seal TO ledger_publisher, ledger_auditor, {login};

-- name: publication
-- What the regulator subscribes to; made once.
CREATE PUBLICATION regulator FOR TABLE regulator.complaint, regulator.brought_up, regulator.seal;

-- name: has_publication
-- Whether it is there already.
SELECT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'regulator');

-- name: standing
-- How far the door was brought up, locked: two who bring it up at once do it one after the other.
SELECT position FROM regulator.brought_up WHERE book = %(book)s FOR UPDATE;

-- name: changed
-- In the ledger's database: the complaints of which something came to be known otherwise between two positions, as they
-- stand at the later one; page by page. Where the standard counts a code is by the book's tables at that position
-- (`projections/indicators/places.py`), and the region is that of the branch by the same tables. What was found to be no complaint
-- has no row, as no return counts it: its row ends when that is found, and another begins when it is reopened.
SELECT c.complaint_id, m.customer_id, m.received_at, m.channel,
       %(jrt)s::jsonb #>> ARRAY['product', m.product_scheme, m.product],
       coalesce(%(jrt)s::jsonb #>> ARRAY['category', m.scheme, m.category],
                %(jrt)s::jsonb #>> ARRAY['issue', m.scheme, m.issue]), m.product, m.category, m.issue,
       m.cause, m.grade,
       (SELECT p.region FROM unnest(%(branches)s::text[], %(regions)s::text[]) AS p (branch, region) WHERE p.branch = m.branch),
       m.transferred_by, m.first_replied_at, m.resolved_at, m.replied_at, m.outcome,
       coalesce(m.reopenings, 0), coalesce(m.disputed, false), m.ended_at, m.ended_how
  FROM (SELECT complaint_id
          FROM {schema}.matter
         WHERE book = %(book)s AND (known_from > %(after)s AND known_from <= %(position)s
                                    OR known_to > %(after)s AND known_to <= %(position)s)
           AND (%(last)s::uuid IS NULL OR complaint_id > %(last)s::uuid)
         GROUP BY complaint_id
         ORDER BY complaint_id
         LIMIT %(rows_max)s) AS c
  LEFT JOIN {schema}.matter AS m ON m.book = %(book)s AND m.complaint_id = c.complaint_id AND m.received_at IS NOT NULL
        AND m.ended_how IS DISTINCT FROM 'ruled-out' AND m.known_from <= %(position)s AND (m.known_to IS NULL OR m.known_to > %(position)s)
 ORDER BY c.complaint_id;

-- name: wanted
-- In the door's database, for one transaction: what is to be said of them, to be read in the order of the receiver's own names.
-- Rows that lay in the order of our ids would tell two receivers which of theirs are one.
CREATE TEMPORARY TABLE wanted (LIKE regulator.complaint, PRIMARY KEY (reference)) ON COMMIT DROP;

-- name: want
-- What stands of a complaint whose receipt was annulled, or that was found to be none, has no `received_at`.
INSERT INTO wanted (book, reference, from_position, customer, received_at, channel, business, reason, product, category,
                    issue, cause, grade, region, transferred_by, first_replied_at, resolved_at, replied_at, outcome,
                    reopenings, disputed, ended_at, ended_how)
VALUES %s;

-- name: wanted_page
-- Of these, a page in the order of the names.
SELECT reference, customer, received_at, channel, business, reason, product, category, issue, cause, grade, region,
       transferred_by, first_replied_at, resolved_at, replied_at, outcome, reopenings, disputed, ended_at, ended_how
  FROM wanted
 WHERE %(last)s::text IS NULL OR reference > %(last)s::text
 ORDER BY reference
 LIMIT %(rows_max)s;

-- name: known
-- What the door says of some complaints now.
SELECT reference, customer, received_at, channel, business, reason, product, category, issue, cause, grade, region,
       transferred_by, first_replied_at, resolved_at, replied_at, outcome, reopenings, disputed, ended_at, ended_how
  FROM regulator.complaint
 WHERE book = %(book)s AND to_position IS NULL AND reference = ANY (%(references)s::text[]);

-- name: end
-- What the door knows otherwise from here on.
UPDATE regulator.complaint
   SET to_position = %(position)s
 WHERE book = %(book)s AND to_position IS NULL AND reference = ANY (%(references)s::text[]);

-- name: add
-- What it knows from here on.
INSERT INTO regulator.complaint (book, reference, from_position, customer, received_at, channel, business, reason, product,
                                 category, issue, cause, grade, region, transferred_by, first_replied_at, resolved_at,
                                 replied_at, outcome, reopenings, disputed, ended_at, ended_how)
VALUES %s;

-- name: bring_up
-- The position, in the transaction that wrote the rows.
INSERT INTO regulator.brought_up (book, position, root, at)
VALUES (%(book)s, %(position)s, %(root)s, %(at)s)
    ON CONFLICT (book) DO UPDATE SET position = excluded.position, root = excluded.root, at = excluded.at;

-- name: reached
-- How far a copy has come.
SELECT position, root FROM regulator.brought_up WHERE book = %(book)s;

-- name: brought_up_at
-- When it came there: what a schedule goes by.
SELECT at FROM regulator.brought_up WHERE book = %(book)s;

-- name: rows_at
-- The rows as they stood at a position, in the text form of COPY: what the digest is taken of, in the copy as here.
COPY (SELECT book, reference, from_position, CASE WHEN to_position <= {position} THEN to_position END AS to_position, customer,
             received_at, channel, business, reason, product, category, issue, cause, grade, region, transferred_by,
             first_replied_at, resolved_at, replied_at, outcome, reopenings, disputed, ended_at, ended_how
        FROM regulator.complaint
       WHERE book = {book} AND from_position <= {position}
       ORDER BY reference, from_position) TO STDOUT

-- name: as_written
-- Everything that the text form of a value hangs on.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET client_encoding = 'UTF8';

-- name: keep_seal
-- Beside the rows that it is about, so that it travels with them.
INSERT INTO regulator.seal (book, position, state, entry, proof)
VALUES (%(book)s, %(position)s, %(state)s, %(entry)s, %(proof)s)
    ON CONFLICT (book, position) DO NOTHING;

-- name: last_seal
-- The newest seal that a copy holds.
SELECT position, state, entry, proof FROM regulator.seal WHERE book = %(book)s ORDER BY position DESC LIMIT 1;
