// The step graph of a plan: what can be done at the same time, and what waits for what.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "plan.hpp"

namespace core {

// Below this many bytes (heap, TOAST, indexes) a table is one step: three transactions would cost more than the rows.
constexpr std::int64_t small_table = std::int64_t{256} * 1024;

// Heap with TOAST and indexes, as the catalog estimates it.
std::int64_t estimated_bytes(const Relation &);
// The relations that hold a table's rows, by the chain of partition keys and bounds that leads to them from the root: what leaves
// of two databases are matched by, whatever their names. A table without partitions is its own leaf, under "".
std::map<std::string, const Relation *> leaves_by_bound(const Catalog &, const Name &table);
// `source` is null for a plan without one (plan_clear).
std::vector<Step> make_steps(const Config &, const Graph &, const Catalog *source, const Catalog &target, const Answers &,
    const std::vector<PlannedTable> &);

}  // namespace core
