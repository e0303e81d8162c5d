// The configuration's rules by the tables and columns they name.
#include "masking.hpp"

#include <set>

#include "composite.hpp"
#include "masks.hpp"
#include "rules.hpp"

namespace core {

namespace {

using Problems = std::vector<Problem>;

// The table that a rule names. One that only production has is not copied: nothing to mask, and nothing wrong with the rule.
std::optional<Name> table_of_rule(const std::string &written, const Catalog &source, const Catalog &target, Problems &problems)
{
	const auto object = "anonymize.tables." + written;
	if (target.resolve(written).empty() && source.resolve(written).size() == 1) return std::nullopt;
	return resolve_table(target, written, object, problems);
}

// A choice that says no list is one among the labels of the column's type.
MaskRule of_labels(MaskRule rule, const Column *column)
{
	if (rule.strategy == "choice" && !rule.options.contains("of") && column && !column->labels.empty()) rule.options["of"] = column->labels;
	return rule;
}

// Adds a rule to what the column has already. False: the column, or the part of it, has a rule.
bool add_rule(TableMasking &rules, const std::string &column, const MaskRule &rule)
{
	const auto found = rules.find(column);
	if (found == rules.end()) {
		MaskRule first = rule;
		if (!rule.path.empty()) first = {MaskRule::by_path, "", json::object(), rule.entity, rule.when, "", {rule}};
		rules.emplace(column, first);
		return true;
	}
	MaskRule &known = found->second;
	if (known.inside.empty() || rule.path.empty()) return false;
	for (const MaskRule &part : known.inside)
		if (part.path == rule.path) return false;
	known.inside.push_back(rule);
	return true;
}

// The other conditions of a column's parts: they are one column, which either goes as it is or not.
bool same_condition(const TableMasking &rules, const std::string &column, const MaskRule &rule)
{
	const auto found = rules.find(column);
	return found == rules.end() || found->second.inside.empty() || found->second.when == rule.when;
}

// What anonymize.columns says of one column: a name before a pattern; two patterns that say different things are a problem. Their order is nobody's
// business: JSON and YAML have none.
const ColumnPattern *pattern_of(const Config &config, const std::string &column, const std::string &object, Problems &problems)
{
	const ColumnPattern *found = nullptr;
	for (const ColumnPattern &one : config.mask_patterns) {
		if (one.pattern == column) return &one;
		if (!glob(one.pattern, column)) continue;
		if (found && found->rule != one.rule)
			problems.push_back({"two-rules", "anonymize.columns",
			    object + " matches " + found->pattern + " and " + one.pattern + ", which say different things",
			    "name the column: anonymize: {columns: {" + column +
			        ": {strategy: ...}}}, or give it a rule under anonymize: tables:"});
		found = &one;
	}
	return found;
}

// By production's types: which columns are masked, the target has no say in.
void apply_patterns(const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, Masking &masking, Problems &problems)
{
	std::set<std::string> matched;
	for (const auto &[name, node] : graph.tables) {
		const Relation *there = source.find(name), *here = target.find(name);
		if (node.mode != Mode::copy || !there || config.mask_patterns.empty()) continue;
		for (const Column &column : there->columns) {
			for (const ColumnPattern &one : config.mask_patterns)
				if (glob(one.pattern, column.name)) matched.insert(one.pattern);
			const Column *own = here->column(column.name);
			if (masking[name].contains(column.name) || !own || own->generated) continue;
			const ColumnPattern *one = pattern_of(config, column.name, name.shown() + "." + column.name, problems);
			const Strategy *strategy = one ? find_strategy(one->rule.strategy) : nullptr;
			if (!one || (strategy && !takes(*strategy, kind_of_type(masked_base(one->rule, column.base))))) continue;
			masking[name].emplace(column.name, of_labels(one->rule, own));
		}
	}
	for (const ColumnPattern &one : config.mask_patterns)
		if (!matched.contains(one.pattern))
			problems.push_back({"unknown-column", "anonymize.columns." + one.pattern,
			    "no column of a copied table is called " + one.pattern, "correct it, or take it out"});
}

}  // namespace

Masking resolve_masking(const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, Problems &problems)
{
	Masking masking;
	for (const MaskedTable &masked : config.masks) {
		const auto table = table_of_rule(masked.table, source, target, problems);
		if (!table) continue;
		const Relation *here = target.find(*table), *there = source.find(*table);
		for (const auto &[column, rule] : masked.columns) {
			const auto object = table->shown() + "." + column;
			if (!here->column(column) && !(there && there->column(column))) {
				std::vector<std::string> known;
				for (const Column &one : here->columns) known.push_back(one.name);
				problems.push_back({"unknown-column", "anonymize.tables." + masked.table,
				    "a rule for " + object + ": there is no such column" + did_you_mean(column, known), "correct the name, or take the rule out"});
			} else if (const Column *own = here->column(column); own && own->generated) {
				problems.push_back({"masked-generated", "anonymize.tables." + masked.table,
				    "a rule for " + object + ": it is generated from other columns", "mask the columns it is made of"});
			} else if (!same_condition(masking[*table], column, rule)) {
				problems.push_back({"two-rules", "anonymize.tables." + masked.table,
				    "rules for parts of " + object + " have different conditions (when)", "give them one"});
			} else if (!add_rule(masking[*table], column, of_labels(rule, here->column(column)))) {
				problems.push_back({"two-rules", "anonymize.tables." + masked.table, "two rules for " + object, "take one of them out"});
			}
		}
	}
	// Which fields stand where, production's catalog says: it is production's values that are taken apart.
	for (auto &[table, columns] : masking)
		for (auto &[name, rule] : columns) {
			const Relation *there = source.find(table);
			const Column *column = there && !rule.inside.empty() ? there->column(name) : nullptr;
			if (auto shape = column ? parts_of_type(source, *column) : std::nullopt) rule.options[shape_option] = std::move(*shape);
		}
	apply_patterns(config, graph, source, target, masking, problems);
	return masking;
}

}  // namespace core
