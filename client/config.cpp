#include "config.hpp"
#include <libpq-fe.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include "core/name.hpp"

namespace client {
namespace {

using core::json;

const std::vector<std::string> own_keys{"environments", "key_file", "lock_wait", "on_lock", "keep_previous"};
const std::vector<std::string> shared_keys{"tenants", "users", "reserved_from", "tables", "accept", "checks", "on_collision",
    "fire_triggers", "materialized_views", "anonymize"};

// Reads the client's own keys; every problem is noted with its place and the rest is read all the same.
class Reader {
	Settings &settings_;
	std::vector<Located> &problems_;

public:
	Reader(Settings &settings, std::vector<Located> &problems) : settings_(settings), problems_(problems) {}

	void problem(const std::string &id, const std::string &path, const std::string &text, const std::string &fix)
	{
		core::Problem found{id, path, text, fix};
		problems_.push_back({found, settings_.find(found)});
	}

	void unknown_key(const std::string &path, const std::string &key, const std::vector<std::string> &known)
	{
		problem("unknown-key", path, "unknown key \"" + key + "\"" + core::did_you_mean(key, known), "");
	}

	void read_environments(const json &value)
	{
		if (!value.is_object())
			return problem("wrong-type", "environments", "environments must be a mapping of names",
			    "environments: {uat: {dsn: \"service=uat\"}}");
		for (const auto &[name, body] : value.items()) {
			const std::string path = "environments." + name;
			std::string example = name;
			example.append(": {dsn: \"service=").append(name).append("\"}");
			if (!body.is_object()) {
				problem("wrong-type", path, "environment " + name + " must be a mapping with a dsn", example);
				continue;
			}
			for (const auto &[key, unused] : body.items())
				if (key != "dsn") unknown_key(std::string(path).append(".").append(key), key, {"dsn"});
			if (auto dsn = body.find("dsn"); dsn == body.end())
				problem("missing-key", path, "environment " + name + " has no dsn", example);
			else if (!dsn->is_string())
				problem("wrong-type", path + ".dsn", "dsn must be text", "put it in quotes");
			else
				settings_.environments[name] = dsn->get<std::string>();
		}
	}

	void read_own(const std::string &key, const json &value)
	{
		if (key == "environments") {
			if (!value.is_null()) read_environments(value);
		} else if (key == "key_file") {
			if (value.is_string())
				settings_.key_file = value.get<std::string>();
			else
				problem("wrong-type", key, "key_file must be the name of a file", "key_file: prodsync.key");
		} else if (key == "lock_wait") {
			auto wait = value.is_string() ? parse_duration(value.get<std::string>()) : std::nullopt;
			if (wait)
				settings_.lock_wait = *wait;
			else
				problem("wrong-value", key, "lock_wait must be a number with a unit: ms, s, min or h", "lock_wait: 10min");
		} else if (key == "on_lock") {
			if (value == "wait" || value == "cancel")
				settings_.cancel_holders = value == "cancel";
			else
				problem("wrong-value", key, "on_lock must be wait or cancel", "on_lock: wait");
		} else if (key == "keep_previous") {
			if (!value.is_boolean())
				problem("wrong-type", key, "keep_previous must be true or false", "keep_previous: false");
			else if (value.get<bool>())
				problem("not-yet", key,
				    "keep_previous: true is not there yet: this version drops the old storage after the switch",
				    "leave it out, and take a pg_dump of the target before the refresh");
		}
	}

	// The rules with a name in the place of each piece of SQL.
	core::json without_sql(core::json anonymize)
	{
		const auto tables = anonymize.is_object() ? anonymize.find("tables") : anonymize.end();
		if (tables == anonymize.end() || !tables->is_object()) return anonymize;
		for (auto &[table, rules] : tables->items())
			for (auto &rule : rules)
				for (const char *key : {"when", "expression"}) {
					if (!rule.is_object() || !rule.contains(key) || !rule[key].is_string() || rule[key].get<std::string>().empty()) continue;
					// equal SQL has one name: conditions are compared
					const auto known = std::find_if(settings_.source_sql.begin(), settings_.source_sql.end(),
					    [&](const auto &one) { return rule[key] == one.second; });
					const auto name = known != settings_.source_sql.end()
					    ? known->first
					    : "SQL " + std::to_string(settings_.source_sql.size() + 1) + ", which stays with the client";
					settings_.source_sql[name] = rule[key];
					rule[key] = name;
				}
		return anonymize;
	}

	// What does not matter to the target stays here: only these keys of the file are passed on.
	void read(const json &document)
	{
		auto known = own_keys;
		known.insert(known.end(), shared_keys.begin(), shared_keys.end());
		for (const auto &[key, value] : document.items()) {
			if (std::find(own_keys.begin(), own_keys.end(), key) != own_keys.end())
				read_own(key, value);
			else if (std::find(shared_keys.begin(), shared_keys.end(), key) != shared_keys.end()) {
				if (!value.is_null())  // "tables:" with everything below it commented out
					settings_.shared[key] = key == "anonymize" ? without_sql(value) : value;
			} else
				unknown_key(key, key, known);
		}
	}
};

struct FreeOptions {
	void operator()(PQconninfoOption *o) const { PQconninfoFree(o); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// libpq's own words are dropped: they repeat the string, password included.
Options parsed(const std::string &dsn)
{
	char *words = nullptr;
	Options options(PQconninfoParse(dsn.c_str(), &words));
	PQfreemem(words);
	return options;
}

std::string conninfo_value(std::string_view value)
{
	std::string text = "'";
	for (char c : value) {
		if (c == '\'' || c == '\\') text += '\\';
		text += c;
	}
	return text + "'";
}

std::string expand(std::string_view text, std::vector<std::string> &missing)
{
	std::string out;
	while (!text.empty()) {
		auto start = text.find("${");
		auto end = start == text.npos ? text.npos : text.find('}', start);
		if (end == text.npos) break;
		out += text.substr(0, start);
		std::string name(text.substr(start + 2, end - start - 2));
		if (const char *value = std::getenv(name.c_str()); value && !name.empty())
			out += value;
		else
			missing.push_back(name);
		text.remove_prefix(end + 1);
	}
	return out.append(text);
}

}  // namespace

std::optional<std::string> expand_dsn(const std::string &dsn, std::vector<std::string> &missing)
{
	auto options = parsed(dsn);
	if (!options) {
		auto text = expand(dsn, missing);
		if (!missing.empty()) return std::nullopt;
		return parsed(text) ? std::optional(text) : std::nullopt;
	}
	std::string text;
	for (auto *option = options.get(); option->keyword; ++option)
		if (option->val)
			text += (text.empty() ? "" : " ") + std::string(option->keyword) + "=" + conninfo_value(expand(option->val, missing));
	return missing.empty() ? std::optional(text) : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
	std::int64_t number = 0;
	auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (bad != std::errc{} || number < 0 || number > 1'000'000'000) return std::nullopt;
	std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
	if (unit.starts_with(' ')) unit.remove_prefix(1);
	if (unit == "ms") return std::chrono::milliseconds(number);
	if (unit == "s") return std::chrono::seconds(number);
	if (unit == "min") return std::chrono::minutes(number);
	if (unit == "h") return std::chrono::hours(number);
	return std::nullopt;
}

ConfigError::ConfigError(std::string name, const std::vector<Located> &found)
    : Error(exit_plan, found.size() == 1 ? found[0].problem.text : std::to_string(found.size()) + " problems in " + name),
      file(std::move(name))
{
	for (const auto &[problem, position] : found) {
		problems.push_back(problem);
		positions.push_back(position);
	}
}

Position Settings::find(const core::Problem &problem) const
{
	const bool about_value = problem.id == "wrong-type" || problem.id == "wrong-value" || problem.id == "bad-value";
	return document.find(problem.object, about_value);
}

Settings parse_settings(std::string_view text, const std::string &file)
{
	Settings settings;
	settings.file = file;
	std::vector<Located> problems;
	try {
		settings.document = parse_yaml(text);
	} catch (const YamlError &e) {
		throw ConfigError(file, {{{"malformed", place(file, e.position), e.what(), ""}, e.position}});
	}
	const auto &value = settings.document.value;
	if (!value.is_object() && !value.is_null())
		throw ConfigError(
		    file, {{{"wrong-type", file, "the file must be a mapping: environments, tenants, tables ...", ""}, {1, 1}}});
	if (value.is_object()) Reader(settings, problems).read(value);
	std::vector<core::Problem> found;
	settings.config = core::Config::parse(settings.shared, found);
	for (auto &problem : found) problems.push_back({problem, settings.find(problem)});
	if (!problems.empty()) {
		std::stable_sort(
		    problems.begin(), problems.end(), [](const Located &a, const Located &b) { return a.position < b.position; });
		throw ConfigError(file, problems);
	}
	return settings;
}

Settings read_settings(const std::string &file, bool required)
{
	std::ifstream in(file, std::ios::binary);
	std::ostringstream text;
	if (in) text << in.rdbuf();
	if (in.is_open() && !in.bad() && !text.bad() && std::filesystem::is_directory(file) == false)
		return parse_settings(text.str(), file);
	int reason = std::filesystem::is_directory(file) ? EISDIR : errno;
	if (reason == ENOENT && !required) return {};
	std::string fix =
	    reason == ENOENT ? "name it with --config FILE, or write one: docs/configuration.md begins with a short one" : "";
	throw ConfigError(
	    file, {{{"no-file", file, "cannot read the configuration: " + std::string(std::strerror(reason)), fix}, {}}});
}

bool is_dsn(std::string_view given)
{
	return given.find('=') != given.npos || given.starts_with("postgresql://") || given.starts_with("postgres://");
}

Side side(const Settings &settings, const std::string &given, const std::string &option)
{
	if (is_dsn(given)) {
		if (!parsed(given))
			throw Error(exit_usage, option + " has a connection string that cannot be read (not shown, it may hold a password)",
			    "write " + option + " \"host=HOST dbname=NAME user=ROLE\" or " + option +
			        " postgresql://ROLE@HOST/NAME; in the latter, special characters are %-encoded");
		return {{option == "--from" ? "the source" : "the target", given, option}, ""};
	}
	auto found = settings.environments.find(given);
	if (found == settings.environments.end()) {
		std::vector<std::string> known;
		std::string list;
		for (const auto &[name, dsn] : settings.environments) {
			known.push_back(name);
			list += (list.empty() ? "" : ", ") + name;
		}
		throw Error(exit_usage, "unknown environment \"" + given + "\"" + core::did_you_mean(given, known),
		    list.empty() ? option + " takes a name under environments: in the configuration, or a connection string"
		                 : "environments in " + settings.file + ": " + list + "; a connection string will do as well");
	}
	std::vector<std::string> missing;
	auto dsn = expand_dsn(found->second, missing);
	const std::string path = "environments." + given + ".dsn";
	auto at = settings.document.values.find(path);
	const Position position = at == settings.document.values.end() ? Position{} : at->second;
	std::vector<Located> problems;
	problems.reserve(missing.size() + 1);
	for (const auto &name : missing)
		problems.push_back(
		    {{"missing-variable", path, "the environment variable " + name + " is not set", "export " + name + "=..."},
		        position});
	if (problems.empty() && !dsn)
		problems.push_back(
		    {{"bad-dsn", path, "the connection string of " + given + " cannot be read (not shown, it may hold a password)",
		         "dsn: \"host=HOST dbname=NAME user=ROLE\", or a postgresql:// address with special characters %-encoded"},
		        position});
	if (!problems.empty()) throw ConfigError(settings.file, problems);
	return {{given, *dsn, "environments: " + given + " in " + settings.file}, given};
}

}  // namespace client
