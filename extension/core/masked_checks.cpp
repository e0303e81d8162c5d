#include "masked_checks.hpp"

#include <algorithm>

#include "masking.hpp"
#include "masks.hpp"
#include "rules.hpp"
#include "words.hpp"

namespace core {

namespace {

constexpr const char *id = "masked-check";

bool contains(const std::vector<std::string> &list, const std::string &one) { return std::find(list.begin(), list.end(), one) != list.end(); }

const MaskRule *rule_of(const PlannedTable &table, const std::string &column)
{
	for (const Transfer &one : table.columns)
		if (one.column == column && one.mask.masks()) return &one.mask;
	return nullptr;
}

const PlannedTable *copied(const Plan &plan, const Name &table)
{
	for (const PlannedTable &one : plan.tables)
		if (one.name == table && one.mode == Mode::copy && one.in_source) return &one;
	return nullptr;
}

// Of the table and its partitions; what these inherit once.
std::vector<std::pair<Name, const CheckConstraint *>> all_checks(const Catalog &target, const Name &table)
{
	const Relation *root = target.find(table);
	std::vector<std::pair<Name, const CheckConstraint *>> out;
	for (const CheckConstraint &check : root->checks) out.emplace_back(table, &check);
	for (const Relation *leaf : target.storage(table)) {
		if (leaf == root) continue;
		for (const CheckConstraint &check : leaf->checks)
			if (std::none_of(root->checks.begin(), root->checks.end(), [&](const CheckConstraint &one) { return one.name == check.name; }))
				out.emplace_back(leaf->name, &check);
	}
	return out;
}

std::string check_name(const MaskedCheck &check)
{
	return check.constraint + (check.relation == check.table ? "" : " of " + check.relation.shown());
}

std::string problem_text(const TriedCheck &tried, const PlannedTable &table)
{
	const MaskedCheck &check = tried.check;
	std::string masked;
	for (std::size_t i = 0; i < check.masked; ++i) {
		const MaskRule *rule = rule_of(table, check.columns[i]);
		masked += (i ? ", " : "") + table.name.shown() + "." + check.columns[i] + " masked by " +
		    (rule && rule->inside.empty() ? "strategy " + rule->strategy : "rules for its parts");
	}
	return masked + ": CHECK constraint " + check_name(check) + " does not allow " + counted(tried.violations, "row", "rows") + " of a sample of " +
	    std::to_string(tried.rows);
}

}  // namespace

std::vector<std::string> checks_of(const Catalog &target, const Name &table, const Column &column)
{
	std::vector<std::string> names = column.domain_checks;
	for (const auto &[relation, check] : all_checks(target, table))
		if (contains(check->columns, column.name) && !contains(names, check->name)) names.push_back(check->name);
	return names;
}

Problem masked_check_warning(const Name &table, const std::string &column, const std::vector<std::string> &constraints, const MaskRule &rule)
{
	const auto object = table.shown() + "." + column;
	return {id, object,
	    object + " has CHECK constraint" + (constraints.size() > 1 ? "s " : " ") + listed(constraints) + ": a value that it does not allow masked " +
	        (rule.inside.empty() ? std::string("as ") + find_strategy(rule.strategy)->gives : "in its parts") + " ends the run",
	    "prodsync sync --rehearse tries it, and changes nothing"};
}

std::vector<MaskRule> form_keeping_rules(const Catalog &target, const Name &table, const std::string &column, const MaskRule &instead_of)
{
	const Column *here = target.find(table)->column(column);
	std::vector<const Relation *> relations{target.find(table)};
	for (const Relation *leaf : target.storage(table)) relations.push_back(leaf);
	const bool unique = std::any_of(relations.begin(), relations.end(), [&](const Relation *relation) {
		return std::any_of(relation->indexes.begin(), relation->indexes.end(), [&](const Index &index) {
			return (index.unique || index.exclusion) && (index.expressions || contains(index.columns, column));
		});
	});
	std::vector<MaskRule> out;
	for (MaskRule rule : {MaskRule{"phone", "", {{"form", "e164"}}}, MaskRule{"digits", "", json::object()}, MaskRule{"shape", "", json::object()}}) {
		const Strategy &strategy = *find_strategy(rule.strategy);
		if (rule.strategy == instead_of.strategy && rule.options == instead_of.options) continue;
		if (rule.strategy == "phone" && instead_of.strategy != "phone") continue;
		if (!takes(strategy, kind_of_type(here->base)) || (unique && strategy.distinct(rule).kind != Distinct::Kind::always)) continue;
		rule.when = instead_of.when;
		if (!strategy.of_the_value) rule.entity = instead_of.entity;
		out.push_back(std::move(rule));
	}
	return out;
}

std::vector<MaskedCheck> masked_checks(const Plan &plan, const Catalog &target)
{
	std::vector<MaskedCheck> out;
	for (const PlannedTable &table : plan.tables) {
		const Relation *here = target.find(table.name);
		if (!here || !copied(plan, table.name)) continue;
		for (const auto &[relation, check] : all_checks(target, table.name)) {
			MaskedCheck one{table.name, relation, check->name, false, {}, 0};
			for (const std::string &column : check->columns)
				if (rule_of(table, column)) one.columns.push_back(column);
			one.masked = one.columns.size();
			for (const std::string &column : check->columns)
				if (!rule_of(table, column)) one.columns.push_back(column);
			if (one.masked) out.push_back(std::move(one));
		}
		for (const Column &column : here->columns)
			if (rule_of(table, column.name))
				for (const std::string &check : column.domain_checks) out.push_back({table.name, table.name, check, true, {column.name}, 1});
	}
	return out;
}

void tell_tried_checks(const std::vector<TriedCheck> &all, const Catalog &target, Plan &plan)
{
	for (const TriedCheck &tried : all) {
		const PlannedTable *table = copied(plan, tried.check.table);
		if (!table || tried.violations == 0) continue;
		const std::string &column = tried.check.columns.front();
		const std::string line = tried.allowed
		    ? "- " + rule_text(column, *tried.allowed) + "    # " + check_name(tried.check) + " allows its masks"
		    : "- {column: " + yaml_word(column) +
		        ", strategy: ...}    # one whose masks it allows: phone with form: e164, shape and digits keep a value's form; sql makes any";
		plan.problems.push_back({id, table->name.shown() + "." + column, problem_text(tried, *table),
		    "anonymize:\n  tables:\n    " + yaml_table(target, table->name) + ":\n      " + line});
	}
	std::vector<Problem> warnings;
	for (Problem &warning : plan.warnings) {
		if (warning.id != id) {
			warnings.push_back(std::move(warning));
			continue;
		}
		for (const PlannedTable &table : plan.tables)
			for (const Transfer &one : table.columns) {
				const Relation *here = target.find(table.name);
				const Column *column = here && warning.object == table.name.shown() + "." + one.column ? here->column(one.column) : nullptr;
				if (!column || !one.mask.masks()) continue;
				auto names = checks_of(target, table.name, *column);
				// Partitions may have constraints of one name: each of them was tried.
				std::erase_if(names, [&](const std::string &name) {
					bool any = false, all_tried = true;
					for (const TriedCheck &one_tried : all)
						if (one_tried.check.table == table.name && one_tried.check.constraint == name &&
						    contains(one_tried.check.columns, column->name))
							any = true, all_tried = all_tried && one_tried.rows;
					return any && all_tried;
				});
				if (!names.empty()) warnings.push_back(masked_check_warning(table.name, one.column, names, one.mask));
			}
	}
	plan.warnings = std::move(warnings);
}

}  // namespace core
