// Rows of tables that stay, where a publication carries their changes: without a replica identity the server refuses every UPDATE and DELETE of such a
// table, also one that touches no row.
#pragma once
#include "content.hpp"

namespace prodsync {

// The server lets rows of the table, and of all its partitions, be changed.
bool can_change_rows(const Refresh &, const core::Name &table);
// What to say where it does not, and there are rows to change.
Check not_changeable(const std::string &object, const core::Name &table, std::int64_t rows);

}  // namespace prodsync
