#include "graph.hpp"
#include <algorithm>
#include <functional>
#include <stdexcept>
#include "chosen.hpp"
#include "generic.hpp"
#include "graph_check.hpp"
#include "in_place.hpp"
#include "outgoing.hpp"
#include "presets.hpp"
#include "rules.hpp"
#include "soft_references.hpp"
#include "tenant_path.hpp"

namespace core {
namespace {

struct Builder {
	const Config &config;
	const Catalog &catalog;
	Graph &graph;
	std::vector<Problem> &problems;
	std::map<Name, const TableRule *> rules;
	std::optional<Name> tenant, users;
	std::map<std::string, const Sequence *> sequences;    // by SQL name, as columns say it

	void add_sequences()
	{
		for (const Sequence &s : catalog.sequences) sequences.emplace(s.name.sql(), &s);
	}

	void add_tables()
	{
		for (const Relation *r : catalog.tables()) {
			TableNode n;
			n.relation = r;
			n.reason = "copied as a whole";
			if (auto it = rules.find(r->name); it != rules.end()) {
				const TableRule &rule = *it->second;
				n.mode = rule.mode.value_or(Mode::copy);
				if (n.mode != Mode::copy) n.reason = "tables: " + rule.pattern;
				n.match = rule.match;
				n.on_missing = rule.on_missing;
				n.mapped = n.mode == Mode::keep && !n.match.empty();
			}
			graph.tables.emplace(r->name, std::move(n));
		}
	}

	void add_users()
	{
		if (!config.users || config.users->table.empty()) return;
		users = resolve_table(catalog, config.users->table, "users.table", problems);
		if (!users) return;
		TableNode &n = graph.tables.at(*users);
		auto rule = rules.find(*users);
		if (rule != rules.end() && rule->second->mode && rule->second->mode != Mode::keep)
			problems.push_back({"users-mode", "tables." + rule->second->pattern,
			    users->shown() + " is users.table and always keeps its rows", "take its mode out"});
		if (!n.match.empty() && !config.users->match.empty() && n.match != config.users->match)
			problems.push_back({"two-rules", "users.match",
			    "users.match and tables: " + rule->second->pattern + " give different keys", "take one of them out"});
		n.mode = Mode::keep;
		n.mapped = true;
		n.reason = "users.table";
		if (!config.users->match.empty()) n.match = config.users->match;
	}

	void add_tenants()
	{
		if (!config.tenants || config.tenants->table.empty()) return;
		tenant = resolve_table(catalog, config.tenants->table, "tenants.table", problems);
		if (!tenant) return;
		TableNode &n = graph.tables.at(*tenant);
		if (n.mode == Mode::copy) {
			n.scope = Scope::tenant;
			n.reason = "the tenant table";
			return;
		}
		problems.push_back({"tenants-mode", "tenants.table",
		    "the tenant table " + tenant->shown() + " must be copied, but " +
		        (users == tenant               ? "is users.table"
		                : n.mode == Mode::keep ? "its mode is keep"
		                                       : "its mode is empty"),
		    users == tenant ? "name the table whose rows are tenants"
		                    : "tables:\n  " + yaml_table(catalog, *tenant) + ": {mode: copy}"});
		tenant.reset();
	}

	void add_keys()
	{
		for (const ForeignKey &k : catalog.foreign_keys) {
			bool ours = true;
			for (const Name &n : {k.child, k.parent}) {
				Name root = catalog.root(n);
				ours = ours && graph.tables.contains(root);
				if (ours && root != n) graph.roots[n] = root;
			}
			if (ours) graph.keys.push_back(&k);
		}
	}

	// A column of the primary key that a sequence feeds, or where there is none the application, and no foreign key names. A key of several columns has one at most (the id of a partitioned
	// table beside its partition key): two of them would be nobody's generated key.
	const Column *generated(const Name &table, const Relation &relation) const
	{
		const Index *pk = relation.primary_key();
		const Column *found = nullptr;
		for (const auto &name : pk ? pk->columns : std::vector<std::string>{}) {
			const Column *c = relation.column(name);
			if (!c || !config.reserved_from.contains(c->base)) continue;
			// Numbers that no sequence makes are codes that programs know, but where rows are tenants' own: there the application counts, here and there.
			if (c->sequence.empty() && (pk->columns.size() > 1 || graph.node(table).scope != Scope::tenant)) continue;
			const auto keys = graph.from(table);
			if (std::any_of(keys.begin(), keys.end(), [&](const ForeignKey *k) {
				    return std::find(k->columns.begin(), k->columns.end(), name) != k->columns.end();
			    }))
				continue;
			if (found) return nullptr;
			found = c;
		}
		return found;
	}

	// The generated integer key, and where its reserved range begins: by the narrower of the column's and the sequence's type.
	void add_generated_key(const Name &table, TableNode &n)
	{
		if (n.mode != Mode::copy) return;
		const Column *c = generated(table, *n.relation);
		if (!c) return;
		const auto found = sequences.find(c->sequence);
		const Sequence *s = found == sequences.end() ? nullptr : found->second;
		if (s && s->increment < 0) return;
		n.key = c->name;
		n.reserved_from = config.reserved_from.at(c->base);
		if (s && config.reserved_from.contains(s->type))
			n.reserved_from = std::min(n.reserved_from, config.reserved_from.at(s->type));
		if (s && s->maximum > 0 && s->maximum <= n.reserved_from && config.tenants)
			problems.push_back({"reserved-range", table.shown() + "." + c->name,
			    "the sequence " + s->name.shown() + " ends at " + std::to_string(s->maximum) +
			        ", below the start of the reserved range, " + std::to_string(n.reserved_from),
			    "ALTER SEQUENCE " + s->name.sql() + " NO MAXVALUE; or a smaller reserved_from: {" + c->base + ": ...}"});
	}

	// Whether something of ours may change values of this identity: then it must be one.
	bool replaced(const Identity &i) const
	{
		const TableNode &n = graph.tables.at(i.table);
		if (n.mode != Mode::copy) return n.mapped;
		if (config.tenants && n.key == i.column) return true;
		// rows that fold together when users are mapped: references move to the survivor
		const Index *pk = n.relation->primary_key();
		bool maps = std::any_of(graph.tables.begin(), graph.tables.end(), [](const auto &t) { return t.second.mapped; });
		return maps && pk && pk->columns == std::vector<std::string>{i.column};
	}

	void add_identities()
	{
		std::map<Identity, std::set<Identity>> references;
		for (const ForeignKey *k : graph.keys) {
			Name child = catalog.root(k->child), parent = catalog.root(k->parent);
			// the last column of a PERIOD key is a range of time
			for (std::size_t i = 0; i < k->columns.size() - (k->period ? 1 : 0); ++i) {
				references[{child, k->columns[i]}].insert({parent, k->referenced[i]});
				references[{parent, k->referenced[i]}];
			}
		}
		for (const auto &[name, n] : graph.tables)
			if (!n.key.empty()) references[{name, n.key}];
		for (const auto &[start, ignored] : references) {
			std::set<Identity> seen{start}, ends;
			std::vector<Identity> todo{start};
			while (!todo.empty()) {
				Identity at = todo.back();
				todo.pop_back();
				const auto &next = references.at(at);
				bool end = true;
				for (const Identity &n : next) {
					end = end && n == at;
					if (seen.insert(n).second) todo.push_back(n);
				}
				if (end) ends.insert(at);
			}
			// Columns that only reference each other in a circle: the first of them stands for all.
			if (ends.empty()) ends.insert(*seen.begin());
			auto chosen = std::find_if(ends.begin(), ends.end(), [&](const Identity &i) { return replaced(i); });
			if (chosen != ends.end() && ends.size() > 1) {
				std::string all;
				for (const Identity &i : ends) all += (all.empty() ? "" : " and ") + i.table.shown() + "." + i.column;
				problems.push_back({"two-identities", start.table.shown() + "." + start.column,
				    start.table.shown() + "." + start.column + " references " + all +
				        ": two different ids cannot be replaced in one column",
				    "tables:\n  " + yaml_table(catalog, start.table) + ": {mode: keep}    # or empty"});
			}
			graph.identities[{start.table, start.column}] = chosen != ends.end() ? *chosen : *ends.begin();
		}
	}
};

// Strongly connected components (Tarjan), as a number for each table.
std::map<Name, int> components(const Graph &graph, const std::map<Name, std::set<Name>> &parents)
{
	std::map<Name, int> index, low, component;
	std::vector<Name> stack;
	int next = 0, count = 0;
	std::function<void(const Name &)> visit = [&](const Name &n) {
		index[n] = low[n] = next++;
		stack.push_back(n);
		for (const Name &p : parents.at(n)) {
			if (!index.contains(p)) {
				visit(p);
				low[n] = std::min(low[n], low[p]);
			} else if (!component.contains(p)) {
				low[n] = std::min(low[n], index[p]);
			}
		}
		if (low[n] != index[n]) return;
		for (Name m; m != n;) {
			m = stack.back();
			stack.pop_back();
			component[m] = count;
		}
		++count;
	};
	for (const auto &[name, ignored] : graph.tables)
		if (!index.contains(name)) visit(name);
	return component;
}

Name root_of(const Graph &graph, const Name &name)
{
	auto it = graph.roots.find(name);
	return it == graph.roots.end() ? name : it->second;
}

std::map<Name, std::set<Name>> parents_of(const Graph &graph)
{
	std::map<Name, std::set<Name>> out;
	for (const auto &[name, ignored] : graph.tables) out[name];
	for (const ForeignKey *k : graph.keys)
		if (Name child = root_of(graph, k->child), parent = root_of(graph, k->parent); child != parent) out[child].insert(parent);
	return out;
}

}  // namespace

std::vector<const ForeignKey *> Graph::from(const Name &child) const
{
	std::vector<const ForeignKey *> out;
	for (const ForeignKey *k : keys)
		if (k->child == child || (!roots.empty() && root_of(*this, k->child) == child)) out.push_back(k);
	return out;
}

std::vector<const ForeignKey *> Graph::to(const Name &parent) const
{
	std::vector<const ForeignKey *> out;
	for (const ForeignKey *k : keys)
		if (k->parent == parent || (!roots.empty() && root_of(*this, k->parent) == parent)) out.push_back(k);
	return out;
}

const Identity *Graph::identity(const Name &table, const std::string &column) const
{
	auto it = identities.find({root_of(*this, table), column});
	return it == identities.end() ? nullptr : &it->second;
}

const TableNode &Graph::node(const Name &table) const
{
	auto it = tables.find(root_of(*this, table));
	if (it == tables.end()) throw std::out_of_range("no table " + table.sql() + " in the graph");
	return it->second;
}

std::vector<Name> Graph::parents_first() const
{
	auto parents = parents_of(*this);
	auto component = components(*this, parents);
	// Every component under the name of its first table, so that the order depends on names alone.
	std::map<int, std::set<Name>> members;
	for (const auto &[name, c] : component) members[c].insert(name);
	std::map<Name, std::set<Name>> waits_for, waited_by;
	for (const auto &[c, names] : members) {
		auto &mine = waits_for[*names.begin()];
		for (const Name &n : names)
			for (const Name &p : parents[n])
				if (component[p] != c) mine.insert(*members[component[p]].begin());
	}
	std::set<Name> ready;
	for (const auto &[name, waits] : waits_for) {
		for (const Name &w : waits) waited_by[w].insert(name);
		if (waits.empty()) ready.insert(name);
	}
	std::vector<Name> out;
	while (!ready.empty()) {
		Name first = *ready.begin();
		ready.erase(ready.begin());
		const auto &names = members[component[first]];
		out.insert(out.end(), names.begin(), names.end());
		for (const Name &next : waited_by[first])
			if (auto &waits = waits_for[next]; waits.erase(first) && waits.empty()) ready.insert(next);
	}
	return out;
}

bool Graph::in_cycle(const Name &table) const { return cyclic.contains(root_of(*this, table)); }

Graph Graph::build(const Config &config, const Catalog &catalog, std::vector<Problem> &problems, std::vector<Problem> &warnings)
{
	Graph graph;
	Builder b{config, catalog, graph, problems, rules_by_table(config, catalog, problems), {}, {}, {}};
	b.add_sequences();
	b.add_tables();
	b.add_users();
	b.add_tenants();
	b.add_keys();
	add_soft_references(graph, catalog, b.rules, problems);
	add_generic_relations(graph, catalog, b.rules, problems);
	if (b.tenant) find_tenant_paths(graph, catalog, *b.tenant, b.rules, problems);
	for (auto &[name, node] : graph.tables) b.add_generated_key(name, node);
	b.add_identities();
	std::map<int, std::vector<Name>> members;
	for (const auto &[name, c] : components(graph, parents_of(graph))) members[c].push_back(name);
	for (const auto &[c, names] : members)
		if (names.size() > 1) graph.cyclic.insert(names.begin(), names.end());
	if (!config.choice.in_place) apply_choice(graph, config, catalog, problems);
	const auto demanded = missing_modes(graph, catalog, b.rules);
	problems.insert(problems.end(), demanded.begin(), demanded.end());
	if (demanded.empty())    // else those are first
		for (const Problem &p : outgoing_tables(graph, catalog, b.rules)) warnings.push_back(p);
	if (config.choice.in_place) rewrite_in_place(graph, config, catalog, problems);
	check_graph(graph, config, catalog, b.tenant, b.rules, problems, warnings);
	return graph;
}

}  // namespace core
