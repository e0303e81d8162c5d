// Loads whose rows find their partition here: the source's table has other partitions, or none, or what decides is masked or mapped on the way.
//
// Shadows are tables of their own. For the time of the loads they are made the leaves of a tree like the original's, with the same keys and
// bounds, so that COPY into its root routes as an INSERT into the original would; then the tree is taken away, and the shadows are as any others.
// The tree is written into the catalogs as it stands in those of the original. Nothing of it is evaluated here: keys, bounds and
// operator classes call functions of their owners, which only COPY does, with the owners' rights.
#include <map>
#include "refresh.hpp"
#include "shadow.hpp"
#include "pg_versions.hpp"
extern "C" {
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "utils/inval.h"
}

namespace prodsync {

namespace {

struct Member {
	Oid original, parent;    // parent: of the original, InvalidOid for the root
	bool partitioned;
};

// Parents come before their partitions.
std::vector<Member> tree_of(Oid root)
{
	List *relations = pg::call([=] {
		LockRelationOid(root, AccessShareLock);
		return get_rel_relkind(root) == RELKIND_PARTITIONED_TABLE ? find_all_inheritors(root, AccessShareLock, nullptr) : list_make1_oid(root);
	});
	std::vector<Member> out;
	for (int i = 0; i < list_length(relations); i++) {
		const Oid relation = list_nth_oid(relations, i);
		const Oid parent = i == 0 ? InvalidOid : pg::call([=] { return get_partition_parent(relation, true); });
		out.push_back({relation, parent, pg::call([=] { return get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE; })});
	}
	return out;
}

// pg_class of a partition; without a bound it is none.
void set_bound(Oid shadow, bool has, Datum bound)
{
	Relation pg_class = table_open(RelationRelationId, RowExclusiveLock);
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(shadow));
	if (!HeapTupleIsValid(row)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", shadow);
	Datum values[Natts_pg_class] = {};
	bool nulls[Natts_pg_class] = {}, replaces[Natts_pg_class] = {};
	values[Anum_pg_class_relpartbound - 1] = bound, nulls[Anum_pg_class_relpartbound - 1] = !has, replaces[Anum_pg_class_relpartbound - 1] = true;
	values[Anum_pg_class_relispartition - 1] = BoolGetDatum(has), replaces[Anum_pg_class_relispartition - 1] = true;
	HeapTuple changed = heap_modify_tuple(row, RelationGetDescr(pg_class), values, nulls, replaces);
	CatalogTupleUpdate(pg_class, &changed->t_self, changed);
	heap_freetuple(changed);
	ReleaseSysCache(row);
	table_close(pg_class, RowExclusiveLock);
}

void attach(Oid shadow, Oid parent, Oid original, Oid original_parent)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(original));
	if (!HeapTupleIsValid(row)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", original);
	bool none;
	Datum bound = SysCacheGetAttr(RELOID, row, Anum_pg_class_relpartbound, &none);
	if (none)
		pg::raise(PS_STALE, "\"%s\" was changed while it was being refreshed: it is no partition any more",
		    NameStr(reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relname));
	set_bound(shadow, true, bound);
	ReleaseSysCache(row);
	StoreSingleInheritance(shadow, parent, 1);
	SetRelationHasSubclass(parent, true);
	if (get_default_partition_oid(original_parent) == original) update_default_partition_oid(parent, shadow);
	ObjectAddress child, root;    // whoever drops the root drops the rest
	ObjectAddressSet(child, RelationRelationId, shadow);
	ObjectAddressSet(root, RelationRelationId, parent);
	recordDependencyOn(&child, &root, DEPENDENCY_AUTO);
	CacheInvalidateRelcacheByRelid(parent);
	CommandCounterIncrement();
}

void detach(Oid shadow, Oid parent)
{
	LockRelationOid(shadow, AccessExclusiveLock);
	set_bound(shadow, false, 0);
	FORGET_PARENT(shadow, parent);
	(void) deleteDependencyRecordsForSpecific(RelationRelationId, shadow, DEPENDENCY_AUTO, RelationRelationId, parent);
	if (get_default_partition_oid(parent) == shadow) update_default_partition_oid(parent, InvalidOid);
	CacheInvalidateRelcacheByRelid(parent);
	CommandCounterIncrement();
}

Oid original_of(const StepRow &step)
{
	const Oid original = step.original;
	if (!OidIsValid(original) || !pg::call([=] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(original)); }))
		throw pg::Error(PS_STALE, step.relation + " of the target was dropped since the run started");
	return original;
}

}  // namespace

void step_route(const pg::Extension &extension, int run, const StepRow &step)
{
	std::map<Oid, Oid> shadows;
	for (const Member &member : tree_of(original_of(step))) {
		const Oid shadow = member.partitioned ? create_root(extension, run, member.original) : create_shadow(extension, run, member.original);
		ledger::remember_shadow(extension, run, member.original, shadow);
		shadows[member.original] = shadow;
		pg::check_interrupts();
		if (!OidIsValid(member.parent)) continue;
		const Oid parent = shadows.at(member.parent), original = member.original, original_parent = member.parent;
		pg::AsExtension as(extension);
		pg::call([=] { attach(shadow, parent, original, original_parent); });
	}
}

// The root has done its work: what is left are the shadows of tables that hold rows.
void step_routed(const pg::Extension &extension, int run, const StepRow &step)
{
	std::map<Oid, Oid> shadows;
	for (const auto &[original, shadow] : ledger::shadows(extension, run)) shadows[original] = shadow;
	std::vector<Member> tree = tree_of(original_of(step));
	const auto shadow_of = [&](Oid original) {
		const auto found = shadows.find(original);
		if (found == shadows.end()) throw pg::Error(PS_STALE, step.relation + " of the target has got a partition since the run started");
		return found->second;
	};
	for (const Member &member : tree) {
		if (!OidIsValid(member.parent)) continue;
		const Oid shadow = shadow_of(member.original), parent = shadow_of(member.parent);
		pg::AsExtension as(extension);
		pg::call([=] { detach(shadow, parent); });
	}
	for (auto member = tree.rbegin(); member != tree.rend(); ++member) {
		if (member->partitioned) {
			drop_shadow(extension, shadow_of(member->original));
			ledger::forget_shadow(extension, run, member->original);
		} else if (step.item.value("whole", false)) {
			finish_small(extension, member->original, shadow_of(member->original));
		}
		pg::check_interrupts();
	}
}

}  // namespace prodsync
