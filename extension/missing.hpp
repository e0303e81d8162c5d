// Rows of this database that reference one that will not be there after the switch. After resolve_supporting(), before rekey().
#pragma once
#include "kept.hpp"

namespace prodsync {

// on_missing: drop. Brought rows whose reference leads nowhere, and what cannot be without them, are not brought (kept.state 'm').
std::vector<Check> drop_missing(const Refresh &);
// Rows of tables that stay that reference rows that go away: what becomes of them, or a check that fails.
std::vector<Check> check_staying(const Refresh &);
// Of tables that stay: references are let go of, rows removed, as configured.
void let_go_of_missing(const Refresh &);

}  // namespace prodsync
