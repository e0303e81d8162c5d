#include "catalog_query.hpp"

namespace core {

const std::array<std::pair<const char *, const char *>, 7> catalog_settings{{{"search_path", "pg_catalog, pg_temp"},
    {"TimeZone", "UTC"}, {"DateStyle", "ISO, YMD"}, {"IntervalStyle", "postgres"}, {"extra_float_digits", "3"},
    {"quote_all_identifiers", "off"}, {"jit", "off"}}};  // compiling it takes longer than running it

// How it keeps working from 13 to 18, and fast:
// - columns that not every release has are read by to_jsonb(row) ->> 'column', which is NULL where there is none;
// - what is false, zero or empty is NULL and stripped at the end: the reader's defaults say the same in fewer bytes;
// - oids are bigint, so that nothing is signed; sizes are relpages, since pg_relation_size() takes a lock;
// - every alias has its AS: release 13 does not take keywords without.
// On 15, with 1,000 tables, 15,000 columns, 2,000 foreign keys, 4,000 indexes: 0.6 to 0.8 s, 2.5 MB; an empty database: 0.03 s.
const char *const catalog_query = R"sql(
WITH RECURSIVE
-- Every type with what its domains come to. NOT NULL and DEFAULT of a domain count as the column's own.
domains AS (
	SELECT t.oid, t.typbasetype AS base, t.typnotnull AS not_null, t.typdefault IS NOT NULL AS has_default, t.typtypmod AS mod
	FROM pg_catalog.pg_type AS t WHERE t.typtype = 'd'
	UNION ALL
	SELECT d.oid, t.typbasetype, d.not_null OR t.typnotnull, d.has_default OR t.typdefault IS NOT NULL,
		CASE d.mod WHEN -1 THEN t.typtypmod ELSE d.mod END
	FROM domains AS d JOIN pg_catalog.pg_type AS t ON t.oid = d.base WHERE t.typtype = 'd'),
bases AS (
	SELECT t.oid, t.oid AS base, false AS not_null, false AS has_default, -1 AS mod
	FROM pg_catalog.pg_type AS t WHERE t.typtype <> 'd'
	UNION ALL
	SELECT d.oid, d.base, d.not_null, d.has_default, d.mod
	FROM domains AS d JOIN pg_catalog.pg_type AS t ON t.oid = d.base WHERE t.typtype <> 'd'),
-- Types whose binary form contains no oid of this database. Enums travel by label; ranges contain nothing but their bounds.
-- The element type's oid is in an array's binary form: only oids below 10000 are the same in every database and release.
-- Some built-in types have a receive function that only refuses (pg_node_tree, statistics).
scalars AS (
	SELECT t.oid FROM pg_catalog.pg_type AS t
	WHERE t.typtype = 'e'
	   OR (t.oid < 16384 AND t.typtype IN ('b', 'r', 'm') AND t.typcategory <> 'A'
	       AND t.typsend::pg_catalog.oid <> 0 AND t.typreceive::pg_catalog.oid <> 0
	       AND t.typname <> 'oid' AND t.typname !~ '^(reg|pg_node_tree|pg_ndistinct|pg_dependencies|pg_mcv_list|pg_brin_|pg_ddl_command)')),
binaries AS (
	SELECT s.oid FROM scalars AS s
	UNION ALL
	SELECT t.oid FROM pg_catalog.pg_type AS t JOIN scalars AS s ON s.oid = t.typelem
	WHERE t.oid < 16384 AND t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem < 10000
	  AND t.typsend::pg_catalog.oid <> 0 AND t.typreceive::pg_catalog.oid <> 0),
types AS (
	SELECT b.oid, pg_catalog.format_type(b.base, NULL) AS base, b.not_null, b.has_default, b.mod,
	       b.base IN ('pg_catalog.varchar'::pg_catalog.regtype, 'pg_catalog.bpchar'::pg_catalog.regtype) AS has_length,
	       (SELECT pg_catalog.jsonb_agg(k.conname ORDER BY k.conname) FROM pg_catalog.pg_constraint AS k
	        WHERE k.contype = 'c' AND b.oid <> b.base
	          AND (k.contypid = b.oid OR k.contypid IN (SELECT d.base FROM domains AS d WHERE d.oid = b.oid))) AS checks,
	       (SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = b.base) AS labels,
	       EXISTS (SELECT 1 FROM binaries AS s WHERE s.oid = b.base) AS is_binary
	FROM bases AS b
	WHERE b.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute AS a)),
schemas AS (
	SELECT n.oid, n.nspname, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS readable
	FROM pg_catalog.pg_namespace AS n
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'prodsync_work') AND n.nspname !~ '^pg_(toast|temp)'),
-- shipped: the extension tells the dump by a condition which rows are its users'; the others came with it.
members AS (
	SELECT d.objid AS oid, e.extname,
		nullif(e.extcondition[pg_catalog.array_position(e.extconfig, d.objid)], '') IS NOT NULL AS shipped
	FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
	WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
	  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'),
rels AS (
	SELECT c.*, s.nspname, s.readable AS schema_readable
	FROM pg_catalog.pg_class AS c JOIN schemas AS s ON s.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')),
role AS (
	SELECT r.rolsuper OR r.rolbypassrls AS passes FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user),
-- A publication carries leaves or roots, as it likes: the whole tree counts as published.
published AS (
	SELECT coalesce(pg_catalog.pg_partition_root(p.oid)::pg_catalog.oid, p.oid) AS root FROM (
		SELECT pr.prrelid AS oid FROM pg_catalog.pg_publication_rel AS pr
		UNION
		SELECT r.oid FROM rels AS r JOIN pg_catalog.pg_publication_tables AS pt
			ON pt.schemaname = r.nspname AND pt.tablename = r.relname) AS p),
-- Which sequence a column draws from: its identity's, its default's, at last one that is merely owned by it.
draws AS (
	SELECT d.refobjid AS relation, d.refobjsubid AS number, d.objid AS sequence, CASE d.deptype WHEN 'i' THEN 1 ELSE 3 END AS rank
	FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = d.objid
	WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
	  AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
	UNION ALL
	SELECT ad.adrelid, ad.adnum, d.refobjid, 2
	FROM pg_catalog.pg_attrdef AS ad
	JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = ad.oid
	JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = d.refobjid
	WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass),
column_draws AS (
	SELECT DISTINCT ON (d.relation, d.number) d.relation, d.number, pg_catalog.jsonb_build_array(n.nspname, c.relname) AS sequence
	FROM draws AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.sequence JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	ORDER BY d.relation, d.number, d.rank, d.sequence),
sequence_draws AS (
	SELECT DISTINCT ON (d.sequence) d.sequence, pg_catalog.jsonb_build_array(r.nspname, r.relname) AS relation, a.attname
	FROM draws AS d JOIN rels AS r ON r.oid = d.relation
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.relation AND a.attnum = d.number
	ORDER BY d.sequence, d.rank, d.relation, d.number),
-- They say what a column is for; how long they are is up to whoever wrote them.
comments AS (
	SELECT d.objoid AS relation, d.objsubid AS number, pg_catalog.left(d.description, 300) AS text FROM pg_catalog.pg_description AS d
	WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid >= 16384),
columns AS (
	SELECT a.attrelid, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
		'name', a.attname, 'number', a.attnum, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'base', t.base,
		'not_null', nullif(a.attnotnull OR t.not_null, false), 'identity', nullif(a.attidentity, ''),
		'generated', nullif(a.attgenerated, ''), 'expression', CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(x.adbin, x.adrelid) END,
		'has_default', nullif((a.atthasdef OR t.has_default) AND a.attgenerated = '', false),
		-- the modifiers of varchar and character count the four bytes before the value too
		'length', CASE WHEN t.has_length AND greatest(a.atttypmod, t.mod) > 4 THEN greatest(a.atttypmod, t.mod) - 4 END,
		'domain_checks', t.checks, 'labels', t.labels, 'sequence', d.sequence, 'binary', nullif(t.is_binary, false),
		'comment', o.text) ORDER BY a.attnum) AS doc
	FROM rels AS r
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN types AS t ON t.oid = a.atttypid
	LEFT JOIN column_draws AS d ON d.relation = a.attrelid AND d.number = a.attnum
	LEFT JOIN pg_catalog.pg_attrdef AS x ON x.adrelid = a.attrelid AND x.adnum = a.attnum AND a.attgenerated <> ''
	LEFT JOIN comments AS o ON o.relation = a.attrelid AND o.number = a.attnum
	GROUP BY a.attrelid),
indexes AS (
	SELECT i.indrelid, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
		'oid', i.indexrelid::pg_catalog.int8, 'name', c.relname, 'unique', nullif(i.indisunique, false),
		'primary', nullif(i.indisprimary, false), 'valid', nullif(i.indisvalid, true), 'immediate', nullif(i.indimmediate, true),
		'nulls_not_distinct', nullif((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false),
		'exclusion', nullif(i.indisexclusion, false), 'expressions', nullif(i.indexprs IS NOT NULL, false),
		-- attribute 0 of a Var is the whole row
		'whole_row', nullif(pg_catalog.concat(i.indexprs::pg_catalog.text, i.indpred::pg_catalog.text) ~ ':varattno 0 ', false),
		'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
		'columns', (SELECT pg_catalog.jsonb_agg(coalesce(a.attname, '') ORDER BY k.place)
			FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(number, place)
			LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number <> 0
			WHERE k.place <= i.indnkeyatts),
		'expression_keys', CASE WHEN i.indexprs IS NOT NULL THEN (SELECT pg_catalog.jsonb_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k.place::pg_catalog.int4, true) ORDER BY k.place)
			FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(number, place)
			WHERE k.number = 0 AND k.place <= i.indnkeyatts) END,
		'method', m.amname, 'pages', nullif(c.relpages, 0)) ORDER BY c.relname) AS doc
	FROM pg_catalog.pg_index AS i JOIN rels AS r ON r.oid = i.indrelid
	JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
	GROUP BY i.indrelid),
-- Materialized: otherwise the server looks through all operators again for each foreign key.
operators AS MATERIALIZED (
	SELECT o.oid, pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS written
	FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
	WHERE o.oid IN (SELECT pg_catalog.unnest(k.conpfeqop) FROM pg_catalog.pg_constraint AS k WHERE k.contype = 'f')),
parents AS (
	SELECT h.inhrelid, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(n.nspname, c.relname) ORDER BY h.inhseqno) AS doc
	FROM pg_catalog.pg_inherits AS h
	JOIN pg_catalog.pg_class AS c ON c.oid = h.inhparent JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	GROUP BY h.inhrelid),
triggers AS (
	SELECT g.tgrelid, pg_catalog.jsonb_agg(g.tgname ORDER BY g.tgname) AS doc
	FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' GROUP BY g.tgrelid),
-- Types that consist of fields, each with what its domains come to.
composites AS (
	SELECT pg_catalog.format_type(y.oid, NULL) AS name, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'number', a.attnum,
		'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'base', t.base, 'not_null', nullif(t.not_null, false),
		'length', CASE WHEN t.has_length AND greatest(a.atttypmod, t.mod) > 4 THEN greatest(a.atttypmod, t.mod) - 4 END,
		'domain_checks', t.checks, 'labels', t.labels) ORDER BY a.attnum) AS fields
	FROM pg_catalog.pg_type AS y JOIN pg_catalog.pg_class AS c ON c.oid = y.typrelid AND c.relkind = 'c' JOIN schemas AS s ON s.oid = c.relnamespace
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN types AS t ON t.oid = a.atttypid
	GROUP BY y.oid),
-- Row triggers that may change a row before it is stored. Arguments are texts, each with a zero behind it.
fillers AS (
	SELECT g.tgrelid, g.tgname, p.oid AS function, p.proname,
		pg_catalog.string_to_array(pg_catalog.rtrim(pg_catalog.replace(pg_catalog.encode(g.tgargs, 'escape'), '\000', E'\n'), E'\n'), E'\n') AS arguments,
		CASE WHEN l.lanname = 'plpgsql' THEN pg_catalog.left(p.prosrc, 20000) END AS body
	FROM pg_catalog.pg_trigger AS g JOIN rels AS r ON r.oid = g.tgrelid
	JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
	WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype::pg_catalog.int4 & 3 = 3 AND g.tgtype::pg_catalog.int4 & 20 <> 0),
filled AS (
	SELECT f.tgrelid, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', f.tgname, 'function', f.proname,
		'arguments', nullif(pg_catalog.to_jsonb(f.arguments), '[]'::pg_catalog.jsonb),
		'body', CASE WHEN f.body IS NOT NULL THEN f.function::pg_catalog.int8 END) ORDER BY f.tgname) AS doc
	FROM fillers AS f GROUP BY f.tgrelid),
checks AS (
	SELECT k.conrelid, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', k.conname,
		'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
			WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))) ORDER BY k.conname) AS doc
	FROM pg_catalog.pg_constraint AS k WHERE k.contype = 'c' AND k.conrelid <> 0 GROUP BY k.conrelid),
-- Materialized views in the order in which they can be refreshed, seen through plain views too. The limit of the depth is
-- for views that read each other in a circle: they can be made, though not used.
reads AS (
	SELECT DISTINCT w.ev_class AS reader, d.refobjid AS read
	FROM pg_catalog.pg_rewrite AS w
	JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
	JOIN rels AS reader ON reader.oid = w.ev_class AND reader.relkind IN ('v', 'm')
	JOIN rels AS r ON r.oid = d.refobjid AND r.relkind IN ('v', 'm')
	WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class),
depths AS (
	SELECT r.oid, 0 AS depth FROM rels AS r WHERE r.relkind IN ('v', 'm')
	UNION
	SELECT d.reader, p.depth + 1 FROM depths AS p JOIN reads AS d ON d.read = p.oid WHERE p.depth < 64)
SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
'server', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
'database', pg_catalog.current_database(),
'system_identifier', (SELECT p.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() AS p),
'snapshot', pg_catalog.pg_current_snapshot()::pg_catalog.text,
'in_recovery', pg_catalog.pg_is_in_recovery(),
'encoding', pg_catalog.current_setting('server_encoding'),
'settings', (SELECT pg_catalog.jsonb_object_agg(s.name, pg_catalog.current_setting(s.name)) FROM (VALUES
	('max_locks_per_transaction'), ('max_connections'), ('max_prepared_transactions'), ('max_worker_processes'),
	('wal_level'), ('block_size')) AS s(name)),
'extensions', (SELECT pg_catalog.jsonb_object_agg(e.extname, e.extversion) FROM pg_catalog.pg_extension AS e),
-- enough to say that there are some: nobody wants to wait for a count of millions
'large_objects', (SELECT pg_catalog.count(*) FROM (SELECT 1 FROM pg_catalog.pg_largeobject_metadata LIMIT 1000) AS l),
'relations', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
	'schema', r.nspname, 'name', r.relname, 'oid', r.oid::pg_catalog.int8, 'kind', r.relkind, 'persistence', r.relpersistence,
	-- rows that came with an extension (spatial_ref_sys) are nobody's data, and not counted
	'owner', pg_catalog.pg_get_userbyid(r.relowner), 'rows', CASE WHEN e.shipped THEN 0 ELSE r.reltuples END, 'pages', nullif(r.relpages, 0),
	'toast_pages', nullif(x.relpages, 0), 'filenode', nullif(r.relfilenode::pg_catalog.int8, 0),
	'row_security', nullif(r.relrowsecurity, false), 'force_row_security', nullif(r.relforcerowsecurity, false),
	'readable', coalesce(r.schema_readable AND pg_catalog.has_table_privilege(r.oid, 'SELECT'), false),
	-- as check_enable_rls decides (backend/utils/misc/rls.c)
	'bypasses_row_security', NOT r.relrowsecurity OR coalesce((SELECT o.passes FROM role AS o), false)
		OR (NOT r.relforcerowsecurity AND pg_catalog.pg_has_role(r.relowner, 'USAGE')),
	'partition', nullif(r.relispartition, false),
	'bound', CASE WHEN r.relispartition THEN pg_catalog.pg_get_expr(r.relpartbound, r.oid) END,
	'partition_key', CASE WHEN r.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(r.oid) END,
	'parents', p.doc, 'extension', e.extname,
	'published', CASE WHEN r.relkind IN ('r', 'p') AND coalesce(pg_catalog.pg_partition_root(r.oid)::pg_catalog.oid, r.oid)
		IN (SELECT u.root FROM published AS u) THEN true END,
	'columns', c.doc, 'indexes', i.doc, 'checks', k.doc, 'triggers', t.doc, 'fillers', b.doc, 'comment', o.text) ORDER BY r.nspname, r.relname)
	FROM rels AS r
	LEFT JOIN pg_catalog.pg_class AS x ON x.oid = r.reltoastrelid
	LEFT JOIN members AS e ON e.oid = r.oid
	LEFT JOIN parents AS p ON p.inhrelid = r.oid
	LEFT JOIN columns AS c ON c.attrelid = r.oid
	LEFT JOIN indexes AS i ON i.indrelid = r.oid
	LEFT JOIN checks AS k ON k.conrelid = r.oid
	LEFT JOIN triggers AS t ON t.tgrelid = r.oid
	LEFT JOIN filled AS b ON b.tgrelid = r.oid
	LEFT JOIN comments AS o ON o.relation = r.oid AND o.number = 0),
'foreign_keys', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
	'name', k.conname, 'child', pg_catalog.jsonb_build_array(c.nspname, c.relname),
	'parent', pg_catalog.jsonb_build_array(p.nspname, p.relname),
	'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY n.place)
		FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS n(number, place)
		JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number),
	'referenced', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY n.place)
		FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS n(number, place)
		JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = n.number),
	'equals', (SELECT pg_catalog.jsonb_agg(o.written ORDER BY n.place)
		FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY AS n(operator, place) JOIN operators AS o ON o.oid = n.operator),
	'match', k.confmatchtype, 'validated', nullif(k.convalidated, true),
	'enforced', nullif((pg_catalog.to_jsonb(k) ->> 'conenforced')::pg_catalog.bool, true),
	'period', nullif((pg_catalog.to_jsonb(k) ->> 'conperiod')::pg_catalog.bool, false))
	ORDER BY c.nspname, c.relname, k.conname)
	FROM pg_catalog.pg_constraint AS k JOIN rels AS c ON c.oid = k.conrelid JOIN rels AS p ON p.oid = k.confrelid
	WHERE k.contype = 'f' AND k.conparentid = 0),
'sequences', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
	'schema', s.nspname, 'name', c.relname, 'type', pg_catalog.format_type(q.seqtypid, NULL), 'increment', q.seqincrement,
	'maximum', q.seqmax, 'table', d.relation, 'column', d.attname) ORDER BY s.nspname, c.relname)
	FROM pg_catalog.pg_sequence AS q JOIN pg_catalog.pg_class AS c ON c.oid = q.seqrelid
	JOIN schemas AS s ON s.oid = c.relnamespace LEFT JOIN sequence_draws AS d ON d.sequence = q.seqrelid
	WHERE NOT EXISTS (SELECT 1 FROM members AS e WHERE e.oid = q.seqrelid)),
'composites', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', c.name, 'fields', c.fields) ORDER BY c.name) FROM composites AS c),
'trigger_bodies', (SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object('oid', f.function::pg_catalog.int8, 'text', f.body)) FROM fillers AS f WHERE f.body IS NOT NULL),
'materialized_views', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(r.nspname, r.relname) ORDER BY d.depth, r.nspname, r.relname)
	FROM rels AS r JOIN (SELECT p.oid, pg_catalog.max(p.depth) AS depth FROM depths AS p GROUP BY p.oid) AS d ON d.oid = r.oid
	WHERE r.relkind = 'm')
)) AS document
)sql";

}  // namespace core
