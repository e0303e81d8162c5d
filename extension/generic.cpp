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

std::vector<const core::ForeignKey *> keys_of_kept(pg::Tables &sql, const Refresh &refresh, const core::Name &table)
{
	std::vector<const core::ForeignKey *> out = refresh.graph.from(table);
	for (const core::GenericRelation &one : refresh.graph.generic)
		if (one.table == table)
			append(out,
			    used(sql, one,
			        "prodsync_work.kept k JOIN " + refresh.old_rows(table, "c") +
			            " ON c.tableoid = k.rel AND c.ctid = k.row_id WHERE k.tab = " + std::to_string(refresh.oid(table)) +
			            "::oid",
			        types_now(one)));
	return out;
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
