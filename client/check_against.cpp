// prodsync check --against production: which columns are compared, and what is said of them. Values are never shown.
#include <sodium.h>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include "../extension/core/catalog_query.hpp"
#include "../extension/core/maps.hpp"
#include "../extension/core/masks.hpp"
#include "../extension/core/statements.hpp"
#include "against.hpp"
#include "commands.hpp"
#include "models.hpp"
#include "progress.hpp"
#include "rules_file.hpp"
#include "samples.hpp"
#include "session.hpp"

namespace client {
namespace {

bool is_any(const std::string &word, std::initializer_list<const char *> of)
{
	return std::any_of(of.begin(), of.end(), [&](const char *one) { return word == one; });
}

// Words of a list: a raw value that is in the list says nothing, any other one is told by not being in it.
bool of_a_list(const std::string &strategy)
{
	return is_any(strategy, {"first_name", "last_name", "full_name", "street", "city", "choice", "constant"});
}

// Why values of the column cannot be told from masks; empty: they can.
std::string why_not(const core::MaskRule &rule, const std::string &base)
{
	if (is_any(rule.strategy, {"date_shift", "date_truncate", "number_noise", "number_range"}))
		return "strategy " + rule.strategy + ": a mask is often another row's value";
	if (core::has_parts(base)) return "";
	std::string element = base;
	while (const auto inner = core::element_of_array(element)) element = *inner;
	switch (core::kind_of_type(element)) {
	case core::ValueKind::text:
	case core::ValueKind::uuid:
	case core::ValueKind::network:
	case core::ValueKind::mac:
	case core::ValueKind::json_document: return "";
	case core::ValueKind::integer:
	case core::ValueKind::numeric:
		if (rule.strategy == "digits") return "";
		break;
	default:
		if (core::has_parts(element)) return "";
		break;
	}
	return base + ": values of this type are equal by chance";
}

std::string strategy_of(const core::MaskRule &rule) { return rule.strategy.empty() ? "no rule" : rule.strategy; }

// Rows that were made there: of kept tenants, and those that have their id from the reserved range.
class Made {
	const core::Config &config_;
	const core::Graph &graph_;
	const core::Catalog &catalog_;
	core::Name tenants_;
	std::string key_;
	std::vector<std::string> kept_;
	core::Models models_;

public:
	Made(Connection &target, const core::Config &config, const core::Graph &graph, const core::Catalog &catalog)
	    : config_(config), graph_(graph), catalog_(catalog)
	{
		if (!config.tenants) return;
		tenants_ = core::tenant_table(config, graph);
		const core::Relation *table = catalog.find(tenants_);
		if (!table) return;
		key_ = core::single_key(*table);
		if (key_.empty()) throw problems_error({{"unknown-column", "tenants.table", tenants_.shown() + " has no primary key of one column", ""}});
		if (!table->readable)
			throw Error(exit_refused, "the role " + target.user() + " may not read " + tenants_.shown() + " in " + target.endpoint().label,
			    "let its owner run there:  GRANT SELECT ON " + tenants_.sql() + " TO " + core::quote_identifier(target.user()));
		models_ = models_of(target, graph, catalog);
		try {
			const auto rows = target.exec("SELECT t." + core::quote_identifier(key_) + "::pg_catalog.text FROM " +
			        core::from_only(*table) + " AS t WHERE (\n" + config.tenants->keep + "\n) IS TRUE",
			    {}, Show::message);
			for (int i = 0; i < rows.rows(); ++i) kept_.push_back(rows.text(i, 0));
		} catch (Error &error) {
			if (!target.usable()) throw;
			throw Error(exit_plan, std::string("tenants.keep cannot be evaluated on ") + error.what(),
			    "it is an SQL condition over the columns of " + tenants_.shown(), {}, error.sqlstate);
		}
	}
	// SQL over alias t: rows that were not.
	std::string others(const core::Name &table) const
	{
		const core::TableNode &node = graph_.node(table);
		std::string out;
		if (!node.key.empty() && node.reserved_from > 0)
			out = "(t." + core::quote_identifier(node.key) + " < " + std::to_string(node.reserved_from) + ") IS NOT FALSE";
		if (tenants_.empty() || (node.path.empty() && table != tenants_)) return out;
		const auto filter = core::tenant_filter({catalog_, graph_, models_}, node.path, tenants_, key_, kept_);
		return out + (out.empty() || filter.empty() ? "" : " AND ") + filter;
	}
};

void begin(Connection &connection, bool source)
{
	if (connection.server() < 130000)
		throw Error(exit_refused,
		    connection.endpoint().label + " is PostgreSQL " + shown_version(connection.server()) +
		        ", prodsync needs 13 or later there");
	settle(connection, source ? core::source_settings(connection.server()) : core::target_settings(connection.server()));
}

// What is to be compared in each copied table; what cannot be goes into `left_out`.
std::vector<ComparedTable> tables_to_compare(Sides &sides, const core::Config &config, const core::Graph &graph,
    const KeyFound &key, bool key_given, std::vector<std::string> &left_out)
{
	std::vector<core::Problem> problems;
	const auto masking = core::resolve_masking(config, graph, sides.source_catalog, sides.target_catalog, problems);
	if (!problems.empty()) throw problems_error(problems);
	std::set<core::Name> copied;
	for (const auto &[name, node] : graph.tables)
		if (node.mode == core::Mode::copy && sides.source_catalog.find(name)) copied.insert(name);
	std::map<core::Name, std::map<std::string, core::Personal>> personal;
	if (config.policy != core::Policy::none) {
		const auto samples = read_samples(sides.source, sides.source_catalog, copied, masking);
		if (!samples.locked.empty())
			left_out.push_back(samples.locked_tables() + " in " + sides.source.endpoint().label +
			    ": columns without a rule are chosen by their names only");
		personal = core::find_personal(sides.source_catalog, samples.contents);
	}

	std::vector<ComparedTable> out;
	for (const core::Name &name : copied) {
		ComparedTable table{sides.source_catalog.find(name), sides.target_catalog.find(name), {}, {}};
		for (const core::Column &column : table.target->columns) {
			const core::Column *raw = table.source->column(column.name);
			if (!raw || column.generated) continue;
			ComparedColumn one{column.name, {}, raw->base, column.base};
			bool ruled = false;
			if (const auto rules = masking.find(name); rules != masking.end())
				if (const auto rule = rules->second.find(column.name); rule != rules->second.end()) one.rule = rule->second, ruled = true;
			if (ruled ? !one.rule.masks() : !personal.contains(name) || !personal.at(name).contains(column.name)) continue;
			std::string why = why_not(one.rule, column.base);
			one.by_form = ruled && one.rule.inside.empty() && one.rule.when.empty() && one.rule.strategy != core::by_production &&
			    (core::recognizable(one.rule) || of_a_list(one.rule.strategy));
			if (why.empty() && ruled && !one.by_form && one.rule.strategy != core::by_production && core::needs_key(one.rule) && !key.key) {
				if (key_given) throw problems_error({key.problem});
				why = "the key is needed to tell masks of strategy " + one.rule.strategy + " from raw values: key_file, or PRODSYNC_KEY";
			}
			if (why.empty()) table.columns.push_back(std::move(one));
			else left_out.push_back(name.shown() + "." + column.name + ": not compared (" + why + ")");
		}
		if (!table.columns.empty()) out.push_back(std::move(table));
	}
	return out;
}

// Columns of copied tables with texts in them, but for those that are deliberately as they are.
std::vector<Texts> texts_of_target(
    const Sides &sides, const core::Config &config, const core::Graph &graph, const std::vector<ComparedTable> &compared)
{
	std::vector<core::Problem> ignored;
	const auto masking = core::resolve_masking(config, graph, sides.source_catalog, sides.target_catalog, ignored);
	std::vector<Texts> out;
	for (const auto &[name, node] : graph.tables) {
		if (node.mode != core::Mode::copy || !sides.source_catalog.find(name)) continue;
		Texts table{name, {}, {}};
		const auto of_table = std::find_if(compared.begin(), compared.end(),
		    [&, &table_name = name](const ComparedTable &one) { return one.target->name == table_name; });
		for (const core::Column &column : sides.target_catalog.find(name)->columns) {
			std::string element = column.base;
			while (const auto inner = core::element_of_array(element)) element = *inner;
			if (core::kind_of_type(element) != core::ValueKind::text && !core::has_parts(element)) continue;
			const auto rules = masking.find(name);
			const auto rule = rules == masking.end() ? core::TableMasking::const_iterator() : rules->second.find(column.name);
			if (rules != masking.end() && rule != rules->second.end() && !rule->second.masks()) continue;
			// Without a rule it is raw as a whole, which compare() has said.
			if (of_table != compared.end() &&
			    std::any_of(of_table->columns.begin(), of_table->columns.end(),
			        [&](const ComparedColumn &one) { return one.column == column.name && !one.rule.masks(); }))
				continue;
			table.columns.push_back({column.name, column.base});
		}
		if (!table.columns.empty()) out.push_back(std::move(table));
	}
	return out;
}

}  // namespace

Outcome check_against(const Options &options, Settings &settings)
{
	settings = read_settings(options.config, options.config_given || !is_dsn(options.to) || !is_dsn(options.against));
	if (!options.rules_file.empty()) add_rules_file(options.rules_file, settings);
	Outcome outcome;
	const auto of_source = side(settings, options.against, "--against"), of_target = side(settings, options.to, "--to");
	Sides sides{Connection(of_source.endpoint), Connection(of_target.endpoint), {}, {}};
	begin(sides.source, true);
	begin(sides.target, false);
	demand_two_databases(sides.source, sides.target, outcome.warnings);
	for (auto *connection : {&sides.source, &sides.target}) connection->exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	sides.source_catalog = core::Catalog::parse(source_catalog(sides.source));
	sides.target_catalog = core::Catalog::parse(source_catalog(sides.target));

	std::vector<core::Problem> problems, ignored;
	const auto graph = core::Graph::build(settings.config, sides.target_catalog, problems, ignored);
	if (!problems.empty()) throw problems_error(problems);
	const Made made(sides.target, settings.config, graph, sides.target_catalog);
	const auto key = find_key(settings, false);
	const bool key_given = !settings.key_file.empty() || std::getenv("PRODSYNC_KEY");
	auto tables = tables_to_compare(sides, settings.config, graph, key, key_given, outcome.warnings);

	TextTable shown({"relation", "column", "strategy", ">survivors"});
	const auto most = static_cast<std::size_t>(options.memory) * 1024 * 1024 / sizeof(std::uint64_t);
	std::int64_t columns = 0, survivors = 0;
	std::set<std::pair<core::Name, std::string>> found_in;
	for (ComparedTable &table : tables) {
		table.rows_of_target = made.others(table.target->name);
		compare(sides, table, key.key.get(), settings.source_sql, most);
		for (const ComparedColumn &one : table.columns) {
			const auto name = table.target->name.shown();
			++columns;
			survivors += one.survivors;
			if (one.survivors) found_in.insert({table.target->name, one.column});
			outcome.details.push_back({{"relation", name}, {"column_name", one.column},
			    {"strategy", one.rule.strategy.empty() ? core::json(nullptr) : core::json(one.rule.strategy)}, {"found", "value"},
			    {"values", one.values}, {"survivors", one.survivors}, {"ok", one.survivors == 0}});
			if (one.survivors) shown.add({printable(name), printable(one.column), strategy_of(one.rule), show_count(one.survivors)});
		}
	}
	auto texts = texts_of_target(sides, settings.config, graph, tables);
	for (ComparedTable &table : tables) std::erase_if(table.columns, [](const ComparedColumn &one) { return !one.rule.masks(); });
	std::erase_if(tables, [](const ComparedTable &table) { return table.columns.empty(); });
	for (Texts &table : texts) table.rows_of_target = made.others(table.table);
	if (!tables.empty()) find_mentions(sides, tables, texts, key.key.get(), settings.source_sql, most);
	for (const Texts &table : texts)
		for (const TextColumn &one : table.columns) {
			if (!one.mentions) continue;
			const auto name = table.table.shown();
			survivors += one.mentions;
			found_in.insert({table.table, one.column});
			outcome.details.push_back({{"relation", name}, {"column_name", one.column}, {"strategy", nullptr}, {"found", "text"},
			    {"values", nullptr}, {"survivors", one.mentions}, {"ok", false}});
			shown.add({printable(name), printable(one.column), "in its text", show_count(one.mentions)});
		}
	for (auto *connection : {&sides.source, &sides.target}) connection->rollback();

	const auto failed = static_cast<std::int64_t>(found_in.size());
	const auto &from = of_source.endpoint.label, &to = of_target.endpoint.label;
	if (shown.rows()) outcome.text = shown.text() + "\n";
	for (const auto &warning : outcome.warnings) outcome.text += "  note: " + printable(warning) + "\n";
	outcome.text += to + ": " + counted(columns, "column") + " compared with " + from + ", ";
	outcome.text += survivors
	    ? counted(survivors, "value") + " in " + counted(failed, "column") + (survivors == 1 ? " is" : " are") + " production's\n"
	    : "none of its values is there\n";
	outcome.more = {{"columns", columns}, {"failed", failed}, {"survivors", survivors}};
	if (!survivors) return outcome;
	outcome.exit_code = exit_check;
	Failure failure;
	failure.exit_code = exit_check;
	failure.text = counted(survivors, "value") + " of " + from + (survivors == 1 ? " is" : " are") + " in " + to + ", in " +
	    counted(failed, "column");
	failure.hint = "a column without a rule needs one; with one: it was refreshed before the rule was there, or somebody wrote "
	               "it since. prodsync sync refreshes it";
	outcome.failure = failure;
	return outcome;
}

}  // namespace client
