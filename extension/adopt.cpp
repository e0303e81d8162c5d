#include "adopt.hpp"
#include <algorithm>
#include "core/missing.hpp"
#include "foreign_keys.hpp"
#include "generic.hpp"
#include "kept.hpp"

namespace prodsync {

using core::OnMissing;

static bool says(const Refresh &refresh, const std::vector<const char *> &words)
{
	for (const auto &[name, node] : refresh.graph.tables)
		for (const auto &[column, said] : node.on_missing)
			if (std::find(words.begin(), words.end(), said) != words.end()) return true;
	return false;
}

bool is_tenant_hop(const Refresh &refresh, const core::ForeignKey &key)
{
	const core::TableNode &node = refresh.graph.node(key.child);
	return node.path.size() == 1 && node.path[0].constraint == key.name && node.path[0].columns == key.columns;
}

std::string adopting_column(const Refresh &refresh, const core::Name &table)
{
	const core::TableNode &node = refresh.graph.node(table);
	return node.path.size() == 1 && node.path[0].columns.size() == 1 && refresh.adopted.count(table) ? node.path[0].columns[0] : "";
}

std::string place_of_kept(const std::string &alias) { return "(" + alias + ".rel::text || " + alias + ".row_id::text)"; }

std::string place_of(const std::string &alias) { return "(" + alias + ".tableoid::text || " + alias + ".ctid::text)"; }

static std::string number(Oid oid) { return std::to_string(oid); }

static bool of_tenants(const Refresh &refresh, const core::Name &table)
{
	const core::TableNode &node = refresh.graph.node(table);
	return node.mode == core::Mode::copy && node.scope == core::Scope::tenant;
}

// Supporting rows p of the key's parent that belong to a tenant, and rows c that are brought and reference them; one for each way that p may go.
static std::vector<std::string> from_referenced(const Refresh &refresh, const core::ForeignKey &key)
{
	std::vector<std::string> out;
	for (const Way &way : along_the_path(refresh, refresh.catalog().root(key.parent), "p"))
		out.push_back("prodsync_work.kept k JOIN " + refresh.old_rows(key.child, "c") +
		    " ON c.tableoid = k.rel AND c.ctid = k.row_id JOIN " + refresh.old_rows(key.parent, "p") + " ON " +
		    key_equals(key, "p", "c") +
		    " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.why = 's' AND kp.state = 'b'" + way.joins);
	return out;
}

static std::string brought_child(const Refresh &refresh, const core::ForeignKey &key)
{
	return " k.tab = " + number(refresh.oid(refresh.catalog().root(key.child))) + "::oid AND " + is_brought;
}

// Keys from rows that are brought to tables of tenants.
static std::vector<const core::ForeignKey *> keys_to_others(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<const core::ForeignKey *> out;
	for (const core::Name &child : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'"))
		for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child))
			if (!key->array && of_tenants(refresh, refresh.catalog().root(key->parent))) out.push_back(key);
	return out;
}

void let_go_of_others(const Refresh &refresh)
{
	if (!says(refresh, {"null", "drop"})) return;
	for (std::uint64_t found = 1; found > 0;) {
		found = 0;
		{
			pg::Tables sql(refresh.extension, pg::Plans::kept);
			std::map<core::Name, std::pair<std::string, std::string>>
			    by_parent;  // rows that references with a word lead to, and those that others do
			for (const core::ForeignKey *key : keys_to_others(sql, refresh)) {
				const auto action = core::configured_on_missing(refresh.graph, *key);
				auto &[going, staying] = by_parent[refresh.catalog().root(key->parent)];
				std::string &rows = action == OnMissing::null || action == OnMissing::drop ? going : staying;
				for (const std::string &from : from_referenced(refresh, *key))
					rows += (rows.empty() ? "SELECT p.tableoid, p.ctid FROM " : " UNION SELECT p.tableoid, p.ctid FROM ") + from +
					    " WHERE" + brought_child(refresh, *key);
			}
			for (const auto &[parent, rows] : by_parent) {
				if (rows.first.empty()) continue;
				found += sql.run("UPDATE prodsync_work.kept z SET state = 'm' FROM (" +
				    (rows.second.empty() ? rows.first : "(" + rows.first + ") EXCEPT (" + rows.second + ")") +
				    ") f (rel, row_id) WHERE z.rel = f.rel AND z.row_id = f.row_id");
				pg::check_interrupts();
			}
		}
		if (found) prune_supporting(refresh);
	}
}

static std::string tenant_of(const Refresh &refresh, const Way &way)
{
	const core::Relation &tenants = *refresh.graph.node(way.table).relation;
	const std::string key = core::single_key(tenants);
	return key_text(way.last + "." + core::quote_identifier(key), tenants.column(key)->base);
}

// FROM and WHERE of the rows that the key adopts, with `tenant`, the key of the tenant that they become, in SQL.
struct Adopting {
	std::string from, tenant;
};

static std::vector<Adopting> adopting(const Refresh &refresh, const core::ForeignKey &key)
{
	std::vector<Adopting> out;
	const core::Name child = refresh.catalog().root(key.child);
	if (!of_tenants(refresh, child)) return out;
	const std::string which = " WHERE" + brought_child(refresh, key);
	for (const std::string &rows : from_referenced(refresh, key)) {
		for (const Way &way : along_the_path(refresh, child, "c"))
			out.push_back({rows + way.joins + which + " AND k.why = 'k'", tenant_of(refresh, way)});
		out.push_back({rows + " JOIN prodsync_work.moved a ON a.tab = k.tab AND a.space = 'a' AND a.old_key = " + place_of("c") +
		        which + " AND k.why = 'a'",
		    "a.new_key"});
	}
	return out;
}

// A key that is the first hop of a longer path, from rows that are adopted: what it leads to is adopted with them.
static bool on_the_path(const Refresh &refresh, const core::ForeignKey &key)
{
	const core::TableNode &node = refresh.graph.node(key.child);
	return node.path.size() > 1 && node.path[0].constraint == key.name && node.path[0].columns == key.columns;
}

// Adopted rows whose way to their tenant goes through a row that is the source's own: they would be that one's tenant's.
static void append_left_behind(const Refresh &refresh, std::vector<Check> &out)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "why = 'a' AND state = 'b'"))
		for (const core::ForeignKey *key : refresh.graph.from(table)) {
			if (!on_the_path(refresh, *key)) continue;
			const std::string count =
			    sql.one("SELECT count(*) FROM prodsync_work.kept k JOIN " + refresh.old_rows(key->child, "c") +
			               " ON c.tableoid = k.rel AND c.ctid = k.row_id JOIN " + refresh.old_rows(key->parent, "p") + " ON " +
			               key_equals(*key, "p", "c") +
			               " WHERE k.tab = $1::oid AND k.why = 'a' AND k.state = 'b' AND NOT EXISTS (SELECT FROM "
			               "prodsync_work.kept kp WHERE kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.why IN ('a', 'k') AND "
			               "kp.state = 'b')",
			           {number(refresh.oid(table))})
			        .value_or("0");
			if (count != "0")
				out.push_back({"adopted rows of other tenants", describe(*key), std::stoll(count),
				    core::json{{"text",
				                   "rows are adopted (on_missing: adopt), but what they belong to is a row of the source, of a "
				                   "tenant of its own; let kept rows reference another row, or say on_missing: null or drop"}}
				        .dump(),
				    false});
		}
}

std::vector<Check> adopt(const Refresh &refresh)
{
	std::vector<Check> out;
	if (!says(refresh, {"adopt"}) || refresh.nothing_comes) return out;
	std::map<std::string, std::uint64_t> adopted, several;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		for (bool more = true; more;) {
			more = false;
			for (const core::ForeignKey *key : keys_to_others(sql, refresh)) {
				const core::Name parent = refresh.catalog().root(key->parent);
				const bool said = core::configured_on_missing(refresh.graph, *key) == OnMissing::adopt, passes = on_the_path(refresh, *key);
				if ((!said && !passes) || refresh.graph.node(parent).path.empty()) continue;    // a tenant itself is nobody's
				std::string found;
				for (const Adopting &one : adopting(refresh, *key)) {
					if (!said && one.tenant != "a.new_key") continue;
					found += (found.empty() ? "" : " UNION ALL ") +
					    ("SELECT p.tableoid AS rel, p.ctid AS row_id, " + place_of("p") + " AS place, " + one.tenant +
					        " AS tenant FROM " + one.from);
				}
				if (found.empty()) continue;
				const std::string oid = number(refresh.oid(parent));
				const std::uint64_t rows = sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT "
				                                   "$1::oid, 'a', place, min(tenant), 'a' FROM (" +
				        found + ") f GROUP BY place",
				    {oid});
				sql.run("UPDATE prodsync_work.kept z SET why = 'a', depth = 0 FROM " + refresh.old_rows(parent, "p") +
				        " JOIN prodsync_work.moved a ON a.tab = $1::oid AND a.space = 'a' AND a.old_key = " + place_of("p") +
				        " WHERE z.rel = p.tableoid AND z.row_id = p.ctid AND z.why = 's'",
				    {oid});
				adopted[describe(*key)] += rows;
				if (rows) refresh.adopted.insert(parent);
				more = more || rows > 0;
				pg::check_interrupts();
			}
		}
		// Rows that a second reference, of another tenant's row, leads to.
		for (const core::ForeignKey *key : keys_to_others(sql, refresh)) {
			const core::Name child = refresh.catalog().root(key->child), parent = refresh.catalog().root(key->parent);
			if (!of_tenants(refresh, child) || refresh.graph.node(parent).path.empty()) continue;
			const std::string tail = " JOIN " + refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "c") +
			    " JOIN prodsync_work.moved a ON a.tab = " + number(refresh.oid(parent)) +
			    "::oid AND a.space = 'a' AND a.old_key = " + place_of("p");
			const std::string rows =
			    "prodsync_work.kept k JOIN " + refresh.old_rows(key->child, "c") + " ON c.tableoid = k.rel AND c.ctid = k.row_id";
			for (const Way &way : along_the_path(refresh, child, "c"))
				several[describe(*key)] += std::stoull(
				    sql.one("SELECT count(*) FROM " + rows + way.joins + tail + " WHERE" + brought_child(refresh, *key) +
				           " AND k.why = 'k' AND a.new_key <> " + tenant_of(refresh, way))
				        .value_or("0"));
			several[describe(*key)] += std::stoull(
			    sql.one("SELECT count(*) FROM " + rows +
			           " JOIN prodsync_work.moved b ON b.tab = k.tab AND b.space = 'a' AND b.old_key = " + place_of("c") + tail +
			           " WHERE" + brought_child(refresh, *key) + " AND k.why = 'a' AND a.new_key <> b.new_key")
			        .value_or("0"));
			pg::check_interrupts();
		}
	}
	for (const auto &[key, rows] : adopted)
		if (rows)
			out.push_back({"rows adopted", key, static_cast<std::int64_t>(rows),
			    core::json{
			        {"text",
			            "rows of tenants that are not kept become the tenant's whose rows reference them (on_missing: adopt)"}}
			        .dump(),
			    true});
	for (const auto &[key, rows] : several)
		if (rows)
			out.push_back({"adopted by several tenants", key, static_cast<std::int64_t>(rows),
			    core::json{
			        {"text",
			            "rows of several kept tenants reference the same row, which can become only one's (on_missing: adopt)"}}
			        .dump(),
			    false});
	append_left_behind(refresh, out);
	if (!out.empty()) prune_supporting(refresh);
	return out;
}

}  // namespace prodsync
