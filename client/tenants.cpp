// prodsync tenants: the rows of the tenant table on both sides, and what a refresh would do with each.
#include <algorithm>
#include <map>
#include "commands.hpp"
#include "core/answers.hpp"
#include "core/catalog_query.hpp"
#include "core/maps.hpp"
#include "core/other_paths.hpp"
#include "core/statements.hpp"
#include "core/tenant_choice.hpp"
#include "guard.hpp"
#include "models.hpp"
#include "progress.hpp"

namespace client {
namespace {

struct Tenant {
	std::string key, label;
	bool matches = false;
	std::int64_t rows = 0;    // of all tables along their tenant paths
};
struct Found {
	std::vector<Tenant> tenants;
	std::int64_t others = 0;    // that could only be counted
	std::vector<std::string> uncounted;    // tables whose rows this role may not read
};

// Rows of each tenant, the tenant's own included: one statement a table, along its path.
void count_rows(Connection &connection, const core::Graph &graph, const core::Catalog &catalog, const core::Relation &tenants, Found &found)
{
	std::map<std::string, std::int64_t> rows;
	const auto key = core::single_key(tenants);
	const auto may_read = [&](const core::Name &name) {
		const auto *table = catalog.find(name);
		return !table || table->readable;
	};
	const core::Ways ways(catalog, graph, models_of(connection, graph, catalog));
	for (const auto &[name, node] : graph.tables) {
		if (node.mode != core::Mode::copy || (node.path.empty() && name != tenants.name)) continue;
		// Every way may be the one that a row goes.
		const auto along = core::tables_along(graph, name);
		if (!node.relation->readable || !std::all_of(along.begin(), along.end(), may_read)) {
			found.uncounted.push_back(name.shown());
			continue;
		}
		const auto [joins, of_tenant] = core::tenant_of_row(ways, node.path, key, "p");
		const auto counted = connection.exec("SELECT (" + of_tenant + ")::text, count(*) FROM " +
		        core::from_only(*node.relation) + " AS t" + joins + " GROUP BY 1",
		    {}, Show::message);
		for (int i = 0; i < counted.rows(); ++i)
			if (!counted.null(i, 0)) rows[counted.text(i, 0)] += counted.number(i, 1);
	}
	for (auto &tenant : found.tenants) tenant.rows = rows[tenant.key];
}

[[noreturn]] void unknown(const std::string &object, const std::string &text)
{
	throw problems_error({{object == "tenants.table" ? "unknown-table" : "unknown-column", object, text, ""}});
}

// A role that may refresh the target and nothing else is told by the extension which tenants are kept, and how many there are.
Found ask_extension(Connection &target, const core::Config &config)
{
	const auto extension = find_extension(target);
	core::Config about;
	about.tenants = config.tenants;
	const auto document = core::json::parse(read_catalog(target, "SELECT " + extension.call("sync_catalog()"), Show::message).value_or("null"));
	const auto catalog = core::Catalog::parse(document);
	auto asked = core::json::array();
	for (const auto &question : core::questions(about, catalog, catalog, {}))
		if (question.kind != "kept_tenants") asked.push_back(question.id);
	const auto rows = target.exec("SELECT cells[1], cells[2], cells[3] FROM " +
	        extension.call("sync_answers($1::pg_catalog.jsonb, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb)") +
	        " WHERE question LIKE 'kept_tenants %'",
	    {about.to_json().dump(), document.dump(), core::json{{"asked", asked}}.dump()}, Show::message);
	Found found;
	for (int i = 0; i < rows.rows(); ++i) {
		found.others = rows.number(i, 0);
		if (!rows.null(i, 1)) found.tenants.push_back({rows.text(i, 1), rows.null(i, 2) ? "" : rows.text(i, 2), true});
	}
	found.others -= static_cast<std::int64_t>(found.tenants.size());
	return found;
}

Found read_tenants(Connection &connection, const core::Config &config, bool source, bool count)
{
	const core::Tenants &tenants = *config.tenants;
	const auto &name = connection.endpoint().label;
	for (const auto &setting : source ? core::source_settings(connection.server()) : core::target_settings(connection.server()))
		connection.exec(setting);
	// The condition is the configuration's own SQL: it may read, nothing else.
	connection.exec("BEGIN READ ONLY");
	const auto catalog =
	    core::Catalog::parse(core::json::parse(read_catalog(connection, core::catalog_query, Show::message).value_or("null")));
	const auto found = catalog.resolve(tenants.table);
	if (found.empty()) {
		std::vector<std::string> known;
		for (const auto *table : catalog.tables()) known.push_back(table->name.shown());
		unknown("tenants.table", name + " has no table \"" + tenants.table + "\"" + core::did_you_mean(tenants.table, known));
	}
	if (found.size() > 1) unknown("tenants.table", name + " has several tables \"" + tenants.table + "\": write schema.table");
	const auto *table = catalog.find(found[0]);
	if (!tenants.label.empty() && !table->column(tenants.label)) {
		std::vector<std::string> known;
		for (const auto &column : table->columns) known.push_back(column.name);
		unknown("tenants.label",
		    name + ": " + found[0].shown() + " has no column \"" + tenants.label + "\"" +
		        core::did_you_mean(tenants.label, known));
	}
	const auto key = core::single_key(*table);
	if (key.empty()) unknown("tenants.table", name + ": " + found[0].shown() + " has no primary key of one column");
	std::vector<core::Problem> problems, warnings;    // the plan shows them
	const auto graph = core::Graph::build(config, catalog, problems, warnings);
	const auto label = core::tenant_label(config, graph, *table, source ? core::Side::source : core::Side::target);
	const auto &condition = source && !tenants.exclude_source.empty() ? tenants.exclude_source : tenants.keep;
	if (!source && !table->readable) {
		auto told = ask_extension(connection, config);
		connection.exec("ROLLBACK");
		return told;
	}
	const auto rows = connection.exec("SELECT t." + core::quote_identifier(key) + "::text, t." + core::quote_identifier(label) +
	        "::text, ((\n" + condition + "\n) IS TRUE)::text FROM " + core::from_only(*table) + " AS t ORDER BY 3 DESC, 2, t." +
	        core::quote_identifier(key),
	    {}, Show::message);
	Found out;
	for (int i = 0; i < rows.rows(); ++i)
		out.tenants.push_back({rows.text(i, 0), rows.null(i, 1) ? "" : rows.text(i, 1), rows.text(i, 2) == "true"});
	if (count) count_rows(connection, graph, catalog, *table, out);
	connection.exec("ROLLBACK");
	return out;
}

// Why a tenant of production is not copied; empty: it is.
std::string why_left_out(const core::Config &config, const Tenant &tenant)
{
	const auto among = [&](const std::vector<std::string> &labels) { return std::find(labels.begin(), labels.end(), tenant.label) != labels.end(); };
	if (tenant.matches) return "left out: like those that are kept";
	const auto only = core::only_tenants(config);
	if (!only.empty() && !among(only)) return "left out: not in " + core::only_option(config);
	return among(config.tenants->except) ? "left out: tenants.except" : "";
}

// A label that is meant and not there would go unnoticed.
void demand_tenants(const core::Config &config, const std::vector<Tenant> &found)
{
	std::vector<std::string> known;
	for (const auto &tenant : found) known.push_back(tenant.label);
	std::vector<core::Problem> problems;
	const auto demand = [&](const std::vector<std::string> &labels, const std::string &option) {
		for (const auto &label : labels)
			if (std::find(known.begin(), known.end(), label) == known.end())
				problems.push_back(
				    {"unknown-tenant", option, "production has no tenant \"" + label + "\"" + core::did_you_mean(label, known),
				        "take it out of " + option + ": prodsync tenants then lists them all"});
	};
	demand(core::only_tenants(config), core::only_option(config));
	demand(config.tenants->except, "tenants.except");
	if (!problems.empty()) throw problems_error(problems);
}

void add_side(Outcome &outcome, const core::Config &config, const Side &of, bool source, bool count)
{
	Connection connection(of.endpoint);
	const auto [found, others, uncounted] = read_tenants(connection, config, source, count);
	if (source) demand_tenants(config, found);
	const auto &name = of.endpoint.label;
	std::size_t matching = 0;
	std::vector<std::string> columns{">key", "label", "in a refresh"};
	if (count) columns.insert(columns.begin() + 2, ">rows");
	TextTable table(columns);
	for (const auto &tenant : found) {
		const auto why = source ? why_left_out(config, tenant) : "";
		const bool special = source ? !why.empty() : tenant.matches;
		matching += special;
		const std::string fate = source ? (special ? why : "copied") : (special ? "kept" : "replaced");
		std::vector<std::string> cells{printable(tenant.key), printable(tenant.label), fate};
		if (count) cells.insert(cells.begin() + 2, show_count(tenant.rows));
		table.add(cells);
		outcome.details.push_back({{"side", source ? "source" : "target"}, {"environment", name}, {"key", tenant.key},
		    {"label", tenant.label}, {"kept", tenant.matches}, {"fate", source ? (special ? "left out" : "copied") : fate}});
		if (count) outcome.details.back()["rows"] = tenant.rows;
	}
	if (!uncounted.empty()) outcome.warnings.push_back("rows not counted, which this role may not read on " + name + ": " + list(uncounted, 6));
	outcome.text += (outcome.text.empty() ? "" : "\n") + name + ": " +
	    counted(static_cast<std::int64_t>(found.size()) + others, "tenant") + ", " + std::to_string(matching) +
	    (source ? " left out" : " kept") + "\n";
	if (!found.empty()) outcome.text += table.text();
	if (others) outcome.text += "  " + counted(others, "tenant") + " replaced, which this role may not read\n";
	if (!source && matching == 0)
		outcome.warnings.push_back("no tenant of " + name + " matches tenants.keep: nothing would be kept");
}

}  // namespace

Outcome tenants(const Options &options, Settings &settings)
{
	if (options.from.empty() && options.to.empty())
		throw Error(exit_usage, "tenants needs --from, --to, or both", "prodsync tenants --from production --to uat");
	settings = read_settings(options.config, true);
	if (!settings.config.tenants)
		throw ConfigError(settings.file,
		    {{{"missing-key", "tenants", "there is no tenants: in the configuration, so nothing is a tenant",
		          "tenants: {table: apps_tenants_tenant, keep: \"schema_name LIKE 'test\\\\_%'\"}"},
		        {}}});
	settings.config.choice = options.choice;
	Outcome outcome;
	for (bool source : {true, false}) {
		const auto &given = source ? options.from : options.to;
		if (!given.empty())
			add_side(outcome, settings.config, side(settings, given, source ? "--from" : "--to"), source, options.rows);
	}
	outcome.text += "\nkeep: " + settings.config.tenants->keep + "\n";
	for (const auto &warning : outcome.warnings) outcome.text += "  warning: " + printable(warning) + "\n";
	return outcome;
}

}  // namespace client
