-- name: granted
-- Who may use what, from the access lists themselves. PUBLIC stands as `public`.
WITH thing AS (
    SELECT format('%%s.%%s', n.nspname, c.relname) AS name,
           coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     UNION ALL
    SELECT format('%%s.%%s', n.nspname, p.proname), coalesce(p.proacl, acldefault('f', p.proowner))
      FROM pg_proc AS p
      JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY (%(schemas)s)
)
SELECT thing.name,
       CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee) END AS role,
       array_agg(a.privilege_type::text) AS privileges
  FROM thing
  LEFT JOIN LATERAL (SELECT grantee, privilege_type
                       FROM aclexplode(thing.acl)
                      WHERE grantee = 0 OR pg_get_userbyid(grantee) <> %(owner)s) AS a ON true
 GROUP BY 1, 2
 ORDER BY 1, 2;
