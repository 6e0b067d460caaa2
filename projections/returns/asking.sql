-- What a return is made of, on the ground that indicators stand on (`projections/indicators/asking.sql`).

-- name: cells
-- One row for each cell, and the totals of each column, which have no keys.
SELECT keys, col, count(*) AS cases, sum(value)::double precision AS total, avg(value)::double precision AS mean,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY value::double precision) AS median, grouping(keys) AS is_total
  FROM counted
 GROUP BY GROUPING SETS ((keys, col), (col))
 ORDER BY is_total, keys, col
 LIMIT 200000;

-- name: without_place
-- The codes for which the standard has no place by the book's tables, and how many complaints of the return state each: they
-- stand in the rows of what is not known.
SELECT v.field, v.scheme, v.code, count(*)
  FROM (SELECT DISTINCT complaint_id FROM counted) AS c
  JOIN matter AS m USING (complaint_id)
 CROSS JOIN LATERAL (VALUES ('channel', NULL, m.channel, m.jrt_channel),
                            ('product', m.product_scheme, m.product, m.jrt_business),
                            ('category', m.scheme, m.category, m.jrt_reason)) AS v (field, scheme, code, place)
 WHERE v.field = ANY (%(fields)s::text[]) AND v.code IS NOT NULL AND v.place IS NULL
 GROUP BY v.field, v.scheme, v.code
 ORDER BY array_position(%(fields)s::text[], v.field), v.scheme, v.code
 LIMIT 10000;

-- name: lines
-- Of a list, a page of its lines in the order of the complaints' ids.
SELECT complaint_id, keys
  FROM counted
 WHERE %(after)s::uuid IS NULL OR complaint_id > %(after)s::uuid
 ORDER BY complaint_id
 LIMIT %(rows_max)s;

-- name: cases
-- A part of the complaints behind one cell, numbered by `place`. Keys that are not known are NULL, and equal one another.
SELECT complaint_id, reference, value, known_from
  FROM (SELECT row_number() OVER (ORDER BY c.complaint_id, c.value) AS place, c.complaint_id, m.reference,
               c.value::double precision AS value, m.known_from
          FROM counted AS c
          JOIN matter AS m USING (complaint_id)
         WHERE (%(keys)s::text[] IS NULL OR c.keys IS NOT DISTINCT FROM %(keys)s::text[]) AND c.col = %(col)s) AS found
 WHERE place > %(after)s
 ORDER BY place
 LIMIT %(rows_max)s;
