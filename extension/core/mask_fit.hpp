// Whether masks fit into a column of the target: its type and length, and the unique indexes that it is in.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "masking.hpp"
#include "masks.hpp"

namespace core {

class MaskFit {
	const Config &config;
	const Graph &graph;
	const Masking &masking;
	const Catalog &source, &target;

	struct UniqueIndex {
		std::string name;          // empty: there is none
		bool of_the_whole = true;  // all of the mask is in the key, not only what an expression leaves of it
		std::string folded_by;     // one that takes letters of both cases as equal; empty: there is none
	};
	UniqueIndex unique_index(const PlannedTable &, const std::string &column, bool of_nulls) const;
	bool one_row_an_entity(const PlannedTable &, const std::string &entity) const;

public:
	MaskFit(const Config &config_, const Graph &graph_, const Masking &masking_, const Catalog &source_, const Catalog &target_)
	    : config(config_), graph(graph_), masking(masking_), source(source_), target(target_)
	{}

	const MaskRule *rule(const Name &table, const std::string &column) const;
	// What happens to the column's values on their way: nothing, where there is no rule or the rule says so.
	MaskRule effective(const PlannedTable &, const std::string &column) const;
	// Every relation of the table that has indexes and constraints of its own: the root, and its leaves.
	std::vector<const Relation *> relations(const Name &table) const;

	// Why not, as the end of a sentence; empty: it does.
	static std::string too_narrow(const Column &, const MaskRule &);
	std::string collides(const PlannedTable &, const std::string &column, const MaskRule &) const;
	// A rule for the column as a whole that nothing stands in the way of.
	bool fits(const PlannedTable &, const Column &, const MaskRule &) const;
	// The first of these strategies (which want no option) that the column can take; of one whose width can be chosen the narrowest form that will do.
	std::optional<MaskRule> fitting(const PlannedTable &, const Column &, const std::vector<const char *> &names) const;
};

}  // namespace core
