// One hash over everything that a plan relies on: which user tables, sequences and materialized views there are, their columns, defaults,
// constraints, indexes, triggers, policies, partitions, and which of them publications carry (their subscribers see nothing of a refresh). Compared under the locks of the switch (S3), so it has to be fast: it reads
// catalog columns as they are, decompiles nothing, and sorts nothing: each row's hash (hash_record_extended, 64 bits, PostgreSQL 14) has
// the row's key in it, so that they can be combined in any order. 1,000 tables, 15,000 columns, 4,000 indexes: 60 ms of processor time.
//
// Left out is what maintenance changes: file nodes, sizes, statistics, frozen xids, values of fast defaults, TOAST tables, and the oids of
// indexes (REINDEX CONCURRENTLY makes new ones, and writes their expressions again without the places where they were parsed). Left out
// too is what no plan depends on: rights, comments, views, functions, storage parameters.
#include "refresh.hpp"
#include "pg_versions.hpp"

namespace prodsync {

#if PG_VERSION_NUM >= 150000
#define SCHEMAS_OF_PUBLICATIONS_SINCE_15 \
	" UNION ALL SELECT 'publication of a schema', bit_xor(hashtextextended(p::text, 0)), count(*) FROM pg_publication_namespace p"
#else
#define SCHEMAS_OF_PUBLICATIONS_SINCE_15
#endif

static constexpr const char *query = R"(
WITH rels AS MATERIALIZED (
	SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'f', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'prodsync_work') AND n.nspname !~ '^pg_(toast|temp)'),
kinds (what, hash, rows) AS (
	SELECT 'relation', bit_xor(hash_record_extended(ROW(oid, nspname, relname, relkind, relpersistence, relowner, relam, reltablespace, reloftype, relrowsecurity,
		relforcerowsecurity, relispartition, relreplident, relpartbound::text), 0)), count(*)
	FROM rels
	UNION ALL
	SELECT 'column', bit_xor(hash_record_extended(ROW(a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.atthasdef, a.attidentity,
		a.attgenerated, a.attisdropped, a.attstorage, a.attcompression, a.attislocal, a.attinhcount), 0)), count(*)
	FROM pg_attribute a WHERE a.attnum > 0 AND a.attrelid IN (SELECT oid FROM rels WHERE relkind <> 'S')
	UNION ALL
	SELECT 'default', bit_xor(hash_record_extended(ROW(d.adrelid, d.adnum, d.adbin::text), 0)), count(*)
	FROM pg_attrdef d WHERE d.adrelid IN (SELECT oid FROM rels)
	UNION ALL
	-- those of domains too: a domain's CHECK is a rule for rows
	SELECT 'constraint', bit_xor(hash_record_extended(ROW(k.conrelid, k.contypid, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated, k.confrelid,
		k.confupdtype, k.confdeltype, k.confmatchtype, k.conislocal, k.coninhcount, k.connoinherit, k.conkey, k.confkey, k.conpfeqop, k.conexclop,
		k.conbin::text)" CONSTRAINT_SINCE_18 R"(), 0)), count(*)
	FROM pg_constraint k WHERE k.conrelid IN (SELECT oid FROM rels) OR k.contypid >= 16384
	UNION ALL
	SELECT 'index', bit_xor(hash_record_extended(ROW(i.indrelid, c.relname, c.relam, c.reltablespace, i.indnkeyatts, i.indisunique, i.indisprimary, i.indisexclusion,
		i.indimmediate, i.indisvalid, i.indisreplident, i.indkey::int2[], i.indcollation, i.indclass, i.indoption::int2[],
		regexp_replace(i.indexprs::text, ':location -?[0-9]+', '', 'g'), regexp_replace(i.indpred::text, ':location -?[0-9]+', '', 'g'))" INDEX_SINCE_15
                                     R"(), 0)), count(*)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid IN (SELECT oid FROM rels)
	UNION ALL
	-- of those behind foreign keys only whether somebody switched them off
	SELECT 'trigger', bit_xor(hash_record_extended(ROW(t.tgrelid, t.tgname, t.tgfoid, t.tgtype, t.tgenabled, t.tgdeferrable, t.tginitdeferred, t.tgattr::int2[], t.tgargs,
		t.tgqual::text), 0)), count(*)
	FROM pg_trigger t WHERE t.tgrelid IN (SELECT oid FROM rels) AND (NOT t.tgisinternal OR t.tgenabled <> 'O')
	UNION ALL
	SELECT 'policy', bit_xor(hash_record_extended(ROW(p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual::text, p.polwithcheck::text), 0)), count(*)
	FROM pg_policy p WHERE p.polrelid IN (SELECT oid FROM rels)
	UNION ALL
	-- there are few, of columns that differ between the releases
	SELECT 'publication', bit_xor(hashtextextended(p::text, 0)), count(*) FROM pg_publication p
	UNION ALL
	SELECT 'publication of a table', bit_xor(hashtextextended(p::text, 0)), count(*) FROM pg_publication_rel p WHERE p.prrelid IN (SELECT oid FROM rels)
	UNION ALL
	SELECT 'parent', bit_xor(hash_record_extended(ROW(h.inhrelid, h.inhparent, h.inhseqno, h.inhdetachpending), 0)), count(*)
	FROM pg_inherits h WHERE h.inhrelid IN (SELECT oid FROM rels)
	UNION ALL
	SELECT 'partition key', bit_xor(hash_record_extended(ROW(p.partrelid, p.partstrat, p.partattrs::int2[], p.partclass, p.partcollation, p.partexprs::text), 0)), count(*)
	FROM pg_partitioned_table p WHERE p.partrelid IN (SELECT oid FROM rels)
	UNION ALL
	SELECT 'sequence', bit_xor(hash_record_extended(ROW(q.seqrelid, q.seqtypid, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle), 0)), count(*)
	FROM pg_sequence q WHERE q.seqrelid IN (SELECT oid FROM rels))" SCHEMAS_OF_PUBLICATIONS_SINCE_15 R"()
SELECT md5(string_agg(concat_ws(' ', what, hash, rows), E'\n' ORDER BY what)) FROM kinds)";

std::string fingerprint(const pg::Extension &extension)
{
	pg::AsExtension as(extension);
	pg::Settings settings;
	settings.set("jit", "off");  // compiling it takes longer than running it
	pg::Spi spi;
	return spi.one(query).value();
}

}  // namespace prodsync
