-- The rows of a build as bytes that anybody can make again.

-- name: standing
-- Which code made the live rows, and from which events.
SELECT code, position, root
  FROM projection.progress
 WHERE book = %(book)s AND name = %(name)s AND build = 'live';

-- name: as_written
-- Everything that the text form of a value hangs on; and ten minutes, because every row is read.
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, MDY';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL statement_timeout = '10min';

-- name: columns
-- The columns of a table in their order.
SELECT a.attname::text
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum;

-- name: rows
-- Every row, in the order of its key; the columns of a key that are text compare in C.
COPY (SELECT {columns} FROM {schema}.{table} ORDER BY {key}) TO STDOUT
