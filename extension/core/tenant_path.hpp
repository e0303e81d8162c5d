// From every copied table to the tenant table, along foreign keys.
#pragma once
#include "graph.hpp"

namespace core {

// Fills scope, path and reason of the copied tables. Ties and declared paths that lead nowhere are problems.
void find_tenant_paths(
    Graph &, const Catalog &, const Name &tenant_table, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &);

}  // namespace core
