// sync_remap_users(): for a database whose rows came from production by hand. References to users become those of this database's users.
//
// Which rows: of tables in mode copy, all but kept and supporting ones, rows in the reserved range (born here), and rows that a run of
// prodsync wrote (mapped on their way in). The rows are written beside with their final values and the storage is switched, so chains of
// ids and unique keys are no obstacle: where rows become equal in a unique key one survives (a kept row, else the first by primary key) and
// references to the others move to it, table by table, parents first.
#include "by_hand.hpp"
#include "condition.hpp"
#include "core/statements.hpp"
#include "foreign_keys.hpp"
#include "kept.hpp"
#include "literals.hpp"
#include "pg_server.hpp"
#include "refresh.hpp"
#include "shadow.hpp"
#include "subtransaction.hpp"
#include "switch.hpp"
extern "C" {
#include "utils/typcache.h"
}

namespace prodsync {

static bool parsing_runs_code(const Refresh &refresh, Oid index)
{
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	return literals_may_run_code(spi, "pg_class", index);
}

// "=" of a column's type, whatever the search_path: that of an extension's type (citext) lives in another schema, and "=" of pg_catalog would compare its
// text. Empty: there is none, or the type is somebody's who is no superuser. He may give it a cast from text, a function of his, which would run with the
// rights of whoever reads an id as that type; only a superuser can do so to the types that the server and its extensions bring.
static std::string equality_of(const Refresh &refresh, const core::Name &table, const std::string &column)
{
	const Oid relation = refresh.oid(table);
	const char *name = column.c_str();
	const Oid type = pg::call([=] { return getBaseType(get_atttype(relation, get_attnum(relation, name))); });
	const Oid found = pg::call([=] { return lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr; });
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	return spi.one("SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace, "
	               "pg_type t JOIN pg_roles r ON r.oid = t.typowner WHERE o.oid = $1::oid AND t.oid = $2::oid AND r.rolsuper",
	               {std::to_string(found), std::to_string(type)})
	    .value_or("");
}

// A column that rows are named by: what prodsync_work.moved has as text is compared with it, and with references to it, as the type compares.
struct KeyColumn {
	std::string base, equals;    // equals: empty where ids are compared as they are written

	KeyColumn() = default;
	KeyColumn(const Refresh &refresh, const core::Name &table, const std::string &column)
	    : base(refresh.catalog().find(table)->column(column)->base), equals(equality_of(refresh, table, column)) {}
	std::string typed(const std::string &text) const { return equals.empty() ? text : "(" + text + ")::" + core::cast_type(base); }
	std::string same(const std::string &text, const std::string &value, const std::string &base_of_value) const
	{
		if (base_of_value == base && !equals.empty()) return typed(text) + " " + equals + " " + value;
		return text + " = " + key_text(value, base_of_value);
	}
};

struct Users {
	core::Name table;
	std::string key, fallback;    // the key column, the fallback user's key
	KeyColumn by;
};

static Users users_of(const Refresh &refresh)
{
	if (!refresh.config().users)
		throw pg::Error(PS_PROBLEMS, "the configuration names no users", {},
		    "Add it: {\"users\": {\"table\": \"auth_user\", \"fallback\": \"is_superuser\"}}");
	Users out;
	for (const core::Name &name : refresh.catalog().resolve(refresh.config().users->table)) out.table = name;
	const core::Index *primary = refresh.catalog().find(out.table)->primary_key();
	if (!primary || primary->columns.size() != 1) throw pg::Error(PS_PROBLEMS, out.table.shown() + " has no primary key of one column");
	out.key = primary->columns[0], out.by = KeyColumn(refresh, out.table, out.key);
	std::string column = core::quote_identifier(out.key);
	std::vector<std::string> keys;
	for (const pg::Row &row : chosen_rows(refresh.extension, *refresh.catalog().find(out.table), {out.key}, "users.fallback",
	         refresh.config().users->fallback))
		keys.push_back(row[0].value_or(""));
	if (keys.empty())
		throw pg::Error(PS_PROBLEMS, "no user matches users.fallback", {},
		    "users.fallback is a condition over " + out.table.shown() + "; create such a user, or change the condition.");
	out.fallback = pg::Tables(refresh.extension)
	                   .one("SELECT t." + column + " FROM " + refresh.old_rows(out.table, "t") + " WHERE format('%s', t." +
	                       column + ") = ANY (" + core::array_literal(keys, "text") + ") ORDER BY t." + column + " LIMIT 1")
	                   .value_or(keys[0]);
	return out;
}

// Map entries go into the work table, in a space of their own; each must name a user that is there.
static void store_map(const Refresh &refresh, const Users &users, const core::json &map)
{
	if (!map.is_object())
		throw pg::Error(
		    PS_PROBLEMS, "the map of users is no JSON object", {}, "It is {\"production's id\": \"this database's id\", ...}.");
	const auto no_keys = [&](const std::string &what) {
		return pg::Error(PS_PROBLEMS, "the map of users " + what, {},
		    "It is {\"production's id\": \"this database's id\", ...}, ids as " + refresh.catalog().find(users.table)->column(users.key)->type + ".");
	};
	pg::Tables sql(refresh.extension);
	const std::string entries = " FROM jsonb_each_text($1::jsonb) AS e (of_source, here)", of_source = users.by.typed("e.of_source");
	std::vector<pg::Row> rows;    // DISTINCT is by the type's own "="
	if (!succeeds([&] {
		    rows = sql.rows("SELECT count(*), count(DISTINCT " + of_source + "), count(" + users.by.typed("e.here") + ")" + entries, {map.dump()});
	    }))
		throw no_keys("has an id that is none");
	if (rows[0][0] != rows[0][1]) throw no_keys("names a user twice");
	const std::uint64_t known = sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $2::oid, 'u', " +
	        key_text(of_source, users.by.base) + ", u." + core::quote_identifier(users.key) + "::text, 'm'" + entries + " JOIN " +
	        refresh.old_rows(users.table, "u") + " ON " + users.by.same("e.here", "u." + core::quote_identifier(users.key), users.by.base),
	    {map.dump(), std::to_string(refresh.oid(users.table))});
	if (const std::uint64_t unknown = map.size() - known)
		throw pg::Error(PS_PROBLEMS, "the map names " + std::to_string(unknown) + " users that this database does not have");
}

// How one table's columns change. Aliases: t the row, kt its entry in kept (kept, supporting), rest: it may be changed at all.
struct Rewriting {
	std::vector<const core::Column *> user_columns, moved_columns;    // the latter reference rows that may be dropped
	std::string may_change;
	std::string joins;
	std::map<std::string, std::string> values;    // by column name
};

static bool is_users(const Refresh &refresh, const core::Name &table, const std::string &column, const Users &users)
{
	const core::Identity *identity = refresh.graph.identity(table, column);
	return identity && identity->table == users.table && identity->column == users.key;
}

static bool is_primary_key(const Refresh &refresh, const core::Identity &identity)
{
	const core::Index *primary = refresh.graph.node(identity.table).relation->primary_key();
	return primary && primary->columns == std::vector<std::string>{identity.column};
}

static Rewriting rewriting(const Refresh &refresh, const core::Name &table, const Users &users, const std::set<core::Name> &dropping)
{
	const core::TableNode &node = refresh.graph.node(table);
	Rewriting out;
	out.joins = " LEFT JOIN prodsync_work.kept kt ON kt.rel = t.tableoid AND kt.row_id = t.ctid AND kt.why <> 'd'";
	out.may_change = "kt.rel IS NULL AND NOT EXISTS (SELECT 1 FROM prodsync_work.run_step w JOIN prodsync_work.run r ON r.run = "
	                 "w.run AND r.kind <> 'anonymize' WHERE w.original = t.tableoid AND w.xid IS NOT NULL AND "
	                 "(w.xid::text::numeric % 4294967296)::text = t.xmin::text)";
	if (node.relation->kind == 'p')    // loaded through its root
		out.may_change += " AND NOT EXISTS (SELECT 1 FROM prodsync_work.run_step w JOIN prodsync_work.run r ON r.run = w.run AND "
		                  "r.kind <> 'anonymize' WHERE w.original = " +
		    std::to_string(refresh.oid(table)) +
		    "::oid AND w.xid IS NOT NULL AND (w.xid::text::numeric % 4294967296)::text = t.xmin::text)";
	if (!node.key.empty()) out.may_change += " AND t." + core::quote_identifier(node.key) + " < " + std::to_string(node.reserved_from);
	int n = 0;
	for (const core::Column &column : node.relation->columns) {
		if (column.generated) continue;
		std::string name = "t." + core::quote_identifier(column.name), m = "m" + std::to_string(++n);
		const core::Identity *identity = refresh.graph.identity(table, column.name);
		out.values[column.name] = name;
		if (is_users(refresh, table, column.name, users)) {
			out.user_columns.push_back(&column);
			out.joins += " LEFT JOIN prodsync_work.moved " + m + " ON " + m +
			    ".tab = " + std::to_string(refresh.oid(users.table)) + "::oid AND " + m + ".space = 'u' AND " +
			    users.by.same(m + ".old_key", name, column.base);
			out.values[column.name] = "CASE WHEN " + name + " IS NULL OR NOT (" + out.may_change + ") THEN " + name +
			    " ELSE coalesce(" + m + ".new_key, " + core::quote_literal(users.fallback) +
			    ")::" + core::cast_type(column.base) + " END";
		} else if (identity && dropping.count(identity->table) && !(*identity == core::Identity{table, column.name}) &&
		    is_primary_key(refresh, *identity)) {
			out.moved_columns.push_back(&column);
			out.joins += " LEFT JOIN prodsync_work.moved " + m + " ON " + m +
			    ".tab = " + std::to_string(refresh.oid(identity->table)) + "::oid AND " + m + ".space = 'n' AND " +
			    KeyColumn(refresh, identity->table, identity->column).same(m + ".old_key", name, column.base);
			out.values[column.name] = "coalesce(" + m + ".new_key::" + core::cast_type(column.base) + ", " + name + ")";
		}
	}
	return out;
}

// Rows that become equal in a unique index: all but one are marked as dropped (kept.why = 'd'), their keys move to the survivor's.
static std::uint64_t fold(pg::Tables &sql, const Refresh &refresh, const core::Name &table, const Rewriting &rewrite)
{
	const core::Relation &relation = *refresh.graph.node(table).relation;
	const core::Index *primary = relation.primary_key();
	std::string own = primary && primary->columns.size() == 1 ? primary->columns[0] : "", order;
	for (const std::string &name : primary ? primary->columns : std::vector<std::string>{}) order += ", t." + core::quote_identifier(name);
	std::uint64_t dropped = 0;
	for (const core::Index &index : relation.indexes) {
		bool changes = false;
		std::vector<std::string> keys, given;
		for (const std::string &name : index.columns) {
			auto value = rewrite.values.find(name);
			if (value == rewrite.values.end()) continue;
			changes = changes || value->second != "t." + core::quote_identifier(name);
			keys.push_back(value->second), given.push_back("t." + core::quote_identifier(name) + " IS NOT NULL");
		}
		if (!index.unique || !index.valid || index.expressions || !changes || keys.size() != index.columns.size()) continue;
		if (!index.predicate.empty() && parsing_runs_code(refresh, static_cast<Oid>(index.oid)))
			throw pg::Error(PS_REFUSED,
			    "index " + index.name + " of " + table.shown() + " has a value of a domain, or of a type with domains in it, in its predicate",
			    {}, "Drop the index for the remapping, or refresh with the client: it decides at the source which rows stay.");
		// The predicate names columns without an alias: nothing else may be in sight.
		std::string rows = index.predicate.empty() ? refresh.old_rows(table, "t")
		                                           : "(SELECT tableoid, ctid, xmin, * FROM " +
		        refresh.old_rows(table, "only_it") + " WHERE (" + index.predicate + ")) AS t";
		std::string key = own.empty() ? "NULL::text" : key_text("t." + core::quote_identifier(own), relation.column(own)->base);
		std::string ranked = "SELECT t.tableoid AS rel, t.ctid AS row_id, " + key + " AS key, first_value(" + key +
		    ") OVER w AS survivor, row_number() OVER w AS place FROM " + rows + rewrite.joins + " WHERE " +
		    core::joined(given, " AND ") +
		    " AND NOT EXISTS (SELECT 1 FROM prodsync_work.kept d WHERE d.rel = t.tableoid AND d.row_id = t.ctid AND d.why = 'd') "
		    "WINDOW w AS (PARTITION BY " +
		    core::joined(keys, ", ") + " ORDER BY (" + rewrite.may_change + ")" + (order.empty() ? ", t.ctid" : order) + ")";
		std::string oid = std::to_string(refresh.oid(table));
		if (!own.empty())
			sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $1::oid, 'n', key, survivor, 'f' "
			        "FROM (" +
			        ranked + ") r WHERE place > 1",
			    {oid});
		dropped +=
		    sql.run("INSERT INTO prodsync_work.kept (tab, rel, row_id, why, depth) SELECT $1::oid, rel, row_id, 'd', 0 FROM (" +
		            ranked + ") r WHERE place > 1",
		        {oid});
		// a survivor of one index may be dropped by the next
		if (!own.empty())
			while (sql.run("UPDATE prodsync_work.moved a SET new_key = b.new_key FROM prodsync_work.moved b WHERE a.tab = "
			               "$1::oid AND b.tab = a.tab AND a.space = 'n' AND b.space = 'n' AND a.new_key = b.old_key",
			           {oid}) > 0)
				pg::check_interrupts();
	}
	return dropped;
}

static std::vector<pg::Row> count_mapped(pg::Tables &sql, const Refresh &refresh, const core::Name &table,
    const Rewriting &rewrite, const Users &users, std::uint64_t dropped)
{
	std::vector<pg::Row> out;
	if (rewrite.user_columns.empty() && dropped) out.push_back({table.shown(), rewrite.moved_columns[0]->name, "0", "0", std::to_string(dropped)});
	for (const core::Column *column : rewrite.user_columns) {
		std::string name = "t." + core::quote_identifier(column->name);
		std::vector<pg::Row> rows =
		    sql.rows("SELECT count(*) FILTER (WHERE mm.old_key IS NOT NULL), count(*) FILTER (WHERE mm.old_key IS NULL) FROM " +
		            refresh.old_rows(table, "t") + rewrite.joins +
		            " LEFT JOIN prodsync_work.moved mm ON mm.tab = $1::oid AND mm.space = 'u' AND " +
		            users.by.same("mm.old_key", name, column->base) + " WHERE " + name + " IS NOT NULL AND " + rewrite.may_change +
		            " AND NOT EXISTS (SELECT 1 FROM prodsync_work.kept d WHERE d.rel = t.tableoid AND d.row_id = t.ctid AND "
		            "d.why = 'd')",
		        {std::to_string(refresh.oid(users.table))});
		out.push_back({table.shown(), column->name, rows[0][0], rows[0][1], std::to_string(dropped)});
	}
	return out;
}

static void write_beside(const Refresh &refresh, const core::Name &table, const Rewriting &rewrite)
{
	std::vector<std::string> names, values;
	for (const core::Column *column : refresh.stored_columns(table)) {
		names.push_back(core::quote_identifier(column->name));
		values.push_back(rewrite.values.at(column->name));
	}
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		Oid shadow = refresh.shadows.at(static_cast<Oid>(leaf->oid));
		pg::Tables(refresh.extension)
		    .run("INSERT INTO " + sql_name(shadow) + " (" + core::joined(names, ", ") + ") SELECT " + core::joined(values, ", ") +
		        " FROM ONLY " + leaf->name.sql() + " AS t" + rewrite.joins +
		        " WHERE NOT EXISTS (SELECT 1 FROM prodsync_work.kept d WHERE d.rel = t.tableoid AND d.row_id = t.ctid AND d.why "
		        "= 'd')");
	}
}

// The transaction that mapped these rows, or the savepoint in it, which has an xid of its own: a second call leaves them alone.
static void remember_rows(pg::Tables &sql, const Refresh &refresh)
{
	int step = 0;
	const std::string mine = std::to_string(pg::call([] { return U64FromFullTransactionId(GetCurrentFullTransactionId()); }));
	for (const auto &[original, shadow] : refresh.shadows)
		sql.run("INSERT INTO prodsync_work.run_step (run, step, kind, relation, original, shadow, status, xid, item) VALUES "
		        "($1::int, $2::int, 'remap', $3, $4::oid, $5::oid, 'done', $6::xid8, '{}')",
		    {std::to_string(refresh.run), std::to_string(++step), sql_name(original), std::to_string(original),
		        std::to_string(shadow), mine});
}

PG_FUNCTION(prodsync_remap_users)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	std::unique_ptr<Refresh> refresh = refresh_by_hand(extension, "sync_remap_users()");
	Users users = users_of(*refresh);
	for (const core::ForeignKey *key : refresh->graph.keys)
		if (key->array && is_users(*refresh, key->child, key->columns[0], users))
			throw pg::Error(PS_REFUSED, describe(*key) + " is an array of users, which sync_remap_users() does not change", {},
			    "Refresh with the client: it maps them on their way in.");
	for (const core::GenericRelation &one : refresh->graph.generic)
		if (refresh->graph.node(one.table).mode == core::Mode::copy)
			throw pg::Error(PS_REFUSED,
			    one.table.shown() + "." + one.column +
			        " names rows by content type and id, which sync_remap_users() does not follow",
			    {}, "Refresh with the client: it maps them on their way in.");
	std::vector<Wanted> wanted;    // the tables that may change, exclusively, so that nothing is read that could change
	for (const auto &[name, node] : refresh->graph.tables)
		if (node.mode == core::Mode::copy)
			for (const core::Relation *leaf : refresh->catalog().storage(name))
				wanted.push_back({static_cast<Oid>(leaf->oid), Strength::access_exclusive});
	wanted.push_back({refresh->oid(users.table), Strength::share_row_exclusive});
	lock_by_hand(*refresh, wanted);
	forget_kept(*refresh);
	collect_kept(*refresh);
	if (pg::has_arg(fcinfo, 0)) store_map(*refresh, users, core::json::parse(pg::arg_text(fcinfo, 0)));

	std::vector<core::Name> changed;
	std::map<core::Name, Rewriting> how;
	std::set<core::Name> dropping;
	std::vector<pg::Row> out;
	{
		pg::Tables sql(extension);
		for (const core::Name &table : refresh->graph.parents_first()) {
			if (refresh->graph.node(table).mode != core::Mode::copy) continue;
			Rewriting rewrite = rewriting(*refresh, table, users, dropping);
			if (rewrite.user_columns.empty() && rewrite.moved_columns.empty()) continue;
			std::uint64_t dropped = fold(sql, *refresh, table, rewrite);
			if (dropped) dropping.insert(table);
			for (pg::Row &row : count_mapped(sql, *refresh, table, rewrite, users, dropped)) out.push_back(std::move(row));
			pg::check_interrupts();
		}
		// Once more with all that is dropped: a table that references itself, or is part of a cycle, came before it was known.
		for (const core::Name &table : refresh->graph.parents_first()) {
			if (refresh->graph.node(table).mode != core::Mode::copy) continue;
			Rewriting rewrite = rewriting(*refresh, table, users, dropping);
			if (rewrite.user_columns.empty() && rewrite.moved_columns.empty()) continue;
			changed.push_back(table);
			how.emplace(table, std::move(rewrite));
		}
	}
	for (auto &[name, node] : refresh->graph.tables)
		if (!how.count(name)) node.mode = core::Mode::keep;
	make_shadows(*refresh, "remap", changed);
	for (const core::Name &table : changed) write_beside(*refresh, table, how.at(table));
	build_indexes(*refresh);
	std::vector<Check> checks;
	{
		pg::Tables sql(extension);
		for (const core::ForeignKey *key : refresh->graph.keys)
			if (refresh->replaced(key->child) && (key->parent == users.table || dropping.count(key->parent)))
				for (const core::Relation *leaf : refresh->catalog().storage(key->child))
					checks.push_back(check_foreign_key(sql, *refresh, *key, leaf->name));
	}
	require_ok(checks);
	for (const auto &[original, shadow] : refresh->shadows) analyze(extension, shadow);
	switch_storage(extension, {refresh->shadows.begin(), refresh->shadows.end()});
	forget_kept(*refresh);
	{
		pg::Tables sql(extension);
		remember_rows(sql, *refresh);
	}
	ledger::record(extension, refresh->run, checks);
	finish_by_hand(*refresh);
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
