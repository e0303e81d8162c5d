#include "rules.hpp"
#include "words.hpp"
#include <algorithm>
#include <cctype>

namespace core {
namespace {

std::vector<std::string> written_names(const Catalog &catalog, bool with_schema)
{
	std::vector<std::string> out;
	for (const Relation *r : catalog.tables()) out.push_back(with_schema ? r->name.schema + '.' + r->name.name : r->name.name);
	return out;
}

// Where the schema is right, only names in it are compared: otherwise a long schema makes all of them look alike.
std::string did_you_mean_table(const Catalog &catalog, const std::string &written)
{
	std::string schema;
	for (const Relation *r : catalog.tables())
		if (written.starts_with(r->name.schema + '.')) schema = r->name.schema;
	if (schema.empty()) return did_you_mean(written, written_names(catalog, written.find('.') != std::string::npos));
	std::vector<std::string> names;
	for (const Relation *r : catalog.tables())
		if (r->name.schema == schema) names.push_back(r->name.name);
	std::string out;
	for (const auto &name : nearest(written.substr(schema.size() + 1), names))
		out += (out.empty() ? " (did you mean " : ", ") + schema + '.' + name;
	return out.empty() ? out : out + "?)";
}

bool is_pattern(const std::string &written) { return written.find_first_of("*?") != std::string::npos; }

// For a pattern that matches nothing: tables that begin almost like the part before its first wildcard.
std::string did_you_mean_pattern(const std::string &pattern, const std::vector<std::string> &names)
{
	std::string stem = pattern.substr(0, pattern.find_first_of("*?"));
	std::set<std::string> beginnings;
	for (const auto &name : names) beginnings.insert(name.substr(0, stem.size()));
	std::vector<std::string> found;
	for (const auto &beginning : nearest(stem, {beginnings.begin(), beginnings.end()}))
		for (const auto &name : names)
			if (found.size() < 3 && name.starts_with(beginning)) found.push_back(name);
	return found.empty() ? "" : " (did you mean " + listed(found) + "?)";
}

std::string why_no_table(const Catalog &catalog, const Relation &r)
{
	if (r.partition) return "is a partition: what is said about " + catalog.root(r.name).shown() + " holds for it";
	if (!r.extension.empty()) return "belongs to the extension " + r.extension + " and is never touched";
	if (r.kind == 'v' || r.kind == 'm') return "is a view";
	if (r.kind == 'f') return "is a foreign table and is never touched";
	return "is not a table that prodsync refreshes";
}

}  // namespace

bool glob(std::string_view pattern, std::string_view text)
{
	std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
	while (t < text.size()) {
		if (p < pattern.size() && pattern[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
			++p;
			++t;
		} else if (star != std::string_view::npos) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.size() && pattern[p] == '*') ++p;
	return p == pattern.size();
}

std::string yaml_word(const std::string &text)
{
	static const std::set<std::string> special{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
	std::string lower = text;
	std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
	bool plain = !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0])) && !special.contains(lower);
	for (unsigned char c : text) plain = plain && (std::isalnum(c) || c == '_' || c == '.') && c < 0x80;
	return plain && text[0] != '.' ? text : json(text).dump();  // a JSON string is YAML
}

std::string yaml_table(const Catalog &catalog, const Name &table)
{
	return yaml_word(catalog.resolve(table.name).size() == 1 ? table.name : table.schema + '.' + table.name);
}

std::string yaml_list(const std::vector<std::string> &names)
{
	std::vector<std::string> words;
	for (const auto &n : names) words.push_back(yaml_word(n));
	return "[" + listed(words) + "]";
}

std::optional<Name> resolve_table(
    const Catalog &catalog, const std::string &written, const std::string &object, std::vector<Problem> &problems)
{
	std::vector<Name> found = catalog.resolve(written);
	if (found.empty()) {
		problems.push_back({"unknown-table", object, "unknown table \"" + written + "\"" + did_you_mean_table(catalog, written),
		    "names are as in the catalog: case-sensitive, without SQL's quotes, with the schema where it is not unique"});
		return std::nullopt;
	}
	if (found.size() > 1) {
		std::vector<std::string> names;
		for (const Name &n : found) names.push_back(n.schema + '.' + n.name);
		problems.push_back({"ambiguous-table", object, "\"" + written + "\" is the name of several tables: " + listed(names),
		    "write " + names.front()});
		return std::nullopt;
	}
	const Relation &r = *catalog.find(found.front());
	for (const Relation *table : catalog.tables())
		if (table == &r) return found.front();
	problems.push_back({"not-a-table", object, written + " " + why_no_table(catalog, r), "take it out"});
	return std::nullopt;
}

std::vector<Name> matching_tables(
    const Catalog &catalog, const std::string &written, const std::string &object, std::vector<Problem> &problems)
{
	std::vector<Name> out;
	// A name with a wildcard in it can be a table's real name; then it means that table.
	if (!is_pattern(written) || catalog.resolve(written).size() == 1) {
		if (auto name = resolve_table(catalog, written, object, problems)) out.push_back(*name);
		return out;
	}
	for (const Relation *r : catalog.tables())
		if (glob(written, r->name.name) || glob(written, r->name.schema + '.' + r->name.name)) out.push_back(r->name);
	if (out.empty())
		problems.push_back({"unknown-table", object,
		    "no table matches \"" + written + "\"" +
		        did_you_mean_pattern(written, written_names(catalog, written.find('.') != std::string::npos)),
		    "take it out"});
	return out;
}

std::map<Name, const TableRule *> rules_by_table(const Config &config, const Catalog &target, std::vector<Problem> &problems)
{
	std::map<Name, const TableRule *> exact, by_pattern;
	std::vector<const TableRule *> patterns;
	for (const TableRule &rule : config.tables) {
		std::string object = "tables." + rule.pattern;
		const auto found = matching_tables(target, rule.pattern, object, problems);
		if (!is_pattern(rule.pattern) || target.resolve(rule.pattern).size() == 1) {
			if (found.empty()) continue;
			auto [it, first] = exact.emplace(found.front(), &rule);
			if (!first)
				problems.push_back({"two-rules", object,
				    "\"" + it->second->pattern + "\" and \"" + rule.pattern + "\" are the same table", "take one of them out"});
			continue;
		}
		patterns.push_back(&rule);
		for (const Name &name : found) by_pattern.emplace(name, &rule);  // a second one is looked for below, once it is known what exact names take
	}
	for (const auto &[name, rule] : by_pattern) {
		if (exact.contains(name)) continue;
		for (const TableRule *other : patterns)
			if (other != rule && (glob(other->pattern, name.name) || glob(other->pattern, name.schema + '.' + name.name)))
				problems.push_back({"two-rules", "tables." + other->pattern,
				    name.shown() + " matches both \"" + rule->pattern + "\" and \"" + other->pattern + "\"",
				    "tables:\n  " + yaml_table(target, name) + ": ...    # an exact name beats patterns"});
		exact.emplace(name, rule);
	}
	return exact;
}

}  // namespace core
