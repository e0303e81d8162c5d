// The switch, from the client's side: tries until the locks are there, commits, and finds out what became of a COMMIT whose answer was lost.
#pragma once
#include <vector>
#include "plan_run.hpp"
#include "progress.hpp"
#include "refresh.hpp"

namespace client {

struct Switched {
	std::vector<CheckResult> checks;
	double seconds = 0;          // of the try that went through, with its COMMIT
	int tries = 0;
};

// Returns after the COMMIT. Throws Error where the target was not changed, or exit 9. May replace prepared.target, if that was lost.
Switched switch_over(const RefreshOptions &options, Prepared &prepared, int run, Progress &progress);

// The next pause between tries: doubled, at most five seconds; jittered by -25 to +25 % when it is slept.
std::chrono::milliseconds next_pause(std::chrono::milliseconds pause);
// "pid 4711 (tester, psql, idle in transaction); prepared transaction \"x\"" from the DETAIL of PS004. Never a query's text.
std::string holders_text(const core::json &holders);

// Masking in place: begins the transaction that the switch will be in, with locks that make whoever writes to what is rewritten wait, and then takes
// the snapshot that is read. So nothing that anybody writes is lost.
void hold_writers(const RefreshOptions &options, Prepared &prepared, int run, Progress &progress);

}  // namespace client
