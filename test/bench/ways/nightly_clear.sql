-- One DELETE per table that is imported. What belongs to the testers' tenants stays: whose a row is, is followed along foreign keys.
-- Tables of no tenant lose what has an id of production's.
\o /dev/null
SET session_replication_role = replica;
SET client_min_messages = error;

CREATE TEMP TABLE imported AS
SELECT oid::regclass AS t FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
  AND relname !~ '^(auth_|django_|authtoken_token$|apps_accounts_profile$|post_office_|apps_tenants_preference$|apps_integrations_webhook$)';

CREATE TEMP TABLE kept AS
WITH RECURSIVE path AS (
    SELECT 'apps_tenants_tenant'::regclass AS t, $$schema_name LIKE 'test\_%'$$::text COLLATE "C" AS condition, 0 AS depth
    UNION ALL
    SELECT k.conrelid::regclass, format('%I IN (SELECT %I FROM %s WHERE %s)', a.attname, f.attname, p.t, p.condition) COLLATE "C", p.depth + 1
    FROM path p JOIN pg_constraint k ON k.confrelid = p.t AND k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
    JOIN imported i ON i.t = k.conrelid
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
    WHERE p.depth < 4)
SELECT DISTINCT ON (t) t, condition FROM path ORDER BY t, depth, condition;

SELECT format('DELETE FROM %s WHERE NOT coalesce(%s, false)', i.t, coalesce(k.condition,
    CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = i.t AND attname = 'id' AND atttypid IN (20, 23)) THEN 'id >= 1000000000' END, 'false'))
FROM imported i LEFT JOIN kept k USING (t) ORDER BY i.t::text \gexec
