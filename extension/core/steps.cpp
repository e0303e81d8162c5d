#include "steps.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "folds.hpp"
#include "generic.hpp"
#include "maps.hpp"
#include "routing.hpp"

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

	struct Content {  // one shadow that is filled: by the steps `filled` at last
		const Relation *leaf, *from;
		Step step;
		int filled = 0;
	};
	struct Routed {  // a table whose rows find their partition on the target
		const PlannedTable *table;
		std::vector<Step> loads;
		std::vector<Content> leaves;
		std::int64_t est_bytes = 0;
	};
	std::vector<Content> contents;
	std::vector<Routed> routed;
	std::map<Name, std::vector<int>> loads;  // of a logical table: when its shadows are filled
	std::vector<Step> out;

	Step &add(Step step)
	{
		step.step = static_cast<int>(out.size()) + 1;
		return out.emplace_back(std::move(step));
	}

	static Step of_table(const char *kind, const Name &table, const Name &relation)
	{
		Step step;
		step.kind = kind;
		step.table = table;
		step.relation = relation;
		return step;
	}

	Step load(const PlannedTable &table, const Name &into, const Relation &read) const
	{
		Step step = of_table("load", table.name, into);
		step.source_relation = read.name;
		step.source_filenode = read.filenode;
		step.est_bytes = estimated_bytes(read);
		step.binary = table.binary;
		step.columns = table.columns;
		step.filter = row_filter(config, graph, *source, answers, *missing, table.name, read);
		return step;
	}

	void collect(const PlannedTable &table)
	{
		if (table.mode != Mode::copy || !table.in_source || !source) {
			for (const auto &[bound, leaf] : leaves_by_bound(target, table.name)) {
				contents.push_back({leaf, nullptr, of_table("empty", table.name, leaf->name)});
				contents.back().step.whole = true;
			}
			return;
		}
		if (is_routed(*source, target, table)) return collect_routed(table);
		const auto from = leaves_by_bound(*source, table.name);
		for (const auto &[bound, leaf] : leaves_by_bound(target, table.name)) {
			const Relation *read = from.at(bound);
			contents.push_back({leaf, read, load(table, leaf->name, *read)});
			contents.back().step.whole = contents.back().step.est_bytes < small_table;
		}
	}

	void collect_routed(const PlannedTable &table)
	{
		Routed one{&table, {}, {}, 0};
		for (const Relation *read : source->storage(table.name)) {
			one.loads.push_back(load(table, table.name, *read));
			one.loads.back().routed = true;
			one.est_bytes += one.loads.back().est_bytes;
		}
		for (const Relation *leaf : target.storage(table.name)) {
			one.leaves.push_back({leaf, nullptr, of_table("", table.name, leaf->name)});
			one.leaves.back().step.whole = one.est_bytes < small_table;
			one.leaves.back().step.est_bytes = one.est_bytes / static_cast<std::int64_t>(target.storage(table.name).size());
		}
		routed.push_back(std::move(one));
	}

	// The shadows under their root, before all loads; and after those of the table, without it.
	void add_routes()
	{
		for (Routed &one : routed) {
			const int made = add(of_table("route", one.table->name, one.table->name)).step;
			for (Step &load : one.loads) {
				load.depends_on = {made};
				contents.push_back({nullptr, nullptr, std::move(load)});
			}
		}
	}
	void add_routed()
	{
		for (Routed &one : routed) {
			Step step = of_table("routed", one.table->name, one.table->name);
			step.whole = one.est_bytes < small_table;
			step.est_bytes = one.est_bytes / 4;    // its indexes
			step.depends_on = loads[one.table->name];
			// Without a load there is at least the step that has made the shadows.
			for (const Step &made : out)
				if (made.kind == "route" && made.table == one.table->name) step.depends_on.push_back(made.step);
			const int done = add(std::move(step)).step;
			loads[one.table->name] = {done};
			for (Content &leaf : one.leaves) {
				leaf.filled = done;
				contents.push_back(std::move(leaf));
			}
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
		add_routes();
		// The biggest first: a scheduler that takes what is ready in this order does not end with one long load.
		std::stable_sort(contents.begin(), contents.end(),
		    [](const Content &a, const Content &b) { return a.step.est_bytes > b.step.est_bytes; });
		for (Content &content : contents) {
			content.filled = add(content.step).step;
			loads[content.step.table].push_back(content.filled);
		}
		std::erase_if(contents, [](const Content &content) { return !content.leaf; });
		add_routed();
		std::vector<std::set<int>> parts;  // what fills each content, and its indexes
		for (const auto &[leaf, read, load, filled] : contents) {
			parts.push_back({filled});
			if (load.whole) continue;
			for (const Index &index : leaf->indexes) {
				Step step = of_table("index", load.table, load.relation);
				step.index = index.name;
				step.depends_on = {filled};
				step.est_bytes = read ? index_bytes(read, index) : load.est_bytes / 4;
				parts.back().insert(add(std::move(step)).step);
			}
		}
		for (std::size_t i = 0; i < contents.size(); ++i) {
			const Step &load = contents[i].step;
			auto waits = parts[i];
			const auto of_parents = parents(load.table);
			waits.insert(of_parents.begin(), of_parents.end());
			Step step = of_table("verify", load.table, load.relation);
			step.whole = load.whole;    // has its statistics already
			step.depends_on.assign(waits.begin(), waits.end());
			step.est_bytes = load.est_bytes;
			add(std::move(step));
		}
		Step preflight;
		preflight.kind = "preflight";
		for (const Step &step : out) preflight.depends_on.push_back(step.step);
		const int checked = add(std::move(preflight)).step;
		int before = checked;
		// After the switch, one after the other: a view may read the one before it.
		if (config.materialized_views == "after" && !contents.empty())
			for (const Name &view : target.materialized_views) {
				Step refresh;
				refresh.kind = "refresh";
				refresh.relation = view;
				refresh.depends_on = {before};
				before = add(std::move(refresh)).step;
			}
		if (config.choice.in_place && !contents.empty()) {    // statistics hold values, those of the views too
			Step clean;
			clean.kind = "clean";
			clean.depends_on = {checked};    // a view that cannot be refreshed is no reason to leave them
			add(std::move(clean));
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
