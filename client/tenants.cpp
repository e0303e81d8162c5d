// prodsync tenants: the rows of the tenant table on both sides, and what a refresh would do with each.
#include "commands.hpp"
#include "core/answers.hpp"
#include "core/catalog_query.hpp"
#include "core/maps.hpp"
#include "core/predicate.hpp"
#include "core/statements.hpp"
#include "guard.hpp"
#include "progress.hpp"

namespace client {
namespace {

struct Tenant {
	std::string key, label;
	bool matches = false;
};
struct Found {
	std::vector<Tenant> tenants;
	std::int64_t others = 0;    // that could only be counted
};

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
	const auto document = core::json::parse(target.one("SELECT " + extension.call("sync_catalog()"), {}, Show::message).value_or("null"));
	const auto catalog = core::Catalog::parse(document);
	auto asked = core::json::array();
	for (const auto &question : core::questions(about, catalog, catalog, {}))
		if (question.kind != "kept_tenants") asked.push_back(question.id);
	const auto rows = target.exec("SELECT cells[1], cells[2], cells[3] FROM " +
	        extension.call("sync_answers($1::pg_catalog.jsonb, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb)") + " WHERE question LIKE 'kept_tenants %'",
	    {about.to_json().dump(), document.dump(), core::json{{"asked", asked}}.dump()}, Show::message);
	Found found;
	for (int i = 0; i < rows.rows(); ++i) {
		found.others = rows.number(i, 0);
		if (!rows.null(i, 1)) found.tenants.push_back({rows.text(i, 1), rows.null(i, 2) ? "" : rows.text(i, 2), true});
	}
	found.others -= static_cast<std::int64_t>(found.tenants.size());
	return found;
}

Found read_tenants(Connection &connection, const core::Config &config, bool source)
{
	const core::Tenants &tenants = *config.tenants;
	const auto &name = connection.endpoint().label;
	for (const auto &setting : source ? core::source_settings(connection.server()) : core::target_settings(connection.server()))
		connection.exec(setting);
	// The condition is the configuration's own SQL: it may read, nothing else.
	connection.exec("BEGIN READ ONLY");
	const auto catalog =
	    core::Catalog::parse(core::json::parse(connection.one(core::catalog_query, {}, Show::message).value_or("null")));
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
	auto label = tenants.label;
	if (label.empty()) {
		const auto mentioned = core::mentioned_columns(tenants.keep, *table);
		label = mentioned.empty() ? key : *mentioned.begin();
	}
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
	connection.exec("ROLLBACK");
	return out;
}

void add_side(Outcome &outcome, const core::Config &config, const Side &of, bool source)
{
	Connection connection(of.endpoint);
	const auto [found, others] = read_tenants(connection, config, source);
	const auto &name = of.endpoint.label;
	std::size_t matching = 0;
	TextTable table({">key", "label", "in a refresh"});
	for (const auto &tenant : found) {
		matching += tenant.matches;
		const std::string fate = source ? (tenant.matches ? "left out" : "copied") : (tenant.matches ? "kept" : "replaced");
		table.add({printable(tenant.key), printable(tenant.label), fate});
		outcome.details.push_back({{"side", source ? "source" : "target"}, {"environment", name}, {"key", tenant.key},
		    {"label", tenant.label}, {"kept", tenant.matches}});
	}
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
	Outcome outcome;
	for (bool source : {true, false}) {
		const auto &given = source ? options.from : options.to;
		if (!given.empty())
			add_side(outcome, settings.config, side(settings, given, source ? "--from" : "--to"), source);
	}
	outcome.text += "\nkeep: " + settings.config.tenants->keep + "\n";
	for (const auto &warning : outcome.warnings) outcome.text += "  warning: " + printable(warning) + "\n";
	return outcome;
}

}  // namespace client
