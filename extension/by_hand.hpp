// What sync_clear() and sync_remap_users() share: a refresh of its own inside the caller's transaction, from the stored configuration.
#pragma once
#include "content.hpp"
#include "locks.hpp"

namespace prodsync {

// The stored configuration, or PS_PROBLEMS with the hint how to give one.
core::Config stored_config(const pg::Extension &);
// A refresh of this database by itself: catalog and graph as they are now. Throws PS_PROBLEMS where the configuration does not fit the
// database, PS_REFUSED where it is not refreshable or a refresh is running.
// `choice`: what counts for this call only.
std::unique_ptr<Refresh> refresh_by_hand(const pg::Extension &, const char *function, const core::Choice &choice = {});
// Takes all locks, trying again with pauses for up to a minute; then PS_LOCKED naming the holders. Refuses tables with pending trigger
// events: their foreign keys would be checked against rows that are gone.
void lock_by_hand(const Refresh &, const std::vector<Wanted> &wanted);
// A ledger row for it, shadows for all leaves of these tables. Call it under the locks: shadows and switch belong to one subtransaction.
void make_shadows(Refresh &, const std::string &kind, const std::vector<core::Name> &tables);
void build_indexes(const Refresh &);
// Drops the old storage and closes the run.
void finish_by_hand(const Refresh &);

}  // namespace prodsync
