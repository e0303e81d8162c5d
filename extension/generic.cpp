#include "generic.hpp"
#include <algorithm>
#include "core/generic.hpp"
#include "core/statements.hpp"
#include "kept.hpp"

namespace prodsync {

std::string of_model(const core::ForeignKey &key, const std::string &child)
{
	return core::of_model(*key.by_model, child, key.by_model->types.empty() ? "" : "ONLY " + key.by_model->types.sql() + " AS ct");
}

std::string of_model_afterwards(const Refresh &refresh, const core::ForeignKey &key, const std::string &child)
{
	const core::ByModel &by = *key.by_model;
	return core::of_model(by, child, by.types.empty() ? "" : refresh.new_rows(by.types, {by.key, "app_label", "model"}, "ct"));
}

// `rows` is a FROM item (with a condition, perhaps) in which the table's rows are c.
static std::vector<const core::ForeignKey *> used(
    pg::Tables &sql, const core::GenericRelation &one, const std::string &rows, const std::string &types)
{
	const std::string type = "c." + core::quote_identifier(one.by.column);
	std::set<std::string> names;
	for (const pg::Row &row :
	    sql.rows(one.by.types.empty() ? "SELECT DISTINCT " + type + "::text FROM " + rows
	                                  : "SELECT DISTINCT pg_catalog.format('%s.%s', ct.app_label, ct.model) FROM " + types +
	                " WHERE ct." + core::quote_identifier(one.by.key) + " IN (SELECT " + type + " FROM " + rows + ")"))
		if (row[0]) names.insert(core::model_name(one.by, *row[0]));
	std::vector<const core::ForeignKey *> out;
	for (const core::ForeignKey *key : one.keys)
		if (std::any_of(key->by_model->names.begin(), key->by_model->names.end(),
		        [&](const std::string &name) { return names.count(name) > 0; }))
			out.push_back(key);
	return out;
}

core::Models models_now(pg::Tables &sql, const core::Graph &graph, const core::Catalog &catalog)
{
	core::Models out;
	for (const core::GenericRelation &one : graph.generic)
		if (core::on_a_path(graph, one))
			for (const pg::Row &row : sql.rows(core::models_in_use(one, catalog)))
				if (row[1]) out[core::id_of(one)].insert(core::model_name(one.by, *row[1]));
	return out;
}

static void append(std::vector<const core::ForeignKey *> &to, const std::vector<const core::ForeignKey *> &more)
{
	to.insert(to.end(), more.begin(), more.end());
}

static std::string types_now(const core::GenericRelation &one) { return one.by.types.empty() ? "" : "ONLY " + one.by.types.sql() + " AS ct"; }

std::vector<const core::ForeignKey *> generic_keys(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	std::vector<const core::ForeignKey *> out;
	for (const core::GenericRelation &one : refresh.graph.generic)
		if (one.table == table) append(out, used(sql, one, refresh.old_rows(table, "c"), types_now(one)));
	return out;
}

std::vector<const core::ForeignKey *> generic_keys_afterwards(pg::Tables &sql, const Refresh &refresh, const core::Name &relation)
{
	std::vector<const core::ForeignKey *> out;
	for (const core::GenericRelation &one : refresh.graph.generic)
		if (one.table == refresh.catalog().root(relation))
			append(out, used(sql, one, "ONLY " + refresh.shadow_of(refresh.oid(relation)) + " AS c",
							 one.by.types.empty() ? "" : refresh.new_rows(one.by.types, {one.by.key, "app_label", "model"}, "ct")));
	return out;
}

static std::string number(const Refresh &refresh, const core::Name &table) { return std::to_string(refresh.oid(refresh.catalog().root(table))) + "::oid"; }

std::vector<const core::ForeignKey *> keys_of_kept(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	std::vector<const core::ForeignKey *> out = refresh.graph.from(table);
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (one.table != table || one.keys.empty()) continue;
		std::map<std::string, std::string> by_name;
		for (const core::ForeignKey *key : one.keys)
			for (const std::string &name : key->by_model->names) by_name[name] = std::to_string(refresh.oid(refresh.catalog().root(key->parent)));
		// What the column says -> the table. Looked up, not joined: work tables have no statistics, and a list of models would be read for each row.
		core::json tables = core::json::object();
		if (one.by.types.empty()) tables = by_name;
		else
			for (const pg::Row &row : sql.rows("SELECT ct." + core::quote_identifier(one.by.key) + "::text, " + core::model_of_type(one.by) + " FROM ONLY " +
			         one.by.types.sql() + " AS ct"))
				if (const auto found = by_name.find(row[1].value_or("")); found != by_name.end() && row[0]) tables[*row[0]] = found->second;
		const std::string of = number(refresh, table), object = "(" + core::quote_literal(tables.dump()) + "::jsonb OPERATOR(pg_catalog.->>) c." +
		    core::quote_identifier(one.by.column) + "::text)::oid";
		sql.run("INSERT INTO prodsync_work.kept_object (tab, column_name, object_tab, rel, row_id) SELECT k.tab, " + core::quote_literal(one.column) +
		        ", " + object + ", k.rel, k.row_id FROM prodsync_work.kept k JOIN " + refresh.old_rows(table, "c") +
		        " ON c.tableoid = k.rel AND c.ctid = k.row_id WHERE k.tab = " + of + " AND " + object + " IS NOT NULL ON CONFLICT DO NOTHING");
		const std::string noted = " WHERE tab = " + of + " AND column_name = " + core::quote_literal(one.column);
		std::set<Oid> objects;
		for (const pg::Row &row : sql.rows("SELECT DISTINCT object_tab FROM prodsync_work.kept_object" + noted))
			objects.insert(static_cast<Oid>(std::stoul(*row[0])));
		for (const core::ForeignKey *key : one.keys)
			if (objects.count(refresh.oid(refresh.catalog().root(key->parent)))) out.push_back(key);
	}
	return out;
}

std::string kept_rows_with(const Refresh &refresh, const core::ForeignKey &key)
{
	if (!key.by_model) return "prodsync_work.kept k";
	// LIMIT: first what is noted, then the kept row, whatever the planner thinks of tables without statistics.
	return "prodsync_work.kept_object ko JOIN LATERAL (SELECT * FROM prodsync_work.kept one WHERE one.rel = ko.rel AND one.row_id = ko.row_id LIMIT 1) k "
		   "ON ko.tab = " + number(refresh, key.child) + " AND ko.column_name = " + core::quote_literal(key.columns[0]) + " AND ko.object_tab = " +
	    number(refresh, key.parent);
}

Replaced new_object_id(const Refresh &refresh, const core::GenericRelation &one, const std::string &type, const std::string &alias, int number)
{
	// The models whose rows may get other ids, each with the table that prodsync_work.moved knows them by.
	std::string owners;
	for (const core::ForeignKey *key : one.keys) {
		const core::Identity owner = core::key_owner(refresh.graph, *key);
		const core::TableNode &node = refresh.graph.node(owner.table);
		if (node.mode != core::Mode::copy || (owner.column != node.key && owner.column != core::single_key(*node.relation))) continue;
		for (const std::string &name : key->by_model->names)
			owners += (owners.empty() ? "(" : ", (") + core::quote_literal(name) + ", " +
			    std::to_string(refresh.oid(owner.table)) + "::oid)";
	}
	const std::string value = alias + "." + core::quote_identifier(one.column);
	if (owners.empty()) return {value, ""};
	const std::string g = alias + "g" + std::to_string(number), m = alias + "m" + std::to_string(number),
	                  column = alias + "." + core::quote_identifier(one.by.column);
	std::string models = "(VALUES " + owners + ") AS " + g + " (model, tab) ON " + g + ".model = " + column + "::text";
	if (!one.by.types.empty())
		models = "(SELECT ct." + core::quote_identifier(one.by.key) + " AS type, v.tab FROM ONLY " + one.by.types.sql() +
		    " AS ct JOIN (VALUES " + owners + ") AS v (model, tab) ON v.model = " + core::model_of_type(one.by) + ") AS " + g +
		    " ON " + g + ".type = " + column;
	return {"coalesce(" + m + ".new_key::" + core::cast_type(type) + ", " + value + ")",
			" LEFT JOIN " + models + " LEFT JOIN LATERAL " + look_up_moved(g + ".tab", 'o', key_text(value, type)) + " " + m + " ON true"};
}

}  // namespace prodsync
