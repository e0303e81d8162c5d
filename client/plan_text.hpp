// The plan as people read it: who is who, what is kept, what becomes of each table, what disappears, what it takes, what to type next.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "plan_run.hpp"

namespace client {

struct DatabaseView {  // one line of the header
	std::string name, database, host, role;
	int server = 0;
	std::string label;  // target only: `label "uat", refreshable`
	std::int64_t bytes = 0;
	std::size_t tables = 0;
	bool refreshable = true;
};

struct PlanView {
	DatabaseView source, target;
	const core::Config &config;
	const core::Answers &answers;
	const core::Catalog &source_catalog, &target_catalog;
	const core::Plan &plan;
	std::vector<std::string> warnings;  // of the guard
	int jobs = 2;
	std::string next;  // "prodsync sync --from production --to uat"
};

PlanView plan_view(const RefreshOptions &options, const Prepared &prepared, const std::string &next);

// What the target loses and what moves, in numbers.
struct Losses {
	std::int64_t tenants = 0;  // -1: there are no tenants in the configuration
	std::int64_t rows = 0;     // estimate
	std::int64_t kept_rows = 0;
	std::map<std::int64_t, std::string> reserved_from;  // start of a range that kept ids move into -> type; empty: nothing moves
};
Losses losses(const PlanView &view);

// `tables`: how many lines the list of tables may have at most; 0: all of them. The problems are not in it: they are the error.
std::string plan_text(const PlanView &view, std::size_t tables);
// "Will disappear from uat: ...": what somebody has to know before saying yes.
std::string losses_text(const PlanView &view);
std::vector<std::string> warning_texts(const PlanView &view);
double estimated_seconds(const core::Plan &plan, int jobs);

}  // namespace client
