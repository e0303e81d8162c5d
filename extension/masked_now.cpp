// Rows of kept tenants, and those whose id is in the reserved range, are the testers' own: an address that somebody typed in UAT is no broken refresh. So
// a value counts where its row is neither. Tables without an id of that kind have no such line between them: what is found there is said, and ok.
#include "masked_now.hpp"
#include <algorithm>
#include <optional>
#include "condition.hpp"
#include "core/maps.hpp"
#include "core/masking.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "inputs.hpp"
#include "masked_form.hpp"

namespace prodsync {

namespace {

// Which form a mask has only such strategies say; of parts the others are of any form.
bool tells(const core::MaskRule &rule)
{
	if (!rule.masks() || !rule.when.empty()) return false;
	return rule.inside.empty() ? core::recognizable(rule) : std::any_of(rule.inside.begin(), rule.inside.end(), tells);
}

struct KeptTenants {
	core::Name table;
	std::string key;
	std::vector<std::string> keys;
};

// nullopt: the condition is another role's and not run as the caller, or the table has no key of one column.
std::optional<KeptTenants> kept_tenants(const Refresh &refresh)
{
	KeptTenants kept{core::tenant_table(refresh.config(), refresh.graph), {}, {}};
	const core::Relation *table = refresh.catalog().find(kept.table);
	if (!table || !may_run_stored_text(refresh.extension)) return std::nullopt;
	kept.key = core::single_key(*table);
	if (kept.key.empty()) return std::nullopt;
	for (const pg::Row &row : chosen_rows(refresh.extension, *table, {kept.key}, "tenants.keep", refresh.config().tenants->keep))
		if (row[0]) kept.keys.push_back(*row[0]);
	return kept;
}

}  // namespace

std::vector<Check> check_masked_forms_now(pg::Tables &sql, const Refresh &refresh)
{
	std::vector<Check> out;
	std::vector<core::Problem> problems;    // of rules that do not fit any more: the next plan says them
	const core::Masking masking = core::resolve_masking(refresh.config(), refresh.graph, refresh.catalog(), refresh.catalog(), problems);
	if (masking.empty()) return out;
	const auto kept = refresh.config().tenants ? kept_tenants(refresh) : std::nullopt;
	pg::Settings settings;
	text_forms(settings);
	for (const auto &[name, rules] : masking) {
		const auto node = refresh.graph.tables.find(name);
		if (node == refresh.graph.tables.end() || node->second.mode != core::Mode::copy || !refresh.replaced(name)) continue;
		const bool told_apart = kept && !node->second.key.empty() && node->second.reserved_from > 0;
		std::string rows;
		if (told_apart) {
			rows = "(t." + core::quote_identifier(node->second.key) + " < " + std::to_string(node->second.reserved_from) + ") IS NOT FALSE";
			const std::string others = node->second.path.empty() && name != kept->table
			    ? ""
			    : core::tenant_filter(refresh.catalog(), node->second.path, kept->table, kept->key, kept->keys);
			if (!others.empty()) rows += " AND " + others;
		}
		std::vector<std::pair<std::string, std::string>> looked;    // at which column, and its strategy
		std::vector<std::string> counts;
		for (const auto &[column, rule] : rules) {
			const core::Column *here = node->second.relation->column(column);
			if (!here || here->generated || !tells(rule)) continue;
			const std::string value = "t." + core::quote_identifier(column),
			                  text = here->base == "character" ? value + "::pg_catalog.text" : "pg_catalog.format('%s', " + value + ")";
			counts.push_back("count(*) FILTER (WHERE " + value + " IS NOT NULL AND NOT prodsync_work.has_masked_form(" + text + ", " +
			    core::quote_literal(rule.to_json().dump()) + ", " + core::quote_literal(here->base) + "))");
			looked.emplace_back(column, rule.inside.empty() ? rule.strategy : "by path");
		}
		if (counts.empty()) continue;
		const pg::Row found = sql.rows("SELECT " + core::joined(counts, ", ") + " FROM " + refresh.old_rows(name, "t") +
		                              (rows.empty() ? "" : " WHERE " + rows))
		                           .at(0);
		for (std::size_t i = 0; i < looked.size(); i++) {
			const auto &[column, strategy] = looked[i];
			const auto count = std::stoll(found[i].value_or("0"));
			core::json detail{{"strategy", strategy}};
			if (!told_apart && count) detail["text"] = "rows that may be this database's own; a refresh leaves none";
			out.push_back({"masked form", name.shown() + "." + column, count, detail.dump(), count == 0 || !told_apart});
		}
		pg::check_interrupts();
	}
	return out;
}

}  // namespace prodsync
