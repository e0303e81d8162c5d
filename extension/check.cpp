// sync_check(): is this database whole? At any time, by the configuration if there is one. Foreign and unique keys are read from the tables, not
// from their indexes, so an import with triggers and checks off is found out.
#include "by_hand.hpp"
#include "condition.hpp"
#include "emptied.hpp"
#include "foreign_keys.hpp"
#include "generic.hpp"
#include "inputs.hpp"
#include "masked_now.hpp"
#include "refresh.hpp"
#include "shadow.hpp"

namespace prodsync {

static Check unique_key(pg::Tables &sql, const Refresh &refresh, const core::Name &table, const core::Index &index)
{
	std::vector<std::string> columns, given;
	for (const std::string &name : index.columns) {
		columns.push_back("t." + core::quote_identifier(name));
		given.push_back("t." + core::quote_identifier(name) + " IS NOT NULL");
	}
	std::string where = index.nulls_not_distinct ? "" : " WHERE " + core::joined(given, " AND ");
	std::string count = sql.one("SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM " + refresh.old_rows(table, "t") +
	                           where + " GROUP BY " + core::joined(columns, ", ") + " HAVING count(*) > 1) x")
	                        .value_or("0");
	return {"unique key", table.shown() + "." + index.name, std::stoll(count), "", count == "0"};
}

static Check sequence(pg::Tables &sql, const Refresh &refresh, const core::Name &table, const core::Column &column)
{
	std::string next = sql.one("SELECT last_value + is_called::int FROM " + column.sequence).value_or("0");
	for (const core::Sequence &known : refresh.catalog().sequences)
		if (known.name.sql() == column.sequence && known.increment < 0) return {"sequence", column.sequence, 0, "", true};    // counts down
	std::string above = sql.one("SELECT count(*) FROM (SELECT max(t." + core::quote_identifier(column.name) + ") AS m FROM " +
	                               refresh.old_rows(table, "t") + ") x WHERE m >= $1::bigint",
	                           {next})
	                        .value_or("0");
	return {"sequence", column.sequence, std::stoll(above),
	    core::json{{"column", table.shown() + "." + column.name}, {"next", std::stoll(next)}}.dump(), above == "0"};
}

static void check_configuration(const Refresh &refresh, std::vector<Check> &out)
{
	if (!may_run_stored_text(refresh.extension)) {
		out.push_back({"configuration", "tenants.keep, users.fallback", 0,
		    core::json{
		        {"text", "not evaluated: the configuration is another role's, and its conditions would run with your rights"}}
		        .dump(),
		    true});
		return;
	}
	if (refresh.config().tenants)
		for (const auto &[name, node] : refresh.graph.tables)
			if (node.scope == core::Scope::tenant && node.path.empty()) {
				std::size_t kept = chosen_rows(
				    refresh.extension, *refresh.catalog().find(name), {}, "tenants.keep", refresh.config().tenants->keep)
				                       .size();
				out.push_back({"kept tenants", name.shown(), kept == 0, core::json{{"kept", kept}}.dump(), kept > 0});
			}
	if (refresh.config().users && !refresh.config().users->fallback.empty())
		for (const core::Name &name : refresh.catalog().resolve(refresh.config().users->table)) {
			std::size_t found = chosen_rows(
			    refresh.extension, *refresh.catalog().find(name), {}, "users.fallback", refresh.config().users->fallback)
			                        .size();
			out.push_back({"fallback user", name.shown(), found == 0, core::json{{"matching", found}}.dump(), found > 0});
		}
}

PG_FUNCTION(prodsync_check)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	Documents documents;
	if (std::optional<core::Config> config = current_config(extension)) documents.config = *config;
	documents.target = core::Catalog::parse(target_document(extension));
	std::unique_ptr<Refresh> refresh = make_refresh(extension, 0, std::move(documents));
	std::vector<Check> out;
	check_configuration(*refresh, out);
	pg::Tables sql(extension);
	for (Check &check : check_emptied_now(sql, *refresh)) out.push_back(std::move(check));
	for (Check &check : check_masked_forms_now(sql, *refresh)) out.push_back(std::move(check));
	for (auto &[name, node] : refresh->graph.tables) node.mode = core::Mode::keep;    // all rows are read where they are
	pg::Settings settings;
	for (const char *scan : {"enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"}) settings.set(scan, "off");
	for (const core::ForeignKey *key : refresh->graph.keys) {
		out.push_back(check_foreign_key_now(sql, *refresh, *key));
		pg::check_interrupts();
	}
	for (const core::GenericRelation &one : refresh->graph.generic)
		for (const core::ForeignKey *key : generic_keys(sql, *refresh, one.table)) {
			out.push_back(check_foreign_key_now(sql, *refresh, *key));
			pg::check_interrupts();
		}
	for (const auto &[name, node] : refresh->graph.tables) {
		for (const core::Index &index : node.relation->indexes) {
			if (!index.valid) out.push_back({"invalid index", name.shown() + "." + index.name, 1, "", true});
			if (index.unique && index.valid && !index.expressions && index.predicate.empty()) out.push_back(unique_key(sql, *refresh, name, index));
			pg::check_interrupts();
		}
	}
	for (const char *scan : {"enable_indexscan", "enable_indexonlyscan"}) settings.set(scan, "on");
	for (const auto &[name, node] : refresh->graph.tables)
		for (const core::Column &column : node.relation->columns)
			if (!column.sequence.empty() && (column.base == "smallint" || column.base == "integer" || column.base == "bigint"))
				out.push_back(sequence(sql, *refresh, name, column));
	return pg::table(fcinfo, ledger::as_rows(out));
}

}  // namespace prodsync
