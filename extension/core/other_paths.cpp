#include "other_paths.hpp"
#include <algorithm>
#include "generic.hpp"
#include "maps.hpp"
#include "obstacles.hpp"
#include "rules.hpp"
#include "statements.hpp"

namespace core {
namespace {

constexpr const char *rows_looked_at = "3000";

struct OtherPath {
	Name table;
	std::vector<Hop> path;
	std::string id() const { return column_key(table, path.front().constraint); }
};

bool declared(const Config &config, const Name &table)
{
	return std::any_of(config.tables.begin(), config.tables.end(), [&](const TableRule &rule) {
		return !rule.tenant_path.empty() && (glob(rule.pattern, table.name) || glob(rule.pattern, table.schema + '.' + table.name));
	});
}

std::vector<OtherPath> other_paths(const Config &config, const Graph &graph)
{
	std::vector<OtherPath> out;
	const Name tenants = tenant_table(config, graph);
	for (const auto &[table, node] : graph.tables) {
		if (node.mode != Mode::copy || node.path.empty() || declared(config, table)) continue;
		for (const ForeignKey *key : graph.from(table)) {
			if (key->child != table || key->parent == table || key->period || key->declared) continue;
			const auto parent = graph.tables.find(key->parent);
			const Hop &mine = node.path.front();
			if (parent == graph.tables.end() || (parent->first != tenants && parent->second.path.empty())) continue;
			if (mine.columns == key->columns && mine.to == key->parent && mine.referenced == key->referenced) continue;
			const auto &rest = parent->second.path;
			if (std::any_of(rest.begin(), rest.end(), [&to = table](const Hop &hop) { return hop.to == to; })) continue;
			OtherPath other{table, {{key->name, key->columns, key->parent, key->referenced}}};
			other.path.insert(other.path.end(), rest.begin(), rest.end());
			out.push_back(std::move(other));
		}
	}
	return out;
}

}  // namespace

namespace {

struct TenantOfRow {
	const Ways &ways;
	const std::string &key;
	Rows rows;

	// Along the path from the row `at`; aliases of the rows on the way are `alias` and a number.
	std::pair<std::string, std::string> from(
	    const std::vector<Hop> &path, std::string at, const std::string &alias, std::set<std::string> passed) const
	{
		std::string joins;
		for (std::size_t i = 0; i < path.size(); ++i) {
			const Hop &hop = path[i];
			const std::string next = alias + std::to_string(i + 1);
			if (hop.to.empty()) {
				const auto any = passed.insert(hop.constraint).second ? branches(hop, at, next, passed) : "";
				if (any.empty()) return {joins, "NULL"};
				return {joins + " LEFT JOIN LATERAL (" + any + ") AS " + next + " (tenant) ON true", next + ".tenant"};
			}
			if (i + 1 == path.size() && hop.referenced == std::vector{key}) return {joins, at + "." + quote_identifier(hop.columns.front())};
			std::string goes_on;
			std::vector<std::string> columns{key};
			if (i + 1 < path.size()) {
				columns = path[i + 1].columns;
				if (!path[i + 1].by.empty()) columns.push_back(path[i + 1].by);
			}
			for (const auto &column : columns) goes_on += (goes_on.empty() ? "" : ", ") + next + "." + quote_identifier(column);
			const auto from = from_only(*ways.catalog().find(hop.to)) + " AS " + next, same = ways.equals(hop, at, next);
			if (rows == Rows::all) joins += " LEFT JOIN " + from + " ON " + same;
			else joins += " LEFT JOIN LATERAL (SELECT " + goes_on + " FROM " + from + " WHERE " + same + " LIMIT 1) AS " + next + " ON true";
			at = next;
		}
		return {joins, at + "." + quote_identifier(key)};
	}

	// A row is of one model: of these SELECTs one has a row at most.
	std::string branches(const Hop &fork, const std::string &at, const std::string &alias, const std::set<std::string> &passed) const
	{
		std::string any;
		for (const Hop &branch : ways.branches(fork)) {
			const std::string object = alias + "o";
			const auto [joins, tenant] = from(ways.path(branch.to), object, alias + "_", passed);
			if (tenant == "NULL") continue;
			any += (any.empty() ? "SELECT " : " UNION ALL SELECT ") + tenant + " FROM " + from_only(*ways.catalog().find(branch.to)) + " AS " + object +
			    joins + " WHERE " + ways.of_model(branch, at) + " AND " + ways.equals(branch, at, object);
		}
		return any;
	}
};

}  // namespace

std::pair<std::string, std::string> tenant_of_row(
    const Ways &ways, const std::vector<Hop> &path, const std::string &key, const std::string &alias, Rows rows)
{
	return TenantOfRow{ways, key, rows}.from(path, "t", alias, {});
}

std::string path_text(const std::vector<Hop> &path)
{
	std::vector<std::string> steps;
	for (const Hop &hop : path)
		steps.push_back((hop.columns.size() == 1 ? hop.columns.front() : hop.constraint) + (hop.by.empty() ? "" : " by " + hop.by));
	return listed(steps);
}

std::vector<Question> path_questions(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	std::vector<Question> out;
	const Name name = tenant_table(config, graph);
	const Relation *tenants = name.empty() ? nullptr : source.find(name);
	const auto key = tenants && tenants->ordinary() ? single_key(*tenants) : "";
	if (key.empty()) return out;
	const bool known = models_known(graph, source, answers);
	const Ways ways(source, graph, models_of_source(graph, answers));
	for (const OtherPath &other : other_paths(config, graph)) {
		const auto &chosen = graph.node(other.table).path;
		const Relation *table = source.find(other.table);
		if (!known && (forks(chosen) || forks(other.path))) continue;
		if (!table || !table->ordinary() || !has_path(ways, other.table, chosen) || !has_path(ways, other.table, other.path)) continue;
		std::vector<std::string> columns = chosen.front().columns;
		for (const auto &column : other.path.front().columns)
			if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
		std::string read;
		for (const auto &column : columns) read += (read.empty() ? "" : ", ") + quote_identifier(column);
		const auto [joins, of_chosen] = tenant_of_row(ways, chosen, key, "a", Rows::few);
		const auto [others, of_other] = tenant_of_row(ways, other.path, key, "b", Rows::few);
		out.push_back({"other_path " + other.id(), "other_path", Side::source, other.table, columns,
		    "SELECT count(*)::text FROM (SELECT " + read + " FROM " + from_only(*table) + " LIMIT " + rows_looked_at + ") AS t" +
		        joins + others + " WHERE " + of_other + " IS NOT NULL AND " + of_chosen + " IS DISTINCT FROM " + of_other,
		    {}, false});
	}
	return out;
}

void add_path_warnings(const Config &config, const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	for (const OtherPath &other : other_paths(config, graph)) {
		const auto count = answers.other_path.find(other.id());
		if (count == answers.other_path.end() || count->second == 0) continue;
		std::vector<std::string> steps;
		for (const Hop &hop : other.path) steps.push_back(hop.columns.size() == 1 ? hop.columns.front() : hop.constraint);
		plan.warnings.push_back({"other-path", other.table.shown(),
		    other.table.shown() + " belongs to its tenant by " + path_text(graph.node(other.table).path) + "; by " + path_text(other.path) + " " +
		        counted(count->second, "row", "rows") + " of production would belong to another one",
		    mode_line(target, other.table, "tenant_path: " + yaml_list(steps)) + "    # where that is meant"});
	}
}

}  // namespace core
