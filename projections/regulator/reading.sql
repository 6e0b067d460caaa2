-- What a receiver reads at its door over HTTP.

-- name: is_open
-- Databases are listed alike in each of them.
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %(name)s);

-- name: receivers
-- Those who have a database here, whichever books were published to it.
SELECT substr(datname, length('ledger_regulator_') + 1)
  FROM pg_catalog.pg_database
 WHERE starts_with(datname, 'ledger_regulator_') AND datallowconn
 ORDER BY 1
 LIMIT 1000;

-- name: page
-- Rows as they stood at a position, read in the order of the key; with `since`, what began or ended behind that one.
SELECT reference, from_position, CASE WHEN to_position <= %(position)s THEN to_position END AS to_position, customer,
       received_at, channel, business, reason, product, category, issue, cause, grade, region, transferred_by,
       first_replied_at, resolved_at, replied_at, outcome, reopenings, disputed, ended_at, ended_how
  FROM regulator.complaint
 WHERE book = %(book)s AND from_position <= %(position)s
   AND (%(reference)s::text IS NULL OR (reference, from_position) > (%(reference)s::text, %(begun)s::bigint))
   AND CASE WHEN %(since)s::bigint IS NULL THEN to_position IS NULL OR to_position > %(position)s
            ELSE from_position > %(since)s OR to_position > %(since)s AND to_position <= %(position)s END
 ORDER BY reference, from_position
 LIMIT %(rows_max)s;
