// Which tables are loaded leaf by leaf, and which through the root of their partition tree.
#pragma once
#include "plan.hpp"

namespace core {

// A leaf of the source goes into the leaf of the target with the same bounds, rows unseen. That is right only where both sides have the same
// partitions and the values that decide stay what they are; else each row finds its partition on the target.
bool is_routed(const Catalog &source, const Catalog &target, const PlannedTable &);

}  // namespace core
