// Samples of production: read here, looked at in memory, and forgotten. No value of them leaves this process.
#pragma once
#include <set>
#include <string>
#include <vector>
#include "../extension/core/catalog.hpp"
#include "../extension/core/detect.hpp"
#include "../extension/core/masking.hpp"
#include "connection.hpp"
#include "unmatched_paths.hpp"

namespace client {

struct Samples {
	core::Contents contents;
	std::vector<core::Name> locked;    // nothing of them could be read, in ten seconds for all together
	std::string locked_tables() const;    // "a, b are locked"
};

// Which columns are read.
enum class Look {
	undecided,    // all that `ruled` does not name: those have been decided about, but for those with rules for parts
	parts         // those with rules for parts only
};

// What a bounded sample of each of these tables shows, in the transaction (and snapshot) that `source` has open. `unmatched` is shown what the rules for
// parts are about. What the role may not read is not read.
Samples read_samples(Connection &source, const core::Catalog &catalog, const std::set<core::Name> &tables, const core::Masking &ruled,
    UnmatchedPaths *unmatched = nullptr, Look look = Look::undecided);

}  // namespace client
