// CHECK constraints on masked columns, tried on masks of a sample before anything is written.
#pragma once
#include "plan_run.hpp"

namespace client {

// For a plan without problems, in the transactions that `prepared` has open. Samples are masked here; of the other columns that a constraint looks
// at, only numbers, dates, flags and codes go along: where it needs more than that, its warning stays. Adds problems to the plan, takes warnings away.
void try_checks(const RefreshOptions &options, Prepared &prepared);

}  // namespace client
