#include "source_sql.hpp"
#include <set>
#include "core/masks.hpp"
#include "core/statements.hpp"

namespace client {
namespace {

void replace_name(std::string &text, const SourceSql &sql)
{
	if (const auto found = sql.find(text); found != sql.end()) text = found->second;
}

}  // namespace

core::Step with_sql(core::Step step, const SourceSql &sql)
{
	for (core::Transfer &transfer : step.columns) {
		replace_name(transfer.mask.when, sql);
		if (transfer.mask.strategy != core::by_production) continue;
		std::string expression = transfer.mask.text("expression");
		replace_name(expression, sql);
		transfer.mask.options["expression"] = expression;
	}
	return step;
}

void try_sql(Connection &source, const core::Plan &plan, const SourceSql &sql)
{
	std::set<std::pair<core::Name, std::string>> tried;
	for (const core::Step &step : plan.steps) {
		if (step.kind != "load") continue;
		for (const core::Transfer &transfer : with_sql(step, sql).columns) {
			const bool whole = transfer.mask.strategy == core::by_production;
			if ((!whole && transfer.mask.when.empty()) || !tried.insert({step.table, transfer.column}).second) continue;
			core::Step one = step;
			one.columns = {transfer};
			try {
				source.exec("SAVEPOINT rule");
				source.exec(core::select_from_source(one) + " LIMIT 0", {}, Show::message);
				source.exec("ROLLBACK TO SAVEPOINT rule");
				source.exec("RELEASE SAVEPOINT rule");
			} catch (Error &error) {
				if (error.sqlstate.empty()) throw;    // the connection is gone
				throw Error(exit_plan,
				    std::string("the ") + (whole ? "expression" : "condition (when)") + " of the rule for " + step.table.shown() +
				        "." + transfer.column + " does not run in " + source.endpoint().label + ": " + error.what(),
				    "it is SQL over a row of the table, as the source's role runs it with an empty search_path; functions "
				    "outside of pg_catalog need their schema",
				    {}, error.sqlstate);
			}
		}
	}
}

}  // namespace client
