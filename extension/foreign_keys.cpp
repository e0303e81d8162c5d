#include "foreign_keys.hpp"
#include <algorithm>
#include "core/generic.hpp"
#include "core/statements.hpp"
#include "generic.hpp"
#include "key_scan.hpp"
#include "shadow.hpp"

namespace prodsync {

std::string describe(const core::ForeignKey &key)
{
	return key.child.shown() + "." + (key.columns.size() == 1 ? key.columns[0] : "(" + core::joined(key.columns, ", ") + ")") +
	    " -> " + key.parent.shown();
}

// A row with a NULL in its key references nothing (MATCH SIMPLE); under MATCH FULL only a row with nothing but NULLs does.
static std::string references_something(const Refresh &refresh, const core::ForeignKey &key, const std::string &alias)
{
	std::vector<std::string> parts;
	if (!key.text_of.empty()) parts.push_back(alias + "." + core::quote_identifier(key.columns[0]) + " <> ''");
	if (key.by_model) parts.push_back(of_model_afterwards(refresh, key, alias));
	for (const std::string &column : key.columns) parts.push_back(alias + "." + core::quote_identifier(column) + " IS NOT NULL");
	return "(" + core::joined(parts, key.match == 'f' ? " OR " : " AND ") + ")";
}

// The operator of a PERIOD is "overlaps": the rows p that match must cover the child's time together, as the server's own trigger asks.
static std::string is_not_covered(const core::ForeignKey &key, const std::string &period, const std::string &matching)
{
	return "(" + period + " OPERATOR(pg_catalog.<@) (SELECT pg_catalog.range_agg(p." + core::quote_identifier(key.referenced.back()) +
	    ") FROM " + matching + ")) IS NOT TRUE";
}

static std::string orphans(const Refresh &refresh, const core::ForeignKey &key, const std::string &child_rows)
{
	if (key.array)    // one of its ids
		return child_rows + " WHERE EXISTS (SELECT 1 FROM unnest(c." + core::quote_identifier(key.columns[0]) +
		    ") AS e(v) WHERE e.v IS NOT NULL AND NOT EXISTS (SELECT 1 FROM " + refresh.new_rows(key.parent, key.referenced, "p") +
		    " WHERE p." + core::quote_identifier(key.referenced[0]) + " " + key.equals[0] + " e.v))";
	std::vector<std::string> equal;
	for (std::size_t i = 0; i < key.columns.size(); i++)
		equal.push_back("p." + core::quote_identifier(key.referenced[i]) + " " + key.equals[i] + " " +
		    core::as_key(key, "c." + core::quote_identifier(key.columns[i])));
	const std::string matching = refresh.new_rows(key.parent, key.referenced, "p") + " WHERE " + core::joined(equal, " AND ");
	return child_rows + " WHERE " + references_something(refresh, key, "c") + " AND " +
	    (key.period ? is_not_covered(key, "c." + core::quote_identifier(key.columns.back()), matching)
	                : "NOT EXISTS (SELECT 1 FROM " + matching + ")");
}

static Check verdict(const Refresh &refresh, const core::ForeignKey &key, std::int64_t violations, const char *by = "join")
{
	Check check{key.declared ? "reference" : "foreign key", describe(key), violations, "", violations == 0};
	auto accepted = refresh.config().checks.find(core::name_for_checks(key));
	core::json detail{{"constraint", key.name}, {"by", by}};
	if (violations && !key.validated) check.ok = true, detail["note"] = key.enforced ? "the constraint is NOT VALID" : "the constraint is NOT ENFORCED";
	if (violations && accepted != refresh.config().checks.end()) check.ok = true, detail["note"] = "accepted as the source's";
	check.detail = detail.dump();
	return check;
}

static std::string rows_of_relation(const Refresh &refresh, const core::Name &relation)
{
	return "ONLY " + refresh.shadow_of(refresh.oid(relation)) + " AS c";
}

Check check_foreign_key(pg::Tables &sql, const Refresh &refresh, const core::ForeignKey &key, const core::Name &child_relation)
{
	std::string count = sql.one("SELECT count(*) FROM " + orphans(refresh, key, rows_of_relation(refresh, child_relation))).value_or("0");
	return verdict(refresh, key, std::stoll(count));
}

Check check_foreign_key_now(pg::Tables &sql, const Refresh &refresh, const core::ForeignKey &key)
{
	std::string count = sql.one("SELECT count(*) FROM " + orphans(refresh, key, refresh.old_rows(key.child, "c"))).value_or("0");
	return verdict(refresh, key, std::stoll(count));
}

static void store_used_keys(pg::Tables &sql, const Refresh &refresh, const core::ForeignKey &key, const core::Name &child_relation)
{
	if (key.array) {
		sql.run("INSERT INTO prodsync_work.used_key (run, constraint_name, child, key) SELECT DISTINCT $1::int, $2, $3::oid, "
		        "ARRAY[e.v::text] FROM " +
		        rows_of_relation(refresh, child_relation) + ", unnest(c." + core::quote_identifier(key.columns[0]) +
		        ") AS e(v) WHERE e.v IS NOT NULL",
		    {std::to_string(refresh.run), key.name, std::to_string(refresh.oid(key.child))});
		return;
	}
	std::vector<std::string> texts;
	for (const std::string &column : key.columns)
		texts.push_back(
		    "format('%s', c." + core::quote_identifier(column) + ")");  // the output function, no cast of somebody's type
	sql.run("INSERT INTO prodsync_work.used_key (run, constraint_name, child, key) SELECT DISTINCT $1::int, $2, $3::oid, ARRAY[" +
	        core::joined(texts, ", ") + "] FROM " + rows_of_relation(refresh, child_relation) + " WHERE " +
	        references_something(refresh, key, "c"),
	    {std::to_string(refresh.run), key.name, std::to_string(refresh.oid(key.child))});
}

std::vector<Check> verify_foreign_keys(pg::Tables &sql, const Refresh &refresh, const core::Name &child_relation)
{
	std::vector<const core::ForeignKey *> keys;
	for (const core::ForeignKey *key : refresh.graph.from(refresh.catalog().root(child_relation)))
		if (refresh.catalog().root(key->child) == key->child || key->child == child_relation)
			keys.push_back(key);  // else of another partition alone
	KeyScan scan(refresh, keys, child_relation);
	std::vector<Check> out;
	for (const core::ForeignKey *key : keys) {
		std::optional<std::int64_t> orphans = scan.orphans(*key);
		out.push_back(orphans ? verdict(refresh, *key, *orphans, "scan") : check_foreign_key(sql, refresh, *key, child_relation));
		if (!refresh.replaced(key->parent) && !orphans) store_used_keys(sql, refresh, *key, child_relation);
		if (!refresh.replaced(key->parent) && orphans)
			scan.used_keys(*key, 10'000, [&](const std::string &values) {
				sql.run("INSERT INTO prodsync_work.used_key (run, constraint_name, child, key) SELECT $1::int, $2, $3::oid, "
				        "ARRAY[k::text] FROM unnest($4::bigint[]) AS k",
				    {std::to_string(refresh.run), key->name, std::to_string(refresh.oid(key->child)), values});
			});
		pg::check_interrupts();
	}
	for (const core::ForeignKey *key : generic_keys_afterwards(sql, refresh, child_relation)) {
		out.push_back(check_foreign_key(sql, refresh, *key, child_relation));
		if (!refresh.replaced(key->parent)) store_used_keys(sql, refresh, *key, child_relation);
		pg::check_interrupts();
	}
	return out;
}

std::vector<Check> check_used_keys(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<Check> out;
	std::vector<const core::ForeignKey *> keys = refresh.graph.keys;
	std::set<std::string> used;
	if (!refresh.graph.generic.empty())
		for (const pg::Row &row : sql.rows("SELECT DISTINCT constraint_name FROM prodsync_work.used_key WHERE run = $1::int",
		         {std::to_string(refresh.run)}))
			used.insert(*row[0]);
	for (const core::GenericRelation &one : refresh.graph.generic)
		for (const core::ForeignKey *key : one.keys)
			if (used.count(key->name)) keys.push_back(key);
	for (const core::ForeignKey *key : keys) {
		if (!refresh.replaced(key->child) || refresh.replaced(key->parent)) continue;
		std::vector<std::string> parts;
		std::string period;    // used
		for (std::size_t i = 0; i < key->referenced.size(); i++) {
			std::string base = refresh.catalog().find(key->parent)->column(key->referenced[i])->base,
			            column = "p." + core::quote_identifier(key->referenced[i]);
			std::string stored = "u.key[" + std::to_string(i + 1) + "]";
			const bool is_period = key->period && i + 1 == key->referenced.size();
			if (is_period) period = stored + "::" + core::cast_type(base);
			parts.push_back(is_period ? column + " " + key->equals[i] + " " + period
			        : plain_key_type(base) && key->text_of.empty() ? column + " = " + stored + "::" + core::cast_type(base)
			                                                       : "format('%s', " + column + ") = " + stored);
		}
		const std::string matching = refresh.old_rows(key->parent, "p") + " WHERE " + core::joined(parts, " AND ");
		std::string count = sql.one("SELECT count(*) FROM prodsync_work.used_key u WHERE u.run = $1::int AND u.constraint_name = "
		                            "$2 AND u.child = $3::oid AND " +
		                               (key->period ? is_not_covered(*key, period, matching) : "NOT EXISTS (SELECT 1 FROM " + matching + ")"),
		                           {std::to_string(refresh.run), key->name, std::to_string(refresh.oid(key->child))})
		                        .value_or("0");
		Check check{"key in a table that stays", describe(*key), std::stoll(count), "", count == "0"};
		if (!check.ok) out.push_back(check);
	}
	return out;
}

bool holds_moving_id(const Refresh &refresh, const core::ForeignKey &key)
{
	for (const std::string &name : key.columns) {
		const core::Identity *identity = refresh.graph.identity(key.child, name);
		if (identity && refresh.replaced(identity->table)) return true;
	}
	return false;
}

std::vector<Check> check_references_to(pg::Tables &sql, const Refresh &refresh, const std::vector<core::Name> &tables)
{
	std::vector<Check> out;
	for (const core::ForeignKey *key : refresh.graph.keys) {
		bool touched = std::find(tables.begin(), tables.end(), key->child) != tables.end() ||
		    std::find(tables.begin(), tables.end(), key->parent) != tables.end();
		if (!touched || !refresh.replaced(key->child) || !refresh.replaced(key->parent)) continue;
		for (const core::Relation *leaf : refresh.catalog().storage(key->child)) out.push_back(check_foreign_key(sql, refresh, *key, leaf->name));
	}
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (tables.empty() || !refresh.replaced(one.table)) continue;
		for (const core::Relation *leaf : refresh.catalog().storage(one.table))
			for (const core::ForeignKey *key : generic_keys_afterwards(sql, refresh, leaf->name))
				if (refresh.replaced(key->parent)) out.push_back(check_foreign_key(sql, refresh, *key, leaf->name));
	}
	return out;
}

std::vector<Check> check_staying_tables(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<Check> out;
	for (const core::ForeignKey *key : refresh.graph.keys) {
		if (refresh.replaced(key->child) || (!refresh.replaced(key->parent) && !holds_moving_id(refresh, *key))) continue;
		std::string count = sql.one("SELECT count(*) FROM " + orphans(refresh, *key, refresh.old_rows(key->child, "c"))).value_or("0");
		out.push_back(verdict(refresh, *key, std::stoll(count)));
	}
	for (const core::GenericRelation &one : refresh.graph.generic) {
		if (refresh.replaced(one.table)) continue;
		for (const core::ForeignKey *key : generic_keys(sql, refresh, one.table))
			if (refresh.replaced(key->parent))
				out.push_back(verdict(refresh, *key,
				    std::stoll(sql.one("SELECT count(*) FROM " + orphans(refresh, *key, refresh.old_rows(key->child, "c")))
				                   .value_or("0"))));
	}
	return out;
}

}  // namespace prodsync
