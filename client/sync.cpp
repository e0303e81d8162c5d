// prodsync sync: asks first, then refreshes.
#include <poll.h>
#include <unistd.h>
#include <algorithm>
#include <iostream>
#include "commands.hpp"
#include "interrupt.hpp"
#include "plan_text.hpp"
#include "anonymize_text.hpp"
#include "progress.hpp"

namespace client {
namespace {

// Production's snapshot is open while we wait, and holds its vacuum back: an answer has to come within this time.
constexpr int answer_ms = 5 * 60 * 1000;

bool somebody_is_there() { return isatty(STDIN_FILENO) && isatty(STDERR_FILENO); }

void confirm(const PlanView &view)
{
	std::string text = losses_text(view);
	for (const auto &warning : warning_texts(view)) text += "  warning: " + printable(warning) + "\n";
	text += view.config.choice.in_place ? "Whoever writes to a table that is rewritten waits until it is done.\nMask " +
	        view.target.name + " (" + printable(view.target.database) + " @ " + printable(view.target.host) + ") in place? [y/N] "
	                                    : "Refresh " + view.target.name + " (" + printable(view.target.database) + " @ " +
	        printable(view.target.host) + ") from " + view.source.name + "? [y/N] ";
	std::cerr << scrub(text) << std::flush;
	pollfd waiting[2]{{STDIN_FILENO, POLLIN, 0}, {interrupt::wake_fd(), POLLIN, 0}};
	const int ready = poll(waiting, 2, answer_ms);
	if (interrupt::interrupted()) std::cerr << "\n";
	interrupt::check();
	if (ready == 0) {
		std::cerr << "\n";
		throw Error(exit_interrupted, "no answer within 5 minutes; nothing was changed",
		    "run it again, with --yes if nobody is to be asked");
	}
	std::string answer;
	std::getline(std::cin, answer);
	if (answer != "y" && answer != "Y" && answer != "yes" && answer != "Yes")
		throw Error(exit_interrupted, "not confirmed; nothing was changed");
}

std::size_t remapped_columns(const core::Config &config, const core::Catalog &target, const core::Plan &plan)
{
	if (!config.users) return 0;
	const auto users = target.resolve(config.users->table);
	std::size_t count = 0;
	for (const auto &table : plan.tables)
		for (const auto &column : table.columns) count += users.size() == 1 && column.map == users[0];
	return count;
}

std::size_t unique_keys(const core::Catalog &target, const core::Plan &plan)
{
	std::size_t count = 0;
	for (const auto &table : plan.tables)
		if (table.mode != core::Mode::keep)
			for (const auto *relation : target.storage(table.name))
				count += static_cast<std::size_t>(std::count_if(relation->indexes.begin(), relation->indexes.end(),
				    [](const core::Index &index) { return index.unique && index.valid; }));
	return count;
}

// The steps' checks are in the ledger only; what the switch told comes with it. No error here may hide that the refresh is done.
std::vector<CheckResult> all_checks(Prepared &prepared, const RefreshResult &result)
{
	try {
		auto checks = check_results(prepared.target->exec("SELECT check_name, object, violations, detail, ok FROM " +
		        prepared.extension.call("sync_run_checks") + " WHERE run = $1::pg_catalog.int4",
		    {std::to_string(result.run)}));
		const auto recorded = checks;
		for (const auto &told : result.checks)
			if (std::none_of(recorded.begin(), recorded.end(),
			        [&](const CheckResult &one) { return one.name == told.name && one.object == told.object; }))
				checks.push_back(told);
		return checks;
	} catch (const std::exception &) {
		return result.checks;
	}
}

}  // namespace

Outcome sync(const Options &options, Settings &settings)
{
	const bool changes = !options.dry_run && !options.rehearse;
	if (changes && !options.yes && !somebody_is_there())
		throw Error(exit_usage, options.command + " replaces data, and there is no terminal to ask on", "add --yes, or look first: --dry-run");
	auto refresh_with = refresh_options(options, settings);
	refresh_with.demand_refreshable = !options.dry_run;
	if (changes && !options.choice.in_place && refresh_with.config.on_collision == "source" && !options.allow_kept_loss)
		throw Error(exit_plan, "on_collision: source may drop rows of kept tenants; nothing was changed",
		    "add --allow-kept-loss; with on_collision: error the run lists such rows and drops none");
	auto prepared = prepare(refresh_with);
	if (options.dry_run) {
		auto outcome = plan_outcome(options, settings, refresh_with, prepared);
		add_preview(options, refresh_with, prepared, outcome);
		return outcome;
	}
	refuse_problems(prepared.plan);
	const auto view = plan_view(refresh_with, prepared, "");
	const auto warnings = warning_texts(view);
	if (changes && !options.yes)
		confirm(view);
	else if (!options.json)
		for (const auto &warning : warnings) std::cerr << scrub("prodsync: warning: " + printable(warning) + "\n");
	const auto style = options.json && !options.show_progress ? Progress::Style::none : Progress::style_of_stderr();
	const auto uniques = unique_keys(prepared.target_catalog, prepared.plan);
	const auto remapped = remapped_columns(refresh_with.config, prepared.target_catalog, prepared.plan);

	Progress progress(style, refresh_with.target.label);
	const auto result = refresh(refresh_with, prepared, progress);
	progress.end();
	const auto checks = all_checks(prepared, result);

	Outcome outcome;
	outcome.run = result.run;
	outcome.text = result_text({refresh_with.source.label, refresh_with.target.label, result, checks, remapped, uniques,
	    masked_columns(prepared.plan), options.choice.in_place});
	outcome.masked_columns = masked_columns(prepared.plan);
	outcome.total_rows = result.total_rows;
	outcome.more = {{"rehearsed", result.rehearsed}, {"total_bytes", result.total_bytes}, {"seconds", result.seconds},
	    {"switch_seconds", result.switch_seconds}, {"switch_tries", result.switch_tries}, {"checks", checks_json(checks)}};
	for (const auto &table : result.tables) {
		outcome.tables[table.table.shown()] = table.rows;
		outcome.details.push_back(
		    {{"table", table.table.shown()}, {"rows", table.rows}, {"bytes", table.bytes}, {"seconds", table.seconds}});
	}
	if (options.choice.in_place) outcome.text += what_remains(), outcome.more["may_remain"] = places_that_remain();
	outcome.warnings = warnings;
	outcome.warnings.insert(outcome.warnings.end(), result.warnings.begin(), result.warnings.end());
	if (!result.afterwards.empty()) {
		outcome.exit_code = exit_afterwards;
		Failure failure;
		failure.exit_code = exit_afterwards;
		failure.text = refresh_with.target.label + (options.choice.in_place ? " is masked, but" : " is refreshed, but") +
		    " something afterwards failed";
		for (const auto &what : result.afterwards) failure.items.push_back(what);
		failure.hint =
		    "prodsync clean --to " + (is_dsn(options.to) ? std::string("...") : options.to) + " finishes what can be finished";
		outcome.failure = failure;
	}
	return outcome;
}

}  // namespace client
