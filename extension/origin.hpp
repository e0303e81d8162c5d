// Where rows of the target came from: the transactions of verified runs. A row that such a run loaded from a source, and that nobody wrote
// since, is the source's row of that id.
#pragma once
#include <string>
#include <vector>
#include "core/catalog.hpp"
#include "pg.hpp"

namespace prodsync {

struct Origin {
	Oid leaf = InvalidOid;    // that was loaded; of a switch none
	core::Name relation;
	std::string xmin;
};

// Of the runs from this very source, into relations of `target`.
std::vector<Origin> known_origins(pg::Tables &, const core::Catalog &target, const std::string &system_identifier, const std::string &database);

// The same as arguments of core's statements: the array of leaf/xmin of loads, and that of xmin of switches.
pg::Row origin_arguments(const std::vector<Origin> &);

}  // namespace prodsync
