// sync_clear(): the same switch, to shadows that hold only what is kept. Complete and checked when it returns; ROLLBACK undoes it.
#include "by_hand.hpp"
#include "kept.hpp"
#include "refresh.hpp"
#include "shadow.hpp"
#include "switch.hpp"

namespace prodsync {

// Tables that are not asked for stay as they are, like those of mode keep.
static void restrict_to(Refresh &refresh, const std::vector<Oid> &wanted)
{
	std::set<Oid> left(wanted.begin(), wanted.end());
	for (auto &[name, node] : refresh.graph.tables)
		if (left.erase(static_cast<Oid>(node.relation->oid)) == 0) {
			if (node.mode != core::Mode::keep) node.on_missing.clear();    // said of its copied rows; these stay
			node.mode = core::Mode::keep;
		} else if (node.mode == core::Mode::keep) throw pg::Error(PS_REFUSED, name.shown() + " is in mode keep: it is never cleared");
	if (!left.empty())
		throw pg::Error(PS_REFUSED, sql_name(*left.begin()) + " is no table that can be cleared", {},
		    "Name ordinary or partitioned tables; partitions are cleared with their root.");
}

// Small tables are counted, large ones are estimated: they are replaced, so nobody reads what goes.
static std::int64_t rows_now(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	std::int64_t pages = 0;
	double rows = 0;
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		pages += std::stoll(sql.one("SELECT pg_relation_size($1::oid) / 8192", {std::to_string(leaf->oid)}).value_or("0"));
		rows += leaf->rows;
	}
	if (pages > 1000 && rows >= 0) return static_cast<std::int64_t>(rows);
	return std::stoll(sql.one("SELECT count(*) FROM " + refresh.old_rows(table, "t")).value_or("0"));
}

PG_FUNCTION(prodsync_clear)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	std::unique_ptr<Refresh> refresh = refresh_by_hand(extension, "sync_clear()");
	refresh->nothing_comes = true;
	if (pg::has_arg(fcinfo, 0)) restrict_to(*refresh, pg::arg_oids(fcinfo, 0));
	std::vector<core::Name> tables;
	for (const auto &[name, node] : refresh->graph.tables)
		if (refresh->replaced(name)) tables.push_back(name);
	lock_by_hand(*refresh, locks_wanted(*refresh));
	std::map<core::Name, std::int64_t> before;
	{
		pg::Tables sql(extension);
		for (const core::Name &table : tables) before[table] = rows_now(sql, *refresh, table);
	}
	make_shadows(*refresh, "clear", tables);
	build_indexes(*refresh);

	std::map<core::Name, pg::Row> counts;
	std::vector<Check> checks = carry_over_and_switch(*refresh, [&] {
		pg::Tables sql(extension);
		for (const core::Name &table : tables) {
			std::string oid = std::to_string(refresh->oid(table));
			counts[table] = {sql.one("SELECT count(*) FROM prodsync_work.kept WHERE tab = $1::oid AND state = 'b' AND why <> 'r'", {oid}),
							 sql.one("SELECT count(*) FROM prodsync_work.moved WHERE tab = $1::oid AND why = 'k'", {oid})};
		}
	});
	ledger::record(extension, refresh->run, checks);
	finish_by_hand(*refresh);
	std::vector<pg::Row> out;
	for (const core::Name &table : tables)
		out.push_back({table.shown(), std::to_string(std::max<std::int64_t>(before[table] - std::stoll(*counts[table][0]), 0)),
		    counts[table][0], counts[table][1]});
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
