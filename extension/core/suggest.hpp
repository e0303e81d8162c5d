// A rule for each personal column that has none, such that the plan takes it: not chosen by rules of its own, but tried out with the plan's.
#pragma once
#include <functional>
#include <vector>
#include "masking.hpp"

namespace core {

// The problems of the plan that are about masking, were these the rules.
using TryRules = std::function<std::vector<Problem>(const Masking &)>;

// Fills in `fits`, or `why` none does. Columns that hold the same values (by a foreign key, or inherited) get the same rule: those of them that did
// not look personal by themselves are added. `columns` stay in the order of `plan.tables` and their columns.
void suggest_rules(const Graph &, const Masking &, const Catalog &target, const Plan &, const TryRules &, std::vector<PersonalColumn> &columns);

}  // namespace core
