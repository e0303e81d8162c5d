// sync_hold(): whoever writes to what a run rewrites waits, from now to the end of the caller's transaction; readers go on.
//
// prodsync anonymize reads a table in one snapshot and puts what it made of it in the table's place at the switch. A row that somebody writes in
// between would be lost. SHARE is the weakest lock that no writer agrees with. It is taken before the snapshot: who has written before holds a
// lock that conflicts until his COMMIT is visible, so the snapshot sees it; who comes later waits until the switch is done, in the same
// transaction. Nothing is written here, so that the transaction, which stays open for the whole load, holds no vacuum back.
#include "ledger.hpp"
#include "locks.hpp"
#include "refresh.hpp"
#include "content.hpp"
#include "pg_server.hpp"

namespace prodsync {

PG_FUNCTION(prodsync_hold)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	const int run = static_cast<int>(pg::arg_int(fcinfo, 0)), try_ms = static_cast<int>(pg::arg_int(fcinfo, 1));
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "sync_hold() has to see what was committed a moment ago", {}, "Call it in an ordinary (READ COMMITTED) transaction.");
	const Run found = ledger::find(extension, run, pg::caller());
	if (found.status != "started" || !run_lock::step(run)) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over (" + found.status + ")");
	const Refresh &refresh = refresh_of(extension, run);
	std::vector<Wanted> wanted;
	for (const auto &[name, node] : refresh.graph.tables) {
		if (!refresh.replaced(name)) continue;
		if (node.relation->kind == 'p') wanted.push_back({refresh.oid(name), Strength::share});
		for (const core::Relation *leaf : refresh.catalog().storage(name)) wanted.push_back({static_cast<Oid>(leaf->oid), Strength::share});
	}
	if (std::optional<Holders> holders = try_locks(wanted, try_ms))
		throw pg::Error(PS_LOCKED, holders->relation + " is in use", holders->json, "Try again; DETAIL says who holds it.");
	if (fingerprint(extension) != refresh.documents.fingerprint)
		throw pg::Error(PS_STALE, "the schema was changed since the run started", {}, "Nothing was changed. Run it again.");
	PG_RETURN_VOID();
}

}  // namespace prodsync
