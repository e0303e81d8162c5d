#include "collisions.hpp"
#include <algorithm>
#include "core/generic.hpp"
#include "generic.hpp"
#include "index_lookup.hpp"
#include "place.hpp"

namespace prodsync {

namespace {

void write_down(const Refresh &refresh, const core::Name &table, const core::Relation &into, const Indexes &indexes, Among among,
    const Found *found, int n)
{
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	for (int i = 0; i < indexes.size; i++) {
		const auto [in, rows, others] = addresses(found, n, i);
		if (rows == "{}") continue;
		const bool themselves = among == Among::themselves;
		spi.run(
		    "INSERT INTO prodsync_work.collision (tab, rel, row_id, index_name, mapped, themselves, into_rel, other) SELECT "
		    "$1::oid, i, r, $2::name, $3::bool, $4::bool, $8::oid, o FROM unnest($5::oid[], $6::tid[], $7::tid[]) AS u (i, r, o)"
		    " ON CONFLICT DO NOTHING",
		    {std::to_string(refresh.oid(table)), std::string(NameStr(indexes.list[i].name)),
		        indexes.list[i].mapped && !themselves ? "t" : "f", themselves ? "t" : "f", in, rows, others,
		        std::to_string(into.oid)});
	}
}

// Ids that production's were mapped to (users), or that were moved to a kept row in this switch already.
bool holds_mapped(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const UniqueIndex &index,
    const std::set<core::Name> &gave_way)
{
	for (const core::Column &column : relation.columns) {
		if (!index.uses[column.number]) continue;
		if (const core::GenericRelation *generic = core::generic_relation(refresh.graph, table, column.name))
			for (const core::ForeignKey *key : generic->keys)
				if (const core::Name owner = core::key_owner(refresh.graph, *key).table;
				    refresh.graph.node(owner).mapped || gave_way.count(owner))
					return true;
		const core::Identity *identity = refresh.graph.identity(table, column.name);
		if (!identity || (identity->table == table && identity->column == column.name)) continue;
		if (refresh.graph.node(identity->table).mapped || gave_way.count(identity->table)) return true;
	}
	return false;
}

Indexes marked_indexes(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const std::set<core::Name> &gave_way)
{
	Indexes out = unique_indexes(refresh, relation);
	for (int i = 0; i < out.size; i++) out.list[i].mapped = !out.list[i].overlaps && holds_mapped(refresh, table, relation, out.list[i], gave_way);
	return out;
}

// Relations with rows that go into others' shadows, by those.
using Ways = std::map<Oid, std::set<Oid>>;

Ways ways_of(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	Ways out;
	for (const pg::Row &row : sql.rows(std::string("SELECT DISTINCT ") + lands_in +
	             ", k.rel FROM prodsync_work.kept k WHERE k.tab = $1::oid AND " + is_brought,
	         {std::to_string(refresh.oid(table))}))
		out[static_cast<Oid>(std::stoul(*row[0]))].insert(static_cast<Oid>(std::stoul(*row[1])));
	return out;
}

// Rows that go into the relation's shadow, out of these.
void look_up_brought(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const std::set<Oid> &out_of,
    const Indexes &indexes, const std::vector<const core::Column *> &columns, Among among)
{
	const std::string into = std::to_string(relation.oid), tab = std::to_string(refresh.oid(table));
	const auto look = [&](const std::string &from, const std::string &where, const std::string &rel) {
		const Brought rows = brought(refresh, table, from, columns);
		look_up(refresh,
		    {relation, columns, rows.from, rows.values,
		        where + " AND k.tab = $2::oid AND " + lands_in + " = $3::oid AND " + is_brought, {rel, tab, into}},
		    indexes, among, [&](const Found *found, int n) { write_down(refresh, table, relation, indexes, among, found, n); });
	};
	// They are compared with each other: all of them at once.
	if (among == Among::themselves && out_of.size() > 1) return look(refresh.old_rows(table, "t"), "$1::oid IS NOT NULL", into);
	for (const core::Relation *one : refresh.catalog().storage(table))
		if (out_of.count(static_cast<Oid>(one->oid))) look("ONLY " + one->name.sql() + " AS t", "k.rel = $1::oid", std::to_string(one->oid));
}

// Tables whose rows are not told apart by their ids any more: two of this database were found to be one of the new content.
std::set<core::Name> merged_tables(pg::Tables &sql, const Refresh &refresh)
{
	std::set<core::Name> out;
	std::set<Oid> tables;
	for (const pg::Row &row : sql.rows("SELECT DISTINCT tab FROM prodsync_work.moved WHERE space = 'o' AND why = 'n'"))
		tables.insert(static_cast<Oid>(std::stoul(*row[0])));
	for (const auto &[name, node] : refresh.graph.tables) {
		const std::string own = core::single_key(*node.relation);
		if (own.empty() || !tables.count(refresh.oid(name))) continue;
		const std::string key = key_text("t." + core::quote_identifier(own), node.relation->column(own)->base);
		if (sql.one("SELECT 1 FROM prodsync_work.moved WHERE tab = $1::oid AND space = 'o' GROUP BY new_key HAVING count(*) > 1 "
		            "UNION ALL SELECT 1 FROM prodsync_work.kept k JOIN " +
		            refresh.old_rows(name, "t") +
		            " ON t.tableoid = k.rel AND t.ctid = k.row_id JOIN prodsync_work.moved m ON m.tab = $1::oid AND m.space = "
		            "'o' AND m.new_key = " +
		            key + " AND m.old_key <> m.new_key WHERE k.tab = $1::oid AND k.state = 'x' LIMIT 1",
		        {std::to_string(refresh.oid(name))}))
			out.insert(name);
	}
	return out;
}

bool references(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const Indexes &indexes,
    const std::set<core::Name> &parents)
{
	for (const core::Column &column : relation.columns) {
		const core::Identity *identity = refresh.graph.identity(table, column.name);
		const bool follows = core::generic_relation(refresh.graph, table, column.name) ||
		    (identity && *identity != core::Identity{table, column.name} && parents.count(identity->table));
		if (!follows) continue;
		for (int i = 0; i < indexes.size; i++)
			if (indexes.list[i].uses[column.number] || indexes.generated) return true;
	}
	return false;
}

// References of its rows may become NULL.
bool lets_go(const Refresh &refresh, const core::Name &table)
{
	const auto &said = refresh.graph.node(table).on_missing;
	return std::any_of(said.begin(), said.end(), [](const auto &one) { return one.second == "null"; });
}

// Kept rows that become equal to each other, since what they reference became one row or none, or their tenant did.
void find_equal_rows(const Refresh &refresh)
{
	std::set<core::Name> merged;
	const std::set<core::Name> &adopted = refresh.adopted;
	std::vector<core::Name> tables;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		merged = merged_tables(sql, refresh);
		tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
	}
	for (const core::Name &table : tables) {
		std::optional<Ways> ways;
		for (const core::Relation *leaf : refresh.catalog().storage(table)) {
			Indexes indexes = marked_indexes(refresh, table, *leaf, {});
			if (indexes.size == 0 ||
			    !(adopted.count(table) || lets_go(refresh, table) ||
			        (!merged.empty() && references(refresh, table, *leaf, indexes, merged))))
				continue;
			if (!ways) {
				pg::Tables sql(refresh.extension, pg::Plans::kept);
				ways = ways_of(sql, refresh, table);
			}
			const auto out_of = ways->find(static_cast<Oid>(leaf->oid));
			if (out_of == ways->end()) continue;
			std::vector<const core::Column *> columns;    // all: every index gets an entry
			for (const core::Column &column : leaf->columns)
				if (column.generated) indexes.generated = true;
				else columns.push_back(&column);
			look_up_brought(refresh, table, *leaf, out_of->second, indexes, columns, Among::themselves);
			pg::check_interrupts();
		}
	}
}

}  // namespace

void find_collisions(const Refresh &refresh, const core::Name &table, const std::set<core::Name> &gave_way)
{
	Ways ways;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		sql.run("DELETE FROM prodsync_work.collision WHERE tab = $1::oid", {std::to_string(refresh.oid(table))});
		ways = ways_of(sql, refresh, table);
	}
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		const auto out_of = ways.find(static_cast<Oid>(leaf->oid));
		if (out_of == ways.end()) continue;
		if (const Indexes indexes = marked_indexes(refresh, table, *leaf, gave_way); indexes.size)
			look_up_brought(refresh, table, *leaf, out_of->second, indexes, used_columns(*leaf, indexes), Among::content);
		pg::check_interrupts();
	}
}

void find_collisions(const Refresh &refresh)
{
	if (refresh.nothing_comes) return;
	std::vector<core::Name> tables;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
	}
	for (const core::Name &table : tables) find_collisions(refresh, table, {});
	find_equal_rows(refresh);
}

// Keys of some rows of a relation, where they may be shown: integers and uuids. `where` over kept as k and the row as t.
static void add_keys(pg::Tables &sql, const Refresh &refresh, const core::Relation &leaf, const std::string &from,
    const std::string &where, const pg::Row &args, core::json &detail)
{
	const std::string own = core::single_key(*refresh.graph.node(refresh.catalog().root(leaf.name)).relation);
	const core::Column *key = own.empty() ? nullptr : leaf.column(own);
	if (!key || (key->base != "uuid" && key->base != "bigint" && key->base != "integer" && key->base != "smallint")) return;
	core::json keys = core::json::array();
	for (const pg::Row &one :
	    sql.rows("SELECT t." + core::quote_identifier(own) + "::text FROM " + from + " JOIN ONLY " + leaf.name.sql() +
	            " AS t ON t.ctid = k.row_id WHERE " + where + " ORDER BY t." + core::quote_identifier(own) + " LIMIT 5",
	        args))
		keys.push_back(*one[0]);
	detail["kept_keys"] = keys;
}

static std::map<Oid, core::Name> names_of_relations(const Refresh &refresh)
{
	std::map<Oid, core::Name> out;
	for (const auto &[name, relation] : refresh.catalog().relations) out[static_cast<Oid>(relation.oid)] = name;
	return out;
}

static std::vector<Check> drop_what_collides(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::uint64_t found =
	    sql.run(std::string("UPDATE prodsync_work.kept k SET state = 'd' FROM prodsync_work.collision c WHERE c.rel = k.rel AND "
	                        "c.row_id = k.row_id AND NOT c.mapped AND NOT c.themselves AND ") +
	        is_brought);
	if (found == 0) return {};
	while (found > 0) {
		found = 0;
		const std::vector<core::Name> dropped = tables_with_kept_rows(sql, refresh, "state = 'd'");
		const std::set<core::Name> parents(dropped.begin(), dropped.end());
		for (const core::Name &child : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'"))
			for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child)) {
				if (!parents.count(refresh.catalog().root(key->parent))) continue;
				found += sql.run("UPDATE prodsync_work.kept k SET state = 'd' FROM " + refresh.old_rows(child, "c") + " JOIN " +
				        refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "c") +
				        " JOIN prodsync_work.kept pk ON pk.rel = p.tableoid AND pk.row_id = p.ctid AND pk.state = 'd' WHERE "
				        "k.tab = $1::oid AND k.rel = c.tableoid AND k.row_id = c.ctid AND " +
				        is_brought,
				    {std::to_string(refresh.oid(child))});
				pg::check_interrupts();
			}
	}
	std::map<Oid, core::Name> names = names_of_relations(refresh);
	std::vector<Check> out;
	for (const pg::Row &row : sql.rows("SELECT rel, count(*) FROM prodsync_work.kept WHERE state = 'd' GROUP BY 1")) {
		const core::Relation &leaf = *refresh.catalog().find(names.at(static_cast<Oid>(std::stoul(*row[0]))));
		core::json detail{{"text",
		    "kept rows that have a unique key of a row from the source, or reference such a row, are dropped (on_collision: "
		    "source)"}};
		add_keys(sql, refresh, leaf, "prodsync_work.kept k", "k.rel = $1::oid AND k.state = 'd'", {row[0]}, detail);
		out.push_back({"kept rows dropped", leaf.name.shown(), std::stoll(*row[1]), detail.dump(), true});
	}
	std::sort(out.begin(), out.end(), [](const Check &a, const Check &b) { return a.object < b.object; });
	return out;
}

std::vector<Check> drop_colliding(const Refresh &refresh)
{
	if (refresh.config().on_collision != "source") return {};
	std::vector<Check> out = drop_what_collides(refresh);
	if (out.empty()) return out;
	prune_supporting(refresh);
	// Of two that became equal one may be gone.
	pg::Tables(refresh.extension, pg::Plans::kept).run("DELETE FROM prodsync_work.collision WHERE themselves");
	find_equal_rows(refresh);
	return out;
}

static std::string key_of_partial(const core::Relation &relation, const std::string &name)
{
	for (const core::Index &index : relation.indexes)
		if (index.name == name && !index.predicate.empty()) return core::joined(index.columns, ", ");
	return "";
}

// recognize.cpp does not take such rows for the source's: references to them are told apart by the whole key alone.
static bool number_is_ambiguous(pg::Tables &sql, const Refresh &refresh, const core::Relation &leaf, const pg::Row &collision)
{
	const core::Name table = refresh.catalog().root(leaf.name);
	const core::TableNode &node = refresh.graph.node(table);
	if (node.key.empty() || !core::single_key(*node.relation).empty()) return false;
	const std::string column = core::quote_identifier(node.key);
	return sql
	    .one("SELECT 1 FROM prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) JOIN ONLY " +
	            leaf.name.sql() + " AS t ON t.ctid = k.row_id JOIN " + refresh.old_rows(table, "o") + " ON o." + column +
	            " = t." + column +
	            " AND (o.tableoid, o.ctid) <> (t.tableoid, t.ctid) WHERE c.rel = $1::oid AND c.index_name = $2::name AND NOT "
	            "c.themselves AND k.why = 's' AND " +
	            is_brought + " LIMIT 1",
	        {collision[0], collision[1]})
	    .has_value();
}

std::vector<Check> check_collisions(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::map<Oid, core::Name> names = names_of_relations(refresh);
	std::vector<Check> out;
	for (const pg::Row &row :
	    sql.rows(std::string("SELECT c.rel, c.index_name, count(*), c.themselves, bool_or(k.why = 's'), c.into_rel FROM "
	                         "prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) WHERE NOT c.mapped AND ") +
	        is_brought + " GROUP BY 1, 2, 4, 6")) {
		const core::Relation &leaf = *refresh.catalog().find(names.at(static_cast<Oid>(std::stoul(*row[0]))));
		core::json detail{{"index", *row[1]},
		    {"text",
		        *row[3] == "t"
		            ? "a kept row becomes equal to another one: rows that they reference were found to be one row of the source, "
		              "or are let go of (on_missing), or one of them was adopted by the tenant of the other"
		            : "a kept row has the same unique key as a row from the source"}};
		if (*row[3] == "f" && *row[4] == "t") {    // nothing but a person says that they are the same (recognize.cpp)
			detail["text"] = "a row that kept rows reference has the same unique key as a row from the source";
			if (number_is_ambiguous(sql, refresh, leaf, row))
				detail["text"] =
				    "a row that kept rows reference has the same unique key as a row from the source, and cannot be recognized "
				    "by it: its generated number is not unique in the table, so nothing says which references mean it";
			else if (const std::string columns =
			             key_of_partial(*refresh.catalog().find(names.at(static_cast<Oid>(std::stoul(*row[5])))), *row[1]);
			         !columns.empty())
				detail["if_they_are_the_same"] = "tables: {" + refresh.catalog().root(leaf.name).shown() + ": {match: [" + columns + "]}}";
		}
		add_keys(sql, refresh, leaf, "prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id)",
		    std::string("c.rel = $1::oid AND c.index_name = $2::name AND c.themselves = $3::bool AND ") + is_brought,
		    {row[0], row[1], row[3]}, detail);
		out.push_back({"collision", leaf.name.shown() + "." + *row[1], std::stoll(*row[2]), detail.dump(), false});
	}
	std::sort(out.begin(), out.end(), [](const Check &a, const Check &b) { return a.object < b.object; });
	return out;
}

}  // namespace prodsync
