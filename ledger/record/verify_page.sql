-- name: events
-- One stretch, for COPY … TO STDOUT (FORMAT binary): fields of fixed length first, so that a row is taken apart at once;
-- a stream id as the text that stands in the entry.
SELECT position, version, recorded_at, stream_id::uuid::text AS stream_id, name, state
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s AND position <= %(last)s
 ORDER BY position

-- name: leaves_joined
-- The leaf hashes as they were stored with the events of a stretch, one behind the other, and whether each call's follow
-- those of the one before without a gap.
SELECT min(l.first_position) AS first, max(l.last_position) AS upto,
       bool_and(l.follows AND octet_length(l.hashes) = 32 * (l.last_position - l.first_position + 1)) AS follow,
       string_agg(l.hashes, ''::bytea ORDER BY l.last_position) AS hashes
  FROM (SELECT first_position, last_position, hashes,
               first_position = lag(last_position, 1, first_position - 1) OVER (ORDER BY last_position) + 1 AS follows
          FROM ledger.leaves
         WHERE book = %(book)s AND last_position > %(after)s AND first_position <= %(last)s) AS l;

-- name: leaves
-- The same call by call, to name those that differ.
SELECT first_position, last_position, hashes
  FROM ledger.leaves
 WHERE book = %(book)s AND last_position > %(after)s AND first_position <= %(last)s
 ORDER BY last_position
 LIMIT %(chunks_max)s;

-- name: tiles_joined
-- The tiles that were built over the leaf hashes of a stretch.
SELECT count(*) AS tiles, string_agg(hashes, ''::bytea ORDER BY number) AS hashes, string_agg(root, ''::bytea ORDER BY number) AS roots
  FROM ledger.tile
 WHERE book = %(book)s AND level = 0 AND number BETWEEN %(first)s AND %(last)s;

-- name: values_told
-- What the vault holds for a stretch, a line for each value, as `Digest.line` writes it; the number, because a path that was
-- changed could hold the end of a line.
SELECT values_stored, told
  FROM ledger.vault_told(%(book)s::text, CAST(%(after)s AS bigint), CAST(%(last)s AS bigint));

-- name: streams_agree
-- Whether each stream's head names its last version, and its versions are as many as they have to be; both sides of one
-- moment, however many appends go on.
SELECT NOT EXISTS (
       SELECT
         FROM (SELECT h.stream_id, h.version
                 FROM ledger.stream AS h
                WHERE h.book = %(book)s AND h.stream_id BETWEEN %(first)s AND %(last)s) AS s
         FULL JOIN (SELECT e.stream_id, min(e.version) AS first_version, max(e.version) AS last_version, count(*) AS versions
                      FROM ledger.event AS e
                     WHERE e.book = %(book)s AND e.stream_id BETWEEN %(first)s AND %(last)s
                     GROUP BY e.stream_id) AS v ON v.stream_id = s.stream_id
        WHERE s.version IS DISTINCT FROM v.last_version
           OR v.first_version NOT IN (0, 1)
           OR v.last_version - v.first_version + 1 <> v.versions) AS agree;

-- name: search_path
-- Whatever the role or the database has as its default: no name in a query of ours finds anything but the server's own.
SET search_path = pg_catalog, pg_temp;
