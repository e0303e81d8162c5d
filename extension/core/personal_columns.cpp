#include "personal_columns.hpp"

#include <algorithm>

#include "covered.hpp"
#include "derived.hpp"
#include "detect.hpp"
#include "maps.hpp"
#include "rules.hpp"
#include "words.hpp"

namespace core {

namespace {

// Adds what is made from columns that are masked, or that nobody has decided about, to what looks personal by itself; and says what of.
std::map<std::string, Derived> derived_personal(
    const MaskFit &fit, const Catalog &source, const PlannedTable &table, std::map<std::string, Personal> &personal)
{
	std::map<std::string, Derived> out;
	const Relation *there = source.find(table.name);
	for (Derived &one : derived_columns(source, *there, [&](const std::string &column) {
		     const MaskRule *given = fit.rule(table.name, column);
		     return given ? given->masks() : personal.contains(column);
	     })) {
		Personal looks{Category::derived, 0.9, (one.by.empty() ? "a tsvector beside " : one.by + ", of ") + listed(one.from), "", {}};
		looks.seen = looks.evidence;
		personal[one.column] = std::move(looks);
		out.emplace(one.column, std::move(one));
	}
	return out;
}

// What the column it is made from is masked by, where that fits; of a tsvector nothing is left.
MaskRule fitting_derived(const MaskFit &fit, const PlannedTable &table, const Column &column, const Derived &derived,
    const std::map<std::string, Personal> &personal)
{
	const auto fits = [&](const MaskRule &one) { return one.when.empty() && one.strategy != by_production && fit.fits(table, column, one); };
	const MaskRule nothing{"null", "", json::object()}, empty{"constant", "", {{"value", ""}}};
	if (column.base != "tsvector")
		for (const std::string &origin : derived.from) {
			const MaskRule *given = fit.rule(table.name, origin);
			if (given && fits(*given)) return *given;
			const auto looks = personal.find(origin);
			if (given || looks == personal.end()) continue;
			if (const auto own = fit.fitting(table, column, strategies_for(looks->second.category))) return *own;
		}
	for (const MaskRule &one : {nothing, empty})
		if (column.base == "tsvector" && fits(one)) return one;
	if (const auto own = fit.fitting(table, column, strategies_for(Category::derived))) return *own;
	return fits(nothing) ? nothing : MaskRule{};
}

// Kept rows are the target's own in a refresh; in a database that was restored from production they are production's.
void add_personal_in_kept(const Config &config, const Graph &graph, const Catalog &target, const MaskFit &fit,
    const std::map<Name, std::map<std::string, Personal>> &all, Plan &plan)
{
	if (config.choice.of_tables()) return;
	std::vector<std::string> columns;
	std::string lines;
	for (const PlannedTable &table : plan.tables) {
		const auto personal = all.find(table.name);
		if (personal == all.end() || table.mode != Mode::keep || graph.node(table.name).stays) continue;
		const std::size_t before = columns.size();
		for (const auto &[column, looks] : personal->second)
			if (const Column *here = target.find(table.name)->column(column);
			    here && !here->generated && !fit.rule(table.name, column))
				columns.push_back(table.name.shown() + "." + column);
		if (columns.size() > before)
			lines += "\n  " + yaml_table(target, table.name) +
			    ": {mode: copy}    # and rules for it, or {mode: empty}; a rule with strategy: none says that a column may stay";
	}
	if (columns.empty()) return;
	Problem problem{"personal-kept", "tables",
	    listed(columns) + (columns.size() == 1 ? " looks" : " look") +
	        " personal, and the mode is keep: in place that leaves production's rows as they are",
	    "tables:" + lines};
	(config.policy == Policy::strict ? plan.problems : plan.warnings).push_back(std::move(problem));
}

}  // namespace

void add_personal_columns(const Config &config, const Graph &graph, const Masking &masking, const Catalog &source, const Catalog &target,
    const Answers &answers, const Contents &contents, double least, const Plan &tried, const TryRules &try_rules, Plan &plan)
{
	if (config.policy == Policy::none) return;
	const MaskFit fit(config, graph, masking, source, target);
	const auto all = find_personal(source, contents, least);
	for (const PlannedTable &table : plan.tables) {
		// In place, what no rule masks is production's too.
		const bool stays = config.choice.in_place && !config.choice.of_tables() && graph.node(table.name).stays;
		if ((table.mode != Mode::copy && !stays) || !table.in_source) continue;
		const auto found_there = all.find(table.name);
		auto personal = found_there == all.end() ? std::map<std::string, Personal>{} : found_there->second;
		const auto derived = derived_personal(fit, source, table, personal);
		if (personal.empty()) continue;
		for (const Column &column : target.find(table.name)->columns) {
			const auto one = personal.find(column.name);
			if (one == personal.end() || column.generated) continue;
			// Ids are replaced by maps. (Of a table whose rows fold the map leaves most values as they are.)
			const auto &columns = table.columns;
			if (std::any_of(columns.begin(), columns.end(), [&](const Transfer &transfer) {
				    return transfer.column == column.name && answers.maps.contains(transfer.map);
			    }))
				continue;
			const MaskRule *given = fit.rule(table.name, column.name);
			PersonalColumn looks{table.name, column.name, column.type, one->second, {}, {}, given != nullptr};
			// Rules for parts are about those parts: what else a document holds has none (C6).
			if (auto &leaves = looks.personal.leaves; given && !given->inside.empty() && !leaves.empty()) {
				std::erase_if(leaves, [&](const PersonalLeaf &leaf) { return covers(*given, leaf); });
				looks.has_rule = leaves.empty();
				if (!leaves.empty()) looks.fits.strategy = MaskRule::by_path;    // a rule for the whole could not stand beside them
			}
			if (const auto origin = derived.find(column.name); !looks.has_rule && origin != derived.end())
				looks.fits = fitting_derived(fit, table, column, origin->second, personal);
			plan.personal.push_back(std::move(looks));
		}
	}
	suggest_rules(graph, masking, target, tried, try_rules, plan.personal);

	std::string block, lines;
	std::size_t tables = 0, found = 0;
	for (std::size_t i = 0; i < plan.personal.size(); ++i) {
		const PersonalColumn &one = plan.personal[i];
		if (!one.has_rule) {
			++found;
			for (const std::string &line : one.lines()) lines += "\n      " + line;
		}
		if (lines.empty() || (i + 1 < plan.personal.size() && plan.personal[i + 1].table == one.table)) continue;
		++tables;
		// of comments alone there is no list
		block += (lines.find("\n      - ") == std::string::npos ? "\n    # " : "\n    ") + yaml_table(target, one.table) + ":" + lines;
		lines.clear();
	}
	if (config.choice.in_place) add_personal_in_kept(config, graph, target, fit, all, plan);
	if (!found) return;
	Problem problem{"personal-columns", "anonymize",
	    counted(static_cast<std::int64_t>(found), "column", "columns") + " of " + counted(static_cast<std::int64_t>(tables), "table", "tables") +
	        (found == 1 ? " looks personal and has no rule; what it is, " : " look personal and have no rule; what they are, ") +
	        "and a rule for each (strategy: none copies a column as it is):",
	    "anonymize:\n  tables:" + block};
	(config.policy == Policy::strict ? plan.problems : plan.warnings).push_back(std::move(problem));
}

}  // namespace core
