// Kept rows that have a unique key which a row of the new content has, too.
#pragma once
#include "kept.hpp"

namespace prodsync {

// Looks every row that is to be brought up in every unique index and exclusion constraint of its shadow, as the insert will, with its new values; notes
// what it finds in prodsync_work.collision. Afterwards it can be counted, given way to, or be the end of the kept row.
void find_collisions(const Refresh &);
// The same for one table, whose references to these tables have just moved to kept rows.
void find_collisions(const Refresh &, const core::Name &table, const std::set<core::Name> &gave_way);
// on_collision: source. Kept rows that collide are not brought, nor is what references them, to the end; counted by table.
std::vector<Check> drop_colliding(const Refresh &);
// Those that nothing resolves: each index with the number of rows and some of their keys.
std::vector<Check> check_collisions(const Refresh &);

}  // namespace prodsync
