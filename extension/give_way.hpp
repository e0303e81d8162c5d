// S4: rows of the new content that equal a kept row in a unique key only because users were mapped.
#pragma once
#include "kept.hpp"

namespace prodsync {

struct GaveWay {
	std::vector<core::Name> touched;    // tables of rows that went, and of references that moved: to be verified again
	std::string xid;                    // of the rows whose references moved, as xid8; empty where none did
};
// What find_collisions() noted as theirs: the kept row wins, references to the other move to it. Where that gives a row the key of another kept row
// (roles of a membership), it gives way in turn.
GaveWay give_way(const Refresh &, std::vector<Check> &checks);

}  // namespace prodsync
