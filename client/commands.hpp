// The commands: each takes the options of the command line and returns what is to be shown. Errors are thrown as Error.
#pragma once
#include <optional>
#include <string>
#include "config.hpp"
#include "output.hpp"
#include "plan_run.hpp"
#include "refresh.hpp"

namespace client {

struct Options {
	std::string command;
	std::string from, to;  // as given; empty: not given
	std::string config = "prodsync.yaml";
	bool config_given = false;
	bool json = false;
	int jobs = 0;  // 0: the plan's
	bool all = false, allow_kept_loss = false, dry_run = false, rehearse = false, show_progress = false, yes = false, last = false, rows = false;
	bool ephemeral_key = false, anonymize = false;
	std::string rules_file;   // --anonymization-config
	core::Choice choice;      // --tables, --exclude, --tenants, --all-kept
	int limit = 10;
	std::optional<int> run;
	bool write = false, accept = false;    // detect --write, plan --accept
	int preview = 0;          // plan --preview: rows of each masked table
	bool show_raw = false;    // with it: production's values too
	double min_confidence = 0.5;
	std::string against;      // check --against: the source to compare with
	int memory = 128;         // of check --against, for digests: megabytes
};

// `settings` is what the file says; it stays where the caller can see it, so that an error can be given its place in the file.
Outcome plan(const Options &options, Settings &settings);
Outcome sync(const Options &options, Settings &settings);
Outcome anonymize(const Options &options, Settings &settings);
Outcome detect(const Options &options, Settings &settings);
Outcome check(const Options &options, Settings &settings);
Outcome check_against(const Options &options, Settings &settings);
Outcome tenants(const Options &options, Settings &settings);
Outcome runs(const Options &options, Settings &settings);
Outcome clean(const Options &options, Settings &settings);

// ---- what several of them need ----

// The options as the engine takes them; reads the configuration.
RefreshOptions refresh_options(const Options &options, Settings &settings);
// The plan with its text and JSON; failed where there are problems.
Outcome plan_outcome(const Options &options, const Settings &settings, const RefreshOptions &refresh, const Prepared &prepared);
// --preview, where the plan has no problems; --show-raw takes a terminal (exit 2).
void demand_terminal_for_raw(const Options &options);
void add_preview(const Options &options, const RefreshOptions &refresh, const Prepared &prepared, Outcome &outcome);
// A session on the target alone. Without a configuration file, --to may still be a connection string.
struct Target {
	Side side;
	Connection connection;
	Extension extension;
};
Target open_target(const Options &options, Settings &settings);

// anonymize.cpp: the command without --dry-run, for people to type.
std::string anonymize_again(const Options &options);
std::string masking_options(const Options &options);    // " --anonymization-config ... --ephemeral-key", as far as given

// result_text.cpp
struct RefreshView {  // what the report of a refresh says
	std::string source, target;
	const RefreshResult &result;
	const std::vector<CheckResult> &checks;  // of the whole run
	std::size_t remapped_columns = 0;        // that hold users
	std::size_t unique_keys = 0;             // built anew, so proven
	std::size_t masked_columns = 0;
	bool in_place = false;                   // masked where it stands; source is the same
};
std::string result_text(const RefreshView &view);
std::string checks_text(const std::vector<CheckResult> &checks, const std::string &indent = "  ");
core::json checks_json(const std::vector<CheckResult> &checks);

}  // namespace client
