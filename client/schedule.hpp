// Works the steps of a plan off with several workers: a step as soon as those it depends on are done, the biggest first. Knows
// nothing of databases.
#pragma once
#include <functional>
#include <vector>
#include "../extension/core/plan.hpp"

namespace client {

struct Workers {
	int jobs = 1;
	std::function<void(int worker, const core::Step &)> work;    // called from `jobs` threads; worker: 0 to jobs - 1
	std::function<bool()> stop;        // asked now and then: true: hand out no more steps. Optional
	std::function<void()> cancel;      // make running steps fail soon; called again and again until none runs. Optional
};

// Returns true when all steps are done, false where stop() said so. The first error of a step ends it: no more steps are handed
// out, those that run are cancelled and waited for, then that error is thrown, whatever the others threw after it (E9).
// A cycle, a step that occurs twice or depends on one that is not there: std::invalid_argument, before any work.
bool run_steps(const std::vector<core::Step> &steps, const Workers &workers);

}  // namespace client
