// The exchange of storage.
//
// A relation's pg_class row has a logical half (name, owner, rights, options, triggers, policies, foreign keys: all by oid) and a physical half
// (file node, tablespace, sizes, freeze horizons, TOAST link). Only the physical half moves; TOAST tables move as relations, by link, because
// every toast pointer holds the oid of its TOAST table. Values of fast-default columns and statistics belong to the storage and come along.
//
// Locks: ACCESS EXCLUSIVE on original and shadow, SHARE UPDATE EXCLUSIVE on their TOAST tables, none on indexes: their rows of pg_class are
// safe under the table's lock; ALTER INDEX collides on the pg_class tuple ("tuple concurrently updated"), never both succeed.
//
// Storage of an earlier transaction is on disk and WAL-logged: it must not be marked as new, because under wal_level = minimal WAL would then
// be switched off for storage that COMMIT does not fsync. Storage of this very transaction (sync_clear) is, so its newness is handed over, as
// the server's swap_relation_files() does. These marks are not transactional: shadow and switch belong to one subtransaction.
#include <algorithm>
#include "fault_point.hpp"
#include "shadow.hpp"
#include "layout.hpp"
#include "pg_versions.hpp"

namespace prodsync {

// pg_class (or pg_statistic) open for many updates.
struct Writable {
	Relation rel;
	CatalogIndexState indexes;
};
static Writable open_catalog(Oid catalog)
{
	Relation rel = table_open(catalog, RowExclusiveLock);
	return {rel, CatalogOpenIndexes(rel)};
}
static void close_catalog(Writable c)
{
	CatalogCloseIndexes(c.indexes);
	table_close(c.rel, RowExclusiveLock);
}

static void hand_over_newness(Oid orig, HeapTuple t1, Oid shadow, HeapTuple t2)
{
	if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(t1->t_data)) &&
	    !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(t2->t_data)))
		return;    // spares the relcache entries of all indexes
	Relation a = RelationIdGetRelation(orig), b = RelationIdGetRelation(shadow);
	if (!a || !b) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u or %u is gone", orig, shadow);
	bool new_a = a->rd_createSubid != InvalidSubTransactionId || FIRST_SUBID(a) != InvalidSubTransactionId;
	bool new_b = b->rd_createSubid != InvalidSubTransactionId || FIRST_SUBID(b) != InvalidSubTransactionId;
	if (new_b && b->rd_createSubid != GetCurrentSubTransactionId()) refuse(a, "its shadow was made outside of this subtransaction");
	if (new_a && !new_b) refuse(a, "it was truncated or reindexed in this very transaction");
	if (new_b) {
		b->rd_createSubid = a->rd_createSubid;
		NEW_SUBID(b) = NEW_SUBID(a);
		FIRST_SUBID(b) = FIRST_SUBID(a);
		ASSUME_NEW(a);
	}
	RelationClose(a), RelationClose(b);
}

struct Toasts { Oid original, shadow; };    // after the exchange

// The invalidations of both relations go out with the catalog updates.
static Toasts swap_rows(Writable pg_class, Oid r1, Oid r2)
{
	HeapTuple t1 = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(r1)), t2 = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(r2));
	if (!HeapTupleIsValid(t1) || !HeapTupleIsValid(t2)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u or %u is gone", r1, r2);
	hand_over_newness(r1, t1, r2, t2);
	Form_pg_class a = reinterpret_cast<Form_pg_class>(GETSTRUCT(t1)), b = reinterpret_cast<Form_pg_class>(GETSTRUCT(t2));
	std::swap(a->relfilenode, b->relfilenode);
	std::swap(a->reltablespace, b->reltablespace);
	std::swap(a->relpages, b->relpages);
	std::swap(a->reltuples, b->reltuples);
	std::swap(a->relallvisible, b->relallvisible);
	SWAP_ALLFROZEN(a, b);
	std::swap(a->relfrozenxid, b->relfrozenxid);    // 0 in both rows of an index
	std::swap(a->relminmxid, b->relminmxid);
	std::swap(a->reltoastrelid, b->reltoastrelid);
	Toasts now{a->reltoastrelid, b->reltoastrelid};
	CatalogTupleUpdateWithInfo(pg_class.rel, &t1->t_self, t1, pg_class.indexes);
	CatalogTupleUpdateWithInfo(pg_class.rel, &t2->t_self, t2, pg_class.indexes);
	heap_freetuple(t1), heap_freetuple(t2);
	CLOSE_STORAGE(r1), CLOSE_STORAGE(r2);           // before the CommandCounterIncrement
	return now;
}

static Oid toast_index(Oid toast)    // as toast_get_valid_index(), but without a lock on the index
{
	Relation rel = table_open(toast, NoLock);
	Oid found = InvalidOid;
	ListCell *c;
	foreach(c, RelationGetIndexList(rel)) {
		HeapTuple t = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(c)));
		if (!HeapTupleIsValid(t)) pg::raise(ERRCODE_UNDEFINED_OBJECT, "index %u is gone", lfirst_oid(c));
		if (reinterpret_cast<Form_pg_index>(GETSTRUCT(t))->indisvalid) found = lfirst_oid(c);
		ReleaseSysCache(t);
	}
	table_close(rel, NoLock);
	return found;
}

// A TOAST table goes over to another table: dependency, name, and the mark for logical decoding. The name is more than cosmetic: the next
// VACUUM FULL renames its new TOAST table to pg_toast_<table> and must not find that name taken.
static void adopt_toast(Writable pg_class, Oid toast, Oid table, bool is_shadow, Oid relrewrite)
{
	ObjectAddress base, dependent;
	ObjectAddressSet(base, RelationRelationId, table);
	ObjectAddressSet(dependent, RelationRelationId, toast);
	if (deleteDependencyRecordsFor(RelationRelationId, toast, false) != 1)
		pg::raise(ERRCODE_DATA_CORRUPTED, "TOAST table %u has not one dependency", toast);
	recordDependencyOn(&dependent, &base, DEPENDENCY_INTERNAL);
	for (Oid o : {toast, toast_index(toast)}) {
		HeapTuple t = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(o));
		Form_pg_class f = reinterpret_cast<Form_pg_class>(GETSTRUCT(t));
		const char *index = o == toast ? "" : "_index";
		if (o == toast) f->relrewrite = relrewrite;
		namestrcpy(&f->relname, is_shadow ? psprintf("pg_toast_%u_%u%s", table, toast, index) : psprintf("pg_toast_%u%s", table, index));
		CatalogTupleUpdateWithInfo(pg_class.rel, &t->t_self, t, pg_class.indexes);
		heap_freetuple(t);
	}
}

// Rows too short for a column that was added later take its attmissingval. VACUUM FULL of the original clears that; without this an exchange
// back would then turn the values into NULL.
static void swap_missing_values(Relation r1, Relation r2)
{
	Relation pg_attribute = nullptr;
	for (int i = 0; i < RelationGetNumberOfAttributes(r1); i++) {
		if (!TupleDescAttr(RelationGetDescr(r1), i)->atthasmissing && !TupleDescAttr(RelationGetDescr(r2), i)->atthasmissing) continue;
		if (!pg_attribute) pg_attribute = table_open(AttributeRelationId, RowExclusiveLock);
		HeapTuple row[2];
		Datum value[2];
		bool isnull[2];
		for (int k : {0, 1}) {
			row[k] = SearchSysCacheCopy2(ATTNUM, ObjectIdGetDatum(RelationGetRelid(k ? r2 : r1)), Int16GetDatum(static_cast<int16>(i + 1)));
			if (!HeapTupleIsValid(row[k])) pg::raise(ERRCODE_UNDEFINED_COLUMN, "attribute %d is gone", i + 1);
			value[k] = SysCacheGetAttr(ATTNUM, row[k], Anum_pg_attribute_attmissingval, &isnull[k]);
		}
		for (int k : {0, 1}) {
			Datum values[Natts_pg_attribute] = {};
			bool nulls[Natts_pg_attribute] = {}, replace[Natts_pg_attribute] = {};
			replace[Anum_pg_attribute_atthasmissing - 1] = replace[Anum_pg_attribute_attmissingval - 1] = true;
			values[Anum_pg_attribute_atthasmissing - 1] = BoolGetDatum(!isnull[1 - k]);
			values[Anum_pg_attribute_attmissingval - 1] = value[1 - k], nulls[Anum_pg_attribute_attmissingval - 1] = isnull[1 - k];
			HeapTuple now = heap_modify_tuple(row[k], RelationGetDescr(pg_attribute), values, nulls, replace);
			CatalogTupleUpdate(pg_attribute, &row[k]->t_self, now);
		}
	}
	if (pg_attribute) table_close(pg_attribute, RowExclusiveLock);
}

static List *remove_statistics(Relation pg_statistic, Oid rel)
{
	List *out = NIL;
	ScanKeyData key;
	ScanKeyInit(&key, Anum_pg_statistic_starelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rel));
	SysScanDesc scan = systable_beginscan(pg_statistic, StatisticRelidAttnumInhIndexId, true, nullptr, 1, &key);
	while (HeapTuple t = systable_getnext(scan))
		if (!reinterpret_cast<Form_pg_statistic>(GETSTRUCT(t))->stainherit) {    // those over an inheritance tree stay
			out = lappend(out, heap_copytuple(t));
			CatalogTupleDelete(pg_statistic, &t->t_self);
		}
	systable_endscan(scan);
	return out;
}
// Without this the planner guesses by the old contents until the next ANALYZE. Of new content that has none, since it is empty, the old ones go all the same: they
// have values of the rows that are gone.
static void swap_statistics(Writable pg_statistic, Oid r1, Oid r2)
{
	List *of2 = remove_statistics(pg_statistic.rel, r2);
	List *of1 = remove_statistics(pg_statistic.rel, r1);
	if (of1 == NIL && of2 == NIL) return;
	CommandCounterIncrement();
	for (Oid to : {r1, r2}) {
		ListCell *c;
		foreach(c, to == r1 ? of2 : of1) {
			HeapTuple t = static_cast<HeapTuple>(lfirst(c));
			reinterpret_cast<Form_pg_statistic>(GETSTRUCT(t))->starelid = to;
			CatalogTupleInsertWithInfo(pg_statistic.rel, t, pg_statistic.indexes);
		}
	}
}

static void switch_one(Writable pg_class, Writable pg_statistic, Oid original, Oid shadow)
{
	Relation a = table_open(original, NoLock), b = table_open(shadow, NoLock);
	for (Oid toast : {a->rd_rel->reltoastrelid, b->rd_rel->reltoastrelid})
		if (OidIsValid(toast)) LockRelationOid(toast, ShareUpdateExclusiveLock);
	CheckTableNotInUse(a, "prodsync switch"), CheckTableNotInUse(b, "prodsync switch");
	check_layout(a, b);
	List *left = list_copy(RelationGetIndexList(b));
	ListCell *c;
	foreach(c, RelationGetIndexList(a)) {
		Oid index = lfirst_oid(c), twin = twin_of(a, index, left);
		if (!OidIsValid(twin)) refuse(a, "an index was added or changed");
		left = list_delete_oid(left, twin);
		swap_rows(pg_class, index, twin);
		swap_statistics(pg_statistic, index, twin);    // of index expressions
	}
	if (left != NIL) refuse(a, "an index was dropped");
	CheckTableForSerializableConflictIn(a);     // every serializable reader is in conflict with us
	TransferPredicateLocksToHeapRelation(a);    // row and page locks mean nothing on other storage
	pgstat_count_truncate(a);                   // dead rows of the old storage are no reason for a vacuum
	swap_statistics(pg_statistic, original, shadow);
	swap_missing_values(a, b);
	table_close(a, NoLock), table_close(b, NoLock);
	Toasts now = swap_rows(pg_class, original, shadow);
	if (OidIsValid(now.shadow)) adopt_toast(pg_class, now.shadow, shadow, true, original);    // frees the name
	CommandCounterIncrement();
	if (OidIsValid(now.original)) adopt_toast(pg_class, now.original, original, false, InvalidOid);
}

void switch_storage(const pg::Extension &extension, const std::vector<std::pair<Oid, Oid>> &pairs)
{
	std::vector<std::pair<Oid, Oid>> ordered = pairs;
	std::sort(ordered.begin(), ordered.end());
	for (std::size_t i = 1; i < ordered.size(); i++)
		if (ordered[i].first == ordered[i - 1].first) throw std::logic_error("a table is to be switched twice");
	pg::AsExtension as(extension);
	const std::pair<Oid, Oid> *list = ordered.data();
	std::size_t n = ordered.size();
	pg::call([=] {
		for (std::size_t i = 0; i < n; i++) LockRelationOid(list[i].first, AccessExclusiveLock);
		for (std::size_t i = 0; i < n; i++) LockRelationOid(list[i].second, AccessExclusiveLock);
		Writable pg_class = open_catalog(RelationRelationId), pg_statistic = open_catalog(StatisticRelationId);
		for (std::size_t i = 0; i < n; i++) {
			CHECK_FOR_INTERRUPTS();
			if (i == n / 2) FAULT_POINT("switch: half of the storage exchanged");
			switch_one(pg_class, pg_statistic, list[i].first, list[i].second);
		}
		close_catalog(pg_class), close_catalog(pg_statistic);
		CommandCounterIncrement();
	});
}

}  // namespace prodsync
