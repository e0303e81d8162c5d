// Making and dropping shadows.
//
// As make_new_heap() of the server does it, with another schema and name, and with the rules it leaves out: what every row must satisfy
// (valid CHECKs, a leaf's bound) and what computes its columns. Columns keep their numbers, so cooked expressions need no translation.
// relrewrite marks the shadow as the transient half of a rewrite: logical decoding skips what is loaded into it.
#include <string>
#include "shadow.hpp"
#include "layout.hpp"
#include "pg_versions.hpp"
extern "C" {
#include "catalog/partition.h"
#include "catalog/pg_partitioned_table.h"
}

namespace prodsync {

Oid work_schema() { return get_namespace_oid("prodsync_work", false); }

// A default is cooked into the shadow only where no sequence is behind it: the load brings such columns, and a default on the original's
// sequence would keep DROP TABLE of the original from working.
static bool draws_from_sequence(Node *expression, void *)
{
	if (!expression) return false;
	if (IsA(expression, NextValueExpr)) return true;
	if (IsA(expression, FuncExpr) && reinterpret_cast<FuncExpr *>(expression)->funcid == F_NEXTVAL) return true;
	return expression_tree_walker(expression, WALKER(draws_from_sequence), nullptr);
}

// The bounds of a partition name the keys of the partitioned tables above it, whose expressions are planned with it: their owners' code.
static List *bound_of(Relation rel)
{
	List *tables = lcons_oid(RelationGetRelid(rel), get_partition_ancestors(RelationGetRelid(rel)));
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(pg::runs_code_of(tables, user), context | SECURITY_RESTRICTED_OPERATION);
	List *bound = RelationGetPartitionQual(rel);
	SetUserIdAndSecContext(user, context);
	return bound;
}

static List *rules_of(Relation rel, bool for_rows)
{
	List *out = NIL;
	auto add = [&](ConstrType type, const char *name, int attnum, Node *expr) {
		CookedConstraint *c = static_cast<CookedConstraint *>(palloc0(sizeof(CookedConstraint)));
		c->contype = type, c->attnum = static_cast<AttrNumber>(attnum), c->expr = expr, c->is_local = true;
		if (name) c->name = pstrdup(name);
		SET_ENFORCED(c);
		out = lappend(out, c);
	};
	if (TupleConstr *constr = RelationGetDescr(rel)->constr) {
		for (int i = 0; i < constr->num_defval; i++) {
			Node *value = static_cast<Node *>(stringToNode(constr->defval[i].adbin));
			if (!draws_from_sequence(value, nullptr)) add(CONSTR_DEFAULT, nullptr, constr->defval[i].adnum, value);
		}
		for (int i = 0; for_rows && i < constr->num_check; i++)
			if (constr->check[i].ccvalid && IS_ENFORCED(constr->check[i]))    // NOT VALID promises nothing about existing rows
				add(CONSTR_CHECK, constr->check[i].ccname, 0, static_cast<Node *>(stringToNode(constr->check[i].ccbin)));
	}
	if (for_rows && rel->rd_rel->relispartition)
		if (List *bound = bound_of(rel))
			add(CONSTR_CHECK, "partition bound", 0, reinterpret_cast<Node *>(make_ands_explicit(static_cast<List *>(copyObjectImpl(bound)))));
	return out;
}

List *rules_of(Relation rel) { return rules_of(rel, true); }

static Datum options_of(Oid rel)
{
	HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(rel));
	if (!HeapTupleIsValid(t)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", rel);
	bool isnull;
	Datum d = SysCacheGetAttr(RELOID, t, Anum_pg_class_reloptions, &isnull);
	d = isnull ? 0 : datumCopy(d, false, -1);
	ReleaseSysCache(t);
	return d;
}

static void create_toast(Oid table, Oid old)    // old becomes the new one's relrewrite
{
#if PG_VERSION_NUM >= 130005
	NewHeapCreateToastTable(table, options_of(old), AccessExclusiveLock, old);
#else
#error "prodsync needs PostgreSQL 14 or later"
#endif
}

static TupleDesc layout_of(Relation rel)
{
	TupleDesc desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	for (int i = 0; i < desc->natts; i++) {
		Form_pg_attribute a = TupleDescAttr(desc, i);
		a->attidentity = '\0';          // its sequence belongs to the original; rows bring their values
		a->attislocal = true, a->attinhcount = 0;
		a->attnotnull = NOT_NULL(RelationGetDescr(rel), i);    // 18: NOT NULL NOT VALID promises nothing about existing rows
		if (!a->attnotnull) FORGET_NOT_NULL(desc, i);
	}
	return desc;
}

// Without FULL, UPDATE and DELETE of the shadow are refused where a publication FOR ALL TABLES exists (nothing is published: relrewrite).
// 18 refuses FULL with generated columns; there the shadow's primary key index carries the flag.
static void set_replica_identity(Oid shadow, TupleDesc desc)
{
	bool generated = false;
	for (int i = 0; i < desc->natts; i++) generated |= TupleDescAttr(desc, i)->attgenerated != '\0';
	Relation pg_class = table_open(RelationRelationId, RowExclusiveLock);
	HeapTuple row = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(shadow));
	reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relreplident =
	    GENERATED_NEEDS_KEY && generated ? REPLICA_IDENTITY_DEFAULT : REPLICA_IDENTITY_FULL;
	CatalogTupleUpdate(pg_class, &row->t_self, row);
	heap_freetuple(row);
	table_close(pg_class, RowExclusiveLock);
	CommandCounterIncrement();
}

static void belong_to(Oid shadow, Oid extension)    // pg_dump leaves it out, DROP EXTENSION takes it
{
	ObjectAddress member, owner;
	ObjectAddressSet(member, RelationRelationId, shadow);
	ObjectAddressSet(owner, ExtensionRelationId, extension);
	recordDependencyOn(&member, &owner, DEPENDENCY_EXTENSION);
	CommandCounterIncrement();
}

static Oid create(int run, Oid orig, Oid extension)
{
	Relation rel = table_open(orig, AccessShareLock);
	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP || orig < FirstNormalObjectId)
		pg::raise(ERRCODE_WRONG_OBJECT_TYPE, "\"%s\" is no ordinary table: it cannot be refreshed", RelationGetRelationName(rel));
	TupleDesc desc = layout_of(rel);
	List *off = list_make1(makeDefElem(pstrdup("autovacuum_enabled"), reinterpret_cast<Node *>(makeString(pstrdup("false"))), -1));
	Datum options = transformRelOptions(options_of(orig), off, nullptr, nullptr, false, false);
	Oid shadow = heap_create_with_catalog(psprintf("s_%d_%u", run, orig), work_schema(), rel->rd_rel->reltablespace, InvalidOid,
	    InvalidOid, InvalidOid, rel->rd_rel->relowner, rel->rd_rel->relam, desc, rules_of(rel), RELKIND_RELATION,
	    rel->rd_rel->relpersistence, false, false, ONCOMMIT_NOOP, options, false, true, true, orig, nullptr);
	CommandCounterIncrement();
	set_replica_identity(shadow, desc);
	if (Oid toast = rel->rd_rel->reltoastrelid; OidIsValid(toast)) create_toast(shadow, toast);
	belong_to(shadow, extension);
	table_close(rel, NoLock);           // the lock stays: no DDL on the original until the step commits
	return shadow;
}

// Rows pass through it: of its rules only those count that give a row its values. Columns keep their numbers, so the partition key's do too.
static Oid create_partitioned(int run, Oid orig, Oid extension)
{
	Relation rel = table_open(orig, AccessShareLock);
	Assert(rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE);
	Oid shadow = heap_create_with_catalog(psprintf("s_%d_%u", run, orig), work_schema(), InvalidOid, InvalidOid, InvalidOid, InvalidOid,
		rel->rd_rel->relowner, InvalidOid, layout_of(rel), rules_of(rel, false), RELKIND_PARTITIONED_TABLE, rel->rd_rel->relpersistence, false, false,
		ONCOMMIT_NOOP, 0, false, true, true, orig, nullptr);
	CommandCounterIncrement();
	HeapTuple key = SearchSysCache1(PARTRELID, ObjectIdGetDatum(orig));
	if (!HeapTupleIsValid(key)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", orig);
	Form_pg_partitioned_table of = reinterpret_cast<Form_pg_partitioned_table>(GETSTRUCT(key));
	bool none;
	Datum classes = SysCacheGetAttr(PARTRELID, key, Anum_pg_partitioned_table_partclass, &none);
	Datum collations = SysCacheGetAttr(PARTRELID, key, Anum_pg_partitioned_table_partcollation, &none);
	Datum written = SysCacheGetAttr(PARTRELID, key, Anum_pg_partitioned_table_partexprs, &none);
	List *expressions = none ? NIL : static_cast<List *>(stringToNode(TextDatumGetCString(written)));
	Relation root = table_open(shadow, AccessExclusiveLock);
	StorePartitionKey(root, of->partstrat, of->partnatts, of->partattrs.values, expressions,
	    reinterpret_cast<oidvector *>(DatumGetPointer(classes))->values,
	    reinterpret_cast<oidvector *>(DatumGetPointer(collations))->values);
	table_close(root, NoLock);
	ReleaseSysCache(key);
	CommandCounterIncrement();
	belong_to(shadow, extension);
	table_close(rel, NoLock);
	return shadow;
}

Oid create_root(const pg::Extension &extension, int run, Oid original)
{
	pg::AsExtension as(extension);
	Oid member_of = extension.oid;
	return pg::call([=] { return create_partitioned(run, original, member_of); });
}

Oid create_shadow(const pg::Extension &extension, int run, Oid original)
{
	pg::AsExtension as(extension);
	Oid member_of = extension.oid;
	return pg::call([=] { return create(run, original, member_of); });
}

void drop_shadow(const pg::Extension &extension, Oid shadow)
{
	pg::AsExtension as(extension);
	pg::call([=] {
		ObjectAddress o;
		ObjectAddressSet(o, RelationRelationId, shadow);
		LockRelationOid(shadow, AccessExclusiveLock);
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(shadow))) return;
		if (get_rel_namespace(shadow) != work_schema()) pg::raise(ERRCODE_INTERNAL_ERROR, "%u is not a shadow", shadow);
		performDeletion(&o, DROP_RESTRICT, PERFORM_DELETION_INTERNAL | PERFORM_DELETION_SKIP_EXTENSIONS);    // shadows are members of the extension
		CommandCounterIncrement();
	});
}

void analyze(const pg::Extension &extension, Oid shadow)
{
	std::string name = sql_name(shadow);
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("ANALYZE " + name);
}

std::string sql_name(Oid relation)
{
	return pg::call([=] {
		HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
		if (!HeapTupleIsValid(t)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", relation);
		Form_pg_class c = reinterpret_cast<Form_pg_class>(GETSTRUCT(t));
		char *name = quote_qualified_identifier(get_namespace_name(c->relnamespace), NameStr(c->relname));
		ReleaseSysCache(t);
		return name;
	});
}

Oid owner_of(Oid relation)
{
	return pg::call([=] {
		HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
		if (!HeapTupleIsValid(t)) pg::raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", relation);
		Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(t))->relowner;
		ReleaseSysCache(t);
		return owner;
	});
}

}  // namespace prodsync
