#include "tenant_choice.hpp"
#include <algorithm>
#include <set>
#include "maps.hpp"
#include "generic.hpp"
#include "key_types.hpp"
#include "missing.hpp"
#include "needs.hpp"
#include "obstacles.hpp"
#include "predicate.hpp"
#include "rules.hpp"
#include "statements.hpp"

namespace core {
namespace {

const Relation *tenants_of(const Config &config, const Graph &graph, const Catalog &source)
{
	const Name name = tenant_table(config, graph);
	const Relation *table = name.empty() ? nullptr : source.find(name);
	return table && table->ordinary() && !single_key(*table).empty() ? table : nullptr;
}

std::vector<std::string> keys_of(const Answers &answers, const std::vector<std::string> &labels)
{
	std::vector<std::string> keys;
	for (const auto &[key, label] : answers.named_tenants)
		if (std::find(labels.begin(), labels.end(), label) != labels.end()) keys.push_back(key);
	return keys;
}

bool is_named(const Answers &answers, const std::string &label)
{
	return std::any_of(answers.named_tenants.begin(), answers.named_tenants.end(), [&](const auto &one) { return one.second == label; });
}

bool includes(const std::vector<std::string> &all, const std::string &one) { return std::find(all.begin(), all.end(), one) != all.end(); }

// What a foreign key is known by in the answers.
std::string id_of(const ForeignKey &key) { return column_key(key.child, key.name); }

// Foreign keys that can lead from a tenant that is copied to one that is not: not the ones that the child's tenant is found by. Whether they do,
// production can be asked of those alone that it can follow.
std::vector<const ForeignKey *> crossing(const Graph &graph, const Catalog &source, const Answers &answers)
{
	const Ways ways(source, graph, models_of_source(graph, answers));
	std::vector<const ForeignKey *> out, keys = graph.keys;
	for (const GenericRelation &one : graph.generic)
		for (const ForeignKey *key : one.keys)
			if (in_use(one, *key, answers)) keys.push_back(key);
	for (const ForeignKey *key : keys) {
		const Name child = logical_table(graph, key->child), parent = logical_table(graph, key->parent);
		const TableNode &from = graph.node(child), &to = graph.node(parent);
		if (from.mode != Mode::copy || to.mode != Mode::copy || to.scope != Scope::tenant || key->period) continue;
		if (has_columns(source, key->child, key->columns) && has_columns(source, key->parent, key->referenced) && has_path(ways, parent, to.path) &&
		    !begins_with(from.path, *key))
			out.push_back(key);
	}
	return out;
}

}  // namespace

std::string tenant_label(const Config &config, const Graph &graph, const Relation &tenants, Side side)
{
	const auto or_key = [&](const std::string &column) {
		for (const MaskedTable &rules : config.masks)
			if (side == Side::source && find_table(graph, rules.table) == tenants.name)
				for (const ColumnRule &rule : rules.columns)
					if (rule.column == column && rule.rule.masks()) return single_key(tenants);
		return column;
	};
	if (!config.tenants->label.empty() && tenants.column(config.tenants->label)) return or_key(config.tenants->label);
	// What people chose the tenants by may be shown; no other column, and none that the target names.
	for (const auto &column : mentioned_columns(config.tenants->keep, tenants))
		if (column != single_key(tenants)) return or_key(column);
	return single_key(tenants);
}

std::vector<std::string> only_tenants(const Config &config)
{
	if (!config.choice.tenants.empty()) return config.choice.tenants;
	return config.tenants ? config.tenants->only : std::vector<std::string>{};
}

std::string only_option(const Config &config) { return config.choice.tenants.empty() ? "tenants.only" : "--tenants"; }

bool chooses_tenants(const Config &config)
{
	return config.tenants && (!only_tenants(config).empty() || !config.tenants->except.empty());
}

bool tenants_known(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	const Name name = tenant_table(config, graph);
	if (!tenants_of(config, graph, source)) return true;
	// Paths that fork do so into the models that production's rows name.
	const bool models = std::any_of(graph.tables.begin(), graph.tables.end(), [](const auto &table) { return forks(table.second.path); });
	if (models && !models_known(graph, source, answers)) return false;
	return asked(answers, "source_tenants " + name.sql()) &&
	    (!chooses_tenants(config) || asked(answers, "named_tenants " + name.sql()));
}

std::string tenant_rows(
    const Config &config, const Graph &graph, const Catalog &source, const Answers &answers, const Name &table, const std::string &alias)
{
	const TableNode &node = graph.node(table);
	const Relation *tenants = tenants_of(config, graph, source);
	const Ways ways(source, graph, forks(node.path) ? models_of_source(graph, answers) : Models{});
	if (node.scope != Scope::tenant || !tenants || !has_path(ways, table, node.path)) return "";
	const auto key = single_key(*tenants);
	auto left_out = answers.source_tenants;
	for (const auto &one : keys_of(answers, config.tenants->except)) left_out.push_back(one);
	const auto labels = only_tenants(config);
	if (labels.empty()) return tenant_filter(ways, node.path, tenants->name, key, left_out, alias);
	auto keys = keys_of(answers, labels);
	std::erase_if(keys, [&](const auto &one) { return includes(left_out, one); });
	const auto array = array_literal(keys, tenants->column(key)->base);
	return path_condition(ways, node.path, key, alias, [&](const std::string &of) { return of + " = ANY (" + array + ")"; });
}

std::vector<Question> tenant_choice_questions(const Config &config, const Graph &graph, const Catalog &source, const Answers &answers)
{
	std::vector<Question> out;
	const Relation *tenants = chooses_tenants(config) ? tenants_of(config, graph, source) : nullptr;
	if (!tenants) return out;
	const auto key = single_key(*tenants), label = tenant_label(config, graph, *tenants, Side::source);
	const auto select = "SELECT t." + quote_identifier(key) + "::text, t." + quote_identifier(label) + "::text FROM " + from_only(*tenants) + " AS t";
	auto labels = only_tenants(config);
	labels.insert(labels.end(), config.tenants->except.begin(), config.tenants->except.end());
	const auto named = "named_tenants " + tenants->name.sql();
	out.push_back({named, "named_tenants", Side::source, tenants->name, {key, label},
	    select + " WHERE t." + quote_identifier(label) + "::text = ANY (" + array_literal(labels, "text") + ")", {}, false});
	if (!asked(answers, named)) return out;
	if (std::any_of(labels.begin(), labels.end(), [&](const auto &one) { return !is_named(answers, one); }))
		out.push_back({"tenant_labels " + tenants->name.sql(), "tenant_labels", Side::source, tenants->name, {key, label}, select, {}, false});
	if (!tenants_known(config, graph, source, answers)) return out;
	const Missing missing(config, graph, source, answers);
	if (!missing.ready() || !missing.circle().empty()) return out;
	for (const ForeignKey *key_ : crossing(graph, source, answers)) {
		if (!can_follow(source, *key_)) continue;
		const Name child = logical_table(graph, key_->child), parent = logical_table(graph, key_->parent);
		const auto mine = tenant_rows(config, graph, source, answers, child), theirs = tenant_rows(config, graph, source, answers, parent, "q");
		if (theirs.empty()) continue;
		const auto copied = missing.where_copied(child);
		std::string sql = "SELECT count(*)::text FROM " + from_only(*source.find(key_->child)) + " AS t WHERE " +
		    (mine.empty() ? "" : mine + " AND ") + (copied.empty() ? "" : copied + " AND ") + "EXISTS (SELECT FROM " +
		    from_only(*source.find(key_->parent)) + " AS q WHERE ";
		if (key_->by_model)
			sql += of_model(*key_->by_model, "t",
			           key_->by_model->types.empty() ? "" : from_only(*source.find(key_->by_model->types)) + " AS ct") +
			    " AND ";
		for (std::size_t i = 0; i < key_->columns.size(); ++i)
			sql += "q." + quote_identifier(key_->referenced[i]) + " = " +
			    (key_->array ? "ANY (t." + quote_identifier(key_->columns[i]) + ")"
			                 : as_key(*key_, "t." + quote_identifier(key_->columns[i]))) +
			    " AND ";
		sql += "(" + theirs + ") IS NOT TRUE)";
		out.push_back({"outside " + id_of(*key_), "outside", Side::source, key_->child, key_->columns, sql, {}, false});
	}
	return out;
}

void add_tenant_choice_obstacles(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	if (!config.tenants) {
		if (!config.choice.tenants.empty())
			plan.problems.push_back({"no-tenants", "--tenants", "--tenants chooses tenants, and the configuration has no tenants:",
			    "tenants: {table: ..., keep: \"...\"}"});
		return;
	}
	const Name tenants = tenant_table(config, graph);
	if (!chooses_tenants(config) || tenants.empty() || !asked(answers, "named_tenants " + tenants.sql())) return;
	const auto only = only_tenants(config);
	const auto unknown = [&](const std::vector<std::string> &labels, const std::string &option) {
		for (const auto &label : labels)
			if (!is_named(answers, label))
				plan.problems.push_back({"unknown-tenant", option,
				    "production has no tenant \"" + label + "\"" + did_you_mean(label, answers.tenant_labels),
				    "prodsync tenants lists them"});
	};
	unknown(only, only_option(config));
	unknown(config.tenants->except, "tenants.except");
	for (const auto &label : only) {
		if (includes(config.tenants->except, label))
			plan.problems.push_back({"tenant-left-out", only_option(config),
			    "\"" + label + "\" is to be copied by " + only_option(config) + " and left out by tenants.except",
			    "take it out of one of them"});
		for (const auto &key : keys_of(answers, {label}))
			if (includes(answers.source_tenants, key))
				plan.problems.push_back({"tenant-left-out", only_option(config),
				    "\"" + label + "\" of production is like the tenants that are kept, and left out",
				    "take it out, or say with tenants.exclude_source which are left out"});
	}
	if (!only.empty())
		plan.warnings.push_back({"tenants-chosen", only_option(config),
		    "of production's tenants only " + listed(only) + (only.size() == 1 ? " is" : " are") +
		        " copied; rows that belong to no tenant are not",
		    ""});
	else
		plan.warnings.push_back({"tenants-chosen", "tenants.except",
		    "tenants of production that are not copied: " + listed(config.tenants->except), ""});
	if (tenants_known(config, graph, source, answers))
		for (const ForeignKey *key : crossing(graph, source, answers))
			if (!can_follow(source, *key) && !tenant_rows(config, graph, source, answers, logical_table(graph, key->parent)).empty())
				plan.problems.push_back(reference_types(graph, source, target, *key, "which rows reference ones of tenants that are not copied"));
	auto keys = graph.keys;
	for (const GenericRelation &one : graph.generic) keys.insert(keys.end(), one.keys.begin(), one.keys.end());
	for (const ForeignKey *key : keys) {
		const auto count = answers.outside.find(id_of(*key));
		if (count == answers.outside.end() || count->second == 0) continue;
		const auto object = key->child.shown() + "." + listed(key->columns);
		const auto text = object + " -> " + key->parent.shown() + " (" + key->name + "): " + counted(count->second, "row", "rows") +
		    " of the tenants that are copied reference rows of tenants that are not";
		if (!key->validated || config.checks.contains(name_for_checks(*key)))
			plan.warnings.push_back({"tenant-outside", object, text, ""});
		else
			plan.problems.push_back({"tenant-outside", object, text,
			    "# copy those tenants as well, or\n" + mode_line(target, logical_table(graph, key->child), "mode: empty")});
	}
}

}  // namespace core
