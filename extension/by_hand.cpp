#include "by_hand.hpp"
#include "core/in_place.hpp"
#include "environment.hpp"
#include "inputs.hpp"
#include "refresh.hpp"
#include "shadow.hpp"
#include "pg_server.hpp"
extern "C" {
#include "commands/trigger.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace prodsync {

core::Config stored_config(const pg::Extension &extension)
{
	if (std::optional<core::Config> config = current_config(extension)) {
		refuse_foreign_text(extension);
		return *config;
	}
	throw pg::Error(PS_PROBLEMS, "this database has no configuration yet", {},
	    "Give one, for example: SELECT sync_configure('{\"tenants\": {\"table\": \"tenant\", \"keep\": \"name LIKE "
	    "''test%''\"}}'), or let a refresh by the client store its own.");
}

std::unique_ptr<Refresh> refresh_by_hand(const pg::Extension &extension, const char *function, const core::Choice &choice)
{
	pg::forget_plans();    // they name the shadows of the run before
	pg::prevent_in_read_only(function);
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, std::string(function) + " has to see what was committed a moment ago",
		    {}, "Call it in an ordinary (READ COMMITTED) transaction.");
	require_refreshable(extension);
	if (!run_lock::alone())
		throw pg::Error(PS_REFUSED,
		    "another refresh, sync_clear(), sync_remap_users() or sync_anonymize() is at work in this database", {},
		    "SELECT * FROM sync_runs tells which; wait for its end.");
	Documents documents;
	documents.config = stored_config(extension);
	documents.config.choice = choice;
	if (choice.in_place) documents.config = core::in_place(std::move(documents.config));
	documents.fingerprint = fingerprint(extension);    // before the catalog is read: compared under the locks
	documents.target = core::Catalog::parse(target_document(extension));
	auto refresh = make_refresh(extension, 0, std::move(documents));
	std::vector<core::Problem> problems, warnings;
	refresh->graph = core::Graph::build(refresh->documents.config, refresh->documents.target, problems, warnings);
	refuse_problems(problems);
	return refresh;
}

static void refuse_pending_events(const std::vector<Wanted> &wanted)
{
	for (const Wanted &want : wanted) {
		if (want.strength != Strength::access_exclusive || !AfterTriggerPendingOnRel(want.relation)) continue;
		throw pg::Error(PS_REFUSED, sql_name(want.relation) + " has pending trigger events in this transaction", {},
						"SET LOCAL session_replication_role = replica before importing, or SET CONSTRAINTS ALL IMMEDIATE before this call.");
	}
}

static void pause(long ms)
{
	pg::call([=] {
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	});
}

void lock_by_hand(const Refresh &refresh, const std::vector<Wanted> &wanted)
{
	refuse_pending_events(wanted);
	std::optional<Holders> holders;
	for (long waited = 0, step = 100; waited < 60'000; waited += step, step = std::min(step * 2, 2'000L)) {
		holders = try_locks(wanted, 100);
		if (!holders) {
			if (fingerprint(refresh.extension) != refresh.documents.fingerprint)
				throw pg::Error(PS_STALE, "the schema was changed while the locks were waited for", {}, "Nothing was changed. Call it again.");
			return;
		}
		pause(step);
	}
	throw pg::Error(PS_LOCKED, holders->relation + " is in use", holders->json, "Nothing was changed. DETAIL says who holds it.");
}

void make_shadows(Refresh &refresh, const std::string &kind, const std::vector<core::Name> &tables)
{
	refresh.run = ledger::open(refresh.extension, kind, refresh.config().to_json(), core::json(), core::json(),
	    fingerprint(refresh.extension), {}, refresh.catalog());
	for (const core::Name &table : tables)
		for (const core::Relation *leaf : refresh.catalog().storage(table)) {
			Oid original = static_cast<Oid>(leaf->oid), shadow = create_shadow(refresh.extension, refresh.run, original);
			refresh.shadows[original] = shadow;
			ledger::remember_shadow(refresh.extension, refresh.run, original, shadow);
		}
}

void build_indexes(const Refresh &refresh)
{
	for (const auto &[original, shadow] : refresh.shadows)
		for (Oid index : indexes_of(original)) {
			build_index(refresh.extension, shadow, index);
			pg::check_interrupts();
		}
}

void finish_by_hand(const Refresh &refresh)
{
	for (const auto &[original, shadow] : refresh.shadows) drop_shadow(refresh.extension, shadow);
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	spi.run("DELETE FROM prodsync_work.shadow WHERE run = $1::int", {std::to_string(refresh.run)});
	spi.run("DELETE FROM prodsync_work.used_key WHERE run = $1::int", {std::to_string(refresh.run)});
	spi.run("UPDATE prodsync_work.run SET status = 'done', switched = clock_timestamp(), ended = clock_timestamp(), documents = "
	        "NULL WHERE run = $1::int",
	    {std::to_string(refresh.run)});
}

}  // namespace prodsync
