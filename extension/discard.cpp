// Discarding never races with a late commit: it takes the run's lock exclusively, and a step holds it to its very end (S9). Who holds it is
// ended first, but for the calling session: it may be the one that controls the run, and its own locks do not conflict.
#include "ledger.hpp"
#include "discard.hpp"
#include "environment.hpp"
#include "fault_point.hpp"
#include "locks.hpp"
#include "shadow.hpp"
#include "statistics.hpp"

namespace prodsync {

// How long sessions may take to end; a COPY or an index build notices within milliseconds.
static constexpr int wait_ms = 10'000;

// The last thing that a refresh owes: its switch brings the statistics of tables along, those of whole trees and of CREATE STATISTICS would say of rows that
// are gone what they were. (In place a step of its own does it.) Nobody who works in the tables is waited for long.
static void finish_statistics(const pg::Extension &extension, int run)
{
	pg::Settings settings;
	settings.set("lock_timeout", "2s");
	gather_statistics_of(extension, run);
}

int discard_run(const pg::Extension &extension, int run, const std::string &reason, int &budget)
{
	(void)run_lock::discard(extension, run, wait_ms);
	std::string status, kind, number = std::to_string(run);
	std::vector<pg::Row> some;
	FAULT_POINT("clean-up begins");
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		for (const pg::Row &row : spi.rows("SELECT status, kind FROM prodsync_work.run WHERE run = $1::int FOR UPDATE", {number}))
			status = *row[0], kind = *row[1];
		if (status != "started" && status != "switched") return 0;
		// Partitions before their root, which would take all of them with it at once.
		some = spi.rows("SELECT shadow FROM prodsync_work.shadow WHERE run = $1::int ORDER BY shadow DESC LIMIT $2::int",
		    {number, std::to_string(budget)});
	}
	for (const pg::Row &row : some) {
		drop_shadow(extension, static_cast<Oid>(std::stoul(*row[0])));
		pg::check_interrupts();
	}
	int left = 0;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		for (const pg::Row &row : some)
			spi.run("DELETE FROM prodsync_work.shadow WHERE run = $1::int AND shadow = $2::oid", {number, row[0]});
		left = std::stoi(spi.one("SELECT count(*) FROM prodsync_work.shadow WHERE run = $1::int", {number}).value_or("0"));
	}
	budget -= static_cast<int>(some.size());
	if (left > 0) return left;
	if (status == "switched" && kind == "refresh") finish_statistics(extension, run);
	ledger::set_status(extension, run, status == "switched" ? "done" : reason.empty() ? "discarded" : "failed", reason);
	run_lock::release(run);
	FAULT_POINT("clean-up ends");
	return 0;
}

int discard_dead(const pg::Extension &extension, const std::string &reason, int &budget)
{
	std::vector<pg::Row> open;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		open = spi.rows("SELECT run, status FROM prodsync_work.run WHERE status IN ('started', 'switched') ORDER BY run");
	}
	int left = 0;
	for (const pg::Row &row : open)
		// After the switch somebody else may be finishing what a dead client owed: its views.
		if (int run = std::stoi(*row[0]); !(*row[1] == "switched" ? run_lock::worked_for(run) : run_lock::alive(run)))
			left += discard_run(extension, run, reason, budget);
	return left;
}

static void require_right(const pg::Extension &extension, int run)
{
	pg::Value role;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		role = spi.one("SELECT role FROM prodsync_work.run WHERE run = $1::int", {std::to_string(run)});
	}
	if (!role) throw pg::Error(PS_REFUSED, "there is no run " + std::to_string(run), {}, "SELECT * FROM sync_runs lists them.");
	if (*role != pg::role_name(pg::caller()) && !owns_database(pg::caller()))
		throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " was started by \"" + *role + "\"", {},
		    "Only this role, the owner of the database or a superuser can discard it.");
}

PG_FUNCTION(prodsync_discard)
{
	pg::prevent_in_read_only("sync_discard()");
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "sync_discard() has to see what was committed a moment ago", {},
		    "Call it in an ordinary (READ COMMITTED) transaction.");
	pg::Extension extension = pg::extension_of(fcinfo);
	std::string reason = pg::arg_text(fcinfo, 1);
	int budget = shadows_at_once, left = 0;
	if (pg::has_arg(fcinfo, 0)) {
		int run = static_cast<int>(pg::arg_int(fcinfo, 0));
		require_right(extension, run);
		left = discard_run(extension, run, reason, budget);
	} else {
		left = discard_dead(extension, reason, budget);
	}
	PG_RETURN_INT32(left);
}

}  // namespace prodsync
