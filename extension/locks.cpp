#include "locks.hpp"
#include <algorithm>
#include "pg_server.hpp"
#include "shadow.hpp"
extern "C" {
#include "utils/timestamp.h"
}

namespace prodsync {

// ---- The run's lock ----
// Control: ShareUpdateExclusive. Steps: RowExclusive. Discarding: Exclusive, which agrees with neither. Who holds it works for the run, so
// no list of process ids has to be kept. Field 2 is 0 for runs, 1 for "one at a time".
namespace run_lock {

static constexpr uint16 ours = 0x7073;  // pg_locks.objsubid; SQL functions make 1 and 2

static LOCKTAG tag_of(int run, uint32 field2 = 0)
{
	LOCKTAG tag;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, field2, static_cast<uint32>(run), ours);
	return tag;
}

// The control lock is the session's, so the end of the transaction does not undo what was done to it: it is done here. Taken: given back
// if the transaction is rolled back (there is no such run then). Released: only when the transaction commits.
struct Change {
	int run;
	SubTransactionId sub;
	bool release;
};
static List *changes = NIL;   // in TopTransactionContext
static bool in_step = false;  // this transaction holds a step's lock

static void give_back(int run)
{
	LOCKTAG tag = tag_of(run);
	(void)LockRelease(&tag, ShareUpdateExclusiveLock, true);  // a WARNING where somebody did DISCARD ALL meanwhile
}

static void at_end(XactEvent event, void *)
{
	// A prepared step would hold the lock without a process that could be ended.
	if (event == XACT_EVENT_PRE_PREPARE && (in_step || changes != NIL))
		pg::raise(ERRCODE_FEATURE_NOT_SUPPORTED, "a transaction that works for a refresh cannot be prepared");
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT) return;
	List *list = changes;
	changes = NIL, in_step = false;
	ListCell *c;
	foreach (c, list) {
		const Change *change = static_cast<const Change *>(lfirst(c));
		if (change->run && change->release == (event == XACT_EVENT_COMMIT)) give_back(change->run);
	}
}

static void at_sub_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *)
{
	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB) return;
	ListCell *c;
	foreach (c, changes) {
		Change *change = static_cast<Change *>(lfirst(c));
		if (change->sub != mine) continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB) {
			change->sub = parent;
			continue;
		}
		if (!change->release) give_back(change->run);
		*change = {0, InvalidSubTransactionId, false};
	}
}

static void watch_ends()
{
	static bool watching = false;
	if (watching) return;
	RegisterXactCallback(at_end, nullptr);
	RegisterSubXactCallback(at_sub_end, nullptr);
	watching = true;
}

static void remember(int run, bool release)
{
	watch_ends();
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Change *change = static_cast<Change *>(palloc(sizeof(Change)));
	*change = {run, GetCurrentSubTransactionId(), release};
	changes = lappend(changes, change);
	MemoryContextSwitchTo(old);
}

static bool to_be_released(int run)
{
	ListCell *c;
	foreach (c, changes) {
		const Change *change = static_cast<const Change *>(lfirst(c));
		if (change->run == run && change->release) return true;
	}
	return false;
}

bool control(int run)
{
	return pg::call([=] {
		LOCKTAG tag = tag_of(run);
		switch (LockAcquire(&tag, ShareUpdateExclusiveLock, true, true)) {
		case LOCKACQUIRE_NOT_AVAIL: return false;
		case LOCKACQUIRE_OK: remember(run, false); return true;
		default: give_back(run); return true;  // session locks count: once is enough
		}
	});
}

bool step(int run)
{
	return pg::call([=] {
		watch_ends();
		LOCKTAG tag = tag_of(run);
		bool got = LockAcquire(&tag, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
		in_step |= got;
		return got;
	});
}

// Runs whose lock somebody holds, this session included: the control's, or anybody's who works for them.
static std::vector<int> locked(bool by_control)
{
	pg::As as(pg::caller(), 0);  // pg_locks is for everybody; the pinned path is what we want
	pg::Spi spi;
	std::vector<int> runs;
	for (const pg::Row &row : spi.rows(
	         "SELECT DISTINCT l.objid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.database = $1::oid AND l.classid = 0"
	         " AND l.objsubid = $2::int AND l.granted AND (l.mode = 'ShareUpdateExclusiveLock' OR NOT $3::bool)",
	         {std::to_string(MyDatabaseId), std::to_string(ours), by_control ? "t" : "f"}))
		runs.push_back(std::stoi(*row[0]));
	return runs;
}

bool alive(int run)
{
	std::vector<int> runs = locked(true);
	return std::find(runs.begin(), runs.end(), run) != runs.end();
}

bool worked_for(int run)
{
	std::vector<int> runs = locked(false);
	return std::find(runs.begin(), runs.end(), run) != runs.end();
}

bool alone()
{
	bool got = pg::call([] {
		LOCKTAG tag = tag_of(0, 1);
		return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
	});
	if (!got) return false;
	std::vector<int> runs = locked(true);
	return std::all_of(runs.begin(), runs.end(), to_be_released);
}

void release(int run)
{
	std::vector<int> mine;
	{
		pg::As as(pg::caller(), 0);
		pg::Spi spi;
		for (const pg::Row &row :
		    spi.rows("SELECT l.objid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.database = $1::oid AND l.classid = 0 "
		             "AND l.objid = $2::oid"
		             " AND l.objsubid = $3::int AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid = pg_backend_pid()",
		        {std::to_string(MyDatabaseId), std::to_string(run), std::to_string(ours)}))
			mine.push_back(std::stoi(*row[0]));
	}
	if (!mine.empty()) pg::call([=] { remember(run, true); });
}

int discard(const pg::Extension &extension, int run, int ms)
{
	pg::AsExtension as(extension);
	std::uint64_t ended = 0;
	{
		pg::Spi spi;
		// Not those who discard it too: they are waited for.
		ended = spi.run(
		    "SELECT pg_terminate_backend(l.pid) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND database "
		    "= $1::oid AND classid = 0"
		    " AND objid = $2::oid AND objsubid = $3::int AND granted AND mode <> 'ExclusiveLock' AND pid <> pg_backend_pid()) l",
		    {std::to_string(MyDatabaseId), std::to_string(run), std::to_string(ours)});
	}
	pg::Settings settings;
	settings.set("lock_timeout", std::to_string(ms));
	pg::call([=] {
		LOCKTAG tag = tag_of(run);
		(void)LockAcquire(&tag, ExclusiveLock, false, false);
	});
	return static_cast<int>(ended);
}

}  // namespace run_lock

// ---- All locks or none ----
// TOAST tables first (a vacuum against wraparound does not give way there), then tables that stay, originals last: from the first request
// for an original on, new readers queue behind us. The subtransaction's rollback releases what a failed try got; whatever the
// transaction did before stays.
struct Entry {
	Oid relation;
	LOCKMODE mode;
	Oid table;
};  // table: whose TOAST table it is, or itself

static Oid toast_of(Oid relation)
{
	HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(t)) return InvalidOid;
	Oid toast = reinterpret_cast<Form_pg_class>(GETSTRUCT(t))->reltoastrelid;
	ReleaseSysCache(t);
	return toast;
}

static std::vector<Entry> in_order(const std::vector<Wanted> &wanted)
{
	std::vector<Entry> list;
	for (const Wanted &want : wanted) {
		Oid relation = want.relation;
		list.push_back({relation, static_cast<LOCKMODE>(want.strength), relation});
		if (want.strength < Strength::exclusive) continue;
		if (Oid toast = pg::call([=] { return toast_of(relation); }); OidIsValid(toast))
			list.push_back({toast, ShareUpdateExclusiveLock, relation});
	}
	// The strongest one of a relation only: to ask for more later is how deadlocks are made.
	std::sort(list.begin(), list.end(),
	    [](const Entry &a, const Entry &b) { return std::pair(a.relation, -a.mode) < std::pair(b.relation, -b.mode); });
	list.erase(std::unique(list.begin(), list.end(), [](const Entry &a, const Entry &b) { return a.relation == b.relation; }),
	    list.end());
	std::sort(list.begin(), list.end(),
	    [](const Entry &a, const Entry &b) { return std::pair(a.mode, a.relation) < std::pair(b.mode, b.relation); });
	return list;
}

static void lock_all(const Entry *list, int n, int ms, volatile int *at)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
	(void)set_config_option("deadlock_timeout", "10ms", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < n; i++) {
		*at = i;
		if (ConditionalLockRelationOid(list[i].relation, list[i].mode)) continue;
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
		if (left <= 0) pg::raise(ERRCODE_LOCK_NOT_AVAILABLE, "the locks took too long");
		(void)set_config_option(
		    "lock_timeout", psprintf("%ld", left), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		LockRelationOid(list[i].relation, list[i].mode);
	}
	for (int i = 0; i < n; i++) {  // VACUUM FULL may have given a table another TOAST table meanwhile
		if (list[i].mode < ExclusiveLock) continue;
		*at = i;
		Oid toast = toast_of(list[i].relation);
		bool have = !OidIsValid(toast);
		for (int k = 0; k < n && list[k].mode < ExclusiveLock; k++) have |= list[k].relation == toast;
		if (!have) pg::raise(ERRCODE_LOCK_NOT_AVAILABLE, "a TOAST table changed");
	}
}

// Asked as the caller: pg_stat_activity then shows him what he may see of others' queries. A prepared transaction has no pid, but its
// transactionid lock shares the virtualtransaction of its other locks. Who came after the try began was not in its way: after it, everybody
// who had queued behind us holds the lock.
static constexpr const char *who_is_there = R"(
SELECT coalesce(jsonb_agg(h ORDER BY h ->> 'since'), '[]') FROM (
  SELECT DISTINCT jsonb_build_object('pid', l.pid, 'role', a.usename, 'application', coalesce(nullif(a.application_name, ''), nullif(a.backend_type, 'client backend')),
         'state', a.state, 'since', a.xact_start, 'query', a.query, 'prepared', p.gid, 'mode', l.mode, 'granted', l.granted) AS h
    FROM pg_locks l
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_locks x ON l.pid IS NULL AND x.virtualtransaction = l.virtualtransaction AND x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock'
    LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
   WHERE l.locktype = 'relation' AND l.relation = $1::oid AND l.database = $2::oid AND l.pid IS DISTINCT FROM pg_backend_pid()
     AND ($3::int = 8 OR l.mode <> 'AccessShareLock') AND ($3::int >= 7 OR l.mode <> 'RowShareLock') AND ($3::int <> 4 OR l.mode <> 'RowExclusiveLock') AND ($3::int <> 5 OR l.mode <> 'ShareLock')
     AND ($3::int <> 1 OR l.mode = 'AccessExclusiveLock')
     AND (a.xact_start IS NULL OR a.xact_start <= to_timestamp($4::float8))) x)";

static Holders holders_of(const Entry &entry, TimestampTz since, bool deadlock)
{
	Holders out{sql_name(entry.table), deadlock, "[]"};
	double epoch =
	    static_cast<double>(since) / USECS_PER_SEC + static_cast<double>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	pg::As as(pg::caller(), 0);
	pg::Spi spi;
	out.json =
	    spi.one(who_is_there,
	           {std::to_string(entry.relation), std::to_string(MyDatabaseId), std::to_string(entry.mode), std::to_string(epoch)})
	        .value_or("[]");
	return out;
}

std::optional<Holders> try_locks(const std::vector<Wanted> &wanted, int ms, Then then)
{
	std::vector<Entry> list = in_order(wanted);
	const Entry *entries = list.data();
	int n = static_cast<int>(list.size());
	volatile int at = 0, *where = &at;
	bool deadlock = false, *was_deadlock = &deadlock;
	TimestampTz began = GetCurrentTimestamp();
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	try {
		pg::call([=] {
			BeginInternalSubTransaction(nullptr);
			lock_all(entries, n, ms, where);
			if (then == Then::let_go)
				RollbackAndReleaseCurrentSubTransaction();
			else
				ReleaseCurrentSubTransaction();  // settings of the try end here, the locks go to the parent
			MemoryContextSwitchTo(context), CurrentResourceOwner = owner;
		});
		return std::nullopt;
	} catch (const pg::InFlight &) {  // the one place that may swallow it: its subtransaction is rolled back
		pg::call([=] {
			MemoryContextSwitchTo(context);
			ErrorData *e = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context), CurrentResourceOwner = owner;
			if (e->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && e->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED) ReThrowError(e);
			*was_deadlock = e->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
			FreeErrorData(e);
		});
	}
	return holders_of(list.at(static_cast<std::size_t>(at)), began, deadlock);
}

}  // namespace prodsync
