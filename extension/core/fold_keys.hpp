// What makes two rows of a table equal in a unique index once ids are mapped: its keys, and the columns that its expressions, generated
// keys and predicate look at. They are evaluated at the source, over rows in which those columns have their new values, in the source's
// own words: of an index that the source has itself.
#pragma once
#include <string>
#include <vector>
#include "answers.hpp"
#include "missing.hpp"

namespace core {

// The source's index of the same meaning, or nullptr.
const Index *same_index(const Relation &source, const Index &);

class FoldKeys {
	const Graph &graph_;
	const Answers &answers_;
	const Missing &missing_;
	const Name &table_;
	const Relation &relation_;    // the target's
	const Index &index_;
	std::vector<std::string> columns_;     // that equality rests on: keys first, then what is mentioned
	std::vector<std::string> computed_;    // those of them that something is computed of
	bool may_fold_ = false;

	bool changes(const std::string &column) const;
	bool let_go(const std::string &column) const;     // on_missing: null
	bool decides(const std::string &column) const;    // its new value whether the index has the row
	// Also where different ids stay different, it matters what they become.
	bool exact() const { return !computed_.empty() || index_.nulls_not_distinct; }

public:
	FoldKeys(const Config &, const Graph &, const Answers &, const Missing &, const Name &table, const Index &);
	const std::vector<std::string> &columns() const { return columns_; }
	// A map, or a reference that is let go of, can make keys equal that differ now.
	bool may_fold() const { return may_fold_; }
	// The columns that change and are looked at by expressions or the predicate.
	std::vector<std::string> changing() const;
	// What is computed can be: every map that it takes is complete.
	bool ready(const Config &) const;
	// Why it cannot be told at the source which rows become equal: a clause; empty: it can, or another problem says so.
	std::string undecidable(const Catalog &source) const;

	struct Sql {                                    // over the rows t
		std::string joins;                          // after them
		std::vector<std::string> raw, keys, given;  // as they are; once mapped; conditions under which a row has no NULL in them
		std::string before, after;                  // the predicate: of rows as they are, or of mapped ones; or both are empty
	};
	Sql sql(const Relation &source) const;
};

}  // namespace core
