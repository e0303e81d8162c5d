// Samples of a table: how they are read, and how they are taken apart.
#include <algorithm>
#include <cstdio>

#include "detect.hpp"
#include "name.hpp"

namespace core {

namespace {

// Rows that are looked at: enough to see what a column holds, few enough that a hundred tables take a second.
constexpr std::size_t most_rows = 300, fewest_rows = 60, most_values = 6000;
// Larger tables are read at pages all over them, smaller ones from their beginning; and no more than so many pages of any.
constexpr double small_pages = 20, most_pages = 1000;
// Of a partitioned table.
constexpr std::size_t most_leaves = 20, fewest_rows_of_leaf = 15;
// Bytes as stored, which is compressed where the server compressed it: of a value that is larger nothing is read. One that is not reads at most so many
// bytes; where it compresses well what it becomes in memory for a moment can be a hundred times as much, of one row at a time.
constexpr int most_bytes = 16384;
constexpr int most_characters = 300, most_characters_of_document = most_bytes;

std::string of_elements(std::string base)
{
	while (base.ends_with("[]")) base.resize(base.size() - 2);
	return base;
}

bool is_built_in_text(const Column &column)
{
	const std::string base = of_elements(column.base);
	return base == "text" || base == "character varying" || base == "character" || base == "name" || base == "json" ||
	    base == "jsonb" || base == "xml";
}

bool is_sampled(const Column &column)
{
	const std::string base = of_elements(column.base);
	if (column.generated) return false;
	// Numbers that are called like somebody's: whether they are as long as such a number.
	if (kind_of(column) == Kind::number) return sign_of_name(words_of_name(column.name), Kind::number).has_value();
	return (is_built_in_text(column) || kind_of_type(base) == ValueKind::text || is_hstore(base));
}

}  // namespace

std::vector<std::string> sampled_columns(const Relation &table)
{
	std::vector<std::string> out;
	for (const Column &column : table.columns)
		if (is_sampled(column)) out.push_back(column.name);
	return out;
}

namespace {

// The values of a column in text form, bounded. format() asks the type's output function: a cast to text may be a function of somebody's.
std::string bounded(const Column &column)
{
	const bool document = ColumnContent::shape_of(column) != ColumnContent::Shape::text;
	const std::string value = "t." + quote_identifier(column.name);
	const std::string text = is_built_in_text(column) ? value + "::pg_catalog.text" : "pg_catalog.format('%s', " + value + ")";
	return "CASE WHEN pg_catalog.pg_column_size(" + value + ") <= " + std::to_string(most_bytes) + " THEN pg_catalog.left(" + text + ", " +
	    std::to_string(document ? most_characters_of_document : most_characters) + ") END";
}

// The newest rows by the primary key; nothing where there is none to go by.
std::string newest_first(const Relation &relation)
{
	const Index *key = relation.primary_key();
	if (!key || key->columns.empty() || key->method != "btree") return {};
	std::string order;
	for (const std::string &column : key->columns) order += (order.empty() ? " ORDER BY t." : ", t.") + quote_identifier(column) + " DESC";
	return order;
}

// What of the relation is read, behind FROM: never more than `most_pages` of it, however large or empty it has become.
std::string part_of(const Relation &relation, std::size_t rows)
{
	const double pages = static_cast<double>(relation.pages), counted = std::max(0.0, relation.rows);
	const std::string limit = " LIMIT " + std::to_string(rows);
	if (pages > small_pages && counted > 0) {
		// as many pages as hold the rows, and a half more: statistics may be old
		const double wanted = std::clamp(1.5 * static_cast<double>(rows) * pages / counted, 4.0, most_pages);
		// Nearly all pages are empty: those that are not are found by the index.
		const double expected = counted * wanted / pages, enough = std::min(counted, static_cast<double>(rows)) / 4;
		if (const auto newest = newest_first(relation); expected < enough && !newest.empty()) return newest + limit;
		if (wanted < pages) {
			char percent[32];
			std::snprintf(percent, sizeof percent, "%.6f", std::clamp(100 * wanted / pages, 0.000001, 100.0));
			// pages come in their order: a limit that cuts off what was sampled would never see the table's end
			return std::string(" TABLESAMPLE pg_catalog.system (") + percent + ") REPEATABLE (1) LIMIT " + std::to_string(rows * 3);
		}
	}
	// Small, or nobody has counted. (Before release 14 this bounds what is shown, not what is read.)
	return " WHERE t.ctid < '(" + std::to_string(static_cast<int>(most_pages)) + ",0)'::pg_catalog.tid" + limit;
}

// Of a partitioned table some of its leaves, all over it and those with rows first, so that never more than one of them is locked. Leaves that may be
// read only through the root are.
std::vector<const Relation *> sampled_relations(const Catalog &catalog, const Relation &table)
{
	if (table.kind != 'p') return {&table};
	std::vector<const Relation *> leaves;
	for (const Relation *leaf : catalog.storage(table.name))
		if (leaf->readable && leaf->bypasses_row_security) leaves.push_back(leaf);
	if (leaves.empty()) return {&table};
	std::stable_partition(leaves.begin(), leaves.end(), [](const Relation *leaf) { return leaf->rows > 0; });
	const auto filled = static_cast<std::size_t>(std::count_if(leaves.begin(), leaves.end(), [](const Relation *leaf) { return leaf->rows > 0; }));
	const std::size_t among = filled ? filled : leaves.size(), wanted = std::min(among, most_leaves);
	std::vector<const Relation *> out;
	for (std::size_t i = 0; i < wanted; ++i) out.push_back(leaves[wanted > 1 ? i * (among - 1) / (wanted - 1) : 0]);
	// what came after the last ANALYZE
	for (std::size_t i = filled; filled && i < leaves.size() && out.size() < most_leaves; ++i) out.push_back(leaves[i]);
	return out;
}

}  // namespace

std::vector<SampleStatement> sample_statements(const Catalog &catalog, const Relation &table, const std::vector<std::string> &columns)
{
	std::string list;
	for (const std::string &name : columns)
		if (const Column *column = table.column(name)) list += (list.empty() ? "" : ", ") + bounded(*column);
	const auto relations = sampled_relations(catalog, table);
	const std::size_t rows = std::clamp(most_values / std::max<std::size_t>(columns.size(), 1), fewest_rows, most_rows);
	const std::size_t each = std::max(rows / relations.size(), fewest_rows_of_leaf);
	std::vector<SampleStatement> out;
	for (const Relation *relation : relations) {
		const bool root = relation->kind == 'p';
		out.push_back({relation->name, "SELECT " + list + " FROM " + (root ? "" : "ONLY ") + relation->name.sql() + " AS t" +
		                                   (root ? " LIMIT " + std::to_string(rows) : part_of(*relation, each))});
	}
	return out;
}

void add_sample(TableContent &content, const Relation &table, const std::vector<std::string> &columns,
    const std::vector<std::optional<std::string>> &row)
{
	for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
		if (!row[i]) continue;
		auto at = content.find(columns[i]);
		if (at == content.end()) {
			const Column *column = table.column(columns[i]);
			at = content.emplace(columns[i], ColumnContent(column ? ColumnContent::shape_of(*column) : ColumnContent::Shape::text)).first;
		}
		at->second.add(*row[i]);
	}
}

}  // namespace core
