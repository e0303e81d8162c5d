// The command line. CLI11 stays in this file: what it throws becomes usage errors of ours (exit 2), with the nearest names.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include "commands.hpp"
#include "core/name.hpp"
#include "interrupt.hpp"

namespace {

using client::Error;
using client::Failure;
using client::Options;
using client::Outcome;
using client::Settings;

struct Command {
	const char *name, *summary, *footer;
	Outcome (*run)(const Options &, Settings &);
};

const std::vector<Command> commands{
    {"plan", "Shows what a refresh would do, and what stands in its way. Writes nothing, locks nothing.",
        "Exit code 5 when something stands in the way.\n"
        "Example: prodsync plan --from production --to uat\n",
        client::plan},
    {"sync", "Refreshes the target from the source: loads beside, verifies, switches.",
        "Asks before it switches anything; without a terminal it needs --yes. Whatever goes wrong before the switch leaves the "
        "target as it was.\n"
        "Example: prodsync sync --from production --to uat --yes\n",
        client::sync},
    {"anonymize", "Masks a database that was restored from production, where it stands: beside, verified, switched.",
        "Tables with rules are rewritten, tables of mode empty are emptied, all others stay as they are; every row keeps its id.\n"
        "Whoever writes to a table that is rewritten waits until the end; readers go on until the switch. Asks first; without a\n"
        "terminal it needs --yes. Whatever goes wrong before the switch leaves the database as it was.\n"
        "Example: prodsync anonymize --to uat --dry-run\n",
        client::anonymize},
    {"detect", "Finds columns of the source that look personal, by their names and by what is in them.",
        "Samples stay in memory and are never shown. --write adds the rules to the configuration, its comments and order kept.\n"
        "Example: prodsync detect --from production --write\n",
        client::detect},
    {"check", "Runs every check on the target: foreign keys, unique keys, sequences ... or looks for raw values in it.",
        "With --against it compares what is masked with production's values: nothing of them is shown or sent to the target.\n"
        "Exit code 6 when a check fails, or a value of production is found.\n"
        "Example: prodsync check --to uat\n"
        "Example: prodsync check --against production --to uat\n",
        client::check},
    {"tenants", "Lists the tenants of both sides, and what a refresh does with each.",
        "Example: prodsync tenants --from production --to uat\n", client::tenants},
    {"runs", "Lists the target's refreshes, failed ones too.", "Example: prodsync runs --to uat --last\n", client::runs},
    {"clean", "Drops what dead runs left on the target; runs at work are left alone.", "Example: prodsync clean --to uat\n",
        client::clean},
};

const char *const exit_codes =
    "Exit codes: 0 done; 1 anything else; 2 usage; 3 cannot connect; 4 refused; 5 configuration or plan; 6 a check failed;\n"
    "7 interrupted; 9 nobody knows whether the switch went through; 10 refreshed, but something afterwards failed.\n"
    "In 1 to 7 the target is what it was.\n";

// What is designed and not there yet: nobody shall wonder whether they mistyped it.
const std::vector<std::string> later_commands{"init", "diff", "backup", "restore", "rollback"};
const std::vector<std::string> later_options{"--checkpoint", "--resume"};

// Before anything is parsed: errors of parsing come out in the format that was asked for.
bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc; ++i) {
		const std::string_view argument = argv[i];
		if (argument == "--format=json" || (argument == "--format" && i + 1 < argc && std::string_view(argv[i + 1]) == "json"))
			return true;
	}
	return false;
}

// Validators with words of ours, and without CLI11's remarks in the help.
CLI::Validator number(int least, int most)
{
	return CLI::Validator(
	    [least, most](std::string &given) {
		    const bool good = !given.empty() && given.size() < 11 && given.find_first_not_of("0123456789") == std::string::npos &&
		        std::stoll(given) >= least && std::stoll(given) <= most;
		    return good ? std::string()
		                : "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", not \"" +
		            given + "\"";
	    },
	    "");
}

CLI::Validator format_name()
{
	return CLI::Validator(
	    [](std::string &given) {
		    return given == "text" || given == "json" ? std::string() : "must be text or json, not \"" + given + "\"";
	    },
	    "");
}

// a,b: several with commas between, and the option as often as one likes.
void add_list(CLI::App &sub, const std::string &name, std::vector<std::string> &to, const std::string &help, const char *shown)
{
	sub.add_option(name, to, help)
	    ->type_name(shown)
	    ->expected(1)
	    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
	    ->allow_extra_args(false)
	    ->delimiter(',')
	    ->check(CLI::Validator(
	        [](std::string &given) {
		        return given.find_first_not_of(" ,") == std::string::npos ? "needs a name" : std::string();
	        },
	        ""));
}

void add_options(CLI::App &sub, Options &options)
{
	const std::string name = sub.get_name();
	const bool both = name == "plan" || name == "sync";
	const bool in_place = name == "anonymize";
	if (!in_place) sub.add_option("--from", options.from,
	       both || name == "tenants" || name == "detect" ? "the source: a name under environments:, or a connection string"
	                                 : "not needed here: only the target is asked")
	    ->type_name("NAME|DSN")
	    ->required(both || name == "detect");
	sub.add_option("--to", options.to,
	       name == "detect" ? "not needed here: only the source is asked"
	           : in_place   ? "the database: a name, which is also its label, or a connection string"
	                        : "the target: a name, which is also its label, or a connection string")
	    ->type_name("NAME|DSN")
	    ->required(name != "tenants" && name != "detect");
	sub.add_option("--config", options.config, "the configuration (default: prodsync.yaml)")->type_name("FILE");
	sub.add_option_function<std::string>(
	       "--format", [&options](const std::string &format) { options.json = format == "json"; },
	       "text, or json: one object on stdout, for errors too")
	    ->type_name("text|json")
	    ->check(format_name());
	if (name == "sync" || name == "plan" || in_place)
		sub.add_option("--jobs", options.jobs, "pairs of connections (default: by the cores here, 2 to 4)")
		    ->type_name("N")
		    ->check(number(1, 64));
	if (name == "tenants") {
		sub.add_flag("--rows", options.rows, "count the rows of each tenant, in all tables");
		add_list(sub, "--tenants", options.choice.tenants, "as with sync: what would become of each", "A,B");
	}
	if (both) {
		sub.add_flag("--ephemeral-key", options.ephemeral_key, "mask with a key made up for this run only");
		add_list(sub, "--tables", options.choice.tables, "refresh these tables, leave all others as they are (names, * and ?)", "A,B");
		add_list(sub, "--exclude", options.choice.exclude, "leave these tables as they are (names, * and ?)", "A,B");
		add_list(sub, "--tenants", options.choice.tenants, "copy these tenants of production and no others (labels)", "A,B");
		sub.add_flag("--all-kept", options.choice.all_kept, "tenants.keep may match every tenant of the target");
		sub.add_option("--anonymization-config,--anonymize-config", options.rules_file,
		       "more rules for columns: the rules file of Confiture")
		    ->type_name("FILE");
		sub.add_flag("--anonymize", options.anonymize, "refuse to run unless at least one column is masked");
	}
	if (in_place) {
		sub.add_flag("--ephemeral-key", options.ephemeral_key, "mask with a key made up for this run only");
		add_list(sub, "--tables", options.choice.tables, "mask and empty these tables, leave all others as they are (names, * and ?)", "A,B");
		add_list(sub, "--exclude", options.choice.exclude, "leave these tables as they are (names, * and ?)", "A,B");
		sub.add_option("--anonymization-config", options.rules_file, "more rules for columns: the rules file of Confiture")->type_name("FILE");
		auto *dry = sub.add_flag("--dry-run", options.dry_run, "the plan, nothing else");
		sub.add_flag("--rehearse", options.rehearse, "everything but the switch");
		sub.add_flag("--show-progress", options.show_progress, "progress on stderr with --format json too");
		sub.add_flag("--yes", options.yes, "do not ask");
		sub.add_flag("--all", options.all, "with --dry-run: every table");
		auto *preview =
		    sub.add_option("--preview", options.preview, "with --dry-run: what masking makes of so many rows of each table")
		        ->type_name("N")
		        ->check(CLI::Range(1, 100))
		        ->needs(dry);
		sub.add_flag("--show-raw", options.show_raw, "with --preview, on a terminal: the values of today beside it")->needs(preview);
	}
	if (name == "sync") {
		sub.add_flag("--dry-run", options.dry_run, "the plan, nothing else");
		sub.add_flag("--rehearse", options.rehearse, "everything but the switch");
		sub.add_flag("--allow-kept-loss", options.allow_kept_loss, "on_collision: source may drop rows of kept tenants");
		sub.add_flag("--show-progress", options.show_progress, "progress on stderr with --format json too");
		sub.add_flag("--yes", options.yes, "do not ask");
	}
	if (name == "plan" || name == "sync")
		sub.add_flag(
		    "--all", options.all, name == "plan" ? "every table, not only what fits on a screen" : "with --dry-run: every table");
	if (name == "plan") {
		sub.add_flag("--accept", options.accept, "write rules for the columns that look personal into the configuration, then plan");
		auto *preview = sub.add_option("--preview", options.preview, "what masking makes of so many rows of each table")
		                    ->type_name("N")
		                    ->check(CLI::Range(1, 100));
		sub.add_flag("--show-raw", options.show_raw, "with --preview, on a terminal: production's values beside it")->needs(preview);
	}
	if (name == "detect") {
		sub.add_flag("--write", options.write, "add the suggested rules to the configuration");
		sub.add_flag("--all", options.all, "list columns that have a rule, too");
		sub.add_option("--min-confidence", options.min_confidence, "from 0 to 1 (default: 0.5, what strict stops for)")
		    ->type_name("X")
		    ->check(CLI::Validator(
		        [](std::string &given) {
			        char *end = nullptr;
			        const double value = std::strtod(given.c_str(), &end);
			        return !given.empty() && *end == 0 && value >= 0 && value <= 1
			            ? std::string()
			            : "must be a number from 0 to 1, not \"" + given + "\"";
		        },
		        ""));
	}
	if (name == "check") {
		sub.add_option("--against", options.against, "instead: look for values of this source in what is masked")->type_name("NAME|DSN");
		sub.add_option("--memory", options.memory, "with --against: megabytes for digests of values (default: 128)")
		    ->type_name("MB")
		    ->check(number(1, 1'000'000))
		    ->needs("--against");
		sub.add_option("--anonymization-config", options.rules_file, "with --against: more rules, Confiture's")
		    ->type_name("FILE")
		    ->needs("--against");
	}
	if (name == "runs") {
		sub.add_flag("--last", options.last, "the last run, with its tables and checks");
		sub.add_option("--limit", options.limit, "how many runs (default: 10)")->type_name("N")->check(number(1, 100'000));
	}
	if (name == "clean")
		sub.add_option_function<int>(
		       "--run", [&options](int run) { options.run = run; }, "this run, even if it is at work: its sessions are ended")
		    ->type_name("N")
		    ->check(number(1, 2'000'000'000));
	for (const auto &command : commands)
		if (command.name == name) sub.footer(std::string(command.footer) + exit_codes);
}

std::vector<std::string> option_names(const CLI::App &app)
{
	std::vector<std::string> names;
	for (const auto *option : app.get_options())
		for (const auto &name : option->get_lnames()) names.push_back("--" + name);
	return names;
}

// The first word that is no option has to be a command; CLI11 would only say that one is missing.
void demand_command(int argc, char **argv)
{
	std::vector<std::string> names;
	names.reserve(commands.size());
	for (const auto &command : commands) names.emplace_back(command.name);
	for (int i = 1; i < argc; ++i) {
		const std::string argument = argv[i];
		if (argument == "--help" || argument == "-h" || argument == "--version") return;
		if (argument.starts_with("-"))
			throw Error(client::exit_usage, "\"" + argument + "\" has to come after a command",
			    "prodsync COMMAND " + argument + " ...; prodsync --help");
		if (std::find(later_commands.begin(), later_commands.end(), argument) != later_commands.end())
			throw Error(client::exit_usage, argument + " comes with a later version",
			    "commands: " + client::list(names) + "; prodsync --help");
		if (std::find(names.begin(), names.end(), argument) == names.end())
			throw Error(client::exit_usage, "unknown command \"" + argument + "\"" + core::did_you_mean(argument, names),
			    "commands: " + client::list(names) + "; prodsync --help");
		return;
	}
	throw Error(client::exit_usage, "which command?", "commands: " + client::list(names) + "; prodsync --help");
}

// CLI11's errors in our words.
Error usage(const CLI::ParseError &error, const CLI::App &app)
{
	const auto chosen = app.get_subcommands();
	const CLI::App &sub = chosen.empty() ? app : *chosen.front();
	const std::string help = "prodsync " + (chosen.empty() ? std::string() : sub.get_name() + " ") + "--help lists the options";
	// First: whoever writes --form for --from does not want to hear that --from is missing.
	for (const auto &word : app.remaining(true)) {
		if (!word.starts_with("-")) return {client::exit_usage, "\"" + word + "\" is not expected after " + sub.get_name(), help};
		const auto name = word.substr(0, word.find('='));
		if (std::find(later_options.begin(), later_options.end(), name) != later_options.end())
			return {client::exit_usage, name + " comes with a later version", help};
		return {client::exit_usage,
		    "unknown option " + name + " of " + sub.get_name() + core::did_you_mean(name, option_names(sub)), help};
	}
	std::string text = error.what();
	const auto name = text.substr(0, text.find(':'));
	if (dynamic_cast<const CLI::ArgumentMismatch *>(&error))
		text = name + (text.find("received") == text.npos ? " needs a value" : " can be given only once");
	else if (dynamic_cast<const CLI::ValidationError *>(&error) && name.size() + 2 < text.size())
		text = name + text.substr(name.size() + 1);
	return {client::exit_usage, text, help};
}

int report(const Failure &failure, const std::string &command, bool json)
{
	std::cerr << client::error_text(failure) << std::flush;
	if (json) std::cout << client::json_text(command, failure) << std::flush;
	return failure.exit_code;
}

int run(int argc, char **argv, std::string &name, Settings &settings)
{
	Options options;
	CLI::App app(
	    "prodsync refreshes a lower database (UAT, staging, local) from production: tenant-aware, verified, or not at all.\n"
	    "What is new is loaded beside and switched in one short transaction; people using the target hardly notice.",
	    "prodsync");
	app.set_version_flag("--version", "prodsync " VERSION);
	app.require_subcommand(1);
	app.get_formatter()->label("SUBCOMMAND", "COMMAND");
	app.get_formatter()->label("REQUIRED", "(required)");
	app.get_formatter()->column_width(28);
	app.footer(
	    std::string("prodsync COMMAND --help tells more. Begin with: prodsync plan --from production --to uat\n") + exit_codes);
	for (const auto &command : commands)
		add_options(*app.add_subcommand(command.name, command.summary)->group("Commands"), options);
	demand_command(argc, argv);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		if (error.get_exit_code() == 0) return app.exit(error);
		if (!app.get_subcommands().empty()) name = app.get_subcommands().front()->get_name();
		throw usage(error, app);
	}
	const auto *sub = app.get_subcommands().front();
	name = options.command = sub->get_name();
	options.config_given = sub->count("--config") > 0;
	for (const auto &command : commands) {
		if (name != command.name) continue;
		const auto outcome = command.run(options, settings);
		client::interrupt::last_word();
		if (options.json)
			std::cout << client::json_text(name, outcome) << std::flush;
		else
			std::cout << client::scrub(outcome.text) << std::flush;
		if (outcome.failure) std::cerr << client::error_text(*outcome.failure) << std::flush;
		return outcome.exit_code;
	}
	return client::exit_usage;
}

}  // namespace

int main(int argc, char **argv)
{
	// A reader that goes away (| head) must not end a refresh in its middle.
	std::signal(SIGPIPE, SIG_IGN);
	const bool json = wants_json(argc, argv);
	std::string command = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
	client::interrupt::start([json, command](int code, const std::string &text, const std::string &hint) {
		report(Failure::of(Error(code, text, hint), nullptr), command, json);
	});
	Settings settings;
	try {
		return run(argc, argv, command, settings);
	} catch (const Error &error) {
		client::interrupt::last_word();
		return report(Failure::of(error, &settings), command, json);
	} catch (const std::exception &error) {
		client::interrupt::last_word();
		return report(
		    Failure::of(Error(client::exit_other, std::string("internal error: ") + error.what()), nullptr), command, json);
	}
}
