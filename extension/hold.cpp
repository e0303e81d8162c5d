// sync_hold(): whoever writes to what a run rewrites waits, from now to the end of the caller's transaction; readers go on.
//
// prodsync anonymize reads a table in one snapshot and puts what it made of it in the table's place at the switch. A row that somebody writes in
// between would be lost. SHARE is the weakest lock that no writer agrees with. It is taken before the snapshot: who has written before holds a
// lock that conflicts until his COMMIT is visible, so the snapshot sees it; who comes later waits until the switch is done, in the same
// transaction. Nothing is written here, so that the transaction, which stays open for the whole load, holds no vacuum back.
#include "hold.hpp"
#include "ledger.hpp"
#include "locks.hpp"
#include "refresh.hpp"
#include "pg_server.hpp"
extern "C" {
#include "utils/timestamp.h"
}

namespace prodsync {

// The transaction that holds, as far as this session knows. Whether its locks are still there, a savepoint may have taken them back, is asked again.
struct Held {
	int run;
	TimestampTz transaction, since;
};
static Held held{0, 0, 0};

static std::vector<Wanted> rewritten(const Refresh &refresh)
{
	std::vector<Wanted> out;
	for (const auto &[name, node] : refresh.graph.tables) {
		if (!refresh.replaced(name)) continue;
		if (node.relation->kind == 'p') out.push_back({refresh.oid(name), Strength::share});
		for (const core::Relation *leaf : refresh.catalog().storage(name)) out.push_back({static_cast<Oid>(leaf->oid), Strength::share});
	}
	return out;
}

static bool holds_share(Oid relation)
{
	Relation table = try_relation_open(relation, AccessShareLock);
	const bool locked = table && CheckRelationLockedByMe(table, ShareLock, false);
	if (table) relation_close(table, AccessShareLock);
	return locked;
}

void require_writers_held(const Refresh &refresh)
{
	bool in_time = held.run == refresh.run && held.transaction == GetCurrentTransactionStartTimestamp();
	for (const Wanted &one : rewritten(refresh)) in_time = in_time && pg::call([relation = one.relation] { return holds_share(relation); });
	if (in_time) {
		pg::AsExtension as(refresh.extension);
		pg::Spi spi;
		in_time = !spi.one("SELECT 1 FROM prodsync_work.run_step WHERE run = $1::int AND kind = 'load' AND started < "
		                   "to_timestamp($2::float8) LIMIT 1",
		    {std::to_string(refresh.run),
		        std::to_string(static_cast<double>(held.since) / USECS_PER_SEC +
		            static_cast<double>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)});
	}
	if (!in_time)
		throw pg::Error(PS_REFUSED, "what was written since the rows of run " + std::to_string(refresh.run) + " were read would be lost", {},
			"sync_hold() comes before the first load, and sync_switch() in the same transaction.");
}

PG_FUNCTION(prodsync_hold)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	const int run = static_cast<int>(pg::arg_int(fcinfo, 0)), try_ms = static_cast<int>(pg::arg_int(fcinfo, 1));
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "sync_hold() has to see what was committed a moment ago", {},
		    "Call it in an ordinary (READ COMMITTED) transaction.");
	const Run found = ledger::find(extension, run, pg::caller());
	if (found.status != "started" || !run_lock::step(run))
		throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over (" + found.status + ")");
	const Refresh &refresh = refresh_of(extension, run);
	if (std::optional<Holders> holders = try_locks(rewritten(refresh), try_ms))
		throw pg::Error(PS_LOCKED, holders->relation + " is in use", holders->json, "Try again; DETAIL says who holds it.");
	if (fingerprint(extension) != refresh.documents.fingerprint)
		throw pg::Error(PS_STALE, "the schema was changed since the run started", {}, "Nothing was changed. Run it again.");
	held = {run, GetCurrentTransactionStartTimestamp(), GetCurrentTimestamp()};
	PG_RETURN_VOID();
}

}  // namespace prodsync
