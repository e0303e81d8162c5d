#include "switch.hpp"
#include <poll.h>
#include <algorithm>
#include <random>
#include <thread>
#include "../extension/core/statements.hpp"
#include "fault_point.hpp"
#include "session.hpp"
#include "worker.hpp"

namespace client {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int try_ms = 100;              // shorter than any deadlock_timeout in use: no tester is ever the victim
constexpr auto cancel_time = 30s;        // how long on_lock: cancel goes on cancelling after lock_wait
constexpr auto ask_time = 60s;           // how long a server that vanished in COMMIT is asked what became of it

void pause_for(std::chrono::milliseconds time)
{
	static thread_local std::minstd_rand random{std::random_device{}()};
	auto part = time.count() / 4;
	auto ms = static_cast<int>(time.count() + std::uniform_int_distribution<long>(-part, part)(random));
	pollfd wake{interrupt::wake_fd(), POLLIN, 0};
	poll(&wake, wake.fd < 0 || interrupt::held() ? 0 : 1, ms);
	interrupt::check();
}

std::string text_of(const core::json &item, const char *key)
{
	return item.contains(key) && item[key].is_string() ? item[key].get<std::string>() : "";
}

// In the queue behind the one that is in the way.
bool waits(const core::json &holder) { return holder.contains("granted") && holder["granted"] == false; }

// Queries of others may hold values of rows.
core::json without_queries(core::json holders)
{
	for (core::json &one : holders)
		if (one.is_object()) one.erase("query");
	return holders;
}

void cancel_holders(Connection &target, const core::json &holders, std::vector<std::string> &refused)
{
	for (const core::json &one : holders) {
		if (!one.is_object() || waits(one) || !one.contains("pid") || !one["pid"].is_number_integer()) continue;
		const std::string pid = std::to_string(one["pid"].get<std::int64_t>());
		try {
			target.exec("SELECT pg_catalog.pg_cancel_backend($1::pg_catalog.int4)", {pid});
		} catch (Error &error) {
			if (error.sqlstate != "42501") throw;
			if (std::find(refused.begin(), refused.end(), pid) == refused.end()) refused.push_back(pid);
		}
	}
}

Error gave_up(const RefreshOptions &options, const Connection &target, const Error &last, const std::vector<std::string> &refused)
{
	const std::string holders = holders_text(last.items);
	std::string hint = options.on_lock == OnLock::wait
		? "end what holds it, or set a longer lock_wait, or on_lock: cancel"
		: refused.empty() ? "a cancel does not end a transaction that is idle: end the session there with pg_terminate_backend"
						  : "the role " + target.user() + " may not cancel it: GRANT pg_signal_backend TO " + core::quote_identifier(target.user());
	Error error(exit_refused,
		"did not get the locks within " + show_duration(std::chrono::duration<double>(options.lock_wait).count()) + " (lock_wait): " + last.what() +
			(holders.empty() ? "" : ", by " + holders) + "; " + options.target.label + " was not changed",
		hint, {}, last.sqlstate);
	error.items = without_queries(last.items);
	return error;
}

// "committed", "aborted" or "in progress". The ledger's row is the transaction's own: who sees it as switched knows that it was committed. By its
// transaction id we only know whether it is over: a server that crashed before it wrote anything of the transaction may have given the same
// id to another one since, or says that it is in the future (22023).
std::string outcome_of(Connection &target, const Extension &extension, int run, const std::string &xid)
{
	// A standby may be behind: what it has not heard of yet may be committed.
	if (target.one("SELECT pg_catalog.pg_is_in_recovery()") != "f") throw Error(exit_other, "the server that answers is a standby");
	std::string state;
	try {
		state = target.one("SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)", {xid}).value_or("");
	} catch (Error &error) {
		if (error.sqlstate != "22023") throw;
	}
	const auto status = target.one("SELECT status FROM " + extension.call("sync_runs") + " WHERE run = $1::pg_catalog.int4", {std::to_string(run)});
	if (!status) throw Error(exit_other, "the run is not in its ledger");
	if (*status == "switched" || *status == "done") return "committed";
	return state == "in progress" ? state : "aborted";
}

// Which of the two it became, asked until the answer is final. Returns for "committed"; the new session takes the old one's place.
void ask_outcome(const RefreshOptions &options, Prepared &prepared, int run, const std::string &xid)
{
	const std::string &label = options.target.label;
	std::string last = "nobody answered", outcome;
	auto pause = 100ms;
	FAULT_POINT("asking what became of COMMIT");
	for (auto until = Clock::now() + ask_time; Clock::now() < until; pause = next_pause(pause)) {
		try {
			auto fresh = std::make_unique<Connection>(options.target);
			settle(*fresh, core::target_settings(fresh->server()));
			while ((outcome = outcome_of(*fresh, prepared.extension, run, xid)) == "in progress" && Clock::now() < until) pause_for(200ms);
			last = outcome;
			if (outcome == "committed") {
				fresh->names(shown_names(prepared.target_catalog));
				prepared.target = std::move(fresh);
				return;
			}
		} catch (Error &error) {
			last = error.what();    // the server is on its way back, perhaps
		}
		if (outcome == "aborted")
			throw Error(exit_other,
			    "lost the connection to " + label + " in COMMIT; it was not done, " + label + " is what it was", "run it again",
			    {}, "08006");
		pause_for(pause);
	}
	throw Error(exit_unknown, "lost the connection to " + label + " in COMMIT, and could not find out whether it was done (" + last + ")",
		"when the server is back, prodsync runs says it: done or switched, or failed or started (then it was not done)", {}, "08007");
}

void commit(const RefreshOptions &options, Prepared &prepared, int run, const std::string &xid)
{
	interrupt::Hold hold(interrupt::Hold::For::commit);
	Connection &target = *prepared.target;
	try {
		Result result = target.exec("COMMIT");
		// A transaction that had failed is rolled back by COMMIT, and that is no error to the server.
		if (std::string_view(PQcmdStatus(result.get())) != "COMMIT")
			throw Error(exit_other, options.target.label + " rolled the switch back; it is what it was");
	} catch (Error &) {
		if (target.usable()) throw;    // an answer: not done
		ask_outcome(options, prepared, run, xid);
	}
	interrupt::stage(exit_afterwards);
	FAULT_POINT("COMMIT answered");
}

}  // namespace

std::chrono::milliseconds next_pause(std::chrono::milliseconds pause) { return std::min<std::chrono::milliseconds>(pause * 2, 5s); }

std::string holders_text(const core::json &holders)
{
	std::string out;
	for (const core::json &one : holders) {
		if (!one.is_object() || waits(one)) continue;
		std::string text;
		if (const std::string gid = text_of(one, "prepared"); !gid.empty()) text = "the prepared transaction \"" + gid + "\"";
		else if (one.contains("pid") && one["pid"].is_number_integer()) text = "pid " + std::to_string(one["pid"].get<std::int64_t>());
		else continue;
		std::string more;
		for (const char *key : {"role", "application", "state"})
			if (const std::string value = text_of(one, key); !value.empty()) more += (more.empty() ? "" : ", ") + value;
		out += (out.empty() ? "" : "; ") + text + (more.empty() ? "" : " (" + more + ")");
	}
	return out;
}

void hold_writers(const RefreshOptions &options, Prepared &prepared, int run, Progress &progress)
{
	Connection &target = *prepared.target;
	std::vector<std::string> refused;
	std::chrono::milliseconds pause = 100ms;
	// Should this machine vanish, its writers are not to wait for hours.
	settle(target, {"SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3"});
	const auto give_up = Clock::now() + options.lock_wait, cancel_until = give_up + cancel_time;
	for (;;) {
		interrupt::check();
		target.exec("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
		try {
			target.exec("SELECT " + prepared.extension.call("sync_hold($1::pg_catalog.int4, $2::pg_catalog.int4)"),
			    {std::to_string(run), std::to_string(try_ms)});
			break;
		} catch (Error &error) {
			if (error.sqlstate != "PS004") throw;
			target.rollback();
			const bool over = Clock::now() >= give_up, cancelling = over && options.on_lock == OnLock::cancel;
			if (over && (!cancelling || Clock::now() >= cancel_until)) throw gave_up(options, target, error, refused);
			const std::string holders = holders_text(error.items);
			progress.waiting("writers: " + std::string(error.what()) + (holders.empty() ? "" : ", by " + holders));
			if (cancelling) cancel_holders(target, error.items, refused), pause = 100ms;
		}
		pause_for(pause);
		pause = next_pause(pause);
	}
	progress.waiting("");
	FAULT_POINT("writers held");
	// Only now: whoever wrote before has committed, and whoever comes later waits.
	prepared.source->rollback();
	prepared.snapshot = prepared.source->one(core::begin_snapshot("")).value_or("");
}

Switched switch_over(const RefreshOptions &options, Prepared &prepared, int run, Progress &progress)
{
	Switched out;
	std::vector<std::string> refused;
	std::chrono::milliseconds pause = 100ms;
	const auto give_up = Clock::now() + options.lock_wait, cancel_until = give_up + cancel_time;
	const bool held = options.config.choice.in_place;    // hold_writers() has begun the transaction
	for (;;) {
		interrupt::check();
		Connection &target = *prepared.target;
		++out.tries;
		const auto begun = Clock::now();
		target.exec(held ? "SAVEPOINT try" : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
		try {
			const std::string xid = target.one("SELECT pg_catalog.pg_current_xact_id()").value_or("");    // not when everybody is locked out
			out.checks = check_results(target.exec("SELECT check_name, object, violations, detail, ok FROM " +
					prepared.extension.call("sync_switch($1::pg_catalog.int4, $2::pg_catalog.int4)"),
				{std::to_string(run), std::to_string(try_ms)}));
			progress.waiting("");
			FAULT_POINT("before COMMIT");
			commit(options, prepared, run, xid);
			out.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
			return out;
		} catch (Error &error) {
			// Not a table, but a row of one, or of the catalog, is locked, or was changed while we waited for it.
			if (error.sqlstate == "55P03" || error.sqlstate == "40P01" || error.sqlstate == "40001")
				error =
				    Error(exit_refused, "an open transaction holds a row that the switch changes, or the definition of a table",
				        {}, {}, error.sqlstate);
			else if (error.sqlstate != "PS004")
				throw;
			// Outside of any transaction: a try that waits must not hold back the vacuum.
			if (held) target.exec("ROLLBACK TO SAVEPOINT try; RELEASE SAVEPOINT try");    // in place writers go on waiting
			else target.rollback();
			const bool over = Clock::now() >= give_up, cancelling = over && options.on_lock == OnLock::cancel;
			if (over && (!cancelling || Clock::now() >= cancel_until)) throw gave_up(options, target, error, refused);
			const std::string holders = holders_text(error.items);
			progress.waiting("switch: " + std::string(error.what()) + (holders.empty() ? "" : ", by " + holders));
			if (cancelling) cancel_holders(target, error.items, refused), pause = 100ms;
		}
		pause_for(std::min<std::chrono::milliseconds>(pause,
		    std::max<std::chrono::milliseconds>(
		        std::chrono::duration_cast<std::chrono::milliseconds>(give_up - Clock::now()), 100ms)));
		pause = next_pause(pause);
	}
}

}  // namespace client
