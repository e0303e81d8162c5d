#include "in_place.hpp"
#include <algorithm>
#include <set>
#include "chosen.hpp"
#include "maps.hpp"
#include "masking.hpp"
#include "missing.hpp"
#include "words.hpp"

namespace core {
namespace {

// Tables of which a rule masks something.
std::set<Name> masked_tables(const Config &config, const Graph &graph, const Catalog &catalog)
{
	std::vector<Problem> told_by_the_plan;
	std::set<Name> out;
	for (const auto &[table, columns] : resolve_masking(config, graph, catalog, catalog, told_by_the_plan))
		if (std::any_of(columns.begin(), columns.end(), [](const auto &column) { return column.second.masks(); })) out.insert(table);
	return out;
}

// Adds the tables that have references to let go of, or rows to leave out, until there are no more.
void add_referencing(const Graph &graph, std::set<Name> &rewritten)
{
	std::set<Name> losing;
	for (const auto &[name, node] : graph.tables)
		if (node.mode == Mode::empty) losing.insert(name);
	for (bool more = true; more;) {
		more = false;
		for (const ForeignKey *key : graph.keys) {
			const Name child = logical_table(graph, key->child);
			if (graph.node(child).mode != Mode::copy || !losing.contains(logical_table(graph, key->parent))) continue;
			rewritten.insert(child);
			if (configured_on_missing(graph, *key) != OnMissing::null) more |= losing.insert(child).second;
		}
	}
}

}  // namespace

Config in_place(Config config)
{
	config.tenants.reset();
	config.users.reset();
	config.materialized_views = "after";
	return config;
}

void rewrite_in_place(Graph &graph, const Config &config, const Catalog &catalog, std::vector<Problem> &problems)
{
	const Choice &choice = config.choice;
	graph.generic.clear();    // the objects keep their ids
	for (auto &[name, node] : graph.tables) {
		node.mapped = false;
		node.match.clear();
		node.key.clear();
		std::erase_if(node.on_missing, [](const auto &said) { return said.second == "adopt"; });    // of kept rows
	}
	std::set<Name> rewritten = masked_tables(config, graph, catalog);
	add_referencing(graph, rewritten);
	const std::set<Name> chosen = named_tables(catalog, choice.tables, "--tables", problems);
	const std::set<Name> excluded = named_tables(catalog, choice.exclude, "--exclude", problems);
	for (auto &[name, node] : graph.tables) {
		if (node.mode == Mode::keep) {
			node.on_missing.clear();    // its rows stay as they are
			continue;
		}
		const bool left_out = excluded.contains(name) || (!choice.tables.empty() && !chosen.contains(name));
		if (!left_out && (node.mode == Mode::empty || rewritten.contains(name))) continue;
		node.reason = excluded.contains(name) ? "--exclude" : left_out ? "not in --tables" : "no rule masks it";
		node.mode = Mode::keep;
		node.stays = true;
		node.on_missing.clear();
	}
}

bool same_structure(const Catalog &before, const Catalog &now)
{
	const auto tables_of = [](const Catalog &catalog) {
		std::vector<const Relation *> out;
		for (const auto &[name, relation] : catalog.relations)
			if (relation.ordinary() && relation.extension.empty()) out.push_back(&relation);
		return out;
	};
	const auto same_column = [](const Column &a, const Column &b) {
		return a.name == b.name && a.number == b.number && a.type == b.type && a.generated == b.generated && a.not_null == b.not_null;
	};
	return std::ranges::equal(tables_of(before), tables_of(now), [&](const Relation *a, const Relation *b) {
		return a->name == b->name && a->oid == b->oid && a->kind == b->kind && std::ranges::equal(a->columns, b->columns, same_column);
	});
}

void add_in_place_needs(const Catalog &catalog, Plan &plan)
{
	for (Need &need : plan.needs)
		if (need.id == "wait") need.text.erase(std::min(need.text.find(", its writers"), need.text.size()));
	plan.needs.push_back({"writers",
	    "whoever writes to a table that is rewritten waits from the beginning to the end of the run; readers go on until the "
	    "switch",
	    0});
	std::vector<std::string> foreign;
	for (const auto &[name, relation] : catalog.relations)
		if (relation.kind == 'f') foreign.push_back(name.shown());
	// Queues, jobs, and whatever else an extension keeps for its users, whether it calls that configuration or not.
	std::vector<std::string> of_extensions;
	std::string first;
	for (const auto &[name, relation] : catalog.relations)
		if (relation.ordinary() && !relation.partition && !relation.extension.empty() && relation.extension != "prodsync" &&
		    relation.rows != 0) {
			if (of_extensions.empty()) first = name.shown();
			of_extensions.push_back(name.shown() + " (" + relation.extension + ")");
		}
	if (!of_extensions.empty())
		plan.warnings.push_back({"extension-tables", first, "tables of extensions are not masked: " + listed(of_extensions), ""});
	if (!foreign.empty())
		plan.warnings.push_back({"foreign-tables", foreign.front(), "foreign tables are not masked: " + listed(foreign), ""});
}

}  // namespace core
