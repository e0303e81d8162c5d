// Kept rows that reference rows of tenants that are not kept (tables: references: on_missing).
//
// `null` and `drop`: such a row is not brought, and counts as one that is not there. `adopt`: it is brought, and becomes the tenant's whose row
// references it; where its path leads through other rows, these are adopted with it. Which tenant's a row becomes is kept in prodsync_work.moved (space
// 'a': table oid and place of the row -> the tenant's key), and the row in prodsync_work.kept is an adopted one (why 'a').
#pragma once
#include <vector>
#include "content.hpp"

namespace prodsync {

// Does the key lead from the row to its tenant, as the last hop of a path?
bool is_tenant_hop(const Refresh &, const core::ForeignKey &);
// The column by which rows of the table name their tenant, where some of them were adopted; else empty.
std::string adopting_column(const Refresh &, const core::Name &table);
// SQL: what prodsync_work.moved calls the old row in space 'a'.
std::string place_of(const std::string &alias);
std::string place_of_kept(const std::string &alias);    // the same of a row of prodsync_work.kept

// Before drop_missing(): rows of other tenants that only references with `null` and `drop` lead to are as if they were not there.
void let_go_of_others(const Refresh &);
// After it. Returns what was adopted by which foreign key, and what cannot be.
std::vector<Check> adopt(const Refresh &);

}  // namespace prodsync
