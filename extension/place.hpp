// The partition that a kept row will be in.
#pragma once
#include <functional>
#include "content.hpp"

namespace prodsync {

// A row's ids and references change on the way over, or it is masked; where its table is partitioned by one of them, the row may belong into another
// partition than the one it lies in. Notes that in prodsync_work.kept (moves_to). Returns what is wrong: rows that no partition takes.
std::vector<Check> place_kept(const Refresh &);

// SQL over kept as k: the relation whose shadow the row goes into.
inline const char *const lands_in = "coalesce(k.moves_to, k.rel)";

// The partitions of a table, which are asked for the one that takes a row.
class Partitions {
public:
	struct Leaf;
	struct Pass;
	// Rows of `from` (relations of the table as it is) that belong into `to`: their addresses, as the text of a tid[].
	using Take = std::function<void(Oid from, Oid to, const std::string &rows)>;

	Partitions(const Refresh &, const core::Name &table);
	Partitions(const Partitions &) = delete;
	Partitions &operator=(const Partitions &) = delete;
	// Columns that decide, on any level of the tree.
	const std::vector<const core::Column *> &columns() const { return columns_; }
	bool decided_by(const std::string &column) const;
	// `sql` gives for each row a relation, an address and the values of these columns; rows that lie in the right one are left out. Returns how many rows
	// no partition takes.
	std::int64_t look_up(const std::string &sql, const pg::Row &args, const Take &take);
	void close();    // where all went well; an error lets go of everything

private:
	const Refresh &refresh_;
	Oid root_;
	std::vector<const core::Column *> columns_;
	std::vector<Oid> leaves_;
	Pass *pass_ = nullptr;
};

}  // namespace prodsync
