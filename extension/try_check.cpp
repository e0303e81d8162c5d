// Whether a CHECK constraint, of a table or of a column's domain, allows values that are in no row yet: the client asks with masks of a sample,
// before anything is written. The constraint's expression is the owner's code: it runs as the table's owner, as it will when the rows come.
#include <algorithm>
#include "core/name.hpp"
#include "inputs.hpp"
#include "literals.hpp"

namespace prodsync {

namespace {

// Names and types (bpchar, not character, which is character(1)) of the columns that the constraint looks at, and its expression; of a domain's, VALUE is the column.
constexpr const char *of_table = R"(
SELECT pg_get_expr(k.conbin, k.conrelid), c.oid::regclass, a.attname, format_type(prodsync_base.oid, -1), k.oid
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
  CROSS JOIN LATERAL (
	WITH RECURSIVE d AS (SELECT t.oid, t.typtype, t.typbasetype FROM pg_type t WHERE t.oid = a.atttypid
		UNION ALL SELECT t.oid, t.typtype, t.typbasetype FROM d JOIN pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
	SELECT d.oid FROM d WHERE d.typtype <> 'd') AS prodsync_base
 WHERE k.contype = 'c' AND n.nspname = $1 AND c.relname = $2 AND k.conname = $3)";
constexpr const char *of_domain = R"(
WITH RECURSIVE d AS (
	SELECT t.oid, t.typtype, t.typbasetype, c.oid AS relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $4 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
	 WHERE n.nspname = $1 AND c.relname = $2
	UNION ALL SELECT t.oid, t.typtype, t.typbasetype, d.relation FROM d JOIN pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
SELECT pg_get_expr(k.conbin, 0), d.relation::regclass, 'value', format_type((SELECT b.oid FROM d AS b WHERE b.typtype <> 'd'), -1), k.oid
  FROM d JOIN pg_constraint k ON k.contypid = d.oid AND k.contype = 'c' WHERE k.conname = $3)";

}  // namespace

// The number of samples that the constraint does not allow. A sample is an array of texts, or null, in the order of `columns`.
PG_FUNCTION(prodsync_try_check)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	const std::string schema = pg::arg_text(fcinfo, 0), table = pg::arg_text(fcinfo, 1), constraint = pg::arg_text(fcinfo, 2);
	const core::json given = json_arg(fcinfo, 3);
	std::vector<std::string> columns;
	for (const core::json &column : given) columns.push_back(column.is_string() ? column.get<std::string>() : "");
	std::vector<pg::Row> found;
	bool domain = false;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		found = spi.rows(of_table, {schema, table, constraint});
		if (found.empty() && columns.size() == 1) found = spi.rows(of_domain, {schema, table, constraint, columns[0]}), domain = true;
		if (!found.empty() && literals_may_run_code(spi, "pg_constraint", static_cast<Oid>(std::stoul(*found[0][4]))))
			throw pg::Error(ERRCODE_FEATURE_NOT_SUPPORTED,
			    "CHECK constraint \"" + constraint + "\" of \"" + table + "\" has a value of a domain, or of a type with domains in it, and cannot be tried");
	}
	if (found.empty())
		throw pg::Error(ERRCODE_UNDEFINED_OBJECT,
		    "there is no CHECK constraint \"" + constraint + "\" on these columns of \"" + table + "\"");
	std::string values;
	for (const pg::Row &row : found) {
		const auto at = domain ? columns.begin() : std::find(columns.begin(), columns.end(), *row[2]);
		if (at == columns.end())
			throw pg::Error(
			    ERRCODE_INVALID_PARAMETER_VALUE, "constraint \"" + constraint + "\" looks at column \"" + *row[2] + "\" too");
		values += (values.empty() ? "" : ", ") +
		    ("CAST(sample ->> " + std::to_string(at - columns.begin()) + " AS " + *row[3] + ") AS " +
		        core::quote_identifier(*row[2]));
	}
	// No row of the table is read; that it is named makes its owner the one who runs this.
	const pg::Value count = pg::Tables(extension).one("SELECT count(*) FROM (SELECT " + values +
	        " FROM jsonb_array_elements($1::jsonb) AS given (sample)) AS sampled WHERE NOT (" + *found[0][0] +
	        ") AND NOT EXISTS (SELECT FROM ONLY " + *found[0][1] + " WHERE false)",
	    {pg::arg_text(fcinfo, 4)});
	return Int64GetDatum(std::stoll(count.value_or("0")));
}

}  // namespace prodsync
