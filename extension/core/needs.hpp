// What a run will need: locks, disk, and the time that the target's users wait at the switch.
#pragma once
#include "plan.hpp"
#include "words.hpp"

namespace core {

// "3.6 GB", in powers of ten as disks and people count.
std::string shown_bytes(std::int64_t bytes);
// Adds needs to the plan, and what does not suffice to its problems and warnings.
void add_needs(const Graph &, const Catalog &target, Plan &);

}  // namespace core
