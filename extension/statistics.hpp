// What the server has noted of values: statistics of columns, of expressions of indexes, of CREATE STATISTICS. After rows were masked in place
// they would still say what the most common raw values were.
#pragma once
#include <map>
#include "pg.hpp"

namespace prodsync {

// Under the locks of the switch, before storage is exchanged: those of the originals (keys of `pairs`), their indexes, and the tables that they are
// partitions or children of go. Those of the shadows come in their place (swap.cpp).
void forget_statistics(const pg::Extension &, const std::map<Oid, Oid> &pairs);
// Afterwards: what the shadows could not have, statistics of whole trees and of CREATE STATISTICS, are made anew.
// Those whose statistics could not be gathered are returned, or (raise) the error comes through.
enum class OnFailure { raise, go_on };
// (Go on: what the old ones said is removed all the same.)
std::vector<Oid> gather_statistics(const pg::Extension &, const std::vector<Oid> &originals, OnFailure = OnFailure::raise);
// The same of all that a run has switched; what could not be gathered is noted in the ledger.
void gather_statistics_of(const pg::Extension &, int run);

}  // namespace prodsync
