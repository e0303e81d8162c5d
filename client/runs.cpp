// prodsync runs: the target's ledger.
#include "commands.hpp"
#include "progress.hpp"

namespace client {
namespace {

constexpr std::size_t most_tables = 20;

std::string text(const Result &rows, int row, int column) { return rows.null(row, column) ? "" : rows.text(row, column); }

core::json nullable(const Result &rows, int row, int column)
{
	return rows.null(row, column) ? core::json(nullptr) : core::json(rows.text(row, column));
}

double seconds(const Result &rows, int row, int column) { return rows.null(row, column) ? 0 : std::stod(rows.text(row, column)); }

core::json run_json(const Result &rows, int row)
{
	return {{"run", rows.number(row, 0)}, {"kind", rows.text(row, 1)}, {"status", rows.text(row, 2)}, {"role", rows.text(row, 3)},
	    {"started", rows.text(row, 5)}, {"seconds", seconds(rows, row, 6)}, {"source", nullable(rows, row, 7)},
	    {"rows", rows.number(row, 8)}, {"reason", nullable(rows, row, 9)}};
}

const std::string columns = "SELECT run, kind, status, role, pg_catalog.to_char(started, 'YYYY-MM-DD HH24:MI:SS'),"
                            " pg_catalog.to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
                            " extract(epoch FROM coalesce(ended, pg_catalog.clock_timestamp()) - started)::numeric(12,3)::text,"
                            " source_database, coalesce(rows, 0)::text, reason FROM ";

// Steps and checks of one run.
void add_details(Outcome &outcome, Target &target, const std::string &run)
{
	const auto steps = target.connection.exec("SELECT step, kind, relation, status, coalesce(rows, 0)::text, "
	                                          "coalesce(extract(epoch FROM ended - started), 0)::numeric(12,3)::text FROM " +
	        target.extension.call("sync_run_steps") + " WHERE run = $1::integer ORDER BY rows DESC NULLS LAST, relation, step",
	    {run}, Show::message);
	TextTable table({"table", ">rows", ">took", ""});
	std::size_t loads = 0, others = 0, waiting = 0;
	auto list_of_steps = core::json::array();
	for (int i = 0; i < steps.rows(); ++i) {
		list_of_steps.push_back({{"step", steps.number(i, 0)}, {"kind", steps.text(i, 1)}, {"relation", steps.text(i, 2)},
		    {"status", steps.text(i, 3)}, {"rows", steps.number(i, 4)}, {"seconds", seconds(steps, i, 5)}});
		waiting += steps.text(i, 3) != "done";
		if (steps.text(i, 1) != "load") {
			++others;
			continue;
		}
		outcome.tables[steps.text(i, 2)] += steps.number(i, 4);
		outcome.total_rows += steps.number(i, 4);
		if (++loads <= most_tables)
			table.add({printable(steps.text(i, 2)), show_count(steps.number(i, 4)),
			    steps.text(i, 3) == "done" ? show_duration(seconds(steps, i, 5)) : "",
			    steps.text(i, 3) == "done" ? "" : steps.text(i, 3)});
	}
	if (loads) outcome.text += "\n" + table.text();
	if (loads > most_tables) outcome.text += "  ... " + std::to_string(loads - most_tables) + " more (--format json has all)\n";
	if (others || waiting)
		outcome.text += "  " + counted(static_cast<std::int64_t>(others), "other step") +
		    (waiting ? "; " + std::to_string(waiting) + " of all steps not done" : "") + "\n";
	const auto checks = check_results(target.connection.exec("SELECT check_name, object, violations, detail, ok FROM " +
	        target.extension.call("sync_run_checks") + " WHERE run = $1::integer",
	    {run}, Show::message));
	if (!checks.empty()) outcome.text += "\n" + checks_text(checks);
	outcome.more["steps"] = list_of_steps;
	outcome.more["checks"] = checks_json(checks);
}

}  // namespace

Outcome runs(const Options &options, Settings &settings)
{
	auto target = open_target(options, settings);
	const auto rows =
	    target.connection.exec(columns + target.extension.call("sync_runs") + " ORDER BY sync_runs.run DESC LIMIT $1::integer",
	        {std::to_string(options.last ? 1 : options.limit)}, Show::message);
	Outcome outcome;
	const auto &name = target.side.endpoint.label;
	if (rows.rows() == 0) {
		outcome.text = name + " has no runs yet\n";
		return outcome;
	}
	TextTable table({">run", "kind", "status", "started", ">took", "from", ">rows", "role", "why"}, options.last ? "" : "  ");
	for (int i = 0; i < rows.rows(); ++i) {
		table.add({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 4), show_duration(seconds(rows, i, 6)),
		    printable(text(rows, i, 7)), show_count(rows.number(i, 8)), printable(rows.text(i, 3)), printable(text(rows, i, 9))});
		outcome.details.push_back(run_json(rows, i));
	}
	outcome.text = table.text();
	if (options.last) {
		outcome.run = static_cast<int>(rows.number(0, 0));
		add_details(outcome, target, rows.text(0, 0));
	}
	return outcome;
}

}  // namespace client
