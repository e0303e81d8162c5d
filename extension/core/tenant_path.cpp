// A table's path is one foreign key and then its parent's path, so that a row is kept exactly when the row it hangs from is.
// Of several keys the one wins whose path does not fork (below), of those the one whose whole path cannot be NULL, then the shortest. A
// path grows with every key, so the search (each table takes the best of what its parents have now, until nothing changes) ends: no path
// can improve by a circle.
//
// References without a foreign key are followed only where tenant_path names them. A generic relation is the last step of a path: from there
// each row goes on from the object it names, along the path of that object's table, so there is nothing to search (ways.hpp).
//
// Paths run over copied tables only. Rows of kept tables (users!) belong to nobody's tenant in this sense: what a tester's user
// owns in a production tenant is production's.
#include "tenant_path.hpp"
#include <algorithm>
#include <tuple>
#include "generic.hpp"
#include "rules.hpp"
#include "ways.hpp"

namespace core {
namespace {

struct Route {
	std::vector<Hop> hops;
	bool nullable = false;
	bool operator==(const Route &) const = default;
};

struct Edge {
	Hop hop;
	bool nullable = false, declared = false;
	const GenericRelation *generic = nullptr;
};

struct Search {
	const Graph &graph;
	const Catalog &catalog;
	const Name &tenant;
	std::map<Name, std::vector<Edge>> edges;  // of copied tables, to copied tables other than themselves
	std::map<Name, Route> routes;

	void add_edges()
	{
		for (const ForeignKey *k : graph.keys) {
			auto child = graph.tables.find(k->child), parent = graph.tables.find(k->parent);
			// A key of one partition alone says nothing about the rows of the others.
			if (child == graph.tables.end() || parent == graph.tables.end() || k->child == k->parent || k->period || k->array) continue;
			if (child->second.mode != Mode::copy || parent->second.mode != Mode::copy) continue;
			Edge e{{k->name, k->columns, k->parent, k->referenced}, false, k->declared, nullptr};
			for (const auto &name : k->columns) {
				const Column *c = child->second.relation->column(name);
				e.nullable = e.nullable || !c || !c->not_null;
			}
			edges[k->child].push_back(std::move(e));
		}
		for (const GenericRelation &one : graph.generic)
			if (graph.node(one.table).mode == Mode::copy)
				edges[one.table].push_back({{shown(one), {one.column}, {}, {}, one.by.column}, true, true, &one});
	}

	// Some object that rows can name leads to tenants, as far as is known now.
	bool leads(const GenericRelation &one) const
	{
		return std::any_of(one.keys.begin(), one.keys.end(), [&](const ForeignKey *key) { return key->parent != one.table && routes.contains(key->parent); });
	}

	// The edge, and then the parent's path as it is known now; nothing where that has none or comes by the table itself.
	std::optional<Route> along(const Name &table, const Edge &e) const
	{
		auto it = routes.find(e.hop.to);
		if (it == routes.end()) return std::nullopt;
		for (const Hop &h : it->second.hops)
			if (h.to == table) return std::nullopt;
		Route r{{e.hop}, e.nullable || it->second.nullable};
		r.hops.insert(r.hops.end(), it->second.hops.begin(), it->second.hops.end());
		return r;
	}

	// The routes of lowest cost; more than one is a tie. Two constraints that say the same are one route.
	std::vector<Route> best(const Name &table) const
	{
		std::vector<Route> out;
		auto it = edges.find(table);
		if (it == edges.end()) return out;
		// Whatever lies behind a fork is hidden in one hop, a way back to this table among it.
		auto cost = [](const Route &r) { return std::make_tuple(forks(r.hops), r.nullable, r.hops.size()); };
		for (const Edge &e : it->second) {
			if (e.declared) continue;    // only where tenant_path names it
			auto r = along(table, e);
			if (!r || (!out.empty() && cost(*r) > cost(out.front()))) continue;
			if (!out.empty() && cost(*r) < cost(out.front())) out.clear();
			bool same = std::any_of(out.begin(), out.end(), [&](const Route &o) {
				const Hop &a = o.hops.front(), &b = r->hops.front();
				return a.columns == b.columns && a.to == b.to && a.referenced == b.referenced;
			});
			if (!same) out.push_back(std::move(*r));
		}
		return out;
	}

	// The edges of a table that a step of a declared path means: a column, or the name of a constraint.
	std::vector<const Edge *> meant(const Name &table, const std::string &step) const
	{
		std::vector<const Edge *> single, composite;
		auto it = edges.find(table);
		if (it == edges.end()) return single;
		for (const Edge &e : it->second) {
			if (e.hop.constraint == step) return {&e};
			if (std::find(e.hop.columns.begin(), e.hop.columns.end(), step) != e.hop.columns.end())
				(e.hop.columns.size() == 1 ? single : composite).push_back(&e);
		}
		return single.empty() ? composite : single;
	}

	// How a declared path would write the hop: by its column where that is enough.
	std::string written(const Name &table, const Hop &hop) const
	{
		for (const auto &column : hop.columns)
			if (auto found = meant(table, column); found.size() == 1 && found.front()->hop == hop) return column;
		return hop.constraint;
	}

	std::vector<std::string> written(const Name &table, const Route &route) const
	{
		std::vector<std::string> out;
		Name at = table;
		for (const Hop &h : route.hops) {
			out.push_back(written(at, h));
			at = h.to;
		}
		return out;
	}

	// Follows a declared path; what it leaves out at its end is the path of the table it has reached. `why` gets what is wrong.
	std::optional<Route> follow(const Name &table, const std::vector<std::string> &steps, std::string &why) const
	{
		Route r;
		Name at = table;
		for (const auto &step : steps) {
			if (at == tenant) {
				why = "goes on after it has reached " + tenant.shown() + ", at \"" + step + "\"";
				return std::nullopt;
			}
			auto found = meant(at, step);
			if (found.size() != 1) {
				std::vector<std::string> known;
				if (auto it = edges.find(at); it != edges.end())
					for (const Edge &e : it->second) known.push_back(written(at, e.hop));
				why = found.empty() ? at.shown() + "." + step + " is no foreign key to a copied table" + did_you_mean(step, known)
				                    : at.shown() + "." + step + " belongs to several foreign keys: name the constraint";
				return std::nullopt;
			}
			r.hops.push_back(found.front()->hop);
			r.nullable = r.nullable || found.front()->nullable;
			if (const GenericRelation *generic = found.front()->generic) {
				if (&step != &steps.back()) why = "goes on after " + step + ", whose objects' tables have paths of their own";
				else if (!leads(*generic)) why = "ends at " + shown(*generic) + ", and none of its models' tables leads to " + tenant.shown();
				return why.empty() ? std::optional(r) : std::nullopt;
			}
			at = found.front()->hop.to;
			if (at == table) {
				why = "leads back to the table itself";
				return std::nullopt;
			}
		}
		auto rest = routes.find(at);
		bool circle = rest != routes.end() &&
		    std::any_of(rest->second.hops.begin(), rest->second.hops.end(), [&](const Hop &h) { return h.to == table; });
		if (rest == routes.end() || circle) {
			why = "ends at " + at.shown() + ", which does not lead to " + tenant.shown();
			return std::nullopt;
		}
		r.hops.insert(r.hops.end(), rest->second.hops.begin(), rest->second.hops.end());
		r.nullable = r.nullable || rest->second.nullable;
		return r;
	}
};

const std::vector<std::string> *declared(const std::map<Name, const TableRule *> &rules, const Name &table)
{
	auto it = rules.find(table);
	return it == rules.end() || it->second->tenant_path.empty() ? nullptr : &it->second->tenant_path;
}

}  // namespace

void find_tenant_paths(Graph &graph, const Catalog &catalog, const Name &tenant_table,
    const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems)
{
	Search s{graph, catalog, tenant_table, {}, {}};
	s.add_edges();
	s.routes[tenant_table] = {};
	// A table's route is right as soon as its parents' are: there are no more rounds than tables.
	bool changed = true;
	for (std::size_t round = 0; changed && round <= graph.tables.size(); ++round) {
		changed = false;
		for (const auto &[table, node] : graph.tables) {
			if (table == tenant_table || node.mode != Mode::copy) continue;
			std::optional<Route> now;
			std::string why;
			if (auto steps = declared(rules, table))
				now = s.follow(table, *steps, why);
			else if (auto routes = s.best(table); !routes.empty())
				now = std::move(routes.front());
			auto it = s.routes.find(table);
			if (now ? it != s.routes.end() && it->second == *now : it == s.routes.end()) continue;
			changed = true;
			if (now)
				s.routes[table] = std::move(*now);
			else
				s.routes.erase(it);
		}
	}

	for (auto &[table, node] : graph.tables) {
		auto steps = declared(rules, table);
		std::string object = "tables." + (steps ? rules.at(table)->pattern : table.shown()) + ".tenant_path", why;
		if (steps && (table == tenant_table || node.mode != Mode::copy)) {
			problems.push_back({"tenant-path", object,
			    table.shown() +
			        (table == tenant_table ? " is the tenant table and needs no path" : " is not copied and needs no path"),
			    "take tenant_path out"});
			continue;
		}
		if (steps && !s.follow(table, *steps, why))
			problems.push_back({"tenant-path", object, "tenant_path of " + table.shown() + " " + why,
			    "name the foreign key columns from " + table.shown() + " to " + tenant_table.shown() + ", one a table"});
		auto it = s.routes.find(table);
		if (node.mode != Mode::copy || table == tenant_table) continue;
		if (it == s.routes.end()) {
			node.reason = "no foreign key leads to " + tenant_table.shown();
			continue;
		}
		node.scope = Scope::tenant;
		node.path = it->second.hops;
		node.reason = "by ";
		for (const auto &step : s.written(table, it->second)) node.reason += (node.reason == "by " ? "" : ", ") + step;
		if (forks(it->second.hops)) node.reason += " (of an object of no tenant, or of none: then it belongs to no tenant)";
		else if (it->second.nullable) node.reason += " (may be NULL: then it belongs to no tenant)";
		auto routes = steps ? std::vector<Route>{} : s.best(table);
		if (routes.size() < 2) continue;
		std::string ways, fix = "tables:";
		for (const Route &r : routes) {
			ways += (ways.empty() ? "" : " and ") + s.written(table, r.hops.front());
			fix += (&r == &routes.front() ? "\n  " : "\n  # or\n  ") + yaml_table(catalog, table) +
			    ": {tenant_path: " + yaml_list(s.written(table, r)) + "}";
		}
		problems.push_back({"tenant-path", table.shown(),
		    table.shown() + " leads to " + tenant_table.shown() + " by " + ways +
		        ", which are equally short: which of them says whose row it is?",
		    fix});
	}
}

}  // namespace core
