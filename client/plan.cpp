// prodsync plan: everything up to the plan, nothing written, nothing locked.
#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include "rules_file.hpp"
#include "commands.hpp"
#include "core/in_place.hpp"
#include "core/other_paths.hpp"
#include "detect.hpp"
#include "plan_text.hpp"
#include "preview.hpp"

namespace client {
namespace {

// As many tables as fit on one screen with the rest of the plan; elsewhere a fixed number.
std::size_t room_for_tables(const Options &options, const PlanView &view)
{
	if (options.all) return 0;
	winsize size{};
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 20;
	const auto text = plan_text(view, 1);
	const auto rest = std::count(text.begin(), text.end(), '\n') + static_cast<std::ptrdiff_t>(view.plan.problems.size() * 3);
	return static_cast<std::size_t>(std::max<std::ptrdiff_t>(7, size.ws_row - rest - 1));
}

// A connection string is not repeated: it may hold a password, and it is in the shell's history anyway.
std::string next_command(const Options &options)
{
	if (options.choice.in_place) return anonymize_again(options);
	if (is_dsn(options.from) || is_dsn(options.to)) return "the same with sync instead of " + options.command;
	std::string command = "prodsync sync --from " + options.from + " --to " + options.to;
	if (options.config_given) command += " --config " + options.config;
	const auto add = [&](const char *option, const std::vector<std::string> &names) {
		std::string all;
		for (const auto &name : names) all += (all.empty() ? "" : ",") + name;
		if (!all.empty()) command += std::string(" ") + option + " " + (all.find_first_of("*? \"'$") == all.npos ? all : "'" + all + "'");
	};
	add("--tables", options.choice.tables);
	add("--exclude", options.choice.exclude);
	add("--tenants", options.choice.tenants);
	if (options.choice.all_kept) command += " --all-kept";
	return command + masking_options(options);
}

core::json table_json(const core::PlannedTable &table)
{
	return {{"table", table.name.shown()},
	    {"mode",
	        table.mode == core::Mode::copy       ? "copy"
	            : table.mode == core::Mode::keep ? "keep"
	                                             : "empty"},
	    {"scope", table.scope == core::Scope::tenant ? "tenant" : "shared"}, {"in_source", table.in_source},
	    {"tenant_path", core::path_text(table.path)},
	    {"format", table.binary ? "binary" : "text"},
	    {"source_rows", static_cast<std::int64_t>(std::max(table.source_rows, 0.0))}, {"source_bytes", table.source_bytes},
	    {"kept_rows", table.kept_rows}, {"folded_rows", table.folded_rows}, {"reason", table.reason},
	    {"what_happens", table.what_happens}};
}

}  // namespace

RefreshOptions refresh_options(const Options &options, Settings &settings)
{
	settings = read_settings(options.config, true);
	if (!options.rules_file.empty()) add_rules_file(options.rules_file, settings);
	auto source = side(settings, options.from, "--from"), target = side(settings, options.to, "--to");
	RefreshOptions refresh;
	refresh.source = source.endpoint;
	refresh.target = target.endpoint;
	refresh.demanded_label = target.label;
	settings.config.choice = options.choice;
	// The normal form: what is not known to core cannot reach the target.
	refresh.shared_config = settings.config.to_json();
	refresh.config = options.choice.in_place ? core::in_place(settings.config) : settings.config;
	refresh.source_sql = settings.source_sql;
	refresh.key = find_key(settings, options.ephemeral_key);
	refresh.demand_masking = options.anonymize;
	refresh.jobs = options.jobs;
	refresh.lock_wait = settings.lock_wait;
	refresh.on_lock = settings.cancel_holders ? OnLock::cancel : OnLock::wait;
	refresh.rehearse = options.rehearse;
	return refresh;
}

Outcome plan_outcome(const Options &options, const Settings &settings, const RefreshOptions &refresh, const Prepared &prepared)
{
	const auto view = plan_view(refresh, prepared, next_command(options));
	const auto lost = losses(view);
	Outcome outcome;
	outcome.text = plan_text(view, room_for_tables(options, view));
	outcome.warnings = warning_texts(view);
	for (const auto &table : prepared.plan.tables) {
		outcome.details.push_back(table_json(table));
		if (table.mode != core::Mode::copy || !table.in_source) continue;
		const auto rows = static_cast<std::int64_t>(std::max(table.source_rows, 0.0));
		outcome.tables[table.name.shown()] = rows;
		outcome.total_rows += rows;
	}
	auto needs = core::json::array();
	for (const auto &need : prepared.plan.needs) needs.push_back({{"id", need.id}, {"text", need.text}, {"value", need.value}});
	outcome.more = {{"kept_tenants", prepared.answers.kept_tenants},
	    {"disappears", {{"tenants", std::max<std::int64_t>(lost.tenants, 0)}, {"rows", lost.rows}}},
	    {"kept_rows", lost.kept_rows}, {"needs", needs}, {"estimated_seconds", estimated_seconds(prepared.plan, prepared.jobs)},
	    {"jobs", prepared.jobs}};
	outcome.masked_columns = masked_columns(prepared.plan);
	if (!prepared.plan.problems.empty()) {
		outcome.exit_code = exit_plan;
		outcome.failure = Failure::of(problems_error(prepared.plan.problems), &settings);
	}
	return outcome;
}

void demand_terminal_for_raw(const Options &options)
{
	if (options.show_raw && (options.json || !isatty(STDOUT_FILENO)))
		throw Error(exit_usage, "--show-raw shows production's values, and this is no terminal",
		    "leave --show-raw out, and see what masking makes of them");
}

void add_preview(const Options &options, const RefreshOptions &refresh, const Prepared &prepared, Outcome &outcome)
{
	if (!options.preview || !prepared.plan.problems.empty()) return;
	const auto shown = preview(refresh, prepared, options.preview, options.show_raw);
	outcome.text = shown.text + "\n" + outcome.text;
	outcome.more["preview"] = shown.tables;
}

Outcome plan(const Options &options, Settings &settings)
{
	auto refresh = refresh_options(options, settings);
	refresh.demand_refreshable = false;
	if (!options.accept) {
		demand_terminal_for_raw(options);
		const auto prepared = prepare(refresh);
		auto outcome = plan_outcome(options, settings, refresh, prepared);
		add_preview(options, refresh, prepared, outcome);
		return outcome;
	}
	// Today's list goes into the file, and the plan is made again with it.
	if (settings.config.policy == core::Policy::none)
		throw Error(exit_usage, "--accept, and anonymize.policy is none: no column is looked at",
		    "set policy: strict (or leave it out), and run it again");
	std::string said;
	{
		const auto prepared = prepare(refresh);
		const auto rules = rules_for(settings.config, prepared.target_catalog, prepared.plan.personal, true);
		if (rules.empty())
			said = "every column that looks personal has a rule; " + settings.file + " is what it was\n\n";
		else {
			const auto written = write_rules(settings, rules);
			if (!written.done)
				throw Error(exit_plan, settings.file + " cannot be edited: " + written.why + "; it is what it was",
				    "paste this:\n" + rules_block(rules));
			said = written_text(written, settings.file, rules) + "\n";
		}
	}
	Options again = options;
	again.accept = false;
	auto outcome = plan(again, settings);
	outcome.text = said + outcome.text;
	outcome.more["accepted"] = said.substr(0, said.find('\n'));
	return outcome;
}

}  // namespace client
