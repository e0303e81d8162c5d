#include "mask_fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "obstacles.hpp"

namespace core {

namespace {

bool contains(const std::vector<std::string> &list, const std::string &one)
{
	return std::find(list.begin(), list.end(), one) != list.end();
}

// Rows of the table; very many where nobody has counted them (before ANALYZE the size is not known either).
double most_rows(const Catalog &source, const Name &table)
{
	double rows = 0;
	for (const Relation *leaf : source.storage(table)) rows += leaf->rows >= 0 ? leaf->rows : 1e9;
	return rows;
}

// lower((email)::text): an expression that keeps apart what a mask keeps apart, but for the case of its letters (`folds`). Others may keep less of it.
bool keeps_apart(const std::string &expression, const std::string &column, bool &folds)
{
	std::string bare;
	for (const char c : expression)
		if (c != '(' && c != ')' && c != ' ') bare += c;
	for (const char *cast : {"::text", "::charactervarying", "::citext"})
		if (const auto at = bare.find(cast); at != bare.npos) bare.erase(at, std::string_view(cast).size());
	const auto name = quote_identifier(column);
	folds = bare != name || expression.find("::citext") != expression.npos;
	return bare == name || bare == "lower" + name || bare == "upper" + name;
}

// Of varchar(20)[] that of an element.
int length_of(const Column &column)
{
	const auto at = column.type.find('(');
	const bool text = element_of_array(column.base) && kind_of_type(*element_of_array(column.base)) == ValueKind::text;
	return column.length || !text || at == std::string::npos ? column.length : std::atoi(column.type.c_str() + at + 1);
}

}  // namespace

const MaskRule *MaskFit::rule(const Name &table, const std::string &column) const
{
	const auto rules = masking.find(table);
	if (rules == masking.end()) return nullptr;
	const auto found = rules->second.find(column);
	return found == rules->second.end() ? nullptr : &found->second;
}

MaskRule MaskFit::effective(const PlannedTable &table, const std::string &column) const
{
	const MaskRule *found = rule(table.name, column);
	return found && found->masks() &&
	        (table.mode == Mode::copy || (graph.node(table.name).stays && !config.choice.in_place)) && table.in_source
	    ? *found
	    : MaskRule{};
}

std::vector<const Relation *> MaskFit::relations(const Name &table) const
{
	std::vector<const Relation *> out{target.find(table)};
	for (const Relation *leaf : target.storage(table))
		if (leaf != out.front()) out.push_back(leaf);
	return out;
}

// An index in which two masks that are equal would be a duplicate. Not one that has the columns of another unique index without
// a masked column in it: that one keeps its rows apart.
MaskFit::UniqueIndex MaskFit::unique_index(const PlannedTable &table, const std::string &column, bool of_nulls) const
{
	UniqueIndex found;
	for (const Relation *relation : relations(table.name)) {
		const auto untouched = [&](const Index &index) {
			return index.unique && index.valid && index.predicate.empty() && !index.expressions && !index.columns.empty() &&
			    std::none_of(index.columns.begin(), index.columns.end(), [&](const auto &one) {
				    const Column *c = relation->column(one);
				    return !c || !c->not_null || effective(table, one).masks();
			    });
		};
		for (const Index &index : relation->indexes) {
			if (!(index.unique || index.exclusion) || !index.valid) continue;
			bool in_it = contains(index.columns, column), whole = in_it;
			const Column *its = relation->column(column);
			bool folds = whole && its && (its->base == "citext" || its->base.ends_with(".citext"));
			for (const auto &expression : index.expression_keys)
				if (bool by_case = false; mentions(expression, column)) {
					in_it = true;
					if (whole) continue;
					whole = keeps_apart(expression, column, by_case);
					folds = whole && by_case;
				}
			if (!in_it) continue;
			// NULLs are no duplicates, of the column itself.
			if (of_nulls && !index.nulls_not_distinct && contains(index.columns, column) && !index.expressions) continue;
			const bool apart = std::any_of(relation->indexes.begin(), relation->indexes.end(), [&](const Index &other) {
				return untouched(other) && std::all_of(other.columns.begin(), other.columns.end(),
				                               [&](const auto &one) { return contains(index.columns, one); });
			});
			if (apart) continue;
			if (!whole) return {index.name, false, ""};
			if (found.name.empty()) found.name = index.name;
			if (folds && found.folded_by.empty()) found.folded_by = index.name;
		}
	}
	return found;
}

std::string MaskFit::too_narrow(const Column &column, const MaskRule &rule)
{
	const int width = mask_width(rule), room = column.base == "name" ? 63 : length_of(column);
	if (room && width == longer_than_the_value) return "what may be longer than the value, the column holds " + std::to_string(room);
	return room && width != as_long_as_the_value && room < width
	    ? std::to_string(width) + " characters, the column holds " + std::to_string(room)
	    : "";
}

// Rows of one entity have one mask.
bool MaskFit::one_row_an_entity(const PlannedTable &table, const std::string &entity) const
{
	const Relation *relation = source.find(table.name);
	return relation && std::any_of(relation->indexes.begin(), relation->indexes.end(), [&](const Index &index) {
		const Column *column = relation->column(entity);
		return index.unique && index.valid && index.predicate.empty() && column && column->not_null && index.columns == std::vector{entity};
	});
}

std::string MaskFit::collides(const PlannedTable &table, const std::string &column, const MaskRule &rule) const
{
	const auto [index, whole, folded_by] = unique_index(table, column, gives_null(rule));
	if (index.empty()) return {};
	const Strategy *strategy = find_strategy(rule.strategy);
	// A permutation is one only where all values go through it.
	const bool mixed = !rule.when.empty() && strategy && strategy->distinct(rule).kind == Distinct::Kind::always;
	const bool never = !strategy || mixed || strategy->distinct(rule).kind == Distinct::Kind::never ||
	    (!rule.entity.empty() && !one_row_an_entity(table, rule.entity));
	if (!never && strategy->distinct(rule).kind == Distinct::Kind::unknown) return {};    // the index tells
	if (!whole) return "may give equal keys in the unique index " + index + ", which is over an expression";
	// A permutation of texts: what differs in more than case may not do so afterwards.
	if (!never && !folded_by.empty() && strategy->distinct(rule).kind == Distinct::Kind::always)
		return "tells values apart by the case of letters as well, and the unique index " + folded_by + " does not look at it";
	const double rows = std::max(2.0, most_rows(source, table.name)), odds = never ? 1 : collision_odds(*strategy, rule, rows);
	if (odds <= accepted_odds) return {};
	if (never) return "gives too few different values for the unique index " + index;
	char one_in[40];
	std::snprintf(one_in, sizeof one_in, "1 in %.0f", std::max(1.0, std::ceil(1 / odds)));
	return "would give two of about " + counted(std::llround(rows), "row", "rows") + (rows >= 1e9 ? " (nobody has counted them: ANALYZE)" : "") +
	    " the same value with odds of " + one_in + ", and index " + index + " is unique";
}

bool MaskFit::fits(const PlannedTable &table, const Column &column, const MaskRule &rule) const
{
	const Strategy *strategy = rule.inside.empty() ? find_strategy(rule.strategy) : nullptr;
	return strategy && takes(*strategy, kind_of_type(masked_base(rule, column.base))) &&
	    (!strategy->unfit || strategy->unfit(rule, column).empty()) && too_narrow(column, rule).empty() &&
	    collides(table, column.name, rule).empty();
}

std::optional<MaskRule> MaskFit::fitting(const PlannedTable &table, const Column &column, const std::vector<const char *> &names) const
{
	for (const char *name : names) {
		std::vector<MaskRule> candidates{{name, "", json::object()}};
		for (const MaskOption &option : find_strategy(name)->options)
			for (const auto number : option.numbers)
				if (std::to_string(number) != option.otherwise) candidates.push_back({name, "", {{option.name, number}}});
		for (const MaskRule &one : candidates)
			if (fits(table, column, one)) return one;
	}
	return std::nullopt;
}

}  // namespace core
