#include "columns.hpp"

#include <map>

#include "generic.hpp"
#include "idmap.hpp"
#include "key_types.hpp"
#include "maps.hpp"
#include "masks.hpp"
#include "rules.hpp"
#include "value_text.hpp"

namespace core {

namespace {

// Types of one family read each other's text form.
std::string family(const std::string &type)
{
	for (const char *number : {"smallint", "integer", "bigint", "numeric", "real", "double precision", "oid"})
		if (type == number) return "number";
	for (const char *text : {"text", "varchar", "character", "bpchar", "name", "\"char\""})
		if (type == text || type.starts_with("character ")) return "text";
	if (type == "date" || type.starts_with("timestamp")) return "date";
	if (type == "time" || type.starts_with("time ")) return "time";
	if (type == "json" || type == "jsonb") return "json";
	if (type == "inet" || type == "cidr") return "network";
	if (type.starts_with("bit")) return "bit";
	return type;
}

bool is_array(const std::string &type) { return type.ends_with("[]"); }

// Of the columns that one side lacks, those without a twin of the same type are new or gone; a pair that is alone with its type may be one column
// under two names. That is never guessed: a column is copied by its name.
void renamed(const Relation &source, const Relation &target, const Name &table, std::vector<Problem> &warnings)
{
	std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> by_type;
	for (const Column &column : target.columns)
		if (!column.generated && !source.column(column.name)) by_type[column.base].first.push_back(column.name);
	for (const Column &column : source.columns)
		if (!column.generated && !target.column(column.name)) by_type[column.base].second.push_back(column.name);
	for (const auto &[type, names] : by_type) {
		const auto &[here, there] = names;
		if (here.size() != 1 || there.size() != 1) continue;
		const auto object = table.shown() + "." + here.front();
		warnings.push_back({"column-renamed", object,
		    object + " may be what production calls " + there.front() + ": each side lacks the other's column, and both are " + type,
		    "ALTER TABLE " + table.sql() + " RENAME COLUMN " + quote_identifier(here.front()) + " TO " + quote_identifier(there.front()) +
		        ";    -- in the target, if so, until production has the new name"});
	}
}

}  // namespace

std::optional<std::string> conversion(const std::string &from_base, const std::string &to_base)
{
	const auto from = family(from_base), to = family(to_base);
	if (from == to || from == "text" || to == "text") return "";
	if (is_array(from_base) && is_array(to_base)) {
		const auto element = conversion(from_base.substr(0, from_base.size() - 2), to_base.substr(0, to_base.size() - 2));
		return element && !element->empty() ? *element + "[]" : element;
	}
	// Types that are not built in come with their schema: what they read only a run can tell.
	if (from_base.find('.') != std::string::npos || to_base.find('.') != std::string::npos) return "";
	if (from == "boolean" && to == "number") return "integer";
	if (from == "number" && to == "boolean") return "";
	if (from == "money" && to == "number") return "numeric";
	return std::nullopt;
}

void plan_columns(const Graph &graph, const Answers &answers, const Masking &masking, const Missing &missing,
    const Catalog &catalog,    const Relation &source, const Relation &target, PlannedTable &table, Plan &plan)
{
	const auto shown = table.name.shown();
	const auto rules = masking.find(table.name);
	table.binary = true;
	for (const Column &column : target.columns) {
		const auto object = shown + "." + column.name;
		if (column.generated) continue;
		const Column *read = source.column(column.name);
		if (!read) {
			// A shadow has no default that draws from a sequence (shadow.cpp).
			const bool numbered = column.identity || (column.has_default && !column.sequence.empty());
			if (numbered || (column.not_null && !column.has_default))
				plan.problems.push_back({"column-without-value", object,
				    object + " is not in production, " +
				        (numbered ? "and its numbers are the target's own" : "is NOT NULL and has no default"),
				    numbered ? "tables:\n  " + yaml_table(catalog, table.name) + ": {mode: keep}"
				                    : "ALTER TABLE " + table.name.sql() + " ALTER COLUMN " + quote_identifier(column.name) +
				            " SET DEFAULT ...;"});
			else
				plan.warnings.push_back({"column-only-in-target", object,
				    "the target is ahead: " + object + " is not in production, takes its default", ""});
			continue;
		}
		Transfer transfer{column.name, column.type, column_map(graph, answers, table.name, column.name), "", {}};
		if (const GenericRelation *generic = generic_relation(graph, table.name, column.name)) {
			transfer.by_model = maps_by_model(graph, answers, *generic);
			if (!transfer.by_model.empty()) transfer.by_column = generic->by.column;
		}
		transfer.source_value = missing.value(table.name, column.name);
		transfer.null_unmatched = missing.nulls_unmatched(table.name, column.name);
		if (rules != masking.end())
			if (const auto rule = rules->second.find(column.name); rule != rules->second.end() && rule->second.masks())
				transfer.mask = rule->second;
		if (read->type != column.type) {
			table.binary = false;
			const auto cast = conversion(read->base, column.base);
			if (!cast) {
				plan.problems.push_back({"type-mismatch", object,
				    object + " is " + read->type + " in production and " + column.type +
				        " in the target: no value of one can be read as the other",
				    "ALTER TABLE " + table.name.sql() + " ALTER COLUMN " + quote_identifier(column.name) + " TYPE " + read->type +
				        ";"});
				continue;
			}
			transfer.source_cast = *cast;
			if (read->base != column.base)
				plan.warnings.push_back({"type-differs", object,
				    object + " is " + read->type + " in production and " + column.type +
				        " in the target: a value that does not fit ends the run",
				    ""});
		}
		// Binary forms with oids inside mean something else in another database (E17).
		if (!read->binary || !column.binary ||
		    (!transfer.map.empty() && !has_wire_form(is_id_array(column.base) ? element_type(column.base) : column.base)))
			table.binary = false;
		// A mask is made of the text of a value.
		if (transfer.mask.strategy == by_production) {
			if (transfer.source_cast.empty()) transfer.source_cast = read->type;    // what an expression gives may be of another type
		} else if (transfer.mask.masks()) {
			const Column *entity = source.column(transfer.mask.entity);
			// NULL takes the place of a value of any form.
			const bool read_at_all = !gives_null(transfer.mask) || !transfer.mask.when.empty();
			if ((read_at_all && binary_form(column.base) == BinaryForm::unknown) ||
			    (entity && binary_form(entity->base) == BinaryForm::unknown))
				table.binary = false;
		}
		table.columns.push_back(std::move(transfer));
	}
	for (const Column &column : source.columns)
		if (!column.generated && !target.column(column.name))
			plan.warnings.push_back({"column-only-in-source", shown + "." + column.name,
			    "the target is behind: " + shown + "." + column.name + " of production is not copied", ""});
	renamed(source, target, table.name, plan.warnings);
	if (table.columns.empty())
		plan.problems.push_back({"no-common-column", shown, shown + " has no column in common with production",
		    "tables:\n  " + yaml_table(catalog, table.name) + ": {mode: keep}"});
}

}  // namespace core
