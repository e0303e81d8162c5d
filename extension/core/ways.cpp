#include "ways.hpp"
#include <algorithm>
#include <stdexcept>
#include "generic.hpp"
#include "maps.hpp"
#include "obstacles.hpp"
#include "rules.hpp"
#include "statements.hpp"
#include "tenant_choice.hpp"
#include "words.hpp"

namespace core {
namespace {

bool leads_to_tenants(const Graph &graph, const ForeignKey &key) { return graph.node(key.parent).scope == Scope::tenant; }

}  // namespace

Models models_of_source(const Graph &graph, const Answers &answers)
{
	Models out;
	for (const GenericRelation &one : graph.generic)
		if (const auto found = answers.models.find(id_of(one)); found != answers.models.end())
			for (const auto &[type, label] : found->second) out[id_of(one)].insert(model_name(one.by, label));
	return out;
}

Models models_of_target(const Graph &graph, const Answers &answers)
{
	Models out;
	for (const GenericRelation &one : graph.generic)
		if (const auto found = answers.models_here.find(id_of(one)); found != answers.models_here.end())
			for (const auto &label : found->second) out[id_of(one)].insert(model_name(one.by, label));
	return out;
}

bool forks(const std::vector<Hop> &path) { return !path.empty() && !path.back().by.empty(); }

bool begins_with_fork(const std::vector<Hop> &path) { return path.size() == 1 && forks(path); }

bool begins_with(const std::vector<Hop> &path, const ForeignKey &key)
{
	if (path.empty() || path.front().columns != key.columns) return false;
	return path.front().by.empty() ? path.front().constraint == key.name : key.by_model.has_value();
}

bool on_a_path(const Graph &graph, const GenericRelation &one)
{
	return std::any_of(graph.tables.begin(), graph.tables.end(), [&](const auto &table) {
		return forks(table.second.path) && table.second.path.back().constraint == shown(one);
	});
}

std::set<Name> tables_along(const Graph &graph, const Name &table)
{
	std::set<Name> out, walked;
	std::vector<Name> todo{table};
	while (!todo.empty()) {
		const Name at = todo.back();
		todo.pop_back();
		if (!walked.insert(at).second) continue;
		for (const Hop &hop : graph.node(at).path) {
			if (hop.by.empty()) {
				out.insert(hop.to);
				continue;
			}
			for (const GenericRelation &one : graph.generic) {
				if (shown(one) != hop.constraint) continue;
				if (!one.by.types.empty()) out.insert(one.by.types);
				for (const ForeignKey *key : one.keys)
					if (leads_to_tenants(graph, *key)) {
						out.insert(key->parent);
						todo.push_back(key->parent);
					}
			}
		}
	}
	return out;
}

const std::vector<Hop> &Ways::path(const Name &table) const { return graph_->node(table).path; }

const GenericRelation &Ways::relation(const Hop &fork) const
{
	if (graph_)
		for (const GenericRelation &one : graph_->generic)
			if (shown(one) == fork.constraint) return one;
	throw std::logic_error("the path forks at " + fork.constraint + ", which is not known here");
}

std::vector<Hop> Ways::branches(const Hop &fork) const
{
	std::vector<Hop> out;
	const GenericRelation &one = relation(fork);
	const auto models = in_use_.find(id_of(one));
	if (models == in_use_.end()) return out;
	for (const ForeignKey *key : one.keys) {
		const auto &names = key->by_model->names;
		if (leads_to_tenants(*graph_, *key) && catalog_.find(key->parent) &&
		    std::any_of(names.begin(), names.end(), [&](const std::string &name) { return models->second.contains(name); }))
			out.push_back({key->name, key->columns, key->parent, key->referenced, fork.by});
	}
	return out;
}

const ForeignKey &Ways::key(const Hop &branch) const
{
	if (graph_)
		for (const GenericRelation &one : graph_->generic)
			for (const ForeignKey *key : one.keys)
				if (key->name == branch.constraint) return *key;
	throw std::logic_error("no generic relation has " + branch.constraint);
}

void Ways::walk(const std::vector<Hop> &path, const std::vector<Hop> &so_far, std::set<std::string> passed, bool circles,
    std::vector<std::vector<Hop>> &out) const
{
	std::vector<Hop> way = so_far;
	for (const Hop &hop : path) {
		if (hop.by.empty()) {
			way.push_back(hop);
			continue;
		}
		if (!passed.insert(hop.constraint).second) {
			if (circles) out.push_back(std::move(way));
			return;
		}
		for (const Hop &branch : branches(hop)) {
			std::vector<Hop> next = way;
			next.push_back(branch);
			walk(this->path(branch.to), next, passed, circles, out);
		}
		return;
	}
	if (!circles) out.push_back(std::move(way));
}

std::vector<std::vector<Hop>> Ways::to_tenants(const std::vector<Hop> &path) const
{
	std::vector<std::vector<Hop>> out;
	walk(path, {}, {}, false, out);
	return out;
}

std::vector<std::vector<Hop>> Ways::circles(const std::vector<Hop> &path) const
{
	std::vector<std::vector<Hop>> out;
	walk(path, {}, {}, true, out);
	return out;
}

std::string Ways::of_model(const Hop &branch, const std::string &child) const
{
	const ByModel &by = *key(branch).by_model;
	return core::of_model(by, child, by.types.empty() ? "" : from_only(*catalog_.find(by.types)) + " AS ct");
}

std::string Ways::equals(const Hop &hop, const std::string &child, const std::string &parent) const
{
	std::string sql;
	for (std::size_t i = 0; i < hop.columns.size(); ++i) {
		const std::string value = child + "." + quote_identifier(hop.columns[i]);
		sql += (i ? " AND " : "") + parent + "." + quote_identifier(hop.referenced[i]) + " = " + (hop.by.empty() ? value : as_key(key(hop), value));
	}
	return sql;
}

// ---- what the plan says ----

std::vector<Question> circle_questions(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	std::vector<Question> out;
	// Asked where no tenant is left out, too: what comes is the next refresh's target.
	if (!config.tenants || !tenants_known(config, graph, source, answers)) return out;
	const Ways ways(source, graph, models_of_source(graph, answers));
	for (const auto &[table, node] : graph.tables) {
		const Relation *there = source.find(table);
		if (node.mode != Mode::copy || !begins_with_fork(node.path) || !there || !there->ordinary() || !has_path(ways, table, node.path)) continue;
		std::vector<std::string> parts;
		for (const auto &circle : ways.circles(node.path))
			parts.push_back(path_condition(ways, circle, "", "t", [](const std::string &) { return std::string("true"); }));
		if (parts.empty()) continue;
		out.push_back({"circle " + table.sql(), "circle", Side::source, table, node.path.back().columns,
		    "SELECT count(*)::text FROM " + from_only(*there) + " AS t WHERE " + joined(parts, " OR "), {}, false});
	}
	return out;
}

void add_circle_obstacles(const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	for (const auto &[name, rows] : answers.circles) {
		const auto table = std::find_if(graph.tables.begin(), graph.tables.end(), [&of = name](const auto &one) { return one.first.sql() == of; });
		if (rows == 0 || table == graph.tables.end() || !forks(table->second.path)) continue;
		const std::string &relation = table->second.path.back().constraint;
		plan.problems.push_back({"tenant-path-circle", table->first.shown(),
		    table->first.shown() + " reaches its tenant by " + relation + ", and " + counted(rows, "row", "rows") +
		        " of production come to " + relation + " a second time: whose they are cannot be told",
		    mode_line(target, table->first, "mode: empty") + "    # or keep, or another tenant_path"});
	}
}

void add_branch_obstacles(const Graph &graph, const Graph &of_source, const Answers &answers, Plan &plan)
{
	for (const GenericRelation &one : graph.generic) {
		const GenericRelation *there = generic_relation(of_source, one.table, one.column);
		if (!there || !on_a_path(graph, one)) continue;
		for (const ForeignKey *key : there->keys) {
			if (!leads_to_tenants(of_source, *key) || !in_use(*there, *key, answers)) continue;
			// A table that belongs to no tenant here is a problem of its own (path-only-in-source).
			const auto here = graph.tables.find(key->parent);
			const bool shared = here != graph.tables.end() && here->second.mode == Mode::copy && here->second.scope == Scope::shared;
			const bool same = std::any_of(one.keys.begin(), one.keys.end(), [&](const ForeignKey *mine) {
				return mine->parent == key->parent && mine->referenced == key->referenced && in_use(one, *mine, answers) && leads_to_tenants(graph, *mine);
			});
			if (!shared && !same)
				plan.problems.push_back({"branch-only-in-source", shown(one),
				    one.table.shown() + " reaches its tenant by " + shown(one) + ", which names rows of " + key->parent.shown() +
				        " in production: the target has no such table of tenants, or another key: rows of all tenants would come",
				    "give the target the table and primary key of production, or name the table under references: models"});
		}
	}
}

void suggest_generic_paths(const Config &config, const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	if (!config.tenants) return;
	for (const GenericRelation &one : graph.generic) {
		const TableNode &node = graph.node(one.table);
		if (node.mode != Mode::copy || node.scope == Scope::tenant) continue;
		Models both = models_of_source(graph, answers);
		for (const auto &[relation, models] : models_of_target(graph, answers)) both[relation].insert(models.begin(), models.end());
		std::set<Name> tables;
		for (const ForeignKey *key : one.keys)
			for (const auto &model : key->by_model->names)
				if (leads_to_tenants(graph, *key) && both[id_of(one)].contains(model)) tables.insert(key->parent);
		if (tables.empty()) continue;
		std::vector<std::string> names;
		for (const Name &table : tables) names.push_back(table.shown());
		if (names.size() > 5) {
			names[5] = std::to_string(names.size() - 5) + " more";
			names.resize(6);
		}
		plan.warnings.push_back({"generic-path", shown(one),
		    one.table.shown() + " belongs to no tenant and is replaced as a whole; " + one.column + " names rows of tables that do: " + listed(names),
		    mode_line(target, one.table, "tenant_path: " + yaml_list({one.column})) + "    # where a row is its object's tenant's"});
	}
}

}  // namespace core
