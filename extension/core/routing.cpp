#include "routing.hpp"

#include <algorithm>

#include "obstacles.hpp"
#include "steps.hpp"

namespace core {

namespace {

bool same_leaves(const Catalog &source, const Catalog &target, const Name &table)
{
	const auto here = leaves_by_bound(target, table), there = leaves_by_bound(source, table);
	return std::equal(here.begin(), here.end(), there.begin(), there.end(), [](const auto &a, const auto &b) { return a.first == b.first; });
}

// Another type counts: a value may be rounded on its way.
bool changes(const Transfer &column, const Relation *source, const std::string &partition_key)
{
	const Column *read = source ? source->column(column.column) : nullptr;
	// An enum is hashed by the oids of its labels, which are each database's own.
	if (read && !read->labels.empty() && partition_key.starts_with("HASH")) return true;
	return column.mask.masks() || !column.map.empty() || !column.by_model.empty() || !column.source_value.empty() || !read ||
	    read->type != column.type;
}

}  // namespace

bool is_routed(const Catalog &source, const Catalog &target, const PlannedTable &table)
{
	if (table.mode != Mode::copy || !table.in_source) return false;
	if (!same_leaves(source, target, table.name)) return true;
	for (const auto &[name, relation] : target.relations) {
		if (relation.kind != 'p' || target.root(name) != table.name) continue;
		for (const Transfer &column : table.columns)
			if (mentions(relation.partition_key, column.column) && changes(column, source.find(table.name), relation.partition_key)) return true;
	}
	return false;
}

}  // namespace core
