// Reading the configuration. What is written wrong must never be skipped in silence (E2, E3): every key is known or a problem,
// and what a later version will do is a problem of its own kind, so that nobody believes it is done already.
#include "config.hpp"
#include "in_place.hpp"
#include "json_path.hpp"
#include "masks.hpp"
#include "words.hpp"
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>

namespace core {
namespace {

using Keys = std::initializer_list<const char *>;

struct Reader {
	std::vector<Problem> &problems;

	void problem(const char *id, const std::string &object, const std::string &text, const std::string &fix = "") const
	{
		problems.push_back({id, object, text, fix});
	}

	void unsupported(const std::string &object, const std::string &what, const std::string &fix) const
	{
		problem("not-supported", object, what + " is not supported by this version", fix);
	}

	// The value of a key, or nullptr where it is missing or (`key:` with nothing behind it) null.
	static const json *get(const json &j, const char *key)
	{
		auto it = j.find(key);
		return it == j.end() || it->is_null() ? nullptr : &*it;
	}

	bool mapping(const json &j, const std::string &path, Keys known) const
	{
		if (!j.is_object()) {
			problem("wrong-type", path, path + " must be a mapping", "");
			return false;
		}
		std::vector<std::string> names(known.begin(), known.end());
		for (const auto &[key, ignored] : j.items()) {
			bool found = false;
			for (const auto &name : names) found = found || name == key;
			std::string all;
			for (const auto &name : names) all += (all.empty() ? "" : ", ") + name;
			if (!found)
				problem("unknown-key", path.empty() ? key : path + "." + key,
				    "unknown key \"" + key + "\"" + (path.empty() ? "" : " in " + path) + did_you_mean(key, names),
				    "known are: " + all);
		}
		return true;
	}

	std::string text(const json &j, const std::string &path, const char *key, bool required) const
	{
		std::string where = path.empty() ? key : path + "." + key;
		const json *v = get(j, key);
		if (v && v->is_string() && !v->get<std::string>().empty()) return v->get<std::string>();
		if (v)
			problem("wrong-type", where, where + " must be a text", "");
		else if (required)
			problem("missing-key", where, path + " needs " + key, "");
		return "";
	}

	std::vector<std::string> texts(const json &j, const std::string &path, const char *key) const
	{
		std::vector<std::string> out;
		std::string where = path.empty() ? key : path + "." + key;
		const json *v = get(j, key);
		if (!v) return out;
		bool good = v->is_array();
		for (std::size_t i = 0; good && i < v->size(); ++i) {
			const json &one = (*v)[i];
			good = one.is_string() && !one.get<std::string>().empty();
			if (good) out.push_back(one.get<std::string>());
		}
		if (!good) problem("wrong-type", where, where + " must be a list of names", std::string(key) + ": [name, name]");
		return out;
	}

	bool flag(const json &j, const std::string &path, const char *key) const
	{
		const json *v = get(j, key);
		if (v && !v->is_boolean())
			problem("wrong-type", path + "." + key, path + "." + key + " must be true or false", std::string(key) + ": true");
		return v && v->is_boolean() && v->get<bool>();
	}

	// One of some words; `later` are those that only a later version knows.
	std::string word(
	    const json &j, const std::string &path, const char *key, Keys known, Keys later, const std::string &otherwise) const
	{
		std::string where = path.empty() ? key : path + "." + key;
		auto it = j.find(key);
		if (it == j.end()) return otherwise;
		// on_missing: null is a word, though YAML reads it as null
		std::string given = it->is_null() ? "null" : it->is_string() ? it->get<std::string>() : it->dump();
		std::vector<std::string> words;
		for (const char *w : known) {
			if (given == w) return given;
			words.push_back(w);
		}
		std::string fix = std::string(key) + ": " + words.front();
		for (const char *w : later) {
			if (given == w) {
				unsupported(where, std::string(key) + ": " + given, fix);
				return otherwise;
			}
		}
		problem("bad-value", where, where + " cannot be \"" + given + "\"" + did_you_mean(given, words), fix);
		return otherwise;
	}
};

std::string fallback_predicate(const Reader &r, const json &users)
{
	const json *v = Reader::get(users, "fallback");
	if (!v) return "";
	if (v->is_string() && !v->get<std::string>().empty()) return v->get<std::string>();
	if (!v->is_object() || v->empty()) {
		r.problem("wrong-type", "users.fallback", "users.fallback must be a condition or {column: value}",
		    "fallback: {username: uat_admin}");
		return "";
	}
	std::string out;
	for (const auto &[column, wanted] : v->items()) {
		if (wanted.is_object() || wanted.is_array()) {
			r.problem("wrong-type", "users.fallback." + column,
			    "the value of users.fallback." + column + " must be a text, a number or a boolean", "");
			return "";
		}
		out += (out.empty() ? "" : " AND ") + quote_identifier(column);
		// Always a quoted literal: the server gives it the column's type, so 4 fits a number and a text alike.
		out +=
		    wanted.is_null() ? " IS NULL" : " = " + quote_literal(wanted.is_string() ? wanted.get<std::string>() : wanted.dump());
	}
	return out;
}

// join_tenants: true, or {table: T, values: {column: value}}
std::optional<JoinTenants> join_tenants(const Reader &r, const json &users)
{
	const json *v = Reader::get(users, "join_tenants");
	if (!v || (v->is_boolean() && !v->get<bool>())) return std::nullopt;
	JoinTenants out;
	if (v->is_boolean()) return out;
	const std::string path = "users.join_tenants", example = "join_tenants: {values: {role: admin}}";
	if (!v->is_object()) {
		r.problem("wrong-type", path, path + " must be true, or a mapping", example);
		return std::nullopt;
	}
	r.mapping(*v, path, {"table", "values"});
	out.table = r.text(*v, path, "table", false);
	const json *values = Reader::get(*v, "values");
	if (values && !values->is_object()) r.problem("wrong-type", path + ".values", path + ".values must be a mapping of columns", example);
	if (!values || !values->is_object()) return out;
	for (const auto &[column, value] : values->items()) {
		if (value.is_object() || value.is_array() || value.is_null())
			r.problem("wrong-type", path + ".values." + column, path + ".values." + column + " must be a text, a number or a boolean", example);
		else
			out.values[column] = value.is_string() ? value.get<std::string>() : value.dump();
	}
	return out;
}

void parse_reserved(const Reader &r, const json &j, Config &c)
{
	static const std::map<std::string, std::int64_t> largest{{"bigint", std::numeric_limits<std::int64_t>::max()},
	    {"integer", std::numeric_limits<std::int32_t>::max()}, {"smallint", std::numeric_limits<std::int16_t>::max()}};
	if (!r.mapping(j, "reserved_from", {"bigint", "integer", "smallint"})) return;
	for (const auto &[type, start] : j.items()) {
		auto it = largest.find(type);
		if (it == largest.end()) continue;
		bool fits =
		    start.is_number_integer() && !(start.is_number_unsigned() && start.get<std::uint64_t>() > std::uint64_t(it->second));
		if (!fits || start.get<std::int64_t>() < 2 || start.get<std::int64_t>() >= it->second)
			r.problem("bad-value", "reserved_from." + type,
			    "reserved_from." + type + " must be a whole number from 2 to " + std::to_string(it->second - 1),
			    type + ": " + std::to_string(c.reserved_from.at(type)));
		else
			c.reserved_from[type] = start.get<std::int64_t>();
	}
}

// {content_type: COLUMN, models: {app_label.model: TABLE}}
void parse_generic(const Reader &r, TableRule &rule, const std::string &column, const json &what, const std::string &at)
{
	GenericRule generic;
	generic.type = r.text(what, at, "content_type", false);
	const json *models = Reader::get(what, "models");
	if (generic.type.empty()) {
		if (models && !what.contains("content_type"))
			r.problem("missing-key", at + ".content_type", "models says nothing without content_type",
			    column + ": {content_type: COLUMN, models: {...}}");
		return;
	}
	if (what.contains("to")) {
		r.problem("bad-value", at,
		    at + " has both to and content_type: either one table is referenced, or the content type says which",
		    "take one of them out");
		return;
	}
	if (models && !models->is_object()) {
		r.problem("wrong-type", at + ".models", at + ".models must be a mapping of models to tables", "models: {\"app_label.model\": table}");
		return;
	}
	const json none = json::object();
	for (const auto &[model, table] : (models ? *models : none).items()) {
		if (!table.is_null() && (!table.is_string() || table.get<std::string>().empty()))
			r.problem("wrong-type", at + ".models." + model, at + ".models." + model + " must be the name of a table, or null", "");
		else
			generic.models[model] = table.is_null() ? "" : table.get<std::string>();
	}
	rule.generic[column] = std::move(generic);
}

TableRule parse_table(const Reader &r, const std::string &pattern, const json &j)
{
	TableRule rule;
	rule.pattern = pattern;
	std::string path = "tables." + pattern;
	if (j.is_null()) {
		r.problem("missing-key", path, path + " says nothing", pattern + ": {mode: keep}");
		return rule;
	}
	if (!r.mapping(j, path, {"mode", "match", "references", "tenant_path"})) return rule;
	if (j.contains("mode")) {
		std::string mode = r.word(j, path, "mode", {"copy", "keep", "empty"}, {}, "");
		if (!mode.empty()) rule.mode = mode == "copy" ? Mode::copy : mode == "keep" ? Mode::keep : Mode::empty;
	}
	rule.match = r.texts(j, path, "match");
	rule.tenant_path = r.texts(j, path, "tenant_path");
	if (const json *references = Reader::get(j, "references")) {
		std::string where = path + ".references";
		if (!references->is_object()) {
			r.problem("wrong-type", where, where + " must be a mapping of columns", "references: {column: {on_missing: error}}");
			return rule;
		}
		for (const auto &[column, what] : references->items()) {
			std::string at = where + "." + column;
			if (!r.mapping(what, at, {"to", "on_missing", "content_type", "models"})) continue;
			parse_generic(r, rule, column, what, at);
			if (std::string to = r.text(what, at, "to", false); !to.empty()) rule.to[column] = to;
			if (what.contains("on_missing"))
				rule.on_missing[column] = r.word(what, at, "on_missing", {"error", "null", "drop", "adopt"}, {}, "error");
		}
	}
	return rule;
}

// {column: email, strategy: email, domain: billing}
std::optional<ColumnRule> parse_rule(const Reader &r, const json &j, const std::string &path)
{
	if (!j.is_object()) {
		r.problem("wrong-type", path, path + " must be a mapping", "- {column: email, strategy: email}");
		return std::nullopt;
	}
	const auto column = r.text(j, path, "column", true);
	auto rule = parse_mask_rule(j, {"column", "path", "entity", "when"}, path, r.problems);
	if (column.empty() || !rule) return std::nullopt;
	rule->path = r.text(j, path, "path", false);
	rule->entity = r.text(j, path, "entity", false);
	rule->when = r.text(j, path, "when", false);
	std::string why;
	if (!rule->path.empty() && !rule->entity.empty())
		r.problem("bad-value", path + ".entity",
		    path + ": a rule for a part of a value draws from that part; entity is for whole columns", "take entity out");
	if (!rule->path.empty() && !JsonPath::parse(rule->path, why))
		r.problem("bad-value", path + ".path", "the path " + rule->path + " in " + path + " " + why, "path: $.contacts[*].email");
	if (rule->strategy == by_production && (!rule->path.empty() || !rule->entity.empty() || !rule->when.empty()))
		r.problem("bad-value", path, path + ": an expression stands for itself; write path, entity or when into it", "");
	return ColumnRule{column, *rule};
}

// anonymize.compat: confiture. Its five strategies, which have no options, give what they give there (mask_confiture.cpp).
void as_confiture(const Reader &r, const std::string &path, MaskRule &rule)
{
	static const std::set<std::string> five{"email", "phone", "name", "redact", "hash"};
	if (!five.contains(rule.strategy)) return;
	if (!rule.options.empty() || !rule.domain.empty())
		r.problem("bad-value", path, "anonymize.compat: confiture: strategy " + rule.strategy + " in " + path + " has no options there",
		    rule.domain.empty() ? "take " + rule.options.begin().key() + " out, or take another strategy" : "take domain out");
	rule.strategy = "confiture_" + rule.strategy;
}

void parse_anonymize(const Reader &r, const json &j, Config &c)
{
	if (!r.mapping(j, "anonymize", {"policy", "kept_rows", "compat", "tables", "columns"})) return;
	const bool confiture = j.contains("compat") && r.word(j, "anonymize", "compat", {"confiture"}, {}, "") == "confiture";
	c.anonymize = j;
	const auto policy = r.word(j, "anonymize", "policy", {"strict", "warn", "none"}, {}, "strict");
	c.policy = policy == "none" ? Policy::none : policy == "warn" ? Policy::warn : Policy::strict;
	r.word(j, "anonymize", "kept_rows", {"trust", "mask"}, {}, "trust");
	if (const json *columns = Reader::get(j, "columns")) {
		if (!columns->is_object())
			r.problem("wrong-type", "anonymize.columns", "anonymize.columns must be a mapping of column names",
			    "anonymize: {columns: {\"*email*\": {strategy: email}}}");
		else
			for (const auto &[pattern, rule] : columns->items()) {
				const auto path = "anonymize.columns." + pattern;
				if (!rule.is_object()) r.problem("wrong-type", path, path + " must be a mapping", "\"*email*\": {strategy: email}");
				else if (auto parsed = parse_mask_rule(rule, {}, path, r.problems)) {
					if (confiture) as_confiture(r, path, *parsed);
					if (parsed->strategy == by_production)
						r.problem("bad-value", path, path + ": an expression is about the columns of one table",
						    "write it under anonymize: tables:");
					c.mask_patterns.push_back({pattern, *parsed});
				}
			}
	}
	const json *tables = Reader::get(j, "tables");
	if (!tables) return;
	const std::string example = "anonymize:\n  tables:\n    customers_customer:\n      - {column: email, strategy: email}";
	if (!tables->is_object()) {
		r.problem("wrong-type", "anonymize.tables", "anonymize.tables must be a mapping of table names", example);
		return;
	}
	for (const auto &[table, rules] : tables->items()) {
		const auto path = "anonymize.tables." + table;
		if (!rules.is_array() || rules.empty()) {
			r.problem("wrong-type", path, path + " must be a list of rules", example);
			continue;
		}
		MaskedTable masked{table, {}};
		for (std::size_t i = 0; i < rules.size(); ++i)
			if (auto rule = parse_rule(r, rules[i], path + "." + std::to_string(i))) {
				if (confiture) as_confiture(r, path + "." + std::to_string(i), rule->rule);
				masked.columns.push_back(std::move(*rule));
			}
		c.masks.push_back(std::move(masked));
	}
}

const char *mode_word(Mode m) { return m == Mode::copy ? "copy" : m == Mode::keep ? "keep" : "empty"; }

}  // namespace

std::optional<ColumnRule> parse_column_rule(const json &rule, const std::string &path, std::vector<Problem> &problems)
{
	return parse_rule(Reader{problems}, rule, path);
}

Config Config::parse(const json &document, std::vector<Problem> &problems)
{
	Config c;
	Reader r{problems};
	if (document.is_null()) return c;
	if (!r.mapping(document, "",
	        {"tenants", "users", "reserved_from", "tables", "accept", "checks", "on_collision", "materialized_views",
	            "keep_previous", "fire_triggers", "anonymize", "choice"})) {
		problems.back().text = "the configuration must be a mapping";
		return c;
	}
	if (document.contains("tenants")) {
		const json none = json::object(), &j = document["tenants"].is_null() ? none : document["tenants"];
		if (r.mapping(j, "tenants", {"table", "keep", "label", "exclude_source", "only", "except"}))
			c.tenants = Tenants{r.text(j, "tenants", "table", true), r.text(j, "tenants", "keep", true),
			    r.text(j, "tenants", "label", false), r.text(j, "tenants", "exclude_source", false),
			    r.texts(j, "tenants", "only"), r.texts(j, "tenants", "except")};
	}
	if (document.contains("users")) {
		const json none = json::object(), &j = document["users"].is_null() ? none : document["users"];
		if (r.mapping(j, "users", {"table", "fallback", "match", "join_tenants"})) {
			c.users = Users{r.text(j, "users", "table", true), fallback_predicate(r, j), r.texts(j, "users", "match"), {}};
			c.users->join_tenants = join_tenants(r, j);
			if (!Reader::get(j, "fallback") && !Reader::get(j, "match"))
				r.problem("missing-key", "users.fallback", "users needs fallback, match, or both",
				    "users: {table: " + c.users->table + ", fallback: {username: uat_admin}}");
		}
	}
	if (const json *j = Reader::get(document, "reserved_from")) parse_reserved(r, *j, c);
	if (const json *j = Reader::get(document, "tables")) {
		if (!j->is_object())
			r.problem("wrong-type", "tables", "tables must be a mapping of table names", "tables:\n  auth_*: {mode: keep}");
		else
			for (const auto &[pattern, rule] : j->items()) c.tables.push_back(parse_table(r, pattern, rule));
	}
	if (const json *j = Reader::get(document, "accept"); j && r.mapping(*j, "accept", {"folded", "published", "large_objects"})) {
		c.accept_folded = r.texts(*j, "accept", "folded");
		c.accept_published = r.texts(*j, "accept", "published");
		c.accept_large_objects = r.texts(*j, "accept", "large_objects");
	}
	if (const json *j = Reader::get(document, "checks")) {
		if (!j->is_object())
			r.problem(
			    "wrong-type", "checks", "checks must be a mapping of constraint names", "checks: {name_of_constraint: source}");
		else
			for (const auto &[name, ignored] : j->items())
				if (r.word(*j, "checks", name.c_str(), {"source"}, {}, "") == "source") c.checks[name] = "source";
	}
	c.on_collision = r.word(document, "", "on_collision", {"error", "source"}, {}, "error");
	c.materialized_views = r.word(document, "", "materialized_views", {"after", "skip"}, {"switch"}, "after");
	r.word(document, "", "keep_previous", {"false"}, {"true"}, "false");
	c.fire_triggers = r.texts(document, "", "fire_triggers");
	if (!c.fire_triggers.empty()) r.unsupported("fire_triggers", "fire_triggers", "fire_triggers: []");
	if (const json *j = Reader::get(document, "anonymize")) parse_anonymize(r, *j, c);
	if (const json *j = Reader::get(document, "choice"); j && r.mapping(*j, "choice", {"tables", "exclude", "tenants", "all_kept", "in_place"}))
		c.choice = {r.texts(*j, "choice", "tables"), r.texts(*j, "choice", "exclude"), r.texts(*j, "choice", "tenants"),
		    r.flag(*j, "choice", "all_kept"), r.flag(*j, "choice", "in_place")};
	return c.choice.in_place ? in_place(std::move(c)) : c;
}

json Config::to_json() const
{
	json out{{"reserved_from", reserved_from}, {"on_collision", on_collision}, {"materialized_views", materialized_views},
	    {"accept", {{"folded", accept_folded}, {"large_objects", accept_large_objects}, {"published", accept_published}}}, {"checks", checks},
	    {"fire_triggers", fire_triggers}, {"tables", json::object()}};
	auto put = [](json &to, const char *key, const auto &what) {
		if (!what.empty()) to[key] = what;
	};
	if (tenants) {
		json &j = out["tenants"] = {{"table", tenants->table}, {"keep", tenants->keep}};
		put(j, "label", tenants->label);
		put(j, "exclude_source", tenants->exclude_source);
		put(j, "only", tenants->only);
		put(j, "except", tenants->except);
	}
	if (users) {
		json &j = out["users"] = {{"table", users->table}};
		put(j, "fallback", users->fallback);
		put(j, "match", users->match);
		if (users->join_tenants) {
			j["join_tenants"] = json::object();
			put(j["join_tenants"], "table", users->join_tenants->table);
			put(j["join_tenants"], "values", users->join_tenants->values);
		}
	}
	for (const TableRule &rule : tables) {
		json j = json::object();
		if (rule.mode) j["mode"] = mode_word(*rule.mode);
		put(j, "match", rule.match);
		put(j, "tenant_path", rule.tenant_path);
		for (const auto &[column, table] : rule.to) j["references"][column]["to"] = table;
		for (const auto &[column, generic] : rule.generic) {
			j["references"][column]["content_type"] = generic.type;
			for (const auto &[model, table] : generic.models) j["references"][column]["models"][model] = table.empty() ? json() : json(table);
		}
		for (const auto &[column, what] : rule.on_missing) j["references"][column]["on_missing"] = what;
		out["tables"][rule.pattern] = std::move(j);
	}
	put(out, "anonymize", anonymize);
	if (choice != Choice{}) {
		json &j = out["choice"] = json::object();
		put(j, "tables", choice.tables);
		put(j, "exclude", choice.exclude);
		put(j, "tenants", choice.tenants);
		if (choice.all_kept) j["all_kept"] = true;
		if (choice.in_place) j["in_place"] = true;
	}
	return out;
}

}  // namespace core
