#include "steps.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "folds.hpp"
#include "generic.hpp"
#include "maps.hpp"

namespace core {

namespace {

constexpr std::int64_t block = 8192;  // BLCKSZ, unless somebody builds a server of his own: these are estimates

// What the index will weigh: as much as the same index in the source, else a quarter of the table.
std::int64_t index_bytes(const Relation *source, const Index &index)
{
	if (!source) return 0;
	for (const Index &other : source->indexes)
		if (other.columns == index.columns && !index.columns.empty() && other.method == index.method) return other.pages * block;
	return estimated_bytes(*source) / 4;
}

class Builder {
	const Config &config;
	const Graph &graph;
	const Catalog *source;
	const Catalog &target;
	const Answers &answers;
	std::optional<Missing> missing;

	struct Content {  // one load, and what it is made of
		const Relation *leaf, *from;
		Step step;
	};
	std::vector<Content> contents;
	std::map<Name, std::vector<int>> loads;  // of a logical table
	std::vector<Step> out;

	Step &add(Step step)
	{
		step.step = static_cast<int>(out.size()) + 1;
		return out.emplace_back(std::move(step));
	}

	void collect(const PlannedTable &table)
	{
		const bool copied = table.mode == Mode::copy && table.in_source && source;
		const auto from = copied ? leaves_by_bound(*source, table.name) : std::map<std::string, const Relation *>{};
		for (const auto &[bound, leaf] : leaves_by_bound(target, table.name)) {
			Step step;
			step.kind = copied ? "load" : "empty";
			step.relation = leaf->name;
			step.table = table.name;
			step.whole = true;
			const auto found = from.find(bound);
			const Relation *read = found == from.end() ? nullptr : found->second;
			if (copied) {
				if (!read) continue;  // a problem of the plan
				step.source_relation = read->name;
				step.source_filenode = read->filenode;
				step.est_bytes = estimated_bytes(*read);
				step.whole = step.est_bytes < small_table;
				step.binary = table.binary;
				step.columns = table.columns;
				step.filter = row_filter(config, graph, *source, answers, *missing, table.name, *read);
			}
			contents.push_back({leaf, read, std::move(step)});
		}
	}

	// A foreign key is looked up in the parents' shadows: all of their leaves must be loaded.
	std::vector<int> parents(const Name &table) const
	{
		std::vector<int> steps;
		for (const ForeignKey *key : graph.from(table))
			if (const auto of_parent = loads.find(logical_table(graph, key->parent)); of_parent != loads.end())
				steps.insert(steps.end(), of_parent->second.begin(), of_parent->second.end());
		for (const ForeignKey *key : used_generic_keys(graph, answers, table))
			if (const auto of_parent = loads.find(logical_table(graph, key->parent)); of_parent != loads.end())
				steps.insert(steps.end(), of_parent->second.begin(), of_parent->second.end());
		return steps;
	}

public:
	Builder(const Config &config_, const Graph &graph_, const Catalog *source_, const Catalog &target_, const Answers &answers_)
	    : config(config_), graph(graph_), source(source_), target(target_), answers(answers_)
	{
		if (source) missing.emplace(config, graph, *source, answers);
	}

	std::vector<Step> steps(const std::vector<PlannedTable> &tables)
	{
		for (const auto &table : tables)
			if (table.mode != Mode::keep) collect(table);
		// The biggest first: a scheduler that takes what is ready in this order does not end with one long load.
		std::stable_sort(contents.begin(), contents.end(),
		    [](const Content &a, const Content &b) { return a.step.est_bytes > b.step.est_bytes; });
		std::vector<std::set<int>> parts;  // the load of each content, and its indexes
		for (const auto &content : contents) {
			const Step &load = add(content.step);
			loads[load.table].push_back(load.step);
			parts.push_back({load.step});
		}
		for (std::size_t i = 0; i < contents.size(); ++i) {
			const auto &[leaf, read, load] = contents[i];
			if (load.whole) continue;
			for (const Index &index : leaf->indexes) {
				Step step;
				step.kind = "index";
				step.relation = load.relation;
				step.table = load.table;
				step.index = index.name;
				step.depends_on = {static_cast<int>(i) + 1};
				step.est_bytes = index_bytes(read, index);
				parts[i].insert(add(std::move(step)).step);
			}
		}
		for (std::size_t i = 0; i < contents.size(); ++i) {
			const Step &load = contents[i].step;
			auto waits = parts[i];
			const auto of_parents = parents(load.table);
			waits.insert(of_parents.begin(), of_parents.end());
			Step step;
			step.kind = "verify";
			step.whole = load.whole;    // has its statistics already
			step.relation = load.relation;
			step.table = load.table;
			step.depends_on.assign(waits.begin(), waits.end());
			step.est_bytes = load.est_bytes;
			add(std::move(step));
		}
		Step preflight;
		preflight.kind = "preflight";
		for (const Step &step : out) preflight.depends_on.push_back(step.step);
		int before = add(std::move(preflight)).step;
		// After the switch, one after the other: a view may read the one before it.
		if (config.materialized_views == "after" && !contents.empty())
			for (const Name &view : target.materialized_views) {
				Step refresh;
				refresh.kind = "refresh";
				refresh.relation = view;
				refresh.depends_on = {before};
				before = add(std::move(refresh)).step;
			}
		return std::move(out);
	}
};

}  // namespace

std::int64_t estimated_bytes(const Relation &relation)
{
	std::int64_t pages = relation.pages + relation.toast_pages;
	for (const Index &index : relation.indexes) pages += index.pages;
	return pages * block;
}

std::map<std::string, const Relation *> leaves_by_bound(const Catalog &catalog, const Name &table)
{
	std::map<std::string, const Relation *> leaves;
	for (const Relation *leaf : catalog.storage(table)) {
		std::string path;
		const Relation *at = leaf;
		// No walk is longer than there are relations: the document may be anybody's.
		for (std::size_t steps = 0; at->name != table && steps < catalog.relations.size(); ++steps) {
			const Relation *parent = at->parents.empty() ? nullptr : catalog.find(at->parents.front());
			if (!parent) break;
			path = parent->partition_key + " " + at->bound + (path.empty() ? "" : " / ") + path;
			at = parent;
		}
		leaves[path] = leaf;
	}
	return leaves;
}

std::vector<Step> make_steps(const Config &config, const Graph &graph, const Catalog *source, const Catalog &target,
    const Answers &answers, const std::vector<PlannedTable> &tables)
{
	return Builder(config, graph, source, target, answers).steps(tables);
}

}  // namespace core
