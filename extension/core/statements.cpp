#include "statements.hpp"

#include <algorithm>

#include "catalog_query.hpp"
#include "key_types.hpp"
#include "masks.hpp"

namespace core {

namespace {

// Text forms that mean the same on both sides, and no limit but those that the client sets itself.
std::vector<std::string> common_settings(int server_version)
{
	std::vector<std::string> settings{
	    "SET client_encoding = 'UTF8'",
	    "SET bytea_output = 'hex'",
	    "SET lc_monetary = 'C'",
	    "SET xmloption = 'content'",
	    "SET row_security = off",
	    "SET statement_timeout = 0",
	    "SET lock_timeout = 0",
	    "SET idle_in_transaction_session_timeout = 0",
	};
	// Casts and operators of ours mean the built-in ones, and both sides write dates, numbers and names alike.
	for (const auto &[name, value] : catalog_settings) settings.push_back(std::string("SET ") + name + " = " + value);
	if (server_version >= 140000) settings.emplace_back("SET idle_session_timeout = 0");
	if (server_version >= 170000) settings.emplace_back("SET transaction_timeout = 0");
	return settings;
}

bool is_number(const std::string &value)
{
	return !value.empty() && value.size() < 20 && value.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::vector<std::string> source_settings(int server_version)
{
	auto settings = common_settings(server_version);
	settings.emplace_back("SET default_transaction_read_only = on");
	// Scans that join a running one would start in the middle of the table: rows in an order that no second run repeats.
	settings.emplace_back("SET synchronize_seqscans = off");
	return settings;
}

std::vector<std::string> target_settings(int server_version)
{
	auto settings = common_settings(server_version);
	// Whatever the database or the role has for a default.
	settings.emplace_back("SET default_transaction_isolation = 'read committed'");
	settings.emplace_back("SET default_transaction_read_only = off");
	return settings;
}

std::string begin_snapshot(const std::string &snapshot)
{
	const std::string begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n";
	if (snapshot.empty()) return begin + "SELECT pg_catalog.pg_export_snapshot()";
	return begin + "SET TRANSACTION SNAPSHOT " + quote_literal(snapshot);
}

std::string lock_source(const Name &relation) { return "LOCK TABLE ONLY " + relation.sql() + " IN ACCESS SHARE MODE"; }

std::string source_filenode(const Name &relation)
{
	return "SELECT pg_catalog.pg_relation_filenode(" + quote_literal(relation.sql()) + "::pg_catalog.regclass)";
}

// What a statement has read is what its transaction holds locks on, whatever named it: a path to the tenant, a row that must be there, SQL of a
// masking rule. pg_class and pg_inherits show the snapshot's moment, functions over the server's caches what is now: other files, another name (then the
// statement may have meant another table), another root. Of children by inheritance no function tells whose they are now, only that one was dropped.
// A table that pg_class does not show was made since, under the name of one that was dropped; but for a partition below one whose own have all stayed
// (pg_partman makes them at any time): its rows are new, too. (Indexes and TOAST tables that were made since are no matter: reads of an old snapshot
// pass them by.)
std::string rewritten_since_snapshot()
{
	return R"sql(WITH held AS MATERIALIZED (
	SELECT DISTINCT l.relation FROM pg_catalog.pg_locks AS l
	WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.relation >= 16384::pg_catalog.oid)
SELECT h.relation::pg_catalog.int8, h.relation::pg_catalog.regclass, found.what
FROM held AS h
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = h.relation
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT CASE
	WHEN c.oid IS NULL THEN CASE
		WHEN pg_catalog.pg_index_has_property(h.relation, 'clusterable') IS NULL
			AND NOT pg_catalog.starts_with(h.relation::pg_catalog.regclass::pg_catalog.text, 'pg_toast.')
			AND NOT EXISTS (SELECT FROM held AS up WHERE up.relation = (
				SELECT a.relid FROM pg_catalog.pg_partition_ancestors(h.relation) WITH ORDINALITY AS a (relid, height)
				JOIN pg_catalog.pg_class AS old ON old.oid = a.relid ORDER BY a.height LIMIT 1))
			THEN 'was truncated or rewritten' END
	WHEN c.relkind IN ('r', 'm') AND c.relfilenode <> pg_catalog.pg_relation_filenode(h.relation) THEN 'was truncated or rewritten'
	WHEN c.relkind IN ('r', 'm', 'p', 'v', 'f') AND (pg_catalog.pg_identify_object(1259::pg_catalog.oid, h.relation, 0)).identity
		<> pg_catalog.format('%I.%I', n.nspname, c.relname) THEN 'was renamed'
	WHEN c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND pg_catalog.pg_partition_root(h.relation) <> h.relation THEN 'was attached as a partition'
	WHEN c.relkind = 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_partition_ancestors(i.inhrelid) AS a WHERE a.relid = c.oid)) THEN 'has lost a partition'
	WHEN c.relkind IN ('r', 'f') AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid
		AND pg_catalog.has_table_privilege(i.inhrelid, 'SELECT') IS NULL) THEN 'has lost a child' END AS what) AS found
WHERE found.what IS NOT NULL ORDER BY 2 LIMIT 1)sql";
}

bool reads_more(const Step &step)
{
	return !step.filter.empty() || std::any_of(step.columns.begin(), step.columns.end(), [](const Transfer &transfer) {
		return !transfer.source_value.empty() || !transfer.mask.when.empty() || transfer.mask.strategy == by_production;
	});
}

std::string mask_condition(const MaskRule &rule) { return rule.when.empty() ? "" : "((" + rule.when + ") IS TRUE)"; }

std::string mask_entity(const MaskRule &rule) { return rule.entity.empty() ? "" : "t." + quote_identifier(rule.entity); }

std::vector<std::string> read_beside(const Step &step)
{
	std::vector<std::string> beside;
	for (const Transfer &transfer : step.columns)
		for (const std::string &sql : {mask_condition(transfer.mask), mask_entity(transfer.mask)})
			if (!sql.empty() && std::find(beside.begin(), beside.end(), sql) == beside.end()) beside.push_back(sql);
	return beside;
}

std::string select_from_source(const Step &step)
{
	std::string columns;
	for (const auto &transfer : step.columns) {
		columns += columns.empty() ? "" : ", ";
		if (transfer.mask.strategy == by_production) columns += "(" + transfer.mask.text("expression") + ")";
		else columns += transfer.source_value.empty() ? "t." + quote_identifier(transfer.column) : "(" + transfer.source_value + ")";
		if (!transfer.source_cast.empty()) columns += "::" + transfer.source_cast;
	}
	for (const std::string &sql : read_beside(step)) columns += ", " + sql;
	return "SELECT " + columns + " FROM ONLY " + step.source_relation.sql() + " AS t" + (step.filter.empty() ? "" : " WHERE " + step.filter);
}

std::string copy_from_source(const Step &step)
{
	return "COPY (" + select_from_source(step) + ") TO STDOUT (FORMAT " + (step.binary ? "binary)" : "text, ENCODING 'UTF8')");
}

std::string copy_into_shadow(const Step &step, const std::string &shadow)
{
	std::string columns;
	for (const auto &transfer : step.columns) columns += (columns.empty() ? "" : ", ") + quote_identifier(transfer.column);
	// Frozen rows need a table that this transaction has made, and no root above it.
	return "COPY " + shadow + " (" + columns + ") FROM STDIN (" + (step.routed ? "" : "FREEZE true, ") + "FORMAT " +
	    (step.binary ? "binary)" : "text, ENCODING 'UTF8')");
}

std::string array_text(const std::vector<std::string> &values)
{
	std::string array = "{";
	for (const auto &value : values) {
		if (array.size() > 1) array += ',';
		if (is_number(value)) {
			array += value;
			continue;
		}
		array += '"';
		for (const char c : value) {
			if (c == '"' || c == '\\') array += '\\';
			array += c;
		}
		array += '"';
	}
	return array + "}";
}

std::string cast_type(const std::string &base_type)
{
	for (const std::string name : {"character", "bit"})
		if (base_type == name || base_type == name + "[]") return "pg_catalog." + (name == "bit" ? name : "bpchar") + base_type.substr(name.size());
	return base_type;
}

std::string array_literal(const std::vector<std::string> &values, const std::string &base_type)
{
	return quote_literal(array_text(values)) + "::" + cast_type(base_type) + "[]";
}

std::string from_only(const Relation &relation) { return (relation.kind == 'p' ? "" : "ONLY ") + relation.name.sql(); }

namespace {

struct PathCondition {
	const Ways &ways;
	const std::string &tenant_key;
	const std::function<std::string(const std::string &)> &of_key;

	// From the row `alias`, which is the `depth`th on the way, along the rest of the path.
	std::string from(const std::vector<Hop> &path, std::size_t at, const std::string &alias, int depth, std::set<std::string> passed) const
	{
		if (at == path.size()) return of_key(alias + "." + quote_identifier(tenant_key));
		const Hop &hop = path[at];
		if (hop.to.empty()) {
			std::string any;
			if (passed.insert(hop.constraint).second)
				for (const Hop &branch : ways.branches(hop))
					any += (any.empty() ? "" : " OR ") + ways.of_model(branch, alias) + " AND " +
					    exists(branch, alias, depth, [&](const std::string &next) { return from(ways.path(branch.to), 0, next, depth + 1, passed); });
			return any.empty() ? "false" : "(" + any + ")";
		}
		// The last foreign key holds the tenant's key itself: no need to look at the tenant table.
		if (at + 1 == path.size() && hop.by.empty() && hop.referenced == std::vector{tenant_key})
			return of_key(alias + "." + quote_identifier(hop.columns.front()));
		return (hop.by.empty() ? "" : ways.of_model(hop, alias) + " AND ") +
		    exists(hop, alias, depth, [&](const std::string &next) { return from(path, at + 1, next, depth + 1, passed); });
	}

	std::string exists(const Hop &hop, const std::string &alias, int depth, const std::function<std::string(const std::string &)> &rest) const
	{
		const Relation *to = ways.catalog().find(hop.to);
		const std::string next = "p" + std::to_string(depth + 1);
		return "EXISTS (SELECT FROM " + (to ? from_only(*to) : "ONLY " + hop.to.sql()) + " AS " + next + " WHERE " +
		    ways.equals(hop, alias, next) + " AND " + rest(next) + ")";
	}
};

bool has_hops(const Ways &ways, const Name &table, const std::vector<Hop> &path, std::set<std::string> passed)
{
	const Catalog &catalog = ways.catalog();
	const Relation *from = catalog.find(table);
	const auto leads = [&](const Hop &hop, const Relation *to) {
		// What is asked of the ids follows from the target's types (as_key()); a server whose own do not fit would end in 42883.
		const std::string text_of = hop.by.empty() ? "" : ways.key(hop).text_of;
		for (std::size_t i = 0; i < hop.columns.size(); ++i) {
			const Column *id = from->column(hop.columns[i]), *key = to ? to->column(hop.referenced[i]) : nullptr;
			if (!id || !key || !have_equality(text_of.empty() ? id->base : text_of, key->base) || (!text_of.empty() && !is_text_type(id->base)))
				return false;
		}
		return true;
	};
	for (const Hop &hop : path) {
		if (!from) return false;
		if (hop.to.empty()) {
			if (!passed.insert(hop.constraint).second) return true;
			const ByModel &by = ways.relation(hop).by;
			const Relation *types = by.types.empty() ? nullptr : catalog.find(by.types);
			if (!from->column(hop.columns.front()) || !from->column(hop.by)) return false;
			if (!by.types.empty() && (!types || !types->column(by.key) || !types->column("app_label") || !types->column("model"))) return false;
			const auto branches = ways.branches(hop);
			return std::all_of(branches.begin(), branches.end(), [&](const Hop &branch) {
				return leads(branch, catalog.find(branch.to)) && has_hops(ways, branch.to, ways.path(branch.to), passed);
			});
		}
		const Relation *to = catalog.find(hop.to);
		if (!to || !leads(hop, to)) return false;
		from = to;
	}
	return from != nullptr;
}

}  // namespace

std::string path_condition(const Ways &ways, const std::vector<Hop> &path, const std::string &tenant_key,
    const std::string &alias, const std::function<std::string(const std::string &)> &of_key)
{
	return PathCondition{ways, tenant_key, of_key}.from(path, 0, alias, 0, {});
}

bool has_path(const Ways &ways, const Name &table, const std::vector<Hop> &path) { return has_hops(ways, table, path, {}); }

std::string tenant_filter(const Ways &source, const std::vector<Hop> &path, const Name &tenant, const std::string &tenant_key,
    const std::vector<std::string> &keys, const std::string &alias)
{
	const Relation *table = source.catalog().find(tenant);
	const Column *column = table ? table->column(tenant_key) : nullptr;
	if (keys.empty() || !column) return "";
	const std::string array = array_literal(keys, column->base);
	const auto condition =
	    path_condition(source, path, tenant_key, alias, [&](const std::string &key) { return key + " = ANY (" + array + ")"; });
	// NULL somewhere on the way is no tenant: such a row is copied. EXISTS is never NULL, and only plain NOT EXISTS becomes a join.
	return condition.starts_with("EXISTS") ? "NOT " + condition : "(" + condition + ") IS NOT TRUE";
}

}  // namespace core
