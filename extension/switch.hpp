// The one short transaction in which everything becomes visible, and what sync_clear() shares with it.
#pragma once
#include <functional>
#include "content.hpp"
#include "locks.hpp"

namespace prodsync {

// Every lock of the switch: TOAST tables come with their tables (locks.cpp); partitioned roots so that no leaf is attached or detached; tables that
// stay and reference or are referenced, and sequences, against writers; what is replaced, against everybody, or for now against all but readers.
std::vector<Wanted> locks_wanted(const Refresh &, Strength replaced = Strength::access_exclusive);
// Throws PS_CHECK, with all of them in DETAIL, when one is not ok.
void require_ok(const std::vector<Check> &checks);
// Under the locks: kept rows are read, re-keyed and brought over, references of tables that stay follow, sequences are set, storage is exchanged.
// Nothing that was known before is believed. Returns what was checked; throws where a check fails.
// `before_exchange` is called when all rows are where they belong and kept and moved can still be read: the last moment to keep readers out.
// `moved_by`: the transaction id of rows whose references moved to kept ones (GaveWay::xid).
std::vector<Check> carry_over_and_switch(const Refresh &, const std::function<void()> &before_exchange = {}, std::string *moved_by = nullptr);

// In place nothing is brought and no id moves: what is checked is whether every reference still finds its row. Before the exchange, and under its locks.
std::vector<Check> check_in_place(const Refresh &);

}  // namespace prodsync
