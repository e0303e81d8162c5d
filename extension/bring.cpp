// Bringing kept rows over into the shadows, whose indexes are live: every unique key is proven by the insert itself.
#include "core/generic.hpp"
#include "core/key_types.hpp"
#include "foreign_keys.hpp"
#include "generic.hpp"
#include "core/missing.hpp"
#include "core/statements.hpp"
#include "kept.hpp"
#include "mask.hpp"
#include "place.hpp"
#include "published.hpp"
#include "shadow.hpp"

namespace prodsync {

// The table whose key the column holds and whose rows may get others: its oid as SQL; empty where none does.
static std::string mover(const Refresh &refresh, const core::Name &table, const std::string &column, const std::string &type)
{
	const core::Identity *identity = refresh.graph.identity(table, column);
	core::Name owner = identity ? identity->table : table;
	std::string key = identity ? identity->column : column;
	auto node = refresh.graph.tables.find(owner);
	if (node == refresh.graph.tables.end() || node->second.mode != core::Mode::copy || key.empty() ||
		(key != node->second.key && key != core::single_key(*node->second.relation)) || !plain_key_type(type))
		return "";
	return std::to_string(refresh.oid(owner)) + "::oid";
}

// Work tables have no statistics: the planner takes a table's keys for one row, reads them all for each row and compares (tab and space in the index,
// old_key as a filter), which is quadratic. LIMIT keeps the lookup together, so that it is one of the whole primary key.
std::string look_up_moved(const std::string &owner, char space, const std::string &key)
{
	return "(SELECT l.new_key FROM prodsync_work.moved l WHERE l.tab = " + owner + " AND l.space = '" + space +
	    "' AND l.old_key = " + key + " LIMIT 1)";
}

std::string array_of(const std::string &array, const std::string &type, const std::string &value, const std::string &among)
{
	std::string element = value, where;
	if (!among.empty()) {    // an array of several dimensions has no place to leave out
		element = "CASE WHEN array_ndims(" + array + ") = 1 OR (" + among + ") THEN " + value + " END";
		where = " WHERE array_ndims(" + array + ") > 1 OR (" + among + ")";
	}
	return "CASE WHEN " + array + " IS NOT NULL THEN prodsync_work.in_shape_of(ARRAY(SELECT " + element + " FROM unnest(" +
	    array + ") WITH ORDINALITY AS e(v, n)" + where + " ORDER BY e.n), " + array + "::" + core::cast_type(type) + "[]) END";
}

std::string new_array(const std::string &array, const std::string &type, const std::string &owner, char space, const std::string &among)
{
	return array_of(array, type, "coalesce(" + look_up_moved(owner, space, "e.v::text") + "::" + core::cast_type(type) + ", e.v)", among);
}

// What becomes of keys in a column of an old row; `kept` is what it holds where nothing does.
static Replaced moved_value(
    const Refresh &refresh, const core::Name &table, const core::Column &column, const std::string &alias, int number, std::string kept)
{
	const std::string old = alias + "." + core::quote_identifier(column.name);
	if (const core::GenericRelation *generic = core::generic_relation(refresh.graph, table, column.name))
		return new_object_id(refresh, *generic, column.base, alias, number);
	std::string now = key_text(old, column.base), adopted;    // an adopted row names another tenant
	const std::string m = alias + "m" + std::to_string(number);
	if (adopting_column(refresh, table) == column.name) {
		const std::string a = alias + "a" + std::to_string(number);
		adopted = " LEFT JOIN LATERAL " +
		    look_up_moved(std::to_string(refresh.oid(refresh.catalog().root(table))) + "::oid", 'a', place_of(alias)) + " " + a +
		    " ON true";
		now = "coalesce(" + a + ".new_key, " + now + ")";
		kept = "CASE WHEN " + a + ".new_key IS NOT NULL THEN " + a + ".new_key::" + core::cast_type(column.base) + " ELSE " + kept + " END";
	}
	const bool array = core::is_id_array(column.base);
	const std::string type = array ? core::element_type(column.base) : column.base, owner = mover(refresh, table, column.name, type);
	if (owner.empty()) return {kept, adopted};
	if (array) return {new_array(old, type, owner, 'o'), ""};
	return {"coalesce(" + key_value(m + ".new_key", column, old) + ", " + kept + ")",
	    adopted + " LEFT JOIN LATERAL " + look_up_moved(owner, 'o', now) + " " + m + " ON true"};
}

// Drawn from the entity as it is in the new content: that is what the next refresh finds, and under its old id there may be
// another one of production's.
static Replaced masked_value(
    const Refresh &refresh, const core::Name &table, const core::Column &column, const std::string &alias, int number, const core::MaskRule &rule)
{
	Replaced whose{"NULL", ""};
	if (const core::Column *entity = refresh.catalog().find(refresh.catalog().root(table))->column(rule.entity)) {
		constexpr int beside = 10'000;    // more than there are columns
		whose = moved_value(refresh, table, *entity, alias, beside + number, alias + "." + core::quote_identifier(entity->name));
		whose.value = "CASE WHEN " + whose.value + " IS NOT NULL THEN pg_catalog.format('%s', " + whose.value + ") END";
	}
	return {"prodsync_work.mask_kept(" + alias + "." + core::quote_identifier(column.name) + "::text, " + whose.value + ", " +
	        core::quote_literal(rule.to_json().dump()) + ", " + core::quote_literal(column.base) + ")::" + core::cast_type(column.base),
	    whose.join};
}

Replaced new_value(const Refresh &refresh, const core::Name &table, const core::Column &column, const std::string &alias, int number)
{
	Replaced kept{alias + "." + core::quote_identifier(column.name), ""};
	if (const core::MaskRule *rule = mask_of_kept(refresh, table, column.name)) kept = masked_value(refresh, table, column, alias, number, *rule);
	Replaced now = moved_value(refresh, table, column, alias, number, kept.value);
	return {now.value, kept.join + now.join};
}

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

static Brought brought_from(const std::string &rows, const std::string &kept = "prodsync_work.kept k")
{
	return {kept + " JOIN " + rows + " ON t.tableoid = k.rel AND t.ctid = k.row_id", {}};
}

Brought brought_as_it_is(const Refresh &refresh, const core::Name &table, const core::ForeignKey &key)
{
	Brought out = brought_from(refresh.old_rows(table, "t"), kept_rows_with(refresh, key));
	int n = 0;
	for (const core::Column *column : columns_of(*refresh.graph.node(table).relation, key.columns)) {
		if (!key.by_model) {
			out.values.push_back(add_value(refresh, table, *column, ++n, out));
			continue;
		}
		// Of the models one: with hundreds of them a statement for each that knows them all would be planned for minutes.
		const core::Identity owner = core::key_owner(refresh.graph, key);
		const std::string value = "t." + core::quote_identifier(column->name), moved_by = mover(refresh, owner.table, owner.column, "text");
		out.values.push_back(moved_by.empty() ? value
		                                      : "coalesce(" + look_up_moved(moved_by, 'o', key_text(value, column->base)) +
		            "::" + core::cast_type(column->base) + ", " + value + ")");
	}
	return out;
}

// A row p that is not left out, and n, one of the new content. A row that is left out, or that is gone already where no constraint kept it, is none that
// happens to have its id there.
static std::string same_in_the_source(const Refresh &refresh, const core::ForeignKey &key)
{
	return refresh.old_rows(key.parent, "p") +
	    " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.state NOT IN ('d', 'm'), " +
	    refresh.new_rows(key.parent, key.referenced, "n");
}

// The id e.v of an array, or what it is replaced by, is that of a row that will be there.
static std::string leads_somewhere(const Refresh &refresh, const core::ForeignKey &key)
{
	const std::string type = core::element_type(refresh.graph.node(key.child).relation->column(key.columns[0])->base);
	const std::string parent = core::quote_identifier(key.referenced[0]), owner = mover(refresh, key.child, key.columns[0], type);
	const std::string value = owner.empty() ? std::string("e.v")
		: "coalesce(" + look_up_moved(owner, 'o', "e.v::text") + "::" + core::cast_type(type) + ", e.v)";
	return "(e.v IS NULL OR EXISTS (SELECT 1 FROM " + refresh.old_rows(key.parent, "p") +
	    " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.state = 'b' AND kp.why <> 'r' WHERE "
	    "p." +
	    parent + " " + key.equals[0] + " e.v) OR EXISTS (SELECT 1 FROM " + same_in_the_source(refresh, key) + " WHERE p." +
	    parent + " " + key.equals[0] + " e.v AND n." + parent + " " + key.equals[0] + " " + value + "))";
}

std::string leads_nowhere(const Refresh &refresh, const core::ForeignKey &key, const std::vector<std::string> &values)
{
	if (key.array)
		return "EXISTS (SELECT 1 FROM unnest(t." + core::quote_identifier(key.columns[0]) + ") AS e(v) WHERE NOT " +
		    leads_somewhere(refresh, key) + ")";
	std::vector<std::string> given, equal;
	for (std::size_t i = 0; i < key.columns.size(); i++) {
		given.push_back("t." + core::quote_identifier(key.columns[i]) + " IS NOT NULL");
		equal.push_back("n." + core::quote_identifier(key.referenced[i]) + " " + key.equals[i] + " " + core::as_key(key, values[i]));
	}
	if (!key.text_of.empty()) given.push_back("t." + core::quote_identifier(key.columns[0]) + " <> ''");
	if (key.by_model) given.push_back(of_model(key, "t"));
	if (is_tenant_hop(refresh, key) && !adopting_column(refresh, refresh.catalog().root(key.child)).empty())    // it names a kept tenant now
		given.push_back("NOT EXISTS (SELECT 1 FROM prodsync_work.moved ad WHERE ad.tab = " +
		    std::to_string(refresh.oid(refresh.catalog().root(key.child))) +
		    "::oid AND ad.space = 'a' AND ad.old_key = " + place_of("t") + ")");
	return core::joined(given, " AND ") + " AND NOT EXISTS (SELECT 1 FROM " + refresh.old_rows(key.parent, "p") +
	    " JOIN prodsync_work.kept kp ON kp.rel = p.tableoid AND kp.row_id = p.ctid AND kp.state = 'b' AND kp.why <> 'r' WHERE " +
	    key_equals(key, "p", "t") + ") AND NOT EXISTS (SELECT 1 FROM " + same_in_the_source(refresh, key) + " WHERE " +
	    key_equals(key, "p", "t") + " AND " + core::joined(equal, " AND ") + ")";
}

Brought brought(const Refresh &refresh, const core::Name &table, const std::string &rows, const std::vector<const core::Column *> &columns)
{
	Brought out = brought_from(rows);
	int n = 0;
	for (const core::Column *column : columns) out.values.push_back(add_value(refresh, table, *column, ++n, out));
	const std::map<std::string, std::string> &said = refresh.graph.node(table).on_missing;
	for (std::size_t i = 0; i < columns.size(); i++) {
		auto found = said.find(columns[i]->name);
		if (found == said.end() || found->second != "null") continue;
		const std::string value = out.values[i];
		std::vector<const core::ForeignKey *> keys = refresh.graph.from(table);
		if (core::generic_relation(refresh.graph, table, columns[i]->name)) {
			pg::Tables sql(refresh.extension, pg::Plans::kept);
			keys = keys_of_kept(sql, refresh, table);
		}
		for (const core::ForeignKey *key : keys) {
			if (std::find(key->columns.begin(), key->columns.end(), columns[i]->name) == key->columns.end() ||
			    !refresh.replaced(key->parent))
				continue;
			if (key->array) {    // the ids are taken out
				const std::string type = core::element_type(columns[i]->base), owner = mover(refresh, table, columns[i]->name, type);
				out.values[i] = new_array("t." + core::quote_identifier(columns[i]->name), type, owner.empty() ? "0::oid" : owner,
				    'o', leads_somewhere(refresh, *key));
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

// A brought row's parent is brought too, or is in the new content under its new key.
std::vector<Check> check_brought_references(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	for (const core::Name &child : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'"))
		for (const core::ForeignKey *key : keys_of_kept(sql, refresh, child)) {
			if (!refresh.replaced(key->parent)) continue;    // its rows stay, under lock
			const Brought rows = brought_as_it_is(refresh, child, *key);
			std::string count = sql.one("SELECT count(*) FROM " + rows.from + " WHERE k.tab = $1::oid AND " + is_brought +
			                               " AND " + leads_nowhere(refresh, *key, rows.values),
			                           {std::to_string(refresh.oid(child))})
			                        .value_or("0");
			if (count != "0" && core::configured_on_missing(refresh.graph, *key) == core::OnMissing::null)
				out.push_back({"references let go", describe(*key), std::stoll(count),
				    core::json{
				        {"text",
				            "kept rows reference rows that will not be there; the references become NULL (on_missing: null)"}}
				        .dump(),
				    true});
			else if (count != "0")
				out.push_back({"reference of a kept row", describe(*key), std::stoll(count),
				    core::json{{"text", "kept rows reference rows that will not be there"}}.dump(), !key->validated});
		}
	return out;
}

// What a row is made of, short enough to be put together as one text however long its values are.
static std::string digest(const std::vector<const core::Column *> &columns, const std::vector<std::string> &values)
{
	std::vector<std::string> parts;
	for (std::size_t i = 0; i < columns.size(); i++) {
		const std::string &base = columns[i]->base;
		if (base == "bytea") parts.push_back("pg_catalog.sha256(" + values[i] + ")");
		else if (base == "text" || base == "character varying" || base == "character" || base == "json" || base == "jsonb" ||
		    base == "xml")
			parts.push_back("pg_catalog.hashtextextended(" + values[i] + "::text COLLATE pg_catalog.\"C\", 0)");
		else parts.push_back(values[i]);
	}
	return "coalesce(sum(pg_catalog.hashtextextended(ROW(" + core::joined(parts, ", ") + ")::text COLLATE pg_catalog.\"C\", 0)), 0)";
}

// Brings the kept rows of one relation (into another partition than their own where they move to one), and proves it: the rows as they lie in the old storage, with their new ids and references, against those that lie
// in the shadow afterwards. They were put behind what was loaded, so that reading them again is no scan of the shadow.
static Check bring(const Refresh &refresh, const core::Name &leaf, Oid oid, Oid into)
{
	const core::Name table = refresh.catalog().root(leaf);
	const std::vector<const core::Column *> columns = refresh.stored_columns(table);
	const Brought rows = brought(refresh, table, "ONLY " + leaf.sql() + " AS t", columns);
	std::vector<std::string> names, selected, brought_as;
	for (std::size_t i = 0; i < columns.size(); i++) {
		names.push_back(core::quote_identifier(columns[i]->name));
		brought_as.push_back("c" + std::to_string(i));
		selected.push_back(rows.values[i] + " AS " + brought_as.back());
	}
	const std::string shadow = refresh.shadow_of(into),
	                  which = "k.rel = $1::oid AND " +
	    (into == oid ? std::string("k.moves_to IS NULL") : "k.moves_to = " + std::to_string(into) + "::oid") + " AND " +
	    is_brought;
	pg::Tables sql(refresh.extension);
	const pg::Row before =
	    sql.rows("WITH old AS MATERIALIZED (SELECT " + core::joined(selected, ", ") + " FROM " + rows.from + " WHERE " + which +
	               "), new AS (INSERT INTO " + shadow + " (" + core::joined(names, ", ") + ") SELECT " +
	               core::joined(brought_as, ", ") +
	               " FROM old RETURNING ctid) SELECT (SELECT count(*) FROM prodsync_work.kept k WHERE " + which + "), (SELECT " +
	               digest(columns, brought_as) + " FROM old), (SELECT ctid FROM new ORDER BY ctid LIMIT 1)",
	           {std::to_string(oid)})
	        .at(0);
	// a savepoint of the caller has an id of its own
	const std::string writer = std::to_string(pg::call([] { return GetCurrentTransactionId(); }));
	const pg::Row after = sql.rows("SELECT count(*), " + digest(columns, names) + " FROM ONLY " + shadow +
	                                 " AS s WHERE s.ctid >= $1::tid AND s.xmin = $2::xid AND s.cmin = (SELECT f.cmin FROM ONLY " +
	                                 shadow + " AS f WHERE f.ctid = $1::tid)",
	                             {before[2], writer})
	                          .at(0);
	const std::int64_t wanted = std::stoll(*before[0]), found = std::stoll(*after[0]);
	const std::int64_t other = wanted != found ? std::abs(wanted - found) : before[1] != after[1];
	core::json detail{{"rows", wanted}};
	if (other)
		detail["text"] = wanted != found ? "kept rows are missing after they were brought over"
		                                 : "kept rows are not what they were, but for ids and references";
	return {"kept rows", leaf.shown(), other, detail.dump(), other == 0};
}

std::vector<Check> bring_rows(const Refresh &refresh)
{
	std::vector<std::tuple<core::Name, Oid, Oid>> leaves;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		std::map<Oid, core::Name> names;
		for (const auto &[name, relation] : refresh.catalog().relations) names[static_cast<Oid>(relation.oid)] = name;
		for (const pg::Row &row : sql.rows(std::string("SELECT DISTINCT rel, ") + lands_in + " FROM prodsync_work.kept k WHERE " +
		         is_brought + " ORDER BY 1, 2")) {
			Oid rel = static_cast<Oid>(std::stoul(*row[0]));
			leaves.emplace_back(names.at(rel), rel, static_cast<Oid>(std::stoul(*row[1])));
		}
	}
	std::vector<Check> out;
	for (const auto &[leaf, oid, into] : leaves) {
		out.push_back(bring(refresh, leaf, oid, into));
		pg::check_interrupts();
	}
	return out;
}

// A column of a table that stays whose references follow the keys that moved, in SQL over its rows as c.
struct Following {
	core::Name table;
	std::string object, column, value, from, where;

	std::string rows(const Refresh &refresh) const { return refresh.old_rows(table, "c") + (from.empty() ? "" : ", " + from) + " WHERE " + where; }
};

static std::vector<Following> staying_references(const Refresh &refresh)
{
	std::vector<const core::ForeignKey *> generic;
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (refresh.replaced(one.table)) continue;
		pg::Tables sql(refresh.extension);
		for (const core::ForeignKey *key : generic_keys(sql, refresh, one.table)) generic.push_back(key);
	}
	std::vector<Following> out;
	for (const core::ForeignKey *key : generic) {    // first: content types may get other ids below
		const core::Identity owner = core::key_owner(refresh.graph, *key);
		const core::TableNode &node = refresh.graph.node(owner.table);
		if (node.mode != core::Mode::copy || (owner.column != node.key && owner.column != core::single_key(*node.relation))) continue;
		const std::string column = core::quote_identifier(key->columns[0]),
		                  type = core::cast_type(refresh.graph.node(key->child).relation->column(key->columns[0])->base);
		out.push_back({key->child, describe(*key), column, "m.new_key::" + type, "prodsync_work.moved m",
		    "m.tab = " + std::to_string(refresh.oid(owner.table)) + "::oid AND m.space = 'o' AND m.old_key <> m.new_key AND c." + column +
		        " = m.old_key::" + type + " AND " + of_model(*key, "c")});
	}
	std::set<std::pair<core::Name, std::string>> done;
	for (const core::ForeignKey *key : refresh.graph.keys) {
		if (refresh.replaced(key->child)) continue;    // also where the parent stays: vip_card -> vip -> customer
		const core::Relation &child = *refresh.graph.node(key->child).relation;
		for (const std::string &name : key->columns) {
			const core::Identity *identity = refresh.graph.identity(key->child, name);
			if (!identity || !done.emplace(key->child, name).second) continue;
			auto owner = refresh.graph.tables.find(identity->table);
			if (owner->second.mode != core::Mode::copy ||
			    (identity->column != owner->second.key && identity->column != core::single_key(*owner->second.relation)))
				continue;
			const std::string column = core::quote_identifier(name), type = child.column(name)->base;
			const std::string moved_by = std::to_string(refresh.oid(identity->table)) + "::oid";
			const std::string moved = "m.tab = " + moved_by + " AND m.space = 'o' AND m.old_key <> m.new_key AND ";
			if (core::is_id_array(type))
				out.push_back({key->child, describe(*key), column, new_array("c." + column, core::element_type(type), moved_by, 'o'), "",
				    "EXISTS (SELECT 1 FROM prodsync_work.moved m WHERE " + moved + "m.old_key = ANY (c." + column + "::text[]))"});
			if (!plain_key_type(type)) continue;    // nothing moved: check_moving_keys()
			const bool same_type = owner->second.relation->column(identity->column)->base == type;    // else a cast may not fit
			out.push_back({key->child, describe(*key), column, "m.new_key::" + core::cast_type(type), "prodsync_work.moved m",
			    moved + (same_type ? "c." + column + " = m.old_key::" + core::cast_type(type) : key_text("c." + column, type) + " = m.old_key")});
		}
	}
	return out;
}

std::vector<Check> check_staying_references(const Refresh &refresh)
{
	std::vector<Check> out;
	for (const Following &one : staying_references(refresh)) {
		if (can_change_rows(refresh, one.table)) continue;
		const std::string count = pg::Tables(refresh.extension).one("SELECT count(*) FROM " + one.rows(refresh)).value_or("0");
		if (count != "0") out.push_back(not_changeable(one.object, one.table, std::stoll(count)));
	}
	return out;
}

// No trigger fires: nothing changed but the number by which a row goes.
void move_staying_references(const Refresh &refresh)
{
	pg::Settings settings;
	settings.set("session_replication_role", "replica");
	for (const Following &one : staying_references(refresh))
		if (can_change_rows(refresh, one.table))    // else there are none: check_staying_references()
			pg::Tables(refresh.extension)
			    .run("UPDATE " + refresh.old_rows(one.table, "c") + " SET " + one.column + " = " + one.value +
			        (one.from.empty() ? "" : " FROM " + one.from) + " WHERE " + one.where);
}

}  // namespace prodsync
