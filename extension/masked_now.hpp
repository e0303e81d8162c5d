// What sync_check() finds in masked columns at any time after a refresh.
#pragma once
#include "content.hpp"

namespace prodsync {

// One check for each column whose masks are told by their form: values of rows that came from production and have another one. Where the target's own
// rows cannot be told from those it is no violation.
std::vector<Check> check_masked_forms_now(pg::Tables &sql, const Refresh &refresh);

}  // namespace prodsync
