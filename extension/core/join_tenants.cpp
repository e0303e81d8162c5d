#include "join_tenants.hpp"
#include <algorithm>
#include <set>
#include "maps.hpp"
#include "obstacles.hpp"
#include "rules.hpp"

namespace core {
namespace {

const char *const option = "users.join_tenants";

// The column of a foreign key of one column to the key of `parent`.
std::vector<std::string> references_to(const Graph &graph, const Name &table, const Name &parent)
{
	std::vector<std::string> out;
	const auto key = single_key(*graph.node(parent).relation);
	for (const ForeignKey *one : graph.from(table))
		if (one->child == table && one->parent == parent && one->referenced == std::vector{key}) out.push_back(one->columns.front());
	return out;
}

std::vector<Membership> memberships(const Graph &graph, const Name &tenants, const Name &users)
{
	std::vector<Membership> out;
	for (const auto &[table, node] : graph.tables) {
		if ((node.mode != Mode::copy && !node.stays) || node.relation->kind != 'r') continue;
		for (const auto &tenant : references_to(graph, table, tenants))
			for (const auto &user : references_to(graph, table, users)) {
				const bool unique = std::any_of(node.relation->indexes.begin(), node.relation->indexes.end(), [&](const Index &index) {
					return index.unique && index.valid && index.predicate.empty() && !index.expressions &&
					    (index.columns == std::vector{tenant, user} || index.columns == std::vector{user, tenant});
				});
				if (unique) out.push_back({table, tenant, user});
			}
	}
	return out;
}

}  // namespace

std::optional<Membership> membership(const Config &config, const Graph &graph, const Catalog &target, std::vector<Problem> &problems)
{
	if (!config.users || !config.users->join_tenants) return std::nullopt;
	const JoinTenants &join = *config.users->join_tenants;
	const Name tenants = tenant_table(config, graph), users = find_table(graph, config.users->table);
	if (tenants.empty() || users.empty() || config.users->fallback.empty()) {
		if (!config.tenants || config.users->fallback.empty())
			problems.push_back({"join-tenants", option,
			    std::string(option) + " needs " + (config.tenants ? "users.fallback: somebody has to join" : "tenants: to join"),
			    "take join_tenants out"});
		return std::nullopt;
	}
	auto found = memberships(graph, tenants, users);
	if (!join.table.empty()) {
		const auto named = resolve_table(target, join.table, std::string(option) + ".table", problems);
		if (!named) return std::nullopt;
		std::erase_if(found, [&](const Membership &one) { return one.table != *named; });
	}
	if (found.size() != 1) {
		std::vector<std::string> names;
		for (const Membership &one : found) names.push_back(one.table.shown());
		problems.push_back({"join-tenants", option,
		    found.empty() ? (join.table.empty() ? std::string("no copied table") : join.table) + " has foreign keys to " +
		            tenants.shown() + " and " + users.shown() + " and a unique key of both: nothing says what a membership is"
		                  : "several tables could be that of memberships: " + listed(names),
		    found.empty() ? "take join_tenants out" : "join_tenants: {table: " + yaml_table(target, found.front().table) + "}"});
		return std::nullopt;
	}
	const Membership &one = found.front();
	const TableNode &node = graph.node(one.table);
	std::vector<std::string> known;
	for (const Column &column : node.relation->columns) known.push_back(column.name);
	for (const auto &[column, value] : join.values)
		if (!node.relation->column(column) || column == one.tenant || column == one.user || node.relation->column(column)->generated)
			problems.push_back({"unknown-column", std::string(option) + ".values",
			    node.relation->column(column)
			        ? one.table.shown() + "." + column + " is not yours to give a value"
			        : one.table.shown() + " has no column \"" + column + "\"" + did_you_mean(column, known),
			    "take it out of join_tenants.values"});
	std::vector<std::string> missing;
	for (const Column &column : node.relation->columns) {
		const bool given = join.values.contains(column.name) || column.name == one.tenant || column.name == one.user || column.name == node.key;
		if (!given && !column.generated && column.not_null && !(column.has_default && !column.identity)) missing.push_back(column.name);
	}
	if (!missing.empty() && !node.stays) {
		std::string values;
		for (const auto &column : missing) values += (values.empty() ? "" : ", ") + yaml_word(column) + ": ...";
		problems.push_back({"join-tenants", option,
		    "a membership in " + one.table.shown() + " needs a value for " + listed(missing) + ": NOT NULL, without a default",
		    "users:\n  join_tenants: {table: " + yaml_table(target, one.table) + ", values: {" + values + "}}"});
	}
	return node.stays ? std::nullopt : std::optional(one);
}

}  // namespace core
