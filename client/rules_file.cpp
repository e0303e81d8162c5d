#include "rules_file.hpp"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace client {
namespace {

using core::json;

constexpr const char *example = "users:\n  - {column: email, strategy: email}";

std::string read(const std::string &file)
{
	std::ifstream in(file, std::ios::binary);
	std::ostringstream text;
	if (in) text << in.rdbuf();
	if (in.is_open() && !in.bad() && !text.bad() && !std::filesystem::is_directory(file)) return text.str();
	const int reason = std::filesystem::is_directory(file) ? EISDIR : errno;
	throw ConfigError(file, {{{"no-file", file, "cannot read the rules: " + std::string(std::strerror(reason)), "--anonymization-config FILE"}, {}}});
}

}  // namespace

void add_rules_file(const std::string &file, Settings &settings)
{
	YamlDocument document;
	try {
		document = parse_yaml(read(file));
	} catch (const YamlError &error) {
		throw ConfigError(file, {{{"malformed", place(file, error.position), error.what(), ""}, error.position}});
	}
	std::vector<Located> problems;
	const auto problem = [&](const core::Problem &found) { problems.push_back({found, document.find(found.object)}); };
	// A rules file without a rule would copy everything as it is.
	if (!document.value.is_object() || document.value.empty())
		throw ConfigError(file, {{{"wrong-type", file, "the rules must be a mapping of table names to lists of rules", example}, {1, 1}}});
	json &anonymize = settings.shared["anonymize"];
	if (anonymize.is_null()) anonymize = json::object();
	json &tables = anonymize["tables"];
	if (tables.is_null()) tables = json::object();
	for (const auto &[table, rules] : document.value.items()) {
		if (!rules.is_array() || rules.empty()) {
			problem({"wrong-type", table, table + " must be a list of rules", example});
			continue;
		}
		for (std::size_t i = 0; i < rules.size(); ++i) {
			json rule = rules[i];
			const std::string path = table + "." + std::to_string(i);
			if (rule.is_object()) {
				if (const auto seed = rule.find("seed"); seed != rule.end()) {
					if (!seed->is_number_integer() && !seed->is_null())
						problem({"wrong-type", path + ".seed", path + ".seed must be a whole number", ""});
					rule.erase(seed);
				}
			}
			// SQL is for the configuration, which knows what of it stays here.
			for (const char *key : {"when", "expression"})
				if (rule.is_object() && rule.contains(key))
					problem({"unknown-option", path + "." + key, "a rules file has no SQL: " + path + "." + key,
					    "write this rule under anonymize: tables: of the configuration"});
			std::vector<core::Problem> found;
			if (core::parse_column_rule(rule, path, found)) tables[table].push_back(rule);
			for (const core::Problem &one : found) problem(one);
		}
	}
	if (!problems.empty()) {
		std::stable_sort(problems.begin(), problems.end(), [](const Located &a, const Located &b) { return a.position < b.position; });
		throw ConfigError(file, problems);
	}
	std::vector<core::Problem> found;
	settings.config = core::Config::parse(settings.shared, found);
	if (found.empty()) return;
	for (const core::Problem &one : found) problem(one);
	throw ConfigError(file, problems);
}

}  // namespace client
