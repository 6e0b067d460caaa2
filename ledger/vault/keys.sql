-- The store of wrapped keys: SQLite, apart from the database, so that an old backup of the database gives no
-- erased value back. Nothing here is of use without the master key.

-- name: make_subject_key
-- A subject's row is never deleted and its key never changes length: destroying overwrites it where it stands, so
-- that no page is split or merged and no stale copy of a neighbour's key is left behind in free space.
CREATE TABLE IF NOT EXISTS subject_key (
    number INTEGER PRIMARY KEY,
    subject_id TEXT NOT NULL UNIQUE,
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 60)
);

-- name: make_erased
-- The tombstones. Numbered, so that another process learns which keys to forget without reading them all.
CREATE TABLE IF NOT EXISTS erased (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    subject_id TEXT NOT NULL UNIQUE,
    erased_at TEXT NOT NULL
);

-- name: make_secret
-- Keys that belong to the ledger as a whole, by name.
CREATE TABLE IF NOT EXISTS secret (
    name TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 60)
);

-- name: key_of
-- A subject that was erased has a tombstone, and perhaps never had a key.
SELECT k.wrapped, e.erased_at
  FROM (SELECT :subject_id AS subject_id) AS s
  LEFT JOIN subject_key AS k ON k.subject_id = s.subject_id
  LEFT JOIN erased AS e ON e.subject_id = s.subject_id;

-- name: add_key
-- Inside the transaction that found it missing, so no two processes make two keys for one subject.
INSERT INTO subject_key (subject_id, wrapped) VALUES (:subject_id, :wrapped);

-- name: overwrite_key
-- As long as what stood there, so SQLite writes over the same bytes of the same page.
UPDATE subject_key SET wrapped = zeroblob(60) WHERE subject_id = :subject_id;

-- name: add_tombstone
-- The first time stands: destroying again is no second erasure.
INSERT INTO erased (subject_id, erased_at) VALUES (:subject_id, :erased_at) ON CONFLICT (subject_id) DO NOTHING;

-- name: erased_after
-- What other processes erased since this one last looked.
SELECT number, subject_id FROM erased WHERE number > :number ORDER BY number;

-- name: secret_named
-- One of a handful; looked at again inside the transaction that adds it.
SELECT wrapped FROM secret WHERE name = :name;

-- name: add_secret
-- Once: a secret keeps its value for ever.
INSERT INTO secret (name, wrapped) VALUES (:name, :wrapped);

-- name: keys_after
-- One page for wrapping anew; keys that were overwritten stay so.
SELECT number, subject_id, wrapped
  FROM subject_key
 WHERE number > :number AND wrapped <> zeroblob(60)
 ORDER BY number
 LIMIT :keys_max;

-- name: replace_key
-- The same key under another master, over the same bytes.
UPDATE subject_key SET wrapped = :wrapped WHERE number = :number;

-- name: secrets
-- A handful, known by name.
SELECT name, wrapped FROM secret ORDER BY name LIMIT 1000;

-- name: replace_secret
-- The same secret under another master.
UPDATE secret SET wrapped = :wrapped WHERE name = :name;
