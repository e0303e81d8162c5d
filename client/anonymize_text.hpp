// What people read about masking in place.
#pragma once
#include "plan_text.hpp"

namespace client {

std::string anonymize_text(const PlanView &view, std::size_t tables);    // the plan
std::string anonymize_losses_text(const PlanView &view);                 // what disappears: rows of tables that are emptied
// Where raw values may still be when it is done: what no statement can reach.
const std::vector<std::string> &places_that_remain();
std::string what_remains();

}  // namespace client
