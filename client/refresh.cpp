#include "refresh.hpp"
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include "../extension/core/statements.hpp"
#include "fault_point.hpp"
#include "schedule.hpp"
#include "session.hpp"
#include "switch.hpp"
#include "worker.hpp"

namespace client {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

struct Started {
	int run = 0;
	std::vector<std::pair<int, std::string>> afterwards;    // steps of kind refresh and clean, in order: (step, relation, empty for clean)
};

// Materialized views; in place, at last, the files of the statistics.
bool afterwards(const std::string &kind) { return kind == "refresh" || kind == "clean"; }

Started start(Prepared &prepared, const RefreshOptions &options)
{
	// One transaction: where the target's steps are others than ours, there is no run.
	Connection &target = *prepared.target;
	target.exec("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	Result rows = exec_that_reads_catalog(target,
		"SELECT run, step, kind, relation, format, columns, filter FROM " +
			prepared.extension.call("sync_start($1::pg_catalog.jsonb, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb) ORDER BY step"),
		{options.shared_config.dump(), prepared.source_document.dump(), prepared.answers.to_json().dump()});
	Started started;
	std::size_t same = 0;
	bool equal = true;
	for (int r = 0; r < rows.rows(); ++r) {
		started.run = static_cast<int>(rows.number(r, 0));
		const int step = static_cast<int>(rows.number(r, 1));
		const std::string kind = rows.text(r, 2), relation = rows.text(r, 3);
		if (afterwards(kind)) {
			started.afterwards.emplace_back(step, relation);
			continue;
		}
		const core::Step *ours = same < prepared.plan.steps.size() ? &prepared.plan.steps[same] : nullptr;
		equal = equal && ours && ours->step == step && ours->kind == kind && (ours->relation.empty() ? "" : ours->relation.sql()) == relation;
		if (equal && kind == "load") {
			const core::json item = core::Plan::step_json(*ours);
			equal = rows.text(r, 4) == item["format"].get<std::string>() && core::json::parse(rows.text(r, 5), nullptr, false) == item["columns"] &&
				(rows.null(r, 6) ? "" : rows.text(r, 6)) == ours->filter;
		}
		++same;
	}
	const auto wanted = std::count_if(
	    prepared.plan.steps.begin(), prepared.plan.steps.end(), [](const core::Step &s) { return !afterwards(s.kind); });
	if (!equal || same != static_cast<std::size_t>(wanted))
		throw Error(exit_refused, options.target.label + " would do other steps than this client planned; nothing was changed",
			"its schema was changed this minute, or client and extension are not the same build: run it again");
	FAULT_POINT("start not committed");
	target.exec("COMMIT");
	return started;
}

std::vector<std::unique_ptr<Worker>> open_workers(
    const RefreshOptions &options, const Prepared &prepared, IdMaps &maps, std::vector<std::string> &warnings)
{
	std::vector<std::unique_ptr<Worker>> workers;
	const int wanted = std::min(prepared.jobs, std::max(static_cast<int>(prepared.plan.steps.size()), 1));
	while (static_cast<int>(workers.size()) < wanted) {
		try {
			workers.push_back(std::make_unique<Worker>(options, prepared, maps));
		} catch (Error &error) {
			if (workers.empty() || error.sqlstate != "53300") throw;
			warnings.push_back("only " + std::to_string(workers.size()) + " of " + std::to_string(wanted) +
			    " connections could be opened: " + error.what());
			break;
		}
	}
	return workers;
}

// In place, while writers are held, whoever waits to change or truncate such a table waits for us, and what we ask for there queues behind him: a circle
// that no server sees, for one side of it is in this process. limit_lock_waits() ended that wait. `at`: whose rows we were at; it may be this table or
// one that it references.
Error waited_too_long(const RefreshOptions &options, const std::string &at, const Error &error)
{
	return Error(exit_refused,
	    "somebody holds, or waits to change or truncate, " + at + ", and this run for him; nothing was changed",
	    "whoever changes a table of " + options.target.label +
	        " during the run waits for its end, and it for him: run it again when he is done",
	    {}, error.sqlstate);
}

template <class F> auto without_circles(const RefreshOptions &options, const std::string &at, F work)
{
	try {
		return work();
	} catch (Error &error) {
		if (!options.config.choice.in_place || error.sqlstate != "55P03") throw;
		throw waited_too_long(options, at, error);
	}
}

// In the session that switches: the server keeps the plans of its statements there, which then need not be made under the locks.
void preflight(const RefreshOptions &options, Prepared &prepared, int run)
{
	// In place that session is in the transaction that makes writers wait.
	std::unique_ptr<Connection> beside;
	if (options.config.choice.in_place) {
		beside = std::make_unique<Connection>(options.target);
		settle(*beside, core::target_settings(beside->server()));
		beside->names(shown_names(prepared.target_catalog));
		limit_lock_waits(*beside);
	}
	Connection &target = beside ? *beside : *prepared.target;
	for (const core::Step &step : prepared.plan.steps) {
		if (step.kind != "preflight") continue;
		target.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE");
		without_circles(options, "a table that is rewritten", [&] {
			return target.exec("SELECT " + prepared.extension.call("sync_step($1::pg_catalog.int4, $2::pg_catalog.int4)"),
			    {std::to_string(run), std::to_string(step.step)});
		});
		target.exec("COMMIT");
	}
}

void work_off(const RefreshOptions &options, Prepared &prepared, int run, std::vector<std::unique_ptr<Worker>> &workers,
    Progress &progress, RefreshResult &result)
{
	std::vector<core::Step> steps;
	std::copy_if(prepared.plan.steps.begin(), prepared.plan.steps.end(), std::back_inserter(steps),
	    [](const core::Step &s) { return !afterwards(s.kind) && s.kind != "preflight"; });
	std::mutex mutex;
	std::map<core::Name, TableResult> tables;
	progress.begin(steps);
	Workers doing;
	doing.jobs = static_cast<int>(workers.size());
	// Without the control session nothing can be switched: no need to find that out at the end.
	doing.stop = [&] { return interrupt::interrupted() || !prepared.target->alive(); };
	doing.cancel = [&] {
		for (const auto &worker : workers) worker->cancel();
	};
	std::atomic<int> busy = 0;
	doing.work = [&](int number, const core::Step &step) {
		const auto begun = Clock::now();
		const bool alone = ++busy < doing.jobs || doing.jobs == 1;
		const auto [rows, bytes] = without_circles(options, step.table.empty() ? "a table" : step.table.shown() + " or a table that it references",
			[&] { return workers[static_cast<std::size_t>(number)]->work(run, step, progress, alone); });
		--busy;
		if (step.kind != "load") return;
		std::lock_guard lock(mutex);
		TableResult &table = tables[step.table];
		table.table = step.table;
		table.rows += rows, table.bytes += bytes, table.seconds += since(begun);
	};
	if (!run_steps(steps, doing)) {
		interrupt::check();
		throw prepared.target->error(nullptr);
	}
	for (auto &[name, table] : tables) {
		result.total_rows += table.rows;
		result.total_bytes += table.bytes;
		result.tables.push_back(std::move(table));
	}
}

// Best effort, after an error: what the run made is dropped now, or by the next command. Never an error of its own (E9).
bool discard_after(const RefreshOptions &options, Prepared &prepared, int run, const std::string &reason) noexcept
{
	try {
		interrupt::Hold hold(interrupt::Hold::For::cleanup);
		if (prepared.target) prepared.target->rollback();
		if (!prepared.target || !prepared.target->usable()) {
			prepared.target = std::make_unique<Connection>(options.target);
			settle(*prepared.target, core::target_settings(prepared.target->server()));
		}
		discard(*prepared.target, prepared.extension, run, reason);
		return true;
	} catch (...) {
		return false;
	}
}

void refresh_view(Connection &target, const Extension &extension, int run, int step)
{
	target.exec("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	target.exec("SELECT " + extension.call("sync_step($1::pg_catalog.int4, $2::pg_catalog.int4)"), {std::to_string(run), std::to_string(step)});
	target.exec("COMMIT");
}

// Of a step's relation, which is written as SQL.
std::string shown(const std::string &written) { return written.starts_with("public.") ? written.substr(7) : written; }

void follow_up(Prepared &prepared, const Started &started, Progress &progress, RefreshResult &result)
{
	Connection &target = *prepared.target;
	for (const auto &[step, written] : started.afterwards) {
		const std::string relation = shown(written);
		try {
			progress.waiting(relation.empty() ? "statistics" : "materialized view " + relation);
			refresh_view(target, prepared.extension, started.run, step);
		} catch (std::exception &error) {
			target.rollback();
			if (relation.empty())
				result.afterwards.push_back(
				    std::string("the files of the statistics were not written anew, and may hold raw values: ") + error.what() +
				    "; as a superuser: VACUUM FULL pg_statistic; VACUUM FULL pg_statistic_ext_data");
			else
				result.afterwards.push_back("materialized view " + relation + " was not refreshed: " + error.what() +
				    "; when that is mended: REFRESH MATERIALIZED VIEW " + written);
			if (interrupt::interrupted()) return;
		}
	}
	try {
		progress.waiting("dropping the old storage");
		FAULT_POINT("before the old storage is dropped");
		discard(target, prepared.extension, started.run);
	} catch (std::exception &error) {
		target.rollback();
		result.afterwards.push_back(std::string("the old storage was not dropped: ") + error.what());
	}
	progress.waiting("");
}

}  // namespace

void discard(Connection &target, const Extension &extension, std::optional<int> run, const std::string &reason)
{
	const Params params{run ? std::optional(std::to_string(*run)) : std::nullopt, reason.empty() ? std::nullopt : std::optional(scrub(reason))};
	while (target.exec("SELECT " + extension.call("sync_discard($1::pg_catalog.int4, $2::pg_catalog.text)"), params).number(0, 0) > 0) {}
}

Finished finish_dead_runs(Connection &target, const Extension &extension, const std::string &reason, std::optional<int> run)
{
	// Whoever works for a run holds its lock, an advisory one with a fourth field of 0x7073.
	Result owed = target.exec("SELECT s.run, s.step, s.relation, r.role = current_user, r.role FROM " +
	        extension.call("sync_run_steps") + " s JOIN " + extension.call("sync_runs") +
	        " r USING (run) WHERE (r.status = 'switched' OR (r.status = 'done' AND r.kind = 'anonymize')) AND "
	        "($1::pg_catalog.int4 IS NULL OR r.run = $1::pg_catalog.int4) AND s.kind IN ('refresh', 'clean') AND s.status = "
	        "'waiting' AND NOT EXISTS"
	        " (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 28787 AND l.objid = "
	        "r.run::pg_catalog.oid AND l.database ="
	        " (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())) ORDER BY s.run, "
	        "s.step",
	    {run ? std::optional(std::to_string(*run)) : std::nullopt});
	Finished finished;
	for (int r = 0; r < owed.rows(); ++r) {
		const int of_run = static_cast<int>(owed.number(r, 0));
		const std::string relation = owed.text(r, 2);    // empty: the step that writes the statistics anew
		const std::string what = relation.empty() ? "the files of the statistics" : "materialized view " + shown(relation);
		try {
			if (owed.text(r, 3) != "t")
				throw Error(exit_other,
				    "the run was of the role " + owed.text(r, 4) + "; " +
				        (relation.empty() ? "VACUUM FULL pg_statistic, pg_statistic_ext_data" : "REFRESH MATERIALIZED VIEW " + relation) +
				        " does it");
			refresh_view(target, extension, of_run, static_cast<int>(owed.number(r, 1)));
			finished.done.emplace_back(of_run, what + (relation.empty() ? " are written anew" : " is refreshed"));
		} catch (std::exception &error) {
			target.rollback();
			finished.failed.push_back(what + (relation.empty() ? " were not written anew: " : " was not refreshed: ") + error.what());
			if (interrupt::interrupted()) return finished;
		}
	}
	discard(target, extension, run, reason);
	return finished;
}

std::vector<CheckResult> check_results(const Result &result)
{
	std::vector<CheckResult> out;
	for (int r = 0; r < result.rows(); ++r) {
		core::json detail = result.null(r, 3) ? core::json() : core::json::parse(result.text(r, 3), nullptr, false);
		if (detail.is_discarded()) detail = nullptr;
		out.push_back({result.text(r, 0), result.text(r, 1), result.number(r, 2), std::move(detail), result.text(r, 4) == "t"});
	}
	return out;
}

RefreshResult refresh(const RefreshOptions &options, Prepared &prepared, Progress &progress)
{
	refuse_problems(prepared.plan);
	RefreshResult result;
	result.rehearsed = options.rehearse;
	prepared.target->names(shown_names(prepared.target_catalog));
	IdMaps maps(prepared.answers);
	auto workers = open_workers(options, prepared, maps, result.warnings);    // before there is anything to be cleaned up
	const auto begun = Clock::now();
	Started started;
	try {
		for (std::string &left : finish_dead_runs(*prepared.target, prepared.extension).failed) result.warnings.push_back(std::move(left));
		FAULT_POINT("before the start");
		started = start(prepared, options);
		result.run = started.run;
		FAULT_POINT("started");
		if (options.config.choice.in_place && !options.rehearse) hold_writers(options, prepared, started.run, progress);
		work_off(options, prepared, started.run, workers, progress, result);
		FAULT_POINT("steps done");
		// Production is done with: nothing of it is held while we look at the target, or wait for testers.
		workers.clear();
		prepared.source.reset();
		progress.waiting("preflight");
		FAULT_POINT("before the preflight");
		preflight(options, prepared, started.run);
		if (options.rehearse) {
			result.seconds = since(begun);
			progress.end();
			if (!discard_after(options, prepared, started.run, {}))
				result.warnings.push_back("what the rehearsal loaded could not be dropped now; prodsync clean does it");
			return result;
		}
		progress.waiting("switching");
		FAULT_POINT("before the switch");
		Switched switched = switch_over(options, prepared, started.run, progress);
		result.checks = std::move(switched.checks);
		result.switch_seconds = switched.seconds;
		result.switch_tries = switched.tries;
		result.seconds = since(begun);
	} catch (std::exception &caught) {
		progress.end();
		auto *known = dynamic_cast<Error *>(&caught);
		Error error = known ? *known : Error(exit_other, caught.what());
		workers.clear();
		prepared.source.reset();
		// Unknown: if it was committed, the shadows hold the old storage, and the next command sees by itself what they are.
		if (started.run && error.exit_code != exit_unknown && !discard_after(options, prepared, started.run, error.what()))
			error.hint += std::string(error.hint.empty() ? "" : "; ") + "what run " + std::to_string(started.run) +
			    " has loaded is dropped by the next run, or by prodsync clean";
		throw error;
	}
	FAULT_POINT("before the clean-up");
	follow_up(prepared, started, progress, result);
	FAULT_POINT("cleaned up");
	progress.end();
	return result;
}

}  // namespace client
