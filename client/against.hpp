// Proof that masking worked: what of production's values is in the target all the same.
#pragma once
#include <cstdint>
#include <string>
#include <vector>
#include "../extension/core/catalog.hpp"
#include "../extension/core/graph.hpp"
#include "../extension/core/masking.hpp"
#include "connection.hpp"
#include "key.hpp"
#include "source_sql.hpp"

namespace client {

struct ComparedColumn {
	std::string column;
	core::MaskRule rule;               // strategy empty: it looks personal, and no rule names it
	std::string source_base, base;     // types, of production and the target
	bool by_form = false;              // what the rule gives is told from raw values by its form alone
	std::int64_t values = 0;           // of production, different ones
	std::int64_t survivors = 0;        // values of the target's rows that are production's
};

struct ComparedTable {
	const core::Relation *source, *target;
	std::vector<ComparedColumn> columns;
	std::string rows_of_target;        // SQL over alias t: rows that came from production; empty: all
};

// The two sides, each in a transaction that is one moment of it and reads only.
struct Sides {
	Connection source, target;
	core::Catalog source_catalog, target_catalog;
};

// Fills `values` and `survivors`, pass by pass with at most so many digests in memory. Returns the number of passes. Reads both tables, sends nothing of
// one side to the other. Throws where a table was truncated or rewritten since its catalog was read.
int compare(Sides &, ComparedTable &, const core::MaskKey *key, const SourceSql &, std::size_t most_digests);

// Columns of the target with texts in them.
struct TextColumn {
	std::string column, base;
	std::int64_t mentions = 0;         // of production's values, in the target's rows
};

struct Texts {
	core::Name table;
	std::vector<TextColumn> columns;
	std::string rows_of_target;        // as above
};

// Fills `mentions` with what compare() has not counted: e-mail addresses, numbers and words with digits that are values of one of the compared columns in production, wherever they stand
// in these texts.
int find_mentions(Sides &, const std::vector<ComparedTable> &, std::vector<Texts> &, const core::MaskKey *key, const SourceSql &,
    std::size_t most_digests);

}  // namespace client
