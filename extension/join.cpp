// users.join_tenants, in the switch: after what gives way is gone and before kept rows come, the shadows hold what was imported and nothing else.
// So every tenant in there is an imported one, and a membership of the fallback user that folding left is seen. The new rows were born here:
// their keys lie in the reserved range, above the kept rows' new ones.
#include "core/join_tenants.hpp"
#include "core/maps.hpp"
#include "foreign_keys.hpp"
#include "kept.hpp"
#include "shadow.hpp"

namespace prodsync {

// The shadow has no defaults of columns that the load brings; the table has.
static std::map<std::string, std::string> defaults(const Refresh &refresh, const core::Name &table)
{
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	std::map<std::string, std::string> out;
	for (const pg::Row &row : spi.rows("SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
									   " WHERE d.adrelid = $1::oid AND a.attgenerated = ''", {std::to_string(refresh.oid(table))}))
		out[*row[0]] = *row[1];
	return out;
}

// Above whatever was given out: keys in the range, the sequence, and what kept rows are about to get.
static std::string first_free(const Refresh &refresh, const core::Name &table, const core::TableNode &node)
{
	const std::string key = core::quote_identifier(node.key), start = std::to_string(node.reserved_from), sequence = node.relation->column(node.key)->sequence;
	return "(SELECT greatest(" + start + "::bigint, (SELECT max(o." + key + ") + 1 FROM " + refresh.old_rows(table, "o") + " WHERE o." + key + " >= " + start + ")" +
		   (sequence.empty() ? "" : ", (SELECT last_value + 1 FROM " + sequence + " WHERE last_value >= " + start + ")") +
		   ", (SELECT max(m.new_key::bigint) + 1 FROM prodsync_work.moved m WHERE m.tab = " + std::to_string(refresh.oid(table)) + "::oid AND m.why = 'k')))";
}

std::vector<Check> join_tenants(const Refresh &refresh)
{
	std::vector<core::Problem> problems;    // the plan had them
	const std::optional<core::Membership> found = core::membership(refresh.config(), refresh.graph, refresh.catalog(), problems);
	if (!found || refresh.nothing_comes || !refresh.replaced(found->table)) return {};
	const core::Name tenants = core::tenant_table(refresh.config(), refresh.graph), users = core::find_table(refresh.graph, refresh.config().users->table);
	const auto map = refresh.documents.answers.maps.find(users);
	if (map == refresh.documents.answers.maps.end() || !map->second.fallback) return {};

	const core::TableNode &node = refresh.graph.node(found->table);
	const std::string tenant = "n." + core::quote_identifier(core::single_key(*refresh.graph.node(tenants).relation)), fallback = core::quote_literal(*map->second.fallback);
	const auto &given = refresh.config().users->join_tenants->values;
	const std::map<std::string, std::string> otherwise = defaults(refresh, found->table);
	std::vector<std::string> columns, values;
	for (const core::Column *column : refresh.stored_columns(found->table)) {
		std::string value;
		if (column->name == found->tenant) value = tenant;
		else if (column->name == found->user) value = fallback;
		else if (auto said = given.find(column->name); said != given.end()) value = core::quote_literal(said->second);
		else if (column->name == node.key) value = first_free(refresh, found->table, node) + " - 1 + row_number() OVER (ORDER BY " + tenant + ")";
		else if (auto expression = otherwise.find(column->name); expression != otherwise.end()) value = "(" + expression->second + ")";
		else continue;
		columns.push_back(core::quote_identifier(column->name));
		values.push_back(value);
	}
	std::string where = "NOT EXISTS (SELECT 1 FROM " + refresh.new_rows(found->table, {found->tenant, found->user}, "x") + " WHERE x." + core::quote_identifier(found->tenant) + " = " + tenant +
						" AND x." + core::quote_identifier(found->user) + " = " + fallback + ")";
	if (!refresh.replaced(tenants))    // they stay in this run, the kept ones among them
		where += " AND NOT EXISTS (SELECT 1 FROM prodsync_work.kept k WHERE k.tab = " + std::to_string(refresh.oid(tenants)) + "::oid AND k.rel = n.tableoid AND k.row_id = n.ctid AND k.why = 'k')";
	const core::Relation &leaf = *refresh.catalog().storage(found->table)[0];
	const std::uint64_t joined = pg::Tables(refresh.extension).run("INSERT INTO " + refresh.shadow_of(static_cast<Oid>(leaf.oid)) + " (" + core::joined(columns, ", ") + ") SELECT " + core::joined(values, ", ") +
																   " FROM " + refresh.new_rows(tenants, {core::single_key(*refresh.graph.node(tenants).relation)}, "n") + " WHERE " + where);
	std::vector<Check> out{{"fallback user joined", found->table.shown(), 0, core::json{{"tenants", joined}}.dump(), true}};
	pg::Tables sql(refresh.extension);
	for (const core::ForeignKey *key : refresh.graph.from(found->table))
		if (Check check = check_foreign_key(sql, refresh, *key, leaf.name); !check.ok) out.push_back(check);
	return out;
}

}  // namespace prodsync
