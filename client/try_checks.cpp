#include "try_checks.hpp"
#include <algorithm>
#include <set>
#include "core/masked_checks.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "copy_rows.hpp"
#include "fault_point.hpp"
#include "mask_column.hpp"
#include "rewrite.hpp"

namespace client {
namespace {

constexpr int most_rows = 300;
constexpr std::size_t most_bytes = 8192;     // of a value
constexpr std::size_t most_codes = 10;       // different words that a column of codes has in a sample of most_rows

bool is_no_text(const core::Column &column)
{
	switch (core::kind_of_type(column.base)) {
	case core::ValueKind::integer:
	case core::ValueKind::numeric:
	case core::ValueKind::date:
	case core::ValueKind::timestamp:
	case core::ValueKind::boolean:
	case core::ValueKind::uuid: return true;
	default: return !column.labels.empty();
	}
}

// A text that nobody masks goes to the target with the refresh, and not before; what the target makes of it does not matter: a cast that fails writes it
// into the log there. A code does no harm: few words that many rows share.
bool may_travel(const core::Column &there, const core::Column &here, const std::set<std::string> &seen, std::size_t rows)
{
	return (is_no_text(there) && is_no_text(here)) || seen.empty() || (seen.size() <= most_codes && 3 * seen.size() <= rows);
}

// What the constraint looks at, in its order. Empty: production has not all of it, or it is replaced by maps.
std::vector<core::Transfer> transfers(const core::MaskedCheck &check, const core::Step &step)
{
	std::vector<core::Transfer> out;
	for (const std::string &column : check.columns)
		for (const core::Transfer &one : step.columns)
			// of a value that is masked in parts the others are raw
			if (one.column == column && one.map.empty() && one.by_model.empty() && one.mask.inside.empty()) out.push_back(one);
	return out.size() == check.columns.size() ? out : std::vector<core::Transfer>{};
}

// Rows of masks, as the constraint's columns are ordered. `instead`: of the rule of its first column.
core::json masked_sample(
    const RefreshOptions &options, Prepared &prepared, const core::MaskedCheck &check, const core::MaskRule *instead = nullptr)
{
	core::json sample = core::json::array();
	std::vector<std::set<std::string>> seen(check.columns.size());
	for (const core::Step &step : prepared.plan.steps) {
		if (step.kind != "load" || step.table != check.table || sample.size() >= most_rows) continue;
		// Which rows come to a partition that is loaded through its table only the server knows.
		if (check.relation != check.table && (step.routed || step.relation != check.relation)) continue;
		core::Step part = with_sql(step, options.source_sql);
		part.columns = transfers(check, part);
		part.binary = false;
		if (part.columns.empty()) return core::json::array();
		if (instead) part.columns[0].mask = *instead;
		const std::vector<std::string> beside = core::read_beside(part);
		std::vector<Replacement> replacements;
		for (std::size_t i = 0; i < check.masked; ++i)
			if (part.columns[i].mask.strategy != core::by_production)
				replacements.push_back(masked_column(
				    i, part.columns[i], part, beside, options.key.key.get(), prepared.source_catalog, prepared.target_catalog));
		Rewriter rewriter(step.relation.shown(), false, part.columns.size(), std::move(replacements), beside.size());
		CopyFields raw, fields;
		std::string masked;
		for_each_line(*prepared.source,
		    "COPY (" + core::select_from_source(part) + " LIMIT " + std::to_string(most_rows - static_cast<int>(sample.size())) +
		        ") TO STDOUT (FORMAT text, ENCODING 'UTF8')",
		    [&](std::string_view line) {
				masked.clear();
				rewriter.message(line, masked);
				core::json row = core::json::array();
				const auto &before = raw.of(line), &values = fields.of(masked);
				for (std::size_t i = 0; i < values.size(); ++i) {
					if (values[i] && values[i]->size() > most_bytes) return;
					// left as it is, in a row that the rule's condition leaves out
					const bool made_here = i < check.masked && part.columns[i].mask.strategy != core::by_production;
					if (made_here && values[i] && !values[i]->empty() && values[i] == before[i]) return;
					row.push_back(values[i] ? core::json(std::string(*values[i])) : core::json());
					if (values[i] && i >= check.masked && seen[i].size() <= most_codes) seen[i].insert(std::string(*values[i]));
				}
				sample.push_back(std::move(row));
		    });
	}
	const auto column_of = [&](const core::Catalog &catalog, const std::string &column) {
		const core::Relation *table = catalog.find(check.table);
		return table ? table->column(column) : nullptr;
	};
	for (std::size_t i = check.masked; i < check.columns.size(); ++i) {
		const core::Column *there = column_of(prepared.source_catalog, check.columns[i]), *here = column_of(prepared.target_catalog, check.columns[i]);
		if (!there || !here || !may_travel(*there, *here, seen[i], sample.size())) return core::json::array();
	}
	return sample;
}

// How many rows of the sample the constraint does not allow.
std::int64_t violations(Prepared &prepared, const core::MaskedCheck &check, const core::json &sample)
{
	const Result result =
	    prepared.target->exec("SELECT " + prepared.extension.call("sync_try_check($1, $2, $3, $4::pg_catalog.jsonb, $5::pg_catalog.jsonb)"),
	        {check.relation.schema, check.relation.name, check.constraint, core::json(check.columns).dump(),
	            sample.dump(-1, ' ', false, core::json::error_handler_t::replace)});
	return result.rows() == 1 ? result.number(0, 0) : 0;
}

// Another rule for the column, of which nothing stands in the way of this constraint.
std::optional<core::MaskRule> allowed_rule(const RefreshOptions &options, Prepared &prepared, const core::MaskedCheck &check)
{
	const auto table = std::find_if(prepared.plan.tables.begin(), prepared.plan.tables.end(),
	    [&](const core::PlannedTable &one) { return one.name == check.table; });
	const auto transfer = std::find_if(
	    table->columns.begin(), table->columns.end(), [&](const core::Transfer &one) { return one.column == check.columns.front(); });
	for (core::MaskRule &rule :
	    core::form_keeping_rules(prepared.target_catalog, check.table, check.columns.front(), transfer->mask)) {
		const core::json sample = masked_sample(options, prepared, check, &rule);
		if (!sample.empty() && violations(prepared, check, sample) == 0) return std::move(rule);
	}
	return std::nullopt;
}

}  // namespace

void try_checks(const RefreshOptions &options, Prepared &prepared)
{
	std::vector<core::TriedCheck> tried;
	for (const core::MaskedCheck &check : core::masked_checks(prepared.plan, prepared.target_catalog)) {
		core::TriedCheck one{check, 0, 0};
		FAULT_POINT("trying a check");
		// What cannot be tried (a right that is missing, a table that is locked, an expression that fails) stays a warning.
		for (Connection *side : {prepared.source.get(), prepared.target.get()})
			side->exec("SAVEPOINT tried; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '30s'");
		try {
			const core::json sample = masked_sample(options, prepared, check);
			if (!sample.empty()) {
				one.violations = violations(prepared, check, sample);
				one.rows = static_cast<std::int64_t>(sample.size());
				if (one.violations && check.masked == 1) one.allowed = allowed_rule(options, prepared, check);
			}
		} catch (const Error &error) {
			if (!prepared.source->usable() || !prepared.target->usable() || error.exit_code == exit_interrupted) throw;
			if (error.exit_code == exit_check) throw;    // a value that the rule cannot mask: so would the run
		}
		for (Connection *side : {prepared.source.get(), prepared.target.get()}) side->exec("ROLLBACK TO SAVEPOINT tried; RELEASE SAVEPOINT tried");
		tried.push_back(std::move(one));
	}
	core::tell_tried_checks(tried, prepared.target_catalog, prepared.plan);
}

}  // namespace client
