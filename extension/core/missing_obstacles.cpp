// What is said of references to rows that are not there after the refresh.
#include "missing.hpp"
#include <algorithm>
#include <set>
#include "generic.hpp"
#include "key_types.hpp"
#include "maps.hpp"
#include "obstacles.hpp"
#include "rules.hpp"
#include "ways.hpp"

namespace core {

namespace {

std::string shown(const ForeignKey &key)
{
	return key.child.shown() + (key.columns.size() == 1 ? "." + key.columns.front() : " (" + listed(key.columns) + ")");
}

// A row is adopted by the tenant of the row that references it, by another value in the last column of its path. Empty: it can be.
std::string cannot_adopt(const Graph &graph, const ForeignKey &key)
{
	const Name parent = logical_table(graph, key.parent);
	const TableNode &child = graph.node(key.child), *node = &graph.node(parent);
	const auto of_tenants = [](const TableNode &one) { return one.mode == Mode::copy && one.scope == Scope::tenant; };
	if (key.array) return "the column is an array";
	if (!of_tenants(child)) return "rows of " + logical_table(graph, key.child).shown() + " belong to no tenant that could adopt others";
	if (key.by_model && (!of_tenants(*node) || node->path.empty())) return "";    // what it can lead to besides
	if (!of_tenants(*node)) return "rows of " + parent.shown() + " belong to no tenant";
	if (node->path.empty()) return parent.shown() + " is the tenant table itself";
	for (Name at = parent; !graph.node(at).path.empty();) {
		if (forks(graph.node(at).path)) return "rows of " + at.shown() + " name their tenant by an object (" + graph.node(at).path.back().constraint + ")";
		const Hop &hop = graph.node(at).path.front();
		const bool last = graph.node(at).path.size() == 1;
		if (last && (hop.columns.size() != 1 || single_key(*graph.node(hop.to).relation) != hop.referenced.front()))
			return "rows of " + at.shown() + " do not name their tenant by its primary key in one column";
		if (!last && graph.node(hop.to).path != std::vector<Hop>(graph.node(at).path.begin() + 1, graph.node(at).path.end()))
			return "the tenant path of " + at.shown() + " is not continued by that of " + hop.to.shown();
		at = hop.to;
	}
	return "";
}

}  // namespace

void check_on_missing(
    const Graph &graph, const Catalog &target, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems)
{
	const auto place = [&](const Name &table, const std::string &column) {
		const auto rule = rules.find(table);
		return "tables." + (rule == rules.end() ? table.shown() : rule->second->pattern) + ".references." + column;
	};
	for (const auto &[table, node] : graph.tables) {
		if (node.on_missing.empty()) continue;
		std::set<std::string> known;
		for (const ForeignKey *key : graph.from(table)) known.insert(key->columns.begin(), key->columns.end());
		for (const GenericRelation &one : graph.generic)
			if (one.table == table) known.insert(one.column);
		for (const auto &[column, action] : node.on_missing)
			if (node.relation->column(column) && !known.contains(column))
				problems.push_back({"no-reference", place(table, column),
				    table.shown() + "." + column + " is no foreign key" + did_you_mean(column, {known.begin(), known.end()}),
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(column) +
				        ": {to: TABLE}    # what it references"});
	}
	std::set<Name> losing;
	auto keys = graph.keys;
	for (const GenericRelation &one : graph.generic) keys.insert(keys.end(), one.keys.begin(), one.keys.end());
	for (const ForeignKey *key : keys) {
		const auto action = configured_on_missing(graph, *key);
		if (!action) continue;
		const TableNode &child = graph.node(key->child);
		const Name table = logical_table(graph, key->child);
		if (*action == OnMissing::adopt) {
			if (const auto why = cannot_adopt(graph, *key); !why.empty())
				problems.push_back({"cannot-adopt", place(table, key->columns.front()),
				    table.shown() + "." + key->columns.front() + ": on_missing: adopt, but " + why,
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(key->columns.front()) +
				        ": {on_missing: drop}    # or null"});
			continue;
		}
		if (key->array) {
			if (*action == OnMissing::drop)
				problems.push_back({"drop-array", place(table, key->columns.front()),
				    table.shown() + "." + key->columns.front() + " is an array: rows are not dropped for one of its ids",
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(key->columns.front()) +
				        ": {to: " + yaml_table(target, key->parent) + ", on_missing: null}    # takes the id out"});
			continue;
		}
		if (*action == OnMissing::null) {
			const auto nulled = nulled_columns(graph, *key);
			const Index *primary = child.relation->primary_key();
			for (const auto &name : nulled) {
				const Column *column = child.relation->column(name);
				const bool in_key = primary && std::find(primary->columns.begin(), primary->columns.end(), name) != primary->columns.end();
				const bool full = key->match == 'f' && nulled.size() != key->columns.size();
				if (!column || (!column->not_null && !in_key && !full)) continue;
				problems.push_back({"cannot-be-null", place(table, name),
				    table.shown() + "." + name + " cannot become NULL: " +
				        (in_key           ? "it is part of the primary key"
				            : column->not_null ? "it is NOT NULL in the target"
				                               : "the foreign key " + key->name + " is MATCH FULL"),
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(name) + ": {on_missing: drop}"});
			}
		}
		if (*action == OnMissing::drop && child.mode == Mode::keep && graph.node(key->parent).mode != Mode::keep) losing.insert(table);
	}
	// Rows of a table that stays are removed one by one: nothing may hang below them.
	for (const Name &table : losing)
		for (const ForeignKey *key : graph.to(table))
			if (graph.node(key->child).mode != Mode::empty)
				problems.push_back({"drop-referenced", shown(*key),
				    table.shown() + " is kept and would lose rows (on_missing: drop), which " + shown(*key) + " may reference",
				    mode_line(target, table, "mode: empty")});
}

namespace {

std::string lines(const Catalog &target, const ForeignKey &key, bool may_be_null)
{
	const auto line = [&](const char *word) {
		return "tables:\n  " + yaml_table(target, key.child) + ":\n    references:\n      " + yaml_word(key.columns.front()) +
		    ": {on_missing: " + word + "}";
	};
	return may_be_null ? line("null") + "    # or drop" : line("drop");
}

}  // namespace

Problem reference_types(const Graph &graph, const Catalog &source, const Catalog &target, const ForeignKey &key, const std::string &what)
{
	const Relation &child = *source.find(key.child), *parent = source.find(key.parent);
	std::vector<std::string> types;
	for (std::size_t i = 0; i < key.columns.size(); ++i) {
		const Column *to = parent ? parent->column(key.referenced[i]) : nullptr;
		types.push_back(key.columns[i] + " is of type " + child.column(key.columns[i])->type + (to ? " and " + key.referenced[i] + " of type " + to->type : ""));
	}
	return {"reference-types", shown(key), shown(key) + " -> " + key.parent.shown() + ": " + what + " cannot be told, for in production " + listed(types),
	    "# give production's columns the types that the target's have, or\n" + mode_line(target, logical_table(graph, key.child), "mode: empty")};
}

void add_missing_obstacles(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	const Missing missing(config, graph, source, answers);
	if (const auto round = missing.circle(); !round.empty()) {
		std::vector<std::string> names;
		for (const Name &name : round) names.push_back(name.shown());
		plan.problems.push_back({"drop-circle", names.front(),
		    "rows of " + listed(names) + " are left out because rows of each other are (on_missing: drop): which ones cannot be told",
		    "on_missing: null for one of the references between them"});
	}
	for (const ForeignKey *key : missing.unanswerable())
		plan.problems.push_back(reference_types(graph, source, target, *key, "which rows reference ones that are not copied"));
	std::map<Name, const ForeignKey *> of_itself;
	for (const Gap &gap : missing.all()) {
		if (gap.action != OnMissing::drop || logical_table(graph, gap.key->parent) != gap.key->child) continue;
		if (const auto [one, first] = of_itself.emplace(gap.key->child, gap.key); !first && one->second->referenced != gap.key->referenced)
			plan.problems.push_back({"drop-circle", gap.key->child.shown(),
			    gap.key->child.shown() + " references itself by " + listed(one->second->columns) + " and by " + listed(gap.key->columns) +
			        ", which lead to different keys: which rows are left out (on_missing: drop) cannot be told",
			    "on_missing: null for one of them"});
	}
	for (const ForeignKey *key : graph.keys)
		if (const auto action = configured_on_missing(graph, *key);
		    action && (*action == OnMissing::null || *action == OnMissing::drop) && graph.node(key->child).mode == Mode::copy &&
		    graph.node(key->parent).mapped && by_natural_key(graph, *key) && kept_map(graph, key->child, key->columns.front()).empty())
			plan.problems.push_back({"on-missing-natural-key", shown(*key),
			    shown(*key) + " references " + key->parent.shown() + " by the natural key itself: which rows are missing only the target knows",
			    "take on_missing of " + key->columns.front() + " out, and add what is missing to " + key->parent.shown()});
	std::map<Name, std::vector<std::string>> because;
	for (const Gap &gap : missing.all()) {
		const ForeignKey &key = *gap.key;
		const Name parent = logical_table(graph, key.parent);
		const auto object = shown(key);
		if (gap.why == Gap::Why::unmatched && key.columns.size() > 1 && gap.action != OnMissing::error)
			plan.problems.push_back({"on-missing-columns", object,
			    object + " references rows that are mapped by several columns: on_missing is for one column",
			    mode_line(target, key.child, "mode: empty")});
		if (gap.action == OnMissing::drop) because[logical_table(graph, key.child)].push_back(object + " -> " + parent.shown());
		const auto count = answers.missing.find(column_key(key.child, key.name));
		if (count == answers.missing.end() || count->second == 0) continue;
		const auto rows = counted(count->second, "row", "rows");
		if (gap.action == OnMissing::null)
			plan.warnings.push_back({"becomes-null", object,
			    object + " -> " + parent.shown() + ": " + rows +
			        " of production reference rows that are not copied; the references become NULL",
			    ""});
		else if (gap.why != Gap::Why::left_out)
			plan.problems.push_back({gap.why == Gap::Why::unmatched ? "unmatched-reference"
			        : gap.why == Gap::Why::empty                    ? "reference-to-empty"
			                                                        : "reference-to-kept",
			    object,
			    object + " -> " + parent.shown() + ": " + rows + " of production reference rows " +
			        (gap.why == Gap::Why::unmatched      ? "that the target's " + missing.map_of(gap).shown() + " does not have"
			                : gap.why == Gap::Why::empty ? "of a table that is emptied"
			                                             : "that are not copied and are not mapped either"),
			    lines(target, key, may_be_null(graph, key))});
		else
			plan.problems.push_back({"reference-to-dropped", object,
			    object + " -> " + parent.shown() + ": " + rows + " of production reference rows that are left out (on_missing: drop)",
			    lines(target, key, may_be_null(graph, key))});
	}
	for (const auto &[table, rows] : answers.left_out)
		if (rows.first && because.contains(table))
			plan.warnings.push_back({"left-out", table.shown(),
			    table.shown() + " loses " + shown_count(rows.first) + " of " + counted(rows.second, "row", "rows") +
			        ", which reference rows that are not copied: " + listed(because.at(table)),
			    ""});
}

}  // namespace core
