// The questions of the planner, put to both servers at the same time.
#pragma once
#include "plan_run.hpp"

namespace client {

// Asks until the planner has no question left. Where both sides fail the target's error is the one that is told.
core::Answers ask(const RefreshOptions &, const Prepared &);
// Grants to type name the role that asks; the planner does not know it.
void name_role(core::Plan &, const Connection &source);

}  // namespace client
