-- name: tables
-- What stands under the names of our tables, and how it would answer: a view, a rule, a table that inherits, a computed column
-- and a policy can each put other rows in the place of those that are stored.
SELECT pg_catalog.format('%%s.%%s', n.nspname, c.relname) AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
       a.amname::text AS method, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       c.relrowsecurity AND c.relforcerowsecurity AS by_policies,
       ARRAY(SELECT t.attname || ' ' || pg_catalog.format_type(t.atttypid, t.atttypmod)
                    || CASE WHEN t.attgenerated <> '' OR t.attidentity <> '' THEN ' computed' ELSE '' END
                    || CASE WHEN l.collname NOT IN ('default', 'C') THEN ' by another order' ELSE '' END
               FROM pg_catalog.pg_attribute AS t
               LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = t.attcollation
              WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
              ORDER BY t.attnum) AS columns,
       ARRAY(SELECT r.rulename::text FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid ORDER BY 1) AS rules,
       ARRAY(SELECT DISTINCT pg_catalog.format('%%s.%%s', o.relnamespace::pg_catalog.regnamespace, o.relname)
               FROM pg_catalog.pg_inherits AS i
               JOIN pg_catalog.pg_class AS o ON o.oid IN (i.inhrelid, i.inhparent) AND o.oid <> c.oid
              WHERE c.oid IN (i.inhrelid, i.inhparent)
              ORDER BY 1) AS relatives,
       c.relhassubclass AS had_heirs,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                            p.polname,
                            CASE WHEN p.polroles <> '{0}'
                                 THEN (SELECT pg_catalog.string_agg(pg_catalog.pg_get_userbyid(r.oid), ' ' ORDER BY r.oid)
                                         FROM pg_catalog.unnest(p.polroles) AS r(oid)) END,
                            CASE WHEN p.polpermissive AND p.polcmd = '*' AND p.polwithcheck IS NULL THEN '' ELSE 'otherwise ' END
                            || coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''))
                            ORDER BY p.polname)
                   FROM pg_catalog.pg_policy AS p
                  WHERE p.polrelid = c.oid), '[]') AS policies,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                            t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled = 'O') ORDER BY t.tgname)
                   FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = c.oid AND NOT t.tgisinternal), '[]') AS triggers
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
 WHERE n.nspname = %(schema)s AND pg_catalog.format('%%s.%%s', n.nspname, c.relname) = ANY (%(names)s)
 ORDER BY 1;

-- name: functions
-- What a call of our functions runs. Several under one name are told each: a call takes the one that fits its values best.
SELECT pg_catalog.format('%%s.%%s', n.nspname, p.proname) AS name,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments, pg_catalog.pg_get_function_result(p.oid) AS result,
       l.lanname::text AS language, p.provolatile::text AS volatility, p.prosecdef AS of_owner,
       coalesce(p.proconfig, '{}') AS settings, p.prosrc AS body, pg_catalog.pg_get_userbyid(p.proowner)::text AS owner,
       p.prosqlbody IS NULL AND p.probin IS NULL AND p.prosupport = 0 AND p.prokind = 'f' AND NOT p.proisstrict AS as_written
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
 WHERE n.nspname = %(schema)s AND pg_catalog.format('%%s.%%s', n.nspname, p.proname) = ANY (%(names)s)
 ORDER BY 1;

-- name: rows_of_catalogue
-- The catalogue's rows behind each name that a verification reads by, as oid and the transaction that wrote them: what is taken
-- out and put back is another row. ANALYZE and VACUUM change a row in its place, and so does an append none of them.
SELECT 'the schema ' || n.nspname AS name, pg_catalog.format('%%s %%s', n.oid, n.xmin) AS rows
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname = %(schema)s
UNION ALL
SELECT pg_catalog.format('%%s.%%s', n.nspname, c.relname),
       pg_catalog.format('%%s %%s %%s', c.oid, c.xmin, c.relfilenode)
       || ' ' || ARRAY(SELECT a.attnum || ' ' || a.xmin FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum)::text
       || ARRAY(SELECT p.oid || ' ' || p.xmin FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid ORDER BY p.oid)::text
       || ARRAY(SELECT t.oid || ' ' || t.xmin FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid ORDER BY t.oid)::text
       || ARRAY(SELECT r.oid || ' ' || r.xmin FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid ORDER BY r.oid)::text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND pg_catalog.format('%%s.%%s', n.nspname, c.relname) = ANY (%(names)s)
UNION ALL
SELECT pg_catalog.format('the function %%s.%%s', n.nspname, p.proname),
       pg_catalog.string_agg(pg_catalog.format('%%s %%s', p.oid, p.xmin), ' ' ORDER BY p.oid)
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname = %(schema)s AND pg_catalog.format('%%s.%%s', n.nspname, p.proname) = ANY (%(names)s)
 GROUP BY 1;

-- name: to_be_held
-- What of our tables this role may lock against a change of what they are: what it may read.
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND pg_catalog.format('%%s.%%s', n.nspname, c.relname) = ANY (%(names)s)
   AND c.relkind IN ('r', 'p', 'v') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY 1;
