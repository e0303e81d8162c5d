// Foreign keys of one integer column each, verified by one scan of the child and a bitmap of the parents' keys: about a tenth of what the joins
// take. Rows are read as they lie in the table, so no code of anybody runs and no right is asked: for the extension's own checks only.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include "content.hpp"
#include "key_set.hpp"

namespace prodsync {

class KeyScan {
public:
	// Looks at the keys of one relation's new content (a leaf, or the table). What they take of memory is freed with the memory context this is
	// called in, and is no more than maintenance_work_mem.
	KeyScan(const Refresh &, const std::vector<const core::ForeignKey *> &keys, const core::Name &child_relation);
	// Rows of the child without a parent. nullopt where the scan is no way: other types, several columns, MATCH FULL, a partitioned table that
	// stays, or keys that lie too far apart for the memory. Then it takes the join.
	std::optional<std::int64_t> orphans(const core::ForeignKey &) const;
	// The distinct keys that the child uses in a table that stays, as array literals of at most `batch` keys. Only where orphans() knows.
	void used_keys(const core::ForeignKey &, std::size_t batch, const std::function<void(const std::string &)> &take) const;

private:
	struct Counted {
		std::int64_t orphans = 0;
		KeySet *used = nullptr;
	};
	std::map<const core::ForeignKey *, Counted> counted_;
};

}  // namespace prodsync
