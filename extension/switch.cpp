// Readers go on for most of it. What is replaced is locked against everybody for a moment, to see that nobody is in the way, and then against all but
// readers while kept rows are brought over into the shadows. Nobody can write or change the schema then, so what was found stays true. Only for
// the exchange of storage, some milliseconds, readers are kept out as well.
//
// Planning these statements takes longer than running them, so the session keeps their plans (pg::Plans::kept): a client that runs the preflight
// in the session that switches has them ready when it holds the locks.
//
// Everything under the locks is decided again: kept tenants, kept and supporting rows, collisions, keys in tables that stay, the schema itself. The
// preflight did the same in one snapshot and without locks, so that a problem is found while nobody waits.
#include "switch.hpp"
#include "fault_point.hpp"
#include "collisions.hpp"
#include "emptied.hpp"
#include "foreign_keys.hpp"
#include "give_way.hpp"
#include "hold.hpp"
#include "kept.hpp"
#include "missing.hpp"
#include "mask.hpp"
#include "place.hpp"
#include "refresh.hpp"
#include "sequences.hpp"
#include "shadow.hpp"
#include "statistics.hpp"
#include "pg_server.hpp"

namespace prodsync {

std::vector<Wanted> locks_wanted(const Refresh &refresh, Strength replaced)
{
	std::vector<Wanted> out;
	std::set<Oid> staying;
	const auto stay = [&](const core::Name &name) {    // rows of a partitioned table can be written past its root
		staying.insert(refresh.oid(name));
		for (const core::Relation *leaf : refresh.catalog().storage(name)) staying.insert(static_cast<Oid>(leaf->oid));
	};
	for (const auto &[name, node] : refresh.graph.tables) {
		if (!refresh.replaced(name)) continue;
		if (node.relation->kind == 'p') out.push_back({refresh.oid(name), Strength::share_update_exclusive});
		for (const core::Relation *leaf : refresh.catalog().storage(name)) out.push_back({static_cast<Oid>(leaf->oid), replaced});
		for (const core::Name &along : core::tables_along(refresh.graph, name))    // kept rows are found through them
			if (!refresh.replaced(along)) stay(along);
	}
	for (const core::ForeignKey *key : refresh.graph.keys) {
		if (!refresh.replaced(key->child) && holds_moving_id(refresh, *key)) stay(key->child);
		if (refresh.replaced(key->child) == refresh.replaced(key->parent)) continue;
		stay(refresh.replaced(key->child) ? key->parent : key->child);
	}
	for (const core::GenericRelation &one : refresh.graph.generic)    // objects have to be there at the end
		for (const core::ForeignKey *key : one.keys)
			if (refresh.replaced(one.table) && !refresh.replaced(key->parent)) stay(key->parent);
	for (const core::GenericRelation &one : refresh.graph.generic)    // objects' ids follow
		if (!refresh.replaced(one.table) && std::any_of(one.keys.begin(), one.keys.end(), [&](const core::ForeignKey *key) {
			    return refresh.replaced(key->parent);
		    }))
			stay(one.table);
	for (const auto &[original, shadow] : refresh.shadows) out.push_back({shadow, Strength::access_exclusive});    // under the same deadline
	for (Oid relation : staying) out.push_back({relation, Strength::share_row_exclusive});
	if (refresh.in_place()) return out;    // no sequence is set
	for (Oid sequence : sequences_to_set(refresh)) out.push_back({sequence, Strength::share_row_exclusive});
	return out;
}

void require_ok(const std::vector<Check> &checks)
{
	core::json failed = core::json::array();
	for (const Check &check : checks)
		if (!check.ok)
			failed.push_back({{"check_name", check.name}, {"object", check.object}, {"violations", check.violations},
							  {"detail", check.detail.empty() ? core::json() : core::json::parse(check.detail)}});
	if (failed.empty()) return;
	throw pg::Error(PS_CHECK,
	    std::to_string(failed.size()) + (failed.size() == 1 ? " check failed" : " checks failed") + ": " +
	        failed[0]["check_name"].get<std::string>() + " " + failed[0]["object"].get<std::string>(),
	    failed.dump(), "Nothing was changed. Every check that failed is listed.");
}

static void require_same_schema(const Refresh &refresh)
{
	if (fingerprint(refresh.extension) != refresh.documents.fingerprint)
		throw pg::Error(PS_STALE, "the target's schema was changed while the refresh was running", {}, "Nothing was changed. Run the refresh again.");
}

static void append(std::vector<Check> &to, std::vector<Check> more)
{
	for (Check &check : more) to.push_back(std::move(check));
}

// What can be found out without changing anything.
static std::vector<Check> find_out(const Refresh &refresh, [[maybe_unused]] const char *when)
{
	forget_kept(refresh);
	refresh.adopted.clear();
	collect_kept(refresh);
	FAULT_POINT(std::string(when) + ": kept rows collected");
	std::vector<Check> checks = resolve_supporting(refresh);
	let_go_of_others(refresh);
	append(checks, drop_missing(refresh));
	append(checks, adopt(refresh));
	rekey(refresh);
	FAULT_POINT(std::string(when) + ": new ids given");
	std::vector<Check> misplaced = place_kept(refresh);
	find_collisions(refresh);
	if (std::vector<Check> dropped = drop_colliding(refresh); !dropped.empty()) {
		misplaced = place_kept(refresh);    // references to what was dropped are let go of, perhaps
		append(checks, std::move(dropped));
	}
	append(checks, std::move(misplaced));
	append(checks, check_supporting(refresh));
	append(checks, check_staying(refresh));
	append(checks, check_staying_references(refresh));
	append(checks, check_collisions(refresh));
	append(checks, check_moving_keys(refresh));
	append(checks, check_brought_references(refresh));
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	append(checks, check_used_keys(sql, refresh));
	FAULT_POINT(std::string(when) + ": used keys looked up");
	return checks;
}

std::vector<Check> check_in_place(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> checks = check_used_keys(sql, refresh);
	append(checks, check_staying_tables(sql, refresh));
	append(checks, check_emptied(sql, refresh));
	return checks;
}

static std::vector<Check> switch_in_place(const Refresh &refresh, const std::function<void()> &before_exchange)
{
	std::vector<Check> checks = check_in_place(refresh);
	require_ok(checks);
	FAULT_POINT("switch: references checked");
	before_exchange();
	forget_statistics(refresh.extension, refresh.shadows);
	switch_storage(refresh.extension, {refresh.shadows.begin(), refresh.shadows.end()});
	FAULT_POINT("switch: storage exchanged");
	return checks;
}

std::vector<Check> carry_over_and_switch(const Refresh &refresh, const std::function<void()> &before_exchange, std::string *moved_by)
{
	const MaskKeptRows masks;
	std::vector<Check> checks = find_out(refresh, "switch");
	require_ok(checks);
	const GaveWay gave_way = give_way(refresh, checks);
	if (moved_by) *moved_by = gave_way.xid;
	FAULT_POINT("switch: rows gave way");
	append(checks, join_tenants(refresh));
	require_ok(checks);
	append(checks, bring_rows(refresh));
	require_ok(checks);
	FAULT_POINT("switch: rows brought");
	let_go_of_missing(refresh);
	move_staying_references(refresh);
	FAULT_POINT("switch: references moved");
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		append(checks, check_staying_tables(sql, refresh));
		append(checks, check_references_to(sql, refresh, gave_way.touched));
		append(checks, check_emptied(sql, refresh));
	}
	require_ok(checks);
	KeptSummary kept = summary(refresh);
	checks.push_back({"kept rows", "all tables", 0,
	    core::json{{"kept", kept.kept}, {"supporting", kept.supporting}, {"rekeyed", kept.rekeyed}}.dump(), true});
	std::vector<SequenceValue> sequences = sequence_values(refresh);
	FAULT_POINT("switch: references checked");
	restart(refresh.extension, sequences);
	FAULT_POINT("switch: sequences set");
	checks.push_back({"sequences", "all sequences", 0, core::json{{"set", sequences.size()}}.dump(), true});
	if (before_exchange) before_exchange();
	switch_storage(refresh.extension, {refresh.shadows.begin(), refresh.shadows.end()});
	FAULT_POINT("switch: storage exchanged");
	forget_kept(refresh);
	return checks;
}

// What the switch is going to do to rows of this database, for whoever asks before it; the switch decides again and says what it did.
static const std::set<std::string> losses{"kept rows dropped", "kept rows left out", "references let go", "rows that go away"};

static std::vector<Check> foreseen(std::vector<Check> checks)
{
	std::erase_if(checks, [](const Check &check) { return !losses.count(check.name); });
	return checks;
}

void step_preflight(const pg::Extension &extension, int run)
{
	if (!IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "the preflight reads everything in one snapshot", {},
		    "Call it in BEGIN ISOLATION LEVEL REPEATABLE READ.");
	const Refresh &refresh = refresh_of(extension, run);
	require_same_schema(refresh);    // else what is gone is an error without a word of why
	const MaskKeptRows masks;
	std::vector<Check> checks;
	if (refresh.in_place()) {
		checks = check_in_place(refresh);
	} else {
		checks = find_out(refresh, "preflight");
		append(checks, check_join_tenants(refresh));
		append(checks, check_sequences(refresh));
		forget_kept(refresh);
	}
	std::vector<Check> all = checks;
	append(all, ledger::checks(extension, run));
	require_ok(all);
	ledger::record(extension, run, foreseen(std::move(checks)));
}

static void require_finished_steps(const pg::Extension &extension, int run)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	std::string open = spi.one("SELECT count(*) FROM prodsync_work.run_step WHERE run = $1::int AND kind NOT IN ('refresh', "
	                           "'clean') AND status <> 'done'",
	                          {std::to_string(run)})
	                       .value_or("0");
	if (open != "0") throw pg::Error(PS_REFUSED, open + " steps of run " + std::to_string(run) + " are not done yet");
}

static pg::Error in_use(const Holders &holders)
{
	return pg::Error(PS_LOCKED, holders.relation + " is in use", holders.json, "Try again; DETAIL says who holds it.");
}

static void require_locks(const std::vector<Wanted> &wanted, int try_ms, Then then = Then::hold)
{
	if (std::optional<Holders> holders = try_locks(wanted, try_ms, then)) throw in_use(*holders);
}

// A transaction that has read and now wants to write waits for us, and we for it to be done with what it read: our try ends, and with it all that
// was done. Where that happens again and again, everybody is kept out from the beginning.
struct Stuck { int run, times; };
static Stuck stuck{0, 0};
static constexpr int patience = 3;

// Where the server does not wait for its disk (synchronous_commit = off, as UAT's often do), a crash could take the switch back after it
// was told as done.
static void commit_on_disk()
{
	if (synchronous_commit != SYNCHRONOUS_COMMIT_OFF) return;
	pg::call([] {
		(void)set_config_option("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	});
}

// A client that is cut off now would leave everybody locked out until TCP gives up.
static void commit_soon()
{
	pg::call([] {
		(void)set_config_option("idle_in_transaction_session_timeout", "10s", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	});
}

PG_FUNCTION(prodsync_switch)
{
	pg::prevent_in_read_only("sync_switch()");
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "the switch has to see what was committed a moment ago", {},
		    "Call it in an ordinary (READ COMMITTED) transaction.");
	pg::Extension extension = pg::extension_of(fcinfo);
	int run = static_cast<int>(pg::arg_int(fcinfo, 0)), try_ms = static_cast<int>(pg::arg_int(fcinfo, 1));
	Run found = ledger::find(extension, run, pg::caller());
	if (found.status != "started" || !run_lock::step(run))
		throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over (" + found.status + ")");
	require_finished_steps(extension, run);
	const Refresh &refresh = refresh_of(extension, run);
	if (!run_lock::alive(run))    // a crash keeps shadows, and empties the unlogged tables of what was found out
		throw pg::Error(PS_REFUSED, "the session that began run " + std::to_string(run) + " is gone", {},
		    "Discard it: SELECT sync_discard(" + std::to_string(run) + ")");
	require_same_schema(refresh);
	if (refresh.in_place()) require_writers_held(refresh);
	FAULT_POINT("switch begins");
	if (stuck.run != run) stuck = {run, 0};
	const bool readers_go_on = stuck.times < patience;
	if (readers_go_on) {
		require_locks(locks_wanted(refresh), try_ms, Then::let_go);    // else the work would be for nothing
		require_locks(locks_wanted(refresh, Strength::exclusive), try_ms);
	} else {
		require_locks(locks_wanted(refresh), try_ms);
	}
	FAULT_POINT("switch: locks got");
	// Another sync_switch() of the run may have been first: its locks are ours now.
	if (ledger::find(extension, run, pg::caller()).status != "started")
		throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is switched already");
	require_same_schema(refresh);
	FAULT_POINT("switch: schema compared");
	// A lock on a row (SELECT FOR UPDATE) or a catalog's row (an open GRANT) is no lock on the table: who waits for one holds all others meanwhile.
	std::optional<pg::Settings> limits(std::in_place);
	limits->set("lock_timeout", std::to_string(try_ms));
	limits->set("deadlock_timeout", "10ms");
	std::string moved_by;
	const auto keep_readers_out = [&] {
		if (!readers_go_on) return;
		if (std::optional<Holders> holders = try_locks(locks_wanted(refresh), try_ms)) {
			stuck.times += holders->deadlock;
			throw in_use(*holders);
		}
		FAULT_POINT("switch: readers kept out");
	};
	std::vector<Check> checks = refresh.in_place() ? switch_in_place(refresh, keep_readers_out)
	                                               : carry_over_and_switch(refresh, keep_readers_out, &moved_by);
	limits.reset();
	ledger::forget(extension, run, {losses.begin(), losses.end()});
	ledger::record(extension, run, checks);
	ledger::remember_switch(extension, run, moved_by);
	ledger::set_status(extension, run, "switched");
	commit_on_disk();
	commit_soon();
	FAULT_POINT("switch: ledger written");
	FAULT_POINT_AT_COMMIT("COMMIT begins");
	return pg::table(fcinfo, ledger::as_rows(ledger::checks(extension, run)));
}

}  // namespace prodsync
