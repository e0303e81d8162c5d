// Rows of this database looked up in the unique indexes and exclusion constraints of their shadow, as the insert will.
#pragma once
#include <functional>
#include "kept.hpp"
#include "pg_server.hpp"

namespace prodsync {

struct UniqueIndex {         // plain data for pg::call
	Oid index = InvalidOid;  // of the shadow
	NameData name{};         // of the original's
	NameData whole{}, schema{};    // of the partitioned index that it is the part of, or its own; its oid is another one after REINDEX CONCURRENTLY
	bool *uses = nullptr;    // by attribute number: columns of its key, expressions and predicate
	List *only = NIL;        // of this index, as an arbiter
	bool mapped = false,
	     overlaps =
	         false;  // mapped: the row of the new content gives way; overlaps: rows that exclude each other need not be equal
};
struct Indexes {
	UniqueIndex *list = nullptr;
	int size = 0, columns = 0;
	bool generated = false;    // one of them uses a generated column, so all columns are needed to compute it
};
struct Found {
	ItemPointerData row, other;    // of the old storage, and of the shadow
	Oid in;                        // the relation of the old storage
	int index;
};

// Those of the relation's shadow. They live in the memory context this is called in.
Indexes unique_indexes(const Refresh &, const core::Relation &);
// The columns that a row is made of, as far as these indexes look at them.
std::vector<const core::Column *> used_columns(const core::Relation &, const Indexes &);

enum class Among { content, themselves };    // themselves: what is in the shadow already is no matter, and nothing of it stays there
struct Rows {
	const core::Relation &relation;         // in whose shadow they are looked up
	std::vector<const core::Column *> columns;
	std::string from;                       // kept as k, the row as t
	std::vector<std::string> values;        // of the columns, in the new content
	std::string where;
	pg::Row arguments;                      // of `where`
};
// Calls take(found, n) for the rows that an index finds another row for, some at a time.
void look_up(const Refresh &, const Rows &, const Indexes &, Among, const std::function<void(const Found *, int)> &take);
// Of those that this index found, as the text of an oid[] and of two tid[]: {"(0,1)","(0,2)"}.
struct Addresses {
	std::string in, rows, others;
};
Addresses addresses(const Found *found, int n, int index);

}  // namespace prodsync
