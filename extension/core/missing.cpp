#include "missing.hpp"

#include <algorithm>
#include <set>

#include "folds.hpp"
#include "generic.hpp"
#include "maps.hpp"
#include "needs.hpp"
#include "obstacles.hpp"
#include "rules.hpp"
#include "soft_references.hpp"
#include "statements.hpp"
#include "tenant_choice.hpp"
#include "ways.hpp"

namespace core {

namespace {

OnMissing action_of(const std::string &word)
{
	return word == "null" ? OnMissing::null : word == "drop" ? OnMissing::drop : word == "adopt" ? OnMissing::adopt : OnMissing::error;
}

bool may_be_null(const Graph &graph, const ForeignKey &key)
{
	const Relation &child = *graph.node(key.child).relation;
	return std::any_of(key.columns.begin(), key.columns.end(), [&](const std::string &name) {
		const Column *column = child.column(name);
		return column && !column->not_null;
	});
}

bool has_columns(const Catalog &catalog, const Name &table, const std::vector<std::string> &columns)
{
	const Relation *relation = catalog.find(table);
	return relation && relation->ordinary() &&
	    std::all_of(columns.begin(), columns.end(), [&](const std::string &name) { return relation->column(name); });
}

// The value itself says which row is meant, on both sides: it is the natural key by which the kept rows are known.
// (Not of users: one of production's may become another one here.)
bool by_natural_key(const Graph &graph, const ForeignKey &key)
{
	if (graph.node(key.parent).reason == "users.table") return false;
	auto match = graph.node(key.parent).match, referenced = key.referenced;
	std::sort(match.begin(), match.end());
	std::sort(referenced.begin(), referenced.end());
	return match == referenced;
}

std::string column_of(const std::string &alias, const std::string &name) { return alias + "." + quote_identifier(name); }

std::string row_of(const std::string &alias, const std::vector<std::string> &names)
{
	std::vector<std::string> parts;
	for (const auto &name : names) parts.push_back(column_of(alias, name));
	return names.size() == 1 ? parts.front() : "(" + joined(parts, ", ") + ")";
}

std::string matches(const ForeignKey &key, const std::string &parent, const std::string &child)
{
	std::vector<std::string> parts;
	for (std::size_t i = 0; i < key.columns.size(); ++i)
		parts.push_back(column_of(parent, key.referenced[i]) +
		    (key.array ? " = ANY (" + column_of(child, key.columns[i]) + ")" : " = " + as_key(key, column_of(child, key.columns[i]))));
	return joined(parts, " AND ");
}

std::string shown(const ForeignKey &key)
{
	return key.child.shown() + (key.columns.size() == 1 ? "." + key.columns.front() : " (" + listed(key.columns) + ")");
}

std::string question_of(const Gap &gap) { return column_key(gap.key->child, gap.key->name); }

}  // namespace

std::optional<OnMissing> configured_on_missing(const Graph &graph, const ForeignKey &key)
{
	const auto &said = graph.node(key.child).on_missing;
	for (const auto &column : key.columns)
		if (const auto found = said.find(column); found != said.end()) return action_of(found->second);
	return std::nullopt;
}

OnMissing on_missing_of_dropped(const Graph &graph, const ForeignKey &key)
{
	// An array may hold other ids beside.
	const auto said = configured_on_missing(graph, key);
	return said && said != OnMissing::adopt ? *said : (key.array || may_be_null(graph, key) ? OnMissing::error : OnMissing::drop);
}

std::vector<std::string> nulled_columns(const Graph &graph, const ForeignKey &key)
{
	const auto &said = graph.node(key.child).on_missing;
	std::vector<std::string> out;
	for (const auto &column : key.columns)
		if (const auto found = said.find(column); found != said.end() && found->second == "null") out.push_back(column);
	return out;
}

std::vector<Gap> gaps(const Config &config, const Graph &graph, const Catalog &source)
{
	const auto why = [&](const ForeignKey &key) -> std::optional<Gap::Why> {
		const TableNode &parent = graph.node(key.parent);
		if (parent.mode == Mode::empty) return Gap::Why::empty;
		if (config.choice.in_place) return std::nullopt;    // every row keeps its id
		if (parent.mode == Mode::copy) {
			const bool there = source.find(logical_table(graph, key.parent));
			return there ? std::nullopt : std::optional(Gap::Why::kept);
		}
		if (key.by_model) {
			const Name by = kept_map(graph, key);
			return by.empty() ? std::optional(Gap::Why::kept) : has_fallback(config, graph, by) ? std::nullopt : std::optional(Gap::Why::unmatched);
		}
		if (!parent.mapped) return Gap::Why::kept;
		const auto mapped = [&](const std::string &column) { return !kept_map(graph, key.child, column).empty(); };
		if (!std::all_of(key.columns.begin(), key.columns.end(), mapped))
			return by_natural_key(graph, key) ? std::nullopt : std::optional(Gap::Why::kept);
		const Name by = kept_map(graph, key.child, key.columns.front());
		return has_fallback(config, graph, by) ? std::nullopt : std::optional(Gap::Why::unmatched);
	};
	std::map<const ForeignKey *, Gap> found;
	std::set<Name> losing;
	std::vector<const ForeignKey *> inner, keys = graph.keys;  // inner: between copied tables
	for (const GenericRelation &one : graph.generic) keys.insert(keys.end(), one.keys.begin(), one.keys.end());
	for (const ForeignKey *key : keys) {
		if (graph.node(key->child).mode != Mode::copy || !has_columns(source, key->child, key->columns)) continue;
		const Name child = logical_table(graph, key->child);
		if (const auto reason = why(*key)) {
			// A key of one partition alone says nothing about the rows of the others.
			auto action = child == key->child ? configured_on_missing(graph, *key).value_or(OnMissing::error) : OnMissing::error;
			if (action == OnMissing::adopt) action = OnMissing::error;    // only kept rows adopt
			// Which rows of a table that stays are production's, only the client knows.
			if (action == OnMissing::drop && graph.node(key->parent).stays) action = OnMissing::error;
			found[key] = {key, *reason, action};
			if (action == OnMissing::drop) losing.insert(child);
		} else if (graph.node(key->parent).mode == Mode::copy && has_columns(source, key->parent, key->referenced)) {
			inner.push_back(key);
		}
	}
	for (bool more = true; more;) {
		more = false;
		for (const ForeignKey *key : inner) {
			const Name child = logical_table(graph, key->child);
			if (found.contains(key) || !losing.contains(logical_table(graph, key->parent))) continue;
			auto action = child == key->child ? on_missing_of_dropped(graph, *key) : OnMissing::error;
			if (key->by_model && logical_table(graph, key->parent) == child) action = OnMissing::error;    // no chain of rows that name each other
			found[key] = {key, Gap::Why::left_out, action};
			if (action == OnMissing::drop) losing.insert(child);
			more = true;
		}
	}
	std::vector<Gap> out;
	for (const ForeignKey *key : keys)
		if (const auto gap = found.find(key); gap != found.end()) out.push_back(gap->second);
	return out;
}

Missing::Missing(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
    : config_(config), graph_(graph), source_(source), answers_(answers), gaps_(gaps(config, graph, source))
{
	// What no row of production names is no gap.
	std::erase_if(gaps_, [&](const Gap &gap) {
		return gap.key->by_model && !in_use(*generic_relation(graph, gap.key->child, gap.key->columns.front()), *gap.key, answers);
	});
}

Name Missing::map_of(const Gap &gap) const
{
	return gap.key->by_model ? kept_map(graph_, *gap.key) : kept_map(graph_, gap.key->child, gap.key->columns.front());
}

bool Missing::ready() const
{
	return models_known(graph_, source_, answers_) && std::all_of(gaps_.begin(), gaps_.end(), [&](const Gap &gap) {
		return gap.why != Gap::Why::unmatched || gap.action != OnMissing::drop ||
		    map_complete(config_, graph_, answers_, map_of(gap));
	});
}

bool Missing::leaves_out(const Name &table) const
{
	return std::any_of(gaps_.begin(), gaps_.end(),
	    [&](const Gap &gap) { return gap.key->child == table && gap.action == OnMissing::drop; });
}

// A row references something where none of the key's columns is NULL (MATCH SIMPLE; under MATCH FULL there is nothing in between).
std::string Missing::condition(const Gap &gap, const std::string &alias, std::vector<Name> &way) const
{
	const ForeignKey &key = *gap.key;
	std::vector<std::string> given;
	for (const auto &name : key.columns)
		given.push_back(key.array ? "cardinality(" + column_of(alias, name) + ") > 0" : column_of(alias, name) + " IS NOT NULL");
	if (!key.text_of.empty()) given.push_back(column_of(alias, key.columns.front()) + " <> ''");
	if (key.by_model)
		given.push_back(of_model(*key.by_model, alias, key.by_model->types.empty() ? "" : from_only(*source_.find(key.by_model->types)) + " AS ct"));
	if (gap.why == Gap::Why::left_out) {
		const Relation &parent = *source_.find(key.parent);
		const std::string next = "g" + std::to_string(way.size());
		const auto gone = left_out(logical_table(graph_, key.parent), next, way);
		return "EXISTS (SELECT FROM " + from_only(parent) + " AS " + next + " WHERE " + matches(key, next, alias) +
		    (key.by_model ? " AND " + given.back() : "") + " AND (" + gone + "))";
	}
	if (gap.why == Gap::Why::unmatched) {
		const auto &name = key.columns.front();
		const auto map = answers_.maps.find(map_of(gap));
		std::vector<std::string> known;
		if (map != answers_.maps.end())
			for (const auto &[id, here] : map->second.pairs) known.push_back(id);
		given.push_back("NOT EXISTS (SELECT FROM unnest(" + array_literal(known, source_.find(key.child)->column(name)->base) +
		    ") AS d(k) WHERE d.k = " + column_of(alias, name) + ")");
	}
	return given.size() == 1 ? given.front() : "(" + joined(given, " AND ") + ")";
}

// `way` are the tables that the condition is inside of.
std::string Missing::left_out(const Name &table, const std::string &alias, std::vector<Name> &way) const
{
	if (std::find(way.begin(), way.end(), table) != way.end()) return "false";  // a circle: a problem of the plan
	way.push_back(table);
	std::vector<std::string> parts;
	std::vector<const ForeignKey *> itself;
	const auto of = [&](const std::string &row) {
		std::vector<std::string> out;
		for (const Gap &gap : gaps_)
			if (gap.key->child == table && gap.action == OnMissing::drop && logical_table(graph_, gap.key->parent) != table)
				out.push_back(condition(gap, row, way));
		return out;
	};
	for (const Gap &gap : gaps_)
		if (gap.key->child == table && gap.action == OnMissing::drop && logical_table(graph_, gap.key->parent) == table &&
		    (itself.empty() || itself.front()->referenced == gap.key->referenced))
			itself.push_back(gap.key);
	parts = of(alias);
	if (!itself.empty()) {
		// Rows below rows of the same table, however deep.
		const std::string level = std::to_string(way.size()), row = "s" + level, gone = "gone" + level;
		const auto from = from_only(*source_.find(table)) + " AS " + row;
		std::vector<std::string> names, equal;
		for (std::size_t i = 0; i < itself.front()->referenced.size(); ++i) names.push_back("k" + std::to_string(i));
		for (const ForeignKey *key : itself) equal.push_back(row_of(row, key->columns) + " = " + row_of(gone, names));
		std::string selected;
		for (const auto &name : itself.front()->referenced) selected += (selected.empty() ? "" : ", ") + column_of(row, name);
		parts.push_back(row_of(alias, itself.front()->referenced) + " IN (WITH RECURSIVE " + gone + "(" + joined(names, ", ") + ") AS (SELECT " +
		    selected + " FROM " + from + " WHERE " + joined(of(row), " OR ") + " UNION SELECT " + selected + " FROM " + from + " JOIN " + gone +
		    " ON " + joined(equal, " OR ") + ") SELECT " + joined(names, ", ") + " FROM " + gone + ")");
	}
	way.pop_back();
	return parts.empty() ? "false" : joined(parts, " OR ");
}

std::string Missing::where_missing(const Gap &gap) const
{
	std::vector<Name> way;
	return condition(gap, "t", way);
}

std::string Missing::where_left_out(const Name &table) const
{
	std::vector<Name> way;
	return leaves_out(table) ? left_out(table, "t", way) : "";
}

std::string Missing::where_copied(const Name &table) const
{
	const auto gone = where_left_out(table);
	if (gone.empty()) return "";
	// A lone EXISTS becomes a join only without anything around it.
	return gone.starts_with("EXISTS (") && std::count_if(gaps_.begin(), gaps_.end(), [&](const Gap &gap) {
		return gap.key->child == table && gap.action == OnMissing::drop;
	}) == 1 ? "NOT " + gone : "(" + gone + ") IS NOT TRUE";
}

std::string Missing::value(const Name &table, const std::string &column) const
{
	std::vector<std::string> conditions;
	const std::string as_it_is = column_of("t", column);
	for (const Gap &gap : gaps_) {
		if (gap.key->array && gap.key->child == table && gap.key->columns.front() == column && gap.action == OnMissing::null) {
			// The ids are taken out of the array; those that no map reaches, by the pump.
			if (gap.why == Gap::Why::unmatched) return "";
			const std::string type = source_.find(table)->column(column)->base;
			std::string stay = "'{}'::" + cast_type(type);
			if (std::vector<Name> way; gap.why == Gap::Why::left_out)
				stay = ids_that_stay(as_it_is, type,
				    "NOT EXISTS (SELECT FROM " + from_only(*source_.find(gap.key->parent)) + " AS p WHERE p." +
				        quote_identifier(gap.key->referenced.front()) + " = e.v AND (" +
				        left_out(logical_table(graph_, gap.key->parent), "p", way) + "))");
			return "CASE WHEN " + as_it_is + " IS NOT NULL THEN " + stay + " END";
		}
		if (gap.key->child != table || gap.action != OnMissing::null || gap.why == Gap::Why::unmatched) continue;
		const auto nulled = nulled_columns(graph_, *gap.key);
		if (std::find(nulled.begin(), nulled.end(), column) != nulled.end()) conditions.push_back(where_missing(gap));
	}
	if (conditions.empty()) return "";
	return "CASE WHEN " + joined(conditions, " OR ") + " THEN NULL ELSE " + as_it_is + " END";
}

bool Missing::nulls_unmatched(const Name &table, const std::string &column) const
{
	return std::any_of(gaps_.begin(), gaps_.end(), [&](const Gap &gap) {
		return gap.key->child == table && gap.why == Gap::Why::unmatched && gap.action == OnMissing::null &&
		    gap.key->columns.size() == 1 && gap.key->columns.front() == column;
	});
}

std::vector<Name> Missing::circle() const
{
	std::map<Name, std::set<Name>> above;
	for (const Gap &gap : gaps_)
		if (const Name parent = logical_table(graph_, gap.key->parent);
		    gap.why == Gap::Why::left_out && gap.action == OnMissing::drop && parent != gap.key->child)
			above[gap.key->child].insert(parent);
	// Tables that stand above nothing but themselves remain.
	for (bool more = true; more;) {
		more = false;
		for (auto it = above.begin(); it != above.end();) {
			const bool waits = std::any_of(it->second.begin(), it->second.end(), [&](const Name &name) { return above.contains(name); });
			more |= !waits;
			it = waits ? std::next(it) : above.erase(it);
		}
	}
	std::vector<Name> out;
	for (const auto &[name, ignored] : above) out.push_back(name);
	return out;
}

// ---- questions ----

std::vector<Question> missing_questions(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	std::vector<Question> out;
	const Missing missing(config, graph, source, answers);
	if (!missing.ready() || !missing.circle().empty()) return out;
	std::set<Name> asked_about;
	for (const Gap &gap : missing.all()) {
		const ForeignKey &key = *gap.key;
		const Name table = logical_table(graph, key.child);
		const Relation *there = source.find(table);
		if (!there) continue;
		const Relation &read = *there;
		const auto filter = tenant_rows(config, graph, source, answers, table);
		if (gap.action == OnMissing::drop) {
			if (!asked_about.insert(table).second) continue;
			out.push_back({"left_out " + table.sql(), "left_out", Side::source, table, {},
			    "SELECT (count(*) FILTER (WHERE " + missing.where_left_out(table) + "))::text, count(*)::text FROM " + from_only(read) + " AS t" +
			        (filter.empty() ? "" : " WHERE " + filter),
			    {}});
			continue;
		}
		// References to what no map reaches are counted with the map; that a table leads to nothing at all needs no number.
		if (gap.key->by_model) {
			if (gap.why == Gap::Why::unmatched && !map_complete(config, graph, answers, missing.map_of(gap))) continue;
		} else if (gap.why == Gap::Why::unmatched || (gap.action != OnMissing::null && gap.why != Gap::Why::left_out)) continue;
		std::string where = missing.where_missing(gap);
		for (const auto &more : {filter, missing.where_copied(table)})
			if (!more.empty()) where += " AND " + more;
		out.push_back({"missing " + question_of(gap), "missing", Side::source, table, {key.name},
		    "SELECT count(*)::text FROM " + from_only(read) + " AS t WHERE " + where, {}});
	}
	return out;
}

// ---- problems ----

namespace {

// A row is adopted by the tenant of the row that references it, by another value in the last column of its path. Empty: it can be.
std::string cannot_adopt(const Graph &graph, const ForeignKey &key)
{
	const Name parent = logical_table(graph, key.parent);
	const TableNode &child = graph.node(key.child), *node = &graph.node(parent);
	const auto of_tenants = [](const TableNode &one) { return one.mode == Mode::copy && one.scope == Scope::tenant; };
	if (key.array) return "the column is an array";
	if (!of_tenants(child)) return "rows of " + logical_table(graph, key.child).shown() + " belong to no tenant that could adopt others";
	if (key.by_model && (!of_tenants(*node) || node->path.empty())) return "";    // what it can lead to besides
	if (!of_tenants(*node)) return "rows of " + parent.shown() + " belong to no tenant";
	if (node->path.empty()) return parent.shown() + " is the tenant table itself";
	for (Name at = parent; !graph.node(at).path.empty();) {
		if (forks(graph.node(at).path)) return "rows of " + at.shown() + " name their tenant by an object (" + graph.node(at).path.back().constraint + ")";
		const Hop &hop = graph.node(at).path.front();
		const bool last = graph.node(at).path.size() == 1;
		if (last && (hop.columns.size() != 1 || single_key(*graph.node(hop.to).relation) != hop.referenced.front()))
			return "rows of " + at.shown() + " do not name their tenant by its primary key in one column";
		if (!last && graph.node(hop.to).path != std::vector<Hop>(graph.node(at).path.begin() + 1, graph.node(at).path.end()))
			return "the tenant path of " + at.shown() + " is not continued by that of " + hop.to.shown();
		at = hop.to;
	}
	return "";
}

}  // namespace

void check_on_missing(
    const Graph &graph, const Catalog &target, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems)
{
	const auto place = [&](const Name &table, const std::string &column) {
		const auto rule = rules.find(table);
		return "tables." + (rule == rules.end() ? table.shown() : rule->second->pattern) + ".references." + column;
	};
	for (const auto &[table, node] : graph.tables) {
		if (node.on_missing.empty()) continue;
		std::set<std::string> known;
		for (const ForeignKey *key : graph.from(table)) known.insert(key->columns.begin(), key->columns.end());
		for (const GenericRelation &one : graph.generic)
			if (one.table == table) known.insert(one.column);
		for (const auto &[column, action] : node.on_missing)
			if (node.relation->column(column) && !known.contains(column))
				problems.push_back({"no-reference", place(table, column),
				    table.shown() + "." + column + " is no foreign key" + did_you_mean(column, {known.begin(), known.end()}),
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(column) +
				        ": {to: TABLE}    # what it references"});
	}
	std::set<Name> losing;
	auto keys = graph.keys;
	for (const GenericRelation &one : graph.generic) keys.insert(keys.end(), one.keys.begin(), one.keys.end());
	for (const ForeignKey *key : keys) {
		const auto action = configured_on_missing(graph, *key);
		if (!action) continue;
		const TableNode &child = graph.node(key->child);
		const Name table = logical_table(graph, key->child);
		if (*action == OnMissing::adopt) {
			if (const auto why = cannot_adopt(graph, *key); !why.empty())
				problems.push_back({"cannot-adopt", place(table, key->columns.front()),
				    table.shown() + "." + key->columns.front() + ": on_missing: adopt, but " + why,
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(key->columns.front()) +
				        ": {on_missing: drop}    # or null"});
			continue;
		}
		if (key->array) {
			if (*action == OnMissing::drop)
				problems.push_back({"drop-array", place(table, key->columns.front()),
				    table.shown() + "." + key->columns.front() + " is an array: rows are not dropped for one of its ids",
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(key->columns.front()) +
				        ": {to: " + yaml_table(target, key->parent) + ", on_missing: null}    # takes the id out"});
			continue;
		}
		if (*action == OnMissing::null) {
			const auto nulled = nulled_columns(graph, *key);
			const Index *primary = child.relation->primary_key();
			for (const auto &name : nulled) {
				const Column *column = child.relation->column(name);
				const bool in_key = primary && std::find(primary->columns.begin(), primary->columns.end(), name) != primary->columns.end();
				const bool full = key->match == 'f' && nulled.size() != key->columns.size();
				if (!column || (!column->not_null && !in_key && !full)) continue;
				problems.push_back({"cannot-be-null", place(table, name),
				    table.shown() + "." + name + " cannot become NULL: " +
				        (in_key           ? "it is part of the primary key"
				            : column->not_null ? "it is NOT NULL in the target"
				                               : "the foreign key " + key->name + " is MATCH FULL"),
				    "tables:\n  " + yaml_table(target, table) + ":\n    references:\n      " + yaml_word(name) + ": {on_missing: drop}"});
			}
		}
		if (*action == OnMissing::drop && child.mode == Mode::keep && graph.node(key->parent).mode != Mode::keep) losing.insert(table);
	}
	// Rows of a table that stays are removed one by one: nothing may hang below them.
	for (const Name &table : losing)
		for (const ForeignKey *key : graph.to(table))
			if (graph.node(key->child).mode != Mode::empty)
				problems.push_back({"drop-referenced", shown(*key),
				    table.shown() + " is kept and would lose rows (on_missing: drop), which " + shown(*key) + " may reference",
				    mode_line(target, table, "mode: empty")});
}

namespace {

std::string lines(const Catalog &target, const ForeignKey &key, bool may_be_null)
{
	const auto line = [&](const char *word) {
		return "tables:\n  " + yaml_table(target, key.child) + ":\n    references:\n      " + yaml_word(key.columns.front()) +
		    ": {on_missing: " + word + "}";
	};
	return may_be_null ? line("null") + "    # or drop" : line("drop");
}

}  // namespace

void add_missing_obstacles(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	const Missing missing(config, graph, source, answers);
	if (const auto round = missing.circle(); !round.empty()) {
		std::vector<std::string> names;
		for (const Name &name : round) names.push_back(name.shown());
		plan.problems.push_back({"drop-circle", names.front(),
		    "rows of " + listed(names) + " are left out because rows of each other are (on_missing: drop): which ones cannot be told",
		    "on_missing: null for one of the references between them"});
	}
	std::map<Name, const ForeignKey *> of_itself;
	for (const Gap &gap : missing.all()) {
		if (gap.action != OnMissing::drop || logical_table(graph, gap.key->parent) != gap.key->child) continue;
		if (const auto [one, first] = of_itself.emplace(gap.key->child, gap.key); !first && one->second->referenced != gap.key->referenced)
			plan.problems.push_back({"drop-circle", gap.key->child.shown(),
			    gap.key->child.shown() + " references itself by " + listed(one->second->columns) + " and by " + listed(gap.key->columns) +
			        ", which lead to different keys: which rows are left out (on_missing: drop) cannot be told",
			    "on_missing: null for one of them"});
	}
	for (const ForeignKey *key : graph.keys)
		if (const auto action = configured_on_missing(graph, *key);
		    action && (*action == OnMissing::null || *action == OnMissing::drop) && graph.node(key->child).mode == Mode::copy &&
		    graph.node(key->parent).mapped && by_natural_key(graph, *key) && kept_map(graph, key->child, key->columns.front()).empty())
			plan.problems.push_back({"on-missing-natural-key", shown(*key),
			    shown(*key) + " references " + key->parent.shown() + " by the natural key itself: which rows are missing only the target knows",
			    "take on_missing of " + key->columns.front() + " out, and add what is missing to " + key->parent.shown()});
	std::map<Name, std::vector<std::string>> because;
	for (const Gap &gap : missing.all()) {
		const ForeignKey &key = *gap.key;
		const Name parent = logical_table(graph, key.parent);
		const auto object = shown(key);
		if (gap.why == Gap::Why::unmatched && key.columns.size() > 1 && gap.action != OnMissing::error)
			plan.problems.push_back({"on-missing-columns", object,
			    object + " references rows that are mapped by several columns: on_missing is for one column",
			    mode_line(target, key.child, "mode: empty")});
		if (gap.action == OnMissing::drop) because[logical_table(graph, key.child)].push_back(object + " -> " + parent.shown());
		const auto count = answers.missing.find(question_of(gap));
		if (count == answers.missing.end() || count->second == 0) continue;
		const auto rows = counted(count->second, "row", "rows");
		if (gap.action == OnMissing::null)
			plan.warnings.push_back({"becomes-null", object,
			    object + " -> " + parent.shown() + ": " + rows +
			        " of production reference rows that are not copied; the references become NULL",
			    ""});
		else if (gap.why != Gap::Why::left_out)
			plan.problems.push_back({gap.why == Gap::Why::unmatched ? "unmatched-reference"
			        : gap.why == Gap::Why::empty                    ? "reference-to-empty"
			                                                        : "reference-to-kept",
			    object,
			    object + " -> " + parent.shown() + ": " + rows + " of production reference rows " +
			        (gap.why == Gap::Why::unmatched      ? "that the target's " + missing.map_of(gap).shown() + " does not have"
			                : gap.why == Gap::Why::empty ? "of a table that is emptied"
			                                             : "that are not copied and are not mapped either"),
			    lines(target, key, may_be_null(graph, key))});
		else
			plan.problems.push_back({"reference-to-dropped", object,
			    object + " -> " + parent.shown() + ": " + rows + " of production reference rows that are left out (on_missing: drop)",
			    lines(target, key, may_be_null(graph, key))});
	}
	for (const auto &[table, rows] : answers.left_out)
		if (rows.first && because.contains(table))
			plan.warnings.push_back({"left-out", table.shown(),
			    table.shown() + " loses " + shown_count(rows.first) + " of " + counted(rows.second, "row", "rows") +
			        ", which reference rows that are not copied: " + listed(because.at(table)),
			    ""});
}

}  // namespace core
