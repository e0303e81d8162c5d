// Tenant paths as statements walk them. A path leads to the tenant table, or forks at a generic relation: from there each row goes on from the
// object it names, along the path of that object's table.
//
// Which models rows name, only data says, and a framework lets them name any. So a statement has the ways of those that are in use
// on its side and no others; and a way passes each generic relation once. Rows that would pass one again (a comment on a comment) can belong
// to a tenant however deep they hang: such circles are counted where they matter, and refused.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>
#include "answers.hpp"
#include "plan.hpp"

namespace core {

// "public.table.object_id" -> the models that its rows on one side name, as GenericRelation::models knows them.
using Models = std::map<std::string, std::set<std::string>>;
Models models_of_source(const Graph &, const Answers &);
Models models_of_target(const Graph &, const Answers &);

bool forks(const std::vector<Hop> &path);
// The rows name objects themselves; others hang from rows that do.
bool begins_with_fork(const std::vector<Hop> &path);
// The path begins with this key: one of a fork's, where it begins with that.
bool begins_with(const std::vector<Hop> &path, const ForeignKey &);
// Some table's path passes the generic relation.
bool on_a_path(const Graph &, const GenericRelation &);
// Tables that rows of this one may be looked up in, whatever models they name.
std::set<Name> tables_along(const Graph &, const Name &table);

class Ways {
	const Catalog &catalog_;
	const Graph *graph_ = nullptr;
	Models in_use_;

	void walk(const std::vector<Hop> &path, const std::vector<Hop> &so_far, std::set<std::string> passed, bool circles,
	    std::vector<std::vector<Hop>> &out) const;

public:
	Ways(const Catalog &side) : catalog_(side) {}    // NOLINT: of paths that do not fork
	Ways(const Catalog &side, const Graph &graph, Models in_use) : catalog_(side), graph_(&graph), in_use_(std::move(in_use)) {}
	const Catalog &catalog() const { return catalog_; }
	const std::vector<Hop> &path(const Name &table) const;
	const GenericRelation &relation(const Hop &fork) const;
	// The hops that a fork stands for, one a model in use that leads to tenants. A model whose table this side lacks has no rows.
	std::vector<Hop> branches(const Hop &fork) const;
	// The key of a fork's branch.
	const ForeignKey &key(const Hop &branch) const;
	// What the path stands for: ways without a fork to the tenant table; those that come to a relation again that they have passed.
	std::vector<std::vector<Hop>> to_tenants(const std::vector<Hop> &path) const;
	std::vector<std::vector<Hop>> circles(const std::vector<Hop> &path) const;
	// SQL: the row `child` is of the branch's model; the row `parent` is the one that it names.
	std::string of_model(const Hop &branch, const std::string &child) const;
	std::string equals(const Hop &, const std::string &child, const std::string &parent) const;
};

// Rows of production whose way to a tenant is a circle.
std::vector<Question> circle_questions(const Config &, const Graph &, const Catalog &source, const Answers &);
void add_circle_obstacles(const Graph &, const Catalog &target, const Answers &, Plan &);
// Objects' tables that lead to tenants by production's own graph alone: the target must not take a branch out of production's filter.
void add_branch_obstacles(const Graph &, const Graph &of_source, const Answers &, Plan &);
// Tables that belong to no tenant although objects that their rows name do.
void suggest_generic_paths(const Config &, const Graph &, const Catalog &target, const Answers &, Plan &);

}  // namespace core
