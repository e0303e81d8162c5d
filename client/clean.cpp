// prodsync clean: finishes what dead runs left behind.
#include <map>
#include "commands.hpp"

namespace client {
namespace {

std::map<std::int64_t, std::string> open_runs(Target &target)
{
	const auto rows = target.connection.exec(
	    "SELECT run, status FROM " + target.extension.call("sync_runs") + " WHERE status IN ('started', 'switched')", {},
	    Show::message);
	std::map<std::int64_t, std::string> out;
	for (int i = 0; i < rows.rows(); ++i) out[rows.number(i, 0)] = rows.text(i, 1);
	return out;
}

}  // namespace

Outcome clean(const Options &options, Settings &settings)
{
	auto target = open_target(options, settings);
	const auto &name = target.side.endpoint.label;
	// Not whether it is refreshable: what an earlier run left has to be cleaned all the same. But never in another database.
	const auto label = environment(target.connection, target.extension);
	if (!target.side.label.empty() && label.name != target.side.label)
		throw Error(exit_refused,
		    "the database that " + name + " leads to " +
		        (label.name.empty() ? std::string("has no label") : "is labelled \"" + printable(label.name) + "\"") +
		        "; nothing was changed",
		    "look at environments: " + name + " in " + settings.file);
	auto before = open_runs(target);
	const auto [done, failed] = finish_dead_runs(
	    target.connection, target.extension, options.run ? "prodsync clean --run" : "prodsync clean", options.run);
	const auto after = open_runs(target);

	// Closed runs may still have owed something: a view whose refresh failed then.
	std::map<std::int64_t, std::vector<std::string>> finished;
	for (const auto &[run, what] : done) finished[run].push_back(what);
	for (const auto &[run, what] : finished) before.try_emplace(run, "done");

	Outcome outcome;
	for (const auto &[run, status] : before) {
		const bool closed = !after.contains(run);
		const auto &of_run = finished[run];
		outcome.details.push_back({{"run", run}, {"was", status}, {"closed", closed}, {"finished", of_run}});
		const std::string name_of_run = "run " + std::to_string(run);
		for (const auto &what : of_run) outcome.text += name_of_run + ": " + what + "\n";
		if (status == "done") continue;
		if (closed)
			outcome.text += name_of_run +
			    (status == "switched" ? " was switched: its old storage is dropped, it is done\n"
			                          : " was not finished: what it had loaded is dropped\n");
		else if (!options.run)
			outcome.text +=
			    name_of_run + " is at work, left alone (prodsync clean --run " + std::to_string(run) + " ends it)\n";
	}
	if (!failed.empty()) {
		Failure failure;
		failure.exit_code = outcome.exit_code = exit_afterwards;
		failure.text = "cleaned, but not everything could be finished on " + name;
		for (const std::string &text : failed) failure.detail += (failure.detail.empty() ? "" : "; ") + text;
		outcome.failure = failure;
	}
	if (outcome.text.empty() && failed.empty()) outcome.text = name + ": nothing to clean\n";
	outcome.run = options.run;
	return outcome;
}

}  // namespace client
