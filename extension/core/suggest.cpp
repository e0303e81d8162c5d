// Every column begins with the strategy that suits it best. The plan's own checks are run over all of it; whoever is the object of a problem goes on
// to the next strategy, and so on until there is no problem, or no strategy left. Columns that hold the same values go on together.
#include "suggest.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "detect.hpp"
#include "json_path.hpp"
#include "maps.hpp"
#include "masks.hpp"

namespace core {

namespace {

using Place = std::pair<Name, std::string>;    // a column

std::string shown(const Place &place) { return place.first.shown() + "." + place.second; }

// In the table of categories stand those that want to be told something more, too.
bool suggested(const Strategy *strategy)
{
	return strategy && std::none_of(strategy->options.begin(), strategy->options.end(), [](const MaskOption &option) { return option.required; });
}

// Of a text that has as many digits as letters the strategy digits keeps the letters: anna1984 would stay Anna.
bool is_a_name(Category category)
{
	switch (category) {
	case Category::first_name:
	case Category::last_name:
	case Category::full_name:
	case Category::username:
	case Category::company:
	case Category::street:
	case Category::city:
	case Category::address: return true;
	default: return false;
	}
}

// The strategies for the column, best first; of one whose width can be chosen the narrow form first.
std::vector<MaskRule> candidates_for(const Column &column, Category category)
{
	std::vector<const char *> names = strategies_for(category);
	// digits: a permutation of what has the same form, for what is unique or short; a file or a picture can be left out.
	if (!is_a_name(category)) names.push_back("digits");
	if (column.base == "bytea") names.push_back("null");
	std::vector<MaskRule> out;
	std::set<std::string> seen;
	for (const char *name : names) {
		const Strategy *strategy = find_strategy(name);
		if (!suggested(strategy) || !seen.insert(name).second ||
		    !takes(*strategy, kind_of_type(masked_base({name, "", json::object()}, column.base))))
			continue;
		out.push_back({name, "", json::object()});
		for (const MaskOption &option : strategy->options)
			for (const auto number : option.numbers)
				if (std::to_string(number) != option.otherwise) out.push_back({name, "", {{option.name, number}}});
	}
	return out;
}

// A rule for each personal leaf of a document that can have one: the first strategy that makes text of text. Without strategy where none can.
MaskRule rule_for_parts(const Column &column, const std::vector<PersonalLeaf> &leaves)
{
	if (!has_parts(column.base) || leaves.empty()) return {};
	MaskRule rule{MaskRule::by_path, "", json::object()};
	for (const PersonalLeaf &leaf : leaves) {
		std::string why;
		const auto &names = strategies_for(leaf.category);
		const auto fits = std::find_if(names.begin(), names.end(),
		    [](const char *name) { return suggested(find_strategy(name)) && takes(*find_strategy(name), ValueKind::text); });
		// A name that looks like data is shown as *: a rule for that would be one for every member.
		if (fits == names.end() || leaf.path.find(".*") != std::string::npos || !JsonPath::parse(leaf.path, why)) continue;
		rule.inside.push_back({*fits, "", json::object(), "", "", leaf.path, {}});
	}
	return rule.inside.empty() ? MaskRule{} : rule;
}

class Suggester {
	const Masking &masking;
	const Catalog &target;
	const TryRules &try_rules;
	std::vector<PersonalColumn> &columns;
	std::map<Name, const PlannedTable *> copied;
	std::vector<Name> order;
	std::map<Place, Place> same;             // columns that hold the same values, as a forest

	struct Group {
		std::vector<Place> members;
		std::vector<std::size_t> suggestions;    // in `columns`
		std::vector<MaskRule> candidates;
		std::size_t at = 0;
		std::string why;
		const MaskRule *rule() const { return at < candidates.size() ? &candidates[at] : nullptr; }
	};
	std::vector<Group> groups;

	Place root(Place place) const
	{
		for (auto up = same.find(place); up != same.end(); up = same.find(place)) place = up->second;
		return place;
	}
	void join(const Place &one, const Place &other)
	{
		const Place a = root(one), b = root(other);
		if (a != b) same.emplace(a, b);
	}

	const MaskRule *given(const Place &place) const
	{
		const auto rules = masking.find(place.first);
		if (rules == masking.end()) return nullptr;
		const auto rule = rules->second.find(place.second);
		return rule == rules->second.end() ? nullptr : &rule->second;
	}

	const Column *column(const Place &place) const
	{
		const Relation *relation = target.find(place.first);
		return relation ? relation->column(place.second) : nullptr;
	}

	void link(const Graph &graph)
	{
		for (const ForeignKey *key : graph.keys)
			for (std::size_t i = 0; i < key->columns.size(); ++i)
				join({logical_table(graph, key->child), key->columns[i]}, {logical_table(graph, key->parent), key->referenced[i]});
		for (const auto &[name, table] : copied)
			for (const Name &parent : target.find(name)->parents)
				for (const Column &one : target.find(name)->columns)
					if (copied.contains(parent) && target.find(parent)->column(one.name)) join({name, one.name}, {parent, one.name});
	}

	// Those that only hold what another one holds.
	void add_others(const std::map<Place, std::vector<Place>> &members)
	{
		std::map<Place, PersonalColumn> all;
		for (const PersonalColumn &one : columns) all.emplace(Place{one.table, one.column}, one);
		const auto found = columns;
		for (const PersonalColumn &one : found) {
			const auto others = members.find(root({one.table, one.column}));
			if (one.has_rule || one.personal.category == Category::derived || others == members.end()) continue;
			for (const Place &other : others->second) {
				const Column *its = column(other);
				const auto table = copied.find(other.first);
				if (!its || its->generated || all.contains(other) || given(other) || table == copied.end()) continue;
				if (std::none_of(table->second->columns.begin(), table->second->columns.end(),
				        [&](const Transfer &transfer) { return transfer.column == other.second && transfer.map.empty(); }))
					continue;
				PersonalColumn more{other.first, other.second, its->type, one.personal, {}, {}, false};
				more.personal.evidence = "has the values of " + shown(Place{one.table, one.column});
				more.personal.seen = more.personal.evidence;
				all.emplace(other, more);
			}
		}
		columns.clear();
		for (const Name &table : order)
			for (const Column &one : target.find(table)->columns)
				if (const auto here = all.find({table, one.name}); here != all.end()) columns.push_back(here->second);
	}

	void make_groups(const std::map<Place, std::vector<Place>> &members)
	{
		std::map<Place, std::size_t> by_root;
		for (std::size_t i = 0; i < columns.size(); ++i) {
			const PersonalColumn &one = columns[i];
			if (one.has_rule || one.personal.category == Category::derived) continue;    // those are told by what they are made of
			const Place place{one.table, one.column}, top = root(place);
			const auto [at, added] = by_root.emplace(top, groups.size());
			if (added) {
				const auto all = members.find(top);
				groups.push_back({all == members.end() ? std::vector{place} : all->second, {}, {}, 0, {}});
			}
			groups[at->second].suggestions.push_back(i);
		}
		for (Group &group : groups) {
			const auto ruled = std::find_if(group.members.begin(), group.members.end(), [&](const Place &one) {
				const MaskRule *rule = given(one);
				return rule && rule->inside.empty();
			});
			if (ruled != group.members.end() && group.members.size() > 1) {
				if (given(*ruled)->masks()) group.candidates = {*given(*ruled)};
				else group.why = shown(*ruled) + " has the same values, and its rule copies them as they are";
				continue;
			}
			const PersonalColumn *best = &columns[group.suggestions.front()];
			for (const std::size_t i : group.suggestions)
				if (columns[i].personal.confidence > best->personal.confidence) best = &columns[i];
			const Column &its = *column({best->table, best->column});
			group.candidates = candidates_for(its, best->personal.category);
			if (auto parts = rule_for_parts(its, best->personal.leaves); group.candidates.empty() && !parts.inside.empty())
				group.candidates.push_back(std::move(parts));
		}
	}

	Masking with_suggestions() const
	{
		Masking rules = masking;
		for (const Group &group : groups)
			for (const std::size_t i : group.suggestions) {
				if (!group.rule()) continue;
				MaskRule &rule = rules[columns[i].table][columns[i].column];
				const MaskRule &added = *group.rule();
				if (rule.inside.empty()) rule = added;
				else rule.inside.insert(rule.inside.end(), added.inside.begin(), added.inside.end());    // the other parts have their rules
			}
		return rules;
	}

	void try_out()
	{
		std::set<std::pair<std::string, std::string>> before;
		for (const Problem &one : try_rules(masking)) before.emplace(one.id, one.object);
		std::map<std::string, Group *> of;
		for (Group &group : groups)
			for (const Place &place : group.members) of.emplace(shown(place), &group);
		for (bool more = true; more;) {
			more = false;
			std::set<Group *> moved;
			for (const Problem &one : try_rules(with_suggestions())) {
				const auto group = of.find(one.object);
				if (group == of.end() || before.contains({one.id, one.object}) || !group->second->rule() ||
				    !moved.insert(group->second).second)
					continue;
				if (group->second->why.empty()) group->second->why = one.text;
				++group->second->at;
				more = true;
			}
		}
	}

public:
	Suggester(const Graph &graph, const Masking &masking_, const Catalog &target_, const Plan &plan, const TryRules &try_rules_,
	    std::vector<PersonalColumn> &columns_)
	    : masking(masking_), target(target_), try_rules(try_rules_), columns(columns_)
	{
		for (const PlannedTable &table : plan.tables) {
			if (table.mode != Mode::copy || !table.in_source) continue;
			copied.emplace(table.name, &table);
			order.push_back(table.name);
		}
		link(graph);
	}

	void run()
	{
		std::map<Place, std::vector<Place>> members;
		std::set<Place> all;
		for (const auto &[one, other] : same) all.insert(one), all.insert(other);
		for (const Place &place : all) members[root(place)].push_back(place);
		add_others(members);
		make_groups(members);
		if (groups.empty()) return;
		try_out();
		for (const Group &group : groups)
			for (const std::size_t i : group.suggestions)
				if (group.rule()) columns[i].fits = *group.rule();
				else columns[i].why = group.why;
	}
};

}  // namespace

void suggest_rules(const Graph &graph, const Masking &masking, const Catalog &target, const Plan &plan, const TryRules &try_rules,
    std::vector<PersonalColumn> &columns)
{
	Suggester(graph, masking, target, plan, try_rules, columns).run();
}

}  // namespace core
