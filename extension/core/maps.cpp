#include "maps.hpp"

#include <algorithm>

namespace core {

Name find_table(const Graph &graph, std::string_view written)
{
	Name found;
	for (const auto &[name, node] : graph.tables) {
		if (name.schema + "." + name.name == written) return name;
		if (name.name != written) continue;
		if (!found.empty()) return {};
		found = name;
	}
	return found;
}

bool is_users_table(const Config &config, const Graph &graph, const Name &table)
{
	if (!config.users || !graph.node(table).mapped) return false;
	const auto &written = config.users->table;
	return written == table.name ||
	    (written.size() == table.schema.size() + 1 + table.name.size() && written == table.schema + "." + table.name);
}

Name tenant_table(const Config &config, const Graph &graph)
{
	return config.tenants ? find_table(graph, config.tenants->table) : Name{};
}

Name logical_table(const Graph &graph, const Name &name)
{
	const auto root = graph.roots.find(name);
	return root == graph.roots.end() ? name : root->second;
}

std::string single_key(const Relation &relation)
{
	const Index *key = relation.primary_key();
	return key && key->columns.size() == 1 ? key->columns.front() : "";
}

std::string common_key(const Relation &target, const Relation &source)
{
	const auto key = single_key(target);
	return key == single_key(source) ? key : "";
}

std::vector<std::string> natural_key(const Config &config, const Graph &graph, const Name &table)
{
	if (is_users_table(config, graph, table)) return config.users->match;
	return graph.node(table).match;
}

std::string match_text(const Graph &graph, const Name &table, const Column &column, const Column &other)
{
	const auto citext = [](const Column &one) { return one.base == "citext" || one.base.ends_with(".citext"); };
	const std::string value = "t." + quote_identifier(column.name);
	if (!kept_map(graph, table, column.name).empty()) return value + "::text";    // an id: the map that translates it has it as it is written
	if (citext(column) && citext(other)) return "lower(" + value + "::text COLLATE pg_catalog.\"default\")";
	return (column.base == "numeric" ? "trim_scale(" + value + ")" : value) + "::text";
}

const Index *unique_index_over(const Relation &relation, const std::vector<std::string> &columns)
{
	const Index *found = nullptr;
	for (const Index &index : relation.indexes) {
		if (!index.unique || !index.valid || index.expressions || index.columns.size() != columns.size() ||
		    !std::is_permutation(columns.begin(), columns.end(), index.columns.begin()))
			continue;
		if (!found || index.predicate.empty()) found = &index;
	}
	return found;
}

bool has_fallback(const Config &config, const Graph &graph, const Name &table)
{
	return is_users_table(config, graph, table) && !config.users->fallback.empty();
}

Name kept_map(const Graph &graph, const Name &table, const std::string &column)
{
	const Identity *identity = graph.identity(table, column);
	if (!identity || !graph.tables.contains(identity->table)) return {};
	const TableNode &node = graph.node(identity->table);
	return node.mapped && node.relation && single_key(*node.relation) == identity->column ? identity->table : Name{};
}

Name column_map(const Graph &graph, const Answers &answers, const Name &table, const std::string &column)
{
	if (Name kept = kept_map(graph, table, column); !kept.empty()) return kept;
	const Identity *identity = graph.identity(table, column);
	if (!identity || !graph.tables.contains(identity->table) || *identity == Identity{table, column}) return {};
	const auto fold = answers.folds.find(identity->table);
	if (fold == answers.folds.end() || fold->second.by_ctid || fold->second.dropped.empty()) return {};
	const Relation *relation = graph.node(identity->table).relation;
	return relation && single_key(*relation) == identity->column ? identity->table : Name{};
}

bool asked(const Answers &answers, std::string_view question_id)
{
	return std::find(answers.asked.begin(), answers.asked.end(), question_id) != answers.asked.end();
}

bool map_complete(const Config &config, const Graph &graph, const Answers &answers, const Name &table)
{
	if (has_fallback(config, graph, table) && !asked(answers, "fallback " + table.sql())) return false;
	if (graph.node(table).stays)
		return asked(answers, "pairs " + table.sql() + " source") &&
		    (graph.node(table).match.empty() || asked(answers, "pairs " + table.sql() + " target"));
	if (natural_key(config, graph, table).empty()) return has_fallback(config, graph, table);
	return asked(answers, "pairs " + table.sql() + " source") && asked(answers, "pairs " + table.sql() + " target");
}

std::string column_key(const Name &table, std::string_view column) { return table.sql() + "." + quote_identifier(column); }

std::string text_label(const Relation &relation)
{
	const auto key = single_key(relation);
	const auto is_unique = [&](const Column &column) {
		return std::any_of(relation.indexes.begin(), relation.indexes.end(), [&](const Index &index) {
			return index.unique && index.valid && index.predicate.empty() && index.columns == std::vector{column.name};
		});
	};
	for (const Column &column : relation.columns)
		if (column.name != key &&
		    (column.base == "text" || column.base.starts_with("varchar") || column.base.starts_with("character")) &&
		    is_unique(column))
			return column.name;
	return "";
}

}  // namespace core
