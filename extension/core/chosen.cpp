// Rows of a table that stays are told apart into three kinds. Those that a verified run loaded from this source and nobody wrote since
// are the source's rows of their ids; the target answers with ranges of them, so that five million are a few lines. The source then says
// which of its rows are not among them (new ones), with their natural keys, to be found among the target's remaining rows. What is found in
// neither way is no problem as long as no copied row references it; that is the last question (kind unmatched).
#include "chosen.hpp"
#include <algorithm>
#include "digest.hpp"
#include "key_types.hpp"
#include "maps.hpp"
#include "rules.hpp"
#include "statements.hpp"

namespace core {
namespace {

// Tables that inherit from these, to any depth.
void add_heirs(const Catalog &catalog, std::set<Name> &tables)
{
	for (std::size_t before = 0; before != tables.size();) {
		before = tables.size();
		for (const Relation *table : catalog.tables())
			for (const Name &parent : table->parents)
				if (tables.contains(parent)) tables.insert(table->name);
	}
}

class Chooser {
	Graph &graph_;
	const Config &config_;
	const Catalog &catalog_;
	std::set<Name> visiting_;

	// A unique key that says which row it is in both databases: no generated numbers, and ids of other tables only if they are mapped.
	std::vector<std::string> unique_key(const Name &table)
	{
		const Relation &relation = *graph_.node(table).relation;
		const Index *best = nullptr;
		for (const Index &index : relation.indexes) {
			if (!index.unique || !index.valid || index.exclusion || index.expressions || !index.predicate.empty() || index.columns.empty()) continue;
			const bool usable = std::all_of(index.columns.begin(), index.columns.end(), [&](const std::string &name) {
				const Column *column = relation.column(name);
				if (!column || !column->sequence.empty() || column->base == "uuid") return false;
				const Identity *identity = graph_.identity(table, name);
				if (!identity || *identity == Identity{table, name})
					return !(index.primary && index.columns.size() == 1 && is_integer(column->base));
				return identity->table != table && map(identity->table) && !kept_map(graph_, table, name).empty();
			});
			if (usable && (!best || index.columns.size() < best->columns.size())) best = &index;
		}
		return best ? best->columns : std::vector<std::string>{};
	}

public:
	Chooser(Graph &graph, const Config &config, const Catalog &catalog) : graph_(graph), config_(config), catalog_(catalog) {}

	// Whether production's ids of the table can be told in the target's.
	bool map(const Name &table)
	{
		TableNode &node = graph_.tables.at(table);
		if (!node.stays || node.mapped) return node.mapped;
		if (single_key(*node.relation).empty() || !visiting_.insert(table).second) return false;
		if (node.match.empty()) node.match = unique_key(table);
		visiting_.erase(table);
		return node.mapped = true;
	}

	void map_parents()
	{
		for (const ForeignKey *key : graph_.keys) {
			if (graph_.node(key->child).mode != Mode::copy) continue;
			for (const auto &column : key->columns)
				if (const Identity *identity = graph_.identity(key->child, column)) map(identity->table);
		}
	}
};

}  // namespace

void apply_choice(Graph &graph, const Config &config, const Catalog &catalog, std::vector<Problem> &problems)
{
	const Choice &choice = config.choice;
	if (!choice.of_tables()) return;
	const std::size_t before = problems.size();
	std::set<Name> chosen = named_tables(catalog, choice.tables, "--tables", problems);
	const std::set<Name> excluded = named_tables(catalog, choice.exclude, "--exclude", problems);
	for (const auto &written : choice.tables)
		if (const auto found = catalog.resolve(written); found.size() == 1 && graph.tables.contains(found.front()))
			if (const TableNode &node = graph.node(found.front()); node.mode == Mode::keep)
				problems.push_back({"chosen-kept", "--tables", written + " is kept (" + node.reason + "): none of its rows is ever copied",
				    "take it out of --tables, or give it another mode"});
	if (choice.tables.empty())
		for (const auto &[name, node] : graph.tables) chosen.insert(name);
	bool any = false;
	for (auto &[name, node] : graph.tables) {
		if (node.mode == Mode::keep) continue;
		const bool left_out = excluded.contains(name);
		if (!left_out && chosen.contains(name)) {
			any = true;
			continue;
		}
		node.mode = Mode::keep;
		node.stays = true;
		node.reason = left_out ? "--exclude" : "not in --tables";
		node.key.clear();    // its rows keep their ids
		node.on_missing.clear();    // and stay where they are
	}
	if (!any && problems.size() == before)
		problems.push_back({"nothing-chosen", choice.tables.empty() ? "--exclude" : "--tables",
		    "no table is left that would be refreshed", "choose others"});
	Chooser(graph, config, catalog).map_parents();
}

std::vector<Question> staying_questions(
    const Config &config, const Graph &graph, const Relation &source, const Relation &target, const Answers &answers)
{
	const Name &name = target.name;
	const TableNode &node = graph.node(name);
	const auto key = common_key(target, source);
	if (key.empty()) return {};
	const auto column = "t." + quote_identifier(key);
	std::vector<std::string> asked_about{key};
	std::string of_source = column + "::text", of_target = of_source;
	for (const auto &natural : node.match) {
		if (!target.column(natural) || !source.column(natural)) return {};    // the plan says so
		if (const Name other = kept_map(graph, name, natural); !other.empty() && !map_complete(config, graph, answers, other)) return {};
		of_source += ", " + match_text(graph, name, *source.column(natural), *target.column(natural));
		of_target += ", " + digest_of(match_text(graph, name, *target.column(natural), *source.column(natural)));
		asked_about.push_back(natural);
	}
	// A row of the reserved range was born here, whoever wrote it last. Where keys have no such range, what a switch wrote may be a kept row.
	const bool generated = node.reserved_from > 0;
	const std::string known = "(t.tableoid::text || '/' || t.xmin::text = ANY ($1::text[]) OR t.xmin::text = ANY ($2::text[])" +
	    std::string(generated ? "" : " AND false") + ")" + (generated ? " AND " + column + " < " + std::to_string(node.reserved_from) : "");
	const bool integer = is_integer(target.column(key)->base) && is_integer(source.column(key)->base);
	std::vector<Question> out;
	Question ranges{"known " + name.sql(), "known", Side::target, name, {key}, "", {}, true};
	ranges.sql = integer ? "SELECT min(r.k)::text, max(r.k)::text FROM (SELECT " + column + " AS k, " + column +
	        " - row_number() OVER (ORDER BY " + column + ") AS run FROM " + from_only(target) + " AS t WHERE " + known +
	        ") AS r GROUP BY r.run ORDER BY min(r.k)"
	                     : "SELECT " + column + "::text, " + column + "::text FROM " + from_only(target) + " AS t WHERE " + known;
	out.push_back(ranges);
	if (!node.match.empty())
		out.push_back({"pairs " + name.sql() + " target", "pairs", Side::target, name, asked_about,
		    "SELECT " + of_target + " FROM " + from_only(target) + " AS t WHERE NOT (" + known + ")", {}, true});
	if (!asked(answers, ranges.id)) return out;
	std::string others;
	if (const auto found = answers.known.find(name); found != answers.known.end() && !found->second.empty()) {
		std::vector<std::string> from, to;
		for (const auto &[first, last] : found->second) {
			from.push_back(first);
			to.push_back(last);
		}
		// The range that a key could be in is found by bisection; before the first one there is none.
		others = integer ? " WHERE coalesce(" + column + "::bigint > (" + array_literal(to, "bigint") + ")[width_bucket(" +
		        column + "::bigint, " + array_literal(from, "bigint") + ")], true)"
		                 : " WHERE NOT EXISTS (SELECT FROM unnest(" + array_literal(from, source.column(key)->base) +
		        ") AS d(k) WHERE d.k = " + column + ")";
	}
	out.push_back({"pairs " + name.sql() + " source", "pairs", Side::source, name, asked_about,
	    "SELECT " + of_source + " FROM " + from_only(source) + " AS t" + others, {}, false});
	return out;
}

// ---- names ----

std::set<Name> named_tables(
    const Catalog &catalog, const std::vector<std::string> &written, const std::string &option, std::vector<Problem> &problems)
{
	std::set<Name> out;
	for (const auto &one : written) {
		const auto found = matching_tables(catalog, one, option, problems);
		out.insert(found.begin(), found.end());
	}
	add_heirs(catalog, out);
	return out;
}

}  // namespace core
