#include "config_anonymize.hpp"
#include "json_path.hpp"
#include "masks.hpp"
#include <set>

namespace core {
namespace {

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

}  // namespace

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

std::optional<ColumnRule> parse_column_rule(const json &rule, const std::string &path, std::vector<Problem> &problems)
{
	return parse_rule(Reader{problems}, rule, path);
}

}  // namespace core
