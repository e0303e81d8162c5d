// Reading the configuration. What is written wrong must never be skipped in silence (E2, E3): every key is known or a problem,
// and what a later version will do is a problem of its own kind, so that nobody believes it is done already.
#include "config.hpp"
#include "config_anonymize.hpp"
#include "config_reader.hpp"
#include "in_place.hpp"
#include <limits>

namespace core {
namespace {

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

const char *mode_word(Mode m) { return m == Mode::copy ? "copy" : m == Mode::keep ? "keep" : "empty"; }

}  // namespace

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
