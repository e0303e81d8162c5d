#include "folds.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include "fold_keys.hpp"
#include "maps.hpp"
#include "statements.hpp"
#include "tenant_choice.hpp"
#include "words.hpp"

// The survivor rule. Two rows of the source that differ in a unique index only by a mapped column can become equal once the
// map is applied: when users without a counterpart all become the fallback, or when the rows they reference were folded
// themselves. Of each group the first row by primary key stays; the others are dropped, and their keys become a map too, so that
// whatever references them moves to the survivor.
//
// Indexes are worked off one after the other, tables in the order of their foreign keys. Each question leaves out the rows that
// earlier ones dropped. In a cycle, and in a table that references itself, a later answer can make rows of an earlier index fold: then
// that index is asked again. What an index rests on is part of the question's id (how many rows its maps have dropped), so asking
// goes on until nothing changes, and it ends because rows are only ever dropped.

namespace core {

namespace {

std::string question_id(const Answers &answers, const Graph &graph, const Name &table, const Index &index, const FoldKeys &keys)
{
	std::size_t dropped = 0;
	for (const auto &column : keys.columns()) {
		// The table's own rows count as well where it references itself: column_map() leaves its own key out.
		const Name by = column_map(graph, answers, table, column);
		if (const auto fold = answers.folds.find(by); fold != answers.folds.end()) dropped += fold->second.dropped.size();
	}
	return "folds " + table.sql() + "." + quote_identifier(index.name) + (dropped ? " after " + std::to_string(dropped) : "");
}

// What is asked about: the indexes of the target that can be decided at the source.
bool askable(const Catalog &source, const Name &table, const Index &index, const FoldKeys &keys)
{
	const Relation *there = source.find(table);
	return there && there->ordinary() && keys.undecidable(source).empty() && (index.predicate.empty() || same_index(*there, index)) &&
	    std::all_of(keys.columns().begin(), keys.columns().end(), [&](const auto &column) { return there->column(column); });
}

std::string fold_sql(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers,
    const Missing &missing, const Name &table, const Index &index, const FoldKeys &of)
{
	const Relation &root = *source.find(table);
	const auto key = common_key(*graph.node(table).relation, root);
	const auto filter = row_filter(config, graph, source, answers, missing, table, root);

	const auto keys = of.sql(root);

	std::vector<std::string> order;
	if (const Index *primary = root.primary_key())
		for (const auto &column : primary->columns) order.push_back("t." + quote_identifier(column));
	if (order.empty()) order = {"t.prodsync_oid", "t.prodsync_place"};
	const auto place = key.empty() ? std::string("t.prodsync_row") : "t." + quote_identifier(key) + "::text";

	const Index *same = same_index(root, index);
	std::vector<std::string> inner{};
	if (!filter.empty()) inner.push_back(filter);
	if (!keys.before.empty()) inner.push_back(keys.before);
	const auto where = inner.empty() ? "" : " WHERE " + joined(inner, " AND ");

	std::string sql =
	    "SELECT NULL::text, count(*)::text FROM " + from_only(root) + " AS t" + (filter.empty() ? "" : " WHERE " + filter);
	sql += "\nUNION ALL\nSELECT f.dropped, f.survivor FROM (SELECT " + place + " AS dropped, first_value(" + place +
	    ") OVER (PARTITION BY " + joined(keys.keys, ", ") + " ORDER BY " + joined(order, ", ") + ") AS survivor";
	// Rows that are equal without any map are no matter of ours: the index build will say so. Where production has the same
	// index there are none.
	if (!same) sql += ", count(*) OVER (PARTITION BY " + joined(keys.raw, ", ") + ") AS equals";
	sql += " FROM (SELECT t.tableoid AS prodsync_oid, t.ctid AS prodsync_place, " + row_place(root, "t") +
	    " AS prodsync_row, t.* FROM " + from_only(root) + " AS t" + where + ") AS t" + keys.joins;
	auto outer = index.nulls_not_distinct ? std::vector<std::string>{} : keys.given;
	if (!keys.after.empty()) outer.push_back(keys.after);
	if (!outer.empty()) sql += " WHERE " + joined(outer, " AND ");
	return sql + ") AS f WHERE f.dropped <> f.survivor" + (same ? "" : " AND f.equals = 1");
}

}  // namespace

std::string row_place(const Relation &root, const std::string &alias)
{
	return root.kind == 'p' ? "(" + alias + ".tableoid::text || " + alias + ".ctid::text)" : alias + ".ctid::text";
}

std::vector<const Index *> folding_indexes(
    const Config &config, const Graph &graph, const Answers &answers, const Missing &missing, const Name &table)
{
	std::vector<const Index *> indexes;
	const TableNode &node = graph.node(table);
	if (node.mode != Mode::copy || !node.relation) return indexes;
	for (const Index &index : node.relation->indexes)
		if (index.unique && index.valid && !index.exclusion && !index.columns.empty() &&
		    FoldKeys(config, graph, answers, missing, table, index).may_fold())
			indexes.push_back(&index);
	return indexes;
}

std::vector<Question> fold_questions(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	std::vector<Question> out;
	if (!tenants_known(config, graph, source, answers)) return out;
	for (const auto &[name, node] : graph.tables)
		if (has_fallback(config, graph, name) &&
		    (!map_complete(config, graph, answers, name) || !answers.maps.contains(name) || !answers.maps.at(name).fallback))
			return out;  // without a fallback user there is no plan, and nothing to fold into
	const Missing missing(config, graph, source, answers);
	if (!missing.ready()) return out;
	const std::unordered_set<std::string_view> answered(answers.asked.begin(), answers.asked.end());
	std::map<Name, bool> open;  // whether something about the table, or what its columns rest on, is still to be asked
	for (const Name &name : graph.parents_first()) {
		const TableNode &node = graph.node(name);
		bool &waits = open[name];
		if (node.mode != Mode::copy || !node.relation) continue;
		for (const Column &column : node.relation->columns)
			if (const Identity *identity = graph.identity(name, column.name); identity && identity->table != name)
				if (const auto earlier = open.find(identity->table); earlier != open.end() && earlier->second) waits = true;
		if (waits) continue;
		for (const Index *index : folding_indexes(config, graph, answers, missing, name)) {
			const FoldKeys keys(config, graph, answers, missing, name, *index);
			if (!askable(source, name, *index, keys)) continue;
			const auto id = question_id(answers, graph, name, *index, keys);
			if (answered.contains(id)) continue;
			if (!keys.ready(config)) {
				waits = true;
				break;
			}
			const auto key = common_key(*node.relation, *source.find(name));
			Question question{id, "folds", Side::source, name, {key.empty() ? "ctid" : key}, "", {}};
			question.columns.insert(question.columns.end(), keys.columns().begin(), keys.columns().end());
			question.sql = fold_sql(config, graph, source, answers, missing, name, *index, keys);
			out.push_back(std::move(question));
			waits = true;
			break;
		}
	}
	return out;
}

std::string fold_filter(const Fold &fold, const Relation &root, const Relation &read, const std::string &key)
{
	std::vector<std::string> dropped;
	const std::string leaf = std::to_string(read.oid);
	const bool by_place = key.empty() || fold.by_ctid, of_leaf = by_place && root.kind == 'p' && read.kind != 'p';
	for (const auto &[place, survivor] : fold.dropped) {
		if (!of_leaf)
			dropped.push_back(place);
		else if (place.starts_with(leaf + "("))
			dropped.push_back(place.substr(leaf.size()));
	}
	if (dropped.empty()) return "";
	if (!by_place && !read.column(key)) return "";
	const bool whole_tree = by_place && read.kind == 'p';
	const auto type = whole_tree ? "text" : by_place ? "tid" : read.column(key)->base;
	const auto value = whole_tree ? row_place(root, "t") : by_place ? "t.ctid" : "t." + quote_identifier(key);
	// A join however many there are: before release 15, <> ALL compares each row with each of them.
	return "NOT EXISTS (SELECT FROM unnest(" + array_literal(dropped, type) + ") AS d(k) WHERE d.k = " + value + ")";
}

std::string row_filter(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers,
    const Missing &missing, const Name &table, const Relation &read)
{
	const TableNode &node = graph.node(table);
	const Relation *root = source.find(table);
	std::string filter = tenant_rows(config, graph, source, answers, table);
	if (const auto copied = missing.where_copied(table); !copied.empty()) filter += (filter.empty() ? "" : " AND ") + copied;
	const auto fold = answers.folds.find(table);
	if (!root || fold == answers.folds.end()) return filter;
	const auto folded = fold_filter(fold->second, *root, read, common_key(*node.relation, *root));
	return filter.empty() || folded.empty() ? filter + folded : filter + " AND " + folded;
}

}  // namespace core
