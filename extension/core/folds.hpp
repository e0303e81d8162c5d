// Rows of a source table that become equal in a unique index, because users and rows of folded tables are mapped. One of them
// survives, the others are left out; which ones is decided by the source itself, in the snapshot that is copied from.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "answers.hpp"
#include "missing.hpp"

namespace core {

// Unique indexes of the target in which rows may fold: those that rest on a column whose map can make two ids one.
std::vector<const Index *> folding_indexes(const Config &, const Graph &, const Answers &, const Missing &, const Name &table);
// The questions that can be asked now, at most one a table.
std::vector<Question> fold_questions(const Config &, const Graph &, const Catalog &source, const Answers &);
// Where a row lies: "(0,1)", in a partitioned table with the source's oid of the leaf in front: "16385(0,1)".
std::string row_place(const Relation &root, const std::string &alias);
// The condition over alias t that leaves the dropped rows out of what is read from `read`: the table itself, or a leaf of it.
// Empty where there are none.
std::string fold_filter(const Fold &, const Relation &root, const Relation &read, const std::string &key);
// Which source tenants, which rows whose references lead nowhere and which folded rows are left out of `read`; conditions joined by
// AND, or empty.
std::string row_filter(const Config &, const Graph &, const Catalog &source, const Answers &, const Missing &, const Name &table,
    const Relation &read);

}  // namespace core
