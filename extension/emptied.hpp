// Tables of mode `empty`: what makes an application act on real people (queues, schedules, webhooks, device tokens) is not there afterwards.
#pragma once
#include "content.hpp"

namespace prodsync {

// Of a run: nothing is in what becomes these tables.
std::vector<Check> check_emptied(pg::Tables &, const Refresh &);
// At any time: no row of production's is in them. Where the ids of this database have a range of their own (tenants), its applications' own rows, written
// since, are told by it; else every row counts.
std::vector<Check> check_emptied_now(pg::Tables &, const Refresh &);

}  // namespace prodsync
