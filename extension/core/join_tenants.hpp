// users.join_tenants: the fallback user becomes a member of every tenant that is copied, so that testers can open what was imported.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "answers.hpp"
#include "config.hpp"
#include "graph.hpp"
#include "plan.hpp"

namespace core {

struct Membership {
	Name table;
	std::string tenant, user;    // its columns that reference the tenant table's key and the user table's key
};

// The table that has one row for a tenant and a user: foreign keys to both, and a unique key of these two columns. None, or several that the
// configuration does not choose from, and columns that a row could not be given a value for: problems. Nothing where join_tenants is not set,
// or the table is not refreshed in this run.
std::optional<Membership> membership(const Config &, const Graph &, const Catalog &target, std::vector<Problem> &problems);

}  // namespace core
