// Rows that stay in this database and reference one that will not be there: rows that are brought over, and rows of tables that stay
// (tables: references: on_missing). `null` lets go of the reference, `drop` leaves the row out with every brought row below it. Without
// either it is a check that fails (check_brought_references(), check_staying()).
#include "missing.hpp"
#include <algorithm>
#include "core/generic.hpp"
#include "core/key_types.hpp"
#include "core/missing.hpp"
#include "foreign_keys.hpp"
#include "generic.hpp"
#include "published.hpp"

namespace prodsync {

using core::OnMissing;

static bool is_configured(const Refresh &refresh, const core::ForeignKey &key, OnMissing action)
{
	return core::configured_on_missing(refresh.graph, key) == action;
}

static bool something_is_configured(const Refresh &refresh)
{
	for (const auto &[name, node] : refresh.graph.tables)
		if (!node.on_missing.empty()) return true;
	return false;
}

static std::string mark_as_dropped(const std::string &found)
{
	return "UPDATE prodsync_work.kept z SET state = 'm' FROM (" + found + ") f WHERE z.rel = f.rel AND z.row_id = f.row_id";
}

std::vector<Check> drop_missing(const Refresh &refresh)
{
	std::vector<Check> out;
	if (!something_is_configured(refresh)) return out;
	std::map<const core::ForeignKey *, std::uint64_t> dropped;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		for (bool more = true; more;) {
			more = false;
			const std::vector<core::Name> tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
			for (const core::Name &child : tables)
				for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child)) {
					if (!refresh.replaced(key->parent)) continue;
					const std::string oid = std::to_string(refresh.oid(child));
					std::uint64_t found = 0;
					if (is_configured(refresh, *key, OnMissing::drop)) {
						const Brought rows = brought_as_it_is(refresh, child, *key);
						found =
						    sql.run(mark_as_dropped("SELECT k.rel, k.row_id FROM " + rows.from + " WHERE k.tab = $1::oid AND " +
						                is_brought + " AND " + leads_nowhere(refresh, *key, rows.values)),
						        {oid});
					} else if (core::on_missing_of_dropped(refresh.graph, *key) == OnMissing::drop) {
						found = sql.run(mark_as_dropped("SELECT k.rel, k.row_id FROM " + kept_rows_with(refresh, *key) + " JOIN " +
						                    refresh.old_rows(child, "t") + " ON t.tableoid = k.rel AND t.ctid = k.row_id JOIN " +
						                    refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "t") +
						                    " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND "
						                    "kp.state = 'm' WHERE k.tab = $1::oid AND " +
						                    is_brought),
						    {oid});
					}
					dropped[key] += found;
					more = more || found > 0;
					pg::check_interrupts();
				}
		}
	}
	for (const auto &[key, rows] : dropped)
		if (rows)
			out.push_back({"kept rows left out", describe(*key), static_cast<std::int64_t>(rows),
						   core::json{{"text", "they reference rows that will not be there (on_missing: drop)"}}.dump(), true});
	if (!out.empty()) prune_supporting(refresh);
	return out;
}

// A row c of a table that stays references one that is replaced and that nothing keeps. Without a constraint it may also name one that is gone
// already: then a row of the source that has its id now is another one.
static std::string goes_away(const Refresh &refresh, const core::ForeignKey &key, const std::string &same)
{
	const bool emptied = refresh.graph.node(key.parent).mode == core::Mode::empty;
	const std::string goes = "EXISTS (SELECT 1 FROM " + refresh.old_rows(key.parent, "p") +
	    (emptied ? ""
	             : " JOIN prodsync_work.kept k ON k.rel = p.tableoid AND k.row_id = p.ctid AND (k.why = 'r' AND k.state = 'b' OR "
	               "k.state IN ('d', 'm'))") +
	    " WHERE " + same + ")";
	if (!key.declared || key.array) return goes;
	const std::string column = "c." + core::quote_identifier(key.columns[0]);
	std::string gone = column + " IS NOT NULL" + (key.text_of.empty() ? "" : " AND " + column + " <> ''") +
	    (key.by_model ? " AND " + of_model(key, "c") : "") + " AND NOT EXISTS (SELECT 1 FROM " +
	    refresh.old_rows(key.parent, "p") + " WHERE " + same + ")";
	if (!is_configured(refresh, key, OnMissing::null) && !is_configured(refresh, key, OnMissing::drop) && !emptied)
		gone += " AND EXISTS (SELECT 1 FROM " + refresh.new_rows(key.parent, key.referenced, "n") + " WHERE n." +
		    core::quote_identifier(key.referenced[0]) + " " + key.equals[0] + " " + core::as_key(key, column) + ")";
	return "(" + goes + " OR " + gone + ")";
}

static std::string goes_away(const Refresh &refresh, const core::ForeignKey &key) { return goes_away(refresh, key, key_equals(key, "p", "c")); }

static std::vector<const core::ForeignKey *> staying_keys(const Refresh &refresh)
{
	std::vector<const core::ForeignKey *> out, keys = refresh.graph.keys;
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (refresh.replaced(one.table)) continue;
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		for (const core::ForeignKey *key : generic_keys(sql, refresh, one.table)) keys.push_back(key);
	}
	for (const core::ForeignKey *key : keys)
		if (!refresh.replaced(key->child) && refresh.replaced(key->parent)) out.push_back(key);
	return out;
}

std::vector<Check> check_staying(const Refresh &refresh)
{
	const std::vector<const core::ForeignKey *> keys = staying_keys(refresh);
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	for (const core::ForeignKey *key : keys) {
		// What references the rows that would be removed is looked at by nobody.
		const auto below = refresh.graph.to(refresh.catalog().root(key->child));
		const bool referenced = std::any_of(below.begin(), below.end(),
		    [&](const core::ForeignKey *one) { return refresh.graph.node(one->child).mode != core::Mode::empty; });
		const std::string count =
		    sql.one("SELECT count(*) FROM " + refresh.old_rows(key->child, "c") + " WHERE " + goes_away(refresh, *key))
		        .value_or("0");
		if (count == "0") continue;
		if ((is_configured(refresh, *key, OnMissing::null) || is_configured(refresh, *key, OnMissing::drop)) && !can_change_rows(refresh, key->child)) {
			out.push_back(not_changeable(describe(*key), key->child, std::stoll(count)));
			continue;
		}
		const char *text = is_configured(refresh, *key, OnMissing::null) ? "their references become NULL (on_missing: null)"
			: is_configured(refresh, *key, OnMissing::drop)              ? "they are removed (on_missing: drop)"
																		 : "rows of a table that stays reference rows that nothing keeps";
		out.push_back({"rows that go away", describe(*key), std::stoll(count), core::json{{"text", text}}.dump(),
					   is_configured(refresh, *key, OnMissing::null) || (is_configured(refresh, *key, OnMissing::drop) && !referenced)});
	}
	return out;
}

void let_go_of_missing(const Refresh &refresh)
{
	if (!something_is_configured(refresh)) return;
	pg::Settings settings;
	settings.set("session_replication_role", "replica");    // as for references that follow ids: no trigger fires
	for (const core::ForeignKey *key : staying_keys(refresh)) {
		if (!can_change_rows(refresh, key->child)) continue;    // there are none: check_staying()
		if (is_configured(refresh, *key, OnMissing::drop))
			pg::Tables(refresh.extension).run("DELETE FROM " + refresh.old_rows(key->child, "c") + " WHERE " + goes_away(refresh, *key));
		if (!is_configured(refresh, *key, OnMissing::null)) continue;
		if (key->array) {    // the ids are taken out
			const std::string column = core::quote_identifier(key->columns[0]);
			const std::string stays = "NOT " +
			    goes_away(refresh, *key, "p." + core::quote_identifier(key->referenced[0]) + " " + key->equals[0] + " e.v");
			const std::string type = core::element_type(
			    refresh.graph.node(refresh.catalog().root(key->child)).relation->column(key->columns[0])->base);
			pg::Tables(refresh.extension)
			    .run("UPDATE " + refresh.old_rows(key->child, "c") + " SET " + column + " = " +
			        array_of("c." + column, type, "e.v", stays) + " WHERE " + goes_away(refresh, *key));
			continue;
		}
		std::vector<std::string> nulls;
		for (const std::string &column : core::nulled_columns(refresh.graph, *key)) nulls.push_back(core::quote_identifier(column) + " = NULL");
		pg::Tables(refresh.extension)
		    .run("UPDATE " + refresh.old_rows(key->child, "c") + " SET " + core::joined(nulls, ", ") + " WHERE " +
		        goes_away(refresh, *key));
	}
}

}  // namespace prodsync
