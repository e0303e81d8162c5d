// Samples of a table: how they are read, and how they are taken apart.
#include <algorithm>
#include <cstdio>

#include "detect.hpp"
#include "name.hpp"

namespace core {

namespace {

// Rows that are looked at: enough to see what a column holds, few enough that a hundred tables take a second.
constexpr std::size_t most_rows = 300, fewest_rows = 60, most_values = 6000;
// Larger tables are read at pages all over them, smaller ones from their beginning.
constexpr double small_pages = 20;
// Bytes as stored: of a value that is larger nothing is read, so that no sample costs a detoasted megabyte.
constexpr int most_bytes = 16384;
constexpr int most_characters = 300, most_characters_of_document = most_bytes;

bool is_sampled(const Column &column)
{
	if (column.generated) return false;
	std::string base = column.base;
	while (base.ends_with("[]")) base.resize(base.size() - 2);
	// Types of which the text is that of a value: to cast another one may be a function of somebody's.
	return base == "text" || base == "character varying" || base == "character" || base == "name" || base == "json" || base == "jsonb" || base == "xml" ||
	    base == "citext" || base.ends_with(".citext") || base == "hstore" || base.ends_with(".hstore");
}

}  // namespace

std::vector<std::string> sampled_columns(const Relation &table)
{
	std::vector<std::string> out;
	for (const Column &column : table.columns)
		if (is_sampled(column)) out.push_back(column.name);
	return out;
}

std::string sample_statement(const Catalog &catalog, const Relation &table, const std::vector<std::string> &columns)
{
	std::string list;
	for (const std::string &name : columns) {
		const Column *column = table.column(name);
		const bool document = column && ColumnContent::shape_of(*column) != ColumnContent::Shape::text;
		const std::string value = "t." + quote_identifier(name);
		list += (list.empty() ? "" : ", ") + std::string("CASE WHEN pg_catalog.pg_column_size(") + value + ") <= " + std::to_string(most_bytes) + " THEN pg_catalog.left(" +
		    value + "::pg_catalog.text, " + std::to_string(document ? most_characters_of_document : most_characters) + ") END";
	}
	const std::size_t rows = std::clamp(most_values / std::max<std::size_t>(columns.size(), 1), fewest_rows, most_rows);
	double pages = 0, counted = 0;
	for (const Relation *leaf : catalog.storage(table.name)) pages += static_cast<double>(leaf->pages), counted += std::max(0.0, leaf->rows);
	std::string sample;
	std::size_t limit = rows;
	if (pages > small_pages && counted > 2 * static_cast<double>(rows)) {
		// as many pages as hold the rows, and a half more: statistics may be old
		const double wanted = std::max(4.0, 1.5 * static_cast<double>(rows) * pages / counted);
		char percent[32];
		std::snprintf(percent, sizeof percent, "%.6f", std::clamp(100 * wanted / pages, 0.000001, 100.0));
		sample = std::string(" TABLESAMPLE pg_catalog.system (") + percent + ") REPEATABLE (1)";
		limit *= 3;    // pages come in their order: a limit that cuts off what was sampled would never see the table's end
	}
	return "SELECT " + list + " FROM " + (table.kind == 'p' ? "" : "ONLY ") + table.name.sql() + " AS t" + sample + " LIMIT " + std::to_string(limit);
}

void add_sample(TableContent &content, const Relation &table, const std::vector<std::string> &columns, const std::vector<std::optional<std::string>> &row)
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
