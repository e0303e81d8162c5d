#include "emptied.hpp"

namespace prodsync {

static bool emptied(const Refresh &refresh, const core::Name &name)
{
	return refresh.graph.tables.at(name).mode == core::Mode::empty && refresh.replaced(name);
}

static Check of_count(const core::Name &name, const std::string &count)
{
	return {"emptied table", name.shown(), std::stoll(count), "", count == "0"};
}

std::vector<Check> check_emptied(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<Check> out;
	for (const auto &[name, node] : refresh.graph.tables)
		if (emptied(refresh, name)) out.push_back(of_count(name, sql.one("SELECT count(*) FROM " + refresh.new_rows(name, {}, "n")).value_or("0")));
	return out;
}

std::vector<Check> check_emptied_now(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<Check> out;
	for (const auto &[name, node] : refresh.graph.tables) {
		if (!emptied(refresh, name)) continue;
		// A refresh sets the sequences of such tables to the beginning of the reserved range: production's ids are below.
		const core::Column *key = node.relation->column(core::single_key(*node.relation));
		const auto range = key && !key->sequence.empty() ? refresh.config().reserved_from.find(key->base) : refresh.config().reserved_from.end();
		const bool told_apart = refresh.config().tenants && range != refresh.config().reserved_from.end();
		const std::string below = told_apart ? " WHERE o." + core::quote_identifier(key->name) + " < " + std::to_string(range->second) : "";
		Check check = of_count(name, sql.one("SELECT count(*) FROM " + refresh.old_rows(name, "o") + below).value_or("0"));
		if (!told_apart && !check.ok) {
			// Its own queue is at work again: that is no violation, for ever.
			check.ok = true;
			check.detail = core::json{{"text", "rows that may be this database's own; a refresh leaves none"}}.dump();
		}
		out.push_back(std::move(check));
	}
	return out;
}

}  // namespace prodsync
