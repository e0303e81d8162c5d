// How runs end that were given up, and how those that were switched are cleaned up after.
#pragma once
#include <string>
#include "pg.hpp"

namespace prodsync {

// Ends who works for the run, drops shadows (after the switch: the old storage) while `budget` lasts, and counts it down; closes the run
// when none is left. Returns how many are left.
int discard_run(const pg::Extension &, int run, const std::string &reason, int &budget);
// The same for every run that nobody works for.
int discard_dead(const pg::Extension &, const std::string &reason, int &budget);
constexpr int shadows_at_once = 100;  // dropped in one transaction: each costs a dozen locks

}  // namespace prodsync
