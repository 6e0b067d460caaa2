-- Figures over the facts as known at one position, judged at one instant, and the complaints behind each figure. `{measure}`
-- is the query of an indicator, `{part}` a column of `matter`; both are filled in by the program and never by a caller.

-- name: ground
-- What a measure selects from. `period`: the periods asked about; `judged_at` is its end, or now where that comes first: the first
-- instant after what is counted. `last_at` is the last instant in it: what stands at the end of a period is asked of that one.
-- `place`: the region of each branch, by the institution's table. `jrt_…`: where JR/T 0169-2018 counts the codes, by its tables too (`places.py`).
-- `customer`: the tier of each that has one. `contact`: every contact that is no complaint. `subject`: what a row may be
-- about, a complaint or a contact. `matter`: every complaint; `complaint`: those that count, which are all but those found to be none. `fact`: the effective
-- facts. `clock`: the deadlines. `working`: the working days around a period, numbered (returns ask for them). All as known at the position; not materialised, so that their tables' indexes serve. What is
-- counted is computed once, whatever is made of it.
WITH period AS (
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
            grade, issue, outcome, everything) AS NOT MATERIALIZED (
    SELECT complaint_id, known_from, reference, category, cause, product, channel, branch, region, department, handler, tier,
           grade, issue, outcome, NULL::text
      FROM matter
    UNION ALL
    SELECT contact_id, known_from, NULL, NULL, NULL, product, channel, branch, region, department, handler, tier, NULL, NULL,
           outcome, NULL
      FROM contact
), complaint AS NOT MATERIALIZED (
    SELECT * FROM matter WHERE received_at IS NOT NULL AND ended_how IS DISTINCT FROM 'ruled-out'
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
SELECT c.begins_at, m.{part} AS part, count(*) AS cases, count(c.value) AS known, sum(c.value)::double precision AS total,
       avg(c.value)::double precision AS mean,
       percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY c.value::double precision) AS spread
  FROM counted AS c
  JOIN subject AS m USING (complaint_id)
 GROUP BY c.begins_at, m.{part}
 ORDER BY c.begins_at, m.{part} NULLS LAST
 LIMIT 100000;

-- name: cases
-- The rows behind one figure, page by page; `place` numbers them.
SELECT place, complaint_id, reference, value, known_from
  FROM (SELECT row_number() OVER (ORDER BY c.complaint_id, c.value) AS place, c.complaint_id, m.reference,
               c.value::double precision AS value, m.known_from
          FROM counted AS c
          JOIN subject AS m USING (complaint_id)
         WHERE m.{part} IS NOT DISTINCT FROM %(value_of_part)s) AS found
 WHERE place > %(after)s
 ORDER BY place
 LIMIT %(rows_max)s;

-- name: events
-- Everything that was recorded of some complaints up to a position, from the record itself.
SELECT stream_id, version, position, name, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND stream_id = ANY (%(complaint_ids)s::uuid[]) AND position <= %(position)s
 ORDER BY stream_id, version;
