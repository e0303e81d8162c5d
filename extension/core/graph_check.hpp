// What a configuration says about tables that cannot be meant so: the rules that a graph alone can check.
#pragma once
#include <optional>
#include "graph.hpp"

namespace core {

// Columns that do not exist, references to tables that are not copied (P5), patterns of tenants.keep (P7), whole-row indexes, partitions
// that are foreign tables.
void check_graph(const Graph &, const Config &, const Catalog &, const std::optional<Name> &tenant,
    const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems, std::vector<Problem> &warnings);

}  // namespace core
