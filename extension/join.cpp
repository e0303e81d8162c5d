// users.join_tenants, in the switch: after what gives way is gone and before kept rows come, the shadows hold what was imported and nothing else.
// So every tenant in there is an imported one, and a membership of the fallback user that folding left is seen. The new rows were born here:
// their keys lie in the reserved range, above the kept rows' new ones.
//
// The preflight tries the same and takes it back: what the rows break is then known while nobody waits.
#include "core/join_tenants.hpp"
#include "core/maps.hpp"
#include "core/statements.hpp"
#include "collisions.hpp"
#include "foreign_keys.hpp"
#include "kept.hpp"
#include "literals.hpp"
#include "shadow.hpp"
#include "subtransaction.hpp"
#include "pg_server.hpp"

namespace prodsync {

// The shadow has no defaults of columns that the load brings; the table has. Empty: one that must not be parsed here.
static std::map<std::string, std::string> defaults(const Refresh &refresh, const core::Name &table)
{
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	std::map<std::string, std::string> out;
	for (const pg::Row &row : spi.rows("SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), d.oid FROM pg_attrdef d JOIN pg_attribute a "
	                                   "ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
	                                   " WHERE d.adrelid = $1::oid AND a.attgenerated = ''",
	         {std::to_string(refresh.oid(table))}))
		out[*row[0]] = literals_may_run_code(spi, "pg_attrdef", static_cast<Oid>(std::stoul(*row[2]))) ? "" : *row[1];
	return out;
}

// Above whatever was given out: keys in the range, the sequence, and what kept rows are about to get.
static std::string first_free(const Refresh &refresh, const core::Name &table, const core::TableNode &node)
{
	const std::string key = core::quote_identifier(node.key), start = std::to_string(node.reserved_from),
	                  sequence = node.relation->column(node.key)->sequence;
	return "(SELECT greatest(" + start + "::bigint, (SELECT max(o." + key + ") + 1 FROM " + refresh.old_rows(table, "o") +
	    " WHERE o." + key + " >= " + start + ")" +
	    (sequence.empty() ? "" : ", (SELECT last_value + 1 FROM " + sequence + " WHERE last_value >= " + start + ")") +
	    ", (SELECT max(m.new_key::bigint) + 1 FROM prodsync_work.moved m WHERE m.tab = " + std::to_string(refresh.oid(table)) +
	    "::oid AND m.why = 'k')))";
}

namespace {

// A literal gets its type when the statement runs, as the table's owner: the parser, which is the extension's, would run the CHECK of a domain in an array.
std::string typed(const std::string &literal, const core::Column &column) { return literal + "::text::" + core::cast_type(column.base); }

// The new rows, one for each tenant that has none, as a FROM item of the columns' names.
struct Joining {
	core::Membership membership;
	core::Relation leaf;
	std::vector<std::string> columns;    // quoted
	std::string rows;
	std::string tenant_type;
};

}  // namespace

static std::optional<Joining> who_joins(const Refresh &refresh)
{
	std::vector<core::Problem> problems;    // the plan had them
	const std::optional<core::Membership> found = core::membership(refresh.config(), refresh.graph, refresh.catalog(), problems);
	if (!found || refresh.nothing_comes || !refresh.replaced(found->table)) return std::nullopt;
	const core::Name tenants = core::tenant_table(refresh.config(), refresh.graph),
	                 users = core::find_table(refresh.graph, refresh.config().users->table);
	const auto map = refresh.documents.answers.maps.find(users);
	if (map == refresh.documents.answers.maps.end() || !map->second.fallback) return std::nullopt;

	Joining out{*found, *refresh.catalog().storage(found->table)[0], {}, {}, {}};
	const core::TableNode &node = refresh.graph.node(found->table);
	const std::string tenant = "n." + core::quote_identifier(core::single_key(*refresh.graph.node(tenants).relation)),
	                  fallback = core::quote_literal(*map->second.fallback);
	const auto &given = refresh.config().users->join_tenants->values;
	const std::map<std::string, std::string> otherwise = defaults(refresh, found->table);
	std::vector<std::string> values;
	for (const core::Column *column : refresh.stored_columns(found->table)) {
		std::string value;
		if (column->name == found->tenant) value = tenant, out.tenant_type = core::cast_type(column->base);
		else if (column->name == found->user) value = typed(fallback, *column);
		else if (auto said = given.find(column->name); said != given.end()) value = typed(core::quote_literal(said->second), *column);
		else if (column->name == node.key) value = first_free(refresh, found->table, node) + " - 1 + row_number() OVER (ORDER BY " + tenant + ")";
		else if (auto expression = otherwise.find(column->name); expression != otherwise.end()) {
			if (expression->second.empty())
				throw pg::Error(PS_PROBLEMS,
				    "the default of " + found->table.shown() + "." + column->name +
				        ", which users.join_tenants needs, has a value of a domain, or of a type with domains in it",
				    {}, "Give the value: users.join_tenants.values: {" + column->name + ": ...}");
			value = "(" + expression->second + ")";
		} else continue;
		out.columns.push_back(core::quote_identifier(column->name));
		values.push_back(value + " AS " + out.columns.back());
	}
	std::string where = "NOT EXISTS (SELECT 1 FROM " + refresh.new_rows(found->table, {found->tenant, found->user}, "x") +
	    " WHERE x." + core::quote_identifier(found->tenant) + " = " + tenant + " AND x." + core::quote_identifier(found->user) +
	    " = " + fallback + ")";
	if (!refresh.replaced(tenants))    // they stay in this run, the kept ones among them
		where += " AND NOT EXISTS (SELECT 1 FROM prodsync_work.kept k WHERE k.tab = " + std::to_string(refresh.oid(tenants)) +
		    "::oid AND k.rel = n.tableoid AND k.row_id = n.ctid AND k.why = 'k')";
	out.rows = "(SELECT " + core::joined(values, ", ") + " FROM " +
	    refresh.new_rows(tenants, {core::single_key(*refresh.graph.node(tenants).relation)}, "n") + " WHERE " + where + ") AS j";
	return out;
}

static std::string insert(const Refresh &refresh, const Joining &joining, const std::string &where = "")
{
	const std::string columns = core::joined(joining.columns, ", ");
	return "INSERT INTO " + refresh.shadow_of(static_cast<Oid>(joining.leaf.oid)) + " (" + columns + ") SELECT " + columns +
	    " FROM " + joining.rows + where;
}

// "member.member_role_check": what the new rows break, by the names of the original.
static std::string shown(const Joining &joining, const Subtransaction::Violation &violation)
{
	std::string name = violation.constraint.empty() ? violation.column : violation.constraint;
	const auto index = name.rfind('_');    // i_<shadow>_<index>
	if (name.starts_with("i_") && index != std::string::npos && name.find_first_not_of("0123456789", index + 1) == std::string::npos) {
		const Oid oid = static_cast<Oid>(std::stoul(name.substr(index + 1)));
		if (const char *of_index = pg::call([=] { return get_rel_name(oid); })) name = of_index;
	}
	return joining.leaf.name.shown() + (name.empty() ? "" : "." + name);
}

static Check broken(const std::string &object, std::int64_t rows, const char *text)
{
	return {"fallback user joined", object, rows, core::json{{"text", text}}.dump(), false};
}

// The insert ends at the first row that breaks something; one by one all are found. From the last tenant on: those before it keep their numbers. Of many
// tenants some are enough.
static std::vector<Check> each_violation(const Refresh &refresh, const Joining &joining)
{
	const std::string tenant = "j." + core::quote_identifier(joining.membership.tenant);
	std::map<std::string, std::int64_t> found;
	pg::Tables sql(refresh.extension);
	for (const pg::Row &row : sql.rows("SELECT " + tenant + "::text FROM " + joining.rows + " ORDER BY " + tenant + " DESC LIMIT 1000")) {
		const auto violation = attempt(true, [&] {
			pg::Tables(refresh.extension)
			    .run(insert(refresh, joining, " WHERE " + tenant + " = $1::" + joining.tenant_type), {row[0]});
		});
		if (violation) found[shown(joining, *violation)]++;
		pg::check_interrupts();
	}
	std::vector<Check> out;
	for (const auto &[object, rows] : found) out.push_back(broken(object, rows, "memberships that users.join_tenants would add break it"));
	return out;
}

// Kept rows come after them.
static std::vector<Check> collisions_with_kept(const Refresh &refresh, const Joining &joining)
{
	const std::string writer = std::to_string(pg::call([] { return GetCurrentTransactionId(); })),
	                  shadow = refresh.shadow_of(static_cast<Oid>(joining.leaf.oid));
	find_collisions(refresh, joining.membership.table, {});
	std::vector<Check> out;
	pg::Tables sql(refresh.extension);
	for (const pg::Row &row : sql.rows("SELECT c.index_name, count(*) FROM prodsync_work.collision c JOIN prodsync_work.kept k "
	                                   "USING (rel, row_id) JOIN ONLY " +
	             shadow + " AS s ON s.ctid = c.other WHERE c.into_rel = $1::oid AND s.xmin = $2::xid AND " + is_brought +
	             " GROUP BY 1 ORDER BY 1",
	         {std::to_string(joining.leaf.oid), writer}))
		out.push_back(broken(joining.leaf.name.shown() + "." + *row[0], std::stoll(*row[1]),
		    "a kept row has the unique key of a membership that users.join_tenants would add"));
	return out;
}

static std::vector<Check> join(const Refresh &refresh, bool keep)
{
	const std::optional<Joining> joining = who_joins(refresh);
	if (!joining) return {};
	std::uint64_t joined = 0;
	std::vector<Check> out;
	const auto first = attempt(keep, [&] {
		joined = pg::Tables(refresh.extension).run(insert(refresh, *joining));
		if (joined) out = collisions_with_kept(refresh, *joining);
	});
	if (first) {
		(void)attempt(false, [&] { out = each_violation(refresh, *joining); });
		if (out.empty()) out.push_back(broken(shown(*joining, *first), 1, "memberships that users.join_tenants would add break it"));
		return out;
	}
	out.push_back({"fallback user joined", joining->membership.table.shown(), 0, core::json{{"tenants", joined}}.dump(), true});
	if (!keep) return out;
	pg::Tables sql(refresh.extension);
	for (const core::ForeignKey *key : refresh.graph.from(joining->membership.table))
		if (Check check = check_foreign_key(sql, refresh, *key, joining->leaf.name); !check.ok) out.push_back(check);
	return out;
}

std::vector<Check> join_tenants(const Refresh &refresh) { return join(refresh, true); }

std::vector<Check> check_join_tenants(const Refresh &refresh) { return join(refresh, false); }

}  // namespace prodsync
