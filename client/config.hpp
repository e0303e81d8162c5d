// The configuration file: environments and the client's own settings are kept here, the rest is handed to core as JSON.
#pragma once
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "connection.hpp"
#include "core/config.hpp"
#include "error.hpp"
#include "yaml.hpp"

namespace client {

// A problem and the place in the file that it speaks about.
struct Located {
	core::Problem problem;
	Position position;
};

// What is wrong with the file, all at once: exit 5. `positions` belong to `problems`.
struct ConfigError : Error {
	std::string file;
	std::vector<Position> positions;
	ConfigError(std::string name, const std::vector<Located> &found);
};

// One side of a refresh, as --from or --to said.
struct Side {
	Endpoint endpoint;
	std::string label;  // what the target must be labelled; empty for a connection string
};

struct Settings {
	std::string file;  // as given; empty: there is none
	YamlDocument document;
	core::json shared = core::json::object();         // what core::Config::parse() takes
	core::Config config;                              // the same, read
	std::map<std::string, std::string> environments;  // name -> dsn, with ${VAR} still in it
	std::chrono::milliseconds lock_wait{std::chrono::minutes(10)};
	bool cancel_holders = false;  // on_lock: cancel
	bool keep_previous = false;
	std::string key_file;
	// SQL of masking rules (when, expression): it runs in production and is none of the target's business. What stands in its place in `shared` is the key.
	std::map<std::string, std::string> source_sql;

	Position find(const core::Problem &problem) const;
};

// Throws ConfigError with everything that is wrong. `required`: the file must be there; else what is not there is empty.
Settings read_settings(const std::string &file, bool required);
// The same from text, for `file` as the name in messages.
Settings parse_settings(std::string_view text, const std::string &file);

// `given` is a name of `environments` or a connection string; `option` ("--to") is for messages. Throws Error (usage) for an
// unknown name or a string that libpq cannot read (which is not repeated: it may hold a password), ConfigError for a missing ${VAR}.
Side side(const Settings &settings, const std::string &given, const std::string &option);

// Whether --from and --to mean a connection string rather than a name.
bool is_dsn(std::string_view given);

// ${VAR} in a connection string. A string that libpq can read before is expanded value by value, so a password may hold any
// character; otherwise (dsn: ${DATABASE_URL}) the text is. nullopt: libpq cannot read the result. `missing` gets unset variables.
std::optional<std::string> expand_dsn(const std::string &dsn, std::vector<std::string> &missing);

// "10min", "30s", "500ms", "1h". nullopt for anything else, a number without a unit included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace client
