// Materialized views of a database that was masked in place.
#pragma once
#include "pg.hpp"

namespace prodsync {

// Written anew, never CONCURRENTLY: that would leave its raw rows in the file, dead. Its statistics are forgotten and gathered again. One WITH NO DATA stays so.
void refresh_masked_view(const pg::Extension &, Oid view);

}  // namespace prodsync
