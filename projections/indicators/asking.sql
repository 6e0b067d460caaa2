-- Figures over the facts as known at one position, judged at one instant, and the complaints behind each figure. `{measure}`
-- is the query of an indicator, `{part}` a column of `subject` or the query `age`; both are filled in by the program and never by a caller.

-- name: ground
-- What a measure selects from. `period`: the periods asked about; `judged_at` is its end, or now where that comes first: the first
-- instant after what is counted. `last_at` is the last instant in it: what stands at the end of a period is asked of that one.
-- `place`: the region of each branch, by the institution's table. `jrt_…`: where JR/T 0169-2018 counts the codes, by its tables too (`places.py`).
-- `customer`: the tier of each that has one, and the record that it was merged into. `person`: of each record that was merged, or
-- merged into, the least id of those that are of the same person by all mergings that stand, in both directions. `contact`: every contact that is no complaint. `subject`: what a row may be
-- about, a complaint or a contact. `matter`: every complaint; `complaint`: those that count, which are all but those found to be none. `fact`: the effective
-- facts. `of_person`: the complaints that count, each with its `person`. `clock`: the deadlines. `working`: the working days around a period, numbered (returns ask for them). All as known at the position; not materialised, so that their tables' indexes serve. What is
-- counted is computed once, whatever is made of it.
WITH RECURSIVE period AS (
    SELECT begins_at, ends_at, least(ends_at, %(now)s) AS judged_at,
           least(ends_at - interval '1 microsecond', %(now)s) AS last_at
      FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS p (begins_at, ends_at)
     WHERE begins_at <= %(now)s
), working AS NOT MATERIALIZED (
    SELECT number, begins_at, ends_at
      FROM unnest(%(working_begin)s::timestamptz[], %(working_end)s::timestamptz[])
           WITH ORDINALITY AS w (begins_at, ends_at, number)
), place AS NOT MATERIALIZED (
    SELECT branch, region
      FROM unnest(%(branches)s::text[], %(regions)s::text[]) AS p (branch, region)
), customer AS NOT MATERIALIZED (
    SELECT *
      FROM {schema}.customer
     WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
), merging AS NOT MATERIALIZED (
    SELECT customer_id, merged_into AS same_person FROM customer WHERE merged_into IS NOT NULL
    UNION ALL
    SELECT merged_into, customer_id FROM customer WHERE merged_into IS NOT NULL
), same (customer_id, same_person) AS (
    SELECT customer_id, same_person FROM merging
    UNION
    SELECT s.customer_id, m.same_person
      FROM same AS s
      JOIN merging AS m ON m.customer_id = s.same_person
), person AS (
    SELECT DISTINCT ON (customer_id) customer_id, same_person AS person
      FROM same
     ORDER BY customer_id, same_person
), matter AS NOT MATERIALIZED (
    SELECT m.*, (SELECT t.tier FROM customer AS t WHERE t.customer_id = m.customer_id) AS tier,
           (SELECT p.region FROM place AS p WHERE p.branch = m.branch) AS region,
           %(jrt)s::jsonb #>> ARRAY['channel', m.channel] AS jrt_channel,
           %(jrt)s::jsonb #>> ARRAY['product', m.product_scheme, m.product] AS jrt_business,
           coalesce(%(jrt)s::jsonb #>> ARRAY['category', m.scheme, m.category],
                    %(jrt)s::jsonb #>> ARRAY['issue', m.scheme, m.issue]) AS jrt_reason
      FROM {schema}.matter AS m
     WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
), contact AS NOT MATERIALIZED (
    SELECT c.*, (SELECT t.tier FROM customer AS t WHERE t.customer_id = c.customer_id) AS tier,
           (SELECT p.region FROM place AS p WHERE p.branch = c.branch) AS region
      FROM {schema}.contact AS c
     WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
), subject (complaint_id, known_from, reference, category, cause, product, channel, branch, region, department, handler, tier,
            grade, issue, outcome, received_at, hour, everything) AS NOT MATERIALIZED (
    SELECT complaint_id, known_from, reference, category, cause, product, channel, branch, region, department, handler, tier,
           grade, issue, outcome, received_at,
           CASE WHEN NOT date_only THEN to_char(received_at AT TIME ZONE %(zone)s, 'ID-HH24') END, NULL::text
      FROM matter
    UNION ALL
    SELECT contact_id, known_from, NULL, NULL, NULL, product, channel, branch, region, department, handler, tier, NULL, NULL,
           outcome, asked_at, to_char(asked_at AT TIME ZONE %(zone)s, 'ID-HH24'), NULL
      FROM contact
), complaint AS NOT MATERIALIZED (
    SELECT * FROM matter WHERE received_at IS NOT NULL AND ended_how IS DISTINCT FROM 'ruled-out'
), of_person AS NOT MATERIALIZED (
    SELECT c.*, coalesce(p.person, c.customer_id) AS person
      FROM complaint AS c
      LEFT JOIN person AS p ON p.customer_id = c.customer_id
), fact AS NOT MATERIALIZED (
    SELECT *
      FROM {schema}.fact
     WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
), clock AS NOT MATERIALIZED (
    SELECT *
      FROM {sla}.clock
     WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
), counted ({columns}) AS MATERIALIZED (
    {measure}
)

-- name: figures
-- One row for each period and part.
SELECT c.begins_at, {part} AS part, count(*) AS cases, count(c.value) AS known, sum(c.value)::double precision AS total,
       avg(c.value)::double precision AS mean,
       percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY c.value::double precision) AS spread
  FROM counted AS c
  JOIN subject AS m USING (complaint_id)
 GROUP BY 1, 2
 ORDER BY 1, 2 NULLS LAST
 LIMIT 100000;

-- name: cases
-- The rows behind one figure, page by page; `place` numbers them.
SELECT place, complaint_id, reference, value, known_from
  FROM (SELECT row_number() OVER (ORDER BY c.complaint_id, c.value) AS place, c.complaint_id, m.reference,
               c.value::double precision AS value, m.known_from
          FROM counted AS c
          JOIN subject AS m USING (complaint_id)
         WHERE {part} IS NOT DISTINCT FROM %(value_of_part)s) AS found
 WHERE place > %(after)s
 ORDER BY place
 LIMIT %(rows_max)s;

-- name: first_cases
-- Of every figure the first few rows, in the order of the ids: what a page can open without asking again.
SELECT begins_at, part, complaint_id, reference, value, known_from
  FROM (SELECT c.begins_at, {part} AS part, c.complaint_id, m.reference, c.value::double precision AS value, m.known_from,
               row_number() OVER (PARTITION BY c.begins_at, {part} ORDER BY c.complaint_id, c.value) AS place
          FROM counted AS c
          JOIN subject AS m USING (complaint_id)) AS found
 WHERE place <= %(each_max)s
 ORDER BY begins_at, part NULLS LAST, place
 LIMIT 100000;

-- name: age
-- A part that hangs on the period, not on the complaint alone: the days since the receipt at its end, or now where that comes first.
(ARRAY['0-2', '3-5', '6-10', '11-15', '16-30', '31-60', 'over-60'])[width_bucket(
    extract(epoch FROM (SELECT p.judged_at FROM period AS p WHERE p.begins_at = c.begins_at) - m.received_at)::double precision / 86400,
    ARRAY[0, 3, 6, 11, 16, 31, 61]::double precision[])]

-- name: events
-- Everything that was recorded of some complaints up to a position, from the record itself.
SELECT stream_id, version, position, name, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(complaint_ids)s::uuid[]) AND position <= %(position)s
 ORDER BY stream_id, version;
