// A refresh from the plan to the report: start, steps, switch, what follows.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>
#include "plan_run.hpp"
#include "progress.hpp"

namespace client {

struct TableResult {
	core::Name table;                            // logical table: leaves are added up
	std::int64_t rows = 0, bytes = 0;            // as they came from the source
	double seconds = 0;                          // of its loads, added up
};

struct CheckResult {                             // a row of sync_switch(), sync_check()
	std::string name, object;
	std::int64_t violations = 0;
	core::json detail;                           // null where there is none
	bool ok = true;
};

struct RefreshResult {
	int run = 0;
	bool rehearsed = false;                      // nothing was switched
	std::vector<TableResult> tables;             // by name; only those that rows were loaded into
	std::int64_t total_rows = 0, total_bytes = 0;
	double seconds = 0;                          // from sync_start() to the COMMIT of the switch
	double switch_seconds = 0;                   // the try that went through, with its COMMIT: the longest that anybody waited
	int switch_tries = 0;
	std::vector<CheckResult> checks;
	std::vector<std::string> warnings;
	// Refreshed, but this failed afterwards (materialized views, clean-up): exit 10.
	std::vector<std::string> afterwards;
};

// Throws Error where the target was not changed (exit 1 to 7) or nobody knows (9); after the COMMIT it returns.
// The plan must be free of problems.
RefreshResult refresh(const RefreshOptions &options, Prepared &prepared, Progress &progress);

// sync_discard(NULL or a run) until nothing is left; each call is a transaction of its own and drops a hundred tables.
void discard(Connection &target, const Extension &extension, std::optional<int> run = {}, const std::string &reason = {});
// What clients that died left behind. One that died after the COMMIT of its switch still owed its materialized views, and the files of the
// statistics where it masked in place: that is done now.
// `run`: this one only, whoever works for it.
struct Finished {
	std::vector<std::pair<int, std::string>> done;    // (run, what, as people read it)
	std::vector<std::string> failed;                  // what could not be done, and why
};
Finished finish_dead_runs(Connection &target, const Extension &extension, const std::string &reason = {}, std::optional<int> run = {});
std::vector<CheckResult> check_results(const Result &result);

}  // namespace client
