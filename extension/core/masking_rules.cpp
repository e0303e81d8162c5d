// The configuration's rules by the tables and columns they name.
#include "masking.hpp"

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

void apply_patterns(const Config &config, const Graph &graph, const Catalog &target, Masking &masking, Problems &problems)
{
	for (const ColumnPattern &one : config.mask_patterns) {
		const Strategy *strategy = find_strategy(one.rule.strategy);
		bool matched = false;
		for (const auto &[name, node] : graph.tables) {
			if (node.mode != Mode::copy) continue;
			for (const Column &column : target.find(name)->columns) {
				if (!glob(one.pattern, column.name)) continue;
				matched = true;
								if (column.generated || (strategy && !takes(*strategy, kind_of_type(masked_base(one.rule, column.base))))) continue;
				masking[name].emplace(column.name, of_labels(one.rule, &column));    // a rule of the table, or of a pattern written before, comes first
			}
		}
		if (!matched)
			problems.push_back({"unknown-column", "anonymize.columns." + one.pattern, "no column of a copied table is called " + one.pattern, "correct it, or take it out"});
	}
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
				problems.push_back({"two-rules", "anonymize.tables." + masked.table, "rules for parts of " + object + " have different conditions (when)", "give them one"});
			} else if (!add_rule(masking[*table], column, of_labels(rule, here->column(column)))) {
				problems.push_back({"two-rules", "anonymize.tables." + masked.table, "two rules for " + object, "take one of them out"});
			}
		}
	}
	apply_patterns(config, graph, target, masking, problems);
	return masking;
}

}  // namespace core
