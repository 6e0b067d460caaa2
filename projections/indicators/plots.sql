-- What the drawn report shows beside the indicators: when complaints come, how old the open ones are, how far they got.

-- name: heat
-- Complaints received in a period by weekday (1 is Monday) and hour of the institution's day; what states no hour is left out.
SELECT extract(isodow FROM received_at AT TIME ZONE %(zone)s)::integer AS weekday,
       extract(hour FROM received_at AT TIME ZONE %(zone)s)::integer AS hour, count(*)
  FROM {schema}.matter
 WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
   AND received_at >= %(begins_at)s AND received_at < %(ends_at)s AND NOT date_only
   AND ended_how IS DISTINCT FROM 'ruled-out'
 GROUP BY 1, 2
 ORDER BY 1, 2
 LIMIT 168;

-- name: ages
-- What is open at an instant, by the days since it was received.
SELECT width_bucket(extract(epoch FROM %(now)s::timestamptz - received_at)::double precision / 86400,
                    ARRAY[0, 3, 6, 11, 16, 31, 61]::double precision[]) AS bucket, count(*)
  FROM {schema}.matter
 WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
   AND open_during @> %(now)s::timestamptz AND ended_how IS DISTINCT FROM 'ruled-out' AND received_at IS NOT NULL
 GROUP BY 1
 ORDER BY 1
 LIMIT 8;

-- name: funnel
-- Of the complaints received in a period, how many got how far.
SELECT count(*) AS received, count(first_replied_at) AS first_replied,
       count(*) FILTER (WHERE department IS NOT NULL) AS assigned, count(resolved_at) AS resolved,
       count(replied_at) AS replied, count(*) FILTER (WHERE ended_how IS NOT NULL) AS ended
  FROM {schema}.matter
 WHERE book = %(book)s AND known_from <= %(position)s AND (known_to IS NULL OR known_to > %(position)s)
   AND received_at >= %(begins_at)s AND received_at < %(ends_at)s AND ended_how IS DISTINCT FROM 'ruled-out';
