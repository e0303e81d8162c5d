// sync_anonymize(): for a database that was restored from a snapshot of production. The rules of the stored configuration are laid over the rows that are
// here: each table with rules is written beside, masked on the way by the same objects that the client masks with, its indexes are built, the
// references verified, and the storage is switched. So no raw row stays in a file, nobody sees a table that is half masked, no trigger fires, and an
// UPDATE's dead rows and index entries are never made. Tables of mode empty come out empty.
//
// One ordinary call in the caller's transaction, like sync_clear(): what it takes the place of is locked from its beginning to COMMIT. `prodsync
// anonymize` does it with several connections and lets readers go on; it also has what this has not: rules with SQL, which stay with the client.
#include "by_hand.hpp"
#include <algorithm>
#include "core/in_place.hpp"
#include "core/masks.hpp"
#include "core/plan.hpp"
#include "core/statements.hpp"
#include "foreign_keys.hpp"
#include "inputs.hpp"
#include "mask.hpp"
#include "masked_form.hpp"
#include "pg_server.hpp"
#include "refresh.hpp"
#include "shadow.hpp"
#include "statistics.hpp"
#include "switch.hpp"
#include "views.hpp"

namespace prodsync {

namespace {

// The tables that the caller names, as --tables would.
core::Choice choice_of(FunctionCallInfo fcinfo)
{
	core::Choice choice;
	choice.in_place = true;
	if (!pg::has_arg(fcinfo, 0)) return choice;
	for (Oid relation : pg::arg_oids(fcinfo, 0)) {
		core::Name name;
		{
			pg::As as(pg::caller(), 0);
			pg::Spi spi;
			const auto rows =
			    spi.rows("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid "
			             "= $1::oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
			        {std::to_string(relation)});
			if (!rows.empty()) name = {*rows[0][0], *rows[0][1]};
		}
		if (name.empty())
			throw pg::Error(PS_REFUSED, sql_name(relation) + " is no table that can be masked", {},
			    "Name ordinary or partitioned tables; partitions are masked with their root.");
		choice.tables.push_back(name.schema + "." + name.name);
	}
	if (choice.tables.empty()) throw pg::Error(PS_REFUSED, "the list of tables is empty", {}, "Leave it out to mask all tables that have rules.");
	return choice;
}

// Why this rule cannot be followed here.
void refuse_sql(const core::Plan &plan, std::vector<core::Problem> &problems)
{
	for (const core::PlannedTable &table : plan.tables)
		for (const core::Transfer &column : table.columns) {
			const bool expression = column.mask.strategy == core::by_production;
			if (!expression && column.mask.when.empty()) continue;
			problems.push_back({"sql-rule", table.name.shown() + "." + column.column,
			    "the rule for " + table.name.shown() + "." + column.column + " is SQL of the configuration file (" +
			        (expression ? "strategy: sql" : "when") + "), which is not stored here",
			    "prodsync anonymize --to ... has the file"});
		}
}

core::Plan plan_of(const Refresh &refresh)
{
	core::Plan plan = core::make_plan(refresh.config(), refresh.catalog(), refresh.catalog(), {});
	// What is asked only counts rows that are let go of.
	std::erase_if(plan.problems, [](const core::Problem &problem) { return problem.id == "questions"; });
	refuse_sql(plan, plan.problems);
	for (const core::Step &step : plan.steps)
		if (step.kind == "route")
			plan.problems.push_back({"partition-key-changes", step.table.shown(),
			    step.table.shown() + " is partitioned by a column that is masked: its rows move to other partitions",
			    "prodsync anonymize --to ... moves them"});
	const bool any = std::any_of(plan.tables.begin(), plan.tables.end(), [](const core::PlannedTable &table) {
		return table.mode == core::Mode::copy &&
		    std::any_of(
		        table.columns.begin(), table.columns.end(), [](const core::Transfer &column) { return column.mask.masks(); });
	});
	if (!any && plan.problems.empty())
		plan.problems.push_back({"nothing-masked", "anonymize",
		    refresh.config().choice.of_tables() ? "no rule masks a column of these tables"
		                                        : "the stored configuration has no rule that masks a column",
		    "SELECT sync_configure('{\"anonymize\": {\"tables\": {\"customer\": [{\"column\": \"email\", \"strategy\": "
		    "\"email\"}]}}}');    -- sync_detect_pii() suggests rules"});
	refuse_problems(plan.problems);
	return plan;
}

// A rule and the rows that it masked.
struct Rule {
	core::Name table;
	std::string column;
	core::MaskRule rule;
	std::string base;
};

// Rules by number: mask_in_place() is told that.
std::vector<Rule> rules_of(const Refresh &refresh, const core::Plan &plan)
{
	std::vector<Rule> out;
	for (const core::PlannedTable &table : plan.tables)
		for (const core::Transfer &column : table.columns)
			if (column.mask.masks())
				out.push_back(
				    {table.name, column.column, column.mask, refresh.catalog().find(table.name)->column(column.column)->base});
	return out;
}

// What the client reads in a COPY: by the type's output function, which a cast is not always (boolean, inet). character(n) is masked without its blanks.
std::string text_of(const std::string &value) { return "CASE WHEN " + value + " IS NOT NULL THEN pg_catalog.format('%s', " + value + ") END"; }

// Rows of one relation go into its shadow in their final form. Written by the table's owner: his CHECKs and generated columns run as he.
std::uint64_t write_beside(const Refresh &refresh, const core::Step &step, const std::vector<Rule> &rules)
{
	std::vector<std::string> names, values;
	for (const core::Transfer &column : step.columns) {
		names.push_back(core::quote_identifier(column.column));
		std::string value = column.source_value.empty() ? "t." + core::quote_identifier(column.column) : "(" + column.source_value + ")";
		for (std::size_t i = 0; i < rules.size(); i++) {
			if (rules[i].table != step.table || rules[i].column != column.column) continue;
			const std::string entity = rules[i].rule.entity.empty() ? "NULL" : text_of("t." + core::quote_identifier(rules[i].rule.entity));
			value = "prodsync_work.mask_in_place(" + (rules[i].base == "character" ? value + "::text" : text_of(value)) + ", " +
			    entity + ", " + std::to_string(i) + ")::" + core::cast_type(rules[i].base);
		}
		values.push_back(value);
	}
	const Oid shadow = refresh.shadows.at(refresh.oid(step.relation));
	return pg::Tables(refresh.extension)
	    .run("INSERT INTO " + sql_name(shadow) + " (" + core::joined(names, ", ") + ") OVERRIDING SYSTEM VALUE SELECT " +
	        core::joined(values, ", ") + " FROM ONLY " + step.source_relation.sql() + " AS t" +
	        (step.filter.empty() ? "" : " WHERE " + step.filter));
}

void append(std::vector<Check> &to, std::vector<Check> more)
{
	for (Check &check : more) to.push_back(std::move(check));
}

std::vector<Check> verify(const Refresh &refresh, const core::Plan &plan, const std::vector<Rule> &rules)
{
	std::vector<Check> checks;
	for (const core::Step &step : plan.steps) {
		if (step.kind != "load") continue;
		std::vector<std::pair<std::string, core::MaskRule>> masked;
		for (const Rule &rule : rules)
			if (rule.table == step.table) masked.emplace_back(rule.column, rule.rule);
		append(checks, verify_masked_forms(refresh.shadows.at(refresh.oid(step.relation)), step.relation.shown(), masked));
		pg::Tables sql(refresh.extension);
		append(checks, verify_foreign_keys(sql, refresh, step.relation));
		pg::check_interrupts();
	}
	append(checks, check_in_place(refresh));
	return checks;
}

}  // namespace

PG_FUNCTION(prodsync_anonymize)
{
	const pg::Extension extension = pg::extension_of(fcinfo);
	std::unique_ptr<Refresh> refresh = refresh_by_hand(extension, "sync_anonymize()", choice_of(fcinfo));
	const core::Plan plan = plan_of(*refresh);
	const std::vector<Rule> rules = rules_of(*refresh, plan);
	std::vector<std::pair<core::MaskRule, std::string>> masks;
	for (const Rule &rule : rules) masks.emplace_back(rule.rule, rule.base);
	const MaskInPlace masking(masks);    // before anything is locked: there may be no key

	std::vector<Wanted> wanted = locks_wanted(*refresh);
	for (const core::Name &view : refresh->catalog().materialized_views) wanted.push_back({refresh->oid(view), Strength::access_exclusive});
	lock_by_hand(*refresh, wanted);    // what comes last, the views, too: nobody is to wait for us while we wait for him
	std::vector<core::Name> tables, emptied;
	for (const auto &[name, node] : refresh->graph.tables) {
		if (!refresh->replaced(name)) continue;
		tables.push_back(name);
		if (node.mode == core::Mode::empty) emptied.push_back(name);
	}
	std::vector<pg::Row> out;
	for (const core::Name &table : emptied)
		out.push_back({table.shown(), std::nullopt, "empty", pg::Tables(extension).one("SELECT count(*) FROM " + refresh->old_rows(table, "t"))});
	make_shadows(*refresh, "anonymize", tables);
	std::map<core::Name, std::int64_t> left_out;
	std::vector<Check> checks;
	{
		pg::Settings settings;
		text_forms(settings);    // for the proof as well, which reads the masks back
		for (const core::Step &step : plan.steps) {
			if (step.kind != "load") continue;
			const std::uint64_t written = write_beside(*refresh, step, rules);
			if (!step.filter.empty())
				left_out[step.table] +=
				    std::stoll(
				        pg::Tables(extension).one("SELECT count(*) FROM ONLY " + step.source_relation.sql()).value_or("0")) -
				    static_cast<std::int64_t>(written);
			pg::check_interrupts();
		}
		build_indexes(*refresh);
		checks = verify(*refresh, plan, rules);
	}
	require_ok(checks);
	for (const auto &[original, shadow] : refresh->shadows) analyze(extension, shadow);
	forget_statistics(extension, refresh->shadows);
	switch_storage(extension, {refresh->shadows.begin(), refresh->shadows.end()});
	std::vector<Oid> originals;
	for (const auto &[original, shadow] : refresh->shadows) originals.push_back(original);
	ledger::record(extension, refresh->run, checks);
	finish_by_hand(*refresh);
	gather_statistics(extension, originals);
	for (const core::Name &view : refresh->catalog().materialized_views) refresh_masked_view(extension, refresh->oid(view));
	for (const auto &[table, rows] : left_out)
		if (rows > 0) out.push_back({table.shown(), std::nullopt, "left out", std::to_string(rows)});
	for (std::size_t i = 0; i < rules.size(); i++)
		out.push_back({rules[i].table.shown(), rules[i].column, rules[i].rule.inside.empty() ? rules[i].rule.strategy : "by path",
		    std::to_string(masking.masked(i))});
	std::sort(out.begin(), out.end(), [](const pg::Row &a, const pg::Row &b) {
		return std::pair(*a[0], a[1].value_or("")) < std::pair(*b[0], b[1].value_or(""));
	});
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
