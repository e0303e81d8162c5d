#include "plan.hpp"

#include <algorithm>

#include "columns.hpp"
#include "generic.hpp"
#include "in_place.hpp"
#include "maps.hpp"
#include "join_tenants.hpp"
#include "masking.hpp"
#include "missing.hpp"
#include "needs.hpp"
#include "obstacles.hpp"
#include "other_paths.hpp"
#include "rules.hpp"
#include "statements.hpp"
#include "steps.hpp"
#include "tenant_choice.hpp"

// The plan is put together in this order: what becomes of each table, which columns travel, what stands in the way, what the run
// needs, the steps. Everything that both sides must agree on (binding()) follows from the configuration, the source's document,
// the target's structure and the answers; estimates of the target are for people only, as they differ from minute to minute.

namespace core {

namespace {

const char *word(Mode mode) { return mode == Mode::copy ? "copy" : mode == Mode::keep ? "keep" : "empty"; }

const char *word(Scope scope) { return scope == Scope::tenant ? "tenant" : "shared"; }

double estimated_rows(const Catalog &catalog, const Name &table)
{
	double rows = 0;
	for (const Relation *leaf : catalog.storage(table)) rows += std::max(0.0, leaf->rows);
	return rows;
}

std::int64_t table_bytes(const Catalog &catalog, const Name &table)
{
	std::int64_t bytes = 0;
	for (const Relation *leaf : catalog.storage(table)) bytes += estimated_bytes(*leaf);
	return bytes;
}

std::string plural(std::int64_t count, const std::string &one) { return counted(count, one, one + "s"); }

std::string what_happens(const Config &config, const Graph &graph, const Catalog &target, const Answers &answers, const PlannedTable &table,
    const std::vector<Step> &steps)
{
	const auto leaves = static_cast<std::int64_t>(target.storage(table.name).size());
	if (config.choice.in_place && table.mode == Mode::keep)
		return graph.node(table.name).stays ? "stays as it is (" + table.reason + ")" : "never masked";
	if (graph.node(table.name).stays) {
		const auto map = answers.maps.find(table.name);
		const auto moved = map == answers.maps.end() ? 0 : static_cast<std::int64_t>(map->second.pairs.size());
		return "stays as it is (" + table.reason + ")" + (moved ? ", " + plural(moved, "row") + " of production found by natural key" : "");
	}
	if (table.mode == Mode::keep) {
		const auto map = answers.maps.find(table.name);
		return map == answers.maps.end() || map->second.pairs.empty()
		    ? "never copied"
		    : "never copied, " + plural(static_cast<std::int64_t>(map->second.pairs.size()), "row") + " of production mapped";
	}
	const auto rows = static_cast<std::int64_t>(estimated_rows(target, table.name));
	if (table.mode == Mode::empty) return rows ? "about " + plural(rows, "row") + " removed" : "emptied";
	if (!table.in_source) return "not in production: kept rows stay, the others go";
	std::string text;
	const auto add = [&](const std::string &part) { text += (text.empty() || part.empty() ? "" : ", ") + part; };
	if (table.name == tenant_table(config, graph) && answers.target_tenants >= 0)
		if (const auto gone = answers.target_tenants - static_cast<std::int64_t>(answers.kept_tenants.size()); gone > 0)
			add(plural(gone, "old tenant") + " replaced");
	if (const auto mapped = std::count_if(table.columns.begin(), table.columns.end(),
	        [](const Transfer &column) { return !column.map.empty() || !column.by_model.empty(); }))
		add(plural(mapped, "column") + " remapped");
	if (const auto masked =
	        std::count_if(table.columns.begin(), table.columns.end(), [](const Transfer &column) { return column.mask.masks(); }))
		add(plural(masked, "column") + " masked");
	if (const auto lost = answers.left_out.find(table.name); lost != answers.left_out.end() && lost->second.first)
		add(plural(lost->second.first, "row") + " left out");
	if (table.scope == Scope::tenant && !only_tenants(config).empty()) add("of chosen tenants only");
	if (table.folded_rows) add(plural(table.folded_rows, "duplicate") + " dropped");
	const bool routed = std::any_of(steps.begin(), steps.end(), [&](const Step &step) { return step.routed && step.table == table.name; });
	if (target.find(table.name)->kind != 'p') add(routed ? "all partitions into one table" : "");
	else add((routed ? "routed into " : "") + plural(leaves, "partition"));
	add(table.binary ? "binary" : "text");
	return text;
}

std::string via(const std::vector<Hop> &path)
{
	std::string text;
	for (const Hop &hop : path) {
		text += text.empty() ? "" : ", ";
		for (std::size_t i = 0; i < hop.columns.size(); ++i) text += (i ? "+" : "") + hop.columns[i];
		text += " -> " + (hop.by.empty() ? hop.to.shown() : "by " + hop.by);
	}
	return text;
}

PlannedTable planned(const Name &name, const TableNode &node, const Catalog &target)
{
	PlannedTable table;
	table.name = name;
	table.mode = node.mode;
	table.scope = node.scope;
	table.path = node.path;
	table.reason = node.reason;
	table.key = node.key;
	table.target_bytes = table_bytes(target, name);
	return table;
}

// A copied table and its counterpart: whether there is one, and of the same kind.
void compare(const Graph &graph, const Masking &masking, const Missing &missing, const Catalog &source, const Catalog &target,
    const Answers &answers, PlannedTable &table, Plan &plan)
{
	const Relation &here = *target.find(table.name);
	const Relation *there = source.find(table.name);
	const auto shown = table.name.shown();
	table.in_source = there && there->ordinary();
	if (table.in_source) {
		table.source_rows = estimated_rows(source, table.name);
		table.source_bytes = table_bytes(source, table.name);
	}
	if (table.mode != Mode::copy) return;
	if (!there) {
		if (table.scope == Scope::shared) {
			table.mode = Mode::keep;
			table.reason = "not in production";
			plan.warnings.push_back({"table-only-in-target", shown,
			    shown + " is not in production and belongs to no tenant: it is kept as it is", ""});
		} else {
			plan.warnings.push_back(
			    {"table-only-in-target", shown, shown + " is not in production: rows of kept tenants stay, the others go", ""});
		}
		return;
	}
	if (!there->ordinary() || !here.ordinary() || there->partition) {
		const auto kind = [](const Relation &relation) {
			return relation.partition  ? "a partition"
			    : relation.kind == 'r' ? "a table"
			    : relation.kind == 'p' ? "a partitioned table"
			    : relation.kind == 'f' ? "a foreign table"
			                           : "a view";
		};
		plan.problems.push_back(
		    {"kind-differs", shown, shown + " is " + kind(*there) + " in production and " + kind(here) + " in the target",
		        "tables:\n  " + yaml_table(target, table.name) + ": {mode: keep}"});
		table.in_source = false;
		return;
	}
	plan_columns(graph, answers, masking, missing, target, *there, here, table, plan);
	const auto kept = answers.kept_rows.find(table.name);
	const auto fold = answers.folds.find(table.name);
	table.kept_rows = kept == answers.kept_rows.end() ? 0 : kept->second;
	table.folded_rows = fold == answers.folds.end() ? 0 : static_cast<std::int64_t>(fold->second.dropped.size());
}

void tenants(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	const Name tenant = tenant_table(config, graph);
	if (tenant.empty()) return;  // a problem of the graph
	const Relation &relation = *graph.node(tenant).relation;
	if (single_key(relation).empty())
		plan.problems.push_back({"tenant-without-key", tenant.shown(),
		    tenant.shown() + " has no primary key of one column: tenants cannot be told apart",
		    "name a table with one as tenants.table, or take tenants out"});
	if (const Relation *there = source.find(tenant); there && (!there->ordinary() || single_key(*there).empty()))
		plan.problems.push_back({"tenant-without-key", tenant.shown(),
		    tenant.shown() + " of production has no primary key of one column: which tenants are left out cannot be told",
		    "add the target's primary key to " + tenant.sql() + " in production, or name another table as tenants.table"});
	if (answers.target_tenants >= 0 && answers.kept_tenants.empty())
		plan.problems.push_back({"keep-matches-nothing", "tenants.keep",
		    "tenants.keep matches none of the " + plural(answers.target_tenants, "tenant") +
		        " of the target: all of their rows would go",
		    "correct tenants.keep, or take tenants out where nothing is to be kept"});
	const auto kept = static_cast<std::int64_t>(answers.kept_tenants.size());
	if (kept && kept == answers.target_tenants && !config.choice.all_kept)
		plan.problems.push_back({"keep-matches-everything", "tenants.keep",
		    "tenants.keep matches every tenant of the target (" + shown_count(kept) + "): none would be replaced",
		    "correct tenants.keep; if all of them are to be kept, say --all-kept"});
	for (Problem &warning : plan.warnings)
		if (warning.id == "loose-pattern" && !answers.kept_tenants.empty())
			warning.text += "; kept are: " + listed(answers.kept_tenants);
	if (answers.source_tenants.empty() && !chooses_tenants(config)) return;
	if (!answers.source_tenants.empty()) plan.warnings.push_back({"source-tenants", tenant.shown(),
	    plural(static_cast<std::int64_t>(answers.source_tenants.size()), "tenant") +
	        " of production are like those that are kept, and left out" +
	        (answers.source_tenant_labels.empty() ? "" : ": " + listed(answers.source_tenant_labels)),
	    ""});
	const Ways ways(source, graph, models_of_source(graph, answers));
	for (const auto &table : plan.tables)
		if (table.mode == Mode::copy && table.in_source && table.scope == Scope::tenant && !has_path(ways, table.name, table.path))
			plan.problems.push_back({"path-not-in-source", table.name.shown(),
			    table.name.shown() + " reaches its tenant by columns that production does not have, or of types that cannot be compared (" + via(table.path) +
			        "): rows of the tenants to be left out cannot be told",
			    "tables:\n  " + yaml_table(target, table.name) + ": {mode: keep}"});
	// That a table has tenants is also production's word: rows of all of them would come where the target has lost the key that says so.
	std::vector<Problem> ignored_problems, ignored_warnings;
	const Graph of_source = Graph::build(config, source, ignored_problems, ignored_warnings);
	add_branch_obstacles(graph, of_source, answers, plan);
	for (const auto &table : plan.tables) {
		if (table.mode != Mode::copy || !table.in_source || table.scope != Scope::shared) continue;
		const auto there = of_source.tables.find(table.name);
		if (there == of_source.tables.end() || there->second.scope != Scope::tenant) continue;
		plan.problems.push_back({"path-only-in-source", table.name.shown(),
		    table.name.shown() + " belongs to tenants by foreign keys of production (" + via(there->second.path) +
		        ") that the target lacks: rows of all tenants would come",
		    "add the foreign key to the target, or\ntables:\n  " + yaml_table(target, table.name) + ": {mode: keep}"});
	}
}

void estimates(const Catalog &source, bool in_place, Plan &plan)
{
	std::int64_t never = 0;
	for (const auto &table : plan.tables)
		for (const Relation *leaf :
		    table.mode == Mode::copy && table.in_source ? source.storage(table.name) : std::vector<const Relation *>{})
			never += leaf->rows < 0 && leaf->pages == 0;
	if (never)
		plan.warnings.push_back({"not-analyzed", "source",
		    plural(never, "table") + (in_place ? "" : " of production") +
		        (never == 1 ? " was never analyzed or is empty" : " were never analyzed or are empty") +
		        ": sizes and times are guesses",
		    in_place ? "ANALYZE;" : "ANALYZE;    -- in production"});
}

void no_twins(std::vector<Problem> &problems)
{
	std::vector<Problem> once;
	for (auto &problem : problems)
		if (std::find(once.begin(), once.end(), problem) == once.end()) once.push_back(std::move(problem));
	problems = std::move(once);
}

json transfers(const std::vector<Transfer> &columns)
{
	json list = json::array();
	for (const auto &column : columns) {
		list.push_back({{"name", column.column}, {"type", column.type}, {"map", column.map.empty() ? "" : column.map.sql()},
		    {"cast", column.source_cast}});
		if (!column.source_value.empty()) list.back()["value"] = column.source_value;
		for (const auto &[type, map] : column.by_model) list.back()["by"][column.by_column][type] = map.sql();
		if (column.null_unmatched) list.back()["unmatched"] = "null";
		if (column.mask.masks())
			list.back()["mask"] = column.mask.to_json();
	}
	return list;
}

json problems_json(const std::vector<Problem> &problems)
{
	json list = json::array();
	for (const auto &problem : problems)
		list.push_back({{"id", problem.id}, {"object", problem.object}, {"text", problem.text}, {"fix", problem.fix}});
	return list;
}

}  // namespace

Plan make_plan(const Config &config, const Catalog &source, const Catalog &target, const Answers &answers, const Contents &contents)
{
	Plan plan;
	const Graph graph = Graph::build(config, target, plan.problems, plan.warnings);
	const Masking masking = resolve_masking(config, graph, source, target, plan.problems);
	const Missing missing(config, graph, source, answers);
	for (const auto &[name, node] : graph.tables) {
		plan.tables.push_back(planned(name, node, target));
		compare(graph, masking, missing, source, target, answers, plan.tables.back(), plan);
	}
	for (const Relation *table : source.tables())
		if (!target.find(table->name))
			plan.warnings.push_back({"table-only-in-source", table->name.shown(),
			    table->name.shown() + " of production is not in the target and is not copied", ""});
	if (config.tenants) tenants(config, graph, source, target, answers, plan);
	add_tenant_choice_obstacles(config, graph, source, target, answers, plan);
	add_path_warnings(config, graph, target, answers, plan);
	add_circle_obstacles(graph, target, answers, plan);
	suggest_generic_paths(config, graph, target, answers, plan);
	membership(config, graph, target, plan.problems);
	add_target_obstacles(config, graph, target, plan);
	add_source_obstacles(config, graph, source, target, answers, plan);
	add_missing_obstacles(config, graph, source, target, answers, plan);
	add_generic_obstacles(config, graph, masking, source, target, answers, plan);
	add_masking_obstacles(config, graph, masking, source, target, answers, contents, plan);
	if (const auto open = questions(config, source, target, answers); !open.empty())
		plan.problems.push_back({"questions", open.front().id,
		    plural(static_cast<std::int64_t>(open.size()), "question") + " to the two databases are not answered yet",
		    "let the client make the plan: prodsync plan"});
	estimates(source, config.choice.in_place, plan);
	add_needs(graph, target, plan);
	if (config.choice.in_place) add_in_place_needs(target, plan);
	plan.steps = make_steps(config, graph, &source, target, answers, plan.tables);
	for (auto &table : plan.tables) table.what_happens = what_happens(config, graph, target, answers, table, plan.steps);
	no_twins(plan.problems);
	no_twins(plan.warnings);
	return plan;
}

Plan plan_clear(const Config &config, const Catalog &target)
{
	Plan plan;
	const Answers none;
	const Graph graph = Graph::build(config, target, plan.problems, plan.warnings);
	for (const auto &[name, node] : graph.tables) {
		plan.tables.push_back(planned(name, node, target));
		plan.tables.back().what_happens = node.mode == Mode::keep    ? "never touched"
		    : node.mode == Mode::copy && node.scope == Scope::tenant ? "all rows removed but for those of kept tenants"
		                                                             : "all rows removed";
	}
	add_target_obstacles(config, graph, target, plan);
	add_needs(graph, target, plan);
	plan.steps = make_steps(config, graph, nullptr, target, none, plan.tables);
	no_twins(plan.problems);
	no_twins(plan.warnings);
	return plan;
}

json Plan::step_json(const Step &step)
{
	json item{{"step", step.step}, {"kind", step.kind}, {"relation", step.relation.empty() ? "" : step.relation.sql()},
	    {"table", step.table.empty() ? "" : step.table.sql()}, {"index", step.index}, {"depends_on", step.depends_on},
	    {"est_bytes", step.est_bytes}, {"whole", step.whole},
	    {"source_relation", step.source_relation.empty() ? "" : step.source_relation.sql()},
	    {"source_filenode", step.source_filenode}, {"format", step.binary ? "binary" : "text"},
	    {"columns", transfers(step.columns)}, {"filter", step.filter}};
	if (step.routed) item["routed"] = true;
	return item;
}

json Plan::to_json() const
{
	json document{{"tables", json::array()}, {"problems", problems_json(problems)}, {"warnings", problems_json(warnings)},
	    {"needs", json::array()}, {"steps", json::array()}};
	for (const auto &table : tables)
		document["tables"].push_back({{"relation", table.name.sql()}, {"shown", table.name.shown()}, {"mode", word(table.mode)},
		    {"scope", word(table.scope)}, {"via", via(table.path)}, {"key", table.key}, {"reason", table.reason},
		    {"in_source", table.in_source}, {"format", table.binary ? "binary" : "text"}, {"columns", transfers(table.columns)},
		    {"source_rows", static_cast<std::int64_t>(table.source_rows)}, {"source_bytes", table.source_bytes},
		    {"target_bytes", table.target_bytes}, {"kept_rows", table.kept_rows}, {"folded_rows", table.folded_rows},
		    {"what_happens", table.what_happens}});
	for (const auto &need : needs) document["needs"].push_back({{"id", need.id}, {"text", need.text}, {"value", need.value}});
	for (const auto &step : steps) document["steps"].push_back(step_json(step));
	return document;
}

json Plan::binding() const
{
	json document{{"tables", json::array()}, {"steps", json::array()}};
	for (const auto &table : tables) {
		json path = json::array();
		for (const Hop &hop : table.path) {
			path.push_back({{"constraint", hop.constraint}, {"columns", hop.columns}, {"to", hop.by.empty() ? hop.to.sql() : ""},
			    {"referenced", hop.referenced}});
			if (!hop.by.empty()) path.back()["by"] = hop.by;
		}
		document["tables"].push_back(
		    {{"relation", table.name.sql()}, {"mode", word(table.mode)}, {"scope", word(table.scope)}, {"path", path},
		        {"key", table.key}, {"columns", transfers(table.columns)}, {"format", table.binary ? "binary" : "text"}});
	}
	for (const auto &step : steps) {
		document["steps"].push_back(step_json(step));
		document["steps"].back().erase("est_bytes");
	}
	return document;
}

}  // namespace core
