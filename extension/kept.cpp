#include "kept.hpp"
#include "switch.hpp"
#include <algorithm>
#include "condition.hpp"
#include "core/generic.hpp"
#include "core/soft_references.hpp"
#include "foreign_keys.hpp"
#include "generic.hpp"
#include "origin.hpp"

namespace prodsync {

static std::string number(Oid oid) { return std::to_string(oid); }

void forget_kept(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	sql.run("DELETE FROM prodsync_work.kept");
	sql.run("DELETE FROM prodsync_work.kept_object");
	sql.run("DELETE FROM prodsync_work.moved");
	sql.run("DELETE FROM prodsync_work.collision");
}

std::vector<core::Name> tables_with_kept_rows(pg::Tables &sql, const Refresh &refresh, const std::string &condition)
{
	std::map<Oid, core::Name> names;
	for (const auto &[name, node] : refresh.graph.tables) names[static_cast<Oid>(node.relation->oid)] = name;
	std::vector<core::Name> out;
	for (const pg::Row &row : sql.rows("SELECT DISTINCT tab FROM prodsync_work.kept WHERE " + condition + " ORDER BY tab"))
		out.push_back(names.at(static_cast<Oid>(std::stoul(*row[0]))));
	return out;
}

// The configured predicate runs as the caller; only row addresses come out of it. Where the tenants themselves stay (sync_clear() of some
// tables) they are noted as there already ('x'), so that the paths of the other tables' rows find them and nobody brings them.
static void collect_tenants(const Refresh &refresh, const core::Name &table)
{
	std::string found;
	for (const pg::Row &row : chosen_rows(refresh.extension, *refresh.catalog().find(table), {"tableoid", "ctid"}, "tenants.keep",
	         refresh.config().tenants->keep))
		found += (found.empty() ? "" : ",") + std::string("(") + *row[0] + ",'" + *row[1] + "')";
	if (found.empty()) return;
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	spi.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, state, depth) SELECT $1::oid, v.rel::oid, v.row_id::tid, "
	        "'k', $2::\"char\", $3::int FROM (VALUES " +
	        found + ") AS v (rel, row_id)",
	    {number(refresh.oid(table)), refresh.replaced(table) ? "b" : "x", refresh.replaced(table) ? "0" : "-1"});
}

static core::Ways ways_now(const Refresh &refresh) { return core::Ways(refresh.catalog(), refresh.graph, refresh.models); }

static std::string hop_equals(
    const Refresh &refresh, const core::Name &table, const core::Hop &hop, const std::string &child, const std::string &parent)
{
	if (!hop.by.empty()) return key_equals(ways_now(refresh).key(hop), parent, child);
	for (const core::ForeignKey *key : refresh.graph.from(table))
		if (key->name == hop.constraint && key->columns == hop.columns) return key_equals(*key, parent, child);
	throw std::logic_error("the tenant path of " + table.sql() + " follows no foreign key");
}

static Way along(const Refresh &refresh, const core::Name &table, const std::vector<core::Hop> &hops, const std::string &alias)
{
	Way out{"", alias, table};
	int n = 0;
	for (const core::Hop &hop : hops) {
		const std::string next = alias + "h" + std::to_string(++n);
		out.joins += " JOIN " + refresh.old_rows(hop.to, next) + " ON " + hop_equals(refresh, out.table, hop, out.last, next);
		out.last = next, out.table = hop.to;
	}
	return out;
}

std::vector<Way> along_the_path(const Refresh &refresh, const core::Name &table, const std::string &alias)
{
	std::vector<Way> out;
	for (const std::vector<core::Hop> &hops : ways_now(refresh).to_tenants(refresh.graph.node(table).path))
		out.push_back(along(refresh, table, hops, alias));
	return out;
}

// Rows that come to a generic relation again on their way to a tenant (a comment on a comment). Those that hang from a kept one are found
// (collect_by_hops()); of others nobody can tell whether they are another tenant's, so none may be a supporting row.
static void check_circles(pg::Tables &sql, const Refresh &refresh, std::vector<Check> &out)
{
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "why = 's' AND state = 'b'")) {
		const core::TableNode &node = refresh.graph.node(table);
		if (!core::forks(node.path)) continue;
		std::int64_t rows = 0;
		for (const std::vector<core::Hop> &circle : ways_now(refresh).circles(node.path))
			rows += std::stoll(sql.one("SELECT count(*) FROM prodsync_work.kept s JOIN " + refresh.old_rows(table, "t") +
			                          " ON t.tableoid = s.rel AND t.ctid = s.row_id" + along(refresh, table, circle, "t").joins +
			                          " WHERE s.tab = $1::oid AND s.why = 's' AND s.state = 'b'",
			                      {number(refresh.oid(table))}).value_or("0"));
		if (rows > 0)
			out.push_back({"tenant path", table.shown(), rows,
			    core::json{{"text",
			                   "kept rows reference rows of it that come to " + node.path.back().constraint +
			                       " a second time on their way to a tenant: whose they are cannot be told; remove them, or say another "
			                       "tenant_path or mode"}}
			        .dump(),
			    false});
	}
}

// KEPT(R): the rows whose path, foreign key by foreign key, ends at a kept tenant. A NULL on the way means no tenant.
static void collect_by_path(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	for (const Way &way : along_the_path(refresh, table, "t"))
		sql.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, depth) SELECT $1::oid, t.tableoid, t.ctid, 'k', 0 FROM " +
		        refresh.old_rows(table, "t") + way.joins + " JOIN prodsync_work.kept k ON k.tab = $2::oid AND k.rel = " + way.last +
		        ".tableoid AND k.row_id = " + way.last + ".ctid AND k.why = 'k' ON CONFLICT DO NOTHING",
		    {number(refresh.oid(table)), number(refresh.oid(way.table))});
}

// A tenant_path may go on from the next table by another way than that table's own: then whose the next row is says nothing of this one.
static bool goes_its_own_way(const Refresh &refresh, const std::vector<core::Hop> &path)
{
	return path.front().by.empty() &&
	    refresh.graph.node(refresh.catalog().root(path.front().to)).path != std::vector<core::Hop>(path.begin() + 1, path.end());
}

// The kept rows of a table that were found at this depth or below, by the relation that they are in: addresses as the text of a tid[].
static std::map<std::int64_t, std::string> places_of_kept(pg::Tables &sql, const Refresh &refresh, const core::Name &table, int depth)
{
	std::map<std::int64_t, std::string> out;
	for (const pg::Row &row : sql.rows("SELECT rel, array_agg(row_id) FROM prodsync_work.kept WHERE tab = $1::oid AND why = 'k' AND depth <= $2::int GROUP BY rel",
	         {number(refresh.oid(table)), std::to_string(depth)}))
		out[std::stoll(*row[0])] = *row[1];
	return out;
}

// Rows that hang from some of the next table's. Planned for these: work tables have no statistics, and the rows may be one or all.
static std::uint64_t collect_below(
    const Refresh &refresh, const core::Name &table, const core::Hop &hop, const std::map<std::int64_t, std::string> &places, int depth)
{
	pg::Tables sql(refresh.extension, pg::Plans::once);
	std::uint64_t found = 0;
	for (const core::Relation *leaf : refresh.catalog().storage(hop.to))
		if (const auto rows = places.find(leaf->oid); rows != places.end())
			found += sql.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, depth) SELECT DISTINCT $1::oid, t.tableoid, t.ctid, 'k'::\"char\", $2::int "
			                 "FROM unnest($3::tid[]) AS k (row_id) JOIN ONLY " + leaf->name.sql() + " AS p ON p.ctid = k.row_id JOIN " +
			                 refresh.old_rows(table, "t") + " ON " + hop_equals(refresh, table, hop, "t", "p") + " ON CONFLICT DO NOTHING",
			    {number(refresh.oid(table)), std::to_string(depth), rows->second});
	return found;
}

// The same where paths fork, hop by hop: a row is a kept tenant's where the next one on its path is. So rows of a circle (a comment on a comment
// on a kept tenant's order) are kept, however deep they hang. Each round goes on from the rows that the one before it has found, which have its
// number below zero for a depth until the end.
static void collect_by_hops(pg::Tables &sql, const Refresh &refresh)
{
	const core::Ways ways = ways_now(refresh);
	std::set<core::Name> forking, changed;
	for (const auto &[name, node] : refresh.graph.tables)
		if (node.mode == core::Mode::copy && core::forks(node.path)) {
			if (goes_its_own_way(refresh, node.path)) collect_by_path(sql, refresh, name);
			else forking.insert(name);
		}
	if (forking.empty()) return;
	constexpr int first = -2;    // -1: tenants that stay
	int round = first;
	do {
		std::map<core::Name, std::map<std::int64_t, std::string>> places;
		std::set<core::Name> found;
		for (const core::Name &table : forking) {
			const core::Hop &hop = refresh.graph.node(table).path.front();
			for (const core::Hop &next : hop.by.empty() ? std::vector{hop} : ways.branches(hop)) {
				const core::Name to = refresh.catalog().root(next.to);
				if (round == first ? forking.count(to) > 0 : changed.count(to) == 0) continue;
				const auto [rows, unread] = places.try_emplace(to);
				if (unread) rows->second = places_of_kept(sql, refresh, to, round == first ? 0 : round + 1);
				if (collect_below(refresh, table, next, rows->second, round) > 0) found.insert(table);
				pg::check_interrupts();
			}
		}
		changed = std::move(found), round--;
	} while (!changed.empty());
	sql.run("UPDATE prodsync_work.kept SET depth = 0 WHERE depth <= $1::int", {std::to_string(first)});
}

// One step outwards: the parents of the rows at this depth. Returns the number of rows that are new.
static std::uint64_t collect_parents(pg::Tables &sql, const Refresh &refresh, int depth)
{
	std::uint64_t found = 0;
	for (const core::Name &child : tables_with_kept_rows(sql, refresh, "depth = " + std::to_string(depth)))
		for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child)) {
			if (refresh.graph.node(key->parent).mode != core::Mode::copy) continue;
			found += sql.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, depth) SELECT DISTINCT $1::oid, p.tableoid, "
			                 "p.ctid, 's'::\"char\", $2::int FROM " + kept_rows_with(refresh, *key) + " JOIN " +
			        refresh.old_rows(child, "c") + " ON c.tableoid = k.rel AND c.ctid = k.row_id JOIN " +
			        refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "c") +
			        " WHERE k.tab = $3::oid AND k.depth = $4::int AND k.why <> 'r' ON CONFLICT DO NOTHING",
			    {number(refresh.oid(refresh.catalog().root(key->parent))), std::to_string(depth + 1), number(refresh.oid(child)),
			        std::to_string(depth)});
			pg::check_interrupts();
		}
	return found;
}

// Rows that tables which stay reference: their keys may move too. Where nothing comes in their place (sync_clear), rows that are no tenant's
// are brought over; a tenant's that nothing keeps are a problem.
static void collect_for_staying(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<const core::ForeignKey *> keys = refresh.graph.keys;
	for (const core::GenericRelation &one : refresh.graph.generic)
		if (!refresh.replaced(one.table))
			for (const core::ForeignKey *key : generic_keys(sql, refresh, one.table)) keys.push_back(key);
	for (const core::ForeignKey *key : keys) {
		if (refresh.replaced(key->child) || refresh.graph.node(key->parent).mode != core::Mode::copy) continue;
		sql.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, depth) SELECT DISTINCT $1::oid, p.tableoid, p.ctid, "
		        "$2::\"char\", 0 FROM " +
		        refresh.old_rows(key->child, "c") + " JOIN " + refresh.old_rows(key->parent, "p") + " ON " +
		        key_equals(*key, "p", "c") + " ON CONFLICT DO NOTHING",
		    {number(refresh.oid(refresh.catalog().root(key->parent))),
		        refresh.nothing_comes && refresh.graph.node(key->parent).scope == core::Scope::shared ? "k" : "r"});
	}
}

void collect_kept(const Refresh &refresh)
{
	if (refresh.config().tenants) {
		{
			pg::Tables sql(refresh.extension, pg::Plans::kept);
			refresh.models = models_now(sql, refresh.graph, refresh.catalog());
		}
		for (const auto &[name, node] : refresh.graph.tables)
			if (node.mode != core::Mode::empty && node.scope == core::Scope::tenant && node.path.empty()) collect_tenants(refresh, name);
	}
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	if (sql.one("SELECT 1 FROM prodsync_work.kept LIMIT 1"))
		for (const auto &[name, node] : refresh.graph.tables) {
			if (node.mode == core::Mode::copy && node.scope == core::Scope::tenant && !node.path.empty() && !core::forks(node.path))
				collect_by_path(sql, refresh, name);
			pg::check_interrupts();
		}
	if (sql.one("SELECT 1 FROM prodsync_work.kept LIMIT 1")) collect_by_hops(sql, refresh);
	if (refresh.nothing_comes) collect_for_staying(sql, refresh);
	for (int depth = 0; collect_parents(sql, refresh, depth) > 0;) depth++;
	if (!refresh.nothing_comes) collect_for_staying(sql, refresh);
}

void prune_supporting(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	const std::vector<core::Name> supporting =
	    tables_with_kept_rows(sql, refresh, "why IN ('s', 'a')");  // parents of other tables have nothing to be reached
	const std::set<core::Name> parents(supporting.begin(), supporting.end());
	sql.run("UPDATE prodsync_work.kept SET depth = -1 WHERE why IN ('s', 'a')");
	std::uint64_t reached = 1;
	for (int depth = 0; reached > 0; depth++) {
		reached = 0;
		for (const core::Name &child : tables_with_kept_rows(sql, refresh, "depth = " + std::to_string(depth) + " AND state = 'b' AND why <> 'r'"))
			for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child)) {
				if (!parents.count(refresh.catalog().root(key->parent))) continue;
				reached += sql.run("UPDATE prodsync_work.kept s SET depth = $1::int FROM " + kept_rows_with(refresh, *key) + " JOIN " +
				        refresh.old_rows(child, "c") + " ON c.tableoid = k.rel AND c.ctid = k.row_id JOIN " +
				        refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "c") + " WHERE k.tab = $2::oid" +
				        (is_tenant_hop(refresh, *key) ? " AND k.why <> 'a'" : "") +
				        " AND k.depth = $3::int AND k.state = 'b' AND k.why <> 'r' AND s.rel = p.tableoid AND s.row_id = p.ctid "
				        "AND s.depth = -1",
				    {std::to_string(depth + 1), number(refresh.oid(child)), std::to_string(depth)});
			}
	}
	// Nobody brings it, but a table that stays may reference it: then it has to be somewhere afterwards.
	sql.run("DELETE FROM prodsync_work.moved m USING prodsync_work.kept k WHERE k.depth = -1 AND k.why = 'a' AND m.tab = k.tab "
	        "AND m.space = 'a' AND m.old_key = " +
	    place_of_kept("k"));
	sql.run("UPDATE prodsync_work.kept SET why = 'r', depth = 0 WHERE depth = -1");
}

// The source's row of the same key: written by a verified run from this very source, below the reserved range where the key is generated, still in the
// new content. A kept row can be one too: its reference was moved to a kept row in that run's switch (S4), or it hangs from such a row; the source's own
// comes in again and moves again. (A kept row with a load's xid alone is none: somebody may have made a tenant of production's his own.)
// Where the key is several columns one of them may have moved, so nothing is looked for: what came from the source comes from the source.
// Returns how many rows were found to be the source's.
static std::uint64_t resolve_by_origin(pg::Tables &sql, const Refresh &refresh, const std::vector<Origin> &origins,
    const core::Name &table, const core::TableNode &node)
{
	const core::Relation &relation = *node.relation;
	const core::Index *key = relation.primary_key();
	std::string loads, moves;
	for (const Origin &origin : origins)
		if (origin.leaf == InvalidOid) moves += (moves.empty() ? "" : ",") + origin.xmin;
		else if (refresh.catalog().root(origin.relation) == table) loads += (loads.empty() ? "" : ",") + number(origin.leaf) + "/" + origin.xmin;
	if (loads.empty() && moves.empty()) return 0;
	std::string still_there;
	if (key && key->columns.size() == 1) {
		const std::string column = core::quote_identifier(key->columns[0]);
		still_there = " AND EXISTS (SELECT 1 FROM " + refresh.new_rows(table, key->columns, "n") + " WHERE n." + column + " = t." + column + ")";
	}
	const std::string below = node.key.empty() ? "" : " AND t." + core::quote_identifier(node.key) + " < " + std::to_string(node.reserved_from);
	const std::string loaded = "t.tableoid::text || '/' || t.xmin::text = ANY ($2::text[])";
	const std::string rows = "UPDATE prodsync_work.kept k SET state = 'x' FROM " + refresh.old_rows(table, "t");
	const std::string where = " WHERE k.tab = $1::oid AND k.state = 'b' AND t.tableoid = k.rel AND t.ctid = k.row_id" + below + still_there;
	std::uint64_t found = 0;
	if (!still_there.empty())
		found += sql.run(rows + where + " AND k.why <> 'k' AND " + loaded, {number(refresh.oid(table)), "{" + loads + "}"});
	if (moves.empty()) return found;
	found += sql.run(rows + where + " AND t.xmin::text = ANY ($2::text[])", {number(refresh.oid(table)), "{" + moves + "}"});
	if (node.path.empty()) return found;
	const core::Ways ways = ways_now(refresh);
	for (const core::Hop &hop : node.path.front().by.empty() ? std::vector{node.path.front()} : ways.branches(node.path.front()))
		found += sql.run(rows + " JOIN " + refresh.old_rows(hop.to, "p") + " ON " + hop_equals(refresh, table, hop, "t", "p") +
		        " JOIN prodsync_work.kept pk ON pk.rel = p.tableoid AND pk.row_id = p.ctid AND pk.why = 'k' AND pk.state = 'x'" +
		        where + " AND k.why = 'k' AND " + loaded,
		    {number(refresh.oid(table)), "{" + loads + "}"});
	return found;
}

std::vector<Check> resolve_supporting(const Refresh &refresh)
{
	std::vector<Check> out;
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<core::Name> some = tables_with_kept_rows(sql, refresh, "why <> 'k'"), all = tables_with_kept_rows(sql, refresh, "true");
	const std::vector<Origin> origins = known_origins(sql, refresh.catalog(), refresh.documents.source_system, refresh.documents.source_database);
	std::set<core::Name> looked_at(some.begin(), some.end()), kept(all.begin(), all.end());
	const std::vector<core::Name> tables = refresh.graph.parents_first();
	for (const core::Name &table : tables)
		if (kept.count(table)) resolve_by_origin(sql, refresh, origins, table, refresh.graph.node(table));
	// Rows that name objects hang from tables that come in no order, and others hang from them: until no more are found.
	for (bool more = true; more;) {
		more = false;
		for (const core::Name &table : tables)
			if (const core::TableNode &node = refresh.graph.node(table); kept.count(table) && core::forks(node.path))
				more = resolve_by_origin(sql, refresh, origins, table, node) > 0 || more;
	}
	for (const core::Name &table : tables) {
		if (!looked_at.count(table)) continue;
		for (Check &check : recognize(refresh, table)) out.push_back(std::move(check));
		pg::check_interrupts();
	}
	if (!some.empty()) prune_supporting(refresh);    // one counts only if a brought row still leads to it
	return out;
}

// Rows that are to be brought although they belong to a tenant that is not kept, by table.
static void check_foreign_tenants(pg::Tables &sql, const Refresh &refresh, std::vector<Check> &out)
{
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "why = 's' AND state = 'b'")) {
		const core::TableNode &node = refresh.graph.node(table);
		if (node.scope != core::Scope::tenant) continue;
		std::int64_t count = 0;
		for (const Way &way : along_the_path(refresh, table, "t"))
			count += std::stoll(sql.one("SELECT count(*) FROM prodsync_work.kept k JOIN " + refresh.old_rows(table, "t") +
			                               " ON t.tableoid = k.rel AND t.ctid = k.row_id" + way.joins +
			                               " WHERE k.tab = $1::oid AND k.why = 's' AND k.state = 'b'",
			                           {number(refresh.oid(table))})
			                        .value_or("0"));
		if (count == 0) continue;
		std::string keys;
		for (const core::ForeignKey *key : refresh.graph.to(table)) keys += (keys.empty() ? "" : ", ") + describe(*key);
		for (const core::GenericRelation &one : refresh.graph.generic) keys += (keys.empty() ? "" : ", ") + one.table.shown() + "." + one.column;
		out.push_back({"supporting rows of other tenants", table.shown(), count,
		    core::json{{"text",
		                   "kept rows reference rows of tenants that are not kept; references: {COLUMN: {on_missing: null, drop "
		                   "or adopt}} says what becomes of them"},
		        {"foreign_keys", keys}}
		        .dump(),
		    false});
	}
}

std::vector<Check> check_supporting(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	check_circles(sql, refresh, out);
	check_foreign_tenants(sql, refresh, out);
	// Content type and object id, not declared: no foreign key, so nothing would move the object's id with the object.
	for (const core::GenericRelation &one : core::undeclared_generic_relations(refresh.graph)) {
		const core::Name &table = one.table;
		if (!refresh.replaced(table)) continue;
		std::string count = sql.one("SELECT count(*) FROM prodsync_work.kept WHERE tab = $1::oid AND state = 'b' AND why <> 'r'",
		                           {number(refresh.oid(table))})
		                        .value_or("0");
		if (count != "0" && !refresh.nothing_comes)
			out.push_back({"generic relation", table.shown(), std::stoll(count),
			    core::json{{"text",
			                   "kept rows name objects by content type and id (" + one.column +
			                       "), which do not follow when ids move; say references: {" + one.column +
			                       ": {content_type: " + one.by.column + "}}"}}
			        .dump(),
			    false});
	}
	return out;
}

// New ids that the column cannot hold: what comes afterwards reads them as its type.
static void check_room(pg::Tables &sql, const Refresh &refresh, const core::Name &table, const core::Column &key, std::vector<Check> &out)
{
	const std::int64_t largest = key.base == "smallint" ? INT16_MAX : key.base == "integer" ? INT32_MAX : INT64_MAX;
	const auto count = std::stoll(sql.one("SELECT count(*) FROM prodsync_work.moved WHERE tab = $1::oid AND space = 'o' AND why = 'k' "
	                                      "AND new_key::numeric > " + std::to_string(largest),
	                                 {number(refresh.oid(table))})
	                                  .value_or("0"));
	if (count)
		out.push_back({"reserved range", table.shown() + "." + key.name, count,
		    core::json{{"text",
		                   "kept rows need ids from the reserved range, which begins at " +
		                       std::to_string(refresh.graph.node(table).reserved_from) + ", and " + key.base + " ends at " +
		                       std::to_string(largest) + ": lower reserved_from for the type, keep fewer rows, or give the column a wider type"}}
		        .dump(),
		    false});
}

void rekey(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> full;
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'")) {
		const core::TableNode &node = refresh.graph.node(table);
		if (node.key.empty()) continue;
		std::string column = core::quote_identifier(node.key), start = std::to_string(node.reserved_from),
		            sequence = node.relation->column(node.key)->sequence;
		// Never below what was given out already: keys in the range, and the sequence, which does not go back either. Tables that share a sequence share
		// its numbers: what has the same one has another table's id.
		std::string base = "SELECT greatest(" + start + "::bigint - 1, (SELECT max(t." + column + ") FROM " +
		    refresh.old_rows(table, "t") + " WHERE t." + column + " >= " + start + ")";
		if (!sequence.empty()) {
			base += ", (SELECT last_value FROM " + sequence + " WHERE last_value >= " + start + ")";
			for (const auto &[other, of] : refresh.graph.tables) {
				if (other == table || of.key.empty() || of.relation->column(of.key)->sequence != sequence) continue;
				const std::string key = core::quote_identifier(of.key);
				base += ", (SELECT max(o." + key + ") FROM " + refresh.old_rows(other, "o") + " WHERE o." + key + " >= " + start +
				    "), (SELECT max(m.new_key::numeric) FROM prodsync_work.moved m WHERE m.tab = " + number(refresh.oid(other)) +
				    "::oid AND m.space = 'o' AND m.why = 'k')";
			}
		}
		base += ")";
		sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT DISTINCT $1::oid, 'o'::\"char\", "
		        "r.old::text, ((" +
		        base + ")::numeric + r.rank)::text, 'k'::\"char\" FROM (SELECT t." + column + " AS old, dense_rank() OVER (ORDER BY t." +
		        column + ") AS rank FROM prodsync_work.kept k JOIN " + refresh.old_rows(table, "t") +
		        " ON t.tableoid = k.rel AND t.ctid = k.row_id WHERE k.tab = $1::oid AND k.state = 'b' AND k.why <> 'r' AND t." +
		        column + " < " + start + ") r",
		    {number(refresh.oid(table))});
		check_room(sql, refresh, table, *node.relation->column(node.key), full);
		pg::check_interrupts();
	}
	require_ok(full);
}

KeptSummary summary(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<pg::Row> rows = sql.rows("SELECT count(*) FILTER (WHERE why = 'k' AND state = 'b'), count(*) FILTER (WHERE why = "
	                                     "'s' AND state = 'b') FROM prodsync_work.kept");
	KeptSummary out;
	out.kept = std::stoll(*rows[0][0]), out.supporting = std::stoll(*rows[0][1]);
	out.rekeyed = std::stoll(sql.one("SELECT count(*) FROM prodsync_work.moved WHERE why = 'k'").value_or("0"));
	// Rows got their keys before it was known that they collide, or hang from one that does (on_collision: source).
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "state = 'd' OR why = 'r' AND state = 'b'")) {
		const core::TableNode &node = refresh.graph.node(table);
		if (node.key.empty()) continue;
		const std::string key = "t." + core::quote_identifier(node.key), oid = number(refresh.oid(table));
		out.rekeyed -= std::stoll(sql.one("SELECT count(*) FROM prodsync_work.moved WHERE tab = $1::oid AND why = 'k'", {oid}).value_or("0"));
		out.rekeyed += std::stoll(
		    sql.one("SELECT count(DISTINCT " + key + ") FROM prodsync_work.kept k JOIN " + refresh.old_rows(table, "t") +
		               " ON t.tableoid = k.rel AND t.ctid = k.row_id WHERE k.tab = $1::oid AND " + is_brought + " AND " + key +
		               " < " + std::to_string(node.reserved_from),
		           {oid})
		        .value_or("0"));
	}
	return out;
}

}  // namespace prodsync
