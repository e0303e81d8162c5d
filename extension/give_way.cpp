// Rows give way table by table, parents before children: first the references of a table follow what its parents gave up, then its own rows are looked up
// again, since a reference that moved may have made one of them equal to a kept row. So a membership takes its roles along as far as the kept
// membership has not the same ones.
//
// References move in a subtransaction. Its id stays in the rows, and in the ledger: so the next run knows that a row which hangs from a
// kept one is production's all the same (resolve_by_origin), whatever its key is made of.
#include "give_way.hpp"
#include "core/statements.hpp"
#include <algorithm>
#include "collisions.hpp"
#include "core/generic.hpp"
#include "core/key_types.hpp"
#include "generic.hpp"
#include "pg_server.hpp"
#include "place.hpp"
#include "shadow.hpp"
#include "subtransaction.hpp"
#include "switch.hpp"

namespace prodsync {

namespace {

std::string number(std::uint64_t oid) { return std::to_string(oid); }

// Two rows that gave way to one kept row would bring their children together.
void require_one_each(const Refresh &refresh, const core::Name &child, const std::string &column, const core::Name &parent)
{
	const core::Relation &relation = *refresh.graph.node(child).relation;
	for (const core::Index &index : relation.indexes) {
		if (!index.unique || !index.valid ||
		    (!index.expressions && std::find(index.columns.begin(), index.columns.end(), column) == index.columns.end()))
			continue;
		pg::Tables sql(refresh.extension);
		const std::string count = sql.one("SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM prodsync_work.moved WHERE "
		                                  "tab = $1::oid AND space = 'n' GROUP BY new_key HAVING count(*) > 1) m",
		                                 {number(refresh.oid(parent))})
		                              .value_or("0");
		if (count != "0")
			require_ok({{"gave way to kept rows", child.shown() + "." + index.name, std::stoll(count),
			    core::json{{"text",
			                   "several rows from the source equal one kept row of " + parent.shown() +
			                       "; what references them cannot all move to it"}}
			        .dump(),
			    false}});
	}
}

// A reference that follows, in SQL over rows of the shadow as c: from which rows (may be empty) and which rows, its new value.
struct Following {
	std::string column, value, from, where;
};

// Rows that it puts into another partition go there; `partitions`: of a table that its column decides about.
std::uint64_t change_partition(
    const Refresh &refresh, const core::Name &table, const core::Relation &leaf, const Following &now, Partitions &partitions)
{
	const std::string shadow = refresh.shadow_of(static_cast<Oid>(leaf.oid));
	const auto after = [&](const core::Column &column) { return column.name == now.column ? now.value : "c." + core::quote_identifier(column.name); };
	std::string selected = number(static_cast<std::uint64_t>(leaf.oid)) + "::oid, c.ctid";
	for (const core::Column *column : partitions.columns()) selected += ", " + after(*column);
	std::vector<std::string> names, values;
	for (const core::Column *column : refresh.stored_columns(table))
		names.push_back(core::quote_identifier(column->name)), values.push_back(after(*column) + " AS " + names.back());
	std::uint64_t moved = 0;
	const std::int64_t nowhere = partitions.look_up("SELECT " + selected + " FROM ONLY " + shadow + " AS c" +
	        (now.from.empty() ? "" : ", " + now.from) + " WHERE " + now.where,
	    {}, [&](Oid, Oid to, const std::string &rows) {
		    moved +=
		        pg::Tables(refresh.extension)
		            .run("WITH gone AS (DELETE FROM ONLY " + shadow + " AS c" + (now.from.empty() ? "" : " USING " + now.from) +
		                    " WHERE c.ctid = ANY ($1::tid[]) AND " + now.where + " RETURNING " + core::joined(values, ", ") +
		                    ") INSERT INTO " + refresh.shadow_of(to) + " (" + core::joined(names, ", ") + ") SELECT " +
		                    core::joined(names, ", ") + " FROM gone",
		                {rows});
	    });
	if (nowhere)
		require_ok({{"gave way to kept rows", leaf.name.shown(), nowhere,
		    core::json{{"text",
		                   "rows from the source reference a row that gives way to a kept one, and no partition of " +
		                       table.shown() + " takes them with the kept row's key; make one for them, or a DEFAULT one"}}
		        .dump(),
		    false}});
	return moved;
}

std::uint64_t follow(const Refresh &refresh, const core::Name &table, const core::Relation &leaf, const Following &now, Partitions *partitions)
{
	const std::uint64_t elsewhere = partitions ? change_partition(refresh, table, leaf, now, *partitions) : 0;
	return elsewhere +
	    pg::Tables(refresh.extension)
	        .run("UPDATE ONLY " + refresh.shadow_of(static_cast<Oid>(leaf.oid)) + " AS c SET " +
	            core::quote_identifier(now.column) + " = " + now.value + (now.from.empty() ? "" : " FROM " + now.from) +
	            " WHERE " + now.where);
}

// References of a table to rows that gave way follow. Returns whether there were any.
bool move_references(const Refresh &refresh, const core::Name &table, const std::set<core::Name> &gave_way)
{
	std::uint64_t moved = 0;
	std::optional<Partitions> partitions;
	if (refresh.graph.node(table).relation->kind == 'p') partitions.emplace(refresh, table);
	const auto deciding = [&](const std::string &column) { return partitions && partitions->decided_by(column) ? &*partitions : nullptr; };
	for (const core::Column &column : refresh.graph.node(table).relation->columns) {
		const core::Identity *identity = refresh.graph.identity(table, column.name);
		if (!identity || *identity == core::Identity{table, column.name} || !gave_way.count(identity->table) ||
		    identity->column != core::single_key(*refresh.graph.node(identity->table).relation))
			continue;
		require_one_each(refresh, table, column.name, identity->table);
		const std::string name = "c." + core::quote_identifier(column.name), type = core::cast_type(column.base);
		const std::string owner = number(refresh.oid(identity->table)) + "::oid", of_owner = "m.tab = " + owner + " AND m.space = 'n' AND ";
		const Following now = core::is_id_array(column.base)
		    ? Following{column.name, new_array(name, core::element_type(column.base), owner, 'n'), "",
		          "EXISTS (SELECT 1 FROM prodsync_work.moved m WHERE " + of_owner + "m.old_key = ANY (" + name + "::text[]))"}
		    : Following{column.name, "m.new_key::" + type, "prodsync_work.moved m", of_owner + name + " = m.old_key::" + type};
		for (const core::Relation *leaf : refresh.catalog().storage(table)) moved += follow(refresh, table, *leaf, now, deciding(column.name));
	}
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (one.table != table) continue;
		const std::string name = "c." + core::quote_identifier(one.column),
		                  type = core::cast_type(refresh.graph.node(table).relation->column(one.column)->base);
		for (const core::Relation *leaf : refresh.catalog().storage(table)) {
			std::vector<const core::ForeignKey *> keys;
			{
				pg::Tables sql(refresh.extension);
				keys = generic_keys_afterwards(sql, refresh, leaf->name);
			}
			for (const core::ForeignKey *key : keys) {
				const core::Identity owner = core::key_owner(refresh.graph, *key);
				if (!gave_way.count(owner.table) || owner.column != core::single_key(*refresh.graph.node(owner.table).relation)) continue;
				require_one_each(refresh, table, one.column, owner.table);
				moved += follow(refresh, table, *leaf,
				    {one.column, "m.new_key::" + type, "prodsync_work.moved m",
				        "m.tab = " + number(refresh.oid(owner.table)) + "::oid AND m.space = 'n' AND " + name +
				            " = m.old_key::" + type + " AND " + of_model_afterwards(refresh, *key, "c")},
				    deciding(one.column));
			}
		}
	}
	if (partitions) partitions->close();
	return moved > 0;
}

// Rows of the table that give way to kept rows: each goes, and its key becomes the kept row's for whatever references it.
bool drop_rows(const Refresh &refresh, const core::Name &table, std::vector<Check> &checks)
{
	const core::Relation &relation = *refresh.graph.node(table).relation;
	const std::string own = core::single_key(relation), tab = number(refresh.oid(table));
	std::vector<pg::Row> found =
	    pg::Tables(refresh.extension, pg::Plans::kept)
	        .rows(std::string("SELECT c.rel, c.index_name, count(*), c.into_rel FROM prodsync_work.collision c JOIN "
	                          "prodsync_work.kept k USING (rel, row_id) WHERE c.tab = $1::oid AND c.mapped AND ") +
	                is_brought + " GROUP BY 1, 2, 4 ORDER BY 2",
	            {tab});
	for (const pg::Row &row : found) {
		const core::Relation *leaf = nullptr;
		for (const core::Relation *one : refresh.catalog().storage(table))
			if (number(static_cast<std::uint64_t>(one->oid)) == *row[0]) leaf = one;
		const std::string shadow = refresh.shadow_of(static_cast<Oid>(std::stoul(*row[3])));
		const std::string which = " c.rel = $1::oid AND c.index_name = $2::name AND c.into_rel = $3::oid AND c.mapped AND " + std::string(is_brought);
		if (!own.empty()) {
			Replaced now = new_value(refresh, table, *relation.column(own), "t", 1000);
			pg::Tables(refresh.extension)
			    .run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $4::oid, 'n', s." +
			            core::quote_identifier(own) + "::text, (" + now.value +
			            ")::text, 'w' FROM prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) JOIN ONLY " +
			            leaf->name.sql() + " AS t ON t.ctid = c.row_id JOIN ONLY " + shadow + " AS s ON s.ctid = c.other" +
			            now.join + " WHERE" + which + " ON CONFLICT DO NOTHING",
			        {row[0], row[1], row[3], tab});
		}
		pg::Tables(refresh.extension)
		    .run("DELETE FROM ONLY " + shadow +
		            " AS s USING prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) WHERE s.ctid = c.other "
		            "AND" +
		            which,
		        {row[0], row[1], row[3]});
		checks.push_back({"gave way to kept rows", leaf->name.shown() + "." + *row[1], std::stoll(*row[2]),
		    core::json{
		        {"text", "rows from the source that equal a kept row once users are mapped were dropped; references moved"}}
		        .dump(),
		    true});
	}
	return !found.empty();
}

}  // namespace

GaveWay give_way(const Refresh &refresh, std::vector<Check> &checks)
{
	GaveWay out;
	if (!pg::Tables(refresh.extension, pg::Plans::kept).one("SELECT 1 FROM prodsync_work.collision WHERE mapped LIMIT 1")) return out;
	std::set<core::Name> gave_way, touched;
	const auto follow = [&](const core::Name &table) {
		if (!refresh.replaced(table) || gave_way.empty() || !move_references(refresh, table, gave_way)) return false;
		touched.insert(table);
		out.xid = number(Subtransaction::id());
		return true;
	};
	in_subtransaction([&] {
		for (const core::Name &table : refresh.graph.parents_first()) {
			if (follow(table)) find_collisions(refresh, table, gave_way);
			if (!drop_rows(refresh, table, checks)) continue;
			touched.insert(table);
			if (!core::single_key(*refresh.graph.node(table).relation).empty()) gave_way.insert(table);
			pg::check_interrupts();
		}
		for (const auto &[table, node] : refresh.graph.tables) (void)follow(table);    // circles, and tables that reference themselves
	});
	out.touched.assign(touched.begin(), touched.end());
	return out;
}

}  // namespace prodsync
