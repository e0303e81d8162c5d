// Does a unique key of a row, other than its generated key, find it among the new content? References to other rows are translated first, so parents are
// resolved before children; a key that leads into a cycle is no help.
//
// A declared key (match) is believed: NULL equals NULL, and a partial index over its columns says which rows it tells apart. Of the others a key counts
// that covers every row, be it of expressions. A partial index alone does not: UNIQUE (product_id) WHERE is_current names the current price of a product,
// not the price that it was; kept orders would get another one. Such a row is brought, and its collision is reported with what to declare.
#include <algorithm>
#include "core/generic.hpp"
#include "core/key_types.hpp"
#include "core/obstacles.hpp"
#include "index_lookup.hpp"
#include "mask.hpp"
#include "shadow.hpp"

namespace prodsync {

namespace {

std::string number(Oid oid) { return std::to_string(oid); }

bool comparable(const core::Relation &relation, const std::vector<std::string> &columns)
{
	for (const std::string &name : columns) {
		const core::Column *column = relation.column(name);
		if (!column || !column->binary || column->base.find('[') != std::string::npos) return false;    // "=" of pg_catalog must exist
	}
	return !columns.empty();
}

// A number as primary key that is its table's own, made by the application or a sequence that is no generated key here: equal ones are no evidence.
bool bare_number(const Refresh &refresh, const core::Name &table, const core::Index &index)
{
	if (!index.primary || index.columns.size() != 1) return false;
	const core::Column *column = refresh.graph.node(table).relation->column(index.columns[0]);
	const core::Identity *identity = refresh.graph.identity(table, index.columns[0]);
	for (const char *number : {"smallint", "integer", "bigint", "numeric", "real", "double precision"})
		if (column->base == number) return !identity || identity->table == table;
	return false;
}

// Columns of t as they are in the new content.
struct Translated {
	std::string joins, known;    // known: rows whose parents are not found yet are left out
	std::vector<std::string> values;
};

std::optional<Translated> translate(const Refresh &refresh, const core::Name &table, const std::vector<const core::Column *> &columns)
{
	Translated out;
	int n = 0;
	for (const core::Column *column : columns) {
		const core::Identity *identity = refresh.graph.identity(table, column->name);
		const bool itself = !identity || *identity == core::Identity{table, column->name};
		if (core::generic_relation(refresh.graph, table, column->name)) return std::nullopt;    // which row it names may not be known yet
		// Nor whom a mask is drawn from: under an old id there is somebody else.
		if (const core::MaskRule *mask = mask_of_kept(refresh, table, column->name); mask && !mask->entity.empty()) return std::nullopt;
		if (!itself && (identity->table == table || refresh.graph.in_cycle(table) || core::is_id_array(column->base))) return std::nullopt;
		const bool by_text = !itself && core::is_text_type(column->base) &&
		    !core::is_text_type(refresh.graph.node(identity->table).relation->column(identity->column)->base);
		Replaced now = new_value(refresh, table, *column, "t", ++n);
		const std::string name = "t." + core::quote_identifier(column->name);
		// A parent that was not found has no new key yet, and its old one means another row there.
		if (!now.join.empty() && !itself)
			out.known += " AND (" + name + " IS NULL OR tm" + std::to_string(n) +
			    ".new_key IS NOT NULL OR EXISTS (SELECT 1 FROM prodsync_work.kept pk JOIN " +
			    refresh.old_rows(identity->table, "po") +
			    " ON po.tableoid = pk.rel AND po.ctid = pk.row_id WHERE pk.tab = " + number(refresh.oid(identity->table)) +
			    "::oid AND pk.state = 'x' AND po." + core::quote_identifier(identity->column) + (by_text ? "::text" : "") +
			    " = " + name + "))";
		out.joins += now.join;
		out.values.push_back(now.value);
	}
	return out;
}

const char *const not_found_yet = "k.why <> 'k' AND k.state = 'b'";

// How references to a row follow when it is found under another key: by one column of its key, the only one or the generated one. The others have to be equal,
// since nothing could say to a reference that they are not.
struct Key {
	std::string follows;                // empty: none does
	std::vector<std::string> fixed;
	bool whole = true;                  // `follows` is all of the key
};

Key key_of(const core::TableNode &node)
{
	Key out{core::single_key(*node.relation), {}, true};
	const core::Index *primary = node.relation->primary_key();
	if (!out.follows.empty() || !primary) return out;
	out.follows = node.key, out.whole = false;
	for (const std::string &column : primary->columns)
		if (column != node.key) out.fixed.push_back(column);
	return out;
}

// Of rows t. A generated number is one row's, also where the key says that it is only together with others.
std::string alone(const Refresh &refresh, const core::Name &table, const Key &key)
{
	if (key.whole || key.follows.empty()) return "";
	const std::string column = core::quote_identifier(key.follows);
	return " AND NOT EXISTS (SELECT 1 FROM " + refresh.old_rows(table, "o") + " WHERE o." + column + " = t." + column +
	    " AND (o.tableoid, o.ctid) <> (t.tableoid, t.ctid))";
}

// By "=" of the columns. Declared: NULL equals NULL, nothing but NULL is no key, and the key has to be unique on both sides.
std::vector<Check> recognize_by_columns(const Refresh &refresh, const core::Name &table, const std::vector<std::string> &names, bool declared)
{
	const core::Relation &relation = *refresh.graph.node(table).relation;
	const Key key_columns = key_of(refresh.graph.node(table));
	const std::string &own = key_columns.follows, oid = number(refresh.oid(table));
	if (!key_columns.fixed.empty() && !comparable(relation, key_columns.fixed)) return {};
	std::vector<const core::Column *> columns;
	for (const std::string &name : names) columns.push_back(relation.column(name));
	for (const std::string &name : key_columns.fixed) columns.push_back(relation.column(name));
	const std::optional<Translated> now = translate(refresh, table, columns);
	if (!now) return {};
	std::vector<std::string> equal, keys;
	bool may_be_nothing = declared;
	for (std::size_t i = 0; i < names.size(); i++) {
		const std::string key = "s." + core::quote_identifier(names[i]), &value = now->values[i], same = key + " = " + value;
		equal.push_back(declared && !columns[i]->not_null ? "(" + same + " OR " + key + " IS NULL AND " + value + " IS NULL)" : same);
		keys.push_back(key);
		may_be_nothing = may_be_nothing && !columns[i]->not_null;
	}
	for (std::size_t i = names.size(); i < columns.size(); i++)
		equal.push_back("s." + core::quote_identifier(columns[i]->name) + " = " + now->values[i]);
	if (may_be_nothing) equal.push_back("num_nonnulls(" + core::joined(keys, ", ") + ") > 0");
	std::vector<std::string> wanted = names;
	for (const std::string &name : key_columns.fixed)
		if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) wanted.push_back(name);
	if (!own.empty() && std::find(wanted.begin(), wanted.end(), own) == wanted.end()) wanted.push_back(own);
	const std::string from = "prodsync_work.kept k JOIN " + refresh.old_rows(table, "t") +
	    " ON t.tableoid = k.rel AND t.ctid = k.row_id" + now->joins + " JOIN " + refresh.new_rows(table, wanted, "s") + " ON " +
	    core::joined(equal, " AND ") + " WHERE k.tab = $1::oid AND " + not_found_yet + now->known +
	    alone(refresh, table, key_columns);
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::vector<Check> out;
	if (declared) {
		const std::string count = sql.one("SELECT count(*) FROM (SELECT 1 FROM " + from + " GROUP BY " +
		                                     core::joined(keys, ", ") + " HAVING count(*) > 1) d",
		                                 {oid})
		                              .value_or("0");
		if (count != "0")
			out.push_back({"natural key", core::place_of_match(refresh.config(), refresh.graph, table), std::stoll(count),
			    core::json{{"text",
			                   "keys by which supporting rows of " + table.shown() +
			                       " are recognized that are not unique, here or among the rows from the source"}}
			        .dump(),
			    false});
	}
	if (!own.empty())
		sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $1::oid, 'o', " +
		        key_text("t." + core::quote_identifier(own), relation.column(own)->base) + ", " +
		        key_text("s." + core::quote_identifier(own), relation.column(own)->base) + ", 'n' FROM " + from +
		        " ON CONFLICT DO NOTHING",
		    {oid});
	sql.run("UPDATE prodsync_work.kept z SET state = 'n' FROM (SELECT k.rel, k.row_id FROM " + from +
	        ") f WHERE z.rel = f.rel AND z.row_id = f.row_id",
	    {oid});
	return out;
}

// By the shadow's own index: of expressions, of NULLs that are equal, of types whose "=" is not the server's own.
// Of a partitioned table each partition has its part of it: a row is looked up in all of them, and only the one whose bounds take its key can have it.
void recognize_by_index(const Refresh &refresh, const core::Name &table, const core::Relation &leaf, const core::Index &index)
{
	const core::TableNode &node = refresh.graph.node(table);
	if (refresh.nothing_comes) return;
	const Indexes all = unique_indexes(refresh, leaf);
	Indexes one{nullptr, 1, all.columns, false};
	for (int i = 0; i < all.size; i++)
		if (index.name == NameStr(all.list[i].whole) && table.schema == NameStr(all.list[i].schema)) one.list = all.list + i;
	if (!one.list) return;
	const std::vector<const core::Column *> columns = used_columns(leaf, one);
	for (const core::Column &column : leaf.columns)
		if (one.list->uses[column.number] && (column.generated || column.name == node.key)) return;    // what it is made of nobody tells
	if (columns.empty()) return;
	const Key key = key_of(node);
	if (!key.fixed.empty() && !comparable(*node.relation, key.fixed)) return;
	std::vector<const core::Column *> fixed;
	for (const std::string &name : key.fixed) fixed.push_back(node.relation->column(name));
	const std::optional<Translated> now = translate(refresh, table, columns), rest = translate(refresh, table, fixed);
	if (!now || !rest) return;
	const std::string &own = key.follows, oid = number(refresh.oid(table)), shadow = refresh.shadow_of(static_cast<Oid>(leaf.oid));
	const std::string from =
	    "prodsync_work.kept k JOIN " + refresh.old_rows(table, "t") + " ON t.tableoid = k.rel AND t.ctid = k.row_id" + now->joins;
	look_up(refresh,
	    {leaf, columns, from, now->values,
	        "k.tab = $1::oid AND " + std::string(not_found_yet) + now->known + alone(refresh, table, key), {oid}},
	    one, Among::content, [&](const Found *found, int n) {
		    const auto [in, rows, others] = addresses(found, n, 0);
		    pg::Tables sql(refresh.extension);
		    std::string same = "FROM unnest($1::oid[], $2::tid[], $3::tid[]) AS u (i, r, o) JOIN " +
		        refresh.old_rows(table, "t") + " ON t.tableoid = u.i AND t.ctid = u.r JOIN ONLY " + shadow +
		        " AS s ON s.ctid = u.o" + rest->joins + " WHERE true" + rest->known;
		    for (std::size_t i = 0; i < fixed.size(); i++)
			    same += " AND s." + core::quote_identifier(fixed[i]->name) + " = " + rest->values[i];
		    if (!own.empty())
			    sql.run("INSERT INTO prodsync_work.moved (tab, space, old_key, new_key, why) SELECT $4::oid, 'o', " +
			            key_text("t." + core::quote_identifier(own), node.relation->column(own)->base) + ", " +
			            key_text("s." + core::quote_identifier(own), node.relation->column(own)->base) + ", 'n' " + same +
			            " ON CONFLICT DO NOTHING",
			        {in, rows, others, oid});
		    sql.run("UPDATE prodsync_work.kept k SET state = 'n' FROM (SELECT u.i, u.r " + same +
		            ") f WHERE k.rel = f.i AND k.row_id = f.r",
		        {in, rows, others});
	    });
}

void recognize_by_index(const Refresh &refresh, const core::Name &table, const core::Index &index)
{
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		// Each partition reads all rows that are not found yet: not one more than it takes.
		if (!pg::Tables(refresh.extension, pg::Plans::kept)
		         .one(std::string("SELECT 1 FROM prodsync_work.kept k WHERE k.tab = $1::oid AND ") + not_found_yet + " LIMIT 1",
		             {number(refresh.oid(table))}))
			return;
		recognize_by_index(refresh, table, *leaf, index);
	}
}

}  // namespace

std::vector<Check> recognize(const Refresh &refresh, const core::Name &table)
{
	const core::TableNode &node = refresh.graph.node(table);
	const core::Relation &relation = *node.relation;
	if (!node.match.empty()) {
		const core::Index *index = core::unique_index_over(relation, node.match);
		if (index && (!index->predicate.empty() || !comparable(relation, node.match))) recognize_by_index(refresh, table, *index);
		else if (comparable(relation, node.match)) return recognize_by_columns(refresh, table, node.match, true);
		return {};
	}
	for (const core::Index &index : relation.indexes) {
		if (!index.unique || !index.valid || !index.predicate.empty() || bare_number(refresh, table, index)) continue;
		if (std::find(index.columns.begin(), index.columns.end(), node.key) != index.columns.end()) continue;
		if (!index.expressions && !index.nulls_not_distinct && comparable(relation, index.columns))
			recognize_by_columns(refresh, table, index.columns, false);
		else recognize_by_index(refresh, table, index);
	}
	return {};
}

}  // namespace prodsync
