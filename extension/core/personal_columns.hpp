// The columns of a plan that look personal, those that are made of masked ones among them; and what to paste for those without a rule.
#pragma once
#include "mask_fit.hpp"
#include "suggest.hpp"

namespace core {

// Fills plan.personal with every column that looks personal to `least`; of those without a rule adds the problem (policy strict) or warning. Rules to
// paste are tried out: `tried` is the plan in which they would count, `try_rules` says what stands in their way.
void add_personal_columns(const Config &, const Graph &, const Masking &, const Catalog &source, const Catalog &target, const Answers &,
    const Contents &, double least, const Plan &tried, const TryRules &try_rules, Plan &plan);

}  // namespace core
