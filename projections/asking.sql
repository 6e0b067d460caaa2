-- What every question starts with. The tables themselves are asked in the file of their projection.

-- name: reached
-- How far the rows that a question will read have come. A replay of its own lies in a schema of its own.
SELECT position
  FROM projection.progress
 WHERE book = %(book)s AND schema = %(schema)s;

-- name: status
-- Every projection of a book: what it has read, what waits, since when, and whether a worker is at it.
SELECT p.name, p.position, h.size, p.root, p.code, p.advanced_at,
       extract(epoch FROM clock_timestamp() - p.advanced_at)::float8,
       coalesce(extract(epoch FROM clock_timestamp() - waiting.recorded_at), 0)::float8,
       p.failed_position, p.failed_name, p.failed_error, p.failed_at
  FROM projection.progress AS p
  JOIN LATERAL (SELECT size FROM ledger.head WHERE book = p.book ORDER BY size DESC LIMIT 1) AS h ON true
  LEFT JOIN ledger.event AS waiting ON waiting.book = p.book AND waiting.position = p.position + 1
 WHERE p.book = %(book)s AND p.build = 'live'
 ORDER BY p.name;

-- name: worked_on
-- Whether a session holds the lock of a build, which says that a worker lives.
SELECT EXISTS (
    SELECT
      FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_database AS d ON d.oid = l.database
     WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
       AND (l.classid::bigint << 32) | l.objid::bigint = %(key)s);
