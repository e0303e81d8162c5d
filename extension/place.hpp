// The partition that a kept row will be in.
#pragma once
#include "content.hpp"

namespace prodsync {

// A row's ids and references change on the way over, or it is masked; where its table is partitioned by one of them, the row may belong into another
// partition than the one it lies in. Notes that in prodsync_work.kept (moves_to). Returns what is wrong: rows that no partition takes.
std::vector<Check> place_kept(const Refresh &);

// SQL over kept as k: the relation whose shadow the row goes into.
inline const char *const lands_in = "coalesce(k.moves_to, k.rel)";
// Rows of the table are in other partitions than before, some of them.
bool is_placed_anew(const Refresh &, const core::Name &table);

}  // namespace prodsync
