// The twin of an index on a shadow. Takes SHARE on the shadow, as CREATE INDEX does, so several connections can build indexes of one table.
//
// Constraints are left out where the storage does not know them: PRIMARY KEY and UNIQUE become plain unique indexes (no DDL on NOT NULL,
// no trigger, no stronger lock), deferrable ones immediate, which is stricter. Exclusion constraints stay: the index finds its operators there.
#include "shadow.hpp"
#include "layout.hpp"
#include "pg_versions.hpp"

namespace prodsync {

std::vector<Oid> indexes_of(Oid relation)
{
	List *list = pg::call([=] {
		Relation rel = table_open(relation, AccessShareLock);
		List *found = RelationGetIndexList(rel);
		table_close(rel, NoLock);
		return found;
	});
	std::vector<Oid> out;
	ListCell *c;
	foreach(c, list) out.push_back(lfirst_oid(c));
	return out;
}

static void build(Oid shadow, Oid index)
{
	Oid orig = IndexGetRelation(index, false);
	LockRelationOid(orig, AccessShareLock);
	Relation ind = index_open(index, AccessShareLock);
	Relation rel = table_open(orig, NoLock);
	AttrMap *same = make_attrmap(RelationGetNumberOfAttributes(rel));
	table_close(rel, NoLock);
	for (int i = 0; i < same->maplen; i++) same->attnums[i] = static_cast<AttrNumber>(i + 1);
	IndexStmt *stmt = generateClonedIndexStmt(nullptr, ind, same, nullptr);
	stmt->idxname = psprintf("i_%u_%u", shadow, index);
	stmt->primary = ind->rd_index->indisprimary && ind->rd_index->indimmediate;    // only the flag: a replica identity
	stmt->deferrable = stmt->initdeferred = false;
	if (!stmt->excludeOpNames && !WITHOUT_OVERLAPS(stmt)) stmt->isconstraint = false;
	if (!ind->rd_index->indisvalid) stmt->unique = false;    // a failed CREATE INDEX CONCURRENTLY stays invalid; only its storage must fit
	index_close(ind, NoLock);
	int level = NewGUCNestLevel();
	(void) set_config_option("default_tablespace", "", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) DEFINE_INDEX(shadow, stmt);
	AtEOXact_GUC(false, level);
	CommandCounterIncrement();
}

void build_index(const pg::Extension &extension, Oid shadow, Oid index)
{
	pg::AsExtension as(extension);
	pg::call([=] { build(shadow, index); });
}

}  // namespace prodsync
