#include "obstacles.hpp"

#include <algorithm>

#include "fold_keys.hpp"
#include "folds.hpp"
#include "maps.hpp"
#include "needs.hpp"
#include "rules.hpp"

namespace core {

namespace {

// Where an id ends up once the map that its identity names is applied.
std::string mapped(const Answers &answers, const Name &by, const std::string &id)
{
	if (const auto map = answers.maps.find(by); map != answers.maps.end()) {
		const auto pair = map->second.pairs.find(id);
		return pair == map->second.pairs.end() ? map->second.fallback.value_or("") : pair->second;
	}
	const auto fold = answers.folds.find(by);
	if (fold == answers.folds.end()) return id;
	const auto pair = fold->second.dropped.find(id);
	return pair == fold->second.dropped.end() ? id : pair->second;
}

// The map of folded rows is one of their only key. What references them otherwise cannot follow.
void references(const Graph &graph, const Catalog &target, const Answers &answers, const Name &name, const Fold &fold, Plan &plan)
{
	const auto key = fold.by_ctid ? "" : single_key(*graph.node(name).relation);
	for (const ForeignKey *reference : graph.to(name)) {
		const Name child = logical_table(graph, reference->child);
		if (graph.node(child).mode != Mode::copy) continue;
		const bool by_key = !key.empty() && reference->referenced == std::vector{key};
		const Identity *identity = by_key ? graph.identity(child, reference->columns.front()) : nullptr;
		// A key that is itself a reference (multi-table inheritance, one to one) follows the map of what it references.
		const bool follows = identity &&
		    (*identity == Identity{name, key} || std::all_of(fold.dropped.begin(), fold.dropped.end(), [&](const auto &pair) {
			    return mapped(answers, identity->table, pair.first) == mapped(answers, identity->table, pair.second);
		    }));
		if (follows) continue;
		const auto object = child.shown() + "." + listed(reference->columns);
		plan.problems.push_back({"fold-referenced", object,
		    object + " references rows of " + name.shown() +
		        " that become equal to others, by more than their key: it cannot follow",
		    mode_line(target, child, "mode: empty")});
	}
}

void undecidable(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	const Missing missing(config, graph, source, answers);
	for (const auto &[table, node] : graph.tables) {
		const Name &name = table;  // a lambda may not capture the binding itself everywhere
		const Relation *there = source.find(name);
		if (node.mode != Mode::copy || !node.relation || !there) continue;
		for (const Index &index : node.relation->indexes) {
			const bool maps_columns = std::any_of(index.columns.begin(), index.columns.end(), [&](const auto &column) {
				const Name by = kept_map(graph, name, column);
				return !by.empty() && has_fallback(config, graph, by);
			});
			if (index.exclusion && maps_columns)
				plan.problems.push_back({"fold-exclusion", name.shown(),
				    "rows of " + name.shown() + " may collide in the exclusion constraint " + index.name +
				        " once users are mapped",
				    mode_line(target, name, "mode: empty")});
		}
		for (const Index *index : folding_indexes(config, graph, answers, missing, name)) {
			const FoldKeys keys(config, graph, answers, missing, name, *index);
			const auto drop = "DROP INDEX " + Name{name.schema, index->name}.sql() + ";";
			const bool all_there = std::all_of(
			    keys.columns().begin(), keys.columns().end(), [&](const auto &column) { return there->column(column); });
			if (const auto why = keys.undecidable(source); !why.empty())
				plan.problems.push_back({"fold-expression", name.shown(),
				    "rows of " + name.shown() + " may become equal in the unique index " + index->name + ", which looks at " +
				        listed(keys.changing().empty() ? keys.columns() : keys.changing()) + ", once ids are mapped; which ones cannot be told: " + why,
				    drop + "    -- in the target; or give production the same " + (all_there ? "index" : "column") + "; or tables: {" +
				        yaml_table(target, name) + ": {mode: keep}}"});
			else if (!index->predicate.empty() && !same_index(*there, *index))
				plan.problems.push_back({"fold-predicate", name.shown(),
				    "rows of " + name.shown() + " may fold in the partial index " + index->name +
				        ", which production does not have: its condition is the target's and is not run there",
				    drop});
		}
	}
}

}  // namespace

void add_fold_obstacles(const Config &config, const Graph &graph, const Catalog &source, const Catalog &target,
    const Answers &answers, const std::set<Name> &accepted, Plan &plan)
{
	for (const auto &[name, fold] : answers.folds) {
		if (fold.dropped.empty() || !graph.tables.contains(name)) continue;
		const auto shown = name.shown();
		const auto dropped = static_cast<std::int64_t>(fold.dropped.size());
		const auto text = shown + " loses " + shown_count(dropped) + " of " + counted(fold.total, "row", "rows") +
		    ", which become equal to others once users are mapped";
		if (dropped * 20 > fold.total && !accepted.contains(name))
			plan.problems.push_back({"folded", shown, text, "accept:\n  folded: " + yaml_list({yaml_table(target, name)})});
		else
			plan.warnings.push_back({"folded", shown, text, ""});
		references(graph, target, answers, name, fold, plan);
	}
	undecidable(config, graph, source, target, answers, plan);
}

}  // namespace core
