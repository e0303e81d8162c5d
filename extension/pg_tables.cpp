// Rows of users' tables: whose code runs when a statement of ours reads or writes them.
//
// Reading is not harmless. The planner evaluates calls of immutable functions with constant arguments wherever it finds them: in expressions and
// predicates of every index of a table it plans for, in extended statistics, in partition keys, in CHECKs of the branches of a UNION ALL. Declared
// as immutable, such a function may do anything, and it would do so with the rights of whoever plans. So planning and execution are the table
// owner's, who could have run his function himself.
//
// Where the tables of a statement have several owners, neither may run the other's code. Then the statement is done by `nobody`: the last oid
// that no role can have (roles are made from FirstNormalObjectId on, and pg_upgrade keeps their oids), so nothing was ever granted to it. All it
// has is what PUBLIC has, which is enough for functions in indexes unless EXECUTE on them was revoked from PUBLIC: then the statement fails.
//
// SPI cannot do any of this: it would parse as the role that executes, who has no USAGE on the private schema.
#include "pg.hpp"
#include <unordered_map>
#include "pg_versions.hpp"
extern "C" {
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "executor/tstoreReceiver.h"
#include "utils/inval.h"
}

namespace pg {

static constexpr Oid nobody = FirstNormalObjectId - 1;

// As for the tables of a view: rights (and row security) are asked of the extension's owner, not of who executes. The library has
// decided already, and the table's owner has no right on work tables. (requiredPerms = 0 trips an assertion from 16 on.)
struct Named {
	Oid reader;
	List *relations;    // every relation of the statement, partitions too
};
static bool take_rights(Node *node, void *to)
{
	if (!node) return false;
	if (!IsA(node, Query)) return expression_tree_walker(node, WALKER(take_rights), to);
	Query *query = reinterpret_cast<Query *>(node);
	Named *named = static_cast<Named *>(to);
	ListCell *c;
	foreach(c, RIGHTS_OF(query)) static_cast<Rights *>(lfirst(c))->checkAsUser = named->reader;
	foreach(c, query->rtable) {
		RangeTblEntry *entry = static_cast<RangeTblEntry *>(lfirst(c));
		if (entry->rtekind != RTE_RELATION) continue;
		named->relations = entry->inh && entry->relkind == RELKIND_PARTITIONED_TABLE
			? list_concat_unique_oid(named->relations, find_all_inheritors(entry->relid, entry->rellockmode, nullptr))
			: list_append_unique_oid(named->relations, entry->relid);
	}
	return query_tree_walker(query, WALKER(take_rights), to, 0);
}

Oid runs_code_of(List *relations, Oid reader)
{
	Oid work = get_namespace_oid("prodsync_work", true), role = InvalidOid;
	ListCell *c;
	foreach(c, relations) {
		if (lfirst_oid(c) < FirstNormalObjectId) continue;
		HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(lfirst_oid(c)));
		if (!HeapTupleIsValid(t)) raise(ERRCODE_UNDEFINED_TABLE, "relation %u is gone", lfirst_oid(c));
		Form_pg_class rel = reinterpret_cast<Form_pg_class>(GETSTRUCT(t));
		if (rel->relkind == RELKIND_FOREIGN_TABLE || rel->relkind == RELKIND_VIEW)    // with our user mapping; with their owner's query
			raise(PS_REFUSED, "\"%s\" is a %s: prodsync does not read it", NameStr(rel->relname),
			    rel->relkind == RELKIND_VIEW ? "view" : "foreign table");
		bool without_code = rel->relkind == RELKIND_SEQUENCE || (rel->relnamespace == work && rel->relowner == reader);    // work tables
		if (!without_code) role = !OidIsValid(role) || role == rel->relowner ? rel->relowner : nobody;
		ReleaseSysCache(t);
		if (role == nobody) break;
	}
	if (role == nobody && SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(nobody)))
		raise(ERRCODE_INTERNAL_ERROR, "there is a role with oid %u", nobody);
	return OidIsValid(role) ? role : reader;
}

// ---- Plans of the session ----
struct Planned {
	Oid role = InvalidOid;
	List *plans = NIL;                   // of PlannedStmt
	List *relations = NIL;
	MemoryContext context = nullptr;     // of a kept one
	bool valid = true;
};
static std::unordered_map<std::string, Planned> kept_plans;

void forget_plans()
{
	for (const auto &[sql, planned] : kept_plans) MemoryContextDelete(planned.context);
	kept_plans.clear();
}

static void changed(Datum, Oid relation)    // of the relcache: its columns, indexes, owner, statistics
{
	for (auto &[sql, planned] : kept_plans)
		if (!OidIsValid(relation) || list_member_oid(planned.relations, relation)) planned.valid = false;
}

// Names are looked up as the extension's owner, who is the current user; everything after that is `role`'s.
static Planned plan(const char *sql, const Oid *types, int n, ParamListInfo args, Oid reader)
{
	Planned out;
	Query *query = ANALYZE_QUERY(static_cast<RawStmt *>(linitial(pg_parse_query(sql))), sql, const_cast<Oid *>(types), n);
	Named named{reader, NIL};
	(void) take_rights(reinterpret_cast<Node *>(query), &named);
	out.role = runs_code_of(named.relations, reader), out.relations = named.relations;
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(out.role, context | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	PushActiveSnapshot(GetTransactionSnapshot());
	ListCell *c;
	foreach(c, QueryRewrite(query)) out.plans = lappend(out.plans, pg_plan_query(static_cast<Query *>(lfirst(c)), sql, CURSOR_OPT_PARALLEL_OK, args));
	PopActiveSnapshot();
	SetUserIdAndSecContext(user, context);
	return out;
}

static void keep(Planned &planned)
{
	planned.context = AllocSetContextCreate(TopMemoryContext, "prodsync plan", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(planned.context);
	planned.plans = static_cast<List *>(copyObjectImpl(planned.plans));
	planned.relations = list_copy(planned.relations);
	MemoryContextSwitchTo(old);
}

static void lock(const Planned &planned)
{
	ListCell *p, *c;
	foreach(p, planned.plans)
		foreach(c, static_cast<PlannedStmt *>(lfirst(p))->rtable) {
			RangeTblEntry *entry = static_cast<RangeTblEntry *>(lfirst(c));
			if (entry->rtekind == RTE_RELATION) LockRelationOid(entry->relid, entry->rellockmode);
		}
}

// A kept plan is used only under the locks of its relations, and only when nobody changed them since: a new owner is another role.
static Planned kept_plan(const std::string &sql, const std::vector<Oid> &types, Oid reader)
{
	static bool watching = false;
	if (!watching) call([] { CacheRegisterRelcacheCallback(changed, 0); }), watching = true;
	if (auto found = kept_plans.find(sql); found != kept_plans.end()) {
		Planned &planned = found->second;
		if (planned.valid) call([&] { lock(planned); });
		if (planned.valid) return planned;
		MemoryContextDelete(planned.context);
		kept_plans.erase(found);
	}
	const char *text = sql.c_str();
	const Oid *first = types.data();
	int n = static_cast<int>(types.size());
	Planned planned = call([=] {
		Planned made = plan(text, first, n, nullptr, reader);
		keep(made);
		return made;
	});
	kept_plans[sql] = planned;
	return planned;
}

// ---- Execution ----
static uint64 execute(const Planned &planned, const char *sql, ParamListInfo args, Tuplestorestate *store, TupleDesc *desc)
{
	uint64 rows = 0;
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(planned.role, context | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	ListCell *c;
	foreach(c, planned.plans) {
		DestReceiver *dest = store ? CreateTuplestoreDestReceiver() : None_Receiver;
		if (store) STORE_ROWS(dest, store);
		QueryDesc *d = CreateQueryDesc(static_cast<PlannedStmt *>(lfirst(c)), sql, GetActiveSnapshot(), InvalidSnapshot, dest, args, nullptr, 0);
		ExecutorStart(d, 0);
		EXECUTOR_RUN(d);
		rows += d->estate->es_processed;
		if (desc) *desc = CreateTupleDescCopy(d->tupDesc);
		ExecutorFinish(d);
		ExecutorEnd(d);
		FreeQueryDesc(d);
		if (store) dest->rDestroy(dest);
	}
	PopActiveSnapshot();
	CommandCounterIncrement();
	SetUserIdAndSecContext(user, context);
	return rows;
}

// Memory of one statement; its results are in the context around it.
class Scratch {
	MemoryContext around_, own_;
	int calm = std::uncaught_exceptions();

public:
	Scratch()
	{
		own_ = call([] { return AllocSetContextCreate(CurrentMemoryContext, "prodsync statement", ALLOCSET_DEFAULT_SIZES); });
		around_ = MemoryContextSwitchTo(own_);
	}
	~Scratch()
	{
		MemoryContextSwitchTo(around_);
		if (std::uncaught_exceptions() == calm) MemoryContextDelete(own_);
	}
	Scratch(const Scratch &) = delete;
	Scratch &operator=(const Scratch &) = delete;
	MemoryContext around() const { return around_; }
};

struct Executed {
	std::uint64_t rows;
	Tuplestorestate *store;
	TupleDesc desc;
};
static Executed execute(const Extension &extension, Plans plans, const std::string &sql, const Row &args, MemoryContext results)
{
	AsExtension as(extension);
	std::vector<Oid> types(args.size(), TEXTOID);
	std::vector<Datum> values;
	for (const Value &value : args) values.push_back(value ? text_datum(*value) : 0);
	const Oid *first = types.data();
	int n = static_cast<int>(args.size());
	ParamListInfo parameters = n ? call([=] { return makeParamList(n); }) : nullptr;
	for (int i = 0; i < n; i++) parameters->params[i] = {values[i], !args[i], PARAM_FLAG_CONST, TEXTOID};
	const char *text = sql.c_str();
	Oid reader = extension.owner;
	Planned planned = plans == Plans::kept ? kept_plan(sql, types, reader) : call([=] { return plan(text, first, n, parameters, reader); });
	return call([&] {
		Executed out{0, nullptr, nullptr};
		if (results) {
			MemoryContext old = MemoryContextSwitchTo(results);
			out.store = tuplestore_begin_heap(false, false, work_mem);
			MemoryContextSwitchTo(old);
		}
		out.rows = execute(planned, text, parameters, out.store, results ? &out.desc : nullptr);
		if (results) {
			MemoryContext old = MemoryContextSwitchTo(results);
			out.desc = CreateTupleDescCopy(out.desc);
			MemoryContextSwitchTo(old);
		}
		return out;
	});
}

std::uint64_t Tables::run(const std::string &sql, const Row &args)
{
	Scratch scratch;
	return execute(extension_, plans_, sql, args, nullptr).rows;
}

std::pair<Tuplestorestate *, TupleDesc> Tables::store(const std::string &sql, const Row &args)
{
	Scratch scratch;
	Executed done = execute(extension_, plans_, sql, args, scratch.around());
	return {done.store, done.desc};
}

std::vector<Row> Tables::rows(const std::string &sql, const Row &args)
{
	Scratch scratch;
	auto [store, desc] = this->store(sql, args);
	Tuplestorestate *from = store;
	TupleDesc of = desc;
	TupleTableSlot *slot = call([=] { return MakeSingleTupleTableSlot(of, &TTSOpsMinimalTuple); });
	std::vector<Row> out;
	for (;;) {
		char **texts = call([=]() -> char ** {
			if (!tuplestore_gettupleslot(from, true, false, slot)) return nullptr;
			slot_getallattrs(slot);
			char **values = static_cast<char **>(palloc0(sizeof(char *) * static_cast<Size>(of->natts + 1)));
			for (int i = 0; i < of->natts; i++) {
				if (slot->tts_isnull[i]) continue;
				Oid output;
				bool varlena;
				getTypeOutputInfo(TupleDescAttr(of, i)->atttypid, &output, &varlena);
				values[i] = OidOutputFunctionCall(output, slot->tts_values[i]);
			}
			return values;
		});
		if (!texts) break;
		Row row;
		for (int i = 0; i < of->natts; i++) {
			row.push_back(texts[i] ? Value(texts[i]) : std::nullopt);
			if (texts[i]) pfree(texts[i]);
		}
		pfree(texts);
		out.push_back(std::move(row));
		check_interrupts();
	}
	call([=] {
		ExecDropSingleTupleTableSlot(slot);
		tuplestore_end(from);
	});
	return out;
}

Value Tables::one(const std::string &sql, const Row &args)
{
	std::vector<Row> all = rows(sql, args);
	return all.empty() || all[0].empty() ? std::nullopt : all[0][0];
}

}  // namespace pg
