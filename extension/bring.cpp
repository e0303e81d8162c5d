// Bringing kept rows over into the shadows, whose indexes are live: every unique key is proven by the insert itself.
#include "foreign_keys.hpp"
#include "core/missing.hpp"
#include "core/soft_references.hpp"
#include "kept.hpp"
#include "shadow.hpp"

namespace prodsync {

static std::string single_key(const core::Relation &relation)
{
	const core::Index *primary = relation.primary_key();
	return primary && primary->columns.size() == 1 ? primary->columns[0] : "";
}

// Types whose casts from and to text are the server's own. A cast to a domain runs its CHECK, and whoever owns a type can give it a cast: neither
// may run as the extension's owner. So values are cast to base types only, and keys of other types never change.
bool plain_key_type(const std::string &base)
{
	for (const char *type : {"smallint", "integer", "bigint", "uuid", "text", "character varying"})
		if (base == type) return true;
	return false;
}

// The table whose key the column holds and whose rows may get others: its oid as SQL; empty where none does.
static std::string mover(const Refresh &refresh, const core::Name &table, const std::string &column, const std::string &type)
{
	const core::Identity *identity = refresh.graph.identity(table, column);
	core::Name owner = identity ? identity->table : table;
	std::string key = identity ? identity->column : column;
	auto node = refresh.graph.tables.find(owner);
	if (node == refresh.graph.tables.end() || node->second.mode != core::Mode::copy || key.empty() ||
		(key != node->second.key && key != single_key(*node->second.relation)) || !plain_key_type(type))
		return "";
	return std::to_string(refresh.oid(owner)) + "::oid";
}

// An array of ids, each of them replaced; `among` says which ones stay, over e.v and its replacement (%).
static std::string new_array(const std::string &array, const std::string &type, const std::string &owner, char space, const std::string &among = "")
{
	const std::string v = "coalesce(m.new_key::" + type + ", e.v)";
	return "CASE WHEN " + array + " IS NOT NULL THEN ARRAY(SELECT " + v + " FROM unnest(" + array + ") WITH ORDINALITY AS e(v, n) LEFT JOIN prodsync_work.moved m ON m.tab = " + owner +
		   " AND m.space = '" + space + "' AND m.old_key = e.v::text" + (among.empty() ? "" : " WHERE " + among) + " ORDER BY e.n) END";
}

Replaced new_value(const Refresh &refresh, const core::Name &table, const core::Column &column, const std::string &alias, int number)
{
	std::string value = alias + "." + core::quote_identifier(column.name);
	const bool array = core::is_id_array(column.base);
	const std::string type = array ? core::element_type(column.base) : column.base, owner = mover(refresh, table, column.name, type);
	if (owner.empty()) return {value, ""};
	if (array) return {new_array(value, type, owner, 'o'), ""};
	std::string m = alias + "m" + std::to_string(number);
	return {"coalesce(" + m + ".new_key::" + column.base + ", " + value + ")",
			" LEFT JOIN prodsync_work.moved " + m + " ON " + m + ".tab = " + owner + " AND " + m + ".space = 'o' AND " + m + ".old_key = " + value + "::text"};
}

const char *const is_brought = "k.state = 'b' AND k.why <> 'r'";

static std::vector<const core::Column *> columns_of(const core::Relation &relation, const std::vector<std::string> &names)
{
	std::vector<const core::Column *> out;
	for (const std::string &name : names) out.push_back(relation.column(name));
	return out;
}

static std::string add_value(const Refresh &refresh, const core::Name &table, const core::Column &column, int number, Brought &to)
{
	Replaced now = new_value(refresh, table, column, "t", number);
	to.from += now.join;
	return now.value;
}

static Brought brought_from(const std::string &rows) { return {"prodsync_work.kept k JOIN " + rows + " ON t.tableoid = k.rel AND t.ctid = k.row_id", {}}; }

Brought brought_as_it_is(const Refresh &refresh, const core::Name &table, const std::vector<std::string> &columns)
{
	Brought out = brought_from(refresh.old_rows(table, "t"));
	int n = 0;
	for (const core::Column *column : columns_of(*refresh.graph.node(table).relation, columns)) out.values.push_back(add_value(refresh, table, *column, ++n, out));
	return out;
}

// The id e.v of an array, or what it is replaced by, is that of a row that will be there.
static std::string leads_somewhere(const Refresh &refresh, const core::ForeignKey &key)
{
	const std::string type = core::element_type(refresh.graph.node(key.child).relation->column(key.columns[0])->base);
	const std::string parent = core::quote_identifier(key.referenced[0]), owner = mover(refresh, key.child, key.columns[0], type);
	const std::string value = owner.empty() ? std::string("e.v")
		: "coalesce((SELECT x.new_key::" + type + " FROM prodsync_work.moved x WHERE x.tab = " + owner + " AND x.space = 'o' AND x.old_key = e.v::text), e.v)";
	return "(e.v IS NULL OR EXISTS (SELECT 1 FROM " + refresh.old_rows(key.parent, "p") +
		   " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.state = 'b' AND kp.why <> 'r' WHERE p." + parent + " " + key.equals[0] +
		   " e.v) OR EXISTS (SELECT 1 FROM " + refresh.new_rows(key.parent, key.referenced, "n") + " WHERE n." + parent + " " + key.equals[0] + " " + value + "))";
}

std::string leads_nowhere(const Refresh &refresh, const core::ForeignKey &key, const std::vector<std::string> &values)
{
	if (key.array) return "EXISTS (SELECT 1 FROM unnest(t." + core::quote_identifier(key.columns[0]) + ") AS e(v) WHERE NOT " + leads_somewhere(refresh, key) + ")";
	std::vector<std::string> given, equal;
	for (std::size_t i = 0; i < key.columns.size(); i++) {
		given.push_back("t." + core::quote_identifier(key.columns[i]) + " IS NOT NULL");
		equal.push_back("n." + core::quote_identifier(key.referenced[i]) + " " + key.equals[i] + " " + values[i]);
	}
	return join(given, " AND ") + " AND NOT EXISTS (SELECT 1 FROM " + refresh.old_rows(key.parent, "p") +
		   " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.state = 'b' AND kp.why <> 'r' WHERE " + key_equals(key, "p", "t") +
		   ") AND NOT EXISTS (SELECT 1 FROM " + refresh.new_rows(key.parent, key.referenced, "n") + " WHERE " + join(equal, " AND ") + ")";
}

static Brought brought(const Refresh &refresh, const core::Name &table, const std::string &rows, const std::vector<const core::Column *> &columns)
{
	Brought out = brought_from(rows);
	int n = 0;
	for (const core::Column *column : columns) out.values.push_back(add_value(refresh, table, *column, ++n, out));
	const std::map<std::string, std::string> &said = refresh.graph.node(table).on_missing;
	for (std::size_t i = 0; i < columns.size(); i++) {
		auto found = said.find(columns[i]->name);
		if (found == said.end() || found->second != "null") continue;
		const std::string value = out.values[i];
		for (const core::ForeignKey *key : refresh.graph.from(table)) {
			if (std::find(key->columns.begin(), key->columns.end(), columns[i]->name) == key->columns.end() || !refresh.replaced(key->parent)) continue;
			if (key->array) {    // the ids are taken out
				const std::string type = core::element_type(columns[i]->base), owner = mover(refresh, table, columns[i]->name, type);
				out.values[i] = new_array("t." + core::quote_identifier(columns[i]->name), type, owner.empty() ? "0::oid" : owner, 'o', leads_somewhere(refresh, *key));
				continue;
			}
			std::vector<std::string> values;
			for (const core::Column *column : columns_of(*refresh.graph.node(table).relation, key->columns))
				values.push_back(column == columns[i] ? value : add_value(refresh, table, *column, ++n, out));
			out.values[i] = "CASE WHEN " + leads_nowhere(refresh, *key, values) + " THEN NULL ELSE " + out.values[i] + " END";
		}
	}
	return out;
}

// Unique indexes whose columns can be compared by "=" of pg_catalog. The others (expressions, predicates, types of extensions) speak up when the
// row is inserted.
static std::vector<const core::Index *> comparable_indexes(const core::Relation &relation)
{
	std::vector<const core::Index *> out;
	for (const core::Index &index : relation.indexes) {
		bool usable = index.unique && index.valid && !index.expressions && index.predicate.empty() && !index.columns.empty();
		for (const std::string &name : index.columns) {
			const core::Column *column = relation.column(name);
			usable = usable && column && column->binary && column->base.find('[') == std::string::npos;
		}
		if (usable) out.push_back(&index);
	}
	return out;
}
// Does a column of the index carry ids that production's are mapped to (users)?
static bool holds_mapped(const Refresh &refresh, const core::Name &table, const core::Index &index)
{
	for (const std::string &name : index.columns) {
		const core::Identity *identity = refresh.graph.identity(table, name);
		if (identity && refresh.graph.node(identity->table).mapped) return true;
	}
	return false;
}

struct Collision {
	std::string from, where;    // the brought row k, t and the new row s that has the same key
	Brought rows;
};
static Collision collision(const Refresh &refresh, const core::Name &table, const core::Index &index, std::vector<std::string> more)
{
	const core::Relation &relation = *refresh.graph.node(table).relation;
	Collision out;
	out.rows = brought(refresh, table, refresh.old_rows(table, "t"), columns_of(relation, index.columns));
	std::vector<std::string> on;
	for (std::size_t i = 0; i < index.columns.size(); i++) on.push_back("s." + core::quote_identifier(index.columns[i]) + " = " + out.rows.values[i]);
	more.insert(more.end(), index.columns.begin(), index.columns.end());
	out.from = out.rows.from + " JOIN " + refresh.new_rows(table, more, "s") + " ON " + join(on, " AND ");
	out.where = "k.tab = " + std::to_string(refresh.oid(table)) + "::oid AND " + is_brought;
	return out;
}

std::vector<Check> check_collisions(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	for (const core::Name &table : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'")) {
		const core::Relation &relation = *refresh.graph.node(table).relation;
		std::string own = single_key(relation);
		const core::Column *key = own.empty() ? nullptr : relation.column(own);
		bool shown = key && (key->base == "uuid" || key->base == "bigint" || key->base == "integer" || key->base == "smallint");
		for (const core::Index *index : comparable_indexes(relation)) {
			if (holds_mapped(refresh, table, *index)) continue;    // those give way
			Collision c = collision(refresh, table, *index, {});
			std::string keys = shown ? "(SELECT jsonb_agg(x) FROM (SELECT unnest((array_agg(t." + core::quote_identifier(own) + "::text ORDER BY t." + core::quote_identifier(own) + "))[1:5]) AS x) y)" : "NULL";
			std::vector<pg::Row> rows = sql.rows("SELECT count(*), " + keys + " FROM " + c.from + " WHERE " + c.where);
			if (*rows[0][0] == "0") continue;
			core::json detail{{"index", index->name}, {"text", "a kept row has the same unique key as a row from the source"}};
			if (rows[0][1]) detail["kept_keys"] = core::json::parse(*rows[0][1]);
			out.push_back({"collision", table.shown() + "." + index->name, std::stoll(*rows[0][0]), detail.dump(), false});
		}
		pg::check_interrupts();
	}
	return out;
}

// A brought row's parent is brought too, or is in the new content under its new key.
std::vector<Check> check_brought_references(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	for (const core::Name &child : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'"))
		for (const core::ForeignKey *key : refresh.graph.from(child)) {
			if (key->array) {    // they are put together anew, in one dimension
				const std::string column = "t." + core::quote_identifier(key->columns[0]);
				std::string count = sql.one("SELECT count(*) FROM prodsync_work.kept k JOIN " + refresh.old_rows(child, "t") + " ON t.tableoid = k.rel AND t.ctid = k.row_id WHERE k.tab = $1::oid AND " +
												is_brought + " AND (array_ndims(" + column + ") > 1 OR array_lower(" + column + ", 1) <> 1)",
											{std::to_string(refresh.oid(child))}).value_or("0");
				if (count != "0") out.push_back({"array of ids", describe(*key), std::stoll(count), core::json{{"text", "arrays of kept rows have several dimensions, or do not begin at 1"}}.dump(), false});
			}
			if (!refresh.replaced(key->parent)) continue;    // its rows stay, under lock
			const Brought rows = brought_as_it_is(refresh, child, key->columns);
			std::string count = sql.one("SELECT count(*) FROM " + rows.from + " WHERE k.tab = $1::oid AND " + is_brought + " AND " + leads_nowhere(refresh, *key, rows.values),
										{std::to_string(refresh.oid(child))}).value_or("0");
			if (count != "0" && core::configured_on_missing(refresh.graph, *key) == core::OnMissing::null)
				out.push_back({"references let go", describe(*key), std::stoll(count), core::json{{"text", "kept rows reference rows that will not be there; the references become NULL (on_missing: null)"}}.dump(), true});
			else if (count != "0")
				out.push_back({"reference of a kept row", describe(*key), std::stoll(count), core::json{{"text", "kept rows reference rows that will not be there"}}.dump(), !key->validated});
		}
	return out;
}

// S4. Production's row and the kept row have become equal in a unique key only because both users are one now: the kept row wins,
// references to the other move to it.
std::vector<core::Name> give_way(const Refresh &refresh, std::vector<Check> &checks)
{
	std::vector<core::Name> touched;
	std::vector<core::Name> tables;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
	}
	for (const core::Name &table : tables) {
		const core::Relation &relation = *refresh.graph.node(table).relation;
		std::string own = single_key(relation);
		for (const core::Index *index : comparable_indexes(relation)) {
			if (!holds_mapped(refresh, table, *index)) continue;
			Collision c = collision(refresh, table, *index, own.empty() ? std::vector<std::string>{} : std::vector<std::string>{own});
			std::uint64_t found = 0;
			{
				pg::Tables sql(refresh.extension, pg::Plans::kept);
				if (own.empty()) {
					found = std::stoull(sql.one("SELECT count(*) FROM " + c.from + " WHERE " + c.where).value_or("0"));
				} else {
					Replaced now = new_value(refresh, table, *relation.column(own), "t", 1000);
					found = sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $1::oid, 'n', s." + core::quote_identifier(own) + "::text, (" + now.value +
										")::text, 'w' FROM " + c.from + now.join + " WHERE " + c.where + " ON CONFLICT DO NOTHING",
									{std::to_string(refresh.oid(table))});
				}
			}
			if (found == 0) continue;
			// `s` of the collision is all leaves together; the deleted row is found in its leaf by the same key.
			std::vector<std::string> on;
			for (std::size_t i = 0; i < index->columns.size(); i++) on.push_back("x." + core::quote_identifier(index->columns[i]) + " = " + c.rows.values[i]);
			for (const core::Relation *leaf : refresh.catalog().storage(table)) {
				Oid shadow = refresh.shadows.at(static_cast<Oid>(leaf->oid));
				pg::Tables(refresh.extension).run("DELETE FROM ONLY " + sql_name(shadow) + " AS x USING " + c.rows.from + " WHERE " + c.where + " AND " + join(on, " AND "));
			}
			touched.push_back(table);
			// Every column that carries the id, however many foreign keys away.
			for (const auto &[where, identity] : refresh.graph.identities) {
				if (own.empty() || !(identity == core::Identity{table, own}) || where == std::pair(table, own) || !refresh.replaced(where.first)) continue;
				const core::Column &column = *refresh.graph.node(where.first).relation->column(where.second);
				std::string name = core::quote_identifier(column.name);
				for (const core::Relation *leaf : refresh.catalog().storage(where.first)) {
					Oid shadow = refresh.shadows.at(static_cast<Oid>(leaf->oid));
					if (core::is_id_array(column.base)) {
						const std::string owner = std::to_string(refresh.oid(table)) + "::oid";
						pg::Tables(refresh.extension).run("UPDATE ONLY " + sql_name(shadow) + " AS c SET " + name + " = " + new_array("c." + name, core::element_type(column.base), owner, 'n') +
																		 " WHERE EXISTS (SELECT 1 FROM prodsync_work.moved m WHERE m.tab = " + owner + " AND m.space = 'n' AND m.old_key = ANY (c." + name + "::text[]))");
						continue;
					}
					pg::Tables(refresh.extension).run(
									 "UPDATE ONLY " + sql_name(shadow) + " AS c SET " + name + " = m.new_key::" + column.base + " FROM prodsync_work.moved m WHERE m.tab = " +
										 std::to_string(refresh.oid(table)) + "::oid AND m.space = 'n' AND c." + name + " = m.old_key::" + column.base);
				}
				touched.push_back(where.first);
			}
			checks.push_back({"gave way to kept rows", table.shown() + "." + index->name, static_cast<std::int64_t>(found),
							  core::json{{"text", "rows from the source that equal a kept row once users are mapped were dropped; references moved"}}.dump(), true});
		}
	}
	return touched;
}

void bring_rows(const Refresh &refresh)
{
	std::vector<std::pair<core::Name, Oid>> leaves;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		std::map<Oid, core::Name> names;
		for (const auto &[name, relation] : refresh.catalog().relations) names[static_cast<Oid>(relation.oid)] = name;
		for (const pg::Row &row : sql.rows(std::string("SELECT DISTINCT rel FROM prodsync_work.kept k WHERE ") + is_brought + " ORDER BY rel")) {
			Oid rel = static_cast<Oid>(std::stoul(*row[0]));
			leaves.emplace_back(names.at(rel), rel);
		}
	}
	for (const auto &[leaf, oid] : leaves) {
		core::Name table = refresh.catalog().root(leaf);
		std::vector<const core::Column *> columns = refresh.stored_columns(table);
		Brought rows = brought(refresh, table, "ONLY " + leaf.sql() + " AS t", columns);
		std::vector<std::string> names;
		for (const core::Column *column : columns) names.push_back(core::quote_identifier(column->name));
		Oid shadow = refresh.shadows.at(oid);
		pg::Tables(refresh.extension).run("INSERT INTO " + sql_name(shadow) + " (" + join(names, ", ") + ") SELECT " + join(rows.values, ", ") + " FROM " + rows.from +
																 " WHERE k.rel = " + std::to_string(oid) + "::oid AND " + is_brought);
		pg::check_interrupts();
	}
}

// References of tables that stay follow the keys that moved. No trigger fires: nothing changed but the number by which a row goes.
void move_staying_references(const Refresh &refresh)
{
	pg::Settings settings;
	settings.set("session_replication_role", "replica");
	std::set<std::pair<core::Name, std::string>> done;
	for (const core::ForeignKey *key : refresh.graph.keys) {
		if (refresh.replaced(key->child)) continue;    // also where the parent stays: vip_card -> vip -> customer
		const core::Relation &child = *refresh.graph.node(key->child).relation;
		for (const std::string &name : key->columns) {
			const core::Identity *identity = refresh.graph.identity(key->child, name);
			if (!identity || !done.emplace(key->child, name).second) continue;
			auto owner = refresh.graph.tables.find(identity->table);
			if (owner->second.mode != core::Mode::copy || (identity->column != owner->second.key && identity->column != single_key(*owner->second.relation))) continue;
			std::string column = core::quote_identifier(name), type = child.column(name)->base;
			const std::string moved_by = std::to_string(refresh.oid(identity->table)) + "::oid";
			if (core::is_id_array(type))
				pg::Tables(refresh.extension).run("UPDATE " + refresh.old_rows(key->child, "c") + " SET " + column + " = " + new_array("c." + column, core::element_type(type), moved_by, 'o') +
																 " WHERE EXISTS (SELECT 1 FROM prodsync_work.moved m WHERE m.tab = " + moved_by + " AND m.space = 'o' AND m.old_key <> m.new_key AND m.old_key = ANY (c." + column + "::text[]))");
			if (!plain_key_type(type)) continue;
			pg::Tables(refresh.extension).run(
							 "UPDATE " + refresh.old_rows(key->child, "c") + " SET " + column + " = m.new_key::" + type + " FROM prodsync_work.moved m WHERE m.tab = " +
								 std::to_string(refresh.oid(identity->table)) + "::oid AND m.space = 'o' AND m.old_key <> m.new_key AND c." + column + " = m.old_key::" + type);
		}
	}
}

}  // namespace prodsync
