#include "needs.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "steps.hpp"

namespace core {

namespace {

std::int64_t setting(const Catalog &catalog, const char *name, std::int64_t otherwise)
{
	const auto found = catalog.settings.find(name);
	if (found == catalog.settings.end() || found->second.empty() ||
	    found->second.find_first_not_of("0123456789") != std::string::npos || found->second.size() > 10)
		return otherwise;
	return std::stoll(found->second);
}

// What the switch holds at its end (measured: 9,100 for 1,000 tables with four indexes each and a sequence): each table with its TOAST table, and
// their shadows; the table's sequences; the shadow's indexes where the largest id is looked up or kept rows come in; the indexes of the table
// itself where kept rows are found. The lock table of the server has room for max_locks_per_transaction for each of its possible transactions,
// shared by all; what the server finds beyond that is luck.
void locks(const Graph &graph, const Catalog &target, Plan &plan)
{
	std::int64_t needed = 0;
	for (const auto &table : plan.tables) {
		if (table.mode == Mode::keep) continue;
		const Relation *root = target.find(table.name);
		const auto sequences = !root ? 0 : std::count_if(root->columns.begin(), root->columns.end(), [](const Column &column) {
			return !column.sequence.empty();
		});
		const bool kept = table.kept_rows > 0;
		needed += sequences + (root && root->kind == 'p');
		for (const Relation *leaf : target.storage(table.name))
			needed += 4 + static_cast<std::int64_t>(leaf->indexes.size()) * ((sequences || kept) + kept);
	}
	for (const auto &table : plan.tables)
		if (table.mode == Mode::keep)
			for (const Relation *leaf : target.storage(table.name)) needed += 1 + static_cast<std::int64_t>(leaf->indexes.size());
	needed += 120;    // the catalog's, and prodsync's own tables
	const auto room = setting(target, "max_locks_per_transaction", 64) *
	    (setting(target, "max_connections", 100) + setting(target, "max_prepared_transactions", 0) + setting(target, "max_worker_processes", 8));
	const auto text = shown_count(needed) + " locks at the switch, the target's server has room for " + shown_count(room);
	plan.needs.push_back({"locks", text, needed});
	if (room == 0 || graph.tables.empty()) return;
	const auto transactions = room / std::max<std::int64_t>(1, setting(target, "max_locks_per_transaction", 64));
	const auto fix =
	    "max_locks_per_transaction = " + std::to_string((needed * 2 / std::max<std::int64_t>(1, transactions) / 64 + 1) * 64) +
	    "    # postgresql.conf of the target, then restart it";
	if (needed > room)
		plan.problems.push_back({"locks", "max_locks_per_transaction", text, fix});
	else if (needed * 10 > room * 7)
		plan.warnings.push_back({"locks", "max_locks_per_transaction", text + ", which other sessions use too", fix});
}

// Old and new files together: the old storage is dropped after the switch only.
void disk(Plan &plan)
{
	std::int64_t incoming = 0, old = 0;
	for (const auto &table : plan.tables) {
		if (table.mode == Mode::keep) continue;
		incoming += table.mode == Mode::copy ? table.source_bytes : 0;
		old += table.target_bytes;
	}
	plan.needs.push_back({"disk",
	    "about " + shown_bytes(incoming) + " of new files beside " + shown_bytes(old) +
	        " of old ones, until the old ones are dropped",
	    incoming + old});
}

constexpr std::int64_t many_kept_rows = 200'000;    // from here on people should hear of it before they say yes

std::string shown_wait(std::int64_t ms)
{
	char shown[32];
	std::snprintf(shown, sizeof shown, "%.1f s", static_cast<double>(std::max<std::int64_t>(ms, 100)) / 1000);
	return shown;
}

// What the target's users wait at the switch. Measured on release 15: storage of a table with four indexes and TOAST changes places in
// 0.3 ms, and readers wait for nothing else than that and COMMIT. Writers also wait for what comes before: 20 ms for the fingerprint and the
// tenants' predicate; the statements that find and bring kept rows, 1.5 ms for each table that has some; and 60 us for each kept row, which is
// read again, re-keyed, looked up in unique indexes, inserted into live ones and digested twice (49,900 in 50 tables: 3 s of CPU time in all).
void wait(const Catalog &target, Plan &plan)
{
	std::int64_t relations = 0, kept = 0, with_kept = 0;
	for (const auto &table : plan.tables) {
		if (table.mode == Mode::keep) continue;
		relations += static_cast<std::int64_t>(target.storage(table.name).size());
		kept += table.kept_rows;
		with_kept += table.kept_rows > 0;
	}
	const std::int64_t readers = 20 + (relations * 3 + 9) / 10, writers = readers + 20 + with_kept * 3 / 2 + (kept * 3 + 49) / 50;
	plan.needs.push_back({"wait",
	    "the target's readers wait about " + shown_wait(readers) + " at the switch, its writers about " + shown_wait(writers) + " (" +
	        shown_count(kept) + " kept rows)",
	    writers});
	if (kept > many_kept_rows)
		plan.warnings.push_back({"many-kept-rows", "tenants.keep",
		    shown_count(kept) + " rows are kept: whoever writes to the target waits about " + shown_wait(writers) + " at the switch",
		    "run it when nobody works there, or keep fewer tenants"});
}

}  // namespace

std::string shown_bytes(std::int64_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
	double value = static_cast<double>(bytes);
	std::size_t unit = 0;
	while (value >= 1000 && unit + 1 < std::size(units)) {
		value /= 1000;
		++unit;
	}
	char shown[32];
	std::snprintf(shown, sizeof shown, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return shown;
}

void add_needs(const Graph &graph, const Catalog &target, Plan &plan)
{
	locks(graph, target, plan);
	disk(plan);
	wait(target, plan);
}

}  // namespace core
