-- Facts and complaints in two times. `known_from` and `known_to` are positions: a row says what was known from the one up to
-- and without the other; `known_to` is NULL while it is known still. Nothing here is a personal value.

-- name: tables
-- `matter`: one row for each state of each complaint. `fact`: one for each effective fact, which ends when it is annulled or
-- corrected; `said` are its fields. `open_during` are the times in which the complaint was open.
CREATE TABLE {schema}.matter (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    customer_id uuid,
    reference text COLLATE "C",
    external_reference text COLLATE "C",
    received_at timestamptz,
    date_only boolean NOT NULL,
    channel text COLLATE "C",
    branch text COLLATE "C",
    scheme text COLLATE "C",
    category text COLLATE "C",
    product text COLLATE "C",
    product_scheme text COLLATE "C",
    sub_product text COLLATE "C",
    issue text COLLATE "C",
    sub_issue text COLLATE "C",
    cause text COLLATE "C",
    grade text COLLATE "C",
    urgent boolean NOT NULL,
    department text COLLATE "C",
    handler text COLLATE "C",
    transferred_by text COLLATE "C",
    first_replied_at timestamptz,
    resolved_at timestamptz,
    outcome text COLLATE "C",
    replied_at timestamptz,
    sent_on_at timestamptz,
    stated_outcome text COLLATE "C",
    stated_final boolean,
    stated_timely boolean,
    disputed boolean NOT NULL,
    reopenings integer NOT NULL,
    ended_at timestamptz,
    ended_how text COLLATE "C",
    open_during tstzmultirange NOT NULL,
    PRIMARY KEY (book, complaint_id, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from)
);
CREATE UNIQUE INDEX matter_now ON {schema}.matter (book, complaint_id) WHERE known_to IS NULL;
-- What came to be known between two positions: how a copy is brought up by difference.
CREATE INDEX matter_begun ON {schema}.matter (book, known_from);
CREATE INDEX matter_ended ON {schema}.matter (book, known_to) WHERE known_to IS NOT NULL;
CREATE TABLE {schema}.fact (
    book text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL,
    version integer NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    name text COLLATE "C" NOT NULL,
    happened_at timestamptz,
    said jsonb NOT NULL,
    PRIMARY KEY (book, complaint_id, version, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from)
);
CREATE UNIQUE INDEX fact_now ON {schema}.fact (book, complaint_id, version) WHERE known_to IS NULL;
CREATE INDEX fact_named ON {schema}.fact (book, name, happened_at);
-- `contact`: one row for each state of each contact that is no complaint.
CREATE TABLE {schema}.contact (
    book text COLLATE "C" NOT NULL,
    contact_id uuid NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    customer_id uuid,
    kind text COLLATE "C",
    channel text COLLATE "C",
    direction text COLLATE "C",
    product text COLLATE "C",
    branch text COLLATE "C",
    department text COLLATE "C",
    handler text COLLATE "C",
    asked_at timestamptz,
    answered_at timestamptz,
    outcome text COLLATE "C",
    score integer,
    rated_at timestamptz,
    satisfactory boolean,
    reviewed_at timestamptz,
    became_complaint boolean NOT NULL,
    PRIMARY KEY (book, contact_id, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from)
);
CREATE UNIQUE INDEX contact_now ON {schema}.contact (book, contact_id) WHERE known_to IS NULL;
-- `customer`: one row for each tier that a customer was known by, and each record that it was merged into; none before the first.
CREATE TABLE {schema}.customer (
    book text COLLATE "C" NOT NULL,
    customer_id uuid NOT NULL,
    known_from bigint NOT NULL,
    known_to bigint,
    tier text COLLATE "C",
    merged_into uuid,
    PRIMARY KEY (book, customer_id, known_from),
    CONSTRAINT known_for_a_time CHECK (known_to > known_from)
);
CREATE UNIQUE INDEX customer_now ON {schema}.customer (book, customer_id) WHERE known_to IS NULL;
CREATE INDEX customer_merged ON {schema}.customer (book, customer_id) WHERE merged_into IS NOT NULL;

-- name: streams
-- All at once what was recorded of the streams that a batch corrects, or goes on with after they were forgotten.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(stream_ids)s::uuid[]) AND position <= %(position)s
 ORDER BY stream_id, version;

-- name: end_facts
-- What was annulled or corrected is known no longer. A fact that was annulled before has no open row, and stays ended.
UPDATE {schema}.fact AS f
   SET known_to = e.known_to::bigint
  FROM (VALUES %s) AS e (book, complaint_id, version, known_to)
 WHERE f.book = e.book AND f.complaint_id = e.complaint_id::uuid AND f.version = e.version AND f.known_to IS NULL;

-- name: end_matters
-- What is known otherwise from here on; the last column but one of the values is that of facts only.
UPDATE {schema}.matter AS m
   SET known_to = e.known_to::bigint
  FROM (VALUES %s) AS e (book, complaint_id, version, known_to)
 WHERE m.book = e.book AND m.complaint_id = e.complaint_id::uuid AND m.known_to IS NULL;

-- name: end_contacts
-- The same of a contact.
UPDATE {schema}.contact AS c
   SET known_to = e.known_to::bigint
  FROM (VALUES %s) AS e (book, contact_id, version, known_to)
 WHERE c.book = e.book AND c.contact_id = e.contact_id::uuid AND c.known_to IS NULL;

-- name: end_customers
-- The same of a customer.
UPDATE {schema}.customer AS c
   SET known_to = e.known_to::bigint
  FROM (VALUES %s) AS e (book, customer_id, version, known_to)
 WHERE c.book = e.book AND c.customer_id = e.customer_id::uuid AND c.known_to IS NULL;
