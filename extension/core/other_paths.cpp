#include "other_paths.hpp"
#include <algorithm>
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

std::pair<std::string, std::string> tenant_of_row(
    const Catalog &catalog, const std::vector<Hop> &path, const std::string &key, const std::string &alias, Rows rows)
{
	std::string joins, at = "t";
	for (std::size_t i = 0; i < path.size(); ++i) {
		const Hop &hop = path[i];
		if (i + 1 == path.size() && hop.referenced == std::vector{key}) return {joins, at + "." + quote_identifier(hop.columns.front())};
		const std::string next = alias + std::to_string(i + 1);
		std::string same, goes_on;
		for (std::size_t c = 0; c < hop.columns.size(); ++c)
			same += (c ? " AND " : "") + next + "." + quote_identifier(hop.referenced[c]) + " = " + at + "." + quote_identifier(hop.columns[c]);
		for (const auto &column : i + 1 == path.size() ? std::vector{key} : path[i + 1].columns)
			goes_on += (goes_on.empty() ? "" : ", ") + next + "." + quote_identifier(column);
		const auto from = from_only(*catalog.find(hop.to)) + " AS " + next;
		if (rows == Rows::all) joins += " LEFT JOIN " + from + " ON " + same;
		else joins += " LEFT JOIN LATERAL (SELECT " + goes_on + " FROM " + from + " WHERE " + same + " LIMIT 1) AS " + next + " ON true";
		at = next;
	}
	return {joins, at + "." + quote_identifier(key)};
}

std::string path_text(const std::vector<Hop> &path)
{
	std::vector<std::string> steps;
	for (const Hop &hop : path) steps.push_back(hop.columns.size() == 1 ? hop.columns.front() : hop.constraint);
	return listed(steps);
}

std::vector<Question> path_questions(const Config &config, const Graph &graph, const Catalog &source)
{
	std::vector<Question> out;
	const Name name = tenant_table(config, graph);
	const Relation *tenants = name.empty() ? nullptr : source.find(name);
	const auto key = tenants && tenants->ordinary() ? single_key(*tenants) : "";
	if (key.empty()) return out;
	for (const OtherPath &other : other_paths(config, graph)) {
		const auto &chosen = graph.node(other.table).path;
		const Relation *table = source.find(other.table);
		if (!table || !table->ordinary() || !has_path(source, other.table, chosen) || !has_path(source, other.table, other.path)) continue;
		std::vector<std::string> columns = chosen.front().columns;
		for (const auto &column : other.path.front().columns)
			if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
		std::string read;
		for (const auto &column : columns) read += (read.empty() ? "" : ", ") + quote_identifier(column);
		const auto [joins, of_chosen] = tenant_of_row(source, chosen, key, "a", Rows::few);
		const auto [others, of_other] = tenant_of_row(source, other.path, key, "b", Rows::few);
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
