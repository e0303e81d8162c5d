// prodsync anonymize: a database that was restored from a snapshot of production is masked where it stands. It is a refresh of the database from
// itself (core/in_place.hpp), read and written by two sessions each, with the writers held until the switch (switch.hpp).
#include <utility>
#include "commands.hpp"

namespace client {

std::string masking_options(const Options &options)
{
	const std::string &file = options.rules_file;
	return (file.empty() ? ""
	                     : " --anonymization-config " + (file.find_first_of("*? \"'$") == file.npos ? file : "'" + file + "'")) +
	    (options.ephemeral_key ? " --ephemeral-key" : "");
}

std::string anonymize_again(const Options &options)
{
	if (is_dsn(options.to)) return "the same without --dry-run";
	std::string command = "prodsync anonymize --to " + options.to;
	if (options.config_given) command += " --config " + options.config;
	for (const auto &[option, names] : {std::pair("--tables", &options.choice.tables), std::pair("--exclude", &options.choice.exclude)}) {
		std::string all;
		for (const auto &name : *names) all += (all.empty() ? "" : ",") + name;
		if (!all.empty()) command += std::string(" ") + option + " " + (all.find_first_of("*? \"'$") == all.npos ? all : "'" + all + "'");
	}
	return command + masking_options(options);
}

Outcome anonymize(const Options &options, Settings &settings)
{
	demand_terminal_for_raw(options);
	Options both = options;
	both.from = options.to;
	both.choice.in_place = true;
	both.anonymize = true;    // without a rule there is nothing to do
	return sync(both, settings);
}

}  // namespace client
