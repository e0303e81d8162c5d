// A shadow: a table in prodsync_work with the layout of a table of the target, that receives the new content while everybody stays on the
// original; and what is done with it: indexes, the exchange of storage, the end.
#pragma once
#include <string>
#include <vector>
#include "pg.hpp"

namespace prodsync {

// Makes the shadow s_<run>_<original>, a member of the extension, without foreign keys, triggers, policies, identity. Returns its oid.
Oid create_shadow(const pg::Extension &, int run, Oid original);
// The same of a partitioned table, which holds no rows: without its partitions (route.cpp).
Oid create_root(const pg::Extension &, int run, Oid original);
// Lets COPY FROM STDIN into this shadow through for the current role until the transaction ends (copy_hook.cpp).
void allow_copy(Oid shadow);
// Rows that COPY put into this shadow in this transaction; nullopt where allow_copy() was not called in it.
std::optional<std::uint64_t> copied_rows(Oid shadow);
// Builds the twin of one index of the original on the shadow. Takes SHARE on the shadow.
void build_index(const pg::Extension &, Oid shadow, Oid index);
std::vector<Oid> indexes_of(Oid relation);
void analyze(const pg::Extension &, Oid shadow);
// Exchanges the storage of originals and shadows (pairs), of their indexes and TOAST tables; statistics and fast defaults come along.
// The originals are locked ACCESS EXCLUSIVE. Errors with PS_STALE where one of a pair is not the twin of the other.
void switch_storage(const pg::Extension &, const std::vector<std::pair<Oid, Oid>> &pairs);
void drop_shadow(const pg::Extension &, Oid shadow);    // no event trigger, no NOTICE
std::string sql_name(Oid relation);                     // schema.name, quoted; throws where it is gone
Oid owner_of(Oid relation);

}  // namespace prodsync
