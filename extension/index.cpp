// The twin of an index on a shadow. Takes SHARE on the shadow, as CREATE INDEX does, so several connections can build indexes of one table.
//
// Constraints are left out where the storage does not know them: PRIMARY KEY and UNIQUE become plain unique indexes (no DDL on NOT NULL,
// no trigger, no stronger lock), deferrable ones immediate, which is stricter. Exclusion constraints stay: the index finds its operators there.
#include "shadow.hpp"
#include "layout.hpp"
#include "pg_versions.hpp"
extern "C" {
#include "catalog/index.h"
#include "commands/progress.h"
#include "pgstat.h"
}

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

// CREATE INDEX reads the table with a snapshot that sees everything, locks a page for each of its rows, and asks of each whether somebody may still see
// it: rows that were deleted a moment ago go into the index too. A shadow has none of these. An ordinary snapshot, as CREATE INDEX CONCURRENTLY reads
// with, goes page by page; it saves a fifth of reading the table. It has to be younger than the rows. And parallel workers take the lock of CREATE INDEX
// CONCURRENTLY then, which waits for other builds on the same table: where there may be workers, it is done the other way.
// Already what the index is made of is looked at as the table's owner: calls of functions with constants are evaluated there.
static void fill(Oid shadow, Oid index)
{
	Relation rel = table_open(shadow, ShareLock), ind = index_open(index, AccessExclusiveLock);
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(rel->rd_rel->relowner, context | SECURITY_RESTRICTED_OPERATION);
	int level = NewGUCNestLevel();
	IndexInfo *info = BuildIndexInfo(ind);
	info->ii_Concurrent = !IsolationUsesXactSnapshot() && max_parallel_maintenance_workers == 0;
	const int fields[] = {PROGRESS_CREATEIDX_COMMAND, PROGRESS_CREATEIDX_INDEX_OID, PROGRESS_CREATEIDX_ACCESS_METHOD_OID};
	const int64 values[] = {PROGRESS_CREATEIDX_COMMAND_CREATE, index, ind->rd_rel->relam};
	pgstat_progress_start_command(PROGRESS_COMMAND_CREATE_INDEX, shadow);
	pgstat_progress_update_multi_param(3, fields, values);
	index_build(rel, ind, info, false, true);
	pgstat_progress_end_command();
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, context);
	index_close(ind, NoLock);
	table_close(rel, NoLock);
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
	const Oid made = DEFINE_INDEX(shadow, stmt).objectId;
	AtEOXact_GUC(false, level);
	CommandCounterIncrement();
	fill(shadow, made);
}

void build_index(const pg::Extension &extension, Oid shadow, Oid index)
{
	pg::AsExtension as(extension);
	pg::call([=] { build(shadow, index); });
}

}  // namespace prodsync
