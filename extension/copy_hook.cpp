// COPY into a shadow by a role that has no right on it.
//
// The hook lets exactly one thing through that the server would refuse: a top-level COPY FROM STDIN into a shadow that this role's own
// sync_step() made in this transaction, or routes rows into. It runs as the table's owner in a restricted operation, so CHECK, DEFAULT, domain and generation
// code of the owner runs with the owner's rights, neither the loader's nor a superuser's. Nothing in here has a destructor: an ERROR may pass.
#include "shadow.hpp"
#include "layout.hpp"
#include "mask.hpp"
#include "pg_versions.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
PGDLLEXPORT void _PG_init(void);
}

namespace prodsync {

struct Loadable { Oid rel, role; SubTransactionId sub; };
struct Copied { Oid rel; SubTransactionId sub; uint64 rows; };    // of one COPY: a savepoint takes its rows back
static List *loadable = NIL, *copied = NIL;    // in TopTransactionContext: the end of the transaction frees them
static ProcessUtility_hook_type next_hook;

void allow_copy(Oid shadow)
{
	pg::call([=] {
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
		Loadable *x = static_cast<Loadable *>(palloc(sizeof(Loadable)));
		*x = {shadow, GetUserId(), GetCurrentSubTransactionId()};
		loadable = lappend(loadable, x);
		MemoryContextSwitchTo(old);
	});
}

static Loadable *entry_of(Oid shadow)
{
	ListCell *l;
	foreach(l, loadable) {
		Loadable *x = static_cast<Loadable *>(lfirst(l));
		if (OidIsValid(shadow) && x->rel == shadow && x->role == GetUserId()) return x;
	}
	return nullptr;
}

std::optional<std::uint64_t> copied_rows(Oid shadow)
{
	if (!entry_of(shadow)) return std::nullopt;
	std::uint64_t rows = 0;
	ListCell *l;
	foreach(l, copied)
		if (const Copied *c = static_cast<Copied *>(lfirst(l)); c->rel == shadow) rows += c->rows;
	return rows;
}

static void remember_rows(Oid shadow, uint64 rows)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Copied *c = static_cast<Copied *>(palloc(sizeof(Copied)));
	*c = {shadow, GetCurrentSubTransactionId(), rows};
	copied = lappend(copied, c);
	MemoryContextSwitchTo(old);
}

static Oid loadable_target(const PlannedStmt *p, ProcessUtilityContext context)
{
	if (loadable == NIL || context != PROCESS_UTILITY_TOPLEVEL || !IsA(p->utilityStmt, CopyStmt)) return InvalidOid;
	const CopyStmt *c = reinterpret_cast<const CopyStmt *>(p->utilityStmt);
	if (!c->is_from || !c->relation || c->filename || c->is_program || c->whereClause || c->relation->catalogname || !c->relation->schemaname ||
		strcmp(c->relation->schemaname, "prodsync_work") != 0)
		return InvalidOid;
	Oid named = get_relname_relid(c->relation->relname, get_namespace_oid("prodsync_work", true));    // no rights asked
	return entry_of(named) ? named : InvalidOid;
}

static void utility(UTILITY_ARGS)
{
	Oid shadow = loadable_target(p, context);
	if (!OidIsValid(shadow)) return next_hook ? next_hook(UTILITY_PASS) : standard_ProcessUtility(UTILITY_PASS);

	CopyStmt *c = reinterpret_cast<CopyStmt *>(copyObjectImpl(p->utilityStmt));
	PreventCommandIfReadOnly("COPY FROM");
	Relation rel = table_open(shadow, RowExclusiveLock);
	Oid user;
	int security, level = NewGUCNestLevel();
	GetUserIdAndSecContext(&user, &security);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	// Through a root to partitions of several owners: neither may run the other's code.
	List *written = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? find_all_inheritors(shadow, RowExclusiveLock, nullptr)
	                                                                  : list_make1_oid(shadow);
	SetUserIdAndSecContext(pg::runs_code_of(written, user), security | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	ParseState *state = make_parsestate(nullptr);
	state->p_sourcetext = sql;
	(void) addRangeTableEntryForRelation(state, rel, RowExclusiveLock, nullptr, false, false);
	auto copy = BEGIN_COPY(state, rel, c);
	uint64 rows = CopyFrom(copy);
	EndCopyFrom(copy);
	free_parsestate(state);
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, security);
	table_close(rel, NoLock);
	remember_rows(shadow, rows);
	if (done) SetQueryCompletion(done, CMDTAG_COPY, rows);
}

static void forget(XactEvent event, void *)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) loadable = copied = NIL;
}
static void forget_sub(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *)
{
	ListCell *c;
	foreach(c, loadable) {
		Loadable *x = static_cast<Loadable *>(lfirst(c));
		if (x->sub != mine) continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB) x->sub = parent;
		if (event == SUBXACT_EVENT_ABORT_SUB) x->rel = InvalidOid, x->sub = InvalidSubTransactionId;
	}
	foreach(c, copied) {
		Copied *x = static_cast<Copied *>(lfirst(c));
		if (x->sub != mine) continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB) x->sub = parent;
		if (event == SUBXACT_EVENT_ABORT_SUB) x->rel = InvalidOid, x->rows = 0;
	}
}

static void install()
{
	RegisterXactCallback(forget, nullptr);
	RegisterSubXactCallback(forget_sub, nullptr);
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}

}  // namespace prodsync

void _PG_init(void)
{
	prodsync::install();
	prodsync::define_mask_settings();
}
