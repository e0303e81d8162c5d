#include "missing.hpp"

#include <algorithm>
#include <set>

#include "folds.hpp"
#include "generic.hpp"
#include "key_types.hpp"
#include "maps.hpp"
#include "needs.hpp"
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

}  // namespace

bool may_be_null(const Graph &graph, const ForeignKey &key)
{
	const Relation &child = *graph.node(key.child).relation;
	return std::any_of(key.columns.begin(), key.columns.end(), [&](const std::string &name) {
		const Column *column = child.column(name);
		return column && !column->not_null;
	});
}

bool by_natural_key(const Graph &graph, const ForeignKey &key)
{
	if (graph.node(key.parent).reason == "users.table") return false;
	auto match = graph.node(key.parent).match, referenced = key.referenced;
	std::sort(match.begin(), match.end());
	std::sort(referenced.begin(), referenced.end());
	return match == referenced;
}

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
			// The pump lets go of what no map reaches, and an error needs no rows to be one.
			const bool asks = action == OnMissing::drop || (action == OnMissing::null && *reason != Gap::Why::unmatched);
			found[key] = {key, *reason, action, !asks || has_reference(source, *key)};
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
			found[key] = {key, Gap::Why::left_out, action, can_follow(source, *key)};
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
	// Nor is what cannot be asked asked: it is a problem of the plan.
	for (const Gap &gap : gaps_)
		if (!gap.answerable) unanswerable_.push_back(gap.key);
	std::erase_if(gaps_, [](const Gap &gap) { return !gap.answerable; });
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
		out.push_back({"missing " + column_key(key.child, key.name), "missing", Side::source, table, {key.name},
		    "SELECT count(*)::text FROM " + from_only(read) + " AS t WHERE " + where, {}});
	}
	return out;
}

}  // namespace core
