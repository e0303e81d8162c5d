// Where sequences go on after a refresh.
#pragma once
#include "content.hpp"

namespace prodsync {

struct SequenceValue {
	core::Name sequence;
	Oid oid = InvalidOid;
	std::int64_t next = 0;
};
// For each sequence that a column of a replaced table draws from: the next value. With tenants it lies in the reserved range, above every key there
// and never below what was given out already; without, it is the largest key + 1. Reads the new content.
std::vector<SequenceValue> sequence_values(const Refresh &);
std::vector<Check> check_sequences(const Refresh &);    // those that would have no number left
// The sequences that sequence_values() is about, without reading any content.
std::vector<Oid> sequences_to_set(const Refresh &);
// By RESTART, which rolls back; below the level where event triggers fire.
void restart(const pg::Extension &, const std::vector<SequenceValue> &);

}  // namespace prodsync
