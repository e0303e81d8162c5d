#include <algorithm>
#include <set>

#include "answers.hpp"
#include "chosen.hpp"
#include "digest.hpp"
#include "folds.hpp"
#include "maps.hpp"
#include "generic.hpp"
#include "key_types.hpp"
#include "missing.hpp"
#include "predicate.hpp"
#include "other_paths.hpp"
#include "statements.hpp"
#include "tenant_choice.hpp"

// The order in which questions are asked follows from what they build on, not from a list of phases: each is given out as soon
// as everything its statement or its evaluation needs has been answered. So maps on maps (permissions on content types) and
// folds on folds (what hangs below folded rows) take as many rounds as they are deep, and no more.

namespace core {

namespace {

class Asker {
	const Config &config;
	const Catalog &source, &target;
	const Answers &answers;
	Graph graph;
	std::set<std::string> answered;
	std::vector<Question> out;

	const Catalog &catalog(Side side) const { return side == Side::source ? source : target; }

	const Relation *relation(Side side, const Name &name) const
	{
		const Relation *found = catalog(side).find(name);
		return found && found->ordinary() ? found : nullptr;
	}

	void ask(Question question)
	{
		if (!answered.contains(question.id)) out.push_back(std::move(question));
	}

	// A predicate as configured, on lines of its own: a comment at its end cannot swallow what follows.
	static std::string predicate(const std::string &text) { return "(\n" + text + "\n)"; }

	// The key is that of a row the condition chose.
	static std::string among(const Relation &table) { return " = ANY ($1::" + cast_type(table.column(single_key(table))->base) + "[])"; }

	void tenants();
	void maximums();
	void map(const Name &table);
	void doubles(const Name &table);
	void unmatched();
	void kept_rows();
	std::string label(Side side, const Relation &table) const { return tenant_label(config, graph, table, side); }

public:
	Asker(const Config &config_, const Catalog &source_, const Catalog &target_, const Answers &answers_)
	    : config(config_), source(source_), target(target_), answers(answers_),
	      answered(answers_.asked.begin(), answers_.asked.end())
	{
		std::vector<Problem> problems, warnings;  // the plan shows them
		graph = Graph::build(config, target, problems, warnings);
	}

	std::vector<Question> questions()
	{
		if (config.tenants) {
			tenants();
			maximums();
			kept_rows();
			for (auto &question : tenant_choice_questions(config, graph, source, answers)) ask(std::move(question));
			for (auto &question : path_questions(config, graph, source, answers)) ask(std::move(question));
			for (auto &question : circle_questions(config, graph, source, answers)) ask(std::move(question));
		}
		for (const auto &[name, node] : graph.tables)
			if (node.mapped) map(name);
			else if (node.mode == Mode::copy && !node.match.empty()) doubles(name);
		for (auto &question : model_questions(config, graph, source, target)) ask(std::move(question));
		unmatched();
		if (tenants_known(config, graph, source, answers))
			for (auto &question : missing_questions(config, graph, source, answers)) ask(std::move(question));
		for (auto &question : fold_questions(config, graph, source, answers)) ask(std::move(question));
		return std::move(out);
	}
};

void Asker::tenants()
{
	const Name name = tenant_table(config, graph);
	if (name.empty()) return;
	if (const Relation *table = relation(Side::source, name); table && !single_key(*table).empty()) {
		const auto &text = config.tenants->exclude_source.empty() ? config.tenants->keep : config.tenants->exclude_source;
		const auto key = quote_identifier(single_key(*table)), shown = quote_identifier(label(Side::source, *table));
		ask({"source_tenants " + name.sql(), "source_tenants", Side::source, name,
		    {single_key(*table), label(Side::source, *table)},
		    "SELECT t." + key + "::text, t." + shown + "::text FROM " + from_only(*table) + " AS t WHERE " + predicate(text) +
		        " ORDER BY t." + key,
		    {}});
	}
	if (const Relation *table = relation(Side::target, name); table && !single_key(*table).empty()) {
		const auto key = quote_identifier(single_key(*table)), shown = quote_identifier(label(Side::target, *table));
		// One row at least, so that the number of all tenants is known where none is kept.
		ask({"kept_tenants " + name.sql(), "kept_tenants", Side::target, name, {single_key(*table), label(Side::target, *table)},
		    "SELECT a.total::text, k.key::text, k.label::text FROM (SELECT count(*) AS total FROM " + from_only(*table) +
		        ") AS a LEFT JOIN (SELECT t." + key + " AS key, t." + shown + " AS label FROM " + from_only(*table) + " AS t WHERE t." +
		        key + among(*table) + ") AS k ON true ORDER BY k.label::text, k.key",
		    Condition{"tenants.keep", name, config.tenants->keep}});
	}
}

void Asker::maximums()
{
	for (const auto &[name, node] : graph.tables) {
		const Relation *table = relation(Side::source, name);
		if (node.mode != Mode::copy || node.key.empty() || !table || !table->column(node.key)) continue;
		// Production's own word for it, not the target's: the largest value of a column that is no key is nobody's business.
		const auto &base = table->column(node.key)->base;
		const Index *primary = table->primary_key();
		if ((base != "smallint" && base != "integer" && base != "bigint") || !primary ||
		    std::find(primary->columns.begin(), primary->columns.end(), node.key) == primary->columns.end())
			continue;
		ask({"maximum " + column_key(name, node.key), "maximum", Side::source, name, {node.key},
		    "SELECT max(t." + quote_identifier(node.key) + ")::text FROM " + from_only(*table) + " AS t", {}});
	}
}

void Asker::map(const Name &name)
{
	const Relation *here = relation(Side::target, name), *there = relation(Side::source, name);
	const auto key = here ? single_key(*here) : "";
	if (key.empty()) return;
	if (graph.node(name).stays) {
		if (there)
			for (auto &question : staying_questions(config, graph, *there, *here, answers)) ask(std::move(question));
		return;
	}
	const auto natural = natural_key(config, graph, name);
	if (has_fallback(config, graph, name)) {
		std::string label = natural.empty() ? "" : natural.front();
		for (const char *usual : {"username", "login"})
			if (label.empty() && here->column(usual)) label = usual;
		if (label.empty()) label = text_label(*here);
		if (!here->column(label)) label = key;
		ask({"fallback " + name.sql(), "fallback", Side::target, name, {key, label},
		    "SELECT t." + quote_identifier(key) + "::text, t." + quote_identifier(label) +
		        "::text, (count(*) OVER ())::text FROM " + from_only(*here) + " AS t WHERE t." + quote_identifier(key) + among(*here) +
		        " ORDER BY t." + quote_identifier(key) + " LIMIT 1",
		    Condition{"users.fallback", name, config.users->fallback}});
	}
	if (natural.empty() || !there || !there->column(key)) return;
	std::string of_source = "t." + quote_identifier(key) + "::text", of_target = of_source;
	for (const auto &column : natural) {
		if (!here->column(column) || !there->column(column)) return;  // the plan says so
		// The ids of another map mean the same on both sides only once they are translated.
		if (const Name other = kept_map(graph, name, column); !other.empty() && !map_complete(config, graph, answers, other))
			return;
		of_source += ", " + match_text(graph, name, *there->column(column), *here->column(column));
		of_target += ", " + digest_of(match_text(graph, name, *here->column(column), *there->column(column)));
	}
	std::vector<std::string> asked_about{key};
	asked_about.insert(asked_about.end(), natural.begin(), natural.end());
	for (const Side side : {Side::source, Side::target})
		ask({"pairs " + name.sql() + (side == Side::source ? " source" : " target"), "pairs", side, name, asked_about,
		    "SELECT " + (side == Side::source ? of_source : of_target) + " FROM " + from_only(*relation(side, name)) + " AS t", {}});
}

// Rows of production that share a natural key by which rows of the target would be recognized. Those of the target are known to the preflight only.
void Asker::doubles(const Name &name)
{
	const Relation *there = relation(Side::source, name);
	if (!there) return;
	// Declared for a partial index: that one tells the rows apart, and its twin is built on what comes.
	if (const Index *index = unique_index_over(*graph.node(name).relation, graph.node(name).match); index && !index->predicate.empty()) return;
	std::string values;
	for (const auto &column : graph.node(name).match) {
		const Column *here = graph.node(name).relation->column(column);
		if (!here || !there->column(column)) return;
		values += (values.empty() ? "" : ", ") + match_text(graph, name, *there->column(column), *here);
	}
	ask({"doubles " + name.sql(), "doubles", Side::source, name, graph.node(name).match,
	    "SELECT coalesce(sum(d.n), 0)::text FROM (SELECT count(*) AS n FROM " + from_only(*there) + " AS t GROUP BY " + values +
	        " HAVING count(*) > 1 AND num_nonnulls(" + values + ") > 0) AS d",
	    {}});
}

void Asker::unmatched()
{
	if (!tenants_known(config, graph, source, answers)) return;
	const Missing missing(config, graph, source, answers);
	if (!missing.ready()) return;
	for (const auto &[name, node] : graph.tables) {
		const Relation *there = relation(Side::source, name), *here = relation(Side::target, name);
		if (node.mode != Mode::copy || !there || !here) continue;
		for (const Column &column : here->columns) {
			const Name by = kept_map(graph, name, column.name);
			const auto map = answers.maps.find(by);
			const Column *read = there->column(column.name);
			if (by.empty() || !read || map == answers.maps.end() || map->second.fallback || map->second.unmatched.empty() ||
			    !map_complete(config, graph, answers, by))
				continue;
			// Only of what comes: other references of the row may leave it out, or may be let go of.
			std::string filter;
			for (const auto &part : {tenant_rows(config, graph, source, answers, name), missing.where_copied(name)})
				if (!part.empty()) filter += (filter.empty() ? "" : " AND ") + part;
			if (const auto value = missing.value(name, column.name); !value.empty())
				filter += (filter.empty() ? "(" : " AND (") + value + ") IS NOT NULL";
			ask({"unmatched " + column_key(name, column.name), "unmatched", Side::source, name, {column.name},
			    "SELECT count(*)::text FROM " + from_only(*there) + " AS t WHERE t." + quote_identifier(column.name) +
			        (is_id_array(read->base) ? " && " + array_literal(map->second.unmatched, element_type(read->base))
			                                 : " = ANY (" + array_literal(map->second.unmatched, read->base) + ")") +
			        (filter.empty() ? "" : " AND " + filter),
			    {}});
		}
	}
}

void Asker::kept_rows()
{
	const Name tenant = tenant_table(config, graph);
	const Relation *tenants = tenant.empty() ? nullptr : relation(Side::target, tenant);
	if (!tenants || single_key(*tenants).empty()) return;
	const auto key = single_key(*tenants);
	const bool models = std::all_of(graph.generic.begin(), graph.generic.end(), [&](const GenericRelation &one) {
		return !on_a_path(graph, one) || asked(answers, "models " + id_of(one) + " target");
	});
	const Ways ways(target, graph, models_of_target(graph, answers));
	for (const auto &[name, node] : graph.tables) {
		const Relation *table = relation(Side::target, name);
		if (forks(node.path) && !models) continue;
		if (node.mode != Mode::copy || node.scope != Scope::tenant || !table || (node.path.empty() && name != tenant)) continue;
		ask({"kept_rows " + name.sql(), "kept_rows", Side::target, name, {},
		    "SELECT count(*)::text FROM " + from_only(*table) + " AS t WHERE " +
		        path_condition(ways, node.path, key, "t",
		            [&](const std::string &tenant_key) { return tenant_key + among(*tenants); }),
		    Condition{"tenants.keep", tenant, config.tenants->keep}});
	}
}

}  // namespace

std::vector<Question> questions(const Config &config, const Catalog &source, const Catalog &target, const Answers &so_far)
{
	return Asker(config, source, target, so_far).questions();
}

}  // namespace core
