// Keys that move, as prodsync_work.moved has them: as text, so that one table holds keys of every type. That works for types of which equal values have one
// text; a reference of another type would silently keep its old value, which may be another row's now. So these are refused.
#include <algorithm>
#include "core/generic.hpp"
#include "core/key_types.hpp"
#include "core/statements.hpp"
#include "foreign_keys.hpp"
#include "kept.hpp"

namespace prodsync {

namespace {

// Types whose casts from and to text are the server's own (a cast to a domain runs its CHECK, and whoever owns a type can give it a cast: neither may run as
// the extension's owner), by what compares with what.
const std::vector<std::vector<std::string>> families{{"smallint", "integer", "bigint", "numeric"}, {"text", "character varying", "character"}, {"uuid"},
    {"date"}, {"timestamp without time zone"}, {"timestamp with time zone"}};

const std::vector<std::string> *family(const std::string &base)
{
	for (const auto &types : families)
		if (std::find(types.begin(), types.end(), base) != types.end()) return &types;
	return nullptr;
}

// The key of the table by which references follow.
std::string following_key(const core::TableNode &node)
{
	const std::string own = core::single_key(*node.relation);
	return own.empty() ? node.key : own;
}

// Of an array its elements'.
std::string type_of(const Refresh &refresh, const core::Name &table, const std::string &column)
{
	const std::string &base = refresh.graph.node(table).relation->column(column)->base;
	return core::is_id_array(base) ? core::element_type(base) : base;
}

std::int64_t count(pg::Tables &sql, const Refresh &refresh, const core::Name &table, const std::string &query)
{
	return std::stoll(sql.one(query, {std::to_string(refresh.oid(table))}).value_or("0"));
}

std::string with_article(const std::string &type) { return (std::string("aeiou").find(type[0]) == std::string::npos ? "a " : "an ") + type; }

}  // namespace

bool plain_key_type(const std::string &base) { return family(base) != nullptr; }

std::string key_text(const std::string &value, const std::string &base)
{
	return base == "numeric" ? "trim_scale(" + value + ")::text" : value + "::text";
}

std::string key_value(const std::string &text, const core::Column &column, const std::string &old)
{
	const std::string value = text + "::" + core::cast_type(column.base);
	if (column.base != "numeric") return value;
	return "round(" + value + ", greatest(scale(" + value + "), scale(" + old + ")))";    // numeric(9,2) holds 7.00, not 7
}

std::vector<Check> check_moving_keys(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::set<core::Name> doubtful;    // of most schemas none: nothing is asked then
	for (const auto &[name, node] : refresh.graph.tables)
		if (const std::string key = following_key(node); !key.empty() && !plain_key_type(node.relation->column(key)->base)) doubtful.insert(name);
	for (const core::ForeignKey *key : refresh.graph.keys)
		for (const std::string &column : key->columns)
			if (const core::Identity *identity = refresh.graph.identity(key->child, column);
			    identity && family(type_of(refresh, refresh.catalog().root(key->child), column)) != family(type_of(refresh, identity->table, identity->column)))
				doubtful.insert(identity->table);
	std::map<core::Name, std::pair<std::int64_t, std::int64_t>> moving;    // of rows of this database, of rows from the source
	for (const core::Name &name : doubtful) {
		const core::TableNode &node = refresh.graph.node(name);
		const std::string key = following_key(node);
		if (node.mode != core::Mode::copy || key.empty()) continue;
		const std::string base = node.relation->column(key)->base;
		const bool in_any_case = base.ends_with("citext");    // its values are equal to each other then
		moving[name] = {count(sql, refresh, name,
		                    in_any_case ? "SELECT count(*) FROM prodsync_work.moved WHERE tab = $1::oid AND space = 'o' AND lower(old_key) <> lower(new_key)"
		                                : "SELECT count(*) FROM prodsync_work.moved WHERE tab = $1::oid AND space = 'o' AND old_key <> new_key"),
		    count(sql, refresh, name,
		        std::string("SELECT count(*) FROM prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) WHERE c.tab = $1::oid AND "
		                    "c.mapped AND ") +
		            is_brought)};
	}
	std::erase_if(moving, [](const auto &one) { return one.second == std::pair<std::int64_t, std::int64_t>{}; });
	std::vector<Check> out;
	if (moving.empty()) return out;
	const std::vector<core::Name> kept = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
	const auto look_at = [&](const core::ForeignKey &key, const core::Identity &owner, const std::string &column) {
		const auto found = moving.find(owner.table);
		const core::Name child = refresh.catalog().root(key.child);
		const core::TableNode &node = refresh.graph.node(child), &parent = refresh.graph.node(owner.table);
		if (found == moving.end() || owner.column != following_key(parent) || owner == core::Identity{child, column} || node.mode == core::Mode::empty) return;
		const bool has_kept = !refresh.replaced(child) || std::find(kept.begin(), kept.end(), child) != kept.end();
		const std::int64_t keys = (has_kept ? found->second.first : 0) + (refresh.replaced(child) ? found->second.second : 0);
		const std::string type = type_of(refresh, child, column), to = type_of(refresh, owner.table, owner.column);
		if (!keys || (plain_key_type(to) && (family(type) == family(to) || !key.text_of.empty()))) return;
		out.push_back({"reference that cannot follow", describe(key), keys,
		    core::json{{"text",
		                   "rows of " + owner.table.shown() + " have other keys in the source, and a reference of type " + type + " to " + with_article(to) +
		                       " does not follow; give these rows the source's keys here, or the columns a type that follows: integers, numeric, text, "
		                       "varchar, char, uuid, date or timestamp"}}
		        .dump(),
		    false});
	};
	std::set<std::pair<core::Name, std::string>> done;
	for (const core::ForeignKey *key : refresh.graph.keys)
		for (const std::string &column : key->columns)
			if (const core::Identity *identity = refresh.graph.identity(key->child, column); identity && done.emplace(key->child, column).second)
				look_at(*key, *identity, column);
	for (const core::GenericRelation &one : refresh.graph.generic)
		for (const core::ForeignKey *key : one.keys) look_at(*key, core::key_owner(refresh.graph, *key), one.column);
	return out;
}

}  // namespace prodsync
