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

// What a bounded sample of each of these tables shows, in the transaction (and snapshot) that `source` has open. Columns that `ruled` names are not
// read: they have been decided about, but for those with rules for parts, whose paths `unmatched` is shown. Nor is what the role may not read.
Samples read_samples(Connection &source, const core::Catalog &catalog, const std::set<core::Name> &tables, const core::Masking &ruled,
    UnmatchedPaths *unmatched = nullptr);

}  // namespace client
