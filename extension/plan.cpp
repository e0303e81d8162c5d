// core's planner, served: what is asked, what becomes of each table, what stands in the way. Nothing is written here.
#include <set>
#include "condition.hpp"
#include "core/plan.hpp"
#include "core/maps.hpp"
#include "core/statements.hpp"
#include "core/words.hpp"
#include "generic.hpp"
#include "inputs.hpp"
#include "origin.hpp"

namespace prodsync {

PG_FUNCTION(prodsync_questions)
{
	std::vector<core::Problem> problems;  // sync_plan() has them
	core::Config config = core::Config::parse(json_arg(fcinfo, 0), problems);
	core::Catalog source = source_arg(fcinfo, 1), target = core::Catalog::parse(target_document(pg::extension_of(fcinfo)));
	std::vector<pg::Row> out;
	for (const core::Question &question : core::questions(config, source, target, {}))
		out.push_back({question.id, question.kind, question.relation.shown(), core::array_text(question.columns)});
	return pg::table(fcinfo, out);
}

// ---- sync_answers ----
static std::string array_of(const pg::Row &cells)
{
	std::string out;
	for (const pg::Value &cell : cells) {
		std::string text = cell ? core::array_text({*cell}) : "{NULL}";
		out += (out.empty() ? "" : ",") + text.substr(1, text.size() - 2);
	}
	return "{" + out + "}";
}

// What may be shown of rows to whoever may ask: integer and uuid keys. Other keys (a session's is a secret) take SELECT.
static void demand_key(const core::Relation &table, const std::string &key)
{
	const std::string &base = table.column(key)->base;
	if (base == "smallint" || base == "integer" || base == "bigint" || base == "uuid" || may_select(table, key)) return;
	refuse_problems({{"rights", table.name.shown(),
	    "the keys of " + table.name.shown() + " are neither numbers nor uuids: to be told them takes SELECT on " + key,
	    grant_select(table, {key}) + ";"}});
}

// Digests of what few values are possible for can be guessed: columns that are no unique key take the right to read them.
static void demand_natural_key(const core::Relation &table, const std::vector<std::string> &columns)
{
	for (const core::Index &index : table.indexes)
		if (index.unique && index.valid && index.predicate.empty() && !index.expressions &&
		    std::set<std::string>(index.columns.begin(), index.columns.end()) == std::set<std::string>(columns.begin(), columns.end()))
			return;
	std::vector<std::string> missing;
	for (const std::string &column : columns)
		if (!may_select(table, column)) missing.push_back(column);
	if (!missing.empty())
		refuse_problems({{"rights", table.name.shown(),
		    "rows of " + table.name.shown() + " are to be matched by columns that are no unique key: that takes SELECT on them",
		    grant_select(table, missing) + ";"}});
}

// Models are told by their names.
static void demand_texts(const core::Relation &table, const std::vector<std::string> &columns)
{
	std::vector<std::string> missing;
	for (const std::string &column : columns)
		if (!may_select(table, column)) missing.push_back(column);
	if (!missing.empty())
		refuse_problems({{"rights", table.name.shown(),
		    "which models are referenced (references: content_type) is told by " + core::listed(missing) + " of " +
		        table.name.shown() + ": that takes SELECT on them",
		    grant_select(table, missing) + ";"}});
}

// The target's part of a round of questions, by the statements that the client's core has too. A label that the caller
// may not read himself is left out.
PG_FUNCTION(prodsync_answers)
{
	std::vector<core::Problem> problems;  // sync_plan() has them
	pg::Extension extension = pg::extension_of(fcinfo);
	core::Config config = core::Config::parse(json_arg(fcinfo, 0), problems);
	core::Catalog source = source_arg(fcinfo, 1), target = core::Catalog::parse(target_document(extension));
	std::map<std::pair<core::Name, std::string>, std::string> chosen;
	std::optional<pg::Row> origins;
	std::vector<pg::Row> out;
	for (const core::Question &question : core::questions(config, source, target, answers_arg(fcinfo, 2))) {
		if (question.side != core::Side::target) continue;
		const core::Relation &table = *target.find(question.relation);
		pg::Row args;
		if (const auto &condition = question.condition) {
			auto [at, unknown] = chosen.try_emplace({condition->table, condition->text});
			if (unknown) {
				const core::Relation &of = *target.find(condition->table);
				std::vector<std::string> keys;
				for (const pg::Row &row : chosen_rows(extension, of, {core::single_key(of)}, condition->option.c_str(), condition->text))
					keys.push_back(row[0].value_or(""));
				at->second = core::array_text(keys);
			}
			args.push_back(at->second);
		}
		if (question.origins) {
			if (!origins) {
				pg::Tables ledger(extension);
				origins = origin_arguments(known_origins(ledger, target, source.system_identifier, source.database));
			}
			args = *origins;
		}
		if (question.kind == "models") demand_texts(table, question.columns);
		else if (!question.columns.empty()) demand_key(table, question.columns[0]);
		if (question.kind == "pairs") demand_natural_key(table, {question.columns.begin() + 1, question.columns.end()});
		const bool hidden = (question.kind == "kept_tenants" || question.kind == "fallback") && !may_select(table, question.columns[1]);
		for (pg::Row &row : pg::Tables(extension).rows(question.sql, args)) {
			if (hidden) row[question.kind == "kept_tenants" ? 2 : 1] = std::nullopt;
			out.push_back({question.id, array_of(row)});
		}
		pg::check_interrupts();
	}
	return pg::table(fcinfo, out);
}

PG_FUNCTION(prodsync_plan)
{
	std::vector<core::Problem> problems;
	core::Config config = core::Config::parse(json_arg(fcinfo, 0), problems);
	core::Catalog source = source_arg(fcinfo, 1);
	core::Answers answers = answers_arg(fcinfo, 2);
	core::Catalog target = core::Catalog::parse(target_document(pg::extension_of(fcinfo)));
	core::Plan plan = core::make_plan(config, source, target, answers);
	plan.problems.insert(plan.problems.begin(), problems.begin(), problems.end());

	core::json document = plan.to_json(), binding = plan.binding();
	for (std::size_t i = 0; i < plan.tables.size(); i++)
		document["tables"][i].update(binding["tables"][i]);  // the client compares every word of it
	std::vector<pg::Row> out;
	auto add = [&](const char *section, const char *in, const char *object) {
		for (const core::json &item : document[in]) out.push_back({section, item[object].get<std::string>(), item.dump()});
	};
	add("table", "tables", "relation");
	add("problem", "problems", "object");
	add("warning", "warnings", "object");
	add("need", "needs", "id");
	add("step", "steps", "relation");
	return pg::table(fcinfo, out);
}

// ---- sync_tables ----
static std::map<core::Name, std::string> kept_rows(
    const pg::Extension &extension, const core::Config &config, const core::Catalog &target)
{
	std::map<core::Name, std::string> out;
	std::vector<core::Problem> problems, warnings;
	core::Graph graph = core::Graph::build(config, target, problems, warnings);
	core::Name name = core::tenant_table(config, graph);
	const core::Relation *tenants = name.empty() ? nullptr : target.find(name);
	std::string key = tenants ? core::single_key(*tenants) : "";
	if (key.empty()) return out;
	std::vector<std::string> keys;
	for (const pg::Row &row : chosen_rows(extension, *tenants, {key}, "tenants.keep", config.tenants->keep)) keys.push_back(row[0].value_or(""));
	const std::string type = core::cast_type(tenants->column(key)->base);
	pg::Tables sql(extension);
	const core::Ways ways(target, graph, models_now(sql, graph, target));
	for (const auto &[table, node] : graph.tables) {
		if (node.mode != core::Mode::copy || node.scope != core::Scope::tenant || (node.path.empty() && table != name)) continue;
		std::string where = core::path_condition(
		    ways, node.path, key, "t", [&](const std::string &of) { return of + " = ANY ($1::" + type + "[])"; });
		out[table] =
		    sql.one("SELECT count(*) FROM " + core::from_only(*node.relation) + " AS t WHERE " + where, {core::array_text(keys)})
		        .value_or("0");
		pg::check_interrupts();
	}
	return out;
}

static std::string estimated_rows(const core::Catalog &catalog, const core::Name &table)
{
	double rows = 0;
	for (const core::Relation *leaf : catalog.storage(table)) rows += std::max(0.0, leaf->rows);
	return std::to_string(static_cast<std::int64_t>(rows));
}

PG_FUNCTION(prodsync_tables)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	core::Config config = current_config(extension).value_or(core::Config{});
	std::optional<core::Catalog> source;
	if (pg::has_arg(fcinfo, 0)) source = source_arg(fcinfo, 0);
	core::Catalog target = core::Catalog::parse(target_document(extension));
	core::Plan plan = source ? core::make_plan(config, *source, target, {}) : core::plan_clear(config, target);
	std::map<core::Name, std::string> kept;
	if (config.tenants && may_run_stored_text(extension))
		kept = kept_rows(extension, config, target);  // somebody else's condition is not run as us

	core::json document = plan.to_json();
	std::vector<pg::Row> out;
	for (std::size_t i = 0; i < plan.tables.size(); i++) {
		const core::PlannedTable &table = plan.tables[i];
		const core::json &item = document["tables"][i];
		auto text_of = [&](const char *name) { return item[name].get<std::string>(); };
		auto found = kept.find(table.name);
		bool there = source && table.in_source;
		out.push_back({table.name.shown(), text_of("mode"), text_of("scope"),
		    table.path.empty() ? pg::Value() : pg::Value(text_of("via")), estimated_rows(there ? *source : target, table.name),
		    found == kept.end() ? pg::Value() : pg::Value(found->second), text_of("reason")});
	}
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
